package mysql

import (
	"context"
	"database/sql"
	"strings"
)

// dialect is what servers do in different ways, and what the store does about it.
type dialect struct {
	// level is the isolation level that a transaction of the store's own asks for, where the session has another. It is
	// empty where that of the session will do.
	level string

	// alone reports whether a statement that changes something may commit itself.
	alone bool

	// splits reports whether several rows that others change are better changed by a statement for each, or for each table, than by
	// one for all.
	splits bool

	// uncommitted reports whether a read can see what others have written and not committed.
	uncommitted bool

	// skips reports whether SKIP LOCKED skips what others have locked.
	skips bool

	// lags reports whether the server may not have applied yet what another one has acknowledged; see beginCaughtUp.
	lags bool

	// share ends a read of rows as they are now, whose locks others may have at the same time. The # is a table of it whose
	// rows the transaction has locked for itself.
	share string

	// asksID reports whether a connection has to be asked for its id: no setting has it.
	asksID bool

	// lockWaits counts, for the id of a connection, the locks that it waits for.
	lockWaits string
}

// innodb is the dialect of MySQL and MariaDB.
var innodb = dialect{
	alone: true, uncommitted: true, skips: true, share: " LOCK IN SHARE MODE",
	lockWaits: "SELECT COUNT(*) FROM information_schema.INNODB_TRX WHERE trx_state = 'LOCK WAIT' AND trx_mysql_thread_id = ",
}

// galera is the dialect of a node of MariaDB in a Galera cluster.
var galera = dialect{alone: true, uncommitted: true, skips: true, lags: true, share: innodb.share, lockWaits: innodb.lockWaits}

// tidb is the dialect of TiDB.
//
// The snapshot of a transaction is taken when it begins, and not by its first read, so at REPEATABLE READ whatever a plain
// read finds behind a lock may be old. At READ COMMITTED each statement sees what was committed before it (TiDB
// documentation, Transaction Isolation Levels). A locking read sees that at either level.
//
// A statement that commits itself begins as an optimistic transaction, which fails on a hot row and is made again (Pessimistic
// Transaction Mode, Differences with MySQL InnoDB). READ UNCOMMITTED is refused; SKIP LOCKED and LOCK IN SHARE MODE do nothing or
// are refused (SELECT). A statement that joins the tables is made again whenever somebody else has had one of its rows meanwhile, and
// loses its place in the queue of the hot one; a statement for a whole key waits in it and goes on (System Variables,
// tidb_pessimistic_txn_fair_locking). A lock on a whole key that does not exist keeps others from inserting it, and waits for whoever
// is doing that.
var tidb = dialect{
	level:     "READ COMMITTED",
	splits:    true,
	asksID:    true,
	share:     " FOR UPDATE OF #", // it reads the other tables as they are, too, and locks nothing of them
	lockWaits: "SELECT COUNT(*) FROM information_schema.CLUSTER_TIDB_TRX WHERE STATE = 'LockWaiting' AND SESSION_ID = ",
}

// dialectOf tells the server by the settings of a session: only TiDB has a tidb_txn_mode. The version says nothing where
// server-version is configured. Of the clusters of Galera, those of MariaDB have SET STATEMENT.
func dialectOf(settings map[string]string) *dialect {
	if _, is := settings["tidb_txn_mode"]; is {
		return &tidb
	}
	if settings["wsrep_on"] == "ON" && strings.Contains(settings["version"], "MARIADB") {
		return &galera
	}
	return &innodb
}

// dialectIn returns the dialect of the pool's server. It asks for it once, in a transaction of the caller if need be.
func (h *Handle) dialectIn(ctx context.Context, q Tx) (*dialect, error) {
	if d := h.sessions.server.Load(); d != nil {
		return d, nil
	}
	settings, err := readSettings(ctx, q)
	if err != nil {
		return nil, err
	}
	d := dialectOf(settings)
	h.sessions.server.Store(d)
	return d, nil
}

// Splits reports whether the server is better at changing several rows by a statement for each, or for each table, than by one for all.
func (h *Handle) Splits(ctx context.Context) (bool, error) {
	if d := h.sessions.server.Load(); d != nil {
		return d.splits, nil
	}
	splits := false
	err := h.Again(ctx, func(a *Attempt) error { splits = a.is.splits; return nil })
	return splits, err
}

// SplitsIn is Splits for a transaction that is open.
func (h *Handle) SplitsIn(ctx context.Context, q Tx) (bool, error) {
	d, err := h.dialectIn(ctx, q)
	return err == nil && d.splits, err
}

// ReadShared reads rows as they are now, in the caller's transaction, which has locked those of the table locked for itself. Others
// may read the rest likewise at the same time.
func (h *Handle) ReadShared(ctx context.Context, q Tx, statement, locked string, scan func(*sql.Rows) error) error {
	d, err := h.dialectIn(ctx, q)
	if err != nil {
		return err
	}
	return Read(ctx, q, statement+strings.ReplaceAll(d.share, "#", locked), scan)
}

// The error numbers of TiDB, and of the storage beneath it (TiDB documentation, Error Codes and Troubleshooting).
const (
	errNoWait        = 3572 // of NOWAIT: others have locked a row
	errCantRetry     = 8002 // SELECT FOR UPDATE met a conflict
	errKVRetry       = 8022 // the storage has not done it, and may if asked again
	errSchemaChanged = 8028 // a table was changed during the transaction, which is rolled back
	errStoreBusy     = 9003 // 9001 and 9002 mean what they do for ProxySQL: no answer in time
	errResolveLock   = 9004
	errNoRegion      = 9005
	errWriteConflict = 9007 // another transaction has changed a row meanwhile

	lockRetriesMessage = "pessimistic lock retry limit reached"
	abortsMessage      = "tikv aborts txn" // a lock of it was lost: a deadlock, or a server that was too slow to keep it alive
)

// tidbReruns reports whether TiDB has rolled back a transaction that may run again at once, or its last statement.
func tidbReruns(err error) bool {
	switch Number(err) {
	case errCantRetry, errKVRetry, errWriteConflict:
		return true
	}
	return aborted(err)
}

// aborted reports whether a statement has met others on a hot row too often, or the storage has ended the transaction. TiDB has no
// number for these.
func aborted(err error) bool {
	return Number(err) == errAnything &&
		(strings.Contains(err.Error(), lockRetriesMessage) || strings.Contains(err.Error(), abortsMessage))
}

// tidbTransient reports whether an error of TiDB may go away by itself and says that the statement was not done.
func tidbTransient(err error) bool {
	switch Number(err) {
	case errSchemaChanged, errStoreBusy, errResolveLock, errNoRegion:
		return true
	}
	return tidbReruns(err)
}
