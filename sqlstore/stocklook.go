package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/stock"
)

// refuse answers a Lock by what is remembered of its item: it is refused, or the order exists. It
// does not reach the item's row; the order and, where there is a limit, what its buyer has are looked
// up, after the sight, since the same Lock made elsewhere may be what has used the item up. It
// reports whether it has an answer: it has none on what the buyer has by now, of which a hold may
// have died.
func (s *ledgerStore) refuse(ctx context.Context, call lockCall) (lockAnswer, bool, error) {
	key, buyer := call.line().Key(), call.order.Buyer
	seen := s.sights.recall(key)
	if seen == nil {
		return lockAnswer{}, false, nil
	}
	standing := stock.ItemUsage{Item: seen.item}
	if buyer != "" && limitsBuyers(seen.item) {
		var err error
		if standing.Usage, err = s.merged.usages.do(ctx, key, buyer); err != nil {
			return lockAnswer{}, false, err
		}
	}
	if standing.Refuses(call.order.Step(), call.line(), buyer, seen.now) == nil {
		return lockAnswer{}, false, nil
	}
	known, err := s.merged.orders.do(ctx, struct{}{}, call.order.ID)
	switch {
	case err != nil:
		return lockAnswer{}, false, err
	case known.is == held:
		return lockAnswer{verdict: stock.Exists}, true, nil
	case known.is == underWay, !seen.holdsAt(known.now, s.sights.soldOutFor):
		return lockAnswer{}, false, nil
	}
	why := standing.Refuses(call.order.Step(), call.line(), buyer, known.now)
	limited := errors.Is(why, stock.ErrPerBuyer) || errors.Is(why, stock.ErrLiveHolds)
	return lockAnswer{verdict: stock.Refused, why: why}, why != nil && !limited, nil
}

// limitsBuyers reports whether it matters what a buyer has of an item.
func limitsBuyers(item stock.Item) bool { return item.PerBuyer > 0 || item.LiveHolds > 0 }

// look reads an item, when the first of its holds dies, and the clock, all of one moment.
func (s *ledgerStore) look(ctx context.Context, key stock.Key) (sight, error) {
	seen := sight{item: stock.Item{Key: key}}
	err := s.queryItems(ctx, "", []stock.Key{key}, render(s.sql.lookAtItem, key.SKU, key.Activity), func(rows *sql.Rows) (bool, error) {
		var row itemRow
		var next sql.NullInt64
		var clock int64
		err := rows.Scan(append(row.targets(), &next, &clock)...)
		seen = sight{item: row.finish(), now: fromMicros(clock), next: fromNullMicros(next)}
		return seen.item.Version > 0, err
	})
	return seen, err
}

// usages reads what some buyers have of an item.
func (s *ledgerStore) usages(ctx context.Context, key stock.Key, buyers []string) (map[string]stock.Usage, error) {
	usages := make(map[string]stock.Usage, len(buyers))
	scan := func(rows *sql.Rows) error {
		var buyer string
		var u stock.Usage
		err := rows.Scan(&buyer, &u.Held, &u.Bought, &u.Holds)
		usages[buyer] = u
		return err
	}
	for part := range slices.Chunk(buyers, maxList) {
		args := []any{key.SKU, key.Activity}
		for _, buyer := range part {
			args = append(args, buyer)
		}
		query := render(s.sql.readUsages(len(part)), args...)
		var err error
		if s.bound() {
			keys := make([]buyerKey, len(part))
			for i, buyer := range part {
				keys[i] = buyerKey{key, buyer}
			}
			if _, err = s.exec(ctx, s.sql.makeBuyers(keys...)); err == nil {
				err = s.query(ctx, query+" FOR UPDATE", scan)
			}
		} else {
			err = s.query(ctx, query, scan)
		}
		if err != nil {
			return nil, err
		}
	}
	return usages, nil
}

// usagesBatch is usages for several calls.
func (s *ledgerStore) usagesBatch(ctx context.Context, key stock.Key, buyers []string) ([]reply[stock.Usage], error) {
	usages, err := s.usages(ctx, key, buyers)
	replies := make([]reply[stock.Usage], len(buyers))
	for i, buyer := range buyers {
		replies[i].answer = usages[buyer]
	}
	return replies, err
}

// usage is usages for one.
func (s *ledgerStore) usage(ctx context.Context, key stock.Key, buyer string) (stock.Usage, error) {
	usages, err := s.usages(ctx, key, []string{buyer})
	return usages[buyer], err
}

// presence says whether an order has a hold or was closed.
type presence uint8

const (
	absent   presence = iota // and nothing of it is under way in the server
	underWay                 // another transaction has made it, and not yet committed
	held
)

// known reads which of some orders have a hold or were closed, and the clock. An order that is not committed yet may be the very
// call that asks, made before: a refusal of it is not final then.
func (s *ledgerStore) known(ctx context.Context, orders []string) (known map[string]presence, now time.Time, err error) {
	known = map[string]presence{}
	for part := range slices.Chunk(orders, maxList) {
		if s.bound() {
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
func (s *ledgerStore) knownNow(ctx context.Context, orders []string, known map[string]presence) error {
	return s.among(ctx, func(q Tx) (bool, error) {
		n := 0
		err := read(ctx, q, renderList(s.sql.knownNow, orders), func(rows *sql.Rows) error {
			var order string
			err := rows.Scan(&order)
			known[order] = held
			n++
			return err
		})
		return n < len(orders), err
	}, s.sql.blankHolds(orders...))
}

// knownSoon looks at what other transactions have written, and where they have, at what of it is committed.
func (s *ledgerStore) knownSoon(ctx context.Context, orders []string, known map[string]presence) (time.Time, error) {
	var clock int64
	var written []string
	see := func(as presence) func(*sql.Rows) error {
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
	err := s.peek(ctx, renderList(s.sql.known, orders), see(underWay))
	if err == nil && len(written) > 0 {
		err = s.query(ctx, renderList(s.sql.known, written), see(held))
	}
	return fromMicros(clock), err
}

// knownOrder is whether an order has a hold or was closed, at a moment.
type knownOrder struct {
	is  presence
	now time.Time
}

// knownBatch is known for several calls.
func (s *ledgerStore) knownBatch(ctx context.Context, _ struct{}, orders []string) ([]reply[knownOrder], error) {
	known, now, err := s.known(ctx, orders)
	replies := make([]reply[knownOrder], len(orders))
	for i, order := range orders {
		replies[i].answer = knownOrder{is: known[order], now: now}
	}
	return replies, err
}

// knownOne is known for one, read together with those of others where calls are merged.
func (s *ledgerStore) knownOne(ctx context.Context, order string) (knownOrder, error) {
	if s.merged == nil {
		return s.knownAlone(ctx, struct{}{}, order)
	}
	return s.merged.orders.do(ctx, struct{}{}, order)
}

// knownAlone is known for one.
func (s *ledgerStore) knownAlone(ctx context.Context, _ struct{}, order string) (knownOrder, error) {
	known, now, err := s.known(ctx, []string{order})
	return knownOrder{is: known[order], now: now}, err
}
