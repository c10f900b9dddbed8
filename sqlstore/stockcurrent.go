package sqlstore

import (
	"context"
	"database/sql"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/holdfast-go/holdfast/stock"
)

// renderLocked renders how the caller's transaction reads what may not be there: what is there is locked by its whole
// key, and nothing beside it. See handle.among. A blank row has LINE_NUM 0.
func (q *stockSQL) renderLocked() {
	first := func(table, key string) string {
		return "SELECT LINE_NUM FROM " + table + " FORCE INDEX (PRIMARY) WHERE " + key + " AND LINE_NO = 1 FOR UPDATE"
	}
	q.lockOrder = first(q.holds, "ORDER_NO = ?")
	q.lockRefund = first(q.refunds, "REFUND_NO = ?")
	q.lockChange = first(q.changes, "SCOPE = ? AND CHANGE_NO = ?")
	q.blankRefund = "INSERT INTO " + q.refunds + " (REFUND_NO, LINE_NO, LINE_NUM, ORDER_NO, SKU_ID, ACTIVITY_ID, NUM, RESTOCK, WHOLE, FREE, CREATE_TIME)" +
		" VALUES (?, 1, 0, x'', 0, 0, 0, 0, 0, 0, " + now + ") ON DUPLICATE KEY UPDATE LINE_NUM = LINE_NUM"
	q.blankChange = "INSERT INTO " + q.changes + " (SCOPE, CHANGE_NO, LINE_NO, LINE_NUM, KIND, SKU_ID, ACTIVITY_ID, CREATE_TIME)" +
		" VALUES (?, ?, 1, 0, 0, 0, 0, " + now + ") ON DUPLICATE KEY UPDATE LINE_NUM = LINE_NUM"
}

// blankHolds renders the INSERT of blank holds of some orders, which leaves those alone that have one.
func (q *stockSQL) blankHolds(orders ...string) string {
	var args []any
	for _, order := range orders {
		args = append(args, order)
	}
	return render(q.blankHoldsText(len(orders)), args...)
}

func (q *stockSQL) blankHoldsText(orders int) string {
	return "INSERT INTO " + q.holds + " (ORDER_NO, LINE_NO, LINE_NUM, SKU_ID, ACTIVITY_ID, NUM, STATE, EXPIRE_TIME, CREATE_TIME, UPDATE_TIME)" +
		" VALUES " + list("(?, 1, 0, 0, 0, 0, 0, "+list(now, 3)+")", orders) + " ON DUPLICATE KEY UPDATE LINE_NUM = LINE_NUM"
}

// blankItems renders the same for items. A blank one has VERSION 0. Its ID is given, so that the LAST_INSERT_ID of the
// caller's transaction stays as it is.
func (q *stockSQL) blankItems(keys []stock.Key) string {
	var args []any
	for _, key := range keys {
		args = append(args, -1-rand.Int64N(math.MaxInt64), key.SKU, key.Activity) //nolint:gosec // keeps no secret
	}
	return render(q.blankItemsText(len(keys)), args...)
}

func (q *stockSQL) blankItemsText(items int) string {
	return "INSERT INTO " + q.items + " (ID, SKU_ID, ACTIVITY_ID, VERSION, CREATE_TIME, UPDATE_TIME)" +
		" VALUES " + list("(?, ?, ?, 0, "+list(now, 2)+")", items) + " ON DUPLICATE KEY UPDATE VERSION = VERSION"
}

// lines is the numbers of the lines of one order, refund or change, which drive the join that finds them by their whole keys.
func lines(n int) string {
	var b strings.Builder
	b.WriteString("(SELECT 1 AS NO")
	for i := 2; i <= n; i++ {
		b.WriteString(" UNION ALL SELECT ")
		integer(&b, int64(i))
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
func (q *stockSQL) currentHold(n int) string {
	return "SELECT " + holdColumns + ", " + micros(now) + " FROM " + lines(n) + " STRAIGHT_JOIN " + q.holds + " h " + byKey +
		" ON h.ORDER_NO = ? AND h.LINE_NO = n.NO ORDER BY h.LINE_NO FOR UPDATE"
}

// countCurrent counts the lines of an order that is locked in a state.
func (q *stockSQL) countCurrent(n int) string {
	return "SELECT COUNT(*) FROM " + lines(n) + " STRAIGHT_JOIN " + q.holds + " h " + byKey + " ON h.ORDER_NO = ? AND h.LINE_NO = n.NO WHERE h.STATE = ? FOR UPDATE"
}

// currentRefund reads the lines of a refund that is locked.
func (q *stockSQL) currentRefund(n int) string {
	return "SELECT " + refundColumns + " FROM " + lines(n) + " STRAIGHT_JOIN " + q.refunds + " r " + byKey +
		" ON r.REFUND_NO = ? AND r.LINE_NO = n.NO ORDER BY r.LINE_NO FOR UPDATE"
}

// currentChange reads the lines of a change that is locked.
func (q *stockSQL) currentChange(n int) string {
	return "SELECT " + changeColumns + " FROM " + lines(n) + " STRAIGHT_JOIN " + q.changes + " c " + byKey +
		" ON c.SCOPE = ? AND c.CHANGE_NO = ? AND c.LINE_NO = n.NO ORDER BY c.LINE_NO FOR UPDATE"
}

// linedRead is a read, in the caller's transaction, of what has one row a line: the blank of its first line, the lock of that,
// and the read of so many.
type linedRead struct {
	blank, first string
	all          func(lines int) string
	args         []any // of each of them
}

// readLines reads all lines, or none where there are none.
func (s *Stock) readLines(ctx context.Context, r linedRead, scan func(*sql.Rows) error) error {
	return s.among(ctx, func(q Tx) error {
		var n int
		if err := readRow(ctx, q, render(r.first, r.args...), &n); err != nil || n == 0 {
			return err
		}
		return read(ctx, q, render(r.all(n), r.args...), scan)
	}, render(r.blank, r.args...))
}

// settled reads a record that its own transaction may not have committed yet: it waits for that. It is the answer to
// whether a call was made before.
func (s *Stock) settled(ctx context.Context, r linedRead, query string, scan func(*sql.Rows) error) error {
	if s.bound() {
		return s.readLines(ctx, r, scan)
	}
	underWay := false
	query = render(query, r.args...)
	err := s.peek(ctx, query, func(*sql.Rows) error { underWay = true; return nil })
	if err != nil || !underWay {
		return err
	}
	return s.query(ctx, query+" FOR UPDATE", scan)
}

// queryItems reads items and what a buyer has of them, in the caller's transaction with a lock.
func (s *Stock) queryItems(ctx context.Context, buyer int64, keys []stock.Key, query string, scan func(*sql.Rows) error) error {
	if !s.bound() {
		return s.query(ctx, query, scan)
	}
	blanks := []string{s.sql.blankItems(keys)}
	if buyer != 0 {
		for _, key := range keys {
			blanks = append(blanks, s.sql.makeBuyers(key, buyer))
		}
	}
	return s.among(ctx, func(q Tx) error { return read(ctx, q, query+" FOR UPDATE", scan) }, blanks...)
}
