package ledger

import (
	"fmt"
	"strings"

	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// lockAmended renders the read that locks all lines of orders by the whole of their keys, and whether each still lives or is paid.
func (q *Statements) lockAmended(keys lineKeys) string {
	return "SELECT ORDER_NO, LINE_NO, STATE, FENCE, REFUND_NUM, BACK_NUM, " +
		fmt.Sprintf("STATE <> %d OR EXPIRE_TIME > ", stock.Locked) + mysql.Now +
		" FROM " + q.Holds + " " + mysql.ByKey + " WHERE " + keys.where() + " FOR UPDATE"
}

// amendHolds renders the UPDATE of the lines of holds that are as they were read: each gets the line of the new hold with its number.
// A line that the new hold has no longer becomes a row of nothing, of an order that is closed, as CloseOrder leaves one: the right to
// delete is not needed. Live holds alone let it, unless they were locked as such before.
func (q *Statements) amendHolds(amends []stock.AmendRecord, live bool) (text string, rows int64) {
	var args []any
	for _, a := range amends {
		for i, was := range a.From.Lines {
			line, state, buyer := stock.HoldLine{}, stock.Cancelled, ""
			if i < len(a.To.Lines) {
				line, state, buyer = a.To.Lines[i], a.To.State, a.To.Buyer
			}
			args = append(args, a.From.Order, i+1, a.To.Order, len(a.To.Lines), line.SKU, line.Activity, line.Num, line.Restocked, line.Redeemed,
				line.Backordered, buyerOf(buyer), int64(state), firstOf(a.To), int64(a.From.State), a.From.Fence, was.Refunded, was.Backordered)
			rows++
		}
	}
	return mysql.Render(q.amendHoldsText(int(rows), live), args...), rows
}

func (q *Statements) amendHoldsText(lines int, live bool) string {
	guard := ""
	if live {
		guard = fmt.Sprintf(" AND (l.WAS <> %d OR h.EXPIRE_TIME > ", stock.Locked) + mysql.Now + ")"
	}
	return mysql.Driven(lines, "UPDATE (SELECT ? AS ORDER_NO, ? AS LINE_NO, ? AS TO_NO, ? AS LINE_NUM, ? AS SKU_ID, ? AS ACTIVITY_ID,"+
		" ? AS NUM, ? AS RESTOCK_NUM, ? AS REDEEM_NUM, ? AS BACK_NUM, ? AS BUYER_ID, ? AS STATE, ? AS FIRST_HASH, ? AS WAS, ? AS FENCE,"+
		" ? AS REFUND_NUM, ? AS BACK_WAS"+
		strings.Repeat(" UNION ALL SELECT "+mysql.List("?", 17), lines-1)+") l STRAIGHT_JOIN "+q.Holds+" h "+mysql.ByKey+
		" ON h.ORDER_NO = l.ORDER_NO AND h.LINE_NO = l.LINE_NO SET h.ORDER_NO = l.TO_NO, h.LINE_NUM = l.LINE_NUM, h.SKU_ID = l.SKU_ID,"+
		" h.ACTIVITY_ID = l.ACTIVITY_ID, h.NUM = l.NUM, h.RESTOCK_NUM = l.RESTOCK_NUM, h.REDEEM_NUM = l.REDEEM_NUM,"+
		" h.BACK_NUM = l.BACK_NUM, h.BUYER_ID = l.BUYER_ID,"+
		" h.STATE = l.STATE, h.FIRST_HASH = l.FIRST_HASH, h.FENCE = h.FENCE + 1, h.UPDATE_TIME = "+mysql.Now+
		fmt.Sprintf(", h.PAY_TIME = IF(l.WAS = %d AND l.STATE = %d, ", stock.Locked, stock.Paid)+mysql.Now+", h.PAY_TIME)"+
		" WHERE h.STATE = l.WAS AND h.FENCE = l.FENCE AND h.REFUND_NUM = l.REFUND_NUM AND h.BACK_NUM = l.BACK_WAS"+guard)
}

// firstOf returns what a hold was first locked with: NULL where it was never amended.
func firstOf(hold stock.Hold) any { return buyerOf(hold.First) }

// addLines renders the INSERT of the lines that orders have more than before, some of which may have left a row of nothing; "" for none.
func (q *Statements) addLines(amends []stock.AmendRecord) string {
	var args []any
	for _, a := range amends {
		paid := any(nil)
		switch {
		case a.From.State == stock.Locked && a.To.State == stock.Paid:
			paid = mysql.Expr(mysql.Now)
		case !a.To.PaidAt.IsZero():
			paid = a.To.PaidAt
		}
		for i := len(a.From.Lines); i < len(a.To.Lines); i++ {
			l := a.To.Lines[i]
			args = append(args, a.To.Order, i+1, len(a.To.Lines), l.SKU, l.Activity, l.Num, buyerOf(a.To.Buyer), int64(a.To.State), a.To.Fence,
				firstOf(a.To), a.To.Deadline, paid, a.To.LockedAt)
		}
	}
	if len(args) == 0 {
		return ""
	}
	return mysql.Render(q.addLinesText(len(args)/13), args...)
}

func (q *Statements) addLinesText(lines int) string {
	columns := "ORDER_NO, LINE_NO, LINE_NUM, SKU_ID, ACTIVITY_ID, NUM, BUYER_ID, STATE, FENCE, FIRST_HASH, EXPIRE_TIME, PAY_TIME, CREATE_TIME"
	var set []string
	for _, column := range strings.Split(columns, ", ")[2:] {
		set = append(set, column+" = VALUES("+column+")")
	}
	return "INSERT INTO " + q.Holds + " (" + columns + ", UPDATE_TIME) VALUES " +
		mysql.List("("+mysql.List("?", 13)+", "+mysql.Now+")", lines) +
		" ON DUPLICATE KEY UPDATE " + strings.Join(set, ", ") + ", UPDATE_TIME = " + mysql.Now
}
