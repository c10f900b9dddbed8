package ledger

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// handovers bounds how often a transaction is made again because somebody fits who is not locked.
const handovers = 20

// fewWaiters is how many of a queue are read at least, and stuckWaits how often they are waited for, each time for as long as a statement
// that others wait for may take.
const (
	fewWaiters = 16
	stuckWaits = 3
)

const (
	// waiting is the column WAIT_NUM of an item as it is. It has the statement say as its LAST_INSERT_ID, which the server sends along,
	// whether orders wait for an item that the statement changes: where nobody does, that costs nothing.
	waiting     = "IF(s.WAIT_NUM > 0, LAST_INSERT_ID(s.WAIT_NUM), s.WAIT_NUM)"
	asksWaiting = "s.WAIT_NUM = " + waiting
)

// unlessWaiting has a statement that commits itself fail, with ErrOutOfRange, where orders wait for an item that it changes.
func unlessWaiting(statement string) string {
	return strings.ReplaceAll(statement, waiting, "s.WAIT_NUM + IF(s.WAIT_NUM > 0, 9223372036854775807, 0)")
}

// Handover gives the units that a transaction makes available to the orders that wait for them. Their holds and buyers are locked
// before the items. So a transaction of the store's own that finds out, under the locks of its items, who gets units, is undone, and
// made again with those locked. The caller's transaction cannot be undone: there they are locked behind the items, as far as nobody else
// has them. So are those whom somebody keeps for long.
type Handover struct {
	*Store

	known []waiter // who may get units, as far as it was found out
	again bool     // somebody may who was not known: once more
	round int
	stuck bool // a try had no answer in time when it locked those who are known
	waits int  // how often that was so; after some of these, those whom others have locked are passed over

	// of one try
	asked   bool        // orders wait for an item that was changed
	holds   *MovedHolds // of those who are known and still wait, locked
	judge   *judgement  // what items and buyers have
	offered []string    // the orders that get their units
}

// waiter is an order that waits for units of an item.
type waiter struct {
	stock.Key
	order, buyer string
	num          int64
}

// HandingOver runs fn as a transaction that run makes, once more where that is needed. Fn calls Lock once it has locked its holds, and
// Finish as the last of all.
func (s *Store) HandingOver(
	ctx context.Context, run func(context.Context, mysql.VerdictFunc) (bool, error), fn func(q mysql.Tx, h *Handover) (bool, error),
) (bool, error) {
	h := &Handover{Store: s}
	done, turns := func() {}, false
	defer func() { done() }()
	for h.round = range handovers {
		kept, err := run(ctx, func(q mysql.Tx) (bool, error) {
			h.again, h.asked, h.offered = false, false, nil
			h.holds = NewMovedHolds(NewTally())
			h.judge = &judgement{t: stock.StepOffer.Transition(), items: map[stock.Key]stock.Item{}, usages: map[buyerKey]stock.Usage{}}
			return fn(q, h)
		})
		if h.stuck && h.waits < stuckWaits && errors.Is(err, mysql.ErrStuck) {
			h.waits++
			continue
		}
		if err != nil || !h.again {
			return kept, err
		}
		if turns {
			continue
		}
		if done, err = s.queues.turn(ctx); err != nil {
			done = func() {}
			return false, err
		}
		turns = true
	}
	return false, &stock.ContentionError{Verb: "hand over", ID: h.known[0].String()}
}

// exec runs a statement that changes items, and notes whether orders wait for one of them. The LAST_INSERT_ID of the caller's
// transaction stays as it is.
func (h *Handover) exec(ctx context.Context, q mysql.Tx, statement string) (rows int64, err error) {
	if h.Bound() {
		statement = strings.ReplaceAll(statement, waiting, "s.WAIT_NUM")
	}
	result, err := q.ExecContext(ctx, statement)
	if rows, err = mysql.Affected(result, err); err != nil || h.Bound() {
		return rows, err
	}
	id, err := result.LastInsertId()
	if id != 0 && h.queues != nil {
		h.asked = true
		h.queues.note()
	}
	return rows, err
}

