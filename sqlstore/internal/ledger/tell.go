package ledger

import (
	"context"
	"database/sql"
	"maps"
	"slices"

	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// Told is what a transaction has to tell of its orders, and what it changes of what its items have available.
type Told struct {
	tells  event.Kinds
	events []event.Event
	items  map[stock.Key]int64
	was    map[stock.Key]int64 // what an item had available, where its change is not known
}

// told returns an empty Told, or nil where the store tells nothing. The methods of nil do nothing.
func (s *Store) told() *Told {
	if s.tells == 0 {
		return nil
	}
	return &Told{tells: s.tells, items: map[stock.Key]int64{}}
}

// tellsLines reports whether the store tells that an item is sold out or low.
func (s *Store) tellsLines() bool { return s.tells.Has(event.SoldOut, event.LowStock) }

// order notes an event of an order, if that kind is told.
func (t *Told) order(e event.Event) {
	if t != nil && t.tells.Has(e.Kind) {
		e.Queue = event.OrderQueue(e.Order)
		t.events = append(t.events, e)
	}
}

// item notes a change of what an item has available.
func (t *Told) item(key stock.Key, change int64) {
	if t != nil && change != 0 {
		t.items[key] += change
	}
}

// lock notes the orders that have locked or taken units; near says that an item may be sold out or low.
func (t *Told) lock(calls []LockCall, near bool) {
	if t == nil || !near && !t.tells.Has(event.OrderPaid) {
		return
	}
	for _, c := range calls {
		step, units := c.transition(), int64(0)
		for _, l := range c.Order.Lines {
			if near {
				t.item(l.Key(), step.Delta.Available()*l.Num)
			}
			units += l.Num
		}
		t.order(event.Event{Kind: step.Step.Event(), Order: c.Order.ID, Buyer: c.Order.Buyer, Num: units})
	}
}

// move notes the step of an order.
func (t *Told) move(step stock.Step, order, buyer string, lines []stock.Line) {
	if t == nil {
		return
	}
	units := int64(0)
	for _, l := range lines {
		t.item(l.Key(), step.Transition().Delta.Available()*l.Num)
		units += l.Num
	}
	t.order(event.Event{Kind: step.Event(), Order: order, Buyer: buyer, Num: units})
}

// refund notes a refund that was made.
func (t *Told) refund(call RefundCall) {
	if t == nil {
		return
	}
	units := int64(0)
	for _, l := range call.Refund.Lines {
		t.item(l.Key(), call.transition().Delta.Available()*l.Num)
		units += l.Num
	}
	t.order(event.Event{
		Kind: call.transition().Step.Event(), Order: call.Hold.Order, Buyer: call.Hold.Buyer, Ref: call.Refund.ID, Num: units,
	})
}

// pay notes an order that is paid, whose items have a change of their own.
func (t *Told) pay(hold stock.Hold) {
	units := int64(0)
	for _, l := range hold.Lines {
		units += l.Num
	}
	t.order(event.Event{Kind: event.OrderPaid, Order: hold.Order, Buyer: hold.Buyer, Num: units})
}

// change notes what a change does to items.
func (t *Told) change(change stock.Change) {
	for _, e := range change.Entries {
		if e.Buyer == "" {
			t.item(e.Key, e.Delta.Available())
		}
	}
}

// ToldOf returns what a transaction that moves holds, and then refunds, has to tell.
func (s *Store) ToldOf(moved map[stock.Step]*MovedHolds, refunds RefundBatch) *Told {
	t := s.told()
	for step, m := range moved {
		m.tell(t, step, nil)
	}
	for _, i := range refunds.Done {
		t.refund(refunds.calls[i])
	}
	return t
}

// tell notes the step of the holds: of some orders in their order, or of all.
func (m *MovedHolds) tell(t *Told, step stock.Step, orders []string) {
	if t == nil {
		return
	}
	if orders == nil {
		for order := range m.holds {
			orders = append(orders, order)
		}
		slices.Sort(orders)
	}
	for _, order := range orders {
		hold := m.holds[order]
		t.move(step, order, hold.buyer, hold.lines)
	}
}

// Tell writes the events of a transaction, as its last statements. Its items are locked, so the read of what they have now decides
// which of them it has emptied, filled or brought low.
func (s *Store) Tell(ctx context.Context, q mysql.Tx, t *Told) error {
	if t == nil {
		return nil
	}
	told := t.events
	keys := t.crossing()
	for part := range slices.Chunk(keys, mysql.MaxList) {
		err := mysql.Read(ctx, q, s.SQL.lockItemRows(part), func(rows *sql.Rows) error {
			var row itemRow
			err := rows.Scan(row.targets()...)
			item := row.finish()
			before, known := t.was[item.Key]
			if !known {
				before = item.Available() - t.items[item.Key]
			}
			told = append(told, t.crossed(item, before)...)
			return err
		})
		if err != nil {
			return err
		}
	}
	if len(told) == 0 {
		return nil
	}
	return s.KeepInsertID(ctx, q, func() error {
		for part := range slices.Chunk(told, mysql.MaxList) {
			if _, err := q.ExecContext(ctx, s.events.Insert(part)); err != nil {
				return err
			}
		}
		return nil
	})
}

// crossing returns the items of which a change may be told, in the order of their keys.
func (t *Told) crossing() []stock.Key {
	down, up := t.tells.Has(event.SoldOut, event.LowStock), t.tells.Has(event.BackInStock)
	keys := slices.Collect(maps.Keys(t.was))
	for key, change := range t.items {
		if change < 0 && down || change > 0 && up {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, stock.Key.Compare)
	return keys
}

// crossed returns the events of an item that had so many units available before.
func (t *Told) crossed(item stock.Item, before int64) (events []event.Event) {
	for _, e := range item.EventsSince(before) {
		if t.tells.Has(e.Kind) {
			events = append(events, e)
		}
	}
	return events
}

// moveTold tells of a step of one order by itself, whose lines the guarded UPDATE has not returned.
func (s *Store) moveTold(ctx context.Context, q mysql.Tx, step stock.Step, order string) error {
	t := s.told()
	if t == nil {
		return nil
	}
	var r HoldReader
	if err := mysql.Read(ctx, q, mysql.RenderList(s.SQL.readHolds, []string{order}), r.Scan); err != nil {
		return err
	}
	for _, hold := range r.Holds {
		t.move(step, order, hold.Buyer, hold.Asked())
	}
	return s.Tell(ctx, q, t)
}

// tellRefunds tells of refunds that were made.
func (s *Store) tellRefunds(ctx context.Context, q mysql.Tx, made []RefundCall) error {
	t := s.told()
	for _, call := range made {
		t.refund(call)
	}
	return s.Tell(ctx, q, t)
}

// switched returns what is to be told of an item that becomes limited or unlimited: it is locked, so that what it has
// available now is what it had before.
func (s *Store) switched(ctx context.Context, q mysql.Tx, from stock.Item, to stock.Terms) (*Told, error) {
	t := s.told()
	if t == nil || from.Unlimited == to.Unlimited {
		return nil, nil //nolint:nilnil // nothing to tell
	}
	err := mysql.Read(ctx, q, s.SQL.lockItemRows([]stock.Key{from.Key}), func(rows *sql.Rows) error {
		var row itemRow
		err := rows.Scan(row.targets()...)
		item := row.finish()
		t.was = map[stock.Key]int64{item.Key: item.Available()}
		return err
	})
	return t, err
}
