package ledger

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// renderBooks renders the recounts. Each is one statement and so one moment, also at READ
// COMMITTED: state and counters move together, so what it sees must agree.
func (q *Statements) renderBooks() {
	locked, sold := CountedStates()
	sum := func(expr, as string) string { return "CAST(COALESCE(SUM(" + expr + "), 0) AS SIGNED) AS " + as }
	when := func(states []stock.State, num string) string {
		return "CASE WHEN STATE " + In(states) + " THEN " + num + " ELSE 0 END"
	}

	q.bookItem = "SELECT " + itemColumns + ", c.TOTAL_NUM, h.SALE_NUM, h.LOCK_NUM, h.REFUND_NUM, r.REPAIRS FROM " + q.Items + " s" +
		" CROSS JOIN (SELECT " + sum("TOTAL_NUM", "TOTAL_NUM") + " FROM " + q.changes +
		fmt.Sprintf(" WHERE SKU_ID = ? AND ACTIVITY_ID = ? AND KIND <> %d AND BUYER_ID IS NULL) c", stock.KindRepair) +
		" CROSS JOIN (SELECT COUNT(DISTINCT CHANGE_NO) AS REPAIRS FROM " + q.changes +
		fmt.Sprintf(" WHERE SKU_ID = ? AND ACTIVITY_ID = ? AND KIND = %d) r", stock.KindRepair) +
		" CROSS JOIN (SELECT " + sum(when(sold, "NUM - RESTOCK_NUM"), "SALE_NUM") + ", " + sum(when(locked, "NUM"), "LOCK_NUM") + ", " +
		sum("REFUND_NUM", "REFUND_NUM") + " FROM " + q.Holds + " WHERE SKU_ID = ? AND ACTIVITY_ID = ?) h" +
		" WHERE s.SKU_ID = ? AND s.ACTIVITY_ID = ?"

	q.bookBuyers = "SELECT BUYER_ID, " + sum("HELD", "HELD") + ", " + sum("BOUGHT", "BOUGHT") + ", " + sum("HOLDS", "HOLDS") + ", " +
		sum("HELD_2", "HELD_2") + ", " + sum("BOUGHT_2", "BOUGHT_2") + ", " + sum("HOLDS_2", "HOLDS_2") +
		" FROM (SELECT BUYER_ID, HELD_NUM AS HELD, BOUGHT_NUM AS BOUGHT, HOLD_NUM AS HOLDS, 0 AS HELD_2, 0 AS BOUGHT_2, 0 AS HOLDS_2" +
		" FROM " + q.buyers + " WHERE SKU_ID = ? AND ACTIVITY_ID = ?" +
		" UNION ALL SELECT BUYER_ID, 0, 0, 0, " + when(locked, "NUM") + ", " + when(sold, "NUM - FREE_NUM") + ", " + when(locked, "1") +
		" FROM " + q.Holds + " WHERE SKU_ID = ? AND ACTIVITY_ID = ? AND BUYER_ID IS NOT NULL) t" +
		" GROUP BY BUYER_ID HAVING SUM(HELD) <> SUM(HELD_2) OR SUM(BOUGHT) <> SUM(BOUGHT_2) OR SUM(HOLDS) <> SUM(HOLDS_2) ORDER BY BUYER_ID"
}

// CountedStates returns the states whose holds count as locked, and as sold.
func CountedStates() (locked, sold []stock.State) {
	for s := stock.Locked; s <= stock.Expired; s++ {
		if s.Weight().Locked > 0 {
			locked = append(locked, s)
		}
		if s.Weight().Sold > 0 {
			sold = append(sold, s)
		}
	}
	return locked, sold
}

// Book implements stock.Store. The item and its buyers are two moments; each agrees in itself.
func (s *Store) Book(ctx context.Context, key stock.Key) (stock.Book, error) {
	if err := s.Ready(ctx); err != nil {
		return stock.Book{}, err
	}
	var book stock.Book
	k, a := key.SKU, key.Activity
	err := s.Query(ctx, mysql.Render(s.SQL.bookItem, k, a, k, a, k, a, k, a), func(rows *sql.Rows) error {
		var row itemRow
		r := &book.Recount
		err := rows.Scan(append(row.targets(), &r.Total, &r.Sold, &r.Locked, &r.Refunded, &book.Repairs)...)
		book.Item = row.finish()
		return err
	})
	if err != nil || book.Version == 0 {
		return stock.Book{}, err
	}
	err = s.Query(ctx, mysql.Render(s.SQL.bookBuyers, k, a, k, a), func(rows *sql.Rows) error {
		var b stock.BuyerBook
		err := rows.Scan(&b.Buyer, &b.Usage.Held, &b.Usage.Bought, &b.Usage.Holds, &b.Recount.Held, &b.Recount.Bought, &b.Recount.Holds)
		book.Buyers = append(book.Buyers, b)
		return err
	})
	return book, err
}
