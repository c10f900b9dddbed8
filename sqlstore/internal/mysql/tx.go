// Package mysql speaks to a server of MySQL or MariaDB. It has literals, transactions, and the meaning of an error for
// a call. It knows no table.
package mysql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
)

// Tx is the caller's transaction: *sql.Tx, *sql.Conn after a BEGIN, or what another library
// wraps around one of them.
type Tx interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// The brackets of a transaction of the store's own. They mean the same in every SQL mode, where BEGIN
// may open a block, and with every completion_type, which could leave a transaction open or the connection closed.
const (
	beginTx    = "START TRANSACTION"
	commitTx   = "COMMIT AND NO CHAIN NO RELEASE"
	endReadTx  = "COMMIT /* nothing */ AND NO CHAIN NO RELEASE"
	rollbackTx = "ROLLBACK AND NO CHAIN NO RELEASE"
)

// The savepoints of a call in the caller's transaction: at its beginning, and after what it has inserted. A savepoint
// replaces another one of its name, so nobody else may use these names.
const (
	setBegun    = "SAVEPOINT holdfast_7d1c94e2"
	undoBegun   = "ROLLBACK TO SAVEPOINT holdfast_7d1c94e2"
	setClaimed  = "SAVEPOINT holdfast_7d1c94e2_claimed"
	undoClaimed = "ROLLBACK TO SAVEPOINT holdfast_7d1c94e2_claimed"
)

// reruns bounds how often a transaction of the store's own runs again after a deadlock, resends
// how often a statement goes to another connection because its own had died unnoticed, or leads to a
// server that has become read-only.
const (
	reruns  = 20
	resends = 3
)

// cleanupTime is how long a rollback may take. graceTime is how much longer the caller has to wait for one once the
// caller's context has ended.
const (
	cleanupTime = 5 * time.Second
	graceTime   = 50 * time.Millisecond
)

// Handle is where statements go: a pool, or the caller's transaction.
type Handle struct {
	Broken   error // what is wrong with the options; every call returns it
	db       *sql.DB
	sessions *sessions // of the pool
	tx       Tx        // nil: statements commit by themselves
}

// NewHandle returns the handle of a pool.
func NewHandle(db *sql.DB) *Handle { return &Handle{db: db, sessions: &sessions{db: db}} }

// Within returns the same handle inside the caller's transaction.
func (h *Handle) Within(tx Tx) *Handle {
	bound := &Handle{Broken: h.Broken, db: h.db, sessions: h.sessions, tx: beneath(tx)}
	if v := reflect.ValueOf(tx); bound.Broken == nil && (!v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil()) {
		bound.Broken = fault.Invalid("tx", "must not be nil")
	}
	return bound
}

// Bound reports whether statements go to the caller's transaction.
func (h *Handle) Bound() bool { return h.tx != nil }

// Ready refuses what cannot work before any I/O.
func (h *Handle) Ready() error {
	if h.Broken != nil {
		return h.Broken
	}
	switch h.tx.(type) {
	case nil:
		if h.db == nil {
			return fault.Invalid("db", "must not be nil")
		}
	case *sql.DB:
		return fault.Invalid("tx", "must be a transaction, is a *sql.DB")
	}
	return nil
}

// stage is how far an attempt has come. It decides what a failure means.
type stage uint8

// The stages.
const (
	Unsent     stage = iota // nothing was sent that takes effect by itself
	sent                    // a statement was sent that commits itself
	committing              // COMMIT was sent
)

// Attempt is one try on one connection.
type Attempt struct {
	*sql.Conn

	is     session // of the connection
	stage  stage
	open   bool // a transaction is open
	given  bool // a row was given to somebody, who has not asked for it twice
	doomed bool // the connection must not be used again; see Watch
}

// Begin opens a transaction.
func (a *Attempt) Begin(ctx context.Context) error {
	a.open = true
	_, err := a.ExecContext(ctx, beginTx)
	return err
}

// beginChange opens a transaction of several statements that changes something, in which each read sees what was committed
// before the locks that the transaction has.
func (a *Attempt) beginChange(ctx context.Context) error {
	if a.is.level != "" && !a.is.fresh {
		if err := a.setLevel(ctx, a.is.level); err != nil {
			return err
		}
	}
	return a.Begin(ctx)
}

// setLevel sets the isolation level of the next transaction. A transaction that is still open would keep its own.
func (a *Attempt) setLevel(ctx context.Context, level string) error {
	if !a.is.commits {
		if _, err := a.ExecContext(ctx, commitTx); err != nil {
			return err
		}
	}
	_, err := a.ExecContext(ctx, "SET TRANSACTION ISOLATION LEVEL "+level)
	return err
}

// commit commits it.
func (a *Attempt) commit(ctx context.Context) error {
	a.stage = committing
	_, err := a.ExecContext(ctx, commitTx)
	if err == nil {
		a.open = false
	}
	return err
}

// Exec runs one statement that is a transaction by itself, or part of the caller's, and returns
// how many rows it affected.
func (h *Handle) Exec(ctx context.Context, statement string) (rows int64, err error) {
	return h.ExecWatched(ctx, statement, 0)
}

