package events

import (
	"context"
	"fmt"
	"slices"

	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock/event"
)

// The states of an event, as the table has them.
const (
	due   = 0
	done  = 1
	aside = 2
)

// asideTime is the DUE_TIME of what is set aside, which never comes: so these events are in the order of their IDs.
const asideTime = "TIMESTAMP'9999-01-01 00:00:00'"

// Statements is every statement on events for a prefix. testdata/statements.sql has all of them to read.
type Statements struct {
	table string

	listDue, listDueBehind, listDueWithout, listDueOrder string
	waiting, waitingUpTo, heads, headsUpTo               string
	failing, putOff, lock, lease                         string
	done, back, failed, setAside                         string
	read, listAside, listQueue                           string
	listDone, prune                                      string
}

// NewStatements renders the statements for a prefix.
func NewStatements(prefix string) *Statements {
	q := &Statements{table: prefix + "goods_stock_event"}
	columns := "e.EVENT_ID, e.KIND, e.QUEUE, e.SKU_ID, e.ACTIVITY_ID, e.ORDER_NO, e.BUYER_ID, e.REF, e.NUM, " + mysql.Micros("e.CREATE_TIME") +
		", e.DELIVERIES, e.FAILURES, e.REASON, e.STATE, " + mysql.Micros("e.DUE_TIME")
	byDue, byQueue := mysql.By(q.table, "due"), mysql.By(q.table, "queue")

	q.listDue = "SELECT EVENT_ID, QUEUE, " + mysql.Micros("DUE_TIME") + " FROM " + q.table + " " + byDue +
		fmt.Sprintf(" WHERE STATE = %d AND DUE_TIME <= ", due) + mysql.Now
	q.listDueBehind = " AND DUE_TIME >= ? AND (DUE_TIME > ? OR EVENT_ID > ?)"
	q.listDueWithout = " AND QUEUE NOT IN (?)"
	q.listDueOrder = " ORDER BY DUE_TIME, EVENT_ID LIMIT ?"
	ofQueues := " FROM " + q.table + " " + byQueue + " WHERE QUEUE IN (?)"
	upTo := fmt.Sprintf(" AND STATE = %d AND EVENT_ID <= ?", due)
	q.waiting, q.waitingUpTo = "SELECT QUEUE, EVENT_ID"+ofQueues, upTo+" ORDER BY QUEUE, EVENT_ID LIMIT ?"
	q.heads, q.headsUpTo = "SELECT QUEUE, MIN(EVENT_ID)"+ofQueues, upTo+" GROUP BY QUEUE"
	q.lock = "SELECT " + columns + " FROM " + q.table + " e FORCE INDEX (PRIMARY) WHERE " +
		fmt.Sprintf("e.STATE = %d AND e.DUE_TIME <= ", due) + mysql.Now + " AND e.EVENT_ID IN (#) ORDER BY e.EVENT_ID FOR UPDATE"

	update := "UPDATE " + q.table + " " + mysql.ByKey + " SET "
	some, open := " WHERE EVENT_ID IN (#)", fmt.Sprintf(" AND STATE = %d", due)
	q.lease = update + "DUE_TIME = TIMESTAMPADD(MICROSECOND, ?, " + mysql.Now + "), DELIVERIES = DELIVERIES + 1" + some
	q.failing = "SELECT EVENT_ID, " + mysql.Micros("DUE_TIME") + " FROM " + q.table + " " + mysql.ByKey + some + open + " AND FAILURES > 0"
	// What has failed before may be at a handler by now, which needs less time than it has. And what was due may have been leased
	// since it was read: only what is still due may rest, or else that lease would end early.
	q.putOff = update + "DUE_TIME = LEAST(?, TIMESTAMPADD(SECOND, 10, " + mysql.Now + "))" + some + open + " AND DUE_TIME <= " + mysql.Now
	q.done = update + fmt.Sprintf("STATE = %d, DUE_TIME = %s", done, mysql.Now) + some + fmt.Sprintf(" AND STATE <> %d", done)
	q.back = update + "DUE_TIME = " + mysql.Now + ", DELIVERIES = ? - 1" + some + open + " AND DELIVERIES = ?"
	q.failed = update + "DUE_TIME = TIMESTAMPADD(MICROSECOND, ?, " + mysql.Now + "), FAILURES = FAILURES + 1, REASON = ?" + some + open +
		" AND DELIVERIES = ?"
	q.setAside = update + fmt.Sprintf("STATE = %d, DUE_TIME = %s, FAILURES = FAILURES + 1, REASON = ?", aside, asideTime) + some +
		fmt.Sprintf(" AND STATE <> %d AND DELIVERIES = ?", done)

	of := "SELECT " + columns + " FROM " + q.table + " e "
	q.read = of + "WHERE e.EVENT_ID = ?"
	const page = " AND e.EVENT_ID > ? ORDER BY e.EVENT_ID LIMIT ?"
	q.listAside = of + byDue + fmt.Sprintf(" WHERE e.STATE = %d AND e.DUE_TIME = ", aside) + asideTime + page
	for i, state := range []int{due, done, aside} { // each a range of the index, where a sort would read all of the queue
		if i > 0 {
			q.listQueue += " UNION ALL "
		}
		q.listQueue += "(" + of + byQueue + fmt.Sprintf(" WHERE e.QUEUE = ? AND e.STATE = %d", state) + page + ")"
	}
	q.listQueue += " ORDER BY 1 LIMIT ?"
	q.listDone = "SELECT EVENT_ID FROM " + q.table + " " + byDue + fmt.Sprintf(" WHERE STATE = %d", done) +
		" AND DUE_TIME < ? ORDER BY DUE_TIME, EVENT_ID LIMIT ?"
	q.prune = "DELETE e FROM " + q.table + " e FORCE INDEX (PRIMARY) WHERE e.EVENT_ID IN (#)" + fmt.Sprintf(" AND e.STATE = %d", done)
	return q
}

// Write writes events in a transaction that has locked what they are about.
func (q *Statements) Write(ctx context.Context, tx mysql.Tx, told []event.Event) error {
	for part := range slices.Chunk(told, mysql.MaxList) {
		if _, err := tx.ExecContext(ctx, q.Insert(part)); err != nil {
			return err
		}
	}
	return nil
}

// Insert renders the INSERT of events, which happen now unless they say when.
func (q *Statements) Insert(events []event.Event) string {
	args := make([]any, 0, 9*len(events))
	for _, e := range events {
		args = append(args, e.Queue, int64(e.Kind), e.SKU, e.Activity, e.Order, e.Buyer, e.Ref, e.Num, e.At)
	}
	return mysql.Render(q.insertText(len(events)), args...)
}

func (q *Statements) insertText(events int) string {
	return "INSERT INTO " + q.table + " (QUEUE, KIND, SKU_ID, ACTIVITY_ID, ORDER_NO, BUYER_ID, REF, NUM, DUE_TIME, CREATE_TIME) VALUES " +
		mysql.List("("+mysql.List("?", 8)+", "+mysql.Now+", COALESCE(?, "+mysql.Now+"))", events)
}
