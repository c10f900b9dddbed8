package stock

import (
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
	"github.com/holdfast-go/holdfast/internal/listing"
)

// Item returns an item as it is now. Errors: ErrInvalid, ErrUnknownSKU.
func (inv *Inventory) Item(ctx context.Context, key Key) (Item, error) {
	item, err := inv.itemUsage(ctx, key, "")
	return item.Item, err
}

// itemUsage returns an item and what a buyer has of it; buyer "" is nobody.
func (inv *Inventory) itemUsage(ctx context.Context, key Key, buyer string) (ItemUsage, error) {
	if err := errors.Join(inv.ready(ctx), checkKey(key)); err != nil {
		return ItemUsage{}, err
	}
	items, _, err := inv.store.Items(ctx, buyer, []Key{key})
	if err != nil {
		return ItemUsage{}, err
	}
	if items[0].Version == 0 {
		return ItemUsage{}, &ItemError{Key: key, Err: ErrUnknownSKU}
	}
	return items[0], nil
}

// Items lists the items of these keys in their order, 500 of one moment by one query, for the page of a product. One that does not
// exist comes in its place, with its Key and an error that matches ErrUnknownSKU; the others follow.
//
// Without keys it lists all items by key. Each page is read at one moment. The listing ends with the first other error.
func (inv *Inventory) Items(ctx context.Context, keys ...Key) iter.Seq2[Item, error] {
	if len(keys) == 0 {
		return inv.items(ctx, inv.ready(ctx), 0).All()
	}
	return func(yield func(Item, error) bool) {
		err := inv.ready(ctx)
		for _, key := range keys {
			err = errors.Join(err, checkKey(key))
		}
		for part := range slices.Chunk(keys, MaxLines) {
			var items []Item
			if err == nil {
				items, err = inv.itemsOf(ctx, part)
			}
			if err != nil {
				yield(Item{}, err)
				return
			}
			for _, item := range items {
				var unknown error
				if item.Version == 0 {
					unknown = &ItemError{Key: item.Key, Err: ErrUnknownSKU}
				}
				if !yield(item, unknown) {
					return
				}
			}
		}
	}
}

// items is the list of the items of a product, or of all, by key.
func (inv *Inventory) items(ctx context.Context, err error, spu int64) listing.List[Item, Key] {
	return listing.List[Item, Key]{
		Err:  err,
		Read: func(after Key, limit int) ([]Item, error) { return inv.store.List(ctx, spu, after, limit) },
		At:   func(i Item) Key { return i.Key },
	}
}

// Usage returns what the buyer of For has of an item. Errors: ErrInvalid (also where no buyer was named),
// ErrUnknownSKU.
func (inv *Inventory) Usage(ctx context.Context, key Key) (Usage, error) {
	if err := inv.ready(ctx); err != nil {
		return Usage{}, err
	}
	if err := errors.Join(checkKey(key), input.ID("buyer", inv.buyer)); err != nil {
		return Usage{}, err
	}
	item, err := inv.itemUsage(ctx, key, inv.buyer)
	return item.Usage, err
}

// Hold returns an order's hold as it is now. A hold that is dead but not released yet is
// returned as Locked, with a Deadline that has passed. Errors: ErrInvalid, ErrNotFound.
func (inv *Inventory) Hold(ctx context.Context, order string) (Hold, error) {
	if err := errors.Join(inv.ready(ctx), input.ID("order", order)); err != nil {
		return Hold{}, err
	}
	hold, _, err := inv.store.Hold(ctx, order)
	if err != nil {
		return Hold{}, err
	}
	if hold.State == Unheld {
		return Hold{}, stateError(hold, order)
	}
	return hold, nil
}

