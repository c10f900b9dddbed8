package sqlstore

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/stock"
)

// stockSQL is every statement of the stock store for a prefix: rendered once, or, where it grows
// with the lines of an order, when it is needed. The question marks are filled in by render. testdata/statements.sql has all of them to read.
type stockSQL struct {
	items, holds, buyers, refunds, changes string // table names

	createItem, changeTerms, changeLimit string
	closeOrder, fenceOrder, setDeadline  string
	countState, lockRefunds              string
	claim, claimPaid, lookAtItem         string
	known, knownNow                      string
	lockOrder, lockRefund, lockChange    string
	blankHold, blankRefund, blankChange  blank
	readHold, readHolds, lockHolds       string
	readRefund, readChange               string
	listItems                            string
	dueOfItem, dueOfAll, stillDue        string
	holdsByItem, bookItem, bookBuyers    string
	changeBuyer                          string

	moves map[stock.Step]string      // of the steps that move a hold
	many  map[stock.Step]moveManySQL // of those that do not draw
}

// counters are the columns of the five quantities, in the order of stock.Quantities.
var counters = [...]string{"STOCK_TOTAL_NUM", "STOCK_SALE_NUM", "STOCK_LOCK_NUM", "STOCK_LEFT_NUM", "STOCK_REFUND_NUM"}

// each returns quantities in the order of counters.
func each(q stock.Quantities) [5]int64 {
	return [...]int64{q.Total, q.Sold, q.Locked, q.Left, q.Refunded}
}

// byKey is the hint that finds the rows of a join by their primary key. Without it a server may scan a table
// that it takes for small, and lock every row of it.
const byKey = "FORCE INDEX (PRIMARY)"

// touch is set with every change of an item.
const touch = "UPDATE_TIME = " + now + ", s.VERSION = s.VERSION + 1"

// available is what a Lock can take of item s; for an unlimited one, what the counters can hold.
var available = fmt.Sprintf("IF(s.UNLIMITED = 1, %d - s.STOCK_SALE_NUM - s.STOCK_LOCK_NUM, s.STOCK_LEFT_NUM - s.STOCK_LOCK_NUM)", int64(math.MaxInt64))

// open is the part of Lock's guard that does not depend on the buyer: the item is on sale, the
// line is within the limit per order, and the units are there. It prevents overselling, since the
// row is locked from the moment it is evaluated to the commit.
func open(num string) string {
	return "s.STATUS = 0 AND (s.START_TIME IS NULL OR s.START_TIME <= " + now + ") AND (s.END_TIME IS NULL OR s.END_TIME > " + now + ")" +
		" AND (s.ORDER_LIMIT = 0 OR s.ORDER_LIMIT >= " + num + ") AND " + available + " >= " + num
}

// Without a buyer, an item that limits buyers refuses. With one, the buyer's own row counts this
// order already, and has been locked since, so that two orders of one buyer cannot both pass.
const (
	anybody = " AND s.BUYER_LIMIT = 0 AND s.HOLD_LIMIT = 0"

	// room is what a buyer may hold beside what the buyer has bought: up to the limit, or to
	// what the counters can count. Written as a difference, it cannot overflow.
	room = "IF(s.BUYER_LIMIT = 0, 9223372036854775807, s.BUYER_LIMIT) - b.BOUGHT_NUM"
)

// within is the buyer's part of the guard of a step that opens a hold: a Lock counts as a live one.
func within(t stock.Transition) string {
	guard := "b.HELD_NUM <= " + room
	if t.Delta.Locked > 0 {
		guard += " AND (s.HOLD_LIMIT = 0 OR b.HOLD_NUM <= s.HOLD_LIMIT)"
	}
	return guard
}

// newStockSQL renders the statements for the tables of a name.
func newStockSQL(name string) *stockSQL {
	q := &stockSQL{
		items: name, holds: name + "_hold", buyers: name + "_buyer", refunds: name + "_refund", changes: name + "_change",
		moves: map[stock.Step]string{}, many: map[stock.Step]moveManySQL{},
	}
	q.renderItems()
	q.renderHolds()
	q.renderReads()
	q.renderBooks()
	q.renderBuyers()
	for _, t := range stock.Transitions() {
		if len(t.From) > 0 && t.From[0] != stock.Unheld && t.To != stock.Unheld {
			q.moves[t.Step] = q.renderMove(t, 0)
			if !t.Draws() {
				q.many[t.Step] = q.renderMany(t)
			}
		}
	}
	return q
}

