package main

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/examples/internal/demo"
	"github.com/holdfast-go/holdfast/examples/internal/demo/demotest"
	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/stock"
)

// trade runs the program and returns its exit code, its result and what it complained about.
func trade(ctx context.Context, t *testing.T, args ...string) (int, result, string) {
	t.Helper()
	return demotest.JSON[result](ctx, t, run, args...)
}

// requireWhole demands that each buyer, each team, each unit and all money is accounted for once.
func requireWhole(t *testing.T, r result) {
	t.Helper()
	require.True(t, r.Audited)
	require.Empty(t, r.Drifts)
	require.False(t, r.Interrupted)
	require.Equal(t, raceLine{Tapped: racers, Won: 1, Full: racers - 1}, r.Race)

	e := r.Evening
	require.Equal(t, r.Buyers, e.Visits)
	require.Equal(t, e.Visits, e.Opened+e.Joined+e.SoldOut+e.Closed)

	formed, failed, members := 0, 0, 0
	for _, l := range r.Teams {
		require.Zero(t, l.Forming)
		require.Equal(t, l.Teams, l.ByPayment+l.ByOperator+l.AtDeadline+l.Failed+l.Abandoned)
		formed += l.ByPayment + l.ByOperator + l.AtDeadline
		failed += l.Failed + l.Abandoned
		members += l.Members
	}
	require.Equal(t, r.Events.Formed, formed)
	require.Equal(t, r.Events.Failed, failed)
	require.GreaterOrEqual(t, members, r.Money.Orders)
	require.Equal(t, r.Events.Refunds, r.Money.Refunds)
	require.Equal(t, 1, r.Events.Died)
	require.Equal(t, 1, r.Events.Failures)
	require.Equal(t, 2, r.Events.Again)
	require.Equal(t, 1, r.Events.Made)

	require.Len(t, r.Units, len(goods))
	for _, l := range r.Units {
		require.Zero(t, l.InPools)
		require.Positive(t, l.Sold)
		require.Equal(t, l.Had, l.Ordinary+l.Sold)
		require.Equal(t, l.Deducted, l.Sold+l.GivenBack)
	}
	requireSum(t, r.Money.Received, r.Money.InOrders, r.Money.Refunded)
}

func requireSum(t *testing.T, sum string, parts ...string) {
	t.Helper()
	var got decimal.Decimal
	for _, part := range parts {
		got = got.Add(decimal.RequireFromString(part))
	}
	require.Equal(t, sum, money(got))
}

// requireTale demands each answer of the tale.
func requireTale(t *testing.T, r result) {
	t.Helper()
	answers := []string{
		"refused: there are ",
		"offered, 20.00 instead of 30.00",
		"offered, 6.40 instead of 8.00",
		"200 cups are at the fair",
		"200 cups are at the fair",

		"; forming with 0 of 3 paid",
		"refused: the buyer has a seat in the team",
		"; forming with 0 of 3 paid",
		"forming with 1 of 3 paid",
		"forming with 2 of 3 paid",
		"1 has it, 49 are told that the team is full",
		"formed with 3 of 3 paid, by race-",
		"formed with 3 of 3 paid, by race-",
		"refused: the team is formed",

		"; forming with 0.00 of 10.00 kg paid",
		"forming with 4.00 of 10.00 kg paid",
		"refused: ",
		"; forming with 4.00 of 10.00 kg paid",
		"forming with 8.00 of 10.00 kg paid",
		"; forming with 8.00 of 10.00 kg paid",
		"; forming with 8.00 of 10.00 kg paid",
		"formed with 13.00 of 10.00 kg paid, by G-1; it has 3 members",
		"added to the team, formed with 13.75 of 10.00 kg paid",

		"; forming with 0 of 3 paid",
		"; forming with 0 of 3 paid",
		"forming with 1 of 3 paid",
		"forming with 2 of 3 paid",
		"the refund is due; the sponsor is Ivy now",
		"; forming with 1 of 3 paid",
		"formed with 1 of 3 paid, by Lin: a regular asked for it",
		"formed with 1 of 3 paid, by Lin: a regular asked for it",
		"too late, the money goes back: the seat is cancelled",

		"cups: 0 left at the fair, ",
		"cups: 0 left at the fair, ",
		"refused: ",
		"the refund is due; the team stays formed",
		"cups: 0 left at the fair, ",
	}
	require.Len(t, r.Tale, len(answers))
	for i, answer := range answers {
		require.Contains(t, r.Tale[i].Answer, answer, "step %d: %s", i+1, r.Tale[i].What)
	}
	require.Equal(t, r.Tale[len(answers)-5].Answer, r.Tale[len(answers)-4].Answer, "the remainder went back once")
	require.NotEqual(t, r.Tale[len(answers)-4].Answer, r.Tale[len(answers)-1].Answer, "the broken cup went back")
}

