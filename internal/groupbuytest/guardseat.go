package groupbuytest

import (
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// guardSeatCases ask the store itself for seats.
func guardSeatCases() []testCase {
	return []testCase{
		{Name: "StoreLockWithARequestTakesTheSeat", Run: guardBooking},
		{Name: "StoreLockWithACodeThatIsTaken", Run: guardCode},
		{Name: "StoreLockWithoutARequestIsOneOfOrdinaryStock", Run: guardOrdinary},
		{Name: "StoreARefundKeepsWhoAndWhy", Run: guardRefund},
		{Name: "StoreLateFromTheRightStateOnly", Run: guardLate},
		{Name: "StoreFollowMovesWhatIsBehindOnly", Run: guardFollow},
	}
}

// request asks for a seat in a team.
func (s *scene) request(order string, buyer string, code string, opens bool) groupbuy.SeatRequest {
	b := groupbuy.SeatRequest{
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

// lock locks a unit with a request, and returns what the request was kept as.
func (s *scene) lock(r groupbuy.SeatRequest, until time.Time) (stock.LockResult, groupbuy.SeatRequest) {
	s.Helper()
	result := suite.Must(s.Store.Units().Lock(s.Context(), stock.Order{
		ID: r.Seat.Order, Buyer: r.Seat.Buyer, Lines: []stock.Line{{SKU: goods, Activity: fair, Num: 1}}, Until: until,
		Beside: []stock.Companion{r},
	}, hold))
	kept, ok := stock.CompanionOf[groupbuy.SeatRequest](result.Hold.Beside)
	suite.Same(s, "kept", ok, result.Verdict == stock.Done)
	return result, kept
}

// verdict is that of a lock.
func (s *scene) verdict(r groupbuy.SeatRequest) stock.Verdict {
	s.Helper()
	result, _ := s.lock(r, time.Time{})
	return result.Verdict
}

func guardBooking(s *scene) {
	s.live()
	now := s.now()
	request := s.request("1", anna, sample, true)
	request.Until = now.Add(10 * time.Minute)
	result, b := s.lock(request, request.Until)
	suite.Same(s, "verdict", result.Verdict, stock.Done)
	s.SameTime("deadline of the hold", result.Hold.Deadline, now.Add(10*time.Minute))
	suite.Same(s, "seat that was taken", b.Seat, s.seat("1", groupbuy.Held))
	suite.Same(s, "its team", b.Team, s.is(sample, groupbuy.Forming))
	s.SameTime("deadline of the team", b.Team.Deadline, now.Add(10*time.Minute))
	s.SameTime("deadline of the seat", b.Seat.Deadline, now.Add(10*time.Minute))

	result, second := s.lock(s.request("2", ben, sample, false), b.Team.Deadline)
	suite.Same(s, "verdict", result.Verdict, stock.Done)
	suite.Same(s, "its team", second.Team, s.is(sample, groupbuy.Forming))
	refused := func(buyer string, code string, why error) {
		s.Helper()
		s.unchanged(func() {
			result, _ := s.lock(s.request("3", buyer, code, false), time.Time{})
			suite.Same(s, "verdict", result.Verdict, stock.Refused)
			s.Is(result.Why, why)
		})
	}
	refused(ben, sample, groupbuy.ErrJoined)
	refused(carol, sample, groupbuy.ErrFull)
	refused(carol, "ABCDEFGHJJ", groupbuy.ErrUnknownTeam)
	s.unchanged(func() {
		suite.Same(s, "verdict", s.verdict(s.request("2", carol, sample, false)), stock.Exists)
	})
	s.Advance(10 * time.Minute)
	refused(carol, sample, groupbuy.ErrTeamOver)
}

func guardCode(s *scene) {
	s.live()
	suite.Same(s, "verdict", s.verdict(s.request("1", anna, sample, true)), stock.Done)
	was := s.everything()
	result, _ := s.lock(s.request("2", ben, sample, true), time.Time{})
	suite.Same(s, "verdict", result.Verdict, stock.Refused)
	s.Is(result.Why, groupbuy.ErrDuplicateCode)
	suite.Same(s, "everything", s.everything(), was)
}

func guardOrdinary(s *scene) {
	s.live()
	units := s.Store.Units()
	for _, activity := range []int64{0, fair} { // also in the pool of a product
		order := stock.Order{ID: "goods", Lines: []stock.Line{{SKU: goods, Activity: activity, Num: 2}}}
		order.ID += fmt.Sprint(activity)
		suite.Same(s, "verdict", suite.Must(units.Lock(s.Context(), order, hold)).Verdict, stock.Done)
		for _, step := range []stock.Step{stock.StepPay, stock.StepCancel} {
			s.Is(suite.Err(suite.Moved(units.Move(s.Context(), stock.Movement{Step: step, Order: order.ID}))), groupbuy.ErrNotFound)
		}
		h, _, err := units.Hold(s.Context(), order.ID)
		s.No(err)
		suite.Same(s, "state of the goods", h.State, stock.Locked)
		s.Advance(hold)
		suite.Same(s, "orders that expired", suite.Must(units.Expire(s.Context(), []string{order.ID})), []string{order.ID})
		s.seatless(order.ID)
	}
	s.shelf(inStock - 90)
	s.pool(stock.Quantities{Total: 90})
}

func guardRefund(s *scene) {
	s.live()
	s.team([]string{anna, ben}, "1", "2")
	h, _, err := s.Store.Units().Hold(s.Context(), "2")
	s.No(err)
	refund := stock.RefundRecord{Refund: stock.Refund{
		ID: groupbuy.RefundID("2"), Order: "2", Restock: true, Lines: []stock.Line{h.Lines[0].Line},
	}, Whole: true}
	by := groupbuy.SeatRefund{Actor: "who", Reason: "why"}
	s.answers(stock.Done)(suite.Refunded(s.Store.Units().Refund(s.Context(), refund, h, by)))
	seat := s.seat("2", groupbuy.RefundDue)
	suite.Same(s, "actor and reason", [2]string{seat.Actor, seat.Reason}, [2]string{"who", "why"})
	s.answers(stock.Exists)(suite.Refunded(s.Store.Units().Refund(s.Context(), refund, h, by)))
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
