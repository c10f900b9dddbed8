// Groupbuy sells cups and rice to groups (拼团), from the set-up to the last refund, and shows that no
// team is over-filled and no money is lost. First it follows a few teams: fifty buyers tap for one last seat,
// a team is formed by what is bought, a sponsor leaves, an operator forms a team by hand. Then hundreds of
// buyers come at once, open teams and join them: some pay, twice or late, some cancel, some let their seat
// expire. At their deadline the teams fail or are formed from their minimum. Workers make orders and
// refunds of what the teams tell; one dies in the middle of a team, one refund fails at first. In the
// end what was not sold goes back to ordinary stock, and the accounts are held against each other.
//
//	go run ./examples/groupbuy                        in memory, needs nothing but Go
//	go run ./examples/groupbuy -dsn 'user:password@tcp(127.0.0.1:3306)/database'
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

	"github.com/holdfast-go/holdfast/examples/internal/demo"
	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// connections is how many connections to MySQL are open at most.
const connections = 64

func main() { demo.Main(run) }

// config is what the flags say.
type config struct {
	demo.Flags // -dsn, -seed and -json

	buyers int
	units  int64
}

// run is the program.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var c config
	flags := c.Set("groupbuy", "keep the teams in MySQL at this `address`, "+demo.DSNForm+"; without it in memory",
		"the same seed makes each buyer behave the same again")
	flags.IntVar(&c.buyers, "buyers", 300, "how many buyers come in the evening, 1 to 20000")
	flags.Int64Var(&c.units, "units", 1000, "how many units of each product the evening has, 1 to 1000000")
	if code, ok := demo.Parse(flags, args, stderr, c.check); !ok {
		return code
	}

	r, err := c.play(ctx, demo.NewProgress(stderr))
	if r == nil {
		return demo.End(stderr, "groupbuy", err)
	}
	return c.Report(stdout, stderr, r, err)
}

// check returns what is wrong with the flags.
func (c *config) check() error {
	switch {
	case c.buyers < 1 || c.buyers > 20_000:
		return fmt.Errorf("-buyers must be 1 to 20000, is %d", c.buyers)
	case c.units < 1 || c.units > 1_000_000:
		return fmt.Errorf("-units must be 1 to 1000000, is %d", c.units)
	}
	return nil
}

// play opens the shop and closes it. The result has what happened until the error; without a result
// nothing did.
func (c *config) play(ctx context.Context, progress *demo.Progress) (r *result, err error) {
	box, err := demo.Open(ctx, c.DSN, connections)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, box.Close(ctx)) }()
	s := c.inMemory(progress)
	if box.DB != nil {
		s = c.inMySQL(box, progress)
	}
	ended := s.trade(ctx)
	progress.Show("")
	interrupted := ctx.Err() != nil // whatever the error says, this is its cause
	if interrupted {
		ended = nil
	}

	unhurried, cancel := demo.Finish(ctx)
	defer cancel()
	settled := s.settle(unhurried)
	r = s.told(box.Server)
	r.Interrupted = interrupted
	if err = cmp.Or(ended, settled); err == nil {
		err = s.audit(unhurried, r)
	}
	return r, box.Explain(err)
}

// inMemory returns the shop in memory. Its clock is put forward, so that a team may have an hour.
func (c *config) inMemory(progress *demo.Progress) *shop {
	hands := new(clock)
	units := &stock.Memory{Clock: hands.Now}
	times := times{hold: stock.DefaultHoldFor, lease: groupbuy.DefaultLeaseFor, evening: time.Hour, now: hands.Now, rest: hands.advance}
	return newShop(c, units, &groupbuy.Memory{Stock: units}, times, progress)
}

// inMySQL returns the shop in MySQL, whose clock cannot be put forward: there the shop is in a hurry.
func (c *config) inMySQL(box *demo.Sandbox, progress *demo.Progress) *shop {
	times := times{
		hold: time.Second, lease: time.Second, evening: 3*time.Second + time.Duration(c.buyers)*5*time.Millisecond,
		now: time.Now, rest: demo.Rest,
	}
	return newShop(c, sqlstore.NewStock(box.DB, box.Options()), sqlstore.NewGroupBuy(box.DB, box.Options()), times, progress)
}

// times are how long things take in the shop, and its clock. That of the store may be another, but goes as fast.
type times struct {
	hold    time.Duration // a seat is held so long unpaid
	lease   time.Duration // a worker who dies keeps an event so long; one that failed comes again after the same
	evening time.Duration // how long the evening's activity runs

	now  func() time.Time
	rest func(context.Context, time.Duration) bool // as demo.Rest
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
