package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"

	driver "github.com/go-sql-driver/mysql"

	"github.com/holdfast-go/holdfast/internal/fault"
)

// leastPacket is how large a statement must be allowed to be: batches of a rush reach nearly a quarter of it.
const leastPacket = 1 << 20

// CheckError lists what is wrong with a server or its tables, and what to do about it. It
// matches ErrStore.
type CheckError struct {
	Problems []string
}

// Error implements error.
func (e *CheckError) Error() string {
	return "sqlstore: not ready: " + strings.Join(e.Problems, "; ")
}

// Is matches stock.ErrStore.
func (e *CheckError) Is(target error) bool { return target == fault.ErrStore }

// Check tells whether the server, its settings and the tables keep the books safe. It names a server older than MySQL
// 8.0.16, MariaDB 10.6 or TiDB 8.5; settings of a session of the pool, or of the server, under which calls are refused, slow or
// untrue (the package says which); a schema that is older than this version needs; and tables that are missing, not Holdfast's, not
// in InnoDB, or whose columns, indexes and CHECK constraints are not those that Migrate makes. It ignores what the
// shop has added to a table.
//
// It returns a *CheckError with all it found, or the error that stopped it. It changes nothing, and needs only the
// rights of the application. Call it once when the program starts.
func Check(ctx context.Context, db *sql.DB, opts *Options) error {
	return check(ctx, db, opts, opts.Schema())
}

// check compares the tables with a schema.
func check(ctx context.Context, db *sql.DB, opts *Options, schema fs.FS) error {
	prefix, err := checkDB(db, opts)
	if err != nil {
		return err
	}
	all, err := migrationsOf(schema)
	if err != nil {
		return err
	}
	lists, err := migrationsOf(opts.ListsSchema())
	if err != nil {
		return err
	}
	c := &checker{all: all, lists: lists, log: logOf(prefix)}
	err = mysql.NewHandle(db).Again(ctx, func(a *mysql.Attempt) error {
		c.session, c.problems = a, nil
		return a.Reading(ctx, func() error { return c.look(ctx) })
	})
	if err != nil {
		return err
	}
	if len(c.problems) > 0 {
		return &CheckError{Problems: c.problems}
	}
	return nil
}

// checker collects problems.
type checker struct {
	session  mysql.Tx
	all      []migration
	lists    []migration
	log      string // the table that records them
	settings map[string]string
	problems []string
}

func (c *checker) problemf(format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf(format, args...))
}

// look looks at everything.
func (c *checker) look(ctx context.Context) error {
	if err := c.server(ctx); err != nil {
		return err
	}
	if err := c.packet(ctx); err != nil {
		return err
	}
	return c.schema(ctx)
}

// noWrites are the settings that keep a session from writing, on either server.
var noWrites = []string{
	"read_only", "super_read_only", "innodb_read_only", "transaction_read_only", "tx_read_only", "tidb_restricted_read_only",
	"tidb_super_read_only",
}

// server checks the version and the settings. A server does not show the settings that it does not know.
func (c *checker) server(ctx context.Context) error {
	names := append([]string{
		"version", "sql_mode", "autocommit", "completion_type", "transaction_isolation", "tx_isolation", "log_bin", "binlog_format",
		"max_allowed_packet", "check_constraint_checks", "tidb_txn_mode", "tidb_enable_check_constraint",
		"tidb_constraint_check_in_place_pessimistic", "wsrep_on",
	}, noWrites...)
	c.settings = map[string]string{}
	err := mysql.Read(ctx, c.session, "SHOW VARIABLES WHERE Variable_name IN ('"+strings.Join(names, "', '")+"')", func(rows *sql.Rows) error {
		var name, value string
		err := rows.Scan(&name, &value)
		c.settings[name] = value
		return err
	})
	if err != nil {
		return err
	}
	c.version()
	c.setting()
	return nil
}

// mariadb reports whether the server is MariaDB.
func (c *checker) mariadb() bool { return strings.Contains(c.settings["version"], "MariaDB") }

// tidb reports whether the server is TiDB, whose version does not always say so.
func (c *checker) tidb() bool { _, is := c.settings["tidb_txn_mode"]; return is }

