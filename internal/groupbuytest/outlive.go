package groupbuytest

import (
	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// outliveCases are about the time between the end of an activity and those of its teams.
func outliveCases() []testCase {
	return []testCase{
		{Name: "TeamIsJoinedUntilTheActivityEnds", Run: joinedUntilEnd},
		{Name: "TeamThatOutlivesItsActivityIsJoinedUntilItsOwnDeadline", Run: outlives},
		{Name: "TeamThatOutlivesItsActivityEndsWithAnOperator", Run: outlivesByHand},
		{Name: "RemainderWaitsForTheLastTeam", Run: outlivesRemainder},
	}
}

func joinedUntilEnd(s *scene) {
	s.live()
	s.Advance(runs - hour)
	code := s.open("1", anna).Team
	s.pay("1")
	s.Advance(hour - instant)
	s.join(code, "2", ben)
	s.Advance(instant)
	s.unopened(buy("3", carol), groupbuy.ErrEnded)
	if _, err := buy("3", carol).Join(s.Context(), s.groups, code); !suite.Matches(err, groupbuy.ErrEnded, groupbuy.ErrTeamOver) {
		s.Fatalf("Join at the end: %v", err)
	}
	s.sweep()
	s.is(code, groupbuy.Failed)
	s.shelf(inStock)
}

// outliving makes the shop of an activity whose teams live on, and lets a team be opened an hour before its end.
func (s *scene) outliving() string {
	s.Helper()
	s.stocked(goods, inStock)
	a := s.activity()
	a.Outlive = true
	s.define(a)
	s.offer(product(people(3)), 90)
	s.Advance(runs - hour)
	code := s.open("1", anna).Team
	s.pay("1")
	s.SameTime("deadline", s.is(code, groupbuy.Forming).Deadline, s.now().Add(forming))
	return code
}

func outlives(s *scene) {
	code := s.outliving()
	s.Advance(hour)
	s.unopened(buy("2", ben), groupbuy.ErrEnded)
	s.only(suite.Err(s.groups.Define(s.Context(), s.activity())), groupbuy.ErrEnded)
	suite.Same(s, "state", s.offer(product(people(3)), 90).State, groupbuy.Offered)
	s.join(code, "2", ben) // with no sweeper
	s.Count("what expires", s.sweep(), 0)
	s.unopened(buy("3", carol), groupbuy.ErrEnded)
	s.cancel(s.join(code, "c", carol).Order) // and after one
	s.Advance(forming - hour - instant)
	s.join(code, "3", carol)
	s.join(code, "4", dan)
	s.pay("4")
	s.Advance(instant)
	s.unjoined(code, buy("5", ben), groupbuy.ErrTeamOver)
	s.late(s.groups, "3", groupbuy.ErrExpired)
	s.is(code, groupbuy.Failed)
	s.Advance(hour) // until the last team could have been joined
	s.sweep()
	s.shown(groupbuy.Settled)
	s.shelf(inStock)
}

func outlivesByHand(s *scene) {
	code := s.outliving()
	s.end()
	_, err := buy("2", ben).Join(s.Context(), s.groups, code)
	if !suite.Matches(err, groupbuy.ErrRemoved, groupbuy.ErrEnded) {
		s.Fatalf("Join after an early end: %v", err)
	}
	s.Advance(2 * hour)
	_, err = buy("2", ben).Join(s.Context(), s.groups, code)
	if !suite.Matches(err, groupbuy.ErrRemoved, groupbuy.ErrEnded) {
		s.Fatalf("Join after an early end, and the end: %v", err)
	}
	s.is(code, groupbuy.Forming)
	s.form(code)
	s.sweep()
	s.shown(groupbuy.Settled)
	s.shelf(inStock - 1)
}

func outlivesRemainder(s *scene) {
	code := s.outliving()
	s.Advance(hour)
	s.sweep()
	s.join(code, "2", ben)
	s.join(code, "3", carol)
	s.pay("2")
	suite.Same(s, "formed", s.pay("3").Formed, true)
	s.Advance(2 * forming)
	s.sweep()
	s.shown(groupbuy.Settled)
	s.pool(stock.Quantities{Total: 3, Sold: 3})
	s.shelf(inStock - 3)
}
