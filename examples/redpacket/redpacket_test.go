package main

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/examples/internal/demo"
	"github.com/holdfast-go/holdfast/examples/internal/demo/demotest"
	"github.com/holdfast-go/holdfast/redpacket"
	"github.com/holdfast-go/holdfast/stock"
)

// play runs the program and returns its exit code, its result and what it complained about.
func play(ctx context.Context, t *testing.T, args ...string) (int, result, string) {
	t.Helper()
	return demotest.JSON[result](ctx, t, run, args...)
}

// requireWhole demands that every cent and every tap is accounted for once, and that all is paid.
func requireWhole(t *testing.T, r result) {
	t.Helper()
	require.True(t, r.Audited)
	require.Empty(t, r.Drifts)
	require.False(t, r.Interrupted)
	requireMoney(t, r.Received.String(), r.ToWinners.Amount.Add(r.ToSenders.Amount.Decimal))
	requireMoney(t, r.All.Grabbed.String(), r.ToWinners.Amount.Decimal)
	requireMoney(t, r.All.GoneBack.String(), r.ToSenders.Amount.Decimal)
	for _, p := range r.Packets {
		requireMoney(t, p.Total.String(), p.Grabbed.Add(p.Left.Decimal))
		require.LessOrEqual(t, p.Winners, p.Shares)
	}
	for _, l := range []payoutLine{r.ToWinners, r.ToSenders} {
		require.Equal(t, l.Payouts, l.Paid)
		require.Equal(t, l.Payouts, l.Credited)
		requireMoney(t, l.Amount.String(), l.CreditedAmount.Decimal)
		require.GreaterOrEqual(t, l.Asked, l.Payouts+l.Failures+l.Unanswered)
	}
	require.EqualValues(t, r.ToWinners.Payouts, r.All.Winners)
	require.EqualValues(t, r.Taps.Won, r.All.Winners)
	heard := r.Taps
	require.Equal(t, heard.Grabs, heard.Won+heard.Again+heard.TooEarly+heard.Own+heard.Finished+heard.Closed+heard.Expired)
}

func requireMoney(t *testing.T, want string, got decimal.Decimal) {
	t.Helper()
	require.Equal(t, want, yuan{got}.String())
}

func TestRainInMemory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		code, r, complaint := play(t.Context(), t, "-people", "300")
		require.Equal(t, demo.OK, code, complaint)
		require.Empty(t, complaint)
		requireWhole(t, r)
		require.Len(t, r.Packets, 8)
		for i, state := range []string{"finished", "finished", "finished", "closed", "expired", "expired", "finished", "finished"} {
			p := r.Packets[i]
			require.Equal(t, state, p.State, p)
			require.Equal(t, state != "finished", p.GoneBack.IsPositive(), p)
			requireMoney(t, p.Left.String(), p.GoneBack.Decimal)
			require.Equal(t, state == "finished", p.Winners == p.Shares, p)
			require.Equal(t, p.Kind != "paid late", p.Winners > 0, p)
		}
		taps := r.Taps
		for _, n := range []int{taps.Again, taps.TooEarly, taps.Finished, taps.Closed, taps.Expired, taps.Lost, taps.Repeated} {
			require.Positive(t, n)
		}
		require.Equal(t, 8, taps.Own)
		for _, n := range []int{r.ToWinners.Failures, r.ToWinners.Unanswered, r.ToWinners.AnsweredTwice} {
			require.Positive(t, n)
		}
		require.Equal(t, 3, r.ToSenders.Payouts)
		require.Less(t, r.Seconds, 6.0)
	})
}

func TestBestLuckIsTheLargestShare(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, r, _ := play(t.Context(), t, "-packets", "1")
		require.Len(t, r.Luck, chartedShares)
		var best []luck
		for _, l := range r.Luck {
			if l.Best {
				best = append(best, l)
			}
		}
		require.Len(t, best, 1)
		for _, l := range r.Luck {
			require.False(t, l.Amount.GreaterThan(best[0].Amount.Decimal))
		}
	})
}

