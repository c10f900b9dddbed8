package demo

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/stock"
)

func TestAgain(t *testing.T) {
	t.Parallel()
	refused := errors.New("refused")
	for name, c := range map[string]struct {
		answers []error
		end     error
	}{
		"at once":     {[]error{nil}, nil},
		"helped":      {[]error{stock.ErrUnknown, stock.ErrUnavailable, nil}, nil},
		"refused":     {[]error{stock.ErrUnavailable, refused}, refused},
		"never helps": {[]error{stock.ErrBusy}, stock.ErrBusy},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				began, calls, again := time.Now(), 0, 0
				err := Again(t.Context(), func() error {
					calls++
					return c.answers[min(calls, len(c.answers))-1]
				}, func() { again++ })
				require.ErrorIs(t, err, c.end)
				require.Equal(t, calls-1, again)
				require.GreaterOrEqual(t, calls, len(c.answers))
				require.Less(t, time.Since(began), 2*longestPause)
			})
		})
	}
}

func TestAgainEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		err := Again(ctx, func() error { return stock.ErrUnavailable }, func() {})
		require.ErrorIs(t, err, stock.ErrUnavailable)
		require.ErrorIs(t, ctx.Err(), context.DeadlineExceeded)
	})
}
