package sqlstore_test

import (
	"database/sql"
	"testing"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/groupbuytest"
	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

func TestGroupBuy(t *testing.T)      { groupConformance().everyWay(t) }
func TestGroupBuyModel(t *testing.T) { groupConformance().models(t, 26, 500) }
func FuzzGroupBuyModel(f *testing.F) { groupConformance().fuzz(f) }

// groupConformance has the ways of stockConformance.
func groupConformance() conformance[boundGroups, groupbuytest.Harness] {
	return conformance[boundGroups, groupbuytest.Harness]{
		tables: []string{stockTables, groupBuyTables},
		stores: map[string]func(*sql.DB) boundGroups{
			usual:      func(db *sql.DB) boundGroups { return sqlstore.NewGroupBuy(db, nil) },
			"Unmerged": func(db *sql.DB) boundGroups { return sqlstore.NewGroupBuy(db, &alone) },
			"Batches":  func(db *sql.DB) boundGroups { return sqlstore.NewGroupBuy(db, nil).AlwaysBatch() },
			"Mixed":    newMixedGroups,
		},
		harness: groupHarness,
		memory: func() groupbuytest.Harness {
			now, advance := ticking()
			units := &stock.Memory{Clock: now}
			return groupbuytest.Harness{Store: &groupbuy.Memory{Clock: now, Stock: units}, Stock: units, Advance: advance}
		},
		run:   groupbuytest.Run,
		model: groupbuytest.Model,
	}
}

// boundGroups is a store that can join a transaction.
type boundGroups interface {
	groupbuy.Store
	WithTx(tx sqlstore.Tx) *sqlstore.GroupBuy
}

func groupHarness(t testing.TB, db *sqltest.DB, store boundGroups) groupbuytest.Harness {
	t.Helper()
	return groupbuytest.Harness{
		Store: store, Stock: sqlstore.NewStock(db.DB, nil), Advance: db.Wire.Advance, Conflicts: conflicts(t, db),
		Begin: func(t testing.TB) (groupbuy.Store, func() error, func() error) {
			t.Helper()
			return begin(t, db, "egl_group", func(tx sqlstore.Tx) groupbuy.Store { return store.WithTx(tx) })
		},
	}
}
