// Package ledger keeps items and the holds on them: what a stock.Store does, as statements and transactions. Whoever keeps
// something beside a hold, in the same transaction, is told at five moments; see Companions. The ledger knows none of them.
package ledger

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/sqlstore/internal/along"
	"github.com/holdfast-go/holdfast/sqlstore/internal/batch"
	"github.com/holdfast-go/holdfast/sqlstore/internal/events"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// Store is the stock.Store behind sqlstore.Stock: the items of one table, and the holds on them.
type Store struct {
	*mysql.Handle
	SQL        *Statements
	SoldOut    *soldOutCache
	Bounds     *batch.Bounds  // shared by its batchers and those of its companions; nil where calls are not merged
	batchers   *storeBatchers // nil where calls are not merged
	holds      *batch.Lookup[string, stock.Hold]
	Orders     *batch.Lookup[string, Presence] // which of them have a hold or were closed
	Companions Companions
	rows       *along.Rows // that its calls carry
	drifted    *driftedHolds
	stuck      *stuckRows // nil where calls are not merged
	tells      event.Kinds
	events     *events.Statements
	queues     *queues // of its items; nil where no order can wait
}

// storeBatchers merge the calls of a store, each kind by what it is hot on.
type storeBatchers struct {
	locks   *batch.Batcher[stock.Key, LockCall, LockAnswer]
	takes   *batch.Batcher[stock.Key, LockCall, LockAnswer]
	waits   *batch.Batcher[stock.Key, LockCall, LockAnswer]
	Moves   *batch.Batcher[stock.Step, MoveCall, stock.MoveResult]
	refunds *batch.Batcher[struct{}, RefundCall, stock.RefundResult]
	amends  *batch.Batcher[struct{}, amendCall, stock.MoveResult]
	usages  *batch.Lookup[buyerKey, stock.Usage]
	dues    *batch.Batcher[stock.Key, int, []string]
	expires *batch.Batcher[struct{}, []string, []string]
}

// Settings are what a store is made with.
type Settings struct {
	batch.Limits

	Prefix     string // of the tables
	Unmerged   bool
	SoldOutFor time.Duration
	Tell       event.Kinds // which events of goods it writes
	Broken     error       // what is wrong with them
}

// New returns the store of the items in a table, which has its companions kept.
func New(db *sql.DB, o Settings, table string, by Companions) *Store {
	s := &Store{
		Handle: mysql.NewHandle(db), SQL: NewStatements(o.Prefix + table), SoldOut: &soldOutCache{soldOutFor: o.SoldOutFor}, Companions: by,
		drifted: &driftedHolds{off: o.Unmerged || o.SoldOutFor <= 0},
	}
	s.Broken = o.Broken
	if s.events = events.NewStatements(o.Prefix); table == GoodsStock {
		s.tells, s.queues = o.Tell, new(queues)
	}
	if !o.Unmerged && o.Broken == nil {
		b := batch.NewBounds(db, o.Limits)
		s.Bounds, s.stuck = b, newStuckRows(b.Stuck(db))
		s.batchers = &storeBatchers{
			locks:   batch.NewMixed[stock.Key](b, s.LockBatch, s.lockAlone),
			takes:   batch.NewMixed[stock.Key](b, s.LockBatch, s.lockAlone),
			waits:   batch.New(b, s.waitBatch, s.waitSingle),
			Moves:   batch.New(b, s.moveBatch, s.moveSingle),
			refunds: batch.New(b, s.refundBatch, s.refundSingle),
			amends:  batch.New(b, s.amendBatch, s.amendSingle),
			usages:  batch.NewLookup(b, s.usage, s.severalUsages),
			dues:    batch.NewReader(b, s.dueBatch, s.due),
			expires: batch.New(b, s.expireBatch, s.expire),
		}
	}
	s.lookups()
	return s
}

// Waiting returns how many calls wait to change something.
func (s *Store) Waiting() int {
	b := s.batchers
	return b.locks.Queued() + b.takes.Queued() + b.waits.Queued() + b.Moves.Queued() + b.refunds.Queued() + b.amends.Queued() +
		b.expires.Queued()
}

// lookups makes the lookups of a store.
func (s *Store) lookups() {
	s.holds = batch.NewLookup(s.Bounds, s.hold, s.severalHolds)
	s.Orders = batch.NewLookup(s.Bounds, s.knownOne, s.known)
}

// WithTx returns the same store inside the caller's transaction.
func (s *Store) WithTx(tx mysql.Tx) *Store {
	bound := &Store{
		Handle: s.Within(tx), SQL: s.SQL, SoldOut: s.SoldOut, Companions: s.Companions, drifted: s.drifted, rows: s.rows,
		tells: s.tells, events: s.events, queues: s.queues,
	}
	bound.lookups()
	return bound
}

