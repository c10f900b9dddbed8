package demo

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPickFollowsTheOdds(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 1))
	var picked [3]int
	for range 10_000 {
		picked[Pick[uint8](random, []int{70, 0, 30})]++
	}
	require.InDelta(t, 7000, picked[0], 200)
	require.Zero(t, picked[1])
	require.InDelta(t, 3000, picked[2], 200)
}
