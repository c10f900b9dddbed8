package stock

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
)

// RestockAll is Restock for any number of lines. It adds up to 500 lines, in the order of keys, in one transaction: all of
// them or none. It returns an outcome for each such part, which tells in Lines how many lines are added by then. The first
// part has the ID, and the others have ID/2, ID/3 and so on, so the ID may have 56 bytes at most. Up to 500 lines are one
// Restock with the ID.
//
// The same call again goes on where the first one has ended, and returns a Replay for each part before that. A part that is
// refused is the last that comes, and names the line: mend that and make the same call. Another number of lines, or other
// lines in a part that is added, are ErrMismatch. What is not ranged over is not added. The companions of With, and
// rows of the shop, go with each part.
//
// Errors are those of Restock.
func (inv *Inventory) RestockAll(ctx context.Context, id string, lines ...Line) iter.Seq2[ChangeOutcome, error] {
	return func(yield func(ChangeOutcome, error) bool) {
		err := errors.Join(inv.readyFor(ctx, 0, ""), input.ID("ID", id))
		if n := len(id); n > maxBulkID {
			err = errors.Join(err, fault.Invalid("ID", "must have %d bytes at most, has %d", maxBulkID, n))
		}
		if err == nil {
			lines, err = merge(lines)
		}
		if err != nil {
			yield(ChangeOutcome{}, err)
			return
		}
		added := 0
		for part := range slices.Chunk(lines, MaxLines) {
			change := adjustment(KindRestock, StepRestock, id, part)
			if added > 0 {
				change.ID = fmt.Sprintf("%s/%d", id, added/MaxLines+1)
			} else if len(lines) > MaxLines {
				for i := range change.Entries {
					change.Entries[i].Asked = int64(len(lines))
				}
			}
			_, outcome, err := inv.apply(ctx, func([]ItemUsage) Change { return change })
			if err == nil {
				added += len(part)
				outcome.Lines = added
			}
			if !yield(outcome, err) || err != nil {
				return
			}
		}
	}
}

// maxBulkID is the longest ID of a RestockAll: there is room for the number of a part behind it.
const maxBulkID = input.MaxID - len("/9999999")

// CancelAll cancels all holds that match and are Locked, as Cancel does, and returns what became of each: first take the item
// off the shelf with ChangeTerms, so that no new ones come. It cancels up to 500 orders in one transaction. An order that is
// paid, or over, by the time its turn comes is left out, and its units stay what they are. The filter must have a Key, a Buyer
// (also by For) or ByDeadline, and no States but Locked.
//
// It can be made again at any time, and cancels what is Locked then. Go on after an error of one order; an error of the store
// is the last that comes. Companions of With, and rows of the shop, are ErrInvalid: what the shop keeps of the orders follows
// from the outcomes, the hook or Holds.
//
// Errors of all: ErrInvalid, and that of a missing index, as for HoldsPage. Errors of an order, whose number is in the outcome,
// are those of Cancel.
func (inv *Inventory) CancelAll(ctx context.Context, filter Filter) iter.Seq2[Outcome, error] {
	return func(yield func(Outcome, error) bool) {
		list, filter := inv.holds(ctx, filter)
		if filter.Key == (Key{}) && filter.Buyer == "" && !filter.ByDeadline {
			list.Err = errors.Join(list.Err, fault.Invalid("filter", "must have a Key, a buyer or ByDeadline"))
		}
		if filter.Backordered || slices.ContainsFunc(filter.States, func(s State) bool { return s != Locked }) {
			list.Err = errors.Join(list.Err, fault.Invalid("states", "must be Locked alone"))
		}
		if list.Err == nil && len(inv.beside) > 0 {
			list.Err = fault.Invalid("companion", "must not go with many orders")
		}
		if list.Err != nil {
			yield(Outcome{}, list.Err)
			return
		}
		filter.States, filter.Current = []State{Locked}, true
		after := holdPlace{}
		for {
			holds, err := inv.readHolds(ctx, filter, after, MaxLines)
			if err != nil {
				yield(Outcome{}, err)
				return
			}
			if !inv.cancelPart(ctx, holds, yield) || len(holds) < MaxLines {
				return
			}
			after = filter.place(holds[len(holds)-1])
		}
	}
}

// cancelPart cancels some orders, most of them together, and reports whether to go on.
func (inv *Inventory) cancelPart(ctx context.Context, holds []Hold, yield func(Outcome, error) bool) bool {
	moves := make([]Movement, len(holds))
	for i, h := range holds {
		moves[i] = Movement{Step: StepCancel, Order: h.Order, Fence: h.Fence}
	}
	moved, err := inv.store.MoveAll(ctx, moves)
	done := map[string]bool{}
	for _, order := range moved {
		done[order] = true
		inv.took(ctx, Effect{Step: StepCancel, Order: order})
	}
	for _, h := range holds {
		outcome, why := Outcome{Order: h.Order, State: Cancelled}, error(nil)
		switch {
		case done[h.Order]:
		case err != nil:
			continue
		default: // alone: it waits, and tells why not
			outcome, why = inv.step(ctx, StepCancel, h.Order)
			outcome.Order = h.Order
		}
		if _, over := fault.As[*StateError](why); over || outcome.Replay {
			continue // since it was read
		}
		if !yield(outcome, why) || fault.Stops(why) {
			return false
		}
	}
	if err != nil {
		yield(Outcome{}, err)
	}
	return err == nil
}

// itemsOf returns the items of any keys as they are now, in the order of the keys. One that does not exist has Version 0.
func (inv *Inventory) itemsOf(ctx context.Context, keys []Key) ([]Item, error) {
	sorted := slices.Compact(slices.SortedFunc(slices.Values(keys), Key.Compare))
	items, _, err := inv.store.Items(ctx, "", sorted)
	if err != nil {
		return nil, err
	}
	all := make([]Item, len(keys))
	for i, key := range keys {
		at, _ := slices.BinarySearchFunc(sorted, key, Key.Compare)
		all[i] = items[at].Item
	}
	return all, nil
}
