package orm

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

// A recorder takes one statement that is executed, in or outside of a transaction, and nothing else.
func TestRecorderTakesOneStatement(t *testing.T) {
	t.Parallel()
	db := OpenRecorder()
	exec := func(ctx context.Context) error {
		_, err := db.ExecContext(ctx, "DELETE FROM cart WHERE buyer = ?", uint64(1)<<63)
		return err
	}
	statement, err := Record(t.Context(), exec)
	require.NoError(t, err)
	require.Equal(t, Statement{"DELETE FROM cart WHERE buyer = ?", []any{uint64(1) << 63}}, statement)

	statement, err = Record(t.Context(), func(ctx context.Context) error {
		tx, err := db.BeginTx(ctx, nil)
		require.NoError(t, err)
		_, err = tx.ExecContext(ctx, "DELETE FROM cart")
		require.NoError(t, err)
		return tx.Commit()
	})
	require.NoError(t, err)
	require.Equal(t, Statement{Text: "DELETE FROM cart"}, statement)

	require.ErrorContains(t, exec(t.Context()), "outside of Record")
	for want, call := range map[string]func(ctx context.Context) error{
		"nothing was executed": func(context.Context) error { return nil },
		"a second statement":   func(ctx context.Context) error { require.NoError(t, exec(ctx)); return exec(ctx) },
		"neither queries": func(ctx context.Context) error {
			var n int
			return db.QueryRowContext(ctx, "SELECT 1").Scan(&n)
		},
	} {
		_, err := Record(t.Context(), call)
		require.ErrorContains(t, err, want)
	}
}
