//go:build go1.25

package coupon_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/stock"
)

// TestRunDropsWhatIsNotPaid sweeps by the clock of the bubble.
func TestRunDropsWhatIsNotPaid(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dropped := make(chan string, 1)
		shop := coupon.New(new(coupon.Memory), &coupon.Options{HoldFor: time.Minute, Hook: func(_ context.Context, e coupon.Effect) {
			if e.Units == stock.StepExpire {
				dropped <- e.Coupon
			}
		}})
		_, err := shop.Define(t.Context(), 7, 1, coupon.Rules{}, amountOff("20", "0"))
		require.NoError(t, err)
		_, err = shop.For("1").Lock(t.Context(), "l", 7)
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- shop.Run(ctx) }()
		began := time.Now()
		require.Equal(t, "l", <-dropped)
		require.InDelta(t, time.Minute, time.Since(began), float64(2*stock.DefaultSweep))
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled)
	})
}
