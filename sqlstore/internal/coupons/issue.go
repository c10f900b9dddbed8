package coupons

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/sqlstore/internal/ledger"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// issueRounds bounds how often a part of a batch is tried. Each try leaves out the orders that the campaign refused at
// the last look.
const issueRounds = 20

// AddBatch implements coupon.Store.
func (c *Store) AddBatch(ctx context.Context, batch coupon.Batch) (stock.Verdict, error) {
	rows, err := c.units.Exec(ctx, mysql.Render(c.sql.addBatch, batch.ID, batch.Campaign, batch.All, string(batch.Digest[:])))
	return ledger.ExistsOnDuplicate(ledger.DoneIf(rows > 0), err)
}

// Batch implements coupon.Store.
func (c *Store) Batch(ctx context.Context, id string) (coupon.Batch, []coupon.Grant, error) {
	var batch coupon.Batch
	var digest []byte
	var num int64
	err := c.units.QueryAmong(ctx, mysql.Render(c.sql.readBatch, id), func(rows *sql.Rows) (bool, error) {
		err := rows.Scan(&batch.Campaign, &batch.All, &digest, &num)
		return batch.Campaign > 0, err
	}, c.sql.blankBatch.Of(id))
	if err != nil || batch.Campaign == 0 {
		return coupon.Batch{}, nil, err
	}
	batch.ID = id
	copy(batch.Digest[:], digest)
	var granted []coupon.Grant
	query, err := c.currentGrants(ctx, id, num, mysql.Render(c.sql.readGrants, id))
	if err == nil {
		err = c.units.Query(ctx, query, func(rows *sql.Rows) error {
			g, err := scanGrant(rows)
			granted = append(granted, g)
			return err
		})
	}
	return batch, granted, err
}

// currentGrants returns a read of the grants of a locked batch with num rows, as they are now. Rows are only added: if
// the snapshot of the caller's transaction has as many, it has all. Otherwise they are read with a lock, which also
// locks the places of their neighbours.
func (c *Store) currentGrants(ctx context.Context, batch string, num int64, query string) (string, error) {
	if !c.units.Bound() { // see Handle.Atomically
		return query, nil
	}
	seen := int64(0)
	err := c.units.Query(ctx, mysql.Render(c.sql.countGrants, batch), func(rows *sql.Rows) error { return rows.Scan(&seen) })
	if seen != num {
		query += " FOR UPDATE"
	}
	return query, err
}

// scanGrant scans the grant of a buyer.
func scanGrant(rows *sql.Rows) (g coupon.Grant, err error) {
	err = rows.Scan(&g.Buyer, &g.Coupon, &g.Reason)
	return g, err
}

// Issue implements coupon.Store.
func (c *Store) Issue(
	ctx context.Context, batch coupon.Batch, orders []stock.Order, holdFor time.Duration, all bool,
) ([]coupon.Grant, error) {
	if err := c.units.Ready(); err != nil || len(orders) == 0 {
		return nil, err
	}
	i := &issue{store: c, batch: batch.ID, key: stock.Key{SKU: batch.Campaign}, all: all, refusals: map[string]coupon.Reason{}}
	for _, order := range orders {
		i.calls = append(i.calls, ledger.LockCall{Order: order, HoldFor: holdFor, Cargo: ledger.Cargo{Beside: order.Beside}})
	}
	for range issueRounds {
		kept, err := c.units.Atomically(ctx, func(q mysql.Tx) (bool, error) { return i.try(ctx, q) })
		switch n := mysql.Number(err); {
		case n == mysql.ErrDuplicate, n == mysql.ErrOutOfRange: // an order is known, or the counter of a buyer is full
		case err != nil:
			return nil, err
		case kept, i.over:
			c.units.Freed(i.key) // also removes the item from the sold-out cache
			return i.grants, nil
		}
		if err := i.look(ctx); err != nil {
			return nil, err
		}
	}
	return nil, &stock.ContentionError{Verb: "issue", ID: batch.ID}
}

