package groupbuy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

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

// TestMoreActivitiesThanABatchAreEnded puts those that their teams outlive first.
func TestMoreActivitiesThanABatchAreEnded(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
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
	bad := m.On(driftStore{Store: m.store, codes: map[string]bool{codes[1]: true}, orders: map[string]bool{"b-2": true}})
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

// TestSweepsStopWhereTheStoreDoes does not ask a store for the next thing that has just said it is not there.
func TestSweepsStopWhereTheStoreDoes(t *testing.T) {
	t.Parallel()
	m := offering(t, 3)
	m.buys("a")
	m.clock.Advance(25 * time.Hour)
	down := &downStore{Store: m.store}
	_, err := m.On(down).Expire(t.Context())
	require.ErrorIs(t, err, ErrUnavailable)
	require.Equal(t, 1, down.times)
	m.seatIs(Held, "a")
}

// downStore is a store that is down, and counts how often it is asked.
type downStore struct {
	Store

	times int
}

func (a *downStore) LateSeats(context.Context, string, int) ([]string, error) {
	a.times++
	return nil, ErrUnavailable
}

func (a *downStore) LateTeams(context.Context, int) ([]Team, error) {
	a.times++
	return nil, ErrUnavailable
}

// team returns a team.
func (m *market) team(code string) Team {
	m.t.Helper()
	team, _, err := m.store.Team(m.t.Context(), code, stock.Key{})
	require.NoError(m.t, err)
	return team
}

// seatIs requires the state of a seat.
func (m *market) seatIs(want SeatState, orders ...string) {
	m.t.Helper()
	for _, order := range orders {
		seat, _, _, err := m.store.Seat(m.t.Context(), order)
		require.NoError(m.t, err)
		require.Equal(m.t, want, seat.State, order)
	}
}

// driftStore is a store in which some teams cannot be ended, since their books have drifted, and seats not released.
type driftStore struct {
	Store

	codes, orders map[string]bool
}

func (s driftStore) End(ctx context.Context, endings []TeamEnd) ([]stock.Verdict, error) {
	for _, e := range endings {
		if s.codes[e.Code] {
			return nil, ErrDrift
		}
	}
	return s.Store.End(ctx, endings)
}

func (s driftStore) Follow(ctx context.Context, orders []string) ([]string, error) {
	for _, order := range orders {
		if s.orders[order] {
			return nil, ErrDrift
		}
	}
	return s.Store.Follow(ctx, orders)
}

func (s driftStore) Units() stock.Store {
	return driftUnits{Store: s.Store.Units(), orders: s.orders}
}

type driftUnits struct {
	stock.Store

	orders map[string]bool
}

func (u driftUnits) Expire(ctx context.Context, orders []string) ([]string, error) {
	good := slices.DeleteFunc(slices.Clone(orders), func(order string) bool { return u.orders[order] })
	expired, err := u.Store.Expire(ctx, good)
	if len(good) < len(orders) {
		err = errors.Join(err, ErrDrift)
	}
	return expired, err
}
