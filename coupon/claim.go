package coupon

import (
	"context"
	"errors"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
	"github.com/holdfast-go/holdfast/internal/sweep"
	"github.com/holdfast-go/holdfast/stock"
)

// Refund is a coupon that its buyer gives back.
type Refund struct {
	ID      string // the caller's number of this refund; refunds and revocations share one set of them
	Coupon  string
	Restock bool // it goes back to the campaign; otherwise it is gone. Not with a pool
}

// Revocation is a coupon that the shop takes back.
type Revocation struct {
	ID      string // the caller's number of this revocation; refunds and revocations share one set of them
	Coupon  string
	Restock bool // it goes back to the campaign; otherwise it is gone. Not with a pool
}

// Claim gives the buyer of For a coupon for free. The claim is the caller's number, 1 to 64 bytes, and
// becomes the ID of the coupon.
//
// Repeating a claim returns its coupon in its current state; for another campaign or by another buyer it is
// ErrMismatch. Claim pays a claim that was locked.
//
// Errors, in the order of precedence: ErrInvalid, also where no buyer was named; for a claim that is known
// ErrCancelled, ErrMismatch, ErrHoldExpired; ErrUnknownCampaign, ErrClosed, ErrNotStarted, ErrEnded or
// ErrOutdated, ErrPerBuyer, ErrSoldOut, ErrOverflow. A claim that a campaign refused may be made again.
func (c *Coupons) Claim(ctx context.Context, claim string, campaign int64) (Coupon, error) {
	return c.acquire(ctx, claim, campaign, (*stock.Inventory).Take)
}

// Lock sets a coupon aside for the buyer of For, who has to pay for it: it is Pending until its Deadline. Its
// arguments, replays and errors are those of Claim.
func (c *Coupons) Lock(ctx context.Context, claim string, campaign int64) (Coupon, error) {
	return c.acquire(ctx, claim, campaign, (*stock.Inventory).Lock)
}

// acquire takes or locks one unit of a campaign.
func (c *Coupons) acquire(
	ctx context.Context, claim string, campaign int64, verb func(*stock.Inventory, context.Context, string, ...stock.Line) (stock.Hold, error),
) (Coupon, error) {
	if err := errors.Join(c.readyFor(ctx), input.ID("claim", claim), input.Positive("campaign", campaign)); err != nil {
		return Coupon{}, err
	}
	hold, err := verb(c.units.With(Claim{}), ctx, claim, stock.Line{SKU: campaign, Num: 1})
	if errors.Is(err, stock.ErrRefunded) { // the coupon says so itself
		hold.Replay, err = true, nil
	}
	if err != nil {
		return Coupon{}, c.refused(ctx, campaign, claim, err)
	}
	coupon, err := c.claimed(ctx, claim, hold.Beside)
	coupon.Replay = hold.Replay
	return coupon, err
}

// claimed returns the coupon of a claim that has one: as it was kept, where that says all of it.
func (c *Coupons) claimed(ctx context.Context, claim string, beside []stock.Companion) (Coupon, error) {
	if kept, ok := stock.CompanionOf[Coupon](beside); ok && (kept.Position == 0 || kept.Code != "") {
		return kept, nil
	}
	coupon, _, err := c.store.Coupon(ctx, claim)
	switch {
	case err != nil:
		return Coupon{}, fault.Unread(err)
	case coupon.State == None:
		return Coupon{}, fault.ErrDrift // the hold is there, its coupon is not
	}
	return coupon, nil
}

// Pay makes a locked coupon Usable: its validity is computed from that moment, and with a pool it
// gets its code. Paying twice is safe, and returns the coupon in its current state. It does not know by which payment the coupon was
// paid: a shop that keeps the payment's number in its row sees that another one has come, and sends that back.
//
// Errors, in the order of precedence: ErrInvalid, ErrNotFound, ErrAnotherBuyer, ErrCancelled,
// ErrHoldExpired. From the deadline on the hold is dead, and Options.LatePay decides: with stock.Reacquire,
// the error matches ErrHoldExpired and ErrSoldOut or ErrPerBuyer.
func (c *Coupons) Pay(ctx context.Context, claim string) (Coupon, error) {
	if err := c.readyOwn(ctx, claim); err != nil {
		return Coupon{}, err
	}
	outcome, err := c.units.Pay(ctx, claim)
	if err != nil {
		return Coupon{}, c.refused(ctx, 0, claim, err)
	}
	coupon, err := c.claimed(ctx, claim, nil)
	coupon.Replay = outcome.Replay
	return coupon, err
}

