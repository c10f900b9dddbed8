package batch

import (
	"math/bits"
	"sync/atomic"
)

// Cause is why a call goes alone.
type Cause uint8

// The causes. A call without one goes with its batch.
const (
	Idle      Cause = iota + 1 // nothing that it could share a batch with was under way
	Known                      // its number came before, or is under way elsewhere
	Rows                       // its rows of the shop failed, or had no answer in time
	Refused                    // its batch left it out, and it finds out why
	Unsettled                  // its batch failed, and nothing told which call had to leave it
	causes
)

// sizes is how many classes of sizes of batches there are.
const sizes = 11

// counts count what batchers do. They are safe for concurrent use.
type counts struct {
	batches, calls, tries atomic.Int64
	sizes                 [sizes]atomic.Int64
	alone                 [causes]atomic.Int64
}

// batch counts a batch of so many calls.
func (c *counts) batch(calls int) {
	c.batches.Add(1)
	c.calls.Add(int64(calls))
	c.sizes[min(bits.Len(uint(calls-1)), sizes-1)].Add(1)
}

// Stats are what the batchers of a store have done; see sqlstore.Stats.
type Stats struct {
	Waiting  int64
	InFlight int

	Batches int64
	Calls   int64
	Sizes   [sizes]int64
	Tries   int64

	AloneIdle      int64
	AloneKnown     int64
	AloneRows      int64
	AloneRefused   int64
	AloneUnsettled int64
}

// Tried counts a transaction of a batch of so many calls. That of one call is not counted, since it may be alone. Without
// bounds there are no batches.
func (b *Bounds) Tried(calls int) {
	if b != nil && calls > 1 {
		b.counts.tries.Add(1)
	}
}

// Stats returns what the batchers have done since the bounds were made. What happens meanwhile may be in it in part.
func (b *Bounds) Stats() Stats {
	if b == nil {
		return Stats{}
	}
	c := &b.counts
	s := Stats{
		Waiting: b.Pending.Load(), InFlight: len(b.slots) + len(b.beside),
		Batches: c.batches.Load(), Calls: c.calls.Load(), Tries: c.tries.Load(),
		AloneIdle: c.alone[Idle].Load(), AloneKnown: c.alone[Known].Load(), AloneRows: c.alone[Rows].Load(),
		AloneRefused: c.alone[Refused].Load(), AloneUnsettled: c.alone[Unsettled].Load(),
	}
	for i := range s.Sizes {
		s.Sizes[i] = c.sizes[i].Load()
	}
	return s
}
