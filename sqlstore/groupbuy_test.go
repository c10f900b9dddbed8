package sqlstore_test

import (
	"testing"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/groupbuytest"
	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

func TestGroupBuy(t *testing.T)      { groupConformance().everyWay(t) }
func TestGroupBuyModel(t *testing.T) { groupConformance().models(t, 26, 500) }
func FuzzGroupBuyModel(f *testing.F) { groupConformance().fuzz(f) }

// groupConformance is the same as stockConformance.
func groupConformance() conformance[groupbuy.Store, groupbuytest.Harness] {
	return conformance[groupbuy.Store, groupbuytest.Harness]{
		tables:  []string{stockTables, groupBuyTables, groupBuyLists},
		stores:  waysOf(sqlstore.NewGroupBuy, groupbuytest.Turns),
		harness: groupHarness,
		memory: func() groupbuytest.Harness {
			now, advance := ticking()
			units := &stock.Memory{Clock: now, Events: &event.Memory{Clock: now}}
			h := groupbuytest.Harness{Events: units.Events}
			h.Store, h.Stock, h.Advance = &groupbuy.Memory{Stock: units}, units, advance
			return h
		},
		run:   groupbuytest.Run,
		model: groupbuytest.Model,
	}
}

func groupHarness(t testing.TB, db *sqltest.DB, store bound[groupbuy.Store]) groupbuytest.Harness {
	t.Helper()
	return groupbuytest.Harness{Events: sqlstore.NewEvents(db.DB, nil), Harness: suite.Harness[groupbuy.Store, groupbuy.Store]{
		Store: store.Store, Stock: sqlstore.NewStock(db.DB, nil), Advance: db.Wire.Advance, Conflicts: conflicts(t, db),
		Begin: func(t testing.TB) (groupbuy.Store, func() error, func() error) {
			t.Helper()
			return begin(t, db, "egl_group", store.WithTx)
		},
	}}
}
