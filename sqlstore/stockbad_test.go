package sqlstore_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// tries returns how many transactions that could change something have ended since the last look.
func (s *shop) tries() int {
	text := strings.Join(s.db.Wire.Statements(), "\n")
	return strings.Count(text, "COMMIT AND") + strings.Count(text, "ROLLBACK AND")
}

// badOrder is an order that does not go, and why.
type badOrder struct {
	id    string
	buyer string
	line  stock.Line // beside a unit of SKU 1
	want  error
}

// badOrders makes an order of each kind that does not go, and what is in its way.
func (s *shop) badOrders() []badOrder {
	s.t.Helper()
	ctx := s.t.Context()
	now := start.Add(time.Hour)
	for sku, terms := range map[int64]stock.Terms{
		9: {OffShelf: true}, 10: {PerBuyer: 2}, 11: {PerOrder: 3}, 12: {}, 13: {Start: now.Add(time.Hour)}, 14: {End: now}, 15: {LiveHolds: 1},
	} {
		require.NoError(s.t, of(s.Define(ctx, stock.Key{SKU: sku}, 10, terms)))
	}
	brief := stock.New(s.store, &stock.Options{HoldFor: time.Minute})
	require.NoError(s.t, of(brief.Lock(ctx, "swept", one(1), one(4))))
	s.db.Wire.Advance(time.Hour)
	require.Equal(s.t, 1, must(s.Expire(ctx))(s.t))
	s.lock("known", one(1), one(4))
	s.lock("other", one(1), one(4))
	require.NoError(s.t, of(s.Cancel(ctx, "closed")))
	s.lock("rest", units(12, 9))
	require.NoError(s.t, of(s.For("b").Lock(ctx, "of b", units(10, 2), one(15))))
	return []badOrder{
		{id: "known", line: one(4)},
		{id: "other", line: one(5), want: stock.ErrMismatch},
		{id: "swept", line: one(4), want: stock.ErrExpired},
		{id: "closed", line: one(4), want: stock.ErrCancelled},
		{id: "sold out", line: units(12, 2), want: stock.ErrInsufficient},
		{id: "off shelf", line: one(9), want: stock.ErrOffShelf},
		{id: "unknown", line: one(99), want: stock.ErrUnknownSKU},
		{id: "units of b", buyer: "b", line: one(10), want: stock.ErrPerBuyer},
		{id: "holds of b", buyer: "b", line: one(15), want: stock.ErrLiveHolds},
		{id: "nobody", line: one(10), want: stock.ErrBuyerRequired},
		{id: "large", line: units(11, 4), want: stock.ErrPerOrder},
		{id: "early", line: one(13), want: stock.ErrNotStarted},
		{id: "late", line: one(14), want: stock.ErrEnded},
	}
}

// oneMixedBatch locks 256 orders of two items in one batch, behind one that goes alone, with an order of each bad kind among
// them. It returns in how many tries it was done. On is the store of an order.
func (s *shop) oneMixedBatch(bad []badOrder, on func(order string) *sqlstore.Stock) (tries int) {
	s.t.Helper()
	const all = 256
	var calls []func() error
	var want []error
	call := func(id, buyer string, line stock.Line, why error) {
		inv := s.On(on(id))
		if buyer != "" {
			inv = inv.For(buyer)
		}
		calls = append(calls, func() error { return of(inv.Lock(s.t.Context(), id, one(1), line)) })
		want = append(want, why)
	}
	call("first", "", one(2), nil)
	for i := range all - len(bad) {
		if i%16 == 0 && i/16 < len(bad) {
			b := bad[i/16]
			call(b.id, b.buyer, b.line, b.want)
		}
		call(fmt.Sprint("good ", i), fmt.Sprint("buyer ", i%5), one(int64(2+i%7)), nil)
	}
	require.Len(s.t, calls, 1+all)
	s.tries()
	errs := s.together(s.blockItem(1), calls...)
	tries = s.tries() - 1 // that of the first
	for i, err := range errs {
		if want[i] == nil {
			require.NoError(s.t, err, i)
			continue
		}
		require.ErrorIs(s.t, err, want[i], i)
	}
	require.Empty(s.t, must(s.Audit(s.t.Context()))(s.t).Drifts)
	return tries
}

