package sqlstore_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// BenchmarkArchive archives b.N holds of an item that has twice as many, while 1,024 callers lock units of it: -benchtime 1000000x.
// It tells how many holds it archives in a second, and the p99 of the callers' Locks by themselves and meanwhile. The server should
// have the holds in memory, and a redo log that it need not empty meanwhile (4 GB and 1 GB for 2,000,000).
func BenchmarkArchive(b *testing.B) {
	if b.N == 1 { // go test tries a benchmark before it runs it
		return
	}
	db := sqltest.Open(b, defaults)
	db.SetMaxOpenConns(24)
	require.NoError(b, sqlstore.Migrate(b.Context(), db.DB, nil))
	inv, key := stock.New(sqlstore.NewStock(db.DB, nil), nil), stock.Key{SKU: 1}
	require.NoError(b, of(inv.Define(b.Context(), key, 1<<40, stock.Terms{})))
	year := time.Now().AddDate(-1, 0, 0)
	fillHolds(b, db, b.N, "old", year)
	fillHolds(b, db, b.N, "young", time.Now())
	before := sizeOf(b, db)
	told := map[string]float64{} // a timer that is reset forgets what was reported
	locks := func(name string, during func()) time.Duration {
		took := make([][]time.Duration, callers)
		stop := meanwhile(b, callers, func(caller, n int) error {
			began := time.Now()
			err := lockOne(b.Context(), inv, fmt.Sprintf("%s-%d-%d", name, caller, n))
			took[caller] = append(took[caller], time.Since(began))
			return err
		})
		began := time.Now()
		during()
		stop()
		all := slices.Concat(took...)
		slices.Sort(all)
		p99 := all[len(all)*99/100]
		told[name+"-locks/s"], told[name+"-p99-ms"] = float64(len(all))/time.Since(began).Seconds(), p99.Seconds()*1_000
		return p99
	}
	during := func() { <-time.After(8 * time.Second) }
	locks("warm", during)
	alone := locks("alone", during)
	archived := 0
	b.ResetTimer()
	pace := time.NewTicker(40 * time.Millisecond)
	defer pace.Stop()
	beside := locks("beside", func() {
		for n, err := range inv.Archive(b.Context(), year.AddDate(0, 6, 0), stock.Filter{}, nil) {
			require.NoError(b, err)
			archived += n
			<-pace.C
		}
		b.StopTimer()
	})
	require.Equal(b, b.N, archived)
	for unit, n := range told {
		b.ReportMetric(n, unit)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "holds/s")
	b.ReportMetric(beside.Seconds()/alone.Seconds(), "p99-ratio")
	b.Logf("bytes of the holds before %s, after %s", before, sizeOf(b, db))
	require.Empty(b, must(inv.Audit(b.Context()))(b).Drifts)
}

// fillHolds sells so many units of SKU 1 to orders that were redeemed at a time, one each.
func fillHolds(b *testing.B, db *sqltest.DB, holds int, name string, at time.Time) {
	b.Helper()
	const digit = "(SELECT 0 AS N UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5" +
		" UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9) "
	const part = 10_000
	for from := 0; from < holds; from += part {
		_, err := db.ExecContext(b.Context(), "INSERT INTO goods_stock_hold (ORDER_NO, LINE_NO, SKU_ID, ACTIVITY_ID, NUM, STATE, EXPIRE_TIME,"+
			" PAY_TIME, CREATE_TIME, UPDATE_TIME) SELECT CONCAT(?, LPAD("+strconv.Itoa(from)+" + a.N + 10 * b.N + 100 * c.N + 1000 * d.N, 9, '0')),"+
			" 1, 1, 0, 1, 3, ?, ?, ?, ? FROM "+digit+"a, "+digit+"b, "+digit+"c, "+digit+"d LIMIT "+strconv.Itoa(min(part, holds-from)),
			name, at, at, at, at)
		require.NoError(b, err)
	}
	_, err := db.ExecContext(b.Context(), "UPDATE goods_stock SET STOCK_SALE_NUM = STOCK_SALE_NUM + ?, STOCK_LEFT_NUM = STOCK_LEFT_NUM - ?",
		holds, holds)
	require.NoError(b, err)
}

// sizeOf tells how large the tables of holds, buyers, refunds and changes are: data and indexes.
func sizeOf(b *testing.B, db *sqltest.DB) string {
	b.Helper()
	run(b, db, "ANALYZE TABLE goods_stock_hold")
	return value[string](b, db, "SELECT CONCAT(DATA_LENGTH, ' + ', INDEX_LENGTH) FROM information_schema.TABLES"+
		" WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'goods_stock_hold'")
}
