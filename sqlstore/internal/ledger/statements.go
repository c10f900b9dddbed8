package ledger

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// Statements is every statement of the stock store for a prefix: rendered once, or, where it grows
// with the lines of an order, when it is needed. Render fills in the question marks. testdata/statements.sql has all of them to
// read.
type Statements struct {
	Items, Holds, buyers, refunds, changes, backorders string // table names

	changeTerms, changeLimit            string
	CloseOrder, fenceOrder, setDeadline string
	countState, LockStates              string
	lockLinesOf                         string
	claim, claimPaid                    string
	known, knownNow                     string
	lockOrder, lockRefund, lockChange   string
	blankHold, blankRefund, blankChange mysql.Blank
	readHold, readHolds, LockHolds      string
	heldOrders                          string
	readRefund, readChange              string
	dueOfItem, dueOfAll, stillDue       string
	listRefunds, listChanges            string
	tallyItem                           string
	coverable, backorderQueue, newest   string
	coverItem, insertBackorders         string
	setBack, changeBack                 string
	changeBuyer                         string
	archiveHolds, refundsOf, lastLines  string
	backordersOf                        string
	lockFinished                        string
	addsUp                              string // behind insertChanges: what the changes have is added to what is there
	queue, ahead, leftBehind, queueUp   string

	Moves map[stock.Step]string      // of the steps that move a hold
	Many  map[stock.Step]moveManySQL // and of many holds at once
}

// GoodsStock is the table of the items of ordinary stock. The tables of the units of each kind have one shape.
const GoodsStock = "goods_stock"

// counters are the columns of the seven quantities, in the order of stock.Quantities. Total and left are stored with the units that are
// backordered, as if these were there: so the constraints that nothing is negative, and that no more is locked than is left, hold for
// an item with backorders as for any other, and nobody may owe units that BACK_NUM does not count.
var counters = [...]string{
	"STOCK_TOTAL_NUM", "STOCK_SALE_NUM", "STOCK_LOCK_NUM", "STOCK_LEFT_NUM", "STOCK_REFUND_NUM", "WAIT_NUM", "BACK_NUM",
}

// each returns quantities in the order of counters, as they are stored.
func each(q stock.Quantities) [7]int64 {
	return [...]int64{q.Total + q.Backordered, q.Sold, q.Locked, q.Left + q.Backordered, q.Refunded, q.Waiting, q.Backordered}
}

// Touch is set with every change of an item.
const Touch = "UPDATE_TIME = " + mysql.Now + ", s.VERSION = s.VERSION + 1"

// available is what a Lock can take of item s without a look at it; for an unlimited one, what the counters can hold. Of an item with
// backorders that is nothing: the second try decides, under the lock of its row, what is there, and who waits for what is not.
var available = fmt.Sprintf("IF(s.UNLIMITED = 1, %d - s.STOCK_SALE_NUM - s.STOCK_LOCK_NUM,"+
	" IF(s.BACK_NUM > 0, 0, s.STOCK_LEFT_NUM - s.STOCK_LOCK_NUM - s.RESERVE_NUM))", int64(math.MaxInt64))

// free is what is there of a limited item s, and promised to nobody.
const free = "s.STOCK_LEFT_NUM - s.STOCK_LOCK_NUM - s.BACK_NUM"

// onSaleNow is that an item s is on the shelf, and its time has come. Of an item that is not begun, the clock alone tells when it is on
// sale; of one that is over or off the shelf, a change of its terms.
const (
	onShelf   = "s.STATUS = 0"
	begun     = "(s.START_TIME IS NULL OR s.START_TIME <= " + mysql.Now + ")"
	notOver   = "(s.END_TIME IS NULL OR s.END_TIME > " + mysql.Now + ")"
	onSaleNow = onShelf + " AND " + begun + " AND " + notOver
)

// onSale is the part of Lock's guard that does not depend on the buyer: the item is on sale, the
// largest line is within the limit per order, and the units are there. It prevents overselling, since the
// row is locked from the moment it is evaluated to the commit.
func onSale(most, num string) string {
	return onSaleNow + " AND (s.ORDER_LIMIT = 0 OR s.ORDER_LIMIT >= " + most + ") AND " + available + " >= " + num
}

// unwaited is the part of the guard that keeps a step behind those who wait.
const (
	unwaited = "(s.WAIT_NUM = 0 OR s.UNLIMITED = 1)"
	yields   = " AND " + unwaited
)

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

