package coupontest

import (
	"errors"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/suite"
)

func useRefusalCases() []testCase {
	return []testCase{
		{Name: "UseRefusalsComeInTheirOrder", Run: usePrecedence},
		{Name: "UseTellsABuyerNothingOfAnother", Run: tellsNothing},
	}
}

// usePrecedence finds several reasons at once, of which the first is named.
func usePrecedence(s *scene) {
	end := s.now().Add(day)
	s.define(1, 100, coupon.Rules{}, between(tenOff(), s.now().Add(time.Hour), end))
	for _, id := range []string{"waiting", "released", "refunded", "revoked", "redeemed", "reserved", "returned", "expired"} {
		s.claim(id, "5")
	}
	s.release("released", "A")
	s.refund("r1", "refunded")
	s.revoke("r2", "revoked")
	refused := func(id string, want error) {
		s.Helper()
		for _, call := range []func() error{
			func() error { return suite.Err(s.shop.Reserve(s.Context(), id, "A", dec("1"))) }, // also below the minimum
			func() error { return suite.Err(s.shop.Redeem(s.Context(), id, "A", dec("1"))) },
		} {
			err := call()
			s.Is(err, want)
			for _, other := range refusals() {
				if !errors.Is(want, other) {
					s.IsNot(err, other)
				}
			}
		}
	}
	refused("waiting", coupon.ErrNotYetValid)
	refused("unknown", coupon.ErrNotFound)
	s.Advance(time.Hour)
	s.redeem("redeemed", "B")
	s.redeem("returned", "A")
	s.giveBack("returned", "A")
	s.redeem("returned", "B")
	s.Advance(day - time.Hour - time.Microsecond)
	s.reserve("reserved", "B")
	refused("waiting", coupon.ErrBelowMinimum)
	s.Advance(time.Microsecond)
	s.lock2("pending", end)
	refused("refunded", coupon.ErrRefunded)
	refused("revoked", coupon.ErrRevoked)
	refused("released", coupon.ErrReleased)
	refused("returned", coupon.ErrReturned)
	refused("redeemed", coupon.ErrRedeemed)
	refused("reserved", coupon.ErrReserved)
	refused("expired", coupon.ErrExpired)
	refused("pending", coupon.ErrPending)
	s.Advance(hold)
	refused("pending", coupon.ErrDropped)
}

// lock2 locks a coupon of another campaign, because those of the first are over.
func (s *scene) lock2(id string, end time.Time) {
	s.Helper()
	s.define(2, 10, coupon.Rules{}, between(tenOff(), end.Add(day), end.Add(2*day)))
	s.No(suite.Err(s.shop.For("5").Lock(s.Context(), id, 2)))
}

// refusals returns the errors of a use, of which a call returns one.
func refusals() []error {
	return []error{
		coupon.ErrNotFound, coupon.ErrPending, coupon.ErrDropped, coupon.ErrRefunded, coupon.ErrRevoked, coupon.ErrReleased,
		coupon.ErrReturned, coupon.ErrRedeemed, coupon.ErrReserved, coupon.ErrNotYetValid, coupon.ErrExpired,
		coupon.ErrBelowMinimum, coupon.ErrNotRedeemed, coupon.ErrPartial,
	}
}

// tellsNothing asks as a buyer: what belongs to somebody else looks like what is not there, and no
// error names the order of somebody else.
func tellsNothing(s *scene) {
	s.open(10)
	s.claim("mine", "5")
	s.claim("theirs", "6")
	buyer := s.shop.For("5")
	calls := map[string]func(id string) error{
		"Coupon":  func(id string) error { return suite.Err(buyer.Coupon(s.Context(), id)) },
		"History": func(id string) error { return suite.Err(buyer.History(s.Context(), id)) },
		"Reserve": func(id string) error { return suite.Err(buyer.Reserve(s.Context(), id, "A", dec("100"))) },
		"Redeem":  func(id string) error { return suite.Err(buyer.Redeem(s.Context(), id, "A", dec("100"))) },
		"Release": func(id string) error { return suite.Err(buyer.Release(s.Context(), id, "A")) },
		"Return":  func(id string) error { return suite.Err(buyer.Return(s.Context(), id, "A", dec("100"))) },
		"Refund":  func(id string) error { return suite.Err(buyer.Refund(s.Context(), coupon.Refund{ID: "r", Coupon: id})) },
		"Revoke": func(id string) error {
			return suite.Err(buyer.Revoke(s.Context(), coupon.Revocation{ID: "r", Coupon: id}))
		},
		"Pay": func(id string) error { return suite.Err(buyer.Pay(s.Context(), id)) },
	}
	for name, call := range calls {
		s.unchanged("theirs", func() {
			another, unknown := call("theirs"), call("unknown")
			s.Is(another, coupon.ErrAnotherBuyer, coupon.ErrNotFound)
			s.Is(unknown, coupon.ErrNotFound)
			s.IsNot(unknown, coupon.ErrAnotherBuyer)
			if a, u := strings.ReplaceAll(another.Error(), "theirs", "unknown"), unknown.Error(); a != u {
				s.Fatalf("%s: a buyer can tell %q from %q", name, a, u)
			}
		})
	}
	s.reserve("mine", "a secret")
	_, err := buyer.Reserve(s.Context(), "mine", "A", dec("100"))
	s.Is(err, coupon.ErrReserved)
	s.keeps(err)
	s.redeem("mine", "a secret")
	_, err = buyer.Redeem(s.Context(), "mine", "A", dec("100"))
	s.Is(err, coupon.ErrRedeemed)
	s.keeps(err)
}

// keeps ends the test if an error tells what is not to be told.
func (s *scene) keeps(err error) {
	s.Helper()
	if strings.Contains(err.Error(), "secret") {
		s.Fatalf("the error names the order of another: %v", err)
	}
}
