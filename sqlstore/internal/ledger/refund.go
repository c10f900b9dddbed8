package ledger

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/sqlstore/internal/batch"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// RefundCall is a Refund as it waits for its batch.
type RefundCall struct {
	Refund stock.RefundRecord
	Hold   stock.Hold  // as it was read, and once it is locked, as it is
	to     stock.State // what the refund leads the order to, once it is worked out
	Carried
}

// result is what became of a call that was made.
func (c RefundCall) result() stock.RefundResult {
	return stock.RefundResult{Verdict: stock.Done, Refund: c.Refund, State: c.to, Beside: c.Kept}
}

// transition returns the transition of each of its units.
func (c RefundCall) transition() stock.Transition {
	if c.Refund.Restock {
		return stock.StepRefund.Transition()
	}
	return stock.StepDiscard.Transition()
}

// freed is how many of its units the buyer's limit gets back.
func (c RefundCall) freed(num int64) int64 {
	if c.Refund.Frees {
		return num
	}
	return 0
}

// Refund implements stock.Store. Refunds of orders of one line are merged.
func (s *Store) Refund(
	ctx context.Context, refund stock.RefundRecord, hold stock.Hold, beside ...stock.Companion,
) (stock.RefundResult, error) {
	if err := s.Ready(ctx, beside...); err != nil {
		return stock.RefundResult{}, err
	}
	call, do := RefundCall{Refund: refund, Hold: hold, Carried: s.carried(beside)}, s.refund
	if s.batchers != nil && len(hold.Lines) == 1 && s.rows == nil {
		do = s.batchers.refunds.Do
	}
	return do(ctx, struct{}{}, call)
}

// refund makes one refund by itself. It locks the order's holds and works out the refund from them. Then it claims its
// number, asks the companions, and moves each line under its own guard.
func (s *Store) refund(ctx context.Context, _ struct{}, call RefundCall) (stock.RefundResult, error) {
	s = s.carrying(call.Rows)
	if call.Refund.Restock {
		defer s.Freed(KeysOf(call.Hold)...)
	}
	var made []RefundCall
	kept, err := s.change(ctx, call.Beside, func(q mysql.Tx) (bool, error) {
		is, ok, err := s.lockRefunded(ctx, q, call.Hold)
		if err != nil {
			return false, err
		}
		record, after, refusal := call.Refund.Of(is)
		if !ok || refusal != nil {
			return false, s.claimRefund(ctx, q, call)
		}
		made = []RefundCall{{Refund: record, Hold: is, to: after.State, Carried: call.Carried}}
		if err := s.insertRefund(ctx, q, record); err != nil {
			return false, err
		}
		if err := s.Companions.Refunding(ctx, q, made); err != nil {
			return false, err
		}
		if moved, err := s.moveRefund(ctx, q, made[0]); err != nil || !moved {
			return false, err
		}
		return true, s.Companions.Refunded(ctx, q, made)
	})
	switch verdict, err := ExistsOnDuplicate(DoneIf(kept), err); verdict {
	case stock.Done:
		return made[0].result(), nil
	default:
		return stock.RefundResult{Verdict: verdict}, err
	}
}

// moveRefund moves the lines of a refund that is worked out, each under its own guard, and reports whether all of them went.
func (s *Store) moveRefund(ctx context.Context, q mysql.Tx, call RefundCall) (bool, error) {
	is := call.Hold
	for _, l := range call.Refund.Lines {
		rows, err := mysql.Affected(q.ExecContext(ctx, s.SQL.refundLine(call, l, lineOf(is, l.Key()))))
		if err != nil || rows == 0 {
			return false, err
		}
	}
	if call.to == is.State {
		return true, nil
	}
	rows, err := mysql.Affected(q.ExecContext(ctx, s.SQL.setState(is, call.to)))
	return rows == int64(len(is.Lines)), err
}

