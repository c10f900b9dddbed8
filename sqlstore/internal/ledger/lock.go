package ledger

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/sqlstore/internal/batch"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// lockRounds bounds how often a batch is tried: first as it came, and from then on under the locks of its items, which
// decide. Further rounds are for orders that came in between, and for calls that a companion or a statement of the shop has
// refused. After that its calls go alone.
const lockRounds = 6

// LockCall is a Lock or a Take as it waits for its batch.
type LockCall struct {
	Order   stock.Order
	HoldFor time.Duration
	Cargo
}

// transition returns the transition of each of its units.
func (c LockCall) transition() stock.Transition { return c.Order.Step().Transition() }

// Line returns the first line of an order, the only one of a claim, a grab or a seat.
func (c LockCall) Line() stock.Line { return c.Order.Lines[0] }

// LockAnswer is the outcome of a LockCall: a stock.LockResult in fewer fields.
type LockAnswer struct {
	Verdict stock.Verdict
	at      time.Time         // when it was Done
	kept    []stock.Companion // and what was kept beside it
	short   []int64           // and how many units of each line have not come yet; nil where all are there
	Why     error             // why it was Refused
	dead    bool              // it was Refused, and the item has dead holds
	offered time.Time         // of one that Waits: when it got its units; zero where it waits on
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
	switch {
	case c.Order.Immediate:
		hold.PaidAt = a.at
	case !a.offered.IsZero():
		hold.State, hold.Deadline, hold.UpdatedAt = stock.Locked, c.Order.Deadline(a.offered, c.HoldFor), a.offered
	case c.Order.Waits:
		hold.Deadline = a.at
	}
	hold.Lines = make([]stock.HoldLine, len(c.Order.Lines))
	for i, l := range c.Order.Lines {
		if hold.Lines[i].Line = l; a.short != nil {
			hold.Lines[i].Backordered = a.short[i]
		}
	}
	return stock.LockResult{Verdict: stock.Done, Hold: hold}
}

// mergeLock makes a call in a batch with others for any items.
func (s *Store) mergeLock(ctx context.Context, call LockCall) (LockAnswer, error) {
	locks := s.batchers.locks
	if call.Order.Immediate {
		locks = s.batchers.takes
	}
	var more []stock.Key
	for _, l := range call.Order.Lines[1:] {
		more = append(more, l.Key())
	}
	if err := s.awaitItems(ctx, call.Order.Lines); err != nil {
		return LockAnswer{}, err
	}
	answer, err := locks.DoMixed(ctx, call, call.Line().Key(), more)
	if err == nil {
		return answer, nil
	}
	return unstuck(ctx, s, answer, err, func() (LockAnswer, error) { return s.mergeLock(ctx, call) })
}

// LockBatch locks orders together: one INSERT of all holds, one guarded UPDATE of all items by their sums, one commit. If
// that fails, it looks at the items, and decides under their locks, in the order of arrival, which calls fit.
//
// A batch whose text is larger than the server or the driver takes is locked by halves.
func (s *Store) LockBatch(ctx context.Context, calls []LockCall) ([]batch.Reply[LockAnswer], error) {
	replies, err := s.lockBatch(ctx, calls)
	if !mysql.TooLarge(err) || len(calls) == 1 {
		return replies, err
	}
	replies = make([]batch.Reply[LockAnswer], 0, len(calls))
	for half := range slices.Chunk(calls, (len(calls)+1)/2) {
		some, err := s.LockBatch(ctx, half)
		if err != nil { // the other half may be done
			some = make([]batch.Reply[LockAnswer], len(half))
			for i := range some {
				some[i].Err = err
			}
		}
		replies = append(replies, some...)
	}
	return replies, nil
}

// lockBatch is LockBatch for a text of any size.
func (s *Store) lockBatch(ctx context.Context, calls []LockCall) ([]batch.Reply[LockAnswer], error) {
	b := NewLockBatch(s, calls)
	look := b.refusedLately() // another batch may have looked while this one waited
	for range lockRounds {
		if look && !b.sifted {
			if err := b.sift(ctx); err != nil {
				return nil, err
			}
		}
		if len(b.In) == 0 {
			return b.finish(), nil
		}
		done, err := b.try(ctx, look)
		if r, ok := fault.As[*mysql.RefusalError](err); ok { // once more without them, as it is
			b.refuse(r)
			b.sifted = true
			continue
		}
		if errors.Is(err, mysql.ErrStuck) {
			found, err := b.leaveStuck(ctx)
			switch {
			case err != nil:
				return nil, err
			case !found:
				return b.halve(ctx), nil
			}
			b.sifted = false
			continue
		}
		if err != nil {
			return nil, err
		}
		if done {
			b.recheck(ctx)
			return b.finish(), nil
		}
		if !b.unclean { // or once more without those that have left it, as it is
			look, b.sifted = true, false
		}
	}
	b.split()
	return b.finish(), nil
}

