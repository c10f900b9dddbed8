package mysql

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
)

// A node of a Galera cluster has received what another node has acknowledged, but may not have applied it yet. So, after a
// failover, the new writer may find no hold of an order that was locked a moment ago. A change of such rows is safe: the cluster
// certifies it at COMMIT, refuses it with a deadlock, and it runs again. A refusal changes nothing, so nobody certifies it.
// Whatever may refuse a call is therefore read once the node has applied what the cluster had committed when the read began.
//
// MariaDB waits for that where wsrep_sync_wait covers a statement; 1 is reads, and START TRANSACTION. It does not wait within a
// transaction. See the MariaDB documentation, Galera Cluster System Variables, wsrep_sync_wait.

// beginCaughtUp is beginTx behind that wait. The variable is set for this statement alone. Other servers, and proxies, read a plain
// START TRANSACTION.
const beginCaughtUp = "/*M! SET STATEMENT wsrep_sync_wait = 1 FOR */ " + beginTx

// catchUpTime bounds how long a call in the caller's transaction waits for another connection and for the node. A cluster needs some
// five seconds to give up a node that is silent (evs.suspect_timeout).
const catchUpTime = 15 * time.Second

// beginCurrent opens a transaction whose reads are current, also on a server that lags.
func (a *Attempt) beginCurrent(ctx context.Context) error {
	if !a.is.lags {
		return a.Begin(ctx)
	}
	a.open = true
	_, err := a.ExecContext(ctx, beginCaughtUp)
	if Number(err) == errLockWait { // repl.causal_read_timeout is over
		return fmt.Errorf("%w: the node has not applied yet what its cluster has committed: %w", fault.ErrUnavailable, err)
	}
	return err
}

// catchUp makes what the caller's transaction reads with a lock current, and reports whether the server lags at all. The wait is on
// another connection of the pool, since a transaction cannot wait.
func (h *Handle) catchUp(ctx context.Context) (lags bool, err error) {
	d, err := h.dialectIn(ctx, h.tx)
	if err != nil || !d.lags || h.db == nil {
		return false, Classify(err, Unsent)
	}
	ctx, cancel := context.WithTimeout(ctx, catchUpTime)
	defer cancel()
	return true, h.Again(ctx, func(a *Attempt) error { return a.Reading(ctx, func() error { return nil }) })
}

// rerunCaughtUp runs fn once more behind a catch-up, where it has refused calls on a server that lags. It returns their refusal where
// the server does not.
func (h *Handle) rerunCaughtUp(ctx context.Context, refusal error, fn VerdictFunc) (bool, error) {
	if h.Bound() {
		if lags, err := h.catchUp(ctx); err != nil || !lags {
			return false, cmp.Or(err, refusal)
		}
		return h.nested(ctx, fn)
	}
	if d := h.sessions.server.Load(); d == nil || !d.lags {
		return false, refusal
	}
	return h.own(ctx, (*Attempt).beginCurrent, fn)
}
