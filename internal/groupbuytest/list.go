package groupbuytest

import (
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func listCases() []testCase {
	return []testCase{
		{Name: "ListsOfActivitiesByState", Run: activitiesByState},
		{Name: "ListsOfTeamsOfAnActivityInSeveralStates", Run: teamsOfAnActivity},
		{Name: "ListsOfRefundsOfAnActivity", Run: refundsOfAnActivity},
		{Name: "ListsOfSeatsOfABuyer", Run: seatsOfABuyer},
		{Name: "ListsOfChangesSayWhoAndWhy", Run: changesByOperators},
	}
}

// paged collects a list page by page, of each size, and ends the test unless it has always the same names.
func paged[T any](s *scene, list func(stock.PageRequest) (stock.Page[T], error), name func(T) string, want ...string) {
	s.Helper()
	for _, limit := range []int{50, 2, 1} {
		var got []string
		for _, row := range suite.Paged(s, limit, list) {
			got = append(got, name(row))
		}
		suite.Same(s, fmt.Sprintf("list in pages of %d", limit), got, want)
	}
}

func activitiesByState(s *scene) {
	for id := int64(1); id <= 6; id++ {
		a := s.activity()
		a.ID = id
		switch {
		case id > 4:
			a.Start = s.now().Add(hour)
		case id == 2:
			a.End = s.now().Add(day)
		}
		s.define(a)
	}
	s.No(suite.Err(s.groups.End(s.Context(), 3)))
	list := func(state groupbuy.ActivityState, want ...string) {
		s.Helper()
		paged(s, func(page stock.PageRequest) (stock.Page[groupbuy.Activity], error) {
			return s.groups.ActivitiesPage(s.Context(), state, page)
		}, func(a groupbuy.Activity) string { return fmt.Sprint(a.ID) }, want...)
	}
	list(groupbuy.ActivityUpcoming, "5", "6")
	list(groupbuy.ActivityRunning, "2", "1", "4")
	list(groupbuy.ActivityEnded, "3")
	s.Advance(day)
	list(groupbuy.ActivityUpcoming)
	list(groupbuy.ActivityRunning, "1", "4", "5", "6")
	list(groupbuy.ActivityEnded, "3", "2")
	for _, state := range []groupbuy.ActivityState{0, groupbuy.ActivityEnded + 1} {
		s.only(suite.Err(s.groups.ActivitiesPage(s.Context(), state, stock.PageRequest{})), groupbuy.ErrInvalid)
	}
}

func teamsOfAnActivity(s *scene) {
	s.live()
	s.offerIn(8, 3, 90)
	teams := map[string]string{} // the order of the sponsor
	open := func(order string, activity int64) string {
		b := buy(order, anna)
		b.Product.Activity = activity
		code := s.openAs(b).Team
		teams[code] = order
		s.pay(order)
		s.Advance(time.Second)
		return code
	}
	s.form(open("formed", fair))
	open("a", fair)
	s.fail(open("failed", fair))
	open("other", 8)
	open("b", fair)
	list := func(filter groupbuy.TeamFilter, want ...string) {
		s.Helper()
		paged(s, func(page stock.PageRequest) (stock.Page[groupbuy.Team], error) {
			return s.groups.TeamsPage(s.Context(), filter, page)
		},
			func(t groupbuy.Team) string { return teams[t.Code] }, want...)
	}
	all := []groupbuy.TeamState{groupbuy.Failed, groupbuy.Formed, groupbuy.Forming}
	list(groupbuy.TeamFilter{Activity: fair, States: all}, "a", "b", "formed", "failed")
	list(groupbuy.TeamFilter{Activity: fair, States: all[:2]}, "formed", "failed")
	list(groupbuy.TeamFilter{Activity: fair}, "a", "b")
	list(groupbuy.TeamFilter{Product: key(), States: all}, "a", "b", "formed", "failed")
	list(groupbuy.TeamFilter{States: all[2:]}, "a", "other", "b")
	list(groupbuy.TeamFilter{Activity: 9, States: all})
	for _, filter := range []groupbuy.TeamFilter{
		{Activity: -1}, {Activity: fair, Product: key()}, {States: []groupbuy.TeamState{5}}, {States: all, Joinable: true},
	} {
		s.only(suite.Err(s.groups.TeamsPage(s.Context(), filter, stock.PageRequest{})), groupbuy.ErrInvalid)
	}
}

func refundsOfAnActivity(s *scene) {
	s.live()
	s.offerIn(8, 3, 90)
	for n := range 5 {
		b := buy(fmt.Sprint(n), anna)
		if n == 2 {
			b.Product.Activity = 8
		}
		s.openAs(b)
		s.pay(b.Order)
		s.refund(b.Order)
	}
	list := func(activity int64, state groupbuy.SeatState, want ...string) {
		s.Helper()
		paged(s, func(page stock.PageRequest) (stock.Page[groupbuy.Seat], error) {
			return s.groups.RefundsPage(s.Context(), activity, state, page)
		}, func(seat groupbuy.Seat) string { return seat.Order }, want...)
	}
	list(fair, groupbuy.RefundDue, "0", "1", "3", "4")
	list(8, groupbuy.RefundDue, "2")
	list(0, groupbuy.RefundDue, "0", "1", "2", "3", "4")
	list(fair, groupbuy.Refunded)
	s.deliver()
	list(fair, groupbuy.Refunded, "0", "1", "3", "4")
	s.only(suite.Err(s.groups.RefundsPage(s.Context(), fair, groupbuy.Paid, stock.PageRequest{})), groupbuy.ErrInvalid)
}

func seatsOfABuyer(s *scene) {
	s.live()
	for n := range 5 {
		s.open(fmt.Sprint(n), anna)
		if n == 1 {
			s.Advance(time.Second)
		}
	}
	s.open("another's", ben)
	paged(s, func(page stock.PageRequest) (stock.Page[groupbuy.Seat], error) {
		return s.groups.For(anna).SeatsPage(s.Context(), page)
	}, func(seat groupbuy.Seat) string { return seat.Order }, "4", "3", "2", "1", "0")
	s.only(suite.Err(s.groups.SeatsPage(s.Context(), stock.PageRequest{})), groupbuy.ErrInvalid)
}

func changesByOperators(s *scene) {
	s.stocked(goods, inStock)
	by := func(reason string) *groupbuy.Groups {
		s.Advance(time.Second)
		return s.groups.By(operator, reason)
	}
	s.No(suite.Err(by("spring").Define(s.Context(), s.activity())))
	s.No(suite.Err(by("the best tea").Offer(s.Context(), product(people(3)), 50)))
	s.No(suite.Err(by("more of it").Restock(s.Context(), "more", key(), 10)))
	p := product(people(3))
	p.Name = "Green tea"
	s.No(suite.Err(by("it is green").Revise(s.Context(), p)))
	first, second, third := s.open("1", anna).Team, s.open("2", ben).Team, s.open("3", carol).Team
	for _, order := range []string{"1", "2", "3"} {
		s.pay(order)
	}
	s.No(suite.Err(by("a regular").Form(s.Context(), first, groupbuy.Decision{})))
	s.No(suite.Err(by("dropped").Fail(s.Context(), second, groupbuy.Decision{Actor: "boss", Reason: "fraud"})))
	s.No(suite.Err(by("asked for").Refund(s.Context(), groupbuy.Refund{Order: "3"})))
	s.No(suite.Err(by("sold elsewhere").Remove(s.Context(), key())))
	s.No(suite.Err(by("summer").End(s.Context(), fair)))
	s.only(suite.Err(s.groups.Form(s.Context(), third, groupbuy.Decision{})), groupbuy.ErrInvalid)

	changes := func(k stock.Key) (got []string) {
		s.Helper()
		for _, c := range suite.Paged(s, 3, func(page stock.PageRequest) (stock.Page[stock.Change], error) {
			return s.groups.ChangesPage(s.Context(), k, page)
		}) {
			got = append(got, fmt.Sprintf("%v by %s: %s", c.Kind, c.Actor, c.Reason))
		}
		return got
	}
	o := operator
	suite.Same(s, "changes of the activity", changes(stock.Key{Activity: fair}),
		[]string{"end by " + o + ": summer", "define by " + o + ": spring"})
	suite.Same(s, "changes", changes(key()), []string{
		"remove by " + o + ": sold elsewhere", "transfer by " + o + ": sold elsewhere", "define by " + o + ": sold elsewhere",
		"refund by " + o + ": asked for", "fail by boss: fraud", "form by " + o + ": a regular", "revise by " + o + ": it is green",
		"transfer by " + o + ": more of it", "transfer by " + o + ": the best tea", "define by " + o + ": the best tea",
	})
}
