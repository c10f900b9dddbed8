package groupbuytest

import (
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func activityCases() []testCase {
	return []testCase{
		{Name: "ActivityIsKeptAsItWasDefined", Run: activityKept},
		{Name: "ActivityMayBeChangedWhileItRuns", Run: activityChanged},
		{Name: "ActivityCannotBeChangedWhenItIsOver", Run: activityOver},
		{Name: "ActivityHiddenIsNotOpened", Run: activityHidden},
		{Name: "ActivityRunsFromItsStartToItsEnd", Run: activityWindow},
		{Name: "ActivityItsPoolsFollowItsWindow", Run: activityPools},
	}
}

func activityKept(s *scene) {
	now := s.now()
	a := groupbuy.Activity{
		ID: fair, Title: "Fair", Image: "i.png", Formation: 90 * time.Minute, Hidden: true, Outlive: true, Sort: -5,
		Start: now.Add(hour), End: now.Add(2*hour + 999),
	}
	got := s.define(a)
	want := a
	want.End, want.CreatedAt, want.UpdatedAt, want.Version = now.Add(2*hour), now, now, got.Version
	suite.Same(s, "activity", got, want)
	suite.Same(s, "version", got.Version > 0, true)
	suite.Same(s, "activity as it is read", suite.Must(s.groups.Activity(s.Context(), fair)), want)
	s.Advance(time.Minute)
	a.EndedAt, a.CreatedAt, a.Version = now, now.Add(hour), 77 // what the store keeps is not what a caller says
	suite.Same(s, "activity that is defined again", s.define(a), want)
	_, err := s.groups.Activity(s.Context(), 8)
	s.only(err, groupbuy.ErrUnknownActivity)
	suite.Same(s, "error", *suite.As[*groupbuy.ProductError](s, err), groupbuy.ProductError{
		Key: stock.Key{Activity: 8}, Err: groupbuy.ErrUnknownActivity, Now: s.now(),
	})
}

func activityChanged(s *scene) {
	a := s.activity()
	was := s.define(a)
	s.Advance(time.Minute)
	a.Title, a.Image, a.Formation, a.Sort = "Another", "j.png", 2*hour, 9
	got := s.define(a)
	want := a
	want.CreatedAt, want.UpdatedAt, want.Version = was.CreatedAt, s.now(), got.Version
	suite.Same(s, "activity", got, want)
	suite.Same(s, "version has grown", got.Version > was.Version, true)
	s.stocked(goods, inStock)
	s.offer(product(people(2)), 10)
	team := s.is(s.open("1", anna).Team, groupbuy.Forming)
	a.Formation = hour
	s.define(a)
	s.SameTime("deadline of a team that was open", s.is(team.Code, groupbuy.Forming).Deadline, team.OpenedAt.Add(2*hour))
	next := s.is(s.open("2", ben).Team, groupbuy.Forming)
	s.SameTime("deadline of the next", next.Deadline, next.OpenedAt.Add(hour))
}

func activityOver(s *scene) {
	s.live()
	a := s.activity()
	s.No(suite.Err(s.groups.End(s.Context(), fair)))
	ended := suite.Must(s.groups.Activity(s.Context(), fair))
	s.SameTime("ended", ended.EndedAt, s.now())
	s.Advance(time.Minute)
	s.unchanged(func() {
		suite.Same(s, "activity that is defined again", s.define(a), ended)
		a.Title = "Another"
		s.only(suite.Err(s.groups.Define(s.Context(), a)), groupbuy.ErrEnded)
		suite.Replays(s, "activity that is ended again", suite.Must(s.groups.End(s.Context(), fair)), ended)
	})
	s.only(suite.Err(s.groups.End(s.Context(), 8)), groupbuy.ErrUnknownActivity)
	b := s.activity()
	b.ID = 9
	s.define(b)
	s.Advance(runs)
	s.define(b) // with no sweeper
	b.End = b.End.Add(hour)
	s.only(suite.Err(s.groups.Define(s.Context(), b)), groupbuy.ErrEnded)
}

func activityHidden(s *scene) {
	s.live()
	code := s.open("1", anna).Team
	a := s.activity()
	a.Hidden = true
	s.define(a)
	s.unopened(buy("2", ben), groupbuy.ErrHidden)
	s.join(code, "2", ben) // who was asked along, may come along
	s.Count("products in the shop window", len(suite.Listed(s, s.groups.Shelf(s.Context()))), 0)
	a.Hidden = false
	s.define(a)
	s.open("3", carol)
}

func activityWindow(s *scene) {
	now := s.now()
	a := s.activity()
	a.Start, a.End = now.Add(hour), now.Add(2*hour)
	s.stocked(goods, inStock)
	s.define(a)
	s.offer(product(people(2)), 10)
	said := func(why error) {
		s.Helper()
		_, err := buy("1", anna).Open(s.Context(), s.groups)
		s.only(err, why)
		want := groupbuy.ProductError{Key: suite.As[*groupbuy.ProductError](s, err).Key, Err: why, Start: a.Start, End: a.End, Now: s.now()}
		suite.Same(s, "error", *suite.As[*groupbuy.ProductError](s, err), want)
		s.seatless("1")
	}
	s.Advance(hour - instant)
	said(groupbuy.ErrNotStarted)
	s.Advance(instant)
	s.cancel(s.open("0", anna).Order)
	s.Advance(hour - instant)
	s.cancel(s.open("00", anna).Order)
	s.Advance(instant)
	said(groupbuy.ErrEnded) // with no sweeper
	s.sweep()
	s.unopened(buy("1", anna), groupbuy.ErrEnded)
	s.pool(stock.Quantities{})
	s.shelf(inStock)
}

// activityPools moves the window of an activity whose product is on sale.
func activityPools(s *scene) {
	s.live()
	a := s.activity()
	a.Start, a.End = s.now().Add(hour), s.now().Add(20*day)
	s.define(a)
	s.unopened(buy("1", anna), groupbuy.ErrNotStarted)
	s.Advance(10 * day)
	s.open("1", anna)
	a.End = s.now().Add(hour)
	s.define(a)
	team := s.is(s.open("2", ben).Team, groupbuy.Forming)
	s.SameTime("deadline", team.Deadline, a.End)
	s.Advance(hour)
	s.unopened(buy("3", carol), groupbuy.ErrEnded)
}
