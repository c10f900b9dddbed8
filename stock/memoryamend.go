package stock

import (
	"context"
	"slices"
	"time"
)

// Amend implements Store.
func (m *Memory) Amend(ctx context.Context, record AmendRecord, beside ...Companion) (MoveResult, error) {
	b, now, end, err := m.begin(ctx, beside...)
	if err != nil {
		return MoveResult{}, err
	}
	defer end()
	if _, ok := b.changes[changeKey{record.Kind.Scope(), record.ID}]; ok {
		return MoveResult{Verdict: Exists}, nil
	}
	if !b.amendable(record, now) {
		return MoveResult{}, nil
	}
	p, err := b.planAmend(record, now)
	if err != nil {
		return MoveResult{}, err
	}
	call := &CompanionCall{Hold: clone(record.From), Companions: slices.Clone(beside)}
	var moments []moment
	if p.hold.State == Paid && record.From.State == Locked {
		call.Step, call.Hold, call.Items = StepPay, clone(p.hold), p.items
		moments = append(moments, MemoryCompanions.Moved)
	}
	keep, err := m.tell(now, []*CompanionCall{call}, moments...)
	if err == nil {
		err = m.alongside(ctx)
	}
	if err != nil {
		return MoveResult{}, err
	}
	p.keep(b)
	if from := record.From.Order; from != p.hold.Order {
		b.holds[from] = Hold{Order: from, State: Cancelled, Deadline: now, LockedAt: now, UpdatedAt: now}
	}
	if p.hold.State == Locked {
		b.watch(p.hold)
	}
	b.record(record.Change, now)
	keep()
	return MoveResult{Verdict: Done, Beside: call.Companions, Lines: clone(p.hold).Lines}, nil
}

// amendable reports whether the hold of a record is as it was read, and every item allows the record.
func (b *books) amendable(record AmendRecord, now time.Time) bool {
	from, to := record.From, record.To
	is, ok := b.holds[from.Order]
	if !ok || is.State != from.State || is.Fence != from.Fence || is.State == Locked && is.dead(now) ||
		!slices.EqualFunc(is.Lines, from.Lines, func(a, b HoldLine) bool { return a.Refunded == b.Refunded && a.Backordered == b.Backordered }) {
		return false
	}
	if _, known := b.holds[to.Order]; known && to.Order != from.Order {
		return false
	}
	return !slices.ContainsFunc(record.Entries, func(e Entry) bool { return record.Refuses(b.item(e.Key, to.Buyer), now) != nil })
}

// planAmend works out what an amendment does, or why it cannot.
func (b *books) planAmend(record AmendRecord, now time.Time) (plan, error) {
	takes := map[Key]int64{}
	for _, e := range record.Entries {
		takes[e.Key] = e.drawn()
	}
	hold := b.backorder(record.To, func(key Key) int64 { return takes[key] })
	p := plan{hold: hold, moves: true, usages: map[buyerKey]Usage{}, now: now}
	for _, e := range record.Entries {
		if e.Delta.Backordered = hold.owed(e.Key) - record.From.owed(e.Key); e.Delta == (Quantities{}) {
			continue
		}
		item, err := b.items[e.Key].after(e.Delta)
		if err != nil {
			return plan{}, err
		}
		p.items = append(p.items, item)
	}
	for _, e := range record.Buyers {
		usage, err := b.usages[buyerKey{e.Key, e.Buyer}].with(e)
		if err != nil {
			return plan{}, err
		}
		p.usages[buyerKey{e.Key, e.Buyer}] = usage
	}
	p.hold.UpdatedAt = now
	if record.From.State == Locked && p.hold.State == Paid {
		p.step, p.hold.PaidAt = StepPay, now
	}
	return p, nil
}

// with returns what a buyer has once an entry is applied.
func (u Usage) with(e Entry) (Usage, error) {
	u.Held, u.Bought, u.Holds = u.Held+e.Delta.Locked, u.Bought+e.Delta.Sold, u.Holds+e.Holds
	if u.negative() {
		return Usage{}, ErrDrift
	}
	return u, nil
}
