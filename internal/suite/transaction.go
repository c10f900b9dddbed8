package suite

import (
	"errors"
	"sync"
)

// Begin opens a caller's transaction, and returns what is bound to it and how to end it.
type Begin[D any] func() (in D, commit, rollback func() error)

// Behind makes calls in a transaction that has read before the world went on, and commits it. Where transactions conflict
// and it is told to start over, it does, once.
func Behind[D any](s Checker, conflict bool, begin Begin[D], meanwhile func(), calls func(in D)) {
	c := s.checks()
	c.Helper()
	in, commit, rollback := begin()
	meanwhile()
	if c.StartsOver(conflict, func() { calls(in) }) {
		c.No(rollback())
		in, commit, _ = begin()
		calls(in)
	}
	c.No(commit())
}

// Deadlock makes two transactions want what the other one has: each of them makes two calls, the second of which wants what
// the first of the other has. The library must neither wait for ever nor run a part of a transaction again: the victim is
// told to, from its beginning. Undone ends the test unless nothing of a transaction is half done.
func Deadlock[D any](s Checker, begin Begin[D], calls [2][2]func(in D) error, undone func(i int)) {
	c := s.checks()
	c.Helper()
	both := func(i int, between func()) func() error {
		in, commit, rollback := begin()
		return func() error {
			err := calls[i][0](in)
			between() // each has what it wants first before either asks for the second
			if err == nil {
				err = calls[i][1](in)
			}
			if err != nil {
				return errors.Join(err, rollback())
			}
			return commit()
		}
	}
	var met sync.WaitGroup
	met.Add(len(calls))
	bodies := make([]func() error, len(calls))
	for i := range calls {
		bodies[i] = both(i, func() { met.Done(); met.Wait() })
	}
	errs := Together(len(calls), func(i int) error { return bodies[i]() })
	if errs[0] != nil && errs[1] != nil {
		c.Fatalf("both failed: %v; %v", errs[0], errs[1])
	}
	for i, err := range errs {
		if err == nil {
			continue
		}
		if !c.Retryable(err) {
			c.Fatalf("the victim cannot know that it may run again: %v", err)
		}
		undone(i)
		c.No(both(i, func() {})())
	}
}
