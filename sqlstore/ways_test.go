package sqlstore_test

import (
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/sqlstore"
)

// everyWay runs a suite under every DSN that must change nothing, with the usual store, for which way is nil, and
// under the usual DSN with each of the other stores.
func everyWay[S any](t *testing.T, ways map[string]func(*sql.DB) S, suite func(t *testing.T, variant sqltest.Variant, way func(*sql.DB) S)) {
	t.Helper()
	for _, variant := range sqltest.Variants() {
		t.Run(variant.Name, func(t *testing.T) {
			t.Parallel()
			suite(t, variant, nil)
		})
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			suite(t, defaults, way)
		})
	}
}

// everyModel runs a model test with the seeds from 0 on, or with -short one for each DSN.
func everyModel[S any](t *testing.T, ways map[string]func(*sql.DB) S, runs int, run func(t testing.TB, seed int64, variant sqltest.Variant, way func(*sql.DB) S)) {
	t.Helper()
	if testing.Short() {
		runs = len(sqltest.Variants())
	}
	for seed := range int64(runs) {
		t.Run(fmt.Sprint("Seed", seed), func(t *testing.T) {
			t.Parallel()
			variant, way := choose(seed, ways)
			run(t, seed, variant, way)
		})
	}
}

// choose returns the DSN and the store of a seed: all pairs of them in turn. No way is the usual store.
func choose[S any](seed int64, ways map[string]func(*sql.DB) S) (sqltest.Variant, func(*sql.DB) S) {
	variants := sqltest.Variants()
	names := append(slices.Sorted(maps.Keys(ways)), "Default") // which is none of them
	return variants[uint64(seed)%uint64(len(variants))], ways[names[uint64(seed)%uint64(len(names))]]
}

// reader opens a caller's transaction that has read a table, which takes its snapshot.
func reader(t testing.TB, db *sqltest.DB, table string) *sql.Tx {
	t.Helper()
	tx, err := db.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelRepeatableRead})
	require.NoError(t, err)
	t.Cleanup(func() { _ = tx.Rollback() }) // where the test did not get to its end
	var rows int
	require.NoError(t, tx.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+table).Scan(&rows))
	return tx
}

// begin opens a caller's transaction and binds a store to it. It reads the table, which takes the snapshot of a
// transaction that has one.
func begin[S any](t testing.TB, db *sqltest.DB, table string, bind func(sqlstore.Tx) S) (store S, commit, rollback func() error) {
	t.Helper()
	tx, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	var rows int
	require.NoError(t, tx.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+table).Scan(&rows))
	t.Cleanup(func() { _ = tx.Rollback() }) // where the test did not get to its end
	return bind(tx), tx.Commit, tx.Rollback
}
