package sqlstore_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/sqlstore"
)

// columnsOfSchema are the names of all columns.
func columnsOfSchema(t testing.TB) []string {
	t.Helper()
	var text strings.Builder
	for _, name := range must(fs.Glob(sqlstore.Schema(), "*.sql"))(t) {
		text.Write(must(fs.ReadFile(sqlstore.Schema(), name))(t))
	}
	return append(sqltest.ColumnsOf(text.String()), "NAME", "APPLY_TIME")
}

// MySQL 8.0 and MariaDB 10.6 run no suite: no statement, and no migration, may have what they lack.
func TestNoStatementIsNewerThanTheOldestServers(t *testing.T) {
	t.Parallel()
	columns := columnsOfSchema(t)
	files := must(filepath.Glob("internal/*/testdata/*.sql"))(t)
	require.GreaterOrEqual(t, len(files), 4)
	texts := map[string]string{}
	for _, file := range files {
		texts[file] = string(must(os.ReadFile(file))(t))
	}
	for _, name := range must(fs.Glob(sqlstore.Schema(), "*.sql"))(t) {
		texts[name] = string(must(fs.ReadFile(sqlstore.Schema(), name))(t))
	}
	for name, text := range texts {
		for statement := range strings.SplitSeq(text, ";\n") {
			require.Empty(t, sqltest.TooNew(statement, columns), "%s: %s", name, statement)
		}
	}
}

// What is in no golden file is what surrounds the statements: transactions, settings, the schema. A life of each domain
// sends it.
func TestNothingThatIsSentIsNewerThanTheOldestServers(t *testing.T) {
	t.Parallel()
	catalogue := regexp.MustCompile(`information_schema\.|SHOW `)
	db := sqltest.Open(t, defaults)
	require.NoError(t, sqlstore.MigrateTo(t.Context(), next(t, stockTables), db.DB))
	require.Empty(t, sqlstore.ProblemsWith(t.Context(), next(t, stockTables), db.DB))
	verbs, read := stockLife(t.Context(), db, nil, db.Wire.Advance)
	for _, v := range slices.DeleteFunc(verbs, func(v verb) bool { return v.name == "Expire" }) { // the clock is the server's
		_ = v.call() // refused or not, it is sent
	}
	read()
	columns := append(columnsOfSchema(t), "NEXT_NOTE", "NEXT_TIME")
	sent := db.Wire.Statements()
	require.Greater(t, len(sent), 100)
	for _, statement := range sent {
		if !catalogue.MatchString(statement) { // whose columns are those of the catalogue
			require.Empty(t, sqltest.TooNew(statement, columns), statement)
		}
	}
}
