package along

import (
	"context"
	"database/sql"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// server is one that answers at once.
type server struct{}

func (server) ExecContext(context.Context, string, ...any) (sql.Result, error) { return result{}, nil }

func (server) QueryContext(context.Context, string, ...any) (*sql.Rows, error) {
	return nil, sql.ErrNoRows
}

// result is a row.
type result struct{}

func (result) LastInsertId() (int64, error) { return 0, nil }

func (result) RowsAffected() (int64, error) { return 1, nil }

// What an order row costs its caller, and the batch: the program, without the server.
func BenchmarkRows(b *testing.B) {
	calls := make([]*Rows, 256)
	b.Run("Add", func(b *testing.B) {
		b.ReportAllocs()
		for i := range b.N {
			var none *Rows
			calls[i%len(calls)] = none.Add(order, fmt.Sprint("order-", i), 1, 1999)
		}
	})
	for i := range calls {
		var none *Rows
		calls[i] = none.Add(order, fmt.Sprint("order-", i*7919), 1, 1999)
	}
	b.Run("Run256", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			_, clean, err := Run(b.Context(), server{}, calls)
			require.NoError(b, err)
			require.True(b, clean)
		}
	})
}
