package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/holdfast-go/holdfast/internal/fault"
)

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

// Check looks whether the server and the tables are such that the books are safe: a server of
// MySQL 8.0.16 or MariaDB 10.6 at least, strict SQL mode, the newest schema, InnoDB tables, and
// the CHECK constraints in force. It returns a *CheckError with all it found, or the error that
// kept it from looking. A program calls it once when it starts.
func Check(ctx context.Context, db *sql.DB, opts *Options) error {
	prefix, err := checkDB(db, opts)
	if err != nil {
		return err
	}
	c := &checker{db: db, prefix: prefix}
	for _, look := range []func(context.Context) error{c.server, c.schema(opts), c.tables, c.constraints} {
		if err := look(ctx); err != nil {
			return classify(err, unsent)
		}
	}
	if len(c.problems) > 0 {
		return &CheckError{Problems: c.problems}
	}
	return nil
}

// checker collects problems.
type checker struct {
	db       *sql.DB
	prefix   string
	mariadb  bool
	problems []string
}

func (c *checker) problemf(format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf(format, args...))
}

// server looks at the version and the SQL mode.
func (c *checker) server(ctx context.Context) error {
	var version, mode string
	if err := c.db.QueryRowContext(ctx, "SELECT VERSION(), @@sql_mode").Scan(&version, &mode); err != nil {
		return err
	}
	oldest, name := [3]int{8, 0, 16}, "MySQL 8.0.16"
	if c.mariadb = strings.Contains(strings.ToLower(version), "mariadb"); c.mariadb {
		oldest, name = [3]int{10, 6, 0}, "MariaDB 10.6"
	}
	if parts := versionOf(version); compareVersions(parts, oldest) < 0 {
		c.problemf("the server is %s, at least %s is needed", version, name)
	}
	if !strings.Contains(mode, "STRICT_TRANS_TABLES") && !strings.Contains(mode, "STRICT_ALL_TABLES") {
		c.problemf("sql_mode is not strict: add STRICT_TRANS_TABLES to it on the server or in the DSN")
	}
	return nil
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

// schema looks whether all migrations were applied. Where another tool applies them there is no
// record, and the other looks have to do.
func (c *checker) schema(opts *Options) func(context.Context) error {
	return func(ctx context.Context) error {
		all, err := migrationsOf(opts.Schema())
		if err != nil {
			return err
		}
		newest := all[len(all)-1].version
		switch done, err := schemaVersion(ctx, c.db, c.prefix); {
		case number(err) == errNoTable:
		case err != nil:
			return err
		case done < newest:
			c.problemf("the schema is at version %d of %d: run Migrate", done, newest)
		}
		return nil
	}
}

// tables looks whether all tables are there and in InnoDB: others know no transactions.
func (c *checker) tables(ctx context.Context) error {
	for _, table := range tablesOf(c.prefix) {
		var engine string
		err := c.db.QueryRowContext(ctx, render("SELECT COALESCE(ENGINE, 'none') FROM information_schema.TABLES"+
			" WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = CONVERT(? USING utf8mb4)", table)).Scan(&engine)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			c.problemf("table %s is missing: run Migrate", table)
		case err != nil:
			return err
		case !strings.EqualFold(engine, "InnoDB"):
			c.problemf("table %s uses the engine %s: ALTER TABLE %s ENGINE = InnoDB", table, engine, table)
		}
	}
	return nil
}

// constraints looks whether the second line of defence is in force.
func (c *checker) constraints(ctx context.Context) error {
	if c.mariadb {
		var on bool
		if err := c.db.QueryRowContext(ctx, "SELECT @@check_constraint_checks").Scan(&on); err != nil {
			return err
		}
		if !on {
			c.problemf("CHECK constraints are switched off: set check_constraint_checks = 1")
		}
	}
	var constraints []string
	for _, q := range allSQL(c.prefix) {
		constraints = append(constraints, q.constraints()...)
	}
	for _, constraint := range constraints {
		enforced := "'YES'"
		if !c.mariadb {
			enforced = "ENFORCED"
		}
		var state string
		err := c.db.QueryRowContext(ctx, render("SELECT "+enforced+" FROM information_schema.TABLE_CONSTRAINTS"+
			" WHERE CONSTRAINT_SCHEMA = DATABASE() AND CONSTRAINT_TYPE = 'CHECK' AND CONSTRAINT_NAME = CONVERT(? USING utf8mb4)", constraint)).Scan(&state)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			c.problemf("constraint %s is missing: compare the table with Schema", constraint)
		case err != nil:
			return err
		case state != "YES":
			c.problemf("constraint %s is not enforced: ALTER CONSTRAINT it to ENFORCED", constraint)
		}
	}
	return nil
}
