package ledger

import (
	"context"
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

// Tells reports whether the store tells one of some kinds.
func (s *Store) Tells(kinds ...event.Kind) bool { return s.tells.Has(kinds...) }

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

// step notes what became of an order, or of some of its units, each of which changes by so much what its item has available.
func (t *Told) step(e event.Event, lines []stock.Line, each int64) {
	if t == nil {
		return
	}
	for _, l := range lines {
		t.item(l.Key(), each*l.Num)
		e.Num += l.Num
	}
	t.order(e)
}

// lock notes the orders that have locked or taken units; near says that an item may be sold out or low.
func (t *Told) lock(calls []LockCall, near bool) {
	if t == nil || !near && !t.tells.Has(event.OrderPaid) {
		return
	}
	for _, c := range calls {
		step, each := c.transition(), int64(0)
		if near {
			each = step.Delta.Available()
		}
		t.step(event.Event{Kind: step.Step.Event(), Order: c.Order.ID, Buyer: c.Order.Buyer}, c.Order.Lines, each)
	}
}

// move notes the step of an order.
func (t *Told) move(step stock.Step, order, buyer string, lines []stock.Line) {
	t.step(event.Event{Kind: step.Event(), Order: order, Buyer: buyer}, lines, step.Transition().Delta.Available())
}

// refund notes a refund that was made.
func (t *Told) refund(call RefundCall) {
	step := call.transition()
	t.step(event.Event{Kind: step.Step.Event(), Order: call.Hold.Order, Buyer: call.Hold.Buyer, Ref: call.Refund.ID},
		call.Refund.Lines, step.Delta.Available())
}

// pay notes an order that is paid, whose items have a change of their own.
func (t *Told) pay(hold stock.Hold) {
	t.step(event.Event{Kind: event.OrderPaid, Order: hold.Order, Buyer: hold.Buyer}, hold.Asked(), 0)
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
	told, keys := t.events, t.crossing()
	items, err := s.lockedItems(ctx, q, keys)
	if err != nil {
		return err
	}
	for _, key := range keys {
		before, known := t.was[key]
		if !known {
			was := items[key]
			was.Left -= t.items[key] // which an unlimited item does not count
			before = was.Available()
		}
		told = append(told, t.crossed(items[key], before)...)
	}
	return s.WriteEvents(ctx, q, told)
}

// LockItems locks items in the order of their keys.
func (s *Store) LockItems(ctx context.Context, q mysql.Tx, keys []stock.Key) error {
	_, err := s.lockedItems(ctx, q, slices.SortedFunc(slices.Values(keys), stock.Key.Compare))
	return err
}

// WriteTold writes those of some events that the store tells.
func (s *Store) WriteTold(ctx context.Context, q mysql.Tx, told ...event.Event) error {
	return s.WriteEvents(ctx, q, slices.DeleteFunc(told, func(e event.Event) bool { return !s.tells.Has(e.Kind) }))
}

// WriteEvents writes events in a transaction that has locked what they are about.
func (s *Store) WriteEvents(ctx context.Context, q mysql.Tx, told []event.Event) error {
	if len(told) == 0 {
		return nil
	}
	return s.KeepInsertID(ctx, q, func() error { return s.events.Write(ctx, q, told) })
}

// lockedItems locks items in the order of their keys, and returns them.
func (s *Store) lockedItems(ctx context.Context, q mysql.Tx, keys []stock.Key) (map[stock.Key]stock.Item, error) {
	j := judgement{items: map[stock.Key]stock.Item{}}
	err := j.lockItems(ctx, q, s.SQL, keys)
	return j.items, err
}

// crossing returns the items of which a change may be told, in the order of their keys.
func (t *Told) crossing() []stock.Key {
	down, up := t.tells.Has(event.SoldOut, event.LowStock), t.tells.Has(event.BackInStock)
	keys := slices.Collect(maps.Keys(t.was))
	for key, change := range t.items {
		if _, known := t.was[key]; !known && (change < 0 && down || change > 0 && up) {
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

// moveTold returns what a step of one order by itself has to tell, whose lines the guarded UPDATE has not returned.
func (s *Store) moveTold(ctx context.Context, q mysql.Tx, step stock.Step, order string) (*Told, error) {
	t := s.told()
	if t == nil {
		return nil, nil //nolint:nilnil // nothing to tell
	}
	var r HoldReader
	if err := mysql.Read(ctx, q, mysql.RenderList(s.SQL.readHolds, []string{order}), r.Scan); err != nil {
		return nil, err
	}
	for _, hold := range r.Holds {
		t.move(step, order, hold.Buyer, hold.Asked())
	}
	return t, nil
}

// toldRefunds returns what refunds that were made have to tell.
func (s *Store) toldRefunds(made []RefundCall) *Told {
	t := s.told()
	for _, call := range made {
		t.refund(call)
	}
	return t
}

// tellsTerms reports whether other terms make other units available, and the store tells that.
func (s *Store) tellsTerms(from stock.Item, to stock.Terms) bool {
	return s.tells != 0 && (from.Unlimited != to.Unlimited || from.Reserve != to.Reserve || from.Backorder != to.Backorder)
}

// switched returns what is to be told of an item whose terms make other units available: it is locked, so that what it has
// available now is what it had before.
func (s *Store) switched(ctx context.Context, q mysql.Tx, from stock.Item, to stock.Terms) (*Told, error) {
	t := s.told()
	if !s.tellsTerms(from, to) { // but what those who wait get
		return t, nil
	}
	items, err := s.lockedItems(ctx, q, []stock.Key{from.Key})
	t.was = map[stock.Key]int64{from.Key: items[from.Key].Available()}
	return t, err
}
