package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/stock"
)

// refundCall is a Refund as it waits for its batch.
type refundCall struct {
	refund stock.RefundRecord
	hold   stock.Hold  // as it was read, and once it is locked, as it is
	to     stock.State // what the refund leads the order to, once it is worked out
	carried
}

// result is what became of a call that was made.
func (c refundCall) result() stock.RefundResult {
	return stock.RefundResult{Verdict: stock.Done, Refund: c.refund, State: c.to, Beside: c.kept}
}

// transition is that of each of its units.
func (c refundCall) transition() stock.Transition {
	if c.refund.Restock {
		return stock.StepRefund.Transition()
	}
	return stock.StepDiscard.Transition()
}

// freed is how many of its units the buyer's limit gets back.
func (c refundCall) freed(num int64) int64 {
	if c.refund.Frees {
		return num
	}
	return 0
}

// Refund implements stock.Store. Refunds of orders of one line are merged.
func (s *Stock) Refund(
	ctx context.Context, refund stock.RefundRecord, hold stock.Hold, beside ...stock.Companion,
) (stock.RefundResult, error) {
	if err := s.ready(ctx, beside...); err != nil {
		return stock.RefundResult{}, err
	}
	call, do := refundCall{refund: refund, hold: hold, carried: carried{beside: beside}}, s.refund
	if s.merged != nil && len(hold.Lines) == 1 {
		do = s.merged.refunds.do
	}
	return do(ctx, struct{}{}, call)
}

// refund makes one refund by itself: first the order's holds are locked, and the refund is worked out from them; then
// it claims its number, whoever keeps companions lets it, and each line moves under its own guard.
func (s *Stock) refund(ctx context.Context, _ struct{}, call refundCall) (stock.RefundResult, error) {
	if call.refund.Restock {
		defer s.freed(keysOf(call.hold)...)
	}
	var made []refundCall
	kept, err := s.change(ctx, call.beside, func(q Tx) (bool, error) {
		is, ok, err := s.lockRefunded(ctx, q, call.hold)
		if err != nil {
			return false, err
		}
		record, after, refusal := call.refund.Of(is)
		if !ok || refusal != nil {
			return false, s.claimRefund(ctx, q, call)
		}
		made = []refundCall{{refund: record, hold: is, to: after.State, carried: call.carried}}
		if err := s.insertRefund(ctx, q, record); err != nil {
			return false, err
		}
		if err := s.companions.refunding(ctx, q, made); err != nil {
			return false, err
		}
		if moved, err := s.moveRefund(ctx, q, made[0]); err != nil || !moved {
			return false, err
		}
		return true, s.companions.refunded(ctx, q, made)
	})
	switch verdict, err := taken(verdict(kept), err); verdict {
	case stock.Done:
		return made[0].result(), nil
	default:
		return stock.RefundResult{Verdict: verdict}, err
	}
}

// moveRefund moves the lines of a refund that is worked out, each under its own guard, and reports whether all of them went.
func (s *Stock) moveRefund(ctx context.Context, q Tx, call refundCall) (bool, error) {
	is := call.hold
	for _, l := range call.refund.Lines {
		rows, err := affected(q.ExecContext(ctx, s.sql.refundLine(call, l, lineOf(is, l.Key()))))
		if err != nil || rows == 0 {
			return false, err
		}
	}
	if call.to == is.State {
		return true, nil
	}
	rows, err := affected(q.ExecContext(ctx, s.sql.setState(is, call.to)))
	return rows == int64(len(is.Lines)), err
}

// claimRefund claims the number of a refund that is refused: it may be known, which comes first.
func (s *Stock) claimRefund(ctx context.Context, q Tx, call refundCall) error {
	booked, _, refusal := call.refund.Of(call.hold)
	if refusal != nil {
		return nil //nolint:nilerr // of this, the refund is refused
	}
	return s.insertRefund(ctx, q, booked)
}

// insertRefund claims the number of a refund.
func (s *Stock) insertRefund(ctx context.Context, q Tx, booked stock.RefundRecord) error {
	takeBack := render(s.sql.deleteRefundText(len(booked.Lines)), booked.ID)
	return insert(ctx, q, s.sql.insertRefunds(booked), takeBack)
}

