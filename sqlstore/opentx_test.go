package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// levels are the isolation levels of a caller's transaction.
func levels() []sql.IsolationLevel {
	return []sql.IsolationLevel{sql.LevelRepeatableRead, sql.LevelReadCommitted}
}

// impatient is a DSN whose statements wait for a row for a second only.
func impatient() sqltest.Variant {
	return sqltest.Variant{Name: "Impatient", Apply: func(c *mysql.Config) { c.Params["innodb_lock_wait_timeout"] = "1" }}
}

// txCall is a call in a caller's transaction, in the shop of busyShop.
type txCall struct {
	name string
	want error // nil: it takes effect
	call func() error
}

// txCalls are calls of each kind, whose orders and items are there or not.
func txCalls(ctx context.Context, in *stock.Inventory) []txCall {
	later := start.AddDate(1, 0, 0)
	first, unknown := stock.Key{SKU: 1}, stock.Key{SKU: 40}
	refund := func(id, order string, lines ...stock.Line) error {
		return of(in.Refund(ctx, stock.Refund{ID: id, Order: order, Restock: true, Lines: lines}))
	}
	rest := stock.TransferLeg{SKU: 1, To: 1, Num: stock.Rest}
	return []txCall{
		{"Lock that is admitted", nil, func() error { return of(in.Lock(ctx, "m-new", one(1))) }},
		{"Lock for a buyer", nil, func() error { return of(in.For("50").Lock(ctx, "m-new", one(1), one(2))) }},
		{"Lock that is refused", stock.ErrInsufficient, func() error { return of(in.Lock(ctx, "m-new", units(1, 1000))) }},
		{"Lock that is refused for a buyer", stock.ErrInsufficient, func() error {
			return of(in.For("50").Lock(ctx, "m-new", units(1, 1000), units(2, 1000)))
		}},
		{"Lock that a limit refuses", stock.ErrPerBuyer, func() error { return of(in.For("50").Lock(ctx, "m-new", units(3, 2))) }},
		{"Lock again", nil, func() error { return of(in.Lock(ctx, "m-locked", one(1))) }},
		{"Lock again with other lines", stock.ErrMismatch, func() error { return of(in.Lock(ctx, "m-locked", one(2))) }},
		{"Take for a buyer", nil, func() error { return of(in.For("7").Take(ctx, "m-new", one(3))) }},
		{"Take that is refused", stock.ErrInsufficient, func() error { return of(in.Take(ctx, "m-new", units(1, 1000))) }},
		{"Pay", nil, func() error { return of(in.Pay(ctx, "m-locked")) }},
		{"Pay of two lines", nil, func() error { return of(in.Pay(ctx, "m-two")) }},
		{"Pay again", nil, func() error { return of(in.Pay(ctx, "m-paid")) }},
		{"Pay that is late", stock.ErrExpired, func() error { return of(in.Pay(ctx, "m-dead")) }},
		{"Pay of an unknown order", stock.ErrNotFound, func() error { return of(in.Pay(ctx, "m-none")) }},
		{"Cancel", nil, func() error { return of(in.Cancel(ctx, "m-locked")) }},
		{"Cancel of two lines", nil, func() error { return of(in.Cancel(ctx, "m-two")) }},
		{"Cancel of an unknown order", nil, func() error { return of(in.Cancel(ctx, "m-none")) }},
		{"Cancel that hands over", nil, func() error { return of(in.Cancel(ctx, "m-has")) }},
		{"Cancel of one that waits", nil, func() error { return of(in.Cancel(ctx, "m-waits")) }},
		{"Wait", nil, func() error { return of(in.For("50").Wait(ctx, "m-new", one(7))) }},
		{"Wait that gets its units", nil, func() error { return of(in.For("50").Wait(ctx, "m-new", one(1))) }},
		{"Redeem", nil, func() error { return of(in.Redeem(ctx, "m-paid")) }},
		{"Redeem of an unknown order", stock.ErrNotFound, func() error { return of(in.Redeem(ctx, "m-none")) }},
		{"Hold", nil, func() error { return of(in.Hold(ctx, "m-two")) }},
		{"Hold of an unknown order", stock.ErrNotFound, func() error { return of(in.Hold(ctx, "m-none")) }},
		{"Extend", nil, func() error { return of(in.Extend(ctx, "m-two", later)) }},
		{"Extend of an unknown order", stock.ErrNotFound, func() error { return of(in.Extend(ctx, "m-none", later)) }},
		{"Resolve", nil, func() error { return of(in.Resolve(ctx, "m-two")) }},
		{"Resolve of an unknown order", nil, func() error { return of(in.Resolve(ctx, "m-none")) }},
		{"Refund", nil, func() error { return refund("m-new", "m-paid", one(1)) }},
		{"Refund of two lines", nil, func() error { return refund("m-new", "m-paid-two") }},
		{"Refund again", nil, func() error { return refund("m-refund", "m-refunded") }},
		{"Refund of too much", stock.ErrOverRefund, func() error { return refund("m-new", "m-paid", units(1, 9)) }},
		{"Refund of an unknown order", stock.ErrNotFound, func() error { return refund("m-new", "m-none") }},
		{"Amend", nil, func() error {
			return of(in.Amend(ctx, amendAs("m-new", "m-two", units(1, 2), one(2), stock.Line{SKU: 2, Activity: 1, Num: 1})))
		}},
		{"Amend to fewer lines", nil, func() error { return of(in.Amend(ctx, amendAs("m-new", "m-two", one(2)))) }},
		{"Amend for another buyer", nil, func() error {
			return of(in.Amend(ctx, stock.Amendment{ID: "m-new", Order: "m-two", Buyer: "50", Pay: true}))
		}},
		{"Amend to another number", nil, func() error {
			return of(in.Amend(ctx, stock.Amendment{ID: "m-new", Order: "m-two", NewOrder: "m-new"}))
		}},
		{"Amend to a number that is known", stock.ErrMismatch, func() error {
			return of(in.Amend(ctx, stock.Amendment{ID: "m-new", Order: "m-two", NewOrder: "m-locked"}))
		}},
		{"Amend that is refused", stock.ErrInsufficient, func() error { return of(in.Amend(ctx, amendAs("m-new", "m-two", units(1, 1000)))) }},
		{"Amend that is refused for a buyer", stock.ErrInsufficient, func() error {
			return of(in.Amend(ctx, amendAs("m-new", "m-buyers", one(6), units(1, 1000))))
		}},
		{"Amend that is refused for another buyer", stock.ErrPerBuyer, func() error {
			return of(in.Amend(ctx, stock.Amendment{ID: "m-new", Order: "m-buyers", Buyer: "50", Lines: []stock.Line{units(3, 2)}}))
		}},
		{"Amend of an unknown order", stock.ErrNotFound, func() error { return of(in.Amend(ctx, amendAs("m-new", "m-none", one(1)))) }},
		{"RedeemPart", nil, func() error { return of(in.RedeemPart(ctx, "m-new", "m-paid-two", one(1))) }},
		{"PutBack of an unknown refund", stock.ErrNotFound, func() error { return of(in.PutBack(ctx, "m-none")) }},
		{"PutBack of what is on sale", nil, func() error { return of(in.PutBack(ctx, "m-refund")) }},
		{"Item", nil, func() error { return of(in.Item(ctx, first)) }},
		{"Item of an unknown SKU", stock.ErrUnknownSKU, func() error { return of(in.Item(ctx, unknown)) }},
		{"Define", nil, func() error { return of(in.Define(ctx, unknown, 1, stock.Terms{})) }},
		{"Define of what is there", nil, func() error { return of(in.Define(ctx, first, 100, stock.Terms{PerOrder: 5000})) }},
		{"Define with another total", stock.ErrMismatch, func() error { return of(in.Define(ctx, first, 1, stock.Terms{})) }},
		{"DefineAll", nil, func() error {
			there := stock.Item{Key: first, Quantities: stock.Quantities{Total: 100}}
			return of(suite.Gather(in.DefineAll(ctx, there, stock.Item{Key: unknown})))
		}},
		{"ChangeTerms", nil, func() error {
			return of(in.ChangeTerms(ctx, first, func(stock.Item) (stock.Terms, error) { return stock.Terms{PerOrder: 5000}, nil }))
		}},
		{"Count", nil, func() error { return of(in.Count(ctx, "m-new", first, 5000)) }},
		{"Check", nil, func() error { return of(in.Check(ctx, one(first.SKU), one(unknown.SKU))) }},
		{"Check for a buyer", nil, func() error { return of(in.For("50").Check(ctx, one(6), one(unknown.SKU))) }},
		{"Usage of an unknown SKU", stock.ErrUnknownSKU, func() error { return of(in.For("50").Usage(ctx, unknown)) }},
		{"Items", stock.ErrUnknownSKU, func() error { return of(suite.Gather(in.Items(ctx, unknown, first))) }},
		{"Restock", nil, func() error { return of(in.Restock(ctx, "m-new", one(1), one(2))) }},
		{"Restock again", nil, func() error { return of(in.Restock(ctx, "m-change", one(1))) }},
		{"Withdraw of too much", stock.ErrInsufficient, func() error { return of(in.Withdraw(ctx, "m-new", units(1, 1000))) }},
		{"Transfer", nil, func() error { return of(in.Transfer(ctx, "m-new", rest)) }},
		{"Expire", nil, func() error { return of(in.Expire(ctx)) }},
	}
}

