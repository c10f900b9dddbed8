package ledger

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/sqlstore/internal/batch"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// refuse answers a Lock from what is remembered of its item: the Lock is refused, or the order exists. It does not
// reach the item's row. The order and, where there is a limit, what its buyer has are read after the entry, since the
// same Lock made elsewhere may be what has used up the item. It reports whether it has an answer: it has none where
// the buyer's usage is the reason, since a hold of the buyer may have died.
func (s *Store) refuse(ctx context.Context, call LockCall) (LockAnswer, bool, error) {
	key, buyer := call.Line().Key(), call.Order.Buyer
	seen := s.SoldOut.get(key)
	if seen == nil {
		return LockAnswer{}, false, nil
	}
	standing := stock.ItemUsage{Item: seen.Item}
	if buyer != "" && limitsBuyers(seen.Item) {
		var err error
		if standing.Usage, err = s.batchers.usages.Do(ctx, key, buyer); err != nil {
			return LockAnswer{}, false, err
		}
	}
	if standing.Refuses(call.Order.Step(), call.Line(), buyer, seen.now) == nil {
		return LockAnswer{}, false, nil
	}
	known, now, err := s.Orders.Get(ctx, call.Order.ID)
	switch {
	case err != nil:
		return LockAnswer{}, false, err
	case known == held:
		return LockAnswer{Verdict: stock.Exists}, true, nil
	case known == UnderWay, !seen.freshAt(now, s.SoldOut.soldOutFor):
		return LockAnswer{}, false, nil
	}
	why := standing.Refuses(call.Order.Step(), call.Line(), buyer, now)
	limited := errors.Is(why, stock.ErrPerBuyer) || errors.Is(why, stock.ErrLiveHolds)
	return LockAnswer{Verdict: stock.Refused, Why: why}, why != nil && !limited, nil
}

// limitsBuyers reports whether it matters what a buyer has of an item.
func limitsBuyers(item stock.Item) bool { return item.PerBuyer > 0 || item.LiveHolds > 0 }

// Look reads an item, when the first of its holds dies, and the clock, all of one moment. It passes over holds that
// could not be released lately: they do not make more units available.
func (s *Store) Look(ctx context.Context, key stock.Key) (Entry, error) {
	seen := Entry{Item: stock.Item{Key: key}}
	query := s.SQL.lookAtItem(key, s.drifted.of(key))
	err := s.queryItems(ctx, "", []stock.Key{key}, query, func(rows *sql.Rows) (bool, error) {
		var row itemRow
		var next sql.NullInt64
		var clock int64
		err := rows.Scan(append(row.targets(), &next, &clock)...)
		seen = Entry{Item: row.finish(), now: mysql.FromMicros(clock), Next: mysql.FromNullMicros(next)}
		return seen.Item.Version > 0, err
	})
	return seen, err
}

// usages reads what some buyers have of an item.
func (s *Store) usages(ctx context.Context, key stock.Key, buyers []string) (map[string]stock.Usage, error) {
	usages := make(map[string]stock.Usage, len(buyers))
	scan := func(rows *sql.Rows) error {
		var buyer string
		var u stock.Usage
		err := rows.Scan(&buyer, &u.Held, &u.Bought, &u.Holds)
		usages[buyer] = u
		return err
	}
	for part := range slices.Chunk(buyers, mysql.MaxList) {
		args := []any{key.SKU, key.Activity}
		for _, buyer := range part {
			args = append(args, buyer)
		}
		query := mysql.Render(s.SQL.readUsages(len(part)), args...)
		var err error
		if s.Bound() {
			keys := make([]buyerKey, len(part))
			for i, buyer := range part {
				keys[i] = buyerKey{key, buyer}
			}
			if _, err = s.Exec(ctx, s.SQL.makeBuyers(keys...)); err == nil {
				err = s.Query(ctx, query+" FOR UPDATE", scan)
			}
		} else {
			err = s.Query(ctx, query, scan)
		}
		if err != nil {
			return nil, err
		}
	}
	return usages, nil
}

// usagesBatch is usages for several calls.
func (s *Store) usagesBatch(ctx context.Context, key stock.Key, buyers []string) ([]batch.Reply[stock.Usage], error) {
	usages, err := s.usages(ctx, key, buyers)
	replies := make([]batch.Reply[stock.Usage], len(buyers))
	for i, buyer := range buyers {
		replies[i].Answer = usages[buyer]
	}
	return replies, err
}

// usage is usages for one.
func (s *Store) usage(ctx context.Context, key stock.Key, buyer string) (stock.Usage, error) {
	usages, err := s.usages(ctx, key, []string{buyer})
	return usages[buyer], err
}

// Presence says whether an order has a hold or was closed.
type Presence uint8

// What an order can be.
const (
	absent   Presence = iota // and nothing of it is under way in the server
	UnderWay                 // another transaction has made it, and not yet committed
	held
)

// known reads which of some orders have a hold or were closed, and the clock. An order that is not committed yet may be the very
// call that asks, made before: a refusal of it is not final then.
func (s *Store) known(ctx context.Context, orders []string) (known map[string]Presence, now time.Time, err error) {
	known = map[string]Presence{}
	for part := range slices.Chunk(orders, mysql.MaxList) {
		if s.Bound() {
			err = s.knownNow(ctx, part, known)
		} else {
			now, err = s.knownSoon(ctx, part, known)
		}
		if err != nil {
			return nil, time.Time{}, err
		}
	}
	return known, now, nil
}

// knownNow locks, in the caller's transaction, the orders that are known.
func (s *Store) knownNow(ctx context.Context, orders []string, known map[string]Presence) error {
	return s.Among(ctx, func(q mysql.Tx) (bool, error) {
		n := 0
		err := mysql.Read(ctx, q, mysql.RenderList(s.SQL.knownNow, orders), func(rows *sql.Rows) error {
			var order string
			err := rows.Scan(&order)
			known[order] = held
			n++
			return err
		})
		return n < len(orders), err
	}, s.SQL.BlankHolds(orders...))
}

// knownSoon reads what other transactions have written and, where they have, what of it is committed.
func (s *Store) knownSoon(ctx context.Context, orders []string, known map[string]Presence) (time.Time, error) {
	var clock int64
	var written []string
	see := func(as Presence) func(*sql.Rows) error {
		return func(rows *sql.Rows) error {
			var order sql.NullString
			if err := rows.Scan(&clock, &order); err != nil || !order.Valid {
				return err
			}
			known[order.String] = as
			written = append(written, order.String)
			return nil
		}
	}
	err := s.Peek(ctx, mysql.RenderList(s.SQL.known, orders), see(UnderWay))
	if err == nil && len(written) > 0 {
		err = s.Query(ctx, mysql.RenderList(s.SQL.known, written), see(held))
	}
	return mysql.FromMicros(clock), err
}

// knownOne is known for one.
func (s *Store) knownOne(ctx context.Context, order string) (Presence, time.Time, error) {
	known, now, err := s.known(ctx, []string{order})
	return known[order], now, err
}