func TestTheSameSeedMakesTheSameShares(t *testing.T) {
	t.Parallel()
	amounts := func(seed string) (amounts []string) {
		synctest.Test(t, func(t *testing.T) {
			_, r, complaint := play(t.Context(), t, "-seed", seed, "-people", "100")
			require.Empty(t, complaint)
			for _, l := range r.Luck {
				amounts = append(amounts, l.Amount.String())
			}
			for _, p := range r.Packets {
				amounts = append(amounts, p.Total.String())
			}
		})
		return amounts
	}
	first := amounts("7")
	require.Equal(t, first, amounts("7"))
	require.NotEqual(t, first, amounts("8"))
}

func TestTheSameSeedMakesTheSameScript(t *testing.T) {
	t.Parallel()
	for number := 1; number <= 20; number++ {
		first, second := newDrop(7, number, 50), newDrop(7, number, 50)
		require.Equal(t, first, second)
		require.NotEqual(t, first.seed, newDrop(8, number, 50).seed)
		require.NotEqual(t, first.taps, newDrop(7, number+20, 50).taps)
		met, again := newTrouble(7, int64(number), 3), newTrouble(7, int64(number), 3)
		require.Equal(t, met, again)
	}
}

func TestOnePersonAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, packets := range []string{"1", "12"} {
			code, r, complaint := play(t.Context(), t, "-people", "1", "-packets", packets)
			require.Equal(t, demo.OK, code, complaint)
			requireWhole(t, r)
			require.EqualValues(t, 1, r.Packets[0].Winners)
		}
	})
}

func TestInterruptedRainSaysWhatHappenedSoFar(t *testing.T) {
	t.Parallel()
	for _, after := range []time.Duration{0, 200 * time.Millisecond, time.Second} {
		synctest.Test(t, func(t *testing.T) {
			code, r, complaint := play(demotest.InterruptAfter(t, after), t)
			require.Equal(t, demo.Interrupted, code, complaint)
			require.Empty(t, complaint)
			require.True(t, r.Interrupted)
			require.True(t, r.Balanced(), r.Drifts)
			require.EqualValues(t, r.Taps.Won, r.All.Winners)
			require.Less(t, len(r.Packets), 8)
		})
	}
}

func TestTableForPeople(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		code, printed, complaint := demotest.Run(t.Context(), run)
		require.Equal(t, demo.OK, code)
		require.Empty(t, complaint) // no progress where there is no terminal
		for _, text := range []string{
			"It rains red packets on 300 people (红包雨). Store: memory. Seed 1.",
			strings.Repeat("█", barWidth) + "  手气最佳 best luck\n", "  paid late ", "  to senders ", "Audit: the books balance.",
		} {
			require.Equal(t, 1, strings.Count(printed, text), text)
		}
		require.NotContains(t, printed, "still owed")
	})
}

func TestBars(t *testing.T) {
	t.Parallel()
	for part, text := range map[float64]string{0: "▏", 1.0 / 80: "▏", 0.5: "█████", 0.55: "█████▌", 1: "██████████"} {
		require.Equal(t, text, bar(part, 10))
	}
}

// lossy is a store in memory of which every seventh grab loses its answer.
type lossy struct {
	*redpacket.Memory

	calls atomic.Int64
}

// Units implements redpacket.Store.
func (l *lossy) Units() stock.Store {
	return demotest.Lossy{Store: l.Memory.Units(), Loses: func(stock.Verdict) bool { return l.calls.Add(1)%7 == 0 }}
}

// fallOn runs a rain on a store and returns it with its result.
func fallOn(t *testing.T, store redpacket.Store) (*rain, *result) {
	t.Helper()
	r := newRain(&config{Flags: demo.Flags{Seed: 1}, people: 100, packets: 6}, store, nil)
	require.NoError(t, r.fall(t.Context()))
	require.NoError(t, r.settle(t.Context()))
	res := r.told("test")
	require.NoError(t, r.audit(t.Context(), res))
	return r, res
}

