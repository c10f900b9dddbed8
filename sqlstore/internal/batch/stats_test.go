package batch

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBatchesAreCountedBySize(t *testing.T) {
	t.Parallel()
	b := NewBounds(nil, Limits{Size: 900, Batches: 2, Waiting: 4})
	for _, calls := range []int{1, 2, 3, 4, 5, 512, 513, 900, 5_000} {
		b.counts.batch(calls)
	}
	s := b.Stats()
	require.Equal(t, [sizes]int64{1, 1, 2, 1, 0, 0, 0, 0, 0, 1, 3}, s.Sizes)
	require.EqualValues(t, 9, s.Batches)
	require.EqualValues(t, 1+2+3+4+5+512+513+900+5_000, s.Calls)
}

func TestUnmergedStoresCountNothing(t *testing.T) {
	t.Parallel()
	var none *Bounds
	none.Tried(2)
	require.Equal(t, Stats{}, none.Stats())
}
