package example

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/go-sql-driver/mysql"

	"github.com/holdfast-go/holdfast/stock"
)

// InTx runs statements of a shop and calls of Holdfast in one transaction, and repeats all of it where that may help.
// The statements must be safe to repeat, as the calls are: after a lost answer to a COMMIT they may have taken effect.
func InTx(ctx context.Context, db *sql.DB, do func(tx *sql.Tx) error) error {
	return Again(ctx, func() error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }() // does nothing after a Commit
		if err := do(tx); err != nil {
			return err
		}
		if err := tx.Commit(); err != nil {
			return fmt.Errorf("%w: %w", stock.ErrUnknown, err)
		}
		return nil
	})
}

// Exec runs a statement of a shop in a transaction. A row that exists already is no error: the call came before. So the table may have
// no other unique key, whose duplicate would pass for that.
func Exec(ctx context.Context, tx *sql.Tx, statement string, args ...any) error {
	_, err := tx.ExecContext(ctx, statement, args...)
	var refused *mysql.MySQLError
	if errors.As(err, &refused) && refused.Number == 1062 {
		return nil
	}
	return err
}
