package sqlstore_test

import (
	"database/sql"
	"testing"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/stocktest"
)

func TestStock(t *testing.T) { stockConformance().everyWay(t) }
func TestModel(t *testing.T) { stockConformance().models(t, 52, 2_000) }
func FuzzModel(f *testing.F) { stockConformance().fuzz(f) }

// stockConformance has the ways to use the tables: as usual, without merging, by the code of batches alone, and as two
// processes use them, one of which merges.
func stockConformance() conformance[boundStore, stocktest.Harness] {
	return conformance[boundStore, stocktest.Harness]{
		tables: []string{stockTables},
		stores: map[string]func(*sql.DB) boundStore{
			usual:      func(db *sql.DB) boundStore { return sqlstore.NewStock(db, nil) },
			"Unmerged": func(db *sql.DB) boundStore { return sqlstore.NewStock(db, &alone) },
			"Batches":  func(db *sql.DB) boundStore { return sqlstore.NewStock(db, nil).AlwaysBatch() },
			"Mixed":    newMixed,
		},
		harness: stockHarness,
		memory: func() stocktest.Harness {
			now, advance := ticking()
			return stocktest.Harness{Store: &stock.Memory{Clock: now}, Advance: advance}
		},
		run:   stocktest.Run,
		model: stocktest.Model,
	}
}

// boundStore is a store that can join a transaction.
type boundStore interface {
	stock.Store
	WithTx(tx sqlstore.Tx) *sqlstore.Stock
}

func stockHarness(t testing.TB, db *sqltest.DB, store boundStore) stocktest.Harness {
	t.Helper()
	return stocktest.Harness{
		Store: store, Advance: db.Wire.Advance, Conflicts: conflicts(t, db),
		Begin: func(t testing.TB) (stock.Store, func() error, func() error) {
			t.Helper()
			return begin(t, db, "goods_stock", func(tx sqlstore.Tx) stock.Store { return store.WithTx(tx) })
		},
	}
}
