package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/sqlstore/internal/batch"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// renderQueues renders what there is of orders that wait. The index of the deadlines has them in the order of arrival.
func (q *Statements) renderQueues() {
	of := q.Holds + " h " + mysql.By(q.Holds, "due") + fmt.Sprintf(" WHERE h.SKU_ID = ? AND h.ACTIVITY_ID = ? AND h.STATE = %d", stock.Waiting)
	q.queue = "SELECT h.ORDER_NO, h.NUM, COALESCE(h.BUYER_ID, x''), " + mysql.Micros("h.EXPIRE_TIME") + ", " + mysql.Micros(mysql.Now) +
		" FROM " + of +
		" AND h.EXPIRE_TIME >= ? AND (h.EXPIRE_TIME > ? OR h.ORDER_NO > ?) AND h.NUM <= ? ORDER BY h.EXPIRE_TIME, h.ORDER_NO LIMIT ?"
	q.ahead = "SELECT COALESCE(SUM(h.EXPIRE_TIME < ? OR (h.EXPIRE_TIME = ? AND h.ORDER_NO < ?)), 0), COUNT(*) FROM " + of
	q.leftBehind = "SELECT s.SKU_ID, s.ACTIVITY_ID, " + begun + " FROM " + q.Items + " s WHERE s.WAIT_NUM > 0 AND " + available +
		" > 0 AND " + onShelf + " AND " + notOver +
		" AND (s.SKU_ID > ? OR s.SKU_ID = ? AND s.ACTIVITY_ID > ?) ORDER BY s.SKU_ID, s.ACTIVITY_ID LIMIT ?"
	q.queueUp = "UPDATE " + q.Items + " s " + mysql.ByKey + " SET s.WAIT_NUM = s.WAIT_NUM + ?, s." + Touch +
		fmt.Sprintf(" WHERE s.SKU_ID = ? AND s.ACTIVITY_ID = ? AND s.WAIT_NUM <= %d - ?", int64(math.MaxInt64))
}

// waitedFor renders the read of the items of an order that others wait for: of so many lines, which it locks, or of all.
func (q *Statements) waitedFor(n int) string {
	items := q.Items + " s " + mysql.ByKey + " ON s.SKU_ID = h.SKU_ID AND s.ACTIVITY_ID = h.ACTIVITY_ID"
	if n == 0 {
		return "SELECT s.SKU_ID, s.ACTIVITY_ID FROM " + q.Holds + " h " + mysql.ByKey + " STRAIGHT_JOIN " + items +
			" WHERE h.ORDER_NO = ? AND s.WAIT_NUM > 0"
	}
	return "SELECT s.SKU_ID, s.ACTIVITY_ID FROM " + lines(n) + " STRAIGHT_JOIN " + q.Holds + " h " + mysql.ByKey +
		" ON h.ORDER_NO = ? AND h.LINE_NO = n.NO STRAIGHT_JOIN " + items + " WHERE s.WAIT_NUM > 0 FOR UPDATE"
}

// insertWaiters renders the INSERT of the holds of orders that wait: each has one line, and its place in the queue is when it came.
func (q *Statements) insertWaiters(at time.Time, calls []LockCall) string {
	args := make([]any, 0, 9*len(calls))
	for _, n := range byOrder(calls) {
		c, l, came := calls[n], calls[n].Line(), placeOf(at, n)
		args = append(args, c.Order.ID, l.SKU, l.Activity, l.Num, buyerOf(c.Order.Buyer), c.HoldFor.Microseconds(), came, came, came)
	}
	return mysql.Render(q.insertWaitersText(len(calls)), args...)
}

func (q *Statements) insertWaitersText(calls int) string {
	row := fmt.Sprintf("(?, 1, 1, ?, ?, ?, ?, %d, ?, ?, ?, ?)", stock.Waiting)
	return "INSERT INTO " + q.Holds + " (ORDER_NO, LINE_NO, LINE_NUM, SKU_ID, ACTIVITY_ID, NUM, BUYER_ID, STATE, HOLD_MICROS, EXPIRE_TIME," +
		" CREATE_TIME, UPDATE_TIME) VALUES " + mysql.List(row, calls)
}

