package sqlstore_test

import (
	"testing"

	"github.com/holdfast-go/holdfast/internal/saletest"
	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/sale"
)

func TestSale(t *testing.T) { saleConformance().everyWay(t) }

func TestSaleModel(t *testing.T) { saleConformance().models(t, 26, 400) }

func FuzzSaleModel(f *testing.F) { saleConformance().fuzz(f) }

// The suite has some rounds of it.
func TestThreeTriggersOfTheEndMeetAThousandTimes(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: the rounds of TestSale only")
	}
	t.Parallel()
	saletest.RaceEnd(t, saleConformance().open(t, defaults, usual), 1_000)
}

// saleConformance is the same as stockConformance.
func saleConformance() conformance[sale.Store, saletest.Harness] {
	return conformance[sale.Store, saletest.Harness]{
		tables:  []string{stockTables, saleTables},
		stores:  waysOf(sqlstore.NewSale, saletest.Turns),
		harness: saleHarness,
		memory: func() saletest.Harness {
			now, advance := ticking()
			units := &stock.Memory{Clock: now}
			return saletest.Harness{Store: &sale.Memory{Stock: units}, Stock: units, Advance: advance}
		},
		run:   saletest.Run,
		model: saletest.Model,
	}
}

func saleHarness(t testing.TB, db *sqltest.DB, store bound[sale.Store]) saletest.Harness {
	t.Helper()
	return saletest.Harness{
		Store: store.Store, Stock: sqlstore.NewStock(db.DB, &together), Advance: db.Wire.Advance, Conflicts: conflicts(t, db),
		Begin: func(t testing.TB) (sale.Store, func() error, func() error) {
			t.Helper()
			return begin(t, db, "flash_sale", store.WithTx)
		},
	}
}
