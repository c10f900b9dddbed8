package suite

import (
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/stock"
)

// A Case is one sentence of the contract of a store, proved on a scene of its own.
type Case[S Scene] struct {
	Name         string
	Run          func(S)
	Transactions bool // needs Harness.Begin
	Beside       bool // needs Harness.Stock
	Damages      bool // leaves books that do not balance
}

// A Scene is one case on its own store: it embeds Checks and a Harness.
type Scene interface {
	Checker

	lacks(transactions, beside bool) string
	Balanced() // ends the test unless the books balance
}

// Run runs every case on a scene that open makes, in the goroutine of the case. The cases run in parallel.
func Run[S Scene](t *testing.T, cases []Case[S], open func(t testing.TB) S) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			defer endFailed(t)
			s := open(t)
			if lack := s.lacks(c.Transactions, c.Beside); lack != "" {
				t.Skip(lack)
			}
			c.Run(s)
			if !c.Damages {
				s.Balanced()
			}
		})
	}
}

// A Harness is one fresh, empty store of a domain, and what a test needs to drive it. B is what a caller's transaction is
// bound to.
type Harness[S, B any] struct {
	// Store is what is tested. It is safe for concurrent use.
	Store S

	// Stock is a store of goods beside it, on the same clock and in the same database where there is one: an order buys
	// goods and uses a coupon, or a shop goes on using the stock of its groups by a store that knows nothing of groups.
	// It is nil where there is none; the cases that need it are skipped.
	Stock stock.Store

	// Advance moves the store's clock forward, by whole microseconds; the clock stands still otherwise, at a whole
	// microsecond. It is never called while a call of the store runs.
	Advance func(d time.Duration)

	// Begin opens a caller's transaction: what is bound to it, and how to end it. Where transactions read from a snapshot,
	// Begin takes it, as a caller's own SELECT would. Two transactions that touch different things must be able to go on
	// side by side. It is nil where the store has no transactions.
	Begin func(t testing.TB) (bound B, commit, rollback func() error)

	// Conflicts reports that a transaction which has read before may be told to start over where others have changed since
	// what a call of it meets: the call is ErrUnavailable then, and the transaction is to be rolled back and run again.
	// Otherwise calls see what is there now.
	Conflicts bool
}

// lacks says what a harness lacks for a case; empty for nothing.
func (h Harness[S, B]) lacks(transactions, beside bool) string { //nolint:unused // it is what a harness has to have
	switch {
	case transactions && h.Begin == nil:
		return "the store has no transactions"
	case beside && h.Stock == nil:
		return "there is no stock beside the store"
	}
	return ""
}
