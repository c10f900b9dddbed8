package stock_test

import (
	"context"
	"errors"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// The memory store, on the wall clock: what the rules themselves cost.

// stall returns an inventory in memory with units of SKU 1.
func stall(b *testing.B, total int64) *stock.Inventory {
	b.Helper()
	inv := stock.New(&stock.Memory{}, nil)
	require.NoError(b, suite.Err(inv.Define(b.Context(), stock.Key{SKU: 1}, total, stock.Terms{})))
	return inv
}

func BenchmarkMemoryLock(b *testing.B) {
	for name, bind := range map[string]func(*stock.Inventory) *stock.Inventory{
		"Nobody": func(inv *stock.Inventory) *stock.Inventory { return inv },
		"Buyer":  func(inv *stock.Inventory) *stock.Inventory { return inv.For("7") },
	} {
		b.Run(name, func(b *testing.B) {
			inv, ctx := bind(stall(b, 1<<40)), b.Context()
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				if _, err := inv.Lock(ctx, strconv.Itoa(n), stock.Line{SKU: 1, Num: 1}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkMemoryPay(b *testing.B) {
	inv := stall(b, 1<<40)
	benchmarkStep(b, inv, inv.Pay)
}

func BenchmarkMemoryCancel(b *testing.B) {
	inv := stall(b, 1<<40)
	benchmarkStep(b, inv, inv.Cancel)
}

// benchmarkStep steps orders that were locked while the clock of the benchmark stood still.
func benchmarkStep(b *testing.B, inv *stock.Inventory, step func(context.Context, string) (stock.Outcome, error)) {
	b.Helper()
	const ahead = 10_000
	ctx := b.Context()
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		if n%ahead == 0 {
			b.StopTimer()
			for i := range ahead {
				require.NoError(b, suite.Err(inv.Lock(ctx, strconv.Itoa(n+i), stock.Line{SKU: 1, Num: 1})))
			}
			b.StartTimer()
		}
		if _, err := step(ctx, strconv.Itoa(n)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMemorySoldOut(b *testing.B) {
	inv, ctx := stall(b, 0), b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := inv.Lock(ctx, "order-1", stock.Line{SKU: 1, Num: 1}); !errors.Is(err, stock.ErrInsufficient) {
			b.Fatal(err)
		}
	}
}
