package coupon_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/coupon"
)

func TestCanonical(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"abc": "ABC", "ABC": "ABC", "\tabc\n": "ABC", "\u3000abc\u00a0": "ABC", // blanks of other scripts are blanks
		"spring-25": "SPRING-25", "é": "É", "双十一": "双十一", strings.Repeat("x", 64): strings.Repeat("X", 64),
	} {
		code, err := coupon.Canonical(given)
		require.NoError(t, err, given)
		require.Equal(t, want, code)
	}
	for _, given := range []string{"", " ", "a b", "a\tb", "a\u3000b", "a\x00", "a\u200b", "\xff", "a\xffb", strings.Repeat("x", 65),
		strings.Repeat("双", 22)} {
		_, err := coupon.Canonical(given)
		require.ErrorIs(t, err, coupon.ErrInvalid, "%q", given)
	}
}

func FuzzCanonical(f *testing.F) {
	for _, code := range []string{"abc", " ABC ", "ß", "ŉ", "ǰ", "ı", "ſ", "ǆ", "a b", "\xff"} {
		f.Add(code)
	}
	f.Fuzz(func(t *testing.T, given string) {
		code, err := coupon.Canonical(given)
		if err != nil {
			require.ErrorIs(t, err, coupon.ErrInvalid)
			require.Empty(t, code)
			return
		}
		for _, typed := range []string{code, " " + given + "\n"} {
			again, err := coupon.Canonical(typed)
			require.NoError(t, err)
			require.Equal(t, code, again)
		}
	})
}

// pool returns coupons on a fresh store, with a campaign 7 that gives out codes.
func pool(t *testing.T) (*coupon.Coupons, *coupon.Memory) {
	t.Helper()
	store := new(coupon.Memory)
	shop := coupon.New(store, nil)
	terms := amountOff("20", "100")
	terms.Pool = true
	_, err := shop.Define(t.Context(), 7, 0, coupon.Rules{}, terms)
	require.NoError(t, err)
	return shop, store
}

// claimed claims every code of campaign 7 and returns them.
func claimed(t *testing.T, shop *coupon.Coupons, num int) []string {
	t.Helper()
	codes := make([]string, num)
	for i := range codes {
		c, err := shop.For("1").Claim(t.Context(), strconv.Itoa(i), 7)
		require.NoError(t, err)
		codes[i] = c.Code
	}
	return codes
}

// TestLettersOfCodesAreEquallyLikely would see a random byte that is reduced to a letter by its remainder:
// eight of the 31 letters would come an eighth more often. The bounds are six standard deviations.
func TestLettersOfCodesAreEquallyLikely(t *testing.T) {
	t.Parallel()
	const codes = 20_000
	shop, _ := pool(t)
	_, err := shop.Generate(t.Context(), 7, codes, nil)
	require.NoError(t, err)
	seen := map[rune]int{}
	for _, code := range claimed(t, shop, codes) {
		for _, letter := range code {
			seen[letter]++
		}
	}
	require.Len(t, seen, len(coupon.DefaultAlphabet))
	const mean = codes * coupon.DefaultCodeLength / len(coupon.DefaultAlphabet)
	for letter, n := range seen {
		require.InDelta(t, mean, n, 600, "%c", letter)
	}
}
