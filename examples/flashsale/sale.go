package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/examples/internal/demo"
	"github.com/holdfast-go/holdfast/stock"
)

// seller is what buyers buy from: a *stock.Inventory, or the published design.
type seller interface {
	Lock(ctx context.Context, order string, lines ...stock.Line) (stock.Hold, error)
	Pay(ctx context.Context, order string) (stock.Outcome, error)
	Cancel(ctx context.Context, order string) (stock.Outcome, error)
	Refund(ctx context.Context, refund stock.Refund) (stock.Refund, error)
	Expire(ctx context.Context) (int, error)
	Run(ctx context.Context) error // Expire again and again
}

// sale is one rush. It keeps what buyers were told, apart from the seller's own books.
type sale struct {
	*config
	name     string
	progress *demo.Progress
	seller   seller
	abort    context.CancelCauseFunc

	opened  time.Time
	rush    time.Duration // until everybody had been at the counter once
	elapsed time.Duration

	mu        sync.Mutex
	told      map[string]stock.State // what became of an order, as its buyer was told
	tally     [stock.Expired + 1]int // how many orders are in each of these states
	served    int                    // buyers who have been at the counter
	refused   int                    // buyers who went home because it was sold out
	replays   int                    // calls that had been made before and changed nothing
	late      int                    // payments that came too late; their money goes back
	retries   int                    // calls made again because the store asked for it
	waits     []time.Duration        // of each Lock
	unsettled []string               // orders whose last call was cut off
}

func newSale(c *config, progress *demo.Progress, name string) *sale {
	return &sale{config: c, name: name, progress: progress, told: map[string]stock.State{}}
}

// hold opens the doors and returns when the last buyer has left, or with the error that ended
// it early. Buyers who are cut off then are unsettled.
func (s *sale) hold(ctx context.Context, seller seller) error {
	ctx, s.abort = context.WithCancelCause(ctx)
	s.seller, s.opened = seller, time.Now()
	crowd := make([]event, s.buyers)
	for i := range crowd {
		crowd[i] = event{visits, s.opened, func(ctx context.Context) []event { return s.visit(newBuyer(s.Seed, i+1, s.config.hold))(ctx) }}
	}
	var background sync.WaitGroup
	background.Go(func() { _ = seller.Run(ctx) }) // the timeout worker; it ends with ctx, and its errors are met again
	background.Go(func() { s.progress.Watch(ctx, s.line) })
	err := play(ctx, crowd)
	if err == nil {
		_, err = seller.Expire(ctx)
	} else {
		err = context.Cause(ctx)
	}
	s.elapsed = time.Since(s.opened)
	s.abort(nil)
	background.Wait()
	s.progress.Show("")
	return err
}

// visit is a buyer at the counter, for the first time or again.
func (s *sale) visit(b buyer) act {
	return func(ctx context.Context) []event {
		began := time.Now()
		err := s.call(ctx, b, func() error {
			_, err := s.seller.Lock(ctx, b.order, stock.Line{SKU: item.SKU, Num: 1})
			return err
		})
		s.waited(b, time.Since(began))
		switch {
		case err == nil:
			s.tell(b.order, stock.Locked)
			return after(b.decides, callbacks, s.decide(b))
		case !errors.Is(err, stock.ErrInsufficient):
			return s.fail(ctx, err)
		case len(b.comeback) > 0: // sold out, but somebody may yet give a unit back
			wait := b.comeback[0]
			b.comeback = b.comeback[1:]
			return after(wait, visits, s.visit(b))
		}
		s.count(&s.refused)
		return nil
	}
}

// decide is a buyer with a unit.
func (s *sale) decide(b buyer) act {
	switch b.ending {
	case pays, returns, paysLate:
		return s.pay(b)
	case paysTwice:
		return func(context.Context) []event {
			return append(after(0, callbacks, s.pay(b)), after(b.then, callbacks, s.pay(b))...)
		}
	case cancels:
		return s.cancel(b)
	case leaves:
	}
	return func(context.Context) []event { return nil }
}

