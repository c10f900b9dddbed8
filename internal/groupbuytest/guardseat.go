package groupbuytest

import (
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// guardSeatCases ask the store itself for seats.
func guardSeatCases() []testCase {
	return []testCase{
		{Name: "StoreLockWithABooking", Run: guardBooking},
		{Name: "StoreLockWithACodeThatIsTaken", Run: guardCode},
		{Name: "StoreLockWithoutABookingIsOneOfOrdinaryStock", Run: guardOrdinary},
		{Name: "StoreARefundKeepsWhoAndWhy", Run: guardRefund},
		{Name: "StoreLateFromTheRightStateOnly", Run: guardLate},
		{Name: "StoreFollowMovesWhatIsBehindOnly", Run: guardFollow},
	}
}

// booking returns a booking of a seat in a team.
func (s *scene) booking(order string, buyer string, code string, opens bool) *groupbuy.Booking {
	b := &groupbuy.Booking{
		Seat:  groupbuy.Seat{Order: order, Key: key(), Buyer: buyer, Volume: dec("1.00")},
		Team:  groupbuy.Team{Code: code, Key: key()},
		Opens: opens,
	}
	if opens {
		b.Team.Terms, b.Formation, b.Closes = people(2), hour, s.now().Add(runs)
		b.Team.UnitsPerVolume = 1
	}
	return b
}

// books locks a unit with a booking.
func (s *scene) book(b *groupbuy.Booking, until time.Time) stock.Locking {
	s.Helper()
	order := stock.Order{ID: b.Seat.Order, Buyer: b.Seat.Buyer, Lines: []stock.Line{{SKU: goods, Activity: fair, Num: 1}}, Until: until}
	return suite.Must(s.Store.Units(groupbuy.Along{Booking: b}).Lock(s.Context(), order, hold))
}

func guardBooking(s *scene) {
	s.live()
	now := s.now()
	b := s.booking("1", anna, sample, true)
	b.Until = now.Add(10 * time.Minute)
	locking := s.book(b, b.Until)
	suite.Same(s, "verdict", locking.Verdict, stock.Done)
	s.SameTime("deadline of the hold", locking.Hold.Deadline, now.Add(10*time.Minute))
	suite.Same(s, "seat that was booked", b.Seat, s.seat("1", groupbuy.Held))
	suite.Same(s, "team that was booked", b.Team, s.is(sample, groupbuy.Forming))
	s.SameTime("deadline of the team", b.Team.Deadline, now.Add(10*time.Minute))
	s.SameTime("deadline of the seat", b.Seat.Deadline, now.Add(10*time.Minute))

	second := s.booking("2", ben, sample, false)
	suite.Same(s, "verdict", s.book(second, b.Team.Deadline).Verdict, stock.Done)
	suite.Same(s, "team that was booked", second.Team, s.is(sample, groupbuy.Forming))
	refused := func(buyer string, code string, why error) {
		s.Helper()
		s.unchanged(func() {
			locking := s.book(s.booking("3", buyer, code, false), time.Time{})
			suite.Same(s, "verdict", locking.Verdict, stock.Refused)
			s.Is(locking.Why, why)
		})
	}
	refused(ben, sample, groupbuy.ErrJoined)
	refused(carol, sample, groupbuy.ErrFull)
	refused(carol, "ABCDEFGHJJ", groupbuy.ErrUnknownTeam)
	s.unchanged(func() {
		suite.Same(s, "verdict", s.book(s.booking("2", carol, sample, false), time.Time{}).Verdict, stock.Exists)
	})
	s.Advance(10 * time.Minute)
	refused(carol, sample, groupbuy.ErrTeamOver)
}

func guardCode(s *scene) {
	s.live()
	suite.Same(s, "verdict", s.book(s.booking("1", anna, sample, true), time.Time{}).Verdict, stock.Done)
	was := s.everything()
	order := stock.Order{ID: "2", Buyer: ben, Lines: []stock.Line{{SKU: goods, Activity: fair, Num: 1}}}
	locking, err := s.Store.Units(groupbuy.Along{Booking: s.booking("2", ben, sample, true)}).Lock(s.Context(), order, hold)
	if err == nil {
		suite.Same(s, "verdict", locking.Verdict, stock.Refused)
		err = locking.Why
	}
	s.Is(err, groupbuy.ErrCodeTaken)
	suite.Same(s, "everything", s.everything(), was)
}

func guardOrdinary(s *scene) {
	s.live()
	units := s.Store.Units(groupbuy.Along{})
	order := stock.Order{ID: "goods", Lines: []stock.Line{{SKU: goods, Num: 2}}}
	suite.Same(s, "verdict", suite.Must(units.Lock(s.Context(), order, hold)).Verdict, stock.Done)
	for _, step := range []stock.Step{stock.StepPay, stock.StepCancel} {
		s.Is(suite.Err(units.Move(s.Context(), step, "goods", 0)), groupbuy.ErrNotFound)
	}
	h, _, err := units.Hold(s.Context(), "goods")
	s.No(err)
	suite.Same(s, "state of the goods", h.State, stock.Locked)
	s.Advance(hold)
	suite.Same(s, "orders that expired", suite.Must(units.Expire(s.Context(), []string{"goods"})), []string{"goods"})
	s.shelf(inStock - 90)
	s.seatless("goods")
}

func guardRefund(s *scene) {
	s.live()
	s.team([]string{anna, ben}, "1", "2")
	h, _, err := s.Store.Units(groupbuy.Along{}).Hold(s.Context(), "2")
	s.No(err)
	refund := stock.Refunding{Refund: stock.Refund{
		ID: groupbuy.RefundID("2"), Order: "2", Restock: true, Lines: []stock.Line{h.Lines[0].Line},
	}, Whole: true}
	units := s.Store.Units(groupbuy.Along{Actor: "who", Reason: "why"})
	s.answers(stock.Done)(suite.Second(units.Refund(s.Context(), refund, h)))
	seat := s.seat("2", groupbuy.RefundDue)
	suite.Same(s, "actor and reason", [2]string{seat.Actor, seat.Reason}, [2]string{"who", "why"})
	s.answers(stock.Exists)(suite.Second(units.Refund(s.Context(), refund, h)))
	s.refundOwed("2")
}

func guardLate(s *scene) {
	s.live()
	s.team([]string{anna, ben, carol}, "1")
	s.cancel("2")
	s.Advance(hold)
	s.unchanged(func() {
		for _, order := range []string{"1", "3", "unknown"} { // 3 is dead, and nobody has said so
			s.answers(stock.Refused)(s.Store.Late(s.Context(), order))
		}
	})
	s.sweep()
	for _, order := range []string{"2", "3"} {
		s.answers(stock.Done)(s.Store.Late(s.Context(), order))
		s.seat(order, groupbuy.RefundDue)
		s.unchanged(func() { s.answers(stock.Refused)(s.Store.Late(s.Context(), order)) })
	}
	s.deliver()
	s.answers(stock.Refused)(s.Store.Late(s.Context(), "2"))
}

func guardFollow(s *scene) {
	s.live()
	s.team([]string{anna, ben, carol}, "1")
	s.cancel("3")
	s.unchanged(func() {
		moved := suite.Must(s.Store.Follow(s.Context(), []string{"1", "2", "3", "unknown"}))
		s.Count("seats that were moved", len(moved), 0)
	})
}
