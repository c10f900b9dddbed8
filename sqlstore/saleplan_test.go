package sqlstore_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/sale"
)

// However many sales there ever were, what is read of them, and what is changed, is found by an index.
func TestSaleStatementsScanNoTable(t *testing.T) {
	t.Parallel()
	sqltest.NeedsInnoDB(t, "which index a plan uses")
	db := frozen(t, defaults, stockTables, saleTables).db
	pastSales(t, db)
	store, ctx := sqlstore.NewSale(db.DB, nil), t.Context()
	key := stock.Key{SKU: 3, Activity: 7}
	keys := []stock.Key{{SKU: 2, Activity: 9}, key}
	inTx := func(call func(*sqlstore.Sale) error) func() error { return inTx(t, db, store.WithTx, call) }
	shelf := func(query sale.ShelfQuery, after sale.ShelfCursor) func() error {
		return func() error { _, _, err := store.Shelf(ctx, query, after, 10); return err }
	}
	seen := sale.ShelfCursor{Rank: start.UnixMicro(), Sort: 1, Key: key}
	running, ended := sale.ShelfQuery{State: sale.Running}, sale.ShelfQuery{State: sale.Ended}
	const product, due, end = "flash_sale_product", "flash_sale_due", "flash_sale_end"
	offer, _, err := store.Offer(ctx, key)
	require.NoError(t, err)
	save := func(s *sqlstore.Sale, state sale.ProductState) error {
		p := offer.Product
		p.State, p.Version = state, 99 // which it has not
		return of(s.SaveProduct(ctx, p, stock.Change{}))
	}
	scansNoTable(t, db, []planCase{
		{"Activity", "PRIMARY", true, func() error { _, _, err := store.Activity(ctx, 7); return err }},
		{"Activity, in a transaction", "PRIMARY", true, inTx(func(s *sqlstore.Sale) error { _, _, err := s.Activity(ctx, 7); return err })},
		{"Activities", "PRIMARY", true, func() error { return of(store.Activities(ctx, 7, 10)) }},
		{"DueActivities", due, true, func() error { return of(store.DueActivities(ctx, 10)) }},
		{"Offer", "PRIMARY", true, func() error { _, _, err := store.Offer(ctx, key); return err }},
		{"Offer, in a transaction", "PRIMARY", true, inTx(func(s *sqlstore.Sale) error { _, _, err := s.Offer(ctx, key); return err })},
		{"Products", "PRIMARY", true, func() error { return of(store.Products(ctx, 7, 2, 10)) }},
		{"DueProducts", product + "_state", true, func() error { return of(store.DueProducts(ctx, key, 10)) }},
		{"Prices", "PRIMARY", true, func() error { return of(store.Prices(ctx, keys, start)) }},
		{"Shelf", due, true, shelf(running, sale.ShelfCursor{})},
		{"Shelf, a later page", product + "_state", true, shelf(running, seen)},
		{"Shelf of a SKU", due, true, shelf(sale.ShelfQuery{State: sale.Running, SKU: 3}, sale.ShelfCursor{})},
		{"Shelf of an activity", "PRIMARY", true, shelf(sale.ShelfQuery{State: sale.Running, Activity: 7}, sale.ShelfCursor{})},
		{"Shelf to come", due, true, shelf(sale.ShelfQuery{State: sale.Approved}, seen)},
		{"Shelf that is over", end, true, shelf(ended, sale.ShelfCursor{})},
		{"Shelf that is over, a later page", end, true, shelf(ended, seen)},
		{"Shelf of an SPU that is over", end, true, shelf(sale.ShelfQuery{State: sale.Ended, SPU: 1}, seen)},
		{"Best", due, true, func() error { return of(store.Best(ctx, 10)) }},
		{"Look", "PRIMARY", true, func() error { _, _, err := store.Look(ctx, keys); return err }},
		{"Buyers", "PRIMARY", true, func() error { return of(store.Buyers(ctx, keys)) }},
		{"Await an activity", "PRIMARY", true, func() error { return store.Await(ctx, 7, stock.Key{}) }},
		{"Await a product", "PRIMARY", true, func() error { return store.Await(ctx, 0, key) }},
		{"SaveActivity", "PRIMARY", true, func() error {
			return of(store.SaveActivity(ctx, sale.Activity{ID: 7, Version: 99}, true, stock.Change{}))
		}},
		{"SaveProduct", "PRIMARY", true, func() error { return save(store, sale.Removed) }},
		{"SaveProduct that is settled", "PRIMARY", true, func() error { return save(store, sale.Settled) }},
		{"SaveProduct, in a transaction", "PRIMARY", true, inTx(func(s *sqlstore.Sale) error { return save(s, sale.Removed) })},
	})
}

// pastSales writes what a shop may have after some time: most of it is over.
func pastSales(t *testing.T, db *sqltest.DB) {
	t.Helper()
	begun, soon := "TIMESTAMP'2030-01-01 00:00:00'", "TIMESTAMP'2030-02-01 00:00:00'"
	const activities, products, buyers = 200, 5, 20
	var sales, offers, prices, items, usages []string
	for a := range activities {
		over, state := "NULL", sale.Offered
		if a > 10 {
			over, state = begun, sale.Settled
		}
		sales = append(sales, fmt.Sprintf("(%d, '', '', '', '', %s, %s, %d, 2, %s, %s, %s, %s)",
			a+1, begun, soon, a%4, begun, over, begun, begun))
		for p := range products {
			id := fmt.Sprintf("%d, %d", a+1, p+1)
			offers = append(offers, fmt.Sprintf("(%s, 1, '', '', '', 2, 20, 10, %s, %d, 100, %s, %s)", id, begun, state, begun, begun))
			items = append(items, fmt.Sprintf("(%s, 100, 100, %s, %s)", id, begun, begun))
			for n := range 4 {
				prices = append(prices, fmt.Sprintf("(%s, TIMESTAMP'2030-01-0%d 00:00:00', 10, %s)", id, n+1, begun))
			}
			for b := range buyers {
				usages = append(usages, fmt.Sprintf("(%s, 'b%d', 1, 0, 1)", id, b))
			}
		}
	}
	into := func(table string, rows []string) string {
		return "INSERT INTO " + table + " VALUES " + strings.Join(rows, ", ")
	}
	run(t, db,
		into("flash_sale (ID, TITLE, IMAGE, NOTE, LABEL, START_TIME, END_TIME, SORT, PLACES, APPROVE_TIME, OVER_TIME,"+
			" CREATE_TIME, UPDATE_TIME)", sales),
		into("flash_sale_product (ACTIVITY_ID, SKU_ID, SPU_ID, NAME, SPEC, LABEL, PLACES, LIST_PRICE, PRICE, PRICE_TIME, STATE, STOCK_NUM,"+
			" CREATE_TIME, UPDATE_TIME)", offers),
		into("flash_sale_price (ACTIVITY_ID, SKU_ID, FROM_TIME, PRICE, CREATE_TIME)", prices),
		into("goods_stock (ACTIVITY_ID, SKU_ID, STOCK_TOTAL_NUM, STOCK_LEFT_NUM, CREATE_TIME, UPDATE_TIME)", items),
		into("goods_stock_buyer (ACTIVITY_ID, SKU_ID, BUYER_ID, HELD_NUM, BOUGHT_NUM, HOLD_NUM)", usages),
		"ANALYZE TABLE flash_sale, flash_sale_product, flash_sale_price, goods_stock, goods_stock_buyer",
	)
}
