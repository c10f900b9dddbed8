package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// A list finds its page by the columns of one index, in their order: the place behind which the page begins is a range of it,
// so that no page reads more than its rows.

// renderLists renders the lists of refunds and changes.
func (q *Statements) renderLists() {
	q.listRefunds = "SELECT r.REFUND_NO, " + mysql.Micros("r.CREATE_TIME") + ", COALESCE(c.ACTOR, x''), COALESCE(c.REASON, x''), " +
		refundColumns + " FROM (SELECT REFUND_NO FROM " + q.refunds + " " + mysql.By(q.refunds, "order") +
		" WHERE ORDER_NO = ? AND REFUND_NO > ? AND LINE_NO = 1 ORDER BY REFUND_NO LIMIT ?) p" +
		" STRAIGHT_JOIN " + q.refunds + " r " + mysql.ByKey + " ON r.REFUND_NO = p.REFUND_NO" +
		" LEFT JOIN " + q.changes + " c " + mysql.ByKey +
		fmt.Sprintf(" ON c.SCOPE = %d AND c.CHANGE_NO = r.REFUND_NO AND c.LINE_NO = r.LINE_NO", stock.KindRefund.Scope()) +
		" ORDER BY r.REFUND_NO, r.LINE_NO"
	q.listChanges = "SELECT c.CHANGE_NO, " + changeColumns + " FROM " + q.changes + " c " + mysql.By(q.changes, "time") +
		" WHERE c.SKU_ID = ? AND c.ACTIVITY_ID = ? AND c.BUYER_ID IS NULL" +
		" AND (c.CREATE_TIME < ? OR (c.CREATE_TIME = ? AND (c.SCOPE < ? OR (c.SCOPE = ? AND c.CHANGE_NO < ?))))" +
		" ORDER BY c.CREATE_TIME DESC, c.SCOPE DESC, c.CHANGE_NO DESC LIMIT ?"
}

// listItems lists the items of a product, or all, by key.
func (q *Statements) listItems(ofProduct bool) string {
	text := "SELECT " + itemColumns + " FROM " + q.Items + " s "
	if ofProduct {
		text += mysql.By(q.Items, "spu") + " WHERE s.SPU_ID = ? AND "
	} else {
		text += "WHERE "
	}
	return text + "(s.SKU_ID > ? OR (s.SKU_ID = ? AND s.ACTIVITY_ID > ?)) ORDER BY s.SKU_ID, s.ACTIVITY_ID LIMIT ?"
}

// holdsOf reads the holds of a page of orders, in the order of the page.
func (q *Statements) holdsOf(page, order string) string {
	return "SELECT " + holdColumns + ", " + mysql.Micros(mysql.Now) + " FROM (" + page + ") p STRAIGHT_JOIN " + q.Holds + " h " + mysql.ByKey +
		" ON h.ORDER_NO = p.ORDER_NO ORDER BY " + order + ", h.LINE_NO"
}

// holdsByOrder lists orders in some states; the first line stands for the order.
func (q *Statements) holdsByOrder(states int) string {
	return q.holdsOf("SELECT ORDER_NO FROM "+q.Holds+" WHERE ORDER_NO > ? AND LINE_NO = 1 AND STATE IN ("+mysql.List("?", states)+")"+
		" ORDER BY ORDER_NO LIMIT ?", "h.ORDER_NO")
}

// holdsByItem lists the orders of an item in a state, by their deadlines.
func (q *Statements) holdsByItem() string {
	return q.holdsByDeadline("due", "SKU_ID = ? AND ACTIVITY_ID = ? AND STATE = ?")
}

// finishedByItem lists those that were finished before a time. What is archived leaves this range, so a listing does not meet it again.
func (q *Statements) finishedByItem() string {
	return q.holdsByDeadline("due", "SKU_ID = ? AND ACTIVITY_ID = ? AND STATE = ? AND EXPIRE_TIME < ? AND UPDATE_TIME < ?")
}

