package coupon_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/coupontest"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// memory returns a store in the process on a clock that only the test moves, and goods beside it.
func memory(testing.TB) coupontest.Harness {
	clock := &suite.Clock{From: time.Date(2026, time.November, 11, 15, 59, 59, 0, time.UTC)} // a second before a day ends in Shanghai
	store := &coupon.Memory{Clock: clock.Now}
	return coupontest.Harness{
		Store:   store,
		Stock:   (&stock.Memory{Clock: clock.Now}).With(store.BesideGoods()),
		Advance: clock.Advance,
	}
}

func TestMemory(t *testing.T) {
	t.Parallel()
	coupontest.Run(t, memory)
}

// FuzzModel compares the memory store with another one: it holds the tool to its promise to compare
// nothing but what two stores must agree about. sqlstore compares the memory store with MySQL.
func FuzzModel(f *testing.F) {
	for seed := range int64(8) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed int64) { coupontest.Model(t, seed, 400, memory(t), memory(t)) })
}

// TestModelFindsDifferences breaks one rule of the store at a time: the model must see it.
func TestModelFindsDifferences(t *testing.T) {
	t.Parallel()
	suite.FindsDifferences(t, map[string]func(coupon.Store) coupon.Store{
		"a reservation a microsecond late": func(s coupon.Store) coupon.Store { return lateReservation{s} },
		"a total that is forgotten":        func(s coupon.Store) coupon.Store { return forgetsTotal{s} },
		"a hold a microsecond late":        func(s coupon.Store) coupon.Store { return lateHold{s} },
		"a refund for a revocation":        func(s coupon.Store) coupon.Store { return confusesStates{s} },
		"a validity in seconds":            func(s coupon.Store) coupon.Store { return coarseValidity{s} },
		"codes that are turned round":      func(s coupon.Store) coupon.Store { return turnsCodes{s} },
		"a code that nobody finds":         func(s coupon.Store) coupon.Store { return losesCodes{s} },
		"a batch that is forgotten":        func(s coupon.Store) coupon.Store { return forgetsBatches{s} },
		"a wallet out of order":            func(s coupon.Store) coupon.Store { return shuffledPages{s} },
		"what is expired counts as usable": func(s coupon.Store) coupon.Store { return miscounts{s} },
	}, func(t testing.TB, seed int64, breaks func(coupon.Store) coupon.Store) {
		t.Helper()
		faulty := memory(t)
		faulty.Store = breaks(faulty.Store)
		coupontest.Model(t, seed, 300, memory(t), faulty)
	})
}

// The broken stores of TestModelFindsDifferences.
type (
	lateReservation struct{ coupon.Store }
	forgetsTotal    struct{ coupon.Store }
	lateHold        struct{ coupon.Store }
	confusesStates  struct{ coupon.Store }
	coarseValidity  struct{ coupon.Store }
	turnsCodes      struct{ coupon.Store }
	losesCodes      struct{ coupon.Store }
	forgetsBatches  struct{ coupon.Store }
	shuffledPages   struct{ coupon.Store }
	miscounts       struct{ coupon.Store }
)

func (s lateReservation) Use(ctx context.Context, step coupon.Step, use coupon.Use, holdFor time.Duration) (stock.Verdict, error) {
	return s.Store.Use(ctx, step, use, holdFor+time.Microsecond)
}

func (s forgetsTotal) Use(ctx context.Context, step coupon.Step, use coupon.Use, holdFor time.Duration) (stock.Verdict, error) {
	if step == coupon.StepRedeem { // it comes to what was reserved
		if was, _, err := s.UseOf(ctx, use.Coupon, use.Order); err == nil {
			use.Total, use.Discount = was.Total, was.Discount
		}
	}
	return s.Store.Use(ctx, step, use, holdFor)
}

// lateUnits are the units of a lateHold.
type lateUnits struct{ stock.Store }

func (s lateHold) Units() stock.Store { return lateUnits{s.Store.Units()} }

func (u lateUnits) Lock(ctx context.Context, order stock.Order, holdFor time.Duration) (stock.LockResult, error) {
	return u.Store.Lock(ctx, order, holdFor+time.Microsecond)
}

// confusedUnits are the units of confusesStates.
type confusedUnits struct{ stock.Store }

func (s confusesStates) Units() stock.Store { return confusedUnits{s.Store.Units()} }

func (u confusedUnits) Refund(
	ctx context.Context, refund stock.RefundRecord, hold stock.Hold, _ ...stock.Companion,
) (stock.RefundResult, error) {
	return u.Store.Refund(ctx, refund, hold, coupon.GiveBack{To: coupon.Refunded})
}

func (s coarseValidity) AddTerms(ctx context.Context, campaign, no int64, terms coupon.Terms) (stock.Verdict, error) {
	terms.ValidUntil = terms.ValidUntil.Truncate(time.Second)
	return s.Store.AddTerms(ctx, campaign, no, terms)
}

func (s turnsCodes) AddCodes(
	ctx context.Context, campaign, have int64, codes []string, actor, reason string,
) ([]int64, stock.Verdict, error) {
	turned := slices.Clone(codes)
	slices.Reverse(turned)
	owners, verdict, err := s.Store.AddCodes(ctx, campaign, have, turned, actor, reason)
	slices.Reverse(owners)
	return owners, verdict, err
}

func (s losesCodes) ByCode(ctx context.Context, _ string) (coupon.Coupon, time.Time, error) {
	return s.Coupon(ctx, "there is none such")
}

func (s forgetsBatches) Batch(ctx context.Context, id string) (coupon.Batch, []coupon.Grant, error) {
	batch, _, err := s.Store.Batch(ctx, id)
	return batch, nil, err
}

func (s shuffledPages) Wallet(
	ctx context.Context, buyer string, statuses []coupon.Status, after coupon.Cursor, limit int,
) ([]coupon.Coupon, time.Time, error) {
	coupons, now, err := s.Store.Wallet(ctx, buyer, statuses, after, limit)
	slices.Reverse(coupons)
	return coupons, now, err
}

func (s miscounts) Count(ctx context.Context, campaign int64) (coupon.Count, error) {
	n, err := s.Store.Count(ctx, campaign)
	n.Usable, n.Expired = n.Usable+n.Expired, 0
	return n, err
}
