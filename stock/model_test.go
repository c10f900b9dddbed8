package stock_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
	"github.com/holdfast-go/holdfast/stock/stocktest"
)

// FuzzModel compares the memory store with itself on another clock: it holds the tool to its
// promise to compare nothing but what two stores must agree about. sqlstore compares the memory
// store with MySQL.
func FuzzModel(f *testing.F) {
	for seed := range int64(20) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed int64) {
		stocktest.Model(t, seed, 400, memoryFrom(t, start), memoryFrom(t, start.AddDate(3, 1, 4)))
	})
}

// TestModelFindsDifferences breaks one rule of the store at a time: the model must see it.
func TestModelFindsDifferences(t *testing.T) {
	t.Parallel()
	suite.FindsDifferences(t, map[string]func(stock.Store) stock.Store{
		"a deadline a microsecond late": func(s stock.Store) stock.Store { return lateDeadline{s} },
		"a buyer that is forgotten":     func(s stock.Store) stock.Store { return forgetsBuyer{s} },
		"a fence that is not raised":    func(s stock.Store) stock.Store { return noFence{s} },
		"a refund that frees the buyer": func(s stock.Store) stock.Store { return freesBuyer{s} },
		"a change that is forgotten":    func(s stock.Store) stock.Store { return forgetsChanges{s} },
		"a sweep that does nothing":     func(s stock.Store) stock.Store { return noSweep{s} },
		"a cover that gives too few":    func(s stock.Store) stock.Store { return coversOne{s} },
		"a listing out of order":        func(s stock.Store) stock.Store { return shuffledPages{s} },
		"a sale window in seconds":      func(s stock.Store) stock.Store { return coarseWindow{s} },
		"a payment that is not told": func(s stock.Store) stock.Store {
			s.(*stock.Memory).Tell = []event.Kind{event.HoldExpired, event.HoldCancelled, event.OrderRefunded, event.Offered}
			return s
		},
	}, func(t testing.TB, seed int64, breaks func(stock.Store) stock.Store) {
		t.Helper()
		faulty := memory(t)
		faulty.Store = breaks(faulty.Store)
		stocktest.Model(t, seed, 500, memory(t), faulty)
	})
}

// The broken stores of TestModelFindsDifferences.
type (
	lateDeadline   struct{ stock.Store }
	forgetsBuyer   struct{ stock.Store }
	noFence        struct{ stock.Store }
	freesBuyer     struct{ stock.Store }
	forgetsChanges struct{ stock.Store }
	noSweep        struct{ stock.Store }
	coversOne      struct{ stock.Store }
	shuffledPages  struct{ stock.Store }
	coarseWindow   struct{ stock.Store }
)

func (s lateDeadline) Lock(ctx context.Context, order stock.Order, holdFor time.Duration) (stock.LockResult, error) {
	return s.Store.Lock(ctx, order, holdFor+time.Microsecond)
}

func (s forgetsBuyer) Lock(ctx context.Context, order stock.Order, holdFor time.Duration) (stock.LockResult, error) {
	order.Buyer = ""
	return s.Store.Lock(ctx, order, holdFor)
}

func (s noFence) Fence(ctx context.Context, order string, _ ...stock.Companion) (stock.Verdict, error) {
	hold, _, err := s.Hold(ctx, order)
	if hold.State == stock.Unheld {
		return stock.Refused, err
	}
	return stock.Done, err
}

func (s freesBuyer) Refund(
	ctx context.Context, refund stock.RefundRecord, hold stock.Hold, beside ...stock.Companion,
) (stock.RefundResult, error) {
	refund.Frees = !refund.Frees
	return s.Store.Refund(ctx, refund, hold, beside...)
}

func (s forgetsChanges) Applied(context.Context, stock.Kind, string) (stock.Change, error) {
	return stock.Change{}, nil
}

func (s coversOne) Cover(ctx context.Context, keys []stock.Key, _ int) ([]stock.Effect, error) {
	effects, err := s.Store.Cover(ctx, keys, 1)
	if len(keys) == 0 {
		return nil, err
	}
	return effects, err
}

func (s noSweep) Due(context.Context, []stock.Key, int) ([]string, error) { return nil, nil }

func (s shuffledPages) Holds(ctx context.Context, filter stock.Filter, after stock.Cursor, limit int) ([]stock.Hold, error) {
	holds, err := s.Store.Holds(ctx, filter, after, limit)
	slices.Reverse(holds)
	return holds, err
}

func (s coarseWindow) SetTerms(
	ctx context.Context, from stock.Item, to stock.Terms, total int64, define stock.Change, beside ...stock.Companion,
) (stock.Verdict, error) {
	to.Start, to.End = to.Start.Truncate(time.Second), to.End.Truncate(time.Second)
	return s.Store.SetTerms(ctx, from, to, total, define, beside...)
}
