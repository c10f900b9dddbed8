package groupbuytest

import (
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// leaveCases are about members who leave, and what their teams are without them.
func leaveCases() []testCase {
	return []testCase{
		{Name: "CancelGivesTheSeatBackOnce", Run: cancelGives},
		{Name: "CancelSaysInWhichStateTheSeatIs", Run: cancelRefused},
		{Name: "EarliestPaidMemberBecomesTheSponsor", Run: handOver},
		{Name: "SponsorWhoExpiresOrCancelsHandsOverAsWell", Run: handOverUnpaid},
		{Name: "EarliestHeldMemberBecomesTheSponsorWhereNobodyHasPaid", Run: handOverHeld},
		{Name: "TeamWithoutMembersIsClosed", Run: lastLeaves},
		{Name: "TeamWithoutMembersIsClosedHoweverTheyLeave", Run: lastLeavesOtherwise},
		{Name: "HeldSeatKeepsATeamOpen", Run: heldKeeps},
		{Name: "RefundAfterFormationLeavesTheTeamFormed", Run: refundAfter},
		{Name: "UnitsOfAFormedTeamGoBackIfAsked", Run: refundRestock},
		{Name: "RefundThatIsAskedForTwiceIsOne", Run: refundTwice},
		{Name: "RefundByHandAndByTheDeadlineIsOne", Run: refundAndDeadline},
		{Name: "RefundSaysInWhichStateTheSeatIs", Run: refundRefused},
		{Name: "RefundOfWhatWasRedeemedIsAnOption", Run: refundRedeemed},
	}
}

func cancelGives(s *scene) {
	s.live()
	code := s.team([]string{anna, ben}, "1")
	s.Advance(time.Minute)
	seat := s.cancel("2")
	suite.Same(s, "seat", seat, s.seat("2", groupbuy.Cancelled))
	s.SameTime("ended", seat.EndedAt, s.now())
	suite.Same(s, "status", seat.Status, groupbuy.Failed)
	s.pool(stock.Quantities{Total: 90, Sold: 1})
	s.counts(code, 0, 1, "1")
	s.Advance(time.Minute)
	s.unchanged(func() { suite.Replays(s, "seat", s.cancel("2"), seat) })
	s.tells(code) // its buyer knows
}

func cancelRefused(s *scene) {
	s.live()
	code := s.team([]string{anna, ben, carol}, "1", "2")
	refused := func(order string, state groupbuy.SeatState, why error) {
		s.Helper()
		s.unchanged(func() {
			_, err := s.groups.Cancel(s.Context(), order)
			s.only(err, why)
			got := *suite.As[*groupbuy.SeatError](s, err)
			suite.Same(s, "error", got, groupbuy.SeatError{Order: order, State: state, Err: why})
		})
	}
	refused("1", groupbuy.Paid, groupbuy.ErrPaid)
	s.refund("2")
	refused("2", groupbuy.RefundDue, groupbuy.ErrRefunded)
	s.deliver()
	refused("2", groupbuy.Refunded, groupbuy.ErrRefunded)
	s.Advance(hold)
	_, err := s.groups.Cancel(s.Context(), "3") // with no sweeper
	s.only(err, groupbuy.ErrExpired)
	refused("3", groupbuy.Expired, groupbuy.ErrExpired)
	s.form(code)
	refused("1", groupbuy.Paid, groupbuy.ErrPaid)
}

// sponsored ends the test unless a team has this sponsor.
func (s *scene) sponsored(code string, buyer string, order string) {
	s.Helper()
	t := s.is(code, groupbuy.Forming)
	suite.Same(s, "sponsor", []any{t.Sponsor, t.SponsorOrder}, []any{buyer, order})
}

func handOver(s *scene) {
	s.opened(people(5), 90)
	code := s.team([]string{anna, ben, carol, dan}, "1")
	deadline := s.is(code, groupbuy.Forming).Deadline
	s.Advance(time.Minute)
	s.pay("3")
	s.Advance(time.Minute)
	s.pay("2") // who took the seat before, and paid after
	s.refund("1")
	s.sponsored(code, carol, "3")
	s.refund("3")
	s.sponsored(code, ben, "2")
	s.refund("2")
	s.sponsored(code, dan, "4") // who is the last, and has not paid
	s.join(code, "5", anna)
	s.pay("5")
	s.sponsored(code, dan, "4") // who pays does not take it away
	s.SameTime("deadline", s.is(code, groupbuy.Forming).Deadline, deadline)
	suite.Same(s, "who opened it", s.seat("1", groupbuy.RefundDue).Sponsor, true)
	suite.Same(s, "who did not", s.seat("4", groupbuy.Held).Sponsor, false)
	s.tells(code, owes("1"), owes("3"), owes("2"))
}

func handOverUnpaid(s *scene) {
	s.opened(people(5), 90)
	cancelled := s.team([]string{anna, ben, carol}, "3")
	s.cancel("1")
	s.sponsored(cancelled, carol, "3")
	expired := s.open("4", anna).Team
	s.Advance(time.Minute)
	s.join(expired, "5", ben)
	s.join(expired, "6", dan)
	s.pay("6")
	s.Advance(hold - time.Minute)
	s.sweep()
	s.seat("4", groupbuy.Expired)
	s.seat("5", groupbuy.Held)
	s.sponsored(expired, dan, "6")
	s.sponsored(cancelled, carol, "3")
	swept := s.open("7", anna).Team
	s.join(swept, "8", ben)
	s.join(swept, "9", carol)
	s.pay("9")
	s.Advance(hold)
	s.sweep() // sponsor and member at once
	s.sponsored(swept, carol, "9")
}

func handOverHeld(s *scene) {
	s.live()
	code := s.open("9", anna).Team
	s.Advance(time.Second)
	s.join(code, "2", ben)
	s.Advance(time.Second)
	s.join(code, "1", carol)
	s.cancel("9")
	s.sponsored(code, ben, "2")
	s.cancel("2")
	s.sponsored(code, carol, "1")
	same := s.open("b", anna).Team // at the same moment: by the order number
	s.join(same, "z", ben)
	s.join(same, "a", dan)
	s.cancel("b")
	s.sponsored(same, dan, "a")
	s.pay("z")
	s.pay("a")
	s.refund("a")
	s.sponsored(same, ben, "z")
}

func lastLeaves(s *scene) {
	s.live()
	code := s.team([]string{anna}, "1")
	s.Advance(time.Minute)
	s.refund("1")
	t := s.is(code, groupbuy.Failed)
	s.SameTime("ended", t.EndedAt, s.now())
	suite.Same(s, "cause", []any{t.Cause, t.Actor, t.Reason}, []any{groupbuy.ByLeaving, "", ""})
	suite.Same(s, "sponsor", t.Sponsor, anna)
	s.tells(code, owes("1"), hasFailed())
	s.pool(stock.Quantities{Total: 90, Refunded: 1})
	s.unjoined(code, buy("2", ben), groupbuy.ErrTeamFailed)
	s.Advance(forming)
	s.Count("what expires", s.sweep(), 0)
	s.tells(code, owes("1"), hasFailed())
}

func lastLeavesOtherwise(s *scene) {
	s.live()
	cancelled := s.open("1", anna).Team
	s.cancel("1")
	suite.Same(s, "cause", s.is(cancelled, groupbuy.Failed).Cause, groupbuy.ByLeaving)
	s.tells(cancelled, hasFailed())
	expired := s.open("2", ben).Team
	s.join(expired, "3", carol)
	s.Advance(hold)
	s.sweep()
	suite.Same(s, "cause", s.is(expired, groupbuy.Failed).Cause, groupbuy.ByLeaving)
	suite.Same(s, "events", s.tally(expired), map[news]int{released("2"): 1, released("3"): 1, hasFailed(): 1})
	s.unjoined(expired, buy("x", dan), groupbuy.ErrTeamFailed)
	s.only(suite.Err(s.groups.Form(s.Context(), expired, decided())), groupbuy.ErrTeamFailed)
}

func heldKeeps(s *scene) {
	s.live()
	code := s.team([]string{anna, ben}, "1")
	s.refund("1")
	s.sponsored(code, ben, "2")
	s.join(code, "3", anna)
	s.cancel("2")
	s.sponsored(code, anna, "3")
	s.cancel("3")
	s.is(code, groupbuy.Failed)
	s.pool(stock.Quantities{Total: 90, Refunded: 1})
}

func refundAfter(s *scene) {
	s.live()
	code := s.team([]string{anna, ben, carol}, "1", "2", "3")
	s.Advance(time.Minute)
	seat := suite.Must(s.groups.Refund(s.Context(), groupbuy.Refund{Order: "1", Actor: operator, Reason: "broken"}))
	suite.Same(s, "seat", seat, s.seat("1", groupbuy.RefundDue))
	suite.Same(s, "seat", []any{seat.Status, seat.Actor, seat.Reason}, []any{groupbuy.Formed, operator, "broken"})
	s.SameTime("ended", seat.EndedAt, s.now())
	s.is(code, groupbuy.Formed)
	s.counts(code, 0, 2, "2")
	s.seat("2", groupbuy.Paid)
	s.unjoined(code, buy("4", dan), groupbuy.ErrTeamFormed)
	s.unjoined(code, buy("4", anna), groupbuy.ErrTeamFormed)
	s.tells(code, hasFormed(), owes("1"))
	events := s.deliver()
	suite.Same(s, "members", orders(events[0].Members), []string{"1", "2", "3"}) // who were in it
	s.refund("2")
	s.refund("3")
	s.is(code, groupbuy.Formed) // with nobody left in it
	suite.Same(s, "people", s.shown(groupbuy.Offered).Formed, 3)
}

func refundRestock(s *scene) {
	s.opened(people(2), 90)
	s.team([]string{anna, ben}, "1", "2")
	s.No(suite.Err(s.groups.Refund(s.Context(), groupbuy.Refund{Order: "1", Actor: operator, Reason: "broken"})))
	s.pool(stock.Quantities{Total: 90, Sold: 2, Refunded: 1})
	s.No(suite.Err(s.groups.Refund(s.Context(), groupbuy.Refund{Order: "2", Actor: operator, Reason: "unopened", Restock: true})))
	s.pool(stock.Quantities{Total: 90, Sold: 1, Refunded: 2})
	s.open("3", carol)
	s.pay("3")
	_, err := s.groups.Refund(s.Context(), groupbuy.Refund{Order: "3"}) // whatever it says, while the team is forming
	s.No(err)
	s.pool(stock.Quantities{Total: 90, Sold: 1, Refunded: 3})
}

func refundTwice(s *scene) {
	s.live()
	code := s.team([]string{anna, ben}, "1", "2")
	first := s.refund("2")
	s.Advance(time.Minute)
	s.unchanged(func() {
		suite.Replays(s, "seat", s.refund("2"), first)
		other := suite.Must(s.groups.Refund(s.Context(), groupbuy.Refund{Order: "2", Actor: "another", Reason: "another"}))
		suite.Replays(s, "seat", other, first) // who was first is kept
	})
	s.fail(code)
	s.tells(code, owes("2"), hasFailed(), owes("1"))
	events := s.deliver()
	suite.Same(s, "number of the refund", events[0].Refund(), groupbuy.RefundID("2"))
	suite.Same(s, "seat of the refund", events[0].Seat, first)
	suite.Replays(s, "seat", s.refund("2"), s.seat("2", groupbuy.Refunded))
	s.pool(stock.Quantities{Total: 90, Refunded: 2})
	report := suite.Must(s.ordinary().Hold(s.Context(), "2"))
	suite.Same(s, "refunded units", report.Lines[0].Refunded, 1)
}

func refundAndDeadline(s *scene) {
	s.live()
	code := s.team([]string{anna, ben}, "1", "2")
	s.Advance(forming)
	s.refund("1") // when it is over, and nobody has looked
	s.sweep()
	s.is(code, groupbuy.Failed)
	s.seat("1", groupbuy.RefundDue)
	s.seat("2", groupbuy.RefundDue)
	s.refund("2")
	s.refundOwed("1")
	s.refundOwed("2")
	s.pool(stock.Quantities{Total: 90, Refunded: 2})
}

func refundRefused(s *scene) {
	s.live()
	s.team([]string{anna, ben, carol}, "1")
	refused := func(order string, state groupbuy.SeatState, why error) {
		s.Helper()
		s.unchanged(func() {
			_, err := s.groups.Refund(s.Context(), byHand(order))
			s.only(err, why)
			got := *suite.As[*groupbuy.SeatError](s, err)
			suite.Same(s, "error", got, groupbuy.SeatError{Order: order, State: state, Err: why})
		})
	}
	refused("unknown", groupbuy.NoSeat, groupbuy.ErrNotFound)
	refused("2", groupbuy.Held, groupbuy.ErrNotPaid)
	s.cancel("2")
	refused("2", groupbuy.Cancelled, groupbuy.ErrCancelled)
	s.Advance(hold)
	_, err := s.groups.Refund(s.Context(), byHand("3")) // with no sweeper
	s.only(err, groupbuy.ErrExpired)
	s.sweep()
	refused("3", groupbuy.Expired, groupbuy.ErrExpired)
	s.refund("1")
}

func refundRedeemed(s *scene) {
	s.opened(people(2), 90)
	s.team([]string{anna, ben}, "1", "2")
	_, err := s.ordinary().Redeem(s.Context(), "1") // the goods were handed over
	s.No(err)
	s.only(suite.Err(s.groups.Refund(s.Context(), byHand("1"))), stock.ErrRedeemed)
	s.seat("1", groupbuy.Paid)
	allows := s.with(groupbuy.Options{RefundRedeemed: true})
	suite.Same(s, "state", suite.Must(allows.Refund(s.Context(), byHand("1"))).State, groupbuy.RefundDue)
	s.pool(stock.Quantities{Total: 90, Sold: 1, Refunded: 1})
}
