package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/stock"
)

// refundCall is a Refund as it waits for its batch.
type refundCall struct {
	refund stock.Refunding
	hold   stock.Hold
	to     stock.State
	along  any // for the backer
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

// refundShape is what a refund of an order of one line does to its hold.
type refundShape struct {
	num, restocked, freed int64
	to                    stock.State
}

// shape is that of a refund.
func (c refundCall) shape() refundShape {
	num := c.refund.Lines[0].Num
	r := refundShape{num: num, freed: c.freed(num), to: c.to}
	if c.refund.Restock {
		r.restocked = num
	}
	return r
}

// Refund implements stock.Store. Refunds of orders of one line are merged.
func (s *Stock) Refund(ctx context.Context, refund stock.Refunding, hold stock.Hold, to stock.State) (stock.Verdict, error) {
	if err := s.ready(ctx); err != nil {
		return stock.Refused, err
	}
	call := refundCall{refund: refund, hold: hold, to: to, along: s.along}
	if s.merged == nil || len(hold.Lines) > 1 {
		return s.refund(ctx, struct{}{}, call)
	}
	return s.merged.refunds.do(ctx, struct{}{}, call)
}

// refund makes one refund by itself: first its number, then the order's holds are locked and compared
// with what the refund was worked out from, then whoever else guards it lets it, then each line moves under
// its own guard.
func (s *Stock) refund(ctx context.Context, _ struct{}, call refundCall) (stock.Verdict, error) {
	refund, hold := call.refund, call.hold
	if refund.Restock {
		defer s.freed(keysOf(hold)...)
	}
	var let bool
	kept, err := s.atomically(ctx, func(q Tx) (bool, error) {
		let = true
		if _, err := q.ExecContext(ctx, s.sql.insertRefunds(refund)); err != nil {
			return false, err
		}
		var lines, refunded int64
		err := readRow(ctx, q, render(s.sql.lockRefunded, hold.Order, int64(hold.State), hold.Fence), &lines, &refunded)
		if err != nil || lines != int64(len(hold.Lines)) || refunded != refundedOf(hold) {
			return false, err
		}
		if let, err = s.lets(ctx, q, []string{hold.Order}); err != nil || !let {
			return false, err
		}
		for _, l := range refund.Lines {
			no := lineOf(hold, l.Key())
			rows, err := affected(q.ExecContext(ctx, s.sql.refundLine(call, l, no)))
			if err != nil || rows == 0 {
				return false, err
			}
		}
		if call.to != hold.State {
			rows, err := affected(q.ExecContext(ctx, render(s.sql.setState, int64(call.to), hold.Order, int64(hold.State))))
			if err != nil || rows != int64(len(hold.Lines)) {
				return false, err
			}
		}
		return true, s.back(ctx, q, call)
	})
	if err == nil && !let {
		return stock.Refused, s.guard.refusal
	}
	return taken(verdict(kept), reason(err))
}

// back does what goes along with refunds that are made, in their transaction.
func (s *Stock) back(ctx context.Context, q Tx, calls ...refundCall) error {
	if s.backer == nil {
		return nil
	}
	return s.backer(ctx, q, calls)
}

// lets asks whoever else guards refunds whether the orders, whose holds are locked, may be refunded.
func (s *Stock) lets(ctx context.Context, q Tx, orders []string) (bool, error) {
	if s.guard == nil {
		return true, nil
	}
	return s.guard.let(ctx, q, orders)
}

// refundBatch makes many refunds in one transaction. Of several for one order the first is in it. Those whose
// hold has changed go alone; and where a number is known, or the books or the guard of one refuse, all do:
// each finds out for itself.
func (s *Stock) refundBatch(ctx context.Context, _ struct{}, calls []refundCall) ([]reply[stock.Verdict], error) {
	b := newRefundBatch(calls)
	replies := allAlone(make([]reply[stock.Verdict], len(calls)))
	var done []int
	kept, err := s.atomically(ctx, func(q Tx) (bool, error) {
		t := newTally()
		var err error
		if done, err = b.lock(ctx, q, s.sql.lockRefunds, t); err != nil || len(done) == 0 {
			return false, err
		}
		in := make([]refundCall, len(done))
		orders := make([]string, len(done))
		for i, at := range done {
			in[i], orders[i] = calls[at], calls[at].hold.Order
		}
		if let, err := s.lets(ctx, q, orders); err != nil || !let {
			return false, err
		}
		if err := s.bookRefunds(ctx, q, in); err != nil {
			return false, err
		}
		if err := t.apply(ctx, q, s.sql); err != nil {
			return false, err
		}
		return true, s.back(ctx, q, in...)
	})
	for _, i := range done { // also where the answer to the COMMIT is lost
		if calls[i].refund.Restock {
			s.freed(keysOf(calls[i].hold)...)
		}
	}
	switch {
	case number(err) == errDuplicate, errors.Is(err, fault.ErrDrift), errors.Is(err, fault.ErrOverflow), refusedBy(err):
	case err != nil:
		return nil, err
	case kept:
		for _, i := range done {
			replies[i] = reply[stock.Verdict]{answer: stock.Done}
		}
	}
	return replies, nil
}

// refundBatch is a batch of refunds, one for each order.
type refundBatch struct {
	calls  []refundCall
	first  map[string]int // the call of each order
	orders []string
}

// newRefundBatch takes the first call of each order.
func newRefundBatch(calls []refundCall) refundBatch {
	b := refundBatch{calls: calls, first: map[string]int{}}
	for i, c := range calls {
		if _, twice := b.first[c.hold.Order]; !twice {
			b.first[c.hold.Order] = i
			b.orders = append(b.orders, c.hold.Order)
		}
	}
	return b
}

// bookRefunds writes refunds of orders of one line, whose holds are locked and as they were.
func (s *Stock) bookRefunds(ctx context.Context, q Tx, calls []refundCall) error {
	refunds := make([]stock.Refunding, len(calls))
	for i, c := range calls {
		refunds[i] = c.refund
	}
	if _, err := q.ExecContext(ctx, s.sql.insertRefunds(refunds...)); err != nil {
		return err
	}
	orders := map[refundShape][]string{}
	for _, c := range calls {
		orders[c.shape()] = append(orders[c.shape()], c.hold.Order)
	}
	for shape, of := range orders {
		rows, err := affected(q.ExecContext(ctx, s.sql.refundHolds(shape, of)))
		if err != nil || rows != int64(len(of)) {
			return missing(err)
		}
	}
	return nil
}

// lock locks the holds, adds up what the refunds do, and returns the calls whose holds are still as
// they were when the refund was worked out.
func (b refundBatch) lock(ctx context.Context, q Tx, query string, t *tally) ([]int, error) {
	rows, err := q.QueryContext(ctx, renderList(query, b.orders))
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var in []int
	for rows.Next() {
		var order string
		var fence, refunded int64
		var state sql.NullByte
		if err := rows.Scan(&order, &state, &fence, &refunded); err != nil {
			return nil, err
		}
		i := b.first[order]
		c := b.calls[i]
		if stock.State(state.Byte) != c.hold.State || fence != c.hold.Fence || refunded != c.hold.Lines[0].Refunded {
			continue
		}
		l := c.refund.Lines[0]
		if !t.add(c.transition().Change, buyerKey{l.Key(), c.hold.Buyer}, l.Num, stock.Usage{Bought: -c.freed(l.Num)}) {
			return nil, fault.ErrOverflow
		}
		in = append(in, i)
	}
	return in, rows.Err()
}

// refundedOf returns how many units of a hold are refunded.
func refundedOf(hold stock.Hold) int64 {
	sum := int64(0)
	for _, l := range hold.Lines {
		sum += l.Refunded
	}
	return sum
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
