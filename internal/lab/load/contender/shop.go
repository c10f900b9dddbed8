package contender

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// The tables of a shop, as small as they can be.
const (
	orderTable = "shop_order"
	lineTable  = "shop_order_item"

	createOrders = "CREATE TABLE " + orderTable + ` (
		ID BIGINT NOT NULL, BUYER BIGINT NOT NULL, SKU BIGINT NOT NULL, NUM INT NOT NULL, CENTS BIGINT NOT NULL,
		STATUS TINYINT NOT NULL DEFAULT 0, CREATE_TIME DATETIME(6) NOT NULL, PRIMARY KEY (ID)) ENGINE = InnoDB`
	createLines = "CREATE TABLE " + lineTable + ` (
		ORDER_ID BIGINT NOT NULL, SKU BIGINT NOT NULL, NUM INT NOT NULL, CENTS BIGINT NOT NULL,
		PRIMARY KEY (ORDER_ID, SKU)) ENGINE = InnoDB`
)

// The statements on them, for one order.
const (
	orderColumns   = "ID, BUYER, SKU, NUM, CENTS, CREATE_TIME"
	orderValues    = "(?, ?, ?, ?, ?, UTC_TIMESTAMP(6))"
	insertOrderRow = "INSERT INTO " + orderTable + " (" + orderColumns + ") VALUES "
	lineColumns    = " (ORDER_ID, SKU, NUM, CENTS) VALUES "
	lineValues     = "(?, ?, 1, ?)"
	insertLineRow  = "INSERT INTO " + lineTable + lineColumns
	payOrderRow    = "UPDATE " + orderTable + " SET STATUS = ? WHERE ID = ?"
	payNewRow      = payOrderRow + " AND STATUS = 0"
)

// rowPaid is the status of an order row that is paid.
const rowPaid = 1

// cents is what a unit costs.
const cents = 9_900

// orderArgs are those of orderValues.
func orderArgs(order Order) []any {
	n := len(order.SKUs)
	return []any{order.id(), order.id() % 1_000_003, order.sku(), n, n * cents}
}

// insertShopRows writes the rows of orders, those of a table in one statement.
func insertShopRows(ctx context.Context, db execer, cfg Config, orders ...Order) error {
	if !cfg.Row {
		return nil
	}
	rows, items := rowList{}, rowList{}
	for _, order := range orders {
		rows.add(orderValues, orderArgs(order)...)
		if cfg.Items {
			for _, sku := range order.SKUs {
				items.add(lineValues, order.id(), sku, cents)
			}
		}
	}
	if err := rows.insert(ctx, db, insertOrderRow); err != nil {
		return err
	}
	return items.insert(ctx, db, insertLineRow)
}

// execer is a pool or a transaction.
type execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// rowList collects the groups of a multi-row INSERT.
type rowList struct {
	groups []string
	args   []any
}

func (l *rowList) add(group string, args ...any) {
	l.groups = append(l.groups, group)
	l.args = append(l.args, args...)
}

// insert runs the statement, if there are rows.
func (l *rowList) insert(ctx context.Context, db execer, text string) error {
	if len(l.groups) == 0 {
		return nil
	}
	_, err := db.ExecContext(ctx, text+strings.Join(l.groups, ", "), l.args...)
	return err
}

// createShop makes the tables, if the measurement has rows.
func createShop(ctx context.Context, db *sql.DB, cfg Config) error {
	if !cfg.Row {
		return nil
	}
	for _, table := range []string{createOrders, createLines} {
		if _, err := db.ExecContext(ctx, table); err != nil {
			return fmt.Errorf("contender: %w", err)
		}
	}
	return nil
}

// readShop counts the rows of the shop.
func readShop(ctx context.Context, db *sql.DB, cfg Config, books *Books) error {
	if !cfg.Row {
		return nil
	}
	books.Shop = true
	row := db.QueryRowContext(ctx, "SELECT COUNT(*), COUNT(IF(STATUS = 1, 1, NULL)), COALESCE(SUM(NUM), 0) FROM "+orderTable)
	var ordered int64
	if err := row.Scan(&books.Rows, &books.PaidRows, &ordered); err != nil || !cfg.Items {
		return err
	}
	var items int64
	if err := db.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+lineTable).Scan(&items); err != nil {
		return err
	}
	if items != ordered {
		books.Drifts = append(books.Drifts, fmt.Sprintf("the orders have %d units, and %d rows of their own for them", ordered, items))
	}
	return nil
}
