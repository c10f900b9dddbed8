// Coupon lets thousands of buyers rush for a thousand codes (抢券), and shows that no code has two
// owners and none is lost: some tap twice, some lose the answer and ask again, some try for a second
// coupon, with one phone or with two at once. Then it follows a coupon through checkout (核销): it is
// reserved, refused for a cart that is too small, redeemed, returned, released; others are revoked
// and expire.
//
//	go run ./examples/coupon                        in memory, needs nothing but Go
//	go run ./examples/coupon -dsn 'user:password@tcp(127.0.0.1:3306)/database'
//
// With -dsn it works in tables of its own, which it removes again.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/examples/internal/demo"
	"github.com/holdfast-go/holdfast/sqlstore"
)

// connections is how many connections to MySQL are open at most.
const connections = 64

// How long the offer is valid that is to expire. MySQL's clock cannot be put forward, so there the
// tale waits; in memory it has a clock of its own.
const (
	offerInMemory = time.Hour
	offerInMySQL  = 2 * time.Second
)

func main() { demo.Main(run) }

// config is what the flags say.
type config struct {
	demo.Flags // -dsn, -seed and -json

	buyers int
	codes  int64
}

// run is the program.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var c config
	flags := c.Set("coupon", "keep the coupons in MySQL at this `address`, "+demo.DSNForm+"; without it in memory",
		"the same seed makes each buyer behave the same again")
	flags.IntVar(&c.buyers, "buyers", 5000, "how many buyers rush, 1 to 1000000")
	flags.Int64Var(&c.codes, "codes", 1000, "how many codes there are, 1 to 100000")
	if code, ok := demo.Parse(flags, args, stderr, c.check); !ok {
		return code
	}

	r, err := c.play(ctx, demo.NewProgress(stderr))
	if r == nil {
		return demo.End(stderr, "coupon", err)
	}
	return c.Report(stdout, stderr, r, err)
}

// check returns what is wrong with the flags.
func (c *config) check() error {
	switch {
	case c.buyers < 1 || c.buyers > 1_000_000:
		return fmt.Errorf("-buyers must be 1 to 1000000, is %d", c.buyers)
	case c.codes < 1 || c.codes > 100_000:
		return fmt.Errorf("-codes must be 1 to 100000, is %d", c.codes)
	}
	return nil
}

// play holds the rush and tells the tale. The result has what happened until the error; without a
// result nothing did.
func (c *config) play(ctx context.Context, progress *demo.Progress) (r *result, err error) {
	box, err := demo.Open(ctx, c.DSN, connections)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, box.Close(ctx)) }()
	var hands clock
	var store coupon.Store = &coupon.Memory{Clock: hands.Now}
	offer, later := offerInMemory, hands.advance
	if box.DB != nil {
		store = sqlstore.NewCoupon(box.DB, box.Options())
		offer, later = offerInMySQL, demo.Rest
	}
	coupons := coupon.New(store, nil)
	r = newResult(c, box.Server)
	rush := newRush(c, coupons, progress)
	ended := rush.hold(ctx)
	if ended == nil {
		progress.Show("checkout")
		t := &tale{coupons: coupons, result: r, hero: rush.first, offer: offer, later: later}
		ended = t.tell(ctx)
	}
	progress.Show("")
	if ctx.Err() != nil { // whatever the error says, this is its cause
		r.Interrupted, ended = true, nil
	}

	unhurried, cancel := demo.Finish(ctx)
	defer cancel()
	settled := rush.settle(unhurried)
	r.Rush = rush.outcome()
	if err = cmp.Or(ended, settled); err == nil {
		err = r.audit(unhurried, coupons)
	}
	return r, box.Explain(err)
}

// clock is the time of day, which can be put forward.
type clock struct{ ahead atomic.Int64 }

// Now returns the time.
func (c *clock) Now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

// advance puts the clock forward; it is demo.Rest without the rest.
func (c *clock) advance(ctx context.Context, d time.Duration) bool {
	c.ahead.Add(int64(d))
	return ctx.Err() == nil
}
