package sqlstore_test

import (
	"database/sql"
	"testing"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/coupontest"
	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/sqlstore"
)

// TestCoupon runs the conformance suite as TestStock does, beside a stock in the same database.
func TestCoupon(t *testing.T) {
	t.Parallel()
	everyWay(t, couponStores(), func(t *testing.T, variant sqltest.Variant, newStore func(*sql.DB) boundCoupons) {
		t.Helper()
		coupontest.Run(t, func(t testing.TB) coupontest.Harness {
			t.Helper()
			return couponHarness(t, prepared(t, variant, stockTables, couponTables), newStore)
		})
	})
}

// couponStores are the ways to use the tables, beside the usual.
func couponStores() map[string]func(*sql.DB) boundCoupons {
	return map[string]func(*sql.DB) boundCoupons{
		"Unmerged": func(db *sql.DB) boundCoupons { return sqlstore.NewCoupon(db, &alone) },
		"Batches":  func(db *sql.DB) boundCoupons { return sqlstore.NewCoupon(db, nil).AlwaysBatch() },
		"Mixed":    newMixedCoupons,
	}
}

// boundCoupons is a store that can join a transaction.
type boundCoupons interface {
	coupon.Store
	WithTx(tx sqlstore.Tx) *sqlstore.Coupon
}

// couponHarness returns a store in fresh tables of the database, with a frozen clock. No way to make it is
// the usual one.
func couponHarness(t testing.TB, db *sqltest.DB, newStore func(*sql.DB) boundCoupons) coupontest.Harness {
	t.Helper()
	db.Wire.Freeze(start)
	if newStore == nil {
		newStore = func(db *sql.DB) boundCoupons { return sqlstore.NewCoupon(db, nil) }
	}
	store, goods := newStore(db.DB), sqlstore.NewStock(db.DB, nil)
	return coupontest.Harness{
		Store:   store,
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
