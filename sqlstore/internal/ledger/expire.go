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
	if err := s.Ready(ctx); err != nil {
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

func (s *Store) dueOf(ctx context.Context, keys []stock.Key, limit int) ([]string, error) {
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
	if !s.Bound() || len(orders) == 0 {
		return orders, nil
	}
	return s.stillDue(ctx, orders)
}

// stillDue returns the orders that are dead now. The caller's transaction has looked for them without a lock, which
// would block new holds; and its snapshot may have holds that others have released since. Orders that others have
// locked are skipped, so that it waits for nobody.
func (s *Store) stillDue(ctx context.Context, orders []string) ([]string, error) {
	return ListOf(ctx, s, s.Query, mysql.RenderList(s.SQL.stillDue, orders), mysql.One[string])
}

// Expire implements stock.Store. Waiting calls are merged: where many find an item short, the same dead holds are
// released for all of them.
func (s *Store) Expire(ctx context.Context, orders []string) ([]string, error) {
	if err := s.Ready(ctx); err != nil || len(orders) == 0 {
		return nil, err
	}
	if s.batchers == nil {
		return s.expire(ctx, struct{}{}, orders)
	}
	return s.batchers.expires.Do(ctx, struct{}{}, orders)
}

// expireBatch releases what several calls found, each order for the first that did. More than fit
// into a batch, and what the books refuse, they release one by one.
func (s *Store) expireBatch(ctx context.Context, _ struct{}, asked [][]string) ([]batch.Reply[[]string], error) {
	replies := make([]batch.Reply[[]string], len(asked))
	finder := map[string]int{}
	var orders []string
	for i, found := range asked {
		var others []string
		for _, order := range found {
			if _, twice := finder[order]; !twice {
				others = append(others, order)
			}
		}
		if len(orders)+len(others) > mysql.MaxList && len(orders) > 0 {
			replies[i].Alone = true
			continue
		}
		for _, order := range others {
			finder[order] = i
		}
		orders = append(orders, others...)
	}
	expired, err := s.expire(ctx, struct{}{}, orders)
	if (errors.Is(err, fault.ErrDrift) || mysql.RefusedBy(err)) && len(expired) == 0 {
		return AllAlone(replies), nil
	}
	for i := range replies {
		replies[i].Err = err
	}
	for _, order := range expired {
		r := &replies[finder[order]]
		r.Answer = append(r.Answer, order)
	}
	return replies, nil
}

// expire releases what one call found; orders of several lines one by one.
func (s *Store) expire(ctx context.Context, _ struct{}, orders []string) ([]string, error) {
	calls := make([]MoveCall, 0, len(orders))
	for _, order := range slices.Compact(slices.Sorted(slices.Values(orders))) {
		calls = append(calls, MoveCall{Order: order})
	}
	moved, err := s.moveMany(ctx, stock.StepExpire, calls)
	if err != nil {
		return nil, err
	}
	for _, order := range moved.longer {
		result, err := s.move(ctx, stock.StepExpire, MoveCall{Order: order})
		if err != nil {
			return moved.orders, err
		}
		if result.Verdict == stock.Done {
			moved.orders = append(moved.orders, order)
		}
	}
	return moved.orders, nil
}
