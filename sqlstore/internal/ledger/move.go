package ledger

import (
	"context"
	"errors"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/sqlstore/internal/batch"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// MoveCall is a Move as it waits for its batch.
type MoveCall struct {
	Order string
	fence int64
	Carried
}

// Move implements stock.Store. A step that draws has to look at each item, and goes alone.
func (s *Store) Move(ctx context.Context, move stock.Movement) (stock.MoveResult, error) {
	if err := s.Ready(ctx, move.Beside...); err != nil {
		return stock.MoveResult{}, err
	}
	call := MoveCall{Order: move.Order, fence: move.Fence, Carried: s.carried(move.Beside)}
	if s.batchers == nil || move.Step.Transition().Draws() || s.rows != nil {
		return s.move(ctx, move.Step, call)
	}
	return s.batchers.Moves.Do(ctx, move.Step, call)
}

// move moves one order by itself, in one guarded UPDATE of its holds, their items and what their buyer has. The guard
// is on the holds. If the books balance, the counters suffice. If not, a CHECK constraint refuses the whole statement,
// where a guard in WHERE would let it through for some of the lines. A statement with nothing else beside it is a
// transaction by itself.
//
// A step that draws is refused unless all lines went.
func (s *Store) move(ctx context.Context, step stock.Step, call MoveCall) (stock.MoveResult, error) {
	s = s.carrying(call.Rows)
	t := step.Transition()
	if frees(t) || t.Draws() { // of which items it does not know
		defer s.Freed()
	}
	if !s.Bound() && !t.Draws() && len(call.Beside) == 0 && s.rows == nil && !s.Companions.Moves(t) {
		rows, err := s.Exec(ctx, s.SQL.move(step, call, 0))
		return stock.MoveResult{Verdict: DoneIf(rows > 0)}, err
	}
	calls := []MoveCall{call}
	kept, err := s.change(ctx, call.Beside, func(q mysql.Tx) (bool, error) {
		lines, count := 0, s.SQL.countState
		if s.Bound() {
			var err error
			if lines, err = s.lockOrder(ctx, q, call.Order); err != nil || lines == 0 {
				return false, err
			}
			count = s.SQL.countCurrent(lines)
		}
		rows, err := mysql.Affected(q.ExecContext(ctx, s.SQL.move(step, call, lines)))
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
		return true, s.Companions.Moved(ctx, q, t, calls)
	})
	return stock.MoveResult{Verdict: DoneIf(kept), Beside: calls[0].Kept}, mysql.Reason(err)
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

// moveBatch moves many orders by one step in one transaction. An order that comes twice moves
// once: for the other call it has moved already. Where the books of one refuse, all go alone.
func (s *Store) moveBatch(ctx context.Context, step stock.Step, calls []MoveCall) ([]batch.Reply[stock.MoveResult], error) {
	first := make(map[string]int, len(calls))
	once := make([]MoveCall, 0, len(calls))
	for i, c := range calls {
		if _, twice := first[c.Order]; !twice {
			first[c.Order] = i
			once = append(once, c)
		}
	}
	moved, err := s.moveMany(ctx, step, once)
	replies := make([]batch.Reply[stock.MoveResult], len(calls))
	switch {
	case errors.Is(err, fault.ErrDrift), errors.Is(err, fault.ErrOverflow), mysql.RefusedBy(err):
		return AllAlone(replies), nil
	case err != nil:
		return nil, err
	case moved.alone:
		return AllAlone(replies), nil
	}
	for _, c := range moved.calls {
		replies[first[c.Order]].Answer = stock.MoveResult{Verdict: stock.Done, Beside: c.Kept}
	}
	for _, order := range moved.longer {
		replies[first[order]].Alone = true
	}
	return replies, nil
}

// AllAlone returns the replies of a batch that cannot go as one.
func AllAlone[A any](replies []batch.Reply[A]) []batch.Reply[A] {
	for i := range replies {
		replies[i].Alone = true
	}
	return replies
}

// moveMany applies a step to the orders of one line that allow it and have the fence of their call, to all of them or
// none. It returns those, and the orders of several lines, which it does not touch. Each order has one call.
func (s *Store) moveMany(ctx context.Context, step stock.Step, calls []MoveCall) (MovedHolds, error) {
	t := step.Transition()
	orders, of := make([]string, len(calls)), make(map[string]MoveCall, len(calls))
	for i, c := range calls {
		orders[i], of[c.Order] = c.Order, c
	}
	wanted := func(order string, fence int64) bool { return step == stock.StepExpire || of[order].fence == fence }
	var m MovedHolds
	kept, err := s.Atomically(ctx, func(q mysql.Tx) (bool, error) {
		m = MovedHolds{Tally: NewTally()}
		if err := beforeAll(ctx, s, q, calls); err != nil {
			return false, err
		}
		statements := s.SQL.Many[step]
		if s.Bound() && step == stock.StepExpire { // who releases what is dead on the way to something else waits for nobody
			statements.lock += " SKIP LOCKED"
		}
		if err := m.Move(ctx, q, t, statements, orders, wanted); err != nil || len(m.orders) == 0 {
			return false, err
		}
		if err := m.Apply(ctx, q, s.SQL); err != nil {
			return false, err
		}
		for _, order := range m.orders {
			m.calls = append(m.calls, of[order])
			delete(of, order)
		}
		for _, c := range of { // which is not to keep what it carries
			m.alone = m.alone || len(c.Beside) > 0
		}
		if m.alone {
			return false, nil
		}
		return true, s.Companions.Moved(ctx, q, t, m.calls)
	})
	if frees(t) && len(m.orders) > 0 { // also where the answer to the COMMIT is lost
		s.Freed(m.keys()...)
	}
	if !kept {
		m.orders, m.calls = nil, nil
	}
	return m, err
}

// MovedHolds are the holds of a batch of steps, locked and added up.
type MovedHolds struct {
	*Tally
	orders []string
	calls  []MoveCall // of those orders
	longer []string   // orders of several lines
	alone  bool       // the calls have to be made one by one
	at     time.Time  // the moment at which the guard let them through
}

// Move moves the wanted orders that allow the step, and adds up what their units do.
func (m *MovedHolds) Move(
	ctx context.Context, q mysql.Tx, t stock.Transition, statements moveManySQL, orders []string, wanted func(string, int64) bool,
) error {
	if err := m.lock(ctx, q, t, mysql.RenderList(statements.lock, orders), wanted); err != nil || len(m.orders) == 0 {
		return err
	}
	rows, err := mysql.Affected(q.ExecContext(ctx, statements.Moved(m.at, m.orders)))
	if err != nil || rows != int64(len(m.orders)) {
		return mysql.Missing(err)
	}
	return nil
}

// lock locks the wanted orders that allow the step. From then on nothing can come between: the step has the time of
// the lock.
func (m *MovedHolds) lock(ctx context.Context, q mysql.Tx, t stock.Transition, query string, wanted func(string, int64) bool) error {
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
		switch m.at = mysql.FromMicros(clock); {
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
