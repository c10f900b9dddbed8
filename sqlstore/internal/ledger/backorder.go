package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// The line of a hold says how many of its units have not come yet: BACK_NUM. Which lines of an item wait, and in which order, the table
// of backorders says: one row for each line that has ever waited, with STATE 0. It is an index that nobody pays for who has no
// backorders: a step that ends the wait of a line leaves the row alone, and whoever meets it looks at the hold, which has the last word.

// backs are lines of orders by how many of their units have not come yet.
type backs map[int64]lineKeys

// add adds a line, unless all of its units are there.
func (b backs) add(order string, no int, num int64) {
	if num == 0 {
		return
	}
	b.set(order, no, num)
}

// set adds a line, whatever its units are.
func (b backs) set(order string, no int, num int64) {
	if b[num] == nil {
		b[num] = lineKeys{}
	}
	b[num].add(order, no)
}

// renderBackorders renders what looks for lines that wait.
func (q *Statements) renderBackorders() {
	queue := " " + mysql.By(q.backorders, "queue") + " WHERE "
	q.coverable = "SELECT s.SKU_ID, s.ACTIVITY_ID FROM (SELECT DISTINCT SKU_ID, ACTIVITY_ID FROM " + q.backorders + queue + "STATE = 0) l" +
		" STRAIGHT_JOIN " + q.Items + " s " + mysql.ByKey + " ON s.SKU_ID = l.SKU_ID AND s.ACTIVITY_ID = l.ACTIVITY_ID" +
		" WHERE s.BACK_NUM = 0 OR s.UNLIMITED = 1 OR s.STOCK_LEFT_NUM - s.STOCK_LOCK_NUM > s.RESERVE_NUM LIMIT ?"
	q.backorderQueue = "SELECT ORDER_NO, LINE_NO FROM " + q.backorders + queue +
		"STATE = 0 AND SKU_ID = ? AND ACTIVITY_ID = ? ORDER BY LOCK_TIME, ORDER_NO LIMIT ?"
	q.newest = "SELECT h.ORDER_NO, h.LINE_NO FROM " + q.Holds + " h " +
		mysql.By(q.Holds, "due") + fmt.Sprintf(" WHERE h.SKU_ID = ? AND h.ACTIVITY_ID = ? AND h.STATE IN (%d, %d)", stock.Locked, stock.Paid) +
		" AND h.NUM - h.REFUND_NUM - h.REDEEM_NUM > h.BACK_NUM ORDER BY h.CREATE_TIME DESC, h.ORDER_NO DESC LIMIT ?"
	// None of an item's units are given that others were promised meanwhile, or that are kept.
	q.coverItem = "UPDATE " + q.Items + " s " + mysql.ByKey + " SET s.STOCK_TOTAL_NUM = s.STOCK_TOTAL_NUM - IF(s.UNLIMITED = 1, 0, ?)," +
		" s.STOCK_LEFT_NUM = s.STOCK_LEFT_NUM - IF(s.UNLIMITED = 1, 0, ?), s.BACK_NUM = s.BACK_NUM - ?, s." + Touch +
		" WHERE s.SKU_ID = ? AND s.ACTIVITY_ID = ? AND s.BACK_NUM >= ?" +
		" AND (s.UNLIMITED = 1 OR s.STOCK_LEFT_NUM - s.STOCK_LOCK_NUM - s.RESERVE_NUM >= ?)"
	q.insertBackorders = "INSERT INTO " + q.backorders + " (ORDER_NO, SKU_ID, ACTIVITY_ID, LINE_NO, LOCK_TIME)" +
		" SELECT ORDER_NO, SKU_ID, ACTIVITY_ID, LINE_NO, CREATE_TIME FROM " + q.Holds + " " + mysql.ByKey + " WHERE "
	q.setBack = "UPDATE " + q.Holds + " " + mysql.ByKey + " SET BACK_NUM = ? WHERE "
	q.changeBack = strings.Replace(q.setBack, " WHERE", ", UPDATE_TIME = "+mysql.Now+" WHERE", 1)
}

// lockBacks renders the read that locks lines of holds.
func (q *Statements) lockBacks(keys lineKeys) string {
	return "SELECT ORDER_NO, LINE_NO, SKU_ID, ACTIVITY_ID, STATE, NUM - REFUND_NUM - REDEEM_NUM, BACK_NUM, NUM, COALESCE(BUYER_ID, x'')" +
		" FROM " + q.Holds + " " + mysql.ByKey + " WHERE " + keys.where() + " FOR UPDATE"
}

