// Redpacket lets it rain red packets (红包雨) on hundreds of people who all grab at once, and shows
// that every cent arrives once: some tap twice, some lose the answer and tap again, some are too
// early. One sender ends his packet early, one packet expires with shares left, one is paid too
// late. A wallet that sometimes fails, and sometimes answers twice or not at all, is asked for each
// payout under its one number until it is credited.
//
//	go run ./examples/redpacket                        in memory, needs nothing but Go
//	go run ./examples/redpacket -dsn 'user:password@tcp(127.0.0.1:3306)/database'
//
// With -dsn it works in tables of its own, which it removes again.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/holdfast-go/holdfast/examples/internal/demo"
	"github.com/holdfast-go/holdfast/redpacket"
	"github.com/holdfast-go/holdfast/sqlstore"
)

// connections is how many connections to MySQL are open at most.
const connections = 64

func main() { demo.Main(run) }

// config is what the flags say.
type config struct {
	demo.Flags // -dsn, -seed and -json

	people  int
	packets int
}

// run is the program.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var c config
	flags := c.Set("redpacket", "keep the packets in MySQL at this `address`, "+demo.DSNForm+"; without it in memory",
		"the same seed makes the same packets, shares, taps and troubles again")
	flags.IntVar(&c.people, "people", 300, "how many people grab, 1 to 100000")
	flags.IntVar(&c.packets, "packets", 8, "how many packets rain, 1 to 100; the first six are one of each kind")
	if code, ok := demo.Parse(flags, args, stderr, c.check); !ok {
		return code
	}

	r, err := c.play(ctx, demo.NewProgress(stderr))
	if r == nil {
		return demo.End(stderr, "redpacket", err)
	}
	return c.Report(stdout, stderr, r, err)
}

// check returns what is wrong with the flags.
func (c *config) check() error {
	switch {
	case c.people < 1 || c.people > 100_000:
		return fmt.Errorf("-people must be 1 to 100000, is %d", c.people)
	case c.packets < 1 || c.packets > 100:
		return fmt.Errorf("-packets must be 1 to 100, is %d", c.packets)
	}
	return nil
}

// play lets it rain. The result has what happened until the error; without a result nothing did.
func (c *config) play(ctx context.Context, progress *demo.Progress) (r *result, err error) {
	box, err := demo.Open(ctx, c.DSN, connections)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, box.Close(ctx)) }()
	var store redpacket.Store = new(redpacket.Memory)
	if box.DB != nil {
		store = sqlstore.NewRedPacket(box.DB, box.Options())
	}
	rain := newRain(c, store, progress)
	ended := rain.fall(ctx)
	interrupted := ctx.Err() != nil // whatever the error says, this is its cause

	unhurried, cancel := demo.Finish(ctx)
	defer cancel()
	settled := rain.settle(unhurried)
	r = rain.told(box.Server)
	r.Interrupted = interrupted
	if settled == nil {
		settled = rain.audit(unhurried, r)
	}
	if interrupted {
		ended = nil
	}
	return r, box.Explain(cmp.Or(ended, settled))
}
