package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// itemColumns are the columns of an item s, in the order in which itemRow scans them.
var itemColumns = "s.SKU_ID, s.ACTIVITY_ID, s.SPU_ID, s.UNLIMITED, s.STATUS, " + mysql.Micros("s.START_TIME") + ", " +
	mysql.Micros("s.END_TIME") +
	", s.ORDER_LIMIT, s.BUYER_LIMIT, s.HOLD_LIMIT, s.LOW_NUM, s.RESERVE_NUM, s.BACKORDER_NUM, s.WAIT_NUM, s.STOCK_TOTAL_NUM" +
	", s.STOCK_SALE_NUM, s.STOCK_LOCK_NUM, s.STOCK_LEFT_NUM" +
	", s.STOCK_REFUND_NUM, s.BACK_NUM, s.VERSION, " + mysql.Micros("s.CREATE_TIME") + ", " + mysql.Micros("s.UPDATE_TIME")

// holdColumns are the columns of a hold h, in the order in which holdRow scans them.
var holdColumns = unitColumns + ", h.FIRST_HASH, h.BUYER_ID, h.STATE, h.FENCE, " +
	mysql.Micros("h.EXPIRE_TIME") + ", " + mysql.Micros("h.PAY_TIME") + ", " + mysql.Micros("h.CREATE_TIME") + ", " +
	mysql.Micros("h.UPDATE_TIME")

// sameColumns are those that stock.Hold.SameAs looks at, and NULL for the others.
var sameColumns = unitColumns + ", NULL, NULL, h.STATE, h.FENCE, NULL, NULL, NULL, " + mysql.Micros("h.UPDATE_TIME")

// unitColumns are the line of a hold.
const unitColumns = "h.ORDER_NO, h.SKU_ID, h.ACTIVITY_ID, h.NUM, h.REFUND_NUM, h.RESTOCK_NUM, h.FREE_NUM, h.REDEEM_NUM, h.BACK_NUM"

// renderReads renders what is read of items, holds and numbers that were claimed.
func (q *Statements) renderReads() {
	hold := "SELECT " + holdColumns + ", " + mysql.Micros(mysql.Now) + " FROM " + q.Holds + " h"
	// The clock comes also where there is no hold.
	q.readHold = "SELECT " + holdColumns + ", c.CLOCK FROM (SELECT " + mysql.Micros(mysql.Now) + " AS CLOCK) c LEFT JOIN " + q.Holds + " h " +
		mysql.ByKey + " ON h.ORDER_NO = ? ORDER BY h.LINE_NO"
	q.readHolds = hold + " FORCE INDEX (PRIMARY) WHERE h.ORDER_NO IN (?) ORDER BY h.ORDER_NO, h.LINE_NO"
	q.heldOrders = "SELECT h.ORDER_NO FROM " + q.Holds + " h FORCE INDEX (PRIMARY) WHERE h.ORDER_NO IN (?) AND h.LINE_NO = 1" +
		fmt.Sprintf(" AND (h.SKU_ID > 0 OR h.STATE = %d)", stock.Archived)
	q.LockHolds = hold + " FORCE INDEX (PRIMARY) WHERE h.ORDER_NO IN (?) AND h.LINE_NO = 1 ORDER BY h.ORDER_NO FOR UPDATE"
	q.known = "SELECT " + mysql.Micros(mysql.Now) + ", ORDER_NO FROM " + q.Holds +
		" FORCE INDEX (PRIMARY) WHERE ORDER_NO IN (?) AND LINE_NO = 1" +
		" UNION ALL SELECT " + mysql.Micros(mysql.Now) + ", NULL" // the clock comes also where there is no hold
	q.knownNow = "SELECT " + mysql.Micros(mysql.Now) + ", ORDER_NO FROM " + q.Holds +
		" FORCE INDEX (PRIMARY) WHERE ORDER_NO IN (?) AND LINE_NO = 1 AND LINE_NUM > 0 FOR UPDATE"
	q.readRefund = "SELECT " + refundColumns + " FROM " + q.refunds + " r WHERE r.REFUND_NO = ? ORDER BY r.LINE_NO"
	q.readChange = "SELECT " + changeColumns + " FROM " + q.changes + " c WHERE c.SCOPE = ? AND c.CHANGE_NO = ? ORDER BY c.LINE_NO"
	q.renderCurrent()

	dead := fmt.Sprintf("h.STATE = %d AND h.EXPIRE_TIME <= ", stock.Locked) + mysql.Now
	q.dueOfItem = "SELECT h.ORDER_NO FROM " + q.Holds + " h " + mysql.By(q.Holds, "due") +
		" WHERE h.SKU_ID = ? AND h.ACTIVITY_ID = ? AND " + dead +
		" ORDER BY h.EXPIRE_TIME LIMIT ?"
	q.dueOfAll = "SELECT DISTINCT h.ORDER_NO FROM " + q.Items + " s STRAIGHT_JOIN " + q.Holds + " h " + mysql.By(q.Holds, "due") +
		" ON h.SKU_ID = s.SKU_ID AND h.ACTIVITY_ID = s.ACTIVITY_ID WHERE s.STOCK_LOCK_NUM > 0 AND " + dead + " LIMIT ?"

	q.stillDue = "SELECT h.ORDER_NO FROM " + q.Holds + " h FORCE INDEX (PRIMARY) WHERE h.ORDER_NO IN (?) AND h.LINE_NO = 1 AND " + dead +
		" FOR UPDATE"
}

