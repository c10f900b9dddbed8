package sqlstore_test

import (
	"errors"
	"fmt"
	"iter"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// BenchmarkBulk makes calls for 10,000 items: new ones, the same again as a program does at its start, a delivery, all of them
// read, and an audit, where each has a paid and a locked hold; and it cancels 10,000 orders of one item. Each is one iteration:
// -benchtime 1x.
func BenchmarkBulk(b *testing.B) {
	const many = 10_000
	items, lines, keys := make([]stock.Item, many), make([]stock.Line, many), make([]stock.Key, many)
	for i := range items {
		keys[i] = stock.Key{SKU: int64(i + 1)}
		items[i] = stock.Item{Key: keys[i], Terms: stock.Terms{SPU: int64(i/10 + 1)}, Quantities: stock.Quantities{Total: 100}}
		lines[i] = stock.Line{SKU: keys[i].SKU, Num: 5}
	}
	db := sqltest.Open(b, defaults)
	require.NoError(b, sqlstore.Migrate(b.Context(), db.DB, nil))
	inv, ctx := stock.New(sqlstore.NewStock(db.DB, nil), nil), b.Context()
	b.Run("DefineNew", func(b *testing.B) {
		for n := 0; b.Loop(); n++ {
			for i := range items {
				items[i].Activity = int64(n)
			}
			drain(b, many, inv.DefineAll(ctx, items...))
		}
	})
	for i := range items {
		items[i].Activity = 0
	}
	b.Run("DefineAgain", func(b *testing.B) {
		for b.Loop() {
			drain(b, many, inv.DefineAll(ctx, items...))
		}
	})
	b.Run("Restock", func(b *testing.B) {
		for n := 0; b.Loop(); n++ {
			drain(b, many/stock.MaxLines, inv.RestockAll(ctx, fmt.Sprint("in-", n), lines...))
		}
	})
	b.Run("DefineAgainAfterRestock", func(b *testing.B) {
		for b.Loop() {
			drain(b, many, inv.DefineAll(ctx, items...))
		}
	})
	b.Run("Read", func(b *testing.B) {
		for b.Loop() {
			drain(b, many, inv.Items(ctx, keys...))
		}
	})
	b.Run("ReadPageOf20", func(b *testing.B) {
		for b.Loop() {
			drain(b, 20, inv.Items(ctx, keys[4000:4020]...))
		}
	})
	for _, take := range []bool{false, true} {
		for from := 0; from < many; from += stock.MaxLines {
			order, call := fmt.Sprint(take, from), inv.For(fmt.Sprint("buyer ", from)).Lock
			if take {
				call = inv.For(fmt.Sprint("buyer ", from)).Take
			}
			require.NoError(b, of(call(ctx, order, lines[from:from+stock.MaxLines]...)))
		}
	}
	b.Run("Audit", func(b *testing.B) {
		for b.Loop() {
			report, err := inv.Audit(ctx)
			require.NoError(b, err)
			require.True(b, report.Balanced())
		}
	})
	b.Run("CancelAll", func(b *testing.B) {
		for n := 0; b.Loop(); n++ {
			b.StopTimer()
			key := stock.Key{SKU: int64(many + 1 + n)}
			require.NoError(b, of(inv.Define(ctx, key, many, stock.Terms{})))
			require.NoError(b, lockMany(b, inv, key, many))
			b.StartTimer()
			drain(b, many, inv.CancelAll(ctx, stock.Filter{Key: key}))
		}
	})
}

// drain demands that an iterator returns so much, and no error.
func drain[T any](b *testing.B, want int, listing iter.Seq2[T, error]) {
	b.Helper()
	n := 0
	for _, err := range listing {
		require.NoError(b, err)
		n++
	}
	require.Equal(b, want, n)
}

// lockMany locks a unit of an item for so many orders.
func lockMany(b *testing.B, inv *stock.Inventory, key stock.Key, orders int) error {
	b.Helper()
	return errors.Join(suite.Crowd(orders, 256, func(i int) error {
		return of(inv.Lock(b.Context(), fmt.Sprintf("%d/%d", key.SKU, i), stock.Line{SKU: key.SKU, Num: 1}))
	})...)
}
