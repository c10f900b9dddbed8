package stock

import (
	"context"
	"errors"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
)

// Wait is a Lock that queues where Lock would be refused with ErrInsufficient. Where the units are there, and nobody who fits came
// before, its hold is Locked at once. Otherwise it is Waiting: it has no units, and its place in the queue is the moment of the call.
// A sold-out item may have any number of those.
//
// Units that become free, by whatever call and in whatever process, go in the same transaction to those who wait, in the order of
// arrival: to the first who fits, then to the next. An offer is a hold that is Locked from then on for the Options.HoldFor of its Wait:
// event.Offered tells of it, so ask the buyer to pay. An offer that is not paid in time goes to the next, as soon as it is released.
//
// The terms of the item and the limits of the buyer are judged by Wait, and again by the offer, at which only what the buyer has then
// counts: one who waits holds nothing. Who does not fit by then, or waits for more units than are there, keeps the place and lets the
// next one go first.
//
// Who waits gets units that are there. What an item lets orders have beyond that, its Terms.Backorder, goes to a Lock while nobody waits.
//
// A Lock, a Take, a late payment, and an amendment that takes units, do not pass those who wait: they are refused with ErrInsufficient,
// and ShortageError.Waiting says why, also where some units are free that nobody who waits can use. Wait gets those. Options.PassWaiting
// lets a Lock and a Take pass. Operators pass: Withdraw, Transfer and Count take what is available. Units of an unlimited item do
// not end, so nobody is in the way there.
//
// Cancel leaves the queue. Holds with States Waiting lists it, Position tells a place in it, and Item.Waiting for how many units it
// waits. Waiting again returns the hold as it is by then, as a Replay; an order that was locked before need not wait. Until does
// not go with it, and neither do companions.
//
// Hook is told of StepWait, and of StepOffer where the hold that Wait returns has its units.
//
// Errors, in the order of precedence: those of Lock without ErrInsufficient.
func (inv *Inventory) Wait(ctx context.Context, order string, line Line) (Hold, error) {
	if err := inv.ready(ctx); err != nil {
		return Hold{}, err
	}
	if !inv.until.IsZero() {
		return Hold{}, fault.Invalid("until", "must not go with Wait: an offer lives for Options.HoldFor")
	}
	if len(inv.beside) > 0 {
		return Hold{}, fault.Invalid("companion", "must not go with Wait")
	}
	hold, err := inv.acquire(ctx, Order{ID: order, Lines: []Line{line}, Waits: true})
	for round := 0; err == nil && hold.State == Waiting && !hold.Replay; round++ { // what dead holds have may be for this one
		released, failed := inv.release(ctx, releaseOf(round), line.Key())
		if failed != nil || released == 0 {
			return hold, nil //nolint:nilerr // it waits: Expire releases the others
		}
		hold, _, err = inv.store.Hold(ctx, order)
		err = fault.Unread(err)
	}
	if err == nil && hold.State == Locked && !hold.Replay {
		inv.took(ctx, Effect{Step: StepOffer, Order: order})
	}
	return hold, err
}

// Position returns the place of an order in the queue of its item, from 1, and how many orders wait in it. Both are 0 for an order
// that does not wait, or no longer. The place is counted at each call, so that of a long queue is better shown than polled.
//
// Errors: ErrInvalid, ErrNotFound.
func (inv *Inventory) Position(ctx context.Context, order string) (place, length int64, err error) {
	if err := errors.Join(inv.ready(ctx), input.ID("order", order)); err != nil {
		return 0, 0, err
	}
	hold, err := inv.Hold(ctx, order)
	if err != nil || hold.State != Waiting {
		return 0, 0, err
	}
	ahead, length, err := inv.store.Ahead(ctx, hold)
	return min(ahead+1, length), length, err // it may have left since
}