// lockAlone is a batch of one, on its caller's context.
func (s *Store) lockAlone(ctx context.Context, call LockCall) (LockAnswer, error) {
	replies, err := s.LockBatch(ctx, []LockCall{call})
	switch {
	case err != nil:
		return LockAnswer{}, err
	case replies[0].Alone != 0:
		return single(ctx, s, rowsOfLock(call), func(s *Store) (LockAnswer, error) { return s.lock(ctx, call) })
	}
	return replies[0].Answer, replies[0].Err
}

// LockBatch is a batch that shrinks until it succeeds.
type LockBatch struct {
	Store   *Store
	Calls   []LockCall
	In      []int // the calls that are still in it, in the order of arrival
	Replies []batch.Reply[LockAnswer]

	sifted  bool // it was looked at
	unclean bool // the shop's rows of a call that left it have spoiled the transaction; the others go again as they are

	again  []int // the calls whose order came before
	behind []int // the calls that their items refuse because of others that are still in it, as long as it goes
	denied []int // the calls that companions refuse, likewise

	entries   map[stock.Key]Entry // the items as they were looked at
	unclaimed []int               // the calls about which the locks have decided without a claim of their orders
	short     map[int][]int64     // of calls that were decided: how many units of each line are not there
}

// NewLockBatch returns a batch of calls.
func NewLockBatch(s *Store, calls []LockCall) *LockBatch {
	b := &LockBatch{Store: s, Calls: calls, In: make([]int, len(calls)), Replies: make([]batch.Reply[LockAnswer], len(calls))}
	for i := range calls {
		b.In[i] = i
	}
	return b
}

// rejoin takes back the calls that were refused because of others. The batch has failed, and the order of one of these
// calls, made elsewhere, may be what was in its way.
func (b *LockBatch) rejoin() {
	b.In = slices.Concat(b.In, b.takeBack(&b.behind), b.takeBack(&b.denied))
	slices.Sort(b.In)
}

// takeBack takes the answers of some calls back, and returns the calls.
func (b *LockBatch) takeBack(calls *[]int) []int {
	for _, i := range *calls {
		b.Replies[i] = batch.Reply[LockAnswer]{}
	}
	back := *calls
	*calls = nil
	return back
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
		b.denied = append(b.denied, i)
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
			b.Replies[i].Alone = batch.Known
		}
	}
	return b.Replies
}

// those returns some of the calls.
func (b *LockBatch) those(at []int) []LockCall {
	calls := make([]LockCall, len(at))
	for n, i := range at {
		calls[n] = b.Calls[i]
	}
	return calls
}

// try runs the batch as one transaction and reports whether it succeeded: as it is, or decided under the locks of its
// items.
func (b *LockBatch) try(ctx context.Context, decided bool) (bool, error) {
	var calls []LockCall
	var lockedAt time.Time
	b.unclean, b.short = false, nil
	b.Store.Bounds.Tried(len(b.Calls))
	kept, err := b.Store.Atomically(ctx, func(q mysql.Tx) (ok bool, err error) {
		if len(b.In) > 1 || len(b.Calls[b.In[0]].Order.Lines) > 1 { // others may need what it has locked
			q = b.Store.watched(q)
		}
		if decided {
			calls, lockedAt, ok, err = b.decide(ctx, q)
			return ok, err
		}
		if ok, err := b.runRows(ctx, q); err != nil || !ok {
			return false, err
		}
		calls = b.those(b.In)
		lockedAt, ok, err = b.Store.LockMany(ctx, q, calls)
		return ok, err
	})
	switch n := mysql.Number(err); {
	case n == mysql.ErrDuplicate && len(b.In) == 1 && len(b.behind) == 0: // the INSERT has waited for the order to be committed
		b.Replies[b.In[0]].Answer.Verdict = stock.Exists
		b.In = nil
		return false, nil
	case n == mysql.ErrDuplicate: // an order is known, or came twice
		b.once()
		return false, nil
	case n == mysql.ErrOutOfRange: // a buyer has as much as can be counted
		return false, nil
	case mysql.IsRefusal(err), errors.Is(err, mysql.ErrStuck):
		return false, err
	case errors.Is(err, fault.ErrDrift), errors.Is(err, fault.ErrOverflow): // the books of one, maybe
		b.split()
		return false, nil
	case err != nil:
		return false, err
	case !kept:
		return len(b.In) == 0, nil // all are refused
	}
	for n, i := range b.In {
		b.Replies[i].Answer = LockAnswer{Verdict: stock.Done, at: lockedAt, kept: calls[n].Kept, short: b.short[i]}
	}
	b.Store.SoldOut.forget(slices.Collect(maps.Keys(b.keys(b.In)))...)
	return true, nil
}

