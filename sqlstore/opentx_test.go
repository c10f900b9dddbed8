package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"sync"
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

// Whatever a call in an open transaction finds or misses, only what it names is locked: orders, items, refunds and
// changes of others go on beside it.
func TestOpenTransactionLocksNothingBesideItsRows(t *testing.T) {
	t.Parallel()
	line := func(sku, n int64) stock.Line { return stock.Line{SKU: sku, Num: n} }
	calls := []struct {
		name string
		call func(ctx context.Context, in *stock.Inventory) error
	}{
		{"Lock that is admitted", func(ctx context.Context, in *stock.Inventory) error { return of(in.Lock(ctx, "m-new", one(1))) }},
		{"Lock for a buyer", func(ctx context.Context, in *stock.Inventory) error {
			return of(in.For("50").Lock(ctx, "m-new", one(1), one(2)))
		}},
		{"Lock that is refused", func(ctx context.Context, in *stock.Inventory) error { return of(in.Lock(ctx, "m-new", line(1, 1000))) }},
		{"Lock that is refused for a buyer", func(ctx context.Context, in *stock.Inventory) error {
			return of(in.For("50").Lock(ctx, "m-new", line(1, 1000), line(2, 1000)))
		}},
		{"Lock that a limit refuses", func(ctx context.Context, in *stock.Inventory) error {
			return of(in.For("50").Lock(ctx, "m-new", line(3, 2)))
		}},
		{"Lock again", func(ctx context.Context, in *stock.Inventory) error { return of(in.Lock(ctx, "m-locked", one(1))) }},
		{"Lock again with other lines", func(ctx context.Context, in *stock.Inventory) error { return of(in.Lock(ctx, "m-locked", one(2))) }},
		{"Take that is refused", func(ctx context.Context, in *stock.Inventory) error { return of(in.Take(ctx, "m-new", line(1, 1000))) }},
		{"Pay", func(ctx context.Context, in *stock.Inventory) error { return of(in.Pay(ctx, "m-locked")) }},
		{"Pay of two lines", func(ctx context.Context, in *stock.Inventory) error { return of(in.Pay(ctx, "m-two")) }},
		{"Pay again", func(ctx context.Context, in *stock.Inventory) error { return of(in.Pay(ctx, "m-paid")) }},
		{"Pay that is late", func(ctx context.Context, in *stock.Inventory) error { return of(in.Pay(ctx, "m-dead")) }},
		{"Pay of an unknown order", func(ctx context.Context, in *stock.Inventory) error { return of(in.Pay(ctx, "m-none")) }},
		{"Cancel", func(ctx context.Context, in *stock.Inventory) error { return of(in.Cancel(ctx, "m-locked")) }},
		{"Cancel of two lines", func(ctx context.Context, in *stock.Inventory) error { return of(in.Cancel(ctx, "m-two")) }},
		{"Cancel of an unknown order", func(ctx context.Context, in *stock.Inventory) error { return of(in.Cancel(ctx, "m-none")) }},
		{"Redeem", func(ctx context.Context, in *stock.Inventory) error { return of(in.Redeem(ctx, "m-paid")) }},
		{"Redeem of an unknown order", func(ctx context.Context, in *stock.Inventory) error { return of(in.Redeem(ctx, "m-none")) }},
		{"Hold", func(ctx context.Context, in *stock.Inventory) error { return of(in.Hold(ctx, "m-two")) }},
		{"Hold of an unknown order", func(ctx context.Context, in *stock.Inventory) error { return of(in.Hold(ctx, "m-none")) }},
		{"Extend", func(ctx context.Context, in *stock.Inventory) error {
			return of(in.Extend(ctx, "m-two", start.AddDate(1, 0, 0)))
		}},
		{"Extend of an unknown order", func(ctx context.Context, in *stock.Inventory) error {
			return of(in.Extend(ctx, "m-none", start.AddDate(1, 0, 0)))
		}},
		{"Resolve", func(ctx context.Context, in *stock.Inventory) error { return of(in.Resolve(ctx, "m-two")) }},
		{"Resolve of an unknown order", func(ctx context.Context, in *stock.Inventory) error { return of(in.Resolve(ctx, "m-none")) }},
		{"Refund", func(ctx context.Context, in *stock.Inventory) error {
			return of(in.Refund(ctx, stock.Refund{ID: "m-new", Order: "m-paid", Restock: true, Lines: []stock.Line{one(1)}}))
		}},
		{"Refund of two lines", func(ctx context.Context, in *stock.Inventory) error {
			return of(in.Refund(ctx, stock.Refund{ID: "m-new", Order: "m-paid-two"}))
		}},
		{"Refund again", func(ctx context.Context, in *stock.Inventory) error {
			return of(in.Refund(ctx, stock.Refund{ID: "m-refund", Order: "m-refunded", Restock: true}))
		}},
		{"Refund of too much", func(ctx context.Context, in *stock.Inventory) error {
			return of(in.Refund(ctx, stock.Refund{ID: "m-new", Order: "m-paid", Lines: []stock.Line{line(1, 9)}}))
		}},
		{"Refund of an unknown order", func(ctx context.Context, in *stock.Inventory) error {
			return of(in.Refund(ctx, stock.Refund{ID: "m-new", Order: "m-none"}))
		}},
		{"Item", func(ctx context.Context, in *stock.Inventory) error { return of(in.Item(ctx, stock.Key{SKU: 1})) }},
		{"Item of an unknown SKU", func(ctx context.Context, in *stock.Inventory) error { return of(in.Item(ctx, stock.Key{SKU: 40})) }},
		{"Define", func(ctx context.Context, in *stock.Inventory) error {
			return of(in.Define(ctx, stock.Key{SKU: 40}, 1, stock.Terms{}))
		}},
		{"Define of what is there", func(ctx context.Context, in *stock.Inventory) error {
			return of(in.Define(ctx, stock.Key{SKU: 1}, 1, stock.Terms{PerOrder: 5000}))
		}},
		{"Restock", func(ctx context.Context, in *stock.Inventory) error { return in.Restock(ctx, "m-new", one(1), one(2)) }},
		{"Restock again", func(ctx context.Context, in *stock.Inventory) error { return in.Restock(ctx, "m-change", one(1)) }},
		{"Withdraw of too much", func(ctx context.Context, in *stock.Inventory) error { return in.Withdraw(ctx, "m-new", line(1, 1000)) }},
		{"Transfer", func(ctx context.Context, in *stock.Inventory) error {
			return of(in.Transfer(ctx, "m-new", stock.TransferLeg{SKU: 1, From: 0, To: 1, Num: stock.Rest}))
		}},
		{"Expire", func(ctx context.Context, in *stock.Inventory) error { return of(in.Expire(ctx)) }},
	}
	for _, level := range levels() {
		for _, c := range calls {
			t.Run(level.String()+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				s := busyShop(t)
				ctx := t.Context()
				tx := must(s.db.BeginTx(ctx, &sql.TxOptions{Isolation: level}))(t)
				defer func() { _ = tx.Rollback() }()
				err := c.call(ctx, s.On(s.store.WithTx(tx)))
				require.False(t, sqlstore.Retryable(err), "%v", err)
				require.NotErrorIs(t, err, stock.ErrStore)
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
	for _, sku := range []int64{1, 2, 3, 5} {
		terms := stock.Terms{}
		if sku == 3 {
			terms.PerBuyer = 1
		}
		require.NoError(t, of(s.Define(ctx, stock.Key{SKU: sku}, 100, terms)))
	}
	require.NoError(t, of(s.Define(ctx, stock.Key{SKU: 1, Activity: 1}, 0, stock.Terms{})))
	require.NoError(t, s.Restock(ctx, "m-change", one(1)))
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
	for _, order := range []string{"m-paid", "m-refunded", "m-paid-two"} {
		require.NoError(t, of(s.Pay(ctx, order)))
	}
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
		require.NoError(s.t, s.Restock(ctx, name+"-restock", one(sku)), name)
		for _, sku := range []int64{0, 20, 60} {
			require.NoError(s.t, of(s.Define(ctx, stock.Key{SKU: sku + int64(i) + 10}, 1, stock.Terms{})), name)
		}
	}
}

// crowdOf runs transactions of a caller, so many at a time, and returns how many of them were told to start over.
func (s *shop) crowdOf(workers, transactions int, do func(ctx context.Context, in *stock.Inventory, i int) error) (again int) {
	s.t.Helper()
	var mu sync.Mutex
	var group suite.Group
	next := make(chan int)
	for range workers {
		group.Go(func() {
			for i := range next {
				for {
					err := s.inTx(func(in *stock.Inventory) error { return do(s.t.Context(), in, i) })
					if err == nil {
						break
					}
					if !sqlstore.Retryable(err) {
						s.t.Error(err)
						break
					}
					mu.Lock()
					again++
					mu.Unlock()
				}
			}
		})
	}
	for i := range transactions {
		next <- i
	}
	close(next)
	group.Wait()
	return again
}

// inTx runs one transaction of a caller.
func (s *shop) inTx(do func(in *stock.Inventory) error) error {
	tx, err := s.db.BeginTx(s.t.Context(), nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if err := do(s.On(s.store.WithTx(tx))); err != nil {
		return err
	}
	return tx.Commit()
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
			require.NoError(t, s.Restock(t.Context(), "in", stock.Line{SKU: 1, Num: 1000}, stock.Line{SKU: 2, Num: 1000}))
			require.NoError(t, of(s.Define(t.Context(), stock.Key{SKU: 1, Activity: 1}, 20, stock.Terms{})))
			again := s.crowdOf(c.workers, c.transactions, c.do)
			if !conflicts(t, s.db) {
				require.Zero(t, again)
			}
		})
	}
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
	tx := must(s.db.BeginTx(ctx, nil))(t)
	defer func() { _ = tx.Rollback() }()
	in := s.On(s.store.WithTx(tx))
	require.NoError(t, of(tx.ExecContext(ctx, "SAVEPOINT holdfast")))
	for name, call := range map[string]func() error{
		"Lock":              func() error { return of(in.Lock(ctx, "one", one(1))) },
		"Lock of two lines": func() error { return of(in.Lock(ctx, "two", one(1), one(2))) },
		"Take for a buyer":  func() error { return of(in.For("7").Take(ctx, "take", one(3))) },
		"Lock too much": func() error {
			_, err := in.Lock(ctx, "refused", stock.Line{SKU: 1, Num: 999})
			return ignore(err, stock.ErrInsufficient)
		},
		"Pay":                func() error { return of(in.Pay(ctx, "m-locked")) },
		"Cancel":             func() error { return of(in.Cancel(ctx, "m-two")) },
		"Cancel first":       func() error { return of(in.Cancel(ctx, "m-none")) },
		"Refund":             func() error { return of(in.Refund(ctx, stock.Refund{ID: "r", Order: "m-paid"})) },
		"Define":             func() error { return of(in.Define(ctx, stock.Key{SKU: 77}, 1, stock.Terms{})) },
		"Define again":       func() error { return of(in.Define(ctx, stock.Key{SKU: 1}, 1, stock.Terms{PerOrder: 5000})) },
		"Item that is not":   func() error { _, err := in.Item(ctx, stock.Key{SKU: 78}); return ignore(err, stock.ErrUnknownSKU) },
		"Restock":            func() error { return in.Restock(ctx, "restock", one(1)) },
		"Repair":             func() error { return of(in.Repair(ctx)) },
		"Resolve of nothing": func() error { return of(in.Resolve(ctx, "m-never")) },
	} {
		require.NoError(t, of(tx.ExecContext(ctx, "DO LAST_INSERT_ID(777)")))
		require.NoError(t, call(), name)
		var id int64
		require.NoError(t, tx.QueryRowContext(ctx, "SELECT LAST_INSERT_ID()").Scan(&id))
		require.Equal(t, int64(777), id, name)
	}
	require.NoError(t, of(tx.ExecContext(ctx, "ROLLBACK TO SAVEPOINT holdfast")))
	require.NoError(t, tx.Commit())
	require.ErrorIs(t, of(s.Hold(ctx, "one")), stock.ErrNotFound, "the caller's savepoint is where the caller set it")
}

