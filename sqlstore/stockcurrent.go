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

// renderCurrent renders how the caller's transaction reads what may not be there: what is there is locked by its whole
// key, and nothing beside it. See handle.among. A blank row has LINE_NUM 0.
func (q *stockSQL) renderCurrent() {
	first := func(table, key string) string {
		return "SELECT LINE_NUM FROM " + table + " FORCE INDEX (PRIMARY) WHERE " + key + " AND LINE_NO = 1 FOR UPDATE"
	}
	takeBack := func(table, key string) string {
		return "DELETE t FROM " + table + " t FORCE INDEX (PRIMARY) WHERE " + key + " AND t.LINE_NO = 1 AND t.LINE_NUM = 0"
	}
	q.lockOrder = first(q.holds, "ORDER_NO = ?")
	q.lockRefund = first(q.refunds, "REFUND_NO = ?")
	q.lockChange = first(q.changes, "SCOPE = ? AND CHANGE_NO = ?")
	q.blankHold = blank{insert: q.blankHoldsText(1), takeBack: takeBack(q.holds, "t.ORDER_NO IN (?)")}
	q.blankRefund = blank{insert: "INSERT INTO " + q.refunds + " (REFUND_NO, LINE_NO, LINE_NUM, ORDER_NO, SKU_ID, ACTIVITY_ID, NUM, RESTOCK, WHOLE, FREE, CREATE_TIME)" +
		" VALUES (?, 1, 0, x'', 0, 0, 0, 0, 0, 0, " + now + ") ON DUPLICATE KEY UPDATE LINE_NUM = LINE_NUM", takeBack: takeBack(q.refunds, "t.REFUND_NO = ?")}
	q.blankChange = blank{insert: "INSERT INTO " + q.changes + " (SCOPE, CHANGE_NO, LINE_NO, LINE_NUM, KIND, SKU_ID, ACTIVITY_ID, CREATE_TIME)" +
		" VALUES (?, ?, 1, 0, 0, 0, 0, " + now + ") ON DUPLICATE KEY UPDATE LINE_NUM = LINE_NUM", takeBack: takeBack(q.changes, "t.SCOPE = ? AND t.CHANGE_NO = ?")}
}

// blankHolds renders blank holds of some orders.
func (q *stockSQL) blankHolds(orders ...string) blank {
	args := make([]any, len(orders))
	for i, order := range orders {
		args[i] = order
	}
	return blank{insert: render(q.blankHoldsText(len(orders)), args...), takeBack: renderList(q.blankHold.takeBack, orders)}
}

func (q *stockSQL) blankHoldsText(orders int) string {
	return "INSERT INTO " + q.holds + " (ORDER_NO, LINE_NO, LINE_NUM, SKU_ID, ACTIVITY_ID, NUM, STATE, EXPIRE_TIME, CREATE_TIME, UPDATE_TIME)" +
		" VALUES " + list("(?, 1, 0, 0, 0, 0, 0, "+list(now, 3)+")", orders) + " ON DUPLICATE KEY UPDATE LINE_NUM = LINE_NUM"
}

// blankItems renders blank items, which have VERSION 0. Their ID is given, so that the LAST_INSERT_ID of the caller's
// transaction stays as it is.
func (q *stockSQL) blankItems(keys []stock.Key) blank {
	var inserted, deleted []any
	for _, key := range keys {
		inserted = append(inserted, -1-rand.Int64N(math.MaxInt64), key.SKU, key.Activity) //nolint:gosec // keeps no secret
		deleted = append(deleted, key.SKU, key.Activity)
	}
	return blank{insert: render(q.blankItemsText(len(keys)), inserted...), takeBack: render(q.deleteBlankItems(len(keys)), deleted...)}
}

func (q *stockSQL) blankItemsText(items int) string {
	return "INSERT INTO " + q.items + " (ID, SKU_ID, ACTIVITY_ID, VERSION, CREATE_TIME, UPDATE_TIME)" +
		" VALUES " + list("(?, ?, ?, 0, "+list(now, 2)+")", items) + " ON DUPLICATE KEY UPDATE VERSION = VERSION"
}

