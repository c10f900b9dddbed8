package suite

import (
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/holdfast-go/holdfast/internal/fault"
)

// Fails returns a Send or a Reply that fails for some calls.
func Fails(err error, where func(call string) bool) func(call string) error {
	return func(call string) error {
		if where(call) {
			return err
		}
		return nil
	}
}

// Every is all calls.
func Every(string) bool { return true }

// Named is the calls with some names.
func Named(names ...string) func(call string) bool {
	return func(call string) bool { return slices.Contains(names, call) }
}

// Nth is the n-th of some calls.
func Nth(n int, of func(call string) bool) func(call string) bool {
	seen := 0
	return func(call string) bool {
		if of(call) {
			seen++
		}
		return of(call) && seen == n
	}
}

// From is all calls from the n-th on.
func From(n int) func(call string) bool {
	seen := 0
	return func(string) bool { seen++; return seen >= n }
}

// Before has something happen just before the n-th call of a method.
func Before(method string, n int, happens func()) Wire {
	here := Nth(n, Named(method))
	return Wire{Send: func(call string) error {
		if here(call) {
			happens()
		}
		return nil
	}}
}

// LosesAnswer loses the answer of the n-th change.
func LosesAnswer(n int) Wire { return Wire{Reply: Fails(fault.ErrUnknown, Nth(n, Changes))} }

// Blind reads nothing any more from the first change on.
func Blind() Wire {
	changed := false
	return Wire{Send: Fails(fault.ErrUnavailable, func(call string) bool {
		changed = changed || Changes(call)
		return changed && !Changes(call)
	})}
}

// Breaks breaks one call in six before it is sent, and loses one answer in six: that of a change is an unknown outcome.
// It is safe for concurrent use.
func Breaks(rng *rand.Rand) Wire {
	var mu sync.Mutex
	breaks := func(err error) func(string) error {
		return func(call string) error {
			mu.Lock()
			defer mu.Unlock()
			switch {
			case rng.IntN(6) > 0:
				return nil
			case !Changes(call):
				return fault.ErrUnavailable
			}
			return err
		}
	}
	return Wire{Send: breaks(fault.ErrUnavailable), Reply: breaks(fault.ErrUnknown)}
}
