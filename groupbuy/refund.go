package groupbuy

import (
	"context"
	"errors"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
	"github.com/holdfast-go/holdfast/stock"
)

// Refund is a request to refund a paid seat by hand. An order is refunded once, under RefundID.
type Refund struct {
	Order   string
	Actor   string // who refunds it, up to 64 bytes; the seat keeps it
	Reason  string // and why, up to MaxText bytes; the seat keeps it
	Restock bool   // the units of a team that is formed go back on sale; those of one that is Forming always do
}

// Refund takes a paid member out of a team: the seat becomes RefundDue, with a RefundOwed event. The handler of that
// event pays the money back. While the team is Forming, the place is free again; a sponsor hands over, and the team
// fails when the last member leaves. A formed team stays formed. A team whose time is over first forms or fails by
// its minimum.
//
// Refunding again, or refunding a seat that is due for another reason, returns the seat as it is, with its first actor
// and reason. If a Refund and a formation happen at the same time, Restock is applied by the state of the
// team that the Refund saw.
//
// Errors, in the order of precedence: ErrInvalid, ErrNotFound, ErrNotPaid (use Cancel), ErrCancelled, ErrExpired,
// stock.ErrRedeemed (unless Options.RefundRedeemed), ErrRefunded (its units were refunded as those of an ordinary
// order).
func (g *Groups) Refund(ctx context.Context, r Refund) (Seat, error) {
	if err := errors.Join(g.readyOrder(ctx, r.Order), r.check()); err != nil {
		return Seat{}, err
	}
	for range attempts {
		seen, err := g.see(ctx, r.Order)
		if err == nil && seen.seat.State == Held {
			seen, err = g.look(ctx, r.Order) // something else may have paid the hold
		}
		if err == nil {
			seen, err = g.settled(ctx, seen)
		}
		switch {
		case err != nil:
			return Seat{}, err
		case seen.repaid():
			seen.seat.Replay = true
			return seen.seat, nil
		case seen.seat.State != Paid:
			return Seat{}, seen.refusal()
		}
		refund := stock.Refund{ID: RefundID(r.Order), Order: r.Order, Restock: r.Restock || seen.team.State == Forming}
		outcome, refusal := g.units.With(SeatRefund{Actor: r.Actor, Reason: r.Reason}).Refund(ctx, refund)
		switch {
		case refusal == nil && !outcome.Replay:
			seen, err := g.see(ctx, r.Order)
			g.tell(ctx, seen.effect(StepRefund))
			if err != nil {
				return Seat{}, fault.Unread(err)
			}
			return seen.seat, nil
		case failed(refusal):
			return Seat{}, refusal
		}
		is, err := g.look(ctx, r.Order)
		switch {
		case err != nil:
			return Seat{}, err
		case is.seat.State != Paid: // it has moved since: look at it again
		case errors.Is(refusal, stock.ErrRefunded):
			return Seat{}, inBoth(&SeatError{Order: r.Order, State: Paid, Err: ErrRefunded}, refusal)
		case refusal != nil:
			return Seat{}, refusal
		}
	}
	return Seat{}, contention("refund", r.Order)
}

// check refuses a refund whose words are too long to keep.
func (r Refund) check() error {
	err := text("reason", r.Reason)
	if n := len(r.Actor); n > input.MaxID {
		err = errors.Join(err, fault.Invalid("actor", "must have at most %d bytes, has %d", input.MaxID, n))
	}
	return err
}
