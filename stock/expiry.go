package stock

import (
	"context"
	"errors"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/sweep"
)

// releaseBatch is how many dead holds are looked up at a time.
const releaseBatch = 900

// releaseFirst is how many a Lock or a late payment releases before it tries again: it waits for no more than it needs. Each time
// that this was not enough, it is twice as many.
const releaseFirst = 100

// releaseOf returns how many dead holds are released in a round, from 0 on.
func releaseOf(round int) int { return min(releaseFirst<<min(round, 10), releaseBatch) }

// Expire releases every dead hold there is now and returns how many this call released. It only cleans up: Lock and
// Pay are right without it. What is left for those who wait, such as units of a sale that has begun, is handed over as well.
// Any number of processes may run it at once. Orders whose counters have drifted are skipped, and their error is returned at
// the end.
//
// Then it gives the units that have come, or are free again, to the orders that wait for them, of all items; see Terms.Backorder.
func (inv *Inventory) Expire(ctx context.Context) (int, error) {
	if err := inv.ready(ctx); err != nil {
		return 0, err
	}
	released, err := inv.expireAll(ctx)
	if !fault.Stops(err) {
		_, failed := inv.cover(ctx)
		err = errors.Join(err, failed)
	}
	return released, err
}

// expireAll releases every dead hold.
func (inv *Inventory) expireAll(ctx context.Context) (int, error) {
	total := 0
	var skipped error
	for {
		released, found, err := inv.releaseSome(ctx, releaseBatch)
		total += released
		switch {
		case fault.Stops(err):
			return total, err
		case released == 0 && err != nil:
			return total, errors.Join(err, inv.store.HandOver(ctx))
		case ctx.Err() != nil:
			return total, skipped
		case released == 0, err == nil && found < releaseBatch: // nothing is left, or only what others are at
			return total, errors.Join(skipped, inv.store.HandOver(ctx))
		case err != nil:
			skipped = err
		}
	}
}

// Run calls Expire every Options.Sweep until the context ends, and returns its error. After a
// sweep that failed it calls Options.OnError and rests longer each time, half a minute at most.
func (inv *Inventory) Run(ctx context.Context) error {
	if err := inv.ready(ctx); err != nil {
		return err
	}
	return sweep.Run(ctx, inv.opts.Sweep, inv.Expire, inv.opts.OnError)
}

// release frees up to so many dead holds of some items, which are in the way of a call, and reports how many were freed
// by anyone in between: this call, or another that came first. A hold that cannot be released is not the
// caller's: it is as if it still lived.
func (inv *Inventory) release(ctx context.Context, most int, keys ...Key) (int, error) {
	released, found, err := inv.releaseSome(ctx, most, keys...)
	if err != nil && !fault.Stops(err) {
		return released, nil
	}
	return found, fault.Unsent(err)
}

// releaseSome looks up so many dead holds, of these items or of all, and releases it. It
// returns how many it released itself and how many were found.
func (inv *Inventory) releaseSome(ctx context.Context, most int, keys ...Key) (released, found int, err error) {
	due, err := inv.store.Due(ctx, keys, most)
	if err != nil || len(due) == 0 {
		return 0, 0, err
	}
	expired, err := inv.store.Expire(ctx, due)
	for _, order := range expired {
		inv.took(ctx, Effect{Step: StepExpire, Order: order})
	}
	return len(expired), len(due), err
}

// expire releases one dead hold, unless another call comes first.
func (inv *Inventory) expire(ctx context.Context, order string) error {
	result, err := inv.store.Move(ctx, Movement{Step: StepExpire, Order: order})
	if err == nil && result.Verdict == Done {
		inv.took(ctx, Effect{Step: StepExpire, Order: order})
	}
	return err
}
