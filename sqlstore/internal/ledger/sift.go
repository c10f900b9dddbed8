package ledger

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/sqlstore/internal/batch"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// refusedLately reports whether one of the items has refused somebody lately, so that it is better looked at before it is
// locked.
func (b *LockBatch) refusedLately() bool {
	for _, c := range b.Calls {
		for _, l := range c.Order.Lines {
			if _, refuses := b.Store.SoldOut.recent(l.Key()); refuses {
				return true
			}
		}
	}
	return false
}

// sift answers the orders that are known and those that their items refuse whatever becomes of the others. The others
// stay in the batch, or behind it where a call in it is what refuses them: the locks have the last word on these. The
// items are all of one moment, or remembered and fresh. The orders are looked up after them, since the same Lock made
// elsewhere may be what has used an item up.
func (b *LockBatch) sift(ctx context.Context) error {
	b.rejoin()
	b.sifted = true
	if len(b.In) == 0 {
		return nil
	}
	keys := b.keys(b.In)
	entries, looked := b.remembered(keys), map[stock.Key]func(*Entry, bool){}
	usages := map[buyerKey]stock.Usage{}
	look := func() (err error) {
		for key := range keys {
			looked[key] = b.Store.SoldOut.renew(key)
		}
		entries, usages, err = b.look(ctx, slices.Collect(maps.Keys(keys)))
		return err
	}
	if entries == nil {
		if err := look(); err != nil {
			return err
		}
	}
	known, now, err := b.known(ctx)
	if err != nil {
		return err
	}
	if len(looked) == 0 && !b.freshen(entries, now) {
		if err := look(); err != nil {
			return err
		}
		if known, _, err = b.known(ctx); err != nil {
			return err
		}
	}
	refused := b.admit(entries, usages, known)
	for key, put := range looked {
		e := entries[key]
		put(&e, refused[key])
	}
	return nil
}

// remembered returns what is remembered of some items, or nil unless it is all that the batch has to know of them. What a buyer
// has is not remembered.
func (b *LockBatch) remembered(keys map[stock.Key]bool) map[stock.Key]Entry {
	entries := make(map[stock.Key]Entry, len(keys))
	for key := range keys {
		e, _ := b.Store.SoldOut.recent(key)
		if e == nil || countsBuyers(e.Item, 0) {
			return nil
		}
		entries[key] = *e
	}
	return entries
}

// freshen dates entries anew, and reports whether all of them may still be used.
func (b *LockBatch) freshen(entries map[stock.Key]Entry, now time.Time) bool {
	for key, e := range entries {
		if !e.freshAt(now, b.Store.SoldOut.soldOutFor) {
			return false
		}
		e.now = now
		entries[key] = e
	}
	return true
}

// Judge looks at an item without dead holds, answers the calls that are known and those that the item refuses, and returns what is
// known of the orders.
func (b *LockBatch) Judge(ctx context.Context, key stock.Key) (map[string]Presence, error) {
	entries, usages, err := b.look(ctx, []stock.Key{key})
	if err != nil {
		return nil, err
	}
	known, _, err := b.known(ctx)
	if err != nil {
		return nil, err
	}
	e := entries[key]
	e.Next = time.Time{}
	entries[key] = e
	b.admit(entries, usages, known)
	return known, nil
}

// look reads items and, at the same moment, what the buyers of the batch have of those that limit them.
func (b *LockBatch) look(ctx context.Context, keys []stock.Key) (map[stock.Key]Entry, map[buyerKey]stock.Usage, error) {
	return b.Store.look(ctx, keys, func(entries map[stock.Key]Entry) []buyerKey { return b.buyers(b.In, entries) })
}

// known reads which of the orders of the batch have a hold or were closed, and the clock.
func (b *LockBatch) known(ctx context.Context) (map[string]Presence, time.Time, error) {
	orders := make([]string, len(b.In))
	for i, at := range b.In {
		orders[i] = b.Calls[at].Order.ID
	}
	return b.Store.known(ctx, orders)
}

// buyers returns the buyers of some calls, of each item that limits them.
func (b *LockBatch) buyers(calls []int, entries map[stock.Key]Entry) []buyerKey {
	seen := map[buyerKey]bool{}
	for _, i := range calls {
		order := b.Calls[i].Order
		for _, l := range order.Lines {
			if order.Buyer != "" && countsBuyers(entries[l.Key()].Item, l.Num) {
				seen[buyerKey{l.Key(), order.Buyer}] = true
			}
		}
	}
	return slices.SortedFunc(maps.Keys(seen), buyerKey.compare)
}

