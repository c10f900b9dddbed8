package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// callers is how many goroutines the benchmarks of a hot SKU use on two cores.
const callers = 1_024

// BenchmarkHotSKU is 1,024 callers and one SKU, on the server of HOLDFAST_TEST_DSN. The tool of
// internal/lab compares it with other ways; this is for a profile.
func BenchmarkHotSKU(b *testing.B) {
	for _, c := range []struct {
		name  string
		opts  sqlstore.Options
		units int64
		call  func(ctx context.Context, inv *stock.Inventory, order string) error
	}{
		{"Lock", sqlstore.Options{}, 1 << 40, lockOne},
		{"LockForBuyer", sqlstore.Options{}, 1 << 40, func(ctx context.Context, inv *stock.Inventory, order string) error {
			return lockOne(ctx, inv.For(fmt.Sprint(int64(len(order))*1_000+int64(order[len(order)-1]))), order)
		}},
		{"LockWithLists", sqlstore.Options{}, 1 << 40, lockOne}, // with the indexes of MigrateLists
		{"LockTellingLines", sqlstore.Options{Tell: []event.Kind{event.SoldOut, event.BackInStock, event.LowStock}}, 1 << 40, lockOne},
		{"LockUnmerged", sqlstore.Options{Unmerged: true}, 1 << 40, lockOne},
		{"LockPay", sqlstore.Options{}, 1 << 40, func(ctx context.Context, inv *stock.Inventory, order string) error {
			err := lockOne(ctx, inv, order)
			_, paid := inv.Pay(ctx, order)
			return errors.Join(err, paid)
		}},
		{"SoldOut", sqlstore.Options{}, 1_000, func(ctx context.Context, inv *stock.Inventory, order string) error {
			if err := lockOne(ctx, inv, order); !errors.Is(err, stock.ErrInsufficient) {
				return err
			}
			return nil
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			db := sqltest.Open(b, defaults)
			db.SetMaxOpenConns(24)
			require.NoError(b, sqlstore.Migrate(b.Context(), db.DB, &c.opts))
			if c.name == "LockWithLists" {
				require.NoError(b, sqlstore.MigrateLists(b.Context(), db.DB, &c.opts))
			}
			inv := stock.New(sqlstore.NewStock(db.DB, &c.opts), nil)
			require.NoError(b, of(inv.Define(b.Context(), stock.Key{SKU: 1}, c.units, stock.Terms{})))
			rush(b, "calls/s", func(n int64) error { return c.call(b.Context(), inv, "order-"+strconv.FormatInt(n, 10)) })
			require.Empty(b, must(inv.Audit(b.Context()))(b).Drifts)
		})
	}
}

func lockOne(ctx context.Context, inv *stock.Inventory, order string) error {
	return of(inv.Lock(ctx, order, one(1)))
}

// BenchmarkAmend is 1,024 callers who each swap the item of an order of their own for another, in both directions.
func BenchmarkAmend(b *testing.B) {
	for name, opts := range map[string]sqlstore.Options{"Merged": {}, "Unmerged": {Unmerged: true}} {
		b.Run(name, func(b *testing.B) {
			db := sqltest.Open(b, defaults)
			db.SetMaxOpenConns(24)
			require.NoError(b, sqlstore.Migrate(b.Context(), db.DB, nil))
			locking, inv := stock.New(sqlstore.NewStock(db.DB, nil), nil), stock.New(sqlstore.NewStock(db.DB, &opts), nil)
			for sku := int64(1); sku <= 2; sku++ {
				require.NoError(b, of(inv.Define(b.Context(), stock.Key{SKU: sku}, 1<<40, stock.Terms{})))
			}
			rush(b, "locks/s", func(n int64) error { return of(locking.Lock(b.Context(), strconv.FormatInt(n, 10), one(1+n%2))) })
			rush(b, "amends/s", func(n int64) error {
				order := strconv.FormatInt(n, 10)
				return of(inv.Amend(b.Context(), amendAs(order, order, one(2-n%2))))
			})
			require.Empty(b, must(inv.Audit(b.Context()))(b).Drifts)
		})
	}
}

// rush makes b.N calls from all callers.
func rush(b *testing.B, unit string, call func(n int64) error) {
	b.Helper()
	var n atomic.Int64
	b.SetParallelism(callers / 2)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := call(n.Add(1)); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), unit)
}

// BenchmarkOtherSKU is how long one caller's Lock of a SKU takes, by itself and while 1,024 callers want
// another SKU through the same pool: its median and p99 in milliseconds.
func BenchmarkOtherSKU(b *testing.B) {
	for _, rivals := range []int{0, callers} {
		b.Run(strconv.Itoa(rivals)+"rivals", func(b *testing.B) {
			db := sqltest.Open(b, defaults)
			db.SetMaxOpenConns(24)
			require.NoError(b, sqlstore.Migrate(b.Context(), db.DB, nil))
			inv := stock.New(sqlstore.NewStock(db.DB, nil), nil)
			for sku := int64(1); sku <= 2; sku++ {
				require.NoError(b, of(inv.Define(b.Context(), stock.Key{SKU: sku}, 1<<40, stock.Terms{})))
			}
			stop := meanwhile(b, rivals, func(rival, n int) error {
				return lockOne(b.Context(), inv, "rival-"+strconv.Itoa(rival)+"-"+strconv.Itoa(n))
			})
			var took []time.Duration
			for b.Loop() {
				start := time.Now()
				_, err := inv.Lock(b.Context(), "order-"+strconv.Itoa(len(took)), one(2))
				took = append(took, time.Since(start))
				require.NoError(b, err)
			}
			stop()
			slices.Sort(took)
			b.ReportMetric(took[len(took)/2].Seconds()*1_000, "p50-ms")
			b.ReportMetric(took[len(took)*99/100].Seconds()*1_000, "p99-ms")
		})
	}
}

// BenchmarkInsert is the limit: the same holds, in INSERTs of many rows and nothing else.
func BenchmarkInsert(b *testing.B) {
	const rows = 1_000
	db := sqltest.Open(b, defaults)
	require.NoError(b, sqlstore.Migrate(b.Context(), db.DB, nil))
	var n atomic.Int64
	b.SetParallelism(2)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			var text strings.Builder
			text.WriteString("INSERT INTO goods_stock_hold (ORDER_NO, LINE_NO, SKU_ID, ACTIVITY_ID, NUM, BUYER_ID, STATE, EXPIRE_TIME," +
				" CREATE_TIME, UPDATE_TIME) VALUES ")
			first := n.Add(rows)
			for i := range rows {
				if i > 0 {
					text.WriteString(", ")
				}
				text.WriteString("('order-" + strconv.FormatInt(first+int64(i), 10) + "', 1, 1, 0, 1, NULL, 1," +
					" TIMESTAMPADD(MICROSECOND, 900000000, UTC_TIMESTAMP(6)), UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))")
			}
			if _, err := db.ExecContext(b.Context(), text.String()); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)*rows/b.Elapsed().Seconds(), "rows/s")
}
