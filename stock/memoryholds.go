package stock

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
)

// Lock implements Store.
func (m *Memory) Lock(ctx context.Context, order Order, holdFor time.Duration) (LockResult, error) {
	b, now, end, err := m.begin(ctx, order.Beside...)
	if err != nil {
		return LockResult{}, err
	}
	defer end()
	step := order.Step()
	hold := Hold{Order: order.ID, Buyer: order.Buyer, Deadline: order.Deadline(now, holdFor), LockedAt: now}
	for _, l := range order.Lines {
		hold.Lines = append(hold.Lines, HoldLine{Line: l})
	}
	if _, ok := b.holds[order.ID]; ok {
		return LockResult{Verdict: Exists}, nil
	}
	for _, l := range order.Lines {
		if order.Refuses(b.item(l.Key(), order.Buyer), l, now) != nil {
			return LockResult{Verdict: Refused}, nil
		}
	}
	if step.Transition().Draws() {
		hold = b.backorder(hold, hold.units)
	}
	moved, err := b.plan(step.Transition(), hold, now)
	if err != nil {
		return LockResult{}, err
	}
	call := &CompanionCall{Step: step, Hold: moved.hold, Items: moved.items, Companions: slices.Clone(order.Beside)}
	moments := []moment{MemoryCompanions.Locked}
	if order.Waits { // it has nothing yet
		hold.Deadline, moved.hold.Deadline, moments = now, now, nil
	}
	keep, err := m.tell(now, []*CompanionCall{call}, moments...)
	switch {
	case errors.Is(err, ErrInvalid), errors.Is(err, ErrDrift), errors.Is(err, ErrOverflow):
		return LockResult{}, err
	case err != nil:
		return LockResult{Verdict: Refused, Why: err}, nil
	case order.Lapsed(now) != nil:
		return LockResult{Verdict: Refused}, nil
	}
	if err := m.alongside(ctx); err != nil {
		return LockResult{Verdict: Refused, Why: err}, nil
	}
	moved.keep(b)
	b.begin(moved.hold, holdFor, m.keepers, now)
	keep()
	hold = clone(b.holds[order.ID])
	hold.Beside = call.Companions
	return LockResult{Verdict: Done, Hold: hold}, nil
}

// begin remembers who keeps companions of a new hold and when it dies, or hands over to those who wait, this one among them.
func (b *books) begin(hold Hold, holdFor time.Duration, keepers MemoryCompanions, now time.Time) {
	if keepers != nil {
		b.keepers[hold.Order] = keepers
	}
	if hold.State == Locked {
		b.watch(hold)
	}
	if hold.State == Waiting {
		b.waits[hold.Order] = holdFor
		b.handOver(hold.Lines[0].Key(), now)
	}
}

// moment is one of the five of MemoryCompanions.
type moment func(keepers MemoryCompanions, at time.Time, calls []*CompanionCall) (keep func(), err error)

// keeping returns who keeps companions.
func (m *Memory) keeping() MemoryCompanions {
	if m.keepers == nil {
		return NoCompanions{}
	}
	return m.keepers
}

// tell tells the keepers of calls, at Before and at other moments. It returns keep, to be called once the calls have
// changed everything else.
func (m *Memory) tell(now time.Time, calls []*CompanionCall, moments ...moment) (keep func(), err error) {
	var keeps []func()
	for _, moment := range slices.Insert(moments, 0, MemoryCompanions.Before) {
		keep, err := moment(m.keeping(), now, calls)
		if err != nil {
			return nil, err
		}
		if keep != nil {
			keeps = append(keeps, keep)
		}
	}
	return func() {
		for _, keep := range keeps {
			keep()
		}
	}, nil
}

// plan is the result of a transition: the hold, its items, and what its buyer has of them.
type plan struct {
	step   Step
	hold   Hold
	moves  bool   // the items change
	items  []Item // of its lines
	usages map[buyerKey]Usage
	now    time.Time
}

