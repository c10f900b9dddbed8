package sqlstore_test

import (
	"context"
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

// wide opens a shop with so many SKUs from 1 on, of 1,000 units each.
func wide(t *testing.T, skus int64) *shop {
	t.Helper()
	s := open(t, nil)
	for sku := int64(1); sku <= 3; sku++ {
		require.NoError(t, of(s.Restock(t.Context(), fmt.Sprint("more-", sku), units(sku, 990))))
	}
	for sku := int64(4); sku <= skus; sku++ {
		require.NoError(t, of(s.Define(t.Context(), stock.Key{SKU: sku}, 1000, stock.Terms{})))
	}
	s.db.Wire.Statements()
	return s
}

// inserts returns how often orders were claimed since the last look.
func (s *shop) inserts() int {
	return strings.Count(strings.Join(s.db.Wire.Statements(), "\n"), "INSERT INTO goods_stock_hold")
}

func TestMixedBatchLocksOrdersOfAnyItemsInOneTransaction(t *testing.T) {
	t.Parallel()
	s := wide(t, 20)
	orders := make([]stock.Order, 200)
	for i := range orders {
		orders[i] = stock.Order{ID: fmt.Sprint("o", i), Buyer: fmt.Sprint("b", i%7)}
		for n := range 1 + i%3 {
			orders[i].Lines = append(orders[i].Lines, one(int64(1+(i%18)+n)))
		}
	}
	results, err := sqlstore.LockBatch(t.Context(), s.store, orders...)
	require.NoError(t, err)
	for i, r := range results {
		require.Equal(t, stock.Done, r.Verdict)
		require.Len(t, r.Hold.Lines, 1+i%3)
	}
	require.Equal(t, 1, s.inserts())
	for i, order := range orders {
		hold := must(s.Hold(t.Context(), order.ID))(t)
		require.Equal(t, stock.Locked, hold.State)
		require.Equal(t, order.Buyer, hold.Buyer)
		for n, l := range hold.Lines {
			require.Equal(t, orders[i].Lines[n], l.Line)
		}
	}
	require.Empty(t, must(s.Audit(t.Context()))(t).Drifts)
}

// One order of each kind that cannot go: the others are done in two tries, and each has its own answer.
func TestBadOrdersSpoilNoMixedBatch(t *testing.T) {
	t.Parallel()
	s := wide(t, 12)
	ctx := t.Context()
	for sku, terms := range map[int64]stock.Terms{9: {OffShelf: true}, 10: {PerBuyer: 2}, 11: {PerOrder: 3}} {
		require.NoError(t, of(s.Define(ctx, stock.Key{SKU: sku}, 1000, terms)))
	}
	require.NoError(t, of(s.Lock(ctx, "known", one(1))))
	require.NoError(t, of(s.Cancel(ctx, "closed")))
	require.NoError(t, of(s.Lock(ctx, "rest", units(12, 999))))
	require.NoError(t, of(s.For("b").Lock(ctx, "two of b", units(10, 2))))
	bad := []struct {
		order string
		lines []stock.Line
		buyer string
		want  stock.Verdict
		why   error
	}{
		{order: "known", lines: []stock.Line{one(1)}, want: stock.Exists},
		{order: "closed", lines: []stock.Line{one(1), one(2)}, want: stock.Exists},
		{order: "sold out", lines: []stock.Line{one(1), units(12, 2)}, why: stock.ErrInsufficient},
		{order: "off shelf", lines: []stock.Line{one(1), one(9)}, why: stock.ErrOffShelf},
		{order: "unknown", lines: []stock.Line{one(1), one(99)}, why: stock.ErrUnknownSKU},
		{order: "buyer", lines: []stock.Line{one(10)}, buyer: "b", why: stock.ErrPerBuyer},
		{order: "nobody", lines: []stock.Line{one(10)}, why: stock.ErrBuyerRequired},
		{order: "large", lines: []stock.Line{units(11, 4)}, why: stock.ErrPerOrder},
	}
	var orders []stock.Order
	for i := range 248 {
		if i%31 == 0 {
			b := bad[i/31]
			orders = append(orders, stock.Order{ID: b.order, Lines: b.lines, Buyer: b.buyer})
		}
		orders = append(orders, stock.Order{ID: fmt.Sprint("good", i), Lines: []stock.Line{one(int64(1 + i%4)), one(int64(5 + i%4))}})
	}
	orders = append(orders, stock.Order{ID: "last", Lines: []stock.Line{one(12)}},
		stock.Order{ID: "of c", Buyer: "c", Lines: []stock.Line{units(10, 2)}})
	s.inserts()
	results, err := sqlstore.LockBatch(ctx, s.store, orders...)
	require.NoError(t, err)
	require.LessOrEqual(t, s.inserts(), 2)
	answers := map[string]stock.LockResult{}
	for i, r := range results {
		answers[orders[i].ID] = r
	}
	for _, b := range bad {
		require.Equal(t, b.want, answers[b.order].Verdict, b.order)
		if b.why != nil {
			require.ErrorIs(t, answers[b.order].Why, b.why)
		}
		delete(answers, b.order)
	}
	for order, r := range answers {
		require.Equal(t, stock.Done, r.Verdict, order)
	}
	s.counters(12, 0, 1000, 1000)
	s.counters(10, 0, 4, 1000)
}

// An order is refused because of one before it in the batch, which is refused itself in the end. It goes.
func TestMixedBatchRefusesNobodyForAnOrderThatDoesNotGo(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	const insert = "INSERT INTO goods_stock_hold"
	elsewhere := stock.New(sqlstore.NewStock(s.another().DB, nil), nil)
	s.db.Wire.Before(insert, func() { // of all, which is too much
		s.db.Wire.Before(insert, func() { // of first and third, which fit as it seems
			require.NoError(t, of(elsewhere.Lock(t.Context(), "other", units(2, 9))))
		})
	})
	results, err := sqlstore.LockBatch(t.Context(), s.store,
		stock.Order{ID: "first", Lines: []stock.Line{units(1, 8), units(2, 2)}},
		stock.Order{ID: "second", Lines: []stock.Line{units(1, 8)}},
		stock.Order{ID: "third", Lines: []stock.Line{units(1, 1)}})
	require.NoError(t, err)
	require.ErrorIs(t, results[0].Why, stock.ErrInsufficient)
	require.Equal(t, stock.Done, results[1].Verdict, "first is not in its way")
	require.Equal(t, stock.Done, results[2].Verdict)
	s.counters(1, 0, 9, 10)
}

// A batch that goes back, because others fit in the end than it has claimed, has no item locked any more, and decides again under
// new locks. No guard stands behind its decision where units are backordered.
func TestMixedBatchDecidesAgainOnceItHasGoneBack(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	require.NoError(t, of(s.Define(t.Context(), stock.Key{SKU: 9}, 1, stock.Terms{Backorder: 3})))
	const insert = "INSERT INTO goods_stock_hold"
	elsewhere := stock.New(sqlstore.NewStock(s.another().DB, nil), nil)
	took := 0
	take := func(order string) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second) // a server may have kept the locks
		defer cancel()
		if _, err := elsewhere.Lock(ctx, order, one(9)); err == nil {
			took++
		}
	}
	s.db.Wire.Before(insert, func() { // of all, more than is there
		s.db.Wire.Before(insert, func() { // of all, as it seems
			take("other")
			s.db.Wire.Before(insert, func() { take("another") }) // of three
		})
	})
	var orders []stock.Order
	for _, id := range []string{"a", "b", "c", "d"} {
		orders = append(orders, stock.Order{ID: id, Lines: []stock.Line{one(9)}})
	}
	results, err := sqlstore.LockBatch(t.Context(), s.store, orders...)
	require.NoError(t, err)
	for i, r := range results {
		if i < 4-took {
			require.Equal(t, stock.Done, r.Verdict, i)
		} else {
			require.ErrorIs(t, r.Why, stock.ErrInsufficient, i)
		}
	}
	item, err := s.Item(t.Context(), stock.Key{SKU: 9})
	require.NoError(t, err)
	require.Equal(t, stock.Quantities{Total: 1, Locked: 4, Left: 1, Backordered: 3}, item.Quantities)
	if !sqltest.TiDB() { // which keeps them
		require.Equal(t, 2, took)
	}
}

