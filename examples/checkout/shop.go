package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

const holdFor = 2 * time.Second // how long an order may be unpaid; minutes in a real shop

// errMoneyBack is a payment that has bought nothing, or was one too many. A real shop writes payment and order into a table of refunds
// that are due before it answers the provider, or nobody knows of it. A job sends them back.
var errMoneyBack = errors.New("the money goes back")

// The shop's table, and the statements that go along with calls.
const (
	createOrders = `CREATE TABLE orders (ID VARBINARY(64) PRIMARY KEY, BUYER VARBINARY(64) NOT NULL, NUM BIGINT NOT NULL,
		COUPON VARBINARY(64) NOT NULL, TO_PAY DECIMAL(10, 2) NOT NULL, STATE VARCHAR(10) NOT NULL, PAYMENT VARBINARY(64) NOT NULL)`
	placeOrder = "INSERT INTO orders (ID, BUYER, NUM, COUPON, TO_PAY, STATE, PAYMENT) VALUES (?, ?, ?, ?, ?, 'placed', '')"
	payOrder   = "UPDATE orders SET STATE = 'paid', PAYMENT = ? WHERE ID = ?"
	setState   = "UPDATE orders SET STATE = ? WHERE ID = ?"
	closeOrder = "UPDATE orders SET STATE = ? WHERE ID = ? AND STATE = 'placed'"
)

// order is the row of an order.
type order struct {
	id, buyer, coupon, state, payment string // coupon is empty where there is none
	num                               int64  // of SKU 42, for 40 each
	toPay                             decimal.Decimal
}

func (o order) total() decimal.Decimal { return decimal.New(40*o.num, 0) }

// shop is the order service. Order row, stock and coupon change in one call, or none of them does.
type shop struct {
	rows
	inv     *stock.Inventory
	coupons *coupon.Coupons
	events  *event.Events
	mail    func(buyer, text string)
}

// tell names what the stock has to tell this shop.
func tell() []event.Kind { return []event.Kind{event.HoldExpired} }

// sweep does what stock.Inventory.Run and event.Events.Run do all the time: it releases what was not paid in time, and handles what
// that has to tell.
func (s *shop) sweep(ctx context.Context) error {
	if _, err := s.inv.Expire(ctx); err != nil {
		return err
	}
	_, err := s.events.Deliver(ctx, s.handle)
	return err
}

// handle closes the row of an order whose hold has expired, and tells its buyer. The event may come twice; a shop that must not write
// twice keeps e.ID with what it has sent.
func (s *shop) handle(ctx context.Context, e event.Event) error {
	if err := s.exec(ctx, closeOrder, "closed", e.Order); err != nil {
		return err
	}
	s.mail(e.Buyer, "order "+e.Order+" was not paid in time")
	return nil
}

// place takes an order. A buyer who presses the button twice sends the same number twice, and has one order. The errors are
// those of Lock, such as stock.ErrInsufficient, and of Reserving, such as coupon.ErrReserved.
func (s *shop) place(ctx context.Context, o order) error {
	return again(ctx, func() error {
		inv := s.inv.For(o.buyer)
		if o.toPay = o.total(); o.coupon != "" {
			use, err := s.coupons.For(o.buyer).Reserving(ctx, o.coupon, o.id, o.total())
			if err != nil {
				return err
			}
			o.toPay, inv = o.toPay.Sub(use.Discount), inv.With(use)
		}
		row := s.along(placeOrder, o.id, o.buyer, o.num, o.coupon, o.toPay)
		_, err := inv.On(row).Lock(ctx, o.id, stock.Line{SKU: 42, Num: o.num})
		return err
	})
}

// paymentArrived is the callback of the payment provider. After another error than errMoneyBack the provider is to call again, and
// somebody has to look where stock.Retryable does not say that this will do.
func (s *shop) paymentArrived(ctx context.Context, payment, id string) error {
	return again(ctx, func() error {
		o, err := s.order(ctx, id)
		if err != nil || o.payment == payment {
			return err
		}
		inv := s.inv.On(s.along(payOrder, payment, id))
		if o.coupon != "" {
			use, err := s.coupons.Redeeming(ctx, o.coupon, id, o.total())
			if err != nil {
				return moneyBack(err)
			}
			inv = inv.With(use)
		}
		switch outcome, err := inv.Pay(ctx, id); {
		case err != nil:
			return moneyBack(err)
		case !outcome.Replay:
			return nil
		}
		if o, err = s.order(ctx, id); err == nil && o.payment != payment { // another payment has paid the order
			err = errMoneyBack
		}
		return err
	})
}

// moneyBack says that a payment has bought nothing, where units or coupon are gone for good. All other errors stay what they are: after
// a fault of the shop's own table or of the program, the order can still be paid once somebody has mended it.
func moneyBack(why error) error {
	for _, gone := range []error{
		stock.ErrExpired, stock.ErrCancelled, coupon.ErrReserved, coupon.ErrRedeemed, coupon.ErrReleased, coupon.ErrReturned,
		coupon.ErrRevoked, coupon.ErrExpired,
	} {
		if errors.Is(why, gone) {
			return fmt.Errorf("%w: %w", errMoneyBack, why)
		}
	}
	return why
}

// cancel closes an order for its buyer, or because it was not paid in time, and refunds one that is paid.
func (s *shop) cancel(ctx context.Context, id string) error {
	return again(ctx, func() error {
		o, err := s.order(ctx, id)
		if err != nil {
			return err
		}
		inv := s.inv.On(s.along(setState, "closed", id))
		if o.coupon != "" {
			use, err := s.coupons.Releasing(ctx, o.coupon, id)
			if err != nil {
				return err
			}
			inv = inv.With(use)
		}
		switch _, err = inv.Cancel(ctx, id); {
		case errors.Is(err, stock.ErrExpired): // units and coupon are free already
			return s.exec(ctx, closeOrder, "closed", id)
		case errors.Is(err, stock.ErrPaid), errors.Is(err, stock.ErrRefunded):
			return s.refund(ctx, o)
		}
		return err
	})
}

// refund takes a paid order back: its units go on sale again, and its coupon is the buyer's again. The money goes back by a job of the
// shop, which finds the rows that are 'refunded'.
func (s *shop) refund(ctx context.Context, o order) error {
	inv := s.inv.On(s.along(setState, "refunded", o.id))
	if o.coupon != "" {
		use, err := s.coupons.Returning(ctx, o.coupon, o.id, o.toPay)
		if err != nil {
			return err
		}
		inv = inv.With(use)
	}
	_, err := inv.Refund(ctx, stock.Refund{ID: "refund-" + o.id, Order: o.id, Restock: true})
	return err
}

// again makes a call up to a few times where that may help: the calls of Holdfast are safe to repeat.
func again(ctx context.Context, call func() error) (err error) {
	for n := range 5 {
		if err = call(); !stock.Retryable(err) {
			break
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(time.Duration(n) * 20 * time.Millisecond):
		}
	}
	return err
}
