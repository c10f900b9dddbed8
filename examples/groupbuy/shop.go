package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/examples/internal/demo"
	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/stock"
)

// shop is the shop around the library. It keeps what it did and what buyers were told, apart from the books.
type shop struct {
	*config
	times

	stock    *stock.Inventory
	groups   *groupbuy.Groups
	progress *demo.Progress
	outside  *outside
	tale     *tale
	crowd    *crowd

	had      map[int64]int64 // units of each SKU that there were in the beginning
	deducted map[int64]int64 // those that activities took out of ordinary stock
	took     time.Duration

	mu        sync.Mutex
	seats     map[string]groupbuy.Seat   // those that buyers were told of, by order
	paid      map[string]decimal.Decimal // what buyers paid, by order
	doubted   []string                   // who was told something else the second time
	retries   int                        // calls made again because the store asked for it
	waits     []time.Duration            // for seats
	unsettled []string                   // orders whose call for a seat was cut off
	unheard   []string                   // orders whose payment was not taken note of yet
}

func newShop(c *config, units stock.Store, store groupbuy.Store, t times, progress *demo.Progress) *shop {
	s := &shop{
		config: c, times: t, progress: progress, outside: newOutside(),
		stock: stock.New(units, nil),
		groups: groupbuy.New(store, &groupbuy.Options{
			HoldFor: t.hold, LatePay: stock.Reacquire, LeaseFor: t.lease, RetryIn: t.lease,
		}),
		had: map[int64]int64{}, deducted: map[int64]int64{},
		seats: map[string]groupbuy.Seat{}, paid: map[string]decimal.Decimal{},
	}
	s.tale, s.crowd = &tale{shop: s}, &crowd{shop: s}
	return s
}

