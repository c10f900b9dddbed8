package ledger

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

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

// insertMany renders the same for many orders, in the order of their keys, with the clock as it was read before:
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
	for i, n := range byOrder(calls) {
		c := &calls[n]
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

// byOrder returns where the calls are in the order of the primary key, so that two batches with the same orders cannot
// deadlock.
func byOrder(calls []LockCall) []int {
	at := make([]int, len(calls))
	for i := range at {
		at[i] = i
	}
	slices.SortFunc(at, func(a, b int) int { return cmp.Compare(calls[a].Order.ID, calls[b].Order.ID) })
	return at
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
	return "INSERT INTO " + q.buyers + " (SKU_ID, ACTIVITY_ID, BUYER_ID, HELD_NUM, BOUGHT_NUM, HOLD_NUM) VALUES " +
		mysql.List("(?, ?, ?, ?, ?, ?)", buyers) +
		" ON DUPLICATE KEY UPDATE HELD_NUM = HELD_NUM + VALUES(HELD_NUM), BOUGHT_NUM = BOUGHT_NUM + VALUES(BOUGHT_NUM), HOLD_NUM = HOLD_NUM +" +
		" VALUES(HOLD_NUM)"
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
		return mysql.Render(q.lockItemsText(order.Step().Transition(), len(order.Lines), order.Buyer != "", !order.PassWaiting), args...)
	}
	l := order.Lines[0]
	if order.Buyer != "" {
		args = append(args, order.Buyer)
	}
	t := order.Step().Transition()
	args = append(args, changes(t, l.Num)...)
	return mysql.Render(q.lockItemsText(t, 1, order.Buyer != "", !order.PassWaiting), append(args, l.SKU, l.Activity, l.Num, l.Num)...)
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

// lockSums renders the same for several orders: the sums of their items, and their buyers, whose rows count these orders
// already.
func (q *Statements) lockSums(t stock.Transition, sums []itemSum, usages []buyerUsage) string {
	switch {
	case len(sums) == 1:
		return q.lockItem(t, sums[0], usages)
	case alike(sums):
		return q.lockPool(t, sums, usages)
	}
	args := make([]any, 0, 6*len(sums)+3*len(usages))
	for _, s := range sums {
		args = append(args, s.SKU, s.Activity, s.num, s.most, s.anonymous, s.yields)
	}
	for _, u := range usages {
		args = append(args, u.SKU, u.Activity, u.buyer)
	}
	return mysql.Render(q.lockSumsText(t, len(sums), len(usages)), args...)
}

// lockSumsText brings sums and buyers along, and these drive the joins: the items are locked in the order of their keys.
func (q *Statements) lockSumsText(t stock.Transition, items, buyers int) string {
	text := "UPDATE (SELECT ? AS SKU_ID, ? AS ACTIVITY_ID, ? AS NUM, ? AS MOST, ? AS NOBODY, ? AS YIELDS" +
		strings.Repeat(" UNION ALL SELECT ?, ?, ?, ?, ?, ?", items-1) + ") l STRAIGHT_JOIN " + q.Items + " s " + mysql.ByKey +
		" ON s.SKU_ID = l.SKU_ID AND s.ACTIVITY_ID = l.ACTIVITY_ID SET " + ItemChange(t.Delta, "l.NUM") + ", s." + Touch +
		" WHERE " + onSale("l.MOST", "l.NUM") +
		" AND (l.NOBODY = 0 OR s.BUYER_LIMIT = 0 AND s.HOLD_LIMIT = 0) AND (l.YIELDS = 0 OR " + unwaited + ")"
	return mysql.Driven(items, text+q.noneBeyond(t, buyers))
}

// noneBeyond is the guard that none of some buyers is beyond the limits of the item.
func (q *Statements) noneBeyond(t stock.Transition, buyers int) string {
	if buyers == 0 {
		return ""
	}
	return " AND NOT EXISTS (SELECT 1 FROM " + buyerList(buyers) + " STRAIGHT_JOIN " + q.buyers + " b " + mysql.ByKey +
		" ON b.SKU_ID = k.SKU_ID AND b.ACTIVITY_ID = k.ACTIVITY_ID AND b.BUYER_ID = k.BUYER_ID" +
		" WHERE k.SKU_ID = s.SKU_ID AND k.ACTIVITY_ID = s.ACTIVITY_ID AND NOT (" + within(t) + "))"
}

// alike reports whether items are of one pool, whether all or none have orders of nobody, and likewise orders that pass nobody.
func alike(sums []itemSum) bool {
	return !slices.ContainsFunc(sums, func(s itemSum) bool {
		return s.Activity != sums[0].Activity || s.anonymous != sums[0].anonymous || s.yields != sums[0].yields
	})
}

// lockPool renders the same for items that are alike, as nearly all are. It finds them by a list of keys, in their order, and
// puts their sums together from binary digits. A server does that in half the time that it needs for a join with rows which the
// text brings along: the lists are sorted and searched, while a CASE would try one item after the other for each.
func (q *Statements) lockPool(t stock.Transition, sums []itemSum, usages []buyerUsage) string {
	num := digits(sums, func(s itemSum) int64 { return s.num })
	most := digits(sums, func(s itemSum) int64 { return s.most })
	guard := onSale(most, num)
	if sums[0].anonymous {
		guard += anybody
	}
	if sums[0].yields {
		guard += yields
	}
	text := "UPDATE " + q.Items + " s " + mysql.ByKey + " SET " + ItemChange(t.Delta, num) + ", s." + Touch +
		" WHERE s.SKU_ID IN " + skus(sums) + " AND s.ACTIVITY_ID = " + strconv.FormatInt(sums[0].Activity, 10) + " AND " + guard
	args := make([]any, 0, 3*len(usages))
	for _, u := range usages {
		args = append(args, u.SKU, u.Activity, u.buyer)
	}
	return text + mysql.Render(q.noneBeyond(t, len(usages)), args...)
}

// digits renders a number of each item, as the sum of the binary digits that the items have.
func digits(sums []itemSum, number func(itemSum) int64) string {
	if first := number(sums[0]); !slices.ContainsFunc(sums, func(s itemSum) bool { return number(s) != first }) {
		return strconv.FormatInt(first, 10)
	}
	var all int64
	for _, s := range sums {
		all |= number(s)
	}
	var text strings.Builder
	for digit, separator := int64(1), "("; digit > 0 && digit <= all; digit *= 2 {
		if all&digit == 0 {
			continue
		}
		having := slices.DeleteFunc(slices.Clone(sums), func(s itemSum) bool { return number(s)&digit == 0 })
		fmt.Fprintf(&text, "%s%d", separator, digit)
		if separator = " + "; len(having) < len(sums) {
			text.WriteString(" * (s.SKU_ID IN " + skus(having) + ")")
		}
	}
	return text.String() + ")"
}

// skus renders the list of the SKUs of some items.
func skus(sums []itemSum) string {
	var b strings.Builder
	separator := byte('(')
	for _, s := range sums {
		b.WriteByte(separator)
		mysql.Integer(&b, s.SKU)
		separator = ','
	}
	b.WriteByte(')')
	return b.String()
}

// buyerList is the keys of buyers' rows, which drive a join.
func buyerList(buyers int) string {
	return "(SELECT ? AS SKU_ID, ? AS ACTIVITY_ID, ? AS BUYER_ID" + strings.Repeat(" UNION ALL SELECT ?, ?, ?", buyers-1) + ") k"
}

// The answers to asksNear.
const (
	unknownLine = 0 // the statement has not asked
	nearLine    = 1
	farLine     = 2
)

// asksNear makes the guarded UPDATE of one item say, as its LAST_INSERT_ID, whether num units less leave the item sold out or low.
// The server sends that along with the number of rows, so that nobody has to read the hot row for it while it is locked. The
// expression is true, and the row is as the guard sees it: not changed yet.
func asksNear(num int64) string {
	return fmt.Sprintf(" AND LAST_INSERT_ID(%d + (%s - %d > s.LOW_NUM)) > 0", nearLine, available, num)
}

// lockItem renders the same for orders of one item.
func (q *Statements) lockItem(t stock.Transition, sum itemSum, usages []buyerUsage) string {
	args := append(changes(t, sum.num), sum.SKU, sum.Activity, sum.most, sum.num)
	if len(usages) > 0 {
		args = append(args, sum.SKU, sum.Activity)
	}
	for _, u := range usages {
		args = append(args, u.buyer)
	}
	return mysql.Render(q.lockItemText(t, sum.anonymous, sum.yields, len(usages)), args...)
}

func (q *Statements) lockItemText(t stock.Transition, nobody, yielding bool, buyers int) string {
	text := q.lockItemsText(t, 1, false, yielding)
	if !nobody {
		text = strings.Replace(text, anybody, "", 1)
	}
	if buyers > 0 {
		text += " AND NOT EXISTS (SELECT 1 FROM " + q.buyers + " b WHERE b.SKU_ID = ? AND b.ACTIVITY_ID = ? AND b.BUYER_ID IN (" +
			mysql.List("?", buyers) + ")" +
			" AND NOT (" + within(t) + "))"
	}
	return text
}

func (q *Statements) lockItemsText(t stock.Transition, lines int, buyer, yielding bool) string {
	from, num, where := q.Items+" s", "?", " WHERE s.SKU_ID = ? AND s.ACTIVITY_ID = ? AND "
	if lines > 1 {
		from, num, where = q.itemsOf(lines), "l.NUM", " WHERE "
	}
	guard := onSale(num, num) + anybody
	if buyer {
		from += " STRAIGHT_JOIN " + q.buyers + " b " + mysql.ByKey +
			" ON b.SKU_ID = s.SKU_ID AND b.ACTIVITY_ID = s.ACTIVITY_ID AND b.BUYER_ID = ?"
		guard = onSale(num, num) + " AND " + within(t)
	}
	if yielding {
		guard += yields
	}
	return mysql.Driven(lines, "UPDATE "+from+" SET "+ItemChange(t.Delta, num)+", s."+Touch+where+guard)
}
