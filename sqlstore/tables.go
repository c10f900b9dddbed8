package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
)

// ErrNotOurs is a table that has the name of one of Holdfast's and was made by somebody else. Options.Prefix gives
// Holdfast's tables other names. It matches stock.ErrStore.
var ErrNotOurs = fmt.Errorf("%w: a table of the same name is not Holdfast's", fault.ErrStore)

// mark begins the comment of each of our tables. It is in the files of Schema, so any tool may apply them, and a copy
// made by CREATE TABLE LIKE has it too.
const mark = "holdfast"

// table is what a migration makes, or what it adds to a table of an earlier one.
type table struct {
	name  string
	parts []part
	later bool // it adds to the table
}

// part is a column, an index or a constraint.
type part struct {
	kind, name string
	key        string // what it is known by: its name, or of a constraint what it demands
	shape      string // what it is, in the same words for each server
}

// MissingIndexError says which index a list needs that the shop has left out: run MigrateLists. Index is its name, with the
// prefix. It matches stock.ErrStore.
type MissingIndexError = mysql.MissingIndexError

// The lines of a migration that makes a table, or adds to one.
var (
	tableLine  = regexp.MustCompile(`(?m)^(?:CREATE TABLE IF NOT EXISTS (\w+) \(|ALTER TABLE (\w+))`)
	columnLine = regexp.MustCompile(`(?m)^  (?:ADD COLUMN )?([A-Z_]+) +([A-Z]+(?:\([\d, ]+\))?) +(NOT NULL|NULL)` +
		`( AUTO_INCREMENT)?(?: DEFAULT x?([^ ,\n]+))?`)
	indexLine      = regexp.MustCompile(`(?m)^  (?:ADD )?(PRIMARY |UNIQUE |)KEY (\w*) ?\((.*)\)`)
	constraintLine = regexp.MustCompile(`CONSTRAINT (\w+) CHECK (\(.*(?:\n    .*)*\))`)
)

// tableOf reads a statement; it is false for one that neither makes a table nor adds to one.
func tableOf(statement string) (table, bool) {
	line := tableLine.FindStringSubmatch(statement)
	if line == nil {
		return table{}, false
	}
	t := table{name: line[1] + line[2], later: line[2] != ""}
	for _, c := range columnLine.FindAllStringSubmatch(statement, -1) {
		preset := sql.NullString{String: c[5], Valid: c[5] != ""}
		t.parts = append(t.parts, part{"column", c[1], c[1], columnShape(c[2], c[3] == "NULL", c[4] != "", preset)})
	}
	for _, i := range indexLine.FindAllStringSubmatch(statement, -1) {
		name := i[2]
		if name == "" {
			name = "PRIMARY"
		}
		t.parts = append(t.parts, part{"index", name, name, indexShape(i[1] != "", i[3])})
	}
	for _, c := range constraintLine.FindAllStringSubmatch(statement, -1) {
		t.parts = append(t.parts, part{"constraint", c[1], demand(c[2]), enforced})
	}
	return t, true
}

// width is what MariaDB, and MySQL before 8.0.19, put after an integer type. It means nothing.
var width = regexp.MustCompile(`^([a-z]*int)\(\d+\)`)

// columnShape says what a column takes.
func columnShape(kind string, null, counts bool, preset sql.NullString) string {
	shape := width.ReplaceAllString(strings.ReplaceAll(strings.ToLower(kind), " ", ""), "$1")
	if !null {
		shape += " NOT NULL"
	}
	if counts {
		shape += " AUTO_INCREMENT"
	}
	if preset.Valid && preset.String != "NULL" { // which MariaDB says where there is none
		shape += " DEFAULT '" + strings.TrimSuffix(strings.Trim(preset.String, "'"), ".00") + "'"
	}
	return shape
}

// indexShape says which columns an index has.
func indexShape(unique bool, columns string) string {
	if unique {
		return "UNIQUE (" + columns + ")"
	}
	return "(" + columns + ")"
}

// The shapes of a constraint.
const (
	enforced    = "enforced" // as it must be
	notEnforced = "not enforced"
)

// rendering is what each server adds to a condition in its own way.
var rendering = regexp.MustCompile("[`\"\\\\()\\s]+")

// demand says what a constraint demands. Its name does not: MySQL renames the constraints of a copied table.
// TiDB has another sign for what is unequal.
func demand(clause string) string {
	return strings.ReplaceAll(rendering.ReplaceAllString(strings.ToLower(clause), ""), "!=", "<>")
}

// namesOf returns the names of all tables of a schema, and that of the record of its migrations.
func namesOf(all []migration, log string) []string {
	names := []string{log}
	for _, m := range all {
		for _, t := range m.tables {
			names = append(names, t.name)
		}
	}
	return names
}