// claimRefund claims the number of a refund that is refused: a known number takes precedence over the refusal.
func (s *Store) claimRefund(ctx context.Context, q mysql.Tx, call RefundCall) error {
	booked, _, refusal := call.Refund.Of(call.Hold)
	if refusal != nil {
		return nil //nolint:nilerr // of this, the refund is refused
	}
	return s.insertRefund(ctx, q, booked)
}

// insertRefund claims the number of a refund.
func (s *Store) insertRefund(ctx context.Context, q mysql.Tx, booked stock.RefundRecord) error {
	takeBack := mysql.Render(s.SQL.deleteRefundText(len(booked.Lines)), booked.ID)
	return mysql.Insert(ctx, q, s.SQL.insertRefunds(booked), takeBack)
}

// lockRefunded locks the lines of an order and returns its hold with what is refunded of them, unless its state or
// fence is another by now.
func (s *Store) lockRefunded(ctx context.Context, q mysql.Tx, hold stock.Hold) (stock.Hold, bool, error) {
	if len(hold.Lines) == 0 {
		return hold, false, nil
	}
	hold.Lines = slices.Clone(hold.Lines)
	lines := 0
	err := mysql.Read(ctx, q, s.SQL.lockRefunded(hold), func(rows *sql.Rows) error {
		var no int
		var refunded int64
		err := rows.Scan(&no, &refunded)
		if err == nil {
			hold.Lines[no-1].Refunded = refunded
			lines++
		}
		return err
	})
	return hold, lines == len(hold.Lines), err
}

// refundBatch makes many refunds in one transaction, those of one order one after the other. Repeated numbers and
// refused refunds go alone. Where a number is known, or the books or the companions of one refuse, all go alone: each
// finds out for itself.
func (s *Store) refundBatch(ctx context.Context, _ struct{}, calls []RefundCall) ([]batch.Reply[stock.RefundResult], error) {
	replies := AllAlone(make([]batch.Reply[stock.RefundResult], len(calls)))
	var b RefundBatch
	var made []RefundCall
	kept, err := s.Atomically(ctx, func(q mysql.Tx) (bool, error) {
		b = NewRefundBatch(calls)
		t := NewTally()
		if err := beforeAll(ctx, s, q, calls); err != nil {
			return false, err
		}
		if err := b.Lock(ctx, q, s.SQL.LockRefunds, t); err != nil || len(b.Done) == 0 {
			return false, err
		}
		if made = b.made(); len(made) < len(calls) && slices.ContainsFunc(calls, func(c RefundCall) bool { return len(c.Beside) > 0 }) {
			return false, nil // those that are not made are not to keep what they carry
		}
		if err := s.Companions.Refunding(ctx, q, made); err != nil {
			return false, err
		}
		if err := s.BookRefunds(ctx, q, b); err != nil {
			return false, err
		}
		if err := t.Apply(ctx, q, s.SQL); err != nil {
			return false, err
		}
		return true, s.Companions.Refunded(ctx, q, made)
	})
	for _, i := range b.Done { // also where the answer to the COMMIT is lost
		if calls[i].Refund.Restock {
			s.Freed(KeysOf(calls[i].Hold)...)
		}
	}
	switch {
	case mysql.Number(err) == mysql.ErrDuplicate, errors.Is(err, fault.ErrDrift), errors.Is(err, fault.ErrOverflow), mysql.RefusedBy(err):
	case err != nil:
		return nil, err
	case kept:
		for n, call := range made {
			replies[b.Done[n]] = batch.Reply[stock.RefundResult]{Answer: call.result()}
		}
	}
	return replies, nil
}

// RefundBatch is a batch of refunds of orders of one line.
type RefundBatch struct {
	calls  []RefundCall           // as they are worked out, once they are done
	of     map[string][]int       // the calls of each order, in the order of arrival
	orders []string               // all of them
	to     map[string]stock.State // of those that move
	Done   []int                  // the calls that are made
}

