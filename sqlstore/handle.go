package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
)

// Tx is the caller's transaction: *sql.Tx, *sql.Conn after a BEGIN, or what another library
// wraps around one of them.
type Tx interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// reruns bounds how often a transaction of the store's own runs again after a deadlock, resends
// how often a statement goes to another connection because its own had died unnoticed.
const (
	reruns  = 20
	resends = 3
)

// cleanupTime is how long a rollback may take after the caller's context has ended.
const cleanupTime = 5 * time.Second

// handle is where statements go: a pool, or the caller's transaction.
type handle struct {
	db *sql.DB
	tx Tx // nil: statements commit by themselves

	checked sync.Once // that tx is in a transaction
	outside error     // what the check found
}

// bound reports whether statements go to the caller's transaction.
func (h *handle) bound() bool { return h.tx != nil }

// ready checks, once and before the first change, that a handle which may not be one is in a
// transaction: outside of one, the statements of a call would commit one by one. *sql.Tx always
// is. A savepoint exists only within a transaction (error 1305 otherwise, on both servers).
func (h *handle) ready(ctx context.Context) error {
	switch h.tx.(type) {
	case nil:
		if h.db == nil {
			return fault.Invalid("db", "must not be nil")
		}
		return nil
	case *sql.Tx:
		return nil
	case *sql.DB:
		return fault.Invalid("tx", "must be a transaction, is a *sql.DB")
	}
	h.checked.Do(func() {
		_, err := h.tx.ExecContext(ctx, "SAVEPOINT holdfast_probe")
		if err == nil {
			_, err = h.tx.ExecContext(ctx, "RELEASE SAVEPOINT holdfast_probe")
		}
		if number(err) == errNoSavepoint {
			h.outside = fault.Invalid("tx", "must be in a transaction: BEGIN first")
			return
		}
		h.outside = classify(err, false)
	})
	return h.outside
}

// exec runs one statement that is a transaction by itself, or part of the caller's, and returns
// how many rows it affected.
func (h *handle) exec(ctx context.Context, statement string) (int64, error) {
	if err := h.ready(ctx); err != nil {
		return 0, err
	}
	if h.bound() {
		result, err := h.tx.ExecContext(ctx, statement)
		return affected(result, classify(err, false)) // whatever it was, the caller has not committed it
	}
	var rows int64
	err := h.again(ctx, func(conn *sql.Conn) error {
		result, err := conn.ExecContext(ctx, statement)
		if err == nil {
			rows, err = result.RowsAffected()
		}
		return err
	}, func(err error) error { return classify(err, true) })
	return rows, err
}

// again runs fn on a connection of the pool, and once more where the server or the driver says that
// nothing was done and that it may be done at once. A connection is taken first, because a pool
// that has none to give and a statement without an answer end in the same context error.
func (h *handle) again(ctx context.Context, fn func(*sql.Conn) error, outcome func(error) error) error {
	var deadlocks, resent int
	for {
		conn, err := h.db.Conn(ctx)
		if err != nil {
			return classify(err, false)
		}
		err = fn(conn)
		_ = conn.Close() // back to the pool; its error is that of a connection that is gone already
		switch {
		case err == nil:
			return nil
		case rerun(err) && deadlocks < reruns && ctx.Err() == nil:
			deadlocks++
			pause(ctx, deadlocks)
		case errors.Is(err, driver.ErrBadConn) && resent < resends && ctx.Err() == nil:
			resent++
		case lost(err) && ctx.Err() != nil: // the driver closes the connection of a context that has ended
			return outcome(fmt.Errorf("%w: %w", ctx.Err(), err))
		default:
			return outcome(err)
		}
	}
}

// pause spreads out those that met in a deadlock.
func pause(ctx context.Context, n int) {
	timer := time.NewTimer(rand.N(time.Duration(n) * time.Millisecond)) //nolint:gosec // spreads load, keeps no secret
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// query is exec for a statement that reads; scan is called for each row.
func (h *handle) query(ctx context.Context, statement string, scan func(*sql.Rows) error) error {
	if err := h.ready(ctx); err != nil {
		return err
	}
	if h.bound() {
		return classify(read(ctx, h.tx, statement, scan), false)
	}
	return classify(read(ctx, h.db, statement, scan), false)
}

// read runs a statement that reads, as a part of a transaction or by itself.
func read(ctx context.Context, q Tx, statement string, scan func(*sql.Rows) error) error {
	rows, err := q.QueryContext(ctx, statement)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// verdictFunc is the body of a transaction. What it did is kept only if it returns true and no error.
type verdictFunc func(q Tx) (bool, error)

// atomically runs fn as one transaction: of the store's own, or within the caller's, where a
// savepoint takes back what a refusal or an error leaves behind. It reports whether it was kept.
func (h *handle) atomically(ctx context.Context, fn verdictFunc) (bool, error) {
	if err := h.ready(ctx); err != nil {
		return false, err
	}
	if h.bound() {
		return h.nested(ctx, fn)
	}
	var kept, committing bool
	err := h.again(ctx, func(conn *sql.Conn) error {
		kept, committing = false, false
		if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil {
			return err
		}
		ok, err := fn(conn)
		if err == nil && ok {
			committing = true
			_, err = conn.ExecContext(ctx, "COMMIT")
		}
		if err != nil || !ok {
			rollback(ctx, conn) // never give an open transaction back to the pool
			return err
		}
		kept = true
		return nil
	}, func(err error) error {
		if committing {
			return classifyCommit(err)
		}
		return classify(err, false)
	})
	return kept && err == nil, err
}

// rollback ends the store's own transaction. A connection that cannot do it is closed, which
// makes the server do it; that is no failure of the call.
func rollback(ctx context.Context, conn *sql.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
	defer cancel()
	if _, err := conn.ExecContext(ctx, "ROLLBACK"); err != nil {
		_ = conn.Raw(func(any) error { return driver.ErrBadConn }) // drops the connection from the pool
	}
}

// nested runs fn within the caller's transaction. What fn did goes away with the savepoint;
// the locks stay until the caller ends. Errors never make it run again: a part of somebody
// else's transaction cannot be repeated by itself.
func (h *handle) nested(ctx context.Context, fn verdictFunc) (bool, error) {
	if _, err := h.tx.ExecContext(ctx, "SAVEPOINT holdfast"); err != nil {
		return false, classify(err, false)
	}
	ok, err := fn(h.tx)
	if err == nil && ok {
		return true, nil
	}
	undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
	defer cancel()
	if _, failed := h.tx.ExecContext(undo, "ROLLBACK TO SAVEPOINT holdfast"); failed != nil && err == nil {
		return false, fmt.Errorf("%w: the transaction is lost, roll it back: %w", fault.ErrUnavailable, failed)
	}
	return false, classify(err, false)
}

// affected returns the number of rows a statement affected.
func affected(result sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}