// queueUp queues an order where its units are not there. Waiting calls are merged by their item, as Locks are.
func (s *Store) queueUp(ctx context.Context, call LockCall) (LockAnswer, error) {
	if s.batchers == nil {
		return s.wait(ctx, call)
	}
	do := func() (answer LockAnswer, err error) {
		if err := s.awaitItems(ctx, call.Order.Lines); err != nil {
			return answer, err
		}
		return s.batchers.waits.Do(ctx, call.Line().Key(), call)
	}
	answer, err := do()
	return unstuck(ctx, s, answer, err, do)
}

// waitSingle queues one order by itself, and is told where it is stuck.
func (s *Store) waitSingle(ctx context.Context, _ stock.Key, call LockCall) (LockAnswer, error) {
	return single(ctx, s, rowsOfLock(call), func(s *Store) (LockAnswer, error) { return s.wait(ctx, call) })
}

// wait queues one order by itself. It gets its units in the same transaction where they are there.
func (s *Store) wait(ctx context.Context, call LockCall) (answer LockAnswer, err error) {
	s = s.withRows(call.Rows)
	calls := []LockCall{call}
	kept, err := s.WithHandover(ctx, s.changeBeside(nil), func(q mysql.Tx, h *Handover) (bool, error) {
		answers, why, err := s.waitThese(ctx, s.watched(q), h, calls)
		if err != nil || why[0] != nil || answers == nil {
			return false, err
		}
		answer = answers[0]
		return true, nil
	})
	answer.Verdict, err = ExistsOnDuplicate(DoneIf(kept), err)
	return answer, err
}

// waitBatch queues orders for an item in as few transactions as they allow. Of one order it queues the first call.
func (s *Store) waitBatch(ctx context.Context, _ stock.Key, calls []LockCall) ([]batch.Reply[LockAnswer], error) {
	replies := make([]batch.Reply[LockAnswer], len(calls))
	t := tries{
		tried: func() { s.Bounds.Tried(len(calls)) },
		stuck: stuckAmong(ctx, s, calls, rowsOfLock),
		try: func(in []int, _ bool) ([]error, error) {
			answers, err := s.waitMany(ctx, pick(calls, in))
			for n, i := range in {
				if err == nil {
					replies[i].Answer = answers[n]
				}
			}
			return make([]error, len(in)), err
		},
		leave: leaveIn(replies, batch.Reply[LockAnswer]{}, LockAnswer{Verdict: stock.Exists}),
	}
	t.run(firstOfEach(calls, replies, func(c LockCall) []string { return []string{c.Order.ID} }), true)
	return replies, nil
}

// waitMany queues orders in one transaction: all, or it says which of them must not.
func (s *Store) waitMany(ctx context.Context, calls []LockCall) (answers []LockAnswer, err error) {
	_, err = s.WithHandover(ctx, s.Atomically, func(q mysql.Tx, h *Handover) (bool, error) {
		q = s.watched(q)
		if err := rowsFirst(ctx, s, q, calls); err != nil {
			return false, err
		}
		some, why, err := s.waitThese(ctx, q, h, calls)
		switch {
		case mysql.Number(err) == mysql.ErrDuplicate:
			return false, errKnown
		case err != nil:
			return false, err
		}
		answers = some
		return some != nil, mysql.RefuseEach(why)
	})
	return answers, err
}

// waitThese queues orders for one item, and hands over what it has. It reports why the item or the buyers do not allow some of them;
// then, and where it has no answers, nothing is to be kept.
func (s *Store) waitThese(
	ctx context.Context, q mysql.Tx, h *Handover, calls []LockCall,
) (answers []LockAnswer, why []error, err error) {
	at, err := s.claimWaiters(ctx, q, calls)
	if err != nil {
		return nil, nil, err
	}
	if err := h.Lock(ctx, q); err != nil {
		return nil, nil, err
	}
	sums, ok := sumsOf(calls)
	if !ok {
		return nil, nil, fault.ErrOverflow
	}
	key, num := sums[0].Key, sums[0].num
	rows, err := mysql.Affected(q.ExecContext(ctx, mysql.Render(s.SQL.queueUp, num, key.SKU, key.Activity, num)))
	if err != nil {
		return nil, nil, err
	}
	if why, err = s.refuseWaiters(ctx, q, h, calls, num*rows, at); err != nil || mysql.RefuseEach(why) != nil {
		return nil, why, err
	}
	if rows == 0 { // the item is there, and cannot count so many who wait
		return nil, nil, fault.ErrOverflow
	}
	h.asked = true
	s.queues.note()
	kept, err := h.Finish(ctx, q, []stock.Key{key}, s.told())
	if err != nil || !kept {
		return nil, make([]error, len(calls)), err
	}
	answers = make([]LockAnswer, len(calls))
	for i, c := range calls {
		answers[i] = LockAnswer{Verdict: stock.Done, at: placeOf(at, i), offered: h.offeredAt(c.Order.ID)}
	}
	return answers, why, nil
}

