// Flashsale lets thousands of buyers rush for a hundred units, and shows that no unit is sold
// twice: some pay, some cancel, some let their hold expire, some payments arrive twice or late,
// some orders are refunded, and who found nothing comes back to look again.
//
//	go run ./examples/flashsale                        in memory, needs nothing but Go
//	go run ./examples/flashsale -dsn 'user:password@tcp(127.0.0.1:3306)/database'
//	go run ./examples/flashsale -dsn '…' -published    beside the UPDATEs of the published design
//
// With -dsn it works in tables of its own, which it removes again.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/holdfast-go/holdfast/examples/internal/demo"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// item is what is for sale.
var item = stock.Key{SKU: 42}

// connections is how many connections to MySQL are open at most.
const connections = 64

func main() { demo.Main(run) }

// config is what the flags say.
type config struct {
	demo.Flags // -dsn, -seed and -json

	buyers    int
	units     int64
	hold      time.Duration
	timeout   time.Duration
	published bool
}

// run is the program.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var c config
	flags := c.Set("flashsale", "sell from MySQL at this `address`, "+demo.DSNForm+"; without it from memory",
		"the same seed makes each buyer behave the same again")
	flags.IntVar(&c.buyers, "buyers", 5000, "how many buyers rush, 1 to 1000000")
	flags.Int64Var(&c.units, "units", 100, "how many units there are")
	flags.DurationVar(&c.hold, "hold", time.Second, "how long an order holds its unit before it is paid, 10ms to 1m")
	flags.DurationVar(&c.timeout, "timeout", 2*time.Minute, "stop after this long")
	flags.BoolVar(&c.published, "published", false, "also run the published design's UPDATEs; needs -dsn")
	if code, ok := demo.Parse(flags, args, stderr, c.check); !ok {
		return code
	}

	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout, fmt.Errorf("stopped after %v; give it longer with -timeout", c.timeout))
	defer cancel()
	r, err := c.sell(ctx, demo.NewProgress(stderr))
	if r == nil {
		return demo.End(stderr, "flashsale", err)
	}
	return c.Report(stdout, stderr, r, err)
}

// check returns what is wrong with the flags.
func (c *config) check() error {
	switch {
	case c.buyers < 1 || c.buyers > 1_000_000:
		return fmt.Errorf("-buyers must be 1 to 1000000, is %d", c.buyers)
	case c.units < 0:
		return fmt.Errorf("-units must not be negative, is %d", c.units)
	case c.hold < 10*time.Millisecond || c.hold > time.Minute:
		return fmt.Errorf("-hold must be 10ms to 1m, is %v", c.hold)
	case c.timeout <= 0:
		return fmt.Errorf("-timeout must be positive, is %v", c.timeout)
	case c.published && c.DSN == "":
		return errors.New("-published needs -dsn: it compares two ways to use MySQL")
	}
	return nil
}

// sell runs the sale, and with -published then the same sale by the published design. The result
// has what happened until the error; without a result nothing did.
func (c *config) sell(ctx context.Context, progress *demo.Progress) (r *result, err error) {
	box, err := demo.Open(ctx, c.DSN, connections)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, box.Close(ctx)) }()
	var store stock.Store = new(stock.Memory)
	if box.DB != nil {
		store = sqlstore.NewStock(box.DB, box.Options())
	}
	if _, err := stock.New(store, nil).Define(ctx, item, c.units, stock.Terms{}); err != nil {
		return nil, box.Explain(err)
	}
	r = &result{Store: box.Server, Buyers: c.buyers, Units: c.units, Seed: c.Seed, Hold: c.hold.Seconds()}
	err = c.sellOurs(ctx, store, progress, r)
	if err == nil && c.published {
		err = c.sellPublished(ctx, box, progress, r)
	}
	if err != nil && ctx.Err() != nil { // whatever the error says, this is its cause
		err = context.Cause(ctx)
		r.Interrupted = true
	}
	if errors.Is(err, context.Canceled) {
		return r, nil
	}
	return r, box.Explain(err)
}

// sellOurs runs the sale with Holdfast.
func (c *config) sellOurs(ctx context.Context, store stock.Store, progress *demo.Progress, r *result) error {
	s := newSale(c, progress, "Holdfast")
	inv := stock.New(store, &stock.Options{HoldFor: c.hold, Sweep: c.hold / 4, Hook: s.watch})
	ended := s.hold(ctx, inv)

	ctx, cancel := demo.Finish(ctx)
	defer cancel()
	err := s.settle(ctx, inv)
	if err == nil {
		r.Holdfast, err = s.outcome(ctx, inv)
	} else {
		r.Holdfast = s.outcomeAsTold()
	}
	return cmp.Or(ended, err)
}

// sellPublished runs the same sale with the published design.
func (c *config) sellPublished(ctx context.Context, box *demo.Sandbox, progress *demo.Progress, r *result) error {
	s := newSale(c, progress, "published")
	p, err := newPublished(ctx, box, c.units, c.hold, s.expired)
	if err != nil {
		return err
	}
	ended := s.hold(ctx, p)

	ctx, cancel := demo.Finish(ctx)
	defer cancel()
	o, err := s.publishedOutcome(ctx, p)
	r.Published = &o
	return cmp.Or(ended, err)
}
