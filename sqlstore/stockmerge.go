package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"github.com/holdfast-go/holdfast/internal/input"
	"github.com/holdfast-go/holdfast/stock"
)

// lockCall is a Lock as it waits for its batch.
type lockCall struct {
	order   stock.Order
	holdFor time.Duration
}

// lockAnswer is what became of it.
type lockAnswer struct {
	hold    stock.Hold
	verdict stock.Verdict
}

// locked is the answer to a call that was done at a time.
func (c lockCall) locked(at time.Time) lockAnswer {
	hold := stock.Hold{
		Order: c.order.ID, Buyer: c.order.Buyer, State: stock.Locked,
		Deadline: at.Add(c.holdFor), LockedAt: at, UpdatedAt: at,
	}
	for _, l := range c.order.Lines {
		hold.Lines = append(hold.Lines, stock.HoldLine{Line: l})
	}
	return lockAnswer{hold: hold, verdict: stock.Done}
}

// lockBatch locks orders of one item together: one INSERT of all holds, one guarded UPDATE of the
// hot row by their sum, one commit. An order that is known goes alone; one that is too large for
// what is there is refused.
func (s *Stock) lockBatch(ctx context.Context, key stock.Key, calls []lockCall) ([]reply[lockAnswer], error) {
	b := &lockBatch{store: s, key: key, calls: calls, replies: make([]reply[lockAnswer], len(calls))}
	b.once()
	for range 3 { // as it is; without the orders that are known; what is available
		if len(b.in) == 0 {
			break
		}
		done, err := b.try(ctx)
		if err != nil || done {
			return b.replies, err
		}
	}
	for _, i := range b.in {
		b.replies[i] = byItself()
	}
	return b.replies, nil
}

// byItself is the reply to a call that cannot go with the others.
func byItself() reply[lockAnswer] { return reply[lockAnswer]{alone: true} }

// lockBatch is a batch that gets smaller until it goes.
type lockBatch struct {
	store        *Stock
	key          stock.Key
	calls        []lockCall
	in           []int // the calls that are still in it, in the order of arrival
	sum, largest int64
	replies      []reply[lockAnswer]
}

// once takes each order in once, as long as the sum does not overflow.
func (b *lockBatch) once() {
	seen := make(map[string]bool, len(b.calls))
	b.keep(b.all(), byItself(), func(i int) bool {
		first := !seen[b.calls[i].order.ID]
		seen[b.calls[i].order.ID] = true
		return first
	})
}

// all returns the indexes of all calls.
func (b *lockBatch) all() []int {
	all := make([]int, len(b.calls))
	for i := range all {
		all[i] = i
	}
	return all
}

// keep leaves in the batch what fits, and replies to the rest. What would overflow goes alone.
func (b *lockBatch) keep(calls []int, rest reply[lockAnswer], fits func(int) bool) {
	b.in, b.sum, b.largest = nil, 0, 0
	for _, i := range calls {
		num := b.calls[i].order.Lines[0].Num
		sum, ok := input.Add(b.sum, num)
		switch {
		case !ok:
			b.replies[i] = byItself()
			continue
		case !fits(i):
			b.replies[i] = rest
			continue
		}
		b.in, b.sum, b.largest = append(b.in, i), sum, max(b.largest, num)
	}
}

// try makes the batch one transaction. Where it did not go, the batch is smaller afterwards.
func (b *lockBatch) try(ctx context.Context) (bool, error) {
	calls := make([]lockCall, len(b.in))
	for i, at := range b.in {
		calls[i] = b.calls[at]
	}
	var lockedAt time.Time
	kept, err := b.store.atomically(ctx, func(q Tx) (bool, error) {
		var err error
		if lockedAt, err = b.store.claim(ctx, q, calls...); err != nil {
			return false, err
		}
		rows, err := affected(q.ExecContext(ctx, b.store.sql.lockItem(b.key, b.sum, b.largest)))
		return rows > 0, err
	})
	switch {
	case number(err) == errDuplicate:
		return false, b.withoutKnown(ctx, calls)
	case err != nil:
		return false, err
	case !kept:
		return false, b.toAvailable(ctx)
	}
	for i, at := range b.in {
		b.replies[at] = reply[lockAnswer]{answer: calls[i].locked(lockedAt)}
	}
	return true, nil
}

// withoutKnown takes the orders out that have a hold or were closed.
func (b *lockBatch) withoutKnown(ctx context.Context, calls []lockCall) error {
	orders := make([]any, len(calls))
	for i, c := range calls {
		orders[i] = c.order.ID
	}
	known := map[string]bool{}
	err := b.store.query(ctx, render(b.store.sql.knownOrders(len(orders)), orders...), func(rows *sql.Rows) error {
		var order string
		err := rows.Scan(&order)
		known[order] = true
		return err
	})
	b.keep(b.in, byItself(), func(i int) bool { return !known[b.calls[i].order.ID] })
	return err
}

// toAvailable leaves in, by arrival, what the item has; the guard has the last word on it. An order
// that is larger than that is refused, as of the moment of this read. So is every order of an
// item that does not exist.
func (b *lockBatch) toAvailable(ctx context.Context) error {
	var available int64
	err := b.store.query(ctx, render(b.store.sql.readAvailable, b.key.SKU, b.key.Activity), func(rows *sql.Rows) error { return rows.Scan(&available) })
	if err != nil {
		return err
	}
	num := func(i int) int64 { return b.calls[i].order.Lines[0].Num }
	refused := reply[lockAnswer]{answer: lockAnswer{verdict: stock.Refused}}
	b.keep(b.in, refused, func(i int) bool { return num(i) <= available })
	b.keep(b.in, byItself(), func(i int) bool {
		fits := num(i) <= available
		if fits {
			available -= num(i)
		}
		return fits
	})
	return nil
}
