package stock

import (
	"cmp"
	"container/heap"
	"context"
	"slices"
	"time"
)

// Lock implements Store.
func (m *Memory) Lock(ctx context.Context, order Order, holdFor time.Duration) (Locking, error) {
	now, end, err := m.begin(ctx)
	if err != nil {
		return Locking{}, err
	}
	defer end()
	if _, ok := m.holds[order.ID]; ok {
		return Locking{Verdict: Exists}, nil
	}
	hold := Hold{Order: order.ID, Buyer: order.Buyer, Deadline: order.Deadline(now, holdFor), LockedAt: now}
	for _, l := range order.Lines {
		if m.standing(l.Key(), order.Buyer).Refuses(order.Step(), l, order.Buyer, now) != nil {
			return Locking{Verdict: Refused}, nil
		}
		hold.Lines = append(hold.Lines, HoldLine{Line: l})
	}
	if order.Lapsed(now) != nil {
		return Locking{Verdict: Refused}, nil
	}
	if err := m.move(order.Step().Transition(), &hold, now); err != nil {
		return Locking{}, err
	}
	if hold.State == Locked {
		for _, l := range order.Lines {
			m.watch(l.Key(), hold)
		}
	}
	return Locking{Verdict: Done, Hold: clone(hold)}, nil
}

