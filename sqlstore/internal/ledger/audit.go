package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// The recounts are grouped by item. Each is one statement and so one moment, also at READ COMMITTED: state and counters move
// together, so what it sees must agree.

// sum renders a sum of nothing as 0.
func sum(expr, as string) string { return "CAST(COALESCE(SUM(" + expr + "), 0) AS SIGNED) AS " + as }

// when renders a number of the holds in some states.
func when(states []stock.State, num string) string {
	return "CASE WHEN h.STATE " + In(states) + " THEN " + num + " ELSE 0 END"
}

// mostRanges bounds how many keys a statement looks up that is given SKUs and activities: each SKU in each activity.
const mostRanges = 1_000

// keyRanges are the SKUs and the activities of some keys. They match these keys, and mostly no others: a statement that is given a
// list of numbers costs a fraction of one that is given a table of keys.
type keyRanges struct{ skus, activities []any }

// rangesOf returns the ranges of some keys. Where they would be too many, the activities are left out: all of the SKUs match.
func rangesOf(keys []stock.Key) (r keyRanges) {
	activities, last := map[int64]bool{}, int64(0)
	for _, key := range keys {
		if key.SKU != last { // they are in order
			r.skus, last = append(r.skus, key.SKU), key.SKU
		}
		if !activities[key.Activity] {
			activities[key.Activity] = true
			r.activities = append(r.activities, key.Activity)
		}
	}
	if len(r.skus)*len(r.activities) > mostRanges {
		r.activities = nil
	}
	return r
}

// of renders the rows of a table that the ranges match.
func (r keyRanges) of(table, name, index string) string {
	return table + " " + name + " " + index + " WHERE " + r.match(name)
}

// match renders the condition.
func (r keyRanges) match(name string) string {
	where := name + ".SKU_ID IN (" + mysql.List("?", len(r.skus)) + ")"
	if len(r.activities) > 0 {
		where += " AND " + name + ".ACTIVITY_ID IN (" + mysql.List("?", len(r.activities)) + ")"
	}
	return mysql.Render(where, slices.Concat(r.skus, r.activities)...)
}

// bookItems reads items with their recounts.
func (q *Statements) bookItems(r keyRanges) string {
	locked, sold := CountedStates()
	grouped := func(sums, from, as string) string {
		return " LEFT JOIN (SELECT SKU_ID, ACTIVITY_ID, " + sums + " FROM " + from + " GROUP BY SKU_ID, ACTIVITY_ID) " + as +
			" ON " + as + ".SKU_ID = s.SKU_ID AND " + as + ".ACTIVITY_ID = s.ACTIVITY_ID"
	}
	repair := fmt.Sprintf("c.KIND = %d", stock.KindRepair)
	archived := func(num string) string {
		return sum(fmt.Sprintf("IF(c.KIND = %d, c.%s, 0)", stock.KindArchive, num), num)
	}
	return "SELECT " + itemColumns + ", COALESCE(c.TOTAL_NUM, 0), COALESCE(h.SALE_NUM, 0) + COALESCE(c.SALE_NUM, 0)," +
		" COALESCE(h.LOCK_NUM, 0), COALESCE(h.REFUND_NUM, 0) + COALESCE(c.REFUND_NUM, 0), COALESCE(h.WAIT_NUM, 0)," +
		" COALESCE(h.BACK_NUM, 0), COALESCE(c.REPAIRS, 0), COALESCE(h.PROMISED, 0)" +
		" FROM " + q.Items + " s " + mysql.ByKey +
		grouped(sum("IF("+repair+" OR c.BUYER_ID IS NOT NULL, 0, c.TOTAL_NUM)", "TOTAL_NUM")+
			", "+archived("SALE_NUM")+", "+archived("REFUND_NUM")+
			", COUNT(DISTINCT IF("+repair+", c.CHANGE_NO, NULL)) AS REPAIRS", r.of(q.changes, "c", mysql.By(q.changes, "item")), "c") +
		grouped(sum(when(sold, "h.NUM - h.RESTOCK_NUM"), "SALE_NUM")+", "+sum(when(locked, "h.NUM"), "LOCK_NUM")+", "+
			sum("h.REFUND_NUM", "REFUND_NUM")+", "+
			sum(when([]stock.State{stock.Waiting}, "h.NUM"), "WAIT_NUM")+", "+
			sum(when([]stock.State{stock.Locked, stock.Paid}, "h.BACK_NUM"), "BACK_NUM")+", "+
			sum(when([]stock.State{stock.Paid}, "h.NUM - h.REFUND_NUM - h.REDEEM_NUM"), "PROMISED"),
			r.of(q.Holds, "h", mysql.By(q.Holds, "due")), "h") +
		" WHERE " + r.match("s")
}

