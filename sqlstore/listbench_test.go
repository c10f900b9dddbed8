package sqlstore_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// BenchmarkLists reads pages of 20 rows of lists over 100,000 holds, a tenth of them of one buyer, and half of them with one
// deadline. HOLDFAST_BENCH_HOLDS sets another number, 1000000 for example. Each list is read at its beginning and behind most of
// its rows.
func BenchmarkLists(b *testing.B) {
	holds := benchRows()
	db := sqltest.Open(b, defaults)
	require.NoError(b, sqlstore.Migrate(b.Context(), db.DB, nil))
	require.NoError(b, sqlstore.MigrateLists(b.Context(), db.DB, nil))
	crowdOfHolds(b, db, holds)
	inv, ctx := stock.New(sqlstore.NewStock(db.DB, nil), nil), b.Context()
	locked := []stock.State{stock.Locked}
	holdsOf := func(inv *stock.Inventory, filter stock.Filter) pageOf {
		return page(func(ask stock.PageRequest) (stock.Page[stock.Hold], error) { return inv.HoldsPage(ctx, filter, ask) })
	}
	benchLists(b, []benchList{
		{"HoldsOfABuyer", holds / 10 * 9 / 10, holdsOf(inv.For("whale"), stock.Filter{})},
		{"HoldsOfABuyerLocked", holds / 10 / 10 * 9 / 10, holdsOf(inv.For("whale"), stock.Filter{States: locked})},
		{"HoldsOfAnItem", holds / 5 * 9 / 10, holdsOf(inv, stock.Filter{Key: stock.Key{SKU: 1}})},
		{"HoldsOfAnItemPaid", holds / 5 / 2, holdsOf(inv, stock.Filter{Key: stock.Key{SKU: 1}, States: []stock.State{stock.Paid}})},
		{"LockedByDeadline", holds / 10 * 9 / 10, holdsOf(inv, stock.Filter{States: locked, ByDeadline: true})},
		{"Holds", holds * 9 / 10, holdsOf(inv, stock.Filter{})},
		{"RefundsOfAnOrder", holds / 100 * 9 / 10, page(func(ask stock.PageRequest) (stock.Page[stock.RefundRecord], error) {
			return inv.RefundsPage(ctx, "order-0", ask)
		})},
		{"ChangesOfAnItem", holds / 100 * 9 / 10, page(func(ask stock.PageRequest) (stock.Page[stock.Change], error) {
			return inv.ChangesPage(ctx, stock.Key{SKU: 1}, ask)
		})},
		{"ItemsOfAProduct", 90, page(func(ask stock.PageRequest) (stock.Page[stock.Item], error) {
			return inv.ItemsPage(ctx, stock.ItemFilter{SPU: 3}, ask)
		})},
		{"ItemsByRank", 900, page(func(ask stock.PageRequest) (stock.Page[stock.Item], error) {
			return inv.ItemsPage(ctx, stock.ItemFilter{MostSold: true}, ask)
		})},
	})
}

// pageOf reads a page of a list, and returns the cursor of the next one.
type pageOf func(stock.PageRequest) (string, error)

// page makes a pageOf of a list.
func page[T any](list func(stock.PageRequest) (stock.Page[T], error)) pageOf {
	return func(ask stock.PageRequest) (string, error) {
		page, err := list(ask)
		return page.Next, err
	}
}

// benchList is a list to read.
type benchList struct {
	name string
	deep int // rows before the deep page
	list pageOf
}

// benchLists reads the first page of each list, and a deep one.
func benchLists(b *testing.B, lists []benchList) {
	b.Helper()
	for _, l := range lists {
		deep := stock.PageRequest{Limit: min(500, l.deep/2)}
		for n := 0; n < l.deep; n += deep.Limit {
			next, err := l.list(deep)
			require.NoError(b, err, l.name)
			require.NotEmpty(b, next, l.name)
			deep.After = next
		}
		for name, after := range map[string]string{"First": "", "Deep": deep.After} {
			b.Run(l.name+"/"+name, func(b *testing.B) {
				for b.Loop() {
					require.NoError(b, of(l.list(stock.PageRequest{Limit: 20, After: after})))
				}
			})
		}
	}
}

