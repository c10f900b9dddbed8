package main

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/examples/internal/demo"
	"github.com/holdfast-go/holdfast/examples/internal/demo/demotest"
	"github.com/holdfast-go/holdfast/stock"
)

// sell runs the program and returns its exit code, its result and what it complained about.
func sell(ctx context.Context, t *testing.T, args ...string) (int, result, string) {
	t.Helper()
	return demotest.JSON[result](ctx, t, run, args...)
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
		code, r, complaint := sell(demotest.InterruptAfter(t, 300*time.Millisecond), t, "-buyers", "1000")
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
		code, printed, complaint := demotest.Run(t.Context(), run, "-buyers", "500", "-units", "20")
		require.Equal(t, demo.OK, code)
		require.Empty(t, complaint) // no progress where there is no terminal
		require.Contains(t, printed, "500 buyers rush for 20 units. Store: memory.")
		require.Contains(t, printed, "Audit: the books balance.")
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
	demotest.BadFlags(t, run, "flashsale", [][]string{
		{"-buyers", "0"}, {"-buyers", "many"}, {"-units", "-1"}, {"-hold", "1ns"}, {"-timeout", "-1s"}, {"-published"},
	})
}

func TestWrongDSNIsOneLine(t *testing.T) {
	t.Parallel()
	for _, more := range []string{"-json", "-published"} {
		demotest.WrongDSN(t, run, more)
	}
}

func TestSaleInMySQLBesideThePublishedDesign(t *testing.T) {
	t.Parallel()
	code, r, complaint := sell(t.Context(), t, "-dsn", demotest.Database(t), "-published", "-buyers", "300", "-units", "10", "-hold", "700ms")
	require.Equal(t, demo.OK, code, complaint)
	require.Empty(t, complaint)
	requireWhole(t, r)
	require.Positive(t, r.Published.Oversold)
	require.NotEmpty(t, r.Published.Drifts)
}

func TestInterruptedSaleInMySQL(t *testing.T) {
	t.Parallel()
	dsn := demotest.Database(t)
	code, r, complaint := sell(demotest.InterruptAfter(t, 400*time.Millisecond), t, "-dsn", dsn, "-buyers", "2000")
	require.Equal(t, demo.Interrupted, code, complaint)
	require.Empty(t, complaint)
	require.Empty(t, r.Holdfast.Drifts)
}
