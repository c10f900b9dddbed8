package sales

import (
	"fmt"
	"strings"

	"github.com/holdfast-go/holdfast/sqlstore/internal/activities"
	"github.com/holdfast-go/holdfast/sqlstore/internal/ledger"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock/sale"
)

// saleSQL has the statements of sales for a prefix, without those that activities of all domains have in common.
// testdata/statements.sql has all of them to read.
type saleSQL struct {
	activities, products, prices string // table names
	items, buyers                string // and of the units

	keepPrice           string
	best                string
	started, lockEnding string
}

// newSaleSQL renders the statements for a prefix.
func newSaleSQL(prefix string) *saleSQL {
	q := &saleSQL{
		activities: prefix + "flash_sale", products: prefix + "flash_sale_product", prices: prefix + "flash_sale_price",
		items: prefix + ledger.GoodsStock, buyers: prefix + ledger.GoodsStock + "_buyer",
	}
	// The row of the product is locked, and says from when on.
	q.keepPrice = "INSERT INTO " + q.prices + " (ACTIVITY_ID, SKU_ID, FROM_TIME, PRICE, CREATE_TIME)" +
		" SELECT g.ACTIVITY_ID, g.SKU_ID, g.PRICE_TIME, g.PRICE, g.UPDATE_TIME FROM " + q.products + " g " + mysql.ByKey +
		" WHERE g.ACTIVITY_ID = ? AND g.SKU_ID = ? ON DUPLICATE KEY UPDATE PRICE = VALUES(PRICE)"
	q.best = "SELECT g.ACTIVITY_ID, g.SKU_ID FROM " + q.offered(mysql.By(q.activities, "due")) + " STRAIGHT_JOIN " + q.itemOf("g") +
		" WHERE " + runs + " AND i.STOCK_SALE_NUM > 0 ORDER BY i.STOCK_SALE_NUM DESC, g.ACTIVITY_ID, g.SKU_ID LIMIT ?"
	q.started = "SELECT g.ACTIVITY_ID, g.SKU_ID FROM " + q.products + " g " + mysql.By(q.products, "told") + " STRAIGHT_JOIN " +
		q.activities + " a " + mysql.ByKey + " ON a.ID = g.ACTIVITY_ID" +
		fmt.Sprintf(" WHERE g.TOLD = 0 AND g.STATE = %d AND ", sale.Offered) + approved + " AND " + isOn + " LIMIT ?"
	// Whether the activity has begun is read without a lock: that an activity begins is no change of its row.
	q.lockEnding = "SELECT g.TOLD, COALESCE((SELECT " + approved + " AND (a.START_TIME IS NULL OR a.START_TIME <= " + mysql.Now + ") FROM " +
		q.activities + " a WHERE a.ID = g.ACTIVITY_ID), 0) FROM " + q.products + " g " + mysql.ByKey +
		fmt.Sprintf(" WHERE g.ACTIVITY_ID = ? AND g.SKU_ID = ? AND g.STATE = %d FOR UPDATE", sale.Offered)
	return q
}

// lockStarted renders the lock of products that are offered and of which nothing was told.
func (q *saleSQL) lockStarted(products int) string {
	return "SELECT g.ACTIVITY_ID, g.SKU_ID FROM " + q.products + " g " + mysql.ByKey + " WHERE (" + keysOf("g", products) + ")" +
		fmt.Sprintf(" AND g.TOLD = 0 AND g.STATE = %d FOR UPDATE", sale.Offered)
}

// markStarted renders the mark of products that are told of.
func (q *saleSQL) markStarted(products int) string {
	return "UPDATE " + q.products + " g " + mysql.ByKey + " SET g.TOLD = 1 WHERE " + keysOf("g", products)
}

// What can be seen of an activity a, by the state that a shelf is about; as sale.Activity.StateAt.
const (
	approved = "a.APPROVE_TIME IS NOT NULL"
	stillOn  = "a.OVER_TIME IS NULL AND a.END_TIME > " + mysql.Now
	isOn     = stillOn + " AND (a.START_TIME IS NULL OR a.START_TIME <= " + mysql.Now + ")"
	comes    = stillOn + " AND a.START_TIME > " + mysql.Now
	ended    = "a.WITHDRAW_TIME IS NULL AND (a.OVER_TIME IS NOT NULL OR a.END_TIME <= " + mysql.Now + ")"

	seen = "a.HIDDEN = 0 AND " + approved
	runs = seen + " AND " + isOn
	next = seen + " AND " + comes
	over = seen + " AND " + ended
)

// activitiesIn renders the read of a page of the activities in a state.
func (q *saleSQL) activitiesIn(state sale.State) string {
	where := map[sale.State]string{
		sale.Draft:     "a.APPROVE_TIME IS NULL AND " + stillOn,
		sale.Approved:  approved + " AND " + comes,
		sale.Running:   approved + " AND " + isOn,
		sale.Ended:     ended,
		sale.Withdrawn: "a.WITHDRAW_TIME IS NOT NULL",
	}
	return activities.In(q.activities, activityColumns, where[state], state == sale.Ended || state == sale.Withdrawn)
}

