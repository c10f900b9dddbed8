package groupbuy

import (
	"slices"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/stock"
)

// Units implements Store.
func (m *Memory) Units() stock.Store {
	return m.carriage().Units().With(memoryCompanions{m: m})
}

// memoryCompanions take and move seats in the same change as their holds.
type memoryCompanions struct {
	stock.NoCompanions

	m *Memory
}

// Keeps implements stock.MemoryCompanions.
func (memoryCompanions) Keeps(c stock.Companion) bool { return Keeps(c) }

// NeedsHolds implements stock.MemoryCompanions.
func (memoryCompanions) NeedsHolds() bool { return true }

// Locked implements stock.MemoryCompanions.
func (c memoryCompanions) Locked(at time.Time, calls []*stock.CompanionCall) (func(), error) {
	call := calls[0]
	request, ok := stock.CompanionOf[SeatRequest](call.Companions)
	if !ok {
		return func() {}, nil
	}
	change := c.m.change(at)
	request, err := change.take(request, call.Hold.Deadline)
	if err != nil {
		return nil, err
	}
	return func() {
		change.keep()
		call.Companions = []stock.Companion{request}
	}, nil
}

// Moved implements stock.MemoryCompanions.
func (c memoryCompanions) Moved(at time.Time, calls []*stock.CompanionCall) (func(), error) {
	change := c.m.change(at)
	for _, call := range slices.SortedFunc(slices.Values(calls),
		func(a, b *stock.CompanionCall) int { return strings.Compare(a.Hold.Order, b.Hold.Order) }) {
		if err := change.along(call.Step, call.Hold.Order); err != nil {
			return nil, err
		}
	}
	return change.keep, nil
}

// Refunded implements stock.MemoryCompanions.
func (c memoryCompanions) Refunded(at time.Time, calls []*stock.CompanionCall) (func(), error) {
	call := calls[0]
	change := c.m.change(at)
	if err := change.along(call.Step, call.Hold.Order); err != nil {
		return nil, err
	}
	by, _ := stock.CompanionOf[SeatRefund](call.Companions)
	seat := change.seat(call.Hold.Order)
	seat.Actor, seat.Reason = by.Actor, by.Reason
	change.seats[seat.Order] = seat
	return change.keep, nil
}

// along moves the seat of an order by the step that accompanies a step of its hold.
func (c *memoryChange) along(step stock.Step, order string) error {
	if step == stock.StepRedeem {
		return nil
	}
	seat, known := c.m.seats[order]
	if !known {
		if step == stock.StepExpire {
			return nil
		}
		return seatError(order, NoSeat)
	}
	along := seat.State.StepFor(step)
	if along == 0 {
		return ErrDrift // the states of seat and hold do not match
	}
	return c.move(along, step, order)
}
