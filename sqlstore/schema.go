package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing/fstest"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
)

//go:embed migrations/*.sql migrations/lists/*.sql
var migrations embed.FS

// tableName is where the name of a table, or of an index or a constraint, begins. Columns are in capitals.
var tableName = regexp.MustCompile(`\b(goods_stock|coupon_[a-z]|red_packet|egl_group|flash_sale)`)

// lockWait is how long Migrate waits, in seconds, for another process that migrates.
const lockWait = 60

// Schema returns the tables as plain SQL files, numbered in the order in which they are to be
// applied: for goose, golang-migrate, Atlas, or a DBA. Their names have no prefix; for one, see
// Options.Schema.
func Schema() fs.FS { return (*Options)(nil).Schema() }

// Schema returns the same files as the function Schema, with the prefix in front of every name. If the prefix is
// invalid, opening a file returns ErrInvalid.
func (o *Options) Schema() fs.FS { return o.files("migrations") }

// ListsSchema returns what MigrateLists applies as plain SQL files, like Schema. They have numbers of their own.
func ListsSchema() fs.FS { return (*Options)(nil).ListsSchema() }

// ListsSchema returns the same files as the function ListsSchema, with the prefix in front of every name.
func (o *Options) ListsSchema() fs.FS { return o.files("migrations/lists") }

// files returns the files of a folder, with the prefix in front of every name.
func (o *Options) files(folder string) fs.FS {
	prefix, err := o.prefix()
	if err != nil {
		return brokenFS{err}
	}
	files := fstest.MapFS{}
	entries, _ := fs.ReadDir(migrations, folder) // embedded: cannot fail
	for _, entry := range entries {
		if entry.IsDir() {
			continue
		}
		text, _ := fs.ReadFile(migrations, path.Join(folder, entry.Name()))
		files[entry.Name()] = &fstest.MapFile{Mode: 0o444, Data: tableName.ReplaceAll(text, []byte(prefix+"$0"))}
	}
	return files
}