// Whatever a call in an open transaction finds or misses, only what it names is locked: orders, items, refunds and
// changes of others go on beside it.
func TestOpenTransactionLocksNothingBesideItsRows(t *testing.T) {
	t.Parallel()
	for _, level := range levels() {
		for i, c := range txCalls(t.Context(), nil) {
			t.Run(level.String()+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				s := busyShop(t)
				tx := must(s.db.BeginTx(t.Context(), &sql.TxOptions{Isolation: level}))(t)
				defer func() { _ = tx.Rollback() }()
				require.ErrorIs(t, txCalls(t.Context(), s.On(s.store.WithTx(tx)))[i].call(), c.want)
				s.othersGoOn(5, "a", "m-m", "z")
				require.NoError(t, tx.Rollback())
			})
		}
	}
}

// busyShop returns a shop with orders in every state, all beginning with m.
func busyShop(t *testing.T) *shop {
	t.Helper()
	f := frozen(t, impatient(), stockTables)
	store := sqlstore.NewStock(f.db.DB, nil)
	s := &shop{Inventory: stock.New(store, nil), fixture: f, store: store}
	ctx := t.Context()
	for _, sku := range []int64{1, 2, 3, 5, 6} {
		terms := stock.Terms{}
		if sku == 3 {
			terms.PerBuyer = 1
		}
		require.NoError(t, of(s.Define(ctx, stock.Key{SKU: sku}, 100, terms)))
	}
	require.NoError(t, of(s.Define(ctx, stock.Key{SKU: 1, Activity: 1}, 0, stock.Terms{})))
	require.NoError(t, of(s.Define(ctx, stock.Key{SKU: 2, Activity: 1}, 9, stock.Terms{})))
	require.NoError(t, of(s.Restock(ctx, "m-change", one(1))))
	require.NoError(t, of(s.For("49").Take(ctx, "m-buyer", one(3))))
	for _, order := range []string{"m-dead", "m-locked", "m-paid", "m-refunded"} {
		require.NoError(t, of(s.Lock(ctx, order, one(1))))
		if order == "m-dead" {
			s.db.Wire.Advance(stock.DefaultHoldFor)
		}
	}
	for _, order := range []string{"m-two", "m-paid-two"} {
		require.NoError(t, of(s.Lock(ctx, order, one(1), one(2))))
	}
	require.NoError(t, of(s.For("49").Lock(ctx, "m-buyers", one(1))))
	for _, order := range []string{"m-paid", "m-refunded", "m-paid-two"} {
		require.NoError(t, of(s.Pay(ctx, order)))
	}
	require.NoError(t, of(s.Define(ctx, stock.Key{SKU: 7}, 1, stock.Terms{})))
	require.NoError(t, of(s.Lock(ctx, "m-has", one(7))))
	require.NoError(t, of(s.For("49").Wait(ctx, "m-waits", one(7))))
	require.NoError(t, of(s.Refund(ctx, stock.Refund{ID: "m-refund", Order: "m-refunded", Restock: true})))
	return s
}

