package groupbuy

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/stock"
)

// ann decides.
var ann = Decision{Actor: "ann", Reason: "they waited long enough"}

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

func TestFormReleasesWhoHasNotPaid(t *testing.T) {
	t.Parallel()
	m := offering(t, 3)
	code := m.buys("a", "b")
	_, err := m.Form(t.Context(), code, ann)
	require.ErrorIs(t, err, ErrNobodyPaid)
	var refusal *TeamError
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, code, refusal.Team)
	m.pays("a")
	m.told = nil
	team, err := m.Form(t.Context(), " "+strings.ToLower(code)+" ", ann)
	require.NoError(t, err)
	require.Equal(t, Formed, team.State)
	require.Equal(t, ByOperator, team.Cause)
	require.Equal(t, [2]string{ann.Actor, ann.Reason}, [2]string{team.Actor, team.Reason})
	require.Equal(t, []Effect{{Team: code, Ended: Formed}}, m.told)
	m.seatIs(Paid, "a")
	m.seatIs(Cancelled, "b")
	m.left(70, 29, 0)

	again, err := m.Form(t.Context(), code, Decision{Actor: "ben", Reason: "me too"})
	require.NoError(t, err)
	require.True(t, again.Replay)
	again.Replay = false
	require.Equal(t, team, again)
	_, err = m.Fail(t.Context(), code, ann)
	require.ErrorIs(t, err, ErrTeamFormed)
	require.Len(t, m.told, 1)
	m.sound()
}

func TestFailRefundsWhoHasPaid(t *testing.T) {
	t.Parallel()
	m := offering(t, 3)
	code := m.buys("a", "b")
	m.pays("a")
	m.told = nil
	team, err := m.Fail(t.Context(), code, ann)
	require.NoError(t, err)
	require.Equal(t, Failed, team.State)
	require.Equal(t, [2]string{ann.Actor, ann.Reason}, [2]string{team.Actor, team.Reason})
	require.Equal(t, []Effect{{Team: code, Ended: Failed}}, m.told)
	m.seatIs(RefundDue, "a")
	m.seatIs(Cancelled, "b")
	m.left(70, 30, 0)
	again, err := m.Fail(t.Context(), code, Decision{Actor: "ben", Reason: "me too"})
	require.NoError(t, err)
	require.True(t, again.Replay)
	again.Replay = false
	require.Equal(t, team, again)
	_, err = m.Form(t.Context(), code, ann)
	require.ErrorIs(t, err, ErrTeamFailed)
	for _, decide := range []func(context.Context, string, Decision) (Team, error){m.Form, m.Fail} {
		_, err = decide(t.Context(), "NONE", ann)
		require.ErrorIs(t, err, ErrUnknownTeam)
	}
	m.sound()
}

// TestNobodyDecidesAfterTheDeadline asks at it.
func TestNobodyDecidesAfterTheDeadline(t *testing.T) {
	t.Parallel()
	m := newMarket(t, Options{HoldFor: 2 * time.Hour})
	p := tea(3)
	p.MinPeople = 2
	_, err := m.Offer(t.Context(), p, 30)
	require.NoError(t, err)
	enough := m.buys("a", "b")
	few := m.buys("c", "d")
	m.pays("a", "b", "c")
	m.clock.Advance(time.Hour - time.Microsecond)
	require.True(t, m.team(enough).Live(m.clock.Now()))
	m.clock.Advance(time.Microsecond)
	_, err = m.Form(t.Context(), few, ann)
	require.ErrorIs(t, err, ErrTeamOver)
	_, err = m.Form(t.Context(), enough, ann)
	require.ErrorIs(t, err, ErrTeamOver)
	_, err = m.Fail(t.Context(), enough, ann)
	require.ErrorIs(t, err, ErrTeamFormed, "it has reached its minimum")
	require.Equal(t, ByDeadline, m.team(enough).Cause)
	team, err := m.Fail(t.Context(), few, ann)
	require.NoError(t, err)
	require.Equal(t, ByDeadline, team.Cause)
	require.Empty(t, team.Actor)
	m.seatIs(RefundDue, "c")
	m.seatIs(Expired, "d")
	_, err = m.Form(t.Context(), few, ann)
	require.ErrorIs(t, err, ErrTeamFailed)
	formed, err := m.Form(t.Context(), enough, ann)
	require.NoError(t, err)
	require.Equal(t, ByDeadline, formed.Cause)
	m.sound()
}

// TestOneOfManyDecisionsCounts forms and fails a team from all sides.
func TestOneOfManyDecisionsCounts(t *testing.T) {
	t.Parallel()
	m := offering(t, 3)
	code := m.buys("a", "b")
	m.pays("a")
	quiet := New(m.store, nil)
	results := make(chan TeamState, 20)
	for i := range cap(results) {
		go func() {
			decide := quiet.Form
			if i%2 == 0 {
				decide = quiet.Fail
			}
			team, err := decide(t.Context(), code, ann)
			if err != nil {
				team.State = Forming
			}
			results <- team.State
		}()
	}
	won := map[TeamState]int{}
	for range cap(results) {
		won[<-results]++
	}
	require.Equal(t, map[TeamState]int{m.team(code).State: 10, Forming: 10}, won)
	m.sound()
}

// endsBadly is a store in which some teams cannot be ended, since their books have drifted, and seats not released.
type endsBadly struct {
	Store

	codes, orders map[string]bool
}

func (s endsBadly) End(ctx context.Context, endings []TeamEnd) ([]stock.Verdict, error) {
	for _, e := range endings {
		if s.codes[e.Code] {
			return nil, ErrDrift
		}
	}
	return s.Store.End(ctx, endings)
}

func (s endsBadly) Follow(ctx context.Context, orders []string) ([]string, error) {
	for _, order := range orders {
		if s.orders[order] {
			return nil, ErrDrift
		}
	}
	return s.Store.Follow(ctx, orders)
}

func (s endsBadly) Units() stock.Store {
	return endsBadlyUnits{Store: s.Store.Units(), orders: s.orders}
}

type endsBadlyUnits struct {
	stock.Store

	orders map[string]bool
}

func (u endsBadlyUnits) Expire(ctx context.Context, orders []string) ([]string, error) {
	good := slices.DeleteFunc(slices.Clone(orders), func(order string) bool { return u.orders[order] })
	expired, err := u.Store.Expire(ctx, good)
	if len(good) < len(orders) {
		err = errors.Join(err, ErrDrift)
	}
	return expired, err
}
