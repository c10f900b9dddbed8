package ledger

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/sqlstore/internal/batch"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// Due implements stock.Store. Those who ask for the same item at once get the same answer.
func (s *Store) Due(ctx context.Context, keys []stock.Key, limit int) ([]string, error) {
	if err := s.Ready(); err != nil {
		return nil, err
	}
	if s.batchers == nil || len(keys) != 1 {
		return s.dueOf(ctx, keys, limit)
	}
	due, err := s.batchers.dues.Do(ctx, keys[0], limit)
	return due[:min(limit, len(due))], err
}

// dueBatch looks once for all who ask.
func (s *Store) dueBatch(ctx context.Context, key stock.Key, limits []int) ([]batch.Reply[[]string], error) {
	due, err := s.due(ctx, key, slices.Max(limits))
	replies := make([]batch.Reply[[]string], len(limits))
	for i := range replies {
		replies[i].Answer = due
	}
	return replies, err
}

// due looks up the dead holds of one item.
func (s *Store) due(ctx context.Context, key stock.Key, limit int) ([]string, error) {
	return s.dueOf(ctx, []stock.Key{key}, limit)
}

// dueOf looks up the dead holds of some items, or of all. It leaves those out that could not be released lately.
func (s *Store) dueOf(ctx context.Context, keys []stock.Key, most int) ([]string, error) {
	limit := most + s.drifted.count()
	queries, read := []string{mysql.Render(s.SQL.dueOfAll, limit)}, s.Show // a sweep looks for itself
	if len(keys) > 0 {
		queries, read = queries[:0], s.Query
		for _, key := range keys {
			queries = append(queries, mysql.Render(s.SQL.dueOfItem, key.SKU, key.Activity, limit))
		}
	}
	var orders []string
	seen := map[string]bool{}
	for _, query := range queries {
		err := read(ctx, query, func(rows *sql.Rows) error {
			var order string
			if err := rows.Scan(&order); err != nil {
				return err
			}
			if !seen[order] && len(orders) < limit {
				seen[order] = true
				orders = append(orders, order)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	orders = s.drifted.leaveOut(orders, most)
	if !s.Bound() || len(orders) == 0 {
		return orders, nil
	}
	return s.stillDue(ctx, orders)
}

// stillDue returns the orders that are dead now. The caller's transaction has looked for them without a lock, which
// would block new holds; and its snapshot may have holds that others have released since. Orders that others have
// locked are skipped, so that it waits for nobody.
func (s *Store) stillDue(ctx context.Context, orders []string) ([]string, error) {
	var due []string
	_, err := mysql.QueryFree(ctx, s.Handle, orders, mysql.ByList(s.SQL.stillDue), func(rows *sql.Rows) error {
		order, err := mysql.One[string](rows)
		due = append(due, order)
		return err
	})
	return due, err
}

// Expire implements stock.Store. Waiting calls are merged: where many find an item short, the same dead holds are
// released for all of them.
func (s *Store) Expire(ctx context.Context, orders []string) ([]string, error) {
	if err := s.Ready(); err != nil || len(orders) == 0 {
		return nil, err
	}
	if s.batchers == nil {
		return s.expire(ctx, struct{}{}, orders)
	}
	released, err := s.batchers.expires.Do(ctx, struct{}{}, orders)
	return unstuck(ctx, s, released, err, func() ([]string, error) { return s.batchers.expires.Do(ctx, struct{}{}, orders) })
}

// expireBatch releases what several calls found, each order for the first that did. What could not be released is
// told to each.
func (s *Store) expireBatch(ctx context.Context, _ struct{}, asked [][]string) ([]batch.Reply[[]string], error) {
	finder := map[string]int{}
	var orders []string
	for i, found := range asked {
		for _, order := range found {
			if _, twice := finder[order]; !twice {
				finder[order] = i
				orders = append(orders, order)
			}
		}
	}
	e := s.expireEach(ctx, orders)
	replies := make([]batch.Reply[[]string], len(asked))
	for i, found := range asked {
		replies[i].Err = e.errorOf(found)
	}
	for _, order := range e.released {
		r := &replies[finder[order]]
		r.Answer = append(r.Answer, order)
	}
	return replies, nil
}

// expire releases what one call found.
func (s *Store) expire(ctx context.Context, _ struct{}, orders []string) ([]string, error) {
	e := s.expireEach(ctx, orders)
	return e.released, e.errorOf(orders)
}

// MoveAll implements stock.Store. It goes beside the batches of Move.
func (s *Store) MoveAll(ctx context.Context, moves []stock.Movement) ([]string, error) {
	if err := s.Ready(); err != nil || len(moves) == 0 {
		return nil, err
	}
	if s.rows != nil {
		return nil, fault.Invalid("along", "must not go with many orders")
	}
	calls := make([]MoveCall, len(moves))
	for i, m := range moves {
		calls[i] = MoveCall{Order: m.Order, fence: m.Fence}
	}
	e := s.moveParts(ctx, moves[0].Step, calls)
	return e.released, e.failed
}

// expiry is what became of holds that were to move, mostly dead ones.
type expiry struct {
	released []string
	kept     map[string]error // why others could not be released
	stuck    map[string]error // those that others have locked
	failed   error            // of the store, and so of all that were not released by then
}

// errorOf returns why some of the orders of a call were not released, though they are dead: for a reason of the store
// or, each, for its own. It waits for no row that others have locked, unless nothing was released.
func (e expiry) errorOf(orders []string) error {
	if e.failed != nil {
		return e.failed
	}
	var all []error
	for _, order := range orders {
		if err := e.stuck[order]; err != nil && len(e.released) == 0 {
			return err
		}
		if err := e.kept[order]; err != nil {
			all = append(all, err)
		}
	}
	return errors.Join(all...)
}

// expireEach releases dead holds, as many in one transaction as fit.
func (s *Store) expireEach(ctx context.Context, orders []string) expiry {
	orders = slices.Compact(slices.Sorted(slices.Values(orders)))
	calls := make([]MoveCall, len(orders))
	for i, order := range orders {
		calls[i].Order = order
	}
	return s.moveParts(ctx, stock.StepExpire, calls)
}

// moveParts moves orders by one step, as many in one transaction as fit. Each order has one call.
func (s *Store) moveParts(ctx context.Context, step stock.Step, calls []MoveCall) expiry {
	e := expiry{kept: map[string]error{}, stuck: map[string]error{}}
	for part := range slices.Chunk(calls, mysql.MaxList) {
		for i, reply := range s.moveEach(ctx, step, part) {
			order := part[i].Order
			if reply.Alone != 0 {
				reply.Answer, reply.Err = s.moveSingle(ctx, step, part[i])
			}
			switch {
			case reply.Answer.Verdict == stock.Done:
				e.released = append(e.released, order)
			case isStuck(reply.Err):
				e.stuck[order] = reply.Err
			case reply.Err != nil && !fault.Stops(reply.Err):
				e.kept[order] = reply.Err
			case reply.Err != nil && (e.failed == nil || errors.Is(reply.Err, fault.ErrUnknown)):
				e.failed = reply.Err
			}
		}
		if e.failed != nil {
			break
		}
	}
	return e
}