// holdsByState lists the orders in a state, by their deadlines.
func (q *Statements) holdsByState() string {
	return q.holdsByDeadline("state", "STATE = ? AND LINE_NO = 1")
}

func (q *Statements) holdsByDeadline(index, where string) string {
	return q.holdsOf("SELECT ORDER_NO, EXPIRE_TIME FROM "+q.Holds+" "+mysql.By(q.Holds, index)+" WHERE "+where+
		" AND (EXPIRE_TIME > ? OR (EXPIRE_TIME = ? AND ORDER_NO > ?)) ORDER BY EXPIRE_TIME, ORDER_NO LIMIT ?",
		"p.EXPIRE_TIME, p.ORDER_NO") // a row of nothing that an amendment has left has another deadline
}

// holdsThatWait lists the orders that wait for units of an item, in the order in which they get them.
func (q *Statements) holdsThatWait() string {
	return q.holdsOf("SELECT w.ORDER_NO, w.LOCK_TIME FROM "+q.backorders+" w "+mysql.By(q.backorders, "queue")+
		" STRAIGHT_JOIN "+q.Holds+" b "+mysql.ByKey+
		" ON b.ORDER_NO = w.ORDER_NO AND b.LINE_NO = w.LINE_NO WHERE w.STATE = 0 AND w.SKU_ID = ? AND w.ACTIVITY_ID = ?"+
		" AND (w.LOCK_TIME > ? OR (w.LOCK_TIME = ? AND w.ORDER_NO > ?)) AND b.SKU_ID = w.SKU_ID AND b.ACTIVITY_ID = w.ACTIVITY_ID"+
		fmt.Sprintf(" AND b.STATE IN (%d, %d)", stock.Locked, stock.Paid)+" AND b.BACK_NUM > 0 ORDER BY w.LOCK_TIME, w.ORDER_NO LIMIT ?",
		"p.LOCK_TIME, p.ORDER_NO")
}

// holdsByBuyer lists the orders of a buyer in some states, the newest first. Each state is a range of the index, of which no
// more is read than the page can have.
func (q *Statements) holdsByBuyer(states int) string {
	const newest = " ORDER BY CREATE_TIME DESC, ORDER_NO DESC LIMIT ?"
	page := "SELECT ORDER_NO, CREATE_TIME FROM " + q.Holds + " " + mysql.By(q.Holds, "buyer") + " WHERE BUYER_ID = ? AND STATE = ?" +
		" AND LINE_NO = 1 AND (CREATE_TIME < ? OR (CREATE_TIME = ? AND ORDER_NO < ?))" + newest
	if states > 1 {
		page = strings.Join(slices.Repeat([]string{"(" + page + ")"}, states), " UNION ALL ") + newest
	}
	return q.holdsOf(page, "h.CREATE_TIME DESC, h.ORDER_NO DESC")
}

