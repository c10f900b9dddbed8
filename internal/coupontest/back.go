package coupontest

import (
	"errors"
	"time"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// backCases give coupons back, by their buyers, and take them back, by the shop.
func backCases() []testCase {
	return []testCase{
		{Name: "RefundGivesACouponBackOnce", Run: refundOnce},
		{Name: "RefundWithoutRestockIsGone", Run: refundGone},
		{Name: "RefundIsOnlyOfWhatIsFree", Run: refundFree},
		{Name: "RevokeTakesACouponBackOnce", Run: revokeOnce},
		{Name: "RevokeIsOnlyOfWhatIsFree", Run: revokeFree},
		{Name: "RevokeOfWhatIsExpiredIsDone", Run: revokeExpired},
		{Name: "BackNumbersAreOfOneCouponAndOneKind", Run: backMismatch},
		{Name: "BackAPoolGivesNoCodeTwice", Run: backPool},
		{Name: "BackIsUsableByNobody", Run: backUsable},
	}
}

func refundOnce(s *scene) {
	s.open(2)
	s.claim("c", "5")
	want := s.coupon("c")
	s.Advance(time.Minute)
	want.State, want.UpdatedAt = coupon.Refunded, s.now()
	suite.Same(s, "coupon", s.refund("r", "c"), want)
	s.Advance(time.Minute)
	s.unchanged("c", func() { suite.Replays(s, "refunded twice", s.refund("r", "c"), want) })
	suite.Same(s, "coupon read again", s.coupon("c"), want)
	s.unchanged("c", func() {
		s.Is(suite.Err(s.shop.Refund(s.Context(), coupon.Refund{ID: "r2", Coupon: "c", Restock: true})), coupon.ErrRefunded)
		s.Is(suite.Err(s.shop.Revoke(s.Context(), coupon.Revocation{ID: "r3", Coupon: "c", Restock: true})), coupon.ErrRefunded)
	})
	s.status("c", coupon.StatusGone)
	s.counts(stock.Quantities{Total: 2, Left: 2, Refunded: 1})
	s.progress(coupon.Count{Refunded: 1})
	s.claim("d", "5")
	s.claim("e", "5")
}

func refundGone(s *scene) {
	s.open(2)
	s.claim("c", "5")
	suite.Same(s, "state", suite.Must(s.shop.For("5").Refund(s.Context(), coupon.Refund{ID: "r", Coupon: "c"})).State, coupon.Refunded)
	s.counts(stock.Quantities{Total: 2, Sold: 1, Left: 1, Refunded: 1})
	s.claim("d", "5")
	s.Is(suite.Err(s.shop.For("5").Claim(s.Context(), "e", 1)), coupon.ErrSoldOut)
	s.No(suite.Err(s.shop.Revoke(s.Context(), coupon.Revocation{ID: "v", Coupon: "d"})))
	s.counts(stock.Quantities{Total: 2, Sold: 2, Refunded: 2})
}

// onlyFree ends the test unless back works while nobody uses a coupon, and at no other time.
func (s *scene) onlyFree(back func(id, of string) error, done coupon.State) {
	s.Helper()
	s.open(10)
	for _, id := range []string{"reserved", "lapsed", "used", "returned", "released"} {
		s.claim(id, "5")
	}
	s.reserve("lapsed", "A")
	s.Advance(reserve)
	s.reserve("reserved", "A")
	s.redeem("used", "A")
	s.redeem("returned", "A")
	s.giveBack("returned", "A")
	s.reserve("released", "A")
	s.release("released", "A")
	s.unchanged("used", func() { s.Is(back("r1", "used"), coupon.ErrRedeemed) })
	s.unchanged("reserved", func() { s.Is(back("r2", "reserved"), coupon.ErrReserved) })
	s.Advance(reserve - time.Microsecond)
	s.unchanged("reserved", func() { s.Is(back("r2", "reserved"), coupon.ErrReserved) })
	s.Advance(time.Microsecond)
	s.No(back("r2", "reserved"))
	s.No(back("r3", "lapsed"))
	s.No(back("r4", "returned"))
	s.No(back("r5", "released"))
	for _, id := range []string{"reserved", "lapsed", "returned", "released"} {
		c := s.state(id, done)
		suite.Same(s, "order", c.Order, "")
		suite.Same(s, "deadline", c.Deadline, time.Time{})
	}
	s.Is(back("r6", "unknown"), coupon.ErrNotFound)
	s.giveBack("used", "A")
	s.No(back("r1", "used")) // the number was refused before, and is free
	s.counts(stock.Quantities{Total: 10, Left: 10, Refunded: 5})
}

func refundFree(s *scene) {
	s.onlyFree(func(id, of string) error {
		return suite.Err(s.shop.For("5").Refund(s.Context(), coupon.Refund{ID: id, Coupon: of, Restock: true}))
	}, coupon.Refunded)
}

func revokeFree(s *scene) {
	s.onlyFree(func(id, of string) error {
		return suite.Err(s.shop.Revoke(s.Context(), coupon.Revocation{ID: id, Coupon: of, Restock: true}))
	}, coupon.Revoked)
}

func revokeOnce(s *scene) {
	s.open(2)
	s.claim("back", "5")
	s.claim("gone", "5")
	for range 3 {
		suite.Same(s, "state", s.revoke("r", "back").State, coupon.Revoked)
		suite.Same(s, "state", suite.Must(s.shop.Revoke(s.Context(), coupon.Revocation{ID: "r2", Coupon: "gone"})).State, coupon.Revoked)
		s.counts(stock.Quantities{Total: 2, Sold: 1, Left: 1, Refunded: 2})
		s.Advance(1000 * time.Hour)
	}
	s.unchanged("back", func() {
		s.Is(suite.Err(s.shop.Revoke(s.Context(), coupon.Revocation{ID: "r3", Coupon: "back", Restock: true})), coupon.ErrRevoked)
		s.Is(suite.Err(s.shop.Refund(s.Context(), coupon.Refund{ID: "r4", Coupon: "back", Restock: true})), coupon.ErrRevoked)
	})
	s.progress(coupon.Count{Revoked: 2})
}

func revokeExpired(s *scene) {
	s.define(1, 10, coupon.Rules{}, until(tenOff(), s.now().Add(day)))
	s.claim("c", "5")
	s.claim("d", "5")
	s.Advance(day)
	s.revoke("r", "c")
	s.refund("r2", "d")
	s.progress(coupon.Count{Refunded: 1, Revoked: 1})
	s.counts(stock.Quantities{Total: 10, Left: 10, Refunded: 2})
}

func backMismatch(s *scene) {
	s.open(10)
	for _, id := range []string{"a", "b", "c"} {
		s.claim(id, "5")
	}
	s.refund("refund", "a")
	s.revoke("revocation", "b")
	for name, call := range map[string]func() error{
		"refund of another": func() error {
			return suite.Err(s.shop.Refund(s.Context(), coupon.Refund{ID: "refund", Coupon: "c", Restock: true}))
		},
		"refund in another way": func() error {
			return suite.Err(s.shop.Refund(s.Context(), coupon.Refund{ID: "refund", Coupon: "a"}))
		},
		"revocation of another": func() error {
			return suite.Err(s.shop.Revoke(s.Context(), coupon.Revocation{ID: "revocation", Coupon: "c", Restock: true}))
		},
		"revocation in another way": func() error {
			return suite.Err(s.shop.Revoke(s.Context(), coupon.Revocation{ID: "revocation", Coupon: "b"}))
		},
		"revocation by the number of a refund": func() error {
			return suite.Err(s.shop.Revoke(s.Context(), coupon.Revocation{ID: "refund", Coupon: "a", Restock: true}))
		},
		"refund by the number of a revocation": func() error {
			return suite.Err(s.shop.Refund(s.Context(), coupon.Refund{ID: "revocation", Coupon: "b", Restock: true}))
		},
	} {
		if err := call(); !errors.Is(err, coupon.ErrMismatch) {
			s.Fatalf("%s: %v", name, err)
		}
	}
	s.state("a", coupon.Refunded)
	s.state("b", coupon.Revoked)
	s.state("c", coupon.Usable)
	s.counts(stock.Quantities{Total: 10, Sold: 1, Left: 9, Refunded: 2})
}

func backPool(s *scene) {
	s.pool("A", "B", "C")
	s.claim("a", "5")
	s.claim("b", "5")
	s.Is(suite.Err(s.shop.Refund(s.Context(), coupon.Refund{ID: "r", Coupon: "a", Restock: true})), coupon.ErrPool)
	s.Is(suite.Err(s.shop.Revoke(s.Context(), coupon.Revocation{ID: "r", Coupon: "a", Restock: true})), coupon.ErrPool)
	s.state("a", coupon.Usable)
	s.No(suite.Err(s.shop.Refund(s.Context(), coupon.Refund{ID: "r", Coupon: "a"})))
	s.No(suite.Err(s.shop.Revoke(s.Context(), coupon.Revocation{ID: "r2", Coupon: "b"})))
	s.counts(stock.Quantities{Total: 3, Sold: 2, Left: 1, Refunded: 2})
	suite.Same(s, "code", s.claim("c", "5").Code, "C")
	s.Is(suite.Err(s.shop.For("5").Claim(s.Context(), "d", 1)), coupon.ErrSoldOut)
	suite.Same(s, "its code", s.coupon("a").Code, "A") // which it keeps
}

func backUsable(s *scene) {
	s.open(10)
	s.claim("a", "5")
	s.claim("b", "5")
	s.refund("r1", "a")
	s.revoke("r2", "b")
	for id, want := range map[string]error{"a": coupon.ErrRefunded, "b": coupon.ErrRevoked} {
		s.unchanged(id, func() {
			s.Is(suite.Err(s.shop.Reserve(s.Context(), id, "A", dec("100"))), want)
			s.Is(suite.Err(s.shop.Redeem(s.Context(), id, "A", dec("100"))), want)
			s.Is(suite.Err(s.shop.Return(s.Context(), id, "A", dec("100"))), coupon.ErrNotRedeemed)
		})
	}
}
