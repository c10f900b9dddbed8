//go:build go1.25

package groupbuy

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/stock"
)

func TestRunSweepsAndDeliversUntilItsContextEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		clock := time.Now()
		store := &Memory{}
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
		var given []EventKind
		done := make(chan error, 1)
		go func() {
			done <- g.Run(ctx, func(_ context.Context, e Event) error {
				given = append(given, e.Kind)
				return nil
			})
		}()
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		team, _, err := store.Team(ctx, seat.Team, stock.Key{})
		require.NoError(t, err)
		require.Equal(t, Failed, team.State)
		require.Equal(t, []EventKind{TeamFailed, RefundOwed}, given)
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
	})
}
