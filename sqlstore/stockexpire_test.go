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
	var swept atomic.Bool
	var group, ready suite.Group
	ready.Add(buyers)
	for b := range buyers {
		group.Go(func() {
			inv := s.Inventory
			if b%2 == 1 {
				inv = s.For(fmt.Sprint(b))
			}
			for i := 0; !swept.Load(); i++ {
				order := fmt.Sprint(b, "-", i)
				_, err := inv.Lock(t.Context(), order, one(4))
				if err == nil {
					_, err = inv.Cancel(t.Context(), order)
				}
				if err != nil {
					t.Error(err)
				}
				locked[b].Add(1)
				if i == 0 {
					ready.Done()
				}
			}
		})
	}
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
	swept.Store(true)
	group.Wait()
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
	var next atomic.Int64
	var group suite.Group
	for range buyers {
		group.Go(func() {
			for n := next.Add(1); n <= dead; n = next.Add(1) {
				if _, err := s.Lock(t.Context(), fmt.Sprint("live-", n), one(4)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
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
	var group suite.Group
	for i := range 4 {
		inv := s.Inventory
		if i%2 == 1 {
			inv = s.process(nil).Inventory
		}
		group.Go(func() {
			n, err := inv.Expire(t.Context())
			if err != nil {
				t.Error(err)
			}
			released.Add(int64(n))
		})
	}
	group.Wait()
	n, err := s.Expire(t.Context()) // what one left to another that had left it to the first
	require.NoError(t, err)
	require.Equal(t, int64(dead), released.Load()+int64(n))
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

// A dead hold whose books have drifted keeps no other from being released.
func TestSweepPassesAHoldWhoseBooksHaveDrifted(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	ctx := t.Context()
	s.lock("drifted", units(1, 2))
	s.lock("long", one(2), one(3))
	s.deadHolds(300, 0)
	require.NoError(t, of(s.db.ExecContext(ctx, "UPDATE goods_stock SET STOCK_LOCK_NUM = 1 WHERE SKU_ID = 1")))
	s.db.Wire.Advance(stock.DefaultHoldFor)
	n, err := s.Expire(ctx)
	require.ErrorIs(t, err, stock.ErrDrift)
	require.Equal(t, 301, n)
	require.NoError(t, of(s.Repair(ctx)))
	require.Equal(t, 1, must(s.Expire(ctx))(t))
	s.counters(1, 0, 0, 10)
	s.counters(4, 0, 0, 300)
}
