// Flashsale holds a flash sale: an operator defines it, offers a hundred units out of ordinary stock and approves it; thousands of
// buyers rush for them when it begins; it ends, and what is left goes back. No unit is sold twice: some buyers pay, some cancel,
// some let their hold expire, some payments arrive twice or late, and some orders are refunded. Events tell the shop what it has to do:
// close an order whose hold has expired, and tell its buyer.
//
//	go run ./examples/flashsale                        in memory, needs nothing but Go
//	go run ./examples/flashsale -dsn 'user:password@tcp(127.0.0.1:3306)/'
package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/examples/internal/example"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
	"github.com/holdfast-go/holdfast/stock/sale"
)

// item is what is for sale: tea, in the pool of the sale. The shop has more of it in ordinary stock.
var (
	item     = stock.Key{SKU: 42, Activity: 7}
	ordinary = stock.Key{SKU: 42}
)

// reserve is what stays in ordinary stock.
const reserve = 1000

func main() {
	var s flashSale
	flag.IntVar(&s.buyers, "buyers", 5000, "how many buyers rush")
	flag.Int64Var(&s.units, "units", 100, "how many units there are")
	flag.DurationVar(&s.holdFor, "hold", time.Second, "how long an order holds its unit before it is paid")
	example.Main(s.run)
}

// flashSale is one rush, with what buyers were told, apart from the books of the store.
type flashSale struct {
	buyers  int
	units   int64
	holdFor time.Duration

	inv    *stock.Inventory // where orders buy
	sales  *sale.Sales      // what operators and pages use
	events *event.Events    // what happened
	opens  time.Duration    // until the sale begins
	opened time.Time
	rush   time.Duration // until each buyer had an answer

	mu       sync.Mutex
	answered int
	told     map[result]int // buyers, by what became of them; each is counted once
	replays  int            // callbacks that came twice and changed nothing
	late     int            // payments that came too late; their money goes back

	happened map[event.Kind]int // events, by their kind
	closed   map[string]bool    // orders that were closed by an event, and whose buyers were told

	pool, shelf stock.Item // in the end: of the sale, and of ordinary stock
	drifts      []stock.Drift
}

// result is what became of a buyer.
type result string

const (
	bought    result = "bought"
	soldOut   result = "found nothing"
	cancelled result = "cancelled"
	expired   result = "did not pay in time"
	refunded  result = "sent the goods back"
)

// run holds the sale and shows how it went.
func (s *flashSale) run(ctx context.Context, db *sql.DB, w io.Writer) error {
	if err := s.open(ctx, db); err != nil {
		return err
	}
	if err := s.prepare(ctx); err != nil {
		return err
	}
	if err := s.page(ctx, w, sale.Approved); err != nil {
		return err
	}
	example.Rest(ctx, s.opens)
	if err := s.page(ctx, w, sale.Running); err != nil {
		return err
	}
	fmt.Fprintf(w, "%s buyers rush for %s units. An order holds its unit for %v.\n",
		example.Count(s.buyers), example.Count(s.units), s.holdFor)

	s.told, s.opened = map[result]int{}, time.Now()
	err := example.Rush(ctx, s.buyers, func(ctx context.Context, number int) error {
		end, err := s.buy(ctx, number)
		s.count(func() { s.told[end]++ })
		return err
	})
	if err != nil {
		return err
	}
	if err := s.page(ctx, w, sale.Running); err != nil {
		return err
	}
	if err := s.end(ctx); err != nil {
		return err
	}
	if _, err := s.events.Deliver(ctx, s.handle); err != nil { // a shop has Events.Run do that all the time
		return err
	}
	if err := s.page(ctx, w, sale.Ended); err != nil {
		return err
	}
	s.print(w)
	return s.check()
}

// open makes the shop, in memory or in a database.
func (s *flashSale) open(ctx context.Context, db *sql.DB) error {
	tell := []event.Kind{event.SaleStarted, event.SoldOut, event.BackInStock, event.HoldExpired, event.SaleEnded}
	units := &stock.Memory{Events: new(event.Memory), Tell: tell}
	var goods stock.Store = units
	var store sale.Store = &sale.Memory{Stock: units}
	var events event.Store = units.Events
	if db != nil {
		if err := sqlstore.Migrate(ctx, db, nil); err != nil {
			return err
		}
		opts := &sqlstore.Options{Tell: tell}
		goods, store, events = sqlstore.NewStock(db, opts), sqlstore.NewSale(db, opts), sqlstore.NewEvents(db, opts)
	}
	s.inv, s.sales = stock.New(goods, &stock.Options{HoldFor: s.holdFor}), sale.New(store, nil)
	s.events, s.happened, s.closed = event.New(events, nil), map[event.Kind]int{}, map[string]bool{}
	return nil
}

