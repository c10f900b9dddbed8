//go:build go1.25

package suite

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// TestCrowdIsAsWideAsItShouldBe has each call wait until all that can be there are.
func TestCrowdIsAsWideAsItShouldBe(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		errs := Crowd(10, 4, func(i int) error {
			time.Sleep(time.Second) // of the bubble's clock
			return []error{nil, errOdd}[i%2]
		})
		require.Equal(t, 3*time.Second, time.Since(start))
		require.Equal(t, []error{nil, errOdd, nil, errOdd, nil, errOdd, nil, errOdd, nil, errOdd}, errs)
	})
}