// renderItems renders what a definition does.
func (q *stockSQL) renderItems() {
	q.createItem = "INSERT INTO " + q.items + " (SKU_ID, ACTIVITY_ID, STOCK_TOTAL_NUM, STOCK_LEFT_NUM, SPU_ID, UNLIMITED, STATUS," +
		" START_TIME, END_TIME, ORDER_LIMIT, BUYER_LIMIT, HOLD_LIMIT, CREATE_TIME, UPDATE_TIME)" +
		" VALUES (" + list("?", 12) + ", " + now + ", " + now + ")"
	terms := "UPDATE " + q.items + " s " + byKey + " SET s.SPU_ID = ?, s.STATUS = ?, s.START_TIME = ?, s.END_TIME = ?," +
		" s.ORDER_LIMIT = ?, s.BUYER_LIMIT = ?, s.HOLD_LIMIT = ?, s." + touch
	// A change of terms must not meet an item that has become limited or unlimited in between.
	q.changeTerms = terms + " WHERE s.SKU_ID = ? AND s.ACTIVITY_ID = ? AND s.UNLIMITED = ?"
	// Nor must a new total be less than what was sold and locked in between.
	q.changeLimit = terms + ", s.UNLIMITED = ?, s.STOCK_TOTAL_NUM = ?, s.STOCK_LEFT_NUM = IF(?, ? - s.STOCK_SALE_NUM, 0)" +
		" WHERE s.SKU_ID = ? AND s.ACTIVITY_ID = ? AND s.UNLIMITED = ? AND s.STOCK_TOTAL_NUM = ?" +
		" AND (NOT ? OR s.STOCK_SALE_NUM + s.STOCK_LOCK_NUM <= ?)"
}

// renderHolds renders what happens to the holds of an order alone.
func (q *stockSQL) renderHolds() {
	q.claim = "INSERT INTO " + q.holds + " (ORDER_NO, LINE_NO, LINE_NUM, SKU_ID, ACTIVITY_ID, NUM, BUYER_ID, STATE, EXPIRE_TIME, CREATE_TIME, UPDATE_TIME"
	q.claimPaid = q.claim + ", PAY_TIME) VALUES "
	q.claim += ") VALUES "
	q.closeOrder = "INSERT INTO " + q.holds + " (ORDER_NO, LINE_NO, SKU_ID, ACTIVITY_ID, NUM, STATE, EXPIRE_TIME, CREATE_TIME, UPDATE_TIME)" +
		fmt.Sprintf(" VALUES (?, 1, 0, 0, 0, %d, ", stock.Cancelled) + list(now, 3) + ")"
	q.fenceOrder = "UPDATE " + q.holds + " " + byKey + " SET FENCE = FENCE + 1 WHERE ORDER_NO = ?"
	q.setDeadline = "UPDATE " + q.holds + " " + byKey + " SET EXPIRE_TIME = ?, FENCE = FENCE + 1, UPDATE_TIME = " + now +
		fmt.Sprintf(" WHERE ORDER_NO = ? AND STATE = %d AND FENCE = ? AND EXPIRE_TIME = ? AND EXPIRE_TIME > ", stock.Locked) + now
	q.lockRefunds = "SELECT ORDER_NO, STATE, FENCE, REFUND_NUM FROM " + q.holds + " FORCE INDEX (PRIMARY) WHERE ORDER_NO IN (?) AND LINE_NO = 1 FOR UPDATE"
	q.countState = "SELECT COUNT(*) FROM " + q.holds + " WHERE ORDER_NO = ? AND STATE = ?"
}