// brokenFS is a file system that returns why it has no files.
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
	tables     []table // that they make or add to
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
			if strings.TrimSpace(statement) == "" {
				continue
			}
			m.statements = append(m.statements, statement)
			if t, ok := tableOf(statement); ok {
				m.tables = append(m.tables, t)
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
// A table that has the name of one of ours and was made by somebody else is ErrNotOurs: nothing is changed then. The
// comment of each of our tables begins with "holdfast".
//
// TiDB drops CHECK constraints without a word where tidb_enable_check_constraint is off, and Migrate is ErrStore then.
//
// Programs with the version before may run meanwhile and afterwards: migrations only add what those do not miss, and
// copy no table while it is locked. So call it before the first program of a new version starts. An older version's
// Migrate and Check accept the newer tables. A change of a table needs a moment in which no transaction uses it: it gives way
// to those that do, so end long transactions first, and let the pool have a second connection.
//
// Needs the right SELECT, and where something is to be done CREATE, ALTER, INDEX and INSERT.
// Errors: ErrInvalid, ErrNotOurs, ErrUnavailable (also where another process has been at it for
// a minute, or others have used a table for as long), ErrStore.
func Migrate(ctx context.Context, db *sql.DB, opts *Options) error {
	return migrate(ctx, db, opts, opts.Schema())
}

// migrate brings the tables to a schema.
func migrate(ctx context.Context, db *sql.DB, opts *Options, schema fs.FS) error {
	return alone(ctx, db, opts, schema, func(w *workshop) error {
		if err := w.keepsChecks(ctx); err != nil {
			return err
		}
		if others := foreign(w.there); len(others) > 0 {
			return fmt.Errorf("%w: %s: set Options.Prefix", ErrNotOurs, strings.Join(others, ", "))
		}
		done, err := w.applied(ctx)
		if err != nil {
			return err
		}
		again := false // a table that is made again is what it was at first: what later migrations add has to follow
		for _, m := range w.all {
			if again = again || m.version > done || !m.complete(w.there); !again {
				continue
			}
			if err := w.apply(ctx, m, m.version > done); err != nil {
				return fmt.Errorf("%s: %w", m.name, err)
			}
		}
		return nil
	})
}

// MigrateLists adds the indexes that only lists for screens need: stock.Inventory.HoldsPage of a buyer and ByDeadline, and
// redpacket.Packets.MinePage. A shop that does not show these lists leaves them out, since each costs something with
// every order: a list without its index returns a *MissingIndexError. It does nothing where the indexes are there, and Check
// accepts both. On large tables it takes minutes; both servers let other statements go on meanwhile (MySQL Reference Manual,
// Online DDL Operations; MariaDB, InnoDB Online DDL).
//
// Call Migrate first. It needs the rights SELECT, ALTER, INDEX and INSERT. Errors are those of Migrate.
func MigrateLists(ctx context.Context, db *sql.DB, opts *Options) error {
	return alone(ctx, db, opts, opts.Schema(), func(w *workshop) error {
		if others := foreign(w.there); len(others) > 0 {
			return fmt.Errorf("%w: %s: set Options.Prefix", ErrNotOurs, strings.Join(others, ", "))
		}
		lists, err := migrationsOf(opts.ListsSchema())
		if err != nil {
			return err
		}
		if err := indexesOf(ctx, w, namesOf(lists, w.log), w.there); err != nil {
			return err
		}
		for _, m := range lists {
			if m.indexed(w.there) {
				continue
			}
			if err := w.apply(ctx, m, false); err != nil {
				return fmt.Errorf("%s: %w", m.name, err)
			}
		}
		return nil
	})
}

// noChecks is what is wrong with a server that drops CHECK constraints.
const noChecks = "CHECK constraints are dropped and not looked at: SET GLOBAL tidb_enable_check_constraint = ON"

// keepsChecks refuses such a server. Other servers have no such setting.
func (w *workshop) keepsChecks(ctx context.Context) error {
	var name, value string
	err := mysql.ReadRow(ctx, w, "SHOW VARIABLES LIKE 'tidb_enable_check_constraint'", &name, &value)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err == nil && value == "OFF":
		return fmt.Errorf("%w: %s", fault.ErrStore, noChecks)
	}
	return err
}

// applied returns the highest migration that is recorded, and creates the record where there is none.
func (w *workshop) applied(ctx context.Context) (int, error) {
	if _, ok := w.there[w.log]; ok {
		return schemaVersion(ctx, w, w.log)
	}
	_, err := w.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS "+w.log+" (VERSION INT NOT NULL, NAME VARCHAR(64) NOT NULL, APPLY_TIME"+
		" DATETIME(6) NOT NULL,"+
		" PRIMARY KEY (VERSION)) ENGINE = InnoDB COMMENT = '"+mark+"'")
	return 0, err
}

// complete reports whether all tables of the migration are there.
func (m migration) complete(there map[string]tableState) bool {
	return !slices.ContainsFunc(m.tables, func(t table) bool { _, ok := there[t.name]; return !ok })
}

// indexed reports whether all indexes of the migration are there.
func (m migration) indexed(there map[string]tableState) bool {
	return !slices.ContainsFunc(m.tables, func(t table) bool {
		return slices.ContainsFunc(t.parts, func(p part) bool { _, ok := there[t.name].parts[p.kind+p.key]; return !ok })
	})
}

// apply applies a migration. A process that dies before it is recorded applies it again: its statements can be repeated.
func (w *workshop) apply(ctx context.Context, m migration, record bool) error {
	for _, statement := range m.statements {
		if err := w.change(ctx, statement); err != nil {
			return err
		}
	}
	if !record {
		return nil
	}
	_, err := w.ExecContext(ctx, mysql.Render("INSERT INTO "+w.log+" (VERSION, NAME, APPLY_TIME) VALUES (?, ?, "+mysql.Now+")", m.version,
		m.name))
	return err
}

