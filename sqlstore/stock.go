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

// ledgerStore is the stock.Store behind sqlstore.Stock: the items of one table, and the holds on them.
type ledgerStore struct {
	*handle
	sql        *stockSQL
	sights     *sights
	bounds     *bounds       // of its mergers, and of those of whoever keeps companions; nil where calls are not merged
	merged     *stockMergers // nil where calls are not merged
	companions companions
	broken     error // what is wrong with the options; every call returns it
}

// stockMergers merge the calls of a store, each kind by what it is hot on.
type stockMergers struct {
	locks   *merger[lockKey, lockCall, lockAnswer]
	moves   *merger[stock.Step, moveCall, stock.MoveResult]
	refunds *merger[struct{}, refundCall, stock.RefundResult]
	orders  *merger[struct{}, string, knownOrder]
	usages  *merger[stock.Key, string, stock.Usage]
	holds   *merger[struct{}, string, holdAt]
	dues    *merger[stock.Key, int, []string]
	expires *merger[struct{}, []string, []string]
}

// settings are what a store is made with.
type settings struct {
	limits

	prefix     string // of the tables
	unmerged   bool
	soldOutFor time.Duration
	broken     error // what is wrong with them
}

// newLedger returns the store of the items in a table, which has its companions kept.
func newLedger(db *sql.DB, o settings, table string, by companions) *ledgerStore {
	s := &ledgerStore{
		handle: newHandle(db), sql: newStockSQL(o.prefix + table), sights: &sights{soldOutFor: o.soldOutFor}, companions: by, broken: o.broken,
	}
	if !o.unmerged && o.broken == nil {
		b := newBounds(db, o.limits)
		s.bounds = b
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

// withTx returns the same store inside the caller's transaction.
func (s *ledgerStore) withTx(tx Tx) *ledgerStore {
	bound := &ledgerStore{handle: s.within(tx), sql: s.sql, sights: s.sights, companions: s.companions, broken: s.broken}
	if tx == nil && bound.broken == nil {
		bound.broken = fault.Invalid("tx", "must not be nil")
	}
	return bound
}

// ready refuses what cannot work before any I/O, and companions that are not kept.
func (s *ledgerStore) ready(ctx context.Context, beside ...stock.Companion) error {
	if s.broken != nil {
		return s.broken
	}
	if err := s.handle.ready(ctx); err != nil {
		return err
	}
	return stock.KeepsAll(beside, s.companions.keeps)
}

// taken turns the duplicate key of an insert that claims an ID into the verdict Exists.
func taken(verdict stock.Verdict, err error) (stock.Verdict, error) {
	if number(err) == errDuplicate {
		return stock.Exists, nil
	}
	return verdict, reason(err)
}

// verdict is Done for a change that was kept.
func verdict(kept bool) stock.Verdict {
	if kept {
		return stock.Done
	}
	return stock.Refused
}

// Create implements stock.Store.
func (s *ledgerStore) Create(ctx context.Context, item stock.Item, beside ...stock.Companion) (stock.Verdict, error) {
	if err := s.ready(ctx, beside...); err != nil {
		return stock.Refused, err
	}
	defer s.freed(item.Key)
	kept, err := s.change(ctx, beside, func(q Tx) (bool, error) {
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

// SetTerms implements stock.Store.
func (s *ledgerStore) SetTerms(
	ctx context.Context, from stock.Item, to stock.Terms, total int64, beside ...stock.Companion,
) (stock.Verdict, error) {
	if err := s.ready(ctx, beside...); err != nil {
		return stock.Refused, err
	}
	defer s.freed(from.Key)
	terms := []any{to.SPU, to.OffShelf, to.Start, to.End, to.PerOrder, to.PerBuyer, to.LiveHolds}
	if from.Unlimited == to.Unlimited {
		verdict, err := s.changeBy(ctx, beside, render(s.sql.changeTerms, append(terms, from.SKU, from.Activity, from.Unlimited)...))
		return verdict, reason(err)
	}
	kept, err := s.change(ctx, beside, func(q Tx) (bool, error) {
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
	return verdict(kept), reason(err)
}

// Lock implements stock.Store: the hold first, the hot row last, so that it is locked for as
// short as can be.
func (s *ledgerStore) Lock(ctx context.Context, order stock.Order, holdFor time.Duration) (stock.LockResult, error) {
	if err := s.ready(ctx, order.Beside...); err != nil {
		return stock.LockResult{}, err
	}
	call := lockCall{order: order, holdFor: holdFor, carried: carried{beside: order.Beside}}
	if s.merged == nil || len(order.Lines) > 1 {
		answer, err := s.lock(ctx, call)
		return call.result(answer), err
	}
	answer, settled, err := s.refuse(ctx, call)
	if err == nil && !settled {
		answer, err = s.merged.locks.do(ctx, call.key(), call)
	}
	return call.result(answer), err
}

// lock locks one order by itself.
func (s *ledgerStore) lock(ctx context.Context, call lockCall) (lockAnswer, error) {
	calls := []lockCall{call}
	usages, _ := usagesOf(calls)
	var lockedAt time.Time
	kept, err := s.change(ctx, call.beside, func(q Tx) (bool, error) {
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
		return true, s.tellLocked(ctx, q, lockedAt, calls)
	})
	if r, ok := fault.As[*refusals](err); ok {
		return lockAnswer{verdict: stock.Refused, why: r.why[0]}, nil
	}
	verdict, err := taken(verdict(kept), err)
	if err != nil || verdict != stock.Done {
		return lockAnswer{verdict: verdict}, err
	}
	for _, l := range call.order.Lines {
		s.sights.forget(l.Key())
	}
	return lockAnswer{verdict: stock.Done, at: lockedAt, kept: calls[0].kept}, nil
}

// tellLocked tells of orders that lock or take units, in their order, once the rows of their items are tellLocked. Then it
// refuses those that would be dead at that moment.
func (s *ledgerStore) tellLocked(ctx context.Context, q Tx, at time.Time, calls []lockCall) error {
	if err := s.companions.locked(ctx, q, at, calls); err != nil {
		return err
	}
	var why []error
	for i, c := range calls {
		if err := c.order.Lapsed(at); err != nil {
			if why == nil {
				why = make([]error, len(calls))
			}
			why[i] = err
		}
	}
	return refuseEach(why)
}

// claim inserts the holds of some orders, and the rows of their buyers in the caller's transaction, and returns the clock they
// are dated with. There, where LAST_INSERT_ID is the caller's, the clock is read beforehand.
func (s *ledgerStore) claim(ctx context.Context, q Tx, calls ...lockCall) (time.Time, error) {
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
func (s *ledgerStore) makeBuyers(ctx context.Context, q Tx, calls []lockCall) error {
	usages, _ := usagesOf(calls)
	for part := range slices.Chunk(usages, maxList) {
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

// Void implements stock.Store.
func (s *ledgerStore) Void(ctx context.Context, order string, beside ...stock.Companion) (stock.Verdict, error) {
	if err := s.ready(ctx, beside...); err != nil {
		return stock.Refused, err
	}
	return taken(s.changeBy(ctx, beside, render(s.sql.closeOrder, order)))
}

// Fence implements stock.Store. The update waits for the locks of every statement of the order
// that is under way: a plain read would not.
func (s *ledgerStore) Fence(ctx context.Context, order string, beside ...stock.Companion) (stock.Verdict, error) {
	if err := s.ready(ctx, beside...); err != nil {
		return stock.Refused, err
	}
	return s.changeHolds(ctx, beside, order, render(s.sql.fenceOrder, order))
}

// SetDeadline implements stock.Store.
func (s *ledgerStore) SetDeadline(
	ctx context.Context, hold stock.Hold, deadline time.Time, beside ...stock.Companion,
) (stock.Verdict, error) {
	if err := s.ready(ctx, beside...); err != nil {
		return stock.Refused, err
	}
	defer s.freed(keysOf(hold)...)
	return s.changeHolds(ctx, beside, hold.Order, render(s.sql.setDeadline, deadline, hold.Order, hold.Fence, hold.Deadline))
}

// changeHolds runs an UPDATE of the holds of an order, whose condition begins with the order: by itself, or in the caller's
// transaction by their whole keys.
func (s *ledgerStore) changeHolds(ctx context.Context, beside []stock.Companion, order, statement string) (stock.Verdict, error) {
	if !s.bound() {
		verdict, err := s.changeBy(ctx, beside, statement)
		return verdict, reason(err)
	}
	kept, err := s.change(ctx, beside, func(q Tx) (bool, error) {
		lines, err := s.lockOrder(ctx, q, order)
		if err != nil || lines == 0 {
			return false, err
		}
		rows, err := affected(q.ExecContext(ctx, statement+wholeKeys(lines)))
		return rows > 0, err
	})
	return verdict(kept), reason(err)
}

// lockOrder locks the hold of an order, in the caller's transaction, and returns how many lines it has: 0 where the order has
// no hold. The step is to be refused then, for the order has a blank one.
func (s *ledgerStore) lockOrder(ctx context.Context, q Tx, order string) (lines int, err error) {
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
func (s *ledgerStore) Apply(ctx context.Context, change stock.Change, beside ...stock.Companion) (stock.Verdict, error) {
	if err := s.ready(ctx, beside...); err != nil {
		return stock.Refused, err
	}
	defer s.freed() // few, and of many items
	kept, err := s.change(ctx, beside, func(q Tx) (bool, error) {
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
func (s *ledgerStore) applyToBuyer(ctx context.Context, q Tx, e stock.Entry) error {
	if _, err := q.ExecContext(ctx, s.sql.makeBuyers(buyerKey{e.Key, e.Buyer})); err != nil {
		return err
	}
	_, err := q.ExecContext(ctx, render(s.sql.changeBuyer, e.Delta.Locked, e.Delta.Sold, e.Holds, e.SKU, e.Activity, e.Buyer))
	return err
}

// record writes a change into the journal.
func (s *ledgerStore) record(ctx context.Context, q Tx, change stock.Change) error {
	return insert(ctx, q, s.sql.insertChange(change), s.sql.deleteChange(change))
}

var _ stock.Store = (*ledgerStore)(nil)
