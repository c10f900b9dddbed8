package suite

import (
	"fmt"
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

// A Breakage is where a wire breaks once. Two stores that answer alike make the same changes one after the other; what is
// read in between to answer is their own. The zero Breakage is nowhere.
type Breakage struct {
	how     string // "before" or "after" a change, or at a "read" after it
	at      int    // the number of the change, from 1; a read may also come before all
	changes int    // that were sent so far
}

// Breakage draws where a wire breaks.
func (m *Model[S]) Breakage() Breakage {
	b := Breakage{how: Pick(m, "before", "after", "after", "read"), at: Pick(m, 1, 1, 1, 2, 3)}
	if b.how == "read" {
		b.at -= m.IntN(2)
	}
	return b
}

// String says where the wire breaks.
func (b Breakage) String() string { return fmt.Sprintf("%s change %d", b.how, b.at) }

// Wire returns a wire that breaks where b says when a call is made.
func (b *Breakage) Wire() Wire { return Wire{Send: b.send, Reply: b.reply} }

// send breaks a call before it is made.
func (b *Breakage) send(call string) error {
	changing := Changes(call)
	if changing {
		b.changes++
	}
	if b.changes == b.at && (changing && b.how == "before" || !changing && b.how == "read") {
		*b = Breakage{}
		return fault.ErrUnavailable
	}
	return nil
}

// reply loses the answer of a call.
func (b *Breakage) reply(call string) error {
	switch {
	case !Changes(call) || b.changes != b.at:
		return nil
	case b.how == "after":
		*b = Breakage{}
		return fault.ErrUnknown
	case call == Units+"Expire", call == "Follow": // they move several holds, of which is then read in any order
		*b = Breakage{}
	}
	return nil
}
