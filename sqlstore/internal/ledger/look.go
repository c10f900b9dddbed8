package ledger

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// refuse answers a Lock from what is remembered of its items: the Lock is refused, or the order exists. It does not
// reach a row of an item. It reports whether it has an answer: it has none where one of the items is not remembered, since that
// may be the reason, or have dead holds.
func (s *Store) refuse(ctx context.Context, call LockCall) (LockAnswer, bool, error) {
	buyer := call.Order.Buyer
	seen := make([]*Entry, len(call.Order.Lines))
	for n, line := range call.Order.Lines {
		if seen[n] = s.SoldOut.get(line.Key()); seen[n] == nil {
			return LockAnswer{}, false, nil
		}
	}
	for n, line := range call.Order.Lines {
		usage := stock.ItemUsage{Item: seen[n].Item}
		if buyer != "" && countsBuyers(seen[n].Item, line.Num) {
			var err error
			if usage.Usage, _, err = s.batchers.usages.Get(ctx, buyerKey{line.Key(), buyer}); err != nil {
				return LockAnswer{}, false, err
			}
		}
		if call.Order.Refuses(usage, line, seen[n].now) != nil {
			return s.refuseFor(ctx, call, line, usage, seen)
		}
	}
	return LockAnswer{}, false, nil
}

// refuseFor is refuse once an item refuses the Lock. The order and, where there is a limit, what its buyer has were read after
// the entries, since the same Lock made elsewhere may be what has used up the item. It has no answer where the buyer's usage is
// the reason, since a hold of the buyer may have died; nor where an entry was forgotten meanwhile, so that the usage may be of
// another moment.
func (s *Store) refuseFor(
	ctx context.Context, call LockCall, line stock.Line, usage stock.ItemUsage, seen []*Entry,
) (LockAnswer, bool, error) {
	buyer := call.Order.Buyer
	known, now, err := s.Orders.Get(ctx, call.Order.ID)
	switch {
	case err != nil:
		return LockAnswer{}, false, err
	case known == held:
		return LockAnswer{Verdict: stock.Exists}, true, nil
	case known == UnderWay:
		return LockAnswer{}, false, nil
	}
	for n, l := range call.Order.Lines {
		if !seen[n].freshAt(now, s.SoldOut.soldOutFor) ||
			buyer != "" && countsBuyers(seen[n].Item, l.Num) && s.SoldOut.forgot(l.Key(), seen[n]) {
			return LockAnswer{}, false, nil
		}
	}
	why := call.Order.Refuses(usage, line, now)
	limited := errors.Is(why, stock.ErrPerBuyer) || errors.Is(why, stock.ErrLiveHolds)
	return LockAnswer{Verdict: stock.Refused, Why: why}, why != nil && !limited, nil
}

// limitsBuyers reports whether it matters what a buyer has of an item.
func limitsBuyers(item stock.Item) bool { return item.PerBuyer > 0 || item.LiveHolds > 0 }

// countsBuyers reports whether what a buyer has of an item may refuse so many units: the item limits it, or it is so much that it
// cannot be counted with them.
func countsBuyers(item stock.Item, num int64) bool {
	const much = math.MaxInt64 / 4
	return limitsBuyers(item) || max(num, item.Locked, item.Sold, item.Refunded) > much
}

// look reads items, when the first of their holds die, and the clock; and what those buyers have whom the items name once they
// are read: all of one moment. An item that does not exist has Version 0. It passes over holds that could not be released
// lately: they do not make more units available.
func (s *Store) look(
	ctx context.Context, keys []stock.Key, buyers func(map[stock.Key]Entry) []buyerKey,
) (entries map[stock.Key]Entry, usages map[buyerKey]stock.Usage, err error) {
	read := func(items func(part []stock.Key, query string, scan func(*sql.Rows) (bool, error)) error) error {
		entries = map[stock.Key]Entry{}
		for part := range slices.Chunk(keys, mysql.MaxList) {
			found, scan := scanLooks(part)
			if err := items(part, s.SQL.lookAtItems(part, true, s.drifted.of(part...)...), scan); err != nil {
				return err
			}
			maps.Copy(entries, found)
		}
		return nil
	}
	if s.Bound() { // and locks them
		err = read(func(part []stock.Key, query string, scan func(*sql.Rows) (bool, error)) error {
			return s.queryItems(ctx, "", part, query, scan)
		})
		if err == nil {
			usages, err = s.usages(ctx, buyers(entries))
		}
		return entries, usages, err
	}
	err = s.Snapshot(ctx, func(q mysql.Tx) error {
		err := read(func(_ []stock.Key, query string, scan func(*sql.Rows) (bool, error)) error {
			return mysql.Read(ctx, q, query, func(rows *sql.Rows) error { _, err := scan(rows); return err })
		})
		if err != nil {
			return err
		}
		usages = map[buyerKey]stock.Usage{}
		for part := range slices.Chunk(buyers(entries), mysql.MaxList) {
			if err := mysql.Read(ctx, q, s.SQL.readUsages(part), scanUsages(usages)); err != nil {
				return err
			}
		}
		return nil
	})
	return entries, usages, err
}

