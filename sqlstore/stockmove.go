package sqlstore

import (
	"context"
	"errors"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/stock"
)

// moveCall is a Move as it waits for its batch.
type moveCall struct {
	order string
	fence int64
	carried
}

// Move implements stock.Store. A step that draws has to look at each item, and goes alone.
func (s *Stock) Move(ctx context.Context, move stock.Movement) (stock.MoveResult, error) {
	if err := s.ready(ctx, move.Beside...); err != nil {
		return stock.MoveResult{}, err
	}
	call := moveCall{order: move.Order, fence: move.Fence, carried: carried{beside: move.Beside}}
	if s.merged == nil || move.Step.Transition().Draws() {
		return s.move(ctx, move.Step, call)
	}
	return s.merged.moves.do(ctx, move.Step, call)
}

// move moves one order by itself, in one guarded UPDATE of its holds, their items and what
// their buyer has. The guard is on the holds; that the counters then suffice follows from the
// books, and where it does not, a CHECK constraint refuses the whole statement, where a guard
// in WHERE would let it through for some of the lines. Where nothing else belongs to it, the statement is
// a transaction by itself.
//
// A step that draws is refused unless all lines went.
func (s *Stock) move(ctx context.Context, step stock.Step, call moveCall) (stock.MoveResult, error) {
	t := step.Transition()
	if frees(t) || t.Draws() { // of which items it does not know
		defer s.freed()
	}
	if !s.bound() && !t.Draws() && len(call.beside) == 0 && !s.companions.moves(t) {
		rows, err := s.exec(ctx, s.sql.move(step, call, 0))
		return stock.MoveResult{Verdict: verdict(rows > 0)}, err
	}
	calls := []moveCall{call}
	kept, err := s.change(ctx, call.beside, func(q Tx) (bool, error) {
		lines, count := 0, s.sql.countState
		if s.bound() {
			var err error
			if lines, err = s.lockOrder(ctx, q, call.order); err != nil || lines == 0 {
				return false, err
			}
			count = s.sql.countCurrent(lines)
		}
		rows, err := affected(q.ExecContext(ctx, s.sql.move(step, call, lines)))
		if err != nil || rows == 0 {
			return false, err
		}
		if t.Draws() {
			var behind int64
			err = readRow(ctx, q, render(count, call.order, int64(t.From[0])), &behind)
			if err != nil || behind > 0 {
				return false, err
			}
		}
		return true, s.companions.moved(ctx, q, t, calls)
	})
	return stock.MoveResult{Verdict: verdict(kept), Beside: calls[0].kept}, reason(err)
}

// frees reports whether a transition makes units available.
func frees(t stock.Transition) bool { return t.Delta.Available() > 0 }

// freed ends what is remembered of some items, whose units may be back; with no keys, of all.
func (s *Stock) freed(keys ...stock.Key) {
	if s.bound() {
		s.sights.suspend()
	}
	s.sights.forget(keys...)
}

// moveBatch moves many orders by one step in one transaction. An order that comes twice moves
// once: for the other call it has moved already. Where the books of one refuse, all go alone.
func (s *Stock) moveBatch(ctx context.Context, step stock.Step, calls []moveCall) ([]reply[stock.MoveResult], error) {
	first := make(map[string]int, len(calls))
	once := make([]moveCall, 0, len(calls))
	for i, c := range calls {
		if _, twice := first[c.order]; !twice {
			first[c.order] = i
			once = append(once, c)
		}
	}
	moved, err := s.moveMany(ctx, step, once)
	replies := make([]reply[stock.MoveResult], len(calls))
	switch {
	case errors.Is(err, fault.ErrDrift), errors.Is(err, fault.ErrOverflow), refusedBy(err):
		return allAlone(replies), nil
	case err != nil:
		return nil, err
	case moved.alone:
		return allAlone(replies), nil
	}
	for _, c := range moved.calls {
		replies[first[c.order]].answer = stock.MoveResult{Verdict: stock.Done, Beside: c.kept}
	}
	for _, order := range moved.longer {
		replies[first[order]].alone = true
	}
	return replies, nil
}