// lookAtItems reads items and, if asked for, when the first of their holds die, some holds left out.
func (q *Statements) lookAtItems(keys []stock.Key, next bool, without ...string) string {
	args := mysql.AnyOf(without)
	for _, key := range keys {
		args = append(args, key.SKU, key.Activity)
	}
	return mysql.Render(q.lookAtItemsText(len(keys), next, len(without)), args...)
}

func (q *Statements) lookAtItemsText(keys int, next bool, without int) string {
	first := "NULL"
	if next {
		deadline, order := "MIN(h.EXPIRE_TIME)", ""
		if without > 0 { // the first entries of the index, where MIN would read all
			deadline, order = "h.EXPIRE_TIME", " AND h.ORDER_NO NOT IN ("+mysql.List("?", without)+") ORDER BY h.EXPIRE_TIME LIMIT 1"
		}
		first = "(SELECT " + mysql.Micros(deadline) + " FROM " + q.Holds + " h " + mysql.By(q.Holds, "due") +
			fmt.Sprintf(" WHERE h.SKU_ID = s.SKU_ID AND h.ACTIVITY_ID = s.ACTIVITY_ID AND h.STATE = %d", stock.Locked) + order + ")"
	}
	return "SELECT " + itemColumns + ", " + first + ", " + mysql.Micros(mysql.Now) + " FROM " + itemsAt(q.Items, keys)
}

// itemsAt finds items by their keys, which drive a join where there are several.
func itemsAt(table string, keys int) string {
	if keys == 1 {
		return table + " s WHERE s.SKU_ID = ? AND s.ACTIVITY_ID = ?"
	}
	return "(SELECT ? AS SKU_ID, ? AS ACTIVITY_ID" + strings.Repeat(" UNION ALL SELECT ?, ?", keys-1) + ") l STRAIGHT_JOIN " + table + " s " +
		mysql.ByKey + " ON s.SKU_ID = l.SKU_ID AND s.ACTIVITY_ID = l.ACTIVITY_ID"
}

// readUsages reads what some buyers have of items.
func (q *Statements) readUsages(keys []buyerKey) string {
	args := make([]any, 0, 3*len(keys))
	for _, key := range keys {
		args = append(args, key.SKU, key.Activity, key.buyer)
	}
	return mysql.Render(q.readUsagesText(len(keys)), args...)
}

