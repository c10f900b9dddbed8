package sqlstore_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/stocktest"
)

// TestStock runs the conformance suite under every DSN that must change nothing, and without merging.
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
	t.Run("Unmerged", func(t *testing.T) {
		t.Parallel()
		stocktest.Run(t, func(t testing.TB) stocktest.Harness {
			t.Helper()
			return harness(t, sqltest.Open(t, defaults), &sqlstore.Options{Unmerged: true})
		})
	})
}

// harness returns a store in fresh tables of the database, with a frozen clock.
func harness(t testing.TB, db *sqltest.DB, opts *sqlstore.Options) stocktest.Harness {
	t.Helper()
	require.NoError(t, sqlstore.Migrate(t.Context(), db.DB, nil))
	require.NoError(t, sqlstore.Check(t.Context(), db.DB, nil))
	db.Wire.Freeze(start)
	store := sqlstore.NewStock(db.DB, opts)
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
