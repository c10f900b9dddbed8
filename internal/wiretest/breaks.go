package wiretest

import (
	"math/rand/v2"
	"sync"

	"github.com/holdfast-go/holdfast/internal/fault"
)

// Breaks returns the send and the reply of a wire that breaks one call in six before it is sent, and loses one
// answer in six. What is lost of a call that changes something is an unknown outcome. They are safe for concurrent
// use.
func Breaks(rng *rand.Rand, changes func(call string) bool) (send, reply func(call string) error) {
	var mu sync.Mutex
	breaks := func(err error) func(string) error {
		return func(call string) error {
			mu.Lock()
			defer mu.Unlock()
			switch {
			case rng.IntN(6) > 0:
				return nil
			case !changes(call):
				return fault.ErrUnavailable
			}
			return err
		}
	}
	return breaks(fault.ErrUnavailable), breaks(fault.ErrUnknown)
}
