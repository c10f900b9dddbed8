package stock

import (
	"cmp"
	"container/heap"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"
)

// Memory is a Store in the process: for tests, examples and single programs that may forget.
// The zero value is empty and ready; it must not be copied after first use. It is safe for
// concurrent use and gives the same results as the SQL store.
type Memory struct {
	// Clock is the store's clock; nil is time.Now. Set it before the first call.
	Clock func() time.Time

	mu      sync.Mutex
	items   map[Key]Item
	holds   map[string]Hold
	usages  map[buyerKey]Usage
	refunds map[string]Refunding
	changes map[changeKey]Change
	repairs map[Key]int64
	due     map[Key]*deadlines
}

type buyerKey struct {
	Key
	buyer int64
}

type changeKey struct {
	scope Kind
	id    string
}

// Scope returns the kind under which the IDs of a change are unique: an operator's kinds share
// KindRestock.
func (k Kind) Scope() Kind {
	if k == KindWithdraw || k == KindTransfer {
		return KindRestock
	}
	return k
}

// begin locks the store, makes the zero value usable and reads the clock.
func (m *Memory) begin(ctx context.Context) (now time.Time, end func(), err error) {
	if err := ctx.Err(); err != nil {
		return time.Time{}, nil, errors.Join(ErrUnavailable, err)
	}
	m.mu.Lock()
	if m.items == nil {
		m.items, m.holds, m.usages = map[Key]Item{}, map[string]Hold{}, map[buyerKey]Usage{}
		m.refunds, m.changes = map[string]Refunding{}, map[changeKey]Change{}
		m.repairs, m.due = map[Key]int64{}, map[Key]*deadlines{}
	}
	clock := m.Clock
	if clock == nil {
		clock = time.Now
	}
	return instant(clock()), m.mu.Unlock, nil
}

// Create implements Store.
func (m *Memory) Create(ctx context.Context, item Item) (Verdict, error) {
	now, end, err := m.begin(ctx)
	if err != nil {
		return Refused, err
	}
	defer end()
	if _, ok := m.items[item.Key]; ok {
		return Exists, nil
	}
	item.Version, item.CreatedAt, item.UpdatedAt = 1, now, now
	m.items[item.Key] = item
	m.define(item.Key, 1, item.Total)
	return Done, nil
}

// define records units that came or went by a definition.
func (m *Memory) define(key Key, version, total int64) {
	id := key.Serial(version)
	m.changes[changeKey{KindDefine, id}] = Change{Kind: KindDefine, ID: id, Entries: []Entry{{Key: key, Delta: Quantities{Total: total}}}}
}

// Change implements Store.
func (m *Memory) Change(ctx context.Context, from Item, to Terms, total int64) (Verdict, error) {
	now, end, err := m.begin(ctx)
	if err != nil {
		return Refused, err
	}
	defer end()
	item, ok := m.items[from.Key]
	if !ok {
		return Refused, nil
	}
	if from.Unlimited != to.Unlimited {
		_, taken := m.changes[changeKey{KindDefine, item.Serial(from.Version + 1)}]
		if taken || item.Unlimited != from.Unlimited || item.Total != from.Total || !to.Unlimited && total-item.Sold < item.Locked {
			return Refused, nil
		}
		m.define(item.Key, from.Version+1, total-item.Total)
		item.Total, item.Left = total, 0
		if !to.Unlimited {
			item.Left = total - item.Sold
		}
	} else if item.Unlimited != to.Unlimited {
		return Refused, nil
	}
	item.Terms = to
	m.put(item, now)
	return Done, nil
}

// put keeps an item that changed.
func (m *Memory) put(item Item, now time.Time) {
	item.Version++
	item.UpdatedAt = now
	m.items[item.Key] = item
}

