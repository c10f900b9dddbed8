package groupbuytest

import (
	"fmt"
	"strconv"
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// deadlineCases are about teams whose time is over.
func deadlineCases() []testCase {
	return []testCase{
		{Name: "MinimumFormsATeamAtItsDeadline", Run: minimumPeople},
		{Name: "MinimumVolumeFormsATeamAtItsDeadline", Run: minimumVolume},
		{Name: "MinimumIsOfThosePaidWhoeverLooks", Run: minimumUnswept},
		{Name: "DeadlineFailsATeamAndEachPaidMemberIsDueARefund", Run: deadlineFails},
		{Name: "DeadlineManyTeamsAtOnce", Run: deadlineMany},
		{Name: "DeadlineIsToTheMicrosecond", Run: deadlineExact},
		{Name: "DeadlineWithoutASweeper", Run: deadlineUnswept},
	}
}

func minimumPeople(s *scene) {
	terms := people(4)
	terms.MinPeople = 2
	s.opened(terms, 90)
	short := s.team([]string{anna, ben, carol}, "1", "2")
	s.refund("2") // one is left, and one has not paid
	enough := s.open("4", anna).Team
	s.join(enough, "5", ben)
	s.pay("4")
	s.pay("5")
	s.Advance(forming - hold)
	s.join(short, "6", dan)
	s.join(enough, "7", carol)
	s.Advance(hold - instant)
	s.sweep()
	s.is(enough, groupbuy.Forming)
	s.Advance(instant)
	s.sweep()
	s.is(short, groupbuy.Failed)
	s.seat("1", groupbuy.RefundDue)
	team := s.is(enough, groupbuy.Formed)
	suite.Same(s, "how", []any{team.Cause, team.FormedBy, team.Paid, team.Held}, []any{groupbuy.ByDeadline, "", int64(2), int64(0)})
	s.stands(groupbuy.Formed, "4", "5")
	s.stands(groupbuy.Failed, "1", "2", "3", "6", "7")
	suite.Same(s, "events", s.tally(enough), map[news]int{hasFormed(): 1, released("7"): 1})
	var members []string
	for _, e := range s.deliver() {
		members = append(members, orders(e.Members)...)
	}
	suite.Same(s, "members", members, []string{"4", "5"})
	s.pool(stock.Quantities{Total: 90, Sold: 2, Refunded: 2})
}

// minimumUnswept has operators come after the deadline before any sweeper: the team becomes what its minimum says.
func minimumUnswept(s *scene) {
	terms := people(4)
	terms.MinPeople = 2
	s.opened(terms, 90)
	whole := s.with(groupbuy.Options{HoldFor: 2 * day})
	opened := func(round, paid int) string {
		s.Helper()
		seat := suite.Must(buy(numbered(round, 0), anna).Open(s.Context(), whole))
		for i := 1; i < 3; i++ {
			s.No(suite.Err(buy(numbered(round, i), fmt.Sprint(100+i)).Join(s.Context(), whole, seat.Team)))
		}
		for i := range paid {
			s.pay(numbered(round, i))
		}
		return seat.Team
	}
	short, enough, left := opened(1, 1), opened(2, 2), opened(3, 2)
	s.Advance(forming)
	for _, code := range []string{short, enough} {
		s.only(suite.Err(s.groups.Form(s.Context(), code, decided())), groupbuy.ErrTeamOver)
	}
	failed := s.fail(short)
	suite.Same(s, "cause", []any{failed.Cause, failed.Actor}, []any{groupbuy.ByDeadline, ""})
	s.seat(numbered(1, 1), groupbuy.Expired)
	s.only(suite.Err(s.groups.Form(s.Context(), short, decided())), groupbuy.ErrTeamFailed)
	s.only(suite.Err(s.groups.Fail(s.Context(), enough, decided())), groupbuy.ErrTeamFormed)
	suite.Same(s, "cause", s.is(enough, groupbuy.Formed).Cause, groupbuy.ByDeadline)
	suite.Replays(s, "team", s.form(enough), s.is(enough, groupbuy.Formed))
	s.refund(numbered(3, 1))
	s.is(left, groupbuy.Formed) // before who was refunded left it
	s.stands(groupbuy.Formed, numbered(3, 0), numbered(3, 1))
	s.pool(stock.Quantities{Total: 90, Sold: 3, Refunded: 2})
}

func minimumVolume(s *scene) {
	terms := volume("10")
	terms.MinVolume = dec("2.5")
	s.opened(terms, 10_000)
	short := s.openAs(buyVolume("1", anna, "2.49")).Team
	s.pay("1")
	enough := s.openAs(buyVolume("2", ben, "2.49")).Team
	s.joinAs(enough, buyVolume("3", carol, "0.01"))
	s.pay("2")
	s.pay("3")
	s.Advance(forming)
	s.sweep()
	s.is(short, groupbuy.Failed)
	suite.Same(s, "cause", s.is(enough, groupbuy.Formed).Cause, groupbuy.ByDeadline)
}

func deadlineFails(s *scene) {
	s.opened(people(5), 90)
	code := s.team([]string{anna, ben, carol}, "1", "2", "3")
	s.Advance(forming - time.Minute)
	s.join(code, "4", dan)
	s.Advance(time.Minute)
	now := s.now()
	suite.Same(s, "something expired", s.sweep() > 0, true)
	team := s.is(code, groupbuy.Failed)
	suite.Same(s, "how", []any{team.Cause, team.Actor, team.FormedBy}, []any{groupbuy.ByDeadline, "", ""})
	s.SameTime("ended", team.EndedAt, now)
	for _, order := range []string{"1", "2", "3"} {
		s.SameTime("refund of "+order, s.seat(order, groupbuy.RefundDue).EndedAt, now)
	}
	s.seat("4", groupbuy.Expired)
	s.counts(code, 0, 0, "0")
	s.pool(stock.Quantities{Total: 90, Refunded: 3})
	s.Count("what expires once more", s.sweep(), 0)
	s.Count("refunds that are due", len(suite.Listed(s, s.groups.Refunds(s.Context(), groupbuy.RefundDue))), 3)
}

// deadlineMany has more teams come to their end than are ended at a time.
func deadlineMany(s *scene) {
	const many = 320
	s.opened(people(2), 1000)
	s.Each(suite.Crowd(many, 8, func(i int) error {
		order := strconv.Itoa(i)
		if err := suite.Err(buy(order, fmt.Sprint(100+i)).Open(s.Context(), s.groups)); err != nil {
			return err
		}
		if i%4 == 0 {
			return suite.Err(s.groups.Pay(s.Context(), order))
		}
		return nil
	}))
	s.Advance(forming)
	s.sweep()
	forming := suite.Listed(s, s.groups.Teams(s.Context(), groupbuy.TeamFilter{State: groupbuy.Forming}))
	s.Count("teams that are forming", len(forming), 0)
	s.Count("refunds that are due", len(suite.Listed(s, s.groups.Refunds(s.Context(), groupbuy.RefundDue))), many/4)
	s.pool(stock.Quantities{Total: 1000, Refunded: many / 4})
}

func deadlineExact(s *scene) {
	s.live()
	s.Advance(123457 * time.Microsecond)
	code := s.open("1", anna).Team
	s.pay("1")
	s.Advance(forming - instant)
	s.Count("what expires", s.sweep(), 0)
	s.join(code, "2", ben)
	s.pay("2")
	s.join(code, "3", carol)
	s.Advance(instant)
	s.unjoined(code, buy("4", dan), groupbuy.ErrTeamOver)
	s.late(s.groups, "3", groupbuy.ErrExpired)
	s.is(code, groupbuy.Failed)
}

// deadlineUnswept has nothing but calls of shoppers come after the deadline.
func deadlineUnswept(s *scene) {
	s.live()
	code := s.team([]string{anna, ben}, "1", "2")
	s.Advance(forming + hour)
	s.Count("teams that can be joined", len(suite.Listed(s, s.groups.Joinable(s.Context(), key()))), 0)
	s.unjoined(code, buy("3", carol), groupbuy.ErrTeamOver)
	p, err := s.groups.Pay(s.Context(), "1") // delivered again
	s.No(err)
	suite.Same(s, "payment", []any{p.Formed, p.Due, p.Why}, []any{false, true, nil}) // its money goes back as well
	s.refund("1")
	s.sweep()
	s.is(code, groupbuy.Failed)
	s.refundOwed("2")
}
