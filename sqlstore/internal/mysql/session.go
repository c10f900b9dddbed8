package mysql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// someSessions is how many connections are remembered that the pool has closed, beside as many as it has. Each keeps the buffer of its
// last large statement alive.
const someSessions = 16

// session is how the server and the settings of a connection affect a statement.
type session struct {
	*dialect

	commits bool   // it commits by itself: autocommit is on, and no COMMIT of anybody can have opened another transaction
	locks   bool   // within a transaction, a read locks what it reads: SERIALIZABLE
	repeats bool   // within a transaction, all reads are of one moment and lock nothing: REPEATABLE READ
	fresh   bool   // within a transaction, each read is of its own moment: READ COMMITTED
	id      string // as KILL takes it
}

// sessions remembers the sessions of a pool's connections. The settings come from the DSN or the server, and do not
// change while a connection lives. It is safe for concurrent use.
type sessions struct {
	db     *sql.DB
	server atomic.Pointer[dialect] // once it is known
	killed atomic.Pointer[bool]    // what kills reports, once it is known

	mu    sync.Mutex
	known map[driver.Conn]session
}

// readSession asks for the settings, one of which has two names, for the id of the connection, and for what tells the kinds of servers.
const readSession = "SHOW SESSION VARIABLES WHERE Variable_name IN ('autocommit', 'completion_type', 'tx_isolation'," +
	" 'transaction_isolation', 'pseudo_thread_id', 'tidb_txn_mode', 'wsrep_on', 'version')"

// readSettings reads the settings of the session of a connection, in capitals, by their names.
func readSettings(ctx context.Context, q Tx) (map[string]string, error) {
	settings := map[string]string{}
	err := Read(ctx, q, readSession, func(rows *sql.Rows) error {
		var name, value string
		err := rows.Scan(&name, &value)
		settings[strings.ToLower(name)] = strings.ToUpper(value)
		return err
	})
	return settings, err
}

// of returns the session of a connection. It asks once for each.
func (s *sessions) of(ctx context.Context, conn *sql.Conn) (session, error) {
	var key driver.Conn
	_ = conn.Raw(func(c any) error { // it fails where the connection is gone, as the next statement will
		if c, ok := c.(driver.Conn); ok && reflect.TypeOf(c).Comparable() {
			key = c
		}
		return nil
	})
	if is, known := s.recall(key); known {
		return is, nil
	}
	settings, err := readSettings(ctx, conn)
	if err != nil {
		return session{}, err
	}
	completion := settings["completion_type"]
	level := settings["tx_isolation"] + settings["transaction_isolation"] // a server has one of them, or both
	is := session{
		dialect: dialectOf(settings),
		commits: settings["autocommit"] == "ON" && (completion == "0" || completion == "NO_CHAIN"),
		locks:   strings.Contains(level, "SERIALIZABLE"),
		repeats: strings.Contains(level, "REPEATABLE"),
		fresh:   strings.Contains(level, "READ-COMMITTED"),
		id:      threadID(settings),
	}
	if is.id == "" && is.asksID {
		if err := ReadRow(ctx, conn, connectionID, &is.id); err != nil {
			return session{}, err
		}
	}
	s.server.Store(is.dialect)
	s.remember(key, is)
	return is, nil
}

// connectionID is the text by which ProxySQL knows the question, and answers it itself (its issue 1797).
const connectionID = "SELECT CONNECTION_ID()"

// threadID is the id of a connection by its settings; empty where the server does not have it there.
func threadID(settings map[string]string) string {
	id := settings["pseudo_thread_id"]
	if n, err := strconv.ParseUint(id, 10, 64); err != nil || n == 0 {
		return ""
	}
	return id
}

// SessionID asks for the id of a connection, as KILL takes it. It is empty where two answers differ: there is somebody on the way who
// numbers the connections too, or asks more than one server, so KILL could end what another program does.
func SessionID(ctx context.Context, q Tx) (id string, err error) {
	settings, err := readSettings(ctx, q)
	if err != nil {
		return "", err
	}
	if err := ReadRow(ctx, q, connectionID, &id); err != nil {
		return "", err
	}
	if thread := threadID(settings); thread != "" && thread != id {
		return "", nil
	}
	return id, nil
}

// kills reports whether KILL means the connection that has an id. It asks once for the pool.
func (s *sessions) kills(ctx context.Context) bool {
	if known := s.killed.Load(); known != nil {
		return *known
	}
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close() }()
	id, err := SessionID(ctx, conn)
	if err != nil {
		return false
	}
	kills := id != ""
	s.killed.Store(&kills)
	return kills
}

func (s *sessions) recall(key driver.Conn) (is session, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	is, known = s.known[key]
	return is, known
}

func (s *sessions) remember(key driver.Conn, is session) {
	if key == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil || len(s.known) >= 2*s.db.Stats().OpenConnections+someSessions {
		s.known = map[driver.Conn]session{}
	}
	s.known[key] = is
}

// beneath returns the transaction beneath a handle that prepares and keeps each statement, as GORM's does with
// PrepareStmt: each of our statements has a text of its own, and MySQL cannot prepare a savepoint. Such a handle has
// the method GetDBConn, and the transaction in its field Tx. Any other handle is returned as it is.
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
	if inner, ok := field.Interface().(Tx); ok && inner != nil {
		return beneath(inner)
	}
	return tx
}