// Missing returns which of these orders have no hold, in the order in which they are given: at most MaxMissing orders of one
// call. A replica that was promoted may lack the last transactions of the server that it has replaced, and Audit cannot see
// that, because counters and holds are lost together. So compare with what is kept elsewhere, such as the records of the
// payment provider:
//
//	lost, err := inv.Missing(ctx, paid)         // of the payments since a minute before the failure
//
// Each order in lost has been paid for, and no unit is set aside for it: Take its lines again, or refund the buyer. Call Pay for
// the others. Where the Pay was lost it is made now, and a Pay that was kept is a replay.
//
// A hold in any state counts, whether it is live, dead, paid, refunded, cancelled, expired or archived; Hold tells its state. An order that
// Cancel or Resolve has closed before it had a hold is missing, since no unit was ever set aside for it: a new number has to be
// used to Take its lines. A Lock whose answer has not come yet may be missing and come to be held afterwards.
//
// Errors: ErrInvalid, also for more orders than MaxMissing.
func (inv *Inventory) Missing(ctx context.Context, orders []string) ([]string, error) {
	if err := inv.ready(ctx); err != nil {
		return nil, err
	}
	if n := len(orders); n > MaxMissing {
		return nil, fault.Invalid("orders", "must be %d at most, are %d", MaxMissing, n)
	}
	for _, order := range orders {
		if err := input.ID("order", order); err != nil {
			return nil, err
		}
	}
	if len(orders) == 0 {
		return nil, nil
	}
	return inv.store.Missing(ctx, orders)
}

// Holds lists the holds that match, for a job; a screen asks for HoldsPage. With a Key or ByDeadline they are listed by state, then
// by deadline, then by order number; those of a buyer by LockedAt, the newest first, then by order number, the highest first; those
// that are Backordered by LockedAt, the oldest first, then by order number; without any of these by order number. The listing ends
// with the first error. Orders that were closed before any Lock have no item and no buyer, nor have those that are Archived, which
// are listed only where States names that state.
//
// Each page is read at one moment; one that is listed by state, each state at a moment of its own. An order that leaves one of them for
// another in between may be there twice, or be missed.
//
// With For, only the holds of that buyer are listed.
func (inv *Inventory) Holds(ctx context.Context, filter Filter) iter.Seq2[Hold, error] {
	list, _ := inv.holds(ctx, filter)
	return list.All()
}

// holdPlace is the place of a hold in a list: its state where the list goes by states, and its Cursor.
type holdPlace struct {
	State State
	At    time.Time
	Order string
}

// holds is the list of the holds that match, and the filter with the buyer of For and its states in order.
func (inv *Inventory) holds(ctx context.Context, filter Filter) (listing.List[Hold, holdPlace], Filter) {
	err := inv.ready(ctx)
	for _, s := range filter.States {
		if s < Locked || s > Archived {
			err = errors.Join(err, fault.Invalid("state", "is unknown: %d", s))
		}
	}
	if !filter.FinishedBefore.IsZero() {
		err = errors.Join(err, filter.finished())
		filter.FinishedBefore = input.Instant(filter.FinishedBefore)
		if len(filter.States) == 0 {
			filter.States = []State{Redeemed, Refunded, Cancelled, Expired}
		}
	}
	if filter.Key != (Key{}) {
		err = errors.Join(err, checkKey(filter.Key))
	}
	if inv != nil && inv.buyer != "" {
		if filter.Buyer != "" && filter.Buyer != inv.buyer {
			err = errors.Join(err, fault.Invalid("buyer", "must be that of For"))
		}
		filter.Buyer = inv.buyer
	}
	if filter.Backordered && (filter.Key == (Key{}) || len(filter.States) > 0 || filter.ByDeadline || filter.Buyer != "" ||
		!filter.FinishedBefore.IsZero()) {
		err = errors.Join(err, fault.Invalid("filter", "must have a Key and nothing else beside Backordered"))
	}
	if filter.Buyer != "" {
		if filter.Key != (Key{}) || filter.ByDeadline {
			err = errors.Join(err, fault.Invalid("filter", "must have one of a buyer, a Key and ByDeadline"))
		}
		err = errors.Join(err, input.ID("buyer", filter.Buyer))
	}
	filter.States = slices.Compact(slices.Sorted(slices.Values(filter.States)))
	return listing.List[Hold, holdPlace]{
		Err:  err,
		Read: func(after holdPlace, limit int) ([]Hold, error) { return inv.readHolds(ctx, filter, after, limit) },
		At:   filter.place,
	}, filter
}

