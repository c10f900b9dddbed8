package ledger

import (
	"context"
	"database/sql"
	"errors"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/sqlstore/internal/batch"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// MoveCall is a Move as it waits for its batch.
type MoveCall struct {
	Order string
	fence int64
	back  bool // units that are not there may be among those that it draws
	Cargo
}

// Move implements stock.Store.
func (s *Store) Move(ctx context.Context, move stock.Movement) (stock.MoveResult, error) {
	if err := s.Ready(move.Beside...); err != nil {
		return stock.MoveResult{}, err
	}
	if move.Step == stock.StepOffer {
		return stock.MoveResult{}, nil
	}
	call := MoveCall{Order: move.Order, fence: move.Fence, back: move.Backorder, Cargo: s.cargo(move.Beside)}
	if move.Step == stock.StepExpire { // it only makes way for the call that carries them
		call.Rows = nil
	}
	if s.batchers == nil {
		return s.move(ctx, move.Step, call)
	}
	result, err := s.batchers.Moves.Do(ctx, move.Step, call)
	if err == nil {
		return result, nil
	}
	return unstuck(ctx, s, result, err, func() (stock.MoveResult, error) { return s.batchers.Moves.Do(ctx, move.Step, call) })
}

// moveSingle moves one order by itself, and is told where it is stuck.
func (s *Store) moveSingle(ctx context.Context, step stock.Step, call MoveCall) (stock.MoveResult, error) {
	return single(ctx, s, callRows{order: call.Order}, func(s *Store) (stock.MoveResult, error) { return s.move(ctx, step, call) })
}

// move moves one order by itself, in one guarded UPDATE of its holds, their items and what their buyer has. The guard
// is on the holds. If the books balance, the counters suffice. If not, a CHECK constraint refuses the whole statement,
// where a guard in WHERE would let it through for some of the lines. A statement with nothing else beside it is a
// transaction by itself.
//
// A step that draws is refused unless all lines went.
func (s *Store) move(ctx context.Context, step stock.Step, call MoveCall) (stock.MoveResult, error) {
	t := step.Transition()
	batched := call.back
	if !s.Bound() {
		splits, err := s.Splits(ctx)
		if err != nil {
			return stock.MoveResult{}, err
		}
		batched = batched || splits
	}
	if batched { // as a batch of one, but for what it does not settle
		if reply := s.moveEach(ctx, step, []MoveCall{call})[0]; reply.Alone == 0 {
			return reply.Answer, reply.Err
		}
	}
	s = s.withRows(call.Rows)
	if frees(t) || t.Draws() || step == stock.StepLeave { // of which items it does not know
		defer s.Freed()
	}
	if !s.Bound() && !t.Draws() && len(call.Beside) == 0 && s.rows == nil && !s.Companions.Moves(t) && s.tells == 0 {
		statement := s.SQL.move(step, call, 0)
		guarded := unlessWaiting(statement)
		rows, err := s.ExecWatched(ctx, guarded, s.patience())
		if guarded == statement || mysql.Number(err) != mysql.ErrOutOfRange {
			return stock.MoveResult{Verdict: DoneIf(rows > 0)}, unlessBackordered(step, err)
		}
	}
	calls := []MoveCall{call}
	kept, err := s.WithHandover(ctx, s.changeBeside(call.Beside), func(q mysql.Tx, h *Handover) (bool, error) {
		return s.moveOne(ctx, s.watched(q), h, t, calls)
	})
	return stock.MoveResult{Verdict: DoneIf(kept), Beside: calls[0].Kept}, unlessBackordered(step, mysql.Reason(err))
}

// unlessBackordered returns the error of a step but where a constraint has refused it since units of the order have not come yet.
func unlessBackordered(step stock.Step, err error) error {
	if step == stock.StepRedeem && errors.Is(err, fault.ErrDrift) {
		return nil
	}
	return err
}

// moveOne moves the order of the only call, in a transaction, and reports whether that is to be kept.
func (s *Store) moveOne(ctx context.Context, q mysql.Tx, h *Handover, t stock.Transition, calls []MoveCall) (bool, error) {
	if err := h.Lock(ctx, q); err != nil {
		return false, err
	}
	call, lines, count := calls[0], 0, s.SQL.countState
	if s.Bound() {
		var err error
		if lines, err = s.lockOrder(ctx, q, call.Order); err != nil || lines == 0 {
			return false, err
		}
		count = s.SQL.countCurrent(lines)
		if lines > 1 && t.Delta != (stock.Quantities{}) {
			if err := lockOnly(ctx, q, mysql.Render(s.SQL.lockBuyersOfOrder(lines), call.Order)); err != nil {
				return false, err
			}
		}
	}
	rows, err := h.exec(ctx, q, s.SQL.move(t.Step, call, lines))
	if err != nil || rows == 0 {
		return false, err
	}
	if t.Draws() {
		var behind int64
		err = mysql.ReadRow(ctx, q, mysql.Render(count, call.Order, int64(t.From[0])), &behind)
		if err != nil || behind > 0 {
			return false, err
		}
	}
	if err := s.Companions.Moved(ctx, q, t, calls); err != nil {
		return false, err
	}
	told, err := s.moveTold(ctx, q, t.Step, call.Order)
	if err != nil {
		return false, err
	}
	keys, err := h.waitedFor(ctx, q, t, call.Order, lines)
	if err != nil {
		return false, err
	}
	return h.Finish(ctx, q, keys, told)
}

// frees reports whether a transition makes units available.
func frees(t stock.Transition) bool { return t.Delta.Available() > 0 }

// Freed ends what is remembered of some items, whose units may be back; with no keys, of all.
func (s *Store) Freed(keys ...stock.Key) {
	if s.Bound() {
		s.SoldOut.suspend()
	}
	s.SoldOut.forget(keys...)
}

// moveBatch moves many orders by one step. An order that comes twice moves once: for the other call it has moved
// already.
func (s *Store) moveBatch(ctx context.Context, step stock.Step, calls []MoveCall) ([]batch.Reply[stock.MoveResult], error) {
	known := make(map[string]bool, len(calls))
	var firsts []int
	for i, c := range calls {
		if !known[c.Order] {
			known[c.Order] = true
			firsts = append(firsts, i)
		}
	}
	replies := make([]batch.Reply[stock.MoveResult], len(calls))
	stuck := map[string]error{}
	for n, reply := range s.moveEach(ctx, step, pick(calls, firsts)) {
		if replies[firsts[n]] = reply; isStuck(reply.Err) {
			stuck[calls[firsts[n]].Order] = reply.Err
		}
	}
	if len(stuck) > 0 {
		for i, c := range calls {
			if stuck[c.Order] != nil {
				replies[i].Err = stuck[c.Order]
			}
		}
	}
	return replies, nil
}

// AllAlone returns the replies of a batch that cannot go as one.
func AllAlone[A any](replies []batch.Reply[A]) []batch.Reply[A] {
	for i := range replies {
		replies[i].Alone = batch.Refused
	}
	return replies
}

// moveEach moves orders by one step, in as few transactions as they allow. Each order has one call.
func (s *Store) moveEach(ctx context.Context, step stock.Step, calls []MoveCall) []batch.Reply[stock.MoveResult] {
	replies := make([]batch.Reply[stock.MoveResult], len(calls))
	items := map[string][]stock.Key{} // of the orders that could expire
	t := tries{
		tried: func() { s.Bounds.Tried(len(calls)) },
		stuck: stuckAmong(ctx, s, calls, func(c MoveCall) callRows { return callRows{order: c.Order} }),
		try: func(in []int, judged bool) ([]error, error) {
			some := pick(calls, in)
			m, why, err := s.moveMany(ctx, step, some, judged)
			if step == stock.StepExpire {
				for order, hold := range m.holds {
					items[order] = hold.keys()
				}
			}
			for n, i := range in {
				if err == nil && why[n] == nil {
					replies[i] = batch.Reply[stock.MoveResult]{Answer: stock.MoveResult{Verdict: stock.Done, Beside: some[n].Kept}}
				}
			}
			return why, err
		},
		leave: func(i int, why error) {
			switch {
			case errors.Is(why, errRefused):
				return
			case errors.Is(why, errAlone):
				replies[i].Alone = batch.Unsettled
				return
			}
			replies[i].Err = why
			if step == stock.StepExpire && !fault.Stops(why) {
				s.drifted.remember(calls[i].Order, items[calls[i].Order])
			}
		},
	}
	t.run(numbers(len(calls)), step.Transition().Draws())
	return replies
}

// moveMany applies a step, in one transaction, to the orders that allow it and have the fence of their call. It returns why
// it has left out the others. What a call carries must not be kept where its order does not move: such calls are
// refused, and none is made.
func (s *Store) moveMany(ctx context.Context, step stock.Step, calls []MoveCall, judged bool) (m *MovedHolds, why []error, err error) {
	t := step.Transition()
	orders, fences := make([]string, len(calls)), make(map[string]int64, len(calls))
	for i, c := range calls {
		orders[i], fences[c.Order] = c.Order, c.fence
	}
	m = NewMovedHolds(NewTally())
	wanted := func(order string, fence int64) bool { return step == stock.StepExpire || fences[order] == fence }
	many := s.SQL.Many[step]
	_, err = s.WithHandover(ctx, s.Atomically, func(q mysql.Tx, h *Handover) (bool, error) {
		m, why = NewMovedHolds(NewTally()), make([]error, len(calls))
		q = s.watched(q)
		if err := beforeTry(ctx, s, q, calls); err != nil {
			return false, err
		}
		if err := m.lock(ctx, q, s.SQL, s.firstLines(ctx, q, step, orders), wanted); err != nil {
			return false, err
		}
		if step == stock.StepRedeem {
			m.leaveBackorders()
		}
		if err := h.Lock(ctx, q); err != nil {
			return false, err
		}
		if judged {
			if why, err = m.judgeEach(ctx, q, s.SQL, t, orders); err != nil {
				return false, err
			}
		}
		moved, err := m.made(calls, why)
		if err != nil || len(moved) == 0 {
			return false, err
		}
		if err := m.carryOut(ctx, q, h, many, t); err != nil {
			return false, err
		}
		some := pick(calls, moved)
		if err := s.Companions.Moved(ctx, q, t, some); err != nil {
			return false, namedOf(err, len(calls), moved)
		}
		told := s.told()
		for n, i := range moved {
			calls[i].Kept = some[n].Kept
			m.tell(told, step, []string{some[n].Order})
		}
		return h.Finish(ctx, q, m.Freed(), told)
	})
	if frees(t) || t.Draws() || step == stock.StepLeave { // also where the answer to the COMMIT is lost
		if keys := m.keys(); len(keys) > 0 {
			s.Freed(keys...)
		}
	}
	return m, why, err
}

// carryOut moves the holds, changes what their items and buyers have, and notes which of their units have not come yet.
func (m *MovedHolds) carryOut(ctx context.Context, q mysql.Tx, h *Handover, many moveManySQL, t stock.Transition) error {
	if err := m.move(ctx, q, many, t); err != nil {
		return err
	}
	if err := m.Apply(ctx, q, h); err != nil {
		return err
	}
	return m.noteBackorders(ctx, q, h.SQL, t)
}

// firstLines returns what locks and reads the first lines of orders that allow a step. In the caller's transaction, who releases
// what is dead on the way to something else waits for nobody.
func (s *Store) firstLines(ctx context.Context, q mysql.Tx, step stock.Step, orders []string) func(scan func(*sql.Rows) error) error {
	lock := s.SQL.Many[step].lock
	return func(scan func(*sql.Rows) error) error {
		if s.Bound() && step == stock.StepExpire {
			_, err := mysql.ReadFree(ctx, s.Handle, q, orders, mysql.ByList(lock), scan)
			return err
		}
		return mysql.Read(ctx, q, mysql.RenderList(lock, orders), scan)
	}
}

// made returns the calls whose orders move, by their numbers, and completes why the others do not.
func (m *MovedHolds) made(calls []MoveCall, why []error) (moved []int, err error) {
	carries := false
	for i, c := range calls {
		switch {
		case m.holds[c.Order] != nil:
			moved = append(moved, i)
			continue
		case why[i] == nil:
			why[i] = errRefused
		}
		carries = carries || c.any()
	}
	if !carries {
		return moved, nil
	}
	left := make([]error, len(calls))
	for i, c := range calls {
		if c.any() {
			left[i] = why[i]
		}
	}
	return nil, mysql.RefuseEach(left)
}
