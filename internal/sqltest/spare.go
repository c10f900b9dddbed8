package sqltest

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// drainTime is how long the connections of a test have to end before its database is emptied.
const drainTime = 30 * time.Second

// spares are databases whose tables are empty again, by the files that made them, the one that was emptied first in
// front. Making tables is what takes most tests longest.
var spares struct {
	mu     sync.Mutex
	names  map[string][]spare
	models map[string]*model
	purged int64 // transactions before this one have left nothing behind
}

// model is a database that has the tables of some files, and nothing else ever. Others get copies of them: a copy is one change, where
// the files make a table and change it many times.
type model struct {
	made   sync.Once
	name   string
	tables []string // in the order in which the files make them; in which TiDB locks them, where a statement has several
	err    error
}

// makes is a statement that makes a table.
var makes = regexp.MustCompile(`(?m)^CREATE TABLE (?:IF NOT EXISTS )?(\w+)`)

// errSpoilt is a database that the next test must not get.
var errSpoilt = errors.New("sqltest: spoilt")

// spare is a database and the tables it has.
type spare struct {
	name    string
	tables  []string
	emptied int64 // a transaction that began when it had been emptied
}

// Prepared opens a database that has the tables of some files of a schema, empty: one that an earlier test
// left, or a new one. When the test ends without a failure it is emptied for the next, which gets it when the server
// has purged it, too: until then a row that is deleted is still in the indexes, where whoever inserts another with a
// key of it locks the gaps beside (MySQL Reference Manual, Locks Set by Different SQL Statements in InnoDB), and the
// next test would wait for locks that no new table knows.
func Prepared(t testing.TB, variant Variant, schema fs.FS, files ...string) *DB {
	t.Helper()
	config := server(t)
	admin := openPool(t, config, &Wire{})
	key := strings.Join(files, " ")
	s, ok := takeSpare(t.Context(), admin, key)
	if !ok {
		var err error
		s, err = copyOf(t.Context(), admin, modelOf(key), schema, files)
		require.NoError(t, err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*drainTime) // the test's context has ended
		defer cancel()
		if t.Failed() || empty(ctx, admin, &s) != nil {
			_, err := admin.ExecContext(ctx, "DROP DATABASE "+s.name)
			require.NoError(t, err)
		} else {
			giveSpare(key, s)
		}
		require.NoError(t, admin.Close())
	})
	return open(t, config, s.name, variant)
}

// DropSpares removes the databases that wait for another test, and their models. TestMain calls it.
func DropSpares() error {
	spares.mu.Lock()
	defer spares.mu.Unlock()
	if len(spares.models) == 0 {
		return nil
	}
	config, err := parseServer()
	if err != nil {
		return err
	}
	db, err := connect(config, &Wire{})
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	var left []string
	for _, some := range spares.names {
		for _, s := range some {
			left = append(left, s.name)
		}
	}
	for _, m := range spares.models {
		left = append(left, m.name)
	}
	for _, name := range left {
		_, failed := db.Exec("DROP DATABASE IF EXISTS " + name) //nolint:noctx // there is no test any more
		err = errors.Join(err, failed)
	}
	spares.names, spares.models = nil, nil
	return err
}

// modelOf returns the model of some files, which may not be made yet.
func modelOf(key string) *model {
	spares.mu.Lock()
	defer spares.mu.Unlock()
	if spares.models == nil {
		spares.models = map[string]*model{}
	}
	m := spares.models[key]
	if m == nil {
		m = &model{name: newName()}
		spares.models[key] = m
	}
	return m
}

// copyOf makes a database with copies of the tables of a model, which it makes first if nobody has.
func copyOf(ctx context.Context, admin *sql.DB, m *model, schema fs.FS, files []string) (spare, error) {
	m.made.Do(func() {
		ctx := context.WithoutCancel(ctx) // other tests wait for it
		m.tables, m.err = create(ctx, admin, m.name, schema, files)
	})
	if m.err != nil {
		return spare{}, m.err
	}
	s := spare{name: newName(), tables: slices.Sorted(slices.Values(m.tables))}
	if _, err := admin.ExecContext(ctx, "CREATE DATABASE "+s.name); err != nil {
		return s, err
	}
	for _, table := range m.tables {
		statement := "CREATE TABLE " + s.name + "." + table + " LIKE " + m.name + "." + table //nolint:gosec // names of our own
		if _, err := admin.ExecContext(ctx, statement); err != nil {
			return s, err
		}
	}
	return s, nil
}

