package sqlstore_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// states demands the state of the orders waits-N, numbered from one to another.
func (s *shop) states(state stock.State, from, to int) {
	s.t.Helper()
	for i := from; i < to; i++ {
		order := fmt.Sprint("waits-", i)
		require.Equal(s.t, state, must(s.Hold(s.t.Context(), order))(s.t, order).State, order)
	}
}

// A connection that is lost at each statement of a refund that hands over: the unit is refunded and goes to who waits for it, or neither
// happens.
func TestHandoverLosesItsConnection(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	ctx := t.Context()
	require.NoError(t, of(s.Restock(ctx, "more", units(1, 1_000))))
	require.NoError(t, of(s.Take(ctx, "all", units(1, 1_010))))
	for n, lost := 0, true; lost; n++ {
		lost = false
		for _, kind := range []sqltest.FaultKind{sqltest.LostRequest, sqltest.LostReply} {
			name := fmt.Sprint(n, "-", kind)
			require.NoError(t, of(s.For(name).Wait(ctx, name, one(1))))
			refund := stock.Refund{ID: name, Order: "all", Lines: []stock.Line{one(1)}, Restock: true}
			was := must(s.Item(ctx, stock.Key{SKU: 1}))(t)
			s.db.Wire.Inject(sqltest.Fault{Behind: n, Kind: kind})
			err := of(s.Refund(ctx, refund))
			s.db.Wire.Forget()
			lost = lost || err != nil
			is, hold := must(s.Item(ctx, stock.Key{SKU: 1}))(t), must(s.Hold(ctx, name))(t)
			require.Equal(t, is.Refunded > was.Refunded, hold.State == stock.Locked, name)
			require.Zero(t, is.Available(), name)
			if err != nil {
				require.True(t, stock.Retryable(err), "%s: %v", name, err)
				require.NoError(t, of(s.Refund(ctx, refund)), name)
			}
			require.Equal(t, stock.Locked, must(s.Hold(ctx, name))(t).State, name)
		}
	}
	require.Empty(t, must(s.Audit(ctx))(t).Drifts)
}

// Two processes give back units at the same time, in batches and one by one, and those who wait leave meanwhile: who came first has
// them in the end, and nobody in between.
func TestTwoProcessesKeepTheOrderOfArrival(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	ctx := t.Context()
	const has, waits = 40, 70
	require.NoError(t, of(s.Restock(ctx, "more", units(1, has-10))))
	for i := range has {
		require.NoError(t, of(s.Take(ctx, fmt.Sprint("has-", i), one(1))))
	}
	for i := range waits {
		require.NoError(t, of(s.For(fmt.Sprint(i%7)).Wait(ctx, fmt.Sprintf("waits-%d", i), one(1))))
		s.db.Wire.Advance(1000)
	}
	other := s.another()
	other.Wire.Advance(1000 * waits)
	processes := []*stock.Inventory{
		s.On(sqlstore.AlwaysBatch(sqlstore.NewStock(s.db.DB, nil))), s.On(sqlstore.NewStock(other.DB, &sqlstore.Options{Unmerged: true})),
	}
	const leave = 10 // of the first
	for _, err := range byTurns(has+leave, processes, func(inv *stock.Inventory, i int) error {
		if i < leave {
			return settle(t, func() error { return of(inv.Cancel(ctx, fmt.Sprint("waits-", i))) })
		}
		id := fmt.Sprint("has-", i-leave)
		return settle(t, func() error { return of(inv.Refund(ctx, stock.Refund{ID: id, Order: id, Restock: true})) })
	}) {
		require.NoError(t, err)
	}
	s.states(stock.Cancelled, 0, leave)
	s.states(stock.Locked, leave, leave+has)
	s.states(stock.Waiting, leave+has, waits)
	require.Empty(t, must(s.Audit(ctx))(t).Drifts)
}

// A hold that somebody keeps locked for long does not keep others waiting: the next one goes first.
func TestHandoverPassesWhoIsLocked(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	ctx := t.Context()
	require.NoError(t, of(s.Lock(ctx, "has", units(1, 10))))
	require.NoError(t, of(s.Wait(ctx, "first", units(1, 10))))
	s.db.Wire.Advance(1000)
	require.NoError(t, of(s.Wait(ctx, "second", units(1, 10))))
	release := s.blockOrder("first")
	require.NoError(t, of(s.On(sqlstore.NewStock(s.db.DB, nil)).Cancel(ctx, "has")))
	release()
	require.Equal(t, stock.Locked, must(s.Hold(ctx, "second"))(t).State)
	require.Equal(t, stock.Waiting, must(s.Hold(ctx, "first"))(t).State)
	s.counters(1, 0, 10, 10)
}

