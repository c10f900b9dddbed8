package ledger

import (
	"context"
	"errors"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/sqlstore/internal/along"
	"github.com/holdfast-go/holdfast/sqlstore/internal/batch"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// Along returns the same store whose next call carries one more statement of the shop.
func (s *Store) Along(text string, args ...any) *Store { return s.withRows(s.rows.Add(text, args...)) }

// Affects returns the same store with the number of rows that the last statement must affect.
func (s *Store) Affects(n int64) *Store { return s.withRows(s.rows.Affects(n)) }

// Plain returns the same store whose calls carry nothing.
func (s *Store) Plain() *Store { return s.withRows(nil) }

// withRows returns the same store whose calls carry these statements of the shop.
func (s *Store) withRows(rows *along.Rows) *Store {
	if s.rows == rows {
		return s
	}
	other := *s
	other.rows = rows
	return &other
}

// cargo returns what a call on this store carries.
func (s *Store) cargo(beside []stock.Companion) Cargo {
	return Cargo{Beside: beside, Rows: s.rows}
}

// Alongside runs fn as one transaction, behind the statements of the shop. A statement that fails refuses the call, unless
// fn refuses it: what is known of the order, its items and its companions take precedence. So fn runs in any case, but what it
// does is not kept.
func (s *Store) Alongside(ctx context.Context, fn mysql.VerdictFunc) (bool, error) {
	if s.rows == nil {
		return s.Atomically(ctx, fn)
	}
	var refusal error
	refused := func(q mysql.Tx) (bool, error) {
		ok, err := fn(q)
		if err == nil && ok && refusal != nil {
			mysql.UndoAll(q) // fn has done everything, also what it does not take back
			return false, refusal
		}
		return ok, err
	}
	again := false
	kept, err := s.Atomically(ctx, func(q mysql.Tx) (bool, error) {
		again = false
		why, clean, err := s.runRows(ctx, q)
		if err != nil {
			return false, err
		}
		if refusal = mysql.RefuseEach(why); refusal != nil && !clean {
			again = true
			return false, refusal
		}
		mysql.UndoAll(q) // from here on a refusal undoes them
		return refused(q)
	})
	if again && errors.Is(err, refusal) { // the transaction is undone, and asks fn by itself
		return s.Atomically(ctx, refused)
	}
	return kept, err
}

// runRows runs the statements of the shop. In the caller's transaction its LAST_INSERT_ID stays as it is.
func (s *Store) runRows(ctx context.Context, q mysql.Tx) (why []error, clean bool, err error) {
	err = s.KeepInsertID(ctx, q, func() error {
		why, clean, err = along.Run(ctx, q, []*along.Rows{s.rows})
		return err
	})
	return why, clean, err
}

// runRows runs the shop's rows of the calls in the batch, and reports whether it goes on. A call whose rows fail is looked at
// first, since what is known of its order and what its items say take precedence. Then it leaves the batch and goes alone. So
// does a call whose rows have no answer in time.
func (b *LockBatch) runRows(ctx context.Context, q mysql.Tx) (bool, error) {
	rows := rowsOf(b.those(b.In))
	if rows == nil {
		return len(b.In) > 0, nil
	}
	failed, stuck, clean, err := b.Store.runAll(ctx, q, rows)
	if err != nil || len(failed) == 0 {
		return err == nil, err
	}
	if !b.sifted && !stuck {
		return false, nil
	}
	b.unclean = !clean
	in := b.In[:0:0]
	for n, i := range b.In {
		if failed[n] {
			b.Replies[i].Alone = batch.Rows
		} else {
			in = append(in, i)
		}
	}
	b.In = in
	return clean && len(in) > 0, nil
}

// rowsOf returns the shop's rows of some calls, or nil where none has any.
func rowsOf[C interface{ carriesRows() *along.Rows }](calls []C) []*along.Rows {
	var all []*along.Rows
	for i, c := range calls {
		if rows := c.carriesRows(); rows != nil {
			if all == nil {
				all = make([]*along.Rows, len(calls))
			}
			all[i] = rows
		}
	}
	return all
}

// runAll runs the shop's rows of several calls in a transaction of the store's own. It returns the calls whose rows failed,
// whether that is because they had no answer in time, and whether the transaction may go on without them.
func (s *Store) runAll(ctx context.Context, q mysql.Tx, rows []*along.Rows) (failed map[int]bool, stuck, clean bool, err error) {
	why, clean, err := along.Run(ctx, s.WatchForeign(q), rows)
	failed = map[int]bool{}
	if alone, ok := fault.As[*along.AloneError](err); ok {
		for _, i := range alone.Calls {
			failed[i] = true
		}
		return failed, true, false, nil
	}
	for i, err := range why {
		if err != nil {
			failed[i] = true
		}
	}
	return failed, false, clean, err
}

// beforeTry runs the shop's rows of the calls of a try, and tells their companions.
func beforeTry[C interface {
	carriesRows() *along.Rows
	carries() []stock.Companion
}](ctx context.Context, s *Store, q mysql.Tx, calls []C) error {
	if err := rowsFirst(ctx, s, q, calls); err != nil {
		return err
	}
	return beforeAll(ctx, s, q, calls)
}

// rowsFirst runs the shop's rows of the calls of a try. It refuses the calls whose rows fail, or have no answer in time, with
// errAlone: these go alone, and the others again.
func rowsFirst[C interface{ carriesRows() *along.Rows }](ctx context.Context, s *Store, q mysql.Tx, calls []C) error {
	rows := rowsOf(calls)
	if rows == nil {
		return nil
	}
	failed, _, _, err := s.runAll(ctx, q, rows)
	if err != nil || len(failed) == 0 {
		return err
	}
	why := make([]error, len(calls))
	for i := range failed {
		why[i] = errAlone
	}
	return &mysql.RefusalError{Why: why}
}
