// Console is an operator's console in the browser, to copy: it shows what a shop has, who holds it, what changed and why, and it lets
// operators change that. It starts a shop with a handful of items and simulated buyers, prints its address, and serves pages until Ctrl-C.
//
//	go run ./examples/console                          in memory, needs nothing but Go
//	go run ./examples/console -addr 127.0.0.1:8080     on a port of your choice
//	go run ./examples/console -drift                   with a counter that somebody has changed by hand, for the audit
//	go run ./examples/console -dsn 'user:password@tcp(127.0.0.1:3306)/'
//
// There is no login: whoever reaches the address may change the books. So it listens on the loopback address alone, and a shop puts its
// own login in front, which also tells the name of the operator. Pages of other sites can neither post to it nor read it.
//
// Read shop.go for the calls of the library, action.go for those that change something, and page.go for those that read.
package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"github.com/holdfast-go/holdfast/examples/internal/example"
)

// closing is how long the last audit may take.
const closing = 10 * time.Second

func main() {
	var c console
	flag.StringVar(&c.addr, "addr", "127.0.0.1:0", "the loopback `address` to listen on; port 0 is a free one")
	flag.DurationVar(&c.every, "every", 200*time.Millisecond, "how often a buyer comes; 0 is never")
	flag.DurationVar(&c.holdFor, "hold", 30*time.Second, "how long an order holds its units before it is paid")
	flag.BoolVar(&c.drift, "drift", false, "change a counter by hand, so that an audit has something to find")
	example.Main(c.run)
}

// console is one run of the program.
type console struct {
	addr    string
	every   time.Duration
	holdFor time.Duration
	drift   bool
}

// run opens the shop, serves it until ctx ends, and audits it once nothing moves any more.
func (c *console) run(ctx context.Context, db *sql.DB, w io.Writer) error {
	listener, err := listen(ctx, c.addr)
	if err != nil {
		return err
	}
	defer listener.Close()
	s, err := open(ctx, db, c.holdFor)
	if err != nil {
		return err
	}
	if err := s.furnish(ctx, time.Now()); err != nil {
		return err
	}
	if c.drift {
		if err := s.tamper(ctx); err != nil {
			return err
		}
	}
	rest := s.work(ctx, c.every)
	fmt.Fprintf(w, "The console is at http://%s/\n", listener.Addr())
	fmt.Fprintln(w, "It has no login, and listens on this machine alone. Ctrl-C ends it.")
	err = serve(ctx, listener, newSite(s))
	rest()
	return errors.Join(err, c.close(ctx, s, w))
}

// close says whether the books balance in the end, and returns the error of ctx.
func (c *console) close(ctx context.Context, s *shop, w io.Writer) error {
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), closing)
	defer cancel()
	report, err := s.inv.Audit(last)
	if err != nil {
		fmt.Fprintln(w, "The last audit failed:", err)
		return err
	}
	fmt.Fprintf(w, "Audit: %d items, %d drifts.\n", report.Items, len(report.Drifts))
	for _, drift := range report.Drifts {
		fmt.Fprintln(w, " ", drift)
	}
	return ctx.Err()
}
