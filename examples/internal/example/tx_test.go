package example_test

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/examples/internal/example"
	"github.com/holdfast-go/holdfast/examples/internal/example/exampletest"
	"github.com/holdfast-go/holdfast/stock"
)

func TestTransactionIsRunAgainAndRolledBack(t *testing.T) {
	t.Parallel()
	refused := errors.New("refused")
	exampletest.Complete(t, exampletest.DSN(t), func(ctx context.Context, db *sql.DB, _ io.Writer) error {
		_, err := db.ExecContext(ctx, "CREATE TABLE orders (ID INT PRIMARY KEY)")
		require.NoError(t, err)
		insert := func(id int, answers ...error) error {
			return example.InTx(ctx, db, func(tx *sql.Tx) error {
				answer := answers[0]
				answers = answers[1:]
				return errors.Join(example.Exec(ctx, tx, "INSERT INTO orders VALUES (?)", id), answer)
			})
		}
		require.NoError(t, insert(1, stock.ErrUnavailable, nil))
		require.NoError(t, insert(1, nil)) // the row is there already
		require.ErrorIs(t, insert(2, refused), refused)
		require.Error(t, example.InTx(ctx, db, func(tx *sql.Tx) error { return example.Exec(ctx, tx, "INSERT INTO nowhere VALUES (1)") }))
		var rows int
		require.NoError(t, db.QueryRowContext(ctx, "SELECT COUNT(*) FROM orders").Scan(&rows))
		require.Equal(t, 1, rows)
		return nil
	})
}