// allAlone is what a batch replies that cannot go as one.
func allAlone[A any](replies []reply[A]) []reply[A] {
	for i := range replies {
		replies[i].alone = true
	}
	return replies
}

// moveMany applies a step to those orders of one line that let it and have the fence of their call, to all of them or none,
// and returns them; and, untouched, those of several lines. Each order has one call.
func (s *Stock) moveMany(ctx context.Context, step stock.Step, calls []moveCall) (movedHolds, error) {
	t := step.Transition()
	orders, of := make([]string, len(calls)), make(map[string]moveCall, len(calls))
	for i, c := range calls {
		orders[i], of[c.order] = c.order, c
	}
	wanted := func(order string, fence int64) bool { return step == stock.StepExpire || of[order].fence == fence }
	var m movedHolds
	kept, err := s.atomically(ctx, func(q Tx) (bool, error) {
		m = movedHolds{tally: newTally()}
		if err := beforeAll(ctx, s, q, calls); err != nil {
			return false, err
		}
		statements := s.sql.many[step]
		if s.bound() && step == stock.StepExpire { // who releases what is dead on the way to something else waits for nobody
			statements.lock += " SKIP LOCKED"
		}
		if err := m.move(ctx, q, t, statements, orders, wanted); err != nil || len(m.orders) == 0 {
			return false, err
		}
		if err := m.apply(ctx, q, s.sql); err != nil {
			return false, err
		}
		for _, order := range m.orders {
			m.calls = append(m.calls, of[order])
			delete(of, order)
		}
		for _, c := range of { // which is not to keep what it carries
			m.alone = m.alone || len(c.beside) > 0
		}
		if m.alone {
			return false, nil
		}
		return true, s.companions.moved(ctx, q, t, m.calls)
	})
	if frees(t) && len(m.orders) > 0 { // also where the answer to the COMMIT is lost
		s.freed(m.keys()...)
	}
	if !kept {
		m.orders, m.calls = nil, nil
	}
	return m, err
}

// movedHolds are the holds of a batch of steps, locked and added up.
type movedHolds struct {
	*tally
	orders []string
	calls  []moveCall // of those orders
	longer []string   // orders of several lines
	alone  bool       // the calls have to be made one by one
	at     time.Time  // the moment at which the guard let them through
}

// move moves those of the orders that let the step and are wanted, and adds up what their units do.
func (m *movedHolds) move(ctx context.Context, q Tx, t stock.Transition, statements moveManySQL, orders []string, wanted func(string, int64) bool) error {
	if err := m.lock(ctx, q, t, renderList(statements.lock, orders), wanted); err != nil || len(m.orders) == 0 {
		return err
	}
	rows, err := affected(q.ExecContext(ctx, statements.moved(m.at, m.orders)))
	if err != nil || rows != int64(len(m.orders)) {
		return missing(err)
	}
	return nil
}

// lock locks those of the orders that let the step and are wanted. From then on nothing can come
// between: the moment of the lock is that of the step.
func (m *movedHolds) lock(ctx context.Context, q Tx, t stock.Transition, query string, wanted func(string, int64) bool) error {
	rows, err := q.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var order string
		var lines, num, fence, clock int64
		var key buyerKey
		if err := rows.Scan(&order, &lines, &key.SKU, &key.Activity, &num, &key.buyer, &fence, &clock); err != nil {
			return err
		}
		switch m.at = fromMicros(clock); {
		case lines > 1:
			m.longer = append(m.longer, order)
			continue
		case !wanted(order, fence):
			continue
		case !m.add(t.Delta, key, num, usageOf(t.Delta, num)):
			return fault.ErrOverflow
		}
		m.orders = append(m.orders, order)
	}
	return rows.Err()
}
