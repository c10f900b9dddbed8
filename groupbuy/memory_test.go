package groupbuy_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

func TestMemoryZeroValueIsUsable(t *testing.T) {
	t.Parallel()
	var m groupbuy.Memory
	units := stock.New(m.Units(), nil)
	item, err := units.Define(t.Context(), stock.Key{SKU: 42}, 10, stock.Terms{})
	require.NoError(t, err)
	require.EqualValues(t, 10, item.Left)

	_, now, err := m.Team(t.Context(), "none", stock.Key{})
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), now, time.Minute)

	var fresh groupbuy.Memory
	late, err := fresh.LateTeams(t.Context(), 10)
	require.NoError(t, err)
	require.Empty(t, late)

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = fresh.Follow(ended, []string{"o"})
	require.ErrorIs(t, err, groupbuy.ErrUnavailable)
}

// ends returns how teams are ended as they are: they fail.
func (s *shop) ends(codes ...string) []groupbuy.TeamEnd {
	var endings []groupbuy.TeamEnd
	for _, code := range codes {
		team := must(s.groups.Team(context.Background(), code))
		endings = append(endings, groupbuy.TeamEnd{
			Code: code, Version: team.Version, To: groupbuy.Failed, Cause: groupbuy.ByDeadline, Frees: true,
		})
	}
	return endings
}

// books returns the seats and the events of a team, and the holds of the seats.
func (s *shop) books(code string) (seats []groupbuy.Seat, events []event.Event, holds []stock.State) {
	ctx := context.Background()
	seats, events = must(suite.Gather(s.groups.Members(ctx, code))), must(suite.Gather(s.events.Of(ctx, event.TeamQueue(code))))
	for _, seat := range seats {
		holds = append(holds, must(s.stock.Hold(ctx, seat.Order)).State)
	}
	return seats, events, holds
}

// left demands that a team was left as it was.
func (s *shop) left(t *testing.T, code string, seats []groupbuy.Seat, events []event.Event, holds []stock.State) {
	t.Helper()
	isSeats, isEvents, isHolds := s.books(code)
	require.Equal(t, seats, isSeats)
	require.Equal(t, events, isEvents)
	require.Equal(t, holds, isHolds)
}

func TestMemoryLeavesATeamWholeWhoseHoldsHaveDrifted(t *testing.T) {
	t.Parallel()
	s := newShop(t.Context())
	code := s.team(t.Context(), 3)
	other := must(s.groups.For("1").Open(t.Context(), buy("u-1"))).Team
	must(s.groups.Pay(t.Context(), "o-1"))
	must(s.stock.Pay(t.Context(), "o-3")) // behind the back of its team
	seats, events, holds := s.books(code)
	verdicts, err := s.store.End(t.Context(), s.ends(code, other))
	require.ErrorIs(t, err, groupbuy.ErrDrift)
	require.Equal(t, []stock.Verdict{stock.Refused, stock.Done}, verdicts, "one team does not keep the others")
	s.left(t, code, seats, events, holds)

	must(s.store.Follow(t.Context(), []string{"o-1", "o-2", "o-3"}))
	require.Equal(t, []stock.Verdict{stock.Done}, must(s.store.End(t.Context(), s.ends(code))))
	_, _, holds = s.books(code)
	require.Equal(t, []stock.State{stock.Refunded, stock.Cancelled, stock.Refunded}, holds)
	s.sound(t)
}

func TestMemoryEndChangesNothingWhereTheCountersHaveDrifted(t *testing.T) {
	t.Parallel()
	for _, drift := range []stock.Entry{
		{Key: tea, Delta: stock.Quantities{Locked: -1}},
		{Key: tea, Buyer: "2", Delta: stock.Quantities{Locked: -1}, Holds: -1},
		{Key: tea, Buyer: "1", Delta: stock.Quantities{Sold: -1}},
	} {
		s := newShop(t.Context())
		code := s.team(t.Context(), 2)
		must(s.groups.Pay(t.Context(), "o-1"))
		change := stock.Change{Kind: stock.KindRepair, ID: "broken", Entries: []stock.Entry{drift}}
		require.Equal(t, stock.Done, must(s.store.Units().Apply(t.Context(), change)))
		seats, events, holds := s.books(code)
		verdicts, err := s.store.End(t.Context(), s.ends(code))
		require.ErrorIs(t, err, groupbuy.ErrDrift)
		require.Equal(t, []stock.Verdict{stock.Refused}, verdicts)
		s.left(t, code, seats, events, holds)
	}
}

// TestMemoryCarriesACrowd: what sweeps ask in a loop must not look at everything each time.
func TestMemoryCarriesACrowd(t *testing.T) {
	t.Parallel()
	const teams = 20_000
	s := newShop(t.Context())
	require.NoError(t, suite.Err(s.stock.Restock(t.Context(), "more", stock.Line{SKU: tea.SKU, Num: teams})))
	require.NoError(t, suite.Err(s.groups.Restock(t.Context(), "more tea", tea, teams)))
	groups, codes := groupbuy.New(s.store, nil), make([]string, teams)
	for i := range teams {
		codes[i] = must(groups.For(fmt.Sprint(i+1)).Open(t.Context(), buy(fmt.Sprint(i)))).Team
		s.clock.advance(time.Microsecond)
	}
	joinable := must(suite.Gather(groups.Joinable(t.Context(), tea)))
	require.Len(t, joinable, teams)
	for i, team := range joinable {
		require.Equal(t, codes[i], team.Code)
	}

	began := time.Now()
	require.Empty(t, must(s.store.LateTeams(t.Context(), 1)))
	s.clock.advance(2 * time.Hour)
	seats := 0
	for {
		orders := must(s.store.LateSeats(t.Context(), "", 200))
		if len(orders) == 0 {
			break
		}
		require.Equal(t, fmt.Sprint(seats), orders[0])
		require.Equal(t, orders, must(s.store.Units().Expire(t.Context(), orders)))
		seats += len(orders)
	}
	require.Equal(t, teams, seats)
	require.Empty(t, must(s.store.LateTeams(t.Context(), 1)), "nobody is left in any")
	require.Less(t, time.Since(began), 30*time.Second)
	require.False(t, must(s.store.Unfinished(t.Context(), tea)))
}
