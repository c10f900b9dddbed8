package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/examples/internal/demo"
	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/stock"
)

const (
	atOnce = 64                    // buyers who are served at once
	looked = 8                     // teams that a buyer looks at
	tried  = 3                     // teams that a buyer tries to join, before opening one
	margin = 20 * time.Millisecond // after a deadline, for certain
)

// crowd is the evening: hundreds of buyers in an activity that is soon over, and the deadline of their teams.
type crowd struct {
	*shop

	abort context.CancelCauseFunc
	opens time.Time // of the activity, by the shop's clock
	swept int       // seats, teams and activities whose time was over

	visits, opened, joined   int // buyers who came, and their seats
	missed                   int // tries for a seat in a team that was full or over by then
	soldOut, closed          int // buyers who went home with nothing
	seconds                  int // seats that a member wanted besides, refused
	heldUp                   int // callbacks and answers that came again, and changed nothing
	cancelled, lapsed, left  int
	regained, lateRefused    int
	lateBuyers, tooLateSeats []groupbuy.Seat
}

// hold opens the evening, lets the buyers come, and waits for its end.
func (c *crowd) hold(ctx context.Context) error {
	if err := c.openEvening(ctx); err != nil {
		return err
	}
	if err := c.rush(ctx); err != nil {
		return err
	}
	// Seats that are not paid are over before the evening is; whoever pays now may get the seat again.
	if err := c.wait(ctx, c.now().Add(c.times.hold+margin), "the seats that nobody pays expire"); err != nil {
		return err
	}
	if err := c.payLate(ctx, c.lateBuyers); err != nil {
		return err
	}
	if err := c.wait(ctx, c.opens.Add(c.evening+margin), "the evening is over"); err != nil {
		return err
	}
	for {
		changed, err := c.expire(ctx)
		c.swept += changed
		if err != nil || changed == 0 {
			return errors.Join(err, c.payLate(ctx, c.tooLateSeats))
		}
	}
}

// openEvening makes the activity. Its end is a moment of the store's clock, that of this machine may be another:
// the store says when it made the activity, which is hidden until then.
func (c *crowd) openEvening(ctx context.Context) error {
	activity := groupbuy.Activity{ID: evening, Title: "one evening only", Formation: 24 * time.Hour, Hidden: true, End: c.now().Add(24 * time.Hour)}
	made, err := c.groups.Define(ctx, activity)
	if err != nil {
		return err
	}
	c.opens = c.now()
	activity.Hidden, activity.End = false, made.CreatedAt.Add(c.evening)
	if _, err := c.groups.Define(ctx, activity); err != nil {
		return err
	}
	for _, g := range goods {
		if _, err := c.offer(ctx, evening, g, c.units); err != nil {
			return err
		}
	}
	return nil
}

// rush lets all buyers come, and returns when the last one has left, or with the error that ended it early.
func (c *crowd) rush(ctx context.Context) error {
	ctx, c.abort = context.WithCancelCause(ctx)
	defer c.abort(nil)
	watching, stop := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() { c.progress.Watch(watching, c.line) })
	next := make(chan int)
	var counters sync.WaitGroup
	for range min(atOnce, c.buyers) {
		counters.Go(func() {
			for number := range next {
				c.visit(ctx, newBuyer(c.Seed, number))
			}
		})
	}
	for _, number := range queue(c.Seed, c.buyers) {
		if ctx.Err() != nil {
			break
		}
		next <- number
	}
	close(next)
	counters.Wait()
	stop()
	watch.Wait()
	return context.Cause(ctx)
}

// visit is a buyer, from the first look to the payment.
func (c *crowd) visit(ctx context.Context, b buyer) {
	defer c.count(&c.visits)
	seat, ok := c.sit(ctx, b)
	if !ok {
		return
	}
	switch b.habit {
	case pays:
		c.pays(ctx, seat)
	case paysTwice:
		var other sync.WaitGroup
		other.Go(func() { c.pays(ctx, seat) })
		c.pays(ctx, seat)
		other.Wait()
		c.count(&c.heldUp)
	case repeats:
		c.repeats(ctx, b, seat)
		c.pays(ctx, seat)
	case cancels:
		c.changesMind(ctx, seat)
	case lapses:
		c.count(&c.lapsed)
	case isLate:
		c.keep(&c.lateBuyers, seat)
	case tooLate:
		c.keep(&c.tooLateSeats, seat)
	case leaves:
		if payment, ok := c.pays(ctx, seat); ok && !payment.Due {
			c.must(ctx, c.refund(ctx, seat.Order, "buyer", "changed my mind"))
			c.count(&c.left)
		}
	case greedy:
		c.asksForMore(ctx, b, seat)
		c.pays(ctx, seat)
	}
}