// offered renders activities a, found by an index, with the products g that are on offer.
func (q *saleSQL) offered(by string) string {
	return q.activities + " a " + by + " STRAIGHT_JOIN " + q.products + " g " + mysql.By(q.products, "state") +
		fmt.Sprintf(" ON g.STATE = %d AND g.ACTIVITY_ID = a.ID", sale.Offered)
}

// itemOf renders the join of the item i of a product.
func (q *saleSQL) itemOf(product string) string {
	return q.items + " i " + mysql.ByKey + " ON i.SKU_ID = " + product + ".SKU_ID AND i.ACTIVITY_ID = " + product + ".ACTIVITY_ID"
}

// priceAt renders the price of a product that was in force at a moment.
func (q *saleSQL) priceAt(product, at string) string {
	return "(SELECT r.PRICE FROM " + q.prices + " r WHERE r.ACTIVITY_ID = " + product + ".ACTIVITY_ID AND r.SKU_ID = " + product +
		".SKU_ID AND r.FROM_TIME <= " + at + " ORDER BY r.FROM_TIME DESC LIMIT 1)"
}

// current renders the price of a product that is in force. Mostly it is the last one.
func (q *saleSQL) current(product string) string {
	p := product + "."
	return "IF(" + p + "PRICE_TIME <= " + mysql.Now + ", " + p + "PRICE, COALESCE(" + q.priceAt(product, mysql.Now) + ", " + p + "PRICE))"
}

// available is what stock.Item.Available says of an item i, in numbers that cannot overflow.
const available = "CAST(LEAST(9223372036854775807, GREATEST(0, COALESCE(CAST(i.BACKORDER_NUM AS DECIMAL(20, 0)) - i.RESERVE_NUM" +
	" + i.STOCK_LEFT_NUM - i.STOCK_LOCK_NUM - i.BACK_NUM, 0))) AS SIGNED)"

// shown renders the read of items as a page shows them. Keys renders the SELECT of their keys; k has them, and an order.
func (q *saleSQL) shown(keys, order string) string {
	low := "SELECT d.ACTIVITY_ID, MIN(" + q.current("l") + ") AS LOWEST FROM (SELECT DISTINCT ACTIVITY_ID FROM page) d STRAIGHT_JOIN " +
		q.activities + " b " + mysql.ByKey + " ON b.ID = d.ACTIVITY_ID STRAIGHT_JOIN " + q.products + " l " + mysql.ByKey +
		" ON l.ACTIVITY_ID = d.ACTIVITY_ID" + fmt.Sprintf(" AND (l.STATE = %d OR b.OVER_TIME IS NOT NULL)", sale.Offered) +
		" GROUP BY d.ACTIVITY_ID"
	return "WITH page AS (" + keys + ") SELECT " + productColumns + ", " + activityColumns + ", " + q.current("g") + ", w.LOWEST" +
		", COALESCE(i.STOCK_TOTAL_NUM - i.BACK_NUM, 0) + g.RETURN_UNITS, COALESCE(i.STOCK_SALE_NUM, 0), COALESCE(i.STOCK_LOCK_NUM, 0)" +
		", " + available + ", " + mysql.Micros(mysql.Now) +
		" FROM page k STRAIGHT_JOIN " + q.products + " g " + mysql.ByKey + " ON g.ACTIVITY_ID = k.ACTIVITY_ID AND g.SKU_ID = k.SKU_ID" +
		" STRAIGHT_JOIN " + q.activities + " a " + mysql.ByKey + " ON a.ID = k.ACTIVITY_ID LEFT JOIN " + q.itemOf("g") +
		" LEFT JOIN (" + low + ") w ON w.ACTIVITY_ID = k.ACTIVITY_ID" + order
}

// look renders the read of products by their keys.
func (q *saleSQL) look(products int) string {
	keys := "SELECT ? AS ACTIVITY_ID, ? AS SKU_ID" + strings.Repeat(" UNION ALL SELECT ?, ?", products-1)
	return q.shown(keys, "")
}

// shelf renders a page of the shelf, with its arguments.
func (q *saleSQL) shelf(query sale.ShelfQuery, after sale.ShelfCursor, limit int) string {
	if query.State == sale.Ended {
		return q.endedShelf(query, after, limit)
	}
	place, where := "a.SORT", runs
	if query.State == sale.Approved {
		place, where = mysql.Micros("a.START_TIME"), next
	}
	by := mysql.By(q.activities, "due")
	var args []any
	if query.Activity != 0 {
		by, where, args = mysql.ByKey, where+" AND a.ID = ?", append(args, query.Activity)
	}
	filter, filtered := filterOf("g", query)
	where, args = where+filter, append(args, filtered...)
	if after.SKU != 0 {
		where += " AND (" + place + " > ? OR (" + place + " = ? AND (g.ACTIVITY_ID > ? OR (g.ACTIVITY_ID = ? AND (g.SORT > ? OR (g.SORT = ?" +
			" AND g.SKU_ID > ?))))))"
		args = append(args, after.Rank, after.Rank, after.Activity, after.Activity, after.Sort, after.Sort, after.SKU)
	}
	keys := "SELECT " + place + " AS PLACE, g.ACTIVITY_ID, g.SORT, g.SKU_ID FROM " + q.offered(by) + " WHERE " + where +
		" ORDER BY PLACE, g.ACTIVITY_ID, g.SORT, g.SKU_ID LIMIT ?"
	return mysql.Render(q.shown(keys, " ORDER BY k.PLACE, k.ACTIVITY_ID, k.SORT, k.SKU_ID"), append(args, limit)...)
}

