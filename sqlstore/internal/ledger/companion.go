package ledger

import (
	"context"
	"time"

	"github.com/holdfast-go/holdfast/sqlstore/internal/along"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// Companions keeps companions beside the holds of a store; see stock.Companion. It is told of each transaction that
// changes holds, at five moments, and works in that transaction. At each it may refuse single calls with
// *mysql.RefusalError. The transaction is undone then, and the other calls are made again. It locks after the items.
//
// A call carries companions in Beside, and receives what was kept in Kept. The slices of calls are in the order of
// arrival, and belong to one try.
type Companions interface {
	Keeps(c stock.Companion) bool  // whether it knows what to do with a companion
	Moves(t stock.Transition) bool // whether it has to be told of a step that carries nothing

	// Needs returns those of some orders, which are finished, whose holds must not be archived.
	Needs(ctx context.Context, by mysql.QueryFunc, holds []stock.Hold) (orders []string, err error)

	Before(ctx context.Context, q mysql.Tx, beside [][]stock.Companion) error          // before our first statement; nil carries nothing
	Locked(ctx context.Context, q mysql.Tx, at time.Time, calls []LockCall) error      // units are locked or taken; their items are locked
	Moved(ctx context.Context, q mysql.Tx, t stock.Transition, calls []MoveCall) error // units were moved, and their items are locked
	// units are about to be refunded; their holds are locked
	Refunding(ctx context.Context, q mysql.Tx, calls []RefundCall) error
	Refunded(ctx context.Context, q mysql.Tx, calls []RefundCall) error // they are refunded, and their items locked
}

// NoCompanions keeps nothing.
type NoCompanions struct{}

// Keeps implements Companions.
func (NoCompanions) Keeps(stock.Companion) bool { return false }

// Moves implements Companions.
func (NoCompanions) Moves(stock.Transition) bool { return false }

// Needs implements Companions.
func (NoCompanions) Needs(context.Context, mysql.QueryFunc, []stock.Hold) ([]string, error) {
	return nil, nil
}

// NeedAll is Companions.Needs of those whose every hold has a row beside it.
func NeedAll(holds []stock.Hold) []string { return ordersOf(holds, nil) }

// Before implements Companions.
func (NoCompanions) Before(context.Context, mysql.Tx, [][]stock.Companion) error { return nil }

// Locked implements Companions.
func (NoCompanions) Locked(context.Context, mysql.Tx, time.Time, []LockCall) error { return nil }

// Moved implements Companions.
func (NoCompanions) Moved(context.Context, mysql.Tx, stock.Transition, []MoveCall) error { return nil }

// Refunding implements Companions.
func (NoCompanions) Refunding(context.Context, mysql.Tx, []RefundCall) error { return nil }

// Refunded implements Companions.
func (NoCompanions) Refunded(context.Context, mysql.Tx, []RefundCall) error { return nil }

// change runs fn as one transaction, after the shop's rows and Companions.Before; see Handle.Atomically.
func (s *Store) change(ctx context.Context, beside []stock.Companion, fn mysql.VerdictFunc) (bool, error) {
	return s.Alongside(ctx, func(q mysql.Tx) (bool, error) {
		if len(beside) > 0 {
			if err := s.Companions.Before(ctx, q, [][]stock.Companion{beside}); err != nil {
				return false, err
			}
		}
		return fn(q)
	})
}

// ChangeBy is change for one statement, which says by its rows whether it did anything.
func (s *Store) ChangeBy(ctx context.Context, beside []stock.Companion, statement string) (stock.Verdict, error) {
	if len(beside) == 0 && s.rows == nil {
		rows, err := s.Exec(ctx, statement)
		return DoneIf(rows > 0), err
	}
	kept, err := s.change(ctx, beside, func(q mysql.Tx) (bool, error) {
		rows, err := mysql.Affected(q.ExecContext(ctx, statement))
		return rows > 0, err
	})
	return DoneIf(kept), err
}

// Cargo is what a call carries, and what was kept of it.
type Cargo struct {
	Beside, Kept []stock.Companion
	Rows         *along.Rows // the shop's
}

func (c Cargo) carries() []stock.Companion { return c.Beside }
func (c Cargo) carriesRows() *along.Rows   { return c.Rows }

// any reports whether a call carries anything.
func (c Cargo) any() bool { return len(c.Beside) > 0 || c.Rows != nil }

// beforeAll tells the companions of several calls, before the first statement of their transaction.
func beforeAll[C interface{ carries() []stock.Companion }](ctx context.Context, s *Store, q mysql.Tx, calls []C) error {
	var all [][]stock.Companion
	for i, c := range calls {
		if len(c.carries()) > 0 && all == nil {
			all = make([][]stock.Companion, len(calls))
		}
		if all != nil {
			all[i] = c.carries()
		}
	}
	if all == nil {
		return nil
	}
	return s.Companions.Before(ctx, q, all)
}
