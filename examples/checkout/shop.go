package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/holdfast-go/holdfast/examples/internal/example"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

const (
	sku      = 42
	units    = 6
	perBuyer = 3
	holdFor  = 3 * time.Second // how long an order may be unpaid; minutes in a real shop
	attempts = 5               // of a transaction
)

// The shop's own tables, in the same database as Holdfast's.
const (
	createOrders = `CREATE TABLE orders (
	ID      VARBINARY(64) NOT NULL PRIMARY KEY,
	BUYER   VARBINARY(64) NOT NULL,
	NUM     BIGINT NOT NULL,
	STATE   VARCHAR(10) NOT NULL, -- placed, paid, closed, refunded
	PAY_BY  DATETIME(6) NOT NULL,
	PAYMENT VARBINARY(64), -- that paid it
	KEY (STATE, PAY_BY)
)`
	createPayments = `CREATE TABLE payments (
	ID       VARBINARY(64) NOT NULL PRIMARY KEY, -- the payment provider's number
	ORDER_ID VARBINARY(64) NOT NULL,
	STATE    VARCHAR(10) NOT NULL -- kept, or back: a job of the shop sends that money back
)`
)

// shop is the order service.
type shop struct {
	db    *sql.DB
	store *sqlstore.Stock
	inv   *stock.Inventory
}

// open creates the tables and puts the units on sale.
func open(ctx context.Context, db *sql.DB) (*shop, error) {
	for _, create := range []string{createOrders, createPayments} {
		if _, err := db.ExecContext(ctx, create); err != nil {
			return nil, err
		}
	}
	if err := sqlstore.Migrate(ctx, db, nil); err != nil {
		return nil, err
	}
	store := sqlstore.NewStock(db, nil)
	s := &shop{db: db, store: store, inv: stock.New(store, &stock.Options{HoldFor: holdFor})}
	_, err := s.inv.Define(ctx, stock.Key{SKU: sku}, units, stock.Terms{PerBuyer: perBuyer})
	return s, err
}

// place writes the row of an order and locks its units: both, or neither with stock.ErrInsufficient or
// stock.ErrLimit. A buyer who presses the button twice sends the same number twice, and has one order.
func (s *shop) place(ctx context.Context, order, buyer string, num int64) error {
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO orders (ID, BUYER, NUM, STATE, PAY_BY)
			VALUES (?, ?, ?, 'placed', UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND)`, order, buyer, num, holdFor.Microseconds())
		if err != nil && !duplicate(err) { // of a duplicate, Lock says whether it asks for the same
			return err
		}
		_, err = s.inv.On(s.store.WithTx(tx)).For(buyer).Lock(ctx, order, stock.Line{SKU: sku, Num: num})
		return err
	})
	if errors.Is(err, stock.ErrUnknown) { // no answer came back
		return s.settle(context.WithoutCancel(ctx), order)
	}
	return err
}

// settle finds out whether an order was placed. It closes one that was not, so that a late statement cannot lock
// units for it. After an error of the store, a job calls it again.
func (s *shop) settle(ctx context.Context, order string) error {
	hold, err := s.inv.Resolve(ctx, order)
	if err == nil && len(hold.Lines) == 0 {
		err = fmt.Errorf("order %s was not placed; order again under a new number", order)
	}
	return err
}

// paymentArrived is the callback of the payment provider, which may come twice or too late. After an error the
// provider delivers it again.
func (s *shop) paymentArrived(ctx context.Context, payment, order string) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO payments (ID, ORDER_ID, STATE) VALUES (?, ?, 'kept')", payment, order)
		if duplicate(err) {
			return nil // the callback came before, and did all of this
		}
		if err == nil {
			_, err = tx.ExecContext(ctx, "UPDATE orders SET STATE = 'paid', PAYMENT = ? WHERE ID = ? AND STATE = 'placed'", payment, order)
		}
		if err != nil {
			return err
		}
		outcome, err := s.inv.On(s.store.WithTx(tx)).Pay(ctx, order)
		switch {
		case errors.Is(err, stock.ErrExpired), errors.Is(err, stock.ErrCancelled):
			// The money was taken, and the units are gone. It goes back; stock.Options.LatePay would try to
			// buy the units again. A refusal leaves the transaction usable.
			_, err = tx.ExecContext(ctx, "UPDATE orders SET STATE = 'closed' WHERE ID = ? AND STATE = 'paid'", order)
		case errors.Is(err, stock.ErrNotFound), err == nil && outcome.Replay:
			err = nil // no such order, or another payment has paid it: the money goes back
		default:
			return err
		}
		if err == nil {
			_, err = tx.ExecContext(ctx, "UPDATE payments SET STATE = 'back' WHERE ID = ?", payment)
		}
		return err
	})
}

// cancel closes an order for its buyer, and refunds one that is paid. Cancelling twice is safe.
func (s *shop) cancel(ctx context.Context, order string) error {
	err := s.inTx(ctx, func(tx *sql.Tx) error { return s.closeOrder(ctx, tx, order) })
	switch {
	case errors.Is(err, stock.ErrPaid): // the payment was faster
		return s.refund(ctx, order)
	case errors.Is(err, stock.ErrRefunded):
		return nil
	}
	return err
}

// closeOrder closes an unpaid order in a transaction and gives its units back.
func (s *shop) closeOrder(ctx context.Context, tx *sql.Tx, order string) error {
	if _, err := tx.ExecContext(ctx, "UPDATE orders SET STATE = 'closed' WHERE ID = ? AND STATE = 'placed'", order); err != nil {
		return err
	}
	_, err := s.inv.On(s.store.WithTx(tx)).Cancel(ctx, order)
	if errors.Is(err, stock.ErrExpired) {
		return nil // its units are free already
	}
	return err
}

// refund takes a paid order back: its units go on sale again, its money goes back.
func (s *shop) refund(ctx context.Context, order string) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE orders o JOIN payments p ON p.ID = o.PAYMENT
			SET o.STATE = 'refunded', p.STATE = 'back' WHERE o.ID = ? AND o.STATE = 'paid'`, order)
		if err != nil {
			return err
		}
		_, err = s.inv.On(s.store.WithTx(tx)).Refund(ctx, stock.Refund{ID: "refund-" + order, Order: order, Restock: true})
		return err
	})
}

