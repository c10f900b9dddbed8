package groupbuy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func TestExpireDoesWhatIsDue(t *testing.T) {
	t.Parallel()
	m := offering(t, 3)
	unpaid, alone := m.buys("a", "b"), m.buys("c")
	m.pays("a")
	m.told = nil
	changed, err := m.Expire(t.Context())
	require.NoError(t, err)
	require.Zero(t, changed)

	m.clock.Advance(stock.DefaultHoldFor)
	changed, err = m.Expire(t.Context())
	require.NoError(t, err)
	require.Equal(t, 2, changed)
	require.ElementsMatch(t, []Effect{
		{Step: StepExpire, Order: "b", Team: unpaid}, {Step: StepExpire, Order: "c", Team: alone, Ended: Failed},
	}, m.told)
	require.Equal(t, ByLeaving, m.team(alone).Cause)
	m.left(70, 29, 0)

	m.told = nil
	m.clock.Advance(time.Hour)
	changed, err = m.Expire(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, changed)
	require.Equal(t, []Effect{{Team: unpaid, Ended: Failed}}, m.told)
	m.seatIs(RefundDue, "a")
	m.left(70, 30, 0)

	m.told = nil
	m.clock.Advance(24 * time.Hour)
	changed, err = m.Expire(t.Context())
	require.NoError(t, err)
	require.Equal(t, 2, changed, "the activity, and its product")
	require.Equal(t, []Effect{{Units: stock.StepWithdraw, Key: onMarket, Num: 30, ID: "gb-/42/7/1"}}, m.told)
	require.Equal(t, Settled, m.stands().State)
	activity, _, err := m.store.Activity(t.Context(), 7)
	require.NoError(t, err)
	require.Equal(t, m.clock.Now(), activity.EndedAt)
	changed, err = m.Expire(t.Context())
	require.NoError(t, err)
	require.Zero(t, changed)
	m.sound()
}

// TestAnOutlivingActivityIsEndedWithItsTeams keeps the units until nobody can join a team any more.
func TestAnOutlivingActivityIsEndedWithItsTeams(t *testing.T) {
	t.Parallel()
	m := newMarket(t, Options{HoldFor: 2 * time.Hour})
	a := fair()
	a.Outlive = true
	_, err := m.Define(t.Context(), a)
	require.NoError(t, err)
	_, err = m.Offer(t.Context(), tea(2), 30)
	require.NoError(t, err)
	m.clock.Advance(24*time.Hour - time.Microsecond)
	code := m.buys("a")
	m.clock.Advance(time.Microsecond)
	_, err = m.For("5").Open(t.Context(), Purchase{Order: "x", Product: onMarket, Volume: amount("1")})
	require.ErrorIs(t, err, ErrEnded)
	_, err = m.Define(t.Context(), fair())
	require.ErrorIs(t, err, ErrEnded)
	again, err := m.Offer(t.Context(), tea(2), 30)
	require.NoError(t, err)
	require.Equal(t, Offered, again.State)
	changed, err := m.Expire(t.Context())
	require.NoError(t, err)
	require.Zero(t, changed)
	m.clock.Advance(time.Hour - 2*time.Microsecond)
	_, err = m.For("2").Join(t.Context(), code, Purchase{Order: "b", Product: onMarket, Volume: amount("1")})
	require.NoError(t, err)
	m.pays("a", "b")
	m.clock.Advance(2 * time.Microsecond)
	changed, err = m.Expire(t.Context())
	require.NoError(t, err)
	require.Equal(t, 2, changed)
	m.left(98, 0, 0)
	m.sound()
}

// TestMoreActivitiesThanABatchAreEnded puts those that their teams outlive first.
func TestMoreActivitiesThanABatchAreEnded(t *testing.T) {
	t.Parallel()
	m := newMarket(t, Options{})
	for i := range int64(sweepBatch + 10) {
		a := fair()
		a.ID, a.Outlive, a.Formation, a.End = 1000+i, true, 48*time.Hour, a.End.Add(-time.Hour)
		_, err := m.Define(t.Context(), a)
		require.NoError(t, err)
	}
	m.clock.Advance(24 * time.Hour)
	changed, err := m.Expire(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, changed)
	m.clock.Advance(48 * time.Hour)
	changed, err = m.Expire(t.Context())
	require.NoError(t, err)
	require.Equal(t, sweepBatch+10, changed)
}

