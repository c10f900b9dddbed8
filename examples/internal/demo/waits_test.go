package demo

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestQuantile(t *testing.T) {
	t.Parallel()
	require.Zero(t, Quantile(nil, 0.5))
	waits := make([]time.Duration, 101)
	for i := range waits {
		waits[i] = time.Duration(100-i) * time.Millisecond
	}
	require.Equal(t, "50ms", Quantile(waits, 0.50).String())
	require.Equal(t, "99ms", Quantile(waits, 0.99).String())
	require.InDelta(t, 100_000, float64(Quantile(waits, 1)), 0)
}
