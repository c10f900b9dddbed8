package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"time"

	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// renderQueues renders what there is of orders that wait. The index of the deadlines has them in the order of arrival.
func (q *Statements) renderQueues() {
	of := q.Holds + " h " + mysql.By(q.Holds, "due") + fmt.Sprintf(" WHERE h.SKU_ID = ? AND h.ACTIVITY_ID = ? AND h.STATE = %d", stock.Waiting)
	q.queue = "SELECT h.ORDER_NO, h.NUM, COALESCE(h.BUYER_ID, x''), " + mysql.Micros("h.EXPIRE_TIME") + " FROM " + of +
		" AND h.NUM <= ? ORDER BY h.EXPIRE_TIME, h.ORDER_NO LIMIT ?"
	q.ahead = "SELECT COALESCE(SUM(h.EXPIRE_TIME < ? OR (h.EXPIRE_TIME = ? AND h.ORDER_NO < ?)), 0), COUNT(*) FROM " + of
	q.leftBehind = "SELECT s.SKU_ID, s.ACTIVITY_ID FROM " + q.Items + " s WHERE s.WAIT_NUM > 0 AND " + available +
		" > 0 ORDER BY s.SKU_ID, s.ACTIVITY_ID LIMIT ?"
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

// insertWaiters renders the INSERT of the holds of orders that wait: each has one line, and its place in the queue is the time.
func (q *Statements) insertWaiters(at time.Time, calls []LockCall) string {
	args := make([]any, 0, 9*len(calls))
	for _, n := range byOrder(calls) {
		c, l := calls[n], calls[n].Line()
		args = append(args, c.Order.ID, l.SKU, l.Activity, l.Num, buyerOf(c.Order.Buyer), c.HoldFor.Microseconds(), at, at, at)
	}
	return mysql.Render(q.insertWaitersText(len(calls)), args...)
}

func (q *Statements) insertWaitersText(calls int) string {
	row := fmt.Sprintf("(?, 1, 1, ?, ?, ?, ?, %d, ?, ?, ?, ?)", stock.Waiting)
	return "INSERT INTO " + q.Holds + " (ORDER_NO, LINE_NO, LINE_NUM, SKU_ID, ACTIVITY_ID, NUM, BUYER_ID, STATE, HOLD_MICROS, EXPIRE_TIME," +
		" CREATE_TIME, UPDATE_TIME) VALUES " + mysql.List(row, calls)
}

// wait queues one order by itself. It gets its units in the same transaction where they are there.
func (s *Store) wait(ctx context.Context, call LockCall) (LockAnswer, error) {
	s = s.withRows(call.Rows)
	answer, key := LockAnswer{}, call.Line().Key()
	kept, err := s.HandingOver(ctx, s.changeBeside(nil), func(q mysql.Tx, h *Handover) (_ bool, err error) {
		q = s.watched(q)
		if answer.at, err = s.claimWaiters(ctx, q, []LockCall{call}); err != nil {
			return false, err
		}
		if err := h.Lock(ctx, q); err != nil {
			return false, err
		}
		num := call.Line().Num
		rows, err := h.exec(ctx, q, mysql.Render(s.SQL.queueUp, num, key.SKU, key.Activity, num))
		if err != nil || rows == 0 {
			return false, err
		}
		is, err := s.waitedUsage(ctx, q, h, call)
		if err != nil || call.Order.Refuses(is, call.Line(), answer.at) != nil {
			return false, err
		}
		h.asked = true // by itself
		ok, err := h.Finish(ctx, q, []stock.Key{key}, s.told())
		answer.offered = h.offeredAt(call.Order.ID)
		return ok, err
	})
	answer.Verdict, err = ExistsOnDuplicate(DoneIf(kept), err)
	return answer, err
}

// claimWaiters claims the orders, and makes the rows of their buyers, who have nothing yet.
func (s *Store) claimWaiters(ctx context.Context, q mysql.Tx, calls []LockCall) (at time.Time, err error) {
	if at, err = mysql.ClockIn(ctx, q); err != nil {
		return at, err
	}
	if s.Bound() {
		err = s.makeBuyers(ctx, q, calls)
	}
	if err == nil {
		err = mysql.Insert(ctx, q, s.SQL.insertWaiters(at, calls), s.SQL.deleteHolds(calls))
	}
	if err == nil && !s.Bound() {
		err = s.makeBuyers(ctx, q, calls)
	}
	return at, err
}

// waitedUsage returns the item of an order that has queued, without this order, and what its buyer has of it. Both are locked.
func (s *Store) waitedUsage(ctx context.Context, q mysql.Tx, h *Handover, call LockCall) (is stock.ItemUsage, err error) {
	key := buyerKey{call.Line().Key(), call.Order.Buyer}
	if err := h.judge.lockItems(ctx, q, s.SQL, []stock.Key{key.Key}); err != nil {
		return is, err
	}
	is.Item = h.judge.items[key.Key]
	is.Waiting -= call.Line().Num
	if key.buyer != "" && countsBuyers(is.Item, call.Line().Num) {
		usages := map[buyerKey]stock.Usage{}
		err = mysql.Read(ctx, q, s.SQL.readUsages([]buyerKey{key})+" FOR UPDATE", scanUsages(usages))
		is.Usage = usages[key]
	}
	return is, err
}

// HandOver implements stock.Store. It carries nothing of the shop.
func (s *Store) HandOver(ctx context.Context) error {
	if err := s.Ready(ctx); err != nil || !s.queues {
		return err
	}
	s = s.Plain()
	var keys []stock.Key
	err := s.Show(ctx, mysql.Render(s.SQL.leftBehind, mysql.MaxList), func(rows *sql.Rows) error {
		var key stock.Key
		err := rows.Scan(&key.SKU, &key.Activity)
		keys = append(keys, key)
		return err
	})
	if err != nil || len(keys) == 0 {
		return err
	}
	_, err = s.HandingOver(ctx, s.Atomically, func(q mysql.Tx, h *Handover) (bool, error) {
		if err := h.Lock(ctx, s.watched(q)); err != nil {
			return false, err
		}
		h.asked = true
		ok, err := h.Finish(ctx, q, keys, s.told())
		return ok && len(h.offered) > 0, err
	})
	return mysql.Reason(err)
}

// Ahead implements stock.Store.
func (s *Store) Ahead(ctx context.Context, hold stock.Hold) (ahead, waiting int64, err error) {
	if err := s.Ready(ctx); err != nil {
		return 0, 0, err
	}
	key := hold.Lines[0].Key()
	query := mysql.Render(s.SQL.ahead, hold.Deadline, hold.Deadline, hold.Order, key.SKU, key.Activity)
	err = s.Show(ctx, query, func(rows *sql.Rows) error { return rows.Scan(&ahead, &waiting) })
	return ahead, waiting, err
}