// A long queue of a buyer who is at a limit is passed at the cost of reading it, and one of an item that is not for sale is left alone.
func TestQueueOfThoseWhoGetNothingIsPassed(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	ctx := t.Context()
	key := stock.Key{SKU: 1}
	require.NoError(t, of(s.Define(ctx, key, 10, stock.Terms{PerBuyer: 10})))
	require.NoError(t, of(s.For("has").Lock(ctx, "has", units(1, 10))))
	greedy := names(500)
	for _, err := range suite.Together(len(greedy), func(i int) error { return of(s.For("greedy").Wait(ctx, greedy[i], units(1, 10))) }) {
		require.NoError(t, err)
	}
	s.db.Wire.Advance(1000)
	require.NoError(t, of(s.For("last").Wait(ctx, "last", units(1, 10))))

	s.sent()
	require.NoError(t, of(s.Cancel(ctx, "has"))) // for one of the greedy buyer
	require.NoError(t, of(s.Restock(ctx, "more", units(1, 10))))
	statements, _ := s.sent()
	require.Less(t, len(statements), 60)
	require.Equal(t, stock.Locked, must(s.Hold(ctx, "last"))(t).State)
	s.counters(1, 0, 20, 20)

	require.NoError(t, of(s.Define(ctx, key, 20, stock.Terms{OffShelf: true})))
	require.NoError(t, of(s.Cancel(ctx, "last")))
	s.sent()
	require.NoError(t, of(s.Expire(ctx)))
	statements, _ = s.sent()
	require.Less(t, len(statements), 20)
	for _, statement := range statements {
		require.NotContains(t, statement, "FOR UPDATE")
	}
	require.NoError(t, of(s.Define(ctx, key, 20, stock.Terms{})))
	s.counters(1, 0, 20, 20)
}

// What a caller's transaction cannot hand over, since its snapshot does not have who waits, the next sweep does.
func TestSweepHandsOverWhatATransactionHasNotSeen(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	ctx := t.Context()
	require.NoError(t, of(s.Lock(ctx, "has", units(1, 10))))
	tx := must(s.db.BeginTx(ctx, nil))(t)
	value[int](t, tx, "SELECT COUNT(*) FROM goods_stock_hold") // its snapshot
	require.NoError(t, of(s.Wait(ctx, "waits", one(1))))
	_, err := s.On(s.store.WithTx(tx)).Cancel(ctx, "has")
	if conflicts(t, s.db) && err != nil {
		require.NoError(t, tx.Rollback())
		return
	}
	require.NoError(t, err)
	require.NoError(t, tx.Commit())
	require.NoError(t, of(s.Expire(ctx)))
	require.Equal(t, stock.Locked, must(s.Hold(ctx, "waits"))(t).State)
	s.counters(1, 0, 1, 10)
}

// Somebody has one of the items locked for which orders wait: the sweep passes it, and serves those beside it.
func TestSweepPassesAnItemThatIsLocked(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string]*sqlstore.Options{"Merged": nil, "Unmerged": {Unmerged: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := frozen(t, impatient(), stockTables)
			s := &shop{Inventory: stock.New(sqlstore.NewStock(f.db.DB, opts), nil), fixture: f}
			ctx := t.Context()
			for sku := int64(1); sku <= 3; sku++ {
				begins := stock.Terms{Start: start.Add(time.Minute)}
				require.NoError(t, of(s.Define(ctx, stock.Key{SKU: sku}, 10, stock.Terms{})))
				require.NoError(t, of(s.Wait(ctx, fmt.Sprint("waits-", sku), units(sku, 11)))) // more than is there
				require.NoError(t, of(s.Define(ctx, stock.Key{SKU: sku}, 10, begins)))
				require.NoError(t, of(s.Restock(ctx, fmt.Sprint("more-", sku), units(sku, 1))))
			}
			s.db.Wire.Advance(time.Minute)
			release := s.blockItem(2)
			require.NoError(t, of(s.Expire(ctx)))
			s.states(stock.Locked, 1, 2)
			s.states(stock.Waiting, 2, 3)
			s.states(stock.Locked, 3, 4)
			release()
			require.NoError(t, of(s.Expire(ctx)))
			s.states(stock.Locked, 1, 4)
			require.Empty(t, must(s.Audit(ctx))(t).Drifts)
		})
	}
}

