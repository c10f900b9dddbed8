package sqlstore_test

import (
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// waits demands that a call is still waiting when a statement like this is under way in the server: that of no other call, for
// the list may have one for a moment after its answer.
func waits(t testing.TB, db *sqltest.DB, answer <-chan error, like string) {
	t.Helper()
	const statements = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND INFO LIKE ?"
	for n := 0; n == 0; {
		n = value[int](t, db, statements, like)
		select {
		case err := <-answer:
			require.FailNow(t, "it was answered while the first call was under way", "%v", err)
		default:
		}
	}
}

// twice makes a call, and again while it is under way: both wait, each with a statement of its own, and are done when the
// transaction that is in their way has committed.
func twice(t testing.TB, db *sqltest.DB, inTheWay *sql.Tx, call func() error, like string, again func() error, likeAgain string) {
	t.Helper()
	first := going(call)
	waits(t, db, first, like)
	second := going(again)
	waits(t, db, second, likeAgain)
	require.NoError(t, inTheWay.Commit())
	require.NoError(t, <-first)
	require.NoError(t, <-second)
}

// The first call may be one whose caller has been told ErrUnknown. The same call elsewhere is not refused for good while that
// one is under way: it would take effect after the refusal.
func TestLockIsNotRefusedWhileTheSameIsUnderWay(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string]*sqlstore.Options{"merged": nil, "unmerged": {Unmerged: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t, nil)
			ctx := t.Context()
			s.db.Wire.Freeze(start)
			require.NoError(t, of(s.Withdraw(ctx, "all but one", stock.Line{SKU: 1, Num: 9})))
			require.NoError(t, of(s.Lock(ctx, "b", one(1))))
			first := s.process(opts).Inventory
			second := s.process(nil).Inventory
			for _, order := range []string{"refused", "refused, out of the memory"} {
				require.ErrorIs(t, of(second.Lock(ctx, order, one(1))), stock.ErrInsufficient)
			}
			tx := must(s.db.BeginTx(ctx, nil))(t)
			require.NoError(t, of(s.On(s.store.WithTx(tx)).Cancel(ctx, "b")))

			lock := func(inv *stock.Inventory) func() error { return func() error { return of(inv.Lock(ctx, "a", one(1))) } }
			twice(t, s.db, tx, lock(first), "UPDATE goods_stock s SET s.STOCK_LOCK_NUM = s.STOCK_LOCK_NUM + 1%",
				lock(second), "INSERT INTO goods_stock_hold %")
			s.counters(1, 0, 1, 1)
		})
	}
}

func TestClaimIsNotRefusedWhileTheSameIsUnderWay(t *testing.T) {
	t.Parallel()
	m := openMall(t, nil)
	ctx := t.Context()
	m.define(1, coupon.Rules{})
	held := must(m.For("8").Lock(ctx, "b", 1))(t)
	first, _ := m.process(nil)
	second, _ := m.process(nil)
	require.ErrorIs(t, of(second.For("9").Claim(ctx, "refused", 1)), stock.ErrInsufficient)
	require.NoError(t, of(m.Cancel(ctx, held.ID))) // in another process, so the second does not know
	tx := must(m.db.BeginTx(ctx, nil))(t)
	value[int](t, tx, "SELECT 1 FROM coupon_stock WHERE SKU_ID = 1 AND ACTIVITY_ID = 0 FOR UPDATE")

	claim := func(c *coupon.Coupons) func() error { return func() error { return of(c.For("7").Claim(ctx, "a", 1)) } }
	twice(t, m.db, tx, claim(first), "UPDATE coupon_stock s SET s.STOCK_SALE_NUM = s.STOCK_SALE_NUM + 1%",
		claim(second), "INSERT INTO coupon_stock_hold %")
	m.balanced(1, 1)
}

// The same for an operator's change: it was asked for when there was enough, and gets its turn when there is again.
func TestWithdrawIsNotRefusedWhileTheSameIsUnderWay(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	ctx := t.Context()
	require.NoError(t, of(s.Withdraw(ctx, "all but two", stock.Line{SKU: 1, Num: 8})))
	s.lock("d", one(1))
	first, second := s.process(nil), s.process(nil)
	tx := must(s.db.BeginTx(ctx, nil))(t)
	first.db.Wire.Before("INSERT INTO goods_stock_change", func() { // it has seen the unit that is there
		s.lock("c", one(1))
		_, err := s.On(s.store.WithTx(tx)).Cancel(ctx, "d")
		if err != nil {
			t.Error(err)
		}
	})
	withdraw := func(inv *shop) func() error { return func() error { return of(inv.Withdraw(ctx, "w", one(1))) } }
	twice(t, s.db, tx, withdraw(first), "UPDATE goods_stock s FORCE INDEX (PRIMARY) SET s.STOCK_TOTAL_NUM = s.STOCK_TOTAL_NUM + -1%",
		withdraw(second), "SELECT % FROM goods_stock_change % FOR UPDATE") // none is there now
	s.counters(1, 0, 1, 1)
}
