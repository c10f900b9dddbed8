package sqlstore_test

import (
	"database/sql"
	"testing"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/groupbuytest"
	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/sqlstore"
)

// TestGroupBuy runs the conformance suite as TestStock does.
func TestGroupBuy(t *testing.T) {
	t.Parallel()
	everyWay(t, groupStores(), func(t *testing.T, variant sqltest.Variant, newStore func(*sql.DB) boundGroups) {
		t.Helper()
		groupbuytest.Run(t, func(t testing.TB) groupbuytest.Harness {
			t.Helper()
			return groupHarness(t, prepared(t, variant, stockTables, groupBuyTables), newStore)
		})
	})
}

// groupStores are the ways to use the tables, beside the usual.
func groupStores() map[string]func(*sql.DB) boundGroups {
	return map[string]func(*sql.DB) boundGroups{
		"Unmerged": func(db *sql.DB) boundGroups { return sqlstore.NewGroupBuy(db, &alone) },
		"Batches":  func(db *sql.DB) boundGroups { return sqlstore.NewGroupBuy(db, nil).AlwaysBatch() },
		"Mixed":    newMixedGroups,
	}
}

// boundGroups is a store that can join a transaction.
type boundGroups interface {
	groupbuy.Store
	WithTx(tx sqlstore.Tx) *sqlstore.GroupBuy
}

// groupHarness returns a store in fresh tables of the database, with a frozen clock. No way to make it is the
// usual one.
func groupHarness(t testing.TB, db *sqltest.DB, newStore func(*sql.DB) boundGroups) groupbuytest.Harness {
	t.Helper()
	db.Wire.Freeze(start)
	if newStore == nil {
		newStore = func(db *sql.DB) boundGroups { return sqlstore.NewGroupBuy(db, nil) }
	}
	store := newStore(db.DB)
	return groupbuytest.Harness{
		Store:   store,
		Stock:   sqlstore.NewStock(db.DB, nil),
		Advance: db.Wire.Advance, Conflicts: conflicts(t, db),
		Begin: func(t testing.TB) (groupbuy.Store, func() error, func() error) {
			t.Helper()
			return begin(t, db, "egl_group", func(tx sqlstore.Tx) groupbuy.Store { return store.WithTx(tx) })
		},
	}
}
