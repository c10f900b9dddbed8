package ledger

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// stockSQL is every statement of the stock store for a prefix: rendered once, or, where it grows
// with the lines of an order, when it is needed. The question marks are filled in by render. testdata/statements.sql has all of them to read.
type Statements struct {
	Items, Holds, buyers, refunds, changes string // table names

	createItem, changeTerms, changeLimit string
	CloseOrder, fenceOrder, setDeadline  string
	countState, LockRefunds              string
	claim, claimPaid, lookAtItem         string
	known, knownNow                      string
	lockOrder, lockRefund, lockChange    string
	blankHold, blankRefund, blankChange  mysql.Blank
	readHold, readHolds, LockHolds       string
	readRefund, readChange               string
	listItems                            string
	dueOfItem, dueOfAll, stillDue        string
	holdsByItem, bookItem, bookBuyers    string
	changeBuyer                          string

	Moves map[stock.Step]string      // of the steps that move a hold
	Many  map[stock.Step]moveManySQL // of those that do not draw
}

// goodsStock is the table of the items of ordinary stock. The tables of the units of each kind have one shape.
const GoodsStock = "goods_stock"

// counters are the columns of the five quantities, in the order of stock.Quantities.
var counters = [...]string{"STOCK_TOTAL_NUM", "STOCK_SALE_NUM", "STOCK_LOCK_NUM", "STOCK_LEFT_NUM", "STOCK_REFUND_NUM"}

// each returns quantities in the order of counters.
func each(q stock.Quantities) [5]int64 {
	return [...]int64{q.Total, q.Sold, q.Locked, q.Left, q.Refunded}
}

// touch is set with every change of an item.
const Touch = "UPDATE_TIME = " + mysql.Now + ", s.VERSION = s.VERSION + 1"

// available is what a Lock can take of item s; for an unlimited one, what the counters can hold.
var available = fmt.Sprintf("IF(s.UNLIMITED = 1, %d - s.STOCK_SALE_NUM - s.STOCK_LOCK_NUM, s.STOCK_LEFT_NUM - s.STOCK_LOCK_NUM)", int64(math.MaxInt64))

// open is the part of Lock's guard that does not depend on the buyer: the item is on sale, the
// line is within the limit per order, and the units are there. It prevents overselling, since the
// row is locked from the moment it is evaluated to the commit.
func open(num string) string {
	return "s.STATUS = 0 AND (s.START_TIME IS NULL OR s.START_TIME <= " + mysql.Now + ") AND (s.END_TIME IS NULL OR s.END_TIME > " + mysql.Now + ")" +
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
	if t.Change.Locked > 0 {
		guard += " AND (s.HOLD_LIMIT = 0 OR b.HOLD_NUM <= s.HOLD_LIMIT)"
	}
	return guard
}

// newStockSQL renders the statements for the tables of a name.
func NewStatements(name string) *Statements {
	q := &Statements{
		Items: name, Holds: name + "_hold", buyers: name + "_buyer", refunds: name + "_refund", changes: name + "_change",
		Moves: map[stock.Step]string{}, Many: map[stock.Step]moveManySQL{},
	}
	q.renderItems()
	q.renderHolds()
	q.renderReads()
	q.renderBooks()
	q.renderBuyers()
	for _, t := range stock.Transitions() {
		if len(t.From) > 0 && t.From[0] != stock.Unheld && t.To != stock.Unheld {
			q.Moves[t.Step] = q.renderMove(t, 0)
			if !t.Draws() {
				q.Many[t.Step] = q.renderMany(t)
			}
		}
	}
	return q
}

