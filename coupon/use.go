package coupon

import (
	"context"
	"errors"
	"time"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
	"github.com/holdfast-go/holdfast/internal/money"
	"github.com/holdfast-go/holdfast/stock"
)

// Reserve sets a coupon aside for an order with this total, before the discount. No other order can have it until
// Use.Deadline, which is Options.ReserveFor from now. Use.Discount is what it takes off. Redeem honours a live
// reservation even if the coupon's validity ends in between.
//
// Repeating it for an order returns its use in its current state: while it is reserved with the same total, and
// once it is redeemed. From the deadline on the coupon is free for every order, and Reserve starts afresh.
//
// Errors, in the order of precedence: ErrInvalid, ErrNotFound, ErrAnotherBuyer; ErrMismatch, where the
// order has reserved it with another total; ErrPending, ErrDropped, ErrRefunded, ErrRevoked; ErrReleased
// and ErrReturned, where the order has done so, with the use as it is; ErrRedeemed and ErrReserved, by
// another order; ErrNotYetValid, ErrExpired; ErrBelowMinimum.
func (c *Coupons) Reserve(ctx context.Context, coupon, order string, total decimal.Decimal) (Use, error) {
	return c.take(ctx, StepReserve, coupon, order, total)
}

// Redeem uses a coupon for an order: one that the order has reserved, or that is free and valid. The total
// may differ from the reservation's if the cart has changed. The minimum is checked again and the discount is
// computed from the new total. If Redeem is refused, the reservation stays.
//
// Redeeming twice with the same total is safe. Errors are those of Reserve; ErrMismatch is for an order
// that has redeemed it with another total.
func (c *Coupons) Redeem(ctx context.Context, coupon, order string, total decimal.Decimal) (Use, error) {
	return c.take(ctx, StepRedeem, coupon, order, total)
}

// take reserves or redeems a coupon. Its terms never change, so the discount can be computed first;
// the guards of the store decide all else. It tries first and looks up the reason only when refused.
func (c *Coupons) take(ctx context.Context, asked Step, coupon, order string, total decimal.Decimal) (Use, error) {
	look, err := c.look(ctx, coupon, order, total)
	if err != nil {
		return Use{}, err
	}
	held, now, want, below := look.coupon, look.at, look.use, look.below
	mine := held.State == Reserved && held.Order == order && !held.Free(now)
	for range attempts {
		if below == nil {
			step := asked
			if asked == StepRedeem && !mine {
				step = StepSpend
			}
			use, done, err := c.apply(ctx, step, want)
			if err != nil || done {
				return use, err
			}
		}
		use, now, err := c.store.UseOf(ctx, coupon, order)
		if err != nil {
			return Use{}, err
		}
		if settled, err := replayed(asked, use, total, now); settled {
			use.Replay = err == nil
			return use, err
		}
		if held, now, err = c.store.Coupon(ctx, coupon); err != nil {
			return Use{}, err
		}
		mine = use.State == UseReserved && !use.Lapsed(now)
		if err := unusable(held, use, order, mine, now); err != nil {
			return use, err
		}
		if below != nil {
			return Use{}, below
		}
	}
	return Use{}, contention(asked.String(), coupon)
}

// usePrice is a coupon at a moment, and the use that an order with some total would make of it.
type usePrice struct {
	coupon Coupon
	at     time.Time
	use    Use
	below  error // the total is below the minimum
}

// look returns what a coupon would take off an order.
func (c *Coupons) look(ctx context.Context, coupon, order string, total decimal.Decimal) (p usePrice, err error) {
	if err := errors.Join(c.readyUse(ctx, coupon, order), money.Amount("total", total)); err != nil {
		return p, err
	}
	if p.coupon, p.at, err = c.store.Coupon(ctx, coupon); err != nil {
		return p, err
	}
	if _, err := c.visible(p.coupon, coupon, order); err != nil {
		return p, err
	}
	p.use = Use{Coupon: coupon, Order: order, Places: p.coupon.Places, Total: total}
	p.use.Discount, err = p.coupon.Discount(total)
	if errors.Is(err, ErrBelowMinimum) {
		p.below, err = err, nil
	}
	return p, err
}

// replayed answers a call whose order has done it before, or did it with another total.
func replayed(asked Step, use Use, total decimal.Decimal, now time.Time) (bool, error) {
	switch {
	case asked == StepReserve && use.State == UseRedeemed: // it may have come to another total since
		return true, nil
	case asked == StepReserve && use.State == UseReserved && !use.Lapsed(now), asked == StepRedeem && use.State == UseRedeemed:
		return true, fault.Mismatch(use.Order, fault.Alike("total", use.Total, total))
	}
	return false, nil
}

