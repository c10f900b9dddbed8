package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/examples/internal/demo"
	"github.com/holdfast-go/holdfast/redpacket"
)

// How the payout worker goes about it.
const (
	payers     = 16                    // payouts that are asked for at once
	nextRound  = 20 * time.Millisecond // from one list of payouts to the next
	firstRetry = 50 * time.Millisecond // after a payout that failed; then twice as long
	sweep      = 100 * time.Millisecond
)

// payOut is the payout worker: it pays what is due, again and again, until the rain is over and all is
// paid. Any number of workers may do this: the number of a payout keeps it from being paid twice.
func (r *rain) payOut(ctx context.Context, dry <-chan struct{}) {
	owed := -1 // known when the rain is over
	for {
		r.do(ctx, func() error { return r.payDue(ctx) })
		select {
		case <-dry:
			if owed < 0 {
				r.do(ctx, func() (err error) {
					owed, err = r.owed(ctx)
					return err
				})
			}
		default:
		}
		if r.arrived() == owed || !demo.Rest(ctx, nextRound) {
			return
		}
	}
}

// payDue asks the wallet for each payout that is due.
func (r *rain) payDue(ctx context.Context) error {
	var all sync.WaitGroup
	defer all.Wait() // a payout is not listed again while it is being asked for
	places := make(chan struct{}, payers)
	for payout, err := range r.packets.Payouts(ctx) {
		if err != nil {
			return err
		}
		places <- struct{}{}
		all.Go(func() {
			r.pay(ctx, payout)
			<-places
		})
	}
	return nil
}

// pay asks the wallet for one payout, and records what it says.
func (r *rain) pay(ctx context.Context, payout redpacket.Payout) {
	if ctx.Err() != nil {
		return
	}
	answers, err := r.wallet.pay(payout)
	switch {
	case errors.Is(err, errSilence): // it is listed again, and asked for again under the same number
		return
	case err != nil:
		r.do(ctx, func() error {
			_, err := r.packets.PayoutFailed(ctx, payout.Number, err.Error())
			return err
		})
		return
	}
	for i := range answers {
		recorded := r.do(ctx, func() error {
			_, err := r.packets.PaidOut(ctx, payout.Number)
			return err
		})
		switch {
		case !recorded:
			return
		case i > 0:
			r.count(&r.repeated)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.paid[payout.Number] = true
}

// arrived returns how many payouts are recorded as paid.
func (r *rain) arrived() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.paid)
}

// owed returns how many payouts there are: one for each share, and one for what was left of a packet
// that was paid for and ended before its last share.
func (r *rain) owed(ctx context.Context) (int, error) {
	owed := 0
	for number := 1; number <= r.config.packets; number++ {
		p, err := r.packets.Packet(ctx, int64(number))
		if err != nil {
			return 0, err
		}
		owed += int(p.Taken)
		if goesBack(p) {
			owed++
		}
	}
	return owed, nil
}

// goesBack reports whether what was left of a packet goes back to its sender.
func goesBack(p redpacket.Packet) bool {
	return (p.State == redpacket.Closed || p.State == redpacket.Expired) && !p.ConfirmedAt.IsZero()
}
