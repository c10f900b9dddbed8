package main

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/examples/internal/demo"
	"github.com/holdfast-go/holdfast/examples/internal/demo/demotest"
	"github.com/holdfast-go/holdfast/stock"
)

// give runs the program and returns its exit code, its result and what it complained about.
func give(ctx context.Context, t *testing.T, args ...string) (int, result, string) {
	t.Helper()
	return demotest.JSON[result](ctx, t, run, args...)
}

// requireWhole demands that each buyer and each code is accounted for once, and that all accounts agree.
func requireWhole(t *testing.T, r result) {
	t.Helper()
	require.Equal(t, r.Buyers, r.Rush.Given+r.Rush.SoldOut)
	require.Zero(t, r.Rush.OverLimit)
	require.Empty(t, r.Rush.Wrong)
	require.True(t, r.Audited)
	require.Empty(t, r.Drifts)
	spring := r.Campaigns[0]
	require.Equal(t, [3]int64{r.Codes, int64(r.Rush.Given), r.Codes - int64(r.Rush.Given)}, [3]int64{spring.Total, spring.Claimed, spring.Left})
}

// requireTale demands each answer of the tale, and what it left behind.
func requireTale(t *testing.T, r result) {
	t.Helper()
	answers := []string{
		": 20.00 off 100.00, usable",
		"refused: no such coupon",
		", 20.00 off",
		"refused: reserved for another order",
		"refused: for orders of 100.00 or more, this one is 80.00",
		"redeemed: 20.00 off, 85.00 paid",
		"redeemed: 20.00 off, 85.00 paid",
		"the coupon stays used: only 40.00 of the 85.00 paid are refunded",
		"returned: the coupon can be used again",
		", 20.00 off",
		"released: the coupon is usable, the order never used it",
		"refused: the order has released it",
		"given to 3; 3 of the campaign are out",
		"given to 3; 3 of the campaign are out",
		"redeemed: 19.99 off, 113.34 paid",
		"revoked",
		"refused: redeemed already",
		"refused: revoked",
		"coupon shipping-Ann, valid until ",
		"refused: it was valid until ",
		"refused: what would be claimed is no longer valid",
		", 20.00 off",
	}
	require.Len(t, r.Tale, len(answers))
	for i, answer := range answers {
		require.Contains(t, r.Tale[i].Answer, answer, "step %d: %s", i+1, r.Tale[i].What)
	}

	var wallet []string
	for _, c := range r.Wallet {
		wallet = append(wallet, c.Title+" "+c.Status+" "+c.Order)
	}
	require.Equal(t, []string{"20.00 off 100.00 reserved A-4", "free shipping expired ", "15 % off, 30.00 at most gone "}, wallet)
	var history []string
	for _, h := range r.History {
		history = append(history, h.State+" "+h.Order)
	}
	require.Equal(t, []string{"claimed ", "reserved A-1", "redeemed A-1", "returned A-1", "reserved A-2", "released A-2", "reserved A-4"}, history)
	require.Len(t, r.Campaigns, 3)
	require.Equal(t, campaignRow{ID: gift, Title: giftTerms.Title, Total: 100, Claimed: 3, Left: 97, Usable: 1, Redeemed: 1, Gone: 1}, r.Campaigns[1])
}

func TestRushInMemory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		code, r, complaint := give(t.Context(), t, "-buyers", "1000", "-codes", "150")
		require.Equal(t, demo.OK, code, complaint)
		require.Empty(t, complaint)
		requireWhole(t, r)
		requireTale(t, r)
		require.Equal(t, 150, r.Rush.Given)
		for _, n := range []int{r.Rush.Seconds, r.Rush.Replays} {
			require.Positive(t, n)
		}
		require.Greater(t, r.Rush.Claims, r.Buyers)
	})
}

func TestCodesForEverybody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		code, r, complaint := give(t.Context(), t, "-buyers", "300", "-codes", "400")
		require.Equal(t, demo.OK, code, complaint)
		requireWhole(t, r)
		require.Zero(t, r.Rush.SoldOut)
		require.Positive(t, r.Rush.Seconds)
	})
}

func TestOneCodeForOneBuyer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		code, r, complaint := give(t.Context(), t, "-buyers", "1", "-codes", "1")
		require.Equal(t, demo.OK, code, complaint)
		requireWhole(t, r)
		requireTale(t, r)
	})
}

func TestTheSameSeedMakesTheSameBuyers(t *testing.T) {
	t.Parallel()
	habits := map[habit]int{}
	for number := range int64(1000) {
		first, second := newBuyer(7, number), newBuyer(7, number)
		require.Equal(t, first, second)
		habits[first.habit]++
	}
	require.Len(t, habits, len(odds))
	first, second := queue(7, 100), queue(7, 100)
	require.Equal(t, first, second)
	require.NotEqual(t, first, queue(8, 100))
}

func TestInterruptedRushSaysWhatHappenedSoFar(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, interrupt := context.WithCancel(t.Context())
		interrupt()
		code, r, complaint := give(ctx, t)
		require.Equal(t, demo.Interrupted, code, complaint)
		require.Empty(t, complaint)
		require.True(t, r.Interrupted)
		require.True(t, r.Balanced())
		require.Empty(t, r.Tale)
	})
}

