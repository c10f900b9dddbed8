package groupbuytest

import (
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func payCases() []testCase {
	return []testCase{
		{Name: "LastPaymentFormsTheTeamOnce", Run: lastPayment},
		{Name: "PaymentsInAnyOrderFormTheTeam", Run: paymentsAnyOrder},
		{Name: "PaymentThatIsDeliveredTwiceCountsOnce", Run: paidTwice},
		{Name: "LastPaymentSaysAgainThatItFormedTheTeam", Run: lastPaidTwice},
		{Name: "PayOfWhatHasNoSeatIsRefused", Run: payNothing},
		{Name: "PayAfterARefundIsNoPayment", Run: payRefunded},
	}
}

func lastPayment(s *scene) {
	s.live()
	code := s.team([]string{anna, ben, carol}, "1")
	s.Advance(time.Minute)
	second := s.pay("2")
	suite.Same(s, "formed", second.Formed, false)
	suite.Same(s, "members", len(second.Members), 0)
	suite.Same(s, "team", second.Team, s.is(code, groupbuy.Forming))
	suite.Same(s, "seat", second.Seat, s.seat("2", groupbuy.Paid))
	suite.Same(s, "status", second.Seat.Status, groupbuy.Forming)
	s.Advance(time.Minute)
	now := s.now()
	last := s.pay("3")
	suite.Same(s, "formed", last.Formed, true)
	team := s.is(code, groupbuy.Formed)
	suite.Same(s, "team", last.Team, team)
	suite.Same(s, "seat", last.Seat, s.seat("3", groupbuy.Paid))
	suite.Same(s, "members", orders(last.Members), []string{"1", "2", "3"})
	suite.Same(s, "members", last.Members, s.members(code))
	s.SameTime("ended", team.EndedAt, now)
	suite.Same(s, "formed by", []any{team.Cause, team.FormedBy, team.Actor}, []any{groupbuy.ByPayment, "3", ""})
	s.stands(groupbuy.Formed, "1", "2", "3")
	s.counts(code, 0, 3, "3")
	s.tells(code, hasFormed())
	s.pool(stock.Quantities{Total: 90, Sold: 3})
	suite.Same(s, "people", s.shown(groupbuy.Offered).Formed, 3)
}

func paymentsAnyOrder(s *scene) {
	s.live()
	code := s.team([]string{anna, ben, carol})
	for i, order := range []string{"3", "1", "2"} {
		suite.Same(s, "formed", s.pay(order).Formed, i == 2)
		s.Advance(time.Second)
	}
	e := s.deliver()[0]
	suite.Same(s, "members in the order of payment", orders(e.Members), []string{"3", "1", "2"})
	suite.Same(s, "sponsor", s.is(code, groupbuy.Formed).Sponsor, anna)
}

func paidTwice(s *scene) {
	s.live()
	code := s.team([]string{anna, ben, carol})
	first := s.pay("1")
	s.Advance(time.Minute)
	s.unchanged(func() { suite.Replays(s, "payment", s.pay("1"), first) })
	s.counts(code, 2, 1, "1")
	s.Advance(hold) // long after its deadline
	suite.Same(s, "seat", s.pay("1").Seat, first.Seat)
	s.pool(stock.Quantities{Total: 90, Locked: 2, Sold: 1})
}

func lastPaidTwice(s *scene) {
	s.live()
	code := s.team([]string{anna, ben, carol}, "1", "2")
	first := s.pay("3")
	again := func() {
		s.Helper()
		s.unchanged(func() {
			suite.Replays(s, "payment", suite.Must(s.groups.Pay(s.Context(), "3")), first)
			for _, order := range []string{"1", "2"} {
				p := suite.Must(s.groups.Pay(s.Context(), order))
				suite.Same(s, "formed by another", p.Formed || p.Due || len(p.Members) > 0, false)
				suite.Same(s, "state", p.Seat.State, groupbuy.Paid)
				suite.Same(s, "team", p.Team, first.Team)
			}
		})
	}
	again()
	s.Advance(2 * day)
	again()
	s.sweep()
	again()
	s.tells(code, hasFormed())
	s.refund("3")
	p := suite.Must(s.groups.Pay(s.Context(), "3"))
	suite.Same(s, "payment", []any{p.Formed, p.Due, p.Seat.State}, []any{true, true, groupbuy.RefundDue})
	suite.Same(s, "members", orders(p.Members), []string{"1", "2", "3"}) // who were in it then
}

func payNothing(s *scene) {
	s.live()
	_, err := s.groups.Pay(s.Context(), "unknown")
	s.only(err, groupbuy.ErrNotFound)
	suite.Same(s, "order", suite.As[*groupbuy.SeatError](s, err).Order, "unknown")
	s.seatless("unknown")
	s.open("unknown", anna) // which has closed nothing
	s.pay("unknown")
	s.cancel("closed")
	if _, err = s.groups.Pay(s.Context(), "closed"); !suite.Matches(err, groupbuy.ErrNotFound, groupbuy.ErrCancelled) {
		s.Fatalf("payment of an order that was closed before: %v", err)
	}
}

// payRefunded delivers a payment again after its refund: it owes nothing more.
func payRefunded(s *scene) {
	s.live()
	code := s.team([]string{anna, ben, carol}, "1", "2")
	s.refund("2")
	for range 2 {
		p := suite.Must(s.groups.Pay(s.Context(), "2"))
		suite.Same(s, "payment", []any{p.Due, p.Formed, p.Seat}, []any{true, false, s.seat("2", groupbuy.RefundDue)})
		s.refundOwed("2")
	}
	s.deliver()
	suite.Same(s, "seat", suite.Must(s.groups.Pay(s.Context(), "2")).Seat, s.seat("2", groupbuy.Refunded))
	s.counts(code, 1, 1, "1")
	s.pay("3")
	s.is(code, groupbuy.Forming)
}
