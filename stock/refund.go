package stock

import (
	"context"
	"errors"
	"slices"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
)

// Refund gives units of a paid order back.
type Refund struct {
	ID      string // the caller's number of this refund, unique over all orders: 1 to 64 bytes
	Order   string
	Restock bool   // the units go back on sale; otherwise they are refunded and gone, which units that have not come yet cannot be
	Lines   []Line // what is refunded; none means everything that is not refunded yet

	// FreesBuyer gives the units back to the buyer's limit, also where Options.RefundFreesBuyer does not.
	FreesBuyer bool

	// Redeemed allows the refund of units that were handed over, also where Options.RefundRedeemed does not. A refund of some units
	// takes those that were handed over first, then those that have not come yet.
	Redeemed bool
}

// RefundOutcome is what a refund left behind.
type RefundOutcome struct {
	Outcome

	Refund Refund // with the lines that moved
}

// Refund gives units of a paid order back, all lines or none. It never refunds more than the
// order bought, over all of its refunds, and moves the order to Refunded with its last unit.
// The same refund again returns the same; the same ID with another order, lines or Restock is ErrMismatch, and so is FreesBuyer where the
// first one has not freed its units.
//
// Errors, in the order of precedence: ErrInvalid, ErrMismatch, ErrNotFound, ErrArchived, ErrNotPaid (ErrWaiting for one that waits),
// ErrCancelled, ErrExpired, ErrRefunded, ErrRedeemed (unless Options.RefundRedeemed or Refund.Redeemed; see RedeemPart),
// ErrOverRefund, ErrBackordered (for units that have not come yet, without Restock), ErrOverflow.
func (inv *Inventory) Refund(ctx context.Context, refund Refund) (RefundOutcome, error) {
	ready := inv.readyFor(ctx, RefundRecord{Refund: refund}.step(), refund.Order)
	if err := errors.Join(ready, input.ID("refund ID", refund.ID), input.ID("order", refund.Order)); err != nil {
		return RefundOutcome{}, err
	}
	whole := len(refund.Lines) == 0
	if !whole {
		lines, err := normalize(refund.Lines)
		if err != nil {
			return RefundOutcome{}, err
		}
		refund.Lines = lines
	}
	asked := RefundRecord{
		Refund: refund, Whole: whole, Frees: refund.FreesBuyer || inv.opts.RefundFreesBuyer,
		Redeemable: refund.Redeemed || inv.opts.RefundRedeemed, Actor: inv.actor, Reason: inv.reason,
	}
	for range attempts {
		hold, now, err := inv.store.Hold(ctx, refund.Order)
		if err != nil {
			return RefundOutcome{}, err
		}
		if hold.State == Locked && hold.dead(now) {
			hold.State = Expired // whether or not anything has swept it up
		}
		if refusal := asked.unrefundable(hold); refusal != nil {
			return inv.replayRefund(ctx, asked, refusal)
		}
		result, err := inv.store.Refund(ctx, asked, hold, inv.beside...)
		if err != nil {
			return RefundOutcome{}, err
		}
		switch result.Verdict {
		case Done:
			inv.took(ctx, Effect{Step: asked.step(), Order: refund.Order, ID: refund.ID, Lines: result.Refund.Lines, Beside: result.Beside})
			return RefundOutcome{Outcome: Outcome{Order: refund.Order, State: result.State, Beside: result.Beside}, Refund: result.Refund.Refund},
				nil
		case Exists:
			return inv.replayRefund(ctx, asked, nil)
		case Refused: // another state, or less to refund: look again
		}
	}
	return RefundOutcome{}, &ContentionError{Verb: "refund", ID: refund.ID}
}

// step is what it does to each of its units.
func (r RefundRecord) step() Step {
	if r.Restock {
		return StepRefund
	}
	return StepDiscard
}

// unrefundable returns why a hold refuses a refund, or nil.
func (r RefundRecord) unrefundable(hold Hold) error {
	if hold.State != Paid && (hold.State != Redeemed || !r.Redeemable) {
		return stateError(hold, r.Order)
	}
	_, _, err := r.Of(hold)
	return err
}

