package coupontest

import (
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// guardUnitCases ask the store of the units itself: what it says of units is what stocktest tries; here
// it is what it does to coupons.
func guardUnitCases() []testCase {
	return []testCase{
		{Name: "StoreLockOfUnitsRecordsACoupon", Run: guardLock},
		{Name: "StoreLockThatIsRefusedRecordsNothing", Run: guardLockRefused},
		{Name: "StoreMoveOfUnitsMakesACouponUsable", Run: guardMove},
		{Name: "StoreMoveThatIsRefusedLeavesTheCoupon", Run: guardMoveRefused},
		{Name: "StoreReacquireMakesACouponUsable", Run: guardReacquire},
		{Name: "StoreRefundOfUnitsGivesTheState", Run: guardRefund},
		{Name: "StoreRefundIsOfWhatIsFree", Run: guardRefundFree},
		{Name: "StorePendingIsReadAsDropped", Run: guardDropped},
		{Name: "StorePositionsFollowWhatIsSold", Run: guardPositions},
	}
}

// order returns the order of a claim of campaign 1.
func order(id string, buyer string, taken bool) stock.Order {
	return stock.Order{
		ID: id, Buyer: buyer, Lines: []stock.Line{one()}, Immediate: taken, Beside: []stock.Companion{coupon.Claim{}},
	}
}

// locks ends the test unless a Lock of the units of a campaign gets this verdict.
func (s *scene) locks(o stock.Order, want stock.Verdict) stock.Hold {
	s.Helper()
	locking := suite.Must(s.units().Lock(s.Context(), o, hold))
	suite.Same(s, "verdict", locking.Verdict, want)
	return locking.Hold
}

// raw returns a coupon as the store has it.
func (s *scene) raw(id string) coupon.Coupon {
	s.Helper()
	c, _, err := s.Store.Coupon(s.Context(), id)
	s.No(err)
	return c
}

func guardLock(s *scene) {
	s.open(10)
	h := s.locks(order("locked", "5", false), stock.Done)
	suite.Same(s, "state of the hold", h.State, stock.Locked)
	c := s.raw("locked")
	suite.Same(s, "coupon", c, coupon.Coupon{
		ID: "locked", Campaign: 1, Buyer: "5", Terms: tenOff(), TermsNo: 1, State: coupon.Pending, Deadline: h.Deadline, UpdatedAt: s.now(),
	})
	h = s.locks(order("taken", "6", true), stock.Done)
	suite.Same(s, "state of the hold", h.State, stock.Paid)
	from, end := tenOff().Validity(s.now())
	suite.Same(s, "coupon", s.raw("taken"), coupon.Coupon{
		ID: "taken", Campaign: 1, Buyer: "6", Terms: tenOff(), TermsNo: 1, State: coupon.Usable,
		From: from, Until: end, ClaimedAt: s.now(), UpdatedAt: s.now(),
	})
	for _, id := range []string{"locked", "taken"} { // also with other arguments
		was := s.raw(id)
		s.locks(order(id, "7", true), stock.Exists)
		s.locks(order(id, "7", false), stock.Exists)
		suite.Same(s, "coupon", s.raw(id), was)
	}
	s.counts(stock.Quantities{Total: 10, Sold: 1, Locked: 1, Left: 9})
}

func guardLockRefused(s *scene) {
	for _, taken := range []bool{false, true} {
		s.locks(order("refused", "5", taken), stock.Refused) // there is no campaign
	}
	s.define(1, 1, coupon.Rules{PerBuyer: 1}, tenOff())
	s.claim("first", "5")
	for _, taken := range []bool{false, true} {
		s.locks(order("refused", "5", taken), stock.Refused)
		s.locks(order("refused", "6", taken), stock.Refused)
	}
	s.define(1, 1, coupon.Rules{Closed: true}, tenOff())
	s.locks(order("refused", "6", true), stock.Refused)
	suite.Same(s, "coupon", s.raw("refused"), coupon.Coupon{})
	s.Answers(stock.Done)(s.units().Void(s.Context(), "refused"))
	s.locks(order("refused", "6", true), stock.Exists)
	suite.Same(s, "coupon", s.raw("refused"), coupon.Coupon{})
}

func guardMove(s *scene) {
	s.open(10)
	s.lock("c", "5")
	s.Advance(hold - time.Microsecond)
	s.Answers(stock.Done)(suite.Moved(s.Store.Units().Move(s.Context(), stock.Movement{Step: stock.StepPay, Order: "c"}))) // it is one store
	from, end := tenOff().Validity(s.now())
	suite.Same(s, "coupon", s.raw("c"), coupon.Coupon{
		ID: "c", Campaign: 1, Buyer: "5", Terms: tenOff(), TermsNo: 1, State: coupon.Usable,
		From: from, Until: end, ClaimedAt: s.now(), UpdatedAt: s.now(),
	})
	s.reserve("c", "A")
	was := s.raw("c")
	s.Answers(stock.Refused)(suite.Moved(s.units().Move(s.Context(), stock.Movement{Step: stock.StepPay, Order: "c"})))
	suite.Same(s, "coupon", s.raw("c"), was)
}

func guardMoveRefused(s *scene) {
	s.open(10)
	for _, id := range []string{"fenced", "dead", "cancelled"} {
		s.lock(id, "5")
	}
	s.Answers(stock.Done)(s.units().Fence(s.Context(), "fenced"))
	s.Answers(stock.Refused)(suite.Moved(s.units().Move(s.Context(), stock.Movement{Step: stock.StepPay, Order: "fenced"})))
	suite.Same(s, "state", s.raw("fenced").State, coupon.Pending)
	s.Answers(stock.Done)(suite.Moved(s.units().Move(s.Context(), stock.Movement{Step: stock.StepCancel, Order: "cancelled"})))
	s.Answers(stock.Refused)(suite.Moved(s.units().Move(s.Context(), stock.Movement{Step: stock.StepPay, Order: "cancelled"})))
	s.Advance(hold)
	s.Answers(stock.Refused)(suite.Moved(s.units().Move(s.Context(), stock.Movement{Step: stock.StepPay, Order: "dead"})))
	s.Answers(stock.Refused)(suite.Moved(s.units().Move(s.Context(), stock.Movement{Step: stock.StepPay, Order: "unknown"})))
	for _, id := range []string{"fenced", "dead", "cancelled"} {
		c := s.raw(id)
		suite.Same(s, "state of "+id, c.State, coupon.Dropped)
		suite.Same(s, "claimed", c.ClaimedAt, time.Time{})
	}
	suite.Same(s, "coupon", s.raw("unknown"), coupon.Coupon{})
}

func guardReacquire(s *scene) {
	s.pool("A", "B")
	s.lock("c", "5")
	s.lock("d", "5")
	s.Advance(hold)
	// it has to expire first
	s.Answers(stock.Refused)(suite.Moved(s.units().Move(s.Context(), stock.Movement{Step: stock.StepReacquire, Order: "c"})))
	expired := suite.Must(s.units().Expire(s.Context(), []string{"c", "d"}))
	s.Count("expired", len(expired), 2)
	s.Answers(stock.Done)(suite.Moved(s.units().Move(s.Context(), stock.Movement{Step: stock.StepReacquire, Order: "c"})))
	c := s.state("c", coupon.Usable)
	suite.Same(s, "code", c.Code, "A")
	s.SameTime("claimed", c.ClaimedAt, s.now())
	s.claim("e", "5")
	s.Answers(stock.Refused)(suite.Moved(s.units().Move(s.Context(), stock.Movement{Step: stock.StepReacquire, Order: "d"})))
	s.state("d", coupon.Dropped)
}

// backOf returns the refund of the one unit of a claim.
func backOf(id, of string, restock bool) stock.RefundRecord {
	return stock.RefundRecord{Refund: stock.Refund{ID: id, Order: of, Restock: restock, Lines: []stock.Line{one()}}, Whole: true}
}

func guardRefund(s *scene) {
	s.open(10)
	for i, to := range []coupon.State{coupon.Refunded, coupon.Revoked} {
		for j, restock := range []bool{true, false} {
			id := fmt.Sprint("c", i, j)
			s.claim(id, "5")
			s.Advance(time.Minute)
			want := s.raw(id)
			want.State, want.UpdatedAt = to, s.now()
			h, _, err := s.units().Hold(s.Context(), id)
			s.No(err)
			back := coupon.GiveBack{To: to}
			s.Answers(stock.Done)(suite.Refunded(s.units().Refund(s.Context(), backOf(id, id, restock), h, back)))
			suite.Same(s, "coupon", s.raw(id), want)
			s.Answers(stock.Exists)(suite.Refunded(s.units().Refund(s.Context(), backOf(id, id, restock), h, back)))
			suite.Same(s, "coupon", s.raw(id), want)
		}
	}
	s.counts(stock.Quantities{Total: 10, Sold: 2, Left: 8, Refunded: 4})
	s.claim("fenced", "5")
	h, _, err := s.units().Hold(s.Context(), "fenced")
	s.No(err)
	s.Answers(stock.Done)(s.units().Fence(s.Context(), "fenced"))
	s.Answers(stock.Refused)(suite.Refunded(s.units().Refund(s.Context(), backOf("late", "fenced", true), h)))
	s.state("fenced", coupon.Usable)
	suite.Same(s, "recorded", suite.Must(s.units().RefundRecord(s.Context(), "late")).ID, "")
}

func guardRefundFree(s *scene) {
	s.open(10)
	s.claim("c", "5")
	refund := func(to coupon.State, want error) {
		s.Helper()
		h, _, err := s.units().Hold(s.Context(), "c")
		s.No(err)
		was, counted := s.raw("c"), s.campaign(1)
		result, err := s.units().Refund(s.Context(), backOf("r", "c", true), h, coupon.GiveBack{To: to})
		if want == nil {
			s.Answers(stock.Done)(result.Verdict, err)
			return
		}
		s.Is(err, want)
		suite.Same(s, "coupon", s.raw("c"), was)
		suite.Same(s, "campaign", s.campaign(1), counted)
		suite.Same(s, "recorded", suite.Must(s.units().RefundRecord(s.Context(), "r")).ID, "")
	}
	s.reserve("c", "A")
	s.Advance(reserve - time.Microsecond)
	refund(coupon.Refunded, coupon.ErrNotFree)
	refund(coupon.Revoked, coupon.ErrNotFree)
	s.redeem("c", "A")
	refund(coupon.Refunded, coupon.ErrNotFree)
	refund(coupon.Revoked, coupon.ErrNotFree)
	s.giveBack("c", "A")
	s.reserve("c", "B")
	s.Advance(reserve)
	refund(coupon.Revoked, nil) // the reservation has lapsed
	c := s.state("c", coupon.Revoked)
	suite.Same(s, "order", c.Order, "")
	suite.Same(s, "deadline", c.Deadline, time.Time{})
	s.used("c", "B", coupon.UseReserved)
}

func guardDropped(s *scene) {
	s.open(10)
	s.lock("dead", "5")
	s.lock("cancelled", "5")
	s.cancel("cancelled")
	s.Advance(hold - time.Microsecond)
	c := s.raw("cancelled")
	suite.Same(s, "state", c.State, coupon.Dropped)
	suite.Same(s, "deadline", c.Deadline, time.Time{})
	suite.Same(s, "state", s.raw("dead").State, coupon.Pending)
	s.Advance(time.Microsecond)
	for range 2 {
		c = s.raw("dead")
		suite.Same(s, "state", c.State, coupon.Dropped)
		suite.Same(s, "deadline", c.Deadline, time.Time{})
		suite.Same(s, "count", suite.Must(s.Store.Count(s.Context(), 1)), coupon.Count{})
		coupons, _, err := s.Store.Wallet(s.Context(), "5", coupon.Statuses(), coupon.Cursor{}, 10)
		s.No(err)
		s.Count("wallet", len(coupons), 0)
		s.No(suite.Err(s.units().Expire(s.Context(), []string{"dead"})))
	}
}

// guardPositions refunds coupons, whose codes are gone with them, and withdraws and adds codes.
func guardPositions(s *scene) {
	s.pool("A", "B", "C")
	s.claim("a", "5")
	s.No(suite.Err(s.shop.Refund(s.Context(), coupon.Refund{ID: "r", Coupon: "a"})))
	suite.Same(s, "code", s.claim("b", "5").Code, "B")
	s.No(suite.Err(s.shop.Withdraw(s.Context(), "out", 1, 1))) // C stays in the pool
	s.Is(suite.Err(s.shop.For("5").Claim(s.Context(), "c", 1)), coupon.ErrSoldOut)
	s.load(1, "D")
	c := s.claim("c", "5")
	suite.Same(s, "code", c.Code, "C")
	suite.Same(s, "position", c.Position, 3)
	_, err := s.shop.For("5").Claim(s.Context(), "d", 1)
	if !errors.Is(err, coupon.ErrSoldOut) {
		s.Fatalf("a fourth of three coupons: %v", err)
	}
	s.counts(stock.Quantities{Total: 3, Sold: 3, Refunded: 1})
}
