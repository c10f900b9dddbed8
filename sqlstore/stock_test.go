package sqlstore_test

import (
	"database/sql"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/stocktest"
)

func TestStock(t *testing.T) { stockConformance().everyWay(t) }
func TestModel(t *testing.T) { stockConformance().models(t, 52, 2_000) }
func FuzzModel(f *testing.F) { stockConformance().fuzz(f) }

// stockConformance has what the suite and the model of the stock need.
func stockConformance() conformance[stock.Store, stocktest.Harness] {
	return conformance[stock.Store, stocktest.Harness]{
		tables:  []string{stockTables, stockLists},
		stores:  waysOf(sqlstore.NewStock, suite.TurnsOfStock),
		harness: stockHarness,
		memory: func() stocktest.Harness {
			now, advance := ticking()
			store := &stock.Memory{Clock: now}
			h := stocktest.Harness{Store: store, Advance: advance}
			h.Along, h.Rows = suite.MemoryRows(store)
			return h
		},
		run:   stocktest.Run,
		model: stocktest.Model,
	}
}

func stockHarness(t testing.TB, db *sqltest.DB, store bound[stock.Store]) stocktest.Harness {
	t.Helper()
	h := stocktest.Harness{
		Store: store.Store, Advance: db.Wire.Advance, Conflicts: conflicts(t, db),
		Begin: func(t testing.TB) (stock.Store, func() error, func() error) {
			t.Helper()
			return begin(t, db, "goods_stock", store.WithTx)
		},
	}
	if s, ok := store.Store.(*sqlstore.Stock); ok { // and not several by turns
		withRows(t, db, s, &h)
	}
	return h
}

// withRows lets the calls of a store carry rows of a shop, and share batches if it merges calls.
func withRows(t testing.TB, db *sqltest.DB, store *sqlstore.Stock, h *stocktest.Harness) {
	t.Helper()
	create := sync.OnceFunc(func() {
		const table = "CREATE TABLE shop_row (id VARBINARY(64) PRIMARY KEY) ENGINE = InnoDB"
		require.NoError(t, of(db.ExecContext(t.Context(), table)))
	})
	h.Along = func(row string) stock.Store {
		create()
		return store.Along("INSERT INTO shop_row (id) VALUES (?)", row)
	}
	h.Rows = func() []string {
		create()
		rows := must(sqltest.Strings(t.Context(), db.DB, "SELECT id FROM shop_row"))(t)
		slices.Sort(rows)
		return rows
	}
	if !store.Merges() {
		return
	}
	elsewhere := sync.OnceValue(func() *sqltest.DB { return db.Pool(t) })
	h.Together = func(item stock.Key, calls ...func()) {
		tx := must(elsewhere().BeginTx(t.Context(), nil))(t)
		value[int](t, tx, "SELECT 1 FROM goods_stock WHERE SKU_ID = ? AND ACTIVITY_ID = ? FOR UPDATE", item.SKU, item.Activity)
		wait := inOrder(t, elsewhere().DB, sqlstore.OneByOne(store), calls)
		require.NoError(t, tx.Rollback())
		wait()
	}
}

// inOrder makes calls, of which the first that reaches the server waits there. Each begins when the one before it has ended, or
// waits for a batch. Wait waits for all.
func inOrder(t testing.TB, db *sql.DB, store *sqlstore.Stock, calls []func()) (wait func()) {
	t.Helper()
	const stuck = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND ID <> CONNECTION_ID() AND COMMAND = 'Query'" +
		" AND (INFO LIKE 'UPDATE%' OR INFO LIKE 'INSERT%' OR INFO LIKE '/*M! SET STATEMENT%' OR INFO LIKE '%FOR UPDATE')"
	var group suite.Group
	var active atomic.Int64
	for _, call := range calls {
		var over atomic.Bool
		waiting := store.Waiting()
		active.Add(1)
		group.Go(func() { defer over.Store(true); defer active.Add(-1); call() })
		for looks := 0; !over.Load() && store.Waiting() <= waiting; looks++ {
			const many = 500 // those before it went on meanwhile
			if value[int](t, db, stuck) > 0 && (active.Load() == 1 || looks > many) {
				break
			}
		}
	}
	return group.Wait
}
