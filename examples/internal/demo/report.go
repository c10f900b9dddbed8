package demo

import (
	"encoding/json"
	"errors"
	"io"
)

// Result is what an example found out, of all that happened until it ended. Its fields are what -json prints.
type Result interface {
	Print(w io.Writer) // for people
	Balanced() bool    // whether all accounts agree
	CutShort() bool    // whether the example was interrupted
}

// Report prints a result, and in one line the error that the example ended with. It returns the exit code
// that goes with both.
func (f *Flags) Report(stdout, stderr io.Writer, r Result, err error) int {
	if f.JSON {
		encoder := json.NewEncoder(stdout)
		encoder.SetIndent("", "  ")
		err = errors.Join(err, encoder.Encode(r))
	} else {
		r.Print(stdout)
	}
	switch {
	case err != nil:
		return End(stderr, f.program, err)
	case !r.Balanced():
		return Failed
	case r.CutShort():
		return Interrupted
	}
	return OK
}
