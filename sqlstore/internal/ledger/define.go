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

// renderDefinitions renders what a definition does.
func (q *Statements) renderDefinitions() {
	const columns = "s.SPU_ID @ ?, s.STATUS @ ?, s.START_TIME @ ?, s.END_TIME @ ?, s.ORDER_LIMIT @ ?, s.BUYER_LIMIT @ ?, s.HOLD_LIMIT @ ?" +
		", s.LOW_NUM @ ?, s.RESERVE_NUM @ ?, s.BACKORDER_NUM @ ?"
	terms := "UPDATE " + q.Items + " s " + mysql.ByKey + " SET " + strings.ReplaceAll(columns, "@", "=") + ", " + asksWaiting + ", s." + Touch
	// The terms must still be those that were read, so that nobody's change is lost: an item that has become limited or unlimited
	// in between, or has other terms by now, is looked at again.
	where := " WHERE s.SKU_ID = ? AND s.ACTIVITY_ID = ? AND s.UNLIMITED = ? AND " +
		strings.ReplaceAll(strings.ReplaceAll(columns, "@", "<=>"), ", ", " AND ")
	q.changeTerms = terms + where
	// Nor must a new total be less than what was sold and locked in between.
	q.changeLimit = terms + ", s.STOCK_TOTAL_NUM = IF(?, ? + s.BACK_NUM, 0)," +
		" s.STOCK_LEFT_NUM = IF(?, ? + s.BACK_NUM - s.STOCK_SALE_NUM, 0), s.UNLIMITED = ?" +
		where + " AND s.STOCK_TOTAL_NUM = ? + IF(s.UNLIMITED = 1, 0, s.BACK_NUM)" +
		" AND (NOT ? OR s.STOCK_SALE_NUM + s.STOCK_LOCK_NUM <= ?)"
}

// columnsOf returns the terms in the order of their columns, but for UNLIMITED.
func columnsOf(t stock.Terms) []any {
	return []any{t.SPU, t.OffShelf, t.Start, t.End, t.PerOrder, t.PerBuyer, t.LiveHolds, t.Low, t.Reserve, t.Backorder}
}

// createItems renders the INSERT of new items.
func (q *Statements) createItems(items []stock.Item) string {
	args := make([]any, 0, 15*len(items))
	for _, i := range items {
		args = append(append(args, i.SKU, i.Activity, i.Total, i.Left, i.Unlimited), columnsOf(i.Terms)...)
	}
	return mysql.Render(q.createItemsText(len(items)), args...)
}

func (q *Statements) createItemsText(items int) string {
	return "INSERT INTO " + q.Items + " (SKU_ID, ACTIVITY_ID, STOCK_TOTAL_NUM, STOCK_LEFT_NUM, UNLIMITED, SPU_ID, STATUS," +
		" START_TIME, END_TIME, ORDER_LIMIT, BUYER_LIMIT, HOLD_LIMIT, LOW_NUM, RESERVE_NUM, BACKORDER_NUM, CREATE_TIME, UPDATE_TIME)" +
		" VALUES " + mysql.List("("+mysql.List("?", 15)+", "+mysql.Now+", "+mysql.Now+")", items)
}

// definedText reads the units of the last definition of items that brought or took any. The serials behind the same key are in
// the order of their lengths, then of their digits.
func (q *Statements) definedText(items int) string {
	return "SELECT l.SKU_ID, l.ACTIVITY_ID, (SELECT c.TOTAL_NUM FROM " + q.changes + " c " + mysql.By(q.changes, "item") +
		" WHERE c.SKU_ID = l.SKU_ID AND c.ACTIVITY_ID = l.ACTIVITY_ID" + fmt.Sprintf(" AND c.KIND = %d", stock.KindDefine) +
		" ORDER BY c.TOTAL_NUM = 0, LENGTH(c.CHANGE_NO) DESC, c.CHANGE_NO DESC LIMIT 1) FROM " + keyList(items)
}

