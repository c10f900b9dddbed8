package ledger

import (
	"fmt"
	"strings"

	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// renderArchive renders what archives holds that are locked.
//
// The first line of an order becomes all that is left of it. It leaves the range of its item in the index goods_stock_hold_due, for one
// in which all such rows stand by the time at which they were archived.
func (q *Statements) renderArchive() {
	q.archiveHolds = "UPDATE " + q.Holds + " FORCE INDEX (PRIMARY) SET LINE_NUM = 1, SKU_ID = 0, ACTIVITY_ID = 0, NUM = 0, REFUND_NUM = 0," +
		" RESTOCK_NUM = 0, FREE_NUM = 0, REDEEM_NUM = 0, BACK_NUM = 0, FIRST_HASH = NULL, BUYER_ID = NULL, PAY_TIME = NULL" +
		fmt.Sprintf(", STATE = %d, EXPIRE_TIME = %s, UPDATE_TIME = %[2]s", stock.Archived, mysql.Now) +
		" WHERE ORDER_NO IN (?) AND LINE_NO = 1"
	// It reads what tells whether a hold is still as it was read before. To convert the times of all of them again would be for nothing.
	q.lockFinished = "SELECT " + sameColumns + ", 0 FROM " + q.Holds + " h FORCE INDEX (PRIMARY) WHERE h.ORDER_NO IN (?) AND h.LINE_NO = 1" +
		" ORDER BY h.ORDER_NO FOR UPDATE"
	q.refundsOf = "SELECT REFUND_NO, LINE_NUM FROM " + q.refunds + " " + mysql.By(q.refunds, "order") +
		" WHERE ORDER_NO IN (?) AND LINE_NO = 1 ORDER BY REFUND_NO"
	q.backordersOf = "SELECT ORDER_NO, SKU_ID, ACTIVITY_ID FROM " + q.backorders + " " + mysql.ByKey + " WHERE ORDER_NO IN (?)" +
		" ORDER BY ORDER_NO, SKU_ID, ACTIVITY_ID"
	q.lastLines = "SELECT ORDER_NO, MAX(LINE_NO) FROM " + q.Holds + " FORCE INDEX (PRIMARY) WHERE ORDER_NO IN (?) GROUP BY ORDER_NO"

	var sums []string
	for _, column := range []string{"SALE_NUM", "REFUND_NUM", "HOLD_NUM"} {
		sums = append(sums, column+" = "+column+" + VALUES("+column+")")
	}
	q.addsUp = " ON DUPLICATE KEY UPDATE " + strings.Join(sums, ", ") +
		", ACTOR = VALUES(ACTOR), REASON = VALUES(REASON), CREATE_TIME = VALUES(CREATE_TIME)"
}

// lockWholeHolds renders the read that locks all lines of orders whose first lines are locked.
func (q *Statements) lockWholeHolds(keys lineKeys) string {
	return "SELECT " + holdColumns + ", " + mysql.Micros(mysql.Now) + " FROM " + q.Holds + " h " + mysql.ByKey + " WHERE " + keys.where() +
		" ORDER BY h.ORDER_NO, h.LINE_NO FOR UPDATE"
}

// deleteLines renders the DELETE of lines of orders.
func (q *Statements) deleteLines(keys lineKeys) string {
	return keys.delete(q.Holds, "ORDER_NO")
}

// deleteRefunds renders the DELETE of refunds, whose keys have their numbers in place of those of orders.
func (q *Statements) deleteRefunds(keys lineKeys) string {
	return keys.delete(q.refunds, "REFUND_NO")
}

// deleteBackorders renders the DELETE of places in queues, whose keys are an order, a SKU and an activity.
func (q *Statements) deleteBackorders(keys []any) string {
	return deleteByKeys(q.backorders, []string{"ORDER_NO", "SKU_ID", "ACTIVITY_ID"}, keys)
}

// deleteByKeys renders the DELETE of rows by the whole of their keys, which are values of the columns, one row after another. The keys
// drive a join: MariaDB reads a list of keys in a DELETE as all that lies between them, and locks that (seen on 10.11).
func deleteByKeys(table string, columns []string, keys []any) string {
	first, on := make([]string, len(columns)), make([]string, len(columns))
	for i, column := range columns {
		first[i], on[i] = "? AS "+column, "t."+column+" = l."+column
	}
	more := strings.Repeat(" UNION ALL SELECT "+mysql.List("?", len(columns)), len(keys)/len(columns)-1)
	return mysql.ByLines + mysql.Render("DELETE t FROM (SELECT "+strings.Join(first, ", ")+more+") l STRAIGHT_JOIN "+table+" t "+mysql.ByKey+
		" ON "+strings.Join(on, " AND "), keys...)
}

// archiveBuyers renders the INSERT that adds to what is archived of what buyers have.
func (q *Statements) archiveBuyers(entries []stock.Entry) string {
	var args []any
	for _, e := range entries {
		args = append(args, e.SKU, e.Activity, e.Buyer, e.Delta.Sold)
	}
	return mysql.Render(q.archiveBuyersText(len(entries)), args...)
}

func (q *Statements) archiveBuyersText(buyers int) string {
	return "INSERT INTO " + q.buyers + " (SKU_ID, ACTIVITY_ID, BUYER_ID, ARCHIVE_NUM) VALUES " + mysql.List("(?, ?, ?, ?)", buyers) +
		" ON DUPLICATE KEY UPDATE ARCHIVE_NUM = ARCHIVE_NUM + VALUES(ARCHIVE_NUM)"
}