// renderItems renders what a definition does.
func (q *Statements) renderItems() {
	q.createItem = "INSERT INTO " + q.Items + " (SKU_ID, ACTIVITY_ID, STOCK_TOTAL_NUM, STOCK_LEFT_NUM, SPU_ID, UNLIMITED, STATUS," +
		" START_TIME, END_TIME, ORDER_LIMIT, BUYER_LIMIT, HOLD_LIMIT, CREATE_TIME, UPDATE_TIME)" +
		" VALUES (" + mysql.List("?", 12) + ", " + mysql.Now + ", " + mysql.Now + ")"
	terms := "UPDATE " + q.Items + " s " + mysql.ByKey + " SET s.SPU_ID = ?, s.STATUS = ?, s.START_TIME = ?, s.END_TIME = ?," +
		" s.ORDER_LIMIT = ?, s.BUYER_LIMIT = ?, s.HOLD_LIMIT = ?, s." + Touch
	// A change of terms must not meet an item that has become limited or unlimited in between.
	q.changeTerms = terms + " WHERE s.SKU_ID = ? AND s.ACTIVITY_ID = ? AND s.UNLIMITED = ?"
	// Nor must a new total be less than what was sold and locked in between.
	q.changeLimit = terms + ", s.UNLIMITED = ?, s.STOCK_TOTAL_NUM = ?, s.STOCK_LEFT_NUM = IF(?, ? - s.STOCK_SALE_NUM, 0)" +
		" WHERE s.SKU_ID = ? AND s.ACTIVITY_ID = ? AND s.UNLIMITED = ? AND s.STOCK_TOTAL_NUM = ?" +
		" AND (NOT ? OR s.STOCK_SALE_NUM + s.STOCK_LOCK_NUM <= ?)"
}

// renderHolds renders what happens to the holds of an order alone.
func (q *Statements) renderHolds() {
	q.claim = "INSERT INTO " + q.Holds + " (ORDER_NO, LINE_NO, LINE_NUM, SKU_ID, ACTIVITY_ID, NUM, BUYER_ID, STATE, EXPIRE_TIME, CREATE_TIME, UPDATE_TIME"
	q.claimPaid = q.claim + ", PAY_TIME) VALUES "
	q.claim += ") VALUES "
	q.CloseOrder = "INSERT INTO " + q.Holds + " (ORDER_NO, LINE_NO, SKU_ID, ACTIVITY_ID, NUM, STATE, EXPIRE_TIME, CREATE_TIME, UPDATE_TIME)" +
		fmt.Sprintf(" VALUES (?, 1, 0, 0, 0, %d, ", stock.Cancelled) + mysql.List(mysql.Now, 3) + ")"
	q.fenceOrder = "UPDATE " + q.Holds + " " + mysql.ByKey + " SET FENCE = FENCE + 1 WHERE ORDER_NO = ?"
	q.setDeadline = "UPDATE " + q.Holds + " " + mysql.ByKey + " SET EXPIRE_TIME = ?, FENCE = FENCE + 1, UPDATE_TIME = " + mysql.Now +
		fmt.Sprintf(" WHERE ORDER_NO = ? AND STATE = %d AND FENCE = ? AND EXPIRE_TIME = ? AND EXPIRE_TIME > ", stock.Locked) + mysql.Now
	q.LockRefunds = "SELECT ORDER_NO, STATE, FENCE, REFUND_NUM FROM " + q.Holds + " FORCE INDEX (PRIMARY) WHERE ORDER_NO IN (?) AND LINE_NO = 1 FOR UPDATE"
	q.countState = "SELECT COUNT(*) FROM " + q.Holds + " WHERE ORDER_NO = ? AND STATE = ?"
}

// insertHolds renders the INSERT that claims an order. Its first line collides with another Lock of
// the order and with an order that was closed. LAST_INSERT_ID(expr) makes the server return
// the clock of the statement with its answer (MySQL Reference Manual, Information Functions): the
// deadline is known without a read.
func (q *Statements) insertHolds(c LockCall) string {
	args := make([]any, 0, 9*len(c.Order.Lines))
	for i, l := range c.Order.Lines {
		args = append(args, c.Order.ID, i+1, len(c.Order.Lines), l.SKU, l.Activity, l.Num, buyerOf(c.Order.Buyer), c.HoldFor.Microseconds())
		if !c.Order.Until.IsZero() {
			args = append(args, c.Order.Until)
		}
	}
	return mysql.Render(q.insertHoldsText(c.transition(), len(c.Order.Lines), !c.Order.Until.IsZero()), args...)
}