// TestASweepOfTheStockIsFollowed lets something that knows nothing of seats release their holds.
func TestASweepOfTheStockIsFollowed(t *testing.T) {
	t.Parallel()
	m := newMarket(t, Options{})
	shop := &stock.Memory{Clock: m.clock.Now}
	m.store = &Memory{Stock: shop}
	m.Groups = m.On(m.store)
	_, err := m.units.Define(t.Context(), stock.Key{SKU: onMarket.SKU}, 100, stock.Terms{})
	require.NoError(t, err)
	_, err = m.Define(t.Context(), fair())
	require.NoError(t, err)
	_, err = m.Offer(t.Context(), tea(2), 30)
	require.NoError(t, err)
	code := m.buys("a")
	m.told = nil
	m.clock.Advance(stock.DefaultHoldFor)
	released, err := stock.New(shop, nil).Expire(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, released)
	m.seatIs(Held, "a")
	report, err := m.Audit(t.Context())
	require.NoError(t, err)
	require.Equal(t, []SeatBook{{Order: "a", State: Held, Hold: stock.Expired, Units: 1}}, report.Mismatched)

	changed, err := m.Expire(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, changed)
	m.seatIs(Expired, "a")
	require.Equal(t, []Effect{{Step: StepExpire, Order: "a", Team: code, Ended: Failed}}, m.told)
	m.sound()
}

// TestWhatHasDriftedDoesNotKeepTheOthersFromBeingDone has a seat and a team that refuse.
func TestWhatHasDriftedDoesNotKeepTheOthersFromBeingDone(t *testing.T) {
	t.Parallel()
	m := offering(t, 3)
	var codes []string
	for i := range 4 {
		code := m.buys(fmt.Sprintf("a-%d", i), fmt.Sprintf("b-%d", i))
		m.pays(fmt.Sprintf("a-%d", i))
		codes = append(codes, code)
	}
	bad := m.On(endsBadly{Store: m.store, codes: map[string]bool{codes[1]: true}, orders: map[string]bool{"b-2": true}})
	m.told = nil
	m.clock.Advance(stock.DefaultHoldFor)
	changed, err := bad.Expire(t.Context())
	require.ErrorIs(t, err, ErrDrift)
	require.Equal(t, 3, changed)
	m.seatIs(Expired, "b-0", "b-1", "b-3")
	m.seatIs(Held, "b-2")
	m.clock.Advance(time.Hour)
	changed, err = bad.Expire(t.Context())
	require.ErrorIs(t, err, ErrDrift)
	require.Equal(t, 3, changed)
	require.Equal(t, Forming, m.team(codes[1]).State)
	require.Len(t, m.told, 6)
	changed, err = bad.Expire(t.Context())
	require.ErrorIs(t, err, ErrDrift, "it comes to an end nevertheless")
	require.Zero(t, changed)
	changed, err = m.Expire(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, changed)
	m.sound()
}

// TestManySweepsAtOnceDoEverythingOnce runs eight of them.
func TestManySweepsAtOnceDoEverythingOnce(t *testing.T) {
	t.Parallel()
	m := offering(t, 3)
	for i := range 10 {
		m.buys(fmt.Sprintf("a-%d", i), fmt.Sprintf("b-%d", i))
		m.pays(fmt.Sprintf("a-%d", i))
	}
	m.clock.Advance(25 * time.Hour)
	var mu sync.Mutex
	var told []Effect
	g := New(m.store, &Options{Hook: func(_ context.Context, e Effect) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, e)
	}})
	var wg suite.Group
	total, errs := 0, []error(nil)
	for range 8 {
		wg.Go(func() {
			n, err := g.Expire(t.Context())
			mu.Lock()
			defer mu.Unlock()
			total += n
			errs = append(errs, err)
		})
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
	require.GreaterOrEqual(t, total, 10+10+1+1)
	slices.SortFunc(told, func(a, b Effect) int { return int(a.Num) - int(b.Num) })
	require.Len(t, told, 10+10+1, "each seat, each team, and what was left, once: %v", told)
	m.left(100, 0, 0)
	require.Equal(t, Settled, m.stands().State)
	m.sound()
}

// TestSweepsStopWhereTheStoreDoes does not ask a store for the next thing that has just said it is not there.
func TestSweepsStopWhereTheStoreDoes(t *testing.T) {
	t.Parallel()
	m := offering(t, 3)
	m.buys("a")
	m.clock.Advance(25 * time.Hour)
	down := &asked{Store: m.store}
	_, err := m.On(down).Expire(t.Context())
	require.ErrorIs(t, err, ErrUnavailable)
	require.Equal(t, 1, down.times)
	m.seatIs(Held, "a")
}

// asked is a store that is down, and counts how often it is asked.
type asked struct {
	Store

	times int
}

func (a *asked) LateSeats(context.Context, string, int) ([]string, error) {
	a.times++
	return nil, ErrUnavailable
}

func (a *asked) LateTeams(context.Context, int) ([]Team, error) {
	a.times++
	return nil, ErrUnavailable
}