// Ready refuses what cannot work before any I/O, and companions that are not kept.
func (s *Store) Ready(beside ...stock.Companion) error {
	if err := s.rows.Err(); err != nil {
		return err
	}
	if err := s.Handle.Ready(); err != nil {
		return err
	}
	return stock.KeepsAll(beside, s.Companions.Keeps)
}

// ExistsOnDuplicate turns the duplicate key of an insert that claims an ID into the verdict Exists.
func ExistsOnDuplicate(verdict stock.Verdict, err error) (stock.Verdict, error) {
	if mysql.Number(err) == mysql.ErrDuplicate {
		return stock.Exists, nil
	}
	return verdict, mysql.Reason(err)
}

// DoneIf is Done for a change that was kept.
func DoneIf(kept bool) stock.Verdict {
	if kept {
		return stock.Done
	}
	return stock.Refused
}

// Lock implements stock.Store. The hold comes first and the hot row last, so that the row is locked as briefly as
// possible.
func (s *Store) Lock(ctx context.Context, order stock.Order, holdFor time.Duration) (stock.LockResult, error) {
	if err := s.Ready(order.Beside...); err != nil {
		return stock.LockResult{}, err
	}
	call := LockCall{Order: order, HoldFor: holdFor, Cargo: s.cargo(order.Beside)}
	if order.Waits {
		answer, err := s.queueUp(ctx, call)
		return call.Result(answer), err
	}
	if s.batchers == nil {
		answer, err := s.lock(ctx, call)
		return call.Result(answer), err
	}
	answer, settled, err := s.refuse(ctx, call)
	if err == nil && !settled {
		answer, err = s.mergeLock(ctx, call)
	}
	return call.Result(answer), err
}

// lock locks one order by itself.
func (s *Store) lock(ctx context.Context, call LockCall) (LockAnswer, error) {
	s = s.withRows(call.Rows)
	calls := []LockCall{call}
	usages := usagesOf(calls)
	var lockedAt time.Time
	var short []int64
	kept, err := s.change(ctx, call.Beside, func(q mysql.Tx) (_ bool, err error) {
		q = s.watched(q)
		if lockedAt, err = s.claim(ctx, q, call); err != nil {
			return false, err
		}
		if len(usages) > 0 {
			_, err := q.ExecContext(ctx, s.SQL.countHolds(usages))
			if mysql.Number(err) == mysql.ErrOutOfRange {
				return false, nil // refused: a buyer cannot have more than the item has given
			}
			if err != nil {
				return false, err
			}
		}
		if call.Order.Backorder {
			var ok bool
			if short, ok, err = s.lockBackordered(ctx, q, call); err != nil || !ok {
				return false, err
			}
			return true, s.tellLocked(ctx, q, lockedAt, calls, true)
		}
		rows, err := mysql.Affected(q.ExecContext(ctx, s.SQL.lockItems(call.Order)))
		if err != nil || rows != int64(len(call.Order.Lines)) {
			return false, err
		}
		return true, s.tellLocked(ctx, q, lockedAt, calls, true)
	})
	if r, ok := fault.As[*mysql.RefusalError](err); ok {
		return LockAnswer{Verdict: stock.Refused, Why: r.Why[0]}, nil
	}
	verdict, err := ExistsOnDuplicate(DoneIf(kept), err)
	if err != nil || verdict != stock.Done {
		return LockAnswer{Verdict: verdict}, err
	}
	for _, l := range call.Order.Lines {
		s.SoldOut.forget(l.Key())
	}
	return LockAnswer{Verdict: stock.Done, at: lockedAt, kept: calls[0].Kept, short: short}, nil
}

// tellLocked tells the companions of orders that lock or take units, in their order, once the rows of their items are
// locked. Then it refuses the orders that would be dead at that moment, or writes their events; near says that an item may be sold
// out or low.
func (s *Store) tellLocked(ctx context.Context, q mysql.Tx, at time.Time, calls []LockCall, near bool) error {
	if err := s.Companions.Locked(ctx, q, at, calls); err != nil {
		return err
	}
	var why []error
	for i, c := range calls {
		if err := c.Order.Lapsed(at); err != nil {
			if why == nil {
				why = make([]error, len(calls))
			}
			why[i] = err
		}
	}
	if why != nil {
		return mysql.RefuseEach(why)
	}
	t := s.told()
	t.lock(calls, near)
	return s.Tell(ctx, q, t)
}

// claim inserts the holds of some orders, and returns the clock that dates them. In the caller's transaction it also
// inserts the rows of their buyers, and reads the clock beforehand, since LAST_INSERT_ID is the caller's there.
func (s *Store) claim(ctx context.Context, q mysql.Tx, calls ...LockCall) (time.Time, error) {
	if len(calls) == 1 && !s.Bound() {
		result, err := q.ExecContext(ctx, s.SQL.insertHolds(calls[0]))
		if err != nil {
			return time.Time{}, err
		}
		clock, err := result.LastInsertId()
		return mysql.FromMicros(clock), err
	}
	at, err := mysql.ClockIn(ctx, q)
	if err != nil {
		return time.Time{}, err
	}
	if s.Bound() {
		if err := s.makeBuyers(ctx, q, buyersOfCalls(calls)); err != nil {
			return at, err
		}
	}
	return at, mysql.Insert(ctx, q, s.SQL.insertMany(at, calls), s.SQL.deleteHolds(calls))
}