// Lock locks those who are known.
func (h *Handover) Lock(ctx context.Context, q mysql.Tx) error {
	err := h.lock(ctx, q, h.known)
	h.stuck = errors.Is(err, mysql.ErrStuck)
	return err
}

// lock locks the holds of some waiters and what their buyers have, both in the order of their keys. It waits for others who are at them,
// since these may get units elsewhere, or not, and would lose their turn.
func (h *Handover) lock(ctx context.Context, q mysql.Tx, some []waiter) error {
	orders := make([]string, len(some))
	for i, w := range some {
		orders[i] = w.order
	}
	slices.Sort(orders)
	for part := range slices.Chunk(orders, mysql.MaxList) {
		first := func(scan func(*sql.Rows) error) error {
			return readLocked(ctx, h, q, part, mysql.ByList(h.SQL.Many[stock.StepOffer].lock), scan)
		}
		if err := h.holds.lock(ctx, q, h.SQL, first, func(string, int64) bool { return true }); err != nil {
			return err
		}
	}
	h.judge.at = h.holds.at
	var buyers []buyerKey
	for _, w := range some {
		if w.buyer != "" && h.holds.holds[w.order] != nil {
			buyers = append(buyers, buyerKey{w.Key, w.buyer})
		}
	}
	buyers = unique(buyers, buyerKey.compare)
	for part := range slices.Chunk(buyers, mysql.MaxList) {
		if err := readLocked(ctx, h, q, part, h.SQL.lockBuyers, scanUsages(h.judge.usages)); err != nil {
			return err
		}
	}
	return nil
}

// readLocked reads rows with a lock, by their keys, or those that nobody else has locked.
func readLocked[K any](
	ctx context.Context, h *Handover, q mysql.Tx, keys []K, statement func(keys []K) string, scan func(*sql.Rows) error,
) error {
	if h.Bound() || h.waits == stuckWaits {
		_, err := mysql.ReadFree(ctx, h.Handle, q, keys, statement, scan)
		return err
	}
	return mysql.Read(ctx, q, statement(keys), scan)
}

// Finish hands over what some items have available, which are locked and changed, and tells what the transaction has to tell: these are
// its last statements. It reports whether the transaction is to be kept.
func (h *Handover) Finish(ctx context.Context, q mysql.Tx, keys []stock.Key, told *Told) (bool, error) {
	if h.queues != nil && len(keys) > 0 && (h.asked || h.Bound()) {
		if err := h.give(ctx, q, unique(keys, stock.Key.Compare), told); err != nil || h.again {
			return false, err
		}
	}
	return true, h.Tell(ctx, q, told)
}

// give offers what items have available to those who wait, in the order of arrival, each of whom the rules allow it then.
func (h *Handover) give(ctx context.Context, q mysql.Tx, keys []stock.Key, told *Told) error {
	if err := h.judge.lockItems(ctx, q, h.SQL, keys); err != nil {
		return err
	}
	for key, item := range h.judge.items {
		h.judge.items[key] = item.AtHand()
	}
	judged := map[string]bool{}
	for {
		next, behind, err := h.next(ctx, q, keys, judged)
		if err != nil {
			return err
		}
		if len(next) == 0 {
			return h.offer(ctx, q, told)
		}
		if unknown := h.unknown(next); len(unknown) > 0 {
			h.known = append(h.known, unknown...)
			if !h.Bound() {
				h.known, h.again = append(h.known, h.unknown(behind)...), true
				return nil
			}
			if err := h.lock(ctx, q, unknown); err != nil {
				return err
			}
			h.round = min(h.round+1, handovers)
		}
		for _, w := range next {
			judged[w.order] = true
			hold := h.holds.holds[w.order] // nil where others are at it
			if hold != nil && h.judge.allow(w.order, hold) == nil {
				h.offered = append(h.offered, w.order)
			}
		}
	}
}

// unknown returns those of some waiters who are not known.
func (h *Handover) unknown(some []waiter) (unknown []waiter) {
	known := make(map[string]bool, len(h.known))
	for _, w := range h.known {
		known[w.order] = true
	}
	for _, w := range some {
		if !known[w.order] {
			unknown = append(unknown, w)
		}
	}
	return unknown
}

