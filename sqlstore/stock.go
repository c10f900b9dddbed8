package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/stock"
)

// Stock is a stock.Store on MySQL or MariaDB. It is safe for concurrent use; bound to a
// transaction it is as safe as that transaction.
type Stock struct {
	*handle
	sql    *stockSQL
	sights *sights
	merged *stockMergers // nil where calls are not merged
	rider  rider         // nil where nothing goes along
	mover  *mover        // nil where nothing goes along
	guard  *refundGuard  // nil where nobody else is asked
	backer backer        // nil where nothing goes along
	along  any           // what the calls bring along for those
	broken error         // what is wrong with the options; every call returns it
}

// rider is what another domain, whose units a store keeps, does along with a Lock or a Take; see ride. It may
// refuse some of the calls with *refused.
type rider func(ctx context.Context, q Tx, at time.Time, calls []lockCall) error

// mover is what it does along with the steps of orders; see accompany.
type mover struct {
	takes func(t stock.Transition) bool // part in it
	// move may refuse it with *refused.
	move func(ctx context.Context, q Tx, t stock.Transition, orders []string) error
}

// backer is what it does along with refunds, when the units have moved.
type backer func(ctx context.Context, q Tx, calls []refundCall) error

// refused is why another domain does not let some of the calls of a transaction, of which nothing is done then.
type refused struct {
	why []error // of each call; nil where it may go
}

// Error implements error.
func (r *refused) Error() string { return errors.Join(r.why...).Error() }

// reason returns why the only call of a transaction was refused, where it was, and any other error as it is.
func reason(err error) error {
	if r, ok := errors.AsType[*refused](err); ok {
		return errors.Join(r.why...)
	}
	return err
}

// refusedBy reports whether another domain has refused something.
func refusedBy(err error) bool {
	_, ok := errors.AsType[*refused](err)
	return ok
}

// with returns the same store whose calls bring something along.
func (s *Stock) with(along any) *Stock {
	bound := *s
	bound.along = along
	return &bound
}

// refundGuard is what it does along with a refund, and whether it lets it.
type refundGuard struct {
	let     func(ctx context.Context, q Tx, orders []string) (bool, error) // for all of the orders, whose holds are locked
	refusal error                                                          // what a refund is refused with that it does not let
}

// stockMergers merge the calls of a store, each kind by what it is hot on.
type stockMergers struct {
	locks   *merger[lockKey, lockCall, lockAnswer]
	moves   *merger[stock.Step, moveCall, stock.Verdict]
	refunds *merger[struct{}, refundCall, refundAnswer]
	orders  *merger[struct{}, string, knownOrder]
	usages  *merger[stock.Key, string, stock.Usage]
	holds   *merger[struct{}, string, holdAt]
	dues    *merger[stock.Key, int, []string]
	expires *merger[struct{}, []string, []string]
}

// NewStock returns the store in the tables that Migrate made with the same options. Nil
// options are the defaults. It does no I/O; bad options and a nil db are reported by every call
// as ErrInvalid.
func NewStock(db *sql.DB, opts *Options) *Stock {
	o, err := opts.complete()
	return newStock(db, o, mergeBounds(db, o), newStockSQL(o.Prefix+goodsStock), err)
}

// newStock returns the store with these statements, which merges within these bounds.
func newStock(db *sql.DB, o Options, b *bounds, statements *stockSQL, err error) *Stock {
	s := &Stock{handle: newHandle(db), sql: statements, sights: &sights{soldOutFor: o.SoldOutFor}, broken: err}
	if b != nil {
		s.merged = &stockMergers{
			locks:   newMerger(b, s.lockBatch, s.lockAlone),
			moves:   newMerger(b, s.moveBatch, s.move),
			refunds: newMerger(b, s.refundBatch, s.refund),
			orders:  newReader(b, s.knownBatch, s.knownAlone),
			usages:  newReader(b, s.usagesBatch, s.usage),
			holds:   newReader(b, s.holdBatch, s.hold),
			dues:    newReader(b, s.dueBatch, s.due),
			expires: newMerger(b, s.expireBatch, s.expire),
		}
	}
	return s
}

