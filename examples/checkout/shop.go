package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/stock"
)

// Status is where an order stands. The numbers are those of the table.
type Status uint8

// The statuses of an order.
const (
	Placed   Status = 1 // its units are locked until PayBy
	Paid     Status = 2
	Closed   Status = 3 // cancelled, or not paid in time
	Refunded Status = 4
)

// String returns the status in lower case.
func (s Status) String() string {
	return [...]string{"", "placed", "paid", "closed", "refunded"}[s]
}

// Order is a row of the shop's own order table.
type Order struct {
	ID      string
	Buyer   int64
	SKU     int64
	Num     int64
	Cents   int64 // what it costs
	Status  Status
	PayBy   time.Time // by the store's clock
	Payment string    // the number of the payment that paid it
}

// Payment is what the payment provider's callback says.
type Payment struct {
	ID    string // the provider's number
	Order string
	Cents int64
}

// Payback is money that has to go back to its buyer, once for each ID: that of a payment which
// was not accepted, or of a refund. The shop hands it to the payment provider, as often as it
// takes, under that ID.
type Payback struct {
	ID     string
	Order  string
	Cents  int64
	Reason string
}

// The answers of a shop that are no failures.
var (
	ErrSoldOut  = errors.New("sold out")
	ErrLimit    = errors.New("no more for this buyer")
	ErrTryAgain = errors.New("the order did not go through; try again") // under a new number
	ErrNoOrder  = errors.New("no such order")
	ErrExists   = errors.New("the order exists")
)

// Books is where a shop keeps its orders and its stock: MySQL, or Memory.
type Books interface {
	// Transact runs do in one transaction: what it does to orders and to stock happens
	// together or not at all. It may run do again. An error that matches stock.ErrUnknown says
	// that nobody knows which of the two it was.
	Transact(ctx context.Context, do func(tx Tx) error) error
	// Overdue returns orders that are Placed and whose PayBy has passed.
	Overdue(ctx context.Context) ([]string, error)
	// Orders and Paybacks return everything there is.
	Orders(ctx context.Context) ([]Order, error)
	Paybacks(ctx context.Context) ([]Payback, error)
}

// Tx is a transaction of Books.
type Tx interface {
	Stock() stock.Store                                                 // the stock, in this transaction
	Insert(ctx context.Context, o Order, payWithin time.Duration) error // or ErrExists
	Find(ctx context.Context, id string) (Order, error)                 // locks the row; or ErrNoOrder
	Update(ctx context.Context, o Order) error                          // Status and Payment
	PayBack(ctx context.Context, p Payback) error                       // nothing where the ID is known
}

// Shop is the order service. In each of its transactions the order comes first and the stock
// last: the row of an item is the one that everybody waits for.
type Shop struct {
	books   Books
	inv     *stock.Inventory
	holdFor time.Duration
}

// NewShop returns a shop. The store is that of the books, outside of any transaction.
func NewShop(books Books, store stock.Store, holdFor time.Duration) *Shop {
	return &Shop{books: books, holdFor: holdFor, inv: stock.New(store, &stock.Options{HoldFor: holdFor})}
}

// PlaceOrder writes the order and locks its units. A buyer who presses the button twice gets
// the same order twice. It returns ErrSoldOut, ErrLimit or ErrTryAgain where there is none.
func (s *Shop) PlaceOrder(ctx context.Context, asked Order) (Order, error) {
	var placed Order
	err := s.books.Transact(ctx, func(tx Tx) error {
		placed = asked
		placed.Status = Placed
		err := tx.Insert(ctx, placed, s.holdFor)
		if errors.Is(err, ErrExists) {
			if placed, err = tx.Find(ctx, asked.ID); err == nil && !placed.same(asked) {
				err = stock.ErrMismatch
			}
			return err
		}
		if err != nil {
			return err
		}
		hold, err := s.inv.On(tx.Stock()).For(asked.Buyer).Lock(ctx, asked.ID, stock.Line{SKU: asked.SKU, Num: asked.Num})
		placed.PayBy = hold.Deadline
		return err
	})
	switch {
	case err == nil:
		return placed, nil
	case errors.Is(err, stock.ErrInsufficient):
		return Order{}, fmt.Errorf("%w: %w", ErrSoldOut, err)
	case errors.Is(err, stock.ErrLimit):
		return Order{}, fmt.Errorf("%w: %w", ErrLimit, err)
	case errors.Is(err, stock.ErrUnknown):
		return s.settle(ctx, asked.ID)
	case errors.Is(err, stock.ErrUnavailable):
		return Order{}, fmt.Errorf("%w: %w", ErrTryAgain, err)
	}
	return Order{}, err
}

// same reports whether a second call asks for the same order.
func (o Order) same(asked Order) bool {
	return o.Buyer == asked.Buyer && o.SKU == asked.SKU && o.Num == asked.Num && o.Cents == asked.Cents
}