// handle does what an event asks for. An event may come more than once, so all of this is safe to repeat.
func (s *flashSale) handle(_ context.Context, e event.Event) error {
	s.happened[e.Kind]++ // a page would show or hide the product
	if e.Kind == event.HoldExpired {
		s.closed[e.Order] = true // the row of the order, and a message to e.Buyer
	}
	return nil
}

// prepare does what an operator does before a sale: it defines and approves an activity that begins soon, with units out of
// ordinary stock.
func (s *flashSale) prepare(ctx context.Context) error {
	if _, err := s.inv.Define(ctx, ordinary, reserve+s.units, stock.Terms{}); err != nil {
		return err
	}
	s.opens = min(s.holdFor/2, time.Second)
	start := time.Now().Add(s.opens)
	_, err := s.sales.Define(ctx, sale.Activity{
		ID: item.Activity, Title: "Double eleven", Label: sale.LabelSubsidy, Start: start, End: start.Add(time.Hour), Places: 2,
	})
	if err != nil {
		return err
	}
	product := sale.Product{
		Key: item, Name: "Tea", ListPrice: decimal.RequireFromString("99"), Price: decimal.RequireFromString("19.90"), PerBuyer: 1,
	}
	if _, err = s.sales.Offer(ctx, product, s.units); err != nil {
		return err
	}
	_, err = s.sales.Approve(ctx, item.Activity)
	return err
}

// page shows what a shopper sees of activities in a state.
func (s *flashSale) page(ctx context.Context, w io.Writer, state sale.State) error {
	for i, err := range s.sales.Shelf(ctx, sale.ShelfQuery{State: state}) {
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "[%s] %s, %s: %s %s instead of %s", state, i.Activity.Title, i.Name, i.PriceLabel(),
			i.Current.StringFixed(i.Places), i.ListPrice.StringFixed(i.Places))
		switch state {
		case sale.Approved:
			fmt.Fprintf(w, ", begins in %v\n", i.StartsIn.Round(time.Millisecond))
		case sale.Running:
			fmt.Fprintf(w, ", ends in %v, %d%% sold, %d held, %d left\n", i.EndsIn.Round(time.Minute), i.Percent, i.Held,
				i.Available)
		default:
			fmt.Fprintf(w, ", %d%% were sold\n", i.Percent)
		}
	}
	return nil
}

// end ends the sale early. What is left goes back to ordinary stock; holds that nobody has paid give theirs back as they expire,
// which a shop has Sales.Run do.
func (s *flashSale) end(ctx context.Context) error {
	if _, err := s.sales.End(ctx, item.Activity); err != nil {
		return err
	}
	for { // until the last hold is dead
		if _, err := s.sales.Expire(ctx); err != nil {
			return err
		}
		offer, err := s.sales.Product(ctx, item)
		if err != nil {
			return err
		}
		if offer.State == sale.Settled {
			break
		}
		if err := s.rest(ctx, s.holdFor/10); err != nil {
			return err
		}
	}
	var err error
	if s.pool, err = s.inv.Item(ctx, item); err != nil {
		return err
	}
	if s.shelf, err = s.inv.Item(ctx, ordinary); err != nil {
		return err
	}
	report, err := s.inv.Audit(ctx)
	s.drifts = report.Drifts
	return err
}

// buy is one buyer, from the first look at the shop to the end of the order.
func (s *flashSale) buy(ctx context.Context, number int) (result, error) {
	order := fmt.Sprint("order-", number)
	if err := s.order(ctx, order, fmt.Sprint("u-", number)); errors.Is(err, stock.ErrInsufficient) {
		return soldOut, nil
	} else if err != nil {
		return "", err
	}
	switch number % 10 {
	case 0: // changes its mind
		_, err := again(ctx, func() (stock.Outcome, error) { return s.inv.Cancel(ctx, order) })
		if errors.Is(err, stock.ErrExpired) { // the unit is free already
			return expired, nil
		}
		return cancelled, err
	case 1: // forgets about it
		return expired, s.rest(ctx, s.holdFor*11/10)
	case 2: // pays when it is too late
		if err := s.rest(ctx, s.holdFor*11/10); err != nil {
			return "", err
		}
		return s.pay(ctx, order)
	case 3: // pays, and the callback arrives twice
		if end, err := s.pay(ctx, order); err != nil {
			return end, err
		}
		return s.pay(ctx, order)
	case 4: // pays, and sends the goods back
		if end, err := s.pay(ctx, order); err != nil || end != bought {
			return end, err
		}
		_, err := again(ctx, func() (stock.RefundOutcome, error) {
			return s.inv.Refund(ctx, stock.Refund{ID: "refund-" + order, Order: order, Restock: true})
		})
		return refunded, err
	}
	return s.pay(ctx, order)
}

