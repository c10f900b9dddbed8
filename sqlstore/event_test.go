package sqlstore_test

import (
	"database/sql"
	"testing"

	"github.com/holdfast-go/holdfast/internal/eventtest"
	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
	"github.com/holdfast-go/holdfast/stock/stocktest"
)

func TestEvent(t *testing.T)      { eventConformance().everyWay(t) }
func TestEventModel(t *testing.T) { tellingConformance().models(t, 8, 2_000) }

// telling opens a store that tells everything.
func telling(db *sql.DB, opts *sqlstore.Options) *sqlstore.Stock {
	var o sqlstore.Options
	if opts != nil {
		o = *opts
	}
	o.Tell = eventtest.All()
	return sqlstore.NewStock(db, &o)
}

// tellingConformance is stockConformance with stores that tell everything.
func tellingConformance() conformance[stock.Store, stocktest.Harness] {
	c := stockConformance()
	c.stores = waysOf(telling, suite.TurnsOfStock)
	c.harness = func(t testing.TB, db *sqltest.DB, store bound[stock.Store]) stocktest.Harness {
		t.Helper()
		h := stockHarness(t, db, store)
		h.Events = sqlstore.NewEvents(db.DB, nil)
		return h
	}
	c.memory = func() stocktest.Harness {
		now, advance := ticking()
		events := &event.Memory{Clock: now}
		store := &stock.Memory{Clock: now, Events: events, Tell: eventtest.All()}
		h := stocktest.Harness{Store: store, Advance: advance, Events: events}
		h.Along, h.Rows = suite.MemoryRows(store)
		return h
	}
	return c
}

// eventConformance is the same as stockConformance, with stores that tell everything.
func eventConformance() conformance[stock.Store, eventtest.Harness] {
	return conformance[stock.Store, eventtest.Harness]{
		tables: []string{stockTables},
		stores: waysOf(telling, suite.TurnsOfStock),
		harness: func(t testing.TB, db *sqltest.DB, store bound[stock.Store]) eventtest.Harness {
			t.Helper()
			h := stockHarness(t, db, store)
			return eventtest.Harness{
				Harness: suite.Harness[stock.Store, stock.Store]{
					Store: h.Store, Advance: h.Advance, Begin: h.Begin, Conflicts: h.Conflicts,
				},
				Events: sqlstore.NewEvents(db.DB, nil),
			}
		},
		memory: func() eventtest.Harness {
			now, advance := ticking()
			events := &event.Memory{Clock: now}
			store := &stock.Memory{Clock: now, Events: events, Tell: eventtest.All()}
			return eventtest.Harness{Harness: suite.Harness[stock.Store, stock.Store]{Store: store, Advance: advance}, Events: events}
		},
		run: eventtest.Run,
	}
}
