package ledger

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
	"github.com/holdfast-go/holdfast/sqlstore/internal/batch"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// lockRounds bounds how often a batch is tried: first as it came, then with the calls that a look at the item and at
// the orders has left. After that its calls go alone.
const lockRounds = 4

// LockKey is what Locks are merged by: the item, and whether the units are sold at once.
type LockKey struct {
	stock.Key
	Taken bool
}

// LockCall is a Lock or a Take as it waits for its batch.
type LockCall struct {
	Order   stock.Order
	HoldFor time.Duration
	Carried
}

// Key is what it is merged by.
func (c LockCall) Key() LockKey { return LockKey{c.Line().Key(), c.Order.Immediate} }

// transition returns the transition of each of its units.
func (c LockCall) transition() stock.Transition { return c.Order.Step().Transition() }

// Line returns the one line of an order that is merged.
func (c LockCall) Line() stock.Line { return c.Order.Lines[0] }

// LockAnswer is the outcome of a LockCall: a stock.LockResult in fewer fields.
type LockAnswer struct {
	Verdict stock.Verdict
	at      time.Time         // when it was Done
	kept    []stock.Companion // and what was kept beside it
	Why     error             // why it was Refused
	dead    bool              // it was Refused, and the item has dead holds
}

// Result returns what the answer says.
func (c LockCall) Result(a LockAnswer) stock.LockResult {
	if a.Verdict != stock.Done {
		return stock.LockResult{Verdict: a.Verdict, Why: a.Why, Dead: a.dead}
	}
	hold := stock.Hold{
		Order: c.Order.ID, Buyer: c.Order.Buyer, State: c.transition().To,
		Deadline: c.Order.Deadline(a.at, c.HoldFor), LockedAt: a.at, UpdatedAt: a.at, Beside: a.kept,
	}
	if c.Order.Immediate {
		hold.PaidAt = a.at
	}
	hold.Lines = make([]stock.HoldLine, len(c.Order.Lines))
	for i, l := range c.Order.Lines {
		hold.Lines[i].Line = l
	}
	return stock.LockResult{Verdict: stock.Done, Hold: hold}
}