// NewRefundBatch returns a batch of calls. Of calls with the same number it has the first.
func NewRefundBatch(calls []RefundCall) RefundBatch {
	b := RefundBatch{calls: slices.Clone(calls), of: map[string][]int{}, to: map[string]stock.State{}}
	known := map[string]bool{}
	for i, c := range calls {
		if known[c.Refund.ID] {
			continue
		}
		known[c.Refund.ID] = true
		order := c.Hold.Order
		if len(b.of[order]) == 0 {
			b.orders = append(b.orders, order)
		}
		b.of[order] = append(b.of[order], i)
	}
	return b
}

// Lock locks the holds, works out the refunds that they allow, and adds up what these do. The others are refused: the
// state or fence of their order differs, or earlier refunds have left too little.
func (b *RefundBatch) Lock(ctx context.Context, q mysql.Tx, query string, t *Tally) error {
	return mysql.Read(ctx, q, mysql.RenderList(query, b.orders), func(rows *sql.Rows) error {
		var order string
		var fence, refunded int64
		var state sql.NullByte
		if err := rows.Scan(&order, &state, &fence, &refunded); err != nil {
			return err
		}
		is := b.calls[b.of[order][0]].Hold
		is.State, is.Fence, is.Lines = stock.State(state.Byte), fence, slices.Clone(is.Lines)
		is.Lines[0].Refunded = refunded
		for _, i := range b.of[order] {
			c := &b.calls[i]
			booked, after, err := c.Refund.Of(is)
			if err != nil || c.Hold.State != is.State || c.Hold.Fence != is.Fence {
				continue
			}
			c.Refund, c.Hold, c.to, is = booked, is, after.State, after
			b.to[order], b.Done = is.State, append(b.Done, i)
			l := booked.Lines[0]
			if !t.add(c.transition().Delta, buyerKey{l.Key(), is.Buyer}, l.Num, stock.Usage{Bought: -c.freed(l.Num)}) {
				return fault.ErrOverflow
			}
		}
		return nil
	})
}

// made returns the calls that are made.
func (b *RefundBatch) made() []RefundCall {
	made := make([]RefundCall, len(b.Done))
	for n, i := range b.Done {
		made[n] = b.calls[i]
	}
	return made
}

// Moved returns the orders of which something is refunded.
func (b *RefundBatch) Moved() []string { return slices.Sorted(maps.Keys(b.to)) }

// refundShape is what the refunds of an order of one line do to its hold.
type refundShape struct {
	Refunded, restocked, freed int64
	to                         stock.State
}

// BookRefunds writes refunds that are worked out from holds which are locked.
func (s *Store) BookRefunds(ctx context.Context, q mysql.Tx, b RefundBatch) error {
	refunds := make([]stock.RefundRecord, len(b.Done))
	sums := map[string]refundShape{}
	for n, c := range b.made() {
		refunds[n] = c.Refund
		num, sum := c.Refund.Lines[0].Num, sums[c.Hold.Order]
		sum.Refunded, sum.freed, sum.to = sum.Refunded+num, sum.freed+c.freed(num), b.to[c.Hold.Order]
		if c.Refund.Restock {
			sum.restocked += num
		}
		sums[c.Hold.Order] = sum
	}
	if _, err := q.ExecContext(ctx, s.SQL.insertRefunds(refunds...)); err != nil {
		return err
	}
	shapes := map[refundShape][]string{}
	for _, order := range b.Moved() {
		shapes[sums[order]] = append(shapes[sums[order]], order)
	}
	for shape, orders := range shapes {
		rows, err := mysql.Affected(q.ExecContext(ctx, s.SQL.refundHolds(shape, orders)))
		if err != nil || rows != int64(len(orders)) {
			return mysql.Missing(err)
		}
	}
	return nil
}

// lineOf returns the line number of an item in a hold; 0 where it has none.
func lineOf(hold stock.Hold, key stock.Key) int {
	for i, l := range hold.Lines {
		if l.Key() == key {
			return i + 1
		}
	}
	return 0
}
