package groupbuy

import (
	"context"
	"errors"
	"slices"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/stock"
)

// Payment is the outcome of a payment.
type Payment struct {
	Seat    Seat
	Team    Team
	Formed  bool   // this payment formed the team, whenever it is asked
	Members []Seat // of a team that it formed: those who had paid then, in the order of payment
	Replay  bool   // an earlier call had done it; this one changed nothing

	// Due reports that the money of this payment has to go back, or went back: Seat is RefundDue or Refunded, and
	// the team has a RefundOwed event. It is set at once for a payment that came too late, and later for a payment
	// whose seat was refunded since.
	Due bool

	// Why is the reason why a late payment was refused. It matches ErrExpired or ErrCancelled. With stock.Reacquire
	// it also matches the reason why the seat could not be taken again: ErrFull and the other refusals of
	// teams, stock.ErrInsufficient or stock.ErrPerBuyer. It may be nil on a replay.
	Why error
}

// Pay records that a seat is paid, sells its units, and forms the team if it is the last payment. Paying twice is
// safe: the second call returns the current outcome of the first. It does not know by which payment the seat was paid: a shop that
// keeps the payment's number in its row sees that another one has come, and sends that back.
//
// A payment that comes too late is not an error. The seat is dead from its deadline on, and gone if it was cancelled
// or its team is over. Then the money has to go back: the same transaction makes the seat RefundDue and writes a
// RefundOwed event, so that a caller who commits it cannot overlook the debt. Check Payment.Due before anything
// else. With stock.Reacquire as Options.LatePay, an expired seat is first taken again, if the team is live and has
// a place and the units are available.
//
// What goes along with the call (sqlstore.GroupBuy.Along) is done in the transaction that pays the seat, or that makes it RefundDue.
//
// Errors, in the order of precedence: ErrInvalid, ErrNotFound (also for an order that was cancelled before it had a
// seat, and for one of the shop's stock).
func (g *Groups) Pay(ctx context.Context, order string) (Payment, error) {
	if err := g.readyOrder(ctx, order); err != nil {
		return Payment{}, err
	}
	if g.opts.LatePay == stock.Reacquire { // its hold would let it: see first that its money is not on the way back
		seen, err := g.see(ctx, order)
		if err != nil {
			return Payment{}, err
		}
		if seen.repaid() {
			return g.payment(ctx, seen, nil, true)
		}
	}
	for range attempts {
		outcome, refusal := g.units.Pay(ctx, order)
		switch {
		case refusal == nil:
			return g.paid(ctx, order, outcome)
		case failed(refusal), !refused(refusal):
			return g.overtaken(ctx, order, refusal)
		case errors.Is(refusal, stock.ErrNotFound), errors.Is(refusal, ErrNotFound):
			return Payment{}, seatError(order, NoSeat)
		}
		full, ok := fault.As[*TeamError](refusal)
		if ok && (errors.Is(full, ErrFull) || errors.Is(full, ErrJoined)) { // perhaps by seats that are dead
			released, err := g.releaseSeats(ctx, full.Team)
			if err != nil {
				return Payment{}, err
			}
			if released > 0 {
				continue
			}
		}
		return g.late(ctx, order, refusal)
	}
	return Payment{}, contention("pay", order)
}

// paid answers a payment that has sold the units, or did so before.
func (g *Groups) paid(ctx context.Context, order string, outcome stock.Outcome) (Payment, error) {
	step := StepPay
	if outcome.Late {
		step = StepRegain
	}
	seen, err := g.see(ctx, order)
	if err == nil && !seen.repaid() && seen.seat.State != Paid {
		seen, err = g.look(ctx, order) // something else has paid the hold
	}
	if !outcome.Replay {
		g.tell(ctx, seen.effect(step))
	}
	switch {
	case err != nil && outcome.Replay:
		return Payment{}, err
	case err != nil:
		return Payment{}, fault.Unread(err)
	case seen.seat.State == NoSeat:
		return Payment{}, seatError(order, NoSeat)
	}
	payment, err := g.payment(ctx, seen, nil, outcome.Replay)
	return payment, fault.Unread(err)
}