// LockBatch locks orders of one item together: one INSERT of all holds, one guarded UPDATE of the hot row by their
// sum, one commit. If that fails, it looks at the item and keeps the calls that fit, in the order of arrival.
func (s *Store) LockBatch(ctx context.Context, key LockKey, calls []LockCall) ([]batch.Reply[LockAnswer], error) {
	b := &LockBatch{Store: s, Key: key, Calls: calls, In: make([]int, len(calls)), Replies: make([]batch.Reply[LockAnswer], len(calls))}
	for i := range calls {
		b.In[i] = i
	}
	seen, look := s.SoldOut.recent(key.Key) // another batch may have looked while this one waited
	for range lockRounds {
		if look {
			b.rejoin()
		}
		if look && len(b.In) > 0 {
			if err := b.sift(ctx, seen); err != nil {
				return nil, err
			}
			seen = nil
		}
		if len(b.In) == 0 {
			return b.finish(), nil
		}
		done, err := b.try(ctx)
		if r, ok := fault.As[*mysql.RefusalError](err); ok { // once more without them, as it is
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
func (s *Store) lockAlone(ctx context.Context, key LockKey, call LockCall) (LockAnswer, error) {
	replies, err := s.LockBatch(ctx, key, []LockCall{call})
	switch {
	case err != nil:
		return LockAnswer{}, err
	case replies[0].Alone:
		return s.lock(ctx, call)
	}
	return replies[0].Answer, nil
}

// LockBatch is a batch that shrinks until it succeeds.
type LockBatch struct {
	Store   *Store
	Key     LockKey
	Calls   []LockCall
	In      []int // the calls that are still in it, in the order of arrival
	again   []int // the calls whose order came before
	behind  []int // the calls that are refused because of others that are still in it, as long as it goes
	Replies []batch.Reply[LockAnswer]
}

// rejoin takes back the calls that were refused because of others. The batch has failed, and the order of one of these
// calls, made elsewhere, may be what was in its way.
func (b *LockBatch) rejoin() {
	for _, i := range b.behind {
		b.Replies[i] = batch.Reply[LockAnswer]{}
	}
	b.In = append(b.In, b.behind...)
	slices.Sort(b.In)
	b.behind = nil
}

// refuse answers the calls that a companion has refused, provided that the others succeed.
func (b *LockBatch) refuse(r *mysql.RefusalError) {
	var in []int
	for n, i := range b.In {
		if r.Why[n] == nil {
			in = append(in, i)
			continue
		}
		b.Replies[i].Answer = LockAnswer{Verdict: stock.Refused, Why: r.Why[n]}
		b.behind = append(b.behind, i)
	}
	b.In = in
}

// once keeps one call of each order in the batch, and notes the repeated ones.
func (b *LockBatch) once() {
	seen := make(map[string]bool, len(b.In))
	b.In = slices.DeleteFunc(b.In, func(i int) bool {
		order := b.Calls[i].Order.ID
		twice := seen[order]
		if seen[order] = true; twice {
			b.again = append(b.again, i)
		}
		return twice
	})
}

// finish answers the repeated calls: the order exists, or the call goes alone after the first.
func (b *LockBatch) finish() []batch.Reply[LockAnswer] {
	if len(b.again) == 0 {
		return b.Replies
	}
	exists := map[string]bool{}
	for i, c := range b.Calls {
		if v := b.Replies[i].Answer.Verdict; v == stock.Done || v == stock.Exists {
			exists[c.Order.ID] = true
		}
	}
	for _, i := range b.again {
		if exists[b.Calls[i].Order.ID] {
			b.Replies[i].Answer.Verdict = stock.Exists
		} else {
			b.Replies[i].Alone = true
		}
	}
	return b.Replies
}

// try runs the batch as one transaction and reports whether it succeeded.
func (b *LockBatch) try(ctx context.Context) (bool, error) {
	calls := make([]LockCall, len(b.In))
	for i, at := range b.In {
		calls[i] = b.Calls[at]
	}
	var lockedAt time.Time
	kept, err := b.Store.Atomically(ctx, func(q mysql.Tx) (ok bool, err error) {
		lockedAt, ok, err = b.Store.LockMany(ctx, q, b.Key, calls)
		return ok, err
	})
	switch n := mysql.Number(err); {
	case n == mysql.ErrDuplicate && len(calls) == 1: // the INSERT has waited for the order to be committed
		b.Replies[b.In[0]].Answer.Verdict = stock.Exists
		b.In = nil
		return false, nil
	case n == mysql.ErrDuplicate: // an order is known, or came twice
		b.once()
		return false, nil
	case n == mysql.ErrOutOfRange: // a buyer has as much as can be counted
		return false, nil
	case mysql.RefusedBy(err):
		return false, err
	case errors.Is(err, fault.ErrDrift), errors.Is(err, fault.ErrOverflow): // the books of one, maybe
		b.split()
		return false, nil
	case err != nil || !kept:
		return false, err
	}
	b.Store.SoldOut.forget(b.Key.Key)
	for n, i := range b.In {
		b.Replies[i].Answer = LockAnswer{Verdict: stock.Done, at: lockedAt, kept: calls[n].Kept}
	}
	return true, nil
}

// LockMany locks orders of one item within a transaction, and reports whether all of them succeeded. More than
// mysql.MaxList orders take several updates of the item's row; nobody else comes between them.
func (s *Store) LockMany(ctx context.Context, q mysql.Tx, key LockKey, calls []LockCall) (at time.Time, ok bool, err error) {
	if err := beforeAll(ctx, s, q, calls); err != nil {
		return at, false, err
	}
	if at, err = s.claim(ctx, q, calls...); err != nil {
		return at, false, err
	}
	for part := range slices.Chunk(calls, mysql.MaxList) {
		if usages, _ := usagesOf(part); len(usages) > 0 {
			if _, err := q.ExecContext(ctx, s.SQL.countHolds(usages)); err != nil {
				return at, false, err
			}
		}
	}
	for part := range slices.Chunk(calls, mysql.MaxList) {
		sum, largest := int64(0), int64(0)
		for _, c := range part {
			if sum, ok = input.Add(sum, c.Line().Num); !ok {
				return at, false, nil
			}
			largest = max(largest, c.Line().Num)
		}
		usages, anonymous := usagesOf(part)
		rows, err := mysql.Affected(q.ExecContext(ctx, s.SQL.lockItem(key, sum, largest, anonymous, usages)))
		if err != nil || rows == 0 {
			return at, false, err
		}
	}
	return at, true, s.tellLocked(ctx, q, at, calls)
}

// split makes the calls that are still in the batch go alone, and the calls that were refused because of them.
func (b *LockBatch) split() {
	b.rejoin()
	for _, i := range b.In {
		b.Replies[i].Alone = true
	}
	b.In = nil
}

// buyerUsage is what a batch adds to what one buyer has of one item.
type buyerUsage struct {
	buyerKey
	stock.Usage
}

// usagesOf adds up what some Locks add to their buyers, in the order of the primary key, and reports whether one of them names none.
func usagesOf(calls []LockCall) (usages []buyerUsage, anonymous bool) {
	for _, c := range calls {
		if c.Order.Buyer == "" {
			anonymous = true
			continue
		}
		for _, l := range c.Order.Lines {
			usages = append(usages, buyerUsage{buyerKey{l.Key(), c.Order.Buyer}, usageOf(c.transition().Delta, l.Num)})
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

// sift answers the orders that are known and those that the item refuses. The others stay in the batch, in the order
// of arrival: the guard has the last word on them. The orders are looked up after the item, since the same Lock made
// elsewhere may be what has used it up. It reuses a remembered entry while that is fresh.
func (b *LockBatch) sift(ctx context.Context, seen *Entry) error {
	if seen != nil && !limitsBuyers(seen.Item) { // a hold of a buyer may have died since
		usages, known, now, err := b.Others(ctx, seen.Item)
		if err != nil {
			return err
		}
		if seen.freshAt(now, b.Store.SoldOut.soldOutFor) {
			b.Admit(Entry{Item: seen.Item, now: now, Next: seen.Next}, usages, known)
			return nil
		}
	}
	put := b.Store.SoldOut.renew(b.Key.Key)
	s, err := b.Store.Look(ctx, b.Key.Key)
	if err != nil {
		return err
	}
	usages, known, _, err := b.Others(ctx, s.Item)
	if err != nil {
		return err
	}
	put(&s, b.Admit(s, usages, known))
	return nil
}

// Others reads what the buyers of the batch have of an item, where it limits them, which of the
// orders have a hold or were closed, and the clock.
func (b *LockBatch) Others(ctx context.Context, item stock.Item) (map[string]stock.Usage, map[string]Presence, time.Time, error) {
	var buyers []string
	orders := make([]string, len(b.In))
	for i, at := range b.In {
		order := b.Calls[at].Order
		orders[i] = order.ID
		if order.Buyer != "" && limitsBuyers(item) {
			buyers = append(buyers, order.Buyer)
		}
	}
	usages, err := b.Store.usages(ctx, b.Key.Key, buyers)
	if err != nil {
		return nil, nil, time.Time{}, err
	}
	known, now, err := b.Store.known(ctx, orders)
	return usages, known, now, err
}

// Admit answers the calls that are known or refused at the moment of an entry. Where the item has a dead hold, a
// refusal has no reason: the hold is released first.
func (b *LockBatch) Admit(s Entry, usages map[string]stock.Usage, known map[string]Presence) (refused bool) {
	var in []int
	admitted := map[string]bool{} // of which the same order may not be in the way of itself
	for _, i := range b.In {
		c := b.Calls[i]
		switch {
		case known[c.Order.ID] == held:
			b.Replies[i].Answer.Verdict = stock.Exists
			continue
		case known[c.Order.ID] == UnderWay: // its INSERT waits for that, and keeps the others waiting
			b.Replies[i].Alone = true
			continue
		case admitted[c.Order.ID]:
			b.again = append(b.again, i)
			continue
		}
		standing := stock.ItemUsage{Item: s.Item, Usage: usages[c.Order.Buyer]}
		if why := standing.Refuses(c.Order.Step(), c.Line(), c.Order.Buyer, s.now); why != nil {
			refused = true
			dead := s.dead(s.now)
			if dead {
				why = nil
			}
			b.Replies[i].Answer = LockAnswer{Verdict: stock.Refused, Why: why, dead: dead}
			if len(in) > 0 {
				b.behind = append(b.behind, i)
			}
			continue
		}
		if why := c.Order.Lapsed(s.now); why != nil { // the units are left to the calls behind it
			b.Replies[i].Answer = LockAnswer{Verdict: stock.Refused, Why: why}
			continue
		}
		change, num := c.transition().Delta, c.Line().Num
		after, err := s.Item.Plus(change.Times(num).For(s.Item.Terms))
		if err != nil { // it cannot: the item lets it
			b.Replies[i].Alone = true
			continue
		}
		s.Item.Quantities = after
		if c.Order.Buyer != "" {
			usages[c.Order.Buyer] = plusUsage(standing.Usage, usageOf(change, num))
		}
		admitted[c.Order.ID] = true
		in = append(in, i)
	}
	b.In = in
	return refused
}