// placeOf returns when the nth order of a batch has come, so that they keep their order.
func placeOf(at time.Time, n int) time.Time { return at.Add(time.Duration(n) * time.Microsecond) }

// claimWaiters claims the orders, and makes the rows of their buyers, who have nothing yet.
func (s *Store) claimWaiters(ctx context.Context, q mysql.Tx, calls []LockCall) (at time.Time, err error) {
	if at, err = mysql.ClockIn(ctx, q); err != nil {
		return at, err
	}
	if s.Bound() {
		err = s.makeBuyers(ctx, q, buyersOfCalls(calls))
	}
	if err == nil {
		err = mysql.Insert(ctx, q, s.SQL.insertWaiters(at, calls), s.SQL.deleteHolds(calls))
	}
	if err == nil && !s.Bound() {
		err = s.makeBuyers(ctx, q, buyersOfCalls(calls))
	}
	return at, err
}

// refuseWaiters returns why the item, or its limits, do not allow some orders that have queued for num units together. The item is locked,
// and the buyers were, so that these reads wait for nobody.
func (s *Store) refuseWaiters(
	ctx context.Context, q mysql.Tx, h *Handover, calls []LockCall, num int64, at time.Time,
) ([]error, error) {
	key := calls[0].Line().Key()
	if err := h.judge.lockItems(ctx, q, s.SQL, []stock.Key{key}); err != nil {
		return nil, err
	}
	item := h.judge.items[key]
	item.Key = key
	item.Waiting -= num
	var buyers []buyerKey
	for _, c := range calls {
		if c.Order.Buyer != "" && countsBuyers(item, c.Line().Num) {
			buyers = append(buyers, buyerKey{key, c.Order.Buyer})
		}
	}
	usages := map[buyerKey]stock.Usage{}
	for part := range slices.Chunk(unique(buyers, buyerKey.compare), mysql.MaxList) {
		if err := mysql.Read(ctx, q, s.SQL.readUsages(part)+" FOR UPDATE", scanUsages(usages)); err != nil {
			return nil, err
		}
	}
	why := make([]error, len(calls))
	for i, c := range calls {
		is := stock.ItemUsage{Item: item, Usage: usages[buyerKey{key, c.Order.Buyer}]}
		if c.Order.Refuses(is, c.Line(), at) != nil {
			why[i] = errRefused
		}
	}
	return why, nil
}

// calmFor is how long HandOver does not look again after it has found nothing left. A call that meets an order that waits ends that time.
const calmFor = time.Minute

// queues are the queues of a store, as far as its process has met them. It is safe for concurrent use.
type queues struct {
	met   atomic.Int64 // how often
	calm  atomic.Int64 // how often it was when nothing was left
	until atomic.Int64 // nobody looks until then, in microseconds of the process's clock, unless they are met

	turns turns // transactions that know to whom they hand over take turns: each changes who comes next

	mu     sync.Mutex
	behind stock.Key // the last item that a sweep has looked at; zero once it has looked at all
}

// turns has one transaction at a time for each item. The zero value is ready to use.
type turns struct {
	mu sync.Mutex
	of map[stock.Key]*turn
}

// turn is that of an item.
type turn struct {
	slot chan struct{}
	uses int // how many have it or wait for it
}