// move applies a transition to a hold and its items, and keeps both.
func (m *Memory) move(t Transition, hold *Hold, now time.Time) error {
	items, usages := make([]Item, len(hold.Lines)), make([]Usage, len(hold.Lines))
	for i, l := range hold.Lines {
		standing := m.standing(l.Key(), hold.Buyer)
		var err error
		if items[i], err = standing.after(t.Change.Times(l.Num)); err != nil {
			return err
		}
		usages[i] = Usage{
			Held:   standing.Held + t.Change.Locked*l.Num,
			Bought: standing.Bought + t.Change.Sold*l.Num,
			Holds:  standing.Holds + t.Change.Locked,
		}
		if hold.Buyer != "" && usages[i].negative() {
			return ErrDrift
		}
	}
	for i, l := range hold.Lines {
		if t.Change != (Quantities{}) {
			m.put(items[i], now)
		}
		if hold.Buyer != "" {
			m.usages[buyerKey{l.Key(), hold.Buyer}] = usages[i]
		}
	}
	hold.State, hold.UpdatedAt = t.To, now
	if t.To == Paid {
		hold.PaidAt = now
	}
	m.holds[hold.Order] = *hold
	return nil
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
func (m *Memory) Move(ctx context.Context, step Step, order string, fence int64) (Verdict, error) {
	now, end, err := m.begin(ctx)
	if err != nil {
		return Refused, err
	}
	defer end()
	hold, ok := m.holds[order]
	t := step.Transition()
	switch {
	case !ok, !slices.Contains(t.From, hold.State),
		step != StepExpire && hold.Fence != fence,
		t.When == Live && hold.dead(now),
		t.When == Dead && !hold.dead(now):
		return Refused, nil
	}
	if t.Draws() {
		for _, l := range hold.Lines {
			if m.standing(l.Key(), hold.Buyer).cannotSell(l.Line, hold.Buyer) != nil {
				return Refused, nil
			}
		}
	}
	if err := m.move(t, &hold, now); err != nil {
		return Refused, err
	}
	return Done, nil
}

// Close implements Store.
func (m *Memory) Close(ctx context.Context, order string) (Verdict, error) {
	now, end, err := m.begin(ctx)
	if err != nil {
		return Refused, err
	}
	defer end()
	if _, ok := m.holds[order]; ok {
		return Exists, nil
	}
	m.holds[order] = Hold{Order: order, State: Cancelled, Deadline: now, LockedAt: now, UpdatedAt: now}
	return Done, nil
}

// Fence implements Store.
func (m *Memory) Fence(ctx context.Context, order string) (Verdict, error) {
	_, end, err := m.begin(ctx)
	if err != nil {
		return Refused, err
	}
	defer end()
	hold, ok := m.holds[order]
	if !ok {
		return Refused, nil
	}
	hold.Fence++
	m.holds[order] = hold
	return Done, nil
}

// SetDeadline implements Store.
func (m *Memory) SetDeadline(ctx context.Context, was Hold, deadline time.Time) (Verdict, error) {
	now, end, err := m.begin(ctx)
	if err != nil {
		return Refused, err
	}
	defer end()
	hold, ok := m.holds[was.Order]
	if !ok || hold.State != Locked || hold.dead(now) || hold.Fence != was.Fence || !hold.Deadline.Equal(was.Deadline) {
		return Refused, nil
	}
	hold.Deadline, hold.UpdatedAt = deadline, now
	hold.Fence++
	m.holds[hold.Order] = hold
	for _, key := range hold.keys() {
		m.watch(key, hold)
	}
	return Done, nil
}

// Hold implements Store.
func (m *Memory) Hold(ctx context.Context, order string) (Hold, time.Time, error) {
	now, end, err := m.begin(ctx)
	if err != nil {
		return Hold{}, time.Time{}, err
	}
	defer end()
	return clone(m.holds[order]), now, nil
}

// clone returns a hold that shares nothing with the one that is kept.
func clone(h Hold) Hold {
	h.Lines = slices.Clone(h.Lines)
	return h
}

// Holds implements Store.
func (m *Memory) Holds(ctx context.Context, filter Filter, after Cursor, limit int) ([]Hold, error) {
	_, end, err := m.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	byKey := filter.Key != (Key{})
	compare := func(a, b Cursor) int {
		if byKey {
			if c := a.Deadline.Compare(b.Deadline); c != 0 {
				return c
			}
		}
		return cmp.Compare(a.Order, b.Order)
	}
	var holds []Hold
	for _, h := range m.holds {
		if byKey && !slices.Contains(h.keys(), filter.Key) ||
			len(filter.States) > 0 && !slices.Contains(filter.States, h.State) ||
			after.Order != "" && compare(Cursor{h.Deadline, h.Order}, after) <= 0 {
			continue
		}
		holds = append(holds, clone(h))
	}
	slices.SortFunc(holds, func(a, b Hold) int { return compare(Cursor{a.Deadline, a.Order}, Cursor{b.Deadline, b.Order}) })
	return holds[:min(limit, len(holds))], nil
}

// Due implements Store.
func (m *Memory) Due(ctx context.Context, keys []Key, limit int) ([]string, error) {
	now, end, err := m.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	var orders []string
	collect := func(q *deadlines) {
		var dead []deadline
		for q != nil && len(orders) < limit && q.Len() > 0 && !now.Before((*q)[0].at) {
			d := heap.Pop(q).(deadline)
			if h := m.holds[d.order]; h.State != Locked || !h.Deadline.Equal(d.at) {
				continue // paid, over or extended since
			}
			dead = append(dead, d)
			if !slices.Contains(orders, d.order) {
				orders = append(orders, d.order)
			}
		}
		for _, d := range dead { // still due until the caller has moved them
			heap.Push(q, d)
		}
	}
	if len(keys) > 0 {
		for _, key := range keys {
			collect(m.due[key])
		}
		return orders, nil
	}
	for _, q := range m.due {
		collect(q)
	}
	return orders, nil
}

// Expire implements Store.
func (m *Memory) Expire(ctx context.Context, orders []string) ([]string, error) {
	now, end, err := m.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	dead := map[string]bool{}
	change, held := map[Key]int64{}, map[buyerKey]Usage{}
	var expired []string
	for _, order := range orders {
		hold := m.holds[order]
		if hold.State != Locked || !hold.dead(now) || dead[order] {
			continue
		}
		dead[order], expired = true, append(expired, order)
		for _, l := range hold.Lines {
			change[l.Key()] += l.Num
			buyer := buyerKey{l.Key(), hold.Buyer}
			held[buyer] = Usage{Held: held[buyer].Held + l.Num, Holds: held[buyer].Holds + 1}
		}
	}
	t := StepExpire.Transition()
	for key, num := range change { // all of them or none
		if _, err := m.items[key].after(t.Change.Times(num)); err != nil {
			return nil, err
		}
	}
	for key, usage := range held {
		if was := m.usages[key]; key.buyer != "" && (was.Held < usage.Held || was.Holds < usage.Holds) {
			return nil, ErrDrift
		}
	}
	for _, order := range expired {
		hold := m.holds[order]
		if err := m.move(t, &hold, now); err != nil {
			return nil, err
		}
	}
	return expired, nil
}

// Refund implements Store.
func (m *Memory) Refund(ctx context.Context, refund Refunding, was Hold) (Refunding, Verdict, error) {
	now, end, err := m.begin(ctx)
	if err != nil {
		return Refunding{}, Refused, err
	}
	defer end()
	if _, ok := m.refunds[refund.ID]; ok {
		return Refunding{}, Exists, nil
	}
	is := m.holds[was.Order]
	if is.State != was.State || is.Fence != was.Fence {
		return Refunding{}, Refused, nil
	}
	refund, hold, refusal := refund.Of(is)
	if refusal != nil {
		return Refunding{}, Refused, nil
	}
	step := StepDiscard
	if refund.Restock {
		step = StepRefund
	}
	items := make([]Item, len(refund.Lines))
	for i, l := range refund.Lines {
		if items[i], err = m.items[l.Key()].after(step.Transition().Change.Times(l.Num)); err != nil {
			return Refunding{}, Refused, err
		}
		if refund.Frees && hold.Buyer != "" && m.usages[buyerKey{l.Key(), hold.Buyer}].Bought < l.Num {
			return Refunding{}, Refused, ErrDrift
		}
	}
	for i, l := range refund.Lines {
		m.put(items[i], now)
		if refund.Frees && hold.Buyer != "" {
			key := buyerKey{l.Key(), hold.Buyer}
			u := m.usages[key]
			u.Bought -= l.Num
			m.usages[key] = u
		}
	}
	hold.UpdatedAt = now
	m.holds[hold.Order] = hold
	refund.Lines = slices.Clone(refund.Lines)
	m.refunds[refund.ID] = refund
	refund.Lines = slices.Clone(refund.Lines) // the caller's own
	return refund, Done, nil
}

// Refunding implements Store.
func (m *Memory) Refunding(ctx context.Context, id string) (Refunding, error) {
	_, end, err := m.begin(ctx)
	if err != nil {
		return Refunding{}, err
	}
	defer end()
	refund := m.refunds[id]
	refund.Lines = slices.Clone(refund.Lines)
	return refund, nil
}

// watch remembers when a hold dies.
func (m *Memory) watch(key Key, hold Hold) {
	q := m.due[key]
	if q == nil {
		q = &deadlines{}
		m.due[key] = q
	}
	heap.Push(q, deadline{hold.Deadline, hold.Order})
}

// deadline is when an order's hold dies; deadlines is a heap of them, the earliest first.
// An entry whose hold has moved on is dropped when it comes up.
type deadline struct {
	at    time.Time
	order string
}

type deadlines []deadline

func (d deadlines) Len() int           { return len(d) }
func (d deadlines) Less(i, j int) bool { return d[i].at.Before(d[j].at) }
func (d deadlines) Swap(i, j int)      { d[i], d[j] = d[j], d[i] }
func (d *deadlines) Push(x any)        { *d = append(*d, x.(deadline)) }
func (d *deadlines) Pop() any {
	last := (*d)[len(*d)-1]
	*d = (*d)[:len(*d)-1]
	return last
}