// admit answers the calls that are known, and those that their items refuse at the moment of the entries. Where an item
// of the call has a dead hold, a refusal has no reason: the hold is released first. It returns which items refuse somebody.
func (b *LockBatch) admit(entries map[stock.Key]Entry, usages map[buyerKey]stock.Usage, known map[string]Presence) map[stock.Key]bool {
	a := newAdmission(entries, usages)
	b.entries, b.short = entries, map[int][]int64{}
	var in []int
	admitted := map[string]bool{} // of which the same order may not be in the way of itself
	for _, i := range b.In {
		c := b.Calls[i]
		switch {
		case known[c.Order.ID] == held:
			b.Replies[i].Answer.Verdict = stock.Exists
			continue
		case known[c.Order.ID] == UnderWay: // its INSERT waits for that, and keeps the others waiting
			b.Replies[i].Alone = batch.Known
			continue
		case admitted[c.Order.ID]:
			b.again = append(b.again, i)
			continue
		}
		switch short, refusal, err := a.draw(c); {
		case err != nil: // it cannot be: the items let it
			b.Replies[i].Alone = batch.Unsettled
		case refusal != nil:
			b.Replies[i].Answer = *refusal
			if a.behind(c) {
				b.behind = append(b.behind, i)
			}
		default:
			admitted[c.Order.ID], b.short[i] = true, short
			in = append(in, i)
		}
	}
	b.In = in
	return a.refused
}

// newAdmission returns the admission of calls to some items.
func newAdmission(entries map[stock.Key]Entry, usages map[buyerKey]stock.Usage) *admission {
	return &admission{entries: maps.Clone(entries), usages: usages, drawn: map[stock.Key]bool{}, refused: map[stock.Key]bool{}}
}

// admission is the items of a batch and what its buyers have of them, as calls draw on them one after the other.
type admission struct {
	entries        map[stock.Key]Entry
	usages         map[buyerKey]stock.Usage
	drawn, refused map[stock.Key]bool
}

// behind reports whether a call before has drawn on an item of this one.
func (a *admission) behind(c LockCall) bool {
	return slices.ContainsFunc(c.Order.Lines, func(l stock.Line) bool { return a.drawn[l.Key()] })
}

// draw lets a call draw on its items, and returns how many units of each line are not there, or its refusal. The error is that of
// counters that cannot count it. An item on which orders wait counts as one that refuses: it is better looked at before it is locked.
func (a *admission) draw(c LockCall) (short []int64, refusal *LockAnswer, err error) {
	for _, l := range c.Order.Lines {
		e := a.entries[l.Key()]
		usage := stock.ItemUsage{Item: e.Item, Usage: a.usages[buyerKey{l.Key(), c.Order.Buyer}]}
		if why := c.Order.Refuses(usage, l, e.now); why != nil {
			a.refused[l.Key()] = true
			if slices.ContainsFunc(c.Order.Lines, func(l stock.Line) bool { e := a.entries[l.Key()]; return e.dead(e.now) }) {
				return nil, &LockAnswer{Verdict: stock.Refused, dead: true}, nil
			}
			return nil, &LockAnswer{Verdict: stock.Refused, Why: why}, nil
		}
	}
	if why := c.Order.Lapsed(a.entries[c.Line().Key()].now); why != nil { // the units are left to the calls behind it
		return nil, &LockAnswer{Verdict: stock.Refused, Why: why}, nil //nolint:nilerr // it is the answer
	}
	change := c.transition().Delta
	after := make([]stock.Quantities, len(c.Order.Lines))
	short = make([]int64, len(c.Order.Lines))
	for i, l := range c.Order.Lines {
		item := a.entries[l.Key()].Item
		delta := change.Times(l.Num).For(item.Terms)
		short[i] = item.Backorders(l.Num)
		delta.Backordered = short[i]
		if after[i], err = item.Plus(delta); err != nil {
			return nil, nil, err
		}
		if after[i].Backordered > 0 {
			a.refused[l.Key()] = true
		}
	}
	for i, l := range c.Order.Lines {
		e := a.entries[l.Key()]
		e.Item.Quantities = after[i]
		a.entries[l.Key()], a.drawn[l.Key()] = e, true
		if c.Order.Buyer != "" {
			key := buyerKey{l.Key(), c.Order.Buyer}
			a.usages[key] = plusUsage(a.usages[key], usageOf(change, l.Num))
		}
	}
	return short, nil, nil
}

// decide locks the calls that fit: in one transaction, under the locks of their items, in the order of arrival, also of
// those behind. It claims the orders that are expected to fit before it locks buyers and items, as each try does, so that
// it waits for nothing of theirs with an item locked. Where others fit in the end, it goes back, which lets the items go, and
// claims those; where then others fit again, it ends without success.
func (b *LockBatch) decide(ctx context.Context, q mysql.Tx) (calls []LockCall, at time.Time, ok bool, err error) {
	if err := mysql.Mark(ctx, q); err != nil {
		return nil, at, false, err
	}
	calls, at, fits, err := b.expect(ctx, q)
	if err == nil && !fits && calls != nil {
		if err := mysql.BackToMark(ctx, q); err != nil || len(b.In) == 0 {
			return nil, at, false, err
		}
		calls, at, fits, err = b.expect(ctx, q)
	}
	if err != nil || !fits {
		return calls, at, false, err
	}
	if b.waits() {
		short := make([][]int64, len(b.In))
		for n, i := range b.In {
			short[n] = b.short[i]
		}
		if err := b.Store.lockDecided(ctx, q, calls, short); err != nil {
			return calls, at, false, err
		}
		return calls, at, true, b.Store.tellLocked(ctx, q, at, calls, true)
	}
	ok, near, err := b.Store.lockUnits(ctx, q, calls)
	if err != nil || !ok {
		return calls, at, false, err
	}
	return calls, at, true, b.Store.tellLocked(ctx, q, at, calls, near)
}