// overtaken answers a payment that failed. The same payment, made at the same time, may have been too late, with its
// money on the way back by now: then the hold cannot be taken again, although the stock would allow it.
func (g *Groups) overtaken(ctx context.Context, order string, failure error) (Payment, error) {
	_, busy := fault.As[*stock.ContentionError](failure)
	if g.opts.LatePay != stock.Reacquire || !busy && !errors.Is(failure, ErrDrift) {
		return Payment{}, failure
	}
	seen, err := g.look(ctx, order)
	switch {
	case err != nil: // nothing was done, and why is not known
		return Payment{}, err
	case !seen.repaid():
		return Payment{}, failure
	}
	return g.payment(ctx, seen, nil, true)
}

// late records that the money of a payment that came too late has to go back.
func (g *Groups) late(ctx context.Context, order string, why error) (Payment, error) {
	for range attempts {
		verdict, err := g.store.Late(ctx, order)
		if err != nil {
			return Payment{}, err
		}
		seen, err := g.look(ctx, order)
		if verdict == stock.Done {
			g.tell(ctx, seen.effect(StepLate))
			err = fault.Unread(err)
		}
		if err != nil {
			return Payment{}, err
		}
		switch seen.seat.State {
		case NoSeat:
			return Payment{}, seatError(order, NoSeat)
		case Paid, RefundDue, Refunded:
			payment, err := g.payment(ctx, seen, tooLate(order, why), verdict != stock.Done)
			return payment, fault.Unread(err)
		case Held, Cancelled, Expired: // it has followed its hold by now
		}
	}
	return Payment{}, contention("pay", order)
}

// tooLate returns why a payment came too late, in the words of this package as well.
func tooLate(order string, why error) error {
	seat := &SeatError{Order: order, State: Expired, Err: ErrExpired}
	if errors.Is(why, stock.ErrCancelled) {
		seat.State, seat.Err = Cancelled, ErrCancelled
	}
	return inBoth(seat, why)
}

// payment returns the outcome of a payment. It also settles the team if its time is over.
func (g *Groups) payment(ctx context.Context, seen seatView, why error, replay bool) (Payment, error) {
	is, err := g.settled(ctx, seen)
	switch {
	case err == nil:
		seen = is
	case !errors.Is(err, ErrDrift): // that is for Audit, and does not undo the payment
		return Payment{}, err
	}
	p := Payment{
		Seat: seen.seat, Team: seen.team, Formed: seen.team.FormedBy == seen.seat.Order, Due: seen.repaid(), Replay: replay,
	}
	if p.Due {
		p.Why = why
	}
	if !p.Formed {
		return p, nil
	}
	if p.Members, err = g.members(ctx, seen.team.Code); err != nil {
		return Payment{}, err
	}
	return p, nil
}

// settled ends the team of a seat if its time is over, and returns the seat as it is afterwards.
func (g *Groups) settled(ctx context.Context, seen seatView) (seatView, error) {
	for range attempts {
		if !seen.over() {
			return seen, nil
		}
		if _, err := g.plain().settle(ctx, []Team{seen.team}); err != nil {
			return seatView{}, fault.Unsent(err) // the call that looks has done nothing by it
		}
		var err error
		if seen, err = g.look(ctx, seen.seat.Order); err != nil {
			return seatView{}, err
		}
	}
	return seatView{}, contention("settle", seen.team.Code)
}

// members returns those who were in a team when it was formed, in the order of payment.
func (g *Groups) members(ctx context.Context, code string) ([]Seat, error) {
	var members []Seat
	for seat, err := range g.seats(ctx, nil, SeatFilter{Team: code}) {
		if err != nil {
			return nil, err
		}
		if seat.Status == Formed && !seat.Added {
			members = append(members, seat)
		}
	}
	slices.SortFunc(members, comparePaid)
	return members, nil
}
