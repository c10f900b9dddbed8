// Checkout is order code as a shop has it: the order's row, its coupon and the stock move in one
// transaction, payments arrive twice or too late, orders are closed when they are not paid in
// time, and paid ones are refunded, in part or as a whole. It tells what happens step by step.
//
//	go run ./examples/checkout                        in memory, needs nothing but Go
//	go run ./examples/checkout -dsn 'user:password@tcp(127.0.0.1:3306)/database'
//
// Shop (shop.go) is the code to copy, with Books (books.go) and MySQL (mysql.go) beneath it. With -dsn it works in
// tables of its own, which it removes again.
package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/examples/internal/demo"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// How long an order may be unpaid. MySQL's clock cannot be put forward, so there the story
// waits; in memory it has a clock of its own.
const (
	holdInMemory = 15 * time.Minute
	holdInMySQL  = 2 * time.Second
)

// connections is how many connections to MySQL are open at most.
const connections = 16

func main() { demo.Main(run) }

// run is the program.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("checkout", flag.ContinueOnError)
	dsn := flags.String("dsn", "", "keep the shop in MySQL at this `address`, "+demo.DSNForm+"; without it in memory")
	if code, ok := demo.Parse(flags, args, stderr, func() error { return nil }); !ok {
		return code
	}
	if *dsn == "" {
		return demo.End(stderr, "checkout", inMemory(ctx, stdout))
	}
	return demo.End(stderr, "checkout", inMySQL(ctx, *dsn, stdout))
}

// inMemory tells the story without a database.
func inMemory(ctx context.Context, w io.Writer) error {
	clock := &manualClock{now: time.Date(2026, 6, 18, 10, 0, 0, 0, time.UTC)}
	units, coupons := &stock.Memory{Clock: clock.Now}, &coupon.Memory{Clock: clock.Now}
	t := &tale{
		w: w, name: "memory", inv: stock.New(units, nil), coupons: coupon.New(coupons, nil),
		books: NewMemory(units, coupons, clock.Now), holdFor: holdInMemory,
		later: clock.pass,
	}
	t.shop = NewShop(t.books, units, coupons, t.holdFor)
	return t.tell(ctx)
}

// inMySQL tells it with one.
func inMySQL(ctx context.Context, dsn string, w io.Writer) (err error) {
	box, err := demo.Open(ctx, dsn, connections)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, box.Close(ctx)) }()
	units, coupons := sqlstore.NewStock(box.DB, box.Options()), sqlstore.NewCoupon(box.DB, box.Options())
	books, err := NewMySQL(ctx, box, units, coupons)
	if err != nil {
		return err
	}
	t := &tale{
		w: w, name: box.Server, inv: stock.New(units, nil), coupons: coupon.New(coupons, nil),
		books: books, holdFor: holdInMySQL, later: demo.Rest,
	}
	t.shop = NewShop(books, units, coupons, t.holdFor)
	return box.Explain(t.tell(ctx))
}

// manualClock stands still until it is put forward.
type manualClock struct {
	mu  sync.Mutex
	now time.Time
}

// Now returns the time.
func (c *manualClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance puts the clock forward.
func (c *manualClock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// pass is demo.Rest by this clock.
func (c *manualClock) pass(ctx context.Context, d time.Duration) bool {
	c.Advance(d)
	return ctx.Err() == nil
}
