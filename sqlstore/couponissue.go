package sqlstore

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/stock"
)

// issueRounds bounds how often a part of a batch is tried, each time with what a look at the campaign has left of
// it.
const issueRounds = 20

// AddBatch implements coupon.Store.
func (c *Coupon) AddBatch(ctx context.Context, batch coupon.Batch) (stock.Verdict, error) {
	if err := c.ready(ctx); err != nil {
		return stock.Refused, err
	}
	rows, err := c.units.exec(ctx, render(c.sql.addBatch, batch.ID, batch.Campaign, batch.All, string(batch.Digest[:])))
	return taken(verdict(rows > 0), err)
}

// Batch implements coupon.Store.
func (c *Coupon) Batch(ctx context.Context, id string) (coupon.Batch, []coupon.Grant, error) {
	if err := c.ready(ctx); err != nil {
		return coupon.Batch{}, nil, err
	}
	var batch coupon.Batch
	var digest []byte
	var num int64
	err := c.units.queryAmong(ctx, render(c.sql.readBatch, id), func(rows *sql.Rows) (bool, error) {
		err := rows.Scan(&batch.Campaign, &batch.All, &digest, &num)
		return batch.Campaign > 0, err
	}, c.sql.blankBatch.of(id))
	if err != nil || batch.Campaign == 0 {
		return coupon.Batch{}, nil, err
	}
	batch.ID = id
	copy(batch.Digest[:], digest)
	var granted []coupon.Grant
	query, err := c.currentGrants(ctx, id, num, render(c.sql.readGranted, id))
	if err == nil {
		err = c.units.query(ctx, query, func(rows *sql.Rows) error {
			g, err := scanGranted(rows)
			granted = append(granted, g)
			return err
		})
	}
	return batch, granted, err
}

// currentGrants returns a read of what became of buyers of a batch that is locked, and has so many rows, so that it sees what is
// there now. Rows are only added: where the snapshot of the caller's transaction has as many, it has all. Otherwise they are
// read with a lock, which is also one on the places of their neighbours.
func (c *Coupon) currentGrants(ctx context.Context, batch string, num int64, query string) (string, error) {
	if !c.units.bound() { // whose snapshot is taken behind the lock
		return query, nil
	}
	seen := int64(0)
	err := c.units.query(ctx, render(c.sql.countGrants, batch), func(rows *sql.Rows) error { return rows.Scan(&seen) })
	if seen != num {
		query += " FOR UPDATE"
	}
	return query, err
}

// scanGranted scans what became of a buyer.
func scanGranted(rows *sql.Rows) (g coupon.Grant, err error) {
	err = rows.Scan(&g.Buyer, &g.Coupon, &g.Reason)
	return g, err
}

// Issue implements coupon.Store.
func (c *Coupon) Issue(ctx context.Context, batch coupon.Batch, orders []stock.Order, holdFor time.Duration, all bool) ([]coupon.Grant, error) {
	if err := c.ready(ctx); err != nil || len(orders) == 0 {
		return nil, err
	}
	key := lockKey{Key: stock.Key{SKU: batch.Campaign}, taken: orders[0].Immediate}
	i := &issue{store: c, batch: batch.ID, key: key, all: all, refused: map[string]coupon.Reason{}}
	for _, order := range orders {
		i.calls = append(i.calls, lockCall{order: order, holdFor: holdFor, carried: carried{beside: order.Beside}})
	}
	for range issueRounds {
		kept, err := c.units.atomically(ctx, func(q Tx) (bool, error) { return i.try(ctx, q) })
		switch n := number(err); {
		case n == errDuplicate, n == errOutOfRange: // an order is known, or a buyer has as much as can be counted
		case err != nil:
			return nil, err
		case kept, i.over:
			c.units.freed(key.Key) // which also forgets what was seen of it
			return i.granted, nil
		}
		if err := i.look(ctx); err != nil {
			return nil, err
		}
	}
	return nil, &stock.ContentionError{Verb: "issue", ID: batch.ID}
}

// issue is a part of a batch that is issued.
type issue struct {
	store   *Coupon
	batch   string
	key     lockKey
	calls   []lockCall
	all     bool
	refused map[string]coupon.Reason // what the campaign refused when it was looked at, by order

	granted []coupon.Grant // what became of each order at the last try
	over    bool           // it is the answer, although nothing was done
}

