//go:build go1.25

package stock_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/stock"
)

// moody is a store that cannot look for dead holds while it is out of order.
type moody struct {
	stock.Store

	mu    sync.Mutex
	fault error
}

func (m *moody) Due(ctx context.Context, keys []stock.Key, limit int) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fault != nil {
		return nil, m.fault
	}
	return m.Store.Due(ctx, keys, limit)
}

// becomes sets or ends the fault.
func (m *moody) becomes(fault error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fault = fault
}

// running starts Run in the bubble and returns how to stop it; stop returns what Run did.
func running(t *testing.T, inv *stock.Inventory) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- inv.Run(ctx) }()
	return func() error {
		cancel()
		return <-done
	}
}

func TestRunSweeps(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		inv := stock.New(new(stock.Memory), &stock.Options{HoldFor: time.Minute, Sweep: 10 * time.Second})
		_, err := inv.Define(t.Context(), stock.Key{SKU: 42}, 10, stock.Terms{})
		require.NoError(t, err)
		stop := running(t, inv)
		pass(5 * time.Second)
		_, err = inv.Lock(t.Context(), "order-1", stock.Line{SKU: 42, Num: 2})
		require.NoError(t, err)
		state := func() stock.State {
			hold, err := inv.Hold(t.Context(), "order-1")
			require.NoError(t, err)
			return hold.State
		}
		pass(64 * time.Second) // the hold is dead, the sweep at one minute came before that
		require.Equal(t, stock.Locked, state())
		pass(2 * time.Second)
		require.Equal(t, stock.Expired, state())
		require.ErrorIs(t, stop(), context.Canceled)
	})
}

func TestRunReturnsTheErrorOfItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		opts := &stock.Options{OnError: func(err error) { t.Errorf("no sweep failed, but: %v", err) }}
		inv := stock.New(new(stock.Memory), opts)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		began := time.Now()
		require.Equal(t, context.DeadlineExceeded, inv.Run(ctx))
		require.Equal(t, time.Hour, time.Since(began))
		require.Equal(t, context.DeadlineExceeded, inv.Run(ctx)) // at once
		require.Equal(t, time.Hour, time.Since(began))
	})
}

func TestRunRestsLongerAfterErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sweep time.Duration
		gaps  []time.Duration // between errors
	}{
		{0, []time.Duration{2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 30 * time.Second, 30 * time.Second}},
		{20 * time.Second, []time.Duration{30 * time.Second, 30 * time.Second}},
		{time.Minute, []time.Duration{time.Minute, time.Minute}}, // never more often than when all is well
	} {
		t.Run(c.sweep.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				store := &moody{Store: new(stock.Memory), fault: stock.ErrUnavailable}
				var times []time.Time
				inv := stock.New(store, &stock.Options{Sweep: c.sweep, OnError: func(err error) {
					require.ErrorIs(t, err, stock.ErrUnavailable)
					times = append(times, time.Now())
				}})
				stop := running(t, inv)
				for _, gap := range c.gaps {
					synctest.Wait()
					was := len(times)
					pass(gap - time.Millisecond)
					synctest.Wait()
					require.Len(t, times, was)
					pass(time.Millisecond)
					synctest.Wait()
					require.Len(t, times, was+1)
				}
				require.ErrorIs(t, stop(), context.Canceled)
			})
		})
	}
}

func TestRunRecovers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &moody{Store: new(stock.Memory), fault: errors.New("out of order")}
		failures := 0
		inv := stock.New(store, &stock.Options{HoldFor: time.Minute, OnError: func(error) { failures++ }})
		_, err := inv.Define(t.Context(), stock.Key{SKU: 42}, 10, stock.Terms{})
		require.NoError(t, err)
		_, err = inv.Lock(t.Context(), "order-1", stock.Line{SKU: 42, Num: 2})
		require.NoError(t, err)
		stop := running(t, inv)
		pass(10 * time.Minute)
		store.becomes(nil)
		pass(31 * time.Second) // the longest rest
		hold, err := inv.Hold(t.Context(), "order-1")
		require.NoError(t, err)
		require.Equal(t, stock.Expired, hold.State)
		was := failures
		store.becomes(errors.New("again"))
		pass(stock.DefaultSweep) // it is back to its usual rest
		synctest.Wait()
		require.Equal(t, was+1, failures)
		require.ErrorIs(t, stop(), context.Canceled)
	})
}

// TestRunWithoutOnError drops the error of a sweep and goes on.
func TestRunWithoutOnError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stop := running(t, stock.New(&moody{Store: new(stock.Memory), fault: stock.ErrStore}, nil))
		pass(time.Hour)
		require.ErrorIs(t, stop(), context.Canceled)
	})
}

// pass lets the clock of the bubble move on; no real time goes by.
func pass(d time.Duration) { <-time.After(d) }
