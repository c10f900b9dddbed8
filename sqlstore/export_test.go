package sqlstore

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/stock"
)

// AlwaysBatch returns the store with every call that could be merged done by the code of a batch, alone
// or not, so that a test without concurrency sees that code.
func (s *Stock) AlwaysBatch() *Stock { s.ledger.bounds.always = true; return s }

// AlwaysBatch is the same for coupons.
func (c *Coupon) AlwaysBatch() *Coupon {
	c.coupons.Units().(*ledgerStore).bounds.always = true
	return c
}

// AlwaysBatch is the same for red packets.
func (r *RedPacket) AlwaysBatch() *RedPacket {
	r.packets.Units().(*ledgerStore).bounds.always = true
	return r
}

// AlwaysBatch is the same for groups.
func (g *GroupBuy) AlwaysBatch() *GroupBuy {
	g.teams.Units().(*ledgerStore).bounds.always = true
	return g
}

// Waiting returns how many calls of a store wait for a batch.
func (s *Stock) Waiting() int64 { return s.ledger.bounds.tickets.Load() }

// OneByOne returns the store with one batch of a key in flight at a time, so that a test can form a batch.
func (s *Stock) OneByOne() *Stock { oneByOne(s.ledger); return s }

// OneByOne is the same for coupons.
func (c *Coupon) OneByOne() *Coupon { oneByOne(c.coupons.Units().(*ledgerStore)); return c }

// OneByOne is the same for red packets.
func (r *RedPacket) OneByOne() *RedPacket { oneByOne(r.packets.Units().(*ledgerStore)); return r }

func oneByOne(s *ledgerStore) {
	if s.bounds != nil {
		s.bounds.abreast = func() int { return 1 }
	}
}

// LockBatch locks orders of one line and one item as one batch.
func (s *Stock) LockBatch(ctx context.Context, orders ...stock.Order) ([]stock.LockResult, error) {
	calls := make([]lockCall, len(orders))
	for i, order := range orders {
		calls[i] = lockCall{order: order, holdFor: stock.DefaultHoldFor, carried: carried{beside: order.Beside}}
	}
	replies, err := s.ledger.lockBatch(ctx, calls[0].key(), calls)
	if err != nil {
		return nil, err
	}
	results := make([]stock.LockResult, len(calls))
	for i, c := range calls {
		results[i] = c.result(replies[i].answer)
	}
	return results, nil
}

// The settings of options that say nothing are the documented ones.
func TestSettingsAreTheDefaultsWhereOptionsAreZero(t *testing.T) {
	t.Parallel()
	for _, opts := range []*Options{nil, {}} {
		s := opts.settings()
		require.NoError(t, s.broken)
		require.Equal(t, limits{size: DefaultBatchSize, batches: DefaultBatches, waiting: DefaultWaiting}, s.limits)
		require.Equal(t, MaxSoldOutFor, s.soldOutFor)
		require.False(t, s.unmerged)
	}
}
