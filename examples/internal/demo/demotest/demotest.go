// Package demotest runs the examples as a shell does, and demands what every one of them owes its user.
package demotest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/examples/internal/demo"
	"github.com/holdfast-go/holdfast/internal/sqltest"
)

// Program is what demo.Main runs.
type Program func(ctx context.Context, args []string, stdout, stderr io.Writer) int

// Run runs a program and returns its exit code, what it printed and what it complained about.
func Run(ctx context.Context, program Program, args ...string) (code int, printed, complaint string) {
	var stdout, stderr bytes.Buffer
	code = program(ctx, args, &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

// JSON runs a program with -json and returns its exit code, the result that it printed, which is the zero
// one where it printed nothing, and what it complained about.
func JSON[R any](ctx context.Context, t *testing.T, program Program, args ...string) (code int, result R, complaint string) {
	t.Helper()
	code, printed, complaint := Run(ctx, program, append(args, "-json")...)
	if printed != "" {
		require.NoError(t, json.Unmarshal([]byte(printed), &result))
	}
	return code, result, complaint
}

// InterruptAfter returns the context of a program that is interrupted after a while.
func InterruptAfter(t *testing.T, after time.Duration) context.Context {
	t.Helper()
	ctx, interrupt := context.WithCancel(t.Context())
	time.AfterFunc(after, interrupt)
	return ctx
}

// Database returns the DSN of a new database, and demands in the end that nothing is left in it.
func Database(t *testing.T) string {
	t.Helper()
	db := sqltest.Open(t, sqltest.Variants()[0])
	t.Cleanup(func() {
		var tables int
		count := db.QueryRowContext(context.WithoutCancel(t.Context()),
			"SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()")
		require.NoError(t, count.Scan(&tables))
		require.Zero(t, tables, "tables are left")
	})
	return db.Config.FormatDSN()
}

// BadFlags demands that a program answers each of these flags, and those that no example takes, with its
// usage.
func BadFlags(t *testing.T, program Program, name string, refused [][]string) {
	t.Helper()
	for _, args := range append(refused, []string{"-nonsense"}, []string{"more"}, []string{"-dsn", ""}) {
		code, printed, complaint := Run(t.Context(), program, args...)
		require.Equal(t, demo.Usage, code, args)
		require.Empty(t, printed)
		require.Contains(t, complaint, "Usage of "+name)
	}
}

// WrongDSN demands that a program, with these further flags, says in one line what is wrong with a DSN.
func WrongDSN(t *testing.T, program Program, more ...string) {
	t.Helper()
	for dsn, says := range map[string]string{
		"nonsense":                       "-dsn cannot be read",
		"root@tcp(127.0.0.1:3306)/":      "-dsn names no database",
		"root@tcp(127.0.0.1:1)/shop":     "no server at 127.0.0.1:1",
		"root@unix(/no/such/socket)/any": "no server at /no/such/socket",
	} {
		code, printed, complaint := Run(t.Context(), program, append([]string{"-dsn", dsn}, more...)...)
		require.Equal(t, demo.Failed, code)
		require.Empty(t, printed)
		require.Regexp(t, "^[^\n]*\n$", complaint)
		require.Contains(t, complaint, says)
	}
}
