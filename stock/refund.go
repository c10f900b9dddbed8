package stock

import (
	"context"
	"errors"
	"slices"

	"github.com/holdfast-go/holdfast/internal/input"
)

// Refund gives units of a paid order back.
type Refund struct {
	ID      string // the caller's number of this refund
	Order   string
	Restock bool   // the units go back on sale; otherwise they are refunded and gone
	Lines   []Line // what is refunded; none means everything that is not refunded yet
}

// Refund gives units of a paid order back, all lines or none. It never refunds more than the
// order bought, over all of its refunds, and moves the order to Refunded with its last unit.
// It returns the refund with the lines that moved. The same refund again returns the same;
// the same ID with another order, lines or Restock is ErrMismatch.
//
// Errors, in the order of precedence: ErrInvalid, ErrMismatch, ErrNotFound, ErrNotPaid,
// ErrCancelled, ErrExpired, ErrRefunded, ErrRedeemed (unless Options.RefundRedeemed),
// ErrOverRefund, ErrOverflow.
func (inv *Inventory) Refund(ctx context.Context, refund Refund) (Refund, error) {
	if err := errors.Join(inv.ready(ctx), input.ID("refund ID", refund.ID), input.ID("order", refund.Order)); err != nil {
		return Refund{}, err
	}
	whole := len(refund.Lines) == 0
	if !whole {
		lines, err := normalize(refund.Lines)
		if err != nil {
			return Refund{}, err
		}
		refund.Lines = lines
	}
	asked := Refunding{Refund: refund, Whole: whole, Frees: inv.opts.RefundFreesBuyer}
	step := StepDiscard
	if refund.Restock {
		step = StepRefund
	}
	for range attempts {
		hold, now, err := inv.store.Hold(ctx, refund.Order)
		if err != nil {
			return Refund{}, err
		}
		if hold.State == Locked && hold.dead(now) {
			hold.State = Expired // whether or not anything has swept it up
		}
		if refusal := inv.unrefundable(hold, asked); refusal != nil {
			return inv.replayRefund(ctx, asked, refusal)
		}
		booked, verdict, err := inv.store.Refund(ctx, asked, hold)
		if err != nil {
			return Refund{}, err
		}
		switch verdict {
		case Done:
			inv.took(ctx, Effect{Step: step, Order: refund.Order, ID: refund.ID, Lines: booked.Lines})
			return booked.Refund, nil
		case Exists:
			return inv.replayRefund(ctx, asked, nil)
		case Refused: // another state, or less to refund: look again
		}
	}
	return Refund{}, contention("refund", refund.ID)
}

// unrefundable returns why a hold refuses a refund, or nil.
func (inv *Inventory) unrefundable(hold Hold, asked Refunding) error {
	switch hold.State {
	case Paid:
	case Redeemed:
		if !inv.opts.RefundRedeemed {
			return stateError(hold, asked.Order)
		}
	case Unheld, Locked, Refunded, Cancelled, Expired:
		return stateError(hold, asked.Order)
	}
	_, _, err := asked.Of(hold)
	return err
}

// Of returns a refund with its lines as it is recorded, and the hold that it leaves behind, or ErrOverRefund, or
// ErrRefunded where everything is to be refunded and nothing is left. A store
// applies it to a hold that nobody else changes meanwhile, so that refunds of one order need not wait for each
// other's answers.
func (r Refunding) Of(hold Hold) (Refunding, Hold, error) {
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
		return Refunding{}, Hold{}, &StateError{Order: r.Order, State: Refunded, Err: ErrRefunded}
	}
	for _, l := range r.Lines {
		i := slices.IndexFunc(hold.Lines, func(h HoldLine) bool { return h.Key() == l.Key() })
		rest := int64(0)
		if i >= 0 {
			rest = hold.Lines[i].Num - hold.Lines[i].Refunded
		}
		if l.Num > rest {
			return Refunding{}, Hold{}, &RefundError{Key: l.Key(), Order: r.Order, Wanted: l.Num, Refundable: rest}
		}
		line := &hold.Lines[i]
		line.Refunded += l.Num
		if r.Restock {
			line.Restocked += l.Num
		}
		if r.Frees {
			line.Freed += l.Num
		}
	}
	if !slices.ContainsFunc(hold.Lines, func(h HoldLine) bool { return h.Refunded < h.Num }) {
		hold.State = Refunded
	}
	return r, hold, nil
}

// replayRefund answers a refund whose ID is known, and otherwise returns the refusal.
func (inv *Inventory) replayRefund(ctx context.Context, asked Refunding, refusal error) (Refund, error) {
	was, err := inv.store.Refunding(ctx, asked.ID)
	switch {
	case err != nil:
		return Refund{}, err
	case was.ID == "" && refusal != nil:
		return Refund{}, refusal
	case was.ID == "":
		return Refund{}, contention("refund", asked.ID)
	case was.Order != asked.Order || was.Restock != asked.Restock || was.Whole != asked.Whole ||
		!asked.Whole && !slices.Equal(was.Lines, asked.Lines):
		return Refund{}, ErrMismatch
	}
	return was.Refund, nil
}
