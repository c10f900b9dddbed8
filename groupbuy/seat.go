package groupbuy

import (
	"context"
	"errors"

	"github.com/holdfast-go/holdfast/internal/fault"
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
	if failed(refusal) {
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