// othersGoOn makes calls of every kind beside an open transaction, with names that begin as given: none waits.
func (s *shop) othersGoOn(sku int64, names ...string) {
	s.t.Helper()
	ctx := s.t.Context()
	for i, name := range names {
		require.NoError(s.t, of(s.Lock(ctx, name+"-lock", one(sku))), name)
		require.NoError(s.t, of(s.For(fmt.Sprint(int64(i+1)*40)).Take(ctx, name+"-take", one(sku))), name)
		require.NoError(s.t, of(s.Cancel(ctx, name+"-cancel")), name)
		require.NoError(s.t, of(s.Refund(ctx, stock.Refund{ID: name + "-refund", Order: name + "-take", Restock: true})), name)
		require.NoError(s.t, of(s.Restock(ctx, name+"-restock", one(sku))), name)
		for _, sku := range []int64{0, 20, 60} {
			require.NoError(s.t, of(s.Define(ctx, stock.Key{SKU: sku + int64(i) + 10}, 1, stock.Terms{})), name)
		}
	}
}

// Callers who ask for what is not there, and then go on in the same transaction, never meet in a deadlock.
func TestCallersTransactionsMeetNoDeadlock(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		workers, transactions int
		do                    func(ctx context.Context, in *stock.Inventory, i int) error
	}{
		"the flash pool, else ordinary stock": {16, 320, func(ctx context.Context, in *stock.Inventory, i int) error {
			order := fmt.Sprintf("%06d", i)
			_, err := in.Lock(ctx, order, stock.Line{SKU: 1, Activity: 1, Num: 1})
			if err == nil || sqlstore.Retryable(err) {
				return err
			}
			_, err = in.Lock(ctx, order, one(1))
			return err
		}},
		"orders that never locked are closed": {8, 80, func(ctx context.Context, in *stock.Inventory, i int) error {
			return of(in.Cancel(ctx, fmt.Sprintf("%06d", i)))
		}},
		"new items, 50 at a time": {4, 4, func(ctx context.Context, in *stock.Inventory, i int) error {
			for sku := range int64(50) {
				if _, err := in.Define(ctx, stock.Key{SKU: int64(i)*1000 + 100 + sku}, 5, stock.Terms{}); err != nil {
					return err
				}
			}
			return nil
		}},
		"an order changes its number": {8, 80, func(ctx context.Context, in *stock.Inventory, i int) error {
			if _, err := in.Lock(ctx, fmt.Sprintf("%06d", i), one(2)); err != nil {
				return err
			}
			if _, err := in.Cancel(ctx, fmt.Sprintf("%06d", i)); err != nil {
				return err
			}
			return of(in.Lock(ctx, fmt.Sprintf("%06d#2", i), one(2)))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t, nil)
			s.db.Wire.Freeze(start)
			require.NoError(t, of(s.Restock(t.Context(), "in", units(1, 1000), units(2, 1000))))
			require.NoError(t, of(s.Define(t.Context(), stock.Key{SKU: 1, Activity: 1}, 20, stock.Terms{})))
			noneStartsOver(t, s.db, c.workers, c.transactions, func(tx *sql.Tx, i int) error {
				return c.do(t.Context(), s.On(s.store.WithTx(tx)), i)
			})
		})
	}
}

