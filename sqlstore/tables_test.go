package sqlstore_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
)

// The joins that the package documents go by the keys of both sides, also where the shop's column has another
// collation than its character set.
func TestAShopsOrdersAreJoinedByTheIndexesOfBothSides(t *testing.T) {
	t.Parallel()
	sqltest.NeedsInnoDB(t, "which index a plan uses")
	db := prepared(t, defaults, stockTables)
	run(t, db,
		"CREATE TABLE shop_order (id BIGINT PRIMARY KEY, order_no VARCHAR(64) NOT NULL, note VARCHAR(9), UNIQUE KEY by_no"+
			" (order_no)) CHARSET utf8mb4 COLLATE utf8mb4_unicode_ci",
		"INSERT INTO shop_order (id, order_no) WITH RECURSIVE n AS (SELECT 1 i UNION ALL SELECT i + 1 FROM n WHERE i < 600)"+
			" SELECT i, CONCAT('order-', i) FROM n",
		"INSERT INTO goods_stock_hold (ORDER_NO, LINE_NO, SKU_ID, ACTIVITY_ID, NUM, STATE, EXPIRE_TIME, CREATE_TIME, UPDATE_TIME)"+
			" SELECT order_no, 1, id % 60, 0, 1, 2, a, b, c FROM shop_order, (SELECT NOW(6) a, NOW(6) b, NOW(6) c) t",
		"ANALYZE TABLE shop_order, goods_stock_hold")
	for name, c := range map[string]struct {
		query string
		rows  int
		index string // of the table that is joined
	}{
		"from orders": {"SELECT o.note, h.STATE FROM shop_order o JOIN goods_stock_hold h ON h.ORDER_NO = o.order_no WHERE o.id = 5", 1,
			"PRIMARY"},
		"from holds": {"SELECT o.note, h.STATE FROM goods_stock_hold h JOIN shop_order o" +
			" ON o.order_no = CONVERT(h.ORDER_NO USING utf8mb4) COLLATE utf8mb4_unicode_ci" +
			" WHERE h.SKU_ID = 7 AND h.ACTIVITY_ID = 0 AND h.STATE = 2", 10, "by_no"},
	} {
		steps := explain(t, db, name, c.query)
		require.Len(t, steps, 2, name)
		require.Equal(t, c.index, steps[1].index, name)
		require.Equal(t, c.rows, value[int](t, db, "SELECT COUNT(*) FROM ("+c.query+") x"), name)
	}
}
