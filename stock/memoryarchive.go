package stock

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
)

// Archive implements Store.
func (m *Memory) Archive(ctx context.Context, holds []Hold, by Change) (archived []string, err error) {
	if len(m.rows) > 0 && len(holds) > 0 {
		return nil, fault.Invalid("along", "must not go with many orders")
	}
	err = m.read(ctx, func(b *books, now time.Time) {
		for _, was := range holds {
			if is := clone(b.holds[was.Order]); is.SameAs(was) {
				b.archive(is, by, now)
				archived = append(archived, was.Order)
			}
		}
	})
	return archived, err
}

// archive archives a hold.
func (b *books) archive(hold Hold, by Change, now time.Time) {
	for _, e := range hold.Weights() {
		if e.Buyer != "" {
			b.archived[buyerKey{e.Key, e.Buyer}] += e.Delta.Sold
			continue
		}
		sum := by
		sum.ID, sum.At = e.Serial(1), now
		if was, ok := b.changes[changeKey{sum.Kind, sum.ID}]; ok {
			e.Delta, _ = e.Delta.Plus(was.Entries[0].Delta) // the counters of the item are as large
			e.Asked += was.Entries[0].Asked
		}
		sum.Entries = []Entry{e}
		b.changes[changeKey{sum.Kind, sum.ID}] = sum
	}
	if slices.ContainsFunc(hold.Lines, func(l HoldLine) bool { return l.Refunded > 0 }) {
		maps.DeleteFunc(b.refunds, func(_ string, r RefundRecord) bool { return r.Order == hold.Order })
	}
	delete(b.keepers, hold.Order)
	b.holds[hold.Order] = Hold{
		Order: hold.Order, State: Archived, Deadline: now, LockedAt: hold.LockedAt, UpdatedAt: now, Fence: hold.Fence,
	}
}

// needed reports whether whoever keeps companions needs the hold of an order.
func (b *books) needed(order string) bool {
	keepers := b.keepers[order]
	return keepers != nil && keepers.NeedsHolds()
}