// insertBackordersText renders the INSERT of lines that wait for units: of what their holds have, which are locked. A line that has waited
// before has a row, which may name another line.
func (q *Statements) insertBackordersText(keys lineKeys) string {
	return q.insertBackorders + keys.where() + " ON DUPLICATE KEY UPDATE STATE = 0, LINE_NO = VALUES(LINE_NO), LOCK_TIME = VALUES(LOCK_TIME)"
}

// endBackorders renders the UPDATE of rows whose lines wait no more, unless these have moved to other rows.
func (q *Statements) endBackorders(key stock.Key, keys lineKeys) string {
	return "UPDATE " + q.backorders + " " + mysql.ByKey + " SET STATE = 1 WHERE " +
		mysql.Render("SKU_ID = ? AND ACTIVITY_ID = ? AND ", key.SKU, key.Activity) + keys.where()
}

// setBacks writes into lines of holds, which are locked, how many of their units have not come yet.
func setBacks(ctx context.Context, q mysql.Tx, set string, lines backs) error {
	for _, num := range slices.Sorted(maps.Keys(lines)) {
		if _, err := q.ExecContext(ctx, mysql.Render(set, num)+lines[num].where()); err != nil {
			return err
		}
	}
	return nil
}

// backorder has lines of holds, which are locked, wait for so many of their units. Set is setBack, as a part of the step of an order, or
// changeBack.
func (q *Statements) backorder(ctx context.Context, tx mysql.Tx, set string, lines backs) error {
	if err := setBacks(ctx, tx, set, lines); err != nil {
		return err
	}
	for _, num := range slices.Sorted(maps.Keys(lines)) {
		if _, err := tx.ExecContext(ctx, q.insertBackordersText(lines[num])); err != nil {
			return err
		}
	}
	return nil
}

// leaveBackorders leaves the holds out that have units which have not come yet.
func (m *MovedHolds) leaveBackorders() {
	maps.DeleteFunc(m.holds, func(_ string, h *lockedHold) bool {
		return slices.ContainsFunc(h.backs, func(back int64) bool { return back > 0 })
	})
}

// noteBackorders notes which units a step has drawn that have not come yet.
func (m *MovedHolds) noteBackorders(ctx context.Context, q mysql.Tx, statements *Statements, t stock.Transition) error {
	if !t.Draws() {
		return nil
	}
	lines := backs{}
	for order, h := range m.holds {
		for i, back := range h.backs {
			lines.add(order, i+1, back)
		}
	}
	return statements.backorder(ctx, q, statements.setBack, lines)
}

// backorder notes which units of the orders have not come yet: those that they have kept, maybe in other lines, and those that are new.
func (b *amendments) backorder(ctx context.Context, q mysql.Tx) error {
	lines := backs{}
	for _, i := range b.in {
		for n, l := range b.lines[i] {
			lines.add(b.calls[i].record.To.Order, n+1, l.Backordered)
		}
	}
	return b.SQL.backorder(ctx, q, b.SQL.setBack, lines)
}

// lockDecided changes items, which are locked and let it, by orders of which so many units of each line have not come yet.
func (s *Store) lockDecided(ctx context.Context, q mysql.Tx, calls []LockCall, short [][]int64) error {
	t, lines := NewTally(), backs{}
	for i, c := range calls {
		of := short[i] //nolint:gosec // one for each call
		for n, l := range c.Order.Lines {
			delta := c.transition().Delta.Times(l.Num)
			delta.Backordered = of[n]
			if !t.add(delta, buyerKey{Key: l.Key()}, stock.Usage{}) {
				return stock.ErrOverflow
			}
			lines.add(c.Order.ID, n+1, of[n])
		}
	}
	if err := t.Apply(ctx, q, &Handover{Store: s}); err != nil {
		return err
	}
	return s.SQL.backorder(ctx, q, s.SQL.setBack, lines)
}

// lockBackordered is the second try of an order by itself, which is claimed and counted for its buyer: it decides under the locks of
// its items what is there. It returns how many units of each line are not, and whether the order fits.
func (s *Store) lockBackordered(ctx context.Context, q mysql.Tx, call LockCall) (short []int64, ok bool, err error) {
	b := NewLockBatch(s, []LockCall{call})
	if b.entries, err = b.lockItems(ctx, q); err != nil {
		return nil, false, err
	}
	usages, err := b.lockBuyers(ctx, q, b.Calls)
	if err != nil {
		return nil, false, err
	}
	a := newAdmission(b.entries, usages)
	short, refusal, err := a.draw(call)
	if err != nil || refusal != nil {
		return nil, false, err
	}
	return short, true, s.lockDecided(ctx, q, b.Calls, [][]int64{short})
}