// scanLooks returns entries and the scan that fills them in. It tells whether the item of a row exists.
func scanLooks(keys []stock.Key) (map[stock.Key]Entry, func(*sql.Rows) (bool, error)) {
	entries := make(map[stock.Key]Entry, len(keys))
	for _, key := range keys {
		entries[key] = Entry{Item: stock.Item{Key: key}}
	}
	return entries, func(rows *sql.Rows) (bool, error) {
		var row itemRow
		var next sql.NullInt64
		var clock int64
		err := rows.Scan(append(row.targets(), &next, &clock)...)
		item := row.finish()
		entries[item.Key] = Entry{Item: item, now: mysql.FromMicros(clock), Next: mysql.FromNullMicros(next)}
		return item.Version > 0, err
	}
}

// usages reads what buyers have of items. Who has nothing is left out.
func (s *Store) usages(ctx context.Context, keys []buyerKey) (map[buyerKey]stock.Usage, error) {
	usages := make(map[buyerKey]stock.Usage, len(keys))
	for part := range slices.Chunk(keys, mysql.MaxList) {
		query := s.SQL.readUsages(part)
		if s.Bound() {
			if _, err := s.Exec(ctx, s.SQL.makeBuyers(part...)); err != nil {
				return nil, err
			}
			query += " FOR UPDATE"
		}
		if err := s.Query(ctx, query, scanUsages(usages)); err != nil {
			return nil, err
		}
	}
	return usages, nil
}

// scanUsages returns the scan that fills usages in.
func scanUsages(usages map[buyerKey]stock.Usage) func(*sql.Rows) error {
	return func(rows *sql.Rows) error {
		var key buyerKey
		var u stock.Usage
		err := rows.Scan(&key.SKU, &key.Activity, &key.buyer, &u.Held, &u.Bought, &u.Holds)
		usages[key] = u
		return err
	}
}

// severalUsages is usages for a lookup.
func (s *Store) severalUsages(ctx context.Context, keys []buyerKey) (map[buyerKey]stock.Usage, time.Time, error) {
	usages, err := s.usages(ctx, keys)
	return usages, time.Time{}, err
}

// usage is usages for one.
func (s *Store) usage(ctx context.Context, key buyerKey) (stock.Usage, time.Time, error) {
	usages, err := s.usages(ctx, []buyerKey{key})
	return usages[key], time.Time{}, err
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
			var clock int64
			var order string
			err := rows.Scan(&clock, &order)
			known[order] = held
			n++
			return err
		})
		return n < len(orders), err
	}, s.SQL.BlankHolds(orders...))
}

// knownSoon reads what other transactions have written, and whether it is committed.
func (s *Store) knownSoon(ctx context.Context, orders []string, known map[string]Presence) (time.Time, error) {
	var clock int64
	written, err := s.ReadWritten(ctx, orders, s.SQL.known, s.SQL.knownNow, func(rows *sql.Rows) (string, error) {
		var order sql.NullString
		err := rows.Scan(&clock, &order)
		return order.String, err
	})
	for order, committed := range written {
		if known[order] = UnderWay; committed {
			known[order] = held
		}
	}
	return s.Moment(ctx, clock, err)
}

// knownOne is known for one.
func (s *Store) knownOne(ctx context.Context, order string) (Presence, time.Time, error) {
	known, now, err := s.known(ctx, []string{order})
	return known[order], now, err
}