// expect claims the orders of the batch, locks the items, and reports whether just these calls fit. It returns no calls where it
// has decided about none.
func (b *LockBatch) expect(ctx context.Context, q mysql.Tx) (calls []LockCall, at time.Time, fits bool, err error) {
	if ok, err := b.runRows(ctx, q); err != nil || !ok {
		return nil, at, false, err
	}
	expected, looked := b.In, b.entries
	calls = b.those(expected)
	if at, err = b.Store.claimMany(ctx, q, calls); err != nil {
		return nil, at, false, err
	}
	behind := b.takeBack(&b.behind)
	b.unclaimed = append(b.unclaimed, behind...)
	b.In = slices.Concat(expected, behind)
	slices.Sort(b.In)
	usages, err := b.lockBuyers(ctx, q, calls)
	if err != nil {
		return nil, at, false, err
	}
	entries, err := b.lockItems(ctx, q)
	if err != nil {
		return nil, at, false, err
	}
	for key, e := range entries {
		if limitsBuyers(e.Item) && !limitsBuyers(looked[key].Item) { // it began to, since the look
			return nil, at, false, nil
		}
	}
	b.admit(entries, usages, nil)
	return calls, at, slices.Equal(b.In, expected), nil
}

// waits reports whether an item of the batch, as the locks have it, has orders that wait for units, or will have.
func (b *LockBatch) waits() bool {
	for _, i := range b.In {
		for n, l := range b.Calls[i].Order.Lines {
			if b.short[i][n] > 0 || b.entries[l.Key()].Item.Backordered > 0 {
				return true
			}
		}
	}
	return false
}

// lockBuyers locks what the buyers of the batch have, and returns it without what its calls have added.
func (b *LockBatch) lockBuyers(ctx context.Context, q mysql.Tx, added []LockCall) (map[buyerKey]stock.Usage, error) {
	buyers := b.buyers(b.In, b.entries)
	usages := map[buyerKey]stock.Usage{}
	if len(buyers) == 0 {
		return usages, nil
	}
	for part := range slices.Chunk(buyers, mysql.MaxList) {
		if _, err := q.ExecContext(ctx, b.Store.SQL.makeBuyers(part...)); err != nil {
			return nil, err
		}
		if err := mysql.Read(ctx, q, b.Store.SQL.lockBuyers(part), scanUsages(usages)); err != nil {
			return nil, err
		}
	}
	mine := usagesOf(added)
	for _, u := range mine {
		if is, ok := usages[u.buyerKey]; ok {
			usages[u.buyerKey] = stock.Usage{Held: is.Held - u.Held, Bought: is.Bought - u.Bought, Holds: is.Holds - u.Holds}
		}
	}
	return usages, nil
}

// lockItems locks the items of the batch and returns them as they are. When their first holds die is as it was seen.
func (b *LockBatch) lockItems(ctx context.Context, q mysql.Tx) (map[stock.Key]Entry, error) {
	keys := slices.SortedFunc(maps.Keys(b.keys(b.In)), stock.Key.Compare)
	if len(keys) == 1 { // nobody in the batch could go without it
		q = mysql.Unwatched(q)
	}
	entries, scan := scanLooks(keys)
	err := mysql.Read(ctx, q, b.Store.SQL.lookAtItems(keys, false)+" FOR UPDATE", func(rows *sql.Rows) error {
		_, err := scan(rows)
		return err
	})
	if err != nil {
		return nil, err
	}
	for key, e := range entries {
		e.Next = b.entries[key].Next
		entries[key] = e
	}
	return entries, nil
}

// recheck answers the calls that the locks have refused without a claim of their orders: an order that is known by now may
// be what has used its item up.
func (b *LockBatch) recheck(ctx context.Context) {
	b.unclaimed = slices.DeleteFunc(b.unclaimed, func(i int) bool { return b.Replies[i].Answer.Verdict != stock.Refused })
	if len(b.unclaimed) == 0 {
		return
	}
	orders := make([]string, len(b.unclaimed))
	for n, i := range b.unclaimed {
		orders[n] = b.Calls[i].Order.ID
	}
	known, _, err := b.Store.known(ctx, orders)
	if err != nil { // the others are done
		for _, i := range b.unclaimed {
			b.Replies[i] = batch.Reply[LockAnswer]{Err: err}
		}
		return
	}
	for n, i := range b.unclaimed {
		switch known[orders[n]] {
		case held:
			b.Replies[i].Answer = LockAnswer{Verdict: stock.Exists}
		case UnderWay:
			b.Replies[i] = batch.Reply[LockAnswer]{Alone: batch.Known}
		case absent:
		}
	}
}
