// Flashsale lets thousands of buyers rush for a hundred units, and shows that no unit is sold twice: some pay, some
// cancel, some let their hold expire, some payments arrive twice or late, and some orders are refunded.
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

	"github.com/holdfast-go/holdfast/examples/internal/example"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// item is what is for sale.
var item = stock.Key{SKU: 42}

func main() {
	var s sale
	flag.IntVar(&s.buyers, "buyers", 5000, "how many buyers rush")
	flag.Int64Var(&s.units, "units", 100, "how many units there are")
	flag.DurationVar(&s.holdFor, "hold", time.Second, "how long an order holds its unit before it is paid")
	example.Main(s.run)
}

// sale is one rush, with what buyers were told, apart from the books of the store.
type sale struct {
	buyers  int
	units   int64
	holdFor time.Duration

	inv    *stock.Inventory
	opened time.Time
	rush   time.Duration // until each buyer had an answer

	mu       sync.Mutex
	answered int
	told     map[result]int // buyers, by what became of them; each is counted once
	replays  int            // callbacks that came twice and changed nothing
	late     int            // payments that came too late; their money goes back

	item   stock.Item // in the end
	drifts []stock.Drift
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
func (s *sale) run(ctx context.Context, db *sql.DB, w io.Writer) error {
	var store stock.Store = new(stock.Memory)
	if db != nil {
		if err := sqlstore.Migrate(ctx, db, nil); err != nil {
			return err
		}
		store = sqlstore.NewStock(db, nil)
	}
	s.inv = stock.New(store, &stock.Options{HoldFor: s.holdFor})
	if _, err := s.inv.Define(ctx, item, s.units, stock.Terms{PerBuyer: 1}); err != nil {
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
	if _, err := s.inv.Expire(ctx); err != nil { // what a shop has Inventory.Run do
		return err
	}
	if s.item, err = s.inv.Item(ctx, item); err != nil {
		return err
	}
	report, err := s.inv.Audit(ctx)
	if err != nil {
		return err
	}
	s.drifts = report.Drifts
	s.print(w)
	return s.check()
}

// buy is one buyer, from the first look at the shop to the end of the order.
func (s *sale) buy(ctx context.Context, number int) (result, error) {
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
func (s *sale) order(ctx context.Context, order, buyer string) error {
	for look := 1; ; look++ {
		_, err := again(ctx, func() (stock.Hold, error) {
			return s.inv.For(buyer).Lock(ctx, order, stock.Line{SKU: item.SKU, Num: 1})
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
func (s *sale) pay(ctx context.Context, order string) (result, error) {
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
func (s *sale) rest(ctx context.Context, d time.Duration) error {
	example.Rest(ctx, d)
	return ctx.Err()
}

// count changes what is counted.
func (s *sale) count(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// print shows what buyers were told beside the counters of the item.
func (s *sale) print(w io.Writer) {
	fmt.Fprintf(w, "After %v each of them had an answer: %s Locks a second.\n",
		s.rush.Round(time.Millisecond), example.Count(int(float64(s.buyers)/s.rush.Seconds())))
	example.Table(w,
		example.Row{"buyers who", "", "the item's counter", ""},
		example.Row{bought, s.told[bought], "sold", s.item.Sold},
		example.Row{refunded, s.told[refunded], "refunded", s.item.Refunded},
		example.Row{cancelled, s.told[cancelled], "locked", s.item.Locked},
		example.Row{expired, s.told[expired], "left", s.item.Left},
		example.Row{soldOut, s.told[soldOut], "total", s.item.Total},
	)
	fmt.Fprintf(w, "\n%d callbacks came twice and were counted once. %d payments came too late; the money goes back.\n", s.replays, s.late)
	if s.check() == nil {
		fmt.Fprintln(w, "Audit: the books balance; every buyer who paid has a unit.")
	}
}

// check returns an error if the answers to buyers, the counters and the holds disagree.
func (s *sale) check() error {
	q := stock.Quantities{Total: s.units, Sold: int64(s.told[bought]), Refunded: int64(s.told[refunded])}
	q.Left = q.Total - q.Sold
	if len(s.drifts) > 0 || s.item.Quantities != q || q.Left < 0 {
		return fmt.Errorf("the books do not balance: counters %+v, but buyers were told %+v; drifts %v", s.item.Quantities, q, s.drifts)
	}
	return nil
}
