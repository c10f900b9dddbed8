package mysql

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"time"

	"github.com/go-sql-driver/mysql"
)

// Scope is what has failed with a statement that is not the store's own.
type Scope uint8

// The scopes.
const (
	WholeTransaction Scope = iota // the transaction or the connection has ended, or can do nothing more
	SomeStatement                 // the statement; what is left of the transaction is not known
	OneText                       // the statement alone: the server does not take its text
	OneRow                        // the statement alone: the server does not take one of its rows
)

// ScopeOf returns the scope of an error. Servers keep a transaction whose statement has failed for a value or a text. MySQL
// Reference Manual, InnoDB Error Handling.
func ScopeOf(err error) Scope {
	switch n := Number(err); n {
	case 0: // of the driver; it has sent nothing that is too long
		if errors.Is(err, mysql.ErrPktTooLarge) || errors.Is(err, ErrStuck) {
			return SomeStatement
		}
		return WholeTransaction
	case ErrDuplicate, errDuplicateName, errDuplicateOnWrite, errCheckMySQL, errCheckMariaDB, errNotNull, errTooLong, errColumnRange,
		errWrongValue, errTruncatedValue, errTruncated, errDivision, ErrOutOfRange, errWrongTime, errChildRow, errParentRow, errNoChildRow,
		errNoParentRow, errWrongJSON, errSignal, errNoPartition:
		return OneRow
	case errSyntax, errNoColumn, errNoTable, errValueCount, errTwice, errDenied, errColumnDenied, errDatabaseDenied, errNoDefault,
		errNoSavepoint, errNoDatabase, errNotInsertable, errNotUpdatable, errGenerated:
		return OneText
	case errLockWait, errInterrupted, errMaxTimeMySQL, errMaxTimeMariaDB:
		return SomeStatement
	}
	if passing(err) || hearsay(err) {
		return WholeTransaction
	}
	return SomeStatement
}

// The error numbers of statements that are not the store's own.
const (
	errDuplicateOnWrite = 1022
	errDatabaseDenied   = 1044
	errNotNull          = 1048
	errNoDatabase       = 1049
	errNoColumn         = 1054
	errSyntax           = 1064
	errTwice            = 1110 // a column is named twice
	errValueCount       = 1136
	errColumnDenied     = 1143
	errNoParentRow      = 1216
	errNoChildRow       = 1217
	errTruncated        = 1265
	errNotUpdatable     = 1288
	errTruncatedValue   = 1292
	errNoDefault        = 1364
	errDivision         = 1365
	errWrongValue       = 1366
	errTooLong          = 1406
	errWrongTime        = 1411
	errParentRow        = 1451
	errChildRow         = 1452
	errNotInsertable    = 1471
	errNoPartition      = 1526
	errDuplicateName    = 1586
	errSignal           = 1644 // of a trigger
	errGenerated        = 3105 // MySQL: a generated column has a value
	errWrongJSON        = 3140
)

// Patience is how long a statement that others wait for may have no answer before somebody looks why. A statement that only
// takes long has some more turns of it.
const (
	Patience = 100 * time.Millisecond
	turns    = 10
)

// ErrStuck is a statement that had no answer in time. Another transaction may have its row.
var ErrStuck = errors.New("no answer in time")

// Watch returns a transaction of the store's own with a watchdog: a statement that has no answer after Patience, since it
// waits for a lock, is ended by KILL QUERY from another connection of the pool, and fails with ErrStuck. The caller's
// transaction is returned as it is.
func (h *Handle) Watch(ctx context.Context, q Tx) (Tx, error) {
	a, own := q.(*Attempt)
	if !own {
		return q, nil
	}
	is, err := h.sessions.of(ctx, a.Conn)
	if err != nil || is.id == "" {
		return q, err
	}
	return &watchedTx{Attempt: a, db: h.db, id: is.id}, nil
}

// watchedTx is a transaction with a watchdog.
type watchedTx struct {
	*Attempt

	db *sql.DB
	id string // of its connection
}

// ExecContext runs a statement for as long as the watchdog lets it. A connection that the watchdog has sent a KILL to is
// closed afterwards: the KILL may arrive when the statement has ended, and must not meet another one.
func (w *watchedTx) ExecContext(ctx context.Context, statement string, args ...any) (sql.Result, error) {
	watching, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	timer := time.AfterFunc(Patience, func() {
		defer close(ended)
		w.watch(watching)
	})
	result, err := w.Attempt.ExecContext(ctx, statement, args...)
	stop()
	if timer.Stop() {
		return result, err
	}
	<-ended
	if !w.doomed {
		return result, err
	}
	return nil, errors.Join(ErrStuck, err)
}

// watch ends the statement that is under way once it waits for a lock, and again until it has ended: the pool may have no
// connection for it.
func (w *watchedTx) watch(ctx context.Context) {
	for turn := 1; ctx.Err() == nil; turn++ {
		if w.doomed || turn > turns || w.waits(ctx) {
			w.doomed = true
			attempt, cancel := context.WithTimeout(ctx, cleanupTime)
			_, _ = w.db.ExecContext(attempt, "KILL QUERY "+w.id) // its error is that of a connection which is gone
			cancel()
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
// without the right PROCESS is not told: then it is taken to wait where the server has time to answer at once.
func (w *watchedTx) waits(ctx context.Context) bool {
	asked := time.Now()
	var waiting int
	err := w.db.QueryRowContext(ctx,
		"SELECT COUNT(*) FROM information_schema.INNODB_TRX WHERE trx_mysql_thread_id = "+w.id+" AND trx_state = 'LOCK WAIT'").Scan(&waiting)
	switch {
	case ctx.Err() != nil:
		return false
	case err != nil:
		return time.Since(asked) < Patience/turns
	}
	return waiting > 0
}

// UndoAll makes a refusal in the caller's transaction undo all that the call has done, by a savepoint. Where the shop's rows
// are among it, they cannot be deleted one by one; see Insert.
func UndoAll(q Tx) {
	if n, ok := q.(*nestedTx); ok {
		n.all = true
	}
}

// sessionID reads the id of a connection, as KILL takes it; empty where the server has none.
func sessionID(setting string) string {
	if n, err := strconv.ParseUint(setting, 10, 64); err != nil || n == 0 {
		return ""
	}
	return setting
}