// ExecWatched is Exec with a watchdog; see Watch. A patience of 0 is for ever.
func (h *Handle) ExecWatched(ctx context.Context, statement string, patience time.Duration) (rows int64, err error) {
	if err := h.Ready(); err != nil {
		return 0, err
	}
	run := func(q Tx) error {
		rows, err = Affected(q.ExecContext(ctx, statement))
		return err
	}
	if h.Bound() {
		_, err := h.nested(ctx, func(q Tx) (bool, error) { return true, run(q) })
		return rows, err
	}
	err = h.Again(ctx, func(a *Attempt) error {
		q := Tx(a)
		if patience > 0 {
			q = h.Watch(a, patience)
		}
		if a.is.commits && a.is.alone {
			a.stage = sent
			return run(q)
		}
		return a.InTx(ctx, func() error { return run(q) })
	})
	return rows, err
}

// InTx runs fn as a transaction.
func (a *Attempt) InTx(ctx context.Context, fn func() error) error {
	if err := a.Begin(ctx); err != nil {
		return err
	}
	if err := fn(); err != nil {
		return err
	}
	return a.commit(ctx)
}

// Again runs fn on a connection of the pool, and once more where the server or the driver says that nothing was done
// and a retry may help at once. A connection is taken first, because a pool without a free one and a statement without
// an answer end in the same context error.
func (h *Handle) Again(ctx context.Context, fn func(*Attempt) error) error {
	var deadlocks, resent int
	for {
		conn, err := h.db.Conn(ctx)
		if err != nil {
			return Classify(err, Unsent)
		}
		a := &Attempt{Conn: conn}
		if a.is, err = h.sessions.of(ctx, conn); err == nil {
			err = fn(a)
		}
		a.giveBack(ctx, err)
		switch {
		case err == nil:
			return nil
		case rerun(err) && !errors.Is(err, ErrStuck) && !a.given && deadlocks < reruns && ctx.Err() == nil:
			deadlocks++
			pause(ctx, deadlocks)
		case resend(err, a.stage) && !a.given && resent < resends && ctx.Err() == nil:
			resent++
		case lost(err) && ctx.Err() != nil: // the driver closes the connection of a context that has ended
			return Classify(fmt.Errorf("%w: %w", ctx.Err(), err), a.stage)
		default:
			return Classify(err, a.stage)
		}
	}
}

// resend reports whether another connection may do at once what this one could not.
func resend(err error, at stage) bool {
	return errors.Is(err, driver.ErrBadConn) || readOnly(err) && at != committing
}

// giveBack ends what is open on a connection and returns it to the pool. If that fails, it closes the connection, and
// the server ends it. It also closes one to a server that has become read-only, since another server may be behind the
// same address by now. A caller whose context ends does not wait for this.
func (a *Attempt) giveBack(ctx context.Context, err error) {
	if !a.open {
		if readOnly(err) || a.doomed {
			a.Drop()
		}
		_ = a.Close() // back to the pool; its error is that of a connection that is gone already
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
		defer cancel()
		if _, failed := a.ExecContext(ctx, rollbackTx); failed != nil || readOnly(err) || a.doomed {
			a.Drop()
		}
		_ = a.Close()
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// Drop makes the pool close a connection.
func (a *Attempt) Drop() { _ = a.Raw(func(any) error { return driver.ErrBadConn }) }

// pause spreads out transactions that met in a deadlock.
func pause(ctx context.Context, n int) {
	timer := time.NewTimer(rand.N(time.Duration(n) * time.Millisecond)) //nolint:gosec // spreads load, keeps no secret
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// VerdictFunc is the body of a transaction. Its changes are kept only if it returns true and no error.
type VerdictFunc func(q Tx) (bool, error)

// Atomically runs fn as one transaction: the store's own, or within the caller's, where a savepoint undoes what a
// refusal or an error leaves behind. It reports whether the changes were kept. In the store's own, a plain read behind a
// lock sees what was committed before the lock, if no plain read came before: the snapshot is younger, or there is none. On a server
// that lags it runs fn once more where that refuses calls with *RefusalError, since nobody looks again for their reasons.
func (h *Handle) Atomically(ctx context.Context, fn VerdictFunc) (bool, error) {
	if err := h.Ready(); err != nil {
		return false, err
	}
	change := h.nested
	if !h.Bound() {
		change = func(ctx context.Context, fn VerdictFunc) (bool, error) { return h.own(ctx, (*Attempt).beginChange, fn) }
	}
	kept, err := change(ctx, fn)
	if IsRefusal(err) {
		return h.rerunCaughtUp(ctx, err, fn)
	}
	return kept, err
}

// own runs fn as a transaction of the store's own.
func (h *Handle) own(ctx context.Context, begin func(*Attempt, context.Context) error, fn VerdictFunc) (kept bool, err error) {
	err = h.Again(ctx, func(a *Attempt) (err error) {
		kept = false
		if err := begin(a, ctx); err != nil {
			return err
		}
		if kept, err = fn(a); err != nil || !kept {
			return err
		}
		return a.commit(ctx)
	})
	return kept && err == nil, err
}

// cleanup returns a context to clean up with, which outlives the caller's, but not by much.
func cleanup(ctx context.Context) (context.Context, context.CancelFunc) {
	undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(graceTime, cancel) })
	return undo, func() { stop(); cancel() }
}

// Affected returns the number of rows a statement affected.
func Affected(result sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}
