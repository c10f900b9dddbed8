package groupbuy

import (
	"context"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/stock"
)

// memoryUnits is the store of the units of a Memory. What moves seats is wrapped here; the rest is that of the stock.
type memoryUnits struct {
	*stock.Memory

	m    *Memory
	with Along
}

// Units implements Store.
func (m *Memory) Units(with Along) stock.Store { return memoryUnits{m.stock(), m, with} }

// Lock implements stock.Store.
func (u memoryUnits) Lock(ctx context.Context, order stock.Order, holdFor time.Duration) (stock.Locking, error) {
	if u.with.Booking == nil {
		return u.Memory.Lock(ctx, order, holdFor)
	}
	ctx, now, end, err := u.m.begin(ctx)
	if err != nil {
		return stock.Locking{}, err
	}
	defer end()
	hold, _, err := u.Hold(ctx, order.ID)
	if err != nil {
		return stock.Locking{}, err
	}
	if hold.State != stock.Unheld {
		return stock.Locking{Verdict: stock.Exists}, nil
	}
	line := order.Lines[0]
	standings, _, err := u.Items(ctx, order.Buyer, []stock.Key{line.Key()})
	if err != nil || standings[0].Refuses(order.Step(), line, order.Buyer, now) != nil {
		return stock.Locking{}, err
	}
	change, booking := u.m.change(now), *u.with.Booking
	if refusal := change.take(&booking, order.Deadline(now, holdFor)); refusal != nil {
		return stock.Locking{Why: refusal}, nil
	}
	locking, err := u.Memory.Lock(ctx, order, holdFor)
	if err == nil && locking.Verdict == stock.Done {
		change.keep()
		*u.with.Booking = booking
	}
	return locking, err
}

// Move implements stock.Store.
func (u memoryUnits) Move(ctx context.Context, step stock.Step, order string, fence int64) (stock.Verdict, error) {
	ctx, now, end, err := u.m.begin(ctx)
	if err != nil {
		return stock.Refused, err
	}
	defer end()
	if lets, err := u.lets(ctx, step, order, fence, now); err != nil || !lets {
		return stock.Refused, err
	}
	change := u.m.change(now)
	if err := change.along(ctx, step, order); err != nil {
		return stock.Refused, err
	}
	verdict, err := u.Memory.Move(ctx, step, order, fence)
	if err == nil && verdict == stock.Done {
		change.keep()
	}
	return verdict, err
}

// lets reports whether a hold and its item let a step pass; only then is the team asked.
func (u memoryUnits) lets(ctx context.Context, step stock.Step, order string, fence int64, now time.Time) (bool, error) {
	hold, _, err := u.Hold(ctx, order)
	t := step.Transition()
	switch dead := !now.Before(hold.Deadline); {
	case err != nil, !slices.Contains(t.From, hold.State),
		step != stock.StepExpire && hold.Fence != fence, t.When == stock.Live && dead, t.When == stock.Dead && !dead:
		return false, err
	case !t.Draws() || len(hold.Lines) != 1: // more lines are those of no seat
		return true, nil
	}
	line := hold.Lines[0].Line
	standings, _, err := u.Items(ctx, hold.Buyer, []stock.Key{line.Key()})
	if err != nil {
		return false, err
	}
	// A late payment asks for units and for the buyer's limit, and for nothing else.
	is := standings[0]
	is.Terms = stock.Terms{Unlimited: is.Unlimited, PerBuyer: is.PerBuyer}
	return is.Refuses(step, line, hold.Buyer, now) == nil, nil
}

// along moves the seat of an order along with a step of its hold, where the hold can take it.
func (c *memoryChange) along(ctx context.Context, step stock.Step, order string) error {
	hold, _, err := c.m.units.Hold(ctx, order)
	if err != nil || step == stock.StepRedeem || !slices.Contains(step.Transition().From, hold.State) {
		return err
	}
	seat, known := c.m.seats[order]
	if !known {
		if step == stock.StepExpire {
			return nil
		}
		return seatError(order, NoSeat)
	}
	along := seat.State.Along(step)
	if along == 0 {
		return ErrDrift // the seat is not where its hold is
	}
	return c.move(along, step, order)
}

// Expire implements stock.Store.
func (u memoryUnits) Expire(ctx context.Context, orders []string) ([]string, error) {
	ctx, now, end, err := u.m.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	change := u.m.change(now)
	for _, order := range slices.Compact(slices.Sorted(slices.Values(orders))) {
		hold, _, err := u.Hold(ctx, order)
		if err != nil {
			return nil, err
		}
		if hold.State != stock.Locked || now.Before(hold.Deadline) {
			continue
		}
		if err := change.along(ctx, stock.StepExpire, order); err != nil {
			return nil, err
		}
	}
	expired, err := u.Memory.Expire(ctx, orders) // just those, or none
	if err == nil {
		change.keep()
	}
	return expired, err
}

// Refund implements stock.Store.
func (u memoryUnits) Refund(ctx context.Context, refund stock.Refunding, hold stock.Hold) (stock.Refunding, stock.Verdict, error) {
	ctx, now, end, err := u.m.begin(ctx)
	if err != nil {
		return stock.Refunding{}, stock.Refused, err
	}
	defer end()
	was, err := u.Refunding(ctx, refund.ID)
	if err != nil {
		return stock.Refunding{}, stock.Refused, err
	}
	if was.ID != "" {
		return stock.Refunding{}, stock.Exists, nil
	}
	step := stock.StepDiscard
	if refund.Restock {
		step = stock.StepRefund
	}
	change := u.m.change(now)
	if err := change.along(ctx, step, refund.Order); err != nil {
		return stock.Refunding{}, stock.Refused, err
	}
	booked, verdict, err := u.Memory.Refund(ctx, refund, hold)
	if err != nil || verdict != stock.Done {
		return booked, verdict, err
	}
	seat := change.seat(refund.Order)
	seat.Actor, seat.Reason = u.with.Actor, u.with.Reason
	change.seats[refund.Order] = seat
	change.keep()
	return booked, stock.Done, nil
}

var _ stock.Store = memoryUnits{}