// order locks a unit. While it is sold out, the buyer comes back a few times, since somebody may yet give a unit back.
func (s *flashSale) order(ctx context.Context, order, buyer string) error {
	for look := 1; ; look++ {
		_, err := again(ctx, func() (stock.Hold, error) {
			return s.inv.For(buyer).Lock(ctx, order, stock.Line{SKU: item.SKU, Activity: item.Activity, Num: 1})
		})
		if look == 1 {
			s.count(func() { s.answered, s.rush = s.answered+1, time.Since(s.opened) })
		}
		if !errors.Is(err, stock.ErrInsufficient) || look == 4 {
			return err
		}
		if err := s.rest(ctx, s.holdFor/2); err != nil {
			return err
		}
	}
}

// pay is the callback of the payment provider.
func (s *flashSale) pay(ctx context.Context, order string) (result, error) {
	outcome, err := again(ctx, func() (stock.Outcome, error) { return s.inv.Pay(ctx, order) })
	switch {
	case errors.Is(err, stock.ErrExpired): // the buyer gets the money back
		s.count(func() { s.late++ })
		return expired, nil
	case outcome.Replay:
		s.count(func() { s.replays++ })
	}
	return bought, err
}

// again makes a call, and makes it again while that may help: each call is safe to repeat.
func again[T any](ctx context.Context, call func() (T, error)) (result T, err error) {
	err = example.Again(ctx, func() error {
		result, err = call()
		return err
	})
	return result, err
}

// rest is a buyer who waits.
func (s *flashSale) rest(ctx context.Context, d time.Duration) error {
	example.Rest(ctx, d)
	return ctx.Err()
}

// count changes what is counted.
func (s *flashSale) count(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// print shows what buyers were told beside the counters of the item.
func (s *flashSale) print(w io.Writer) {
	fmt.Fprintf(w, "After %v each of them had an answer: %s Locks a second.\n",
		s.rush.Round(time.Millisecond), example.Count(int(float64(s.buyers)/s.rush.Seconds())))
	example.Table(w,
		example.Row{"buyers who", "", "the pool", ""},
		example.Row{bought, s.told[bought], "sold", s.pool.Sold},
		example.Row{refunded, s.told[refunded], "refunded", s.pool.Refunded},
		example.Row{cancelled, s.told[cancelled], "locked", s.pool.Locked},
		example.Row{expired, s.told[expired], "left", s.pool.Left},
		example.Row{soldOut, s.told[soldOut], "back in ordinary stock", s.shelf.Left - reserve},
	)
	fmt.Fprintf(w, "\nEvents: the sale started and ended, was sold out %d times and back %d times, and %d orders were closed.\n",
		s.happened[event.SoldOut], s.happened[event.BackInStock], len(s.closed))
	fmt.Fprintf(w, "%d callbacks came twice and were counted once. %d payments came too late; the money goes back.\n", s.replays, s.late)
	if s.check() == nil {
		fmt.Fprintln(w, "Audit: the books balance; every buyer who paid has a unit.")
	}
}

// check returns an error if the answers to buyers, the counters and the holds disagree.
func (s *flashSale) check() error {
	n := int64(s.told[bought])
	want := stock.Quantities{Total: n, Sold: n, Refunded: int64(s.told[refunded])} // nothing is left in a pool that has ended
	if len(s.drifts) > 0 || s.pool.Quantities != want || s.shelf.Left != reserve+s.units-n || n > s.units {
		return fmt.Errorf("the books do not balance: pool %+v, ordinary stock %+v, but buyers were told %+v; drifts %v", s.pool.Quantities,
			s.shelf.Quantities, s.told, s.drifts)
	}
	if s.happened[event.SaleStarted] != 1 || s.happened[event.SaleEnded] != 1 || len(s.closed) != s.told[expired] {
		return fmt.Errorf("%d buyers did not pay in time, and %d orders were closed: %v", s.told[expired], len(s.closed), s.happened)
	}
	return nil
}
