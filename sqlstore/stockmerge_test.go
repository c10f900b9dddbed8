package sqlstore_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// rush makes Locks of SKU 1 that all wait while its row is blocked, so that they merge, and returns
// what became of each.
func (s *shop) rush(orders []string, num func(i int) int64) []error {
	s.t.Helper()
	return s.behindOne(s.blockItem(1), len(orders), func(i int) error {
		return of(s.Lock(s.t.Context(), orders[i], stock.Line{SKU: 1, Num: num(i)}))
	})
}

// names returns order numbers.
func names(n int) []string {
	orders := make([]string, n)
	for i := range orders {
		orders[i] = fmt.Sprint("order-", i)
	}
	return orders
}

func count(errs []error, target error) (n int) {
	for _, err := range errs {
		if errors.Is(err, target) { // also nil for nil
			n++
		}
	}
	return n
}

func TestMergedLocksShareTransactions(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	require.NoError(t, of(s.Restock(t.Context(), "more", stock.Line{SKU: 1, Num: 990})))
	s.db.Wire.Statements()
	for _, err := range s.rush(names(400), func(int) int64 { return 1 }) {
		require.NoError(t, err)
	}
	commits := strings.Count(strings.Join(s.db.Wire.Statements(), "\n"), "COMMIT AND")
	require.Less(t, commits, 100, "transactions for 400 Locks")
	for i, order := range names(400) {
		hold := must(s.Hold(t.Context(), order))(t)
		require.Equal(t, stock.Locked, hold.State, i)
		require.Equal(t, start.Add(stock.DefaultHoldFor), hold.Deadline)
	}
	s.counters(1, 0, 400, 1000)
}

// Double clicks, orders that are known, orders that were closed and orders that are too large are
// answered one by one, and spoil nothing for the others.
func TestMergedLocksAreAnsweredOneByOne(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	ctx := t.Context()
	require.NoError(t, of(s.Restock(ctx, "more", stock.Line{SKU: 1, Num: 90})))
	require.NoError(t, of(s.Lock(ctx, "known", one(1))))
	require.NoError(t, of(s.Cancel(ctx, "closed")))
	orders := append(names(60), "known", "closed", "twice", "twice", "twice", "other", "huge")
	errs := s.rush(orders, func(i int) int64 {
		switch orders[i] {
		case "other", "huge":
			return 1000
		}
		return 1
	})
	for i, order := range orders {
		switch order {
		case "closed":
			require.ErrorIs(t, errs[i], stock.ErrCancelled)
		case "other", "huge":
			require.ErrorIs(t, errs[i], stock.ErrInsufficient)
		default:
			require.NoError(t, errs[i], order)
		}
	}
	s.counters(1, 0, 62, 100)
}

func TestMergedLocksTakeExactlyWhatIsThere(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	errs := s.rush(names(200), func(i int) int64 { return int64(1 + i%3) })
	require.Equal(t, len(errs), count(errs, nil)+count(errs, stock.ErrInsufficient))
	s.counters(1, 0, 10, 10) // there are orders of one unit for whatever is left
}

// A batch whose COMMIT loses its answer is unknown to all of it, and each settles by itself.
func TestMergedLocksLoseTheirCommit(t *testing.T) {
	t.Parallel()
	for _, kind := range []sqltest.FaultKind{sqltest.LostRequest, sqltest.LostReply} {
		s := open(t, nil)
		require.NoError(t, of(s.Restock(t.Context(), "more", stock.Line{SKU: 1, Num: 90})))
		orders := names(60)
		for range 2 { // the first call alone, and the batch behind it
			s.db.Wire.Inject(sqltest.Fault{Match: "COMMIT AND", Kind: kind})
		}
		errs := s.rush(orders, func(int) int64 { return 1 })
		require.Equal(t, len(errs), count(errs, nil)+count(errs, stock.ErrUnknown))
		require.Positive(t, count(errs, stock.ErrUnknown))
		for _, order := range orders {
			require.NoError(t, of(s.Lock(t.Context(), order, one(1))))
		}
		s.counters(1, 0, 60, 100)
	}
}

// Of two orders in a batch one fits, until another process locks the last unit: for the very other order. That
// one is known by then, and must not be told that there was nothing for it.
func TestMergedLockIsNotRefusedBecauseOfItself(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	require.NoError(t, of(s.Lock(t.Context(), "nine", stock.Line{SKU: 1, Num: 9})))
	pool := s.another()
	elsewhere := stock.New(sqlstore.NewStock(pool.DB, nil), nil)
	const insert = "INSERT INTO goods_stock_hold"
	s.db.Wire.Before(insert, func() { // of both, which is too much
		s.db.Wire.Before(insert, func() { // of the first
			require.NoError(t, of(elsewhere.Lock(t.Context(), "second", one(1))))
		})
	})
	lockings, err := sqlstore.LockBatch(t.Context(), s.store,
		stock.Order{ID: "first", Lines: []stock.Line{one(1)}}, stock.Order{ID: "second", Lines: []stock.Line{one(1)}})
	require.NoError(t, err)
	require.Equal(t, stock.Refused, lockings[0].Verdict)
	require.ErrorIs(t, lockings[0].Why, stock.ErrInsufficient)
	require.Equal(t, stock.Exists, lockings[1].Verdict)
	require.NoError(t, lockings[1].Why)
}
