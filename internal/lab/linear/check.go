// Package linear finds out whether the answers of concurrent calls are true: whether the same calls, made one after the
// other on stock.Memory, get the same answers in some order that respects which call had ended before another began.
//
//	HOLDFAST_TEST_DSN='root@tcp(127.0.0.1:3306)/' go -C internal/lab test ./linear -histories 2000
package linear

import (
	"fmt"
	"slices"
)

// Call is one call of a history, as it was made.
type Call[S any] struct {
	Name         string
	Client       int
	Began, Ended int64  // by a clock that all calls of the history share
	Answer       string // what its caller was told

	Do func(on S) string // makes the same call on a model, and returns the answer
}

// Order returns an order in which the calls get their answers when they are made one after the other on a fresh model, or nil
// where there is none. Digest tells two states of a model apart. There may be 64 calls.
//
// It is the search of Wing and Gong, with Lowe's memory of what was tried: a call may come next where no other that is left had
// ended before it began.
func Order[S any](calls []Call[S], fresh func() S, digest func(S) string) []int {
	return without(-1, calls, fresh, digest)
}

// Excuses returns, by number, the calls each of which alone stands in the way of an order, with what it should have been told.
func Excuses[S any](calls []Call[S], fresh func() S, digest func(S) string) map[int]string {
	excuses := map[int]string{}
	for i := range calls {
		order := without(i, calls, fresh, digest)
		if order == nil {
			continue
		}
		model := fresh()
		for _, n := range order {
			if told := calls[n].Do(model); n == i {
				excuses[i] = told
			}
		}
	}
	return excuses
}

// without is Order where the answer of one call does not matter.
func without[S any](excuse int, calls []Call[S], fresh func() S, digest func(S) string) []int {
	s := search[S]{calls: calls, excuse: excuse, fresh: fresh, digest: digest, seen: map[string]bool{}}
	return s.extend(nil, 0)
}

// search is the state of Order.
type search[S any] struct {
	calls  []Call[S]
	excuse int // the call whose answer does not matter; -1 is none
	fresh  func() S
	digest func(S) string
	seen   map[string]bool // calls that were made, and the state that they led to
}

// extend returns an order of all calls that begins with some, or nil.
func (s *search[S]) extend(order []int, made uint64) []int {
	if len(order) == len(s.calls) {
		return order
	}
	for _, i := range s.next(made) {
		model := s.replay(order)
		if s.calls[i].Do(model) != s.calls[i].Answer && i != s.excuse {
			continue
		}
		now := made | 1<<i
		state := fmt.Sprint(now, s.digest(model))
		if s.seen[state] {
			continue
		}
		s.seen[state] = true
		if all := s.extend(append(slices.Clip(order), i), now); all != nil {
			return all
		}
	}
	return nil
}

// next returns the calls that may come next.
func (s *search[S]) next(made uint64) (next []int) {
	var first int64 // at which one of those that are left has ended
	for i, c := range s.calls {
		if made&(1<<i) == 0 && (first == 0 || c.Ended < first) {
			first = c.Ended
		}
	}
	for i, c := range s.calls {
		if made&(1<<i) == 0 && c.Began <= first {
			next = append(next, i)
		}
	}
	return next
}

// replay returns a model that has seen some calls.
func (s *search[S]) replay(order []int) S {
	model := s.fresh()
	for _, i := range order {
		s.calls[i].Do(model)
	}
	return model
}