// plan works out what a transition does, or why it cannot.
func (b *books) plan(t Transition, hold Hold, now time.Time) (plan, error) {
	p := plan{step: t.Step, hold: hold, moves: t.Delta != Quantities{}, usages: map[buyerKey]Usage{}, now: now}
	for _, l := range hold.Lines {
		is := b.item(l.Key(), hold.Buyer)
		delta := t.Delta.Times(l.Num)
		switch {
		case t.Draws():
			delta.Backordered = l.Backordered
		case !t.To.backorders():
			delta.Backordered = -l.Backordered
		}
		item, err := is.after(delta)
		if err != nil {
			return plan{}, err
		}
		p.items = append(p.items, item)
		if hold.Buyer == "" {
			continue
		}
		usage := Usage{
			Held:   is.Held + t.Delta.Locked*l.Num,
			Bought: is.Bought + t.Delta.Sold*l.Num,
			Holds:  is.Holds + t.Delta.Locked,
		}
		if usage.negative() {
			return plan{}, ErrDrift
		}
		p.usages[buyerKey{l.Key(), hold.Buyer}] = usage
	}
	p.hold.State, p.hold.UpdatedAt = t.To, now
	if p.hold = p.hold.ended(); t.To == Paid {
		p.hold.PaidAt = now
	}
	return p, nil
}

// keep applies the plan.
func (p plan) keep(b *books) {
	for _, item := range p.items {
		if p.moves {
			b.put(item, p.now)
		}
	}
	maps.Copy(b.usages, p.usages)
	b.holds[p.hold.Order] = p.hold
	b.tellStep(p.now, p.step, p.hold)
}

// negative reports whether a usage cannot be right.
func (u Usage) negative() bool { return min(u.Held, u.Bought, u.Holds) < 0 }

// after returns the item with a change applied to its counters.
func (i Item) after(change Quantities) (Item, error) {
	if i.Version == 0 {
		return Item{}, ErrDrift
	}
	q, err := i.Plus(change.For(i.Terms))
	if err != nil {
		return Item{}, err
	}
	if !q.Valid(i.Terms) {
		return Item{}, ErrDrift
	}
	i.Quantities = q
	return i, nil
}

// Move implements Store.
func (m *Memory) Move(ctx context.Context, move Movement) (MoveResult, error) {
	if move.Step == StepExpire { // it is on the way to something else
		m = m.plain()
	}
	b, now, end, err := m.begin(ctx, move.Beside...)
	if err != nil {
		return MoveResult{}, err
	}
	defer end()
	hold, ok := b.holds[move.Order]
	t := move.Step.Transition()
	switch {
	case !ok, move.Step == StepOffer, !slices.Contains(t.From, hold.State),
		move.Step != StepExpire && hold.Fence != move.Fence,
		t.When == Live && hold.dead(now),
		t.When == Dead && !hold.dead(now),
		t.To == Redeemed && hold.backordered() != nil:
		return MoveResult{}, nil
	}
	if t.Draws() {
		for _, l := range hold.Lines {
			if b.item(l.Key(), hold.Buyer).Refuses(StepReacquire, l.Line, hold.Buyer, now) != nil {
				return MoveResult{}, nil
			}
		}
		hold = b.backorder(hold, hold.units)
	}
	moved, err := b.plan(t, hold, now)
	if err != nil {
		return MoveResult{}, err
	}
	call := &CompanionCall{Step: move.Step, Hold: clone(moved.hold), Items: moved.items, Companions: slices.Clone(move.Beside)}
	keep, err := m.tell(now, []*CompanionCall{call}, MemoryCompanions.Moved)
	if err == nil && move.Step != StepExpire {
		err = m.alongside(ctx)
	}
	if err != nil {
		return MoveResult{}, err
	}
	moved.keep(b)
	keep()
	return MoveResult{Verdict: Done, Beside: call.Companions}, nil
}

// MoveAll implements Store.
func (m *Memory) MoveAll(ctx context.Context, moves []Movement) (moved []string, err error) {
	if len(m.rows) > 0 && len(moves) > 0 {
		return nil, fault.Invalid("along", "must not go with many orders")
	}
	within, _, leave, err := m.Enter(ctx) // what they free is handed over together
	if err != nil {
		return nil, err
	}
	defer leave()
	for _, move := range moves {
		result, err := within.Move(ctx, move)
		if fault.Stops(err) {
			return moved, err
		}
		if result.Verdict == Done {
			moved = append(moved, move.Order)
		}
	}
	return moved, nil
}

