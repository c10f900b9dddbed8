package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/examples/internal/demo"
	"github.com/holdfast-go/holdfast/redpacket"
)

// atOnce is how many people tap at once: a shop has so many servers, the others wait for one.
const atOnce = 256

// rain is one rain of packets. It keeps what people were told, apart from the books.
type rain struct {
	*config

	store    redpacket.Store
	packets  *redpacket.Packets
	wallet   *wallet
	progress *demo.Progress
	counter  chan struct{} // has one place for each who taps
	abort    context.CancelCauseFunc

	began   time.Time
	elapsed time.Duration

	mu        sync.Mutex
	shares    map[grab]redpacket.Share // what people were told
	doubted   []string                 // who was told something else the second time
	fallen    int                      // packets
	tally     [answers]int
	lost      int // answers that did not reach the phone
	repeated  int // callbacks and answers that came again and changed nothing
	retries   int // calls made again because the store asked for it
	waits     []time.Duration
	unsettled []grab          // whose last call was cut off
	paid      map[string]bool // payouts that are recorded as paid
}

func newRain(c *config, store redpacket.Store, progress *demo.Progress) *rain {
	r := &rain{
		config: c, store: store, progress: progress, wallet: &wallet{seed: c.Seed, entries: map[string]*entry{}},
		counter: make(chan struct{}, atOnce), shares: map[grab]redpacket.Share{}, paid: map[string]bool{},
	}
	r.packets = redpacket.New(store, &redpacket.Options{RetryIn: firstRetry, Sweep: sweep})
	return r
}

// fall lets it rain and returns when the last payout is paid, or with the error that ended it early.
// People who are cut off then are unsettled.
func (r *rain) fall(ctx context.Context) error {
	ctx, r.abort = context.WithCancelCause(ctx)
	r.began = time.Now()
	var background, payer, sky sync.WaitGroup
	background.Go(func() { _ = r.packets.Run(ctx) }) // ends packets whose time is over; its errors are met again
	background.Go(func() { r.progress.Watch(ctx, r.line) })
	dry := make(chan struct{})
	payer.Go(func() { r.payOut(ctx, dry) })
	for number := 1; number <= r.config.packets; number++ {
		sky.Go(func() { r.drop(ctx, number) })
	}
	sky.Wait()
	r.do(ctx, func() error {
		_, err := r.packets.Expire(ctx)
		return err
	})
	close(dry)
	payer.Wait()

	var err error
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	r.elapsed = time.Since(r.began)
	r.abort(nil)
	background.Wait()
	r.progress.Show("")
	return err
}

// drop is one packet: it is sent, and then its sender and all who see it are at it.
func (r *rain) drop(ctx context.Context, number int) {
	d := newDrop(r.Seed, number, r.people)
	if !until(ctx, r.began.Add(d.at)) {
		return
	}
	// With this seed the shares are the same in each run, and anybody could work them out. Real
	// packets leave Options.Seed alone.
	sender := redpacket.New(r.store, &redpacket.Options{LiveFor: d.live, Seed: func() [32]byte { return d.seed }})
	sent := r.do(ctx, func() error {
		_, err := sender.Send(ctx, d.Packet)
		return err
	})
	if !sent {
		return
	}
	r.count(&r.fallen)
	fell := time.Now()
	var all sync.WaitGroup
	all.Go(func() { r.send(ctx, d) })
	for _, t := range d.taps {
		if !until(ctx, fell.Add(t.at)) || !r.enter(ctx) {
			break
		}
		all.Go(func() { r.visit(ctx, number, t) })
	}
	all.Wait()
}

// send is what the sender does with a packet that was sent.
func (r *rain) send(ctx context.Context, d drop) {
	confirm := func() error {
		_, err := r.packets.Confirm(ctx, d.ID)
		return err
	}
	paysAfter := payment
	if d.kind == late {
		paysAfter = d.live + margin
	}
	if !demo.Rest(ctx, paysAfter) || !r.do(ctx, confirm) {
		return
	}
	if r.do(ctx, confirm) { // the callback of the payment comes twice
		r.count(&r.repeated)
	}
	switch d.kind {
	case closed:
		if demo.Rest(ctx, rush/2-payment) {
			r.do(ctx, func() error {
				_, err := r.packets.Close(ctx, d.ID)
				return err
			})
		}
	case expires:
		demo.Rest(ctx, d.live+margin-payment)
	default: // lucky, equal, bounded, late, kinds
	}
}

// until waits for a time. It reports whether that came before ctx ended.
func until(ctx context.Context, at time.Time) bool {
	if wait := time.Until(at); wait > 0 { // a crowd that is behind its time needs no timers
		return demo.Rest(ctx, wait)
	}
	return ctx.Err() == nil
}

// do makes a call, again while the store asks for it. It reports whether it went well; otherwise the
// rain is at its end.
func (r *rain) do(ctx context.Context, call func() error) bool {
	err := demo.Again(ctx, call, func() { r.count(&r.retries) })
	if err != nil && ctx.Err() == nil {
		r.abort(err)
	}
	return err == nil
}

// count adds one.
func (r *rain) count(n *int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	*n++
}

// settle finds out what became of the grabs that were cut off.
func (r *rain) settle(ctx context.Context) error {
	for _, who := range r.unsettled {
		share, err := r.packets.Resolve(ctx, who.packet, who.person)
		switch {
		case errors.Is(err, redpacket.ErrCancelled): // it never happened, and never will
		case err != nil:
			return fmt.Errorf("the grab of person %d at packet %d cannot be settled: %w", who.person, who.packet, err)
		default:
			r.tell(who, share)
		}
	}
	return nil
}

// line is the rain in a line of progress.
func (r *rain) line() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return fmt.Sprintf("%4.1fs  %d of %d packets fell  %s taps  %s shares won  %s payouts arrived",
		time.Since(r.began).Seconds(), r.fallen, r.config.packets,
		demo.Count(len(r.waits)), demo.Count(r.tally[won]), demo.Count(len(r.paid)))
}