func (q *stockSQL) deleteBlankItems(items int) string {
	return byLines + "DELETE s FROM (SELECT ? AS SKU_ID, ? AS ACTIVITY_ID" + strings.Repeat(" UNION ALL SELECT ?, ?", items-1) + ") l STRAIGHT_JOIN " + q.items +
		" s " + byKey + " ON s.SKU_ID = l.SKU_ID AND s.ACTIVITY_ID = l.ACTIVITY_ID WHERE s.VERSION = 0"
}

// deleteHolds renders the DELETE that takes the holds of some Locks back.
func (q *stockSQL) deleteHolds(calls []lockCall) string {
	if len(calls) == 1 {
		return render(q.deleteHoldsText(len(calls[0].order.Lines)), calls[0].order.ID)
	}
	orders := make([]string, len(calls))
	for i, c := range calls {
		orders[i] = c.order.ID
	}
	return renderList("DELETE h FROM "+q.holds+" h "+byKey+" WHERE h.ORDER_NO IN (?) AND h.LINE_NO = 1", orders)
}

func (q *stockSQL) deleteHoldsText(n int) string {
	return byLines + "DELETE h FROM " + lines(n) + " STRAIGHT_JOIN " + q.holds + " h " + byKey + " ON h.ORDER_NO = ? AND h.LINE_NO = n.NO"
}

// deleteRefundText renders the DELETE that takes a refund back.
func (q *stockSQL) deleteRefundText(n int) string {
	return byLines + "DELETE r FROM " + lines(n) + " STRAIGHT_JOIN " + q.refunds + " r " + byKey + " ON r.REFUND_NO = ? AND r.LINE_NO = n.NO"
}

// deleteChange renders the DELETE that takes a change back.
func (q *stockSQL) deleteChange(c stock.Change) string {
	return render(q.deleteChangeText(len(c.Entries)), int64(c.Kind.Scope()), c.ID)
}

func (q *stockSQL) deleteChangeText(n int) string {
	return byLines + "DELETE c FROM " + lines(n) + " STRAIGHT_JOIN " + q.changes + " c " + byKey + " ON c.SCOPE = ? AND c.CHANGE_NO = ? AND c.LINE_NO = n.NO"
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
	blank blank
	first string
	all   func(lines int) string
	args  []any // of each of them
}

// readLines reads all lines, or none where there are none.
func (s *ledgerStore) readLines(ctx context.Context, r linedRead, scan func(*sql.Rows) error) error {
	return s.among(ctx, func(q Tx) (bool, error) {
		var n int
		if err := readRow(ctx, q, render(r.first, r.args...), &n); err != nil || n == 0 {
			return n == 0, err
		}
		return false, read(ctx, q, render(r.all(n), r.args...), scan)
	}, blank{insert: render(r.blank.insert, r.args...), takeBack: render(r.blank.takeBack, r.args...)})
}

// settled reads a record that its own transaction may not have committed yet: it waits for that. It is the answer to
// whether a call was made before.
func (s *ledgerStore) settled(ctx context.Context, r linedRead, query string, scan func(*sql.Rows) error) error {
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

// queryItems reads items and what a buyer has of them, in the caller's transaction with a lock. Scan says which are there.
func (s *ledgerStore) queryItems(ctx context.Context, buyer string, keys []stock.Key, query string, scan func(*sql.Rows) (there bool, err error)) error {
	missing := false
	row := func(rows *sql.Rows) error {
		there, err := scan(rows)
		missing = missing || !there
		return err
	}
	if !s.bound() {
		return s.query(ctx, query, row)
	}
	return s.among(ctx, func(q Tx) (bool, error) {
		if buyer != "" {
			buyers := make([]buyerKey, len(keys))
			for i, key := range keys {
				buyers[i] = buyerKey{key, buyer}
			}
			if _, err := q.ExecContext(ctx, s.sql.makeBuyers(buyers...)); err != nil {
				return false, err
			}
		}
		err := read(ctx, q, query+" FOR UPDATE", row)
		return missing, err
	}, s.sql.blankItems(keys))
}
