package groupbuy

import (
	"context"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// returnFor is how long it may take to record that the money of a seat is back.
const returnFor = 30 * time.Second

// Event is an event with what a handler needs: the team and its seats, as they are when the event is delivered.
type Event struct {
	event.Event

	Team    Team
	Seat    Seat   // that of Order, where the event has one
	Members []Seat // of TeamFormed: those who were paid when it was formed, in the order of payment
}

// Refund returns the number of the refund that a RefundOwed is about: the same at every delivery, and the only one that its order
// ever has.
func (e Event) Refund() string { return RefundID(e.Order) }

// A Handler does what an event asks for: see event.Handler for how often it is called, and how long it may take. It turns the
// members of a formed team into orders, and each member who is added later. It pays a refund under Event.Refund, or closes the
// order of a released seat.
type Handler func(ctx context.Context, e Event) error

// Handle returns a handler of events, for event.Events.Run and its like, which gives each event of a team to a Handler of this
// package. Once the Handler has paid a RefundOwed back, which it says by nil, its seat is Refunded. Events of other kinds come
// without Team, Seat and Members.
//
//	events := event.New(sqlstore.NewEvents(db, nil), nil)
//	err := events.Run(ctx, groups.Handle(handle))
//
// The handler also returns ErrInvalid, for groups or a Handler that are none, and the errors of the store.
func (g *Groups) Handle(handle Handler) event.Handler {
	return func(ctx context.Context, is event.Event) error {
		if err := g.ready(ctx); err != nil {
			return err
		}
		if handle == nil {
			return fault.Invalid("handler", "must not be nil")
		}
		e, err := g.filled(ctx, is)
		if err != nil {
			return err
		}
		if err := handle(ctx, e); err != nil || e.Kind != event.RefundOwed {
			return err
		}
		ctx, end := context.WithTimeout(context.WithoutCancel(ctx), returnFor) // what is paid is paid
		defer end()
		_, err = g.returned(ctx, e.Seat)
		return err
	}
}

// filled returns an event with what a Handler is given.
func (g *Groups) filled(ctx context.Context, is event.Event) (e Event, err error) {
	e.Event = is
	switch {
	case is.Kind < event.TeamFormed || is.Kind > event.TeamCorrected:
	case is.Order != "":
		e.Seat, e.Team, _, err = g.store.Seat(ctx, is.Order)
	default:
		e.Team, _, err = g.store.Team(ctx, is.Ref, stock.Key{SKU: is.SKU, Activity: is.Activity})
	}
	if err == nil && is.Kind == event.TeamFormed {
		e.Members, err = g.members(ctx, is.Ref)
	}
	return e, err
}

// returned records that the money of a seat is back, and reports whether this call did.
func (g *Groups) returned(ctx context.Context, seat Seat) (bool, error) {
	verdict, err := g.store.Return(ctx, seat.Order)
	if err != nil || verdict != stock.Done {
		return false, err
	}
	g.tell(ctx, Effect{Step: StepReturn, Order: seat.Order, Team: seat.Team})
	return true, nil
}

// Return records that the money of a seat is back: RefundDue becomes Refunded. The handler of Handle does so by itself; this is for
// a shop that pays refunds in another way, such as in a job over Refunds or behind a message broker. Repeating it is safe.
//
// Errors, in the order of precedence: ErrInvalid, ErrNotFound, ErrNotPaid, ErrPaid, ErrCancelled and ErrExpired for a seat whose money
// does not have to go back.
func (g *Groups) Return(ctx context.Context, order string) (Seat, error) {
	if err := g.readyOrder(ctx, order); err != nil {
		return Seat{}, err
	}
	seen, err := g.see(ctx, order)
	switch {
	case err != nil:
		return Seat{}, err
	case !seen.repaid():
		return Seat{}, seen.refusal()
	}
	done, err := g.returned(ctx, seen.seat)
	if err != nil {
		return Seat{}, err
	}
	seen.seat.State, seen.seat.Replay = Refunded, !done
	return seen.seat, nil
}
