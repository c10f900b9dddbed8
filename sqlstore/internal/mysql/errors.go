package mysql

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/go-sql-driver/mysql"

	"github.com/holdfast-go/holdfast/internal/fault"
)

// The error numbers of the servers that matter here. MySQL: Server Error Message Reference; MariaDB: MariaDB Error
// Codes.
const (
	ErrDuplicate       = 1062 // the key is taken
	errNoIndex         = 1176 // the index that a statement has to use does not exist
	errNoTable         = 1146
	errColumnThere     = 1060 // ADD COLUMN of one that is there
	errIndexThere      = 1061 // ADD KEY of one that is there
	errNoSchema        = 1046 // the session has no database
	errNoSavepoint     = 1305 // also: the handle is not in a transaction, or there is no such function
	errDenied          = 1142 // the account lacks the right
	errNotPreparable   = 1295 // the statement cannot be prepared
	errSafeUpdates     = 1175 // sql_safe_updates
	errCheckMySQL      = 3819 // a CHECK constraint is violated
	errCheckMariaDB    = 4025
	ErrOutOfRange      = 1690 // an expression overflows BIGINT
	errColumnRange     = 1264 // a value does not fit its column
	errDeadlock        = 1213 // the transaction is rolled back
	errRecordChanged   = 1020 // MariaDB: a snapshot conflict; the transaction is rolled back
	errLockWait        = 1205 // only the statement is rolled back
	errTooManyConns    = 1040
	errTooManyUser     = 1203
	errResourceLimit   = 1226
	errShutdown        = 1053
	errInterrupted     = 1317 // KILL QUERY
	errMaxTimeMySQL    = 3024 // max_execution_time
	errMaxTimeMariaDB  = 1969 // max_statement_time
	errReadOnlyOption  = 1290 // read_only, super_read_only: a replica, or a failover under way
	errReadOnlyMode    = 1836
	errReadOnlyTx      = 1792 // transaction_read_only
	errOffline         = 3032 // MySQL: offline_mode
	errPacketTooLarge  = 1153 // max_allowed_packet
	errNotReady        = 1047 // Galera: the node has not joined
	errInCommit        = 1180 // Galera: an error while it committed
	errKilled          = 1927 // MariaDB: the connection was killed
	errIdle            = 4031 // MySQL: the connection was closed for inactivity
	errTooManyTrx      = 1637
	errTableChanged    = 1412 // a table was changed after the snapshot of the transaction
	errGroupRollback   = 3101 // MySQL group replication rolled back
	errAnything        = 1105 // unknown error
	firstOfClients     = 2000 // of a client; from a server, a proxy has made it: it has lost the server or does not get to it
	lastOfClients      = 2999
	errNoBackend       = 9001 // ProxySQL: no server was reached in time
	errNoBackendPeriod = 9002 // the same, for another limit
)

// Number returns the server's error number, 0 where the server did not answer with one.
func Number(err error) uint16 {
	if server, ok := fault.As[*mysql.MySQLError](err); ok {
		return server.Number
	}
	return 0
}

// transient reports whether a server's error may go away by itself and says that the statement was not done.
func transient(err error) bool {
	switch Number(err) {
	case errDeadlock, errRecordChanged, errLockWait, errTooManyConns, errTooManyUser, errResourceLimit,
		errInterrupted, errMaxTimeMySQL, errMaxTimeMariaDB, errReadOnlyOption, errReadOnlyMode, errReadOnlyTx,
		errOffline, errNotReady, errIdle, errTableChanged, errTooManyTrx, errGroupRollback, errNoBackend, errNoBackendPeriod:
		return true
	}
	return killedJoin(err) || tidbTransient(err)
}

// killedJoin reports whether KILL QUERY has ended an UPDATE of several tables, for which MySQL has no number
// of its own. Nothing was done.
func killedJoin(err error) bool {
	return Number(err) == errAnything && strings.Contains(err.Error(), "An error occurred in multi-table update")
}

// inconclusive reports whether an error does not tell what became of a statement: the server may have been stopped during
// it, or a proxy has lost the server. The error may go away by itself.
func inconclusive(err error) bool {
	switch n := Number(err); n {
	case errKilled, errShutdown, errInCommit:
		return true
	case errAnything:
		return !killedJoin(err) && !aborted(err)
	default:
		return n >= firstOfClients && n <= lastOfClients
	}
}

// readOnly reports whether the server takes no changes: it is a replica, or has just become one.
func readOnly(err error) bool {
	switch Number(err) {
	case errReadOnlyOption, errReadOnlyMode, errReadOnlyTx:
		return true
	}
	return false
}

// rerun reports whether a transaction of the store's own should run again at once: the server has rolled back all of
// it to let another one through.
func rerun(err error) bool {
	n := Number(err)
	return n == errDeadlock || n == errRecordChanged || n == errGroupRollback || n == errTableChanged || tidbReruns(err)
}

// TooLarge reports whether a statement was refused because its text is larger than max_allowed_packet.
func TooLarge(err error) bool {
	return Unsendable(err) || Number(err) == errPacketTooLarge
}

// Added reports whether ALTER TABLE was refused because what it adds is there: MySQL has no ADD COLUMN IF NOT EXISTS.
func Added(err error) bool {
	n := Number(err)
	return n == errColumnThere || n == errIndexThere
}

