package sqlstore

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/stock"
)

// stub is a merger whose calls cost nothing.
func stub() *merger[stock.Key, int, int] {
	opts, _ := (*Options)(nil).complete()
	return newMerger(newBounds(opts, func() int { return 2 }),
		func(_ context.Context, _ stock.Key, asked []int) ([]reply[int], error) {
			return make([]reply[int], len(asked)), nil
		},
		func(_ context.Context, _ stock.Key, asked int) (int, error) { return asked, nil })
}

// BenchmarkMergerAlone is what a caller pays for a merger that has nothing to merge.
func BenchmarkMergerAlone(b *testing.B) {
	m, ctx := stub(), b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.do(ctx, stock.Key{SKU: 1}, 1); err != nil {
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
			if _, err := m.do(b.Context(), stock.Key{SKU: 1}, 1); err != nil {
				b.Error(err)
			}
		}
	})
}

// fullBatch is as many orders as one batch takes, each of another buyer where they name one.
func fullBatch(buyers bool) []lockCall {
	calls := make([]lockCall, DefaultBatchSize)
	for i := range calls {
		calls[i] = lockCall{holdFor: 15 * time.Minute, order: stock.Order{
			ID: fmt.Sprintf("20300131-%012d", i), Lines: []stock.Line{{SKU: 42, Num: 1}},
		}}
		if buyers {
			calls[i].order.Buyer = fmt.Sprint(1_000_000 + i)
		}
	}
	return calls
}

// BenchmarkRender is the text of the statements of a full batch.
func BenchmarkRender(b *testing.B) {
	statements := newStockSQL(goodsStock)
	at := time.Date(2030, 1, 31, 23, 59, 0, 0, time.UTC)
	calls, named := fullBatch(false), fullBatch(true)
	usages, _ := usagesOf(named)
	orders := make([]string, len(calls))
	for i, c := range calls {
		orders[i] = c.order.ID
	}
	for _, c := range []struct {
		name   string
		render func() string
	}{
		{"insertMany", func() string { return statements.insertMany(at, calls) }},
		{"insertManyForBuyers", func() string { return statements.insertMany(at, named) }},
		{"lockItem", func() string { return statements.lockItem(lockKey{Key: stock.Key{SKU: 42}}, 900, 1, true, nil) }},
		{"lockItemForBuyers", func() string { return statements.lockItem(lockKey{Key: stock.Key{SKU: 42}}, 900, 1, false, usages) }},
		{"countHolds", func() string { return statements.countHolds(usages) }},
		{"payLock", func() string { return renderList(statements.many[stock.StepPay].lock, orders) }},
		{"payMove", func() string { return statements.many[stock.StepPay].moved(at, orders) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			bytes := 0
			for b.Loop() {
				bytes = len(c.render())
			}
			b.SetBytes(int64(bytes))
		})
	}
}
