package stock

import (
	"context"
	"errors"
	"time"
)

// releaseBatch is how many dead holds are looked up at a time.
const releaseBatch = 256

// longestRest is how long Run rests at most after sweeps that failed.
const longestRest = 30 * time.Second

// Expire releases every dead hold there is now and returns how many this call released. It is
// hygiene: Lock and Pay are right without it. Any number of processes may run it at once. An order
// that cannot be released does not keep the others from being; its error is returned at the end.
func (inv *Inventory) Expire(ctx context.Context) (int, error) {
	if err := inv.ready(ctx); err != nil {
		return 0, err
	}
	total := 0
	for {
		released, found, err := inv.releaseSome(ctx)
		total += released
		if released == 0 || ctx.Err() != nil || err == nil && found < releaseBatch {
			return total, err // nothing is left, or only what others are at, or what fails
		}
	}
}

// Run calls Expire every Options.Sweep until the context ends, and returns its error. After a
// sweep that failed it calls Options.OnError and rests longer each time, half a minute at most.
func (inv *Inventory) Run(ctx context.Context) error {
	if err := inv.ready(ctx); err != nil {
		return err
	}
	rest := inv.opts.Sweep
	for {
		_, err := inv.Expire(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			if inv.opts.OnError != nil {
				inv.opts.OnError(err)
			}
			rest = max(rest, min(rest*2, longestRest))
		default:
			rest = inv.opts.Sweep
		}
		timer := time.NewTimer(rest)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
}

// release frees dead holds of one item and reports how many were freed by anyone in between:
// this call, or another that came first.
func (inv *Inventory) release(ctx context.Context, key Key) (int, error) {
	_, found, err := inv.releaseSome(ctx, key)
	return found, err
}

// releaseSome looks up a batch of dead holds, of these items or of all, and releases them one by
// one. It returns how many it released itself and how many were found.
func (inv *Inventory) releaseSome(ctx context.Context, keys ...Key) (released, found int, err error) {
	due, err := inv.store.Due(ctx, keys, releaseBatch)
	if err != nil {
		return 0, 0, err
	}
	var failed []error
	for _, order := range due {
		verdict, err := inv.store.Move(ctx, StepExpire, order, 0)
		if err != nil {
			failed = append(failed, err)
			if ctx.Err() != nil {
				break
			}
			continue
		}
		if verdict == Done {
			released++
			inv.took(ctx, Effect{Step: StepExpire, Order: order})
		}
	}
	return released, len(due), errors.Join(failed...)
}

// expire releases one dead hold. Nothing happens where another call came first.
func (inv *Inventory) expire(ctx context.Context, order string) error {
	verdict, err := inv.store.Move(ctx, StepExpire, order, 0)
	if err == nil && verdict == Done {
		inv.took(ctx, Effect{Step: StepExpire, Order: order})
	}
	return err
}
