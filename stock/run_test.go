//go:build go1.25

package stock_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// The loop of Run has tests of its own, in internal/sweep.
func TestRunSweeps(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		inv := stock.New(new(stock.Memory), &stock.Options{HoldFor: time.Minute, Sweep: 10 * time.Second})
		require.NoError(t, suite.Err(inv.Define(t.Context(), stock.Key{SKU: 42}, 10, stock.Terms{})))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- inv.Run(ctx) }()
		pass(5 * time.Second)
		require.NoError(t, suite.Err(inv.Lock(t.Context(), "order-1", stock.Line{SKU: 42, Num: 2})))
		state := func() stock.State {
			hold, err := inv.Hold(t.Context(), "order-1")
			require.NoError(t, err)
			return hold.State
		}
		pass(64 * time.Second) // the hold is dead, the sweep at one minute came before that
		require.Equal(t, stock.Locked, state())
		pass(2 * time.Second)
		require.Equal(t, stock.Expired, state())
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
	})
}

func TestRunTellsOfSweepsThatFail(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		fails := suite.Wire{Send: suite.Fails(stock.ErrUnavailable, suite.Named("Due"))}
		began, errs := time.Now(), 0
		inv := stock.New(suite.WireStock(new(stock.Memory), fails), &stock.Options{OnError: func(err error) {
			require.ErrorIs(t, err, stock.ErrUnavailable)
			if errs++; errs == 2 {
				cancel()
			}
		}})
		require.ErrorIs(t, inv.Run(ctx), context.Canceled)
		require.Equal(t, 2*stock.DefaultSweep, time.Since(began))
	})
}

// pass lets the clock of the bubble move on; no real time goes by.
func pass(d time.Duration) { <-time.After(d) }
