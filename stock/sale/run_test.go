//go:build go1.25

package sale_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/sale"
)

// Run makes sessions, ends them, and has what they did not sell go back, until its context ends.
func TestRunMakesSessionsAndEndsThem(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		units := &stock.Memory{}
		shop, sales := stock.New(units, nil), sale.New(&sale.Memory{Stock: units}, &sale.Options{Sweep: time.Minute})
		_, err := shop.Define(ctx, stock.Key{SKU: 42}, 1000, stock.Terms{})
		require.NoError(t, err)
		begin := time.Now()
		series := sale.Series{
			Activity: sale.Activity{Title: "Daily"}, Zone: "UTC", Times: []time.Duration{10 * time.Hour}, Lasts: time.Hour,
			Until: begin.Add(72 * time.Hour),
			Lots:  []sale.Lot{{Product: sale.Product{Key: stock.Key{SKU: 42}, Price: decimal.NewFromInt(5)}, Units: 10}},
			ID:    func(start time.Time) int64 { return start.Unix() },
		}
		done := make(chan error, 1)
		go func() { done <- sales.Run(ctx, series) }()
		synctest.Wait()
		item, err := shop.Item(ctx, stock.Key{SKU: 42})
		require.NoError(t, err)
		require.EqualValues(t, 970, item.Left)
		time.Sleep(4 * 24 * time.Hour)
		synctest.Wait()
		item, err = shop.Item(ctx, stock.Key{SKU: 42})
		require.NoError(t, err)
		require.EqualValues(t, 1000, item.Left)
		for a, err := range sales.Activities(ctx) {
			require.NoError(t, err)
			require.Equal(t, sale.Ended, a.State)
		}
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
	})
}