// takeSpare returns the database that was emptied first, if it is purged by now.
func takeSpare(ctx context.Context, admin *sql.DB, key string) (spare, bool) {
	if s, ok := purgedSpare(key); ok {
		return s, true
	}
	if _, err := look(ctx, admin); err != nil { // then there is a new one
		return spare{}, false
	}
	return purgedSpare(key)
}

func purgedSpare(key string) (spare, bool) {
	spares.mu.Lock()
	defer spares.mu.Unlock()
	some := spares.names[key]
	if len(some) == 0 || some[0].emptied > spares.purged {
		return spare{}, false
	}
	spares.names[key] = some[1:]
	return some[0], true
}

// look notes how far the server's purge has come, and returns the number of the next transaction.
func look(ctx context.Context, admin *sql.DB) (next int64, err error) {
	done, next, err := purged(ctx, admin)
	if err != nil {
		return 0, err
	}
	spares.mu.Lock()
	defer spares.mu.Unlock()
	spares.purged = max(spares.purged, done)
	return next, nil
}

func giveSpare(key string, s spare) {
	spares.mu.Lock()
	defer spares.mu.Unlock()
	if spares.names == nil {
		spares.names = map[string][]spare{}
	}
	spares.names[key] = append(spares.names[key], s)
}

// tablesOf returns the tables of a database, by name.
func tablesOf(ctx context.Context, admin *sql.DB, name string) ([]string, error) {
	return Strings(ctx, admin, "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = '"+name+"' ORDER BY TABLE_NAME")
}

// create makes a database with the tables of the files, and returns these.
func create(ctx context.Context, admin *sql.DB, name string, schema fs.FS, files []string) (tables []string, err error) {
	if _, err := admin.ExecContext(ctx, "CREATE DATABASE "+name); err != nil {
		return nil, err
	}
	conn, err := admin.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { // it does not go back: it is in that database now
		_ = conn.Raw(func(any) error { return driver.ErrBadConn })
	}()
	if _, err := conn.ExecContext(ctx, "USE "+name); err != nil {
		return nil, err
	}
	for _, file := range files {
		text, err := fs.ReadFile(schema, file)
		if err != nil {
			return nil, err
		}
		for statement := range strings.SplitSeq(string(text), ";\n") {
			if strings.TrimSpace(statement) == "" {
				continue
			}
			if _, err := conn.ExecContext(ctx, statement); err != nil {
				return nil, err
			}
			if made := makes.FindStringSubmatch(statement); made != nil {
				tables = append(tables, made[1])
			}
		}
	}
	return tables, nil
}

// empty removes all rows, once nobody is connected to the database any more: what a test has sent and not
// waited for must not come to the next. A database with tables of a test's own is not worth it.
func empty(ctx context.Context, admin *sql.DB, s *spare) error {
	if err := drain(ctx, admin, s.name); err != nil {
		return err
	}
	tables, err := tablesOf(ctx, admin, s.name)
	if err != nil {
		return err
	}
	slices.Sort(tables) // as those of the spare are, and not as the server sorts
	if !slices.Equal(tables, s.tables) {
		return fmt.Errorf("%w: %s has other tables", errSpoilt, s.name)
	}
	tx, err := admin.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	for _, table := range tables {
		if _, err := tx.ExecContext(ctx, "DELETE FROM "+s.name+"."+table); err != nil { //nolint:gosec // names of our own
			return err
		}
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	s.emptied, err = look(ctx, admin)
	return err
}

// drain waits until nobody is connected to the database, and ends those who stay.
func drain(ctx context.Context, admin *sql.DB, name string) error {
	for begun := time.Now(); ; {
		ids, err := Strings(ctx, admin, "SELECT ID FROM information_schema.PROCESSLIST WHERE DB = '"+name+"'")
		switch {
		case err != nil:
			return err
		case len(ids) == 0:
			return nil
		case time.Since(begun) > drainTime:
			return fmt.Errorf("%w: %d connections to %s do not end", errSpoilt, len(ids), name)
		}
		for _, id := range ids {
			_, _ = admin.ExecContext(ctx, "KILL "+id) // it may have ended by itself
		}
	}
}

// Strings reads a column of strings.
func Strings(ctx context.Context, db *sql.DB, query string) ([]string, error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var all []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, rows.Err()
}
