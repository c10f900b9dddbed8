package main

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/examples/internal/demo"
	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/stock"
)

// sell runs the program and returns its exit code, its result and what it complained about.
func sell(ctx context.Context, t *testing.T, args ...string) (int, result, string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(ctx, append(args, "-json"), &stdout, &stderr)
	var r result
	if stdout.Len() > 0 {
		require.NoError(t, json.Unmarshal(stdout.Bytes(), &r))
	}
	return code, r, stderr.String()
}

// requireWhole demands that each buyer is accounted for once, and that all accounts agree.
func requireWhole(t *testing.T, r result) {
	t.Helper()
	o := r.Holdfast
	require.Equal(t, r.Buyers, o.Sold+o.Held+o.SoldOut+o.Cancelled+o.Expired+o.Refunded)
	require.Equal(t, counters{
		Total: r.Units, Sold: int64(o.Sold), Left: r.Units - int64(o.Sold), Refunded: int64(o.Refunded),
	}, o.Counters)
	require.True(t, o.Audited)
	require.Empty(t, o.Drifts)
	require.Zero(t, o.Oversold)
	require.Zero(t, o.Held)
}

func TestSaleInMemory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		code, r, complaint := sell(t.Context(), t, "-buyers", "1000", "-units", "100")
		require.Equal(t, demo.OK, code, complaint)
		require.Empty(t, complaint)
		requireWhole(t, r)
		o := r.Holdfast
		require.Greater(t, o.Sold, 90)
		for _, n := range []int{o.SoldOut, o.Cancelled, o.Expired, o.Refunded, o.Replays, o.Late} {
			require.Positive(t, n)
		}
		require.GreaterOrEqual(t, o.Locks, r.Buyers)
		require.Less(t, o.Seconds, 6.0)
	})
}

func TestUnitsForEverybody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		code, r, complaint := sell(t.Context(), t, "-buyers", "300", "-units", "300")
		require.Equal(t, demo.OK, code, complaint)
		requireWhole(t, r)
		require.Zero(t, r.Holdfast.SoldOut)
		require.Equal(t, r.Buyers, r.Holdfast.Locks)
	})
}

func TestNothingForSale(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		code, r, complaint := sell(t.Context(), t, "-buyers", "50", "-units", "0")
		require.Equal(t, demo.OK, code, complaint)
		require.Equal(t, 50, r.Holdfast.SoldOut)
	})
}

func TestTheSameSeedMakesTheSameBuyers(t *testing.T) {
	t.Parallel()
	for number := range 1000 {
		first, second := newBuyer(7, number, time.Second), newBuyer(7, number, time.Second)
		require.Equal(t, first, second)
	}
	require.NotEqual(t, newBuyer(7, 1, time.Second), newBuyer(8, 1, time.Second))
	require.NotEqual(t, newBuyer(7, 1, time.Second), newBuyer(7, 2, time.Second))
}

func TestInterruptedSaleSaysWhatHappenedSoFar(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, interrupt := context.WithCancel(t.Context())
		time.AfterFunc(300*time.Millisecond, interrupt)
		code, r, complaint := sell(ctx, t, "-buyers", "1000")
		require.Equal(t, demo.Interrupted, code, complaint)
		require.Empty(t, complaint)
		require.True(t, r.Interrupted)
		require.True(t, r.Holdfast.balanced())
		require.Positive(t, r.Holdfast.Held)
		require.EqualValues(t, r.Holdfast.Held, r.Holdfast.Counters.Locked)
	})
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		code, r, complaint := sell(t.Context(), t, "-buyers", "1000", "-timeout", "300ms")
		require.Equal(t, demo.Failed, code)
		require.Equal(t, "flashsale: stopped after 300ms; give it longer with -timeout\n", complaint)
		require.True(t, r.Holdfast.balanced())
	})
}

func TestTableForPeople(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var stdout, stderr bytes.Buffer
		require.Equal(t, demo.OK, run(t.Context(), []string{"-buyers", "500", "-units", "20"}, &stdout, &stderr))
		require.Empty(t, stderr.String()) // no progress where there is no terminal
		require.Contains(t, stdout.String(), "500 buyers rush for 20 units. Store: memory.")
		require.Contains(t, stdout.String(), "Audit: the books balance.")
	})
}

func TestAnAuditThatFailsIsNoSuccess(t *testing.T) {
	t.Parallel()
	o := outcome{Sold: 12, Audited: true}
	o.weigh(10, stock.Quantities{Total: 10, Sold: 12, Left: -2})
	require.EqualValues(t, 2, o.Oversold)
	require.False(t, o.balanced())
	require.Contains(t, o.verdict(10), "WRONG, 2 units too many")
}

func TestBadFlags(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"-nonsense"}, {"more"}, {"-buyers", "0"}, {"-buyers", "many"}, {"-units", "-1"}, {"-hold", "1ns"},
		{"-timeout", "-1s"}, {"-published"}, {"-dsn", ""},
	} {
		var stdout, stderr bytes.Buffer
		require.Equal(t, demo.Usage, run(t.Context(), args, &stdout, &stderr), args)
		require.Empty(t, stdout.String())
		require.Contains(t, stderr.String(), "Usage of flashsale")
	}
}

func TestWrongDSNIsOneLine(t *testing.T) {
	t.Parallel()
	for dsn, says := range map[string]string{
		"nonsense":                       "-dsn cannot be read",
		"root@tcp(127.0.0.1:3306)/":      "-dsn names no database",
		"root@tcp(127.0.0.1:1)/shop":     "no server at 127.0.0.1:1",
		"root@unix(/no/such/socket)/any": "no server at /no/such/socket",
	} {
		for _, more := range []string{"-json", "-published"} {
			var stdout, stderr bytes.Buffer
			require.Equal(t, demo.Failed, run(t.Context(), []string{"-dsn", dsn, more}, &stdout, &stderr))
			require.Empty(t, stdout.String())
			require.Contains(t, stderr.String(), says)
			require.Equal(t, 1, strings.Count(stderr.String(), "\n"), stderr.String())
		}
	}
}

// database returns the DSN of a new database, and demands in the end that nothing is left in it.
func database(t *testing.T) string {
	t.Helper()
	db := sqltest.Open(t, sqltest.Variants()[0])
	t.Cleanup(func() {
		var tables int
		count := db.QueryRowContext(context.WithoutCancel(t.Context()),
			"SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()")
		require.NoError(t, count.Scan(&tables))
		require.Zero(t, tables)
	})
	return db.Config.FormatDSN()
}

func TestSaleInMySQLBesideThePublishedDesign(t *testing.T) {
	t.Parallel()
	code, r, complaint := sell(t.Context(), t, "-dsn", database(t), "-published", "-buyers", "300", "-units", "10", "-hold", "700ms")
	require.Equal(t, demo.OK, code, complaint)
	require.Empty(t, complaint)
	requireWhole(t, r)
	require.Positive(t, r.Published.Oversold)
	require.NotEmpty(t, r.Published.Drifts)
}

func TestInterruptedSaleInMySQL(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	dsn := database(t)
	time.AfterFunc(400*time.Millisecond, interrupt)
	code, r, complaint := sell(ctx, t, "-dsn", dsn, "-buyers", "2000")
	require.Equal(t, demo.Interrupted, code, complaint)
	require.Empty(t, complaint)
	require.Empty(t, r.Holdfast.Drifts)
}
