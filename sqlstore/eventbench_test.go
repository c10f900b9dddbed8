package sqlstore_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// BenchmarkExpire is how fast dead holds are released, with and without an event of each.
func BenchmarkExpire(b *testing.B) {
	for name, tell := range map[string][]event.Kind{"Silent": nil, "Told": {event.HoldExpired}} {
		b.Run(name, func(b *testing.B) {
			db := sqltest.Open(b, defaults)
			db.SetMaxOpenConns(24)
			require.NoError(b, sqlstore.Migrate(b.Context(), db.DB, nil))
			inv := stock.New(sqlstore.NewStock(db.DB, &sqlstore.Options{Tell: tell}), &stock.Options{HoldFor: time.Hour})
			require.NoError(b, of(inv.Define(b.Context(), stock.Key{SKU: 1}, 1<<40, stock.Terms{})))
			rush(b, "locks/s", func(n int64) error { return lockOne(b.Context(), inv, fmt.Sprint("order-", n)) })
			run(b, db, "UPDATE goods_stock_hold SET EXPIRE_TIME = UTC_TIMESTAMP(6)")
			b.ResetTimer()
			require.Equal(b, b.N, must(inv.Expire(b.Context()))(b))
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "holds/s")
		})
	}
}

// BenchmarkDeliver is how fast events reach handlers that do nothing.
func BenchmarkDeliver(b *testing.B) {
	for name, deliver := range map[string]func(context.Context, *event.Events) (int, error){
		"Batches": func(ctx context.Context, events *event.Events) (int, error) {
			return events.DeliverBatch(ctx, func(context.Context, []event.Event) error { return nil })
		},
		"OneByOne": func(ctx context.Context, events *event.Events) (int, error) {
			return events.Deliver(ctx, func(context.Context, event.Event) error { return nil })
		},
	} {
		b.Run(name, func(b *testing.B) {
			db := sqltest.Open(b, defaults)
			require.NoError(b, sqlstore.Migrate(b.Context(), db.DB, nil))
			inv := stock.New(sqlstore.NewStock(db.DB, &sqlstore.Options{Tell: []event.Kind{event.OrderPaid}}), nil)
			require.NoError(b, of(inv.Define(b.Context(), stock.Key{SKU: 1}, 1<<40, stock.Terms{})))
			rush(b, "takes/s", func(n int64) error { return of(inv.Take(b.Context(), fmt.Sprint("order-", n), one(1))) })
			b.ResetTimer()
			require.Equal(b, b.N, must(deliver(b.Context(), event.New(sqlstore.NewEvents(db.DB, nil), nil)))(b))
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
