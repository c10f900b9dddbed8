package groupbuy

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/stock"
)

// failed reports whether a call failed without being refused: there is no reason to look for.
func failed(err error) bool {
	return errors.Is(err, ErrUnavailable) || errors.Is(err, ErrUnknown) || errors.Is(err, ErrStore) || errors.Is(err, ErrDrift)
}

// refused reports whether an error is the refusal of an order by its hold, its seat or its team. Any other, such as that of what
// the shop does in the transaction of a call, is final: there is no reason to look for.
func refused(err error) bool {
	_, hold := fault.As[*stock.StateError](err)
	_, seat := fault.As[*SeatError](err)
	_, team := fault.As[*TeamError](err)
	return hold || seat || team
}

// bothError is a refusal in the words of this package, for an error of the stock or a team. It matches both.
type bothError struct{ ours, theirs error }

// Error implements error.
func (e *bothError) Error() string {
	if _, same := e.theirs.(*stock.StateError); same { //nolint:errorlint // not one that says more
		return e.ours.Error()
	}
	return e.ours.Error() + ": " + strings.ReplaceAll(e.theirs.Error(), "\n", "; ")
}

// Unwrap returns both.
func (e *bothError) Unwrap() []error { return []error{e.ours, e.theirs} }

// inBoth returns a refusal in the words of this package, with the error of the stock or a team.
func inBoth(ours, theirs error) error { return &bothError{ours: ours, theirs: theirs} }

// seatView is an order as a look at it found it.
type seatView struct {
	seat Seat
	team Team
	hold stock.Hold // where it was looked at
	now  time.Time
}

// see returns the seat of an order as it is written. With an error just the order is known.
func (g *Groups) see(ctx context.Context, order string) (seatView, error) {
	seat, team, now, err := g.store.Seat(ctx, order)
	seat.Order = order
	return seatView{seat: seat, team: team, now: now}, err
}

// look returns the current seat of an order. If an inventory that knows nothing of groups has moved the hold, the seat
// first follows it.
func (g *Groups) look(ctx context.Context, order string) (seatView, error) {
	before := stock.Unheld
	for range attempts {
		seen, err := g.see(ctx, order)
		state := seen.seat.State
		if err != nil || state != NoSeat && !state.Live() {
			return seen, err
		}
		if seen.hold, _, err = g.store.Units().Hold(ctx, order); err != nil {
			return seen, err
		}
		switch {
		case state == NoSeat && seen.hold.State == before: // as it was before the look at the seat
			return seen, nil
		case state == NoSeat:
			before = seen.hold.State // look whether a seat has come with it
			continue
		case state.CatchUpStep(seen.hold.State, seen.team.State == Formed) == 0:
			return seen, nil
		}
		if _, err := g.follow(ctx, []string{order}); err != nil {
			return seen, fault.Unsent(err) // nothing of the call that looks
		}
	}
	return seatView{seat: Seat{Order: order}}, contention("look at", order)
}

// closed reports whether there never was a seat, and never will be.
func (s seatView) closed() bool {
	return s.seat.State == NoSeat && s.hold.State == stock.Cancelled && len(s.hold.Lines) == 0
}

// dead reports whether the seat has expired, whether or not anything has swept it up.
func (s seatView) dead() bool {
	return s.seat.State == Expired || s.seat.State == Held && !s.now.Before(s.seat.Deadline)
}

// over reports whether the time of the team is over and nothing has ended it.
func (s seatView) over() bool {
	return s.seat.State != NoSeat && s.team.State == Forming && !s.now.Before(s.team.Deadline)
}

// refusal returns the error that names the state of the seat.
func (s seatView) refusal() error {
	if s.dead() {
		return &SeatError{Order: s.seat.Order, State: s.seat.State, Err: ErrExpired}
	}
	return seatError(s.seat.Order, s.seat.State)
}

// effect is what the hook is told of a step of the seat.
func (s seatView) effect(step Step) Effect {
	e := Effect{Step: step, Order: s.seat.Order, Team: s.seat.Team}
	switch step.Transition().To {
	case Paid:
		if s.team.FormedBy == e.Order {
			e.Ended = Formed
		}
	default: // it leaves, unless it has left before
		if step != StepLate && s.team.Cause == ByLeaving && s.team.SponsorOrder == e.Order {
			e.Ended = Failed
		}
	}
	return e
}

// repaid reports whether the money of the seat goes back, or went back.
func (s seatView) repaid() bool { return s.seat.State == RefundDue || s.seat.State == Refunded }