// insertHolds renders the INSERT that claims an order. Its first line collides with another Lock of
// the order and with an order that was closed. LAST_INSERT_ID(expr) makes the server return
// the clock of the statement with its answer (MySQL Reference Manual, Information Functions): the
// deadline is known without a read.
func (q *stockSQL) insertHolds(c lockCall) string {
	args := make([]any, 0, 9*len(c.order.Lines))
	for i, l := range c.order.Lines {
		args = append(args, c.order.ID, i+1, len(c.order.Lines), l.SKU, l.Activity, l.Num, buyerOf(c.order.Buyer), c.holdFor.Microseconds())
		if !c.order.Until.IsZero() {
			args = append(args, c.order.Until)
		}
	}
	return render(q.insertHoldsText(c.transition(), len(c.order.Lines), !c.order.Until.IsZero()), args...)
}

func (q *stockSQL) insertHoldsText(t stock.Transition, lines int, until bool) string {
	claim, times := q.claim, list(now, 2)
	if t.To == stock.Paid {
		claim, times = q.claimPaid, list(now, 3)
	}
	row := func(deadline string) string {
		if until { // the same as Order.Deadline
			deadline = "LEAST(" + deadline + ", ?)"
		}
		return fmt.Sprintf("(?, ?, ?, ?, ?, ?, ?, %d, %s, %s)", t.To, deadline, times)
	}
	first := row(fmt.Sprintf("TIMESTAMPADD(MICROSECOND, LAST_INSERT_ID(%s) + ?, %s)", micros(now), epoch))
	return claim + first + strings.Repeat(", "+row("TIMESTAMPADD(MICROSECOND, ?, "+now+")"), lines-1)
}

// insertMany renders the same for many orders, with the clock as it was read before:
// expressions in every row would cost MySQL more than the rows. It writes the text at once, since
// this is the largest of all.
func (q *stockSQL) insertMany(at time.Time, calls []lockCall) string {
	clock := timestamp(at)
	claim, times := q.claim, 2 // of creation and change
	if calls[0].order.Immediate {
		claim, times = q.claimPaid, 3
	}
	var last time.Time // the deadline of the call before, mostly the same
	var deadline string
	var b strings.Builder
	b.Grow(len(claim) + 250*len(calls))
	b.WriteString(claim)
	for i, c := range calls {
		if until := c.order.Deadline(at, c.holdFor); i == 0 || !until.Equal(last) {
			last, deadline = until, timestamp(until)
		}
		for no, l := range c.order.Lines {
			if i+no > 0 {
				b.WriteByte(',')
			}
			b.WriteByte('(')
			bytesLiteral(&b, c.order.ID)
			b.WriteByte(',')
			for _, n := range [...]int64{int64(no + 1), int64(len(c.order.Lines)), l.SKU, l.Activity, l.Num} {
				integer(&b, n)
				b.WriteByte(',')
			}
			if c.order.Buyer == "" {
				b.WriteString("NULL,")
			} else {
				bytesLiteral(&b, c.order.Buyer)
				b.WriteByte(',')
			}
			integer(&b, int64(c.transition().To))
			b.WriteByte(',')
			b.WriteString(deadline)
			for range times {
				b.WriteByte(',')
				b.WriteString(clock)
			}
			b.WriteByte(')')
		}
	}
	return b.String()
}

// buyerOf returns a buyer as a literal: NULL for nobody, which no row of a buyer matches.
func buyerOf(buyer string) any {
	if buyer == "" {
		return nil
	}
	return buyer
}

// countHolds renders the statement that counts orders for their buyers. Limits are looked at
// afterwards, by the UPDATE of the items.
func (q *stockSQL) countHolds(usages []buyerUsage) string {
	args := make([]any, 0, 6*len(usages))
	for _, u := range usages {
		args = append(args, u.SKU, u.Activity, u.buyer, u.Held, u.Bought, u.Holds)
	}
	return render(q.countHoldsText(len(usages)), args...)
}

func (q *stockSQL) countHoldsText(buyers int) string {
	return "INSERT INTO " + q.buyers + " (SKU_ID, ACTIVITY_ID, BUYER_ID, HELD_NUM, BOUGHT_NUM, HOLD_NUM) VALUES " + list("(?, ?, ?, ?, ?, ?)", buyers) +
		" ON DUPLICATE KEY UPDATE HELD_NUM = HELD_NUM + VALUES(HELD_NUM), BOUGHT_NUM = BOUGHT_NUM + VALUES(BOUGHT_NUM), HOLD_NUM = HOLD_NUM + VALUES(HOLD_NUM)"
}

