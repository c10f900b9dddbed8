package batch

import (
	"context"
	"runtime"
	"testing"

	"github.com/holdfast-go/holdfast/stock"
)

// stub is a batcher whose calls cost nothing.
func stub() *Batcher[stock.Key, int, int] {
	b := NewBounds(nil, Limits{Size: 900, Batches: 16, Waiting: 100_000})
	b.InFlight = func() int { return 2 }
	return New(b,
		func(_ context.Context, _ stock.Key, asked []int) ([]Reply[int], error) {
			return make([]Reply[int], len(asked)), nil
		},
		func(_ context.Context, _ stock.Key, asked int) (int, error) { return asked, nil })
}

// BenchmarkMergerAlone is what a caller pays for a batcher that has nothing to merge.
func BenchmarkMergerAlone(b *testing.B) {
	m, ctx := stub(), b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Do(ctx, stock.Key{SKU: 1}, 1); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkMergerContended is 1,024 callers of one key.
func BenchmarkMergerContended(b *testing.B) {
	m := stub()
	b.SetParallelism(max(1, 1_024/runtime.GOMAXPROCS(0)))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := m.Do(b.Context(), stock.Key{SKU: 1}, 1); err != nil {
				b.Error(err)
			}
		}
	})
}
