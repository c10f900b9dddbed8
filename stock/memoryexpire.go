package stock

import (
	"container/heap"
	"context"
	"errors"
	"maps"
	"slices"
	"time"
)

// Due implements Store.
func (m *Memory) Due(ctx context.Context, keys []Key, limit int) (orders []string, err error) {
	err = m.read(ctx, func(b *books, now time.Time) {
		if len(keys) == 0 {
			keys = slices.Collect(maps.Keys(b.due))
		}
		for _, key := range keys {
			q := b.due[key]
			var dead []deadline
			for q != nil && len(orders) < limit && q.Len() > 0 && !now.Before((*q)[0].at) {
				d := heap.Pop(q).(deadline)
				if h := b.holds[d.order]; h.State != Locked || !h.Deadline.Equal(d.at) || h.units(key) == 0 {
					continue // paid, over, extended or amended since
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
	})
	return orders, err
}

// Expire implements Store.
func (m *Memory) Expire(ctx context.Context, orders []string) ([]string, error) {
	b, now, end, err := m.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	var dead []Hold
	known := map[string]bool{}
	for _, order := range orders {
		if hold := b.holds[order]; hold.State == Locked && hold.dead(now) && !known[order] {
			known[order] = true
			dead = append(dead, hold)
		}
	}
	return m.expire(b, dead, now)
}

// expire applies StepExpire to dead holds, and returns the orders of those that nothing keeps. Companions are told of all
// at once, or of each by itself where they refuse that.
func (m *Memory) expire(b *books, dead []Hold, now time.Time) (expired []string, err error) {
	var errs []error
	var calls []*CompanionCall
	r := release{books: b, nums: map[Key]int64{}, held: map[buyerKey]Usage{}}
	for _, hold := range dead {
		if err := r.add(hold); err != nil {
			errs = append(errs, err)
			continue
		}
		hold = clone(hold)
		hold.State, hold.UpdatedAt = Expired, now
		calls = append(calls, &CompanionCall{Step: StepExpire, Hold: hold})
	}
	if len(calls) == 0 {
		return nil, errors.Join(errs...)
	}
	keep, err := m.tell(now, calls, MemoryCompanions.Moved)
	if err != nil && len(dead) == 1 {
		return nil, err
	}
	if err != nil {
		errs = nil // they come again
		for _, hold := range dead {
			one, err := m.expire(b, []Hold{hold}, now)
			expired, errs = append(expired, one...), append(errs, err)
		}
		return expired, errors.Join(errs...)
	}
	for _, call := range calls {
		moved, err := b.plan(StepExpire.Transition(), b.holds[call.Hold.Order], now)
		if err != nil { // it cannot: r has added it
			return expired, err
		}
		moved.keep(b)
		expired = append(expired, call.Hold.Order)
	}
	keep()
	return expired, errors.Join(errs...)
}

// release is what some holds give back together.
type release struct {
	*books

	nums map[Key]int64
	held map[buyerKey]Usage
}

// add adds a hold, unless the books do not let it expire with the others.
func (r *release) add(hold Hold) error {
	step := StepExpire.Transition().Delta
	for _, l := range hold.Lines {
		if _, err := r.items[l.Key()].after(step.Times(r.nums[l.Key()] + l.Num)); err != nil {
			return err
		}
		key := buyerKey{l.Key(), hold.Buyer}
		if was, gives := r.usages[key], r.held[key]; hold.Buyer != "" && (was.Held < gives.Held+l.Num || was.Holds < gives.Holds+1) {
			return ErrDrift
		}
	}
	for _, l := range hold.Lines {
		key := buyerKey{l.Key(), hold.Buyer}
		r.nums[l.Key()] += l.Num
		r.held[key] = Usage{Held: r.held[key].Held + l.Num, Holds: r.held[key].Holds + 1}
	}
	return nil
}

// watch remembers when a hold dies.
func (b *books) watch(hold Hold) {
	for _, l := range hold.Lines {
		q := b.due[l.Key()]
		if q == nil {
			q = &deadlines{}
			b.due[l.Key()] = q
		}
		heap.Push(q, deadline{hold.Deadline, hold.Order})
	}
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
