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

// moveCall is a Move as it waits for its batch.
type moveCall struct {
	order string
	fence int64
}

// Move implements stock.Store. A step that draws has to look at each item, and goes alone.
func (s *Stock) Move(ctx context.Context, step stock.Step, order string, fence int64) (stock.Verdict, error) {
	if err := s.ready(ctx); err != nil {
		return stock.Refused, err
	}
	call := moveCall{order: order, fence: fence}
	if s.merged == nil || step.Transition().Draws() {
		return s.move(ctx, step, call)
	}
	return s.merged.moves.do(ctx, step, call, func(ctx context.Context) (stock.Verdict, error) { return s.move(ctx, step, call) })
}

// move moves one order by itself, in one guarded UPDATE of its holds, their items and what
// their buyer has. The guard is on the holds; that the counters then suffice follows from the
// books, and where it does not, a CHECK constraint refuses the whole statement, where a guard
// in WHERE would let it through for some of the lines.
//
// A step that draws is refused unless all lines went.
func (s *Stock) move(ctx context.Context, step stock.Step, call moveCall) (stock.Verdict, error) {
	t := step.Transition()
	statement := s.sql.move(step, call.order, call.fence)
	if frees(t) || t.Draws() { // of which items it does not know
		defer s.freed()
	}
	if !t.Draws() {
		rows, err := s.exec(ctx, statement)
		return verdict(rows > 0), err
	}
	kept, err := s.atomically(ctx, func(q Tx) (bool, error) {
		rows, err := affected(q.ExecContext(ctx, statement))
		if err != nil || rows == 0 {
			return false, err
		}
		var behind int64
		err = q.QueryRowContext(ctx, render(s.sql.countState, call.order, int64(t.From[0]))).Scan(&behind)
		return behind == 0, err
	})
	return verdict(kept), err
}

// frees reports whether a transition makes units available.
func frees(t stock.Transition) bool { return t.Change.Available() > 0 }

// freed ends what is remembered of some items; with no keys, of all.
func (s *Stock) freed(keys ...stock.Key) { s.sights.forget(s.bound(), keys...) }

// moveBatch moves many orders by one step in one transaction. An order that comes twice moves
// once: for the other call it has moved already. Where the books of one refuse, all go alone.
func (s *Stock) moveBatch(ctx context.Context, step stock.Step, calls []moveCall) ([]reply[stock.Verdict], error) {
	first := make(map[string]int, len(calls))
	orders := make([]string, 0, len(calls))
	for i, c := range calls {
		if _, twice := first[c.order]; !twice {
			first[c.order] = i
			orders = append(orders, c.order)
		}
	}
	moved, err := s.moveMany(ctx, step, orders, func(order string, fence int64) bool {
		return step == stock.StepExpire || calls[first[order]].fence == fence
	})
	replies := make([]reply[stock.Verdict], len(calls))
	switch {
	case errors.Is(err, fault.ErrDrift), errors.Is(err, fault.ErrOverflow):
		return allAlone(replies), nil
	case err != nil:
		return nil, err
	}
	for _, order := range moved {
		replies[first[order]].answer = stock.Done
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

// moveMany applies a step to those of the orders that let it and are wanted with the fence they have,
// to all of them or none, and returns them.
func (s *Stock) moveMany(ctx context.Context, step stock.Step, orders []string, wanted func(order string, fence int64) bool) ([]string, error) {
	t := step.Transition()
	m := movedHolds{tally: newTally()}
	kept, err := s.atomically(ctx, func(q Tx) (bool, error) {
		m = movedHolds{tally: newTally()}
		if err := m.lock(ctx, q, s.sql, t, slices.Sorted(slices.Values(orders)), wanted); err != nil || len(m.orders) == 0 {
			return false, err
		}
		args := append([]any{m.at}, anys(m.orders)...)
		if t.To == stock.Paid {
			args = append([]any{m.at}, args...)
		}
		rows, err := affected(q.ExecContext(ctx, render(s.sql.moveHolds(t, len(m.orders)), args...)))
		if err != nil || rows != m.lines {
			return false, missing(err)
		}
		return true, m.apply(ctx, q, s.sql)
	})
	if keys := m.keys(); frees(t) && len(keys) > 0 { // also where the answer to the COMMIT is lost
		s.freed(keys...)
	}
	if err != nil || !kept {
		return nil, err
	}
	return m.orders, nil
}

// movedHolds are the holds of a batch of steps, locked and added up.
type movedHolds struct {
	*tally
	orders []string
	lines  int64
	at     time.Time // the moment at which the guard let them through
}

// lock locks those of the orders that let the step and are wanted. From then on nothing can come
// between: the moment of the lock is that of the step.
func (m *movedHolds) lock(ctx context.Context, q Tx, statements *stockSQL, t stock.Transition, orders []string, wanted func(string, int64) bool) error {
	rows, err := q.QueryContext(ctx, render(statements.lockMoved(t, len(orders)), anys(orders)...))
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var order sql.RawBytes
		var num, fence, clock int64
		var key buyerKey
		if err := rows.Scan(&order, &key.SKU, &key.Activity, &num, &key.buyer, &fence, &clock); err != nil {
			return err
		}
		m.at = fromMicros(clock)
		n := len(m.orders)
		if n == 0 || m.orders[n-1] != string(order) {
			if !wanted(string(order), fence) {
				continue
			}
			m.orders = append(m.orders, string(order))
		}
		m.lines++
		if !m.add(t.Change, key, num, 0) {
			return fault.ErrOverflow
		}
	}
	return rows.Err()
}

// anys returns strings as arguments of render.
func anys(values []string) []any {
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = v
	}
	return args
}
