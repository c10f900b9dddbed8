package sqlstore_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock/event"
)

// rounds is how often a race is run: a thousand times, or with -short twenty.
func rounds() int {
	if testing.Short() {
		return 20
	}
	return 1000
}

// variantOf returns the DSN of a name.
func variantOf(t testing.TB, name string) sqltest.Variant {
	t.Helper()
	i := slices.IndexFunc(sqltest.Variants(), func(v sqltest.Variant) bool { return v.Name == name })
	require.GreaterOrEqual(t, i, 0)
	return sqltest.Variants()[i]
}

// Two last payers at once, from two processes, at both isolation levels that people use: the team is always formed,
// and always told once.
func TestTwoLastPayersAtOnce(t *testing.T) {
	t.Parallel()
	for _, isolation := range []string{"Default", "ReadCommitted"} {
		t.Run(isolation, func(t *testing.T) {
			t.Parallel()
			b := openBazaar(t, variantOf(t, isolation), 2, 10_000)
			other := b.process(&alone)
			for round := range rounds() {
				code, orders := b.team(fmt.Sprint("r", round), 2)
				payments := make([]groupbuy.Payment, 2)
				errs := make([]error, 2)
				var group suite.Group
				for i, process := range []*groupbuy.Groups{b.Groups, other} {
					group.Go(func() { payments[i], errs[i] = process.Pay(t.Context(), orders[i]) })
				}
				group.Wait()
				require.NoError(t, errs[0])
				require.NoError(t, errs[1])
				require.NotEqual(t, payments[0].Formed, payments[1].Formed, "one of the two payments formed it")
				team := must(b.Team(t.Context(), code))(t)
				require.Equal(t, groupbuy.Formed, team.State)
				require.Equal(t, int64(2), team.Paid)
				require.Equal(t, []event.Kind{event.TeamFormed}, b.told(code))
			}
			b.balanced()
		})
	}
}

// The last payer against the deadline, which comes while the payment is under way, before it or behind one of its
// statements: the team is formed with all, or has failed with everyone's refund due, and never both.
func TestLastPayerAgainstTheDeadline(t *testing.T) {
	t.Parallel()
	b := openBazaar(t, defaults, 2, 10_000)
	formed, failed := 0, 0
	for round := range rounds() {
		code, orders := b.team(fmt.Sprint("r", round), 2)
		require.NoError(t, of(b.Pay(t.Context(), orders[0])))
		b.deadline(orders[1]) // from now on one microsecond is left
		var payment groupbuy.Payment
		var paid, expired error
		over := make(chan struct{})
		deadline := func() { b.db.Wire.Advance(time.Microsecond); close(over) }
		if behind := [...]string{"", "START TRANSACTION", "UPDATE goods_stock_hold", "FROM egl_group_participation",
			"UPDATE egl_group_participation"}[round%5]; behind != "" {
			b.db.Wire.After(behind, deadline)
		} else {
			deadline()
		}
		var group suite.Group
		group.Go(func() { payment, paid = b.Pay(t.Context(), orders[1]) })
		group.Go(func() { <-over; _, expired = b.Expire(t.Context()) })
		group.Wait()
		require.NoError(t, paid)
		require.NoError(t, expired)
		require.NoError(t, of(b.Expire(t.Context())))
		team := must(b.Team(t.Context(), code))(t)
		told := b.told(code)
		if team.State == groupbuy.Formed {
			formed++
			require.False(t, payment.Due)
			require.Equal(t, []event.Kind{event.TeamFormed}, told)
			continue
		}
		failed++
		require.Equal(t, groupbuy.Failed, team.State)
		require.True(t, payment.Due)
		require.Equal(t, 1, kindsOf(told, event.TeamFailed))
		require.Equal(t, 2, kindsOf(told, event.RefundOwed))
		for _, order := range orders {
			require.Equal(t, groupbuy.RefundDue, must(b.Seat(t.Context(), order))(t).State)
		}
	}
	t.Logf("%d formed, %d failed", formed, failed)
	require.Positive(t, formed)
	require.Positive(t, failed)
	b.balanced()
}

