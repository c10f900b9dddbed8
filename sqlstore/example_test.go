package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"log"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// From nothing to the first lock.
func Example() {
	ctx := context.Background()
	db, err := sql.Open("mysql", "root@tcp(127.0.0.1:3306)/shop")
	if err != nil {
		log.Fatal(err)
	}
	db.SetMaxOpenConns(64)
	db.SetMaxIdleConns(64) // or nearly every call of a rush connects anew
	if err := sqlstore.Migrate(ctx, db, nil); err != nil {
		log.Fatal(err)
	}
	if err := sqlstore.Check(ctx, db, nil); err != nil {
		log.Fatal(err)
	}
	inv := stock.New(sqlstore.NewStock(db, nil), &stock.Options{HoldFor: 15 * time.Minute})
	if _, err := inv.Define(ctx, stock.Key{SKU: 42}, 100, stock.Terms{}); err != nil {
		log.Fatal(err)
	}
	if _, err := inv.Lock(ctx, "order-1", stock.Line{SKU: 42, Num: 2}); err != nil {
		log.Fatal(err)
	}
}

// The order row and the stock in one transaction, which is run again as long as that may help.
func ExampleStock_WithTx() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	db, err := sql.Open("mysql", "root@tcp(127.0.0.1:3306)/shop")
	if err != nil {
		log.Fatal(err)
	}
	store := sqlstore.NewStock(db, nil)
	inv := stock.New(store, nil)

	place := func(order string) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }() // does nothing after the commit
		_, err = tx.ExecContext(ctx, "INSERT INTO shop_order (no) VALUES (?)", order)
		var refused *mysql.MySQLError
		if errors.As(err, &refused) && refused.Number == 1062 {
			// The answer to an earlier COMMIT was lost, if that row is of this order. If it is not, another unique key has refused it.
			err = tx.QueryRowContext(ctx, "SELECT no FROM shop_order WHERE no = ? FOR UPDATE", order).Scan(new(string))
		}
		if err != nil {
			return err
		}
		if _, err := inv.On(store.WithTx(tx)).Lock(ctx, order, stock.Line{SKU: 42, Num: 1}); err != nil {
			return err
		}
		return tx.Commit()
	}
	err = place("order-1")
	for pause := 10 * time.Millisecond; sqlstore.Retryable(err) && ctx.Err() == nil; pause *= 2 {
		time.Sleep(pause)
		err = place("order-1")
	}
	if errors.Is(err, stock.ErrInsufficient) {
		log.Print("sold out")
	}
}

// The order row goes along with the hold, both or neither, and shares its transaction with the orders of others.
func ExampleStock_Along() {
	ctx := context.Background()
	db, err := sql.Open("mysql", "root@tcp(127.0.0.1:3306)/shop")
	if err != nil {
		log.Fatal(err)
	}
	store := sqlstore.NewStock(db, nil)
	inv := stock.New(store, nil)

	row := store.Along("INSERT INTO shop_order (no, cents) VALUES (?, ?)", "order-1", 1999)
	_, err = inv.On(row).Lock(ctx, "order-1", stock.Line{SKU: 42, Num: 1})
	var refused *sqlstore.AlongError
	switch {
	case errors.Is(err, stock.ErrInsufficient):
		log.Print("sold out")
	case errors.As(err, &refused):
		log.Print("the shop's table has refused the row: ", refused.Err)
	}

	// The payment marks the row as paid. A row that is not there refuses the payment.
	paid := store.Along("UPDATE shop_order SET paid_at = NOW() WHERE no = ?", "order-1").Affects(1)
	if _, err = inv.On(paid).Pay(ctx, "order-1"); err != nil {
		log.Fatal(err)
	}
}
