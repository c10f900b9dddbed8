package ledger

import (
	"context"
	"database/sql"
	"errors"
	"maps"
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

	known map[string]waiter // those who may get units, by order, found so far
	again bool              // one who was not known may get units: the transaction runs once more
	round int
	stuck bool // a try had no answer in time when it locked those who are known
	waits int  // how many tries got stuck like this; after stuckWaits of them, those whom others have locked are passed over

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
	came         time.Time
}

// WithHandover runs fn in a transaction that run makes, and again if one who waits has to be locked first. Fn calls Lock after it has
// locked its own holds, and Finish last.
func (s *Store) WithHandover(
	ctx context.Context, run func(context.Context, mysql.VerdictFunc) (bool, error), fn func(q mysql.Tx, h *Handover) (bool, error),
) (bool, error) {
	h := &Handover{Store: s, known: map[string]waiter{}}
	done, turn := func() {}, false
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
			done() // others need not wait for whoever keeps them
			done, turn = func() {}, false
			continue
		}
		if err != nil || !h.again {
			return kept, err
		}
		if turn {
			continue
		}
		if done, err = s.queues.turns.take(ctx, h.items()); err != nil {
			done = func() {}
			return false, err
		}
		turn = true
	}
	return false, &stock.ContentionError{Verb: "hand over", ID: h.items()[0].String()}
}

// items returns the items of those who are known.
func (h *Handover) items() (keys []stock.Key) {
	for _, w := range h.known {
		keys = append(keys, w.Key)
	}
	return unique(keys, stock.Key.Compare)
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
	err := h.lock(ctx, q, slices.Collect(maps.Values(h.known)))
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
		key := buyerKey{w.Key, w.buyer}
		if _, locked := h.judge.usages[key]; w.buyer != "" && h.holds.holds[w.order] != nil && !locked {
			buyers = append(buyers, key)
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
	// The step itself may have changed what the buyers have.
	if err := h.judge.lockBuyers(ctx, q, h.SQL, slices.SortedFunc(maps.Keys(h.judge.usages), buyerKey.compare)); err != nil {
		return err
	}
	for _, key := range keys {
		if err := h.serve(ctx, q, key); err != nil {
			return err
		}
	}
	if h.again {
		return nil
	}
	return h.offer(ctx, q, told)
}

// serve goes through the queue of an item while it has units available. It ends, for another try, at the first who may get some and is
// not known; the caller's transaction locks those who may. A plain read behind the lock of the item sees all who wait; in the caller's
// transaction, those of its snapshot.
func (h *Handover) serve(ctx context.Context, q mysql.Tx, key stock.Key) error {
	left := func() int64 { return h.judge.items[key].Available() }
	if h.judge.items[key].Waiting == 0 || left() <= 0 {
		return nil
	}
	h.queues.note() // what nobody here can get, a sweep may hand over
	var from waiter
	for size := int(max(min(left(), mysql.MaxList), fewWaiters)) << (h.round + 1); ; size *= 2 {
		page, err := h.page(ctx, q, from, key, left(), size)
		if err != nil {
			return err
		}
		for i, w := range page {
			refusal := h.refusal(w)
			switch {
			case left() <= 0, errors.Is(refusal, stock.ErrNotOnSale): // to nobody
				return nil
			case refusal != nil:
				continue
			case !h.knows(w):
				some := h.learn(page[i:], left())
				if !h.Bound() {
					h.again = true
					return nil
				}
				if err := h.lock(ctx, q, some); err != nil {
					return err
				}
			}
			hold := h.holds.holds[w.order] // nil where others are at it
			if hold != nil && h.judge.allow(w.order, hold) == nil {
				h.offered = append(h.offered, w.order)
			}
		}
		if len(page) < size {
			return nil
		}
		from = page[len(page)-1]
	}
}

// page reads who waits for an item behind somebody and asks for no more than is left, in the order of arrival. They are judged, and offered
// their units, at the time of this read: what was locked before may have been waited for.
func (h *Handover) page(ctx context.Context, q mysql.Tx, behind waiter, key stock.Key, left int64, size int) (page []waiter, err error) {
	from := mysql.From(behind.order == "", behind.came)
	query := mysql.Render(h.SQL.queue, key.SKU, key.Activity, from, from, behind.order, left, size)
	err = mysql.Read(ctx, q, query, func(rows *sql.Rows) error {
		w := waiter{Key: key}
		var came, clock int64
		err := rows.Scan(&w.order, &w.num, &w.buyer, &came, &clock)
		w.came, h.judge.at = mysql.FromMicros(came), mysql.FromMicros(clock)
		h.holds.at = h.judge.at
		page = append(page, w)
		return err
	})
	return page, err
}

// refusal returns why the item refuses a waiter, whatever its hold is: everybody, so many units, or the buyer, where what the buyer has
// is locked. So a long queue of somebody who is at a limit is passed without a lock.
func (h *Handover) refusal(w waiter) error {
	is := stock.ItemUsage{Item: h.judge.items[w.Key], Usage: h.judge.usages[buyerKey{w.Key, w.buyer}]}
	return is.Refuses(stock.StepOffer, stock.Line{SKU: w.SKU, Activity: w.Activity, Num: w.num}, w.buyer, h.judge.at)
}

// learn makes those known who may get what is left. The next try of a transaction of the store's own locks some more of them each time,
// since others may get units meanwhile.
func (h *Handover) learn(page []waiter, left int64) (learned []waiter) {
	if more := h.round + 1; !h.Bound() {
		left = min(left, math.MaxInt64>>more) << more
	}
	for _, w := range page {
		if left == 0 {
			break
		}
		if h.refusal(w) != nil {
			continue
		}
		if !h.knows(w) {
			h.known[w.order] = w
			learned = append(learned, w)
		}
		if w.num <= left {
			left -= w.num
		}
	}
	return learned
}

func (h *Handover) knows(w waiter) bool {
	_, known := h.known[w.order]
	return known
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
