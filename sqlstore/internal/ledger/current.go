package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// renderCurrent renders how the caller's transaction reads what may not be there: what is there is locked by its whole
// key, and nothing beside it. See Handle.Among. A blank row has LINE_NUM 0.
func (q *Statements) renderCurrent() {
	first := func(table, key string) string {
		return "SELECT LINE_NUM FROM " + table + " FORCE INDEX (PRIMARY) WHERE " + key + " AND LINE_NO = 1 FOR UPDATE"
	}
	takeBack := func(table, key string) string {
		return "DELETE t FROM " + table + " t FORCE INDEX (PRIMARY) WHERE " + key + " AND t.LINE_NO = 1 AND t.LINE_NUM = 0"
	}
	q.lockOrder = first(q.Holds, "ORDER_NO = ?")
	q.lockRefund = first(q.refunds, "REFUND_NO = ?")
	q.lockChange = first(q.changes, "SCOPE = ? AND CHANGE_NO = ?")
	q.blankHold = mysql.Blank{Insert: q.blankHoldsText(1), TakeBack: takeBack(q.Holds, "t.ORDER_NO IN (?)")}
	q.blankRefund = mysql.Blank{Insert: "INSERT INTO " + q.refunds +
		" (REFUND_NO, LINE_NO, LINE_NUM, ORDER_NO, SKU_ID, ACTIVITY_ID, NUM, RESTOCK, WHOLE, FREE, CREATE_TIME)" +
		" VALUES (?, 1, 0, x'', 0, 0, 0, 0, 0, 0, " + mysql.Now + ") ON DUPLICATE KEY UPDATE LINE_NUM = LINE_NUM",
		TakeBack: takeBack(q.refunds, "t.REFUND_NO = ?")}
	q.blankChange = mysql.Blank{Insert: "INSERT INTO " + q.changes +
		" (SCOPE, CHANGE_NO, LINE_NO, LINE_NUM, KIND, SKU_ID, ACTIVITY_ID, CREATE_TIME)" +
		" VALUES (?, ?, 1, 0, 0, 0, 0, " + mysql.Now + ") ON DUPLICATE KEY UPDATE LINE_NUM = LINE_NUM",
		TakeBack: takeBack(q.changes, "t.SCOPE = ? AND t.CHANGE_NO = ?")}
}

// BlankHolds renders blank holds of some orders.
func (q *Statements) BlankHolds(orders ...string) mysql.Blank {
	args := make([]any, len(orders))
	for i, order := range orders {
		args[i] = order
	}
	return mysql.Blank{Insert: mysql.Render(q.blankHoldsText(len(orders)), args...), TakeBack: mysql.RenderList(q.blankHold.TakeBack, orders)}
}

func (q *Statements) blankHoldsText(orders int) string {
	return "INSERT INTO " + q.Holds + " (ORDER_NO, LINE_NO, LINE_NUM, SKU_ID, ACTIVITY_ID, NUM, STATE, EXPIRE_TIME, CREATE_TIME," +
		" UPDATE_TIME)" +
		" VALUES " + mysql.List("(?, 1, 0, 0, 0, 0, 0, "+mysql.List(mysql.Now, 3)+")", orders) + " ON DUPLICATE KEY UPDATE LINE_NUM = LINE_NUM"
}

// BlankItems renders blank items, which have VERSION 0. Their ID is given, so that the LAST_INSERT_ID of the caller's
// transaction stays as it is.
func (q *Statements) BlankItems(keys []stock.Key) mysql.Blank {
	var inserted, deleted []any
	for _, key := range keys {
		inserted = append(inserted, -1-rand.Int64N(math.MaxInt64), key.SKU, key.Activity) //nolint:gosec // keeps no secret
		deleted = append(deleted, key.SKU, key.Activity)
	}
	return mysql.Blank{
		Insert: mysql.Render(q.blankItemsText(len(keys)), inserted...), TakeBack: mysql.Render(q.deleteBlankItems(len(keys)), deleted...),
	}
}

func (q *Statements) blankItemsText(items int) string {
	return "INSERT INTO " + q.Items + " (ID, SKU_ID, ACTIVITY_ID, VERSION, CREATE_TIME, UPDATE_TIME)" +
		" VALUES " + mysql.List("(?, ?, ?, 0, "+mysql.List(mysql.Now, 2)+")", items) + " ON DUPLICATE KEY UPDATE VERSION = VERSION"
}

