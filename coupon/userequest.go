package coupon

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
	"github.com/holdfast-go/holdfast/internal/money"
	"github.com/holdfast-go/holdfast/stock"
)

// UseRequest is the stock.Companion of a call on goods that uses a coupon for the order, in the same transaction:
// Reserving goes with Lock, Redeeming with Pay and Take, Releasing with Cancel, Returning with Refund. With any other
// call, or for another order, it is ErrInvalid.
//
// Stock and coupon change together or not at all. A request that is refused refuses its call, with the error of Reserve,
// Redeem, Release or Return. Where the order's use is in the wanted state already, only the stock changes. The result of the
// call has the request Beside it, as it was kept: with the whole Use, and as a Replay where that was there before. Options.Hook
// is that of Coupons alone, and is not told; the Effect.Beside of the inventory's hook has the request.
type UseRequest struct {
	Use // asked: Coupon, Order, Places, Total and Discount

	Step     Step            // StepReserve, StepRedeem, StepRelease or StepReturn
	Refunded decimal.Decimal // in all, with StepReturn
}

// Companion implements stock.Companion.
func (UseRequest) Companion() string { return "use of a coupon" }

// Belongs implements stock.StepCompanion.
func (r UseRequest) Belongs(step stock.Step, order string) error {
	if !slices.Contains(r.beside(), step) {
		return fault.Invalid("companion", "does not go with this call: %s of coupon %q", r.Step, r.Coupon)
	}
	if order != r.Order {
		return fault.Invalid("companion", "is the use of coupon %q by order %q, not by %q", r.Coupon, r.Order, order)
	}
	_, err1 := money.Minor("total", r.Total, r.Places)
	_, err2 := money.Minor("discount", r.Discount, r.Places)
	return errors.Join(input.ID("coupon", r.Coupon), money.Places(r.Places), err1, err2)
}

// beside returns the steps of goods that it goes with.
func (r UseRequest) beside() []stock.Step {
	switch r.Step { //nolint:exhaustive // the others are for stores to choose
	case StepReserve:
		return []stock.Step{stock.StepLock}
	case StepRedeem:
		return []stock.Step{stock.StepPay, stock.StepTake}
	case StepRelease:
		return []stock.Step{stock.StepCancel}
	case StepReturn:
		return []stock.Step{stock.StepRefund, stock.StepDiscard}
	}
	return nil
}

// Reserving returns the request to Reserve a coupon beside the Lock of the order's goods:
//
//	use, err := coupons.For(buyer).Reserving(ctx, coupon, order, total) // use.Discount is what it takes off
//	hold, err := inv.With(use).For(buyer).Lock(ctx, order, lines...)
//
// The reservation lives as long as the hold that the Lock makes, whatever Options.ReserveFor says. Extend and Shorten of
// the hold do not move it. Reserving reads the coupon, and refuses at once what that refuses; the Lock decides.
func (c *Coupons) Reserving(ctx context.Context, coupon, order string, total decimal.Decimal) (UseRequest, error) {
	return c.taking(ctx, StepReserve, coupon, order, total)
}

// Redeeming returns the request to Redeem a coupon beside the Pay of the order's goods, or beside a Take: one that the order
// has reserved, or that is free and valid. It is otherwise as Reserving.
func (c *Coupons) Redeeming(ctx context.Context, coupon, order string, total decimal.Decimal) (UseRequest, error) {
	return c.taking(ctx, StepRedeem, coupon, order, total)
}

// taking returns the request to reserve or redeem a coupon. It looks at the use only where the coupon alone does not allow it.
func (c *Coupons) taking(ctx context.Context, asked Step, coupon, order string, total decimal.Decimal) (UseRequest, error) {
	look, err := c.look(ctx, coupon, order, total)
	if err != nil {
		return UseRequest{}, err
	}
	held, now, below := look.coupon, look.at, look.below
	r := UseRequest{Use: look.use, Step: asked}
	if _, err := r.next(held, Use{}, now); err == nil && below == nil {
		return r, nil
	}
	use, now, err := c.store.UseOf(ctx, coupon, order)
	if err != nil {
		return UseRequest{}, err
	}
	step, err := r.next(held, use, now)
	if err == nil && step != 0 {
		err = below
	}
	if err != nil {
		return UseRequest{}, err
	}
	return r, nil
}

