//go:build go1.25

package sweep_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sweep"
)

var errOdd = errors.New("odd")

func TestRunRestsLongerAfterErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		every time.Duration
		fails string          // whether each sweep fails: y or n
		rests []time.Duration // after each of them
	}{
		"all is well":           {time.Second, "nn", []time.Duration{1, 1}},
		"errors":                {time.Second, "yyyyyy", []time.Duration{2, 4, 8, 16, 30, 30}},
		"long rests":            {20 * time.Second, "yy", []time.Duration{30, 30}},
		"longer rests":          {time.Minute, "yy", []time.Duration{60, 60}}, // never more often than when all is well
		"an error that is over": {time.Second, "yyny", []time.Duration{2, 4, 1, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				var rests []time.Duration
				last, told := time.Now(), ""
				err := sweep.Run(ctx, c.every, func(context.Context) (int, error) {
					if len(told) > 0 {
						rests = append(rests, time.Since(last)/time.Second)
					}
					if last = time.Now(); len(told) == len(c.fails) {
						cancel()
						return 0, errOdd // which is nobody's business any more
					}
					told += "n"
					if c.fails[len(told)-1] == 'y' {
						return 0, errOdd
					}
					return 0, nil
				}, func(error) { told = told[:len(told)-1] + "y" })
				require.ErrorIs(t, err, context.Canceled)
				require.Equal(t, c.rests, rests)
				require.Equal(t, c.fails, told)
			})
		})
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		began, fails := time.Now(), func(context.Context) (int, error) { return 0, errOdd }
		for range 2 { // the second time at once
			require.Equal(t, context.DeadlineExceeded, sweep.Run(ctx, time.Second, fails, nil)) // and the errors are dropped
			require.Equal(t, time.Hour, time.Since(began))
		}
	})
}
