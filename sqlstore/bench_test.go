package sqlstore_test

import (
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// BenchmarkLockOfOneSKU is 1,024 callers who lock one hot SKU, on the server of HOLDFAST_TEST_DSN.
func BenchmarkLockOfOneSKU(b *testing.B) {
	for _, opts := range []*sqlstore.Options{{}, {Unmerged: true}} {
		b.Run("unmerged="+strconv.FormatBool(opts.Unmerged), func(b *testing.B) {
			db := sqltest.Open(b, defaults)
			require.NoError(b, sqlstore.Migrate(b.Context(), db.DB, opts))
			inv := stock.New(sqlstore.NewStock(db.DB, opts), nil)
			_, err := inv.Define(b.Context(), stock.Key{SKU: 1}, 1<<40, stock.Terms{})
			require.NoError(b, err)
			var n atomic.Int64
			b.SetParallelism(512)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := inv.Lock(b.Context(), "order-"+strconv.FormatInt(n.Add(1), 10), one(1)); err != nil {
						b.Error(err)
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "locks/s")
			report, err := inv.Audit(b.Context())
			require.NoError(b, err)
			require.Empty(b, report.Drifts)
		})
	}
}
