package main

import (
	"context"
	"errors"
	"time"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/stock"
)

// Status is where an order stands. The numbers are those of the table.
type Status uint8

// The statuses of an order.
const (
	Placed   Status = 1 // its units are locked, and its coupon is reserved, until PayBy
	Paid     Status = 2
	Closed   Status = 3 // cancelled, or not paid in time
	Refunded Status = 4 // all of it
)

// String returns the status in lower case.
func (s Status) String() string {
	return [...]string{"", "placed", "paid", "closed", "refunded"}[s]
}

// Order is a row of the shop's own order table.
type Order struct {
	ID       string
	Buyer    int64
	SKU      int64
	Num      int64
	Cents    int64  // what it costs
	Coupon   string // the ID of the buyer's coupon; empty is none
	Discount int64  // what the coupon takes off the cents
	Status   Status
	PayBy    time.Time // by the store's clock
	Payment  string    // the number of the payment that paid it
	Back     int64     // units that were refunded
}

// ToPay returns the cents that the order comes to with its coupon.
func (o Order) ToPay() int64 { return o.Cents - o.Discount }

// share returns the cents that go back with so many further units of a paid order. Those of all units
// add up to what was paid.
func (o Order) share(num int64) int64 {
	upTo := func(units int64) int64 { return o.ToPay() * units / o.Num }
	return upTo(o.Back+num) - upTo(o.Back)
}

// places are the decimal places of the currency, and amount is what coupons call some cents.
const places = 2

func amount(cents int64) decimal.Decimal { return decimal.New(cents, -places) }

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
	ErrCoupon   = errors.New("the coupon cannot be used for this order")
	ErrTryAgain = errors.New("the order did not go through; try again") // under a new number
	ErrNoOrder  = errors.New("no such order")
	ErrExists   = errors.New("the order exists")
)

// Books is where a shop keeps its orders, its stock and its coupons: MySQL, or Memory.
type Books interface {
	// Transact runs do in one transaction: what it does to orders, stock and coupons happens
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
	Coupons() coupon.Store                                              // the coupons, in this transaction
	Insert(ctx context.Context, o Order, payWithin time.Duration) error // or ErrExists
	Find(ctx context.Context, id string) (Order, error)                 // locks the row; or ErrNoOrder
	Update(ctx context.Context, o Order) error                          // Discount, Status, Payment and Back

	// PayBack notes money that goes back. Where the ID is known it does nothing, and returns what was noted.
	PayBack(ctx context.Context, p Payback) (was Payback, err error)

	// Undo says how to take back what the transaction does to stock and coupons, for books that
	// cannot do so themselves when it fails. A rollback in MySQL needs no telling.
	Undo(do func(ctx context.Context) error)
}
