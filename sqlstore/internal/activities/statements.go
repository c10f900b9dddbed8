package activities

import (
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-go/holdfast/internal/allot"
	"github.com/holdfast-go/holdfast/sqlstore/internal/ledger"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
)

// Statements are those of activities and products for a prefix. They are rendered once. The domains have them in their lists of
// statements to read.
type Statements struct {
	AddActivity, SetActivity    string
	AddProduct, SetProduct      string
	LockItem, LockProduct       string
	Reopen                      string
	BlankActivity, BlankProduct mysql.Blank

	ReadActivity, ListActivities, DueActivities string
	ListProducts, DueProducts                   string

	readEntries, hasProduct, lockTaken string
}

// newStatements renders the statements of a schema.
func newStatements[A comparable, P any](s *Schema[A, P], prefix string) *Statements {
	q := &Statements{}
	activities, products := prefix+s.Activities, prefix+s.Products
	q.renderActivities(activities, s.ActivityColumns, s.SetActivity)
	q.renderProducts(prefix, products, activities, s.ProductColumns, s.SetProduct)
	q.readEntries = "SELECT " + s.ProductColumns + ", " + s.ActivityColumns + ", " + mysql.Micros(mysql.Now) + " FROM " + products + " g " +
		mysql.ByKey + " STRAIGHT_JOIN " + activities + " a " + mysql.ByKey + " ON a.ID = g.ACTIVITY_ID WHERE "
	q.BlankActivity = s.BlankActivity.render(activities, "ID", "?", "t.ID = ?")
	q.BlankProduct = s.BlankProduct.render(products, "ACTIVITY_ID, SKU_ID", "?, ?", "t.ACTIVITY_ID = ? AND t.SKU_ID = ?")
	return q
}

// render renders a blank row; see mysql.Handle.Among. It has VERSION 0.
func (b Blank) render(table, key, values, is string) mysql.Blank {
	return mysql.Blank{
		Insert: "INSERT INTO " + table + " (" + key + ", " + b.Columns + ", CREATE_TIME, UPDATE_TIME, VERSION) VALUES (" + values + ", " +
			b.Values + ", " + mysql.List(mysql.Now, 2) + ", 0) ON DUPLICATE KEY UPDATE VERSION = VERSION",
		TakeBack: mysql.TakeBlank(table, is, "t.VERSION = 0"),
	}
}

// renderActivities renders the changes of activities. Of two changes of the same version one succeeds.
func (q *Statements) renderActivities(table, columns, set string) {
	q.AddActivity = "INSERT INTO " + table + " (" + set + ", OVER_TIME, ID, CREATE_TIME, UPDATE_TIME)" +
		" VALUES (" + mysql.List("?", count(set)) + ", IF(?, " + mysql.Now + ", NULL), ?, " + mysql.List(mysql.Now, 2) + ")"
	q.SetActivity = "UPDATE " + table + " " + mysql.ByKey + " SET " + strings.ReplaceAll(set, ",", " = ?,") + " = ?" +
		", OVER_TIME = IF(?, COALESCE(OVER_TIME, " + mysql.Now + "), OVER_TIME), UPDATE_TIME = " + mysql.Now +
		", VERSION = VERSION + 1 WHERE ID = ? AND VERSION = ?"

	activity := "SELECT " + columns + " FROM " + table + " a"
	q.ReadActivity = "SELECT " + columns + ", " + mysql.Micros(mysql.Now) + " FROM " + table + " a WHERE a.ID = ?"
	q.ListActivities = activity + " WHERE a.ID > ? ORDER BY a.ID LIMIT ?"
	q.DueActivities = activity + " " + mysql.By(table, "due") + " WHERE a.OVER_TIME IS NULL AND a.END_TIME <= " + mysql.Now +
		" ORDER BY a.END_TIME, a.ID LIMIT ?"
}

// In renders the read of a page of the activities a that fulfil a condition, by END_TIME and ID, or the last of them first.
func In(table, columns, where string, last bool) string {
	more, direction := ">", ""
	if last {
		more, direction = "<", " DESC"
	}
	return "SELECT " + columns + " FROM " + table + " a " + mysql.By(table, "end") + " WHERE " + where +
		fmt.Sprintf(" AND (a.END_TIME %[1]s ? OR (a.END_TIME = ? AND a.ID %[1]s ?)) ORDER BY a.END_TIME%[2]s, a.ID%[2]s LIMIT ?", more, direction)
}

