package stock

import (
	"context"
	"slices"
)

// coverBatch is how many lines are covered in one transaction.
const coverBatch = 500

// asksBackorder reports whether so many units may be locked only by a call that allows backorders: those that are there may be
// promised to orders that wait.
func (i Item) asksBackorder(num int64) bool { return i.Backordered > 0 || i.Backorders(num) > 0 }

// backordered returns why not all units of the hold can be handed over: some have not come yet; or nil.
func (h Hold) backordered() error {
	for _, l := range h.Lines {
		if l.Backordered > 0 {
			return &BackorderError{Key: l.Key(), Order: h.Order, Wanted: l.undelivered(), Backordered: l.Backordered}
		}
	}
	return nil
}

// ended returns the hold in a state in which it waits for nothing.
func (h Hold) ended() Hold {
	if h.State.backorders() || h.backordered() == nil {
		return h
	}
	h.Lines = slices.Clone(h.Lines)
	for i := range h.Lines {
		h.Lines[i].Backordered = 0
	}
	return h
}

// owed is how many units of an item the hold waits for.
func (h Hold) owed(key Key) int64 {
	if l := h.line(key); l != nil {
		return l.Backordered
	}
	return 0
}

// cover gives units that have come to the orders that wait for them, of these items or of all, and returns how many. Each part is a
// transaction, so a call that was cut off has done what it has told. Items that are named go one by one: the store would look at those
// that are done again for each part.
func (inv *Inventory) cover(ctx context.Context, keys ...Key) (units int64, err error) {
	if len(keys) == 0 {
		return inv.coverAll(ctx, nil)
	}
	for key := range slices.Chunk(keys, 1) {
		n, err := inv.coverAll(ctx, key)
		units += n
		if err != nil {
			return units, err
		}
	}
	return units, nil
}

// coverAll asks the store to cover until nothing is left.
func (inv *Inventory) coverAll(ctx context.Context, keys []Key) (units int64, err error) {
	for {
		effects, err := inv.store.Cover(ctx, keys, coverBatch)
		for _, e := range effects {
			for _, l := range e.Lines {
				units += l.Num
			}
			inv.took(ctx, e)
		}
		if err != nil || len(effects) == 0 {
			return units, err
		}
	}
}

// coverAfter covers behind a change that is done, in so far as it has brought units of these items, as they were before it. What it
// does not come to is left to Expire, and so its error is that of a sweep.
func (inv *Inventory) coverAfter(ctx context.Context, brings func(item Item) bool, items ...Item) int64 {
	var keys []Key
	for _, item := range items {
		if item.Backordered > 0 && brings(item) {
			keys = append(keys, item.Key)
		}
	}
	if len(keys) == 0 {
		return 0
	}
	_, err := inv.release(ctx, releaseBatch, keys...) // nothing is promised to the dead
	var units int64
	if err == nil {
		units, err = inv.cover(ctx, keys...)
	}
	if err != nil && inv.opts.OnError != nil {
		inv.opts.OnError(err)
	}
	return units
}