// lockItems renders the guarded UPDATE of StepLock or StepTake. Each item that lets its line be locked
// is one affected row. Several lines come as a table that drives the join, so that the items are
// locked in the order of their keys and two orders cannot deadlock.
func (q *stockSQL) lockItems(order stock.Order) string {
	var args []any
	if len(order.Lines) > 1 {
		for _, l := range order.Lines {
			args = append(args, l.SKU, l.Activity, l.Num)
		}
		if order.Buyer != "" {
			args = append(args, order.Buyer)
		}
		return render(q.lockItemsText(order.Step().Transition(), len(order.Lines), order.Buyer != ""), args...)
	}
	l := order.Lines[0]
	if order.Buyer != "" {
		args = append(args, order.Buyer)
	}
	t := order.Step().Transition()
	args = append(args, changes(t, l.Num)...)
	return render(q.lockItemsText(t, 1, order.Buyer != ""), append(args, l.SKU, l.Activity, l.Num, l.Num)...)
}

// changes returns the arguments of the change of an item: a number for each counter that moves.
func changes(t stock.Transition, num int64) []any {
	var args []any
	for _, sign := range each(t.Delta) {
		if sign != 0 {
			args = append(args, num)
		}
	}
	return args
}

// lockItem renders the same for several orders of one item: their sum, the largest of them, and
// their buyers, whose rows count these orders already.
func (q *stockSQL) lockItem(key lockKey, sum, largest int64, anonymous bool, usages []buyerUsage) string {
	t := stock.Order{Immediate: key.taken}.Step().Transition()
	args := append(changes(t, sum), key.SKU, key.Activity, largest, sum)
	if len(usages) > 0 {
		args = append(args, key.SKU, key.Activity)
	}
	for _, u := range usages {
		args = append(args, u.buyer)
	}
	return render(q.lockItemText(t, anonymous, len(usages)), args...)
}

func (q *stockSQL) lockItemText(t stock.Transition, nobody bool, buyers int) string {
	text := q.lockItemsText(t, 1, false)
	if !nobody {
		text = strings.TrimSuffix(text, anybody)
	}
	if buyers > 0 {
		text += " AND NOT EXISTS (SELECT 1 FROM " + q.buyers + " b WHERE b.SKU_ID = ? AND b.ACTIVITY_ID = ? AND b.BUYER_ID IN (" + list("?", buyers) + ")" +
			" AND NOT (" + within(t) + "))"
	}
	return text
}

func (q *stockSQL) lockItemsText(t stock.Transition, lines int, buyer bool) string {
	from, num, where := q.items+" s", "?", " WHERE s.SKU_ID = ? AND s.ACTIVITY_ID = ? AND "
	if lines > 1 {
		from, num, where = q.itemsOf(lines), "l.NUM", " WHERE "
	}
	guard := open(num) + anybody
	if buyer {
		from += " STRAIGHT_JOIN " + q.buyers + " b " + byKey + " ON b.SKU_ID = s.SKU_ID AND b.ACTIVITY_ID = s.ACTIVITY_ID AND b.BUYER_ID = ?"
		guard = open(num) + " AND " + within(t)
	}
	return driven(lines, "UPDATE "+from+" SET "+itemChange(t.Delta, num)+", s."+touch+where+guard)
}

// itemsOf joins items to lines that the statement brings along: the key of each, and a number.
func (q *stockSQL) itemsOf(lines int) string {
	return "(SELECT ? AS SKU_ID, ? AS ACTIVITY_ID, ? AS NUM" + strings.Repeat(" UNION ALL SELECT ?, ?, ?", lines-1) + ") l" +
		" STRAIGHT_JOIN " + q.items + " s " + byKey + " ON s.SKU_ID = l.SKU_ID AND s.ACTIVITY_ID = l.ACTIVITY_ID"
}