// trade is all that happens, from the set-up to the settlement, or to the error that ended it early.
func (s *shop) trade(ctx context.Context) error {
	began := time.Now()
	defer func() { s.took = time.Since(began) }()
	for _, part := range []func(context.Context) error{
		s.fillShelves, s.tale.tell, s.crowd.hold, s.deliver, s.tale.end, s.deliver,
	} {
		if err := part(ctx); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	return nil
}

// fillShelves is the ordinary stock that there was before.
func (s *shop) fillShelves(ctx context.Context) error {
	s.progress.Show("filling the shelves")
	for _, g := range goods {
		s.had[g.sku] = s.units + unitsOfFair + unitsKept
		err := s.again(ctx, func() error {
			_, err := s.stock.Define(ctx, stock.Key{SKU: g.sku}, s.had[g.sku], stock.Terms{})
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// offer takes units out of ordinary stock for a product of an activity.
func (s *shop) offer(ctx context.Context, activity int64, g good, units int64) (groupbuy.Product, error) {
	product := groupbuy.Product{Key: in(activity, g.sku), Terms: g.terms, Name: g.name}
	err := s.again(ctx, func() (err error) {
		product, err = s.groups.Offer(ctx, product, units)
		return err
	})
	if err == nil {
		s.deducted[g.sku] += units
	}
	return product, err
}

// open is a buyer who opens a team, join one who joins one.
func (s *shop) open(ctx context.Context, p groupbuy.Purchase) (groupbuy.Seat, error) {
	return s.take(ctx, p, func() (groupbuy.Seat, error) { return s.groups.Open(ctx, p) })
}

func (s *shop) join(ctx context.Context, code string, p groupbuy.Purchase) (groupbuy.Seat, error) {
	return s.take(ctx, p, func() (groupbuy.Seat, error) { return s.groups.Join(ctx, code, p) })
}

// take makes the call for a seat, and keeps what the buyer was told.
func (s *shop) take(ctx context.Context, p groupbuy.Purchase, call func() (groupbuy.Seat, error)) (seat groupbuy.Seat, err error) {
	began, unknown := time.Now(), false
	err = s.again(ctx, func() (err error) {
		seat, err = call()
		unknown = unknown || errors.Is(err, groupbuy.ErrUnknown)
		return err
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waits = append(s.waits, time.Since(began))
	switch {
	case err == nil:
		s.tell(seat)
	case unknown && groupbuy.Retryable(err):
		s.unsettled = append(s.unsettled, p.Order)
	}
	return seat, err
}

// tell notes that a buyer was told of a seat, and whether it is the one he was told of before.
func (s *shop) tell(seat groupbuy.Seat) {
	before, known := s.seats[seat.Order]
	if known && (before.Team != seat.Team || before.Buyer != seat.Buyer || !before.Volume.Equal(seat.Volume)) {
		s.doubted = append(s.doubted, fmt.Sprintf("order %s was told a seat in team %s, then one in team %s", seat.Order, before.Team, seat.Team))
	}
	s.seats[seat.Order] = seat
}

// pay is a buyer whose money comes, and the payment's callback. A provider repeats that until it is heard.
func (s *shop) pay(ctx context.Context, seat groupbuy.Seat) (payment groupbuy.Payment, err error) {
	s.mu.Lock()
	s.paid[seat.Order] = price(seat)
	s.mu.Unlock()
	err = s.again(ctx, func() (err error) {
		payment, err = s.groups.Pay(ctx, seat.Order)
		return err
	})
	if groupbuy.Retryable(err) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.unheard = append(s.unheard, seat.Order)
	}
	return payment, err
}

// cancel is a buyer who does not want the seat any more.
func (s *shop) cancel(ctx context.Context, seat groupbuy.Seat) error {
	return s.again(ctx, func() error {
		_, err := s.groups.Cancel(ctx, seat.Order)
		return err
	})
}

// refund gives a paying buyer the money back, and the units go back on sale.
func (s *shop) refund(ctx context.Context, order, actor, reason string) error {
	return s.again(ctx, func() error {
		_, err := s.groups.Refund(ctx, groupbuy.Refund{Order: order, Actor: actor, Reason: reason, Restock: true})
		return err
	})
}

// expire is a sweep of all whose time has come. A shop has Groups.Run for it.
func (s *shop) expire(ctx context.Context) (changed int, err error) {
	err = s.again(ctx, func() error {
		n, err := s.groups.Expire(ctx)
		changed += n
		return err
	})
	return changed, err
}

// again makes a call, again while the store asks for it.
func (s *shop) again(ctx context.Context, call func() error) error {
	return demo.Again(ctx, call, func() { s.count(&s.retries) })
}

// count adds one.
func (s *shop) count(n *int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*n++
}

// wait lets time pass until then, counting down for who looks on.
func (s *shop) wait(ctx context.Context, until time.Time, what string) error {
	const step = 100 * time.Millisecond
	for left := until.Sub(s.now()); left > 0; left = until.Sub(s.now()) {
		s.progress.Show(fmt.Sprintf("%s in %.1fs", what, left.Seconds()))
		if s.DSN == "" {
			return s.skip(ctx, left)
		}
		if err := s.skip(ctx, min(left, step)); err != nil {
			return err
		}
	}
	return nil
}

// skip lets a while pass.
func (s *shop) skip(ctx context.Context, d time.Duration) error {
	if !s.rest(ctx, d) {
		return context.Cause(ctx)
	}
	return nil
}

// settle finds out what became of the calls that were cut off. Afterwards none of them can still take effect.
func (s *shop) settle(ctx context.Context) error {
	for _, order := range s.unsettled {
		seat, err := s.groups.Resolve(ctx, order)
		switch {
		case err != nil:
			return fmt.Errorf("order %s cannot be settled: %w", order, err)
		case seat.Team != "": // otherwise it never happened, and never will
			s.tell(seat)
		}
	}
	for _, order := range s.unheard {
		if _, err := s.groups.Pay(ctx, order); err != nil {
			return fmt.Errorf("the payment of order %s cannot be taken note of: %w", order, err)
		}
	}
	return nil
}
