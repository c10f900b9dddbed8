package sqlstore

import (
	"github.com/holdfast-go/holdfast/sqlstore/internal/ledger"
	"github.com/holdfast-go/holdfast/stock"
)

// Stats are what the merging of a store has done in this process since the store was made, for a page of metrics. Waiting and
// InFlight are of this moment; all others are counts that only grow. An unmerged store, and a store in a caller's transaction,
// count nothing.
//
//	expvar.Publish("stock", expvar.Func(func() any { return store.Stats() }))
//
// Calls ÷ Batches is the mean size of a batch. Tries ÷ (Batches - Sizes[0]) is how often a batch was sent: 1 where everything
// fits, 2 where an item was sold out meanwhile, more where single calls had to be found that kept the others from going.
type Stats struct {
	Waiting  int64 // calls that wait for a batch
	InFlight int   // connections that batches and calls alone have

	Batches int64     // batches that were made
	Calls   int64     // calls in them
	Sizes   [11]int64 // batches by size: Sizes[i] is those of at most 1<<i calls, and of more than 1<<(i-1)
	Tries   int64     // transactions that the batches of two calls and more took

	AloneIdle      int64 // calls that went alone since nothing was under way that they could go with
	AloneKnown     int64 // calls that left their batch: their number came twice, or is under way elsewhere
	AloneRows      int64 // whose rows of the shop failed, or waited in the server for too long
	AloneRefused   int64 // that were refused, and had to find out why
	AloneUnsettled int64 // where the batch failed and nothing told because of whom: the books of an item have drifted, for example
}

// Stats returns what the store's merging has done.
func (s *Stock) Stats() Stats { return statsOf(s.ledger) }

// Stats returns what the store's merging has done, with that of its units.
func (c *Coupon) Stats() Stats { return statsOf(c.Units()) }

// Stats returns what the store's merging has done, with that of its units.
func (r *RedPacket) Stats() Stats { return statsOf(r.Units()) }

// Stats returns what the store's merging has done, with that of its units.
func (g *GroupBuy) Stats() Stats { return statsOf(g.Units()) }

// statsOf returns what the batches of a store of units have done, which are those of its domain too.
func statsOf(units stock.Store) Stats {
	store, _ := units.(*ledger.Store)
	if store == nil {
		return Stats{}
	}
	return Stats(store.Bounds.Stats())
}