func TestShopInMemory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		code, r, complaint := trade(t.Context(), t)
		require.Equal(t, demo.OK, code, complaint)
		require.Empty(t, complaint)
		requireWhole(t, r)
		requireTale(t, r)
		e := r.Evening
		for _, n := range []int{e.Joined, e.Greedy, e.Replays, e.Cancelled, e.Lapsed, e.Left, e.Late, e.Swept, r.Events.Released} {
			require.Positive(t, n)
		}
		require.Len(t, r.Teams, 4)
		cups, rice := r.Teams[2], r.Teams[3]
		require.Positive(t, cups.ByPayment)
		require.Positive(t, rice.ByPayment)
		require.Zero(t, cups.AtDeadline)
		require.Positive(t, cups.Failed+rice.Failed)
	})
}

func TestSoldOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		code, r, complaint := trade(t.Context(), t, "-units", "30")
		require.Equal(t, demo.OK, code, complaint)
		requireWhole(t, r)
		require.Positive(t, r.Evening.SoldOut)
	})
}

func TestOneBuyer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		code, r, complaint := trade(t.Context(), t, "-buyers", "1", "-units", "12", "-seed", "3")
		require.Equal(t, demo.OK, code, complaint)
		requireWhole(t, r)
		requireTale(t, r)
		require.Equal(t, 1, r.Evening.Opened)
	})
}

func TestTheSameSeedMakesTheSameBuyers(t *testing.T) {
	t.Parallel()
	habits := map[habit]int{}
	for number := range 1000 {
		first, second := newBuyer(7, number), newBuyer(7, number)
		require.Equal(t, first, second)
		habits[first.habit]++
	}
	require.Len(t, habits, len(odds))
	first, second := queue(7, 100), queue(7, 100)
	require.Equal(t, first, second)
	require.NotEqual(t, first, queue(8, 100))
}

func TestInterruptedShopSaysWhatHappenedSoFar(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, interrupt := context.WithCancel(t.Context())
		interrupt()
		code, r, complaint := trade(ctx, t)
		require.Equal(t, demo.Interrupted, code, complaint)
		require.Empty(t, complaint)
		require.True(t, r.Interrupted)
		require.True(t, r.Balanced(), r.Drifts)
		require.Empty(t, r.Tale)
	})
}

func TestTablesForPeople(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		code, printed, complaint := demotest.Run(t.Context(), run)
		require.Equal(t, demo.OK, code, complaint)
		require.Empty(t, complaint) // no progress where there is no terminal
		for _, text := range []string{
			"Cups and rice for groups (拼团). 300 buyers in the evening. Store: memory. Seed 1.",
			" 11. 50 buyers tap for the last seat at once → 1 has it, 49 are told that the team is full\n",
			"\n  fair      cups ", "\n  evening   rice ", "\n  units  there were ", "\n  workers who died ",
			"Audit: the books balance. ",
		} {
			require.Equal(t, 1, strings.Count(printed, text), text)
		}
	})
}

// lossy is a store in memory that loses the answers to some calls for seats, which take effect.
type lossy struct {
	groupbuy.Store

	loses func(stock.Verdict) bool
}

// Units implements groupbuy.Store.
func (l lossy) Units() stock.Store {
	return demotest.Lossy{Store: l.Store.Units(), Loses: l.loses}
}

// openShop returns a shop on a store in memory that loses some answers, and its clock.
func openShop(loses func(stock.Verdict) bool) *shop {
	c, hands := &config{Flags: demo.Flags{Seed: 1}, buyers: 100, units: 500}, new(clock)
	units := &stock.Memory{Clock: hands.Now}
	return newShop(c, units, lossy{&groupbuy.Memory{Stock: units}, loses}, times{
		hold: time.Minute, lease: time.Minute, evening: time.Hour, now: hands.Now, rest: hands.advance,
	}, nil)
}

func TestLostAnswersLoseNoSeat(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		s := openShop(func(seat stock.Verdict) bool { return seat == stock.Done && calls.Add(1)%3 == 0 })
		require.NoError(t, s.trade(t.Context()))
		require.NoError(t, s.settle(t.Context()))
		r := s.told("lossy")
		require.NoError(t, s.audit(t.Context(), r))
		requireWhole(t, *r)
		require.Positive(t, r.Evening.Retries)
	})
}