// What memory holds against MySQL in the model, a crowd holds against the books: carts of several hot items, from two
// processes, take exactly what is there.
func TestMixedCartsTakeExactlyWhatIsThere(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	other := stock.New(sqlstore.NewStock(s.another().DB, nil), nil)
	errs := byTurns(300, []*stock.Inventory{s.Inventory, other}, func(inv *stock.Inventory, i int) error {
		lines := []stock.Line{one(int64(1 + i%3)), one(int64(1 + (i+1)%3))}
		return settle(t, func() error { return of(inv.For(fmt.Sprint(i)).Lock(t.Context(), fmt.Sprint("o", i), lines...)) })
	})
	done := 0
	for _, err := range errs {
		if err == nil {
			done++
		} else {
			require.ErrorIs(t, err, stock.ErrInsufficient)
		}
	}
	require.GreaterOrEqual(t, done, 10, "at most two items can be left over")
	taken := int64(0)
	for sku := int64(1); sku <= 3; sku++ {
		taken += must(s.Item(t.Context(), stock.Key{SKU: sku}))(t).Locked
	}
	require.Equal(t, int64(2*done), taken)
	require.Empty(t, must(s.Audit(t.Context()))(t).Drifts)
}

// A call that waits in the server for its row keeps no call of another item waiting, even where there are few slots.
func TestStuckItemKeepsNoOtherItemWaiting(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	store := sqlstore.NewStock(s.db.DB, nil)
	inv := stock.New(store, nil)
	release := s.blockItem(1)
	var stuck []<-chan error
	for i := range 5 {
		stuck = append(stuck, going(func() error { return of(inv.Lock(t.Context(), fmt.Sprint("stuck", i), one(1))) }))
	}
	s.waiting()
	for i := range 10 {
		require.NoError(t, of(inv.Lock(t.Context(), fmt.Sprint("free", i), one(2))))
	}
	release()
	for _, err := range stuck {
		require.NoError(t, <-err)
	}
	s.counters(1, 0, 5, 10)
}

