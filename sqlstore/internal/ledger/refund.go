package ledger

import (
	"context"
	"database/sql"
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
	// and how many units of each of its lines it takes of those that were handed over, and of those that have not come yet
	returned, forgiven []int64
	Cargo
}

// result is what became of a call that was made.
func (c RefundCall) result() stock.RefundResult {
	return stock.RefundResult{Verdict: stock.Done, Refund: c.Refund, State: c.to, Beside: c.Kept}
}

// rows returns the rows of a call.
func (c RefundCall) rows() callRows {
	return callRows{order: c.Hold.Order, buyer: c.Hold.Buyer, keys: KeysOf(c.Hold)}
}

// transition returns the transition of each of its units.
func (c RefundCall) transition() stock.Transition {
	if c.Refund.Restock {
		return stock.StepRefund.Transition()
	}
	return stock.StepDiscard.Transition()
}

// workOut works the refund out of a hold that is locked, and returns the hold afterwards.
func (c *RefundCall) workOut(is stock.Hold) (after stock.Hold, err error) {
	record, after, err := c.Refund.Of(is)
	if err != nil {
		return after, err
	}
	c.Refund, c.Hold, c.to = record, is, after.State
	c.returned, c.forgiven = make([]int64, len(is.Lines)), make([]int64, len(is.Lines))
	for i, l := range is.Lines {
		c.forgiven[i] = l.Backordered - after.Lines[i].Backordered
		c.returned[i] = l.Redeemed - after.Lines[i].Redeemed
	}
	return after, nil
}

// freed is how many of its units the buyer's limit gets back.
func (c RefundCall) freed(num int64) int64 {
	if c.Refund.Frees {
		return num
	}
	return 0
}

// buyers returns what its buyer has of the items of its lines, by their keys.
func (c RefundCall) buyers() (keys []buyerKey) {
	for _, l := range c.Refund.Lines {
		keys = append(keys, buyerKey{l.Key(), c.Hold.Buyer})
	}
	return keys
}

// Refund implements stock.Store.
func (s *Store) Refund(
	ctx context.Context, refund stock.RefundRecord, hold stock.Hold, beside ...stock.Companion,
) (stock.RefundResult, error) {
	if err := s.Ready(beside...); err != nil {
		return stock.RefundResult{}, err
	}
	call := RefundCall{Refund: refund, Hold: hold, Cargo: s.cargo(beside)}
	switch {
	case s.batchers == nil:
		return s.refund(ctx, call)
	case len(hold.Lines) == 0:
		return s.refundSingle(ctx, struct{}{}, call)
	}
	result, err := s.batchers.refunds.Do(ctx, struct{}{}, call)
	return unstuck(ctx, s, result, err, func() (stock.RefundResult, error) { return s.batchers.refunds.Do(ctx, struct{}{}, call) })
}

// refundSingle makes one refund by itself, and is told where it is stuck.
func (s *Store) refundSingle(ctx context.Context, _ struct{}, call RefundCall) (stock.RefundResult, error) {
	return single(ctx, s, call.rows(), func(s *Store) (stock.RefundResult, error) { return s.refund(ctx, call) })
}

// refund makes one refund by itself. It locks the order's holds and works out the refund from them. Then it claims its
// number, asks the companions, and moves each line under its own guard.
func (s *Store) refund(ctx context.Context, call RefundCall) (stock.RefundResult, error) {
	s = s.withRows(call.Rows)
	if call.Refund.Restock {
		defer s.Freed(KeysOf(call.Hold)...)
	}
	var made []RefundCall
	kept, err := s.WithHandover(ctx, s.changeBeside(call.Beside), func(q mysql.Tx, h *Handover) (bool, error) {
		q = s.watched(q)
		is, ok, err := s.lockRefunded(ctx, q, call.Hold)
		if err != nil {
			return false, err
		}
		one := call
		if _, refusal := one.workOut(is); !ok || refusal != nil {
			return false, s.claimRefund(ctx, q, call)
		}
		made = []RefundCall{one}
		if err := h.Lock(ctx, q); err != nil {
			return false, err
		}
		if err := s.insertRefund(ctx, q, one.Refund); err != nil {
			return false, err
		}
		if err := s.Record(ctx, q, one.Refund.Change()); err != nil {
			return false, err
		}
		if err := s.Companions.Refunding(ctx, q, made); err != nil {
			return false, err
		}
		if s.Bound() && is.Buyer != "" && len(one.Refund.Lines) > 1 {
			if err := lockOnly(ctx, q, s.SQL.lockBuyers(one.buyers())); err != nil {
				return false, err
			}
		}
		if moved, err := s.moveRefund(ctx, q, h, made[0]); err != nil || !moved {
			return false, err
		}
		if err := s.Companions.Refunded(ctx, q, made); err != nil {
			return false, err
		}
		return h.Finish(ctx, q, freedByRefunds(made), s.toldRefunds(made))
	})
	switch verdict, err := ExistsOnDuplicate(DoneIf(kept), err); verdict {
	case stock.Done:
		return made[0].result(), nil
	default:
		return stock.RefundResult{Verdict: verdict}, err
	}
}