// keyList is the keys of items as a table l.
func keyList(items int) string {
	return "(SELECT ? AS SKU_ID, ? AS ACTIVITY_ID" + strings.Repeat(" UNION ALL SELECT ?, ?", items-1) + ") l"
}

// argsOf returns keys as arguments of keyList.
func argsOf(keys []stock.Key) []any {
	args := make([]any, 0, 2*len(keys))
	for _, key := range keys {
		args = append(args, key.SKU, key.Activity)
	}
	return args
}

// Create implements stock.Store.
func (s *Store) Create(
	ctx context.Context, items []stock.Item, defines []stock.Change, beside ...stock.Companion,
) (stock.Verdict, error) {
	if err := s.Ready(beside...); err != nil {
		return stock.Refused, err
	}
	keys := make([]stock.Key, len(items))
	for i, item := range items {
		keys[i] = item.Key
	}
	defer s.Freed(keys...)
	kept, err := s.change(ctx, beside, func(q mysql.Tx) (bool, error) {
		err := s.KeepInsertID(ctx, q, func() error {
			_, err := q.ExecContext(ctx, s.SQL.createItems(items))
			return err
		})
		if err != nil {
			return false, err
		}
		return true, s.Record(ctx, q, defines...)
	})
	return ExistsOnDuplicate(DoneIf(kept), err)
}

// SetTerms implements stock.Store.
func (s *Store) SetTerms(
	ctx context.Context, from stock.Item, to stock.Terms, total int64, define stock.Change, beside ...stock.Companion,
) (stock.Verdict, error) {
	if err := s.Ready(beside...); err != nil {
		return stock.Refused, err
	}
	defer s.Freed(from.Key)
	where := append([]any{from.SKU, from.Activity, from.Unlimited}, columnsOf(from.Terms)...)
	statement := mysql.Render(s.SQL.changeTerms, slices.Concat(columnsOf(to), where)...)
	if from.Unlimited != to.Unlimited {
		limited := !to.Unlimited // what is left of a new total; an unlimited item has nothing left to count
		statement = mysql.Render(s.SQL.changeLimit, slices.Concat(columnsOf(to), []any{limited, total, limited, total, to.Unlimited},
			where, []any{from.Total, limited, total})...)
	}
	if define.ID == "" && !s.Bound() && s.rows == nil && len(beside) == 0 && !s.tellsTerms(from, to) {
		rows, err := s.Exec(ctx, unlessWaiting(statement))
		if mysql.Number(err) != mysql.ErrOutOfRange {
			return DoneIf(rows > 0), err
		}
	}
	kept, err := s.WithHandover(ctx, s.changeBeside(beside), func(q mysql.Tx, h *Handover) (bool, error) {
		if err := h.Lock(ctx, q); err != nil {
			return false, err
		}
		t, err := s.switched(ctx, q, from, to)
		if err != nil {
			return false, err
		}
		rows, err := h.exec(ctx, q, statement)
		if err != nil || rows == 0 {
			return false, err
		}
		if err := s.Record(ctx, q, define); err != nil {
			return false, err
		}
		return h.Finish(ctx, q, []stock.Key{from.Key}, t)
	})
	if mysql.Number(err) == mysql.ErrDuplicate {
		return stock.Refused, nil // from is of before an earlier switch
	}
	return DoneIf(kept), mysql.Reason(err)
}

// Defined implements stock.Store.
func (s *Store) Defined(ctx context.Context, keys []stock.Key) ([]int64, error) {
	if err := s.Ready(); err != nil {
		return nil, err
	}
	totals := map[stock.Key]int64{}
	for part := range slices.Chunk(keys, stock.MaxLines) {
		err := s.Query(ctx, mysql.Render(s.SQL.definedText(len(part)), argsOf(part)...), func(rows *sql.Rows) error {
			var key stock.Key
			var units sql.NullInt64
			err := rows.Scan(&key.SKU, &key.Activity, &units)
			if totals[key] = -1; units.Valid {
				totals[key] = max(units.Int64, 0)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	all := make([]int64, len(keys))
	for i, key := range keys {
		all[i] = totals[key]
	}
	return all, nil
}