// backorderLine is a line of a hold that may wait for units.
type backorderLine struct {
	order string
	no    int
	buyer string
	num   int64
	room  int64 // units that are neither refunded nor handed over
	back  int64 // of which so many have not come yet
}

// lockLinesFor locks lines of holds, and returns those that are of an item and wait for units, or could.
func (s *Store) lockLinesFor(ctx context.Context, q mysql.Tx, key stock.Key, keys lineKeys) (map[string]backorderLine, error) {
	lines := map[string]backorderLine{}
	err := mysql.Read(ctx, q, s.SQL.lockBacks(keys), func(rows *sql.Rows) error {
		var l backorderLine
		var of stock.Key
		var state stock.State
		err := rows.Scan(&l.order, &l.no, &of.SKU, &of.Activity, &state, &l.room, &l.back, &l.num, &l.buyer)
		if of == key && (state == stock.Locked || state == stock.Paid) {
			lines[l.order] = l
		}
		return err
	})
	return lines, err
}

// lineAt is a line of an order by its number.
type lineAt struct {
	order string
	no    int
}

// lineKeysOf returns lines by the whole of their keys.
func lineKeysOf(lines []lineAt) lineKeys {
	keys := lineKeys{}
	for _, l := range lines {
		keys.add(l.order, l.no)
	}
	return keys
}

// readLineKeys reads lines of orders.
func (s *Store) readLineKeys(ctx context.Context, query string) (lines []lineAt, err error) {
	err = s.Query(ctx, query, func(rows *sql.Rows) error {
		var l lineAt
		err := rows.Scan(&l.order, &l.no)
		lines = append(lines, l)
		return err
	})
	return lines, err
}

// coverTries bounds how often an item is covered that others change meanwhile. What is left comes with the next sweep.
const coverTries = 10

