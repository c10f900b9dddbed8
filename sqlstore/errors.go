package sqlstore

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"

	"github.com/go-sql-driver/mysql"

	"github.com/holdfast-go/holdfast/internal/fault"
)

// The error numbers of the servers that decide something here. MySQL: Server Error Message
// Reference; MariaDB: MariaDB Error Codes.
const (
	errDuplicate      = 1062 // the key is taken
	errNoTable        = 1146
	errNoSavepoint    = 1305 // also: the handle is not in a transaction
	errCheckMySQL     = 3819 // a CHECK constraint is violated
	errCheckMariaDB   = 4025
	errOutOfRange     = 1690 // an expression overflows BIGINT
	errColumnRange    = 1264 // a value does not fit its column
	errDeadlock       = 1213 // the transaction is rolled back
	errRecordChanged  = 1020 // MariaDB: a snapshot conflict; the transaction is rolled back
	errLockWait       = 1205 // only the statement is rolled back
	errTooManyConns   = 1040
	errTooManyUser    = 1203
	errResourceLimit  = 1226
	errShutdown       = 1053
	errInterrupted    = 1317 // KILL QUERY
	errMaxTimeMySQL   = 3024 // max_execution_time
	errMaxTimeMariaDB = 1969 // max_statement_time
	errReadOnlyOption = 1290 // read_only, super_read_only: a replica, or a failover under way
	errReadOnlyMode   = 1836
	errNotReady       = 1047 // Galera: the node has not joined
	errKilled         = 1927 // MariaDB: the connection was killed
	errIdle           = 4031 // MySQL: the connection was closed for inactivity
	errTooManyTrx     = 1637
	errGroupRollback  = 3101 // MySQL group replication rolled back
)

// number returns the server's error number, 0 where the server did not answer with one.
func number(err error) uint16 {
	if server, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return server.Number
	}
	return 0
}

// passing reports whether a server's error may go away by itself.
func passing(n uint16) bool {
	switch n {
	case errDeadlock, errRecordChanged, errLockWait, errTooManyConns, errTooManyUser, errResourceLimit,
		errShutdown, errInterrupted, errMaxTimeMySQL, errMaxTimeMariaDB, errReadOnlyOption, errReadOnlyMode,
		errNotReady, errKilled, errIdle, errTooManyTrx, errGroupRollback:
		return true
	}
	return false
}

// rerun reports whether a transaction of the store's own is worth running again at once: the
// server has rolled it back whole to let another one through.
func rerun(err error) bool {
	n := number(err)
	return n == errDeadlock || n == errRecordChanged || n == errGroupRollback
}

// classify gives a failure the error that says what became of the call. An answer of the server
// means that the statement was not done. Where no answer came back, a statement that may have
// been sent and commits by itself is ErrUnknown; anything else was not done.
func classify(err error, sent bool) error {
	switch n := number(err); {
	case err == nil:
		return nil
	case errors.Is(err, fault.ErrDrift), refusedBy(err):
		return err
	case n == errCheckMySQL, n == errCheckMariaDB:
		return fmt.Errorf("%w: %w", fault.ErrDrift, err)
	case n == errOutOfRange, n == errColumnRange:
		return fmt.Errorf("%w: %w", fault.ErrOverflow, err)
	case passing(n):
		return fmt.Errorf("%w: %w", fault.ErrUnavailable, err)
	case n != 0, errors.Is(err, sql.ErrTxDone), errors.Is(err, sql.ErrConnDone):
		return fmt.Errorf("%w: %w", fault.ErrStore, err)
	case !sent, errors.Is(err, driver.ErrBadConn): // ErrBadConn: the driver has sent nothing
		return fmt.Errorf("%w: %w", fault.ErrUnavailable, err)
	}
	return fmt.Errorf("%w: %w", fault.ErrUnknown, err)
}

// lost reports whether the connection was gone before or after the statement went out.
func lost(err error) bool {
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, mysql.ErrInvalidConn)
}

// missing is the failure of a change whose row is not there, unless there is another one.
func missing(err error) error {
	if err != nil {
		return err
	}
	return fmt.Errorf("%w: a row that must be there is missing", fault.ErrDrift)
}

// classifyCommit is classify for a COMMIT, after which a server's error is no proof that nothing
// was done, except where it says that it rolled back.
func classifyCommit(err error) error {
	if n := number(err); n != 0 && !rerun(err) && n != errCheckMySQL && n != errCheckMariaDB {
		return fmt.Errorf("%w: %w", fault.ErrUnknown, err)
	}
	return classify(err, true)
}

// Retryable reports whether running the caller's whole transaction again may help: true for
// an error of this library that is ErrUnavailable or ErrUnknown, and for an error of the driver
// or the server, from the caller's own statements, that goes away by itself: a deadlock, a lock
// wait timeout, a lost or refused connection, a server that is shutting down or read-only. An
// error of a context by itself is not; a call that was cut short by its context is, with another.
//
// After a COMMIT whose answer was lost, the transaction may have happened: running it again
// is safe for the calls of this library; the caller's own statements need a key of their own,
// as an order row has.
func Retryable(err error) bool {
	_, network := errors.AsType[*net.OpError](err)
	return network || fault.Retryable(err) || passing(number(err)) || lost(err)
}