// renderProducts renders the changes of products.
func (q *Statements) renderProducts(prefix, table, activities, columns, set string) {
	q.AddProduct = "INSERT INTO " + table + " (" + set + ", ACTIVITY_ID, SKU_ID, CREATE_TIME, UPDATE_TIME) VALUES (" +
		mysql.List("?", count(set)+2) + ", " + mysql.List(mysql.Now, 2) + ")"
	q.SetProduct = "UPDATE " + table + " " + mysql.ByKey + " SET " + strings.ReplaceAll(set, ",", " = ?,") + " = ?, UPDATE_TIME = " +
		mysql.Now + ", VERSION = VERSION + 1" +
		" WHERE ACTIVITY_ID = ? AND SKU_ID = ? AND VERSION = ?"
	// The caller's transaction locks an item before its product, as all others do.
	item := " FROM " + prefix + ledger.GoodsStock + " WHERE SKU_ID = ? AND ACTIVITY_ID = ? FOR UPDATE"
	q.LockItem, q.lockTaken = "SELECT VERSION"+item, "SELECT VERSION, STOCK_LOCK_NUM + STOCK_SALE_NUM"+item
	q.LockProduct = "SELECT VERSION FROM " + table + " WHERE ACTIVITY_ID = ? AND SKU_ID = ? FOR UPDATE"
	q.Reopen, q.hasProduct = reopens(table), hasProduct(table)

	product := "SELECT " + columns + " FROM " + table + " g"
	q.ListProducts = product + " WHERE g.ACTIVITY_ID = ? AND g.SKU_ID > ? ORDER BY g.SKU_ID LIMIT ?"
	const behind = " AND (g.ACTIVITY_ID > ? OR (g.ACTIVITY_ID = ? AND g.SKU_ID > ?)) ORDER BY g.ACTIVITY_ID, g.SKU_ID LIMIT ?)"
	removed := "(" + product + " " + mysql.By(table, "state") + fmt.Sprintf(" WHERE g.STATE = %d", allot.Removed) + behind
	// An end that did not see a product has left it as it was: a snapshot shows no product that came later. Few activities have
	// products that are not over, and the index has them, so the products themselves are read only where the activity is.
	live := fmt.Sprintf("STATE IN (%d, %d)", allot.Preparing, allot.Offered)
	missed := "(SELECT " + columns + " FROM (SELECT DISTINCT ACTIVITY_ID FROM " + table + " " + mysql.By(table, "state") + " WHERE " + live +
		") l STRAIGHT_JOIN " + activities + " a " + mysql.ByKey + " ON a.ID = l.ACTIVITY_ID STRAIGHT_JOIN " + table + " g " + mysql.ByKey +
		" ON g.ACTIVITY_ID = a.ID WHERE a.OVER_TIME IS NOT NULL AND g." + live + behind
	q.DueProducts = removed + " UNION ALL " + missed + " ORDER BY ACTIVITY_ID, SKU_ID LIMIT ?"
}

// hasProduct renders the read of whether a table has a product.
func hasProduct(table string) string {
	return "SELECT 1 FROM " + table + " WHERE ACTIVITY_ID = ? AND SKU_ID = ?"
}

// reopens renders the UPDATE that makes a settled product of a table Removed again.
func reopens(table string) string {
	return "UPDATE " + table + " " + mysql.ByKey + fmt.Sprintf(" SET STATE = %d, VERSION = VERSION + 1, UPDATE_TIME = %s"+
		" WHERE ACTIVITY_ID = ? AND SKU_ID = ? AND STATE = %d", allot.Removed, mysql.Now, allot.Settled)
}

// Entries renders the read of products with their activities.
func (q *Statements) Entries(products int) string {
	return q.readEntries + strings.Join(slices.Repeat([]string{"(g.ACTIVITY_ID = ? AND g.SKU_ID = ?)"}, products), " OR ")
}

// Named returns all statements with the calls that send them, for the lists of the domains; those that change nothing come first.
func (q *Statements) Named() (reads, changes [][2]string) {
	reads = [][2]string{
		{"Read an activity", q.ReadActivity},
		{"List activities", q.ListActivities},
		{"Activities whose time has come", q.DueActivities},
		{"Read products with their activities, two", q.Entries(2)},
		{"List the products of an activity", q.ListProducts},
		{"Products that are removed, or that the end of their activity did not see", q.DueProducts},
		{"In the caller's transaction, refund of goods: is the pool that of a product", q.hasProduct},
	}
	return reads, [][2]string{
		{"Define: a new activity", q.AddActivity},
		{"Define, End, Expire: an activity as it was read", q.SetActivity},
		{"Offer: a new product", q.AddProduct},
		{"Offer, Revise, Remove, Expire: a product as it was read", q.SetProduct},
		{"A product that is settled, and any in the caller's transaction: lock the item first", q.LockItem},
		{"The same, and how many units orders have", q.lockTaken},
		{"Refund: a product goes on giving back units", q.Reopen},
		{"In the caller's transaction: a blank activity", q.BlankActivity.Insert},
		{"In the caller's transaction: no blank activity any more", q.BlankActivity.TakeBack},
		{"In the caller's transaction: a blank product", q.BlankProduct.Insert},
		{"In the caller's transaction: no blank product any more", q.BlankProduct.TakeBack},
		{"In the caller's transaction, and before a new price of a sale: lock a product", q.LockProduct},
	}
}