// WithTx returns the same store inside the caller's transaction: what it does takes effect when
// the caller commits. What is read there is read as it is now, with a lock, not as the
// transaction's snapshot has it.
//
// Call it before any plain SELECT of the transaction, or use READ COMMITTED. A server that isolates snapshots (MariaDB from
// 11.6.2 on, innodb_snapshot_isolation) tells a transaction that has read before to start over, where others have changed since
// what a call meets: the call is ErrUnavailable. Here a transaction reads without a lock only behind what it has locked.
//
// After a refusal, an error that names the state of an order or what an item does not allow, the
// transaction is as it was before the call, with the locks it took, and may go on. After any
// other error it must be rolled back: the server may have done so already (a deadlock), and
// further statements would commit one by one. If Retryable says so, run all of it again.
//
// A handle that is in no transaction is refused with ErrInvalid, before anything is changed.
func (s *Stock) WithTx(tx Tx) *Stock {
	bound := &Stock{handle: s.within(tx), sql: s.sql, sights: s.sights, rider: s.rider, mover: s.mover, guard: s.guard,
		backer: s.backer, along: s.along, broken: s.broken}
	if tx == nil && bound.broken == nil {
		bound.broken = fault.Invalid("tx", "must not be nil")
	}
	return bound
}

// ready refuses what cannot work before any I/O.
func (s *Stock) ready(ctx context.Context) error {
	if s.broken != nil {
		return s.broken
	}
	return s.handle.ready(ctx)
}

// taken turns the duplicate key of an insert that claims an ID into the verdict Exists.
func taken(verdict stock.Verdict, err error) (stock.Verdict, error) {
	if number(err) == errDuplicate {
		return stock.Exists, nil
	}
	return verdict, err
}

// verdict is Done for a change that was kept.
func verdict(kept bool) stock.Verdict {
	if kept {
		return stock.Done
	}
	return stock.Refused
}

// Create implements stock.Store.
func (s *Stock) Create(ctx context.Context, item stock.Item) (stock.Verdict, error) {
	if err := s.ready(ctx); err != nil {
		return stock.Refused, err
	}
	defer s.freed(item.Key)
	kept, err := s.atomically(ctx, func(q Tx) (bool, error) {
		err := s.keepInsertID(ctx, q, func() error {
			_, err := q.ExecContext(ctx, render(s.sql.createItem, item.SKU, item.Activity, item.Total, item.Left,
				item.SPU, item.Unlimited, item.OffShelf, item.Start, item.End, item.PerOrder, item.PerBuyer, item.LiveHolds))
			return err
		})
		if err != nil {
			return false, err
		}
		return true, s.record(ctx, q, stock.Change{Kind: stock.KindDefine, ID: item.Serial(1),
			Entries: []stock.Entry{{Key: item.Key, Delta: stock.Quantities{Total: item.Total}}}})
	})
	return taken(verdict(kept), err)
}

// Change implements stock.Store.
func (s *Stock) Change(ctx context.Context, from stock.Item, to stock.Terms, total int64) (stock.Verdict, error) {
	if err := s.ready(ctx); err != nil {
		return stock.Refused, err
	}
	defer s.freed(from.Key)
	terms := []any{to.SPU, to.OffShelf, to.Start, to.End, to.PerOrder, to.PerBuyer, to.LiveHolds}
	if from.Unlimited == to.Unlimited {
		rows, err := s.exec(ctx, render(s.sql.changeTerms, append(terms, from.SKU, from.Activity, from.Unlimited)...))
		return verdict(rows > 0), err
	}
	kept, err := s.atomically(ctx, func(q Tx) (bool, error) {
		// What is left of a new total; an unlimited item has nothing left to count.
		limited := !to.Unlimited
		rows, err := affected(q.ExecContext(ctx, render(s.sql.changeLimit, append(terms, to.Unlimited, total, limited, total,
			from.SKU, from.Activity, from.Unlimited, from.Total, limited, total)...)))
		if err != nil || rows == 0 {
			return false, err
		}
		return true, s.record(ctx, q, stock.Change{Kind: stock.KindDefine, ID: from.Serial(from.Version + 1),
			Entries: []stock.Entry{{Key: from.Key, Delta: stock.Quantities{Total: total - from.Total}}}})
	})
	if number(err) == errDuplicate {
		return stock.Refused, nil // from is of before an earlier switch
	}
	return verdict(kept), err
}

// Lock implements stock.Store: the hold first, the hot row last, so that it is locked for as
// short as can be.
func (s *Stock) Lock(ctx context.Context, order stock.Order, holdFor time.Duration) (stock.Locking, error) {
	if err := s.ready(ctx); err != nil {
		return stock.Locking{}, err
	}
	call := lockCall{order: order, holdFor: holdFor, along: s.along}
	if s.merged == nil || len(order.Lines) > 1 {
		answer, err := s.lock(ctx, call)
		return call.locking(answer), err
	}
	answer, settled, err := s.refuse(ctx, call)
	if err == nil && !settled {
		answer, err = s.merged.locks.do(ctx, call.key(), call)
	}
	return call.locking(answer), err
}