// Void implements Store.
func (m *Memory) Void(ctx context.Context, order string, beside ...Companion) (Verdict, error) {
	var moments []moment
	if len(beside) > 0 {
		moments = append(moments, MemoryCompanions.Moved)
	}
	call := &CompanionCall{Step: StepCancel, Hold: Hold{Order: order, State: Cancelled}, Companions: beside}
	return m.change(ctx, call, func(b *books, now time.Time) (Verdict, func()) {
		if _, ok := b.holds[order]; ok {
			return Exists, nil
		}
		return Done, func() {
			b.holds[order] = Hold{Order: order, State: Cancelled, Deadline: now, LockedAt: now, UpdatedAt: now}
		}
	}, moments...)
}

// Fence implements Store.
func (m *Memory) Fence(ctx context.Context, order string, beside ...Companion) (Verdict, error) {
	return m.change(ctx, &CompanionCall{Hold: Hold{Order: order}, Companions: beside}, func(b *books, _ time.Time) (Verdict, func()) {
		hold, ok := b.holds[order]
		if !ok {
			return Refused, nil
		}
		hold.Fence++
		return Done, func() { b.holds[order] = hold }
	})
}

// SetDeadline implements Store.
func (m *Memory) SetDeadline(ctx context.Context, was Hold, deadline time.Time, beside ...Companion) (Verdict, error) {
	return m.change(ctx, &CompanionCall{Hold: was, Companions: beside}, func(b *books, now time.Time) (Verdict, func()) {
		hold, ok := b.holds[was.Order]
		if !ok || hold.State != Locked || hold.dead(now) || hold.Fence != was.Fence || !hold.Deadline.Equal(was.Deadline) {
			return Refused, nil
		}
		hold.Deadline, hold.UpdatedAt = deadline, now
		hold.Fence++
		return Done, func() {
			b.holds[hold.Order] = hold
			b.watch(hold)
		}
	})
}

// Hold implements Store.
func (m *Memory) Hold(ctx context.Context, order string) (hold Hold, now time.Time, err error) {
	err = m.read(ctx, func(b *books, at time.Time) { hold, now = clone(b.holds[order]), at })
	return hold, now, err
}

// Missing implements Store.
func (m *Memory) Missing(ctx context.Context, orders []string) (missing []string, err error) {
	err = m.read(ctx, func(b *books, _ time.Time) {
		for _, order := range orders {
			if h := b.holds[order]; len(h.Lines) == 0 && h.State != Archived {
				missing = append(missing, order)
			}
		}
	})
	return missing, err
}

// clone returns a hold that shares nothing with the one that is kept.
func clone(h Hold) Hold {
	h.Lines = slices.Clone(h.Lines)
	for i := range h.Lines {
		if l := &h.Lines[i]; h.State == Redeemed { // as a whole
			l.Redeemed = l.Num - l.Refunded
		}
	}
	return h
}

// Holds implements Store.
func (m *Memory) Holds(ctx context.Context, filter Filter, after Cursor, limit int) (holds []Hold, err error) {
	if filter.Backordered {
		err = m.read(ctx, func(b *books, _ time.Time) {
			for _, h := range b.backordered(filter.Key) {
				if after.Order == "" || earliest(h, Hold{LockedAt: after.At, Order: after.Order}) > 0 {
					holds = append(holds, clone(h))
				}
			}
		})
		return holds[:min(limit, len(holds))], err
	}
	cursor := func(h Hold) Cursor {
		at := filter.place(h)
		return Cursor{At: at.At, Order: at.Order}
	}
	compare := func(a, b Cursor) int {
		order := cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Order, b.Order))
		if filter.Buyer != "" { // the newest first
			return -order
		}
		return order
	}
	byKey := filter.Key != (Key{})
	err = m.read(ctx, func(b *books, _ time.Time) {
		for _, h := range b.holds {
			if byKey && !slices.ContainsFunc(h.Lines, func(l HoldLine) bool { return l.Key() == filter.Key }) ||
				len(filter.States) > 0 && !slices.Contains(filter.States, h.State) || len(filter.States) == 0 && h.State == Archived ||
				!filter.Finished(h) || !filter.FinishedBefore.IsZero() && b.needed(h.Order) ||
				filter.Buyer != "" && h.Buyer != filter.Buyer ||
				after.Order != "" && compare(cursor(h), after) <= 0 {
				continue
			}
			holds = append(holds, clone(h))
		}
	})
	slices.SortFunc(holds, func(a, b Hold) int { return compare(cursor(a), cursor(b)) })
	return holds[:min(limit, len(holds))], err
}