// take waits until it is the turn of a transaction at some items, whose keys are sorted.
func (t *turns) take(ctx context.Context, keys []stock.Key) (done func(), err error) {
	var taken []stock.Key
	done = func() {
		for _, key := range taken {
			<-t.use(key, -1)
		}
	}
	for _, key := range keys {
		select {
		case t.use(key, 1) <- struct{}{}:
			taken = append(taken, key)
		case <-ctx.Done():
			t.use(key, -1)
			done()
			return nil, fmt.Errorf("%w: %w", fault.ErrUnavailable, ctx.Err())
		}
	}
	return done, nil
}

// use counts one more or one less who uses the turn of an item.
func (t *turns) use(key stock.Key, more int) chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.of == nil {
		t.of = map[stock.Key]*turn{}
	}
	is := t.of[key]
	if is == nil {
		is = &turn{slot: make(chan struct{}, 1)}
		t.of[key] = is
	}
	if is.uses += more; is.uses == 0 {
		delete(t.of, key)
	}
	return is.slot
}

// note is told of an item that orders wait for.
func (q *queues) note() { q.met.Add(1) }

// calmed reports whether nothing can be left; and returns what to call where nothing is.
func (q *queues) calmed() (calm bool, found func()) {
	met := q.met.Load()
	if met == q.calm.Load() && time.Now().UnixMicro() < q.until.Load() {
		return true, nil
	}
	return false, func() {
		q.calm.Store(met)
		q.until.Store(time.Now().Add(calmFor).UnixMicro())
	}
}

// HandOver implements stock.Store. It carries nothing of the shop.
func (s *Store) HandOver(ctx context.Context) error {
	if err := s.Ready(); err != nil || s.queues == nil {
		return err
	}
	calm, nothing := s.queues.calmed()
	if calm {
		return nil
	}
	s = s.Plain()
	keys, left, err := s.leftBehind(ctx)
	switch {
	case err != nil:
		return err
	case !left:
		nothing()
	}
	var failed error
	for _, key := range keys {
		switch err := mysql.Reason(s.handOver(ctx, key)); {
		case errors.Is(err, mysql.ErrStuck): // the next sweep serves an item that others keep
		case fault.Stops(err):
			return errors.Join(failed, err)
		default:
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

// handOver gives what an item has available to those who wait for it. While it waits for the item it keeps no other.
func (s *Store) handOver(ctx context.Context, key stock.Key) error {
	_, err := s.WithHandover(ctx, s.Atomically, func(q mysql.Tx, h *Handover) (bool, error) {
		q = s.Watch(q, mysql.Patience)
		if err := h.Lock(ctx, q); err != nil {
			return false, err
		}
		h.asked = true
		ok, err := h.Finish(ctx, q, []stock.Key{key}, s.told())
		return ok && len(h.offered) > 0, err
	})
	return err
}

// leftBehind returns items that have units available for orders that wait, and are on sale: the next ones behind those of the sweep
// before. It also reports whether there may be others, as there are where a sale begins later. Of a sale that is over, a change of its
// terms hands over by itself.
func (s *Store) leftBehind(ctx context.Context) (keys []stock.Key, left bool, err error) {
	s.queues.mu.Lock()
	defer s.queues.mu.Unlock()
	from, seen := s.queues.behind, 0
	query := mysql.Render(s.SQL.leftBehind, from.SKU, from.SKU, from.Activity, mysql.MaxList)
	err = s.Show(ctx, query, func(rows *sql.Rows) error {
		var key stock.Key
		var begun bool
		err := rows.Scan(&key.SKU, &key.Activity, &begun)
		if s.queues.behind, seen = key, seen+1; begun {
			keys = append(keys, key)
		}
		return err
	})
	if err != nil || seen < mysql.MaxList {
		s.queues.behind = stock.Key{}
	}
	return keys, seen > 0 || from != stock.Key{}, err
}

// Ahead implements stock.Store.
func (s *Store) Ahead(ctx context.Context, hold stock.Hold) (ahead, waiting int64, err error) {
	if err := s.Ready(); err != nil {
		return 0, 0, err
	}
	key := hold.Lines[0].Key()
	query := mysql.Render(s.SQL.ahead, hold.Deadline, hold.Deadline, hold.Order, key.SKU, key.Activity)
	err = s.Show(ctx, query, func(rows *sql.Rows) error { return rows.Scan(&ahead, &waiting) })
	return ahead, waiting, err
}