// A caller's transaction that moves a cart of a buyer takes what the buyer has of all its items before the items, as the Locks beside
// it do. So it never meets them in a deadlock.
func TestCartsInCallersTransactionsMeetNoDeadlockWithARush(t *testing.T) {
	t.Parallel()
	if sqltest.TiDB() {
		t.Skip("of InnoDB alone: TiDB locks the rows of one statement in no order")
	}
	s := open(t, nil)
	s.db.Wire.Freeze(start)
	ctx := t.Context()
	require.NoError(t, of(s.Restock(ctx, "in", units(1, 100_000), units(2, 100_000))))
	const carts = 120
	for i := range carts {
		require.NoError(t, of(s.For("X").Lock(ctx, fmt.Sprint("cart-", i), one(1), one(2))))
	}
	stop := meanwhile(t, 16, func(caller, n int) error {
		order := fmt.Sprint("rush-", caller, "-", n)
		if caller%2 == 0 {
			return of(s.For("Y").Lock(ctx, order, one(1)))
		}
		return of(s.For("X").Lock(ctx, order, one(2)))
	})
	defer stop()
	noneStartsOver(t, s.db, 4, carts, func(tx *sql.Tx, i int) error {
		in := s.On(s.store.WithTx(tx))
		order := fmt.Sprint("cart-", i)
		if i%3 == 0 {
			return of(in.Cancel(ctx, order))
		}
		if err := of(in.Pay(ctx, order)); err != nil || i%3 == 1 {
			return err
		}
		return of(in.Refund(ctx, stock.Refund{ID: order, Order: order, Restock: true, FreesBuyer: true}))
	})
}