// bookBuyers reads the buyers of items whose counters differ from their recounts.
func (q *Statements) bookBuyers(r keyRanges) string {
	locked, sold := CountedStates()
	return "SELECT SKU_ID, ACTIVITY_ID, BUYER_ID, " +
		sum("HELD", "HELD") + ", " + sum("BOUGHT", "BOUGHT") + ", " + sum("HOLDS", "HOLDS") + ", " +
		sum("HELD_2", "HELD_2") + ", " + sum("BOUGHT_2", "BOUGHT_2") + ", " + sum("HOLDS_2", "HOLDS_2") +
		" FROM (SELECT b.SKU_ID, b.ACTIVITY_ID, b.BUYER_ID, b.HELD_NUM AS HELD, b.BOUGHT_NUM AS BOUGHT, b.HOLD_NUM AS HOLDS," +
		" 0 AS HELD_2, b.ARCHIVE_NUM AS BOUGHT_2, 0 AS HOLDS_2 FROM " + r.of(q.buyers, "b", mysql.ByKey) +
		" UNION ALL SELECT h.SKU_ID, h.ACTIVITY_ID, h.BUYER_ID, 0, 0, 0, " + when(locked, "h.NUM") + ", " +
		when(sold, "h.NUM - h.FREE_NUM") + ", " + when(locked, "1") + " FROM " + r.of(q.Holds, "h", mysql.By(q.Holds, "due")) +
		" AND h.BUYER_ID IS NOT NULL) t GROUP BY SKU_ID, ACTIVITY_ID, BUYER_ID" +
		" HAVING SUM(HELD) <> SUM(HELD_2) OR SUM(BOUGHT) <> SUM(BOUGHT_2) OR SUM(HOLDS) <> SUM(HOLDS_2)" +
		" ORDER BY SKU_ID, ACTIVITY_ID, BUYER_ID"
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

// Books implements stock.Store. The items and their buyers are two moments; each agrees in itself.
func (s *Store) Books(ctx context.Context, keys []stock.Key) ([]stock.Book, error) {
	if err := s.Ready(); err != nil {
		return nil, err
	}
	found := make(map[stock.Key]*stock.Book, len(keys))
	for _, key := range keys {
		found[key] = &stock.Book{}
	}
	for part := range slices.Chunk(keys, stock.MaxLines) {
		if err := s.books(ctx, part, found); err != nil {
			return nil, err
		}
	}
	books := make([]stock.Book, len(keys))
	for i, key := range keys {
		books[i] = *found[key]
	}
	return books, nil
}

// books reads the books of as many items as one statement has, and leaves out other items that it meets.
func (s *Store) books(ctx context.Context, keys []stock.Key, found map[stock.Key]*stock.Book) error {
	ranges, met := rangesOf(keys), false
	err := s.Query(ctx, s.SQL.bookItems(ranges), func(rows *sql.Rows) error {
		var row itemRow
		var book stock.Book
		r := &book.Recount
		err := rows.Scan(append(row.targets(), &r.Total, &r.Sold, &r.Locked, &r.Refunded, &r.Waiting, &r.Backordered,
			&book.Repairs, &book.Promised)...)
		book.Item = row.finish()
		if is := found[book.Key]; is != nil && book.Version > 0 { // not a blank one
			*is, met = book, true
		}
		return err
	})
	if err != nil || !met {
		return err
	}
	return s.Query(ctx, s.SQL.bookBuyers(ranges), func(rows *sql.Rows) error {
		var key stock.Key
		var b stock.BuyerBook
		err := rows.Scan(&key.SKU, &key.Activity, &b.Buyer, &b.Usage.Held, &b.Usage.Bought, &b.Usage.Holds, &b.Recount.Held, &b.Recount.Bought,
			&b.Recount.Holds)
		if book := found[key]; book != nil && book.Version > 0 {
			book.Buyers = append(book.Buyers, b)
		}
		return err
	})
}