// ignore drops the error that was to be expected.
func ignore(err, expected error) error {
	if err == nil {
		return fmt.Errorf("no error, expected %w", expected)
	}
	if errors.Is(err, expected) {
		return nil
	}
	return err
}

// A transaction that the server has ended, and whose caller went on, is no place to work in, whatever the handle.
func TestTransactionThatTheServerEndedIsRefused(t *testing.T) {
	t.Parallel()
	for name, wrap := range map[string]func(*sql.Tx) sqlstore.Tx{
		"*sql.Tx": func(tx *sql.Tx) sqlstore.Tx { return tx },
		"wrapped": func(tx *sql.Tx) sqlstore.Tx { return wrapped{tx} },
	} {
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

// preparing prepares each statement and keeps it, as the handle of GORM with PrepareStmt does: it has the transaction in
// its field Tx, and the method by which such a handle is known.
type preparing struct {
	Tx       *sql.Tx
	prepared *int
}

func (p preparing) GetDBConn() (*sql.DB, error) { return nil, sql.ErrConnDone }

func (p preparing) ExecContext(ctx context.Context, q string, args ...any) (sql.Result, error) {
	*p.prepared++
	stmt, err := p.Tx.PrepareContext(ctx, q) //nolint:sqlclosecheck // it keeps them, which is the point
	if err != nil {
		return nil, err
	}
	return stmt.ExecContext(ctx, args...)
}

func (p preparing) QueryContext(ctx context.Context, q string, args ...any) (*sql.Rows, error) {
	*p.prepared++
	stmt, err := p.Tx.PrepareContext(ctx, q) //nolint:sqlclosecheck // it keeps them, which is the point
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}

// hiding does the same and hides the transaction.
type hiding struct{ sqlstore.Tx }

func TestHandleThatPreparesIsUnwrappedOrRefused(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	ctx := t.Context()
	tx := must(s.db.BeginTx(ctx, nil))(t)
	defer func() { _ = tx.Rollback() }()
	prepared := 0
	for i := range 5 {
		require.NoError(t, of(s.On(s.store.WithTx(&preparing{tx, &prepared})).Lock(ctx, strconv.Itoa(i), one(1))))
	}
	require.Zero(t, prepared, "statements that the handle would keep")

	_, err := s.On(s.store.WithTx(hiding{preparing{tx, &prepared}})).Lock(ctx, "hidden", one(1))
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
	require.ErrorIs(t, of(in.For("50").Lock(ctx, "refused", stock.Line{SKU: 1, Num: 1000}, one(2))), stock.ErrInsufficient)
	require.ErrorIs(t, of(in.Pay(ctx, "unknown")), stock.ErrNotFound)
	require.ErrorIs(t, of(in.Item(ctx, stock.Key{SKU: 40})), stock.ErrUnknownSKU)
	require.ErrorIs(t, in.Withdraw(ctx, "too much", stock.Line{SKU: 2, Num: 1000}), stock.ErrInsufficient)
	require.NoError(t, tx.Commit())
	var left int
	require.NoError(t, s.db.QueryRowContext(ctx, "SELECT (SELECT COUNT(*) FROM goods_stock_hold WHERE ORDER_NO IN ('refused', 'unknown'))"+
		" + (SELECT COUNT(*) FROM goods_stock WHERE SKU_ID = 40) + (SELECT COUNT(*) FROM goods_stock_change"+
		" WHERE CHANGE_NO = 'too much')").Scan(&left))
	require.Zero(t, left)
	s.counters(5, 0, 1, 100)
}
