package ledger

import (
	"fmt"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// fullBatch is as many orders as one batch takes, each of another buyer where they name one.
func fullBatch(buyers bool) []LockCall {
	calls := make([]LockCall, mysql.MaxList)
	for i := range calls {
		calls[i] = LockCall{HoldFor: 15 * time.Minute, Order: stock.Order{
			ID: fmt.Sprintf("20300131-%012d", i), Lines: []stock.Line{{SKU: 42, Num: 1}},
		}}
		if buyers {
			calls[i].Order.Buyer = fmt.Sprint(1_000_000 + i)
		}
	}
	return calls
}

// BenchmarkRender is the text of the statements of a full batch.
func BenchmarkRender(b *testing.B) {
	statements := NewStatements(GoodsStock)
	at := time.Date(2030, 1, 31, 23, 59, 0, 0, time.UTC)
	calls, named := fullBatch(false), fullBatch(true)
	usages := usagesOf(named)
	lock := stock.StepLock.Transition()
	sums := func(anonymous bool) []itemSum {
		return []itemSum{{Key: stock.Key{SKU: 42}, num: 900, most: 1, anonymous: anonymous}}
	}
	orders := make([]string, len(calls))
	for i, c := range calls {
		orders[i] = c.Order.ID
	}
	for _, c := range []struct {
		name   string
		render func() string
	}{
		{"insertMany", func() string { return statements.insertMany(at, calls) }},
		{"insertManyForBuyers", func() string { return statements.insertMany(at, named) }},
		{"lockItem", func() string { return statements.lockSums(lock, sums(true), nil) }},
		{"lockItemForBuyers", func() string { return statements.lockSums(lock, sums(false), usages) }},
		{"countHolds", func() string { return statements.countHolds(usages) }},
		{"payLock", func() string { return mysql.RenderList(statements.Many[stock.StepPay].lock, orders) }},
		{"payMove", func() string { return statements.Many[stock.StepPay].Moved(at, lineKeys{"1": orders}) }},
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