// ListOf reads one thing per row. Handle.Show is for rows that are only shown, or checked again by whoever acts on
// them; Handle.Query is for rows that a call decides by.
func ListOf[T any](
	ctx context.Context, s *Store, by mysql.QueryFunc, query string, scan func(*sql.Rows) (T, error),
) (all []T, err error) {
	if err := s.Ready(); err != nil {
		return nil, err
	}
	err = by(ctx, query, func(rows *sql.Rows) error {
		one, err := scan(rows)
		all = append(all, one)
		return err
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// List implements stock.Store.
func (s *Store) List(ctx context.Context, spu int64, after stock.Key, limit int) ([]stock.Item, error) {
	args := []any{after.SKU, after.SKU, after.Activity, limit}
	if spu > 0 {
		args = append([]any{spu}, args...)
	}
	return ListOf(ctx, s, s.Show, mysql.Render(s.SQL.listItems(spu > 0), args...), func(rows *sql.Rows) (stock.Item, error) {
		var row itemRow
		err := rows.Scan(row.targets()...)
		return row.finish(), err
	})
}

// Holds implements stock.Store.
func (s *Store) Holds(ctx context.Context, filter stock.Filter, after stock.Cursor, limit int) ([]stock.Hold, error) {
	if err := s.Ready(); err != nil {
		return nil, err
	}
	if !filter.FinishedBefore.IsZero() {
		return s.finished(ctx, filter, after, limit)
	}
	return s.holdsOf(ctx, filter, after, limit)
}

// holdsOf reads the holds that match, but for what Filter.Finished and companions say.
func (s *Store) holdsOf(ctx context.Context, filter stock.Filter, after stock.Cursor, limit int) ([]stock.Hold, error) {
	states := filter.States
	if len(states) == 0 {
		states = []stock.State{stock.Locked, stock.Paid, stock.Redeemed, stock.Refunded, stock.Cancelled, stock.Expired, stock.Waiting}
	}
	var query, index string
	switch from := mysql.From(after.Order == "", after.At); {
	case filter.Buyer != "":
		index = "buyer"
		from := mysql.Before(after.Order == "", after.At)
		var args []any
		for _, state := range states {
			args = append(args, filter.Buyer, int64(state), from, from, after.Order, limit)
		}
		if len(states) > 1 {
			args = append(args, limit)
		}
		query = mysql.Render(s.SQL.holdsByBuyer(len(states)), args...)
	case filter.Backordered:
		query = mysql.Render(s.SQL.holdsThatWait(), filter.Key.SKU, filter.Key.Activity, from, from, after.Order, limit)
	case filter.Key != (stock.Key{}):
		index = "due"
		text, args := s.SQL.holdsByItem(), []any{filter.Key.SKU, filter.Key.Activity, int64(states[0])}
		if at := filter.FinishedBefore; !at.IsZero() {
			text, args = s.SQL.finishedByItem(), append(args, at, at)
		}
		query = mysql.Render(text, append(args, from, from, after.Order, limit)...)
	case filter.ByDeadline:
		index = "state"
		query = mysql.Render(s.SQL.holdsByState(), int64(states[0]), from, from, after.Order, limit)
	default:
		args := []any{after.Order}
		for _, state := range states {
			args = append(args, int64(state))
		}
		query = mysql.Render(s.SQL.holdsByOrder(len(states)), append(args, limit)...)
	}
	by := s.Show
	if filter.Current {
		by = s.Query
	}
	var r HoldReader
	if err := by(ctx, query, r.Scan); err != nil {
		return nil, mysql.NeedsIndex(err, s.SQL.Holds, index)
	}
	return r.Holds, nil
}

// Refunds implements stock.Store.
func (s *Store) Refunds(ctx context.Context, order, after string, limit int) (refunds []stock.RefundRecord, err error) {
	if err := s.Ready(); err != nil {
		return nil, err
	}
	err = s.Show(ctx, mysql.Render(s.SQL.listRefunds, order, after, limit), func(rows *sql.Rows) error {
		var r stock.RefundRecord
		var l stock.Line
		var at int64
		err := rows.Scan(&r.ID, &at, &r.Actor, &r.Reason, &r.Order, &l.SKU, &l.Activity, &l.Num, &r.Restock, &r.Whole, &r.Frees)
		if n := len(refunds); n == 0 || refunds[n-1].ID != r.ID {
			r.At, r.FreesBuyer = mysql.FromMicros(at), r.Frees
			refunds = append(refunds, r)
		}
		last := &refunds[len(refunds)-1]
		last.Lines = append(last.Lines, l)
		return err
	})
	return refunds, err
}

// Changes implements stock.Store.
func (s *Store) Changes(ctx context.Context, key stock.Key, after stock.Change, limit int) ([]stock.Change, error) {
	from := mysql.Before(after.At.IsZero(), after.At)
	scope := int64(after.Kind.Scope())
	query := mysql.Render(s.SQL.listChanges, key.SKU, key.Activity, from, from, scope, scope, after.ID, limit)
	return ListOf(ctx, s, s.Show, query, func(rows *sql.Rows) (stock.Change, error) {
		var id string
		c, err := scanChange(rows, &id)
		c.ID, c.Asked = id, ""
		return c, err
	})
}
