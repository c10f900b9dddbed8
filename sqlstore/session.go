package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"reflect"
	"strings"
	"sync"
)

// mostSessions bounds how many connections are remembered: also those that the pool has closed since.
const mostSessions = 1_000

// sessions remembers which connections of a pool commit a statement by itself. The setting is one of the DSN or of the
// server, and stays as it is while a connection lives. It is safe for concurrent use.
type sessions struct {
	mu    sync.Mutex
	known map[driver.Conn]bool
}

// readCommits asks whether a session does.
const readCommits = "SELECT @@autocommit, @@completion_type"

// commits reports whether a statement commits by itself on a connection: autocommit is on, and no COMMIT of anybody can have
// opened another transaction. It asks once for each connection.
func (s *sessions) commits(ctx context.Context, conn *sql.Conn) (bool, error) {
	var key driver.Conn
	_ = conn.Raw(func(c any) error { // it fails where the connection is gone, as the next statement will
		if c, ok := c.(driver.Conn); ok && reflect.TypeOf(c).Comparable() {
			key = c
		}
		return nil
	})
	if commits, known := s.recall(key); known {
		return commits, nil
	}
	var on bool
	var completion string
	if err := readRow(ctx, conn, readCommits, &on, &completion); err != nil {
		return false, err
	}
	commits := on && (completion == "0" || strings.EqualFold(completion, "NO_CHAIN"))
	s.remember(key, commits)
	return commits, nil
}

func (s *sessions) recall(key driver.Conn) (commits, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	commits, known = s.known[key]
	return commits, known
}

func (s *sessions) remember(key driver.Conn, commits bool) {
	if key == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil || len(s.known) >= mostSessions {
		s.known = map[driver.Conn]bool{}
	}
	s.known[key] = commits
}

// beneath returns the transaction beneath a handle that prepares each statement and keeps it, as that of GORM with
// PrepareStmt does: every text of ours is another one, and MySQL cannot prepare a savepoint. It is told by its method
// GetDBConn, and has the transaction in its field Tx. Any other handle is returned as it is.
func beneath(tx Tx) Tx {
	if _, ok := tx.(interface{ GetDBConn() (*sql.DB, error) }); !ok {
		return tx
	}
	v := reflect.Indirect(reflect.ValueOf(tx))
	if v.Kind() != reflect.Struct {
		return tx
	}
	field := v.FieldByName("Tx")
	if !field.IsValid() || !field.CanInterface() {
		return tx
	}
	if inner, ok := reflect.TypeAssert[Tx](field); ok && inner != nil {
		return beneath(inner)
	}
	return tx
}
