//go:build go1.25

package groupbuy

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

func TestRunSweepsUntilItsContextEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		clock := time.Now()
		store := &Memory{Events: new(event.Memory)}
		g := New(store, &Options{Sweep: time.Minute})
		_, err := g.units.Define(ctx, stock.Key{SKU: 42}, 100, stock.Terms{})
		require.NoError(t, err)
		_, err = g.Define(ctx, Activity{ID: 7, Formation: time.Hour, End: clock.Add(24 * time.Hour)})
		require.NoError(t, err)
		_, err = g.Offer(ctx, tea(2), 30)
		require.NoError(t, err)
		seat, err := g.For("1").Open(ctx, Purchase{Order: "a", Product: onMarket, Volume: amount("1")})
		require.NoError(t, err)
		_, err = g.Pay(ctx, "a")
		require.NoError(t, err)
		done := make(chan error, 1)
		go func() { done <- g.Run(ctx) }()
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		team, _, err := store.Team(ctx, seat.Team, stock.Key{})
		require.NoError(t, err)
		require.Equal(t, Failed, team.State)
		told, err := store.Events.List(ctx, event.TeamQueue(seat.Team), 0, 10)
		require.NoError(t, err)
		require.Len(t, told, 2)
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
	})
}
