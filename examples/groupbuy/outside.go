package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/groupbuy"
)

// workers is how many deliver events at once: processes, in a real shop.
const workers = 4

// errProvider is a payment provider that does not answer.
var errProvider = errors.New("the payment provider does not answer")

// outside is the rest of the shop: it makes orders and refunds of what teams tell. An event may come again, so
// that each order and refund has a number of its own by which it is recognised.
type outside struct {
	mu       sync.Mutex
	orders   map[string]order           // by number, which is that of the seat
	refunds  map[string]decimal.Decimal // by number
	events   map[groupbuy.EventKind]int // that were handled to the end
	pending  map[string]bool            // events that were handed out and not handled to the end yet
	seconds  int                        // events that came again
	made     int                        // orders and refunds that an event which came again found made
	died     int                        // workers
	failures int                        // events that were answered with an error
	wrong    []string
}

// order is an order of the shop.
type order struct {
	team     string
	amount   decimal.Decimal
	units    int64
	refunded bool
}

func newOutside() *outside {
	return &outside{
		orders: map[string]order{}, refunds: map[string]decimal.Decimal{},
		events: map[groupbuy.EventKind]int{}, pending: map[string]bool{},
	}
}

// deliver lets workers deliver events until all are delivered.
func (s *shop) deliver(ctx context.Context) error {
	for {
		s.progress.Show(fmt.Sprintf("delivering events: %d orders, %d refunds", len(s.outside.orders), len(s.outside.refunds)))
		var all sync.WaitGroup
		failed := make([]error, workers)
		for i := range workers {
			all.Go(func() { failed[i] = s.work(ctx) })
		}
		all.Wait()
		if err := errors.Join(failed...); err != nil {
			return err
		}
		if len(s.outside.pending) == 0 {
			return nil
		}
		// Until then the event of the worker who died is leased to him, and the one that failed is put off.
		if err := s.wait(ctx, s.now().Add(s.lease), "an event is due again"); err != nil {
			return err
		}
	}
}

// work is one worker: a process of the shop, which may die.
func (s *shop) work(ctx context.Context) error {
	process, kill := context.WithCancel(ctx)
	defer kill()
	die := func() {
		kill()
		runtime.Goexit() // nothing answers any more: the event is neither done nor failed
	}
	return s.again(ctx, func() error {
		_, err := s.groups.Deliver(process, func(_ context.Context, e groupbuy.Event) error { return s.outside.handle(e, die) })
		return err
	})
}

// handle does what an event asks for. Once it dies between two orders of one team, and once the money of a
// refund cannot be sent.
func (o *outside) handle(e groupbuy.Event, die func()) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.pending[e.ID()] {
		o.seconds++
	}
	o.pending[e.ID()] = true
	switch e.Kind {
	case groupbuy.TeamFormed:
		for i, member := range e.Members {
			if i > 0 && o.died == 0 {
				o.died++
				die()
			}
			o.order(member)
		}
	case groupbuy.MemberAdded:
		o.order(e.Seat)
	case groupbuy.RefundOwed:
		if o.failures == 0 {
			o.failures++
			return errProvider
		}
		o.refund(e)
	case groupbuy.TeamFailed, groupbuy.SeatReleased, groupbuy.Corrected: // nothing to do here but to tell the buyers
	}
	delete(o.pending, e.ID())
	o.events[e.Kind]++
	return nil
}

// order makes an order of a seat.
func (o *outside) order(s groupbuy.Seat) {
	if _, known := o.orders[s.Order]; known {
		o.made++
		return
	}
	o.orders[s.Order] = order{team: s.Team, amount: price(s), units: unitsOf(s)}
}

// refund sends the money of a seat back. The provider knows the number, and pays under it once.
func (o *outside) refund(e groupbuy.Event) {
	if _, known := o.refunds[e.Refund()]; known {
		o.made++
		return
	}
	o.refunds[e.Refund()] = price(e.Seat)
	if made, known := o.orders[e.Order]; known {
		if made.refunded {
			o.wrong = append(o.wrong, "order "+e.Order+" is refunded twice")
		}
		made.refunded = true
		o.orders[e.Order] = made
	}
}
