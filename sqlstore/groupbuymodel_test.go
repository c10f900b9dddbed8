package sqlstore_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/groupbuytest"
	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/stock"
)

// groupModelRuns of groupModelOps random operations each are compared: 13,000 in all.
const (
	groupModelRuns = 26
	groupModelOps  = 500
)

// TestGroupBuyModel drives the memory store and MySQL as TestModel does.
func TestGroupBuyModel(t *testing.T) {
	t.Parallel()
	everyModel(t, groupStores(), groupModelRuns, func(t testing.TB, seed int64, variant sqltest.Variant, way func(*sql.DB) boundGroups) {
		t.Helper()
		groupModel(t, seed, groupModelOps, variant, way)
	})
}

// FuzzGroupBuyModel looks for a seed in which the two differ: go test ./sqlstore -fuzz GroupBuyModel.
func FuzzGroupBuyModel(f *testing.F) {
	f.Add(int64(-1))
	f.Fuzz(func(t *testing.T, seed int64) {
		variant, way := choose(seed, groupStores())
		groupModel(t, seed, 300, variant, way)
	})
}

// groupModel compares the stores over some operations.
func groupModel(t testing.TB, seed int64, ops int, variant sqltest.Variant, way func(*sql.DB) boundGroups) {
	t.Helper()
	clock := start
	now := func() time.Time { return clock }
	units := &stock.Memory{Clock: now}
	memory := groupbuytest.Harness{
		Store:   &groupbuy.Memory{Clock: now, Stock: units},
		Stock:   units,
		Advance: func(d time.Duration) { clock = clock.Add(d) },
	}
	groupbuytest.Model(t, seed, ops, memory, groupHarness(t, prepared(t, variant, stockTables, groupBuyTables), way))
}
