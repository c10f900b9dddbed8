package sqlstore_test

import (
	"testing"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/stocktest"
)

func TestStock(t *testing.T) { stockConformance().everyWay(t) }
func TestModel(t *testing.T) { stockConformance().models(t, 52, 2_000) }
func FuzzModel(f *testing.F) { stockConformance().fuzz(f) }

// stockConformance has what the suite and the model of the stock need.
func stockConformance() conformance[stock.Store, stocktest.Harness] {
	return conformance[stock.Store, stocktest.Harness]{
		tables:  []string{stockTables},
		stores:  waysOf(sqlstore.NewStock, suite.TurnsOfStock),
		harness: stockHarness,
		memory: func() stocktest.Harness {
			now, advance := ticking()
			return stocktest.Harness{Store: &stock.Memory{Clock: now}, Advance: advance}
		},
		run:   stocktest.Run,
		model: stocktest.Model,
	}
}

func stockHarness(t testing.TB, db *sqltest.DB, store bound[stock.Store]) stocktest.Harness {
	t.Helper()
	return stocktest.Harness{
		Store: store.Store, Advance: db.Wire.Advance, Conflicts: conflicts(t, db),
		Begin: func(t testing.TB) (stock.Store, func() error, func() error) {
			t.Helper()
			return begin(t, db, "goods_stock", store.WithTx)
		},
	}
}
