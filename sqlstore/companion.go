package sqlstore

import (
	"context"
	"time"

	"github.com/holdfast-go/holdfast/stock"
)

// companions is what somebody keeps beside the holds of a store; see stock.Companion. It is told of each transaction that
// changes holds, at five moments, and works in that transaction. At each it may refuse single calls with *refusals: then
// the transaction comes to nothing, and the other calls are made again without those. It locks behind the items.
//
// A call says what it carries in beside, and is told what was kept in kept. The slices of calls are in the order of
// arrival, and are those of one try.
type companions interface {
	keeps(c stock.Companion) bool  // whether it knows what to do with a companion
	moves(t stock.Transition) bool // whether it has to be told of a step that carries nothing

	before(ctx context.Context, q Tx, beside [][]stock.Companion) error          // before our first statement; nil carries nothing
	locked(ctx context.Context, q Tx, at time.Time, calls []lockCall) error      // units are locked or taken, and so are their items
	moved(ctx context.Context, q Tx, t stock.Transition, calls []moveCall) error // units were moved, and their items are locked
	refunding(ctx context.Context, q Tx, calls []refundCall) error               // units are about to be refunded; their holds are locked
	refunded(ctx context.Context, q Tx, calls []refundCall) error                // they are refunded, and their items locked
}

// noCompanions keeps nothing.
type noCompanions struct{}

func (noCompanions) keeps(stock.Companion) bool                                    { return false }
func (noCompanions) moves(stock.Transition) bool                                   { return false }
func (noCompanions) before(context.Context, Tx, [][]stock.Companion) error         { return nil }
func (noCompanions) locked(context.Context, Tx, time.Time, []lockCall) error       { return nil }
func (noCompanions) moved(context.Context, Tx, stock.Transition, []moveCall) error { return nil }
func (noCompanions) refunding(context.Context, Tx, []refundCall) error             { return nil }
func (noCompanions) refunded(context.Context, Tx, []refundCall) error              { return nil }

// change runs fn as one transaction, behind what goes before it; see handle.atomically.
func (s *ledgerStore) change(ctx context.Context, beside []stock.Companion, fn verdictFunc) (bool, error) {
	return s.atomically(ctx, func(q Tx) (bool, error) {
		if len(beside) > 0 {
			if err := s.companions.before(ctx, q, [][]stock.Companion{beside}); err != nil {
				return false, err
			}
		}
		return fn(q)
	})
}

// changeBy is change for one statement, which says by its rows whether it did anything.
func (s *ledgerStore) changeBy(ctx context.Context, beside []stock.Companion, statement string) (stock.Verdict, error) {
	if len(beside) == 0 {
		rows, err := s.exec(ctx, statement)
		return verdict(rows > 0), err
	}
	kept, err := s.change(ctx, beside, func(q Tx) (bool, error) {
		rows, err := affected(q.ExecContext(ctx, statement))
		return rows > 0, err
	})
	return verdict(kept), err
}

// carried is what a call carries, and what was kept of it.
type carried struct{ beside, kept []stock.Companion }

func (c carried) carries() []stock.Companion { return c.beside }

// beforeAll tells of several calls of one transaction, before its first statement.
func beforeAll[C interface{ carries() []stock.Companion }](ctx context.Context, s *ledgerStore, q Tx, calls []C) error {
	var all [][]stock.Companion
	for i, c := range calls {
		if len(c.carries()) > 0 && all == nil {
			all = make([][]stock.Companion, len(calls))
		}
		if all != nil {
			all[i] = c.carries()
		}
	}
	if all == nil {
		return nil
	}
	return s.companions.before(ctx, q, all)
}