// moveRefund moves the lines of a refund that is worked out, each under its own guard, and reports whether all of them went.
func (s *Store) moveRefund(ctx context.Context, q mysql.Tx, h *Handover, call RefundCall) (bool, error) {
	is := call.Hold
	for _, l := range call.Refund.Lines {
		rows, err := h.exec(ctx, q, s.SQL.refundLine(call, l, lineOf(is, l.Key())))
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
		var refunded, redeemed, back int64
		err := rows.Scan(&no, &refunded, &redeemed, &back)
		if err == nil {
			l := &hold.Lines[no-1]
			l.Refunded, l.Redeemed, l.Backordered = refunded, redeemed, back
			lines++
		}
		return err
	})
	return hold, lines == len(hold.Lines), err
}

// refundBatch makes many refunds in as few transactions as they allow. Repeated numbers and refused refunds go alone: each
// finds out for itself.
func (s *Store) refundBatch(ctx context.Context, _ struct{}, calls []RefundCall) ([]batch.Reply[stock.RefundResult], error) {
	replies := make([]batch.Reply[stock.RefundResult], len(calls))
	t := tries{
		tried: func() { s.Bounds.Tried(len(calls)) },
		stuck: stuckAmong(ctx, s, calls, RefundCall.rows),
		try: func(in []int, _ bool) ([]error, error) {
			made, why, err := s.refundMany(ctx, pick(calls, in))
			for n, i := range in {
				if err == nil && why[n] == nil {
					replies[i].Answer = made[0].result()
					made = made[1:]
				}
			}
			return why, err
		},
		leave: leaveIn(replies, batch.Reply[stock.RefundResult]{Alone: batch.Refused}, stock.RefundResult{Verdict: stock.Exists}),
	}
	t.run(numbers(len(calls)), true)
	return replies, nil
}

// refundMany makes refunds in one transaction, those of one order one after the other. It returns those that it has made,
// and why it has not made the others. What a call carries must not be kept where it is not made: such calls are
// refused, and none is made.
func (s *Store) refundMany(ctx context.Context, calls []RefundCall) (made []RefundCall, why []error, err error) {
	var b RefundBatch
	_, err = s.WithHandover(ctx, s.Atomically, func(q mysql.Tx, h *Handover) (bool, error) {
		b, made = NewRefundBatch(calls), nil
		q = s.watched(q)
		t := NewTally()
		if err := beforeTry(ctx, s, q, calls); err != nil {
			return false, err
		}
		if err := b.Lock(ctx, q, s.SQL, t); err != nil {
			return false, err
		}
		if why, err = b.refused(); err != nil || len(b.Done) == 0 {
			return false, err
		}
		made = pick(b.calls, b.Done)
		if err := h.Lock(ctx, q); err != nil {
			return false, err
		}
		if err := s.Companions.Refunding(ctx, q, made); err != nil {
			return false, namedOf(err, len(calls), b.Done)
		}
		if err := s.BookRefunds(ctx, q, b); err != nil {
			if mysql.Number(err) == mysql.ErrDuplicate {
				err = errKnown
			}
			return false, err
		}
		if err := t.Apply(ctx, q, h); err != nil {
			return false, err
		}
		if err := s.Companions.Refunded(ctx, q, made); err != nil {
			return false, namedOf(err, len(calls), b.Done)
		}
		return h.Finish(ctx, q, t.Freed(), s.toldRefunds(made))
	})
	for _, i := range b.Done { // also where the answer to the COMMIT is lost
		if calls[i].Refund.Restock {
			s.Freed(KeysOf(calls[i].Hold)...)
		}
	}
	return made, why, err
}

// RefundBatch is a batch of refunds.
type RefundBatch struct {
	calls  []RefundCall          // as they are worked out, once they are done
	of     map[string][]int      // the calls of each order, in the order of arrival
	orders []string              // all of them
	moved  map[string]stock.Hold // the holds of those that move, as they become
	Done   []int                 // the calls that are made, in the order of arrival
}

