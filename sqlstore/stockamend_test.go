package sqlstore_test

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/stock"
)

// amendAs returns an amendment of an order to other lines.
func amendAs(id, order string, lines ...stock.Line) stock.Amendment {
	return stock.Amendment{ID: id, Order: order, Lines: lines}
}

// A connection that is lost at each statement of an Amend: before the COMMIT nothing is done, at the COMMIT nobody knows, and the
// same call settles it. RedeemPart and PutBack take the same way.
func TestAmendLosesItsConnection(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	require.NoError(t, of(s.Restock(t.Context(), "more", units(1, 90), units(2, 90))))
	inv := s.For("7")
	for i, match := range []string{
		"START TRANSACTION", "h.FENCE = h.FENCE + 1", "INSERT INTO goods_stock_change", "INSERT INTO goods_stock_buyer", "b.HOLD_NUM FROM",
		"goods_stock s", "s.STOCK_LEFT_NUM = ", "COMMIT AND",
	} {
		for _, kind := range []sqltest.FaultKind{sqltest.LostRequest, sqltest.LostReply} {
			name, order := fmt.Sprint(match, kind), fmt.Sprint("order-", i, kind)
			require.NoError(t, of(inv.Lock(t.Context(), order, one(1))))
			amend := amendAs(order, order, units(1, 2), one(2))
			s.db.Wire.Inject(sqltest.Fault{Match: match, Kind: kind})
			_, err := inv.Amend(t.Context(), amend)
			require.True(t, err != nil && stock.Retryable(err), "%s: %v", name, err)
			require.Equal(t, match == "COMMIT AND", errors.Is(err, stock.ErrUnknown), "%s: %v", name, err)
			hold := must(inv.Amend(t.Context(), amend))(t, name)
			require.Equal(t, amend.Lines, hold.Asked(), name)
			require.Equal(t, match == "COMMIT AND" && kind == sqltest.LostReply, hold.Replay, name)
			require.NoError(t, of(s.Cancel(t.Context(), order)))
		}
	}
	s.counters(1, 0, 0, 100)
	s.counters(2, 0, 0, 100)
}

// Amendments that wait for one item share transactions, and each has its own answer: one asks for too much, one comes twice.
func TestMergedAmendsShareTransactions(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	require.NoError(t, of(s.Restock(t.Context(), "more", units(1, 90), units(2, 90))))
	orders := names(60)
	for _, order := range orders {
		require.NoError(t, of(s.For("of "+order).Lock(t.Context(), order, one(2))))
	}
	s.db.Wire.Statements()
	release := s.blockItem(1)
	errs := s.behindOne(func() { s.awaitQueue(60); release() }, 61, func(i int) error {
		order, num := orders[i%60], int64(1)
		if i == 30 {
			num = 1000
		}
		return of(s.Amend(t.Context(), amendAs(order, order, units(1, num))))
	})
	commits := strings.Count(strings.Join(s.db.Wire.Statements(), "\n"), "COMMIT AND")
	require.Less(t, commits, 30, "transactions of 60 amendments")
	for i, err := range errs {
		if i == 30 {
			require.ErrorIs(t, err, stock.ErrInsufficient)
			continue
		}
		require.NoError(t, err, i)
	}
	s.counters(1, 0, 59, 100)
	s.counters(2, 0, 1, 100)
	require.Equal(t, stock.Usage{Held: 1, Holds: 1}, must(s.For("of "+orders[1]).Usage(t.Context(), stock.Key{SKU: 1}))(t))
}

// A row of the shop goes with its amendment, or neither does, alone and in a batch.
func TestAmendCarriesRows(t *testing.T) {
	t.Parallel()
	s := withOrders(t, nil)
	orders := names(8)
	for _, order := range orders {
		require.NoError(t, of(s.along(placeOrder, order).Lock(t.Context(), order, one(2))))
	}
	errs := s.behindOne(s.blockItem(1), len(orders), func(i int) error {
		amend := amendAs(orders[i], orders[i], one(1))
		if i == 5 {
			amend.Lines = units2(2, 100)
		}
		amend.Pay = true
		return of(s.along(markPaid, orders[i]).Amend(t.Context(), amend))
	})
	for i, err := range errs {
		if i == 5 {
			require.ErrorIs(t, err, stock.ErrInsufficient)
		} else {
			require.NoError(t, err, i)
		}
		paid := s.rows("shop_order WHERE id = ? AND status = 'paid'", orders[i])
		require.Equal(t, i != 5, paid == 1, i)
	}
	s.counters(1, 7, 0, 3)
}

// units2 is several units of a SKU as lines.
func units2(sku, num int64) []stock.Line { return []stock.Line{{SKU: sku, Num: num}} }

// Callers' transactions swap two items in opposite directions: they may meet in a deadlock as any two transactions do that lock twice,
// but never within one call.
func TestAmendInCallersTransactionsMeetsNoDeadlock(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	require.NoError(t, of(s.Restock(t.Context(), "more", units(1, 90), units(2, 90))))
	for w := range 8 {
		require.NoError(t, of(s.Lock(t.Context(), fmt.Sprintf("%06d", w), one(int64(w%2+1)), one(3))))
	}
	noneStartsOver(t, s.db, 8, 40, func(tx *sql.Tx, i int) error {
		order := fmt.Sprintf("%06d", i%8)
		lines := []stock.Line{one(int64((i/8+i)%2 + 1)), one(3)}
		return of(s.On(s.store.WithTx(tx)).Amend(t.Context(), amendAs(fmt.Sprint(i), order, lines[:1+i/8%2]...)))
	})
	require.Empty(t, must(s.Audit(t.Context()))(t).Drifts)
}
