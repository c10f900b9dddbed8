package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing/fstest"

	"github.com/holdfast-go/holdfast/internal/fault"
)

//go:embed migrations/*.sql
var migrations embed.FS

// tableName is where the name of a table, or of an index or a constraint, begins. Columns are in capitals.
var tableName = regexp.MustCompile(`\b(goods_stock|coupon_[a-z]|red_packet|egl_group)`)

// lockWait is how long Migrate waits, in seconds, for another process that migrates.
const lockWait = 60

// Schema returns the tables as plain SQL files, numbered in the order in which they are to be
// applied: for goose, golang-migrate, Atlas, or a DBA. Their names have no prefix; for one, see
// Options.Schema.
func Schema() fs.FS { return (*Options)(nil).Schema() }

// Schema returns the same files as the function Schema, with the prefix in front of every name. For
// a prefix that is none, opening a file returns ErrInvalid.
func (o *Options) Schema() fs.FS {
	prefix, err := o.prefix()
	if err != nil {
		return brokenFS{err}
	}
	files := fstest.MapFS{}
	entries, _ := fs.ReadDir(migrations, "migrations") // embedded: cannot fail
	for _, entry := range entries {
		text, _ := fs.ReadFile(migrations, path.Join("migrations", entry.Name()))
		files[entry.Name()] = &fstest.MapFile{Mode: 0o444, Data: tableName.ReplaceAll(text, []byte(prefix+"$0"))}
	}
	return files
}

// brokenFS is a file system that says why it has no files.
type brokenFS struct{ err error }

// Open implements fs.FS.
func (b brokenFS) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: b.err}
}

// migration is one file of the schema.
type migration struct {
	version    int
	name       string
	statements []string
}

// migrationsOf reads the files of a schema in their order.
func migrationsOf(schema fs.FS) ([]migration, error) {
	entries, err := fs.ReadDir(schema, ".")
	if err != nil {
		return nil, err
	}
	var all []migration
	for _, entry := range entries {
		number, _, _ := strings.Cut(entry.Name(), "_")
		version, err := strconv.Atoi(number)
		if err != nil {
			return nil, fmt.Errorf("sqlstore: migration %s has no number: %w", entry.Name(), err)
		}
		text, err := fs.ReadFile(schema, entry.Name())
		if err != nil {
			return nil, err
		}
		m := migration{version: version, name: entry.Name()}
		for statement := range strings.SplitSeq(string(text), ";\n") { // no string of ours has one
			if strings.TrimSpace(statement) != "" {
				m.statements = append(m.statements, statement)
			}
		}
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b migration) int { return a.version - b.version })
	return all, nil
}

// Migrate creates the tables and brings older ones up to date, in the database of the DSN. It
// records what it did in the table holdfast_schema, and does nothing where nothing is to be done.
// Several processes may call it at once: one works, the others wait for it. DDL commits by
// itself, which is why it takes a *sql.DB and no transaction.
//
// Needs the rights CREATE, ALTER, INDEX, SELECT and INSERT. Errors: ErrInvalid, ErrUnavailable
// (also where another process has been at it for a minute), ErrStore.
func Migrate(ctx context.Context, db *sql.DB, opts *Options) error {
	prefix, err := checkDB(db, opts)
	if err != nil {
		return err
	}
	all, err := migrationsOf(opts.Schema())
	if err != nil {
		return err
	}
	return alone(ctx, db, prefix, func(conn *sql.Conn) error {
		log := prefix + "holdfast_schema"
		_, err := conn.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS "+log+
			" (VERSION INT NOT NULL, NAME VARCHAR(64) NOT NULL, APPLY_TIME DATETIME(6) NOT NULL, PRIMARY KEY (VERSION)) ENGINE = InnoDB")
		if err != nil {
			return err
		}
		done, err := schemaVersion(ctx, conn, prefix)
		if err != nil {
			return err
		}
		for _, m := range all {
			if m.version <= done {
				continue
			}
			for _, statement := range m.statements {
				if _, err := conn.ExecContext(ctx, statement); err != nil {
					return fmt.Errorf("%s: %w", m.name, err)
				}
			}
			// A process that dies before this applies the file again: its statements can be.
			_, err := conn.ExecContext(ctx, render("INSERT INTO "+log+" (VERSION, NAME, APPLY_TIME) VALUES (?, ?, "+now+")", m.version, m.name))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Drop removes the tables of these options and everything that is in them. It is for tests and
// examples. Errors are those of Migrate; it needs the right DROP.
func Drop(ctx context.Context, db *sql.DB, opts *Options) error {
	prefix, err := checkDB(db, opts)
	if err != nil {
		return err
	}
	return alone(ctx, db, prefix, func(conn *sql.Conn) error {
		tables := append(tablesOf(prefix), prefix+"holdfast_schema")
		_, err := conn.ExecContext(ctx, "DROP TABLE IF EXISTS "+strings.Join(tables, ", "))
		return err
	})
}

// tablesOf returns the names of all tables of a prefix but that of the migrations.
func tablesOf(prefix string) []string {
	var names []string
	for _, q := range allSQL(prefix) {
		names = append(names, q.tables()...)
	}
	return names
}

// checkDB refuses what cannot work before any I/O, and returns the prefix.
func checkDB(db *sql.DB, opts *Options) (string, error) {
	if db == nil {
		return "", fault.Invalid("db", "must not be nil")
	}
	return opts.prefix()
}

// schemaVersion returns the highest migration that was applied; 0 is none.
func schemaVersion(ctx context.Context, q Tx, prefix string) (int, error) {
	var version int
	err := readRow(ctx, q, "SELECT COALESCE(MAX(VERSION), 0) FROM "+prefix+"holdfast_schema", &version)
	return version, err
}

// alone runs fn on a connection that holds the server's lock for these tables. The lock is named
// after the database too, since the server has one set of names for all; it goes away with
// the connection.
func alone(ctx context.Context, db *sql.DB, prefix string, fn func(*sql.Conn) error) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return classify(err, unsent)
	}
	defer func() { _ = conn.Close() }()
	name := "CONCAT('holdfast ', LEFT(SHA2(CONCAT(COALESCE(DATABASE(), ''), '.', ?), 256), 40))"
	var got sql.NullInt64
	if err := conn.QueryRowContext(ctx, render("SELECT GET_LOCK("+name+", ?)", prefix, lockWait)).Scan(&got); err != nil {
		return classify(err, unsent)
	}
	if got.Int64 != 1 {
		return fmt.Errorf("%w: another process has been migrating for %d s", fault.ErrUnavailable, lockWait)
	}
	err = fn(conn)
	cleanup, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
	defer cancel()
	if _, failed := conn.ExecContext(cleanup, render("DO RELEASE_LOCK("+name+")", prefix)); err == nil {
		err = failed
	}
	return classify(err, unsent)
}
