package sqlstore_test

import (
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/stocktest"
)

// TestStock runs the conformance suite under every DSN that must change nothing, without merging, by the
// code of batches alone, and as two processes see it, one of which merges.
func TestStock(t *testing.T) {
	t.Parallel()
	for _, variant := range sqltest.Variants() {
		t.Run(variant.Name, func(t *testing.T) {
			t.Parallel()
			stocktest.Run(t, func(t testing.TB) stocktest.Harness {
				t.Helper()
				return harness(t, sqltest.Open(t, variant), nil)
			})
		})
	}
	for name, newStore := range stores() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stocktest.Run(t, func(t testing.TB) stocktest.Harness {
				t.Helper()
				return harness(t, sqltest.Open(t, defaults), newStore)
			})
		})
	}
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
	prepare(t, db, "0001_stock.up.sql")
	db.Wire.Freeze(start)
	if newStore == nil {
		newStore = func(db *sql.DB) boundStore { return sqlstore.NewStock(db, nil) }
	}
	store := newStore(db.DB)
	return stocktest.Harness{
		Store:   store,
		Advance: db.Wire.Advance,
		Begin: func(t testing.TB) (stock.Store, func() error, func() error) {
			t.Helper()
			tx, err := db.BeginTx(t.Context(), nil)
			require.NoError(t, err)
			var items int // takes the snapshot of a transaction that has one
			require.NoError(t, tx.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM goods_stock").Scan(&items))
			t.Cleanup(func() { _ = tx.Rollback() }) // where the test did not get to its end
			return store.WithTx(tx), tx.Commit, tx.Rollback
		},
	}
}