// unusable returns why an order cannot take a coupon, apart from its total, or nil. For an order with its own
// live reservation the coupon is neither taken nor out of date.
func unusable(c Coupon, use Use, order string, mine bool, now time.Time) error {
	refuse := func(err error) error { return &StateError{Coupon: c.ID, Order: order, Err: err} }
	switch c.State {
	case None:
		return refuse(ErrNotFound)
	case Pending:
		return refuse(ErrPending)
	case Dropped:
		return refuse(ErrDropped)
	case Refunded:
		return refuse(ErrRefunded)
	case Revoked:
		return refuse(ErrRevoked)
	case Usable, Reserved, Redeemed:
	}
	switch {
	case use.State == UseReleased:
		return refuse(ErrReleased)
	case use.State == UseReturned:
		return refuse(ErrReturned)
	case mine, c.Order == order && !c.Free(now): // its own, maybe since a moment ago: the next look at the use tells
		return nil
	case c.State == Redeemed:
		return refuse(ErrRedeemed)
	case !c.Free(now):
		return refuse(ErrReserved)
	case now.Before(c.From):
		return &ValidityError{Coupon: c.ID, Err: ErrNotYetValid, From: c.From, Until: c.Until, Now: now}
	case !now.Before(c.Until):
		return &ValidityError{Coupon: c.ID, Err: ErrExpired, From: c.From, Until: c.Until, Now: now}
	}
	return nil
}

// apply makes a step and returns the use that it left behind.
func (c *Coupons) apply(ctx context.Context, step Step, want Use) (use Use, done bool, err error) {
	verdict, err := c.store.Use(ctx, step, want, c.opts.ReserveFor)
	if err != nil || verdict != stock.Done {
		return Use{}, false, err
	}
	c.took(ctx, Effect{Use: step, Coupon: want.Coupon, State: step.Transition().Coupon, Order: want.Order})
	use, _, err = c.store.UseOf(ctx, want.Coupon, want.Order)
	return use, true, fault.Unread(err)
}

// Release gives up the reservation of an order. Releasing twice is safe. For an order that has no reservation,
// or whose reservation has lapsed, the coupon is closed for good: if that order's Reserve or Redeem of the coupon
// arrives later, it is refused with ErrReleased.
//
// Errors, in the order of precedence: ErrInvalid, ErrNotFound, ErrAnotherBuyer, ErrReturned,
// ErrRedeemed (use Return), the last two with the use as it is.
func (c *Coupons) Release(ctx context.Context, coupon, order string) (Use, error) {
	if err := c.readyUse(ctx, coupon, order); err != nil {
		return Use{}, err
	}
	held, err := c.own(ctx, coupon, order)
	if err != nil {
		return Use{}, err
	}
	asked := releasing(held, order)
	for range attempts {
		for _, step := range [...]Step{StepRelease, StepForgo} {
			use, done, err := c.apply(ctx, step, asked.Use)
			if err != nil || done {
				return use, err
			}
		}
		use, now, err := c.store.UseOf(ctx, coupon, order)
		if err != nil {
			return Use{}, err
		}
		if step, err := asked.next(held, use, now); step == 0 { // or it was reserved, or lapsed, between the two: try once more
			use.Replay = err == nil
			return use, err
		}
	}
	return Use{}, contention("release", coupon)
}

// Return gives back a coupon that an order has redeemed, when that order is refunded: refunded is the amount
// refunded in all. The coupon returns only once the order got back what it paid, its total less the discount.
// The coupon can then be used again within its validity, but not by this order: another Reserve or Redeem
// of it is ErrReturned. Returning twice is safe.
//
// Errors, in the order of precedence: ErrInvalid, ErrNotFound, ErrAnotherBuyer, ErrNotRedeemed,
// ErrPartial (a *PartialError, the coupon stays redeemed).
func (c *Coupons) Return(ctx context.Context, coupon, order string, refunded decimal.Decimal) (Use, error) {
	if err := errors.Join(c.readyUse(ctx, coupon, order), money.Amount("refunded", refunded)); err != nil {
		return Use{}, err
	}
	held, err := c.own(ctx, coupon, order)
	if err != nil {
		return Use{}, err
	}
	if _, err := money.Minor("refunded", refunded, held.Places); err != nil {
		return Use{}, err
	}
	asked := returning(held, order, refunded)
	for range attempts {
		use, now, err := c.store.UseOf(ctx, coupon, order)
		if err != nil {
			return Use{}, err
		}
		switch step, err := asked.next(held, use, now); {
		case errors.Is(err, ErrNotRedeemed):
			return Use{}, err
		case step == 0:
			use.Replay = err == nil
			return use, err
		}
		returned, done, err := c.apply(ctx, StepReturn, use) // what a redeemed use came to never changes
		if err != nil || done {
			return returned, err
		}
	}
	return Use{}, contention("return", coupon)
}

// readyUse refuses a call on the use of a coupon before any I/O.
func (c *Coupons) readyUse(ctx context.Context, coupon, order string) error {
	return errors.Join(c.ready(ctx), input.ID("coupon", coupon), input.ID("order", order))
}