// itemChange renders the change of a transition for num units of item s. No assignment reads a
// column that another one writes: the servers do not agree on what it would see.
func itemChange(change stock.Quantities, num string) string {
	var set []string
	for i, sign := range each(change) {
		if sign == 0 {
			continue
		}
		n := num
		if counters[i] == "STOCK_TOTAL_NUM" || counters[i] == "STOCK_LEFT_NUM" { // an unlimited item has neither
			n = "IF(s.UNLIMITED = 1, 0, " + num + ")"
		}
		set = append(set, fmt.Sprintf("s.%s = s.%s %s %s", counters[i], counters[i], plus(sign), n))
	}
	return strings.Join(set, ", ")
}

// plus returns the operator of a sign.
func plus(sign int64) string {
	if sign < 0 {
		return "-"
	}
	return "+"
}

// move renders a step of an order; of so many lines, where that is known, by their whole keys.
func (q *stockSQL) move(step stock.Step, call moveCall, lines int) string {
	text := q.moves[step]
	if lines > 0 {
		text = q.renderMove(step.Transition(), lines)
	}
	if step == stock.StepExpire {
		return render(text, call.order)
	}
	return render(text, call.order, call.fence)
}

// renderMove renders the one UPDATE that moves the holds of an order and, line by line, their
// items and what their buyer has. A hold of nobody has a BUYER_ID of NULL, which the left join
// does not even look up. The holds come first and by line number, that is by item: every step of
// every order takes its locks in this order. Without the number of lines the holds are found by a part of their key, which
// locks the gap behind them: for the length of a statement that commits itself.
func (q *stockSQL) renderMove(t stock.Transition, n int) string {
	set := fmt.Sprintf("h.STATE = %d, h.UPDATE_TIME = %s", t.To, now)
	if t.To == stock.Paid {
		set += ", h.PAY_TIME = " + now
	}
	from := q.holds + " h"
	if n > 0 {
		from = lines(n) + " STRAIGHT_JOIN " + from + " " + byKey
	}
	if t.Delta != (stock.Quantities{}) {
		if n == 0 {
			from += " " + byKey
		}
		from += q.joined()
		set += ", " + itemChange(t.Delta, "h.NUM") + ", s." + touch + buyerChange(t.Delta, "h.NUM")
	}
	guard := "h.ORDER_NO = ? AND " + guard(t)
	if n > 0 {
		guard = "h.LINE_NO = n.NO AND " + guard
	}
	if t.Step != stock.StepExpire { // a statement that was lost before the order was resolved stays lost
		guard += " AND h.FENCE = ?"
	}
	if t.Draws() {
		guard += " AND " + available + " >= h.NUM" +
			" AND (h.BUYER_ID IS NULL OR b.HELD_NUM <= " + room + " - h.NUM)"
	}
	return driven(n, "UPDATE "+from+" SET "+set+" WHERE "+guard)
}

// guard renders which holds h let a step. The state lets exactly one of the steps that race for an
// order through.
func guard(t stock.Transition) string {
	text := "h.STATE " + in(t.From)
	switch t.When {
	case stock.Live:
		text += " AND h.EXPIRE_TIME > " + now
	case stock.Dead:
		text += " AND h.EXPIRE_TIME <= " + now
	case stock.Anytime:
	}
	return text
}

// joined joins holds h to their items and buyers.
func (q *stockSQL) joined() string {
	return " LEFT JOIN " + q.buyers + " b " + byKey + " ON b.SKU_ID = h.SKU_ID AND b.ACTIVITY_ID = h.ACTIVITY_ID AND b.BUYER_ID = h.BUYER_ID" +
		" STRAIGHT_JOIN " + q.items + " s " + byKey + " ON s.SKU_ID = h.SKU_ID AND s.ACTIVITY_ID = h.ACTIVITY_ID"
}

// buyerChange renders what a change does to what a buyer has: held follows locked, bought
// follows sold, and a hold is one whatever its units.
func buyerChange(change stock.Quantities, num string) string {
	var set string
	if c := change.Locked; c != 0 {
		set += fmt.Sprintf(", b.HELD_NUM = b.HELD_NUM %s %s, b.HOLD_NUM = b.HOLD_NUM %s 1", plus(c), num, plus(c))
	}
	if c := change.Sold; c != 0 {
		set += fmt.Sprintf(", b.BOUGHT_NUM = b.BOUGHT_NUM %s %s", plus(c), num)
	}
	return set
}

