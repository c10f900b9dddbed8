package stock

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/stock/event"
)

// Cover implements Store.
func (m *Memory) Cover(ctx context.Context, keys []Key, limit int) (effects []Effect, err error) {
	b, now, end, err := m.plain().begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	if len(keys) == 0 {
		keys = slices.SortedFunc(maps.Keys(b.items), Key.Compare)
	}
	for _, key := range keys {
		if b.items[key].Coverable() == 0 {
			continue
		}
		if effects = b.cover(key, limit, now); len(effects) > 0 {
			break
		}
	}
	return effects, nil
}

// cover gives units of an item to the orders that wait for them.
func (b *books) cover(key Key, limit int, now time.Time) (effects []Effect) {
	item := b.items[key]
	left := item.Coverable()
	waiting := b.backordered(key)
	for _, hold := range waiting[:min(limit, len(waiting))] {
		hold = clone(hold)
		line := hold.line(key)
		n := min(line.Backordered, left)
		if n == 0 {
			break
		}
		left -= n
		item.Backordered -= n
		line.Backordered -= n
		hold.UpdatedAt = now
		b.holds[hold.Order] = hold
		effects = append(effects, Effect{Step: StepCover, Order: hold.Order, Lines: []Line{{SKU: key.SKU, Activity: key.Activity, Num: n}}})
		if line.Backordered == 0 {
			b.tell(now, event.Event{
				Kind: StepCover.Event(), Order: hold.Order, Buyer: hold.Buyer, SKU: key.SKU, Activity: key.Activity, Num: line.Num,
			})
		}
	}
	if len(effects) > 0 {
		b.put(item, now)
	}
	return effects
}

// backordered returns the holds that wait for units of an item, in the order in which they get them.
func (b *books) backordered(key Key) (holds []Hold) {
	for _, hold := range b.holds {
		if hold.State.backorders() && hold.owed(key) > 0 {
			holds = append(holds, hold)
		}
	}
	slices.SortFunc(holds, earliest)
	return holds
}

// earliest orders holds by when they were locked.
func earliest(a, b Hold) int {
	return cmp.Or(a.LockedAt.Compare(b.LockedAt), cmp.Compare(a.Order, b.Order))
}

// lacking returns the holds that lack so many more units of an item than before, the latest first; fewer of them where there are not
// as many.
func (b *books) lacking(key Key, num int64) (holds []Hold, lack int64) {
	var live []Hold
	for _, hold := range b.holds {
		if hold.State.backorders() && hold.line(key) != nil {
			live = append(live, hold)
		}
	}
	slices.SortFunc(live, earliest)
	slices.Reverse(live)
	for _, hold := range live {
		hold = clone(hold)
		line := hold.line(key)
		if n := min(line.undelivered()-line.Backordered, num-lack); n > 0 {
			lack, line.Backordered = lack+n, line.Backordered+n
			holds = append(holds, hold)
		}
	}
	return holds, lack
}

// short returns the holds that lack units which a count has not found, and whether there are as many.
func (b *books) short(change Change) ([]Hold, bool) {
	e := change.Entries[0]
	if change.Kind != KindCount || e.Delta.Backordered == 0 {
		return nil, true
	}
	holds, lack := b.lacking(e.Key, e.Delta.Backordered)
	return holds, lack == e.Delta.Backordered
}

// backorder returns a hold that takes so many more units of its items, with those of them Backordered that are not there.
func (b *books) backorder(hold Hold, takes func(key Key) int64) Hold {
	hold = clone(hold)
	for i := range hold.Lines {
		l := &hold.Lines[i]
		if n := takes(l.Key()); n > 0 {
			l.Backordered += b.items[l.Key()].Backorders(n)
		}
	}
	return hold
}
