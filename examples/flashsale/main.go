// Flashsale holds a flash sale: an operator defines it, offers a hundred units out of ordinary stock and approves it; thousands of
// buyers rush for them when it begins; it ends, and what is left goes back. No unit is sold twice: some buyers pay, some cancel,
// some let their hold expire, some payments arrive twice or late, and some orders are refunded. Who finds the tea sold out waits for
// a unit that somebody gives back. Events tell the shop what it has to do: ask the next buyer to pay, and close an order whose hold has
// expired.
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
	handed   int            // units that went to a buyer who waited
	replays  int            // callbacks that came twice and changed nothing
	late     int            // payments that came too late; their money goes back

	seen     map[int64]bool           // events, by their ID
	happened map[event.Kind]int       // and how many of a kind there were
	offers   map[string]chan struct{} // closed once a buyer who waits was asked to pay
	closed   map[string]bool          // orders that were closed by an event, and whose buyers were told

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
	defer s.work(ctx)()
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
	if err := s.page(ctx, w, sale.Ended); err != nil {
		return err
	}
	s.print(w)
	return s.check()
}

// open makes the shop, in memory or in a database.
func (s *flashSale) open(ctx context.Context, db *sql.DB) error {
	tell := []event.Kind{event.SaleStarted, event.SoldOut, event.BackInStock, event.HoldExpired, event.Offered, event.SaleEnded}
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
	often := s.holdFor / 10
	s.inv = stock.New(goods, &stock.Options{HoldFor: s.holdFor, Sweep: often})
	s.sales = sale.New(store, &sale.Options{Sweep: often})
	s.events = event.New(events, &event.Options{Every: often})
	s.seen, s.happened = map[int64]bool{}, map[event.Kind]int{}
	s.offers, s.closed = map[string]chan struct{}{}, map[string]bool{}
	return nil
}

// work starts what a shop has running all the time: it releases holds that nobody has paid, begins and ends sales, and handles events.
// The func that it returns ends that.
func (s *flashSale) work(ctx context.Context) (rest func()) {
	ctx, stop := context.WithCancel(ctx)
	var jobs sync.WaitGroup
	for _, job := range []func() error{
		func() error { return s.inv.Run(ctx) },
		func() error { return s.sales.Run(ctx) },
		func() error { return s.events.Run(ctx, s.handle) },
	} {
		jobs.Add(1)
		go func() {
			defer jobs.Done()
			_ = job() // that its context has ended
		}()
	}
	return func() {
		stop()
		jobs.Wait()
	}
}

// handle does what an event asks for. An event may come more than once: its ID tells.
func (s *flashSale) handle(_ context.Context, e event.Event) error {
	s.count(func() {
		if s.seen[e.ID] {
			return
		}
		s.seen[e.ID] = true
		s.happened[e.Kind]++ // a page would show or hide the product
		switch e.Kind {
		case event.HoldExpired:
			s.closed[e.Order] = true // the row of the order, and a message to e.Buyer
		case event.Offered:
			close(s.offer(e.Order)) // a message to e.Buyer: there is a unit, pay for it
		default:
		}
	})
	return nil
}

// offer returns what tells the buyer of an order that it was offered a unit. Its caller is in count.
func (s *flashSale) offer(order string) chan struct{} {
	if s.offers[order] == nil {
		s.offers[order] = make(chan struct{})
	}
	return s.offers[order]
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

// end ends the sale early. What is left goes back to ordinary stock, and the units of holds that nobody has paid as these expire. The
// shop is done once it was told of that.
func (s *flashSale) end(ctx context.Context) error {
	if _, err := s.sales.End(ctx, item.Activity); err != nil {
		return err
	}
	for look := 0; look < 100 && !s.toldAll(); look++ {
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

// toldAll reports whether the shop was told of the end of the sale, and of all that has expired.
func (s *flashSale) toldAll() (all bool) {
	s.count(func() { all = s.happened[event.SaleEnded] == 1 && len(s.closed) == s.told[expired] })
	return all
}

// buy is one buyer, from the first look at the shop to the end of the order.
func (s *flashSale) buy(ctx context.Context, number int) (result, error) {
	order := fmt.Sprint("order-", number)
	switch err := s.order(ctx, order, fmt.Sprint("u-", number)); {
	case errors.Is(err, stock.ErrInsufficient):
		return soldOut, nil
	case errors.Is(err, stock.ErrExpired): // a unit came at last, and the buyer was gone
		return expired, nil
	case err != nil:
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

// order locks a unit. Where it is sold out, the buyer waits for one that somebody gives back, and leaves when that takes too long.
func (s *flashSale) order(ctx context.Context, order, buyer string) error {
	inv, line := s.inv.For(buyer), stock.Line{SKU: item.SKU, Activity: item.Activity, Num: 1}
	_, err := again(ctx, func() (stock.Hold, error) { return inv.Lock(ctx, order, line) })
	s.count(func() { s.answered, s.rush = s.answered+1, time.Since(s.opened) })
	if !errors.Is(err, stock.ErrInsufficient) {
		return err
	}
	hold, failed := again(ctx, func() (stock.Hold, error) { return inv.Wait(ctx, order, line) })
	if failed != nil || hold.State == stock.Locked {
		return failed
	}
	var offered chan struct{}
	s.count(func() { offered = s.offer(order) })
	patience := time.NewTimer(3 * s.holdFor)
	defer patience.Stop()
	select {
	case <-offered:
		s.count(func() { s.handed++ })
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-patience.C:
	}
	if _, failed := again(ctx, func() (stock.Outcome, error) { return inv.Cancel(ctx, order) }); failed != nil {
		return failed
	}
	return err
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
	fmt.Fprintf(w, "\n%d units that came back went to buyers who waited, the first in the queue first.\n", s.handed)
	fmt.Fprintf(w, "Events: the sale started, was sold out (%d), had units again (%d), and ended; %d orders were closed.\n",
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