// Refund implements Store.
func (m *Memory) Refund(ctx context.Context, refund RefundRecord, was Hold, beside ...Companion) (RefundResult, error) {
	b, now, end, err := m.begin(ctx, beside...)
	if err != nil {
		return RefundResult{}, err
	}
	defer end()
	if b.refunded(refund) {
		return RefundResult{Verdict: Exists}, nil
	}
	is := b.holds[was.Order]
	if is.State != was.State || is.Fence != was.Fence {
		return RefundResult{}, nil
	}
	refund, after, refusal := refund.Of(is)
	if refusal != nil {
		return RefundResult{}, nil
	}
	items, usages := make([]Item, len(refund.Lines)), map[buyerKey]Usage{}
	for i, l := range refund.Lines {
		delta := refund.step().Transition().Delta.Times(l.Num)
		delta.Backordered = after.owed(l.Key()) - is.owed(l.Key())
		if items[i], err = b.items[l.Key()].after(delta); err != nil {
			return RefundResult{}, err
		}
		if refund.Frees && is.Buyer != "" {
			key := buyerKey{l.Key(), is.Buyer}
			usage := b.usages[key]
			if usage.Bought -= l.Num; usage.negative() {
				return RefundResult{}, ErrDrift
			}
			usages[key] = usage
		}
	}
	call := &CompanionCall{Step: refund.step(), Hold: clone(is), Refund: refund, Companions: slices.Clone(beside)}
	keep, err := m.tell(now, []*CompanionCall{call}, MemoryCompanions.Refunding, MemoryCompanions.Refunded)
	if err == nil {
		err = m.alongside(ctx)
	}
	if err != nil {
		return RefundResult{}, err
	}
	for _, item := range items {
		b.put(item, now)
	}
	maps.Copy(b.usages, usages)
	after.UpdatedAt = now
	b.holds[after.Order] = after
	b.keepRefund(refund, now)
	b.tellRefund(now, refund, is)
	keep()
	refund.Lines = slices.Clone(refund.Lines) // the caller's own
	return RefundResult{Verdict: Done, Refund: refund, State: after.State, Beside: call.Companions}, nil
}

// refunded reports whether the ID of a refund is known: by its record, or, of one that is made by hand, by a change. The record is
// archived with its order.
func (b *books) refunded(refund RefundRecord) bool {
	change := refund.Change()
	_, changed := b.changes[changeKey{change.Kind, change.ID}]
	_, recorded := b.refunds[refund.ID]
	return recorded || changed && change.ID != ""
}

// keepRefund records a refund.
func (b *books) keepRefund(refund RefundRecord, now time.Time) {
	refund.Lines, refund.At, refund.Redeemed, refund.Redeemable = slices.Clone(refund.Lines), now, false, false
	b.refunds[refund.ID] = refund
	b.record(refund.Change(), now)
}

// RefundRecord implements Store.
func (m *Memory) RefundRecord(ctx context.Context, id string) (refund RefundRecord, err error) {
	err = m.read(ctx, func(b *books, _ time.Time) { refund = b.refunds[id] })
	refund.Lines = slices.Clone(refund.Lines)
	refund.At, refund.Actor, refund.Reason = time.Time{}, "", ""
	return refund, err
}

// Refunds implements Store.
func (m *Memory) Refunds(ctx context.Context, order, after string, limit int) (refunds []RefundRecord, err error) {
	err = m.read(ctx, func(b *books, _ time.Time) {
		for _, r := range b.refunds {
			if r.Order == order && r.ID > after {
				r.Lines, r.FreesBuyer = slices.Clone(r.Lines), r.Frees
				refunds = append(refunds, r)
			}
		}
	})
	slices.SortFunc(refunds, func(a, b RefundRecord) int { return cmp.Compare(a.ID, b.ID) })
	return refunds[:min(limit, len(refunds))], err
}
