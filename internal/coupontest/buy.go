package coupontest

import (
	"errors"
	"time"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func buyCases() []testCase {
	return []testCase{
		{Name: "LockSetsACouponAside", Run: lockSetsAside},
		{Name: "LockAgainReturnsTheCoupon", Run: lockAgain},
		{Name: "LockLivesStrictlyBeforeItsDeadline", Run: lockDeadline},
		{Name: "LockTakesTheUnitOfTheDead", Run: lockTakesDead},
		{Name: "PayMakesItUsable", Run: payMakesUsable},
		{Name: "PayRefusalsNameTheState", Run: payRefusals},
		{Name: "PayLateIsRefusedOrBuysAgain", Run: payLate},
		{Name: "CancelGivesTheUnitBackOnce", Run: cancelOnce},
		{Name: "CancelOfWhatIsPaidIsRefused", Run: cancelPaid},
		{Name: "ExpireReleasesTheDead", Run: expireDead},
		{Name: "PendingCannotBeUsedOrGivenBack", Run: pendingCannot},
		{Name: "DroppedCannotBeUsedOrGivenBack", Run: droppedCannot},
	}
}

func lockSetsAside(s *scene) {
	s.open(10)
	now := s.now()
	want := coupon.Coupon{
		ID: "a", Campaign: 1, Buyer: "5", Terms: tenOff(), TermsNo: 1, State: coupon.Pending, Deadline: now.Add(hold), UpdatedAt: now,
	}
	suite.Same(s, "coupon", s.lock("a", "5"), want)
	suite.Same(s, "coupon read again", s.coupon("a"), want)
	s.status("a", 0)
	s.counts(stock.Quantities{Total: 10, Locked: 1, Left: 10})
	s.progress(coupon.Count{Pending: 1})
	short := suite.Must(s.with(coupon.Options{HoldFor: time.Microsecond}).For("5").Lock(s.Context(), "b", 1))
	s.SameTime("deadline", short.Deadline, now.Add(time.Microsecond))
}

func lockAgain(s *scene) {
	s.define(1, 10, coupon.Rules{PerBuyer: 1}, tenOff())
	first := s.lock("a", "5")
	s.Advance(hold / 2)
	suite.Replays(s, "replay", s.lock("a", "5"), first)
	paid := s.pay("a")
	suite.Replays(s, "replay", s.lock("a", "5"), paid)
	s.counts(stock.Quantities{Total: 10, Sold: 1, Left: 9})
	s.redeem("a", "order")
	suite.Same(s, "replay", s.lock("a", "5").State, coupon.Redeemed)
}

func lockDeadline(s *scene) {
	s.open(10)
	s.lock("in time", "5")
	s.lock("too late", "5")
	s.Advance(hold - time.Microsecond)
	s.state("too late", coupon.Pending)
	s.progress(coupon.Count{Pending: 2})
	s.pay("in time")
	s.Advance(time.Microsecond)
	s.state("too late", coupon.Dropped) // nobody has swept
	s.progress(coupon.Count{Usable: 1})
	for range 2 {
		s.Is(suite.Err(s.shop.Pay(s.Context(), "too late")), coupon.ErrHoldExpired, stock.ErrExpired)
		s.Is(suite.Err(s.shop.For("5").Lock(s.Context(), "too late", 1)), coupon.ErrHoldExpired)
	}
	s.state("too late", coupon.Dropped)
	s.counts(stock.Quantities{Total: 10, Sold: 1, Left: 9})
}

func lockTakesDead(s *scene) {
	s.open(1)
	s.lock("a", "5")
	s.Advance(hold - time.Microsecond)
	s.Is(suite.Err(s.shop.For("6").Claim(s.Context(), "b", 1)), coupon.ErrSoldOut)
	s.Advance(time.Microsecond)
	s.claim("b", "6")
	s.state("a", coupon.Dropped)
	s.counts(stock.Quantities{Total: 1, Sold: 1})
}

func payMakesUsable(s *scene) {
	s.open(10)
	s.lock("a", "5")
	s.Advance(hold / 2)
	now := s.now()
	from, end := tenOff().Validity(now) // of the payment, not of the lock
	want := coupon.Coupon{
		ID: "a", Campaign: 1, Buyer: "5", Terms: tenOff(), TermsNo: 1, State: coupon.Usable,
		From: from, Until: end, ClaimedAt: now, UpdatedAt: now,
	}
	suite.Same(s, "coupon", s.pay("a"), want)
	s.Advance(time.Hour)
	suite.Replays(s, "paid twice", s.pay("a"), want)
	suite.Same(s, "coupon read again", s.coupon("a"), want)
	s.counts(stock.Quantities{Total: 10, Sold: 1, Left: 9})
	s.redeem("a", "order")
	suite.Same(s, "paid again", s.pay("a").State, coupon.Redeemed)
	s.giveBack("a", "order")
	s.revoke("r", "a")
	suite.Same(s, "paid again", s.pay("a").State, coupon.Revoked)
	s.counts(stock.Quantities{Total: 10, Left: 10, Refunded: 1})
}

func payRefusals(s *scene) {
	s.open(10)
	s.Is(suite.Err(s.shop.Pay(s.Context(), "unknown")), coupon.ErrNotFound, stock.ErrNotFound)
	s.unclaimed("unknown")
	s.lock("cancelled", "5")
	s.cancel("cancelled")
	s.cancel("closed")
	for _, id := range []string{"cancelled", "closed"} {
		s.Is(suite.Err(s.shop.Pay(s.Context(), id)), coupon.ErrCancelled, stock.ErrCancelled)
	}
	s.counts(stock.Quantities{Total: 10, Left: 10})
}

func payLate(s *scene) {
	late := s.with(coupon.Options{LatePay: stock.Reacquire})
	s.open(1)
	s.lock("a", "5")
	s.Advance(hold)
	s.Is(suite.Err(s.shop.Pay(s.Context(), "a")), coupon.ErrHoldExpired)
	s.rules(coupon.Rules{Closed: true}, tenOff()) // what was promised is no claim
	for _, replay := range []bool{false, true} {
		c := suite.Must(late.Pay(s.Context(), "a"))
		suite.Same(s, "state", c.State, coupon.Usable)
		s.SameTime("claimed", c.ClaimedAt, s.now())
		_, end := tenOff().Validity(s.now())
		s.SameTime("until", c.Until, end)
		want := s.coupon("a")
		want.Replay = replay
		suite.Same(s, "coupon", c, want)
	}
	s.counts(stock.Quantities{Total: 1, Sold: 1})

	s.rules(coupon.Rules{}, tenOff())
	s.No(suite.Err(s.shop.Restock(s.Context(), "in", 1, 1)))
	s.lock("b", "5")
	s.Advance(hold)
	s.claim("c", "6")
	s.Is(suite.Err(late.Pay(s.Context(), "b")), coupon.ErrHoldExpired, stock.ErrExpired, coupon.ErrSoldOut, stock.ErrInsufficient)
	s.state("b", coupon.Dropped)
	s.counts(stock.Quantities{Total: 2, Sold: 2})
}

func cancelOnce(s *scene) {
	s.define(1, 2, coupon.Rules{PerBuyer: 1}, tenOff())
	s.lock("a", "5")
	s.lock("b", "6")
	for range 2 {
		s.cancel("a")
		s.state("a", coupon.Dropped)
		s.counts(stock.Quantities{Total: 2, Locked: 1, Left: 2})
	}
	s.Is(suite.Err(s.shop.For("5").Lock(s.Context(), "a", 1)), coupon.ErrCancelled)
	s.claim("c", "5") // the limit is free again
	s.pay("b")
	s.counts(stock.Quantities{Total: 2, Sold: 2})
}

func cancelPaid(s *scene) {
	s.open(10)
	s.claim("claimed", "5")
	s.lock("paid", "5")
	s.pay("paid")
	s.claim("refunded", "5")
	s.refund("r", "refunded")
	s.lock("dead", "5")
	s.Advance(hold)
	for id, want := range map[string]error{
		"claimed": stock.ErrPaid, "paid": stock.ErrPaid, "refunded": stock.ErrRefunded, "dead": stock.ErrExpired,
	} {
		was := s.coupon(id)
		_, err := s.shop.Cancel(s.Context(), id)
		s.Is(err, want)
		if own := errors.Is(err, coupon.ErrPaid) || errors.Is(err, coupon.ErrRefunded) || errors.Is(err, coupon.ErrHoldExpired); !own {
			s.Fatalf("Cancel of what is %s: %v matches no error of a coupon", id, err)
		}
		suite.Same(s, id, s.coupon(id), was)
	}
	s.counts(stock.Quantities{Total: 10, Sold: 2, Left: 8, Refunded: 1})
}

func expireDead(s *scene) {
	s.open(20)
	for _, id := range numbered("dead ", 7) {
		s.lock(id, "5")
	}
	s.Advance(hold / 2)
	s.lock("alive", "5")
	s.lock("paid", "5")
	s.pay("paid")
	s.Advance(hold / 2)
	s.counts(stock.Quantities{Total: 20, Sold: 1, Locked: 8, Left: 19})
	for _, want := range []int{7, 0} {
		s.Count("released", suite.Must(s.shop.Expire(s.Context())), want)
		s.counts(stock.Quantities{Total: 20, Sold: 1, Locked: 1, Left: 19})
	}
	s.state("dead 0", coupon.Dropped)
	s.state("alive", coupon.Pending)
}

// cannot ends the test if a coupon that cannot be had lets anybody do anything with it.
func (s *scene) cannot(id string, want error) {
	s.Helper()
	for name, call := range map[string]func() error{
		"Reserve": func() error { return suite.Err(s.shop.Reserve(s.Context(), id, "order", dec("100"))) },
		"Redeem":  func() error { return suite.Err(s.shop.Redeem(s.Context(), id, "order", dec("100"))) },
		"Return":  func() error { return suite.Err(s.shop.Return(s.Context(), id, "order", dec("100"))) },
		"Refund": func() error {
			return suite.Err(s.shop.Refund(s.Context(), coupon.Refund{ID: "refund of " + id, Coupon: id}))
		},
		"Revoke": func() error {
			return suite.Err(s.shop.Revoke(s.Context(), coupon.Revocation{ID: "revocation of " + id, Coupon: id}))
		},
	} {
		was := s.coupon(id)
		err, want := call(), want
		if name == "Return" {
			want = coupon.ErrNotRedeemed
		}
		if !errors.Is(err, want) {
			s.Fatalf("%s of %q: %v, want %v", name, id, err, want)
		}
		s.Is(err)
		suite.Same(s, "coupon after "+name, s.coupon(id), was)
		s.used(id, "order", coupon.Unused)
	}
}

func pendingCannot(s *scene) {
	s.open(10)
	s.lock("a", "5")
	s.cannot("a", coupon.ErrPending)
	s.pay("a")
	s.redeem("a", "order")
}

func droppedCannot(s *scene) {
	s.open(10)
	s.lock("cancelled", "5")
	s.cancel("cancelled")
	s.lock("dead", "5")
	s.lock("released", "5")
	s.Advance(hold)
	s.cannot("dead", coupon.ErrDropped)
	s.cannot("cancelled", coupon.ErrDropped)
	s.No(suite.Err(s.shop.Expire(s.Context())))
	s.cannot("released", coupon.ErrDropped)
	s.counts(stock.Quantities{Total: 10, Left: 10})
}
