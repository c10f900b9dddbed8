package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/examples/internal/demo"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// attempts is how often a transaction is run before its error is returned.
const attempts = 5

// The shop's own tables.
const (
	orderColumns = `
	ID       VARBINARY(64) NOT NULL PRIMARY KEY,
	BUYER    BIGINT NOT NULL,
	SKU      BIGINT NOT NULL,
	NUM      BIGINT NOT NULL,
	CENTS    BIGINT NOT NULL,
	COUPON   VARBINARY(64) NOT NULL,
	DISCOUNT BIGINT NOT NULL DEFAULT 0,
	STATUS   TINYINT NOT NULL,
	PAY_BY   DATETIME(6) NOT NULL,
	PAYMENT  VARBINARY(64) NOT NULL DEFAULT '',
	BACK     BIGINT NOT NULL DEFAULT 0,
	KEY (STATUS, PAY_BY)`

	paybackColumns = `
	ID       VARBINARY(64) NOT NULL PRIMARY KEY,
	ORDER_ID VARBINARY(64) NOT NULL,
	CENTS    BIGINT NOT NULL,
	REASON   VARCHAR(255) NOT NULL`
)

// MySQL is Books in a database, next to the tables of sqlstore.
type MySQL struct {
	db       *sql.DB
	stock    *sqlstore.Stock
	coupons  *sqlstore.Coupon
	orders   string // the names of the tables
	paybacks string
}

// NewMySQL creates the shop's tables.
func NewMySQL(ctx context.Context, box *demo.Sandbox, units *sqlstore.Stock, coupons *sqlstore.Coupon) (*MySQL, error) {
	orders, err := box.CreateTable(ctx, "shop_order", orderColumns)
	if err != nil {
		return nil, err
	}
	paybacks, err := box.CreateTable(ctx, "shop_payback", paybackColumns)
	return &MySQL{db: box.DB, stock: units, coupons: coupons, orders: orders, paybacks: paybacks}, err
}

// Transact implements Books. A deadlock, a lock that was waited for too long or a lost
// connection makes it run the whole transaction again; never a part of it.
func (m *MySQL) Transact(ctx context.Context, do func(Tx) error) error {
	for attempt := 1; ; attempt++ {
		err := m.once(ctx, do)
		if err == nil || !sqlstore.Retryable(err) || attempt == attempts || ctx.Err() != nil {
			return err
		}
		time.Sleep(rand.N(time.Duration(attempt) * 20 * time.Millisecond)) // not all of them at once again
	}
}

// once runs one transaction.
func (m *MySQL) once(ctx context.Context, do func(Tx) error) error {
	tx, err := m.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(&mysqlTx{MySQL: m, tx: tx}); err != nil {
		_ = tx.Rollback() // if it fails, the connection is lost and the transaction with it
		return err
	}
	if err := tx.Commit(); err != nil {
		// It may have been committed. Running it again is safe: the order's number is its key.
		return fmt.Errorf("%w: %w", stock.ErrUnknown, err)
	}
	return nil
}

// Overdue implements Books. The clock is the server's, as it is for the stock.
func (m *MySQL) Overdue(ctx context.Context) ([]string, error) {
	return list(ctx, m.db, "SELECT ID FROM "+m.orders+" WHERE STATUS = ? AND PAY_BY <= UTC_TIMESTAMP(6) ORDER BY PAY_BY LIMIT 100",
		func(scan scanFunc) (id string, err error) {
			err = scan(&id)
			return id, err
		}, Placed)
}

// Orders implements Books.
func (m *MySQL) Orders(ctx context.Context) ([]Order, error) {
	return list(ctx, m.db, m.selectOrder()+" ORDER BY ID", scanOrder)
}

// Paybacks implements Books.
func (m *MySQL) Paybacks(ctx context.Context) ([]Payback, error) {
	return list(ctx, m.db, m.selectPayback()+" ORDER BY ID", scanPayback)
}