// Of returns the refund of a hold as it is recorded, with its lines, and the hold afterwards. It returns
// ErrOverRefund, ErrRefunded where everything is to be refunded and nothing is left, ErrRedeemed where too much of an
// order that is Paid was handed over, or ErrBackordered. A store applies it to a hold
// that nobody else changes meanwhile, so that refunds of one order need not wait for each other's answers.
func (r RefundRecord) Of(hold Hold) (RefundRecord, Hold, error) {
	hold.Lines = slices.Clone(hold.Lines)
	if r.Whole {
		r.Lines = nil
		for _, l := range hold.Lines {
			if rest := l.Num - l.Refunded; rest > 0 {
				r.Lines = append(r.Lines, Line{SKU: l.SKU, Activity: l.Activity, Num: rest})
			}
		}
	}
	if len(r.Lines) == 0 {
		return RefundRecord{}, Hold{}, &StateError{Order: r.Order, State: Refunded, Err: ErrRefunded}
	}
	for _, l := range r.Lines {
		i := slices.IndexFunc(hold.Lines, func(h HoldLine) bool { return h.Key() == l.Key() })
		rest := int64(0)
		if i >= 0 {
			rest = hold.Lines[i].Num - hold.Lines[i].Refunded
		}
		if l.Num > rest {
			return RefundRecord{}, Hold{}, &RefundError{Key: l.Key(), Order: r.Order, Wanted: l.Num, Refundable: rest}
		}
		line, rest := &hold.Lines[i], l.Num // not handed over
		switch {
		case r.Redeemable || hold.State == Redeemed:
			handed := min(line.Redeemed, l.Num)
			line.Redeemed, rest = line.Redeemed-handed, rest-handed
		case l.Num > line.undelivered():
			return RefundRecord{}, Hold{}, &StateError{Order: r.Order, State: hold.State, Err: ErrRedeemed}
		}
		switch {
		case r.Restock:
			line.Backordered -= min(line.Backordered, rest)
		case rest > line.undelivered()-(l.Num-rest)-line.Backordered:
			return RefundRecord{}, Hold{}, &BackorderError{Key: l.Key(), Order: r.Order, Wanted: l.Num, Backordered: line.Backordered}
		}
		line.Refunded += l.Num
		if r.Restock {
			line.Restocked += l.Num
		}
		if r.Frees {
			line.Freed += l.Num
		}
	}
	hold.settle()
	return r, hold, nil
}

// replayRefund answers a refund whose ID is known, and otherwise returns the refusal. It reads the order's state behind the record,
// because a look before it may be older than the refund.
func (inv *Inventory) replayRefund(ctx context.Context, asked RefundRecord, refusal error) (RefundOutcome, error) {
	was, err := inv.store.RefundRecord(ctx, asked.ID)
	switch {
	case err != nil:
		return RefundOutcome{}, err
	case was.ID == "" && refusal != nil:
		return RefundOutcome{}, refusal
	case was.ID == "":
		return RefundOutcome{}, inv.withoutRecord(ctx, asked)
	}
	differs := []fault.Argument{
		fault.Equal("order", was.Order, asked.Order), fault.Equal("restock", was.Restock, asked.Restock),
		fault.Equal("all that is left", was.Whole, asked.Whole),
		fault.Equal("frees buyer", was.Frees, was.Frees || asked.FreesBuyer), // what Options say is no argument
	}
	if !asked.Whole {
		differs = append(differs, compareLines(was.Lines, asked.Lines))
	}
	if err := fault.Mismatch(asked.ID, differs...); err != nil {
		return RefundOutcome{}, err
	}
	hold, _, err := inv.store.Hold(ctx, was.Order)
	if err != nil {
		return RefundOutcome{}, err
	}
	return RefundOutcome{Outcome: Outcome{Order: was.Order, State: hold.State, Replay: true}, Refund: was.Refund}, nil
}

// withoutRecord returns the error of a refund whose ID is known and has no record. If somebody made it by hand, its record was
// archived with its order.
func (inv *Inventory) withoutRecord(ctx context.Context, asked RefundRecord) error {
	made, err := inv.store.Applied(ctx, KindRefund, asked.ID)
	switch {
	case err != nil:
		return err
	case made.ID != "":
		return &MismatchError{ID: asked.ID, Field: "order", Recorded: "archived", Asked: asked.Order}
	}
	return &ContentionError{Verb: "refund", ID: asked.ID}
}
