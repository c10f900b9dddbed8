package sqlstore

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
	"github.com/holdfast-go/holdfast/stock"
)

// lockRounds bounds how often a batch is tried: as it came, and with what a look at the item and
// at the orders has left of it. What is in the way of others then goes alone.
const lockRounds = 4

// lockKey is what Locks are merged by: the item, and whether the units are sold at once.
type lockKey struct {
	stock.Key
	taken bool
}

// lockCall is a Lock or a Take as it waits for its batch.
type lockCall struct {
	order   stock.Order
	holdFor time.Duration
	carried
}

// key is what it is merged by.
func (c lockCall) key() lockKey { return lockKey{c.line().Key(), c.order.Immediate} }

// transition is that of each of its units.
func (c lockCall) transition() stock.Transition { return c.order.Step().Transition() }

// line returns the one line of an order that is merged.
func (c lockCall) line() stock.Line { return c.order.Lines[0] }

// lockAnswer is what became of it: what a stock.LockResult says, in less.
type lockAnswer struct {
	verdict stock.Verdict
	at      time.Time         // when it was Done
	kept    []stock.Companion // and what was kept beside it
	why     error             // why it was Refused
}

// result returns what the answer says.
func (c lockCall) result(a lockAnswer) stock.LockResult {
	if a.verdict != stock.Done {
		return stock.LockResult{Verdict: a.verdict, Why: a.why}
	}
	hold := stock.Hold{
		Order: c.order.ID, Buyer: c.order.Buyer, State: c.transition().To,
		Deadline: c.order.Deadline(a.at, c.holdFor), LockedAt: a.at, UpdatedAt: a.at, Beside: a.kept,
	}
	if c.order.Immediate {
		hold.PaidAt = a.at
	}
	hold.Lines = make([]stock.HoldLine, len(c.order.Lines))
	for i, l := range c.order.Lines {
		hold.Lines[i].Line = l
	}
	return stock.LockResult{Verdict: stock.Done, Hold: hold}
}

// lockBatch locks orders of one item together: one INSERT of all holds, one guarded UPDATE of the
// hot row by their sum, one commit. If that does not go, it looks at the item, and leaves in, by
// arrival, what fits.
func (s *Stock) lockBatch(ctx context.Context, key lockKey, calls []lockCall) ([]reply[lockAnswer], error) {
	b := &lockBatch{store: s, key: key, calls: calls, in: make([]int, len(calls)), replies: make([]reply[lockAnswer], len(calls))}
	for i := range calls {
		b.in[i] = i
	}
	seen, look := s.sights.recent(key.Key) // another batch may have looked while this one waited
	for range lockRounds {
		if look {
			b.rejoin()
		}
		if look && len(b.in) > 0 {
			if err := b.sift(ctx, seen); err != nil {
				return nil, err
			}
			seen = nil
		}
		if len(b.in) == 0 {
			return b.finish(), nil
		}
		done, err := b.try(ctx)
		if r, ok := fault.As[*refusals](err); ok { // once more without them, as it is
			b.refuse(r)
			look = false
			continue
		}
		if err != nil {
			return nil, err
		}
		if done {
			return b.finish(), nil
		}
		look = true
	}
	b.split()
	return b.finish(), nil
}

// lockAlone is a batch of one, on its caller's context.
func (s *Stock) lockAlone(ctx context.Context, key lockKey, call lockCall) (lockAnswer, error) {
	replies, err := s.lockBatch(ctx, key, []lockCall{call})
	switch {
	case err != nil:
		return lockAnswer{}, err
	case replies[0].alone:
		return s.lock(ctx, call)
	}
	return replies[0].answer, nil
}

// lockBatch is a batch that gets smaller until it goes.
type lockBatch struct {
	store   *Stock
	key     lockKey
	calls   []lockCall
	in      []int // the calls that are still in it, in the order of arrival
	again   []int // the calls whose order came before
	behind  []int // the calls that are refused because of others that are still in it, as long as it goes
	replies []reply[lockAnswer]
}

// rejoin takes those back in that were refused because of others: the batch has not gone, and it may have
// been the very order of one of them, made elsewhere, that was in its way.
func (b *lockBatch) rejoin() {
	for _, i := range b.behind {
		b.replies[i] = reply[lockAnswer]{}
	}
	b.in = append(b.in, b.behind...)
	slices.Sort(b.in)
	b.behind = nil
}