// One order of each kind that does not go: the others go in two tries.
func TestMixedBatchWithOneBadOrderOfEachKind(t *testing.T) {
	t.Parallel()
	s := wide(t, 8)
	bad := s.badOrders()
	before := s.store.Stats()
	tries := s.oneMixedBatch(bad, func(string) *sqlstore.Stock { return s.store })
	require.LessOrEqual(t, tries, 2)
	after := s.store.Stats()
	require.EqualValues(t, 1, after.AloneIdle-before.AloneIdle, "the first")
	require.EqualValues(t, 1, after.Batches-before.Batches)
	require.EqualValues(t, 256, after.Calls-before.Calls)
	require.EqualValues(t, 1, after.Sizes[8]-before.Sizes[8])
	require.EqualValues(t, tries, after.Tries-before.Tries)
	require.Zero(t, after.Waiting)
	require.Zero(t, after.InFlight)
}

// With a row of the shop for each order, and one that the shop has already, it takes ten at most.
func TestMixedBatchWithBadOrdersAndABadRow(t *testing.T) {
	t.Parallel()
	s := withOrders(t, nil)
	sqlstore.OneByOne(s.store)
	for sku := int64(1); sku <= 8; sku++ {
		require.NoError(t, of(s.Define(t.Context(), stock.Key{SKU: sku}, 10, stock.Terms{})))
		require.NoError(t, of(s.Restock(t.Context(), fmt.Sprint("more-", sku), units(sku, 990))))
	}
	bad := append(s.badOrders(), badOrder{id: "row", line: one(5), want: &mysql.MySQLError{Number: 1062}})
	require.NoError(t, of(s.db.ExecContext(t.Context(), placeOrder, "row")))
	tries := s.oneMixedBatch(bad, func(order string) *sqlstore.Stock { return s.store.Along(placeOrder, order) })
	t.Logf("%d tries", tries)
	require.LessOrEqual(t, tries, 10)
	require.EqualValues(t, 1, s.store.Stats().AloneRows)
	require.Equal(t, 256-len(bad)+1+1, s.rows("shop_order"), "of each order that goes, and that which was there")
}

// The driver takes 12 kB at a time here: batches that are larger, or whose rows are, go in a few parts.
func TestBatchLargerThanTheDriverTakesIsHalved(t *testing.T) {
	t.Parallel()
	for _, rows := range []bool{false, true} {
		t.Run(fmt.Sprint("Rows", rows), func(t *testing.T) {
			t.Parallel()
			s := withOrders(t, nil)
			require.NoError(t, of(s.Restock(t.Context(), "more", units(1, 990))))
			small := s.db.As(t, sqltest.Variant{Apply: func(c *mysql.Config) { c.MaxAllowedPacket = 12 << 10 }})
			small.Wire.Freeze(start)
			s.db = small
			s.store = sqlstore.OneByOne(sqlstore.NewStock(small.DB, nil))
			s.Inventory = s.On(s.store)
			orders := names(200)
			for _, call := range []func(inv *stock.Inventory, order string) error{
				func(inv *stock.Inventory, order string) error { return of(inv.Lock(t.Context(), order, one(1))) },
				func(inv *stock.Inventory, order string) error { return of(inv.Pay(t.Context(), order)) },
				func(inv *stock.Inventory, order string) error {
					return of(inv.Refund(t.Context(), stock.Refund{ID: order, Order: order, Restock: true}))
				},
			} {
				var calls []func() error
				for _, order := range orders {
					inv := s.Inventory
					if rows {
						inv = s.along(note, order)
					}
					calls = append(calls, func() error { return call(inv, order) })
				}
				s.tries()
				errs := s.together(s.blockItem(1), calls...)
				require.Equal(t, len(orders), count(errs, nil), "%v", errs[len(errs)-1])
				require.Less(t, s.tries(), 40)
			}
			if rows {
				require.Equal(t, 3*len(orders), s.rows("shop_note"))
			}
			s.counters(1, 0, 0, 1000)
		})
	}
}
