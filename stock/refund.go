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
		booked, to, refusal := inv.refundable(hold, asked)
		if refusal != nil {
			return inv.replayRefund(ctx, asked, refusal)
		}
		verdict, err := inv.store.Refund(ctx, booked, hold, to)
		if err != nil {
			return Refund{}, err
		}
		switch verdict {
		case Done:
			inv.took(ctx, Effect{Step: step, Order: refund.Order, ID: refund.ID, Lines: booked.Lines})
			return booked.Refund, nil
		case Exists:
			return inv.replayRefund(ctx, asked, nil)
		case Refused: // the hold changed in between: look again
		}
	}
	return Refund{}, contention("refund", refund.ID)
}

// refundable returns the refund with its lines filled in and the state it leads to, or why the
// hold refuses it.
func (inv *Inventory) refundable(hold Hold, asked Refunding) (Refunding, State, error) {
	refused := func(err error) (Refunding, State, error) { return Refunding{}, Unheld, err }
	switch hold.State {
	case Paid:
	case Redeemed:
		if !inv.opts.RefundRedeemed {
			return refused(stateError(hold, asked.Order))
		}
	case Unheld, Locked, Refunded, Cancelled, Expired:
		return refused(stateError(hold, asked.Order))
	}
	booked := asked
	for _, l := range hold.Lines {
		if rest := l.Num - l.Refunded; asked.Whole && rest > 0 {
			booked.Lines = append(booked.Lines, Line{SKU: l.SKU, Activity: l.Activity, Num: rest})
		}
	}
	left := slices.Clone(hold.Lines)
	for _, l := range booked.Lines {
		i := slices.IndexFunc(left, func(h HoldLine) bool { return h.Key() == l.Key() })
		rest := int64(0)
		if i >= 0 {
			rest = left[i].Num - left[i].Refunded
		}
		if l.Num > rest {
			return refused(&RefundError{Key: l.Key(), Order: asked.Order, Wanted: l.Num, Refundable: rest})
		}
		left[i].Refunded += l.Num
	}
	if slices.ContainsFunc(left, func(h HoldLine) bool { return h.Refunded < h.Num }) {
		return booked, hold.State, nil
	}
	return booked, Refunded, nil
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
