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
	_, now, end, err := m.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	late := func(d memoryDue) bool { return m.seats[d.id].State == Held && !now.Before(d.at) }
	var due []memoryDue
	if team == "" {
		due = m.lateSeats.first(now, limit, late)
	} else if of := m.teams[team]; of != nil {
		for _, order := range of.live {
			if d := (memoryDue{m.seats[order].Deadline, order, 0}); late(d) {
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
}

// LateTeams implements Store.
func (m *Memory) LateTeams(ctx context.Context, limit int) ([]Team, error) {
	_, now, end, err := m.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	due := m.lateTeams.first(now, limit, func(d memoryDue) bool { return m.teams[d.id].State == Forming })
	teams := make([]Team, len(due))
	for i, d := range due {
		teams[i] = m.team(d.id)
	}
	return teams, nil
}

// Unfinished implements Store.
func (m *Memory) Unfinished(ctx context.Context, key stock.Key) (bool, error) {
	_, _, end, err := m.begin(ctx)
	if err != nil {
		return false, err
	}
	defer end()
	pool := m.pool(key)
	return pool.forming > 0 || pool.held > 0, nil
}

// End implements Store. Each team is ended by itself: an error of one is returned with the verdicts of the others.
func (m *Memory) End(ctx context.Context, endings []TeamEnd) ([]stock.Verdict, error) {
	units, now, end, err := m.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	verdicts, failed := make([]stock.Verdict, len(endings)), make([]error, len(endings))
	for i, ending := range endings {
		verdicts[i], failed[i] = m.end(ctx, units, ending, now)
	}
	return verdicts, errors.Join(failed...)
}

// end ends a team.
func (m *Memory) end(ctx context.Context, units *stock.Memory, ending TeamEnd, now time.Time) (stock.Verdict, error) {
	if was := m.team(ending.Code); was.Version == 0 || was.Version != ending.Version || was.State != Forming {
		return stock.Refused, nil
	}
	change := m.change(now)
	seats := change.live(ending.Code)
	leaves, err := leaving(ctx, units, ending, seats, now)
	if err != nil {
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
	return stock.Done, nil
}

// memoryLeave is a step of a hold whose seat leaves its team.
type memoryLeave struct {
	hold stock.Hold
	step stock.Step
}

// leaving looks at the holds of the live seats of a team that is ended, gives the seats their deadlines, and returns
// the steps that the holds are to take. It returns ErrDrift where one could not: afterwards all of them can.
func leaving(ctx context.Context, units *stock.Memory, ending TeamEnd, seats []Seat, now time.Time) ([]memoryLeave, error) {
	var leaving []memoryLeave
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
			continue // it stays, or has been moved by itself to where its seat comes now
		case !slices.Contains(row.With.Transition().From, hold.State):
			return nil, ErrDrift
		}
		step := memoryLeave{hold, row.With}
		is, change, err := leaves(ctx, units, step, ending.Frees)
		if err != nil {
			return nil, err
		}
		if sum, err = sum.Plus(change); err != nil {
			return nil, err
		}
		item, leaving = is, append(leaving, step)
	}
	after, err := item.Plus(sum)
	if err != nil {
		return nil, err
	}
	if !item.Valid(item.Terms) || !after.Valid(item.Terms) {
		return nil, ErrDrift
	}
	return leaving, nil
}

// leaves returns the item of a hold and what a step of it changes there, or ErrDrift where its buyer has not so many
// units.
func leaves(ctx context.Context, units *stock.Memory, l memoryLeave, frees bool) (stock.Item, stock.Quantities, error) {
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
	var verdict stock.Verdict
	var err error
	if l.step == stock.StepRefund {
		refund := stock.Refund{ID: RefundID(l.hold.Order), Order: l.hold.Order, Restock: true}
		var result stock.RefundResult
		result, err = units.Refund(ctx, stock.RefundRecord{Refund: refund, Whole: true, Frees: frees}, l.hold)
		verdict = result.Verdict
	} else {
		var result stock.MoveResult
		result, err = units.Move(ctx, stock.Movement{Step: l.step, Order: l.hold.Order, Fence: l.hold.Fence})
		verdict = result.Verdict
	}
	if err == nil && verdict != stock.Done {
		err = ErrDrift
	}
	return err
}

// Late implements Store.
func (m *Memory) Late(ctx context.Context, order string) (stock.Verdict, error) {
	_, now, end, err := m.begin(ctx)
	if err != nil {
		return stock.Refused, err
	}
	defer end()
	if !slices.Contains(StepLate.Transition().From, m.seats[order].State) {
		return stock.Refused, nil
	}
	change := m.change(now)
	if err := change.move(StepLate, 0, order); err != nil {
		return stock.Refused, err
	}
	change.keep()
	return stock.Done, nil
}

// Follow implements Store.
func (m *Memory) Follow(ctx context.Context, orders []string) ([]string, error) {
	units, now, end, err := m.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
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
}

// follow brings a seat in line with its hold, and reports whether it had to move.
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
func (m *Memory) Correct(ctx context.Context, book TeamBook) (stock.Verdict, error) {
	_, now, end, err := m.begin(ctx)
	if err != nil {
		return stock.Refused, err
	}
	defer end()
	if m.team(book.Code).Version != book.Version || book.Version == 0 {
		return stock.Refused, nil
	}
	change := m.change(now)
	change.events = append(change.events, change.team(book.Code).Correct(book.Recount, now))
	change.keep()
	return stock.Done, nil
}