// NewStatements renders the statements for the tables of a name.
func NewStatements(name string) *Statements {
	q := &Statements{
		Items: name, Holds: name + "_hold", buyers: name + "_buyer", refunds: name + "_refund", changes: name + "_change",
		backorders: name + "_backorder",
		Moves:      map[stock.Step]string{}, Many: map[stock.Step]moveManySQL{},
	}
	q.renderDefinitions()
	q.renderHolds()
	q.renderReads()
	q.renderLists()
	q.renderBuyers()
	q.renderTally()
	q.renderBackorders()
	q.renderArchive()
	q.renderQueues()
	for _, t := range stock.Transitions() {
		if len(t.From) > 0 && t.From[0] != stock.Unheld && t.To != stock.Unheld {
			q.Many[t.Step] = q.renderMany(t)
			if t.Step != stock.StepOffer {
				q.Moves[t.Step] = q.renderMove(t, 0)
			}
		}
	}
	return q
}

// renderHolds renders what happens to the holds of an order alone.
func (q *Statements) renderHolds() {
	q.claim = "INSERT INTO " + q.Holds +
		" (ORDER_NO, LINE_NO, LINE_NUM, SKU_ID, ACTIVITY_ID, NUM, BUYER_ID, STATE, EXPIRE_TIME, CREATE_TIME, UPDATE_TIME"
	q.claimPaid = q.claim + ", PAY_TIME) VALUES "
	q.claim += ") VALUES "
	q.CloseOrder = "INSERT INTO " + q.Holds + " (ORDER_NO, LINE_NO, SKU_ID, ACTIVITY_ID, NUM, STATE, EXPIRE_TIME, CREATE_TIME, UPDATE_TIME)" +
		fmt.Sprintf(" VALUES (?, 1, 0, 0, 0, %d, ", stock.Cancelled) + mysql.List(mysql.Now, 3) + ")"
	q.fenceOrder = "UPDATE " + q.Holds + " " + mysql.ByKey + " SET FENCE = FENCE + 1 WHERE ORDER_NO = ?"
	q.setDeadline = "UPDATE " + q.Holds + " " + mysql.ByKey + " SET EXPIRE_TIME = ?, FENCE = FENCE + 1, UPDATE_TIME = " + mysql.Now +
		fmt.Sprintf(" WHERE ORDER_NO = ? AND STATE = %d AND FENCE = ? AND EXPIRE_TIME = ? AND EXPIRE_TIME > ", stock.Locked) + mysql.Now
	q.LockStates = "SELECT ORDER_NO, STATE FROM " + q.Holds + " FORCE INDEX (PRIMARY) WHERE ORDER_NO IN (?) AND LINE_NO = 1 FOR UPDATE"
	q.lockLinesOf = "SELECT ORDER_NO, SKU_ID, ACTIVITY_ID, COALESCE(BUYER_ID, x'') FROM " + q.Holds +
		" FORCE INDEX (PRIMARY) WHERE ORDER_NO IN (?) FOR UPDATE"
	q.countState = "SELECT COUNT(*) FROM " + q.Holds + " WHERE ORDER_NO = ? AND STATE = ?"
}

// itemsOf joins items to lines that the statement brings along: the key of each, and a number.
func (q *Statements) itemsOf(lines int) string {
	return "(SELECT ? AS SKU_ID, ? AS ACTIVITY_ID, ? AS NUM" + strings.Repeat(" UNION ALL SELECT ?, ?, ?", lines-1) + ") l" +
		" STRAIGHT_JOIN " + q.Items + " s " + mysql.ByKey + " ON s.SKU_ID = l.SKU_ID AND s.ACTIVITY_ID = l.ACTIVITY_ID"
}

// ItemChange renders the change of a transition for num units of item s. No assignment reads a
// column that another one writes: the servers do not agree on what it would see.
func ItemChange(change stock.Quantities, num string) string {
	var set []string
	for i, sign := range each(change) {
		if sign == 0 {
			continue
		}
		n := num
		if limitedOnly(counters[i]) {
			n = "IF(s.UNLIMITED = 1, 0, " + num + ")"
		}
		set = append(set, fmt.Sprintf("s.%s = s.%s %s %s", counters[i], counters[i], plus(sign), n))
	}
	if change.Available() > 0 {
		set = append(set, asksWaiting)
	}
	return strings.Join(set, ", ")
}

// limitedOnly reports whether a counter is one that an unlimited item does not have.
func limitedOnly(counter string) bool {
	return counter == "STOCK_TOTAL_NUM" || counter == "STOCK_LEFT_NUM"
}

// plus returns the operator of a sign.
func plus(sign int64) string {
	if sign < 0 {
		return "-"
	}
	return "+"
}

// insertChanges renders the INSERT that claims the numbers of changes.
func (q *Statements) insertChanges(changes []stock.Change) string {
	args, entries := make([]any, 0, 20*len(changes)), 0
	for _, c := range changes {
		args = append(args, changeRows(c)...)
		entries += len(c.Entries)
	}
	return mysql.Render(q.insertChangeText(entries), args...)
}