// byState reports whether the holds are listed state by state.
func (f Filter) byState() bool { return f.Key != (Key{}) && !f.Backordered || f.ByDeadline }

// place returns where a hold stands in the list of a filter.
func (f Filter) place(h Hold) holdPlace {
	switch {
	case f.Buyer != "", f.Backordered:
		return holdPlace{At: h.LockedAt, Order: h.Order}
	case f.byState():
		return holdPlace{State: h.State, At: h.Deadline, Order: h.Order}
	}
	return holdPlace{Order: h.Order}
}

// readHolds reads holds behind a place: where they are listed by states, those of one state after the other.
func (inv *Inventory) readHolds(ctx context.Context, filter Filter, after holdPlace, limit int) ([]Hold, error) {
	if !filter.byState() {
		return inv.store.Holds(ctx, filter, Cursor{At: after.At, Order: after.Order}, limit)
	}
	states := filter.States
	if len(states) == 0 {
		states = []State{Locked, Paid, Redeemed, Refunded, Cancelled, Expired, Waiting}
	}
	var all []Hold
	for _, state := range states {
		if state < after.State {
			continue
		}
		var from Cursor
		if state == after.State {
			from = Cursor{At: after.At, Order: after.Order}
		}
		filter.States = []State{state}
		holds, err := inv.store.Holds(ctx, filter, from, limit-len(all))
		if err != nil {
			return nil, err
		}
		if all = append(all, holds...); len(all) >= limit {
			break
		}
	}
	return all, nil
}

// Filter chooses holds and their order. The zero Filter chooses all of them, by order number.
type Filter struct {
	Key    Key     // holds with a line of this item; the zero Key is every item
	States []State // holds in one of these states; none is every state but Archived
	Buyer  string  // holds of this buyer; "" is the buyer of For, or everybody. Not with a Key or ByDeadline

	// ByDeadline lists by state, then by deadline, as a Key does. On SQL it needs an index of sqlstore.MigrateLists.
	ByDeadline bool

	// Backordered lists the holds that wait for units of Key, which has to be named, in the order in which they will get them: by
	// LockedAt, then by order number. It goes with nothing else.
	Backordered bool

	// FinishedBefore chooses what Archive takes: holds whose deadline and last change lie before it, which wait for no units, and which
	// no coupon, share or seat needs. It needs a Key. Without States these are Redeemed, Refunded, Cancelled and Expired; Paid has to be
	// named. The zero time is any hold.
	FinishedBefore time.Time

	// Current is for a caller that decides by what it reads: holds as they are now. Otherwise a list may lag, where a proxy has
	// replicas answer reads.
	Current bool
}

// finished returns what is wrong with a filter of holds that are finished.
func (f Filter) finished() error {
	err := input.Time("finished before", f.FinishedBefore)
	if f.Key == (Key{}) || f.ByDeadline {
		err = errors.Join(err, fault.Invalid("filter", "must have a Key to find what is finished"))
	}
	for _, s := range f.States {
		if s < Paid || s > Expired {
			err = errors.Join(err, fault.Invalid("states", "must be of holds that are finished, not %v", s))
		}
	}
	return err
}

// Finished reports whether a hold was finished before FinishedBefore, where that is set, and waits for no units. Stores ask.
func (f Filter) Finished(h Hold) bool {
	return f.FinishedBefore.IsZero() ||
		h.Deadline.Before(f.FinishedBefore) && h.UpdatedAt.Before(f.FinishedBefore) && h.backordered() == nil
}
