package sqlstore

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/sqlstore/internal/batch"
	"github.com/holdfast-go/holdfast/sqlstore/internal/ledger"
	"github.com/holdfast-go/holdfast/stock"
)

// AlwaysBatch returns the store with every call that could be merged done by the code of a batch, alone
// or not, so that a test without concurrency sees that code.
func (s *Stock) AlwaysBatch() *Stock { s.ledger.Bounds.Always = true; return s }

// AlwaysBatch is the same for coupons.
func (c *Coupon) AlwaysBatch() *Coupon {
	c.coupons.Units().(*ledger.Store).Bounds.Always = true
	return c
}

// AlwaysBatch is the same for red packets.
func (r *RedPacket) AlwaysBatch() *RedPacket {
	r.packets.Units().(*ledger.Store).Bounds.Always = true
	return r
}

// AlwaysBatch is the same for groups.
func (g *GroupBuy) AlwaysBatch() *GroupBuy {
	g.teams.Units().(*ledger.Store).Bounds.Always = true
	return g
}

// Waiting returns how many calls of a store wait for a batch.
func (s *Stock) Waiting() int64 { return s.ledger.Bounds.Pending.Load() }

// OneByOne returns the store with one batch of a key in flight at a time, so that a test can form a batch.
func (s *Stock) OneByOne() *Stock { oneByOne(s.ledger); return s }

// OneByOne is the same for coupons.
func (c *Coupon) OneByOne() *Coupon { oneByOne(c.coupons.Units().(*ledger.Store)); return c }

// OneByOne is the same for red packets.
func (r *RedPacket) OneByOne() *RedPacket { oneByOne(r.packets.Units().(*ledger.Store)); return r }

func oneByOne(s *ledger.Store) {
	if s.Bounds != nil {
		s.Bounds.InFlight = func() int { return 1 }
	}
}

// Mended makes the store forget the dead holds that it could not release.
func (s *Stock) Mended() { s.ledger.Mended() }

// LockBatch locks orders of one line and one item as one batch.
func (s *Stock) LockBatch(ctx context.Context, orders ...stock.Order) ([]stock.LockResult, error) {
	calls := make([]ledger.LockCall, len(orders))
	for i, order := range orders {
		calls[i] = ledger.LockCall{Order: order, HoldFor: stock.DefaultHoldFor, Carried: ledger.Carried{Beside: order.Beside}}
	}
	replies, err := s.ledger.LockBatch(ctx, calls[0].Key(), calls)
	if err != nil {
		return nil, err
	}
	results := make([]stock.LockResult, len(calls))
	for i, c := range calls {
		results[i] = c.Result(replies[i].Answer)
	}
	return results, nil
}

// The settings of options that say nothing are the documented ones.
func TestSettingsAreTheDefaultsWhereOptionsAreZero(t *testing.T) {
	t.Parallel()
	for _, opts := range []*Options{nil, {}} {
		s := opts.settings()
		require.NoError(t, s.Broken)
		require.Equal(t, batch.Limits{Size: DefaultBatchSize, Batches: DefaultBatches, Waiting: DefaultWaiting}, s.Limits)
		require.Equal(t, MaxSoldOutFor, s.SoldOutFor)
		require.False(t, s.Unmerged)
	}
}
