package groupbuytest

import (
	"cmp"
	"context"
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func resolveCases() []testCase {
	return []testCase{
		{Name: "ResolveWhatWasDoneStays", Run: resolveDone},
		{Name: "ResolveWhatWasNotDoneNeverWillBe", Run: resolveNever},
		{Name: "ResolveReleasesASeatThatIsDead", Run: resolveDead},
		{Name: "ResolveKeepsOutWhatIsStillUnderWay", Run: resolveFences},
		{Name: "ResolveOfAnOrderWithoutASeat", Run: resolveOrdinary},
	}
}

// resolved resolves an order and returns its seat, which must be in a state.
func (s *scene) resolved(order string, want groupbuy.SeatState) groupbuy.Seat {
	s.Helper()
	seat := suite.Must(s.groups.Resolve(s.Context(), order))
	suite.Same(s, "state", seat.State, want)
	return seat
}

func resolveDone(s *scene) {
	s.live()
	s.team([]string{anna, ben, carol}, "1", "2")
	s.refund("2")
	for order, state := range map[string]groupbuy.SeatState{"1": groupbuy.Paid, "2": groupbuy.RefundDue, "3": groupbuy.Held} {
		for range 2 {
			suite.Same(s, "seat", s.resolved(order, state), s.seat(order, state))
		}
	}
	s.pay("3") // which is held as before
	s.pool(stock.Quantities{Total: 90, Sold: 2, Refunded: 1})
}

func resolveNever(s *scene) {
	s.live()
	code := s.open("1", anna).Team
	for range 2 {
		suite.Same(s, "seat", s.resolved("2", groupbuy.Cancelled), groupbuy.Seat{Order: "2", State: groupbuy.Cancelled})
	}
	s.unjoined(code, buy("2", ben), groupbuy.ErrCancelled)
	s.unopened(buy("2", ben), groupbuy.ErrCancelled)
	s.seatless("2")
	s.counts(code, 1, 0, "0")
}

func resolveDead(s *scene) {
	s.live()
	code := s.team([]string{anna, ben}, "1")
	s.Advance(hold)
	seat := s.resolved("2", groupbuy.Expired)
	s.SameTime("ended", seat.EndedAt, s.now())
	s.counts(code, 0, 1, "1")
	s.tells(code, released("2"))
}

// resolveFences has a payment that was lost on the way arrive after its order was resolved: it was told about the
// order as it was before.
func resolveFences(s *scene) {
	s.live()
	s.team([]string{anna, ben}, "1")
	h, _, err := s.Store.Units().Hold(s.Context(), "2")
	s.No(err)
	s.resolved("2", groupbuy.Held)
	suite.Same(s, "verdict", suite.Must(suite.Moved(s.Store.Units().Move(s.Context(),
		stock.Movement{Step: stock.StepPay, Order: "2", Fence: h.Fence}))), stock.Refused)
	s.seat("2", groupbuy.Held)
	s.Advance(time.Minute)
	s.pay("2")
}

func resolveOrdinary(s *scene) {
	s.live()
	shop := stock.New(cmp.Or(s.Stock, s.Store.Units()), nil)
	for order, step := range map[string]func(context.Context, string) (stock.Outcome, error){
		"held": nil, "paid": shop.Pay, "cancelled": shop.Cancel,
	} {
		s.No(suite.Err(shop.Lock(s.Context(), order, one())))
		if step != nil && s.Stock != nil {
			s.No(suite.Err(step(s.Context(), order)))
		}
		was := suite.Must(shop.Hold(s.Context(), order))
		s.only(suite.Err(s.groups.Pay(s.Context(), order)), groupbuy.ErrNotFound)
		s.only(suite.Err(s.groups.Cancel(s.Context(), order)), groupbuy.ErrNotFound)
		s.only(suite.Err(s.groups.Refund(s.Context(), byHand(order))), groupbuy.ErrNotFound)
		s.seatless(order)
		s.only(suite.Err(s.groups.Resolve(s.Context(), order)), groupbuy.ErrNotFound)
		is := suite.Must(shop.Hold(s.Context(), order))
		was.Fence, was.UpdatedAt = is.Fence, is.UpdatedAt // of Resolve
		suite.Same(s, "hold", is, was)
		if is.State == stock.Cancelled {
			s.unopened(buy(order, anna), groupbuy.ErrCancelled)
		} else {
			s.unopened(buy(order, anna), groupbuy.ErrMismatch)
		}
	}
}
