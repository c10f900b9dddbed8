package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
)

// How ALTER TABLE gives way: after four looks that have found it waiting it is ended, and tried again after a pause.
const (
	alterLook  = 250 * time.Millisecond
	alterLooks = 4
	alterPause = time.Second
)

// alter changes a table, which needs a moment in which no transaction uses it. While ALTER TABLE waits for that, every new
// statement on the table waits for it (MySQL Reference Manual, Metadata Locking), also one of a transaction that has rows
// for which those wait whose end ALTER TABLE waits for. No server finds such a circle: its transactions would fail after
// innodb_lock_wait_timeout, usually 50 s. So an ALTER TABLE that waits is ended by KILL QUERY from another connection of the
// pool, and tried again when the others have gone on.
//
// When ctx ends, the driver leaves the connection, but a server that waits for the table does not notice: KILL ends that wait, and frees
// the lock of Migrate. Where KILL could mean another session, as behind ProxySQL, ALTER TABLE waits as long as the server lets it.
func (w *workshop) alter(ctx context.Context, statement string) error {
	id, err := mysql.SessionID(ctx, w)
	if err != nil {
		return err
	}
	for until := (time.Time{}); ; { // from the first time that it had to give way: an index may take long by itself
		watching, stop := context.WithCancel(ctx)
		watched := make(chan struct{})
		go func() {
			defer close(watched)
			giveWay(watching, w.db, id)
		}()
		_, err = w.ExecContext(ctx, statement)
		stop()
		<-watched
		if ctx.Err() != nil {
			leave(ctx, w.db, id)
			return err
		}
		if until.IsZero() {
			until = time.Now().Add(lockWait * time.Second)
		}
		switch {
		case mysql.Added(err):
			return nil
		case !mysql.Interrupted(err) || !pause(ctx, alterPause):
			return err
		case time.Now().After(until):
			return fmt.Errorf("%w: transactions have used the table for %d s: end long ones: %w", fault.ErrUnavailable, lockWait, err)
		}
	}
}

// giveWay ends the statement of a connection once it has waited for the transactions that use its table.
func giveWay(ctx context.Context, db *sql.DB, id string) {
	for looks := 0; id != "" && pause(ctx, alterLook); {
		var waits int
		err := db.QueryRowContext(ctx, "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID = "+id+
			" AND STATE = 'Waiting for table metadata lock'").Scan(&waits)
		if err != nil || waits == 0 {
			looks = 0
			continue
		}
		if looks++; looks >= alterLooks {
			mysql.Kill(ctx, db, "KILL QUERY "+id)
		}
	}
}

// leaveTime is how long leave has for it.
const leaveTime = 5 * time.Second

// leave ends a connection whose caller has left.
func leave(ctx context.Context, db *sql.DB, id string) {
	if id == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTime)
	defer cancel()
	mysql.Kill(ctx, db, "KILL "+id)
}

// pause waits, and reports whether the context still lives.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