// refuse answers those whom a companion has refused, as long as the others go.
func (b *lockBatch) refuse(r *refusals) {
	var in []int
	for n, i := range b.in {
		if r.why[n] == nil {
			in = append(in, i)
			continue
		}
		b.replies[i].answer = lockAnswer{verdict: stock.Refused, why: r.why[n]}
		b.behind = append(b.behind, i)
	}
	b.in = in
}

// once leaves each order in once, and notes what comes twice.
func (b *lockBatch) once() {
	seen := make(map[string]bool, len(b.in))
	b.in = slices.DeleteFunc(b.in, func(i int) bool {
		order := b.calls[i].order.ID
		twice := seen[order]
		if seen[order] = true; twice {
			b.again = append(b.again, i)
		}
		return twice
	})
}

// finish answers what comes twice: the order exists, or it goes alone behind the first.
func (b *lockBatch) finish() []reply[lockAnswer] {
	if len(b.again) == 0 {
		return b.replies
	}
	exists := map[string]bool{}
	for i, c := range b.calls {
		if v := b.replies[i].answer.verdict; v == stock.Done || v == stock.Exists {
			exists[c.order.ID] = true
		}
	}
	for _, i := range b.again {
		if exists[b.calls[i].order.ID] {
			b.replies[i].answer.verdict = stock.Exists
		} else {
			b.replies[i].alone = true
		}
	}
	return b.replies
}

// try makes the batch one transaction and reports whether it went.
func (b *lockBatch) try(ctx context.Context) (bool, error) {
	calls := make([]lockCall, len(b.in))
	for i, at := range b.in {
		calls[i] = b.calls[at]
	}
	var lockedAt time.Time
	kept, err := b.store.atomically(ctx, func(q Tx) (ok bool, err error) {
		lockedAt, ok, err = b.store.lockMany(ctx, q, b.key, calls)
		return ok, err
	})
	switch n := number(err); {
	case n == errDuplicate && len(calls) == 1: // the INSERT has waited for the order to be committed
		b.replies[b.in[0]].answer.verdict = stock.Exists
		b.in = nil
		return false, nil
	case n == errDuplicate: // an order is known, or came twice
		b.once()
		return false, nil
	case n == errOutOfRange: // a buyer has as much as can be counted
		return false, nil
	case refusedBy(err):
		return false, err
	case errors.Is(err, fault.ErrDrift), errors.Is(err, fault.ErrOverflow): // the books of one, maybe
		b.split()
		return false, nil
	case err != nil || !kept:
		return false, err
	}
	b.store.sights.forget(b.key.Key)
	for n, i := range b.in {
		b.replies[i].answer = lockAnswer{verdict: stock.Done, at: lockedAt, kept: calls[n].kept}
	}
	return true, nil
}

// lockMany locks orders of one item within a transaction, and reports whether all of them went. More than
// MaxBatchSize take several rounds of the item's row, which nobody else comes between.
func (s *Stock) lockMany(ctx context.Context, q Tx, key lockKey, calls []lockCall) (at time.Time, ok bool, err error) {
	if err := beforeAll(ctx, s, q, calls); err != nil {
		return at, false, err
	}
	if at, err = s.claim(ctx, q, calls...); err != nil {
		return at, false, err
	}
	for part := range slices.Chunk(calls, MaxBatchSize) {
		if usages, _ := usagesOf(part); len(usages) > 0 {
			if _, err := q.ExecContext(ctx, s.sql.countHolds(usages)); err != nil {
				return at, false, err
			}
		}
	}
	for part := range slices.Chunk(calls, MaxBatchSize) {
		sum, largest := int64(0), int64(0)
		for _, c := range part {
			if sum, ok = input.Add(sum, c.line().Num); !ok {
				return at, false, nil
			}
			largest = max(largest, c.line().Num)
		}
		usages, anonymous := usagesOf(part)
		rows, err := affected(q.ExecContext(ctx, s.sql.lockItem(key, sum, largest, anonymous, usages)))
		if err != nil || rows == 0 {
			return at, false, err
		}
	}
	return at, true, s.locked(ctx, q, at, calls)
}

// split sends those that are still in the batch alone, and those that were refused because of them.
func (b *lockBatch) split() {
	b.rejoin()
	for _, i := range b.in {
		b.replies[i].alone = true
	}
	b.in = nil
}

// buyerUsage is what a batch adds to what one buyer has of one item.
type buyerUsage struct {
	buyerKey
	stock.Usage
}