// lock locks one order by itself.
func (s *Stock) lock(ctx context.Context, call lockCall) (lockAnswer, error) {
	usages, _ := usagesOf([]lockCall{call})
	var lockedAt time.Time
	kept, err := s.atomically(ctx, func(q Tx) (bool, error) {
		var err error
		if lockedAt, err = s.claim(ctx, q, call); err != nil {
			return false, err
		}
		if len(usages) > 0 {
			_, err := q.ExecContext(ctx, s.sql.countHolds(usages))
			if number(err) == errOutOfRange {
				return false, nil // refused: a buyer cannot have more than the item has given
			}
			if err != nil {
				return false, err
			}
		}
		rows, err := affected(q.ExecContext(ctx, s.sql.lockItems(call.order)))
		if err != nil || rows != int64(len(call.order.Lines)) {
			return false, err
		}
		return true, s.ride(ctx, q, lockedAt, []lockCall{call})
	})
	if r, ok := errors.AsType[*refused](err); ok {
		return lockAnswer{verdict: stock.Refused, why: r.why[0]}, nil
	}
	verdict, err := taken(verdict(kept), err)
	if err != nil || verdict != stock.Done {
		return lockAnswer{verdict: verdict}, err
	}
	for _, l := range call.order.Lines {
		s.sights.forget(l.Key())
	}
	return lockAnswer{verdict: stock.Done, at: lockedAt}, nil
}

// ride does what goes along with orders that lock or take units, in their order and transaction,
// once the row of their item is locked. Then it refuses those that would be dead at that moment.
func (s *Stock) ride(ctx context.Context, q Tx, at time.Time, calls []lockCall) error {
	if s.rider != nil {
		if err := s.rider(ctx, q, at, calls); err != nil {
			return err
		}
	}
	return lapsed(at, calls)
}

// lapsed refuses the orders whose Until is over at a moment.
func lapsed(at time.Time, calls []lockCall) error {
	var why []error
	for i, c := range calls {
		if err := c.order.Lapsed(at); err != nil {
			if why == nil {
				why = make([]error, len(calls))
			}
			why[i] = err
		}
	}
	if why == nil {
		return nil
	}
	return &refused{why}
}

// claim inserts the holds of some orders, and the rows of their buyers in the caller's transaction, and returns the clock they
// are dated with. There, where LAST_INSERT_ID is the caller's, the clock is read beforehand.
func (s *Stock) claim(ctx context.Context, q Tx, calls ...lockCall) (time.Time, error) {
	if len(calls) == 1 && !s.bound() {
		result, err := q.ExecContext(ctx, s.sql.insertHolds(calls[0]))
		if err != nil {
			return time.Time{}, err
		}
		clock, err := result.LastInsertId()
		return fromMicros(clock), err
	}
	at, err := clockIn(ctx, q)
	if err != nil {
		return time.Time{}, err
	}
	if s.bound() {
		if err := s.makeBuyers(ctx, q, calls); err != nil {
			return at, err
		}
	}
	return at, insert(ctx, q, s.sql.insertMany(at, calls), s.sql.deleteHolds(calls))
}

// makeBuyers inserts the rows of buyers that have none, which count nothing and stay where the calls are refused: their
// INSERT is not to be rolled back; see insert.
func (s *Stock) makeBuyers(ctx context.Context, q Tx, calls []lockCall) error {
	usages, _ := usagesOf(calls)
	for part := range slices.Chunk(usages, MaxBatchSize) {
		keys := make([]buyerKey, len(part))
		for i, u := range part {
			keys[i] = u.buyerKey
		}
		if _, err := q.ExecContext(ctx, s.sql.makeBuyers(keys...)); err != nil {
			return err
		}
	}
	return nil
}

// clockIn reads the store's clock within a transaction.
func clockIn(ctx context.Context, q Tx) (time.Time, error) {
	var clock int64
	err := readRow(ctx, q, readClock, &clock)
	return fromMicros(clock), err
}

// keepInsertID runs fn, whose statements set LAST_INSERT_ID, and in the caller's transaction sets it back.
func (h *handle) keepInsertID(ctx context.Context, q Tx, fn func() error) error {
	if !h.bound() {
		return fn()
	}
	var id int64
	if err := readRow(ctx, q, "SELECT CAST(LAST_INSERT_ID() AS SIGNED)", &id); err != nil {
		return err
	}
	if err := fn(); err != nil {
		return err
	}
	_, err := q.ExecContext(ctx, render("DO LAST_INSERT_ID(?)", id))
	return err
}

