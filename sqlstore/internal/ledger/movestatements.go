package ledger

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

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
	switch {
	case t.Step == stock.StepRedeem: // what has not come yet is not handed over: a constraint refuses all lines, where a guard would some
		set += ", h.REFUND_NUM = IF(h.BACK_NUM > 0, -1, h.REFUND_NUM)"
	case t.Draws(): // of what is there, or not at all
		set += ", h.BACK_NUM = 0"
	}
	if t.Delta != (stock.Quantities{}) {
		if n == 0 {
			from += " " + mysql.ByKey
		}
		from += q.joined()
		set += ", " + ItemChange(t.Delta, "h.NUM") + forgives(t) + ", s." + Touch + buyerChange(t.Delta, "h.NUM")
	}
	guard := "h.ORDER_NO = ? AND " + guard(t)
	if n > 0 {
		guard = "h.LINE_NO = n.NO AND " + guard
	}
	if t.Step != stock.StepExpire { // a statement that was lost before the order was resolved stays lost
		guard += " AND h.FENCE = ?"
	}
	if t.Draws() {
		guard += " AND " + available + " >= h.NUM AND " + unwaited +
			" AND (h.BUYER_ID IS NULL OR b.HELD_NUM <= " + room + " - h.NUM)"
	}
	return mysql.Driven(n, "UPDATE "+from+" SET "+set+" WHERE "+guard)
}

// forgives renders what a step that ends a hold takes from what its item owes. The hold keeps its BACK_NUM, which counts only as long as
// it is locked or paid: no SET may change what another one reads.
func forgives(t stock.Transition) string {
	if !forgets(t) {
		return ""
	}
	return ", s.STOCK_TOTAL_NUM = s.STOCK_TOTAL_NUM - IF(s.UNLIMITED = 1, 0, h.BACK_NUM)," +
		" s.STOCK_LEFT_NUM = s.STOCK_LEFT_NUM - IF(s.UNLIMITED = 1, 0, h.BACK_NUM), s.BACK_NUM = s.BACK_NUM - h.BACK_NUM"
}

// forgets reports whether a step ends the wait of a hold for units that have not come yet.
func forgets(t stock.Transition) bool { return t.To.Weight() == stock.Quantities{} }

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
	return " LEFT JOIN " + q.buyers + " b " + mysql.ByKey +
		" ON b.SKU_ID = h.SKU_ID AND b.ACTIVITY_ID = h.ACTIVITY_ID AND b.BUYER_ID = h.BUYER_ID" +
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

// In renders a comparison with some states.
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
// the holds of new orders go (MySQL Reference Manual, InnoDB Locking, Gap Locks). So the first lines
// are, which tell how many lines there are; lockLines locks the others. Without the hint a server may scan a small
// table, and lock every hold in it.
func (q *Statements) renderMany(t stock.Transition) moveManySQL {
	move := " FORCE INDEX (PRIMARY) SET STATE = %d, UPDATE_TIME = #"
	if t.To == stock.Paid {
		move += ", PAY_TIME = #"
	}
	if t.Step == stock.StepOffer { // from then on it lives as long as its Lock has asked for
		move += ", EXPIRE_TIME = TIMESTAMPADD(MICROSECOND, HOLD_MICROS, #)"
	}
	if t.Draws() { // what is not there is noted behind it
		move += ", BACK_NUM = 0"
	}
	return moveManySQL{
		lock: "SELECT ORDER_NO, LINE_NUM, SKU_ID, ACTIVITY_ID, NUM, BACK_NUM, COALESCE(BUYER_ID, x''), FENCE, " +
			mysql.Micros(mysql.Now) + " FROM " +
			q.Holds +
			" h FORCE INDEX (PRIMARY) WHERE h.ORDER_NO IN (?) AND h.LINE_NO = 1 AND " + guard(t) + " FOR UPDATE",
		// What was locked is moved, and dated as of then.
		move: fmt.Sprintf("UPDATE "+q.Holds+move+" WHERE STATE ", t.To) + In(t.From) + " AND ",
	}
}

// moveManySQL is a step of many orders. In move, each # stands for the clock, and the lines follow.
type moveManySQL struct{ lock, move string }

// Moved renders the UPDATE that moves what was locked at a time.
func (m moveManySQL) Moved(at time.Time, keys lineKeys) string {
	return strings.ReplaceAll(m.move, "#", mysql.Render("?", at)) + keys.where()
}

// lockLines renders the read that locks lines of orders whose first lines are locked.
func (q *Statements) lockLines(keys lineKeys) string {
	return "SELECT ORDER_NO, SKU_ID, ACTIVITY_ID, NUM, BACK_NUM FROM " + q.Holds +
		" FORCE INDEX (PRIMARY) WHERE " + keys.where() + " FOR UPDATE"
}

