package ledger

import (
	"strconv"

	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

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
	return "INSERT INTO " + q.refunds +
		" (REFUND_NO, LINE_NO, LINE_NUM, ORDER_NO, SKU_ID, ACTIVITY_ID, NUM, RESTOCK, WHOLE, FREE, CREATE_TIME)" +
		" VALUES " + mysql.List("("+mysql.List("?", 10)+", "+mysql.Now+")", lines)
}

// lockRefunded renders the read that locks the lines of an order: by the whole of their keys, so that no gap beside them is
// locked, where the holds of new orders go.
func (q *Statements) lockRefunded(hold stock.Hold) string {
	return mysql.Render(q.lockRefundedText(len(hold.Lines)), hold.Order, int64(hold.State), hold.Fence)
}

func (q *Statements) lockRefundedText(n int) string {
	return "SELECT h.LINE_NO, h.REFUND_NUM, h.REDEEM_NUM, h.BACK_NUM FROM " + lines(n) + " STRAIGHT_JOIN " + q.Holds + " h " + mysql.ByKey +
		" ON h.ORDER_NO = ? AND h.LINE_NO = n.NO WHERE h.STATE = ? AND h.FENCE = ? FOR UPDATE"
}

// setState renders the UPDATE of the state of all lines of an order, which are locked.
func (q *Statements) setState(hold stock.Hold, to stock.State) string {
	return mysql.Render(q.setStateText(len(hold.Lines)), int64(to), hold.Order, int64(hold.State))
}

func (q *Statements) setStateText(lines int) string {
	return "UPDATE " + q.Holds + " " + mysql.ByKey + " SET STATE = ?, UPDATE_TIME = " + mysql.Now + " WHERE ORDER_NO = ? AND STATE = ?" +
		wholeKeys(lines)
}

// lockRefunds renders the read that locks all lines of orders, by the whole of their keys as well.
func (q *Statements) lockRefunds(keys lineKeys) string {
	return "SELECT ORDER_NO, LINE_NO, STATE, FENCE, REFUND_NUM, REDEEM_NUM, BACK_NUM FROM " + q.Holds + " " + mysql.ByKey +
		" WHERE " + keys.where() + " FOR UPDATE"
}

// refundHolds renders the UPDATE of the locked lines of which the same is refunded.
func (q *Statements) refundHolds(r refundShape, keys lineKeys) string {
	return mysql.Render(q.refundHoldsText(), r.Refunded, r.restocked, r.freed, r.returned, r.forgiven, int64(r.to)) + keys.where()
}

func (q *Statements) refundHoldsText() string {
	return "UPDATE " + q.Holds + " " + mysql.ByKey +
		" SET REFUND_NUM = REFUND_NUM + ?, RESTOCK_NUM = RESTOCK_NUM + ?, FREE_NUM = FREE_NUM + ?," +
		" REDEEM_NUM = REDEEM_NUM - ?, BACK_NUM = BACK_NUM - ?, STATE = ?, UPDATE_TIME = " + mysql.Now +
		" WHERE STATE " + In(stock.StepRefund.Transition().From) + " AND "
}

// refundLine renders the guarded UPDATE of one line of a refund.
func (q *Statements) refundLine(c RefundCall, l stock.Line, no int) string {
	restocked, freed := int64(0), c.freed(l.Num)
	if c.Refund.Restock {
		restocked = l.Num
	}
	text := q.refundLineText(c.transition(), strconv.FormatInt(l.Num, 10), c.forgiven[no-1])
	return mysql.Render(text, l.Num, restocked, freed, c.returned[no-1], freed, c.Hold.Order, no, c.Hold.Lines[no-1].Refunded)
}

// refundLineText renders it for a line of which so many units have not come yet, and never will.
func (q *Statements) refundLineText(t stock.Transition, num string, forgiven int64) string {
	set, counters := "", ItemChange(t.Delta, num)
	if forgiven > 0 { // they are of a refund that is back on sale: what is left grows by the others
		back := strconv.FormatInt(forgiven, 10)
		set = " h.BACK_NUM = h.BACK_NUM - " + back + ","
		counters = ItemChange(stock.Quantities{Sold: -1, Refunded: +1}, num) + ", " + ItemChange(stock.Quantities{Left: +1}, num+" - "+back) +
			", " + ItemChange(stock.Quantities{Total: -1}, back) + ", s.BACK_NUM = s.BACK_NUM - " + back
	}
	return "UPDATE " + q.Holds + " h " + mysql.ByKey + q.joined() +
		" SET" + set + " h.REFUND_NUM = h.REFUND_NUM + ?, h.RESTOCK_NUM = h.RESTOCK_NUM + ?, h.FREE_NUM = h.FREE_NUM + ?," +
		" h.REDEEM_NUM = h.REDEEM_NUM - ?, h.UPDATE_TIME = " + mysql.Now + ", " + counters + ", s." + Touch +
		", b.BOUGHT_NUM = b.BOUGHT_NUM - ?" +
		" WHERE h.ORDER_NO = ? AND h.LINE_NO = ? AND h.STATE " + In(t.From) + " AND h.REFUND_NUM = ?"
}
