package groupbuy

import (
	"context"
	"errors"

	"github.com/holdfast-go/holdfast/internal/allot"
	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
	"github.com/holdfast-go/holdfast/stock"
)

// Open opens a team with the buyer of For as its sponsor. It sets the units aside, and gives the team a code that
// nobody can guess. Others join with this code. Pay the seat before its Deadline.
//
// Repeating the purchase returns its seat in its current state and no error while it is held, paid or beyond, whatever
// the state of the activity; Member is not compared. Two concurrent calls for one order give one seat. A refused order
// may be tried again.
//
// Errors, in the order of precedence: ErrInvalid, also where no buyer was named; for an order that is known ErrCancelled, ErrMismatch,
// ErrExpired, the first and last with the seat as it is; ErrUnknownActivity, ErrUnknownProduct, ErrHidden, ErrNotStarted,
// ErrEnded, ErrPreparing or ErrRemoved, ErrMembersOnly; ErrInvalid also for a volume that is no whole number of
// units of this product, or an amount with more places than its currency; then what the stock refuses:
// stock.ErrPerOrder, stock.ErrPerBuyer, stock.ErrInsufficient, ErrOverflow. An order of the shop's stock that has no
// seat is known as well: it is ErrCancelled or ErrMismatch.
func (g *Groups) Open(ctx context.Context, p Purchase) (Seat, error) {
	if err := errors.Join(g.readyFor(ctx), p.check()); err != nil {
		return Seat{}, err
	}
	return g.take(ctx, "", p)
}

// Join takes a seat in a team for the buyer of For. The code may be in lower case and have blanks around it. Replays
// work as for Open; the same order with another team is ErrMismatch.
//
// A hidden activity can be joined. Other errors are those of Open. Before the refusals of the stock come
// ErrUnknownTeam, ErrOtherProduct, ErrTeamFormed, ErrTeamFailed, ErrTeamOver, ErrJoined, ErrFull. With
// Activity.Outlive a team can be joined until its own deadline. The team keeps the terms of the moment at which it
// was opened: whether it is for members only, and how many units a volume is. Before ErrJoined and ErrFull are
// final, the team's dead seats are released.
func (g *Groups) Join(ctx context.Context, code string, p Purchase) (Seat, error) {
	code, err := Canonical(code)
	if err := errors.Join(g.readyFor(ctx), err, p.check()); err != nil {
		return Seat{}, err
	}
	return g.take(ctx, code, p)
}

// Cancel closes a held seat, and gives its units back. Cancelling twice is safe. An unknown order is closed for
// good, and returned as a Cancelled seat with only its Order set: an Open or Join of it that arrives later is
// refused with ErrCancelled.
//
// A sponsor who leaves hands over to the member who paid first, or else held a seat first; a team with nobody left
// fails.
//
// Errors, in the order of precedence: ErrInvalid, ErrNotFound (an order of the shop's stock that has no seat),
// ErrPaid (use Refund), ErrExpired (the units are back already), ErrRefunded. A seat that was paid after it had been
// cancelled is returned as it is.
func (g *Groups) Cancel(ctx context.Context, order string) (Seat, error) {
	if err := g.readyOrder(ctx, order); err != nil {
		return Seat{}, err
	}
	outcome, refusal := g.units.Cancel(ctx, order)
	if refusal != nil && (failed(refusal) || !refused(refusal)) {
		return Seat{}, refusal
	}
	seen, err := g.look(ctx, order)
	if refusal == nil && !outcome.Replay && !outcome.Void {
		g.tell(ctx, seen.effect(StepCancel))
	}
	switch {
	case err != nil && refusal != nil:
		return Seat{}, err
	case err != nil:
		return Seat{}, fault.Unread(err)
	case seen.closed():
		return Seat{Order: order, State: Cancelled, Replay: outcome.Replay}, nil
	case seen.seat.State == NoSeat:
		return Seat{}, seatError(order, NoSeat)
	case refusal != nil && seen.repaid() && !errors.Is(refusal, stock.ErrRefunded): // paid when it had expired
		return Seat{}, seen.refusal()
	case refusal != nil:
		return Seat{}, inBoth(seen.refusal(), refusal)
	}
	seen.seat.Replay = outcome.Replay
	return seen.seat, nil
}

// Refund is a request to refund a paid seat by hand. An order is refunded once, under RefundID.
type Refund struct {
	Order   string
	Actor   string // who refunds it, up to 64 bytes; the seat keeps it; "" is the actor of By, with its reason
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
	r, units := g.refunder(r)
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
		outcome, refusal := units.Refund(ctx, refund)
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

// refunder returns a refund with who makes it and why, and the units that record both.
func (g *Groups) refunder(r Refund) (Refund, *stock.Inventory) {
	if r.Actor == "" && g.actor != "" {
		r.Actor, r.Reason = g.actor, g.reason
	}
	units := g.units.With(SeatRefund{Actor: r.Actor, Reason: r.Reason})
	if r.Actor != "" {
		units = units.By(r.Actor, r.Reason)
	}
	return r, units
}

// check refuses a refund whose words are too long to keep.
func (r Refund) check() error {
	err := allot.Text("reason", r.Reason)
	if n := len(r.Actor); n > input.MaxID {
		err = errors.Join(err, fault.Invalid("actor", "must have at most %d bytes, has %d", input.MaxID, n))
	}
	return err
}

// Resolve settles an order for good after ErrUnknown, as stock.Inventory.Resolve does: a lost call can no longer
// take effect. It returns the seat as it is then. An unknown order is closed, and its seat returned, as by
// Cancel.
//
// Errors, in the order of precedence: ErrInvalid, ErrNotFound (an order of the shop's stock that has no seat).
func (g *Groups) Resolve(ctx context.Context, order string) (Seat, error) {
	if err := g.readyOrder(ctx, order); err != nil {
		return Seat{}, err
	}
	if _, err := g.units.Resolve(ctx, order); err != nil {
		return Seat{}, err
	}
	seen, err := g.look(ctx, order)
	switch {
	case err != nil:
		return Seat{}, fault.Unread(err)
	case seen.closed():
		return Seat{Order: order, State: Cancelled}, nil
	case seen.seat.State == NoSeat:
		return Seat{}, seatError(order, NoSeat)
	}
	return seen.seat, nil
}

// readyOrder is ready for a call that names an order.
func (g *Groups) readyOrder(ctx context.Context, order string) error {
	return errors.Join(g.ready(ctx), checkOrder(order))
}

// checkOrder refuses what is no number of an order.
func checkOrder(order string) error {
	if n := len(order); n < 1 || n > MaxOrder {
		return fault.Invalid("order", "must be 1 to %d bytes, has %d", MaxOrder, n)
	}
	return nil
}