// change makes a table, or changes one, once more where somebody has changed another meanwhile.
func (w *workshop) change(ctx context.Context, statement string) error {
	t, ok := tableOf(statement)
	for {
		var err error
		if ok && t.later {
			err = w.alter(ctx, statement)
		} else {
			_, err = w.ExecContext(ctx, statement)
		}
		if !mysql.SchemaChanged(err) || !pause(ctx, alterPause) {
			return err
		}
	}
}

// Drop removes the tables of these options with all their rows. Tables that somebody else made stay. It is for tests
// and examples. It needs the right DROP. Errors are those of Migrate except ErrNotOurs.
func Drop(ctx context.Context, db *sql.DB, opts *Options) error {
	return alone(ctx, db, opts, opts.Schema(), func(w *workshop) error {
		ours := slices.DeleteFunc(slices.Sorted(maps.Keys(w.there)), func(name string) bool { return !w.there[name].ours })
		if len(ours) == 0 {
			return nil
		}
		_, err := w.ExecContext(ctx, "DROP TABLE "+strings.Join(ours, ", "))
		return err
	})
}

// logOf returns the name of the table that records the migrations.
func logOf(prefix string) string { return prefix + "holdfast_schema" }

// checkDB refuses what cannot work before any I/O, and returns the prefix.
func checkDB(db *sql.DB, opts *Options) (string, error) {
	if db == nil {
		return "", fault.Invalid("db", "must not be nil")
	}
	return opts.prefix()
}

// schemaVersion returns the highest migration that was applied; 0 is none.
func schemaVersion(ctx context.Context, q mysql.Tx, log string) (int, error) {
	var version int
	err := mysql.ReadRow(ctx, q, "SELECT COALESCE(MAX(VERSION), 0) FROM "+log, &version)
	return version, err
}

// workshop is a connection that changes tables.
type workshop struct {
	mysql.Attempt

	db    *sql.DB
	all   []migration
	log   string                // the table that records them
	there map[string]tableState // of their tables, those that exist
}

// alone runs fn while no other process changes these tables. If fn fails, what it leaves behind, such as the server's
// lock, ends with the connection.
func alone(ctx context.Context, db *sql.DB, opts *Options, schema fs.FS, fn func(*workshop) error) error {
	prefix, err := checkDB(db, opts)
	if err != nil {
		return err
	}
	w := &workshop{db: db, log: logOf(prefix)}
	if w.all, err = migrationsOf(schema); err != nil {
		return err
	}
	if w.Conn, err = db.Conn(ctx); err != nil {
		return mysql.Classify(err, mysql.Unsent)
	}
	defer func() { _ = w.Close() }()
	err = w.locked(ctx, prefix, func() error {
		if w.there, err = existingOf(ctx, w, namesOf(w.all, w.log)); err != nil {
			return err
		}
		return fn(w)
	})
	if err != nil {
		w.Drop()
	}
	return mysql.Classify(err, mysql.Unsent)
}

// lockName contains the database, since a server has one set of lock names for all databases, and the prefix.
const lockName = "CONCAT('holdfast ', LEFT(SHA2(CONCAT(COALESCE(DATABASE(), x''), '.', ?), 256), 40))"

// locked runs fn with the server's lock for the tables of a prefix. The first transaction makes a proxy ask the primary
// for the lock. The second one, which DDL ends, sees what the process before has committed, and its
// COMMIT keeps what is recorded, also in a session that does not commit by itself.
func (w *workshop) locked(ctx context.Context, prefix string, fn func() error) error {
	if err := w.Begin(ctx); err != nil {
		return err
	}
	var got sql.NullInt64
	if err := mysql.ReadRow(ctx, w, mysql.Render("SELECT GET_LOCK("+lockName+", ?)", prefix, lockWait), &got); err != nil {
		return err
	}
	if got.Int64 != 1 {
		return fmt.Errorf("%w: another process has been migrating for %d s", fault.ErrUnavailable, lockWait)
	}
	if err := w.InTx(ctx, fn); err != nil {
		return err
	}
	_, err := w.ExecContext(ctx, mysql.Render("DO RELEASE_LOCK("+lockName+")", prefix))
	return err
}