// Releasing returns the request to Release the coupon of an order beside the Cancel of its goods. It reads the coupon; the
// Cancel decides.
func (c *Coupons) Releasing(ctx context.Context, coupon, order string) (UseRequest, error) {
	if err := c.readyUse(ctx, coupon, order); err != nil {
		return UseRequest{}, err
	}
	held, err := c.own(ctx, coupon, order)
	if err != nil {
		return UseRequest{}, err
	}
	return releasing(held, order), nil
}

func releasing(held Coupon, order string) UseRequest {
	return UseRequest{Use: Use{Coupon: held.ID, Order: order, Places: held.Places}, Step: StepRelease}
}

// Returning returns the request to Return the coupon of an order beside the Refund of its goods: refunded is the amount
// refunded in all, with this refund. It reads the use, and returns the errors of Return at once: with ErrPartial the refund
// goes without it.
func (c *Coupons) Returning(ctx context.Context, coupon, order string, refunded decimal.Decimal) (UseRequest, error) {
	if err := errors.Join(c.readyUse(ctx, coupon, order), money.Amount("refunded", refunded)); err != nil {
		return UseRequest{}, err
	}
	held, err := c.own(ctx, coupon, order)
	if err != nil {
		return UseRequest{}, err
	}
	if _, err := money.Minor("refunded", refunded, held.Places); err != nil {
		return UseRequest{}, err
	}
	use, now, err := c.store.UseOf(ctx, coupon, order)
	if err != nil {
		return UseRequest{}, err
	}
	r := returning(held, order, refunded)
	if _, err := r.next(held, use, now); err != nil {
		return UseRequest{}, err
	}
	return r, nil
}

func returning(held Coupon, order string, refunded decimal.Decimal) UseRequest {
	return UseRequest{Use: Use{Coupon: held.ID, Order: order, Places: held.Places}, Step: StepReturn, Refunded: refunded}
}

// KeepsUse reports whether a store of goods with coupons beside it knows what to do with a companion.
func KeepsUse(c stock.Companion) bool {
	r, ok := c.(UseRequest)
	return ok && r.beside() != nil
}

// Apply decides a request for a store, which has the coupon and the order's use locked. It returns both as they become at a
// moment, or why the request is refused. A reservation lives until the deadline. The use is a Replay where nothing changes.
func (r UseRequest) Apply(c Coupon, is Use, at, deadline time.Time) (Coupon, Use, error) {
	step, err := r.next(c, is, at)
	switch {
	case err != nil:
		return Coupon{}, Use{}, err
	case step == 0:
		is.Replay = true
		return c, is, nil
	}
	c, is = step.Transition().after(c, is, r.Use, at, deadline)
	return c, is, nil
}

// next returns the step that makes a request of a coupon and the order's use of it, 0 where nothing is left to do, or
// why the request is refused.
func (r UseRequest) next(c Coupon, use Use, at time.Time) (Step, error) {
	refuse := func(err error) (Step, error) { return 0, &StateError{Coupon: r.Coupon, Order: r.Order, Err: err} }
	if use.State == UseReserved && (c.State != Reserved || c.Order != r.Order) {
		use.Deadline = at // another call has had the coupon since: it has lapsed, though the moment may be older than the lock
	}
	live := use.State == UseReserved && !use.Lapsed(at)
	if c.State == None {
		return refuse(ErrNotFound)
	}
	switch r.Step { //nolint:exhaustive // a store keeps no others; see KeepsUse
	case StepRelease:
		switch {
		case use.State == UseReleased:
			return 0, nil
		case use.State == UseReturned:
			return refuse(ErrReturned)
		case use.State == UseRedeemed:
			return refuse(ErrRedeemed)
		case live:
			return StepRelease, nil
		}
		return StepForgo, nil
	case StepReturn:
		switch paid := use.Total.Sub(use.Discount); {
		case use.State == UseReturned:
			return 0, nil
		case use.State != UseRedeemed:
			return refuse(ErrNotRedeemed)
		case r.Refunded.LessThan(paid):
			return 0, &PartialError{Coupon: r.Coupon, Order: r.Order, Places: use.Places, Paid: paid, Refunded: r.Refunded}
		}
		return StepReturn, nil
	}
	if settled, err := replayed(r.Step, use, r.Total, at); settled {
		return 0, err
	}
	if err := unusable(c, use, r.Order, live, at); err != nil {
		return 0, err
	}
	if r.Step == StepRedeem && !live {
		return StepSpend, nil
	}
	return r.Step, nil
}