// Cover implements stock.Store. It goes beside the batches.
func (s *Store) Cover(ctx context.Context, keys []stock.Key, limit int) ([]stock.Effect, error) {
	if err := s.Ready(); err != nil || s.Bound() {
		return nil, err
	}
	s = s.Plain()
	if len(keys) == 0 {
		err := s.Query(ctx, mysql.Render(s.SQL.coverable, limit), func(rows *sql.Rows) error {
			var key stock.Key
			err := rows.Scan(&key.SKU, &key.Activity)
			keys = append(keys, key)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	for _, key := range keys {
		for tries, most := 0, limit; tries < coverTries; {
			c, err := s.cover(ctx, key, most)
			if errors.Is(err, mysql.ErrStuck) {
				most, err = s.unlocked(ctx, c)
			}
			if err != nil || len(c.effects) > 0 {
				return c.effects, err
			}
			if len(c.lines) == 0 {
				break
			}
			if !c.kept { // or it has met lines that wait no more
				tries++
			}
		}
	}
	return nil, nil
}

// unlocked returns how many of the lines that have waited longest nobody else has locked. Where it is the first that is locked, or the
// item, it waits for that.
func (s *Store) unlocked(ctx context.Context, c coverBatch) (int, error) {
	calls := make([]callRows, len(c.lines))
	for i, at := range c.lines {
		calls[i] = callRows{order: at.order, keys: []stock.Key{c.key}}
	}
	stuck, err := s.stuckOn(ctx, calls)
	if err != nil {
		return 0, err
	}
	first := slices.IndexFunc(stuck, func(e *stuckError) bool { return e != nil })
	switch first {
	case -1:
		return len(calls), nil
	case 0:
		return len(calls), s.await(ctx, stuck[0].row)
	}
	return first, nil
}

// coverBatch is what a transaction gives to lines that wait for units of an item.
type coverBatch struct {
	key     stock.Key
	lines   []lineAt // in the order in which they get them
	left    int64    // units that are not given yet
	given   int64
	after   backs    // of the lines that get some
	done    []lineAt // that wait no more
	effects []stock.Effect
	told    *Told
	kept    bool
}

// line gives units to a line, and reports whether to go on.
func (c *coverBatch) line(at lineAt, is backorderLine) bool {
	n := min(is.back, c.left)
	switch {
	case is.back == 0: // it is over, or has moved
		c.done = append(c.done, at)
		return true
	case n == 0:
		return false
	}
	c.left, c.given = c.left-n, c.given+n
	c.after.set(at.order, at.no, is.back-n)
	c.effects = append(c.effects, stock.Effect{
		Step: stock.StepCover, Order: at.order, Lines: []stock.Line{{SKU: c.key.SKU, Activity: c.key.Activity, Num: n}},
	})
	if n == is.back {
		c.done = append(c.done, at)
		c.told.order(event.Event{
			Kind: event.Covered, Order: at.order, Buyer: is.buyer, SKU: c.key.SKU, Activity: c.key.Activity, Num: is.num,
		})
	}
	return true
}

// cover gives units of an item to up to so many of the lines that have waited longest. What it has looked at without a lock is looked
// at again: the holds once they are locked, and the item by the guard of its UPDATE, which comes last.
func (s *Store) cover(ctx context.Context, key stock.Key, limit int) (c coverBatch, err error) {
	entries, scan := scanLooks([]stock.Key{key})
	err = s.Query(ctx, s.SQL.lookAtItems([]stock.Key{key}, false), func(rows *sql.Rows) error { _, err := scan(rows); return err })
	if err != nil {
		return c, err
	}
	item := entries[key].Item
	if item.Coverable() == 0 && item.Backordered > 0 {
		return c, nil
	}
	lines, err := s.readLineKeys(ctx, mysql.Render(s.SQL.backorderQueue, key.SKU, key.Activity, limit))
	if err != nil || len(lines) == 0 {
		return c, err
	}
	kept, err := s.Atomically(ctx, func(q mysql.Tx) (bool, error) {
		c = coverBatch{key: key, lines: lines, left: item.Coverable(), after: backs{}, told: s.told()}
		return s.coverLines(ctx, s.watched(q), &c)
	})
	if c.kept = kept; !kept {
		c.effects = nil
	}
	return c, err
}

// coverLines covers within a transaction.
func (s *Store) coverLines(ctx context.Context, q mysql.Tx, c *coverBatch) (bool, error) {
	lines, err := s.lockLinesFor(ctx, q, c.key, lineKeysOf(c.lines))
	if err != nil {
		return false, err
	}
	for _, at := range c.lines {
		if !c.line(at, lines[at.order]) {
			break
		}
	}
	if err := setBacks(ctx, q, s.SQL.changeBack, c.after); err != nil {
		return false, err
	}
	if len(c.done) > 0 {
		if _, err := q.ExecContext(ctx, s.SQL.endBackorders(c.key, lineKeysOf(c.done))); err != nil {
			return false, err
		}
	}
	if c.given == 0 {
		return len(c.done) > 0, nil
	}
	n := c.given
	rows, err := mysql.Affected(q.ExecContext(ctx, mysql.Render(s.SQL.coverItem, n, n, n, c.key.SKU, c.key.Activity, n, n)))
	if err != nil || rows == 0 {
		return false, err
	}
	return true, s.Tell(ctx, q, c.told)
}

// newestOf reads the lines that the units of a count are missing for: the newest first, enough of them.
func (s *Store) newestOf(ctx context.Context, e stock.Entry) ([]lineAt, error) {
	return s.readLineKeys(ctx, mysql.Render(s.SQL.newest, e.SKU, e.Activity, e.Delta.Backordered))
}

// lack has the newest orders of an item wait for units that a count has not found, and reports whether there are as many.
func (s *Store) lack(ctx context.Context, q mysql.Tx, e stock.Entry, newest []lineAt) (bool, error) {
	lines := map[string]backorderLine{}
	sorted := slices.SortedFunc(slices.Values(newest), func(a, b lineAt) int { return cmp.Compare(a.order, b.order) })
	for part := range slices.Chunk(sorted, mysql.MaxList) {
		some, err := s.lockLinesFor(ctx, q, e.Key, lineKeysOf(part))
		if err != nil {
			return false, err
		}
		maps.Copy(lines, some)
	}
	missing, after, n := e.Delta.Backordered, backs{}, 0
	for i, at := range newest {
		l := lines[at.order]
		short := min(missing, l.room-l.back)
		if short <= 0 {
			continue
		}
		missing -= short
		after.set(at.order, at.no, l.back+short)
		if n++; n == mysql.MaxList || missing == 0 || i == len(newest)-1 {
			if err := s.SQL.backorder(ctx, q, s.SQL.changeBack, after); err != nil {
				return false, err
			}
			after, n = backs{}, 0
		}
	}
	return missing == 0, nil
}
