package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/stock"
)

// Shop is the order service. In each of its transactions the order comes first, then the coupon, which
// is its buyer's alone, and the stock last: the row of an item is the one that everybody waits for.
type Shop struct {
	books   Books
	inv     *stock.Inventory
	coupons *coupon.Coupons
	holdFor time.Duration
}

// afterHold is how much longer a coupon is reserved than units are held: what is paid in time finds
// its coupon.
const afterHold = time.Minute

// NewShop returns a shop. The stores are those of the books, outside of any transaction.
func NewShop(books Books, units stock.Store, coupons coupon.Store, holdFor time.Duration) *Shop {
	return &Shop{
		books: books, holdFor: holdFor,
		inv:     stock.New(units, &stock.Options{HoldFor: holdFor}),
		coupons: coupon.New(coupons, &coupon.Options{ReserveFor: holdFor + afterHold}),
	}
}

// PlaceOrder writes the order, reserves its coupon and locks its units, all or nothing. A buyer who
// presses the button twice gets the same order twice. It returns ErrCoupon, ErrSoldOut, ErrLimit or
// ErrTryAgain where there is none.
func (s *Shop) PlaceOrder(ctx context.Context, asked Order) (Order, error) {
	var placed Order
	err := s.books.Transact(ctx, func(tx Tx) (err error) {
		placed, err = s.place(ctx, tx, asked)
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
		return s.settle(ctx, asked)
	case errors.Is(err, stock.ErrUnavailable),
		errors.Is(err, stock.ErrCancelled), errors.Is(err, coupon.ErrReleased): // that number was given up
		return Order{}, fmt.Errorf("%w: %w", ErrTryAgain, err)
	case refusesUse(err):
		return Order{}, fmt.Errorf("%w: %w", ErrCoupon, err)
	}
	return Order{}, err
}

// place is PlaceOrder in its transaction.
func (s *Shop) place(ctx context.Context, tx Tx, asked Order) (Order, error) {
	placed := asked
	placed.Status = Placed
	err := tx.Insert(ctx, placed, s.holdFor)
	if errors.Is(err, ErrExists) {
		if placed, err = tx.Find(ctx, asked.ID); err == nil && !placed.same(asked) {
			err = stock.ErrMismatch
		}
		return placed, err
	}
	if err != nil {
		return Order{}, err
	}
	tx.Undo(func(ctx context.Context) error { return s.free(ctx, asked) })
	if asked.Coupon != "" {
		use, err := s.couponsOf(tx, asked).Reserve(ctx, asked.Coupon, asked.ID, amount(asked.Cents))
		if err != nil {
			return Order{}, err
		}
		placed.Discount = use.Discount.Shift(places).IntPart()
		if err := tx.Update(ctx, placed); err != nil {
			return Order{}, err
		}
	}
	hold, err := s.inv.On(tx.Stock()).For(asked.Buyer).Lock(ctx, asked.ID, stock.Line{SKU: asked.SKU, Num: asked.Num})
	placed.PayBy = hold.Deadline
	return placed, err
}

// couponsOf returns the coupons of the order's buyer, in its transaction.
func (s *Shop) couponsOf(tx Tx, o Order) *coupon.Coupons {
	return s.coupons.On(tx.Coupons()).For(o.Buyer)
}

// refusesUse reports whether an error says that an order cannot have its coupon.
func refusesUse(err error) bool {
	_, state := errors.AsType[*coupon.StateError](err)
	_, validity := errors.AsType[*coupon.ValidityError](err)
	_, minimum := errors.AsType[*coupon.MinimumError](err)
	return state || validity || minimum
}

// same reports whether a second call asks for the same order.
func (o Order) same(asked Order) bool {
	return o.Buyer == asked.Buyer && o.SKU == asked.SKU && o.Num == asked.Num && o.Cents == asked.Cents && o.Coupon == asked.Coupon
}

// settle finds out whether an order went through whose transaction had no answer. If it did not,
// Resolve makes sure that it never will: no unit stays locked for an order that nobody sees.
func (s *Shop) settle(ctx context.Context, asked Order) (o Order, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second) // the buyer may be gone
	defer cancel()
	if _, err := s.inv.Resolve(ctx, asked.ID); err != nil {
		return Order{}, fmt.Errorf("order %s has to be resolved: %w", asked.ID, err)
	}
	err = s.books.Transact(ctx, func(tx Tx) error {
		o, err = tx.Find(ctx, asked.ID)
		return err
	})
	if !errors.Is(err, ErrNoOrder) {
		return o, err
	}
	if err := s.free(ctx, asked); err != nil {
		return Order{}, fmt.Errorf("order %s has to be freed: %w", asked.ID, err)
	}
	return Order{}, ErrTryAgain
}

// free gives back what an order holds that did not come to be, without a transaction: its units and its
// coupon, the one, the other, both or nothing. It may be called any number of times, also before the
// calls that it undoes; those are refused then. What is free already stays so.
func (s *Shop) free(ctx context.Context, o Order) error {
	_, err := s.inv.Cancel(ctx, o.ID)
	if errors.Is(err, stock.ErrExpired) {
		err = nil // its units are back already
	}
	if o.Coupon == "" {
		return err
	}
	_, released := s.coupons.For(o.Buyer).Release(ctx, o.Coupon, o.ID)
	if errors.Is(released, coupon.ErrUnknownCoupon) {
		released = nil // then there is nothing to give back
	}
	return errors.Join(err, released)
}

