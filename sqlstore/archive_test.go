package sqlstore_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// served has orders of buyer 7 served, each with two lines, of which a unit was refunded and kept, and lets their deadlines pass.
func (s *shop) served(orders ...string) {
	s.t.Helper()
	ctx := s.t.Context()
	for _, order := range orders {
		require.NoError(s.t, of(s.For("7").Take(ctx, order, units(1, 2), one(2))))
		require.NoError(s.t, of(s.Redeem(ctx, order)))
		refund := stock.Refund{ID: "of " + order, Order: order, Lines: []stock.Line{one(1)}, Redeemed: true}
		require.NoError(s.t, of(s.Refund(ctx, refund)))
	}
	s.db.Wire.Advance(2 * stock.DefaultHoldFor)
}

// archive archives what is finished by now.
func (s *shop) archive() error {
	return readAll(s.Archive(s.t.Context(), start.Add(2*stock.DefaultHoldFor), stock.Filter{}, nil))
}

// An Archive loses its connection at each statement, asked or answered. The same call goes on, nothing is counted twice, and what is
// left of an order is one row.
func TestArchiveLosesItsConnection(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	s.served("a")
	for n, match := range []string{
		"START TRANSACTION", "LINE_NO = 1 ORDER BY", "LINE_NO IN (1, 2)", "FROM goods_stock_refund", "STRAIGHT_JOIN goods_stock_refund",
		"STRAIGHT_JOIN goods_stock_hold t", "SET LINE_NUM = 1", "ARCHIVE_NUM", "INSERT INTO goods_stock_change",
	} {
		kind := sqltest.FaultKind(n % 2)
		s.db.Wire.After("FROM goods_stock_hold FORCE INDEX (goods_stock_hold_due)", func() {
			s.db.Wire.Inject(sqltest.Fault{Match: match, Kind: kind})
		})
		require.ErrorIs(t, s.archive(), stock.ErrUnavailable, match)
		require.Empty(t, must(s.Audit(t.Context()))(t).Drifts, match)
	}
	s.db.Wire.After("ARCHIVE_NUM", func() { s.db.Wire.Inject(sqltest.Fault{Match: "COMMIT AND", Kind: sqltest.LostReply}) })
	require.ErrorIs(t, s.archive(), stock.ErrUnknown)
	require.NoError(t, s.archive())
	s.counters(1, 2, 0, 8)
	require.Equal(t, 1, value[int](t, s.db, "SELECT COUNT(*) FROM goods_stock_hold"))
	require.Zero(t, value[int](t, s.db, "SELECT COUNT(*) FROM goods_stock_refund"))
	require.Equal(t, stock.Usage{Bought: 2}, must(s.For("7").Usage(t.Context(), stock.Key{SKU: 1}))(t))
}

// The place of an order in the queue of its item goes with it. Those of orders that are not finished stay.
func TestArchiveTakesPlacesInQueuesAlong(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	ctx := t.Context()
	require.NoError(t, of(s.Define(ctx, stock.Key{SKU: 9}, 0, stock.Terms{Backorder: 5})))
	for _, order := range []string{"a", "b", "c"} {
		require.NoError(t, of(s.Take(ctx, order, one(9), one(2))))
	}
	require.NoError(t, of(s.Restock(ctx, "more", units(9, 2))))
	for _, order := range []string{"a", "b"} {
		require.NoError(t, of(s.Redeem(ctx, order)))
	}
	s.db.Wire.Advance(2 * stock.DefaultHoldFor)
	require.NoError(t, s.archive())
	require.Equal(t, "c", value[string](t, s.db, "SELECT GROUP_CONCAT(ORDER_NO) FROM goods_stock_backorder"))
	require.ErrorIs(t, of(s.Refund(ctx, stock.Refund{ID: "r", Order: "a"})), stock.ErrArchived)
	require.NoError(t, of(s.Restock(ctx, "last", one(9))))
	require.NoError(t, of(s.Redeem(ctx, "c")))
	require.Empty(t, must(s.Audit(ctx))(t).Drifts)
}

// A transaction that archives has locked nothing but its orders, and what their buyer has: orders before and behind them are locked,
// refunded and cancelled meanwhile. Orders that somebody else works on are left for the next call.
func TestArchiveKeepsNobodyWaiting(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	ctx := t.Context()
	s.served("b", "d", "f")
	require.NoError(t, of(s.Take(ctx, "e", one(3))))
	releaseOrder := s.block("SELECT 1 FROM goods_stock_hold WHERE ORDER_NO = 'd' AND LINE_NO = 1 FOR UPDATE") // and no gap
	releaseBuyer := s.block("SELECT 1 FROM goods_stock_buyer WHERE SKU_ID = 1 AND ACTIVITY_ID = 0 AND BUYER_ID = '7' FOR UPDATE")
	answer := going(s.archive)
	for value[int](t, s.db, "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND INFO LIKE '%ARCHIVE_NUM%'") < 2 {
		require.Empty(t, answer, "it has not come so far")
	}
	other := stock.New(sqlstore.NewStock(elsewhere(t, s.db).DB, nil), nil)
	for _, order := range []string{"a", "c", "g"} {
		require.NoError(t, of(other.Lock(ctx, order, one(1), one(2))))
	}
	require.NoError(t, of(other.Cancel(ctx, "c")))
	require.NoError(t, of(other.Refund(ctx, stock.Refund{ID: "of e", Order: "e", Restock: true})))
	releaseBuyer()
	if err := <-answer; err != nil { // it waits for no row for long
		require.True(t, stock.Retryable(err), err)
		require.NoError(t, s.archive())
	}
	for order, want := range map[string]stock.State{"b": stock.Archived, "d": stock.Redeemed, "f": stock.Archived} {
		require.Equal(t, want, must(s.Hold(ctx, order))(t).State, order)
	}
	releaseOrder()
	require.NoError(t, s.archive())
	require.Equal(t, stock.Archived, must(s.Hold(ctx, "d"))(t).State)
	// The orders b, d and f with 2 units each, and c, which was cancelled.
	require.Equal(t, "4 6", value[string](t, s.db, fmt.Sprintf("SELECT CONCAT(HOLD_NUM, ' ', SALE_NUM) FROM goods_stock_change"+
		" WHERE KIND = %d AND SKU_ID = 1", stock.KindArchive)))
	require.Empty(t, must(s.Audit(ctx))(t).Drifts)
}

// In a transaction of the caller an Archive would keep its locks until that ends.
func TestArchiveRefusesTheTransactionOfACaller(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	s.served("a")
	tx := must(s.db.BeginTx(t.Context(), nil))(t)
	inv := s.On(s.store.WithTx(tx))
	require.ErrorIs(t, readAll(inv.Archive(t.Context(), start.Add(2*stock.DefaultHoldFor), stock.Filter{}, nil)), stock.ErrInvalid)
	require.NoError(t, tx.Rollback())
	row := s.On(s.store.Along("INSERT INTO shop_order (id) VALUES (?)", "a"))
	require.ErrorIs(t, readAll(row.Archive(t.Context(), start.Add(2*stock.DefaultHoldFor), stock.Filter{}, nil)), stock.ErrInvalid)
}