func (q *Statements) deleteBlankItems(items int) string {
	return mysql.ByLines + "DELETE s FROM (SELECT ? AS SKU_ID, ? AS ACTIVITY_ID" + strings.Repeat(" UNION ALL SELECT ?, ?", items-1) +
		") l STRAIGHT_JOIN " + q.Items +
		" s " + mysql.ByKey + " ON s.SKU_ID = l.SKU_ID AND s.ACTIVITY_ID = l.ACTIVITY_ID WHERE s.VERSION = 0"
}

// lockBuyersOfOrder renders the read that locks what the buyer of an order of so many lines has of its items: before them, as every
// call does. The UPDATE that moves the order would lock the first item before what the buyer has of the second.
func (q *Statements) lockBuyersOfOrder(n int) string {
	return "SELECT b.HOLD_NUM FROM " + lines(n) + " STRAIGHT_JOIN " + q.Holds + " h " + mysql.ByKey +
		" ON h.ORDER_NO = ? AND h.LINE_NO = n.NO STRAIGHT_JOIN " + q.buyers + " b " + mysql.ByKey +
		" ON b.SKU_ID = h.SKU_ID AND b.ACTIVITY_ID = h.ACTIVITY_ID AND b.BUYER_ID = h.BUYER_ID FOR UPDATE"
}

// lockOnly makes a read for its locks.
func lockOnly(ctx context.Context, q mysql.Tx, statement string) error {
	return mysql.Read(ctx, q, statement, func(*sql.Rows) error { return nil })
}

// deleteHolds renders the DELETE that takes the holds of some Locks back.
func (q *Statements) deleteHolds(calls []LockCall) string {
	if len(calls) == 1 {
		return mysql.Render(q.deleteHoldsText(len(calls[0].Order.Lines)), calls[0].Order.ID)
	}
	orders := make([]string, len(calls))
	for i, c := range calls {
		orders[i] = c.Order.ID
	}
	return mysql.RenderList("DELETE h FROM "+q.Holds+" h "+mysql.ByKey+" WHERE h.ORDER_NO IN (?) AND h.LINE_NO = 1", orders)
}

func (q *Statements) deleteHoldsText(n int) string {
	return mysql.ByLines + "DELETE h FROM " + lines(n) + " STRAIGHT_JOIN " + q.Holds + " h " + mysql.ByKey +
		" ON h.ORDER_NO = ? AND h.LINE_NO = n.NO"
}

// deleteRefundText renders the DELETE that takes a refund back.
func (q *Statements) deleteRefundText(n int) string {
	return mysql.ByLines + "DELETE r FROM " + lines(n) + " STRAIGHT_JOIN " + q.refunds + " r " + mysql.ByKey +
		" ON r.REFUND_NO = ? AND r.LINE_NO = n.NO"
}

// deleteChanges renders the DELETE that takes a change back, or several with an entry each.
func (q *Statements) deleteChanges(changes []stock.Change) string {
	c := changes[0]
	if len(changes) == 1 {
		return mysql.Render(q.deleteChangeText(len(c.Entries)), int64(c.Kind.Scope()), c.ID)
	}
	ids := make([]string, len(changes))
	for i, c := range changes {
		ids[i] = c.ID
	}
	return mysql.RenderList(fmt.Sprintf("DELETE c FROM %s c %s WHERE c.SCOPE = %d AND c.CHANGE_NO IN (?) AND c.LINE_NO = 1",
		q.changes, mysql.ByKey, c.Kind.Scope()), ids)
}

func (q *Statements) deleteChangeText(n int) string {
	return mysql.ByLines + "DELETE c FROM " + lines(n) + " STRAIGHT_JOIN " + q.changes + " c " + mysql.ByKey +
		" ON c.SCOPE = ? AND c.CHANGE_NO = ? AND c.LINE_NO = n.NO"
}

// lines is the numbers of the lines of one order, refund or change, which drive the join that finds them by their whole keys.
func lines(n int) string {
	var b strings.Builder
	b.WriteString("(SELECT 1 AS NO")
	for i := 2; i <= n; i++ {
		b.WriteString(" UNION ALL SELECT ")
		mysql.Integer(&b, int64(i))
	}
	b.WriteString(") n")
	return b.String()
}