// sit finds the buyer a seat: in one of the teams that can be joined, or else in a new one.
func (c *crowd) sit(ctx context.Context, b buyer) (seat groupbuy.Seat, ok bool) {
	for range tried {
		code, err := c.choose(ctx, b)
		if err != nil {
			return seat, c.must(ctx, err)
		}
		if code == "" {
			break
		}
		seat, err = c.join(ctx, code, b.Purchase)
		if err == nil {
			c.count(&c.joined)
			return seat, true
		}
		if _, refused := errors.AsType[*groupbuy.TeamError](err); !refused {
			return seat, c.sentHome(ctx, err)
		}
		c.count(&c.missed)
	}
	seat, err := c.open(ctx, b.Purchase)
	if err != nil {
		return seat, c.sentHome(ctx, err)
	}
	c.count(&c.opened)
	return seat, true
}

// choose returns the code of a team that the buyer likes, or none where there is no team to join. By now others
// may like it, too.
func (c *crowd) choose(ctx context.Context, b buyer) (code string, err error) {
	var codes []string
	err = c.again(ctx, func() error {
		codes = nil
		for team, err := range c.groups.Joinable(ctx, b.Product) {
			if err != nil {
				return err
			}
			if codes = append(codes, team.Code); len(codes) == looked {
				break
			}
		}
		return nil
	})
	if err != nil || len(codes) == 0 {
		return "", err
	}
	return codes[b.taste%len(codes)], nil
}

// sentHome is a buyer who gets no seat; it reports false.
func (c *crowd) sentHome(ctx context.Context, err error) bool {
	switch {
	case errors.Is(err, stock.ErrInsufficient):
		c.count(&c.soldOut)
	case errors.Is(err, groupbuy.ErrEnded), errors.Is(err, groupbuy.ErrRemoved):
		c.count(&c.closed)
	default:
		c.must(ctx, err)
	}
	return false
}

// pays is a buyer who pays. Only a store that is slower than a seat lives makes that a late payment.
func (c *crowd) pays(ctx context.Context, seat groupbuy.Seat) (groupbuy.Payment, bool) {
	payment, err := c.pay(ctx, seat)
	return payment, c.must(ctx, err)
}

// repeats is a buyer who lost the answer.
func (c *crowd) repeats(ctx context.Context, b buyer, seat groupbuy.Seat) {
	var err error
	if seat.Sponsor {
		_, err = c.open(ctx, b.Purchase)
	} else {
		_, err = c.join(ctx, seat.Team, b.Purchase)
	}
	if c.tooSlow(err) {
		return
	}
	c.must(ctx, err)
	c.count(&c.heldUp)
}

// changesMind is a buyer who does not want the seat any more.
func (c *crowd) changesMind(ctx context.Context, seat groupbuy.Seat) {
	if err := c.cancel(ctx, seat); !c.tooSlow(err) {
		c.must(ctx, err)
	}
	c.count(&c.cancelled)
}

// asksForMore is a member who wants another seat in the same team.
func (c *crowd) asksForMore(ctx context.Context, b buyer, seat groupbuy.Seat) {
	b.Order += "-more"
	_, err := c.join(ctx, seat.Team, b.Purchase)
	if _, refused := errors.AsType[*groupbuy.TeamError](err); refused {
		c.count(&c.seconds)
		return
	}
	if !errors.Is(err, groupbuy.ErrEnded) && !errors.Is(err, groupbuy.ErrRemoved) {
		c.must(ctx, err)
	}
}

// tooSlow reports whether a seat was over before its buyer was served, which takes a store that is slower than a
// seat lives.
func (c *crowd) tooSlow(err error) bool {
	return errors.Is(err, groupbuy.ErrExpired) || errors.Is(err, groupbuy.ErrCancelled)
}

// payLate is those who pay after their seats have expired.
func (c *crowd) payLate(ctx context.Context, seats []groupbuy.Seat) error {
	for _, seat := range seats {
		payment, err := c.pay(ctx, seat)
		switch {
		case err != nil:
			return err
		case payment.Due:
			c.lateRefused++
		default:
			c.regained++
		}
	}
	return nil
}

// must ends the evening early where there is an error. It reports whether there was none.
func (c *crowd) must(ctx context.Context, err error) bool {
	if err != nil && ctx.Err() == nil {
		c.abort(err)
	}
	return err == nil
}

// keep keeps a seat for later.
func (c *crowd) keep(seats *[]groupbuy.Seat, seat groupbuy.Seat) {
	c.mu.Lock()
	defer c.mu.Unlock()
	*seats = append(*seats, seat)
}

// line is the evening in a line of progress.
func (c *crowd) line() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Sprintf("%s of %s buyers  %s teams opened  %s seats joined  %s seats missed",
		demo.Count(c.visits), demo.Count(c.buyers), demo.Count(c.opened), demo.Count(c.joined), demo.Count(c.missed))
}
