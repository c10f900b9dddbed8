package stock

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
)

// Lock sets units aside for an order: all lines or none. Lines of the same item are summed.
// The hold lives for Options.HoldFor; Pay it before its Deadline. Where the item has a Terms.Backorder, HoldLine.Backordered says how
// many units have not come yet.
//
// Locking the same order again with the same lines and buyer returns the current hold, as a Replay, and no error,
// whether it is locked, paid or redeemed, and whether or not it was amended since. An order that is refunded as a whole has
// nothing any more: that is ErrRefunded, so that a number which comes twice does not get goods twice. With other lines or another
// buyer it is ErrMismatch. Two Locks of one order at once give one hold.
//
// Errors, in the order of precedence: ErrInvalid; for an order that is known ErrCancelled, ErrArchived,
// ErrMismatch, ErrRefunded, ErrExpired, ErrWaiting, all but ErrMismatch with the hold as it is; then for the first line that
// refuses, by key: ErrUnknownSKU, ErrOffShelf, ErrNotStarted, ErrEnded, ErrPerOrder,
// ErrBuyerRequired, ErrLiveHolds, ErrPerBuyer, ErrInsufficient, ErrOverflow; then ErrExpired, where
// the time of Until is over. A refused order may be locked again. Before a shortage or a buyer's limit
// is final, the dead holds of the item are released.
func (inv *Inventory) Lock(ctx context.Context, order string, lines ...Line) (Hold, error) {
	return inv.acquire(ctx, Order{ID: order, Lines: lines})
}

// Take buys units for an order at once, all lines or none: a Lock and its Pay in one step, for what costs nothing or
// is paid already. Its hold is Paid, and allows the same steps as any other paid hold.
//
// Taking the same order again returns the hold as it is by then, as for Lock; an order that was
// locked before is paid. Errors are those of Lock, with ErrExpired also where the order was locked
// and its hold has died; live holds per buyer do not limit it.
func (inv *Inventory) Take(ctx context.Context, order string, lines ...Line) (Hold, error) {
	hold, err := inv.acquire(ctx, Order{ID: order, Lines: lines, Immediate: true})
	if err != nil || hold.State != Locked {
		return hold, err
	}
	paid, err := inv.Pay(ctx, order)
	if err != nil {
		return Hold{}, err
	}
	hold, err = inv.Hold(ctx, order)
	hold.Replay, hold.Beside = paid.Replay, paid.Beside
	return hold, fault.Unread(err)
}

// acquire locks or takes an order, or has it wait.
func (inv *Inventory) acquire(ctx context.Context, asked Order) (Hold, error) {
	if err := errors.Join(inv.readyFor(ctx, asked.Step(), asked.ID), input.ID("order", asked.ID)); err != nil {
		return Hold{}, err
	}
	lines, err := normalize(asked.Lines)
	if err != nil {
		return Hold{}, err
	}
	asked.Lines, asked.Buyer, asked.Beside, asked.PassWaiting = lines, inv.buyer, inv.beside, inv.opts.PassWaiting
	if !asked.Immediate { // what is sold at once does not die
		asked.Until = inv.until
	}
	released := false // dead holds, as the store asked for
	for round := range attempts {
		result, err := inv.store.Lock(ctx, asked, inv.opts.HoldFor)
		if err != nil {
			return Hold{}, err
		}
		switch result.Verdict {
		case Done:
			inv.took(ctx, Effect{Step: asked.Step(), Order: asked.ID, Lines: lines, Beside: result.Hold.Beside})
			return result.Hold, nil
		case Exists:
			hold, now, err := inv.store.Hold(ctx, asked.ID)
			if err != nil {
				return Hold{}, err
			}
			if hold.State == Unheld {
				continue // the Lock that was in the way has been refused itself
			}
			return replayLock(hold, asked, now)
		case Refused:
			if result.Why != nil {
				return Hold{}, result.Why
			}
			if result.Dead && !released {
				released = true
				_, err = inv.release(ctx, releaseOf(round), asked.keys()...)
			} else {
				err = inv.refusal(ctx, round, asked, Unheld, func(item ItemUsage, line Line, now time.Time) error {
					asked.Backorder = asked.Backorder || item.asksBackorder(line.Num)
					return asked.Refuses(item, line, now)
				})
			}
			if err != nil {
				return Hold{}, err
			}
		}
	}
	return Hold{}, &ContentionError{Verb: asked.Step().String(), ID: asked.ID}
}

// replayLock answers a Lock of an order that is known.
func replayLock(hold Hold, asked Order, now time.Time) (Hold, error) {
	differs := hold.differs(asked)
	switch {
	case hold.State == Cancelled, hold.State == Archived:
		return hold, stateError(hold, asked.ID)
	case differs != nil:
		return Hold{}, differs
	case hold.State == Refunded:
		return hold, stateError(hold, asked.ID)
	case hold.State == Expired, hold.State == Locked && hold.dead(now):
		return hold, &StateError{Order: asked.ID, State: hold.State, Err: ErrExpired}
	case hold.State == Waiting && !asked.Waits:
		return hold, stateError(hold, asked.ID)
	}
	hold.Replay = true
	return hold, nil
}

// differs returns in what a Lock differs from the one that the hold was first locked with.
func (h Hold) differs(asked Order) error {
	if h.First == "" {
		return fault.Mismatch(asked.ID, fault.Private("buyer", h.Buyer, asked.Buyer), compareLines(h.Asked(), asked.Lines))
	}
	return fault.Mismatch(asked.ID, fault.Argument{Field: "lines or buyer", Same: h.First == digest(asked.Buyer, asked.Lines)})
}

// compareLines compares the lines of a call with those that its ID has.
func compareLines(recorded, asked []Line) fault.Argument {
	list := func(lines []Line) string {
		texts := make([]string, len(lines))
		for i, l := range lines {
			texts[i] = fmt.Sprintf("%d of %v", l.Num, l.Key())
		}
		return strings.Join(texts, ", ")
	}
	return fault.Argument{Field: "lines", Same: slices.Equal(recorded, asked), Recorded: list(recorded), Asked: list(asked)}
}

// refusal looks for the reason why an order, whose hold was in a state, did not get its units. It returns nil when that should
// be tried once more: the reason is gone, or the dead holds just released may have been it. It looks after the release, not
// before, so that dead holds are not the reason for what is missing.
func (inv *Inventory) refusal(
	ctx context.Context, round int, asked Order, state State, refuses func(item ItemUsage, line Line, now time.Time) error,
) error {
	keys := asked.keys()
	if released, err := inv.release(ctx, releaseOf(round), keys...); err != nil || released > 0 {
		return err
	}
	items, now, err := inv.store.Items(ctx, asked.Buyer, keys)
	if err != nil {
		return err
	}
	for i, line := range asked.Lines {
		refusal := refuses(items[i], line, now)
		if refusal == nil {
			continue
		}
		if usedUp(refusal) { // the same call, made at the same time, may be what has used it up
			hold, _, err := inv.store.Hold(ctx, asked.ID)
			if err != nil || hold.State != state {
				return err
			}
		}
		return refusal
	}
	return asked.Lapsed(now)
}