// LockMany locks orders within a transaction, and reports whether all of them succeeded. More than mysql.MaxList orders
// of one item take several updates of the item's row; nobody else comes between them.
func (s *Store) LockMany(ctx context.Context, q mysql.Tx, calls []LockCall) (at time.Time, ok bool, err error) {
	if at, err = s.claimMany(ctx, q, calls); err != nil {
		return at, false, err
	}
	ok, near, err := s.lockUnits(ctx, q, calls)
	if err != nil || !ok {
		return at, false, err
	}
	return at, true, s.tellLocked(ctx, q, at, calls, near)
}

// claimMany tells the companions, claims the orders, and counts them for their buyers.
func (s *Store) claimMany(ctx context.Context, q mysql.Tx, calls []LockCall) (at time.Time, err error) {
	if err := beforeAll(ctx, s, q, calls); err != nil {
		return at, err
	}
	if at, err = s.claim(ctx, q, calls...); err != nil {
		return at, err
	}
	for part := range slices.Chunk(calls, mysql.MaxList) {
		if usages := usagesOf(part); len(usages) > 0 {
			if _, err := q.ExecContext(ctx, s.SQL.countHolds(usages)); err != nil {
				return at, err
			}
		}
	}
	return at, nil
}

// lockUnits changes the items by the sums of some orders, and reports whether all of them let it, and whether one of them may be
// sold out or low now.
func (s *Store) lockUnits(ctx context.Context, q mysql.Tx, calls []LockCall) (ok, near bool, err error) {
	for part := range slices.Chunk(calls, mysql.MaxList) {
		sums, ok := sumsOf(part)
		if !ok {
			return false, false, nil
		}
		statement := s.SQL.lockSums(part[0].transition(), sums, usagesOf(part))
		asks := len(sums) == 1 && s.tellsLines() && !s.Bound()
		if asks {
			statement += asksNear(sums[0].num)
		}
		if len(sums) == 1 { // nobody in the batch could go without it
			q = mysql.Unwatched(q)
		}
		result, err := q.ExecContext(ctx, statement)
		rows, err := mysql.Affected(result, err)
		if err != nil || rows != int64(len(sums)) {
			return false, false, err
		}
		is := int64(unknownLine)
		if asks {
			if is, err = result.LastInsertId(); err != nil {
				return false, false, err
			}
		}
		near = near || is != farLine
	}
	return true, near, nil
}

// leaveStuck leaves out the calls whose rows others have locked, and reports whether there are any.
func (b *LockBatch) leaveStuck(ctx context.Context) (bool, error) {
	b.rejoin()
	rows := make([]callRows, len(b.In))
	for n, i := range b.In {
		rows[n] = rowsOfLock(b.Calls[i])
	}
	stuck, err := b.Store.stuckOn(ctx, rows)
	if err != nil {
		return false, err
	}
	in := b.In[:0:0]
	for n, i := range b.In {
		if stuck[n] != nil {
			b.Replies[i].Err = stuck[n]
		} else {
			in = append(in, i)
		}
	}
	found := len(in) < len(b.In)
	b.In = in
	return found, nil
}

// halve makes each half of the calls by itself. A call that is left goes alone.
func (b *LockBatch) halve(ctx context.Context) []batch.Reply[LockAnswer] {
	if len(b.In) == 1 {
		b.split()
		return b.finish()
	}
	for half := range slices.Chunk(b.In, (len(b.In)+1)/2) {
		replies, err := b.Store.LockBatch(ctx, b.those(half))
		for n, i := range half {
			if b.Replies[i].Err = err; err == nil {
				b.Replies[i] = replies[n]
			}
		}
	}
	return b.finish()
}

// split makes the calls that are still in the batch go alone, and the calls that were refused because of them.
func (b *LockBatch) split() {
	b.rejoin()
	for _, i := range b.In {
		b.Replies[i].Alone = batch.Unsettled
	}
	b.In = nil
}

// keys returns the items of some calls.
func (b *LockBatch) keys(calls []int) map[stock.Key]bool {
	keys := map[stock.Key]bool{}
	for _, i := range calls {
		for _, l := range b.Calls[i].Order.Lines {
			keys[l.Key()] = true
		}
	}
	return keys
}