// wholeKeys adds to the condition of an UPDATE that names an order the numbers of its lines.
func wholeKeys(n int) string {
	numbers := make([]string, n)
	for i := range numbers {
		numbers[i] = strconv.Itoa(i + 1)
	}
	return " AND LINE_NO IN (" + strings.Join(numbers, ", ") + ")"
}

// currentHold reads the lines of an order that is locked.
func (q *Statements) currentHold(n int) string {
	return "SELECT " + holdColumns + ", " + mysql.Micros(mysql.Now) + " FROM " + lines(n) + " STRAIGHT_JOIN " + q.Holds + " h " + mysql.ByKey +
		" ON h.ORDER_NO = ? AND h.LINE_NO = n.NO ORDER BY h.LINE_NO FOR UPDATE"
}

// countCurrent counts the lines of an order that is locked in a state.
func (q *Statements) countCurrent(n int) string {
	return "SELECT COUNT(*) FROM " + lines(n) + " STRAIGHT_JOIN " + q.Holds + " h " + mysql.ByKey +
		" ON h.ORDER_NO = ? AND h.LINE_NO = n.NO WHERE h.STATE = ? FOR UPDATE"
}

// currentRefund reads the lines of a refund that is locked.
func (q *Statements) currentRefund(n int) string {
	return "SELECT " + refundColumns + " FROM " + lines(n) + " STRAIGHT_JOIN " + q.refunds + " r " + mysql.ByKey +
		" ON r.REFUND_NO = ? AND r.LINE_NO = n.NO ORDER BY r.LINE_NO FOR UPDATE"
}

// currentChange reads the lines of a change that is locked.
func (q *Statements) currentChange(n int) string {
	return "SELECT " + changeColumns + " FROM " + lines(n) + " STRAIGHT_JOIN " + q.changes + " c " + mysql.ByKey +
		" ON c.SCOPE = ? AND c.CHANGE_NO = ? AND c.LINE_NO = n.NO ORDER BY c.LINE_NO FOR UPDATE"
}

// linedRead is a read, in the caller's transaction, of a record with one row per line: the blank of its first line,
// the lock of that line, and the read of so many lines.
type linedRead struct {
	blank mysql.Blank
	first string
	all   func(lines int) string
	args  []any // of each of them
}

// readLines reads all lines, or none where there are none.
func (s *Store) readLines(ctx context.Context, r linedRead, scan func(*sql.Rows) error) error {
	return s.Among(ctx, func(q mysql.Tx) (bool, error) {
		var n int
		if err := mysql.ReadRow(ctx, q, mysql.Render(r.first, r.args...), &n); err != nil || n == 0 {
			return n == 0, err
		}
		return false, mysql.Read(ctx, q, mysql.Render(r.all(n), r.args...), scan)
	}, mysql.Blank{Insert: mysql.Render(r.blank.Insert, r.args...), TakeBack: mysql.Render(r.blank.TakeBack, r.args...)})
}

// settled reads a record that its own transaction may not have committed yet: it waits for that. It is the answer to
// whether a call was made before.
func (s *Store) settled(ctx context.Context, r linedRead, query string, scan func(*sql.Rows) error) error {
	if s.Bound() {
		return s.readLines(ctx, r, scan)
	}
	return s.ReadSettled(ctx, mysql.Render(query, r.args...), mysql.Render(r.first, r.args...), scan)
}

// queryItems reads items and what a buyer has of them, in the caller's transaction with a lock. Scan says which are there.
func (s *Store) queryItems(
	ctx context.Context, buyer string, keys []stock.Key, query string, scan func(*sql.Rows) (there bool, err error),
) error {
	missing := false
	row := func(rows *sql.Rows) error {
		there, err := scan(rows)
		missing = missing || !there
		return err
	}
	if !s.Bound() {
		return s.Query(ctx, query, row)
	}
	return s.Among(ctx, func(q mysql.Tx) (bool, error) {
		if buyer != "" {
			buyers := make([]buyerKey, len(keys))
			for i, key := range keys {
				buyers[i] = buyerKey{key, buyer}
			}
			if err := s.stayingBuyers(ctx, q, buyers); err != nil {
				return false, err
			}
		}
		err := mysql.Read(ctx, q, query+" FOR UPDATE", row)
		return missing, err
	}, s.SQL.BlankItems(keys))
}
