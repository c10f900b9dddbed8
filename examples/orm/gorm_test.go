package orm

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/driver/mysql"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/holdfast-go/holdfast/stock"
)

// GORM with PrepareStmt prepares each statement and keeps it. In its transaction, ours are not among them, and the order row
// and the hold are one transaction.
func TestGORMThatPreparesItsStatements(t *testing.T) {
	t.Parallel()
	s := open(t)
	orm, err := gorm.Open(mysql.New(mysql.Config{Conn: s.db.DB}), &gorm.Config{PrepareStmt: true, Logger: logger.Discard})
	require.NoError(t, err)
	place := func(order string, num int64) error {
		return orm.WithContext(t.Context()).Transaction(func(tx *gorm.DB) error {
			if err := tx.Create(&gormOrder{ID: order, Buyer: "GORM"}).Error; err != nil {
				return err
			}
			_, err := s.On(s.store.WithTx(tx.Statement.ConnPool)).Lock(t.Context(), order, stock.Line{SKU: 1, Num: num})
			return err
		})
	}
	prepared := func() int { return len(orm.ConnPool.(*gorm.PreparedStmtDB).Stmts.Keys()) }

	require.NoError(t, place("first", 1))
	kept := prepared()
	for i := range 20 {
		require.NoError(t, place(fmt.Sprint("order-", i), 1))
	}
	require.Equal(t, kept, prepared())
	require.ErrorIs(t, place("too many", 1000), stock.ErrInsufficient)
	require.Equal(t, 21, s.rows("GORM"))
	item, err := s.Item(t.Context(), stock.Key{SKU: 1})
	require.NoError(t, err)
	require.EqualValues(t, 21, item.Locked)
}