// conflicts reports whether the server tells a transaction that has read before to start over where others have changed
// since what it changes (MariaDB, innodb_snapshot_isolation).
func conflicts(t testing.TB, db *sqltest.DB) bool {
	t.Helper()
	var name, value string
	err := db.QueryRowContext(t.Context(), "SHOW VARIABLES LIKE 'innodb_snapshot_isolation'").Scan(&name, &value)
	return err == nil && value == "ON"
}

// What the caller's own statements go by stays as the caller left it.
func TestTransactionKeepsTheCallersInsertIDAndSavepoints(t *testing.T) {
	t.Parallel()
	s := busyShop(t)
	ctx := t.Context()
	for i, c := range append(txCalls(ctx, nil), txCall{name: "Repair"}) {
		tx := must(s.db.BeginTx(ctx, nil))(t)
		in := s.On(s.store.WithTx(tx))
		calls := append(txCalls(ctx, in), txCall{call: func() error { return of(in.Repair(ctx)) }})
		run(t, tx, "SAVEPOINT holdfast", "DO LAST_INSERT_ID(777)")
		require.ErrorIs(t, calls[i].call(), c.want, c.name)
		require.Equal(t, 777, value[int](t, tx, "SELECT LAST_INSERT_ID()"), c.name)
		run(t, tx, "ROLLBACK TO SAVEPOINT holdfast") // which is where the caller set it
		require.NoError(t, tx.Commit())
		require.ErrorIs(t, of(s.Hold(ctx, "m-new")), stock.ErrNotFound, c.name)
	}
}

// A transaction that the server has ended, and whose caller went on, is no place to work in, whatever the handle.
func TestTransactionThatTheServerEndedIsRefused(t *testing.T) {
	t.Parallel()
	for name, wrap := range handles() {
		s := open(t, nil)
		ctx := t.Context()
		require.NoError(t, of(s.Lock(ctx, "locked", one(2))))
		tx := must(s.db.BeginTx(ctx, nil))(t)
		in := s.On(s.store.WithTx(wrap(tx)))
		require.NoError(t, of(in.Lock(ctx, "gone", one(1))))
		_, err := tx.ExecContext(ctx, "ROLLBACK") // as a deadlock does whose error the caller drops
		require.NoError(t, err)

		require.ErrorIs(t, of(in.Take(ctx, "a", one(1))), stock.ErrInvalid, name)
		require.ErrorIs(t, of(in.Pay(ctx, "locked")), stock.ErrInvalid, name)
		require.ErrorIs(t, of(in.Hold(ctx, "nobody")), stock.ErrInvalid, name)
		require.ErrorIs(t, of(s.On(s.store.WithTx(wrap(tx))).Cancel(ctx, "locked")), stock.ErrInvalid, name)
		require.NoError(t, tx.Commit())
		s.counters(1, 0, 0, 10)
		s.counters(2, 0, 1, 10)
	}
}

