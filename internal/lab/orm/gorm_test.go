// Package orm tests the handles of other libraries, as they are, on a real server.
package orm

import (
	"database/sql"
	"fmt"
	"testing"

	"gorm.io/driver/mysql"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/holdfast-go/holdfast/internal/lab/server"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// shopOrder is the order row of a shop.
type shopOrder struct {
	ID string `gorm:"primaryKey;size:64"`
}

// GORM with PrepareStmt prepares each statement and keeps it. Ours are not among them, and the order row and the hold are
// one transaction.
func TestGORMThatPreparesItsStatements(t *testing.T) {
	t.Parallel()
	for _, engine := range []server.Engine{server.MariaDB, server.MySQL} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			db := database(t, engine)
			must(t, sqlstore.Migrate(t.Context(), db, nil))
			store := sqlstore.NewStock(db, nil)
			inv := stock.New(store, nil)
			_, err := inv.Define(t.Context(), stock.Key{SKU: 1}, 100, stock.Terms{})
			must(t, err)

			orm, err := gorm.Open(mysql.New(mysql.Config{Conn: db}), &gorm.Config{PrepareStmt: true, Logger: logger.Discard})
			must(t, err)
			must(t, orm.AutoMigrate(&shopOrder{}))
			place := func(order string, num int64) error {
				return orm.WithContext(t.Context()).Transaction(func(tx *gorm.DB) error {
					if err := tx.Create(&shopOrder{ID: order}).Error; err != nil {
						return err
					}
					_, err := inv.On(store.WithTx(tx.Statement.ConnPool)).Lock(t.Context(), order, stock.Line{SKU: 1, Num: num})
					return err
				})
			}
			must(t, place("first", 1))
			kept := prepared(t, orm)
			for i := range 20 {
				must(t, place(fmt.Sprint("order-", i), 1))
			}
			if now := prepared(t, orm); now != kept {
				t.Errorf("GORM keeps %d statements, %d after the first order", now, kept)
			}
			if err := place("too many", 1000); err == nil {
				t.Error("1000 of 100 units were locked")
			}
			var rows int64
			must(t, orm.Model(&shopOrder{}).Count(&rows).Error)
			item, err := inv.Item(t.Context(), stock.Key{SKU: 1})
			must(t, err)
			if rows != 21 || item.Locked != 21 {
				t.Errorf("%d order rows, %d units locked: want 21 each", rows, item.Locked)
			}
		})
	}
}

// prepared returns how many statements GORM keeps.
func prepared(t *testing.T, orm *gorm.DB) int {
	t.Helper()
	pool, ok := orm.ConnPool.(*gorm.PreparedStmtDB)
	if !ok {
		t.Fatalf("the pool of GORM is %T", orm.ConnPool)
	}
	return len(pool.Stmts.Keys())
}

// database returns a new one on a server of the test's own.
func database(t *testing.T, engine server.Engine) *sql.DB {
	t.Helper()
	s, err := server.Start(t.Context(), engine, nil)
	must(t, err)
	t.Cleanup(func() { must(t, s.Stop()) })
	admin, err := sql.Open("mysql", s.DSN())
	must(t, err)
	_, err = admin.ExecContext(t.Context(), "CREATE DATABASE shop")
	must(t, err)
	must(t, admin.Close())
	db, err := sql.Open("mysql", s.DSN()+"shop")
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	return db
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
