package sqlstore_test

import (
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/sqlstore"
)

// conformance is what a suite and its model need to run on the tables of a domain: S is what the ways to use the
// tables have in common, H is the harness of the suite.
type conformance[S, H any] struct {
	tables  []string
	stores  map[string]func(*sql.DB) S // the ways to use the tables; Default is the usual one
	harness func(t testing.TB, db *sqltest.DB, store S) H
	memory  func() H // with a frozen clock
	run     func(t *testing.T, open func(testing.TB) H)
	model   func(t testing.TB, seed int64, ops int, memory, tables H)
}

// usual is the name of the usual way to use the tables, and of the usual DSN.
const usual = "Default"

// open returns a harness of one way under a DSN, on tables of its own.
func (c conformance[S, H]) open(t testing.TB, variant sqltest.Variant, way string) H {
	t.Helper()
	db := frozen(t, variant, c.tables...).db
	return c.harness(t, db, c.stores[way](db.DB))
}

// everyWay runs the suite in the usual way under the usual DSN. Without -short it also runs under every other DSN that
// must change nothing, and in every other way.
func (c conformance[S, H]) everyWay(t *testing.T) {
	t.Helper()
	t.Parallel()
	suite := func(name string, variant sqltest.Variant, way string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if testing.Short() && name != usual {
				t.Skip("-short: only the usual way")
			}
			c.run(t, func(t testing.TB) H { t.Helper(); return c.open(t, variant, way) })
		})
	}
	for _, variant := range sqltest.Variants() {
		suite(variant.Name, variant, usual)
	}
	for way := range c.stores {
		if way != usual {
			suite(way, defaults, way)
		}
	}
}

// models drives the memory store and the tables with the same random operations and demands the same results, errors
// and counters. Each run has another seed, and with it another DSN and another way; with -short there are fewer.
func (c conformance[S, H]) models(t *testing.T, runs, ops int) {
	t.Helper()
	t.Parallel()
	if testing.Short() {
		runs, ops = len(c.stores), ops/5
	}
	for seed := range int64(runs) {
		t.Run(fmt.Sprint("Seed", seed), func(t *testing.T) {
			t.Parallel()
			c.compare(t, seed, ops)
		})
	}
}

// fuzz looks for a seed in which the two differ: go test ./sqlstore -fuzz Model.
func (c conformance[S, H]) fuzz(f *testing.F) {
	f.Helper()
	f.Add(int64(-1))
	f.Fuzz(func(t *testing.T, seed int64) { c.compare(t, seed, 300) })
}

// compare runs the model with a seed: all pairs of a DSN and a way in turn.
func (c conformance[S, H]) compare(t testing.TB, seed int64, ops int) {
	t.Helper()
	variants, ways := sqltest.Variants(), slices.Sorted(maps.Keys(c.stores))
	variant, way := variants[uint64(seed)%uint64(len(variants))], ways[uint64(seed)%uint64(len(ways))]
	c.model(t, seed, ops, c.memory(), c.open(t, variant, way))
}

// ticking returns a clock that stands at the start, and what moves it.
func ticking() (now func() time.Time, advance func(time.Duration)) {
	clock := start
	return func() time.Time { return clock }, func(d time.Duration) { clock = clock.Add(d) }
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