// benchRows returns how many rows the large table of a benchmark of lists has.
func benchRows() int {
	if n, err := strconv.Atoi(os.Getenv("HOLDFAST_BENCH_HOLDS")); err == nil {
		return n
	}
	return 100_000
}

// numbers renders a table n of the numbers n below another one.
func numbers(below int) string {
	const digits = "(SELECT 0 d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5" +
		" UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9) "
	text, n, place := "(SELECT 0", "", 1
	for i := 0; place < below; i++ {
		text += fmt.Sprintf(" + d%d.d * %d", i, place)
		n += fmt.Sprintf(", %sd%d", digits, i)
		place *= 10
	}
	return fmt.Sprintf("(SELECT n FROM %s AS n FROM %s) f WHERE n < %d) n", text, n[2:], below)
}

// secondsAfter renders the time so many seconds after the beginning of a year.
func secondsAfter(year int, seconds string) string {
	return fmt.Sprintf("TIMESTAMPADD(SECOND, %s, TIMESTAMP'%d-01-01 00:00:00')", seconds, year)
}

// crowdOfHolds writes so many holds, with items, and as many refunds of one order and changes of one item as a hundredth of that.
func crowdOfHolds(b testing.TB, db *sqltest.DB, holds int) {
	b.Helper()
	at := func(seconds string) string { return secondsAfter(2030, seconds) }
	run(b, db,
		"INSERT INTO goods_stock (SKU_ID, SPU_ID, STOCK_TOTAL_NUM, STOCK_SALE_NUM, STOCK_LEFT_NUM, CREATE_TIME, UPDATE_TIME)"+
			" SELECT n + 1, n DIV 100, 1000, n MOD 7, 1000 - n MOD 7, "+at("0")+", "+at("0")+" FROM "+numbers(1_000),
		"INSERT INTO goods_stock_refund (REFUND_NO, LINE_NO, LINE_NUM, ORDER_NO, SKU_ID, ACTIVITY_ID, NUM, RESTOCK, WHOLE, FREE, CREATE_TIME)"+
			" SELECT CONCAT('r', LPAD(n, 9, '0')), 1, 1, 'order-0', 1, 0, 1, 0, 0, 0, "+at("n")+" FROM "+numbers(holds/100),
		"INSERT INTO goods_stock_change (SCOPE, CHANGE_NO, LINE_NO, LINE_NUM, KIND, SKU_ID, ACTIVITY_ID, CREATE_TIME)"+
			" SELECT 2, CONCAT('c', n), 1, 1, 2, 1, 0, "+at("n DIV 9")+" FROM "+numbers(holds/100))
	const part = 100_000
	for from := 0; from < holds; from += part {
		n := fmt.Sprintf("(n + %d)", from)
		run(b, db, "INSERT INTO goods_stock_hold (ORDER_NO, LINE_NO, SKU_ID, ACTIVITY_ID, NUM, BUYER_ID, STATE, EXPIRE_TIME, CREATE_TIME,"+
			" UPDATE_TIME) SELECT CONCAT('order-', "+n+"), 1, IF(n MOD 5 = 0, 1, 1 + "+n+" MOD 1000), 0, 1,"+
			" IF(n MOD 10 = 3, 'whale', CONCAT('buyer-', "+n+" MOD 100000)),"+
			" IF(n DIV 10 MOD 10 = 0, 1, IF(n MOD 3 > 0, 2, 4 + n MOD 2)), IF(n MOD 2 = 0, "+at("0")+", "+at(n)+"), "+at(n+" DIV 9")+
			", "+at("0")+" FROM "+numbers(min(part, holds-from)))
	}
	run(b, db, "ANALYZE TABLE goods_stock, goods_stock_hold, goods_stock_refund, goods_stock_change")
}