// A step that waits in the server for its order keeps the steps of other orders waiting for a moment only.
func TestStuckOrderKeepsNoOtherOrderWaiting(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	inv := stock.New(sqlstore.NewStock(s.db.DB, nil), nil)
	orders := s.orders(10)
	release := s.blockOrder(orders[0])
	first := going(func() error { return of(inv.Pay(t.Context(), orders[0])) })
	s.waiting()
	for _, order := range orders[1:] {
		require.NoError(t, of(inv.Pay(t.Context(), order)))
	}
	release()
	require.NoError(t, <-first)
	for _, order := range orders {
		require.Equal(t, stock.Paid, must(s.Hold(t.Context(), order))(t).State)
	}
	require.Empty(t, must(s.Audit(t.Context()))(t).Drifts)
}

// Merged Locks carry a row each: the rows are one INSERT, and what is refused leaves none.
func TestMergedLocksCarryTheirRows(t *testing.T) {
	t.Parallel()
	s := withOrders(t, nil)
	sqlstore.OneByOne(s.store)
	ctx := t.Context()
	require.NoError(t, of(s.Restock(ctx, "more", units(2, 90))))
	require.NoError(t, of(s.db.ExecContext(ctx, placeOrder, "order-7")))
	require.NoError(t, of(s.along(placeOrder, "order-9").Lock(ctx, "order-9", one(2))))
	orders := names(40)
	s.db.Wire.Statements()
	errs := s.behindOne(s.blockItem(1), len(orders), func(i int) error {
		lines := []stock.Line{one(2)}
		if i < 3 || i%4 == 1 && orders[i] != "order-9" {
			lines = []stock.Line{one(1)} // of which there are ten, for eleven
		}
		return of(s.along(placeOrder, orders[i]).Lock(ctx, orders[i], lines...))
	})
	commits := strings.Count(strings.Join(s.db.Wire.Statements(), "\n"), "COMMIT AND")
	require.Less(t, commits, 20, "transactions for 40 Locks")
	held := 0
	for i, order := range orders {
		hold, row := stock.Unheld, s.rows("shop_order WHERE id = ?", order)
		if is, err := s.Hold(ctx, order); err == nil {
			hold = is.State
		}
		switch {
		case order == "order-7":
			require.Equal(t, uint16(1062), failed(t, errs[i], 0))
			require.Equal(t, stock.Unheld, hold)
		case errs[i] == nil:
			require.Equal(t, 1, row, order)
			require.Equal(t, stock.Locked, hold)
			held++
		default:
			require.ErrorIs(t, errs[i], stock.ErrInsufficient)
			require.Zero(t, row, order)
			require.Equal(t, stock.Unheld, hold)
		}
	}
	require.Equal(t, 38, held, "all but order-7 and one of eleven")
	require.Empty(t, must(s.Audit(ctx))(t).Drifts)
}