// PaymentArrived handles the payment provider's callback, however often and late it comes. It
// reports whether the payment was accepted; otherwise the money goes back. After an error the
// callback has to be delivered again.
func (s *Shop) PaymentArrived(ctx context.Context, p Payment) (accepted bool, err error) {
	accept := func(late bool) {
		err = s.books.Transact(ctx, func(tx Tx) error {
			accepted, err = s.accept(ctx, tx, p, late)
			return err
		})
	}
	accept(false)
	// Too late, although the timeout worker has not come by yet. The transaction is rolled back, so that the
	// coupon is not used either; another one closes the order and sends the money on its way.
	if errors.Is(err, stock.ErrExpired) || errors.Is(err, stock.ErrCancelled) || refusesUse(err) {
		accept(true)
	}
	return accepted && err == nil, err
}

// accept is PaymentArrived in its transaction. A late payment only closes its order.
func (s *Shop) accept(ctx context.Context, tx Tx, p Payment, late bool) (bool, error) {
	refuse := func(reason string) (bool, error) {
		_, err := tx.PayBack(ctx, Payback{ID: p.ID, Order: p.Order, Cents: p.Cents, Reason: reason})
		return false, err
	}
	o, err := tx.Find(ctx, p.Order)
	switch {
	case errors.Is(err, ErrNoOrder):
		return refuse("payment of an order that there is not")
	case err != nil:
		return false, err
	case o.Payment == p.ID: // the callback came twice
		return true, nil
	case o.Status != Placed:
		return refuse("payment of an order that is " + o.Status.String())
	case o.ToPay() != p.Cents:
		return refuse("payment of a wrong amount")
	case late:
		if err := s.close(ctx, tx, o); err != nil {
			return false, err
		}
		return refuse("payment came too late")
	}

	o.Status, o.Payment = Paid, p.ID
	if err := tx.Update(ctx, o); err != nil {
		return false, err
	}
	if o.Coupon != "" {
		if _, err := s.couponsOf(tx, o).Redeem(ctx, o.Coupon, o.ID, amount(o.Cents)); err != nil {
			return false, err
		}
	}
	_, err = s.inv.On(tx.Stock()).Pay(ctx, o.ID)
	return true, err
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
		return s.RefundOrder(ctx, id, "cancel-"+id, 0)
	}
	return err
}

// close closes an order and gives its coupon and its units back.
func (s *Shop) close(ctx context.Context, tx Tx, o Order) error {
	if o.Status == Placed && o.Coupon != "" {
		if err := s.giveUp(ctx, tx, o); err != nil {
			return err
		}
	}
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

// giveUp gives the coupon of an unpaid order back.
func (s *Shop) giveUp(ctx context.Context, tx Tx, o Order) error {
	coupons := s.couponsOf(tx, o)
	_, err := coupons.Release(ctx, o.Coupon, o.ID)
	switch {
	// The two that follow are only met where coupons and stock are not in one transaction: a payment redeemed
	// the coupon, and then the units were refused.
	case errors.Is(err, coupon.ErrRedeemed):
		_, err = coupons.Return(ctx, o.Coupon, o.ID, amount(o.ToPay()))
	case errors.Is(err, coupon.ErrReturned):
		err = nil
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

// refunded is why money of an order goes back that was refunded.
const refunded = "order refunded"

// RefundOrder takes so many units of a paid order back, or all that are left where num is 0: they go on
// sale again, their share of what was paid goes back. With the last unit the buyer gets the coupon back as
// well. The same refund twice is safe. It returns stock.ErrNotPaid for an order that should be cancelled,
// stock.ErrOverRefund for more than is left, and stock.ErrRefunded where nothing is.
func (s *Shop) RefundOrder(ctx context.Context, id, refund string, num int64) error {
	return s.books.Transact(ctx, func(tx Tx) error {
		o, err := tx.Find(ctx, id)
		if err != nil {
			return err
		}
		units := cmp.Or(num, o.Num-o.Back)
		was, err := tx.PayBack(ctx, Payback{ID: refund, Order: id, Cents: o.share(units), Reason: refunded})
		switch {
		case err != nil:
			return err
		case was.ID != "" && (was.Order != id || was.Reason != refunded):
			return stock.ErrMismatch
		case was.ID == "" && o.Status == Paid:
			if err := s.giveBack(ctx, tx, o, units); err != nil {
				return err
			}
		}
		asked := stock.Refund{ID: refund, Order: id, Restock: true}
		if num > 0 {
			asked.Lines = []stock.Line{{SKU: o.SKU, Num: num}}
		}
		_, err = s.inv.On(tx.Stock()).Refund(ctx, asked) // which also knows what was done before, and what is too much
		return err
	})
}

// giveBack writes down that units of an order came back, and returns its coupon with the last of them.
func (s *Shop) giveBack(ctx context.Context, tx Tx, o Order, units int64) error {
	o.Back += units
	if o.Back == o.Num {
		o.Status = Refunded
	}
	if err := tx.Update(ctx, o); err != nil || o.Status != Refunded || o.Coupon == "" {
		return err
	}
	_, err := s.couponsOf(tx, o).Return(ctx, o.Coupon, o.ID, amount(o.ToPay()))
	return err
}