// version looks whether the server is new enough.
func (c *checker) version() {
	version, oldest, name := c.settings["version"], [3]int{8, 0, 16}, "MySQL 8.0.16"
	number := version
	switch {
	case c.mariadb():
		oldest, name = [3]int{10, 6, 0}, "MariaDB 10.6"
	case c.tidb():
		oldest, name = [3]int{8, 5, 0}, "TiDB 8.5"
		var known bool
		if _, number, known = strings.Cut(version, "-TiDB-v"); !known { // it is called what server-version says
			return
		}
	}
	if compareVersions(versionOf(number), oldest) < 0 {
		c.problemf("the server is %s, at least %s is needed", version, name)
	}
}

// versionOf reads the leading numbers of a version, such as 10.11.6-MariaDB.
func versionOf(version string) [3]int {
	var parts [3]int
	number, _, _ := strings.Cut(version, "-")
	for i, part := range strings.SplitN(number, ".", 3) {
		parts[i], _ = strconv.Atoi(part)
	}
	return parts
}

func compareVersions(a, b [3]int) int {
	for i := range a {
		if a[i] != b[i] {
			return a[i] - b[i]
		}
	}
	return 0
}

// setting looks at what is set.
func (c *checker) setting() {
	is := func(name, value string) bool { return c.settings[name] == value }
	level := c.settings["transaction_isolation"] + c.settings["tx_isolation"] // one of them, or both, which are the same
	uncommitted, committed := strings.Contains(level, "READ-UNCOMMITTED"), strings.Contains(level, "READ-COMMITTED")
	galera := is("wsrep_on", "ON")
	var off []string
	for _, name := range noWrites {
		if value, ok := c.settings[name]; ok && value != "OFF" && value != "0" { // as TiDB says
			off = append(off, name)
		}
	}
	for _, s := range []struct {
		wrong   bool
		problem string
	}{
		{
			!strings.Contains(c.settings["sql_mode"], "STRICT_"),
			"sql_mode is not strict: add STRICT_TRANS_TABLES to it on the server or in the DSN",
		},
		{is("autocommit", "OFF"), "autocommit is off: Holdfast works at the cost of more round trips, but what the program does outside of" +
			" transactions is not committed;" +
			" set autocommit = 1 on the server or in the DSN"},
		{is("completion_type", "CHAIN") || is("completion_type", "RELEASE"), "completion_type is " + c.settings["completion_type"] +
			": Holdfast works at the cost of more round trips, but each COMMIT of the" +
			" program opens a transaction or ends the connection; set completion_type = NO_CHAIN on the server or in the DSN"},
		{
			uncommitted, "the isolation level is READ UNCOMMITTED: a call may be told of what another rolls back; set READ COMMITTED, or leave" +
				" the level as it comes",
		},
		{
			galera && !is("binlog_format", "ROW"), "binlog_format is " + c.settings["binlog_format"] + ", and Galera replicates rows alone:" +
				" set binlog_format = ROW",
		},
		{!galera && (committed || uncommitted) && is("log_bin", "ON") &&
			is("binlog_format", "STATEMENT"), "binlog_format is STATEMENT, with which the server refuses every change at this" +
			" isolation level (error 1665): set binlog_format = ROW or MIXED, or REPEATABLE READ"},
		{
			len(off) > 0, "the server is read-only (" + strings.Join(off, ", ") +
				"): connect to the primary; in a failover, check again when it is over",
		},
		{is("check_constraint_checks", "OFF"), "CHECK constraints are switched off: set check_constraint_checks = 1"},
		{is("tidb_enable_check_constraint", "OFF"), noChecks},
		{
			c.tidb() && !is("tidb_txn_mode", "pessimistic"), "transactions are optimistic, and fail where others wait: set tidb_txn_mode =" +
				" pessimistic",
		},
		{
			is("tidb_constraint_check_in_place_pessimistic", "OFF"), "a key that is taken is refused by the COMMIT, where the INSERT has" +
				" to be: set tidb_constraint_check_in_place_pessimistic = ON",
		},
	} {
		if s.wrong {
			c.problemf("%s", s.problem)
		}
	}
}

