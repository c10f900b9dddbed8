package sqlstore_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/coupontest"
	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/stock"
)

// couponModelRuns of couponModelOps random operations each are compared: 13,000 in all.
const (
	couponModelRuns = 26
	couponModelOps  = 500
)

// TestCouponModel does what TestModel does, for coupons.
func TestCouponModel(t *testing.T) {
	t.Parallel()
	everyModel(t, couponStores(), couponModelRuns, func(t testing.TB, seed int64, variant sqltest.Variant, way func(*sql.DB) boundCoupons) {
		t.Helper()
		couponModel(t, seed, couponModelOps, variant, way)
	})
}

// FuzzCouponModel looks for a seed in which the two differ: go test ./sqlstore -fuzz CouponModel.
func FuzzCouponModel(f *testing.F) {
	f.Add(int64(-1))
	f.Fuzz(func(t *testing.T, seed int64) {
		variant, way := choose(seed, couponStores())
		couponModel(t, seed, 300, variant, way)
	})
}

// couponModel compares the stores over some operations.
func couponModel(t testing.TB, seed int64, ops int, variant sqltest.Variant, way func(*sql.DB) boundCoupons) {
	t.Helper()
	clock := start
	now := func() time.Time { return clock }
	memory := coupontest.Harness{
		Store:   &coupon.Memory{Clock: now},
		Stock:   &stock.Memory{Clock: now},
		Advance: func(d time.Duration) { clock = clock.Add(d) },
	}
	coupontest.Model(t, seed, ops, memory, couponHarness(t, prepared(t, variant, stockTables, couponTables), way))
}