// closeOverdue is the timeout worker: it closes the orders that were not paid in time. Any number of workers may
// run it. The stock does not wait for it: a hold is dead from its deadline on.
func (s *shop) closeOverdue(ctx context.Context) error {
	rows, err := s.db.QueryContext(ctx, `SELECT ID FROM orders
		WHERE STATE = 'placed' AND PAY_BY <= UTC_TIMESTAMP(6) ORDER BY PAY_BY LIMIT 100`)
	if err != nil {
		return err
	}
	defer rows.Close()
	var overdue []string
	for rows.Next() {
		var order string
		if err := rows.Scan(&order); err != nil {
			return err
		}
		overdue = append(overdue, order)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, order := range overdue {
		err := s.inTx(ctx, func(tx *sql.Tx) error { return s.closeOrder(ctx, tx, order) })
		if err != nil && !errors.Is(err, stock.ErrPaid) && !errors.Is(err, stock.ErrRefunded) { // paid in the meantime
			return err
		}
	}
	return nil
}

// inTx runs a transaction, and repeats it after a deadlock or a lost connection, even if its COMMIT may
// have happened: orders and payments have keys, and the calls of Holdfast are safe to repeat.
func (s *shop) inTx(ctx context.Context, do func(tx *sql.Tx) error) error {
	unknown := false
	for attempt := 1; ; attempt++ {
		err := s.once(ctx, do)
		unknown = unknown || errors.Is(err, stock.ErrUnknown)
		mayHelp := sqlstore.Retryable(err)
		if mayHelp && attempt < attempts && example.Rest(ctx, rand.N(time.Duration(attempt)*20*time.Millisecond)) {
			continue
		}
		if unknown && (mayHelp || err != nil && ctx.Err() != nil) {
			err = errors.Join(stock.ErrUnknown, err) // an earlier attempt may have been committed
		}
		return err
	}
}

// once runs a transaction once.
func (s *shop) once(ctx context.Context, do func(tx *sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after a Commit
	if err := do(tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("%w: %w", stock.ErrUnknown, err)
	}
	return nil
}

// duplicate reports whether an INSERT found its key taken.
func duplicate(err error) bool {
	var refused *mysql.MySQLError
	return errors.As(err, &refused) && refused.Number == 1062
}