// settle finds out whether an order went through whose transaction had no answer. If it did not,
// Resolve makes sure that it never will: no unit stays locked for an order that nobody sees.
func (s *Shop) settle(ctx context.Context, id string) (o Order, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second) // the buyer may be gone
	defer cancel()
	hold, err := s.inv.Resolve(ctx, id)
	if err != nil {
		return Order{}, fmt.Errorf("order %s has to be resolved: %w", id, err)
	}
	err = s.books.Transact(ctx, func(tx Tx) error {
		o, err = tx.Find(ctx, id)
		return err
	})
	if !errors.Is(err, ErrNoOrder) {
		return o, err
	}
	if hold.State == stock.Locked { // only where order and stock are not in one transaction
		if _, err := s.inv.Cancel(ctx, id); err != nil {
			return Order{}, err
		}
	}
	return Order{}, ErrTryAgain
}

// PaymentArrived handles the payment provider's callback, however often and late it comes. It
// reports whether the payment was accepted; otherwise the money goes back. After an error the
// callback has to be delivered again.
func (s *Shop) PaymentArrived(ctx context.Context, p Payment) (accepted bool, err error) {
	err = s.books.Transact(ctx, func(tx Tx) error {
		accepted, err = s.accept(ctx, tx, p)
		return err
	})
	return accepted && err == nil, err
}

// accept is PaymentArrived in its transaction.
func (s *Shop) accept(ctx context.Context, tx Tx, p Payment) (bool, error) {
	back := Payback{ID: p.ID, Order: p.Order, Cents: p.Cents}
	o, err := tx.Find(ctx, p.Order)
	switch {
	case errors.Is(err, ErrNoOrder):
		back.Reason = "payment of an order that there is not"
		return false, tx.PayBack(ctx, back)
	case err != nil:
		return false, err
	case o.Payment == p.ID: // the callback came twice
		return true, nil
	case o.Status != Placed:
		back.Reason = "payment of an order that is " + o.Status.String()
		return false, tx.PayBack(ctx, back)
	case o.Cents != p.Cents:
		back.Reason = "payment of a wrong amount"
		return false, tx.PayBack(ctx, back)
	}

	o.Status, o.Payment = Paid, p.ID
	if err := tx.Update(ctx, o); err != nil {
		return false, err
	}
	_, err = s.inv.On(tx.Stock()).Pay(ctx, o.ID)
	if !errors.Is(err, stock.ErrExpired) && !errors.Is(err, stock.ErrCancelled) {
		return true, err
	}

	// Too late, although the timeout worker has not come by yet. That is no reason to roll back:
	// the order is closed and the money is on its way, in this transaction.
	o.Status, o.Payment = Closed, ""
	if err := tx.Update(ctx, o); err != nil {
		return false, err
	}
	back.Reason = "payment came too late"
	return false, tx.PayBack(ctx, back)
}

// CancelOrder closes an order for its buyer. A paid one is refunded. Cancelling twice is safe.
func (s *Shop) CancelOrder(ctx context.Context, id string) error {
	err := s.books.Transact(ctx, func(tx Tx) error {
		o, err := tx.Find(ctx, id)
		if err != nil {
			return err
		}
		return s.close(ctx, tx, o)
	})
	switch {
	case errors.Is(err, stock.ErrRefunded):
		return nil // there is nothing left to cancel
	case errors.Is(err, stock.ErrPaid): // the payment was faster
		return s.RefundOrder(ctx, id, "cancel-"+id)
	}
	return err
}

// close closes an order and gives its units back.
func (s *Shop) close(ctx context.Context, tx Tx, o Order) error {
	o.Status = Closed
	if err := tx.Update(ctx, o); err != nil {
		return err
	}
	_, err := s.inv.On(tx.Stock()).Cancel(ctx, o.ID)
	if errors.Is(err, stock.ErrExpired) {
		return nil // its units are back already
	}
	return err
}

// CloseOverdue is the timeout worker: it closes the orders that were not paid in time, and
// returns how many. Any number of workers may run it, every few seconds. The stock itself does not
// need it: a dead hold is not in the way of a Lock. A shop whose order rows need no closing runs
// Inventory.Run instead.
func (s *Shop) CloseOverdue(ctx context.Context) (int, error) {
	overdue, err := s.books.Overdue(ctx)
	if err != nil {
		return 0, err
	}
	closed := 0
	var failed []error
	for _, id := range overdue {
		due := false
		err := s.books.Transact(ctx, func(tx Tx) error {
			o, err := tx.Find(ctx, id)
			if due = err == nil && o.Status == Placed; !due { // paid or closed in the meantime
				return err
			}
			return s.close(ctx, tx, o)
		})
		switch {
		case err != nil:
			failed = append(failed, fmt.Errorf("close order %s: %w", id, err))
		case due:
			closed++
		}
	}
	return closed, errors.Join(failed...)
}

// RefundOrder takes a paid order back: its units go on sale again, its money goes back. The
// same refund twice is safe. It returns stock.ErrNotPaid for an order that should be cancelled,
// and stock.ErrRefunded for a second refund under another number.
func (s *Shop) RefundOrder(ctx context.Context, id, refund string) error {
	return s.books.Transact(ctx, func(tx Tx) error {
		o, err := tx.Find(ctx, id)
		if err != nil {
			return err
		}
		o.Status = Refunded
		if err := tx.Update(ctx, o); err != nil {
			return err
		}
		if err := tx.PayBack(ctx, Payback{ID: refund, Order: id, Cents: o.Cents, Reason: "order refunded"}); err != nil {
			return err
		}
		_, err = s.inv.On(tx.Stock()).Refund(ctx, stock.Refund{ID: refund, Order: id, Restock: true})
		return err
	})
}
