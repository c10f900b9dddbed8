package sqlstore_test

import (
	"database/sql"
	"testing"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/stocktest"
)

// TestStock runs the conformance suite under every DSN that must change nothing, without merging, by the
// code of batches alone, and as two processes see it, one of which merges.
func TestStock(t *testing.T) {
	t.Parallel()
	everyWay(t, stores(), func(t *testing.T, variant sqltest.Variant, newStore func(*sql.DB) boundStore) {
		t.Helper()
		stocktest.Run(t, func(t testing.TB) stocktest.Harness {
			t.Helper()
			return harness(t, prepared(t, variant, stockTables), newStore)
		})
	})
}

// stores are the ways to use the tables, beside the usual.
func stores() map[string]func(*sql.DB) boundStore {
	return map[string]func(*sql.DB) boundStore{
		"Unmerged": func(db *sql.DB) boundStore { return sqlstore.NewStock(db, &sqlstore.Options{Unmerged: true}) },
		"Batches":  func(db *sql.DB) boundStore { return sqlstore.NewStock(db, nil).AlwaysBatch() },
		"Mixed":    newMixed,
	}
}

// boundStore is a store that can join a transaction.
type boundStore interface {
	stock.Store
	WithTx(tx sqlstore.Tx) *sqlstore.Stock
}

// harness returns a store in fresh tables of the database, with a frozen clock. No way to make it is
// the usual one.
func harness(t testing.TB, db *sqltest.DB, newStore func(*sql.DB) boundStore) stocktest.Harness {
	t.Helper()
	db.Wire.Freeze(start)
	if newStore == nil {
		newStore = func(db *sql.DB) boundStore { return sqlstore.NewStock(db, nil) }
	}
	store := newStore(db.DB)
	return stocktest.Harness{
		Store:   store,
		Advance: db.Wire.Advance, Conflicts: conflicts(t, db),
		Begin: func(t testing.TB) (stock.Store, func() error, func() error) {
			t.Helper()
			return begin(t, db, "goods_stock", func(tx sqlstore.Tx) stock.Store { return store.WithTx(tx) })
		},
	}
}
