package demo

import (
	"bytes"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFlags(t *testing.T) {
	t.Parallel()
	var stderr bytes.Buffer
	f := Flags{}
	_, ok := Parse(f.Set("mine", "dig here", "dig alike"), []string{"-dsn", "there", "-seed", "9", "-json"}, &stderr, func() error { return nil })
	require.True(t, ok)
	require.Equal(t, Flags{DSN: "there", Seed: 9, JSON: true, program: "mine"}, f)
	require.Empty(t, stderr.String())
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"help":                {[]string{"-h"}, OK, "dig alike"},
		"an unknown flag":     {[]string{"-deep"}, Usage, "-deep"},
		"an argument":         {[]string{"coal"}, Usage, `unexpected argument "coal"`},
		"no address":          {[]string{"-dsn", ""}, Usage, "-dsn is empty"},
		"what check dislikes": {nil, Usage, "no gold"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var stderr bytes.Buffer
			code, ok := Parse(new(Flags).Set("mine", "dig here", "dig alike"), c.args, &stderr, func() error { return errors.New("no gold") })
			require.False(t, ok)
			require.Equal(t, c.code, code)
			require.Contains(t, stderr.String(), c.says)
			require.Contains(t, stderr.String(), "Usage of mine")
		})
	}
}