// Another transaction keeps one of the shop's rows: the call that needs it waits, and no other.
func TestRowOfAnotherTransactionKeepsNoMergedLockWaiting(t *testing.T) {
	t.Parallel()
	s := withOrders(t, nil)
	ctx := t.Context()
	require.NoError(t, of(s.Restock(ctx, "more", units(1, 990))))
	tx, err := s.db.BeginTx(ctx, nil)
	require.NoError(t, err)
	require.NoError(t, of(tx.ExecContext(ctx, placeOrder, "order-13")))
	var kept <-chan error
	errs := suite.Together(100, func(i int) error {
		order := fmt.Sprint("order-", i)
		call := func() error { return of(s.along(placeOrder, order).Lock(ctx, order, one(1))) }
		if i == 13 {
			kept = going(call)
			return nil
		}
		return call()
	})
	for i, err := range errs {
		require.NoError(t, err, i)
	}
	select {
	case err := <-kept:
		t.Fatal("it did not wait:", err)
	default:
	}
	require.NoError(t, tx.Rollback())
	require.NoError(t, <-kept)
	require.Equal(t, 100, s.rows("shop_order"))
	s.counters(1, 0, 100, 1000)
}

// Merged Pays and Refunds carry rows too: one that fails refuses its own call.
func TestMergedStepsCarryTheirRows(t *testing.T) {
	t.Parallel()
	s := withOrders(t, nil)
	sqlstore.OneByOne(s.store)
	ctx := t.Context()
	require.NoError(t, of(s.Restock(ctx, "more", units(1, 90))))
	orders := names(40)
	for i, order := range orders {
		require.NoError(t, of(s.Lock(ctx, order, one(1))))
		if i != 7 {
			require.NoError(t, of(s.db.ExecContext(ctx, placeOrder, order)))
		}
	}
	require.NoError(t, of(s.along(markPaid, orders[9]).Pay(ctx, orders[9])))
	require.NoError(t, of(s.db.ExecContext(ctx, "UPDATE shop_order SET status = 'sent' WHERE id = ?", orders[9])))
	pay := func(i int) error {
		_, err := s.On(s.store.Along(markPaid, orders[i]).Affects(1)).Pay(ctx, orders[i])
		return err
	}
	s.db.Wire.Statements()
	for i, err := range s.behindOne(s.blockItem(1), len(orders), pay) {
		if i == 7 {
			var affected *sqlstore.AffectedError
			require.ErrorAs(t, err, &affected)
			require.Zero(t, affected.Got)
			continue
		}
		require.NoError(t, err)
	}
	require.Less(t, strings.Count(strings.Join(s.db.Wire.Statements(), "\n"), "COMMIT AND"), 20, "transactions for 40 Pays")
	require.Equal(t, 38, s.rows("shop_order WHERE status = 'paid'"))
	require.Equal(t, 1, s.rows("shop_order WHERE status = 'sent'"), "a replay runs no row")
	s.counters(1, 39, 1, 61)

	refund := func(i int) error {
		return of(s.along(note, orders[i]).Refund(ctx, stock.Refund{ID: "r" + orders[i], Order: orders[i], Restock: true}))
	}
	for i, err := range s.behindOne(s.blockItem(1), len(orders), refund) {
		if i == 7 {
			require.ErrorIs(t, err, stock.ErrNotPaid)
			continue
		}
		require.NoError(t, err)
	}
	require.Equal(t, 39, s.rows("shop_note"))
	s.counters(1, 0, 1, 100)
}
