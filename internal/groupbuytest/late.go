package groupbuytest

import (
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// lateCases are about payments for seats that are none any more.
func lateCases() []testCase {
	return []testCase{
		{Name: "LatePaymentWithRejectIsARefundThatIsDue", Run: lateReject},
		{Name: "LatePaymentWithReacquireTakesTheSeatAgain", Run: lateReacquire},
		{Name: "LatePaymentWithReacquireFormsTheTeam", Run: lateForms},
		{Name: "LatePaymentIsRefusedByAFullTeam", Run: lateFull},
		{Name: "LatePaymentIsRefusedByWhoHasAnotherSeat", Run: lateJoined},
		{Name: "LatePaymentIsRefusedByATeamThatIsOver", Run: lateOver},
		{Name: "LatePaymentIsRefusedByAPoolThatIsSoldOut", Run: lateSoldOut},
		{Name: "LatePaymentFindsThePlaceOfASeatThatIsDead", Run: lateDead},
		{Name: "LatePaymentOfACancelledSeatIsARefund", Run: lateCancelled},
		{Name: "PaymentLivesStrictlyBeforeTheDeadlineOfItsTeam", Run: lateForTeam},
	}
}

func lateReject(s *scene) {
	s.live()
	code := s.team([]string{anna, ben}, "1")
	s.Advance(hold)
	now := s.now()
	p := s.late(s.groups, "2", groupbuy.ErrExpired) // with no sweeper, and though there is room
	suite.Same(s, "seat", p.Seat, s.seat("2", groupbuy.RefundDue))
	suite.Same(s, "team", p.Team, s.is(code, groupbuy.Forming))
	s.SameTime("ended", p.Seat.EndedAt, now)
	suite.Same(s, "status", p.Seat.Status, groupbuy.Failed)
	s.counts(code, 0, 1, "1")
	s.pool(stock.Quantities{Total: 90, Sold: 1})
	s.tells(code, released("2"), owes("2"))
	s.unchanged(func() {
		again := suite.Must(s.groups.Pay(s.Context(), "2"))
		suite.Same(s, "seat", again.Seat, p.Seat)
		suite.Same(s, "due", again.Due, true)
	})
	s.Count("events", len(s.deliver()), 2)
	s.seat("2", groupbuy.Refunded)
	s.Advance(time.Minute)
	again := suite.Must(s.groups.Pay(s.Context(), "2"))
	suite.Same(s, "payment", []any{again.Due, again.Seat.State}, []any{true, groupbuy.Refunded})
	s.refundOwed("2")
}

// reacquires returns groups that take a seat again for who pays late.
func (s *scene) reacquires() *groupbuy.Groups {
	return s.with(groupbuy.Options{LatePay: stock.Reacquire})
}

func lateReacquire(s *scene) {
	for _, swept := range []bool{false, true} {
		sku := int64(100)
		if swept {
			sku++
		}
		s.stocked(sku, 10)
		if !swept {
			s.define(s.activity())
		}
		p := product(people(3))
		p.SKU = sku
		s.offer(p, 10)
		number := func(n string) string { return fmt.Sprint(n, sku) }
		code := s.openAs(buy(number("1"), anna).of(p.Key)).Team
		s.joinAs(code, buy(number("2"), ben).of(p.Key))
		s.Advance(hold / 2)
		s.pay(number("1"))
		s.Advance(hold)
		if swept {
			s.sweep()
			s.seat(number("2"), groupbuy.Expired)
		}
		got := suite.Must(s.reacquires().Pay(s.Context(), number("2")))
		suite.Same(s, "payment", []any{got.Due, got.Formed}, []any{false, false})
		suite.Same(s, "seat", got.Seat, s.seat(number("2"), groupbuy.Paid))
		s.SameTime("paid", got.Seat.PaidAt, s.now())
		suite.Same(s, "ended", got.Seat.EndedAt, time.Time{})
		suite.Same(s, "status", got.Seat.Status, groupbuy.Forming)
		s.counts(code, 0, 2, "2")
		suite.Same(s, "sold", s.item(p.Key).Sold, 2)
		suite.Replays(s, "payment", suite.Must(s.reacquires().Pay(s.Context(), number("2"))), got)
	}
}

func lateForms(s *scene) {
	s.live()
	code := s.team([]string{anna, ben, carol}, "1", "2")
	s.Advance(hold)
	p := suite.Must(s.reacquires().Pay(s.Context(), "3"))
	suite.Same(s, "payment", []any{p.Due, p.Formed, orders(p.Members)}, []any{false, true, []string{"1", "2", "3"}})
	suite.Same(s, "formed by", s.is(code, groupbuy.Formed).FormedBy, "3")
	s.stands(groupbuy.Formed, "1", "2", "3")
	events := s.told(code)
	suite.Same(s, "last event", events[len(events)-1].Kind, event.TeamFormed)
}

func lateFull(s *scene) {
	s.live()
	code := s.team([]string{anna, ben, carol}, "1", "2")
	s.Advance(hold)
	s.join(code, "4", dan)
	s.late(s.reacquires(), "3", groupbuy.ErrFull)
	s.counts(code, 1, 2, "2")
	s.pool(stock.Quantities{Total: 90, Locked: 1, Sold: 2})
	s.tells(code, released("3"), owes("3"))
	s.pay("4")
}

func lateJoined(s *scene) {
	s.live()
	code := s.team([]string{anna, ben}, "1")
	s.Advance(hold)
	s.join(code, "again", ben)
	s.late(s.reacquires(), "2", groupbuy.ErrJoined)
	s.counts(code, 1, 1, "1")
}

func lateOver(s *scene) {
	s.live()
	formed := s.team([]string{anna, ben}, "1")
	failed := s.open("3", carol).Team
	unswept := s.open("4", dan).Team
	s.Advance(hold)
	s.form(formed)
	s.late(s.reacquires(), "2", groupbuy.ErrTeamFormed)
	s.fail(failed)
	s.late(s.reacquires(), "3", groupbuy.ErrTeamFailed)
	s.Advance(forming)
	p := s.late(s.reacquires(), "4")
	if p.Why != nil && !suite.Matches(p.Why, groupbuy.ErrTeamOver, groupbuy.ErrTeamFailed) {
		s.Fatalf("a payment for a team that is over is late because %v", p.Why)
	}
	s.is(unswept, groupbuy.Failed)
	s.pool(stock.Quantities{Total: 90, Sold: 1})
}

func lateSoldOut(s *scene) {
	s.opened(people(3), 2)
	code := s.team([]string{anna, ben}, "1")
	s.Advance(hold)
	s.open("3", carol)
	s.late(s.reacquires(), "2", groupbuy.ErrExpired, stock.ErrInsufficient)
	s.counts(code, 0, 1, "1")
	s.pool(stock.Quantities{Total: 2, Locked: 1, Sold: 1})
}

// lateDead has the place taken by a seat that is dead as well: of another buyer, and of the same.
func lateDead(s *scene) {
	s.live()
	full := s.team([]string{anna, ben, carol}, "1", "2")
	joined := s.open("4", anna).Team
	s.join(joined, "5", ben)
	s.pay("4")
	s.Advance(hold)
	s.join(full, "6", dan)
	s.join(joined, "7", ben)
	s.Advance(hold)
	for _, order := range []string{"3", "5"} {
		p := suite.Must(s.reacquires().Pay(s.Context(), order))
		suite.Same(s, "payment", []any{p.Due, p.Seat.State}, []any{false, groupbuy.Paid})
	}
	s.is(full, groupbuy.Formed)
	s.counts(joined, 0, 2, "2")
	s.seat("6", groupbuy.Expired)
	s.seat("7", groupbuy.Expired)
}

func lateCancelled(s *scene) {
	s.live()
	code := s.team([]string{anna, ben}, "1")
	s.cancel("2")
	s.late(s.reacquires(), "2", groupbuy.ErrCancelled)
	s.tells(code, owes("2"))
	seat, err := s.groups.Cancel(s.Context(), "2") // delivered again
	s.No(err)
	suite.Replays(s, "seat", seat, s.seat("2", groupbuy.RefundDue))
	s.join(code, "3", ben)
	s.counts(code, 1, 1, "1")
}

func lateForTeam(s *scene) {
	s.live()
	whole := s.with(groupbuy.Options{HoldFor: 2 * day})
	codes := map[string]string{}
	for i, buyer := range []string{anna, ben} {
		order := string(rune('1' + i))
		seat := suite.Must(buy(order, buyer).Open(s.Context(), whole))
		codes[order] = seat.Team
		for _, guest := range []string{carol, dan} {
			s.No(suite.Err(buy(order+map[string]string{carol: "a", dan: "b"}[guest], guest).Join(s.Context(), whole, seat.Team)))
		}
		s.pay(order)
		s.pay(order + "a")
	}
	s.Advance(forming - instant)
	suite.Same(s, "formed", s.pay("1b").Formed, true)
	s.Advance(instant)
	p := s.late(s.groups, "2b", groupbuy.ErrExpired) // and the team is settled by the way
	suite.Same(s, "team", p.Team, s.is(codes["2"], groupbuy.Failed))
	s.seat("2", groupbuy.RefundDue)
	s.seat("2a", groupbuy.RefundDue)
	suite.Same(s, "cause", p.Team.Cause, groupbuy.ByDeadline)
	s.pool(stock.Quantities{Total: 90, Sold: 3, Refunded: 2})
	s.is(codes["1"], groupbuy.Formed)
	s.Advance(day)
	s.sweep()
	s.is(codes["1"], groupbuy.Formed)
}