// packet checks whether a batch of many calls can be sent. The server tells its own limit. Only the driver knows the
// limit of the DSN; it refuses a statement that is too large before it sends anything.
func (c *checker) packet(ctx context.Context) error {
	if allowed, err := strconv.Atoi(c.settings["max_allowed_packet"]); err == nil && allowed < leastPacket {
		c.problemf("max_allowed_packet is %d, with which the server refuses batches of many calls: set %d at least", allowed, leastPacket)
		return nil
	}
	const statement = "DO 0"
	_, err := c.session.ExecContext(ctx, statement+strings.Repeat(" ", leastPacket-2*len(statement)))
	if errors.Is(err, driver.ErrPktTooLarge) {
		c.problemf("the driver refuses batches of many calls: set maxAllowedPacket=0 in the DSN, or %d at least", leastPacket)
		return nil
	}
	return err
}

// schema checks the tables. There is no record of the migrations where another tool applies them.
func (c *checker) schema(ctx context.Context) error {
	names := namesOf(c.all, c.log)
	there, err := existingOf(ctx, c.session, names)
	if err != nil {
		return err
	}
	if len(there) == 0 {
		c.problemf("there are no tables: run Migrate, or set Options.Prefix to that of the tables")
		return nil
	}
	if there[c.log].ours {
		done, err := schemaVersion(ctx, c.session, c.log)
		if err != nil {
			return err
		}
		if newest := c.all[len(c.all)-1].version; done < newest {
			c.problemf("the schema is at version %d of %d: run Migrate", done, newest)
		}
	}
	if err := partsOf(ctx, c.session, c.constraints(), names, there); err != nil {
		return err
	}
	if c.tidb() {
		if err := unenforcedOf(ctx, c.session, there); err != nil {
			return err
		}
	}
	for _, m := range c.all {
		for _, t := range m.tables {
			have, ok := there[t.name]
			c.table(t, have, ok)
		}
	}
	for _, m := range c.lists { // which may be left out
		for _, t := range m.tables {
			have := there[t.name]
			t.parts = slices.DeleteFunc(slices.Clone(t.parts), func(p part) bool { _, ok := have.parts[p.kind+p.key]; return !ok })
			c.table(t, have, true)
		}
	}
	return nil
}

// constraints returns the read of the CHECK constraints: their tables, what they demand, and whether they are in force.
func (c *checker) constraints() string {
	switch {
	case c.mariadb(): // where a name is of a table, and what is there is in force
		return "SELECT TABLE_NAME, CHECK_CLAUSE, TRUE FROM information_schema.CHECK_CONSTRAINTS"
	case c.tidb(): // which does not tell there whether one is in force; see unenforcedOf
		return "SELECT TABLE_NAME, CHECK_CLAUSE, TRUE FROM information_schema.TIDB_CHECK_CONSTRAINTS"
	}
	return "SELECT TABLE_NAME, CHECK_CLAUSE, ENFORCED = 'YES' FROM information_schema.CHECK_CONSTRAINTS" +
		" JOIN information_schema.TABLE_CONSTRAINTS USING (CONSTRAINT_SCHEMA, CONSTRAINT_NAME)"
}

// table compares a table with the one that Migrate makes.
func (c *checker) table(want table, have tableState, ok bool) {
	switch {
	case want.later && !have.ours: // told already
		return
	case !ok:
		c.problemf("table %s is missing: run Migrate", want.name)
		return
	case !have.ours:
		c.problemf("table %s is not Holdfast's: set Options.Prefix (if it is a copy of Holdfast's: ALTER TABLE %s COMMENT = '%s')", want.name,
			want.name, mark)
		return
	case !want.later && !strings.EqualFold(have.engine, "InnoDB"):
		c.problemf("table %s uses the engine %s: ALTER TABLE %s ENGINE = InnoDB", want.name, have.engine, want.name)
	}
	for _, p := range want.parts {
		switch shape, ok := have.parts[p.kind+p.key]; {
		case !ok && p.key != p.name:
			c.problemf("%s %s of table %s is missing or demands something else: compare the table with Schema", p.kind, p.name, want.name)
		case !ok:
			c.problemf("%s %s of table %s is missing: compare the table with Schema", p.kind, p.name, want.name)
		case shape != p.shape:
			c.problemf("%s %s of table %s is %s, should be %s: compare the table with Schema", p.kind, p.name, want.name, shape, p.shape)
		}
	}
}
