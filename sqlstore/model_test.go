package sqlstore_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/stocktest"
)

// modelRuns of modelOps random operations each are compared: 104,000 in all.
const (
	modelRuns = 52
	modelOps  = 2_000
)

// TestModel drives the memory store and MySQL with the same random operations and demands the
// same results, errors and counters, each time under another DSN, and merged in another way.
func TestModel(t *testing.T) {
	t.Parallel()
	everyModel(t, stores(), modelRuns, func(t testing.TB, seed int64, variant sqltest.Variant, way func(*sql.DB) boundStore) {
		t.Helper()
		model(t, seed, modelOps, variant, way)
	})
}

// FuzzModel looks for a seed in which the two differ: go test ./sqlstore -fuzz Model.
func FuzzModel(f *testing.F) {
	f.Add(int64(-1))
	f.Fuzz(func(t *testing.T, seed int64) {
		variant, way := choose(seed, stores())
		model(t, seed, 300, variant, way)
	})
}

// model compares the stores over some operations.
func model(t testing.TB, seed int64, ops int, variant sqltest.Variant, way func(*sql.DB) boundStore) {
	t.Helper()
	clock := start
	memory := stocktest.Harness{
		Store:   &stock.Memory{Clock: func() time.Time { return clock }},
		Advance: func(d time.Duration) { clock = clock.Add(d) },
	}
	stocktest.Model(t, seed, ops, memory, harness(t, prepared(t, variant, stockTables), way))
}
