package groupbuytest

import (
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// formCases are about operators who end teams.
func formCases() []testCase {
	return []testCase{
		{Name: "OperatorFormsATeamOnce", Run: formByHand},
		{Name: "FormingAgainChangesNothing", Run: formAgain},
		{Name: "FormingIsRefusedWhereItCannotBe", Run: formRefused},
		{Name: "FormingReleasesHeldSeats", Run: formReleases},
		{Name: "FailRefundsWhoHasPaidAndReleasesWhoHasNot", Run: failByHand},
		{Name: "FailAgainChangesNothing", Run: failAgain},
		{Name: "FailOfAFormedTeamIsRefused", Run: failRefused},
		{Name: "FailGivesUnitsBackToTheLimitOfTheBuyerIfAsked", Run: failFrees},
	}
}

func formByHand(s *scene) {
	s.live()
	code := s.team([]string{anna, ben}, "1", "2")
	s.Advance(time.Minute)
	now := s.now()
	team := s.form(" " + strings.ToLower(code) + "\n")
	suite.Same(s, "team", team, s.is(code, groupbuy.Formed))
	suite.Same(s, "how", []any{team.Cause, team.Actor, team.Reason, team.FormedBy}, []any{groupbuy.ByOperator, operator, "by hand", ""})
	s.SameTime("ended", team.EndedAt, now)
	s.stands(groupbuy.Formed, "1", "2")
	s.tells(code, hasFormed())
	suite.Same(s, "people", s.shown(groupbuy.Offered).Formed, 2)
	events := s.deliver()
	suite.Same(s, "members", orders(events[0].Members), []string{"1", "2"})
	suite.Same(s, "team of the event", events[0].Team, team)
	suite.Same(s, "formed by a payment", suite.Must(s.groups.Pay(s.Context(), "2")).Formed, false)
}

func formAgain(s *scene) {
	s.live()
	code := s.team([]string{anna, ben}, "1")
	first := s.form(code)
	s.Advance(time.Minute)
	paid := s.open("p", anna).Team
	s.join(paid, "q", ben)
	s.join(paid, "r", carol)
	for _, order := range []string{"p", "q", "r"} {
		s.pay(order)
	}
	s.unchanged(func() {
		suite.Replays(s, "team", s.form(code), first)
		suite.Replays(s, "team", suite.Must(s.groups.Form(s.Context(), code, groupbuy.Decision{Actor: "another", Reason: "another"})), first)
		suite.Replays(s, "team that a payment has formed", s.form(paid), s.is(paid, groupbuy.Formed))
	})
	s.Advance(forming)
	suite.Replays(s, "team", s.form(code), first)
}

func formRefused(s *scene) {
	s.live()
	refused := func(code string, why error) {
		s.Helper()
		s.unchanged(func() {
			_, err := s.groups.Form(s.Context(), code, decided())
			s.only(err, why)
			suite.Same(s, "error", *suite.As[*groupbuy.TeamError](s, err), groupbuy.TeamError{Team: code, Err: why})
		})
	}
	refused(sample, groupbuy.ErrUnknownTeam)
	code := s.team([]string{anna, ben})
	refused(code, groupbuy.ErrNobodyPaid)
	s.pay("1")
	s.refund("1")
	refused(code, groupbuy.ErrNobodyPaid)
	s.pay("2")
	s.fail(code)
	refused(code, groupbuy.ErrTeamFailed)
	late := s.open("3", anna).Team
	s.pay("3")
	s.Advance(forming)
	_, err := s.groups.Form(s.Context(), late, decided()) // with no sweeper
	s.only(err, groupbuy.ErrTeamOver)
	s.sweep()
	refused(late, groupbuy.ErrTeamFailed)
}

// formReleases forms a team with seats that are held, and dead, and not paid in the end.
func formReleases(s *scene) {
	s.opened(people(5), 90)
	code := s.open("1", anna).Team
	s.join(code, "2", ben)
	s.pay("2")
	s.join(code, "dead", carol)
	s.Advance(hold - time.Minute)
	s.join(code, "live", dan)
	s.Advance(time.Minute)
	s.form(code)
	s.counts(code, 0, 1, "1")
	s.seat("live", groupbuy.Cancelled)
	s.seat("dead", groupbuy.Expired)
	s.seat("1", groupbuy.Expired)
	s.stands(groupbuy.Failed, "1", "live", "dead")
	s.stands(groupbuy.Formed, "2")
	s.pool(stock.Quantities{Total: 90, Sold: 1})
	suite.Same(s, "events", s.tally(code), map[news]int{hasFormed(): 1, released("1"): 1, released("live"): 1, released("dead"): 1})
	suite.Same(s, "the first", s.told(code)[0].Kind, event.TeamFormed)
	suite.Same(s, "sponsor, since the first has not paid", s.is(code, groupbuy.Formed).Sponsor, ben)
	s.late(s.groups, "live", groupbuy.ErrCancelled)
	s.late(s.reacquires(), "dead", groupbuy.ErrTeamFormed)
	suite.Same(s, "people", s.shown(groupbuy.Offered).Formed, 1)
}

func failByHand(s *scene) {
	s.opened(people(5), 90)
	code := s.team([]string{anna, ben, carol, dan}, "1", "3")
	s.refund("3")
	s.join(code, "5", carol)
	s.pay("5")
	s.Advance(time.Minute)
	now := s.now()
	team := s.fail(code)
	suite.Same(s, "how", []any{team.Cause, team.Actor, team.Reason}, []any{groupbuy.ByOperator, operator, "by hand"})
	s.SameTime("ended", team.EndedAt, now)
	s.counts(code, 0, 0, "0")
	for order, state := range map[string]groupbuy.SeatState{
		"1": groupbuy.RefundDue, "2": groupbuy.Cancelled, "3": groupbuy.RefundDue, "4": groupbuy.Cancelled, "5": groupbuy.RefundDue,
	} {
		s.seat(order, state)
	}
	s.stands(groupbuy.Failed, "1", "2", "3", "4", "5")
	s.tells(code, owes("3"), hasFailed(), owes("1"), owes("5"), released("2"), released("4"))
	s.pool(stock.Quantities{Total: 90, Refunded: 3})
	suite.Same(s, "people", s.shown(groupbuy.Offered).Formed, 0)
	s.Count("events", len(s.deliver()), 6)
	s.Count("refunds that are done", len(suite.Listed(s, s.groups.Refunds(s.Context(), groupbuy.Refunded))), 3)
}

func failAgain(s *scene) {
	s.live()
	code := s.team([]string{anna, ben}, "1")
	first := s.fail(code)
	s.Advance(time.Minute)
	left := s.open("o", anna).Team
	s.cancel("o")
	s.unchanged(func() {
		suite.Replays(s, "team", s.fail(code), first)
		suite.Replays(s, "team", suite.Must(s.groups.Fail(s.Context(), code, groupbuy.Decision{Actor: "another", Reason: "another"})), first)
		suite.Replays(s, "team that failed by itself", s.fail(left), s.is(left, groupbuy.Failed))
		s.only(suite.Err(s.groups.Fail(s.Context(), sample, decided())), groupbuy.ErrUnknownTeam)
	})
}

func failRefused(s *scene) {
	s.opened(people(2), 90)
	code := s.team([]string{anna, ben}, "1", "2")
	s.unchanged(func() {
		_, err := s.groups.Fail(s.Context(), code, decided())
		s.only(err, groupbuy.ErrTeamFormed)
		suite.Same(s, "error", *suite.As[*groupbuy.TeamError](s, err), groupbuy.TeamError{Team: code, Err: groupbuy.ErrTeamFormed})
	})
}

func failFrees(s *scene) {
	s.live()
	for i, frees := range []bool{false, true} {
		seat := s.open(numbered(i, 0), anna)
		s.pay(seat.Order)
		s.No(suite.Err(s.with(groupbuy.Options{RefundFreesBuyer: frees}).Fail(s.Context(), seat.Team, decided())))
		usage := suite.Must(s.ordinary().For(anna).Usage(s.Context(), key()))
		suite.Same(s, "units that she has bought", usage.Bought, 1) // those of the first
	}
}
