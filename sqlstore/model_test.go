package sqlstore_test

import (
	"fmt"
	"maps"
	"slices"
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
	runs := modelRuns
	if testing.Short() {
		runs = len(sqltest.Variants())
	}
	for seed := range runs {
		t.Run(fmt.Sprint("Seed", seed), func(t *testing.T) {
			t.Parallel()
			model(t, int64(seed), modelOps)
		})
	}
}

// FuzzModel looks for a seed in which the two differ: go test ./sqlstore -fuzz Model.
func FuzzModel(f *testing.F) {
	f.Add(int64(-1))
	f.Fuzz(func(t *testing.T, seed int64) { model(t, seed, 300) })
}

// model compares the stores over some operations.
func model(t testing.TB, seed int64, ops int) {
	t.Helper()
	variants := sqltest.Variants()
	db := sqltest.Open(t, variants[uint64(seed)%uint64(len(variants))])
	clock := start
	memory := stocktest.Harness{
		Store:   &stock.Memory{Clock: func() time.Time { return clock }},
		Advance: func(d time.Duration) { clock = clock.Add(d) },
	}
	ways := stores()
	names := append(slices.Sorted(maps.Keys(ways)), "Default") // which is none of them: no way, the usual one
	way := names[uint64(seed)%uint64(len(names))]
	stocktest.Model(t, seed, ops, memory, harness(t, db, ways[way]))
}
