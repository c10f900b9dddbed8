package suite

import (
	"errors"

	"github.com/holdfast-go/holdfast/internal/fault"
)

// A Call is one call of a verb, with arguments that are in order.
type Call struct {
	Name string
	Of   string // what Resolve would be asked about; empty is nothing
	Do   func() error
}

// A Journey is one call of each verb of a domain that changes something, each of which works once those before it have.
type Journey[D any] struct {
	Plain   D
	Calls   func(of D) []Call
	Over    func(Wire) D // the domain over a wire
	Begin   Begin[D]     // a caller's transaction; nil where there is none
	Resolve func(of string) error
	Sees    func() any // everything that can be seen
	Ends    func()     // ends the test unless each call happened once
}

// each makes every call in some ways, and then as it is.
func (j Journey[D]) each(c *Checks, try func(name string, call func(D) error)) {
	c.Helper()
	for i, plain := range j.Calls(j.Plain) {
		try(plain.Name, func(of D) error { return j.Calls(of)[i].Do() })
		if err := plain.Do(); err != nil {
			c.Fatalf("%s in the end: %v", plain.Name, err)
		}
	}
	j.Ends()
}

// Made makes every call as it is, and looks after each.
func (j Journey[D]) Made(s Checker, look func()) {
	c := s.checks()
	c.Helper()
	for _, call := range j.Calls(j.Plain) {
		if err := call.Do(); err != nil {
			c.Fatalf("%s: %v", call.Name, err)
		}
		look()
	}
}

// most is more changes than any call sends.
const most = 20

// LostAnswers loses the answer of the first change that a call sends, of the second, and so on: the same call settles it.
func (j Journey[D]) LostAnswers(s Checker) {
	s.checks().Helper()
	j.breaks(s, most, LosesAnswer, func(err error) bool { return errors.Is(err, fault.ErrUnknown) })
}

// breaks makes every call over wires that break at its first call of the store, at its second, and so on, until nothing of it
// breaks. It ends the test unless the errors may be.
func (j Journey[D]) breaks(s Checker, most int, wire func(n int) Wire, may func(err error) bool) {
	c := s.checks()
	c.Helper()
	j.each(c, func(name string, call func(D) error) {
		for n := 1; ; n++ {
			err := call(j.Over(wire(n)))
			if err == nil {
				return // it makes fewer calls than that
			}
			if !may(err) || !c.Retryable(err) || n > most {
				c.Fatalf("%s, broken at call %d: %v", name, n, err)
			}
		}
	})
}

// LostAnswersResolved asks what became of a call whose first answer is lost before it is made again: what this keeps out is
// the lost call, not the new one.
func (j Journey[D]) LostAnswersResolved(s Checker) {
	c := s.checks()
	c.Helper()
	calls := j.Calls(j.Plain)
	i := 0
	j.each(c, func(_ string, call func(D) error) {
		if err := call(j.Over(LosesAnswer(1))); err != nil {
			c.Is(err, fault.ErrUnknown)
		}
		if of := calls[i].Of; of != "" {
			c.No(j.Resolve(of))
		}
		i++
	})
}

// LostReadings has everything be done, and nobody able to read what came of it, which is no error of something that was not
// done. It returns the errors by call.
func (j Journey[D]) LostReadings(s Checker) map[string]error {
	c := s.checks()
	c.Helper()
	errs := map[string]error{}
	j.each(c, func(name string, call func(D) error) {
		if errs[name] = call(j.Over(Blind())); errs[name] != nil && !c.Retryable(errs[name]) {
			c.Fatalf("%s, whose result cannot be read: %v", name, errs[name])
		}
	})
	return errs
}

// Unsent sends no change: nothing happens.
func (j Journey[D]) Unsent(s Checker) {
	c := s.checks()
	c.Helper()
	j.each(c, func(name string, call func(D) error) {
		was := j.Sees()
		if err := call(j.Over(Wire{Send: Fails(fault.ErrUnavailable, Changes)})); err != nil {
			c.Is(err, fault.ErrUnavailable)
		}
		Same(c, "what is seen after "+name, j.Sees(), was)
	})
}

// CutOff cuts each call off before its first statement, its second, and so on, until nothing is left to cut off.
func (j Journey[D]) CutOff(s Checker) {
	s.checks().Helper()
	j.breaks(s, 3*most, func(n int) Wire { return Wire{Send: Fails(fault.ErrUnavailable, From(n))} }, func(error) bool { return true })
}

// RolledBack makes each call in a transaction that is rolled back: nothing is left of it.
func (j Journey[D]) RolledBack(s Checker) {
	c := s.checks()
	c.Helper()
	j.each(c, func(name string, call func(D) error) {
		was := j.Sees()
		in, _, rollback := j.Begin()
		if err := call(in); err != nil {
			c.Fatalf("%s in a transaction: %v", name, err)
		}
		c.No(rollback())
		Same(c, "what is seen after "+name, j.Sees(), was)
	})
}

// Committed makes the first half of the calls each in a transaction of its own, and the others in one.
func (j Journey[D]) Committed(s Checker) {
	c := s.checks()
	c.Helper()
	all := len(j.Calls(j.Plain))
	for i := 0; i < all; {
		in, commit, _ := j.Begin()
		until := i + 1
		if i >= all/2 {
			until = all
		}
		for _, call := range j.Calls(in)[i:until] {
			if err := call.Do(); err != nil {
				c.Fatalf("%s: %v", call.Name, err)
			}
		}
		c.No(commit())
		i = until
	}
	j.Ends()
}