func TestRainOnAStoreThatLosesItsAnswers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, res := fallOn(t, &lossy{Memory: new(redpacket.Memory)})
		requireWhole(t, *res)
		require.Positive(t, res.Taps.Retries)
	})
}

func TestTheAuditSeesWhatIsWrong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, res := fallOn(t, new(redpacket.Memory))
		requireWhole(t, *res)
		winner, loser := grab{1, res.Luck[0].Person}, grab{1, 999}
		told := r.shares[winner]
		told.Amount = told.Amount.Add(decimal.NewFromInt(1))
		r.shares[winner], r.shares[loser] = told, told
		delete(r.wallet.entries, "1-2")
		r.wallet.entries["1-3"].amount = decimal.NewFromInt(1000)
		r.wallet.entries["9-9"] = &entry{credited: true}
		r.tell(winner, redpacket.Share{})

		res = r.told("test")
		require.NoError(t, r.audit(t.Context(), res))
		require.False(t, res.Balanced())
		for _, text := range []string{
			"of 0.00 of packet 1", "but was not told so", "person 999 was told of a share of packet 1 that is not in the books",
			"payout 1-2 is paid in the books, but not credited", "the wallet credited 1000.00 to person",
			"the wallet credited payout 9-9, which nobody owes",
		} {
			require.Contains(t, res.verdict(), text)
		}
		require.Len(t, res.Drifts, 6)
	})
}

func TestTheWalletPaysOnceUnderOneNumber(t *testing.T) {
	t.Parallel()
	for no := range int64(200) {
		w := &wallet{seed: 1, entries: map[string]*entry{}}
		payout := redpacket.Payout{Number: redpacket.PayoutNumber(1, no), Packet: 1, No: no, Person: 5, Amount: decimal.NewFromInt(3)}
		trouble := newTrouble(1, 1, no)
		for range trouble.failures {
			_, err := w.pay(payout)
			require.ErrorIs(t, err, errTrouble)
		}
		answers, err := w.pay(payout)
		switch {
		case trouble.mute:
			require.ErrorIs(t, err, errSilence)
		case trouble.echo:
			require.Equal(t, 2, answers)
		default:
			require.Equal(t, 1, answers)
		}
		answers, err = w.pay(payout)
		require.NoError(t, err)
		require.Equal(t, 1, answers)

		payout.Person = 6
		_, err = w.pay(payout)
		require.ErrorIs(t, err, errTrouble)
		entries, wrong := w.account()
		require.Len(t, entries, 1)
		require.Len(t, wrong, 1)
	}
}

func TestBadFlags(t *testing.T) {
	t.Parallel()
	demotest.BadFlags(t, run, "redpacket", [][]string{
		{"-people", "0"}, {"-people", "many"}, {"-people", "100001"}, {"-packets", "0"}, {"-packets", "101"}, {"-seed", "-1"},
	})
}

func TestWrongDSNIsOneLine(t *testing.T) {
	t.Parallel()
	demotest.WrongDSN(t, run)
}

func TestRainInMySQL(t *testing.T) {
	t.Parallel()
	code, r, complaint := play(t.Context(), t, "-dsn", demotest.Database(t), "-people", "60")
	require.Equal(t, demo.OK, code, complaint)
	require.Empty(t, complaint)
	requireWhole(t, r)
	require.NotEmpty(t, r.Luck)
	require.Equal(t, 3, r.ToSenders.Payouts)
}

func TestInterruptedRainInMySQL(t *testing.T) {
	t.Parallel()
	dsn := demotest.Database(t)
	code, r, complaint := play(demotest.InterruptAfter(t, 600*time.Millisecond), t, "-dsn", dsn, "-people", "500")
	require.Equal(t, demo.Interrupted, code, complaint)
	require.Empty(t, complaint)
	require.Empty(t, r.Drifts)
}