// try issues it, in one transaction, but for what was refused, and reports whether it went. The batch's row is
// locked first: what others have issued of it is known from then on.
func (i *issue) try(ctx context.Context, q Tx) (bool, error) {
	i.granted, i.over = make([]coupon.Grant, 0, len(i.calls)), false
	var before int64
	if err := readRow(ctx, q, render(i.store.sql.lockBatch, i.batch), &before); err != nil {
		return false, err
	}
	recorded, err := i.recorded(ctx, q, before)
	if err != nil {
		return false, err
	}
	var fresh []coupon.Grant
	var calls []lockCall
	for _, call := range i.calls {
		g, known := recorded[call.order.ID]
		if !known {
			g = coupon.Grant{Buyer: call.order.Buyer, Coupon: call.order.ID, Reason: i.refused[call.order.ID]}
			fresh = append(fresh, g)
			if g.Reason == coupon.Given {
				calls = append(calls, call)
			}
		}
		i.granted = append(i.granted, g)
		if i.all && g.Reason != coupon.Given {
			i.granted, i.over = []coupon.Grant{g}, true
			return false, nil
		}
	}
	if len(calls) > 0 {
		if _, ok, err := i.store.units.lockMany(ctx, q, i.key, calls); err != nil || !ok {
			return false, err
		}
	}
	return true, i.record(ctx, q, before, fresh)
}

// recorded returns what became of the orders so far.
func (i *issue) recorded(ctx context.Context, q Tx, before int64) (map[string]coupon.Grant, error) {
	recorded := map[string]coupon.Grant{}
	if before == 0 {
		return recorded, nil
	}
	orders := make([]string, len(i.calls))
	for n, call := range i.calls {
		orders[n] = call.order.ID
	}
	for part := range slices.Chunk(orders, MaxBatchSize) {
		query, err := i.store.currentGrants(ctx, i.batch, before, i.store.sql.grants(i.batch, part))
		if err != nil {
			return nil, err
		}
		err = read(ctx, q, query, func(rows *sql.Rows) error {
			g, err := scanGranted(rows)
			recorded[g.Coupon] = g
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return recorded, nil
}

// record records what became of orders, behind so many others.
func (i *issue) record(ctx context.Context, q Tx, before int64, fresh []coupon.Grant) error {
	if len(fresh) == 0 {
		return nil
	}
	for part := range slices.Chunk(fresh, MaxBatchSize) {
		if _, err := q.ExecContext(ctx, i.store.sql.insertGranted(i.batch, before, part)); err != nil {
			return unclaimed(err)
		}
		before += int64(len(part))
	}
	rows, err := affected(q.ExecContext(ctx, render(i.store.sql.countGranted, len(fresh), i.batch)))
	if err != nil || rows != 1 {
		return missing(err)
	}
	return nil
}

// look finds out what the campaign refuses of it now, by the rules by which it lets a claim: the guard has
// the last word.
func (i *issue) look(ctx context.Context) error {
	units := i.store.units
	seen, err := units.look(ctx, i.key.Key)
	if err != nil {
		return err
	}
	b := &lockBatch{store: units, key: i.key, calls: i.calls, replies: make([]reply[lockAnswer], len(i.calls))}
	for n := range i.calls {
		b.in = append(b.in, n)
	}
	usages, known, _, err := b.others(ctx, seen.item)
	if err != nil {
		return err
	}
	seen.next = time.Time{} // who issues has released what is dead: a refusal is one
	b.admit(seen, usages, known)
	clear(i.refused)
	for n, call := range i.calls {
		switch r := b.replies[n]; {
		case known[call.order.ID] == underWay: // another call of the batch, which the next try waits for
		case r.alone:
			i.refused[call.order.ID] = coupon.ReasonOverflow
		case r.answer.verdict == stock.Exists:
			i.refused[call.order.ID] = coupon.ReasonTaken
		case r.answer.why != nil:
			i.refused[call.order.ID] = coupon.ReasonFor(r.answer.why)
		}
	}
	return nil
}