// in renders a comparison with some states.
func in(states []stock.State) string {
	names := make([]string, len(states))
	for i, s := range states {
		names[i] = strconv.Itoa(int(s))
	}
	if len(names) == 1 {
		return "= " + names[0]
	}
	return "IN (" + strings.Join(names, ", ") + ")"
}

// renderMany renders a step of many orders at once. The holds are locked first, in the order of the
// primary key, and by the whole of it: a search by a part of it would lock the gaps beside them, where
// the holds of new orders go (MySQL Reference Manual, InnoDB Locking, Gap Locks). So only the first
// lines are, and orders of several lines are told apart. Without the hint a server may scan a small
// table, and lock every hold in it.
func (q *stockSQL) renderMany(t stock.Transition) moveManySQL {
	first := " FORCE INDEX (PRIMARY) SET STATE = %d, UPDATE_TIME = #"
	if t.To == stock.Paid {
		first += ", PAY_TIME = #"
	}
	return moveManySQL{
		lock: "SELECT ORDER_NO, LINE_NUM, SKU_ID, ACTIVITY_ID, NUM, COALESCE(BUYER_ID, x''), FENCE, " + micros(now) + " FROM " + q.holds +
			" h FORCE INDEX (PRIMARY) WHERE h.ORDER_NO IN (?) AND h.LINE_NO = 1 AND " + guard(t) + " FOR UPDATE",
		// What was locked is moved, and dated as of then.
		move: fmt.Sprintf("UPDATE "+q.holds+first+" WHERE ORDER_NO IN (?) AND LINE_NO = 1 AND STATE ", t.To) + in(t.From),
	}
}

// moveManySQL is a step of many orders. In move, each # stands for the clock.
type moveManySQL struct{ lock, move string }

// moved renders the UPDATE that moves what was locked at a time.
func (m moveManySQL) moved(at time.Time, orders []string) string {
	return renderList(strings.ReplaceAll(m.move, "#", render("?", at)), orders)
}

// tallyItems adds the sums of a batch to its items: each row once.
func (q *stockSQL) tallyItems(items int) string {
	var columns, set []string
	for _, counter := range counters {
		columns = append(columns, "? AS "+counter)
		n := "l." + counter
		if counter == "STOCK_TOTAL_NUM" || counter == "STOCK_LEFT_NUM" { // an unlimited item has neither
			n = "IF(s.UNLIMITED = 1, 0, " + n + ")"
		}
		set = append(set, fmt.Sprintf("s.%s = s.%s + %s", counter, counter, n))
	}
	return driven(items, "UPDATE (SELECT ? AS SKU_ID, ? AS ACTIVITY_ID, "+strings.Join(columns, ", ")+
		strings.Repeat(" UNION ALL SELECT "+list("?", 2+len(counters)), items-1)+") l STRAIGHT_JOIN "+q.items+" s "+byKey+
		" ON s.SKU_ID = l.SKU_ID AND s.ACTIVITY_ID = l.ACTIVITY_ID SET "+strings.Join(set, ", ")+", s."+touch)
}

// tallyBuyers does the same to what some of their buyers have.
func (q *stockSQL) tallyBuyers(g *buyerGroup) string {
	args := []any{g.Held, g.Bought, g.Holds, g.SKU, g.Activity}
	for _, buyer := range g.buyers {
		args = append(args, buyer)
	}
	return render(q.tallyBuyersText(len(g.buyers)), args...)
}

func (q *stockSQL) tallyBuyersText(buyers int) string {
	return "UPDATE " + q.buyers + " " + byKey + " SET HELD_NUM = HELD_NUM + ?, BOUGHT_NUM = BOUGHT_NUM + ?, HOLD_NUM = HOLD_NUM + ?" +
		" WHERE SKU_ID = ? AND ACTIVITY_ID = ? AND BUYER_ID IN (" + list("?", buyers) + ")"
}

