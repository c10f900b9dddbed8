package groupbuy

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/stock"
)

// LateSeats implements Store.
func (m *Memory) LateSeats(ctx context.Context, team string, limit int) ([]string, error) {
	return within(ctx, m, func(_ *stock.Memory, now time.Time) ([]string, error) {
		late := func(d memoryDue) bool { return m.seats[d.id].State == Held && !now.Before(d.at) }
		var due []memoryDue
		if team == "" {
			due = m.lateSeats.first(now, limit, late)
		} else if of := m.teams[team]; of != nil {
			for _, order := range of.live {
				if d := (memoryDue{m.seats[order].Deadline, order}); late(d) {
					due = append(due, d)
				}
			}
			slices.SortFunc(due, memoryDue.compare)
			due = due[:min(limit, len(due))]
		}
		orders := make([]string, len(due))
		for i, d := range due {
			orders[i] = d.id
		}
		return orders, nil
	})
}

// LateTeams implements Store.
func (m *Memory) LateTeams(ctx context.Context, limit int) ([]Team, error) {
	return within(ctx, m, func(_ *stock.Memory, now time.Time) ([]Team, error) {
		due := m.lateTeams.first(now, limit, func(d memoryDue) bool { return m.teams[d.id].State == Forming })
		teams := make([]Team, len(due))
		for i, d := range due {
			teams[i] = m.team(d.id)
		}
		return teams, nil
	})
}

// Unfinished implements Store.
func (m *Memory) Unfinished(ctx context.Context, key stock.Key) (bool, error) {
	return within(ctx, m, func(_ *stock.Memory, _ time.Time) (bool, error) {
		pool := m.pool(key)
		return pool.forming > 0 || pool.held > 0, nil
	})
}

// End implements Store. Each team is ended by itself: an error of one is returned with the verdicts of the others.
func (m *Memory) End(ctx context.Context, endings []TeamEnd) ([]stock.Verdict, error) {
	return within(ctx, m, func(units *stock.Memory, now time.Time) ([]stock.Verdict, error) {
		verdicts, failed := make([]stock.Verdict, len(endings)), make([]error, len(endings))
		for i, ending := range endings {
			verdicts[i], failed[i] = m.end(ctx, units, ending, now)
		}
		return verdicts, errors.Join(failed...)
	})
}

// end ends a team.
func (m *Memory) end(ctx context.Context, units *stock.Memory, ending TeamEnd, now time.Time) (stock.Verdict, error) {
	if was := m.team(ending.Code); was.Version == 0 || was.Version != ending.Version || was.State != Forming {
		return stock.Refused, nil
	}
	change := m.change(now)
	seats := change.live(ending.Code)
	leaves, err := planLeaves(ctx, units, ending, seats, now)
	if err != nil {
		return stock.Refused, err
	}
	if err := m.carriage().Alongside(ctx); err != nil {
		return stock.Refused, err
	}
	for _, l := range leaves {
		if err := leave(ctx, units, l, ending.Frees); err != nil {
			return stock.Refused, err
		}
		change.returns(l.hold.Lines[0].Key(), l.step)
	}
	change.events = change.team(ending.Code).End(ending, seats, now)
	for _, seat := range seats {
		change.seats[seat.Order] = seat
	}
	change.keep()
	if by := ending.Change(change.team(ending.Code).Key); by.ID != "" {
		return stock.Done, units.Record(ctx, by)
	}
	return stock.Done, nil
}

// memoryLeave is a step of a hold whose seat leaves its team.
type memoryLeave struct {
	hold stock.Hold
	step stock.Step
}

// planLeaves reads the holds of the live seats of a team that ends. It gives the seats their deadlines, and returns the
// steps that the holds will make. It returns ErrDrift unless all of them can be made.
func planLeaves(ctx context.Context, units *stock.Memory, ending TeamEnd, seats []Seat, now time.Time) ([]memoryLeave, error) {
	var leaves []memoryLeave
	var sum stock.Quantities
	var item stock.Item
	for i := range seats {
		seat := &seats[i]
		hold, _, err := units.Hold(ctx, seat.Order)
		if err != nil {
			return nil, err
		}
		seat.Deadline = hold.Deadline
		row := ending.Leaves(*seat, now).Transition()
		switch {
		case row.Step == 0 && seat.State.Matches(hold.State, false), row.Step != 0 && row.To.Matches(hold.State, false):
			continue // the hold stays, or has made the step of its seat before
		case !slices.Contains(row.With.Transition().From, hold.State):
			return nil, ErrDrift
		}
		step := memoryLeave{hold, row.With}
		is, change, err := leaveDelta(ctx, units, step, ending.Frees)
		if err != nil {
			return nil, err
		}
		if sum, err = sum.Plus(change); err != nil {
			return nil, err
		}
		item, leaves = is, append(leaves, step)
	}
	after, err := item.Plus(sum)
	if err != nil {
		return nil, err
	}
	if !item.Valid(item.Terms) || !after.Valid(item.Terms) {
		return nil, ErrDrift
	}
	return leaves, nil
}

