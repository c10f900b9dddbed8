package mysql

import (
	"context"
	"fmt"

	"github.com/holdfast-go/holdfast/internal/fault"
)

// nestedTx is a part of the caller's transaction.
type nestedTx struct {
	Tx

	takeBack []string // the DELETEs that take back what it has inserted
	all      bool     // what it has done is undone as a whole; see UndoAll
}

// nested runs fn within the caller's transaction. The changes of fn are undone where it is refused; the locks stay until the caller's
// transaction ends, or go with them where fn was the first to do something in it. Errors never make it run again: a part of somebody else's
// transaction cannot be repeated by itself.
//
// Outside of a transaction, fn's statements would commit one by one. A handle may never have been in one, and the
// server may have ended it since. A savepoint exists only within one: going back to it shows whether there is one.
func (h *Handle) nested(ctx context.Context, fn VerdictFunc) (bool, error) {
	if _, err := h.tx.ExecContext(ctx, setBegun); err != nil {
		return false, Classify(err, Unsent)
	}
	if _, err := h.tx.ExecContext(ctx, undoBegun); err != nil {
		if Number(err) == errNoSavepoint {
			return false, fault.Invalid("tx", "must be in a transaction: BEGIN first; where there was one, the server has ended it, after a"+
				" deadlock for example")
		}
		return false, Classify(err, Unsent)
	}
	n := &nestedTx{Tx: h.tx}
	ok, err := fn(n)
	if err == nil && ok {
		return true, nil
	}
	undo, cancel := cleanup(ctx)
	defer cancel()
	if failed := n.undo(undo); failed != nil && err == nil {
		return false, fmt.Errorf("%w: the transaction is lost, roll it back: %w", fault.ErrUnavailable, failed)
	}
	return false, Classify(err, Unsent)
}

// undo takes back what was done. Without the right to delete, it rolls back instead.
func (n *nestedTx) undo(ctx context.Context) error {
	if len(n.takeBack) == 0 || n.all {
		_, err := n.ExecContext(ctx, undoBegun)
		return err
	}
	if _, err := n.ExecContext(ctx, undoClaimed); err != nil {
		return err
	}
	for _, statement := range n.takeBack {
		_, err := n.ExecContext(ctx, statement)
		if Number(err) == errDenied {
			_, err = n.ExecContext(ctx, undoBegun)
			return err
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// UndoAll makes a refusal in the caller's transaction undo all that the call has done, by a savepoint. Where the shop's rows
// are among it, they cannot be deleted one by one; see Insert.
func UndoAll(q Tx) {
	if n, ok := q.(*nestedTx); ok {
		n.all = true
	}
}

// Borrowed reports whether a transaction is part of the caller's.
func Borrowed(q Tx) bool {
	_, ok := q.(*nestedTx)
	return ok
}

// Stay makes what was done so far stay, even where the transaction is refused afterwards: rows that count nothing, and whose INSERT
// must not be rolled back; see Insert. It makes no difference to a transaction of the store's own, nor where the shop's rows were written
// before.
func Stay(ctx context.Context, q Tx) error {
	n, ok := q.(*nestedTx)
	if !ok || n.all {
		return nil
	}
	savepoint := setBegun
	if len(n.takeBack) > 0 {
		savepoint = setClaimed
	}
	_, err := n.ExecContext(ctx, savepoint)
	return err
}

// Insert inserts rows that takeBack deletes where the transaction is refused afterwards. In the caller's transaction
// they are deleted rather than rolled back. At REPEATABLE READ, MySQL turns the lock on a row whose INSERT is rolled
// back to a savepoint into one on the gap, which blocks all new rows beside it until the caller's transaction ends
// (seen on 9.7, in performance_schema.data_locks). A deleted row keeps a lock on itself only.
func Insert(ctx context.Context, q Tx, statement, takeBack string) error {
	if _, err := q.ExecContext(ctx, statement); err != nil {
		return err
	}
	n, ok := q.(*nestedTx)
	if !ok {
		return nil
	}
	n.takeBack = append(n.takeBack, takeBack)
	_, err := n.ExecContext(ctx, setClaimed)
	return err
}

// Mark marks where a transaction of the store's own has come to, and BackToMark undoes what it has done since. What was locked
// since has to be locked anew: where the mark was the first statement, the server rolls back all that InnoDB has of the transaction, and
// its locks go (seen on MariaDB 10.11 and MySQL 9.7; ha_rollback_to_savepoint in the sources of both).
func Mark(ctx context.Context, q Tx) error {
	_, err := q.ExecContext(ctx, setBegun)
	return err
}

// BackToMark undoes what the transaction has done since Mark, which says what becomes of its locks.
func BackToMark(ctx context.Context, q Tx) error {
	_, err := q.ExecContext(ctx, undoBegun)
	return err
}

// KeepInsertID runs fn, whose statements set LAST_INSERT_ID, and in the caller's transaction sets it back.
func (h *Handle) KeepInsertID(ctx context.Context, q Tx, fn func() error) error {
	if !h.Bound() {
		return fn()
	}
	return KeepInsertID(ctx, q, fn)
}

// KeepInsertID runs fn, whose statements set LAST_INSERT_ID, and sets it back.
func KeepInsertID(ctx context.Context, q Tx, fn func() error) error {
	var id int64
	if err := ReadRow(ctx, q, "SELECT CAST(LAST_INSERT_ID() AS SIGNED)", &id); err != nil {
		return err
	}
	if err := fn(); err != nil {
		return err
	}
	_, err := q.ExecContext(ctx, Render("DO LAST_INSERT_ID(?)", id))
	return err
}