// insertRefunds renders the INSERT that claims the numbers of refunds.
func (q *stockSQL) insertRefunds(refunds ...stock.RefundRecord) string {
	var args []any
	for _, r := range refunds {
		for i, l := range r.Lines {
			args = append(args, r.ID, i+1, len(r.Lines), r.Order, l.SKU, l.Activity, l.Num, r.Restock, r.Whole, r.Frees)
		}
	}
	return render(q.insertRefundText(len(args)/10), args...)
}

func (q *stockSQL) insertRefundText(lines int) string {
	return "INSERT INTO " + q.refunds + " (REFUND_NO, LINE_NO, LINE_NUM, ORDER_NO, SKU_ID, ACTIVITY_ID, NUM, RESTOCK, WHOLE, FREE, CREATE_TIME)" +
		" VALUES " + list("("+list("?", 10)+", "+now+")", lines)
}

// lockRefunded renders the read that locks the lines of an order: by the whole of their keys, so that no gap beside them is
// locked, where the holds of new orders go.
func (q *stockSQL) lockRefunded(hold stock.Hold) string {
	return render(q.lockRefundedText(len(hold.Lines)), hold.Order, int64(hold.State), hold.Fence)
}

func (q *stockSQL) lockRefundedText(n int) string {
	return "SELECT h.LINE_NO, h.REFUND_NUM FROM " + lines(n) + " STRAIGHT_JOIN " + q.holds + " h " + byKey +
		" ON h.ORDER_NO = ? AND h.LINE_NO = n.NO WHERE h.STATE = ? AND h.FENCE = ? FOR UPDATE"
}

// setState renders the UPDATE of the state of all lines of an order, which are locked.
func (q *stockSQL) setState(hold stock.Hold, to stock.State) string {
	return render(q.setStateText(len(hold.Lines)), int64(to), hold.Order, int64(hold.State))
}

func (q *stockSQL) setStateText(lines int) string {
	return "UPDATE " + q.holds + " " + byKey + " SET STATE = ?, UPDATE_TIME = " + now + " WHERE ORDER_NO = ? AND STATE = ?" + wholeKeys(lines)
}

// refundHolds renders the UPDATE of the holds of orders of which the same is refunded, which are locked: of a batch
// mostly all.
func (q *stockSQL) refundHolds(r refundShape, orders []string) string {
	return renderList(render(q.refundHoldsText(), r.refunded, r.restocked, r.freed, int64(r.to))+" AND ORDER_NO IN (?)", orders)
}

func (q *stockSQL) refundHoldsText() string {
	return "UPDATE " + q.holds + " " + byKey + " SET REFUND_NUM = REFUND_NUM + ?, RESTOCK_NUM = RESTOCK_NUM + ?, FREE_NUM = FREE_NUM + ?," +
		" STATE = ?, UPDATE_TIME = " + now + " WHERE STATE " + in(stock.StepRefund.Transition().From) + " AND LINE_NO = 1"
}

// refundLine renders the guarded UPDATE of one line of a refund.
func (q *stockSQL) refundLine(c refundCall, l stock.Line, no int) string {
	restocked, freed := int64(0), c.freed(l.Num)
	if c.refund.Restock {
		restocked = l.Num
	}
	text := q.refundLineText(c.transition(), strconv.FormatInt(l.Num, 10))
	return render(text, l.Num, restocked, freed, freed, c.hold.Order, no, c.hold.Lines[no-1].Refunded)
}

func (q *stockSQL) refundLineText(t stock.Transition, num string) string {
	return "UPDATE " + q.holds + " h " + byKey + q.joined() + " SET h.REFUND_NUM = h.REFUND_NUM + ?, h.RESTOCK_NUM = h.RESTOCK_NUM + ?, h.FREE_NUM = h.FREE_NUM + ?," +
		" h.UPDATE_TIME = " + now + ", " + itemChange(t.Delta, num) + ", s." + touch + ", b.BOUGHT_NUM = b.BOUGHT_NUM - ?" +
		" WHERE h.ORDER_NO = ? AND h.LINE_NO = ? AND h.STATE " + in(t.From) + " AND h.REFUND_NUM = ?"
}

