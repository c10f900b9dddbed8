//go:build go1.25

package example_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/examples/internal/example"
	"github.com/holdfast-go/holdfast/examples/internal/example/exampletest"
	"github.com/holdfast-go/holdfast/stock"
)

// nothing is an example that does nothing.
func nothing(context.Context, *sql.DB, io.Writer) error { return nil }

func TestWrongDSNSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for dsn, says := range map[string]string{
		"nonsense":                       "-dsn cannot be read",
		"root@tcp(127.0.0.1:1)/":         "cannot use the server at 127.0.0.1:1",
		"root@unix(/no/such/socket)/any": "cannot use the server at /no/such/socket",
	} {
		var printed bytes.Buffer
		require.ErrorContains(t, example.Run(t.Context(), dsn, &printed, nothing), says)
		require.Empty(t, printed.String())
	}
}

func TestExampleHasADatabaseOfItsOwn(t *testing.T) {
	t.Parallel()
	exampletest.Each(t, func(t *testing.T, dsn string) {
		exampletest.Complete(t, dsn, func(ctx context.Context, db *sql.DB, _ io.Writer) error {
			if dsn == "" {
				require.Nil(t, db)
				return nil
			}
			_, err := db.ExecContext(ctx, "CREATE TABLE orders (ID INT)")
			return err
		})
	})
}

func TestInterruptedExampleLeavesNothing(t *testing.T) {
	t.Parallel()
	exampletest.Each(t, func(t *testing.T, dsn string) {
		exampletest.Interrupt(t, dsn, "now", func(ctx context.Context, _ *sql.DB, w io.Writer) error {
			_, err := io.WriteString(w, "now")
			return errors.Join(err, ctx.Err())
		})
	})
}

func TestFailureIsReturned(t *testing.T) {
	t.Parallel()
	exampletest.Each(t, func(t *testing.T, dsn string) {
		failure := errors.New("the books do not balance")
		err := example.Run(t.Context(), dsn, io.Discard, func(context.Context, *sql.DB, io.Writer) error { return failure })
		require.ErrorIs(t, err, failure)
	})
}

func TestAgainRepeatsWhatMayHelp(t *testing.T) {
	t.Parallel()
	refused := errors.New("refused")
	for name, c := range map[string]struct {
		answers []error // the last one is given again and again
		end     error
	}{
		"AtOnce":     {[]error{nil}, nil},
		"Helped":     {[]error{stock.ErrUnknown, stock.ErrUnavailable, nil}, nil},
		"Refused":    {[]error{stock.ErrUnavailable, refused}, refused},
		"NeverHelps": {[]error{stock.ErrBusy}, stock.ErrBusy},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				began, calls := time.Now(), 0
				err := example.Again(t.Context(), func() error {
					calls++
					return c.answers[min(calls, len(c.answers))-1]
				})
				require.ErrorIs(t, err, c.end)
				require.GreaterOrEqual(t, calls, len(c.answers))
				require.LessOrEqual(t, time.Since(began), 30*time.Second)
			})
		})
	}
}

func TestRushEndsWithTheFirstError(t *testing.T) {
	t.Parallel()
	failure := errors.New("seven")
	err := example.Rush(t.Context(), 100, func(ctx context.Context, caller int) error {
		if caller == 7 {
			return failure
		}
		<-ctx.Done()
		return ctx.Err()
	})
	require.ErrorIs(t, err, failure)
}

func TestTable(t *testing.T) {
	t.Parallel()
	var printed bytes.Buffer
	example.Table(&printed, example.Row{"item", "left", "note"}, example.Row{"紅包", 1000, ""}, example.Row{"-", int64(-20), "sold"})
	require.Equal(t, "\n  item   left  note\n  紅包    1,000\n  -       -20  sold\n", printed.String())
}
