package sqlstore_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// shared is a shop with tables of its own and enough units for many batches.
func shared(t *testing.T) *shop {
	t.Helper()
	s := withOrders(t, nil)
	sqlstore.OneByOne(s.store)
	for sku := int64(1); sku <= 3; sku++ {
		require.NoError(t, of(s.Restock(t.Context(), fmt.Sprint("more of ", sku), units(sku, 990))))
	}
	return s
}

// losing makes calls, of which all but the first are a batch that loses its connection at a statement. It returns which
// are done all the same. TiDB may have rolled the batch back before, and then its calls go alone and one of them loses it.
func (s *shop) losing(match string, kind sqltest.FaultKind, n int, call func(i int) error) (done []bool) {
	s.t.Helper()
	calls := make([]func() error, n)
	for i := range calls {
		calls[i] = func() error { return call(i) }
	}
	release := s.blockItem(1)
	errs := s.together(func() {
		s.db.Wire.After("COMMIT AND", func() { s.db.Wire.Inject(sqltest.Fault{Match: match, Kind: kind}) }) // of the first
		release()
	}, calls...)
	require.NoError(s.t, errs[0], match)
	want := stock.ErrUnavailable
	if match == "COMMIT AND" {
		want = stock.ErrUnknown
	}
	lost := count(errs, want)
	require.True(s.t, lost == n-1 || sqltest.TiDB() && lost > 0, "%s: %v", match, errs)
	require.Equal(s.t, n-lost, count(errs, nil), "%s: %v", match, errs)
	for _, err := range errs {
		done = append(done, err == nil || match == "COMMIT AND" && kind == sqltest.LostReply)
	}
	return done
}

// faultsOf returns how a statement can lose its connection. Those of the shop are prepared first, which the wire does not answer.
func faultsOf(match string) []sqltest.FaultKind {
	if strings.Contains(match, "shop_order") {
		return []sqltest.FaultKind{sqltest.LostRequest}
	}
	return []sqltest.FaultKind{sqltest.LostRequest, sqltest.LostReply}
}

// A mixed batch of Locks with rows of the shop loses its connection at each statement, asked or answered. Before the COMMIT
// nothing is done, and what the COMMIT leaves open is settled by the same call or by Resolve. There is a row where there is a
// hold.
func TestMixedLocksWithRowsLoseTheirConnection(t *testing.T) {
	t.Parallel()
	s := shared(t)
	for _, match := range []string{"START TRANSACTION", "INSERT INTO shop_order", "INSERT INTO goods_stock_hold",
		"INSERT INTO goods_stock_buyer", "UPDATE goods_stock s", "COMMIT AND"} {
		for _, kind := range faultsOf(match) {
			orders := names(7)
			for i := range orders {
				orders[i] += fmt.Sprint(match, kind)
			}
			lock := func(i int) error {
				lines := []stock.Line{one(1), one(2), one(3)}[:1+i%3]
				return of(s.along(placeOrder, orders[i]).For(fmt.Sprint(i)).Lock(t.Context(), orders[i], lines...))
			}
			done := s.losing(match, kind, len(orders), lock)
			for i, order := range orders {
				want := stock.Locked
				switch {
				case i%2 == 0: // the same call settles it
					require.NoError(t, lock(i), match)
				case !done[i]: // or it can never be there
					want = stock.Cancelled
				}
				require.Equal(t, want, must(s.Resolve(t.Context(), order))(t).State, match)
				require.Equal(t, want == stock.Locked, s.rows("shop_order WHERE id = ?", order) == 1, match)
			}
			require.Empty(t, must(s.Audit(t.Context()))(t).Drifts, match)
		}
	}
}

// Pays of carts with the status of their orders lose their connection likewise.
func TestMergedPaysWithRowsLoseTheirConnection(t *testing.T) {
	t.Parallel()
	s := shared(t)
	for _, match := range []string{"UPDATE shop_order", "LINE_NO = 1", "SET STATE = 2", "STRAIGHT_JOIN goods_stock s", "COMMIT AND"} {
		for _, kind := range faultsOf(match) {
			orders := names(7)
			for i := range orders {
				orders[i] += fmt.Sprint(match, kind)
			}
			for i, order := range orders {
				lines := []stock.Line{one(1), one(2), one(3)}[:1+i%3]
				require.NoError(t, of(s.along(placeOrder, order).For(fmt.Sprint(i)).Lock(t.Context(), order, lines...)))
			}
			pay := func(i int) error { return of(s.along(markPaid, orders[i]).Pay(t.Context(), orders[i])) }
			done := s.losing(match, kind, len(orders), pay)
			for i, order := range orders {
				want := stock.Paid
				switch {
				case i%2 == 0:
					require.NoError(t, pay(i), match)
				case !done[i]: // Resolve leaves it as it is
					want = stock.Locked
				}
				require.Equal(t, want, must(s.Resolve(t.Context(), order))(t).State, match)
				require.Equal(t, want == stock.Paid, s.rows("shop_order WHERE id = ? AND status = 'paid'", order) == 1, match)
			}
			require.Empty(t, must(s.Audit(t.Context()))(t).Drifts, match)
		}
	}
}
