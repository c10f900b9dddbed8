package sqltest

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Bare matches the name of a table without a prefix.
var Bare = regexp.MustCompile(`(^|[^_])\b(goods_stock|coupon_|red_packet|egl_group|flash_sale)`)

// Statement is the name of the call that sends a statement, and its text.
type Statement [2]string

// Golden compares every statement of a store with a file for a DBA to read and for a review to see changes in, and holds
// all of them to the rules: the prefix is in front of every name, and what keepsTheRules says.
func Golden(t *testing.T, store, file string, statements func(prefix string) []Statement) {
	t.Helper()
	breaks := strings.NewReplacer(" SET ", "\n   SET ", " WHERE ", "\n WHERE ", " FROM ", "\n  FROM ", " VALUES ", "\nVALUES ", " AND ",
		"\n   AND ",
		" LEFT JOIN ", "\n  LEFT JOIN ", " STRAIGHT_JOIN ", "\n  STRAIGHT_JOIN ", " CROSS JOIN ", "\n  CROSS JOIN ", " ON DUPLICATE ",
		"\n    ON DUPLICATE ",
		" GROUP BY ", "\n GROUP BY ", " ORDER BY ", "\n ORDER BY ", " UNION ALL ", "\n UNION ALL ")
	var b strings.Builder
	b.WriteString("-- Every statement of the " + store + " store. Written by: UPDATE=1 go test ./sqlstore/... -run Golden\n")
	for _, s := range statements("") {
		require.NotEmpty(t, s[1], s[0])
		b.WriteString("\n-- " + s[0] + "\n" + breaks.Replace(s[1]) + ";\n")
		keepsTheRules(t, s)
	}
	for _, s := range statements("shop_") {
		require.NotRegexp(t, Bare, s[1], s[0])
	}
	if os.Getenv("UPDATE") != "" {
		require.NoError(t, os.WriteFile(file, []byte(b.String()), 0o600))
	}
	want, err := os.ReadFile(file) //nolint:gosec // a test's own
	require.NoError(t, err)
	require.Equal(t, string(want), b.String(), "run: UPDATE=1 go test ./sqlstore/... -run Golden")
}

// keepsTheRules looks at one statement.
func keepsTheRules(t *testing.T, s Statement) {
	t.Helper()
	require.NotContains(t, s[1], "IGNORE", "%s: INSERT IGNORE truncates", s[0])
	require.NotContains(t, s[1], "NOW()", "%s: the session's time zone", s[0])
	require.NotContains(t, s[1], ";", "%s: one statement only", s[0])
	if strings.HasSuffix(s[1], "FOR UPDATE") || strings.HasPrefix(s[1], "DELETE") {
		require.NotContains(t, s[1], " LIMIT ?", "%s: a lock on a range is one on the places beside its rows", s[0])
		require.True(t, strings.Contains(s[1], "FORCE INDEX (PRIMARY)") ||
			!strings.Contains(s[1], " IN ("), "%s: a list of keys may be found by another index", s[0])
	}
	set, _, _ := strings.Cut(after(s[1], " SET "), " WHERE ")
	written := map[string]bool{}
	var assignments []string
	for a := range strings.SplitSeq(set, ", ") {
		column, _, ok := strings.Cut(a, " = ")
		switch {
		case ok && !strings.ContainsAny(column, "( "):
			written[column] = true
			assignments = append(assignments, a)
		case len(assignments) > 0: // the rest of a function's arguments
			assignments[len(assignments)-1] += ", " + a
		}
	}
	for _, a := range assignments {
		column, value, _ := strings.Cut(a, " = ")
		for other := range written {
			if other != column {
				require.NotRegexp(t, `\b`+strings.ReplaceAll(other, ".", `\.`)+`\b`, value, "%s: a SET reads what another one writes", s[0])
			}
		}
	}
}

// after returns what follows the first separator; empty where there is none.
func after(s, separator string) string {
	_, rest, _ := strings.Cut(s, separator)
	return rest
}