// leaveDelta returns the item of a hold and the change that a step of the hold makes there. It returns ErrDrift if the
// buyer does not have enough units.
func leaveDelta(ctx context.Context, units *stock.Memory, l memoryLeave, frees bool) (stock.Item, stock.Quantities, error) {
	line, id := l.hold.Lines[0], RefundID(l.hold.Order)
	standings, _, err := units.Items(ctx, l.hold.Buyer, []stock.Key{line.Key()})
	if err != nil {
		return stock.Item{}, stock.Quantities{}, err
	}
	was, err := units.RefundRecord(ctx, id)
	if err != nil {
		return stock.Item{}, stock.Quantities{}, err
	}
	standing, refunds := standings[0], l.step == stock.StepRefund
	switch {
	case standing.Version == 0, refunds && was.ID != "",
		!refunds && (standing.Held < line.Num || standing.Holds < 1),
		refunds && frees && standing.Bought < line.Num-line.Refunded:
		return stock.Item{}, stock.Quantities{}, ErrDrift
	}
	return standing.Item, l.step.Transition().Delta.Times(line.Num - line.Refunded).For(standing.Terms), nil
}

// leave makes a step of a hold whose seat leaves.
func leave(ctx context.Context, units *stock.Memory, l memoryLeave, frees bool) error {
	if l.step != stock.StepRefund {
		result, err := units.Move(ctx, stock.Movement{Step: l.step, Order: l.hold.Order, Fence: l.hold.Fence})
		return driftUnlessDone(result.Verdict, err)
	}
	refund := stock.Refund{ID: RefundID(l.hold.Order), Order: l.hold.Order, Restock: true}
	result, err := units.Refund(ctx, stock.RefundRecord{Refund: refund, Whole: true, Frees: frees, Redeemable: true}, l.hold)
	return driftUnlessDone(result.Verdict, err)
}

// driftUnlessDone returns ErrDrift for a step that the books let pass and that was refused.
func driftUnlessDone(verdict stock.Verdict, err error) error {
	if err == nil && verdict != stock.Done {
		return ErrDrift
	}
	return err
}

// Late implements Store.
func (m *Memory) Late(ctx context.Context, order string) (stock.Verdict, error) {
	return within(ctx, m, func(_ *stock.Memory, now time.Time) (stock.Verdict, error) {
		if !slices.Contains(StepLate.Transition().From, m.seats[order].State) {
			return stock.Refused, nil
		}
		change := m.change(now)
		if err := change.move(StepLate, 0, order); err != nil {
			return stock.Refused, err
		}
		if err := m.carriage().Alongside(ctx); err != nil {
			return stock.Refused, err
		}
		change.keep()
		return stock.Done, nil
	})
}

// Return implements Store.
func (m *Memory) Return(ctx context.Context, order string) (stock.Verdict, error) {
	return within(ctx, m, func(_ *stock.Memory, now time.Time) (stock.Verdict, error) {
		if m.seats[order].State != RefundDue {
			return stock.Refused, nil
		}
		change := m.change(now)
		if err := change.move(StepReturn, 0, order); err != nil {
			return stock.Refused, err
		}
		change.keep()
		return stock.Done, nil
	})
}

// Follow implements Store.
func (m *Memory) Follow(ctx context.Context, orders []string) ([]string, error) {
	return within(ctx, m, func(units *stock.Memory, now time.Time) ([]string, error) {
		change := m.change(now)
		var moved []string
		for _, order := range slices.Compact(slices.Sorted(slices.Values(orders))) {
			did, err := change.follow(ctx, units, order)
			if err != nil {
				return nil, err
			}
			if did {
				moved = append(moved, order)
			}
		}
		change.keep()
		return moved, nil
	})
}

// follow brings a seat in line with its hold, and reports whether it moved the seat.
func (c *memoryChange) follow(ctx context.Context, units *stock.Memory, order string) (bool, error) {
	hold, _, err := units.Hold(ctx, order)
	if _, known := c.m.seats[order]; err != nil || !known {
		return false, err
	}
	for moved := false; ; moved = true {
		seat := c.seat(order)
		step := seat.State.CatchUpStep(hold.State, c.team(seat.Team).State == Formed)
		if step == 0 {
			return moved, nil
		}
		if err := c.move(step, 0, order); err != nil {
			return false, err
		}
		c.returns(seat.Key, step.Transition().With)
	}
}

// Correct implements Store.
func (m *Memory) Correct(ctx context.Context, book TeamBook, by ...stock.Change) (stock.Verdict, error) {
	return within(ctx, m, func(units *stock.Memory, now time.Time) (stock.Verdict, error) {
		if m.team(book.Code).Version != book.Version || book.Version == 0 {
			return stock.Refused, nil
		}
		for _, one := range by {
			if err := units.Record(ctx, one); err != nil {
				return stock.Refused, err
			}
		}
		change := m.change(now)
		change.events = append(change.events, change.team(book.Code).Correct(book.Recount, now))
		change.keep()
		return stock.Done, nil
	})
}