func TestTablesForPeople(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		code, printed, complaint := demotest.Run(t.Context(), run, "-buyers", "500", "-codes", "20")
		require.Equal(t, demo.OK, code)
		require.Empty(t, complaint) // no progress where there is no terminal
		for _, line := range []string{
			"500 buyers rush for 20 codes (20.00 off 100.00), one for each buyer. Store: memory. Seed 1.",
			"  5. she empties the cart of A-1 to 80.00 and pays → refused: for orders of 100.00 or more, this one is 80.00",
			"20.00 off 100.00            20       20     0      19         1         0        0     0",
			"Audit: the books balance. Of 20 codes 20 are out, each with one owner, and 0 are left; none is lost.",
		} {
			require.Contains(t, printed, line)
		}
	})
}

func TestAnAuditThatFailsIsNoSuccess(t *testing.T) {
	t.Parallel()
	r := result{Audited: true, Campaigns: []campaignRow{{ID: spring}}, Rush: outcome{Given: 11, OverLimit: 1}}
	r.weigh(coupon.Campaign{ID: spring, Codes: 12, Quantities: stock.Quantities{Total: 12, Sold: 10, Left: 1}})
	require.False(t, r.Balanced())
	require.Equal(t, "Audit: WRONG: 10 coupons are claimed, but buyers were told of 11 codes; "+
		"of 12 codes 10 are claimed and 1 left; 1 buyers got more than one coupon.", r.verdict())
}

func TestACodeWithTwoOwnersIsSeen(t *testing.T) {
	t.Parallel()
	r := newRush(&config{}, nil, nil)
	r.own(1, coupon.Coupon{ID: "a", Buyer: 1, Code: "CODE"})
	r.own(1, coupon.Coupon{ID: "a", Buyer: 1, Code: "CODE"})
	require.Empty(t, r.wrong)
	r.own(2, coupon.Coupon{ID: "b", Buyer: 2, Code: "CODE"})
	r.own(3, coupon.Coupon{ID: "c", Buyer: 1, Code: "OTHER"})
	require.Len(t, r.wrong, 2)
}

// lossy is a store that loses the answers to some claims, which take effect.
type lossy struct {
	coupon.Store
	loses func(stock.Verdict) bool
}

func (l lossy) Units() stock.Store {
	return demotest.Lossy{Store: l.Store.Units(), Loses: l.loses}
}

func TestLostAnswersLoseNoCode(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		coupons := coupon.New(lossy{new(coupon.Memory), func(claim stock.Verdict) bool {
			return claim == stock.Done && calls.Add(1)%3 == 0
		}}, nil)
		c := &config{Flags: demo.Flags{Seed: 1}, buyers: 400, codes: 100}
		rush, r := newRush(c, coupons, nil), newResult(c, "lossy")
		require.NoError(t, rush.hold(t.Context()))
		require.NoError(t, rush.settle(t.Context()))
		r.Rush = rush.outcome()
		require.NoError(t, r.audit(t.Context(), coupons))
		requireWhole(t, *r)
		require.Positive(t, r.Rush.Retries)
		require.Equal(t, 100, r.Rush.Given)
	})
}

func TestClaimsThatAreCutOffAreSettled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, interrupt := context.WithCancel(t.Context())
		var calls atomic.Int64
		coupons := coupon.New(lossy{new(coupon.Memory), func(claim stock.Verdict) bool {
			if claim != stock.Done || calls.Add(1) < 50 {
				return false
			}
			interrupt()
			return true
		}}, nil)
		c := &config{Flags: demo.Flags{Seed: 1}, buyers: 400, codes: 100}
		rush, r := newRush(c, coupons, nil), newResult(c, "lossy")
		require.ErrorIs(t, rush.hold(ctx), context.Canceled)
		require.NotEmpty(t, rush.unsettled)
		told := len(rush.owners)
		require.NoError(t, rush.settle(t.Context()))
		require.Greater(t, len(rush.owners), told)
		r.Rush = rush.outcome()
		require.NoError(t, r.audit(t.Context(), coupons))
		require.Empty(t, r.Drifts)
		require.GreaterOrEqual(t, r.Rush.Given, 50)
	})
}

func TestBadFlags(t *testing.T) {
	t.Parallel()
	demotest.BadFlags(t, run, "coupon", [][]string{
		{"-buyers", "0"}, {"-buyers", "many"}, {"-codes", "0"}, {"-codes", "100001"},
	})
}

func TestWrongDSNIsOneLine(t *testing.T) {
	t.Parallel()
	demotest.WrongDSN(t, run)
}

func TestRushInMySQL(t *testing.T) {
	t.Parallel()
	code, r, complaint := give(t.Context(), t, "-dsn", demotest.Database(t), "-buyers", "800", "-codes", "150")
	require.Equal(t, demo.OK, code, complaint)
	require.Empty(t, complaint)
	requireWhole(t, r)
	requireTale(t, r)
	require.Equal(t, 150, r.Rush.Given)
}

func TestInterruptedRushInMySQL(t *testing.T) {
	t.Parallel()
	dsn := demotest.Database(t)
	code, r, complaint := give(demotest.InterruptAfter(t, 700*time.Millisecond), t, "-dsn", dsn, "-buyers", "50000", "-codes", "20000")
	require.Equal(t, demo.Interrupted, code, complaint)
	require.Empty(t, complaint)
	require.Empty(t, r.Drifts)
}