// deadline moves the clock to a microsecond before a seat dies, which is when its team does.
func (b *bazaar) deadline(order string) {
	b.t.Helper()
	seat := must(b.Seat(b.t.Context(), order))(b.t)
	team := must(b.Team(b.t.Context(), seat.Team))(b.t)
	require.Equal(b.t, team.Deadline, seat.Deadline)
	b.db.Wire.Advance(team.Deadline.Sub(team.OpenedAt) - time.Microsecond)
}

// kindsOf counts a kind of event.
func kindsOf(kinds []event.Kind, kind event.Kind) int {
	n := 0
	for _, k := range kinds {
		if k == kind {
			n++
		}
	}
	return n
}

// Fifty buyers from two processes want the last seat: one gets it.
func TestFiftyBuyersForTheLastSeat(t *testing.T) {
	t.Parallel()
	b := openBazaar(t, defaults, 3, 1000)
	other := b.process(nil)
	for round := range 10 {
		code, _ := b.team(fmt.Sprint("r", round), 2)
		errs := byTurns(50, []*groupbuy.Groups{b.Groups, other}, func(process *groupbuy.Groups, i int) error {
			return of(purchase(fmt.Sprintf("r%d-late-%d", round, i), fmt.Sprint(100+i)).Join(t.Context(), process, code))
		})
		require.Equal(t, 1, count(errs, nil))
		require.Equal(t, len(errs)-1, count(errs, groupbuy.ErrFull))
	}
	b.balanced()
}

// One buyer who asks for a seat of one team twenty times at once, under other orders, gets one.
func TestOneSeatForABuyerAndTeam(t *testing.T) {
	t.Parallel()
	b := openBazaar(t, defaults, 30, 1000)
	other := b.process(&alone)
	code, _ := b.team("r", 1)
	errs := byTurns(20, []*groupbuy.Groups{b.Groups, other}, func(process *groupbuy.Groups, i int) error {
		return of(purchase(fmt.Sprint("again-", i), "77").Join(t.Context(), process, code))
	})
	require.Equal(t, 1, count(errs, nil))
	require.Equal(t, len(errs)-1, count(errs, groupbuy.ErrJoined))
	b.balanced()
}

// Members who leave, pay and expire while the shop's own sweeper runs and an operator ends the team: whatever comes
// first, the books agree, and each paid member has one refund.
func TestEverythingAtOnce(t *testing.T) {
	t.Parallel()
	b := openBazaar(t, defaults, 20, 10_000)
	other := b.process(nil)
	ctx := t.Context()
	for round := range 20 {
		code, orders := b.team(fmt.Sprint("r", round), 12)
		var group suite.Group
		for i, order := range orders {
			process := []*groupbuy.Groups{b.Groups, other}[i%2]
			group.Go(func() {
				if i%4 == 3 {
					_, _ = process.Cancel(ctx, order) // or too late
					return
				}
				payment, err := process.Pay(ctx, order)
				if err != nil {
					t.Error(err)
				}
				if i%4 == 2 && !payment.Due {
					if _, err := process.Refund(ctx, groupbuy.Refund{Order: order, Actor: "clerk", Reason: "asked"}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		group.Go(func() { _, _ = b.stock.Expire(ctx) })
		group.Go(func() {
			end := b.Fail
			if round%2 == 0 {
				end = b.Form
			}
			_, _ = end(ctx, code, groupbuy.Decision{Actor: "clerk", Reason: "enough"}) // nobody may have paid yet
		})
		group.Wait()
		refunds := map[string]int{}
		for e, err := range b.events().Of(ctx, event.TeamQueue(code)) {
			require.NoError(t, err)
			if e.Kind == event.RefundOwed {
				refunds[e.Order]++
			}
		}
		for order, n := range refunds {
			require.Equal(t, 1, n, order)
		}
		for seat, err := range b.Members(ctx, code) {
			require.NoError(t, err)
			require.Equal(t, seat.State == groupbuy.RefundDue, refunds[seat.Order] == 1, "%v", seat)
		}
	}
	b.balanced()
	b.deliver()
	item := must(b.stock.Item(ctx, teamProduct))(t)
	require.Equal(t, int64(10_000), item.Left+item.Sold)
}
