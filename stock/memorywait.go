package stock

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"
)

// HandOver implements Store.
func (m *Memory) HandOver(ctx context.Context) error {
	b, now, end, err := m.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	for _, key := range slices.SortedFunc(maps.Keys(b.items), Key.Compare) {
		b.handOver(key, now)
	}
	return nil
}

// handOver gives what is available of an item to those who wait for it.
func (b *books) handOver(key Key, now time.Time) {
	for _, hold := range b.queue(key, now) {
		item := b.item(key, hold.Buyer)
		item.Item = item.AtHand()
		if item.Refuses(StepOffer, hold.Lines[0].Line, hold.Buyer, now) != nil {
			continue
		}
		offer, err := b.plan(StepOffer.Transition(), hold, now)
		if err != nil {
			continue
		}
		offer.hold.Deadline = now.Add(b.waits[hold.Order])
		offer.keep(b)
		b.watch(offer.hold)
	}
}

// queue returns the holds that wait for an item, in the order of arrival. It looks only where units are available, and on sale.
func (b *books) queue(key Key, now time.Time) (queue []Hold) {
	if is := b.items[key].AtHand(); is.Waiting == 0 || is.Available() <= 0 || is.closed(key, now) != nil {
		return nil
	}
	for _, hold := range b.holds {
		if hold.State == Waiting && hold.Lines[0].Key() == key {
			queue = append(queue, hold)
		}
	}
	slices.SortFunc(queue, func(a, b Hold) int { return cmp.Or(a.Deadline.Compare(b.Deadline), cmp.Compare(a.Order, b.Order)) })
	return queue
}

// Ahead implements Store.
func (m *Memory) Ahead(ctx context.Context, hold Hold) (ahead, waiting int64, err error) {
	err = m.read(ctx, func(b *books, _ time.Time) {
		for _, other := range b.holds {
			if other.State != Waiting || other.Lines[0].Key() != hold.Lines[0].Key() {
				continue
			}
			waiting++
			if cmp.Or(other.Deadline.Compare(hold.Deadline), cmp.Compare(other.Order, hold.Order)) < 0 {
				ahead++
			}
		}
	})
	return ahead, waiting, err
}