// The queue of a sale that is over costs nothing: a sweep is calm, and a step that frees units reads no more than its beginning. Nor
// does that of an item off the shelf.
func TestQueueOfWhatIsNotOnSaleIsLeftAlone(t *testing.T) {
	t.Parallel()
	key, ends := stock.Key{SKU: 1}, start.Add(time.Minute)
	for name, terms := range map[string]stock.Terms{"over": {End: ends}, "off the shelf": {OffShelf: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t, nil)
			ctx := t.Context()
			require.NoError(t, of(s.Take(ctx, "has", units(1, 9))))
			require.NoError(t, of(s.Lock(ctx, "one", one(1))))
			queue := names(300)
			for _, err := range suite.Together(len(queue), func(i int) error { return of(s.Wait(ctx, queue[i], one(1))) }) {
				require.NoError(t, err)
			}
			require.NoError(t, of(s.Define(ctx, key, 10, terms)))
			s.db.Wire.Advance(time.Minute)
			s.sent()
			reads := func(of string) (n int) {
				statements, _ := s.sent()
				for _, statement := range statements {
					if strings.Contains(statement, of) {
						n++
					}
				}
				return n
			}
			require.NoError(t, of(s.Cancel(ctx, "one")))
			require.NoError(t, of(s.Refund(ctx, stock.Refund{ID: "r", Order: "has", Restock: true, Lines: []stock.Line{one(1)}})))
			require.LessOrEqual(t, reads("h.NUM <= "), 2, "pages of the queue")

			require.NoError(t, of(s.Expire(ctx)))
			require.Equal(t, 1, reads("s.WAIT_NUM > 0"))
			require.NoError(t, of(s.Expire(ctx)))
			require.Zero(t, reads("s.WAIT_NUM > 0"), "of a sweep that is calm")

			require.NoError(t, of(s.Define(ctx, key, 10, stock.Terms{})))
			s.counters(1, 8, 2, 2)
		})
	}
}

// A change that brings units of many items covers each by as many statements as if it were alone.
func TestCoverOfManyItemsIsLinear(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	ctx := t.Context()
	sku := int64(100)
	covers := func(items int64) int {
		var lines []stock.Line
		for range items {
			sku++
			require.NoError(t, of(s.Define(ctx, stock.Key{SKU: sku}, 0, stock.Terms{Backorder: 1})))
			require.NoError(t, of(s.Lock(ctx, fmt.Sprint("of-", sku), one(sku))))
			lines = append(lines, one(sku))
		}
		s.sent()
		require.Equal(t, items, must(s.Restock(ctx, fmt.Sprint("in-", items), lines...))(t).Covered)
		statements, _ := s.sent()
		return len(statements)
	}
	require.LessOrEqual(t, covers(20), 2*covers(10))
	require.Empty(t, must(s.Audit(ctx))(t).Drifts)
}

// BenchmarkHandover is 10,000 orders that wait and 1,000 units that come back by refunds of 256 callers.
func BenchmarkHandover(b *testing.B) {
	const waits, units = 10_000, 1_000
	for b.Loop() {
		b.StopTimer()
		db := sqltest.Open(b, defaults)
		db.SetMaxOpenConns(24)
		require.NoError(b, sqlstore.Migrate(b.Context(), db.DB, nil))
		inv := stock.New(sqlstore.NewStock(db.DB, nil), nil)
		require.NoError(b, of(inv.Define(b.Context(), stock.Key{SKU: 1}, units, stock.Terms{})))
		each := func(n int, call func(i int) error) {
			for _, err := range suite.Crowd(n, 256, call) {
				require.NoError(b, err)
			}
		}
		each(units, func(i int) error { return of(inv.Take(b.Context(), fmt.Sprint("has-", i), one(1))) })
		each(waits, func(i int) error {
			return of(inv.For(fmt.Sprint(i)).Wait(b.Context(), fmt.Sprint("waits-", i), one(1)))
		})
		b.StartTimer()
		each(units, func(i int) error {
			return of(inv.Refund(b.Context(), stock.Refund{ID: fmt.Sprint(i), Order: fmt.Sprint("has-", i), Restock: true}))
		})
		b.StopTimer()
		item := must(inv.Item(b.Context(), stock.Key{SKU: 1}))(b)
		require.Equal(b, [2]int64{units, waits - units}, [2]int64{item.Locked, item.Waiting})
		require.Empty(b, must(inv.Audit(b.Context()))(b).Drifts)
		b.StartTimer()
	}
	b.ReportMetric(float64(units*b.N)/b.Elapsed().Seconds(), "handed-over/s")
}
