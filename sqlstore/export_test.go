package sqlstore

import (
	"context"

	"github.com/holdfast-go/holdfast/stock"
)

// AlwaysBatch returns the store with every call that could be merged done by the code of a batch, alone
// or not, so that a test without concurrency sees that code.
func (s *Stock) AlwaysBatch() *Stock {
	m := s.merged
	m.moves.alone = batched(m.moves.batch, m.moves.alone)
	m.refunds.alone = batched(m.refunds.batch, m.refunds.alone)
	m.orders.alone = batched(m.orders.batch, m.orders.alone)
	m.usages.alone = batched(m.usages.batch, m.usages.alone)
	m.holds.alone = batched(m.holds.batch, m.holds.alone)
	m.dues.alone = batched(m.dues.batch, m.dues.alone)
	m.expires.alone = batched(m.expires.batch, m.expires.alone)
	return s
}

// AlwaysBatch is the same for red packets and their units.
func (r *RedPacket) AlwaysBatch() *RedPacket {
	r.units.AlwaysBatch()
	r.merged.records.alone = batched(r.merged.records.batch, r.merged.records.alone)
	r.merged.shares.alone = batched(r.merged.shares.batch, r.merged.shares.alone)
	return r
}

// OneByOne is the same for the units of red packets.
func (r *RedPacket) OneByOne() *RedPacket {
	r.units.OneByOne()
	return r
}

// Waiting returns how many calls of a store wait for a batch.
func (s *Stock) Waiting() int64 { return s.merged.locks.tickets.Load() }

// OneByOne returns the store with one batch of a key in flight at a time, so that a test can form a batch.
func (s *Stock) OneByOne() *Stock {
	if s.merged != nil {
		s.merged.locks.abreast = func() int { return 1 }
	}
	return s
}

// batched does one call as a batch of one.
func batched[K comparable, Q, A any](batch func(context.Context, K, []Q) ([]reply[A], error), alone func(context.Context, K, Q) (A, error)) func(context.Context, K, Q) (A, error) {
	return func(ctx context.Context, key K, asked Q) (A, error) {
		replies, err := batch(ctx, key, []Q{asked})
		switch {
		case err != nil:
			var none A
			return none, err
		case replies[0].alone:
			return alone(ctx, key, asked)
		}
		return replies[0].answer, replies[0].err
	}
}

// LockBatch locks orders of one line and one item as one batch.
func (s *Stock) LockBatch(ctx context.Context, orders ...stock.Order) ([]stock.LockResult, error) {
	calls := make([]lockCall, len(orders))
	for i, order := range orders {
		calls[i] = lockCall{order: order, holdFor: stock.DefaultHoldFor, carried: carried{beside: order.Beside}}
	}
	replies, err := s.lockBatch(ctx, calls[0].key(), calls)
	if err != nil {
		return nil, err
	}
	results := make([]stock.LockResult, len(calls))
	for i, c := range calls {
		results[i] = c.result(replies[i].answer)
	}
	return results, nil
}
