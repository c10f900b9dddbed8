package example

import (
	"cmp"
	"errors"
	"fmt"
	"io"
)

// Story tells a reader step by step what happens. The first answer that is not
// the expected one ends it: Err has it, and nothing more is told.
type Story struct {
	w     io.Writer
	steps int
	err   error
}

// NewStory returns a story that is told to w.
func NewStory(w io.Writer) *Story { return &Story{w: w} }

// Tell tells a step that succeeds, and what came of it.
func (s *Story) Tell(what string, err error, answer string, args ...any) {
	if err != nil {
		s.err = cmp.Or(s.err, fmt.Errorf("%s: %w", what, err))
		return
	}
	s.step(what, fmt.Sprintf(answer, args...))
}

// Refused tells a step that is refused, for this reason.
func (s *Story) Refused(what string, err, reason error) {
	switch {
	case err == nil:
		s.err = cmp.Or(s.err, fmt.Errorf("%s: not refused: %w", what, reason))
	case !errors.Is(err, reason):
		s.err = cmp.Or(s.err, fmt.Errorf("%s: %w", what, err))
	default:
		s.step(what, "refused: "+reason.Error())
	}
}

// step prints a step, unless the story has ended.
func (s *Story) step(what, answer string) {
	if s.err == nil {
		s.steps++
		fmt.Fprintf(s.w, "%3d. %s → %s\n", s.steps, what, answer)
	}
}

// Err returns the first error that the story did not expect.
func (s *Story) Err() error { return s.err }
