package groupbuy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func TestCanonical(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"abc": "ABC", "ABC": "ABC", "\tabc\n": "ABC", "\u3000abc\u00a0": "ABC", // blanks of other scripts are blanks
		strings.Repeat("x", 64): strings.Repeat("X", 64), "\xff": "\uFFFD", // which no team has
	} {
		code, err := groupbuy.Canonical(given)
		require.NoError(t, err, given)
		require.Equal(t, want, code)
	}
	for _, given := range []string{"", " ", "\n\t", strings.Repeat("x", 65), strings.Repeat("\xff", 22)} {
		_, err := groupbuy.Canonical(given)
		require.ErrorIs(t, err, groupbuy.ErrInvalid, "%q", given)
	}
}

// TestLettersOfCodesAreEquallyLikely would see a random byte that is reduced to a letter by its remainder: eight of
// the 31 letters would come an eighth more often. The bounds are six standard deviations.
func TestLettersOfCodesAreEquallyLikely(t *testing.T) {
	t.Parallel()
	const teams, letters = 30_000, "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
	s := newShop(t.Context())
	require.NoError(t, suite.Err(s.stock.Restock(t.Context(), "more", stock.Line{SKU: tea.SKU, Num: teams})))
	require.NoError(t, suite.Err(s.groups.Restock(t.Context(), "more tea", tea, teams)))
	groups := groupbuy.New(s.store, nil)
	seen, all := map[rune]int{}, make([]string, teams)
	for i := range all {
		seat, err := groups.For(fmt.Sprint(i+1)).Open(t.Context(), buy(fmt.Sprint("o-", i)))
		require.NoError(t, err)
		require.Len(t, seat.Team, groupbuy.CodeLength)
		for _, letter := range seat.Team {
			seen[letter]++
		}
		all[i] = seat.Team
	}
	slices.Sort(all)
	require.Len(t, slices.Compact(all), teams)
	require.Len(t, seen, len(letters))
	const mean = teams * groupbuy.CodeLength / len(letters)
	for letter, n := range seen {
		require.Contains(t, letters, string(letter))
		require.InDelta(t, mean, n, 600, "%c", letter)
	}
}

func TestOpenRefusesCodesThatNobodyCouldType(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"", "SHORT", "ELEVENCODES", "lowercases", "WITH BLANK", "ÄÄÄÄÄ", "TEAM-22222"} {
		s := newShop(t.Context())
		groups := groupbuy.New(s.store, &groupbuy.Options{Code: func() string { return code }})
		_, err := groups.For("1").Open(t.Context(), buy("o-1"))
		require.ErrorIs(t, err, groupbuy.ErrInvalid, "%q", code)
		_, err = groups.Seat(t.Context(), "o-1")
		require.ErrorIs(t, err, groupbuy.ErrNotFound)
	}
}

// TestOpenEndsWhereEveryCodeIsTaken: a source of codes that is stuck must not keep a caller for ever.
func TestOpenEndsWhereEveryCodeIsTaken(t *testing.T) {
	t.Parallel()
	s := newShop(t.Context())
	stuck := groupbuy.New(s.store, &groupbuy.Options{Code: func() string { return "TEAMA22222" }})
	for range 2 { // the replay needs no code of its own
		seat, err := stuck.For("1").Open(t.Context(), buy("o-1"))
		require.NoError(t, err)
		require.Equal(t, "TEAMA22222", seat.Team)
	}
	_, err := stuck.For("2").Open(t.Context(), buy("o-2"))
	require.ErrorIs(t, err, groupbuy.ErrUnavailable)
	require.NotErrorIs(t, err, groupbuy.ErrDuplicateCode)
	seat, err := s.groups.For("2").Open(t.Context(), buy("o-2")) // its first code is taken as well, the second is not
	require.NoError(t, err)
	require.Equal(t, "TEAMB22222", seat.Team)
}
