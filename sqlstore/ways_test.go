package sqlstore_test

import (
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/sqlstore"
)

// conformance is what a suite and its model need to run on the tables of a domain: S is what the ways to use the
// tables have in common, H is the harness of the suite.
type conformance[S, H any] struct {
	tables  []string
	stores  map[string]func(*sql.DB) bound[S] // the ways to use the tables; Default is the usual one
	harness func(t testing.TB, db *sqltest.DB, store bound[S]) H
	memory  func() H // with a frozen clock
	run     func(t *testing.T, open func(testing.TB) H)
	model   func(t testing.TB, seed int64, ops int, memory, tables H)
}

// usual is the name of the usual way to use the tables, and of the usual DSN.
const usual = "Default"

// alone and together are the options of a store that does not merge, and of one beside it that does. What one has released, the
// other may take for sold out for 200 ms, so that this memory is off; it has tests of its own.
var (
	alone    = sqlstore.Options{Unmerged: true}
	together = sqlstore.Options{SoldOutFor: -1}
)

// bound is a store, and how it joins a transaction.
type bound[S any] struct {
	Store  S
	WithTx func(tx sqlstore.Tx) S
}

// waysOf returns the ways to use the tables of a domain: as usual, without merging, by the code of batches alone, and as two
// processes use them, by turns, of which one merges. The two share nothing but the server.
func waysOf[S any, T interface {
	WithTx(tx sqlstore.Tx) T
}](open func(*sql.DB, *sqlstore.Options) T, turns func(...S) S) map[string]func(*sql.DB) bound[S] {
	as := func(store T) S { return any(store).(S) }
	by := func(store func(*sql.DB) T) func(*sql.DB) bound[S] {
		return func(db *sql.DB) bound[S] {
			is := store(db)
			return bound[S]{as(is), func(tx sqlstore.Tx) S { return as(is.WithTx(tx)) }}
		}
	}
	return map[string]func(*sql.DB) bound[S]{
		usual:      by(func(db *sql.DB) T { return open(db, nil) }),
		"Unmerged": by(func(db *sql.DB) T { return open(db, &alone) }),
		"Batches":  by(func(db *sql.DB) T { return sqlstore.AlwaysBatch(open(db, nil)) }),
		"Mixed": func(db *sql.DB) bound[S] {
			merged, unmerged := sqlstore.AlwaysBatch(open(db, &together)), open(db, &alone)
			turn := suite.InTurn(unmerged, merged)
			return bound[S]{turns(as(unmerged), as(merged)), func(tx sqlstore.Tx) S { return as(turn().WithTx(tx)) }}
		},
	}
}

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
	under := func(name string, variant sqltest.Variant, way string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if testing.Short() && name != usual {
				t.Skip("-short: only the usual way")
			}
			c.run(t, func(t testing.TB) H { t.Helper(); return c.open(t, variant, way) })
		})
	}
	for _, variant := range sqltest.Variants() {
		under(variant.Name, variant, usual)
	}
	for way := range c.stores {
		if way != usual {
			under(way, defaults, way)
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
	return readerAt(t, db, &sql.TxOptions{Isolation: sql.LevelRepeatableRead}, table)
}

// readerAt is reader with other options.
func readerAt(t testing.TB, db *sqltest.DB, opts *sql.TxOptions, table string) *sql.Tx {
	t.Helper()
	tx := must(db.BeginTx(t.Context(), opts))(t)
	t.Cleanup(func() { _ = tx.Rollback() }) // where the test did not get to its end
	value[int](t, tx, "SELECT COUNT(*) FROM "+table)
	return tx
}

// begin opens a caller's transaction and binds a store to it. It reads the table, which takes the snapshot of a
// transaction that has one.
func begin[S any](t testing.TB, db *sqltest.DB, table string, bind func(sqlstore.Tx) S) (store S, commit, rollback func() error) {
	t.Helper()
	tx := readerAt(t, db, nil, table)
	return bind(tx), tx.Commit, tx.Rollback
}