// preparer prepares each statement and keeps it, as the handle of GORM with PrepareStmt does: it has the transaction in
// its field Tx, and the method by which such a handle is known.
type preparer struct {
	Tx       *sql.Tx
	prepared *int
}

func (p preparer) GetDBConn() (*sql.DB, error) { return nil, sql.ErrConnDone }

func (p preparer) ExecContext(ctx context.Context, q string, args ...any) (sql.Result, error) {
	*p.prepared++
	stmt, err := p.Tx.PrepareContext(ctx, q) //nolint:sqlclosecheck // it keeps them, which is the point
	if err != nil {
		return nil, err
	}
	return stmt.ExecContext(ctx, args...)
}

func (p preparer) QueryContext(ctx context.Context, q string, args ...any) (*sql.Rows, error) {
	*p.prepared++
	stmt, err := p.Tx.PrepareContext(ctx, q) //nolint:sqlclosecheck // it keeps them, which is the point
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}

// hider does the same and hides the transaction.
type hider struct{ sqlstore.Tx }

func TestHandleThatPreparesIsUnwrappedOrRefused(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	ctx := t.Context()
	tx := must(s.db.BeginTx(ctx, nil))(t)
	defer func() { _ = tx.Rollback() }()
	prepared := 0
	for i := range 5 {
		require.NoError(t, of(s.On(s.store.WithTx(&preparer{tx, &prepared})).Lock(ctx, strconv.Itoa(i), one(1))))
	}
	require.Zero(t, prepared, "statements that the handle would keep")

	_, err := s.On(s.store.WithTx(hider{preparer{tx, &prepared}})).Lock(ctx, "hidden", one(1))
	if err != nil { // MariaDB prepares a savepoint
		require.ErrorIs(t, err, stock.ErrInvalid)
		require.ErrorContains(t, err, "*sql.Tx")
	}
	require.NoError(t, tx.Commit())
}

// An account that may not delete gets the same answers: what a refused call has inserted is rolled back.
func TestRefusalsInATransactionNeedNoRightToDelete(t *testing.T) {
	t.Parallel()
	s := busyShop(t)
	ctx := t.Context()
	pool := account(t, s.db, "SELECT, INSERT, UPDATE", "")
	tx := must(pool.BeginTx(ctx, nil))(t)
	defer func() { _ = tx.Rollback() }()
	in := s.On(s.store.WithTx(tx))
	require.NoError(t, of(in.Lock(ctx, "mine", one(5))))
	require.ErrorIs(t, of(in.For("50").Lock(ctx, "refused", units(1, 1000), one(2))), stock.ErrInsufficient)
	require.ErrorIs(t, of(in.Pay(ctx, "unknown")), stock.ErrNotFound)
	require.ErrorIs(t, of(in.Item(ctx, stock.Key{SKU: 40})), stock.ErrUnknownSKU)
	require.ErrorIs(t, of(in.Withdraw(ctx, "too much", units(2, 1000))), stock.ErrInsufficient)
	require.NoError(t, tx.Commit())
	require.Zero(t, value[int](t, s.db, "SELECT (SELECT COUNT(*) FROM goods_stock_hold WHERE ORDER_NO IN ('refused', 'unknown'))"+
		" + (SELECT COUNT(*) FROM goods_stock WHERE SKU_ID = 40) + (SELECT COUNT(*) FROM goods_stock_change"+
		" WHERE CHANGE_NO = 'too much')"))
	s.counters(5, 0, 1, 100)
}