func TestCallsThatAreCutOffAreSettled(t *testing.T) {
	t.Parallel()
	for _, at := range []int64{3, 16, 80} { // in the tale, the race and the evening
		synctest.Test(t, func(t *testing.T) {
			ctx, interrupt := context.WithCancel(t.Context())
			var calls atomic.Int64
			s := openShop(func(seat stock.Verdict) bool {
				if seat != stock.Done || calls.Add(1) < at {
					return false
				}
				interrupt()
				return true
			})
			require.Error(t, s.trade(ctx))
			require.NotEmpty(t, s.unsettled)
			told := len(s.seats)
			require.NoError(t, s.settle(t.Context()))
			require.Greater(t, len(s.seats), told)
			r := s.told("lossy")
			r.Interrupted = true
			require.NoError(t, s.audit(t.Context(), r))
			require.Empty(t, r.Drifts)
		})
	}
}

func TestTheAuditSeesWhatIsWrong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := openShop(func(stock.Verdict) bool { return false })
		require.NoError(t, s.trade(t.Context()))
		o := s.outside
		s.had[cups]++
		s.paid["nobody"] = decimal.NewFromInt(1)
		delete(s.paid, "A-1")
		delete(s.seats, "I-1")
		delete(o.orders, "D-1")
		delete(o.refunds, groupbuy.RefundID("H-1"))
		o.refunds[groupbuy.RefundID("G-1")] = decimal.NewFromInt(2)
		o.orders["F-2"] = order{}
		s.tale.winners = nil

		r := s.told("test")
		require.NoError(t, s.audit(t.Context(), r))
		require.False(t, r.Balanced())
		for _, text := range []string{
			"cups: ", "sold are not the ", "the buyer of order nobody paid for a seat that is not in the books",
			"the seat of order A-1 is paid, and that its buyer paid is false", "order I-1 has a seat in team ",
			"the team of order D-1 is formed, but the order was not made", "the seat of order H-1 is refunded, but no money went back",
			"2.00 was paid back to order G-1, whose seat is paid", "order F-2 was made of no seat", "0 buyers got the last seat",
			"buyers paid ",
		} {
			require.Contains(t, r.verdict(), text)
		}
		require.Len(t, r.Drifts, 10)
	})
}

func TestAnEventThatComesAgainMakesNothingTwice(t *testing.T) {
	t.Parallel()
	o := newOutside()
	seat := func(order string) groupbuy.Seat {
		return groupbuy.Seat{Order: order, Team: "T", Key: in(fair, cups), Buyer: 1, Volume: decimal.NewFromInt(1)}
	}
	formed := groupbuy.Event{Code: "T", No: 1, Kind: groupbuy.TeamFormed, Members: []groupbuy.Seat{seat("a"), seat("b")}}
	owed := groupbuy.Event{Code: "T", No: 2, Kind: groupbuy.RefundOwed, Order: "b", Seat: seat("b")}
	died := errors.New("died")
	require.PanicsWithError(t, died.Error(), func() { _ = o.handle(formed, func() { panic(died) }) })
	require.Len(t, o.orders, 1)
	for range 2 {
		require.NoError(t, o.handle(formed, nil))
	}
	require.Len(t, o.orders, 2)
	require.ErrorIs(t, o.handle(owed, nil), errProvider)
	require.Empty(t, o.refunds)
	for range 2 {
		require.NoError(t, o.handle(owed, nil))
	}
	require.Len(t, o.refunds, 1)
	require.True(t, o.orders["b"].refunded)
	require.Equal(t, 4, o.made)
	require.Empty(t, o.pending)
	require.Empty(t, o.wrong)
}

func TestBadFlags(t *testing.T) {
	t.Parallel()
	demotest.BadFlags(t, run, "groupbuy", [][]string{
		{"-buyers", "0"}, {"-buyers", "many"}, {"-buyers", "20001"}, {"-units", "0"}, {"-units", "1000001"}, {"-seed", "-1"},
	})
}

func TestWrongDSNIsOneLine(t *testing.T) {
	t.Parallel()
	demotest.WrongDSN(t, run)
}

func TestShopInMySQL(t *testing.T) {
	t.Parallel()
	code, r, complaint := trade(t.Context(), t, "-dsn", demotest.Database(t), "-buyers", "60")
	require.Equal(t, demo.OK, code, complaint)
	require.Empty(t, complaint)
	requireWhole(t, r)
	requireTale(t, r)
}

func TestInterruptedShopInMySQL(t *testing.T) {
	t.Parallel()
	dsn := demotest.Database(t)
	for _, after := range []time.Duration{300 * time.Millisecond, 900 * time.Millisecond, 1500 * time.Millisecond} {
		code, r, complaint := trade(demotest.InterruptAfter(t, after), t, "-dsn", dsn, "-buyers", "2000", "-units", "100000")
		require.Equal(t, demo.Interrupted, code, complaint)
		require.Empty(t, complaint)
		require.Empty(t, r.Drifts)
	}
}
