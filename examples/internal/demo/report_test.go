package demo

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

// finding is the result of an example that found a number.
type finding struct {
	Number int    `json:"number"`
	Took   Micros `json:"took_us"`

	wrong, cut bool
}

func (f *finding) Print(w io.Writer) { fmt.Fprintf(w, "found %d in %v\n", f.Number, f.Took) }
func (f *finding) Balanced() bool    { return !f.wrong }
func (f *finding) CutShort() bool    { return f.cut }

func TestReport(t *testing.T) {
	t.Parallel()
	failure := errors.New("the ground\nshakes")
	for name, c := range map[string]struct {
		args      []string
		result    finding
		err       error
		code      int
		printed   string
		complaint string
	}{
		"well":        {nil, finding{Number: 7, Took: 1500}, nil, OK, "found 7 in 1.5ms\n", ""},
		"as JSON":     {[]string{"-json"}, finding{Number: 7, Took: 1.5}, nil, OK, "{\n  \"number\": 7,\n  \"took_us\": 1.5\n}\n", ""},
		"wrong":       {nil, finding{wrong: true, cut: true}, nil, Failed, "found 0 in 0s\n", ""},
		"interrupted": {nil, finding{cut: true}, nil, Interrupted, "found 0 in 0s\n", ""},
		"failed":      {nil, finding{wrong: true}, failure, Failed, "found 0 in 0s\n", "mine: the ground; shakes\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			var f Flags
			_, ok := Parse(f.Set("mine", "", ""), c.args, &stderr, func() error { return nil })
			require.True(t, ok)
			require.Equal(t, c.code, f.Report(&stdout, &stderr, &c.result, c.err))
			require.Equal(t, c.printed, stdout.String())
			require.Equal(t, c.complaint, stderr.String())
		})
	}
}
