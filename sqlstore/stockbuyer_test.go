package sqlstore_test

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/stock"
)

// together makes calls while the first of them waits for a row that is blocked, until release is called: all
// others form one batch behind it. It returns what became of each.
func (s *shop) together(release func(), calls ...func() error) []error {
	s.t.Helper()
	return s.behindOne(func() {
		s.awaitQueue(int64(len(calls) - 1))
		release()
	}, len(calls), func(i int) error { return calls[i]() })
}

// lockCall is a Lock as a call; buyer "" is nobody.
func (s *shop) lockCall(buyer, order string, line stock.Line) func() error {
	inv := s.Inventory
	if buyer != "" {
		inv = s.For(buyer)
	}
	return func() error { return of(inv.Lock(s.t.Context(), order, line)) }
}

// digit names a buyer; 0 is nobody.
func digit(buyer int) string {
	if buyer == 0 {
		return ""
	}
	return fmt.Sprint(buyer)
}

// usage demands what a buyer has of a SKU.
func (s *shop) usage(buyer string, sku int64, want stock.Usage) {
	s.t.Helper()
	require.Equal(s.t, want, must(s.For(buyer).Usage(s.t.Context(), stock.Key{SKU: sku}))(s.t), "buyer %q", buyer)
}

// wide defines SKU 4 with so many units that only its other terms refuse.
func (s *shop) wide(terms stock.Terms) {
	s.t.Helper()
	require.NoError(s.t, of(s.Define(s.t.Context(), stock.Key{SKU: 4}, 10_000, terms)))
}

// One batch with each buyer twenty times, and with callers who name none.
func TestMergedLocksKeepTheUnitsPerBuyer(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	s.wide(stock.Terms{PerBuyer: 5})
	var calls []func() error
	for i := range 20 {
		for buyer := range 6 {
			calls = append(calls, s.lockCall(digit(buyer), fmt.Sprint(buyer, "-", i), units(4, int64(1+i%3))))
		}
	}
	errs := s.together(s.blockItem(4), calls...)
	require.Equal(t, 20, count(errs, stock.ErrBuyerRequired))
	require.Equal(t, len(errs), count(errs, nil)+count(errs, stock.ErrPerBuyer)+20)
	for buyer := int64(1); buyer <= 5; buyer++ {
		got := must(s.For(fmt.Sprint(buyer)).Usage(t.Context(), stock.Key{SKU: 4}))(t)
		require.Equal(t, int64(5), got.Held, "orders of one unit fill up what is left")
	}
	s.counters(4, 0, 25, 10_000)
}

func TestMergedLocksKeepTheLiveHoldsPerBuyer(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	s.wide(stock.Terms{PerBuyer: 100, LiveHolds: 2})
	require.NoError(t, of(s.For("1").Lock(t.Context(), "before", units(4, 7))))
	var calls []func() error
	for i := range 20 {
		for buyer := int64(1); buyer <= 5; buyer++ {
			calls = append(calls, s.lockCall(fmt.Sprint(buyer), fmt.Sprint(buyer, "-", i), units(4, 3)))
		}
	}
	calls = append(calls, s.lockCall("6", "too many units", units(4, 101)), s.lockCall("", "nobody", one(4)))
	errs := s.together(s.blockItem(4), calls...)
	require.Equal(t, 9, count(errs, nil))
	require.Equal(t, 91, count(errs, stock.ErrLiveHolds))
	require.ErrorIs(t, errs[100], stock.ErrPerBuyer)
	require.ErrorIs(t, errs[101], stock.ErrBuyerRequired)
	s.usage("1", 4, stock.Usage{Held: 10, Holds: 2})
	for buyer := int64(2); buyer <= 5; buyer++ {
		s.usage(fmt.Sprint(buyer), 4, stock.Usage{Held: 6, Holds: 2})
	}
	s.counters(4, 0, 34, 10_000)
}

// What buyers hold of an item without limits is counted for those who name themselves, and counts as
// soon as there is a limit.
func TestMergedLocksCountBuyersWithoutLimits(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	s.wide(stock.Terms{})
	var calls []func() error
	for i := range 60 {
		calls = append(calls, s.lockCall(digit(i%3), fmt.Sprint("order-", i), units(4, int64(1+i%2))))
	}
	for _, err := range s.together(s.blockItem(4), calls...) {
		require.NoError(t, err)
	}
	s.usage("1", 4, stock.Usage{Held: 30, Holds: 20})
	s.usage("2", 4, stock.Usage{Held: 30, Holds: 20})
	s.wide(stock.Terms{PerBuyer: 31})
	errs := s.together(s.blockItem(4),
		s.lockCall("1", "1-last", one(4)), s.lockCall("1", "1-over", one(4)),
		s.lockCall("2", "2-over", units(4, 2)), s.lockCall("2", "2-last", one(4)),
		s.lockCall("3", "3-first", units(4, 31)), s.lockCall("", "nobody", one(4)))
	require.Equal(t, 3, count(errs, nil))
	require.Equal(t, 2, count(errs, stock.ErrPerBuyer))
	require.ErrorIs(t, errs[5], stock.ErrBuyerRequired)
	s.counters(4, 0, 123, 10_000)
}

// A buyer whose count is full is refused alone. The refund of what was bought does not give it back,
// so that one buyer can have had more than the item has.
func TestMergedLocksOfABuyerWhoseCountIsFull(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	ctx := t.Context()
	require.NoError(t, of(s.Define(ctx, stock.Key{SKU: 4}, 0, stock.Terms{Unlimited: true})))
	require.NoError(t, of(s.For("9").Lock(ctx, "nearly all", units(4, math.MaxInt64-5))))
	require.NoError(t, of(s.Pay(ctx, "nearly all")))
	require.NoError(t, of(s.Refund(ctx, stock.Refund{ID: "r", Order: "nearly all", Restock: true})))
	var calls []func() error
	for i := range 20 {
		calls = append(calls, s.lockCall(digit(i%3), fmt.Sprint("order-", i), one(4)))
	}
	calls = append(calls, s.lockCall("9", "too much", units(4, 10)), s.lockCall("9", "fits", units(4, 5)))
	errs := s.together(s.blockItem(4), calls...)
	require.ErrorIs(t, errs[20], stock.ErrOverflow)
	errs[20] = nil
	require.NoError(t, errors.Join(errs...))
	s.usage("9", 4, stock.Usage{Held: 5, Holds: 1, Bought: math.MaxInt64 - 5})
	s.counters(4, 0, 25, 0)
}