// tableState is a table as the server has it.
type tableState struct {
	engine string
	ours   bool
	parts  map[string]string // the shape of each, by its kind and key, once they are read
}

// among restricts a look at the information_schema to some tables of the database.
func among(schema string, names []string) string {
	return " WHERE " + schema + " = DATABASE() AND TABLE_NAME IN ('" + strings.Join(names, "', '") + "')"
}

// existingOf returns those of the tables that exist, whoever made them.
func existingOf(ctx context.Context, q mysql.Tx, names []string) (map[string]tableState, error) {
	there := map[string]tableState{}
	query := "SELECT TABLE_NAME, COALESCE(ENGINE, 'none'), TABLE_COMMENT FROM information_schema.TABLES" + among("TABLE_SCHEMA", names)
	err := mysql.Read(ctx, q, query, func(rows *sql.Rows) error {
		var name, engine, comment string
		err := rows.Scan(&name, &engine, &comment)
		there[name] = tableState{engine: engine, ours: strings.HasPrefix(comment, mark), parts: map[string]string{}}
		return err
	})
	return there, err
}

// foreign returns the names of the tables that are not ours.
func foreign(there map[string]tableState) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(there)), func(name string) bool { return there[name].ours })
}

// partsOf reads the parts of the tables that exist, with one statement for each kind of part.
func partsOf(ctx context.Context, q mysql.Tx, constraints string, names []string, there map[string]tableState) error {
	query := "SELECT TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, COLUMN_DEFAULT, EXTRA" +
		" FROM information_schema.COLUMNS" + among("TABLE_SCHEMA", names)
	err := mysql.Read(ctx, q, query, func(rows *sql.Rows) error {
		var table, name, kind, null, extra string
		var preset sql.NullString
		err := rows.Scan(&table, &name, &kind, &null, &preset, &extra)
		there[table].add("column", name, columnShape(kind, null == "YES", strings.Contains(extra, "auto_increment"), preset))
		return err
	})
	if err != nil {
		return err
	}
	if err := indexesOf(ctx, q, names, there); err != nil {
		return err
	}
	return mysql.Read(ctx, q, constraints+among("CONSTRAINT_SCHEMA", names), func(rows *sql.Rows) error {
		var table, clause string
		var inForce bool
		err := rows.Scan(&table, &clause, &inForce)
		shape := enforced
		if !inForce {
			shape = notEnforced
		}
		there[table].add("constraint", demand(clause), shape)
		return err
	})
}

// unenforced is a CHECK constraint that is not in force, as TiDB shows it.
var unenforced = regexp.MustCompile(`CHECK \((.*)\) /\*!80016 NOT ENFORCED \*/`)

// unenforcedOf notes which constraints of our tables are not in force, on TiDB, which tells it by their text alone.
func unenforcedOf(ctx context.Context, q mysql.Tx, there map[string]tableState) error {
	for _, table := range slices.Sorted(maps.Keys(there)) {
		if !there[table].ours { // and may be a view
			continue
		}
		var text string
		if err := mysql.ReadRow(ctx, q, "SHOW CREATE TABLE `"+table+"`", new(string), &text); err != nil {
			return err
		}
		for _, found := range unenforced.FindAllStringSubmatch(text, -1) {
			there[table].add("constraint", demand(found[1]), notEnforced)
		}
	}
	return nil
}

// indexesOf reads the indexes of the tables that exist.
func indexesOf(ctx context.Context, q mysql.Tx, names []string, there map[string]tableState) error {
	query := "SELECT TABLE_NAME, INDEX_NAME, NON_UNIQUE = 0, COALESCE(COLUMN_NAME, '?'), SUB_PART" +
		" FROM information_schema.STATISTICS" + among("TABLE_SCHEMA", names) + " ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX"
	return mysql.Read(ctx, q, query, func(rows *sql.Rows) error {
		var table, name, columns string
		var unique bool
		var bytes sql.NullInt64 // of an index on the beginning of a column
		err := rows.Scan(&table, &name, &unique, &columns, &bytes)
		if bytes.Valid {
			columns += fmt.Sprintf("(%d)", bytes.Int64)
		}
		if before, ok := there[table].parts["index"+name]; ok {
			_, before, _ = strings.Cut(strings.TrimSuffix(before, ")"), "(")
			columns = before + ", " + columns
		}
		there[table].add("index", name, indexShape(unique, columns))
		return err
	})
}

// add notes a part of a table, unless the table was dropped or made since it was looked up.
func (t tableState) add(kind, key, shape string) {
	if t.parts != nil {
		t.parts[kind+key] = shape
	}
}
