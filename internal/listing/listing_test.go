package listing_test

import (
	"errors"
	"iter"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/listing"
)

func read[T any](rows iter.Seq2[T, error], atMost int) (got []T, err error) {
	for v, err := range rows {
		if err != nil {
			return got, err
		}
		if got = append(got, v); len(got) == atMost {
			break
		}
	}
	return got, nil
}

func TestPagesEndWithTheFirstThatIsNotFull(t *testing.T) {
	t.Parallel()
	for rows, calls := range map[int]int{0: 1, 1: 1, listing.PageSize - 1: 1, listing.PageSize: 2, 2*listing.PageSize + 1: 3} {
		asked := 0
		got, err := read(listing.Pages(nil, func(after, limit int) (page []int, err error) {
			asked++
			for n := after + 1; n <= rows && len(page) < limit; n++ {
				page = append(page, n)
			}
			return page, nil
		}, func(n int) int { return n }), 0)
		require.NoError(t, err)
		require.Len(t, got, rows)
		require.Equal(t, calls, asked, "pages of %d rows", rows)
		for i, n := range got {
			require.Equal(t, i+1, n)
		}
	}
}

func TestPagesEndWithTheReaderAndWithTheFirstError(t *testing.T) {
	t.Parallel()
	errOdd := errors.New("odd")
	full := func(after, limit int) ([]int, error) {
		if after > 0 {
			return nil, errOdd
		}
		return make([]int, limit), nil
	}
	last := func(int) int { return 1 }
	got, err := read(listing.Pages(nil, full, last), 7)
	require.NoError(t, err)
	require.Len(t, got, 7)
	got, err = read(listing.Pages(nil, full, last), 0)
	require.ErrorIs(t, err, errOdd)
	require.Len(t, got, listing.PageSize)
	got, err = read(listing.Pages[int, int](errOdd, nil, nil), 0)
	require.ErrorIs(t, err, errOdd)
	require.Empty(t, got)
}

func TestMapHasTheSameRowsAndErrors(t *testing.T) {
	t.Parallel()
	errOdd := errors.New("odd")
	rows := func(yield func(int, error) bool) { _ = yield(1, nil) && yield(2, nil) && yield(0, errOdd) }
	text := listing.Map(rows, func(n int) string { return "row " + string(rune('0'+n)) })
	got, err := read(text, 0)
	require.ErrorIs(t, err, errOdd)
	require.Equal(t, []string{"row 1", "row 2"}, got)
	got, err = read(text, 1)
	require.NoError(t, err)
	require.Equal(t, []string{"row 1"}, got)
}