// changeRows returns the rows of a change, one after the other. HOLD_NUM is of a buyer, and has what was asked for where there is
// none. LOCK_NUM of a count, which locks nothing, has the units that are short.
func changeRows(c stock.Change) (args []any) {
	var asked any
	if c.Asked != "" {
		asked = c.Asked
	}
	for i, e := range c.Entries {
		d := e.Delta
		d.Locked += e.Short
		args = append(args, int64(c.Kind.Scope()), c.ID, i+1, len(c.Entries), int64(c.Kind), e.SKU, e.Activity, buyerOf(e.Buyer),
			d.Total, d.Sold, d.Locked, d.Left, d.Refunded, d.Waiting, d.Backordered,
			e.Holds+e.Asked, restOf(e), c.Actor, c.Reason, c.Order, asked)
		asked = nil // once is enough
	}
	return args
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
		" TOTAL_NUM, SALE_NUM, LOCK_NUM, LEFT_NUM, REFUND_NUM, WAIT_NUM, BACK_NUM, HOLD_NUM, REST," +
		" ACTOR, REASON, ORDER_NO, ASKED, CREATE_TIME)" +
		" VALUES " + mysql.List("("+mysql.List("?", 21)+", "+mysql.Now+")", entries)
}

// applyToItem renders the guarded UPDATE of one entry: no counter leaves its range, what is
// locked stays covered by what is left, and a total moves only where there is one.
func (q *Statements) applyToItem(kind stock.Kind, e stock.Entry) string {
	var set, guard []string
	for i, d := range each(e.Delta) {
		var ranges string
		n := strconv.FormatInt(d, 10)
		switch {
		case d < 0:
			ranges = fmt.Sprintf("s.%s >= %d", counters[i], -d)
		case d > 0:
			ranges = fmt.Sprintf("s.%s <= %d", counters[i], math.MaxInt64-d)
		default:
			continue
		}
		if e.Delta.Backordered != 0 && limitedOnly(counters[i]) {
			n, ranges = "IF(s.UNLIMITED = 1, 0, "+n+")", "(s.UNLIMITED = 1 OR "+ranges+")"
		}
		set, guard = append(set, fmt.Sprintf("s.%s = s.%s + %s", counters[i], counters[i], n)), append(guard, ranges)
	}
	if e.Delta.Total != 0 {
		guard = append(guard, "s.UNLIMITED = 0")
	}
	if e.Delta.Available() > 0 && e.Delta.Waiting == 0 {
		set = append(set, asksWaiting)
	}
	// A count and a repair tell what is so. A constraint keeps what is owed and not there within what BACK_NUM counts.
	if drawn := e.Delta.Locked - e.Delta.Left; drawn > 0 && kind != stock.KindCount && kind != stock.KindRepair {
		guard = append(guard, fmt.Sprintf("(s.UNLIMITED = 1 OR "+free+" >= %d)", drawn))
	}
	if kind == stock.KindCount { // nobody else has counted, or brought units, since
		guard = append(guard, fmt.Sprintf("s.STOCK_TOTAL_NUM - s.BACK_NUM = %d", e.From))
	}
	if n := e.Delta.Backordered; n > 0 && kind == stock.KindCount { // nor has anybody waited, or been covered
		guard = append(guard, fmt.Sprintf("s.BACK_NUM = %d", e.Short-n))
	}
	switch {
	case e.Short > 0:
		guard = append(guard, fmt.Sprintf(free+" = %d", -e.Delta.Left-e.Short))
	case e.Exactly:
		guard = append(guard, fmt.Sprintf("GREATEST(0, "+free+") = %d", -e.Delta.Left))
	}
	set = append(set, "s."+Touch)
	guard = slices.Concat([]string{fmt.Sprintf("s.SKU_ID = %d AND s.ACTIVITY_ID = %d", e.SKU, e.Activity)}, guard)
	return "UPDATE " + q.Items + " s " + mysql.ByKey + " SET " + strings.Join(set, ", ") + " WHERE " + strings.Join(guard, " AND ")
}

// A buyer's row is made if need be, and then changed: a constraint keeps it from becoming
// negative, and would see the change itself as a row if one statement did both.
func (q *Statements) renderBuyers() {
	q.changeBuyer = "UPDATE " + q.buyers + " " + mysql.ByKey +
		" SET HELD_NUM = HELD_NUM + ?, BOUGHT_NUM = BOUGHT_NUM + ?, HOLD_NUM = HOLD_NUM + ?" +
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
	return "INSERT INTO " + q.buyers + " (SKU_ID, ACTIVITY_ID, BUYER_ID) VALUES " + mysql.List("(?, ?, ?)", buyers) +
		" ON DUPLICATE KEY UPDATE HOLD_NUM = HOLD_NUM"
}