// pay is the callback of the payment provider.
func (s *sale) pay(b buyer) act {
	return func(ctx context.Context) []event {
		var outcome stock.Outcome
		err := s.call(ctx, b, func() (err error) {
			outcome, err = s.seller.Pay(ctx, b.order)
			return err
		})
		switch {
		case errors.Is(err, stock.ErrExpired): // too late: give the money back
			s.tell(b.order, stock.Expired)
			s.count(&s.late)
			return nil
		case err != nil:
			return s.fail(ctx, err)
		}
		s.tell(b.order, stock.Paid)
		if outcome.Replay {
			s.count(&s.replays)
		}
		if b.ending == returns {
			return after(b.then, callbacks, s.refund(b))
		}
		return nil
	}
}

// cancel is a buyer who changes his mind.
func (s *sale) cancel(b buyer) act {
	return func(ctx context.Context) []event {
		err := s.call(ctx, b, func() error {
			_, err := s.seller.Cancel(ctx, b.order)
			return err
		})
		switch {
		case errors.Is(err, stock.ErrExpired): // the units are back already
			s.tell(b.order, stock.Expired)
		case err != nil:
			return s.fail(ctx, err)
		default:
			s.tell(b.order, stock.Cancelled)
		}
		return nil
	}
}

// refund is a buyer who sends the goods back; they go on sale again.
func (s *sale) refund(b buyer) act {
	return func(ctx context.Context) []event {
		err := s.call(ctx, b, func() error {
			_, err := s.seller.Refund(ctx, stock.Refund{ID: "refund-" + b.order, Order: b.order, Restock: true})
			return err
		})
		if err != nil {
			return s.fail(ctx, err)
		}
		s.tell(b.order, stock.Refunded)
		return nil
	}
}

// call makes a call, and makes it again while the store asks for it: every call may be.
func (s *sale) call(ctx context.Context, b buyer, call func() error) error {
	unknown := false
	err := demo.Again(ctx, func() error {
		err := call()
		unknown = unknown || errors.Is(err, stock.ErrUnknown)
		return err
	}, func() { s.count(&s.retries) })
	if unknown && stock.Retryable(err) {
		s.mu.Lock()
		s.unsettled = append(s.unsettled, b.order)
		s.mu.Unlock()
	}
	return err
}

// fail ends the sale, unless the error only says that it has ended.
func (s *sale) fail(ctx context.Context, err error) []event {
	if ctx.Err() == nil {
		s.abort(err)
	}
	return nil
}

// settle finds out what became of the orders that were cut off.
func (s *sale) settle(ctx context.Context, inv *stock.Inventory) error {
	for _, order := range s.unsettled {
		hold, err := inv.Resolve(ctx, order)
		if err != nil {
			return fmt.Errorf("order %s cannot be settled: %w", order, err)
		}
		if len(hold.Lines) > 0 { // without lines its Lock never happened, and never will
			s.tell(order, hold.State)
		}
	}
	return nil
}

// tell notes what became of an order.
func (s *sale) tell(order string, state stock.State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.told[order]
	if state == stock.Locked && was != stock.Unheld {
		return // its Lock was answered after it had expired
	}
	s.tally[was]--
	s.tally[state]++
	s.told[order] = state
}

// expired notes that an order was closed because its time was over.
func (s *sale) expired(order string) { s.tell(order, stock.Expired) }

// watch is the hook of the inventory: it sees the orders that the timeout worker closes.
func (s *sale) watch(_ context.Context, e stock.Effect) {
	if e.Step == stock.StepExpire {
		s.expired(e.Order)
	}
}

// waited notes how long a Lock took, and the end of the rush.
func (s *sale) waited(b buyer, wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waits = append(s.waits, wait)
	if _, again := s.told[b.order]; !again {
		s.told[b.order] = stock.Unheld
		s.served++
		s.rush = time.Since(s.opened)
	}
}

// count adds one.
func (s *sale) count(n *int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*n++
}

// line is the sale in a line of progress.
func (s *sale) line() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Sprintf("%s %4.1fs  %s of %s served  sold %s  held %s  sold out %s",
		s.name, time.Since(s.opened).Seconds(), demo.Count(s.served), demo.Count(s.buyers),
		demo.Count(s.tally[stock.Paid]), demo.Count(s.tally[stock.Locked]), demo.Count(s.refused))
}