// Items implements Store.
func (m *Memory) Items(ctx context.Context, buyer int64, keys []Key) ([]Standing, time.Time, error) {
	now, end, err := m.begin(ctx)
	if err != nil {
		return nil, time.Time{}, err
	}
	defer end()
	standings := make([]Standing, len(keys))
	for i, key := range keys {
		standings[i] = m.standing(key, buyer)
	}
	return standings, now, nil
}

// standing returns an item and what a buyer has of it.
func (m *Memory) standing(key Key, buyer int64) Standing {
	s := Standing{Item: m.items[key]}
	s.Key = key
	if buyer != 0 {
		s.Usage = m.usages[buyerKey{key, buyer}]
	}
	return s
}

// List implements Store.
func (m *Memory) List(ctx context.Context, after Key, limit int) ([]Item, error) {
	_, end, err := m.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	var items []Item
	for key, item := range m.items {
		if key.Compare(after) > 0 {
			items = append(items, item)
		}
	}
	slices.SortFunc(items, func(a, b Item) int { return a.Compare(b.Key) })
	return items[:min(limit, len(items))], nil
}

// Lock implements Store.
func (m *Memory) Lock(ctx context.Context, order Order, holdFor time.Duration) (Hold, Verdict, error) {
	now, end, err := m.begin(ctx)
	if err != nil {
		return Hold{}, Refused, err
	}
	defer end()
	if _, ok := m.holds[order.ID]; ok {
		return Hold{}, Exists, nil
	}
	hold := Hold{Order: order.ID, Buyer: order.Buyer, Deadline: now.Add(holdFor), LockedAt: now}
	for _, l := range order.Lines {
		if m.standing(l.Key(), order.Buyer).refuses(l, order.Buyer, now) != nil {
			return Hold{}, Refused, nil
		}
		hold.Lines = append(hold.Lines, HoldLine{Line: l})
	}
	if err := m.move(StepLock.Transition(), &hold, now); err != nil {
		return Hold{}, Refused, err
	}
	for _, l := range order.Lines {
		m.watch(l.Key(), hold)
	}
	return clone(hold), Done, nil
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
		if hold.Buyer != 0 && usages[i].negative() {
			return ErrDrift
		}
	}
	for i, l := range hold.Lines {
		if t.Change != (Quantities{}) {
			m.put(items[i], now)
		}
		if hold.Buyer != 0 {
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
		if was := m.usages[key]; key.buyer != 0 && (was.Held < usage.Held || was.Holds < usage.Holds) {
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
func (m *Memory) Refund(ctx context.Context, refund Refunding, was Hold, to State) (Verdict, error) {
	now, end, err := m.begin(ctx)
	if err != nil {
		return Refused, err
	}
	defer end()
	if _, ok := m.refunds[refund.ID]; ok {
		return Exists, nil
	}
	hold := m.holds[was.Order]
	if hold.State != was.State || hold.Fence != was.Fence || !slices.Equal(hold.Lines, was.Lines) {
		return Refused, nil
	}
	hold = clone(hold)
	step := StepDiscard
	if refund.Restock {
		step = StepRefund
	}
	items := make([]Item, len(refund.Lines))
	for i, l := range refund.Lines {
		if items[i], err = m.items[l.Key()].after(step.Transition().Change.Times(l.Num)); err != nil {
			return Refused, err
		}
		if refund.Frees && hold.Buyer != 0 && m.usages[buyerKey{l.Key(), hold.Buyer}].Bought < l.Num {
			return Refused, ErrDrift
		}
	}
	for i, l := range refund.Lines {
		m.put(items[i], now)
		line := &hold.Lines[slices.IndexFunc(hold.Lines, func(h HoldLine) bool { return h.Key() == l.Key() })]
		line.Refunded += l.Num
		if refund.Restock {
			line.Restocked += l.Num
		}
		if refund.Frees {
			line.Freed += l.Num
			if hold.Buyer != 0 {
				key := buyerKey{l.Key(), hold.Buyer}
				u := m.usages[key]
				u.Bought -= l.Num
				m.usages[key] = u
			}
		}
	}
	hold.State, hold.UpdatedAt = to, now
	m.holds[hold.Order] = hold
	refund.Lines = slices.Clone(refund.Lines)
	m.refunds[refund.ID] = refund
	return Done, nil
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

// Apply implements Store.
func (m *Memory) Apply(ctx context.Context, change Change) (Verdict, error) {
	now, end, err := m.begin(ctx)
	if err != nil {
		return Refused, err
	}
	defer end()
	id := changeKey{change.Kind.Scope(), change.ID}
	if _, ok := m.changes[id]; ok {
		return Exists, nil
	}
	items, usages := map[Key]Item{}, map[buyerKey]Usage{}
	for _, e := range change.Entries {
		if e.Buyer != 0 {
			u := m.usages[buyerKey{e.Key, e.Buyer}]
			u.Held, u.Bought, u.Holds = u.Held+e.Delta.Locked, u.Bought+e.Delta.Sold, u.Holds+e.Holds
			if u.negative() {
				return Refused, nil
			}
			usages[buyerKey{e.Key, e.Buyer}] = u
			continue
		}
		item, ok := m.items[e.Key]
		if !ok || item.Unlimited && e.Delta.Total != 0 || e.Exactly && item.Available() != -e.Delta.Left {
			return Refused, nil
		}
		q, err := item.Plus(e.Delta)
		if err != nil || !q.Valid(item.Terms) {
			return Refused, nil
		}
		item.Quantities = q
		items[e.Key] = item
	}
	for _, item := range items {
		m.put(item, now)
		if change.Kind == KindRepair {
			m.repairs[item.Key]++
		}
	}
	maps.Copy(m.usages, usages)
	change.Entries = slices.Clone(change.Entries)
	m.changes[id] = change
	return Done, nil
}

// Applied implements Store.
func (m *Memory) Applied(ctx context.Context, kind Kind, id string) (Change, error) {
	_, end, err := m.begin(ctx)
	if err != nil {
		return Change{}, err
	}
	defer end()
	change := m.changes[changeKey{kind.Scope(), id}]
	change.Entries = slices.Clone(change.Entries)
	return change, nil
}

// Book implements Store.
func (m *Memory) Book(ctx context.Context, key Key) (Book, error) {
	_, end, err := m.begin(ctx)
	if err != nil {
		return Book{}, err
	}
	defer end()
	book := Book{Item: m.items[key], Repairs: m.repairs[key]}
	for _, c := range m.changes {
		for _, e := range c.Entries {
			if e.Key == key && c.Kind != KindRepair {
				book.Recount.Total += e.Delta.Total
			}
		}
	}
	buyers := map[int64]Usage{}
	for _, h := range m.holds {
		for _, l := range h.Lines {
			if l.Key() != key {
				continue
			}
			weight := h.State.Weight()
			book.Recount.Locked += weight.Locked * l.Num
			book.Recount.Sold += weight.Sold * (l.Num - l.Restocked)
			book.Recount.Refunded += l.Refunded
			if h.Buyer != 0 {
				u := buyers[h.Buyer]
				u.Held += weight.Locked * l.Num
				u.Bought += weight.Sold * (l.Num - l.Freed)
				u.Holds += weight.Locked
				buyers[h.Buyer] = u
			}
		}
	}
	for k := range m.usages {
		if _, ok := buyers[k.buyer]; k.Key == key && !ok {
			buyers[k.buyer] = Usage{} // no hold names it
		}
	}
	for buyer, recount := range buyers {
		if usage := m.usages[buyerKey{key, buyer}]; usage != recount {
			book.Buyers = append(book.Buyers, BuyerBook{Buyer: buyer, Usage: usage, Recount: recount})
		}
	}
	slices.SortFunc(book.Buyers, func(a, b BuyerBook) int { return cmp.Compare(a.Buyer, b.Buyer) })
	return book, nil
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

var _ Store = (*Memory)(nil)