// SchemaChanged reports whether TiDB has not executed a statement because a table was changed meanwhile, whichever it was.
func SchemaChanged(err error) bool { return Number(err) == errSchemaChanged }

// Unsendable reports whether the driver has not sent a statement, because its text is too large. The transaction goes on.
func Unsendable(err error) bool { return errors.Is(err, mysql.ErrPktTooLarge) }

// Classify wraps a failure in the error that tells the outcome of the call, by the stage it had reached. Where nothing
// was sent that takes effect by itself, nothing was done. A server that refuses a statement has not done it; one that
// refuses a COMMIT may have. Where no answer came back, or one that proves nothing, the outcome is unknown.
func Classify(err error, at stage) error {
	n := Number(err)
	switch {
	case err == nil:
		return nil
	case classified(err), IsRefusal(err):
		return err
	case n == errCheckMySQL, n == errCheckMariaDB:
		return fmt.Errorf("%w: %w", fault.ErrDrift, err)
	case errors.Is(err, driver.ErrBadConn), rerun(err): // the driver has sent nothing; the server has rolled back
		return fmt.Errorf("%w: %w", fault.ErrUnavailable, err)
	case at == committing, at == sent && (n == 0 || inconclusive(err)) && !errors.Is(err, sql.ErrTxDone) && !errors.Is(err, sql.ErrConnDone):
		return fmt.Errorf("%w: %w", fault.ErrUnknown, err)
	case n == ErrOutOfRange, n == errColumnRange:
		return fmt.Errorf("%w: %w", fault.ErrOverflow, err)
	case n == errNotPreparable:
		return fmt.Errorf("%w: %w", fault.Invalid("tx",
			"prepares each statement, which the server cannot do with this one: pass the transaction beneath, such as *sql.Tx"), err)
	case n == errNoSchema, n == errNoDatabase:
		return fmt.Errorf("%w: name an existing database in the DSN: %w", fault.ErrStore, err)
	case errors.Is(err, sql.ErrTxDone):
		return fmt.Errorf("%w: your transaction is over: begin another one: %w", fault.ErrStore, err)
	case n == errLockWait:
		return fmt.Errorf("%w: another transaction has the row; in a transaction of your own use WithTx: %w", fault.ErrUnavailable, err)
	case n == errNoIndex:
		return fmt.Errorf("%w: an index is missing: run Migrate: %w", fault.ErrStore, err)
	case n == errNoTable, n == errNoColumn:
		return fmt.Errorf("%w: run Migrate, with the same Options.Prefix: %w", fault.ErrStore, err)
	case n == errSafeUpdates:
		return fmt.Errorf("%w: set sql_safe_updates = 0 for these connections: %w", fault.ErrStore, err)
	case n != 0 && !transient(err) && !inconclusive(err), errors.Is(err, sql.ErrConnDone):
		return fmt.Errorf("%w: %w", fault.ErrStore, err)
	}
	return fmt.Errorf("%w: %w", fault.ErrUnavailable, err)
}

// MissingIndexError says which index a list needs that the shop has left out. It matches stock.ErrStore.
type MissingIndexError struct {
	Index string // with the prefix of its table
}

// Error implements error.
func (e *MissingIndexError) Error() string {
	return fmt.Sprintf("%v: this list needs the index %s: run MigrateLists", fault.ErrStore, e.Index)
}

// Is matches stock.ErrStore.
func (e *MissingIndexError) Is(target error) bool { return target == fault.ErrStore }

// NeedsIndex returns the error of a statement that has to use an index, and names the index where it is missing.
func NeedsIndex(err error, table, index string) error {
	if Number(err) == errNoIndex {
		return &MissingIndexError{Index: table + "_" + index}
	}
	return err
}

// classified reports whether an error already tells the outcome of the call.
func classified(err error) bool {
	for _, is := range [...]error{fault.ErrDrift, fault.ErrOverflow, fault.ErrInvalid, fault.ErrUnknown, fault.ErrUnavailable,
		fault.ErrStore} {
		if errors.Is(err, is) {
			return true
		}
	}
	return false
}

// lost reports whether the connection was gone before or after the statement went out.
func lost(err error) bool {
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, mysql.ErrInvalidConn)
}

// NoTable reports whether a statement found a table missing, before it did anything.
func NoTable(err error) bool { return Number(err) == errNoTable }

// Missing returns the failure of a change whose row does not exist, unless there is another error.
func Missing(err error) error {
	if err != nil {
		return err
	}
	return fmt.Errorf("%w: a row that must be there is missing", fault.ErrDrift)
}

// Unclaimed is the failure of an INSERT whose rows must not be there, or were not all made. The duplicate
// key of a share must not pass for that of a grab, whose caller would take it for a replay.
func Unclaimed(err error) error {
	if Number(err) == ErrDuplicate {
		return fmt.Errorf("%w: a row is there that must not be: %s", fault.ErrDrift, err.Error())
	}
	return Missing(err)
}

// Retryable reports whether running a whole transaction again may help; see sqlstore.Retryable.
func Retryable(err error) bool {
	_, network := fault.As[*net.OpError](err)
	return network || fault.Retryable(err) || transient(err) || inconclusive(err) || lost(err)
}
