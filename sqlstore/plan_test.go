package sqlstore_test

import (
	"database/sql"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
)

// planCase is a call, and how a server may go about its statements.
type planCase struct {
	name  string
	index string // of the table that one of them is about
	sorts bool   // what is sorted is what one owner has, or what is on offer
	call  func() error
}

// scansNoTable makes calls and demands that none of their statements scans a table or an index, or sorts one where it must not.
func scansNoTable(t *testing.T, db *sqltest.DB, cases []planCase) {
	t.Helper()
	for _, c := range cases {
		db.Wire.Statements()
		require.NoError(t, c.call(), c.name)
		var indexes []string
		for _, statement := range db.Wire.Statements() {
			verb, _, _ := strings.Cut(strings.TrimPrefix(statement, "("), " ")
			if !slices.Contains([]string{"SELECT", "WITH", "UPDATE", "DELETE"}, verb) {
				continue
			}
			indexes = append(indexes, plan(t, db, c.name, statement, c.sorts)...)
		}
		require.Contains(t, indexes, c.index, c.name)
	}
}

// plan demands that a statement scans no table and no index, and sorts one only where it may, and returns the indexes it uses.
func plan(t *testing.T, db *sqltest.DB, name, statement string, sorts bool) (indexes []string) {
	t.Helper()
	for _, step := range explain(t, db, name, statement) {
		if !sorts {
			require.NotContains(t, step.extra, "filesort", "%s sorts %s:\n%s", name, step.table, statement)
		}
		indexes = append(indexes, step.index)
	}
	return indexes
}

// planStep is how a server goes about one table of a statement.
type planStep struct{ table, index, extra string }

// explain demands that a statement scans no table and no index, and returns what it does.
func explain(t *testing.T, db *sqltest.DB, name, statement string) (steps []planStep) {
	t.Helper()
	explain := "EXPLAIN FORMAT=TRADITIONAL "
	if sqltest.MariaDB() { // which has no other, nor a name for it
		explain = "EXPLAIN "
	}
	rows, err := db.QueryContext(t.Context(), explain+statement)
	require.NoError(t, err)
	defer func() { _ = rows.Close() }()
	columns := must(rows.Columns())(t)
	values := make([]sql.NullString, len(columns))
	targets := make([]any, len(columns))
	for i := range values {
		targets[i] = &values[i]
	}
	column := func(name string) string { return values[slices.Index(columns, name)].String }
	for rows.Next() {
		require.NoError(t, rows.Scan(targets...))
		if table := column("table"); strings.HasPrefix(table, "<") || table == "" { // a result in between
			continue
		}
		require.NotContains(t, []string{"ALL", "index"}, column("type"), "%s scans %s:\n%s", name, column("table"), statement)
		steps = append(steps, planStep{table: column("table"), index: column("key"), extra: column("Extra")})
	}
	require.NoError(t, rows.Err())
	return steps
}
