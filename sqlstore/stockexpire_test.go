package sqlstore_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// deadHolds puts holds of one unit that die now into the tables, as so many Locks of SKU 4 would have
// left them, and defines it with some more units.
func (s *shop) deadHolds(n, more int64) {
	s.t.Helper()
	const rows = 5_000
	ctx := s.t.Context()
	require.NoError(s.t, of(s.Define(ctx, stock.Key{SKU: 4}, n+more, stock.Terms{})))
	died := start.Format("'2006-01-02 15:04:05.000000'")
	for first := int64(0); first < n; first += rows {
		var text strings.Builder
		text.WriteString("INSERT INTO goods_stock_hold (ORDER_NO, LINE_NO, LINE_NUM, SKU_ID, ACTIVITY_ID, NUM, STATE, EXPIRE_TIME," +
			" CREATE_TIME, UPDATE_TIME) VALUES ")
		for i := first; i < min(first+rows, n); i++ {
			if i > first {
				text.WriteByte(',')
			}
			fmt.Fprintf(&text, "('dead-%d', 1, 1, 4, 0, 1, 1, %s, %s, %s)", i, died, died, died)
		}
		require.NoError(s.t, of(s.db.ExecContext(ctx, text.String())))
	}
	require.NoError(s.t, of(s.db.ExecContext(ctx, "UPDATE goods_stock SET STOCK_LOCK_NUM = STOCK_LOCK_NUM + ? WHERE SKU_ID = 4", n)))
	s.counters(4, 0, n, n+more)
}

// A sweep of very many dead holds of one SKU starves nobody who locks it: all are released, and each
// buyer gets on meanwhile.
func TestSweepOfManyDeadHoldsStarvesNoBuyer(t *testing.T) {
	t.Parallel()
	dead, buyers := int64(100_000), 16
	if testing.Short() {
		dead = 5_000
	}
	s := open(t, nil)
	s.deadHolds(dead, 1_000)
	locked := make([]atomic.Int64, buyers)
	var ready suite.Group
	ready.Add(buyers)
	stop := meanwhile(t, buyers, func(b, i int) error {
		inv := s.Inventory
		if b%2 == 1 {
			inv = s.For(fmt.Sprint(b))
		}
		order := fmt.Sprint(b, "-", i)
		_, err := inv.Lock(t.Context(), order, one(4))
		if err == nil {
			_, err = inv.Cancel(t.Context(), order)
		}
		locked[b].Add(1)
		if i == 0 {
			ready.Done()
		}
		return err
	})
	ready.Wait()
	before := make([]int64, buyers)
	for b := range buyers {
		before[b] = locked[b].Load()
	}
	began := time.Now()
	released, err := s.Expire(t.Context())
	took := time.Since(began)
	for b := range buyers {
		before[b] = locked[b].Load() - before[b]
	}
	stop()
	require.NoError(t, err)
	require.Equal(t, int(dead), released)
	require.NotContains(t, before, int64(0), "orders of each buyer during the sweep")
	t.Logf("%d dead holds released in %v, orders of each buyer meanwhile: %v", dead, took.Round(time.Millisecond), before)
	s.counters(4, 0, 0, dead+1_000)
}

// With no sweep at all, the Locks themselves release what they need of the dead, and find all of it.
func TestBuyersTakeAllThatTheDeadHold(t *testing.T) {
	t.Parallel()
	const dead, buyers = 3_000, 32
	s := open(t, nil)
	s.deadHolds(dead, 0)
	for _, err := range suite.Crowd(dead, buyers, func(i int) error {
		return of(s.Lock(t.Context(), fmt.Sprint("live-", i), one(4)))
	}) {
		require.NoError(t, err)
	}
	s.short(one(4), 0)
	s.counters(4, 0, dead, dead)
}

// Two sweeps at once release each hold once, and both end.
func TestSweepsAtOnceReleaseEachHoldOnce(t *testing.T) {
	t.Parallel()
	const dead = 5_000
	s := open(t, nil)
	s.deadHolds(dead, 0)
	var released atomic.Int64
	sweep := func(inv *shop, _ int) error {
		n, err := inv.Expire(t.Context())
		released.Add(int64(n))
		return err
	}
	for _, err := range byTurns(4, []*shop{s, s.process(nil)}, sweep) {
		require.NoError(t, err)
	}
	require.NoError(t, sweep(s, 0)) // what one left to another that had left it to the first
	require.Equal(t, int64(dead), released.Load())
	s.counters(4, 0, 0, dead)
}

// Those who find the same item short at once release its dead holds together, and are told of each
// once.
func TestReleasesThatWaitAreOne(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	s.deadHolds(900, 0)
	orders := make([]string, 900)
	for i := range orders {
		orders[i] = fmt.Sprint("dead-", i)
	}
	answers := make([][]string, 9)
	calls := make([]func() error, len(answers))
	for i := range calls {
		calls[i] = func() (err error) { answers[i], err = s.store.Expire(t.Context(), orders); return err }
	}
	s.db.Wire.Statements()
	for _, err := range s.together(s.blockItem(4), calls...) {
		require.NoError(t, err)
	}
	var all []string
	for _, a := range answers {
		all = append(all, a...)
	}
	require.ElementsMatch(t, orders, all)
	require.LessOrEqual(t, strings.Count(strings.Join(s.db.Wire.Statements(), "\n"), "START TRANSACTION"), 2)
	s.counters(4, 0, 0, 900)
}