// filterOf renders which products a query picks.
func filterOf(product string, query sale.ShelfQuery) (text string, args []any) {
	if query.SKU != 0 {
		text, args = text+" AND "+product+".SKU_ID = ?", append(args, query.SKU)
	}
	if query.SPU != 0 {
		text, args = text+" AND "+product+".SPU_ID = ?", append(args, query.SPU)
	}
	return text, args
}

// endedShelf renders a page of what was sold. There may be any number of activities that ended: those of the page are
// found first, each with a product.
func (q *saleSQL) endedShelf(query sale.ShelfQuery, after sale.ShelfCursor, limit int) string {
	by, where := mysql.By(q.activities, "end"), over
	var args []any
	if query.Activity != 0 {
		by, where, args = mysql.ByKey, where+" AND a.ID = ?", append(args, query.Activity)
	}
	from := mysql.Before(after.SKU == 0, mysql.FromMicros(after.Rank))
	where, args = where+" AND (a.END_TIME < ? OR (a.END_TIME = ? AND a.ID <= ?))", append(args, from, from, after.Activity)
	sold := func(product string) (string, []any) {
		filter, args := filterOf(product, query)
		return fmt.Sprintf(" STRAIGHT_JOIN %s WHERE %s.STATE <> %d AND i.STOCK_TOTAL_NUM - i.BACK_NUM + %s.RETURN_UNITS > 0%s",
			q.itemOf(product), product, sale.Preparing, product, filter), args
	}
	ofEach, filtered := sold("e")
	activities := "SELECT a.ID, a.END_TIME FROM " + q.activities + " a " + by + " WHERE " + where + " AND EXISTS (SELECT 1 FROM " +
		q.products + " e " + mysql.ByKey + ofEach + " AND e.ACTIVITY_ID = a.ID) ORDER BY a.END_TIME DESC, a.ID DESC LIMIT ?"
	args = append(append(args, filtered...), limit+1)
	ofPage, filtered := sold("g")
	keys := "SELECT a.END_TIME AS PLACE, g.ACTIVITY_ID, g.SORT, g.SKU_ID FROM (" + activities + ") a STRAIGHT_JOIN " + q.products + " g " +
		mysql.ByKey + " ON g.ACTIVITY_ID = a.ID" + ofPage
	args = append(args, filtered...)
	if after.SKU != 0 {
		keys += " AND (g.ACTIVITY_ID <> ? OR g.SORT > ? OR (g.SORT = ? AND g.SKU_ID > ?))"
		args = append(args, after.Activity, after.Sort, after.Sort, after.SKU)
	}
	keys += " ORDER BY PLACE DESC, g.ACTIVITY_ID DESC, g.SORT, g.SKU_ID LIMIT ?"
	return mysql.Render(q.shown(keys, " ORDER BY k.PLACE DESC, k.ACTIVITY_ID DESC, k.SORT, k.SKU_ID"), append(args, limit)...)
}

// pricesAt renders what products cost at a moment.
func (q *saleSQL) pricesAt(products int) string {
	first := "(SELECT r.PRICE FROM " + q.prices +
		" r WHERE r.ACTIVITY_ID = g.ACTIVITY_ID AND r.SKU_ID = g.SKU_ID ORDER BY r.FROM_TIME LIMIT 1)"
	return "SELECT g.ACTIVITY_ID, g.SKU_ID, g.PLACES, COALESCE(" + q.priceAt("g", "?") + ", " + first + ") FROM " + q.products + " g " +
		mysql.ByKey + " WHERE " + keysOf("g", products)
}

// countBuyers renders how many buyers have any units of items.
func (q *saleSQL) countBuyers(items int) string {
	return "SELECT l.ACTIVITY_ID, l.SKU_ID, COUNT(*) FROM (SELECT ? AS ACTIVITY_ID, ? AS SKU_ID" +
		strings.Repeat(" UNION ALL SELECT ?, ?", items-1) + ") l STRAIGHT_JOIN " + q.buyers + " b " + mysql.ByKey +
		" ON b.SKU_ID = l.SKU_ID AND b.ACTIVITY_ID = l.ACTIVITY_ID WHERE b.HELD_NUM + b.BOUGHT_NUM > 0 GROUP BY l.ACTIVITY_ID, l.SKU_ID"
}

// keysOf renders the condition that a row has one of some keys.
func keysOf(table string, n int) string {
	one := "(" + table + ".ACTIVITY_ID = ? AND " + table + ".SKU_ID = ?)"
	return one + strings.Repeat(" OR "+one, n-1)
}
