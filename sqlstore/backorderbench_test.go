package sqlstore_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// BenchmarkCover has 100,000 orders wait for a unit each of one item, which 1,024 callers have locked, and covers all of them by one
// Restock, with an event for each: -benchtime 1x.
func BenchmarkCover(b *testing.B) {
	const orders, callers = 100_000, 1_024
	db := sqltest.Open(b, defaults)
	require.NoError(b, sqlstore.Migrate(b.Context(), db.DB, nil))
	inv, ctx := stock.New(sqlstore.NewStock(db.DB, &sqlstore.Options{Tell: []event.Kind{event.Covered}}), nil), b.Context()
	sku := int64(0)
	begin := func(b *testing.B) {
		b.Helper()
		sku++
		require.NoError(b, of(inv.Define(ctx, stock.Key{SKU: sku}, 0, stock.Terms{Backorder: orders})))
	}
	lock := func(b *testing.B) {
		b.Helper()
		for _, err := range suite.Together(callers, func(caller int) error {
			for n := caller; n < orders; n += callers {
				if err := of(inv.Lock(ctx, strconv.FormatInt(sku, 10)+"-"+strconv.Itoa(n), one(sku))); err != nil {
					return err
				}
			}
			return nil
		}) {
			require.NoError(b, err)
		}
	}
	b.Run("Lock", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			begin(b)
			b.StartTimer()
			lock(b)
		}
		b.ReportMetric(float64(b.N*orders)/b.Elapsed().Seconds(), "backorders/s")
	})
	b.Run("Restock", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			begin(b)
			lock(b)
			b.StartTimer()
			outcome, err := inv.Restock(ctx, "in-"+strconv.FormatInt(sku, 10), units(sku, orders))
			require.NoError(b, err)
			require.Equal(b, int64(orders), outcome.Covered)
		}
		b.ReportMetric(float64(b.N*orders)/b.Elapsed().Seconds(), "backorders/s")
	})
	require.Empty(b, must(inv.Audit(ctx))(b).Drifts)
}
