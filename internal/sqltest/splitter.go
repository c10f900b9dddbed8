package sqltest

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// replica is a server that lags: what was changed since it last caught up is not there. It is a snapshot that one connection
// keeps, so it lags as long as a test wants, and no test has to wait.
type replica struct {
	connector driver.Connector

	mu   sync.Mutex
	conn mysqlConn
}

// CatchUp lets the replica behind the pool's splitter have all that was committed.
func (db *DB) CatchUp(t testing.TB) {
	t.Helper()
	require.NoError(t, db.Wire.replica.catchUp(t.Context()))
}

func (r *replica) catchUp(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	statements := []string{"COMMIT", "START TRANSACTION WITH CONSISTENT SNAPSHOT"}
	if r.conn == nil {
		conn, err := r.connector.Connect(ctx)
		if err != nil {
			return err
		}
		r.conn = conn.(mysqlConn)
		statements[0] = "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ"
	}
	for _, statement := range statements {
		if _, err := r.conn.ExecContext(ctx, statement, nil); err != nil {
			return err
		}
	}
	return nil
}

// close ends the connection of the replica, which may be nil.
func (r *replica) close() error {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.conn == nil {
		return nil
	}
	return r.conn.Close()
}

// query reads all rows at once, because all connections of the pool share the one of the replica. So a context that ends must
// not end that one.
func (r *replica) query(ctx context.Context, query string) (driver.Rows, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rows, err := r.conn.QueryContext(context.WithoutCancel(ctx), query, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	kept := &keptRows{columns: rows.Columns()}
	for {
		row := make([]driver.Value, len(kept.columns))
		err := rows.Next(row)
		if errors.Is(err, io.EOF) {
			return kept, nil
		}
		if err != nil {
			return nil, err
		}
		for i, value := range row {
			if bytes, ok := value.([]byte); ok { // the driver's buffer, which the next row needs
				row[i] = slices.Clone(bytes)
			}
		}
		kept.rows = append(kept.rows, row)
	}
}

// keptRows are rows that were read before.
type keptRows struct {
	columns []string
	rows    [][]driver.Value
}

// Columns implements driver.Rows.
func (r *keptRows) Columns() []string { return r.columns }

// Close implements driver.Rows.
func (r *keptRows) Close() error { return nil }

// Next implements driver.Rows.
func (r *keptRows) Next(row []driver.Value) error {
	if len(r.rows) == 0 {
		return io.EOF
	}
	copy(row, r.rows[0])
	r.rows = r.rows[1:]
	return nil
}

// plain reports whether a splitter takes a statement for one that any server can answer.
func plain(statement string) bool {
	text := strings.ToUpper(strings.TrimLeft(statement, " \t\n("))
	if !strings.HasPrefix(text, "SELECT") && !strings.HasPrefix(text, "WITH") {
		return false
	}
	return !strings.Contains(text, "FOR UPDATE") && !strings.Contains(text, "FOR SHARE") && !strings.Contains(text, "LOCK IN SHARE MODE")
}

// changes reports whether a statement is one that a read-only server refuses.
func changes(statement string) bool {
	verb, _, _ := strings.Cut(statement, " ")
	return slices.Contains([]string{"INSERT", "UPDATE", "DELETE"}, verb)
}

// Begins reports whether a statement opens a transaction, also where a node of Galera waits before it does.
func Begins(statement string) bool {
	if comment, rest, commented := strings.Cut(statement, " */ "); commented && strings.HasPrefix(comment, "/*M!") {
		statement = rest
	}
	return strings.HasPrefix(statement, "START TRANSACTION")
}

// follow notes whether a statement has opened or ended a transaction.
func (c *wiredConn) follow(statement string, err error) {
	if err != nil {
		return
	}
	text := strings.ToUpper(statement)
	switch {
	case strings.HasPrefix(text, "BEGIN"), Begins(text):
		c.open = true
	case strings.HasPrefix(text, "ROLLBACK TO"):
	case strings.HasPrefix(text, "COMMIT"), strings.HasPrefix(text, "ROLLBACK"):
		c.open = false
	}
}

// BeginTx implements driver.ConnBeginTx.
func (c *wiredConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	tx, err := c.mysqlConn.BeginTx(ctx, opts)
	if err != nil {
		return nil, err
	}
	c.open = true
	return &wiredTx{Tx: tx, conn: c}, nil
}

// wiredTx is a transaction whose end the splitter sees.
type wiredTx struct {
	driver.Tx
	conn *wiredConn
}

// Commit implements driver.Tx.
func (t *wiredTx) Commit() error {
	t.conn.open = false
	return t.Tx.Commit()
}

// Rollback implements driver.Tx.
func (t *wiredTx) Rollback() error {
	t.conn.open = false
	return t.Tx.Rollback()
}