// issue is one call of Issue: a part of a batch.
type issue struct {
	store    *Store
	batch    string
	key      stock.Key
	calls    []ledger.LockCall
	all      bool
	refusals map[string]coupon.Reason // of the campaign at the last look, by order

	grants []coupon.Grant // of the last try, one for each order
	over   bool           // the grants are the answer, although nothing was done
}

// try issues all orders that are not refused, in one transaction, and reports whether it succeeded. It locks the row of
// the batch first. From then on no other call issues a part of the batch, and the grants of others can be read.
func (i *issue) try(ctx context.Context, q mysql.Tx) (bool, error) {
	i.grants, i.over = make([]coupon.Grant, 0, len(i.calls)), false
	var before int64
	if err := mysql.ReadRow(ctx, q, mysql.Render(i.store.sql.lockBatch, i.batch), &before); err != nil {
		return false, err
	}
	recorded, err := i.earlier(ctx, q, before)
	if err != nil {
		return false, err
	}
	var fresh []coupon.Grant
	var calls []ledger.LockCall
	for _, call := range i.calls {
		g, known := recorded[call.Order.ID]
		if !known {
			g = coupon.Grant{Buyer: call.Order.Buyer, Coupon: call.Order.ID, Reason: i.refusals[call.Order.ID]}
			fresh = append(fresh, g)
			if g.Reason == coupon.Given {
				calls = append(calls, call)
			}
		}
		i.grants = append(i.grants, g)
		if i.all && g.Reason != coupon.Given {
			i.grants, i.over = []coupon.Grant{g}, true
			return false, nil
		}
	}
	if len(calls) > 0 {
		if _, ok, err := i.store.units.LockMany(ctx, q, calls); err != nil || !ok {
			return false, err
		}
	}
	return true, i.record(ctx, q, before, fresh)
}

// earlier returns the grants of the orders that are recorded already, by coupon.
func (i *issue) earlier(ctx context.Context, q mysql.Tx, before int64) (map[string]coupon.Grant, error) {
	recorded := map[string]coupon.Grant{}
	if before == 0 {
		return recorded, nil
	}
	orders := make([]string, len(i.calls))
	for n, call := range i.calls {
		orders[n] = call.Order.ID
	}
	for part := range slices.Chunk(orders, mysql.MaxList) {
		query, err := i.store.currentGrants(ctx, i.batch, before, i.store.sql.grants(i.batch, part))
		if err != nil {
			return nil, err
		}
		err = mysql.Read(ctx, q, query, func(rows *sql.Rows) error {
			g, err := scanGrant(rows)
			recorded[g.Coupon] = g
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return recorded, nil
}

// record records grants, behind the ones that the batch had before.
func (i *issue) record(ctx context.Context, q mysql.Tx, before int64, fresh []coupon.Grant) error {
	if len(fresh) == 0 {
		return nil
	}
	for part := range slices.Chunk(fresh, mysql.MaxList) {
		if _, err := q.ExecContext(ctx, i.store.sql.insertGrants(i.batch, before, part)); err != nil {
			return mysql.Unclaimed(err)
		}
		before += int64(len(part))
	}
	rows, err := mysql.Affected(q.ExecContext(ctx, mysql.Render(i.store.sql.growBatch, len(fresh), i.batch)))
	if err != nil || rows != 1 {
		return mysql.Missing(err)
	}
	return nil
}

// look finds out which orders the campaign refuses now, by the rules of a claim. The guard has the last word.
func (i *issue) look(ctx context.Context) error {
	b := ledger.NewLockBatch(i.store.units, i.calls)
	known, err := b.Judge(ctx, i.key) // Issue has released the dead holds already: a refusal is final
	if err != nil {
		return err
	}
	clear(i.refusals)
	for n, call := range i.calls {
		switch r := b.Replies[n]; {
		case known[call.Order.ID] == ledger.UnderWay: // in another call of the batch: the next try waits for it
		case r.Alone != 0:
			i.refusals[call.Order.ID] = coupon.ReasonOverflow
		case r.Answer.Verdict == stock.Exists:
			i.refusals[call.Order.ID] = coupon.ReasonTaken
		case r.Answer.Why != nil:
			i.refusals[call.Order.ID] = coupon.ReasonFor(r.Answer.Why)
		}
	}
	return nil
}