// lockBuyers renders the read that locks what some buyers have of items. Whoever has a hold has a row.
func (q *Statements) lockBuyers(buyers []buyerKey) string {
	return q.readUsages(buyers) + " FOR UPDATE"
}

// lockItemRows renders the read that locks items, which a hold has.
func (q *Statements) lockItemRows(keys []stock.Key) string {
	var args []any
	for _, key := range keys {
		args = append(args, key.SKU, key.Activity, nil)
	}
	return mysql.Render(q.lockItemRowsText(len(keys)), args...)
}

func (q *Statements) lockItemRowsText(items int) string {
	return "SELECT " + itemColumns + " FROM " + q.itemsOf(items) + " FOR UPDATE"
}

// tally renders the UPDATE that adds the sums of a batch to its items: each row once. For one item it brings no table along, so
// that the row is found by its key.
func (q *Statements) tally(keys []stock.Key, sums map[stock.Key]stock.Quantities) string {
	var args []any
	if len(keys) == 1 {
		for _, d := range each(sums[keys[0]]) {
			args = append(args, d)
		}
		return mysql.Render(q.tallyItem, append(args, keys[0].SKU, keys[0].Activity)...)
	}
	for _, key := range keys {
		args = append(args, key.SKU, key.Activity)
		for _, d := range each(sums[key]) {
			args = append(args, d)
		}
	}
	return mysql.Render(q.tallyItems(len(keys)), args...)
}

// renderTally renders it for one item.
func (q *Statements) renderTally() {
	q.tallyItem = "UPDATE " + q.Items + " s " + mysql.ByKey + " SET " + added(func(string) string { return "?" }) +
		" WHERE s.SKU_ID = ? AND s.ACTIVITY_ID = ?"
}

// added renders that n of each counter is added to an item s.
func added(n func(counter string) string) string {
	var set []string
	for _, counter := range counters {
		num := n(counter)
		if limitedOnly(counter) {
			num = "IF(s.UNLIMITED = 1, 0, " + num + ")"
		}
		was := "s." + counter
		if counter == "WAIT_NUM" {
			was = waiting
		}
		set = append(set, fmt.Sprintf("s.%s = %s + %s", counter, was, num))
	}
	return strings.Join(set, ", ") + ", s." + Touch
}

// tallyItems renders it for several items.
func (q *Statements) tallyItems(items int) string {
	columns := make([]string, len(counters))
	for i, counter := range counters {
		columns[i] = "? AS " + counter
	}
	return mysql.Driven(items, "UPDATE (SELECT ? AS SKU_ID, ? AS ACTIVITY_ID, "+strings.Join(columns, ", ")+
		strings.Repeat(" UNION ALL SELECT "+mysql.List("?", 2+len(counters)), items-1)+") l STRAIGHT_JOIN "+q.Items+" s "+mysql.ByKey+
		" ON s.SKU_ID = l.SKU_ID AND s.ACTIVITY_ID = l.ACTIVITY_ID SET "+added(func(counter string) string { return "l." + counter }))
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

// tallyEachBuyer does it to buyers of whom each has another change.
func (q *Statements) tallyEachBuyer(buyers []buyerKey, changes map[buyerKey]stock.Usage) string {
	args := make([]any, 0, 6*len(buyers))
	for _, b := range buyers {
		u := changes[b]
		args = append(args, b.SKU, b.Activity, b.buyer, u.Held, u.Bought, u.Holds)
	}
	return mysql.Render(q.tallyEachBuyerText(len(buyers)), args...)
}

func (q *Statements) tallyEachBuyerText(buyers int) string {
	return mysql.Driven(buyers, "UPDATE (SELECT ? AS SKU_ID, ? AS ACTIVITY_ID, ? AS BUYER_ID, ? AS HELD_NUM, ? AS BOUGHT_NUM, ? AS HOLD_NUM"+
		strings.Repeat(" UNION ALL SELECT ?, ?, ?, ?, ?, ?", buyers-1)+") l STRAIGHT_JOIN "+q.buyers+" b "+mysql.ByKey+
		" ON b.SKU_ID = l.SKU_ID AND b.ACTIVITY_ID = l.ACTIVITY_ID AND b.BUYER_ID = l.BUYER_ID SET b.HELD_NUM = b.HELD_NUM + l.HELD_NUM,"+
		" b.BOUGHT_NUM = b.BOUGHT_NUM + l.BOUGHT_NUM, b.HOLD_NUM = b.HOLD_NUM + l.HOLD_NUM")
}
