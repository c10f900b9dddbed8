package stock

import (
	"context"
	"errors"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
)

// Extend moves the deadline of a live hold to a later time by the store's clock. Compute it from the hold's own
// Deadline rather than from the caller's clock. It never shortens: a hold that lives that long anyway stays as it is.
// Extending twice to the same time is safe.
//
// Errors, in the order of precedence: ErrInvalid, ErrNotFound, ErrArchived, ErrWaiting, ErrRefunded, ErrRedeemed, ErrPaid,
// ErrCancelled, ErrExpired.
func (inv *Inventory) Extend(ctx context.Context, order string, until time.Time) (Hold, error) {
	return inv.redate(ctx, order, until, func(deadline, until time.Time) bool { return until.After(deadline) })
}

// Shorten moves the deadline of a live hold to an earlier time; a time that has passed ends it at once. A hold that
// ends sooner stays as it is. Errors are those of Extend.
func (inv *Inventory) Shorten(ctx context.Context, order string, until time.Time) (Hold, error) {
	return inv.redate(ctx, order, until, func(deadline, until time.Time) bool { return until.Before(deadline) })
}

// redate moves the deadline of a live hold where the new one is wanted.
func (inv *Inventory) redate(
	ctx context.Context, order string, until time.Time, wanted func(deadline, until time.Time) bool,
) (Hold, error) {
	if err := errors.Join(inv.readyFor(ctx, 0, ""), input.ID("order", order), input.Time("until", until)); err != nil {
		return Hold{}, err
	}
	until = input.Instant(until)
	for range attempts {
		hold, now, err := inv.store.Hold(ctx, order)
		if err != nil {
			return Hold{}, err
		}
		switch {
		case hold.State != Locked:
			return Hold{}, stateError(hold, order)
		case hold.dead(now): // unless the same call, still under way, extends it: the release waits for that
			if err := inv.expire(ctx, order); err != nil {
				return Hold{}, err
			}
			continue
		case !wanted(hold.Deadline, until):
			return hold, nil
		}
		verdict, err := inv.store.SetDeadline(ctx, hold, until, inv.beside...)
		if err != nil {
			return Hold{}, err
		}
		if verdict == Done {
			hold.Deadline = until
			hold.Fence++
			return hold, nil
		}
	}
	return Hold{}, &ContentionError{Verb: "extend", ID: order}
}

// Resolve settles an order after ErrUnknown, for good: it waits for every statement of the
// order that is still under way in the store, and makes sure that one which has not arrived
// yet can no longer take effect. It returns the order's hold as it is then. An order that has
// none is closed as by Cancel, and returned as Cancelled; one that is Archived is settled. Errors: ErrInvalid.
//
// A hold that comes back Locked is live and may be paid or cancelled by a new call. To make the
// lost call happen, make it again instead; Resolve is for a caller that wants to know.
func (inv *Inventory) Resolve(ctx context.Context, order string) (Hold, error) {
	if err := errors.Join(inv.readyFor(ctx, 0, ""), input.ID("order", order)); err != nil {
		return Hold{}, err
	}
	for range attempts {
		verdict, err := inv.store.Fence(ctx, order, inv.beside...)
		if err != nil {
			return Hold{}, err
		}
		if verdict != Done {
			if verdict, err = inv.store.Void(ctx, order, inv.beside...); err != nil {
				return Hold{}, err
			}
			if verdict != Done {
				continue // a Lock came first: fence it
			}
		}
		hold, now, err := inv.store.Hold(ctx, order)
		if err == nil && hold.State == Locked && hold.dead(now) {
			if err = inv.expire(ctx, order); err == nil {
				hold, _, err = inv.store.Hold(ctx, order)
			}
		}
		if err != nil {
			return Hold{}, fault.Unread(err)
		}
		return hold, nil
	}
	return Hold{}, &ContentionError{Verb: "resolve", ID: order}
}