// Cancel gives up a Pending coupon, and returns a Dropped one with only its ID set. Cancelling twice is safe. An
// unknown claim is closed for good: a Lock or Claim of it that arrives later is refused with ErrCancelled.
//
// Errors, in the order of precedence: ErrInvalid, ErrAnotherBuyer, ErrRefunded, ErrRevoked, ErrPaid (use
// Refund or Revoke), ErrHoldExpired (it is given up already).
func (c *Coupons) Cancel(ctx context.Context, claim string) (Coupon, error) {
	if err := c.readyOwn(ctx, claim); err != nil {
		return Coupon{}, err
	}
	outcome, err := c.units.Cancel(ctx, claim)
	if err != nil {
		return Coupon{}, c.refused(ctx, 0, claim, err)
	}
	return Coupon{ID: claim, State: Dropped, Replay: outcome.Replay}, nil
}

// Resolve settles a claim for good after ErrUnknown, as stock.Inventory.Resolve does for an order, and returns
// its coupon as it is then. A claim without a coupon is closed as by Cancel, and returned as Dropped.
//
// Errors, in the order of precedence: ErrInvalid, ErrAnotherBuyer.
func (c *Coupons) Resolve(ctx context.Context, claim string) (Coupon, error) {
	if err := c.readyOwn(ctx, claim); err != nil {
		return Coupon{}, err
	}
	if _, err := c.units.Resolve(ctx, claim); err != nil {
		return Coupon{}, c.refused(ctx, 0, claim, err)
	}
	coupon, _, err := c.store.Coupon(ctx, claim)
	if err == nil && coupon.State == None {
		return Coupon{ID: claim, State: Dropped}, nil
	}
	return coupon, fault.Unread(err)
}

// Refund gives back a coupon that its buyer does not want. The coupon must be Free, but need not be valid now.
// Repeating a refund returns the same; the same ID with another coupon or Restock, or as a
// revocation, is ErrMismatch.
//
// Errors, in the order of precedence: ErrInvalid, ErrNotFound, ErrAnotherBuyer, ErrPool (Restock of a
// code: a code that was handed out is never handed out again), ErrMismatch, ErrPending (use Cancel),
// ErrCancelled, ErrHoldExpired, ErrRefunded, ErrRevoked, ErrRedeemed, ErrReserved, ErrOverflow.
func (c *Coupons) Refund(ctx context.Context, refund Refund) (Coupon, error) {
	return c.giveBack(ctx, Refunded, "refund ID", refund)
}

// Revoke takes a coupon that is Free back for the shop. It works like Refund and has the same errors.
// Options.RevokeFreesBuyer says whether the buyer may claim another.
func (c *Coupons) Revoke(ctx context.Context, revocation Revocation) (Coupon, error) {
	return c.giveBack(ctx, Revoked, "revocation ID", Refund(revocation))
}