// lockRefunded locks the lines of an order and returns its hold with what is refunded of them, unless its state or
// fence is another by now.
func (s *Stock) lockRefunded(ctx context.Context, q Tx, hold stock.Hold) (stock.Hold, bool, error) {
	if len(hold.Lines) == 0 {
		return hold, false, nil
	}
	hold.Lines = slices.Clone(hold.Lines)
	lines := 0
	err := read(ctx, q, s.sql.lockRefunded(hold), func(rows *sql.Rows) error {
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

// refundBatch makes many refunds in one transaction, those of one order one after the other. A number that comes twice
// and what is refused go alone; and where a number is known, or the books or the companions of one refuse, all do: each
// finds out for itself.
func (s *Stock) refundBatch(ctx context.Context, _ struct{}, calls []refundCall) ([]reply[stock.RefundResult], error) {
	replies := allAlone(make([]reply[stock.RefundResult], len(calls)))
	var b refundBatch
	var made []refundCall
	kept, err := s.atomically(ctx, func(q Tx) (bool, error) {
		b = newRefundBatch(calls)
		t := newTally()
		if err := beforeAll(ctx, s, q, calls); err != nil {
			return false, err
		}
		if err := b.lock(ctx, q, s.sql.lockRefunds, t); err != nil || len(b.done) == 0 {
			return false, err
		}
		if made = b.made(); len(made) < len(calls) && slices.ContainsFunc(calls, func(c refundCall) bool { return len(c.beside) > 0 }) {
			return false, nil // those that are not made are not to keep what they carry
		}
		if err := s.companions.refunding(ctx, q, made); err != nil {
			return false, err
		}
		if err := s.bookRefunds(ctx, q, b); err != nil {
			return false, err
		}
		if err := t.apply(ctx, q, s.sql); err != nil {
			return false, err
		}
		return true, s.companions.refunded(ctx, q, made)
	})
	for _, i := range b.done { // also where the answer to the COMMIT is lost
		if calls[i].refund.Restock {
			s.freed(keysOf(calls[i].hold)...)
		}
	}
	switch {
	case number(err) == errDuplicate, errors.Is(err, fault.ErrDrift), errors.Is(err, fault.ErrOverflow), refusedBy(err):
	case err != nil:
		return nil, err
	case kept:
		for n, call := range made {
			replies[b.done[n]] = reply[stock.RefundResult]{answer: call.result()}
		}
	}
	return replies, nil
}

// refundBatch is a batch of refunds of orders of one line.
type refundBatch struct {
	calls  []refundCall           // as they are worked out, once they are done
	of     map[string][]int       // the calls of each order, in the order of arrival
	orders []string               // all of them
	to     map[string]stock.State // of those that move
	done   []int                  // the calls that are made
}

// newRefundBatch returns a batch of calls. Of those with one number the first is in it.
func newRefundBatch(calls []refundCall) refundBatch {
	b := refundBatch{calls: slices.Clone(calls), of: map[string][]int{}, to: map[string]stock.State{}}
	known := map[string]bool{}
	for i, c := range calls {
		if known[c.refund.ID] {
			continue
		}
		known[c.refund.ID] = true
		order := c.hold.Order
		if len(b.of[order]) == 0 {
			b.orders = append(b.orders, order)
		}
		b.of[order] = append(b.of[order], i)
	}
	return b
}

// lock locks the holds, works out the refunds that they let, and adds up what these do. The others are refused: the
// state or fence of their order is another, or those before them have left too little.
func (b *refundBatch) lock(ctx context.Context, q Tx, query string, t *tally) error {
	return read(ctx, q, renderList(query, b.orders), func(rows *sql.Rows) error {
		var order string
		var fence, refunded int64
		var state sql.NullByte
		if err := rows.Scan(&order, &state, &fence, &refunded); err != nil {
			return err
		}
		is := b.calls[b.of[order][0]].hold
		is.State, is.Fence, is.Lines = stock.State(state.Byte), fence, slices.Clone(is.Lines)
		is.Lines[0].Refunded = refunded
		for _, i := range b.of[order] {
			c := &b.calls[i]
			booked, after, err := c.refund.Of(is)
			if err != nil || c.hold.State != is.State || c.hold.Fence != is.Fence {
				continue
			}
			c.refund, c.hold, c.to, is = booked, is, after.State, after
			b.to[order], b.done = is.State, append(b.done, i)
			l := booked.Lines[0]
			if !t.add(c.transition().Delta, buyerKey{l.Key(), is.Buyer}, l.Num, stock.Usage{Bought: -c.freed(l.Num)}) {
				return fault.ErrOverflow
			}
		}
		return nil
	})
}

// made returns the calls that are made.
func (b *refundBatch) made() []refundCall {
	made := make([]refundCall, len(b.done))
	for n, i := range b.done {
		made[n] = b.calls[i]
	}
	return made
}

// moved returns the orders of which something is refunded.
func (b *refundBatch) moved() []string { return slices.Sorted(maps.Keys(b.to)) }

// refundShape is what the refunds of an order of one line do to its hold.
type refundShape struct {
	refunded, restocked, freed int64
	to                         stock.State
}

// bookRefunds writes refunds that are worked out from holds which are locked.
func (s *Stock) bookRefunds(ctx context.Context, q Tx, b refundBatch) error {
	refunds := make([]stock.RefundRecord, len(b.done))
	sums := map[string]refundShape{}
	for n, c := range b.made() {
		refunds[n] = c.refund
		num, sum := c.refund.Lines[0].Num, sums[c.hold.Order]
		sum.refunded, sum.freed, sum.to = sum.refunded+num, sum.freed+c.freed(num), b.to[c.hold.Order]
		if c.refund.Restock {
			sum.restocked += num
		}
		sums[c.hold.Order] = sum
	}
	if _, err := q.ExecContext(ctx, s.sql.insertRefunds(refunds...)); err != nil {
		return err
	}
	shapes := map[refundShape][]string{}
	for _, order := range b.moved() {
		shapes[sums[order]] = append(shapes[sums[order]], order)
	}
	for shape, orders := range shapes {
		rows, err := affected(q.ExecContext(ctx, s.sql.refundHolds(shape, orders)))
		if err != nil || rows != int64(len(orders)) {
			return missing(err)
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
