// Package exampletest runs the examples as their users do.
package exampletest

import (
	"bytes"
	"context"
	"crypto/rand"
	"os"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/examples/internal/example"
	"github.com/holdfast-go/holdfast/internal/sqltest"
)

// Each runs a test in memory, where the DSN is empty, and on the server of the tests, where there is one.
func Each(t *testing.T, test func(t *testing.T, dsn string)) {
	t.Helper()
	t.Run("InMemory", func(t *testing.T) {
		t.Parallel()
		test(t, "")
	})
	t.Run("OnServer", func(t *testing.T) {
		t.Parallel()
		test(t, DSN(t))
	})
}

// DSN returns the DSN of the server of the tests, and skips the test where there is none. Of the databases that
// examples create for this DSN, none may be left when the test ends.
func DSN(t *testing.T) string {
	t.Helper()
	server := sqltest.Admin(t)
	config, err := mysql.ParseDSN(os.Getenv(sqltest.Variable))
	require.NoError(t, err)
	config.DBName = "example_" + strings.ToLower(rand.Text()[:10])
	t.Cleanup(func() {
		var left int
		count := server.QueryRowContext(context.WithoutCancel(t.Context()),
			"SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE LEFT(SCHEMA_NAME, ?) = ?", len(config.DBName), config.DBName)
		require.NoError(t, count.Scan(&left))
		require.Zero(t, left, "databases are left")
	})
	return config.FormatDSN()
}

// Complete runs an example to its end and returns what it printed.
func Complete(t *testing.T, dsn string, f example.Func) string {
	t.Helper()
	var printed bytes.Buffer
	require.NoError(t, example.Run(t.Context(), dsn, &printed, f), &printed)
	return printed.String()
}

// Interrupt runs an example and interrupts it as soon as it prints a text.
func Interrupt(t *testing.T, dsn, text string, f example.Func) {
	t.Helper()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	printed := &trigger{text: text, pull: interrupt}
	require.ErrorIs(t, example.Run(ctx, dsn, printed, f), example.ErrInterrupted)
	require.Contains(t, printed.all.String(), text)
}

// trigger is a writer that pulls when a text was written.
type trigger struct {
	all  bytes.Buffer
	text string
	pull func()
}

// Write implements io.Writer.
func (w *trigger) Write(p []byte) (int, error) {
	n, err := w.all.Write(p)
	if strings.Contains(w.all.String(), w.text) {
		w.pull()
	}
	return n, err
}
