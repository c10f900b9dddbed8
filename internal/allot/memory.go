package allot

import (
	"context"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// Carriage is what the calls on a view of a store in memory carry of the shop, over the units beside it.
type Carriage struct {
	Of   *stock.Memory
	Rows []stock.MemoryRow
}

// Units returns the units, whose next call carries the same.
func (c Carriage) Units() *stock.Memory {
	units := c.Of
	for _, row := range c.Rows {
		units = units.Along(row.Text, row.Args...)
	}
	return units
}

// Alongside hands over what a call carries. The call is allowed, and has changed nothing.
func (c Carriage) Alongside(ctx context.Context) error {
	if len(c.Rows) == 0 {
		return nil
	}
	return c.Of.OnAlong(ctx, c.Rows)
}

// Keep is Alongside for a call of an operator, which it records where that has an ID. The store stands still.
func (c Carriage) Keep(ctx context.Context, units *stock.Memory, by stock.Change) error {
	if err := c.Alongside(ctx); err != nil || by.ID == "" {
		return err
	}
	return units.Record(ctx, by)
}

// Tell writes events of a moment, as far as the units beside tell them.
func (c Carriage) Tell(now time.Time, events ...event.Event) {
	tells := event.KindsOf(c.Of.Tell...)
	for _, e := range events {
		if c.Of.Events != nil && tells.Has(e.Kind) {
			c.Of.Events.Add(now, e)
		}
	}
}

// Within makes a call while the store stands still, at one time. The call uses only the units that it is given.
func Within[T any](
	ctx context.Context, c Carriage, call func(units *stock.Memory, now time.Time) (T, error),
) (value T, at time.Time, err error) {
	if len(c.Rows) > 0 && c.Of.OnAlong == nil {
		return value, time.Time{}, fault.Invalid("along", "needs Memory.OnAlong")
	}
	units, now, leave, err := c.Of.Enter(ctx)
	if err != nil {
		return value, time.Time{}, err
	}
	defer leave()
	value, err = call(units, now)
	return value, now, err
}