// NewRefundBatch returns a batch of calls. Of calls with the same number it has the first.
func NewRefundBatch(calls []RefundCall) RefundBatch {
	b := RefundBatch{calls: slices.Clone(calls), of: map[string][]int{}, moved: map[string]stock.Hold{}}
	known := map[string]bool{}
	for i, c := range calls {
		if known[c.Refund.ID] || len(c.Hold.Lines) == 0 {
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

// Lock locks all lines of the orders, works out the refunds that they allow, and adds up what these do. The others are
// refused: the state or fence of their order differs, or earlier refunds have left too little.
func (b *RefundBatch) Lock(ctx context.Context, q mysql.Tx, statements *Statements, t *Tally) error {
	keys, holds := lineKeys{}, map[string]*refundedHold{}
	for _, order := range b.orders {
		hold := b.calls[b.of[order][0]].Hold
		hold.Lines = slices.Clone(hold.Lines)
		keys.addSpan(order, 1, len(hold.Lines))
		holds[order] = &refundedHold{Hold: hold}
	}
	switch {
	case len(keys) == 0:
		return nil
	case keys.rows() > maxLines && len(b.orders) > 1:
		return errManyLines
	}
	err := mysql.Read(ctx, q, statements.lockRefunds(keys), func(rows *sql.Rows) error {
		var order string
		var no int
		var state stock.State
		var fence, refunded, redeemed, back int64
		if err := rows.Scan(&order, &no, &state, &fence, &refunded, &redeemed, &back); err != nil {
			return err
		}
		if h := holds[order]; h != nil {
			l := &h.Lines[no-1]
			h.State, h.Fence, l.Refunded, l.Redeemed, l.Backordered = state, fence, refunded, redeemed, back
			h.locked++
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, order := range b.orders {
		if h := holds[order]; h.locked == len(h.Lines) && !b.workOut(order, h.Hold, t) {
			return fault.ErrOverflow
		}
	}
	slices.Sort(b.Done)
	return nil
}

// refundedHold is a hold that has so many of its lines locked.
type refundedHold struct {
	stock.Hold

	locked int
}

// workOut works out the refunds of an order that is locked, and reports whether the sums are still in range.
func (b *RefundBatch) workOut(order string, is stock.Hold, t *Tally) bool {
	for _, i := range b.of[order] {
		c := &b.calls[i]
		if c.Hold.State != is.State || c.Hold.Fence != is.Fence {
			continue
		}
		after, err := c.workOut(is)
		if err != nil {
			continue
		}
		b.moved[order], b.Done, is = after, append(b.Done, i), after
		for _, l := range c.Refund.Lines {
			delta := c.transition().Delta.Times(l.Num)
			delta.Backordered = -c.forgiven[lineOf(is, l.Key())-1]
			if !t.add(delta, buyerKey{l.Key(), is.Buyer}, stock.Usage{Bought: -c.freed(l.Num)}) {
				return false
			}
		}
	}
	return true
}

// refused returns which calls are not made, and the refusal of those among them that carry something.
func (b *RefundBatch) refused() (why []error, err error) {
	why, carry := make([]error, len(b.calls)), make([]error, len(b.calls))
	for i, c := range b.calls {
		if _, done := slices.BinarySearch(b.Done, i); done {
			continue
		}
		if why[i] = errRefused; c.any() {
			carry[i] = errRefused
		}
	}
	return why, mysql.RefuseEach(carry)
}

// refundShape is what the refunds of an order do to one of its lines.
type refundShape struct {
	Refunded, restocked, freed, returned, forgiven int64
	to                                             stock.State
}

// BookRefunds writes refunds that are worked out from holds which are locked.
func (s *Store) BookRefunds(ctx context.Context, q mysql.Tx, b RefundBatch) error {
	refunds := make([]stock.RefundRecord, len(b.Done))
	for n, i := range b.Done {
		refunds[n] = b.calls[i].Refund
	}
	if _, err := q.ExecContext(ctx, s.SQL.insertRefunds(refunds...)); err != nil {
		return err
	}
	for _, r := range refunds { // few are made by hand
		if err := s.Record(ctx, q, r.Change()); err != nil {
			return err
		}
	}
	for shape, keys := range b.shapes() {
		rows, err := mysql.Affected(q.ExecContext(ctx, s.SQL.refundHolds(shape, keys)))
		if err != nil || rows != keys.rows() {
			return mysql.Missing(err)
		}
	}
	return nil
}

// shapes returns the lines that change, by how they do: mostly all of a batch alike.
func (b *RefundBatch) shapes() map[refundShape]lineKeys {
	sums, was := map[string][]refundShape{}, map[string]stock.State{}
	for _, i := range b.Done {
		c := b.calls[i]
		order := c.Hold.Order
		if sums[order] == nil {
			sums[order], was[order] = make([]refundShape, len(c.Hold.Lines)), c.Hold.State
		}
		for _, l := range c.Refund.Lines {
			no := lineOf(c.Hold, l.Key())
			sum := &sums[order][no-1]
			sum.returned, sum.forgiven = sum.returned+c.returned[no-1], sum.forgiven+c.forgiven[no-1]
			sum.Refunded, sum.freed = sum.Refunded+l.Num, sum.freed+c.freed(l.Num)
			if c.Refund.Restock {
				sum.restocked += l.Num
			}
		}
	}
	shapes := map[refundShape]lineKeys{}
	for _, order := range slices.Sorted(maps.Keys(sums)) {
		alike := map[refundShape][]int{}
		for i, shape := range sums[order] {
			if shape.to = b.moved[order].State; shape != (refundShape{to: was[order]}) {
				alike[shape] = append(alike[shape], i+1)
			}
		}
		for shape, lines := range alike {
			if shapes[shape] == nil {
				shapes[shape] = lineKeys{}
			}
			shapes[shape].add(order, lines...)
		}
	}
	return shapes
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
