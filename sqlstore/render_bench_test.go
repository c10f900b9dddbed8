package sqlstore

import (
	"fmt"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/stock"
)

// fullBatch is as many orders as one batch takes, each of another buyer where they name one.
func fullBatch(buyers bool) []lockCall {
	calls := make([]lockCall, maxList)
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