// giveBack refunds the one unit of a claim, which puts its coupon into the state to. The field is what an InvalidError
// calls the ID.
func (c *Coupons) giveBack(ctx context.Context, to State, field string, back Refund) (Coupon, error) {
	if err := errors.Join(c.ready(ctx), input.ID(field, back.ID), input.ID("coupon", back.Coupon)); err != nil {
		return Coupon{}, err
	}
	refund := stock.Refund{ID: back.ID, Order: back.Coupon, Restock: back.Restock, FreesBuyer: c.opts.RefundFreesBuyer}
	if to == Revoked {
		refund.FreesBuyer = c.opts.RevokeFreesBuyer
	}
	coupon, err := c.own(ctx, refund.Order, "")
	switch {
	case err != nil:
		return Coupon{}, err
	case coupon.Pool && refund.Restock:
		return Coupon{}, &ClaimError{Campaign: coupon.Campaign, Claim: coupon.ID, Err: ErrPool}
	}
	for range attempts {
		var outcome stock.RefundOutcome
		outcome, err = c.units.With(GiveBack{To: to}).Refund(ctx, refund)
		if differs, ok := fault.As[*MismatchError](err); ok && refund.FreesBuyer && differs.Field == "frees buyer" {
			refund.FreesBuyer = false // the option was another one when this refund was first made, and no argument of it
			continue
		}
		if err != nil && !errors.Is(err, ErrNotFree) {
			return Coupon{}, c.refused(ctx, coupon.Campaign, refund.Order, err)
		}
		is, now, looked := c.store.Coupon(ctx, refund.Order)
		switch {
		case looked != nil && err == nil:
			return Coupon{}, fault.Unread(looked)
		case looked != nil:
			return Coupon{}, looked
		case err == nil && is.State != to: // a refund has the number of this revocation, or the other way round
			return Coupon{}, fault.Mismatch(back.ID, fault.Equal("outcome", is.State, to))
		case err == nil:
			is.Replay = outcome.Replay
			return is, nil
		case is.State == Redeemed:
			return Coupon{}, &StateError{Coupon: is.ID, Err: ErrRedeemed}
		case is.State == Reserved && !is.Free(now):
			return Coupon{}, &StateError{Coupon: is.ID, Err: ErrReserved}
		}
		// It is free by now, or was given back by the same call made at the same time: try once more.
	}
	return Coupon{}, contention("refund", refund.ID)
}

// Expire drops every coupon that was not paid in time, and tells of coupons that are about to expire or have expired, where the
// store tells that. It returns how many this call dropped or told of. It only cleans up: everything else is correct without it.
// Any number of processes may run it at once. See stock.Inventory.Expire.
func (c *Coupons) Expire(ctx context.Context) (int, error) {
	if err := c.ready(ctx); err != nil {
		return 0, err
	}
	total, err := c.units.Expire(ctx)
	for err == nil || !fault.Stops(err) && ctx.Err() == nil {
		told, bad := c.store.TellExpiry(ctx, c.opts.ExpiringIn, tellBatch)
		if total += told; bad != nil || told < tellBatch {
			return total, errors.Join(err, bad)
		}
	}
	return total, err
}

// tellBatch is how many coupons are told of at a time.
const tellBatch = 500

// Run calls Expire every Options.Sweep until the context ends, and returns its error. After a sweep that
// failed it calls Options.OnError and rests longer each time, half a minute at most.
func (c *Coupons) Run(ctx context.Context) error {
	if err := c.ready(ctx); err != nil {
		return err
	}
	return sweep.Run(ctx, c.opts.Sweep, c.Expire, c.opts.OnError)
}

// own returns a coupon that the buyer of For, if there is one, may see.
func (c *Coupons) own(ctx context.Context, id, order string) (Coupon, error) {
	coupon, _, err := c.store.Coupon(ctx, id)
	if err != nil {
		return Coupon{}, err
	}
	return c.visible(coupon, id, order)
}

// visible returns a coupon, and refuses one that does not exist, or that the buyer of For does not own. The coupon is
// named as the call named it.
func (c *Coupons) visible(coupon Coupon, named, order string) (Coupon, error) {
	switch {
	case coupon.State == None:
		return Coupon{}, &StateError{Coupon: named, Order: order, Err: ErrNotFound}
	case c.buyer != "" && coupon.Buyer != c.buyer:
		return Coupon{}, &StateError{Coupon: named, Order: order, Err: ErrAnotherBuyer}
	}
	return coupon, nil
}

// readyOwn refuses a call on a claim before any I/O, and with For also on one of another buyer. A claim
// that is not known is nobody's.
func (c *Coupons) readyOwn(ctx context.Context, claim string) error {
	if err := errors.Join(c.ready(ctx), input.ID("claim", claim)); err != nil || c.buyer == "" {
		return err
	}
	coupon, _, err := c.store.Coupon(ctx, claim)
	if err == nil && coupon.State != None && coupon.Buyer != c.buyer {
		return &ClaimError{Claim: claim, Err: ErrAnotherBuyer} // worded like a Pay of an unknown claim
	}
	return err
}