// usagesOf adds up what some Locks add to their buyers, in the order of the primary key, and reports whether one of them names none.
func usagesOf(calls []lockCall) (usages []buyerUsage, anonymous bool) {
	for _, c := range calls {
		if c.order.Buyer == "" {
			anonymous = true
			continue
		}
		for _, l := range c.order.Lines {
			usages = append(usages, buyerUsage{buyerKey{l.Key(), c.order.Buyer}, usageOf(c.transition().Delta, l.Num)})
		}
	}
	slices.SortFunc(usages, func(a, b buyerUsage) int { return a.compare(b.buyerKey) })
	merged := usages[:0]
	for _, u := range usages {
		if n := len(merged); n > 0 && merged[n-1].buyerKey == u.buyerKey {
			merged[n-1].Usage = plusUsage(merged[n-1].Usage, u.Usage) // their sum was checked
			continue
		}
		merged = append(merged, u)
	}
	return merged, anonymous
}

// sift answers the orders that are known and those that the item refuses, and leaves the others in,
// in the order of arrival: the guard has the last word on them. The orders are looked up after the
// item, since the same Lock made elsewhere may be what has used it up. It goes by a sight of before
// as long as that may be told.
func (b *lockBatch) sift(ctx context.Context, seen *sight) error {
	if seen != nil && !limitsBuyers(seen.item) { // a hold of a buyer may have died since
		usages, known, now, err := b.others(ctx, seen.item)
		if err != nil {
			return err
		}
		if seen.holdsAt(now, b.store.sights.soldOutFor) {
			b.admit(sight{item: seen.item, now: now, next: seen.next}, usages, known)
			return nil
		}
	}
	saw := b.store.sights.looking(b.key.Key)
	s, err := b.store.look(ctx, b.key.Key)
	if err != nil {
		return err
	}
	usages, known, _, err := b.others(ctx, s.item)
	if err != nil {
		return err
	}
	saw(&s, b.admit(s, usages, known))
	return nil
}

// others reads what the buyers of the batch have of an item, where it limits them, which of the
// orders have a hold or were closed, and the clock.
func (b *lockBatch) others(ctx context.Context, item stock.Item) (map[string]stock.Usage, map[string]presence, time.Time, error) {
	var buyers []string
	orders := make([]string, len(b.in))
	for i, at := range b.in {
		order := b.calls[at].order
		orders[i] = order.ID
		if order.Buyer != "" && limitsBuyers(item) {
			buyers = append(buyers, order.Buyer)
		}
	}
	usages, err := b.store.usages(ctx, b.key.Key, buyers)
	if err != nil {
		return nil, nil, time.Time{}, err
	}
	known, now, err := b.store.known(ctx, orders)
	return usages, known, now, err
}

// admit answers what is known and what is refused at the moment of a sight. Where the item has a dead
// hold, a refusal comes without its reason: it is released first.
func (b *lockBatch) admit(s sight, usages map[string]stock.Usage, known map[string]presence) (refused bool) {
	var in []int
	admitted := map[string]bool{} // of which the same order may not be in the way of itself
	for _, i := range b.in {
		c := b.calls[i]
		switch {
		case known[c.order.ID] == held:
			b.replies[i].answer.verdict = stock.Exists
			continue
		case known[c.order.ID] == underWay: // its INSERT waits for that, and keeps the others waiting
			b.replies[i].alone = true
			continue
		case admitted[c.order.ID]:
			b.again = append(b.again, i)
			continue
		}
		standing := stock.ItemUsage{Item: s.item, Usage: usages[c.order.Buyer]}
		if why := standing.Refuses(c.order.Step(), c.line(), c.order.Buyer, s.now); why != nil {
			refused = true
			if s.dead(s.now) {
				why = nil
			}
			b.replies[i].answer = lockAnswer{verdict: stock.Refused, why: why}
			if len(in) > 0 {
				b.behind = append(b.behind, i)
			}
			continue
		}
		if why := c.order.Lapsed(s.now); why != nil { // which leaves the units to those behind it
			b.replies[i].answer = lockAnswer{verdict: stock.Refused, why: why}
			continue
		}
		change, num := c.transition().Delta, c.line().Num
		after, err := s.item.Plus(change.Times(num).For(s.item.Terms))
		if err != nil { // it cannot: the item lets it
			b.replies[i].alone = true
			continue
		}
		s.item.Quantities = after
		if c.order.Buyer != "" {
			usages[c.order.Buyer] = plusUsage(standing.Usage, usageOf(change, num))
		}
		admitted[c.order.ID] = true
		in = append(in, i)
	}
	b.in = in
	return refused
}
