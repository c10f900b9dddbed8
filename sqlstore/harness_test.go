package sqlstore_test

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// start is where the frozen clock of a test begins.
var start = time.Date(2030, 1, 31, 23, 59, 0, 0, time.UTC)

// defaults is the DSN as it comes.
var defaults = sqltest.Variants()[0]

// shop is an inventory on a database of its own.
type shop struct {
	*stock.Inventory
	fixture
	store *sqlstore.Stock
}

// open returns a shop with 10 units each of the SKUs 1, 2 and 3, and a frozen clock.
func open(t testing.TB, opts *stock.Options) *shop {
	t.Helper()
	f := frozen(t, defaults, stockTables)
	store := sqlstore.OneByOne(sqlstore.NewStock(f.db.DB, nil))
	s := &shop{Inventory: stock.New(store, opts), fixture: f, store: store}
	for sku := int64(1); sku <= 3; sku++ {
		require.NoError(t, of(s.Define(t.Context(), stock.Key{SKU: sku}, 10, stock.Terms{})))
	}
	s.db.Wire.Statements()
	return s
}

// counters demands what an item has sold, locked and left, and that all books balance.
func (s *shop) counters(sku, sold, locked, left int64) {
	s.t.Helper()
	item := must(s.Item(s.t.Context(), stock.Key{SKU: sku}))(s.t)
	require.Equal(s.t, [3]int64{sold, locked, left}, [3]int64{item.Sold, item.Locked, item.Left}, "sold, locked, left of %v", item)
	require.Empty(s.t, must(s.Audit(s.t.Context()))(s.t).Drifts)
}

// The parts of the schema.
const (
	stockTables     = "0001_stock.up.sql"
	couponTables    = "0002_coupon.up.sql"
	redPacketTables = "0003_red_packet.up.sql"
	groupBuyTables  = "0004_group_buy.up.sql"  // with those of stock
	saleTables      = "0005_flash_sale.up.sql" // with those of stock

	stockLists     = "lists/0001_stock_lists.up.sql"
	redPacketLists = "lists/0002_red_packet_lists.up.sql"
	groupBuyLists  = "lists/0003_group_buy_lists.up.sql"
	couponLists    = "lists/0004_coupon_lists.up.sql"
)

// alterations returns the files that change the tables of a part.
func alterations(part string) []string {
	return map[string][]string{
		stockTables: {
			"0006_stock_movements.up.sql", "0010_stock_event.up.sql", "0013_stock_amend.up.sql", "0016_stock_waiting.up.sql",
			"0019_stock_backorder.up.sql",
			"0022_stock_archive.up.sql",
		},
		couponTables: {
			"0007_coupon_movements.up.sql", "0011_coupon_low.up.sql", "0014_coupon_amend.up.sql", "0017_coupon_waiting.up.sql",
			"0020_coupon_backorder.up.sql",
			"0023_coupon_archive.up.sql", "0026_coupon_told.up.sql",
		},
		redPacketTables: {
			"0008_red_packet_movements.up.sql", "0012_red_packet_low.up.sql", "0015_red_packet_amend.up.sql", "0018_red_packet_waiting.up.sql",
			"0021_red_packet_backorder.up.sql",
			"0024_red_packet_archive.up.sql",
		},
		groupBuyTables: {"0009_group_buy_lists.up.sql"},
		saleTables:     {"0025_sale_told.up.sql"},
	}[part]
}

// allFiles are the files of Schema, and in the folder lists those of ListsSchema.
type allFiles struct{}

// Open implements fs.FS.
func (allFiles) Open(name string) (fs.File, error) {
	if name, ok := strings.CutPrefix(name, "lists/"); ok {
		return sqlstore.ListsSchema().Open(name)
	}
	return sqlstore.Schema().Open(name)
}