func (q *Statements) readUsagesText(keys int) string {
	return "SELECT b.SKU_ID, b.ACTIVITY_ID, b.BUYER_ID, b.HELD_NUM, b.BOUGHT_NUM, b.HOLD_NUM FROM " + buyerList(keys) + " STRAIGHT_JOIN " +
		q.buyers + " b " + mysql.ByKey + " ON b.SKU_ID = k.SKU_ID AND b.ACTIVITY_ID = k.ACTIVITY_ID AND b.BUYER_ID = k.BUYER_ID"
}

// readItems reads items with what one buyer has of them. The keys drive the join, so that a read
// in the caller's transaction locks these items and no others, however small the table is.
func (q *Statements) readItems(keys int) string {
	return "SELECT " + itemColumns + ", COALESCE(b.HELD_NUM, 0), COALESCE(b.BOUGHT_NUM, 0), COALESCE(b.HOLD_NUM, 0), " +
		mysql.Micros(mysql.Now) +
		" FROM " + q.itemsOf(keys) + " LEFT JOIN " + q.buyers + " b " + mysql.ByKey +
		" ON b.SKU_ID = s.SKU_ID AND b.ACTIVITY_ID = s.ACTIVITY_ID AND b.BUYER_ID = l.NUM"
}

// refundColumns are the columns of a line of a refund r, and changeColumns those of a change c, in the order in which they
// are scanned.
var (
	refundColumns = "r.ORDER_NO, r.SKU_ID, r.ACTIVITY_ID, r.NUM, r.RESTOCK, r.WHOLE, r.FREE"
	changeColumns = "c.KIND, c.SKU_ID, c.ACTIVITY_ID, COALESCE(c.BUYER_ID, x''), c.TOTAL_NUM, c.SALE_NUM, c.LOCK_NUM, c.LEFT_NUM," +
		" c.REFUND_NUM, c.WAIT_NUM, c.BACK_NUM, c.HOLD_NUM, c.REST, c.ACTOR, c.REASON, c.ORDER_NO, COALESCE(c.ASKED, x'')," +
		" " + mysql.Micros("c.CREATE_TIME")
)

// itemRow scans itemColumns.
type itemRow struct {
	item             stock.Item
	start, end       sql.NullInt64
	created, updated int64
}

func (r *itemRow) targets() []any {
	i := &r.item
	return []any{
		&i.SKU, &i.Activity, &i.SPU, &i.Unlimited, &i.OffShelf, &r.start, &r.end, &i.PerOrder, &i.PerBuyer, &i.LiveHolds, &i.Low,
		&i.Reserve, &i.Backorder, &i.Waiting,
		&i.Total, &i.Sold, &i.Locked, &i.Left, &i.Refunded, &i.Backordered, &i.Version, &r.created, &r.updated,
	}
}

func (r *itemRow) finish() stock.Item {
	if !r.item.Unlimited { // these are stored with what is owed; see counters
		r.item.Total, r.item.Left = r.item.Total-r.item.Backordered, r.item.Left-r.item.Backordered
	}
	r.item.Start, r.item.End = mysql.FromNullMicros(r.start), mysql.FromNullMicros(r.end)
	r.item.CreatedAt, r.item.UpdatedAt = mysql.FromMicros(r.created), mysql.FromMicros(r.updated)
	return r.item
}

