package sqlstore_test

import (
	"testing"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/coupontest"
	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

func TestCoupon(t *testing.T)      { couponConformance().everyWay(t) }
func TestCouponModel(t *testing.T) { couponConformance().models(t, 26, 500) }
func FuzzCouponModel(f *testing.F) { couponConformance().fuzz(f) }

// couponConformance is the same as stockConformance, beside a stock in the same database.
func couponConformance() conformance[coupon.Store, coupontest.Harness] {
	return conformance[coupon.Store, coupontest.Harness]{
		tables:  []string{stockTables, couponTables},
		stores:  waysOf(sqlstore.NewCoupon, coupontest.Turns),
		harness: couponHarness,
		memory: func() coupontest.Harness {
			now, advance := ticking()
			store := &coupon.Memory{Clock: now}
			return coupontest.Harness{Store: store, Stock: (&stock.Memory{Clock: now}).With(store.BesideGoods()), Advance: advance}
		},
		run:   coupontest.Run,
		model: coupontest.Model,
	}
}

func couponHarness(t testing.TB, db *sqltest.DB, store bound[coupon.Store]) coupontest.Harness {
	t.Helper()
	goods := sqlstore.NewStock(db.DB, nil)
	return coupontest.Harness{
		Store:   store.Store,
		Stock:   goods,
		Advance: db.Wire.Advance, Conflicts: conflicts(t, db),
		Begin: func(t testing.TB) (coupontest.Bound, func() error, func() error) {
			t.Helper()
			return begin(t, db, "coupon_wallet", func(tx sqlstore.Tx) coupontest.Bound {
				return coupontest.Bound{Store: store.WithTx(tx), Stock: goods.WithTx(tx)}
			})
		},
	}
}