func (q *Statements) insertHoldsText(t stock.Transition, lines int, until bool) string {
	claim, times := q.claim, mysql.List(mysql.Now, 2)
	if t.To == stock.Paid {
		claim, times = q.claimPaid, mysql.List(mysql.Now, 3)
	}
	row := func(deadline string) string {
		if until { // the same as Order.Deadline
			deadline = "LEAST(" + deadline + ", ?)"
		}
		return fmt.Sprintf("(?, ?, ?, ?, ?, ?, ?, %d, %s, %s)", t.To, deadline, times)
	}
	first := row(fmt.Sprintf("TIMESTAMPADD(MICROSECOND, LAST_INSERT_ID(%s) + ?, %s)", mysql.Micros(mysql.Now), mysql.Epoch))
	return claim + first + strings.Repeat(", "+row("TIMESTAMPADD(MICROSECOND, ?, "+mysql.Now+")"), lines-1)
}

// insertMany renders the same for many orders, with the clock as it was read before:
// expressions in every row would cost MySQL more than the rows. It writes the text at once, since
// this is the largest of all.
func (q *Statements) insertMany(at time.Time, calls []LockCall) string {
	clock := mysql.Timestamp(at)
	claim, times := q.claim, 2 // of creation and change
	if calls[0].Order.Immediate {
		claim, times = q.claimPaid, 3
	}
	var last time.Time // the deadline of the call before, mostly the same
	var deadline string
	var b strings.Builder
	b.Grow(len(claim) + 250*len(calls))
	b.WriteString(claim)
	for i, c := range calls {
		if until := c.Order.Deadline(at, c.HoldFor); i == 0 || !until.Equal(last) {
			last, deadline = until, mysql.Timestamp(until)
		}
		for no, l := range c.Order.Lines {
			if i+no > 0 {
				b.WriteByte(',')
			}
			b.WriteByte('(')
			mysql.BytesLiteral(&b, c.Order.ID)
			b.WriteByte(',')
			for _, n := range [...]int64{int64(no + 1), int64(len(c.Order.Lines)), l.SKU, l.Activity, l.Num} {
				mysql.Integer(&b, n)
				b.WriteByte(',')
			}
			if c.Order.Buyer == "" {
				b.WriteString("NULL,")
			} else {
				mysql.BytesLiteral(&b, c.Order.Buyer)
				b.WriteByte(',')
			}
			mysql.Integer(&b, int64(c.transition().To))
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
func (q *Statements) countHolds(usages []buyerUsage) string {
	args := make([]any, 0, 6*len(usages))
	for _, u := range usages {
		args = append(args, u.SKU, u.Activity, u.buyer, u.Held, u.Bought, u.Holds)
	}
	return mysql.Render(q.countHoldsText(len(usages)), args...)
}

func (q *Statements) countHoldsText(buyers int) string {
	return "INSERT INTO " + q.buyers + " (SKU_ID, ACTIVITY_ID, BUYER_ID, HELD_NUM, BOUGHT_NUM, HOLD_NUM) VALUES " + mysql.List("(?, ?, ?, ?, ?, ?)", buyers) +
		" ON DUPLICATE KEY UPDATE HELD_NUM = HELD_NUM + VALUES(HELD_NUM), BOUGHT_NUM = BOUGHT_NUM + VALUES(BOUGHT_NUM), HOLD_NUM = HOLD_NUM + VALUES(HOLD_NUM)"
}

// lockItems renders the guarded UPDATE of StepLock or StepTake. Each item that lets its line be locked
// is one affected row. Several lines come as a table that drives the join, so that the items are
// locked in the order of their keys and two orders cannot deadlock.
func (q *Statements) lockItems(order stock.Order) string {
	var args []any
	if len(order.Lines) > 1 {
		for _, l := range order.Lines {
			args = append(args, l.SKU, l.Activity, l.Num)
		}
		if order.Buyer != "" {
			args = append(args, order.Buyer)
		}
		return mysql.Render(q.lockItemsText(order.Step().Transition(), len(order.Lines), order.Buyer != ""), args...)
	}
	l := order.Lines[0]
	if order.Buyer != "" {
		args = append(args, order.Buyer)
	}
	t := order.Step().Transition()
	args = append(args, changes(t, l.Num)...)
	return mysql.Render(q.lockItemsText(t, 1, order.Buyer != ""), append(args, l.SKU, l.Activity, l.Num, l.Num)...)
}

// changes returns the arguments of the change of an item: a number for each counter that moves.
func changes(t stock.Transition, num int64) []any {
	var args []any
	for _, sign := range each(t.Change) {
		if sign != 0 {
			args = append(args, num)
		}
	}
	return args
}

// lockItem renders the same for several orders of one item: their sum, the largest of them, and
// their buyers, whose rows count these orders already.
func (q *Statements) lockItem(key LockKey, sum, largest int64, anonymous bool, usages []buyerUsage) string {
	t := stock.Order{Immediate: key.Taken}.Step().Transition()
	args := append(changes(t, sum), key.SKU, key.Activity, largest, sum)
	if len(usages) > 0 {
		args = append(args, key.SKU, key.Activity)
	}
	for _, u := range usages {
		args = append(args, u.buyer)
	}
	return mysql.Render(q.lockItemText(t, anonymous, len(usages)), args...)
}

func (q *Statements) lockItemText(t stock.Transition, nobody bool, buyers int) string {
	text := q.lockItemsText(t, 1, false)
	if !nobody {
		text = strings.TrimSuffix(text, anybody)
	}
	if buyers > 0 {
		text += " AND NOT EXISTS (SELECT 1 FROM " + q.buyers + " b WHERE b.SKU_ID = ? AND b.ACTIVITY_ID = ? AND b.BUYER_ID IN (" + mysql.List("?", buyers) + ")" +
			" AND NOT (" + within(t) + "))"
	}
	return text
}

func (q *Statements) lockItemsText(t stock.Transition, lines int, buyer bool) string {
	from, num, where := q.Items+" s", "?", " WHERE s.SKU_ID = ? AND s.ACTIVITY_ID = ? AND "
	if lines > 1 {
		from, num, where = q.itemsOf(lines), "l.NUM", " WHERE "
	}
	guard := open(num) + anybody
	if buyer {
		from += " STRAIGHT_JOIN " + q.buyers + " b " + mysql.ByKey + " ON b.SKU_ID = s.SKU_ID AND b.ACTIVITY_ID = s.ACTIVITY_ID AND b.BUYER_ID = ?"
		guard = open(num) + " AND " + within(t)
	}
	return mysql.Driven(lines, "UPDATE "+from+" SET "+ItemChange(t.Change, num)+", s."+Touch+where+guard)
}

// itemsOf joins items to lines that the statement brings along: the key of each, and a number.
func (q *Statements) itemsOf(lines int) string {
	return "(SELECT ? AS SKU_ID, ? AS ACTIVITY_ID, ? AS NUM" + strings.Repeat(" UNION ALL SELECT ?, ?, ?", lines-1) + ") l" +
		" STRAIGHT_JOIN " + q.Items + " s " + mysql.ByKey + " ON s.SKU_ID = l.SKU_ID AND s.ACTIVITY_ID = l.ACTIVITY_ID"
}

// itemChange renders the change of a transition for num units of item s. No assignment reads a
// column that another one writes: the servers do not agree on what it would see.
func ItemChange(change stock.Quantities, num string) string {
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
func (q *Statements) move(step stock.Step, call MoveCall, lines int) string {
	text := q.Moves[step]
	if lines > 0 {
		text = q.renderMove(step.Transition(), lines)
	}
	if step == stock.StepExpire {
		return mysql.Render(text, call.Order)
	}
	return mysql.Render(text, call.Order, call.fence)
}

// renderMove renders the one UPDATE that moves the holds of an order and, line by line, their
// items and what their buyer has. A hold of nobody has a BUYER_ID of NULL, which the left join
// does not even look up. The holds come first and by line number, that is by item: every step of
// every order takes its locks in this order. Without the number of lines the holds are found by a part of their key, which
// locks the gap behind them: for the length of a statement that commits itself.
func (q *Statements) renderMove(t stock.Transition, n int) string {
	set := fmt.Sprintf("h.STATE = %d, h.UPDATE_TIME = %s", t.To, mysql.Now)
	if t.To == stock.Paid {
		set += ", h.PAY_TIME = " + mysql.Now
	}
	from := q.Holds + " h"
	if n > 0 {
		from = lines(n) + " STRAIGHT_JOIN " + from + " " + mysql.ByKey
	}
	if t.Change != (stock.Quantities{}) {
		if n == 0 {
			from += " " + mysql.ByKey
		}
		from += q.joined()
		set += ", " + ItemChange(t.Change, "h.NUM") + ", s." + Touch + buyerChange(t.Change, "h.NUM")
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
	return mysql.Driven(n, "UPDATE "+from+" SET "+set+" WHERE "+guard)
}

// guard renders which holds h let a step. The state lets exactly one of the steps that race for an
// order through.
func guard(t stock.Transition) string {
	text := "h.STATE " + In(t.From)
	switch t.When {
	case stock.Live:
		text += " AND h.EXPIRE_TIME > " + mysql.Now
	case stock.Dead:
		text += " AND h.EXPIRE_TIME <= " + mysql.Now
	case stock.Anytime:
	}
	return text
}

// joined joins holds h to their items and buyers.
func (q *Statements) joined() string {
	return " LEFT JOIN " + q.buyers + " b " + mysql.ByKey + " ON b.SKU_ID = h.SKU_ID AND b.ACTIVITY_ID = h.ACTIVITY_ID AND b.BUYER_ID = h.BUYER_ID" +
		" STRAIGHT_JOIN " + q.Items + " s " + mysql.ByKey + " ON s.SKU_ID = h.SKU_ID AND s.ACTIVITY_ID = h.ACTIVITY_ID"
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
func In(states []stock.State) string {
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
func (q *Statements) renderMany(t stock.Transition) moveManySQL {
	first := " FORCE INDEX (PRIMARY) SET STATE = %d, UPDATE_TIME = #"
	if t.To == stock.Paid {
		first += ", PAY_TIME = #"
	}
	return moveManySQL{
		lock: "SELECT ORDER_NO, LINE_NUM, SKU_ID, ACTIVITY_ID, NUM, COALESCE(BUYER_ID, x''), FENCE, " + mysql.Micros(mysql.Now) + " FROM " + q.Holds +
			" h FORCE INDEX (PRIMARY) WHERE h.ORDER_NO IN (?) AND h.LINE_NO = 1 AND " + guard(t) + " FOR UPDATE",
		// What was locked is moved, and dated as of then.
		move: fmt.Sprintf("UPDATE "+q.Holds+first+" WHERE ORDER_NO IN (?) AND LINE_NO = 1 AND STATE ", t.To) + In(t.From),
	}
}

// moveManySQL is a step of many orders. In move, each # stands for the clock.
type moveManySQL struct{ lock, move string }

// moved renders the UPDATE that moves what was locked at a time.
func (m moveManySQL) Moved(at time.Time, orders []string) string {
	return mysql.RenderList(strings.ReplaceAll(m.move, "#", mysql.Render("?", at)), orders)
}

// tallyItems adds the sums of a batch to its items: each row once.
func (q *Statements) tallyItems(items int) string {
	var columns, set []string
	for _, counter := range counters {
		columns = append(columns, "? AS "+counter)
		n := "l." + counter
		if counter == "STOCK_TOTAL_NUM" || counter == "STOCK_LEFT_NUM" { // an unlimited item has neither
			n = "IF(s.UNLIMITED = 1, 0, " + n + ")"
		}
		set = append(set, fmt.Sprintf("s.%s = s.%s + %s", counter, counter, n))
	}
	return mysql.Driven(items, "UPDATE (SELECT ? AS SKU_ID, ? AS ACTIVITY_ID, "+strings.Join(columns, ", ")+
		strings.Repeat(" UNION ALL SELECT "+mysql.List("?", 2+len(counters)), items-1)+") l STRAIGHT_JOIN "+q.Items+" s "+mysql.ByKey+
		" ON s.SKU_ID = l.SKU_ID AND s.ACTIVITY_ID = l.ACTIVITY_ID SET "+strings.Join(set, ", ")+", s."+Touch)
}

// tallyBuyers does the same to what some of their buyers have.
func (q *Statements) tallyBuyers(g *buyerGroup) string {
	args := []any{g.Held, g.Bought, g.Holds, g.SKU, g.Activity}
	for _, buyer := range g.buyers {
		args = append(args, buyer)
	}
	return mysql.Render(q.tallyBuyersText(len(g.buyers)), args...)
}

func (q *Statements) tallyBuyersText(buyers int) string {
	return "UPDATE " + q.buyers + " " + mysql.ByKey + " SET HELD_NUM = HELD_NUM + ?, BOUGHT_NUM = BOUGHT_NUM + ?, HOLD_NUM = HOLD_NUM + ?" +
		" WHERE SKU_ID = ? AND ACTIVITY_ID = ? AND BUYER_ID IN (" + mysql.List("?", buyers) + ")"
}

// insertRefunds renders the INSERT that claims the numbers of refunds.
func (q *Statements) insertRefunds(refunds ...stock.RefundRecord) string {
	var args []any
	for _, r := range refunds {
		for i, l := range r.Lines {
			args = append(args, r.ID, i+1, len(r.Lines), r.Order, l.SKU, l.Activity, l.Num, r.Restock, r.Whole, r.Frees)
		}
	}
	return mysql.Render(q.insertRefundText(len(args)/10), args...)
}

func (q *Statements) insertRefundText(lines int) string {
	return "INSERT INTO " + q.refunds + " (REFUND_NO, LINE_NO, LINE_NUM, ORDER_NO, SKU_ID, ACTIVITY_ID, NUM, RESTOCK, WHOLE, FREE, CREATE_TIME)" +
		" VALUES " + mysql.List("("+mysql.List("?", 10)+", "+mysql.Now+")", lines)
}

// lockRefunded renders the read that locks the lines of an order: by the whole of their keys, so that no gap beside them is
// locked, where the holds of new orders go.
func (q *Statements) lockRefunded(hold stock.Hold) string {
	return mysql.Render(q.lockRefundedText(len(hold.Lines)), hold.Order, int64(hold.State), hold.Fence)
}

func (q *Statements) lockRefundedText(n int) string {
	return "SELECT h.LINE_NO, h.REFUND_NUM FROM " + lines(n) + " STRAIGHT_JOIN " + q.Holds + " h " + mysql.ByKey +
		" ON h.ORDER_NO = ? AND h.LINE_NO = n.NO WHERE h.STATE = ? AND h.FENCE = ? FOR UPDATE"
}

// setState renders the UPDATE of the state of all lines of an order, which are locked.
func (q *Statements) setState(hold stock.Hold, to stock.State) string {
	return mysql.Render(q.setStateText(len(hold.Lines)), int64(to), hold.Order, int64(hold.State))
}

func (q *Statements) setStateText(lines int) string {
	return "UPDATE " + q.Holds + " " + mysql.ByKey + " SET STATE = ?, UPDATE_TIME = " + mysql.Now + " WHERE ORDER_NO = ? AND STATE = ?" + wholeKeys(lines)
}

// refundHolds renders the UPDATE of the holds of orders of which the same is refunded, which are locked: of a batch
// mostly all.
func (q *Statements) refundHolds(r refundShape, orders []string) string {
	return mysql.RenderList(mysql.Render(q.refundHoldsText(), r.Refunded, r.restocked, r.freed, int64(r.to))+" AND ORDER_NO IN (?)", orders)
}

func (q *Statements) refundHoldsText() string {
	return "UPDATE " + q.Holds + " " + mysql.ByKey + " SET REFUND_NUM = REFUND_NUM + ?, RESTOCK_NUM = RESTOCK_NUM + ?, FREE_NUM = FREE_NUM + ?," +
		" STATE = ?, UPDATE_TIME = " + mysql.Now + " WHERE STATE " + In(stock.StepRefund.Transition().From) + " AND LINE_NO = 1"
}

// refundLine renders the guarded UPDATE of one line of a refund.
func (q *Statements) refundLine(c RefundCall, l stock.Line, no int) string {
	restocked, freed := int64(0), c.freed(l.Num)
	if c.Refund.Restock {
		restocked = l.Num
	}
	text := q.refundLineText(c.transition(), strconv.FormatInt(l.Num, 10))
	return mysql.Render(text, l.Num, restocked, freed, freed, c.Hold.Order, no, c.Hold.Lines[no-1].Refunded)
}

func (q *Statements) refundLineText(t stock.Transition, num string) string {
	return "UPDATE " + q.Holds + " h " + mysql.ByKey + q.joined() + " SET h.REFUND_NUM = h.REFUND_NUM + ?, h.RESTOCK_NUM = h.RESTOCK_NUM + ?, h.FREE_NUM = h.FREE_NUM + ?," +
		" h.UPDATE_TIME = " + mysql.Now + ", " + ItemChange(t.Change, num) + ", s." + Touch + ", b.BOUGHT_NUM = b.BOUGHT_NUM - ?" +
		" WHERE h.ORDER_NO = ? AND h.LINE_NO = ? AND h.STATE " + In(t.From) + " AND h.REFUND_NUM = ?"
}

// insertChange renders the INSERT that claims the change's number.
func (q *Statements) insertChange(c stock.Change) string {
	args := make([]any, 0, 15*len(c.Entries))
	for i, e := range c.Entries {
		args = append(args, int64(c.Kind.Scope()), c.ID, i+1, len(c.Entries), int64(c.Kind), e.SKU, e.Activity, buyerOf(e.Buyer))
		for _, d := range each(e.Delta) {
			args = append(args, d)
		}
		args = append(args, e.Holds, restOf(e))
	}
	return mysql.Render(q.insertChangeText(len(c.Entries)), args...)
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

func (q *Statements) insertChangeText(entries int) string {
	return "INSERT INTO " + q.changes + " (SCOPE, CHANGE_NO, LINE_NO, LINE_NUM, KIND, SKU_ID, ACTIVITY_ID, BUYER_ID," +
		" TOTAL_NUM, SALE_NUM, LOCK_NUM, LEFT_NUM, REFUND_NUM, HOLD_NUM, REST, CREATE_TIME)" +
		" VALUES " + mysql.List("("+mysql.List("?", 15)+", "+mysql.Now+")", entries)
}

// applyToItem renders the guarded UPDATE of one entry: no counter leaves its range, what is
// locked stays covered by what is left, and a total moves only where there is one.
func (q *Statements) applyToItem(e stock.Entry) string {
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
	set = append(set, "s."+Touch)
	guard = slices.Concat([]string{fmt.Sprintf("s.SKU_ID = %d AND s.ACTIVITY_ID = %d", e.SKU, e.Activity)}, guard)
	return "UPDATE " + q.Items + " s " + mysql.ByKey + " SET " + strings.Join(set, ", ") + " WHERE " + strings.Join(guard, " AND ")
}

// A buyer's row is made if need be, and then changed: a constraint keeps it from becoming
// negative, and would see the change itself as a row if one statement did both.
func (q *Statements) renderBuyers() {
	q.changeBuyer = "UPDATE " + q.buyers + " " + mysql.ByKey + " SET HELD_NUM = HELD_NUM + ?, BOUGHT_NUM = BOUGHT_NUM + ?, HOLD_NUM = HOLD_NUM + ?" +
		" WHERE SKU_ID = ? AND ACTIVITY_ID = ? AND BUYER_ID = ?"
}

// makeBuyers renders the INSERT of the rows of some buyers, which leaves those alone that are there.
func (q *Statements) makeBuyers(buyers ...buyerKey) string {
	var args []any
	for _, b := range buyers {
		args = append(args, b.SKU, b.Activity, b.buyer)
	}
	return mysql.Render(q.makeBuyersText(len(buyers)), args...)
}

func (q *Statements) makeBuyersText(buyers int) string {
	return "INSERT INTO " + q.buyers + " (SKU_ID, ACTIVITY_ID, BUYER_ID) VALUES " + mysql.List("(?, ?, ?)", buyers) + " ON DUPLICATE KEY UPDATE HOLD_NUM = HOLD_NUM"
}
