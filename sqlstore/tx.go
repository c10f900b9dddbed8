package sqlstore

import (
	"context"
	"database/sql"

	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
)

// Tx is the caller's transaction: *sql.Tx, *sql.Conn after a BEGIN, or what another library
// wraps around one of them.
type Tx interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Retryable reports whether running the caller's whole transaction again may help. It is true for an error of this
// library that is ErrUnavailable or ErrUnknown, and for an error from the caller's own statements that goes away by
// itself: a deadlock, a lock wait timeout, a lost or refused connection, a server that is shutting down or read-only,
// a proxy that has lost its server. It is false for an error of a context alone, and true for a call cut short by its
// context; use another context then.
//
// After a COMMIT whose answer was lost, the transaction may have happened: running it again
// is safe for the calls of this library; the caller's own statements need a key of their own,
// as an order row has.
func Retryable(err error) bool { return mysql.Retryable(err) }