// scanFunc is the Scan of *sql.Row and *sql.Rows.
type scanFunc func(dest ...any) error

// list returns the rows of a query.
func list[T any](ctx context.Context, db *sql.DB, query string, scan func(scanFunc) (T, error), args ...any) ([]T, error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		row, err := scan(rows.Scan)
		if err != nil {
			return nil, err
		}
		all = append(all, row)
	}
	return all, rows.Err()
}

func (m *MySQL) selectOrder() string {
	return "SELECT ID, BUYER, SKU, NUM, CENTS, COUPON, DISCOUNT, STATUS, PAY_BY, PAYMENT, BACK FROM " + m.orders
}

func scanOrder(scan scanFunc) (o Order, err error) {
	err = scan(&o.ID, &o.Buyer, &o.SKU, &o.Num, &o.Cents, &o.Coupon, &o.Discount, &o.Status, &o.PayBy, &o.Payment, &o.Back)
	return o, err
}

func (m *MySQL) selectPayback() string {
	return "SELECT ID, ORDER_ID, CENTS, REASON FROM " + m.paybacks
}

func scanPayback(scan scanFunc) (p Payback, err error) {
	err = scan(&p.ID, &p.Order, &p.Cents, &p.Reason)
	return p, err
}

// mysqlTx is one transaction.
type mysqlTx struct {
	*MySQL
	tx *sql.Tx
}

// Stock implements Tx: this is all it takes to have the stock in the same transaction.
func (t *mysqlTx) Stock() stock.Store { return t.stock.WithTx(t.tx) }

// Coupons implements Tx, and this to have the coupons there.
func (t *mysqlTx) Coupons() coupon.Store { return t.coupons.WithTx(t.tx) }

// Undo implements Tx: the rollback takes everything back.
func (t *mysqlTx) Undo(func(context.Context) error) {}

// Insert implements Tx.
func (t *mysqlTx) Insert(ctx context.Context, o Order, payWithin time.Duration) error {
	_, err := t.tx.ExecContext(ctx, "INSERT INTO "+t.orders+" (ID, BUYER, SKU, NUM, CENTS, COUPON, STATUS, PAY_BY) "+
		"VALUES (?, ?, ?, ?, ?, ?, ?, UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND)",
		o.ID, o.Buyer, o.SKU, o.Num, o.Cents, o.Coupon, o.Status, payWithin.Microseconds())
	if duplicate(err) {
		return ErrExists
	}
	return err
}

// Find implements Tx. FOR UPDATE makes a second callback of the same payment wait for the first.
func (t *mysqlTx) Find(ctx context.Context, id string) (Order, error) {
	o, err := scanOrder(t.tx.QueryRowContext(ctx, t.selectOrder()+" WHERE ID = ? FOR UPDATE", id).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return Order{}, ErrNoOrder
	}
	return o, err
}

// Update implements Tx.
func (t *mysqlTx) Update(ctx context.Context, o Order) error {
	_, err := t.tx.ExecContext(ctx, "UPDATE "+t.orders+" SET DISCOUNT = ?, STATUS = ?, PAYMENT = ?, BACK = ? WHERE ID = ?",
		o.Discount, o.Status, o.Payment, o.Back, o.ID)
	return err
}

// PayBack implements Tx.
func (t *mysqlTx) PayBack(ctx context.Context, p Payback) (Payback, error) {
	_, err := t.tx.ExecContext(ctx, "INSERT INTO "+t.paybacks+" (ID, ORDER_ID, CENTS, REASON) VALUES (?, ?, ?, ?)", p.ID, p.Order, p.Cents, p.Reason)
	if duplicate(err) {
		return scanPayback(t.tx.QueryRowContext(ctx, t.selectPayback()+" WHERE ID = ? FOR UPDATE", p.ID).Scan)
	}
	return Payback{}, err
}

// duplicate reports whether the key was there already.
func duplicate(err error) bool {
	refused, ok := errors.AsType[*mysql.MySQLError](err)
	return ok && refused.Number == 1062
}