// Close implements stock.Store.
func (s *Stock) Close(ctx context.Context, order string) (stock.Verdict, error) {
	if err := s.ready(ctx); err != nil {
		return stock.Refused, err
	}
	rows, err := s.exec(ctx, render(s.sql.closeOrder, order))
	return taken(verdict(rows > 0), err)
}

// Fence implements stock.Store. The update waits for the locks of every statement of the order
// that is under way: a plain read would not.
func (s *Stock) Fence(ctx context.Context, order string) (stock.Verdict, error) {
	if err := s.ready(ctx); err != nil {
		return stock.Refused, err
	}
	rows, err := s.execHolds(ctx, order, render(s.sql.fenceOrder, order))
	return verdict(rows > 0), err
}

// SetDeadline implements stock.Store.
func (s *Stock) SetDeadline(ctx context.Context, hold stock.Hold, deadline time.Time) (stock.Verdict, error) {
	if err := s.ready(ctx); err != nil {
		return stock.Refused, err
	}
	defer s.freed(keysOf(hold)...)
	rows, err := s.execHolds(ctx, hold.Order, render(s.sql.setDeadline, deadline, hold.Order, hold.Fence, hold.Deadline))
	return verdict(rows > 0), err
}

// execHolds runs an UPDATE of the holds of an order, whose condition begins with the order: by itself, or in the caller's
// transaction by their whole keys.
func (s *Stock) execHolds(ctx context.Context, order, statement string) (rows int64, err error) {
	if !s.bound() {
		return s.exec(ctx, statement)
	}
	_, err = s.atomically(ctx, func(q Tx) (bool, error) {
		lines, err := s.lockOrder(ctx, q, order)
		if err != nil || lines == 0 {
			return false, err
		}
		rows, err = affected(q.ExecContext(ctx, statement+wholeKeys(lines)))
		return true, err
	})
	return rows, err
}

// lockOrder locks the hold of an order, in the caller's transaction, and returns how many lines it has: 0 where the order has
// no hold. The step is to be refused then, for the order has a blank one.
func (s *Stock) lockOrder(ctx context.Context, q Tx, order string) (lines int, err error) {
	b := s.sql.blankHolds(order)
	if err := insert(ctx, q, b.insert, b.takeBack); err != nil {
		return 0, err
	}
	err = readRow(ctx, q, render(s.sql.lockOrder, order), &lines)
	return lines, err
}

// keysOf returns the items of a hold.
func keysOf(hold stock.Hold) []stock.Key {
	keys := make([]stock.Key, len(hold.Lines))
	for i, l := range hold.Lines {
		keys[i] = l.Key()
	}
	return keys
}

// Apply implements stock.Store.
func (s *Stock) Apply(ctx context.Context, change stock.Change) (stock.Verdict, error) {
	if err := s.ready(ctx); err != nil {
		return stock.Refused, err
	}
	defer s.freed() // few, and of many items
	kept, err := s.atomically(ctx, func(q Tx) (bool, error) {
		if err := s.record(ctx, q, change); err != nil {
			return false, err
		}
		for _, e := range change.Entries {
			if e.Buyer != "" {
				if err := s.applyToBuyer(ctx, q, e); err != nil {
					return false, err
				}
				continue
			}
			rows, err := affected(q.ExecContext(ctx, s.sql.applyToItem(e)))
			if err != nil || rows == 0 {
				return false, err
			}
		}
		return true, nil
	})
	if errors.Is(err, fault.ErrDrift) || errors.Is(err, fault.ErrOverflow) {
		return stock.Refused, nil // a constraint: the counters would not be valid
	}
	return taken(verdict(kept), err)
}

// applyToBuyer adds an entry to what a buyer has.
func (s *Stock) applyToBuyer(ctx context.Context, q Tx, e stock.Entry) error {
	if _, err := q.ExecContext(ctx, s.sql.makeBuyers(buyerKey{e.Key, e.Buyer})); err != nil {
		return err
	}
	_, err := q.ExecContext(ctx, render(s.sql.changeBuyer, e.Delta.Locked, e.Delta.Sold, e.Holds, e.SKU, e.Activity, e.Buyer))
	return err
}

// record writes a change into the journal.
func (s *Stock) record(ctx context.Context, q Tx, change stock.Change) error {
	return insert(ctx, q, s.sql.insertChange(change), s.sql.deleteChange(change))
}

var _ stock.Store = (*Stock)(nil)
