package mysql

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Patience is how long a statement that others wait for may have no answer before somebody looks why. A statement of the shop
// that only takes long has some more turns of it.
const (
	Patience = 100 * time.Millisecond
	turns    = 10
)

// unsureTurns is how many more turns a statement of the store gets where the server does not say that it waits for a lock.
const unsureTurns = 3

// ErrStuck is a statement that had no answer in time, and was ended. Another transaction may have its row.
var ErrStuck = errors.New("no answer in time")

// WatchForeign returns a transaction of the store's own with a watchdog for statements of the shop: one that has no answer
// after Patience, since it waits for a lock or takes very long, is ended by KILL QUERY from another connection of the pool, and
// fails with ErrStuck. The caller's transaction is returned as it is.
func (h *Handle) WatchForeign(q Tx) Tx {
	return h.watch(q, watchedTx{patience: Patience, turns: turns})
}

// Watch is WatchForeign for statements of the store, with a patience of the caller's. They end only where they wait for a lock.
func (h *Handle) Watch(q Tx, patience time.Duration) Tx {
	return h.watch(q, watchedTx{patience: patience})
}

// Unwatched returns a transaction without its watchdog.
func Unwatched(q Tx) Tx {
	if w, ok := q.(*watchedTx); ok {
		return w.Attempt
	}
	return q
}

func (h *Handle) watch(q Tx, w watchedTx) Tx {
	a, own := Unwatched(q).(*Attempt)
	if !own || a.is.id == "" {
		return q
	}
	w.Attempt, w.sessions = a, h.sessions
	return &w
}

// watchedTx is a transaction with a watchdog, or a statement that commits itself.
type watchedTx struct {
	*Attempt

	sessions *sessions
	patience time.Duration
	turns    int // after which a statement is ended whatever it does, or 0
}

// ExecContext runs a statement for as long as the watchdog lets it.
func (w *watchedTx) ExecContext(ctx context.Context, statement string, args ...any) (result sql.Result, err error) {
	err = w.watched(ctx, func() error {
		result, err = w.Attempt.ExecContext(ctx, statement, args...)
		return err
	})
	return result, err
}

// watched runs something for as long as the watchdog lets it. A connection that the watchdog has sent a KILL to is closed
// afterwards: the KILL may arrive when the statement has ended, and must not meet another one.
func (w *watchedTx) watched(ctx context.Context, run func() error) error {
	watching, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	timer := time.AfterFunc(w.patience, func() {
		defer close(ended)
		w.watch(watching)
	})
	err := run()
	stop()
	if timer.Stop() {
		return err
	}
	<-ended
	switch {
	case !w.doomed:
		return err
	case w.stage != Unsent && !Interrupted(err) && !rerun(err): // it may be done; a node of Galera answers KILL with a deadlock
		return err
	}
	return errors.Join(ErrStuck, err)
}

// Kill sends a KILL on another connection of the pool, if it gets one while ctx lives, and returns once the server has answered. A KILL
// that nobody waits for may meet what its connection does next. On TiDB, a ROLLBACK that meets one leaves its locks behind, which keep
// others waiting until they expire after 20 s (its issue 61454).
func Kill(ctx context.Context, db *sql.DB, statement string) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	if ctx.Err() != nil { // there is nothing to end any more
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
	defer cancel()
	_, _ = conn.ExecContext(ctx, statement) // its error is that of a connection which is gone
}

// Interrupted reports whether KILL QUERY has ended a statement, of which nothing was done.
func Interrupted(err error) bool { return Number(err) == errInterrupted || killedJoin(err) }

// watch ends the statement that is under way once it waits for a lock, and again until it has ended: the pool may have no
// connection for it. Where KILL could mean another session, it waits as long as the server lets it.
func (w *watchedTx) watch(ctx context.Context) {
	for turn := 1; ctx.Err() == nil; turn++ {
		if (w.doomed || w.turns > 0 && turn > w.turns || w.waits(ctx, turn)) && w.sessions.kills(ctx) {
			w.doomed = true
			Kill(ctx, w.sessions.db, "KILL QUERY "+w.is.id)
		}
		timer := time.NewTimer(Patience)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
}

// waits reports whether the statement under way waits for the lock of another transaction, as the server says. An account
// without the right PROCESS is not told: then a statement of the shop is taken to wait where the server has time to answer at
// once. What the server says may also be old: it does not look again while it is asked ten times a second, by anybody
// (trx0i_s.cc of MySQL and MariaDB). So a statement of the store that takes longer is taken to wait if any statement does.
func (w *watchedTx) waits(ctx context.Context, turn int) bool {
	asked := time.Now()
	var waiting int
	err := w.sessions.db.QueryRowContext(ctx, w.is.lockWaits+w.is.id).Scan(&waiting)
	switch {
	case ctx.Err() != nil:
		return false
	case err == nil && waiting > 0:
		return true
	case w.turns > 0:
		return err != nil && time.Since(asked) < Patience/turns
	}
	return turn > unsureTurns && w.anyWaits(ctx)
}

// anyWaits reports whether any statement waits for a lock on a row, which the server tells everybody, and as it is.
func (w *watchedTx) anyWaits(ctx context.Context) bool {
	var name string
	var waiting int
	err := w.sessions.db.QueryRowContext(ctx, "SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'").Scan(&name, &waiting)
	return err == nil && waiting > 0
}