// next returns who comes next in the queues of items that still have units available, behind those who are judged already: as many as
// use them up, and all between them for whom there is enough; and who comes behind these, more each time, since others may get units
// meanwhile. A plain read behind the lock of the item sees all who wait; in the caller's transaction, those of its snapshot.
func (h *Handover) next(
	ctx context.Context, q mysql.Tx, keys []stock.Key, judged map[string]bool,
) (next, behind []waiter, err error) {
	for _, key := range keys {
		item := h.judge.items[key]
		left := item.Available()
		if item.Waiting == 0 || left <= 0 {
			continue
		}
		h.queues.note()     // what nobody here can get, a sweep may hand over
		more := h.round + 1 // so that others who hand over meanwhile leave enough
		most := int(max(min(left, mysql.MaxList), fewWaiters)) << more
		all := min(left, math.MaxInt64>>more) << more
		query := mysql.Render(h.SQL.queue, key.SKU, key.Activity, item.Available(), len(judged)+most)
		err := mysql.Read(ctx, q, query, func(rows *sql.Rows) error {
			w := waiter{Key: key}
			err := rows.Scan(&w.order, &w.num, &w.buyer)
			switch {
			case all == 0 || judged[w.order]:
				return err
			case left > 0:
				next = append(next, w)
			default:
				behind = append(behind, w)
			}
			left, all = less(left, w.num), less(all, w.num)
			return err
		})
		if err != nil {
			return nil, nil, err
		}
	}
	return next, behind, nil
}

// less returns how many units are left behind somebody who gets so many, if there are enough.
func less(left, num int64) int64 {
	if num <= left {
		return left - num
	}
	return left
}

// offer makes the holds of those who get units live ones.
func (h *Handover) offer(ctx context.Context, q mysql.Tx, told *Told) error {
	if len(h.offered) == 0 {
		return nil
	}
	for part := range slices.Chunk(h.offered, mysql.MaxList) {
		some := &MovedHolds{Tally: h.holds.Tally, holds: map[string]*lockedHold{}, at: h.holds.at}
		for _, order := range part {
			some.holds[order] = h.holds.holds[order]
		}
		if err := some.move(ctx, q, h.SQL.Many[stock.StepOffer], stock.StepOffer.Transition()); err != nil {
			return err
		}
	}
	if err := h.holds.Apply(ctx, q, h); err != nil {
		return err
	}
	h.holds.tell(told, stock.StepOffer, h.offered)
	return nil
}

// offeredAt returns when an order got its units in this transaction; zero where it did not.
func (h *Handover) offeredAt(order string) time.Time {
	if slices.Contains(h.offered, order) {
		return h.holds.at
	}
	return time.Time{}
}

// waitedFor returns the items of an order that has made a step by itself, as far as orders wait for them. In the caller's transaction the
// order has so many lines.
func (h *Handover) waitedFor(ctx context.Context, q mysql.Tx, t stock.Transition, order string, lines int) (keys []stock.Key, err error) {
	if h.queues == nil || !frees(t) || !h.asked && !h.Bound() {
		return nil, nil
	}
	err = mysql.Read(ctx, q, mysql.Render(h.SQL.waitedFor(lines), order), func(rows *sql.Rows) error {
		var key stock.Key
		err := rows.Scan(&key.SKU, &key.Activity)
		keys = append(keys, key)
		return err
	})
	return keys, err
}

// freedBy returns the items of which a change makes more available.
func freedBy(change stock.Change) (keys []stock.Key) {
	for _, e := range change.Entries {
		if e.Buyer == "" && e.Delta.Available() > 0 {
			keys = append(keys, e.Key)
		}
	}
	return keys
}

// freedByRefunds returns the items whose units refunds put back.
func freedByRefunds(calls []RefundCall) (keys []stock.Key) {
	for _, c := range calls {
		for _, l := range c.Refund.Lines {
			if c.Refund.Restock {
				keys = append(keys, l.Key())
			}
		}
	}
	return keys
}
