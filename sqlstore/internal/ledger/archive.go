package ledger

import (
	"context"
	"database/sql"
	"maps"
	"slices"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// finished reads holds that may be archived: page by page, without those that a companion needs or that changed in another line.
func (s *Store) finished(ctx context.Context, filter stock.Filter, after stock.Cursor, limit int) (all []stock.Hold, err error) {
	for len(all) < limit {
		asked := limit - len(all)
		page, err := s.holdsOf(ctx, filter, after, asked)
		if err != nil || len(page) == 0 {
			return all, err
		}
		last := page[len(page)-1]
		after = stock.Cursor{At: last.Deadline, Order: last.Order}
		full := len(page) == asked
		needed, err := s.Companions.Needs(ctx, s.Query, page)
		if err != nil {
			return nil, err
		}
		all = append(all, slices.DeleteFunc(page, func(h stock.Hold) bool {
			return !filter.Finished(h) || slices.Contains(needed, h.Order)
		})...)
		if !full {
			break
		}
	}
	return all, nil
}

// Archive implements stock.Store. It locks the holds, then what their buyers have, then the changes of their items, each sorted by key
// and by whole keys, and no item: no Lock waits for it, but one of the same buyer and item. Who is in its way is left out.
func (s *Store) Archive(ctx context.Context, holds []stock.Hold, by stock.Change) (archived []string, err error) {
	if err := s.Ready(); err != nil || len(holds) == 0 {
		return nil, err
	}
	switch {
	case s.Bound():
		return nil, fault.Invalid("tx", "must not be the caller's: each part is a transaction of its own")
	case s.rows != nil:
		return nil, fault.Invalid("along", "must not go with many orders")
	}
	kept, err := s.Atomically(ctx, func(q mysql.Tx) (bool, error) {
		q = s.watched(q)
		same, err := s.lockFinished(ctx, q, holds)
		if err != nil || len(same) == 0 {
			return false, err
		}
		archived = ordersOf(same, nil)
		if err := s.deleteRefunds(ctx, q, same); err != nil {
			return false, err
		}
		if err := s.deleteBackorders(ctx, q, archived); err != nil {
			return false, err
		}
		if err := s.deleteLines(ctx, q, same); err != nil {
			return false, err
		}
		rows, err := mysql.Affected(q.ExecContext(ctx, mysql.RenderList(s.SQL.archiveHolds, archived)))
		if err != nil || rows != int64(len(archived)) {
			return false, mysql.Missing(err)
		}
		return true, s.addArchived(ctx, q, same, by)
	})
	if err != nil || !kept {
		return nil, err
	}
	return archived, nil
}

// lockFinished locks orders that others have not locked, and returns those that are as they were read. The first line of an order
// stands for it: who has that one has the others, which are read with a lock as well, for what is true now.
func (s *Store) lockFinished(ctx context.Context, q mysql.Tx, holds []stock.Hold) (same []stock.Hold, err error) {
	were, orders := make(map[string]stock.Hold, len(holds)), make([]string, len(holds))
	for i, h := range holds {
		were[h.Order], orders[i] = h, h.Order
	}
	var first, all HoldReader
	for part := range slices.Chunk(orders, mysql.MaxList) {
		if _, err := mysql.ReadFree(ctx, s.Handle, q, part, mysql.ByList(s.SQL.lockFinished), first.Scan); err != nil {
			return nil, err
		}
	}
	keys := lineKeys{}
	for _, h := range first.Holds {
		was := were[h.Order]
		switch {
		case h.State != was.State || h.Fence != was.Fence:
		case len(was.Lines) > 1:
			keys.addSpan(h.Order, 1, len(was.Lines))
		case h.SameAs(was):
			same = append(same, was)
		}
	}
	if len(keys) == 0 {
		return same, nil
	}
	if err := mysql.Read(ctx, q, s.SQL.lockWholeHolds(keys), all.Scan); err != nil {
		return nil, err
	}
	for _, h := range all.Holds {
		if h.SameAs(were[h.Order]) {
			same = append(same, h)
		}
	}
	return same, nil
}

// deleteRefunds deletes the refunds of orders that are locked, and get no more. They are found without a lock, since one on a part of
// a key would keep refunds of other orders waiting.
func (s *Store) deleteRefunds(ctx context.Context, q mysql.Tx, holds []stock.Hold) error {
	refunded := ordersOf(holds, func(h stock.Hold) bool {
		return slices.ContainsFunc(h.Lines, func(l stock.HoldLine) bool { return l.Refunded > 0 })
	})
	if len(refunded) == 0 {
		return nil
	}
	keys := lineKeys{}
	err := mysql.Read(ctx, q, mysql.RenderList(s.SQL.refundsOf, refunded), func(rows *sql.Rows) error {
		var id string
		var lines int
		err := rows.Scan(&id, &lines)
		keys.addSpan(id, 1, lines)
		return err
	})
	if err != nil || len(keys) == 0 {
		return err
	}
	_, err = q.ExecContext(ctx, s.SQL.deleteRefunds(keys))
	return err
}

// deleteBackorders deletes the places that orders which are locked have had in the queues of their items. They are found without a lock
// as well: few orders have any.
func (s *Store) deleteBackorders(ctx context.Context, q mysql.Tx, orders []string) error {
	var keys []any
	err := mysql.Read(ctx, q, mysql.RenderList(s.SQL.backordersOf, orders), func(rows *sql.Rows) error {
		var order string
		var key stock.Key
		err := rows.Scan(&order, &key.SKU, &key.Activity)
		keys = append(keys, order, key.SKU, key.Activity)
		return err
	})
	if err != nil || len(keys) == 0 {
		return err
	}
	_, err = q.ExecContext(ctx, s.SQL.deleteBackorders(keys))
	return err
}

// deleteLines deletes the lines of orders behind the first. One that was amended may have more rows than lines.
func (s *Store) deleteLines(ctx context.Context, q mysql.Tx, holds []stock.Hold) error {
	rows := map[string]int{}
	for _, h := range holds {
		rows[h.Order] = len(h.Lines)
	}
	if amended := ordersOf(holds, func(h stock.Hold) bool { return h.First != "" }); len(amended) > 0 {
		err := mysql.Read(ctx, q, mysql.RenderList(s.SQL.lastLines, amended), func(r *sql.Rows) error {
			var order string
			var last int
			err := r.Scan(&order, &last)
			rows[order] = last
			return err
		})
		if err != nil {
			return err
		}
	}
	keys := lineKeys{}
	for _, order := range slices.Sorted(maps.Keys(rows)) {
		if n := rows[order]; n > 1 {
			keys.addSpan(order, 2, n)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	_, err := q.ExecContext(ctx, s.SQL.deleteLines(keys))
	return err
}

// addArchived adds what the holds weigh to what is archived of their buyers, and then of their items.
func (s *Store) addArchived(ctx context.Context, q mysql.Tx, holds []stock.Hold, by stock.Change) error {
	sums := map[buyerKey]stock.Entry{} // of an item with no buyer
	for _, h := range holds {
		for _, e := range h.Weights() {
			sum := sums[buyerKey{e.Key, e.Buyer}]
			delta, err := sum.Delta.Plus(e.Delta)
			if err != nil {
				return err
			}
			e.Delta, e.Asked = delta, e.Asked+sum.Asked
			sums[buyerKey{e.Key, e.Buyer}] = e
		}
	}
	var buyers, items []stock.Entry
	for _, key := range slices.SortedFunc(maps.Keys(sums), buyerKey.compare) {
		if key.buyer != "" {
			buyers = append(buyers, sums[key])
		} else {
			items = append(items, sums[key])
		}
	}
	for part := range slices.Chunk(buyers, mysql.MaxList) {
		if _, err := q.ExecContext(ctx, s.SQL.archiveBuyers(part)); err != nil {
			return err
		}
	}
	for part := range slices.Chunk(items, mysql.MaxList) {
		changes := make([]stock.Change, len(part))
		for i, e := range part {
			changes[i] = by
			changes[i].ID, changes[i].Entries = e.Serial(1), []stock.Entry{e}
		}
		if _, err := q.ExecContext(ctx, s.SQL.insertChanges(changes)+s.SQL.addsUp); err != nil {
			return err
		}
	}
	return nil
}

// ordersOf returns the orders of the holds, or of some of them.
func ordersOf(holds []stock.Hold, of func(stock.Hold) bool) (orders []string) {
	for _, h := range holds {
		if of == nil || of(h) {
			orders = append(orders, h.Order)
		}
	}
	return orders
}