// Items implements stock.Store.
func (s *Store) Items(ctx context.Context, buyer string, keys []stock.Key) ([]stock.ItemUsage, time.Time, error) {
	if err := s.Ready(); err != nil {
		return nil, time.Time{}, err
	}
	var args []any
	for _, key := range keys {
		args = append(args, key.SKU, key.Activity, buyerOf(buyer))
	}
	found := make(map[stock.Key]stock.ItemUsage, len(keys))
	var clock int64
	err := s.queryItems(ctx, buyer, keys, mysql.Render(s.SQL.readItems(len(keys)), args...), func(rows *sql.Rows) (bool, error) {
		var row itemRow
		var usage stock.Usage
		err := rows.Scan(append(row.targets(), &usage.Held, &usage.Bought, &usage.Holds, &clock)...)
		item := row.finish()
		if item.Version > 0 {
			found[item.Key] = stock.ItemUsage{Item: item, Usage: usage}
		}
		return item.Version > 0, err
	})
	now, err := s.Moment(ctx, clock, err)
	if err != nil {
		return nil, time.Time{}, err
	}
	standings := make([]stock.ItemUsage, len(keys))
	for i, key := range keys {
		standings[i] = found[key]
		standings[i].Key = key
	}
	return standings, now, nil
}

// HoldReader puts the lines of holds together.
type HoldReader struct {
	Holds []stock.Hold
	clock int64
}

// Scan reads holdColumns and the clock. A row without an order brings the clock alone.
func (r *HoldReader) Scan(rows *sql.Rows) error {
	var hold stock.Hold
	var line stock.HoldLine
	var order, buyer, first sql.NullString
	var sku, activity, num, refunded, restocked, freed, redeemed, back, fence, deadline, paid, created, updated sql.NullInt64
	var state sql.NullByte
	err := rows.Scan(&order, &sku, &activity, &num, &refunded, &restocked, &freed, &redeemed, &back, &first, &buyer, &state, &fence, &deadline,
		&paid, &created, &updated, &r.clock)
	if err != nil || !order.Valid {
		return err
	}
	line.SKU, line.Activity, line.Num = sku.Int64, activity.Int64, num.Int64
	line.Refunded, line.Restocked, line.Freed = refunded.Int64, restocked.Int64, freed.Int64
	if is := stock.State(state.Byte); is == stock.Redeemed || is == stock.Refunded { // as a whole, and what is refunded then is not counted
		line.Redeemed = line.Num - line.Refunded
	} else {
		line.Redeemed = redeemed.Int64
	}
	if is := stock.State(state.Byte); is == stock.Locked || is == stock.Paid { // the others wait for nothing any more
		line.Backordered = back.Int64
	}
	hold.Order, hold.State, hold.Fence = order.String, stock.State(state.Byte), fence.Int64
	last := len(r.Holds) - 1
	if last < 0 || r.Holds[last].Order != hold.Order {
		hold.Buyer, hold.PaidAt, hold.First = buyer.String, mysql.FromNullMicros(paid), first.String
		hold.Deadline, hold.LockedAt = mysql.FromNullMicros(deadline), mysql.FromNullMicros(created)
		r.Holds = append(r.Holds, hold)
		last++
	}
	if at := mysql.FromNullMicros(updated); at.After(r.Holds[last].UpdatedAt) { // a refund moves its lines alone
		r.Holds[last].UpdatedAt = at
	}
	if line.SKU != 0 { // an order that was closed before it locked has no line, and one that was amended may have a row too many
		r.Holds[last].Lines = append(r.Holds[last].Lines, line)
	}
	return nil
}

// Hold implements stock.Store. Concurrent calls share one read, since replays come in crowds too.
func (s *Store) Hold(ctx context.Context, order string) (stock.Hold, time.Time, error) {
	if err := s.Ready(); err != nil {
		return stock.Hold{}, time.Time{}, err
	}
	hold, now, err := s.holds.Get(ctx, order)
	hold.Lines = slices.Clone(hold.Lines) // each caller's own
	return hold, now, err
}

// hold reads one hold.
func (s *Store) hold(ctx context.Context, order string) (hold stock.Hold, now time.Time, err error) {
	var r HoldReader
	if s.Bound() {
		err = s.readLines(ctx, linedRead{blank: s.SQL.blankHold, first: s.SQL.lockOrder, all: s.SQL.currentHold, args: []any{order}}, r.Scan)
	} else {
		err = s.Query(ctx, mysql.Render(s.SQL.readHold, order), r.Scan)
	}
	now, err = s.Moment(ctx, r.clock, err)
	if err == nil && len(r.Holds) > 0 {
		hold = r.Holds[0]
	}
	return hold, now, err
}

