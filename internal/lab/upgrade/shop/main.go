// Command shop is a small shop under load, of whichever version it is compiled with: shop DSN NAME SECONDS [migrate]. It
// fails on any error but a shortage, and where the books do not balance at the end.
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	_ "github.com/go-sql-driver/mysql"
	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "shop:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	db, err := sql.Open("mysql", args[0])
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(16)
	seconds, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	began := time.Now()
	if len(args) > 3 {
		if err := sqlstore.Migrate(ctx, db, nil); err != nil {
			return err
		}
	}
	if err := sqlstore.Check(ctx, db, nil); err != nil {
		return err
	}
	s := shop{
		inv:     stock.New(sqlstore.NewStock(db, nil), nil),
		coupons: coupon.New(sqlstore.NewCoupon(db, nil), nil),
		name:    args[1],
	}
	if err := s.open(ctx); err != nil {
		return err
	}
	fmt.Printf("%s opens after %v\n", s.name, time.Since(began).Round(time.Millisecond))
	return s.trade(ctx, time.Now().Add(time.Duration(seconds)*time.Second))
}

// shop is what one program has.
type shop struct {
	inv     *stock.Inventory
	coupons *coupon.Coupons
	name    string
}

// open defines what is for sale. Several programs define the same.
func (s shop) open(ctx context.Context) error {
	const plenty = 1_000_000
	terms := coupon.Terms{
		Kind: coupon.AmountOff, Places: 2, Amount: decimal.New(10, 0), Minimum: decimal.New(50, 0), ForDays: 30, Zone: "Asia/Shanghai",
	}
	_, err := s.inv.Define(ctx, stock.Key{SKU: 1}, plenty, stock.Terms{PerBuyer: plenty})
	_, err2 := s.coupons.Define(ctx, 1, plenty, coupon.Rules{}, terms)
	return errors.Join(err, err2)
}

// trade has callers order until the time is over, and looks at the books.
func (s shop) trade(ctx context.Context, until time.Time) error {
	const callers = 32
	var rounds atomic.Int64
	errs := make([]error, callers)
	var group sync.WaitGroup
	for caller := range callers {
		group.Go(func() {
			for n := 0; time.Now().Before(until) && errs[caller] == nil; n++ {
				errs[caller] = s.order(ctx, fmt.Sprintf("%s-%d-%d", s.name, caller, n))
				rounds.Add(1)
			}
		})
	}
	group.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	goods, err := s.inv.Audit(ctx)
	coupons, err2 := s.coupons.Audit(ctx)
	if len(goods.Drifts)+len(coupons.Drifts) > 0 {
		err = errors.Join(err, fmt.Errorf("drifts: %v, %v", goods.Drifts, coupons.Drifts))
	}
	fmt.Printf("%s: %d rounds\n", s.name, rounds.Load())
	return errors.Join(err, err2)
}

// order goes through the life of an order and of a coupon.
func (s shop) order(ctx context.Context, name string) error {
	inv := s.inv.For("u")
	one := stock.Line{SKU: 1, Num: 1}
	hundred := decimal.New(100, 0)
	for i, step := range []func() error{
		func() error { _, err := inv.Lock(ctx, name, one); return err },
		func() error { _, err := inv.Pay(ctx, name); return err },
		func() error {
			_, err := inv.Refund(ctx, stock.Refund{ID: name, Order: name, Restock: true})
			return err
		},
		func() error { _, err := inv.Lock(ctx, name+"c", one); return err },
		func() error { _, err := inv.Cancel(ctx, name+"c"); return err },
		func() error { _, err := inv.Restock(ctx, name, one); return err },
		func() error { _, err := s.coupons.For("u").Claim(ctx, name, 1); return err },
		func() error { _, err := s.coupons.Redeem(ctx, name, name, hundred); return err },
	} {
		if err := step(); err != nil {
			return fmt.Errorf("step %d of %s: %w", i+1, name, err)
		}
	}
	return nil
}