// makeBuyers inserts rows for buyers that have none. They count nothing, and stay even if the call is refused, since their
// INSERT must not be rolled back: mysql.Insert or mysql.Stay is next.
func (s *Store) makeBuyers(ctx context.Context, q mysql.Tx, keys []buyerKey) error {
	for part := range slices.Chunk(keys, mysql.MaxList) {
		if _, err := q.ExecContext(ctx, s.SQL.makeBuyers(part...)); err != nil {
			return err
		}
	}
	return nil
}

// stayingBuyers is makeBuyers and mysql.Stay.
func (s *Store) stayingBuyers(ctx context.Context, q mysql.Tx, keys []buyerKey) error {
	if len(keys) == 0 {
		return nil
	}
	if err := s.makeBuyers(ctx, q, keys); err != nil {
		return err
	}
	return mysql.Stay(ctx, q)
}

// Void implements stock.Store.
func (s *Store) Void(ctx context.Context, order string, beside ...stock.Companion) (stock.Verdict, error) {
	if err := s.Ready(beside...); err != nil {
		return stock.Refused, err
	}
	statement := mysql.Render(s.SQL.CloseOrder, order)
	if len(beside) == 0 {
		return ExistsOnDuplicate(s.ChangeBy(ctx, nil, statement))
	}
	kept, err := s.change(ctx, beside, func(q mysql.Tx) (bool, error) {
		if _, err := q.ExecContext(ctx, statement); err != nil {
			return false, err
		}
		calls := []MoveCall{{Order: order, Cargo: s.cargo(beside)}}
		return true, s.Companions.Moved(ctx, q, stock.StepCancel.Transition(), calls)
	})
	return ExistsOnDuplicate(DoneIf(kept), err)
}

// Fence implements stock.Store. The update waits for the locks of every statement of the order
// that is under way: a plain read would not.
func (s *Store) Fence(ctx context.Context, order string, beside ...stock.Companion) (stock.Verdict, error) {
	if err := s.Ready(beside...); err != nil {
		return stock.Refused, err
	}
	return s.changeHolds(ctx, beside, order, mysql.Render(s.SQL.fenceOrder, order))
}

// SetDeadline implements stock.Store.
func (s *Store) SetDeadline(
	ctx context.Context, hold stock.Hold, deadline time.Time, beside ...stock.Companion,
) (stock.Verdict, error) {
	if err := s.Ready(beside...); err != nil {
		return stock.Refused, err
	}
	defer s.Freed(KeysOf(hold)...)
	return s.changeHolds(ctx, beside, hold.Order, mysql.Render(s.SQL.setDeadline, deadline, hold.Order, hold.Fence, hold.Deadline))
}

// changeHolds runs an UPDATE of the holds of an order, whose condition begins with the order: by itself, or in the caller's
// transaction by their whole keys.
func (s *Store) changeHolds(ctx context.Context, beside []stock.Companion, order, statement string) (stock.Verdict, error) {
	if !s.Bound() {
		verdict, err := s.ChangeBy(ctx, beside, statement)
		return verdict, mysql.Reason(err)
	}
	kept, err := s.change(ctx, beside, func(q mysql.Tx) (bool, error) {
		lines, err := s.lockOrder(ctx, q, order)
		if err != nil || lines == 0 {
			return false, err
		}
		rows, err := mysql.Affected(q.ExecContext(ctx, statement+wholeKeys(lines)))
		return rows > 0, err
	})
	return DoneIf(kept), mysql.Reason(err)
}

// lockOrder locks the hold of an order, in the caller's transaction, and returns how many lines it has: 0 where the
// order has no hold. The step must be refused then, since the order has a blank hold.
func (s *Store) lockOrder(ctx context.Context, q mysql.Tx, order string) (lines int, err error) {
	b := s.SQL.BlankHolds(order)
	if err := mysql.Insert(ctx, q, b.Insert, b.TakeBack); err != nil {
		return 0, err
	}
	err = mysql.ReadRow(ctx, q, mysql.Render(s.SQL.lockOrder, order), &lines)
	return lines, err
}

// KeysOf returns the items of a hold.
func KeysOf(hold stock.Hold) []stock.Key {
	keys := make([]stock.Key, len(hold.Lines))
	for i, l := range hold.Lines {
		keys[i] = l.Key()
	}
	return keys
}

var _ stock.Store = (*Store)(nil)