// withAlterations returns files with those that change their tables behind them, and the indexes of lists last.
func withAlterations(files []string) []string {
	all := slices.Clone(files)
	for _, part := range files {
		for _, file := range alterations(part) {
			if !slices.Contains(all, file) {
				all = append(all, file)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b string) int {
		return cmp.Compare(strings.Count(a, "lists/"), strings.Count(b, "lists/"))
	})
	return all
}

// prepared opens a database of the test's own with these parts of the schema, as a tool that applies plain SQL
// files would make them.
func prepared(t testing.TB, variant sqltest.Variant, files ...string) *sqltest.DB {
	t.Helper()
	return sqltest.Prepared(t, variant, allFiles{}, withAlterations(files)...)
}

func TestMain(m *testing.M) {
	code := m.Run()
	if err := sqltest.DropSpares(); err != nil {
		fmt.Fprintln(os.Stderr, "sqlstore: databases of tests are left:", err)
	}
	os.Exit(code)
}

// one is a unit of a SKU.
func one(sku int64) stock.Line { return stock.Line{SKU: sku, Num: 1} }

// queryer is a pool or a transaction.
type queryer interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// value reads one value.
func value[T any](t testing.TB, from queryer, query string, args ...any) (v T) {
	t.Helper()
	require.NoError(t, from.QueryRowContext(t.Context(), query, args...).Scan(&v), query)
	return v
}

// of drops what a call returns beside its error.
func of[T any](_ T, err error) error { return err }

// must returns what demands that a call succeeds, and returns its result.
func must[T any](result T, err error) func(t testing.TB, about ...any) T {
	return func(t testing.TB, about ...any) T {
		t.Helper()
		require.NoError(t, err, about...)
		return result
	}
}

// bracket reports whether a statement begins or ends a transaction, or asks whether it has to.
func bracket(statement string) bool {
	return sqltest.Begins(statement) || strings.HasPrefix(statement, "SET TRANSACTION") ||
		strings.HasPrefix(statement, "COMMIT") || strings.HasPrefix(statement, "ROLLBACK AND") ||
		strings.HasPrefix(statement, "SHOW SESSION VARIABLES") || statement == "SELECT CONNECTION_ID()" // once for each connection
}

// budget is how many statements a call may send, those of bracket not counted.
type budget struct {
	name       string
	statements int
	call       func() error
}

// keepsTo makes calls and demands that each sends exactly what it may.
func (f fixture) keepsTo(budgets []budget) {
	f.t.Helper()
	for _, b := range budgets {
		f.db.Wire.Statements()
		require.NoError(f.t, b.call(), b.name)
		sent := slices.DeleteFunc(f.db.Wire.Statements(), bracket)
		require.Len(f.t, sent, b.statements, "%s:\n%s", b.name, strings.Join(sent, "\n"))
	}
}

// soon returns a call made twice, again and again until the second comes while "sold out" is remembered from the first, when
// nothing is remembered from before. Only the statements of the last are counted.
func (f fixture) soon(call func() error) func() error {
	return func() error {
		for {
			<-time.After(sqlstore.MaxSoldOutFor)
			began := time.Now()
			if err := call(); err != nil {
				return err
			}
			f.db.Wire.Statements()
			if err := call(); err != nil || time.Since(began) < sqlstore.MaxSoldOutFor {
				return err
			}
		}
	}
}

// going makes a call and returns its answer.
func going(call func() error) <-chan error {
	answer := make(chan error, 1)
	go func() { answer <- call() }()
	return answer
}

// meanwhile has callers make calls, one after the other, until stop is called.
func meanwhile(t testing.TB, callers int, call func(caller, n int) error) (stop func()) {
	t.Helper()
	var over atomic.Bool
	var group suite.Group
	for caller := range callers {
		group.Go(func() {
			for n := 0; !over.Load(); n++ {
				if err := call(caller, n); err != nil {
					t.Error(err)
				}
			}
		})
	}
	return func() {
		over.Store(true)
		group.Wait()
	}
}

// byTurns makes so many calls at once, from several processes by turns, and returns what became of each.
func byTurns[P any](n int, processes []P, call func(process P, i int) error) []error {
	return suite.Together(n, func(i int) error { return call(processes[i%len(processes)], i) })
}

// behindOne makes so many calls while a row is blocked: the first is in flight by itself, the others form the next batches. It
// returns what became of each.
func (f fixture) behindOne(release func(), n int, call func(i int) error) []error {
	f.t.Helper()
	errs := make([]error, n)
	var group suite.Group
	group.Go(func() { errs[0] = call(0) })
	f.waiting()
	for i := 1; i < n; i++ {
		group.Go(func() { errs[i] = call(i) })
	}
	release()
	group.Wait()
	return errs
}

// leave makes a call, ends its context while a statement of it waits in the server, and returns its error.
func (f fixture) leave(call func(ctx context.Context) error) error {
	f.t.Helper()
	ctx, cancel := context.WithCancel(f.t.Context())
	defer cancel()
	answer := going(func() error { return call(ctx) })
	f.waiting()
	cancel()
	err := <-answer
	require.ErrorIs(f.t, err, context.Canceled)
	return err
}

// settle makes a call again until it is done or refused, and returns the refusal.
func settle(t testing.TB, call func() error) error {
	t.Helper()
	err := call()
	for sqlstore.Retryable(err) && t.Context().Err() == nil {
		err = call()
	}
	return err
}

// inTx returns a call in a transaction of a caller, with a store that is bound to it.
func inTx[S any](t testing.TB, db *sqltest.DB, bind func(sqlstore.Tx) S, call func(S) error) func() error {
	t.Helper()
	return func() error {
		t.Helper()
		tx := must(db.BeginTx(t.Context(), nil))(t)
		require.NoError(t, call(bind(tx)))
		return tx.Commit()
	}
}

// fixture is a database of a test's own.
type fixture struct {
	t  testing.TB
	db *sqltest.DB
}

// frozen opens a database as prepared does, and stops its clock.
func frozen(t testing.TB, variant sqltest.Variant, files ...string) fixture {
	t.Helper()
	db := prepared(t, variant, files...)
	db.Wire.Freeze(start)
	return fixture{t, db}
}

// another opens the database once more, as another process does, with a clock that stands at the start.
func (f fixture) another() *sqltest.DB {
	f.t.Helper()
	pool := f.db.Pool(f.t)
	pool.Wire.Freeze(start)
	return pool
}

// soon returns a context that ends before a test that waits for something in vain keeps the others waiting.
func soon(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// waiting returns the connection of a statement that changes something or waits for a lock, once there is one: it
// asks the server until it says so. With the rows it needs blocked, it waits for them.
func (f fixture) waiting() (connection int64) {
	f.t.Helper()
	ctx := soon(f.t)
	for {
		err := f.db.QueryRowContext(ctx, "SELECT ID FROM information_schema.PROCESSLIST"+
			" WHERE DB = DATABASE() AND (INFO LIKE 'UPDATE%' OR INFO LIKE 'INSERT%' OR INFO LIKE '/*M! SET STATEMENT%' OR"+
			" INFO LIKE '%FOR UPDATE' AND TIME > 0) LIMIT 1").Scan(&connection)
		if err == nil {
			return connection
		}
		require.ErrorIs(f.t, err, sql.ErrNoRows)
	}
}

// block locks a row from another connection until the returned function is called.
func (f fixture) block(query string, args ...any) (release func()) {
	f.t.Helper()
	tx := must(f.db.Pool(f.t).BeginTx(f.t.Context(), nil))(f.t)
	value[int](f.t, tx, query, args...)
	return func() { require.NoError(f.t, tx.Rollback()) }
}

// blockItem locks an item's row from another connection until the returned function is called.
func (s *shop) blockItem(sku int64) (release func()) {
	return s.block("SELECT 1 FROM goods_stock WHERE SKU_ID = ? AND ACTIVITY_ID = 0 FOR UPDATE", sku)
}

// blockOrder does the same with the holds of an order.
func (s *shop) blockOrder(order string) (release func()) {
	return s.block("SELECT 1 FROM goods_stock_hold WHERE ORDER_NO = ? FOR UPDATE", order)
}

// killing returns what kills every connection to a database but its own, and how many it has killed.
func killing(t testing.TB, db *sqltest.DB) (kill func(), kills *atomic.Int64) {
	t.Helper()
	killer := db.Pool(t)
	killer.SetMaxOpenConns(1)
	kills = new(atomic.Int64)
	return func() {
		ids, err := sqltest.Strings(t.Context(), killer.DB,
			"SELECT ID FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND ID <> CONNECTION_ID()")
		if err != nil {
			t.Error(err)
		}
		for _, id := range ids {
			_, _ = killer.ExecContext(t.Context(), "KILL "+id) // it may be gone already
			kills.Add(1)
		}
		sqltest.AwaitKilled(t, killer.DB, ids)
	}, kills
}
