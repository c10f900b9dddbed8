package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"maps"
	"slices"

	"github.com/holdfast-go/holdfast/stock"
)

// Due implements stock.Store.
func (s *Stock) Due(ctx context.Context, keys []stock.Key, limit int) ([]string, error) {
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	queries := []string{render(s.sql.dueOfAll, limit)}
	if len(keys) > 0 {
		queries = queries[:0]
		for _, key := range keys {
			queries = append(queries, render(s.sql.dueOfItem, key.SKU, key.Activity, limit))
		}
	}
	var orders []string
	seen := map[string]bool{}
	for _, query := range queries {
		err := s.query(ctx, s.unlocked(query), func(rows *sql.Rows) error {
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
	return orders, nil
}

// buyerKey is what one buyer has of one item.
type buyerKey struct {
	stock.Key
	buyer int64
}

// compare orders them as the primary key does.
func (a buyerKey) compare(b buyerKey) int {
	return cmp.Or(a.Compare(b.Key), cmp.Compare(a.buyer, b.buyer))
}

// deadHolds is a batch of dead holds, added up.
type deadHolds struct {
	orders []string
	lines  int64
	items  map[stock.Key]int64
	buyers map[buyerKey]stock.Usage
}

// Expire implements stock.Store.
func (s *Stock) Expire(ctx context.Context, orders []string) ([]string, error) {
	if err := s.ready(ctx); err != nil || len(orders) == 0 {
		return nil, err
	}
	var dead deadHolds
	kept, err := s.atomically(ctx, func(q Tx) (bool, error) {
		var err error
		if dead, err = s.lockDead(ctx, q, slices.Sorted(slices.Values(orders))); err != nil || len(dead.orders) == 0 {
			return false, err
		}
		rows, err := affected(q.ExecContext(ctx, render(s.sql.expireHolds(len(dead.orders)), anys(dead.orders)...)))
		if err != nil || rows != dead.lines {
			return false, err
		}
		return s.freeDead(ctx, q, dead)
	})
	if err != nil || !kept {
		return nil, err
	}
	return dead.orders, nil
}

// lockDead locks those of the orders that are dead, and adds them up.
func (s *Stock) lockDead(ctx context.Context, q Tx, orders []string) (deadHolds, error) {
	dead := deadHolds{items: map[stock.Key]int64{}, buyers: map[buyerKey]stock.Usage{}}
	rows, err := q.QueryContext(ctx, render(s.sql.lockDead(len(orders)), anys(orders)...))
	if err != nil {
		return dead, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var order string
		var line, num int64
		var key buyerKey
		if err := rows.Scan(&order, &line, &key.SKU, &key.Activity, &num, &key.buyer); err != nil {
			return dead, err
		}
		if n := len(dead.orders); n == 0 || dead.orders[n-1] != order {
			dead.orders = append(dead.orders, order)
		}
		dead.lines++
		dead.items[key.Key] += num
		if key.buyer != 0 {
			u := dead.buyers[key]
			dead.buyers[key] = stock.Usage{Held: u.Held + num, Holds: u.Holds + 1}
		}
	}
	return dead, rows.Err()
}

// freeDead gives back what the batch held: to the buyers first, to the hot rows last.
func (s *Stock) freeDead(ctx context.Context, q Tx, dead deadHolds) (bool, error) {
	if len(dead.buyers) > 0 {
		var args []any
		for _, key := range slices.SortedFunc(maps.Keys(dead.buyers), buyerKey.compare) {
			u := dead.buyers[key]
			args = append(args, key.SKU, key.Activity, key.buyer, u.Held, u.Holds)
		}
		rows, err := affected(q.ExecContext(ctx, render(s.sql.expireBuyers(len(dead.buyers)), args...)))
		if err != nil || rows != int64(len(dead.buyers)) {
			return false, missing(err)
		}
	}
	var args []any
	for _, key := range slices.SortedFunc(maps.Keys(dead.items), stock.Key.Compare) {
		args = append(args, key.SKU, key.Activity, dead.items[key])
	}
	rows, err := affected(q.ExecContext(ctx, render(s.sql.expireItems(len(dead.items)), args...)))
	if err != nil || rows != int64(len(dead.items)) {
		return false, missing(err)
	}
	return true, nil
}

// anys returns strings as arguments of render.
func anys(values []string) []any {
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = v
	}
	return args
}