// insertChange renders the INSERT that claims the change's number.
func (q *stockSQL) insertChange(c stock.Change) string {
	args := make([]any, 0, 15*len(c.Entries))
	for i, e := range c.Entries {
		args = append(args, int64(c.Kind.Scope()), c.ID, i+1, len(c.Entries), int64(c.Kind), e.SKU, e.Activity, buyerOf(e.Buyer))
		for _, d := range each(e.Delta) {
			args = append(args, d)
		}
		args = append(args, e.Holds, restOf(e))
	}
	return render(q.insertChangeText(len(c.Entries)), args...)
}

// restOf returns how much of the rest an entry is: 2 gives it, 1 gets it, 0 has a given number.
func restOf(e stock.Entry) int64 {
	switch {
	case e.Exactly:
		return 2
	case e.Rest:
		return 1
	}
	return 0
}

func (q *stockSQL) insertChangeText(entries int) string {
	return "INSERT INTO " + q.changes + " (SCOPE, CHANGE_NO, LINE_NO, LINE_NUM, KIND, SKU_ID, ACTIVITY_ID, BUYER_ID," +
		" TOTAL_NUM, SALE_NUM, LOCK_NUM, LEFT_NUM, REFUND_NUM, HOLD_NUM, REST, CREATE_TIME)" +
		" VALUES " + list("("+list("?", 15)+", "+now+")", entries)
}

// applyToItem renders the guarded UPDATE of one entry: no counter leaves its range, what is
// locked stays covered by what is left, and a total moves only where there is one.
func (q *stockSQL) applyToItem(e stock.Entry) string {
	var set, guard []string
	for i, d := range each(e.Delta) {
		switch {
		case d < 0:
			guard = append(guard, fmt.Sprintf("s.%s >= %d", counters[i], -d))
		case d > 0:
			guard = append(guard, fmt.Sprintf("s.%s <= %d", counters[i], math.MaxInt64-d))
		default:
			continue
		}
		set = append(set, fmt.Sprintf("s.%s = s.%s + %d", counters[i], counters[i], d))
	}
	if e.Delta.Total != 0 {
		guard = append(guard, "s.UNLIMITED = 0")
	}
	if drawn := e.Delta.Locked - e.Delta.Left; drawn > 0 {
		guard = append(guard, fmt.Sprintf("(s.UNLIMITED = 1 OR s.STOCK_LEFT_NUM - s.STOCK_LOCK_NUM >= %d)", drawn))
	}
	if e.Exactly {
		guard = append(guard, fmt.Sprintf("s.STOCK_LEFT_NUM - s.STOCK_LOCK_NUM = %d", -e.Delta.Left))
	}
	set = append(set, "s."+touch)
	guard = slices.Concat([]string{fmt.Sprintf("s.SKU_ID = %d AND s.ACTIVITY_ID = %d", e.SKU, e.Activity)}, guard)
	return "UPDATE " + q.items + " s " + byKey + " SET " + strings.Join(set, ", ") + " WHERE " + strings.Join(guard, " AND ")
}

// A buyer's row is made if need be, and then changed: a constraint keeps it from becoming
// negative, and would see the change itself as a row if one statement did both.
func (q *stockSQL) renderBuyers() {
	q.changeBuyer = "UPDATE " + q.buyers + " " + byKey + " SET HELD_NUM = HELD_NUM + ?, BOUGHT_NUM = BOUGHT_NUM + ?, HOLD_NUM = HOLD_NUM + ?" +
		" WHERE SKU_ID = ? AND ACTIVITY_ID = ? AND BUYER_ID = ?"
}

// makeBuyers renders the INSERT of the rows of some buyers, which leaves those alone that are there.
func (q *stockSQL) makeBuyers(buyers ...buyerKey) string {
	var args []any
	for _, b := range buyers {
		args = append(args, b.SKU, b.Activity, b.buyer)
	}
	return render(q.makeBuyersText(len(buyers)), args...)
}

func (q *stockSQL) makeBuyersText(buyers int) string {
	return "INSERT INTO " + q.buyers + " (SKU_ID, ACTIVITY_ID, BUYER_ID) VALUES " + list("(?, ?, ?)", buyers) + " ON DUPLICATE KEY UPDATE HOLD_NUM = HOLD_NUM"
}
