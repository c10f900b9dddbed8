package listing_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/listing"
)

type state int8

// place is a cursor of every kind of field.
type place struct {
	State state
	Kind  uint8
	At    time.Time
	Key   struct{ SKU, Activity int64 }
	Order string
}

// of returns a list of so many places.
func of(rows int) listing.List[place, place] {
	all := make([]place, rows)
	for i := range all {
		at := &all[i]
		at.State, at.Kind, at.Order = state(-i%3), uint8(i), strings.Repeat("\xff\x00", i%33)
		at.Key.SKU, at.Key.Activity = int64(i), int64(-i)
		if i%2 > 0 {
			at.At = time.UnixMicro(int64(i)).UTC()
		}
	}
	return listing.List[place, place]{
		Read: func(after place, limit int) ([]place, error) {
			from := 0
			if after != (place{}) || after == all[0] {
				from = slices.Index(all, after) + 1
			}
			return all[from:min(from+limit, len(all))], nil
		},
		At: func(p place) place { return p },
	}
}

func TestPagesFollowEachOtherByTheirCursors(t *testing.T) {
	t.Parallel()
	for rows := 1; rows < 40; rows += 7 {
		var got []place
		after := ""
		for {
			page, err := of(rows).Page(listing.Request{Limit: 7, After: after}, "places")
			require.NoError(t, err)
			got = append(got, page.Rows...)
			if page.Next == "" {
				break
			}
			require.Len(t, page.Rows, 7)
			require.Regexp(t, `^[A-Za-z0-9_-]+$`, page.Next)
			after = page.Next
		}
		all, err := read(of(rows).All(), 0)
		require.NoError(t, err)
		require.Equal(t, all, got)
	}
}

func TestACursorThatIsBrokenOrOfAnotherListIsInvalid(t *testing.T) {
	t.Parallel()
	first, err := of(9).Page(listing.Request{Limit: 5}, "places")
	require.NoError(t, err)
	next := first.Next
	for name, c := range map[string]struct{ after, of string }{
		"of another list": {next, "other places"},
		"cut off":         {next[:len(next)-3], "places"},
		"too long":        {next + "AAAA", "places"},
		"changed":         {"A" + next[1:], "places"},
		"no base64":       {"%" + next[1:], "places"},
		"nearly empty":    {"A", "places"},
	} {
		_, err := of(9).Page(listing.Request{After: c.after}, c.of)
		require.ErrorIs(t, err, fault.ErrInvalid, name)
	}
	_, err = listing.List[int, int]{
		Read: func(int, int) ([]int, error) { panic("nothing is read") },
	}.Page(listing.Request{After: next}, "places")
	require.ErrorIs(t, err, fault.ErrInvalid, "of rows of another shape")
}

func TestALimitIsBounded(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{-1, 501} {
		_, err := of(9).Page(listing.Request{Limit: limit}, "places")
		require.ErrorIs(t, err, fault.ErrInvalid)
	}
	for limit, want := range map[int]int{0: 50, 1: 1, 500: 500} {
		page, err := of(501).Page(listing.Request{Limit: limit}, "places")
		require.NoError(t, err)
		require.Len(t, page.Rows, want)
	}
}

func TestAnEmptyListAsksWhy(t *testing.T) {
	t.Parallel()
	empty := listing.List[place, place]{
		Read: func(place, int) ([]place, error) { return nil, nil },
		Why:  func() error { return fault.ErrStore },
	}
	_, err := empty.Page(listing.Request{}, "places")
	require.ErrorIs(t, err, fault.ErrStore)
	_, err = read(empty.All(), 0)
	require.ErrorIs(t, err, fault.ErrStore)
}
