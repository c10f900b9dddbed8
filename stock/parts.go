package stock

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
)

// RedeemPart records that some units of a paid order were handed over, such as those of one parcel. It moves no counter. What is
// handed over can be refunded only where Options.RefundRedeemed or Refund.Redeemed allow it, and the rest as before. With the last
// unit that is not refunded the order is Redeemed. The ID is the caller's number of the parcel, 1 to 64 bytes, in one set with those
// of Amend: the same call again is a replay.
//
// Errors, in the order of precedence: ErrInvalid; ErrMismatch (the ID is known with other arguments); ErrNotFound, ErrArchived,
// ErrNotPaid (ErrWaiting for one that waits), ErrCancelled, ErrExpired, ErrRefunded, ErrRedeemed; ErrInsufficient, as a *ShortageError,
// where the order has fewer units to hand over; ErrBackordered, as a *BackorderError, where they have not all come yet.
func (inv *Inventory) RedeemPart(ctx context.Context, id, order string, lines ...Line) (Outcome, error) {
	err := errors.Join(inv.readyFor(ctx, 0, ""), input.ID("redemption ID", id), input.ID("order", order))
	if err == nil {
		lines, err = normalize(lines)
	}
	if err != nil {
		return Outcome{}, err
	}
	hold, err := inv.amend(ctx, orderChange{
		kind: KindAmend, id: id, order: order, step: StepRedeem, lines: lines, asked: arguments{Redeems: lines},
		plan: func(hold Hold) (Hold, error) {
			if hold.State != Paid {
				return Hold{}, stateError(hold, order)
			}
			return hold.redeem(lines)
		},
	})
	if err != nil {
		return Outcome{}, err
	}
	return Outcome{Order: order, State: hold.State, Replay: hold.Replay, Beside: hold.Beside}, nil
}

// redeem returns the hold with some units handed over.
func (h Hold) redeem(lines []Line) (Hold, error) {
	h = clone(h)
	for _, l := range lines {
		line := h.line(l.Key())
		if line == nil {
			return Hold{}, &ShortageError{Key: l.Key(), Wanted: l.Num}
		}
		if l.Num > line.undelivered() {
			return Hold{}, &ShortageError{Key: l.Key(), Wanted: l.Num, Available: line.undelivered()}
		}
		if l.Num > line.undelivered()-line.Backordered {
			return Hold{}, &BackorderError{Key: l.Key(), Order: h.Order, Wanted: l.Num, Backordered: line.Backordered}
		}
		line.Redeemed += l.Num
	}
	h.settle()
	return h, nil
}

// undelivered is how many units are neither handed over nor refunded.
func (l HoldLine) undelivered() int64 { return l.Num - l.Refunded - l.Redeemed }

// line returns the line of an item, or nil.
func (h Hold) line(key Key) *HoldLine {
	for i := range h.Lines {
		if h.Lines[i].Key() == key {
			return &h.Lines[i]
		}
	}
	return nil
}

// settle moves a hold that is paid or redeemed to the state that it has once nothing of it is left to hand over, or to refund.
func (h *Hold) settle() {
	var kept, undelivered int64
	for _, l := range h.Lines {
		kept, undelivered = max(kept, l.Num-l.Refunded), max(undelivered, l.undelivered())
	}
	switch {
	case kept == 0:
		h.State = Refunded
	case undelivered == 0:
		h.State = Redeemed
	}
}

// PutBack puts on sale what a refund has not: goods that came back later, or were found to be sound. Refunded and Total stay as they
// are. It takes the ID of the refund, and happens once: again, or for a refund that was put back at once, it is a replay. The limit of
// the buyer stays as the refund has left it.
//
// Errors, in the order of precedence: ErrInvalid, ErrNotFound (there is no such refund, or it is archived), ErrOverflow.
func (inv *Inventory) PutBack(ctx context.Context, refundID string) (RefundOutcome, error) {
	if err := errors.Join(inv.readyFor(ctx, 0, ""), input.ID("refund ID", refundID)); err != nil {
		return RefundOutcome{}, err
	}
	was, err := inv.store.RefundRecord(ctx, refundID)
	switch {
	case err != nil:
		return RefundOutcome{}, err
	case was.ID == "":
		return RefundOutcome{}, fmt.Errorf("%w: no such refund (%q)", ErrNotFound, refundID)
	}
	hold, err := inv.amend(ctx, orderChange{
		kind: KindPutBack, id: refundID, order: was.Order, step: StepPutBack, lines: was.Lines, plan: was.putBack,
	})
	if errors.Is(err, errBack) {
		hold, _, err = inv.store.Hold(ctx, was.Order)
		hold.Replay = true
	}
	if err != nil {
		return RefundOutcome{}, err
	}
	outcome := Outcome{Order: was.Order, State: hold.State, Replay: hold.Replay, Beside: hold.Beside}
	return RefundOutcome{Outcome: outcome, Refund: was.Refund}, nil
}

// errBack is a refund that has put its units back itself.
var errBack = errors.New("stock: the units are on sale")

// putBack returns the hold once the units of the refund are back on sale.
func (r RefundRecord) putBack(hold Hold) (Hold, error) {
	if r.Restock {
		return Hold{}, errBack
	}
	hold = clone(hold)
	for _, l := range r.Lines {
		line := hold.line(l.Key())
		if line == nil || l.Num > line.Refunded-line.Restocked {
			return Hold{}, fmt.Errorf("%w: order %q has not refunded what refund %q has", fault.ErrDrift, r.Order, r.ID)
		}
		line.Restocked += l.Num
	}
	return hold, nil
}