// severalHolds reads several.
func (s *Store) severalHolds(ctx context.Context, orders []string) (map[string]stock.Hold, time.Time, error) {
	var r HoldReader
	err := s.Query(ctx, mysql.RenderList(s.SQL.readHolds, orders), r.Scan)
	now, err := s.Moment(ctx, r.clock, err)
	holds := make(map[string]stock.Hold, len(r.Holds))
	for _, h := range r.Holds {
		holds[h.Order] = h
	}
	return holds, now, err
}

// Missing implements stock.Store.
func (s *Store) Missing(ctx context.Context, orders []string) (missing []string, err error) {
	if err := s.Ready(); err != nil {
		return nil, err
	}
	held := make(map[string]bool, len(orders))
	for part := range slices.Chunk(orders, mysql.MaxList) {
		err := s.Query(ctx, mysql.RenderList(s.SQL.heldOrders, part), func(rows *sql.Rows) error {
			order, err := mysql.One[string](rows)
			held[order] = true
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	for _, order := range orders {
		if !held[order] {
			missing = append(missing, order)
		}
	}
	return missing, nil
}

// RefundRecord implements stock.Store.
func (s *Store) RefundRecord(ctx context.Context, id string) (stock.RefundRecord, error) {
	if err := s.Ready(); err != nil {
		return stock.RefundRecord{}, err
	}
	var refund stock.RefundRecord
	r := linedRead{blank: s.SQL.blankRefund, first: s.SQL.lockRefund, all: s.SQL.currentRefund, args: []any{id}}
	err := s.settled(ctx, r, s.SQL.readRefund, func(rows *sql.Rows) error {
		var line stock.Line
		err := rows.Scan(&refund.Order, &line.SKU, &line.Activity, &line.Num, &refund.Restock, &refund.Whole, &refund.Frees)
		refund.ID, refund.Lines = id, append(refund.Lines, line)
		return err
	})
	return refund, err
}

// Applied implements stock.Store.
func (s *Store) Applied(ctx context.Context, kind stock.Kind, id string) (stock.Change, error) {
	if err := s.Ready(); err != nil {
		return stock.Change{}, err
	}
	var change stock.Change
	r := linedRead{blank: s.SQL.blankChange, first: s.SQL.lockChange, all: s.SQL.currentChange, args: []any{int64(kind.Scope()), id}}
	err := s.settled(ctx, r, s.SQL.readChange, func(rows *sql.Rows) error {
		one, err := scanChange(rows)
		one.ID, one.Asked, one.Entries = id, cmp.Or(change.Asked, one.Asked), append(change.Entries, one.Entries...)
		change = one
		return err
	})
	return change, err
}

// scanChange reads changeColumns, behind what more there is: a change with one entry.
func scanChange(rows *sql.Rows, more ...any) (stock.Change, error) {
	var c stock.Change
	var e stock.Entry
	var rest, at int64
	var asked string
	d := &e.Delta
	err := rows.Scan(append(more, &c.Kind, &e.SKU, &e.Activity, &e.Buyer, &d.Total, &d.Sold, &d.Locked, &d.Left, &d.Refunded, &d.Waiting,
		&d.Backordered, &e.Holds, &rest, &c.Actor, &c.Reason, &c.Order, &asked, &at)...)
	if e.Buyer == "" {
		e.Asked, e.Holds = e.Holds, 0
	}
	if c.Kind == stock.KindCount {
		e.Short, d.Locked = d.Locked, 0
	}
	e.Rest, e.Exactly = rest > 0, rest == restOf(stock.Entry{Exactly: true})
	c.At, c.Asked, c.Entries = mysql.FromMicros(at), asked, []stock.Entry{e}
	return c, err
}
