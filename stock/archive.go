package stock

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
)

// Archive takes orders out of the books that were finished before a time: Redeemed, Refunded, Cancelled or Expired, with their
// deadline and their last change before it. The lines and refunds of such an order are deleted, and its number stays, so that it
// cannot be locked again. What it weighs in the counters of its items is added to one change of each item, of KindArchive, and to what
// its buyer has, so that limits still count it and an Audit balances before, during and after. No counter changes.
//
// Every verb of an archived order is refused with ErrArchived, a replay as well; Hold and Resolve return it without lines. So choose a time
// after which no payment callback, refund or retry of them comes. An order that is Paid is not finished, and a shop that never
// redeems names the states: Filter{States: []State{Paid, Refunded, Cancelled, Expired}}. Such an order counts as handed over from then
// on, also in a Count. A filter with a Key archives the orders that have a line of this item; it must have no buyer. Orders that were
// closed before any Lock stay as they are, since they have nothing to archive, and so do those whose hold a seat of group buying
// needs. Rows of the shop are not touched.
//
// It goes in parts of up to 450 lines, each a transaction, and is ranged over: a part is archived when its number of orders comes. Callers
// that lock go on meanwhile. They share the server with it, so rest in the loop where they are many: a part each 40 ms was 11,000 orders a
// second, while the p99 of 1,024 callers was at most 1.4 times what it is by itself (two cores). Where each is given, it gets the holds of
// a part first, to keep them elsewhere; RefundsPage still has their refunds. Its error is the last that comes, and nothing of its part is
// archived. It may get a hold again, in a later call: where the part was not archived after all. So write what it keeps under the order
// number.
//
// The same call goes on where one was cut off. Orders that somebody else works on are left for a later call. What is not ranged over is not
// archived. The Hook is told of StepArchive for each order, of which no unit moves. By is recorded with the change, the last one for all.
//
// Errors, the last that comes: ErrInvalid, also for a store that is bound to a caller's transaction, and for companions of With and
// rows of the shop.
func (inv *Inventory) Archive(
	ctx context.Context, before time.Time, filter Filter, each func(ctx context.Context, holds []Hold) error,
) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		filter.FinishedBefore = input.Instant(before)
		keys, err := inv.archivable(ctx, before, filter)
		if err != nil {
			yield(0, err)
			return
		}
		for part, err := range inv.parts(ctx, keys) {
			if err != nil {
				yield(0, err)
				return
			}
			for _, key := range part {
				filter.Key = key
				if !inv.archiveItem(ctx, filter, each, yield) {
					return
				}
			}
		}
	}
}

// archiveLines is how many lines one transaction archives: fewer make it wait for more answers, and more keep callers waiting behind
// its statements and its commit.
const archiveLines = 450

// archivable returns the items whose orders are to be archived, none for all, or what is wrong with the call.
func (inv *Inventory) archivable(ctx context.Context, before time.Time, filter Filter) (keys []Key, err error) {
	if err := cmp.Or(inv.ready(ctx), input.Time("before", before)); err != nil {
		return nil, err
	}
	if filter.Key != (Key{}) {
		keys = []Key{filter.Key}
	}
	if filter.Buyer != "" || inv.buyer != "" {
		err = fault.Invalid("filter", "must name no buyer")
	}
	if len(inv.beside) > 0 {
		err = errors.Join(err, fault.Invalid("companion", "must not go with many orders"))
	}
	if filter.Key == (Key{}) {
		filter.Key = Key{SKU: 1} // any will do
	}
	list, _ := inv.holds(ctx, filter)
	return keys, errors.Join(err, list.Err)
}

// archiveItem archives the orders that have a line of an item, and reports whether to go on.
func (inv *Inventory) archiveItem(
	ctx context.Context, filter Filter, each func(context.Context, []Hold) error, yield func(int, error) bool,
) bool {
	list, filter := inv.holds(ctx, filter)
	for after := (holdPlace{}); ; {
		holds, err := list.Read(after, archiveLines)
		if err != nil {
			yield(0, err)
			return false
		}
		for rest := latestHolds(holds); len(rest) > 0; {
			part := lightestHolds(rest)
			rest = rest[len(part):]
			n, err := inv.archivePart(ctx, part, each)
			if !yield(n, err) || err != nil {
				return false
			}
		}
		if len(holds) < archiveLines {
			return true
		}
		after = filter.place(holds[len(holds)-1])
	}
}

// latestHolds returns holds without those that come again. They are read state by state, so an order whose state changes meanwhile can
// be there in both: in the one that it has left first.
func latestHolds(holds []Hold) []Hold {
	last := make(map[string]int, len(holds))
	for i, h := range holds {
		last[h.Order] = i
	}
	if len(last) == len(holds) {
		return holds
	}
	latest := make([]Hold, 0, len(last))
	for i, h := range holds {
		if last[h.Order] == i {
			latest = append(latest, h)
		}
	}
	return latest
}

// lightestHolds returns the first holds that have as many lines as one transaction archives: one hold at least.
func lightestHolds(holds []Hold) []Hold {
	lines := 0
	for i, h := range holds {
		if lines += len(h.Lines); lines > archiveLines && i > 0 {
			return holds[:i]
		}
	}
	return holds
}

// archivePart archives some orders, and returns how many.
func (inv *Inventory) archivePart(ctx context.Context, holds []Hold, each func(context.Context, []Hold) error) (int, error) {
	if each != nil {
		if err := each(ctx, slices.Clone(holds)); err != nil {
			return 0, err
		}
	}
	archived, err := inv.store.Archive(ctx, holds, Change{Kind: KindArchive, Actor: inv.actor, Reason: inv.reason})
	for _, order := range archived {
		inv.took(ctx, Effect{Step: StepArchive, Order: order})
	}
	return len(archived), err
}

// SameAs reports whether a hold is as it was read before. Stores ask before they archive it.
func (h Hold) SameAs(was Hold) bool {
	return h.State == was.State && h.Fence == was.Fence && h.UpdatedAt.Equal(was.UpdatedAt) && slices.Equal(h.Lines, was.Lines)
}

// Weights returns what a hold contributes to the books for good: for each line an entry of its item, with Sold and Refunded, and one of
// its buyer, with what the limit counts as bought. Stores add them up when they archive it.
func (h Hold) Weights() (entries []Entry) {
	for _, l := range h.Lines {
		w := h.weigh(l)
		entries = append(entries, Entry{Key: l.Key(), Delta: Quantities{Sold: w.Sold, Refunded: w.Refunded}, Asked: 1})
		if bought := h.usage(l).Bought; h.Buyer != "" && bought > 0 {
			entries = append(entries, Entry{Key: l.Key(), Buyer: h.Buyer, Delta: Quantities{Sold: bought}})
		}
	}
	return entries
}
