package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/holdfast-go/holdfast/examples/internal/demo"
	"github.com/holdfast-go/holdfast/stock"
)

// What is for sale.
const (
	sku       = 42
	units     = 6
	perBuyer  = 4
	unitPrice = 1990 // cents
)

var item = stock.Key{SKU: sku}

// buyers by their number.
var buyers = []string{"", "Ann", "Bo", "Chen", "Dora", "Eve"}

// tale is the story that the example tells.
type tale struct {
	w       io.Writer
	name    string
	shop    *Shop
	books   Books
	inv     *stock.Inventory
	holdFor time.Duration
	later   func(context.Context, time.Duration)

	step int
	err  error // the first failure; what comes after it is not told
}

// tell tells the story and then shows the books.
func (t *tale) tell(ctx context.Context) error {
	if _, err := t.inv.Define(ctx, item, units, stock.Terms{PerBuyer: perBuyer}); err != nil {
		return err
	}
	fmt.Fprintf(t.w, "A shop has %d units of SKU %d, %d for each buyer at most. An order that is not paid within %s is closed.\nStore: %s.\n\n",
		units, sku, perBuyer, inWords(t.holdFor), t.name)

	t.order(ctx, "A", 1, 2)
	t.order(ctx, "A", 1, 2, "and presses the button twice")
	t.order(ctx, "B", 2, 2)
	t.order(ctx, "C", 3, 2)
	t.order(ctx, "D", 4, 1)
	t.pays(ctx, "A", "pay-1")
	t.pays(ctx, "A", "pay-1", "the callback comes a second time")
	t.cancels(ctx, "B")
	t.order(ctx, "E", 4, 1)
	t.order(ctx, "F", 2, 1)
	t.order(ctx, "G", 1, 3)
	t.pays(ctx, "E", "pay-2")

	t.later(ctx, t.holdFor)
	t.err = cmp.Or(t.err, ctx.Err())
	t.sayf("%s later", inWords(t.holdFor))
	t.order(ctx, "H", 5, 3)
	t.pays(ctx, "C", "pay-3")
	t.closes(ctx)
	t.cancels(ctx, "A")
	t.refunds(ctx, "E", "refund-1")
	t.pays(ctx, "H", "pay-4")
	t.pays(ctx, "H", "pay-5", "with another card")
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if t.err != nil {
		return t.err
	}
	return t.show(ctx)
}

// order is a buyer who orders.
func (t *tale) order(ctx context.Context, id string, buyer, num int64, notes ...string) {
	if t.err != nil {
		return
	}
	o, err := t.shop.PlaceOrder(ctx, Order{ID: "order-" + id, Buyer: buyer, SKU: sku, Num: num, Cents: num * unitPrice})
	var answer string
	shortage, _ := errors.AsType[*stock.ShortageError](err)
	limit, _ := errors.AsType[*stock.LimitError](err)
	switch {
	case errors.Is(err, ErrSoldOut):
		answer = fmt.Sprintf("sold out: %d wanted, %d free", shortage.Wanted, shortage.Available)
	case errors.Is(err, ErrLimit):
		answer = fmt.Sprintf("refused: %d for each buyer, and %s has %d", limit.Limit, buyers[buyer], limit.Has)
	case errors.Is(err, ErrTryAgain):
		answer = "did not go through"
	case err != nil:
		t.err = err
		return
	default:
		answer = fmt.Sprintf("%s is placed, to be paid by %s", o.ID, o.PayBy.Format(time.TimeOnly))
	}
	t.sayf("%s orders %d%s → %s", buyers[buyer], num, note(notes), answer)
}

// pays is a callback of the payment provider.
func (t *tale) pays(ctx context.Context, id, payment string, notes ...string) {
	if t.err != nil {
		return
	}
	id = "order-" + id
	o, err := t.find(ctx, id)
	if err != nil {
		t.err = err
		return
	}
	accepted, err := t.shop.PaymentArrived(ctx, Payment{ID: payment, Order: id, Cents: o.Cents})
	if err != nil {
		t.err = err
		return
	}
	answer := id + " is paid"
	if !accepted {
		answer = fmt.Sprintf("not accepted: %s go back", money(o.Cents))
	}
	t.sayf("%s pays %s%s → %s", buyers[o.Buyer], id, note(notes), answer)
}

// cancels is a buyer who cancels.
func (t *tale) cancels(ctx context.Context, id string) {
	if t.err != nil {
		return
	}
	id = "order-" + id
	if t.err = t.shop.CancelOrder(ctx, id); t.err != nil {
		return
	}
	o, err := t.find(ctx, id)
	if err != nil {
		t.err = err
		return
	}
	answer := "closed, its units are free again"
	if o.Status == Refunded {
		answer = fmt.Sprintf("it was paid: its units are free again, %s go back", money(o.Cents))
	}
	t.sayf("%s cancels %s → %s", buyers[o.Buyer], id, answer)
}

// closes is the timeout worker.
func (t *tale) closes(ctx context.Context) {
	if t.err != nil {
		return
	}
	closed, err := t.shop.CloseOverdue(ctx)
	if err != nil {
		t.err = err
		return
	}
	t.sayf("the timeout worker comes by → overdue orders closed: %d", closed)
}

// refunds is the shop that takes goods back.
func (t *tale) refunds(ctx context.Context, id, refund string) {
	if t.err != nil {
		return
	}
	id = "order-" + id
	if t.err = t.shop.RefundOrder(ctx, id, refund); t.err == nil {
		t.sayf("the shop refunds %s → its units are on sale again", id)
	}
}

// find returns an order.
func (t *tale) find(ctx context.Context, id string) (Order, error) {
	orders, err := t.books.Orders(ctx)
	if err != nil {
		return Order{}, err
	}
	for _, o := range orders {
		if o.ID == id {
			return o, nil
		}
	}
	return Order{}, ErrNoOrder
}

// sayf tells one step.
func (t *tale) sayf(format string, args ...any) {
	if t.err != nil {
		return
	}
	t.step++
	fmt.Fprintf(t.w, "%3d. %s\n", t.step, fmt.Sprintf(format, args...))
}

// note sets a remark apart.
func note(notes []string) string {
	if len(notes) == 0 {
		return ""
	}
	return ", " + notes[0]
}

// show prints the books, and what the audit says about them.
func (t *tale) show(ctx context.Context) error {
	orders, err := t.books.Orders(ctx)
	if err != nil {
		return err
	}
	paybacks, err := t.books.Paybacks(ctx)
	if err != nil {
		return err
	}
	now, err := t.inv.Item(ctx, item)
	if err != nil {
		return err
	}
	report, err := t.inv.Audit(ctx)
	if err != nil {
		return err
	}

	rows := [][]string{{"order", "buyer", "units", "price", "status", "payment"}}
	for _, o := range orders {
		rows = append(rows, []string{o.ID, buyers[o.Buyer], demo.Count(o.Num), money(o.Cents), o.Status.String(), o.Payment})
	}
	fmt.Fprintln(t.w)
	demo.Table(t.w, "llrrll", rows)

	rows = [][]string{{"money back", "order", "amount", "why"}}
	for _, p := range paybacks {
		rows = append(rows, []string{p.ID, p.Order, money(p.Cents), p.Reason})
	}
	fmt.Fprintln(t.w)
	demo.Table(t.w, "llrl", rows)

	fmt.Fprintln(t.w)
	demo.Table(t.w, "lrrrrr", [][]string{
		{"item", "total", "sold", "locked", "left", "refunded"},
		{now.Key.String(), demo.Count(now.Total), demo.Count(now.Sold), demo.Count(now.Locked), demo.Count(now.Left), demo.Count(now.Refunded)},
	})
	fmt.Fprintln(t.w)
	return t.verdict(orders, now, report)
}

// verdict holds three accounts against each other: the shop's orders, the item's counters and,
// by the audit, the holds.
func (t *tale) verdict(orders []Order, now stock.Item, report stock.Report) error {
	var sold, locked int64
	for _, o := range orders {
		switch o.Status {
		case Paid:
			sold += o.Num
		case Placed:
			locked += o.Num
		case Closed, Refunded:
		}
	}
	if len(report.Drifts) > 0 || sold != now.Sold || locked != now.Locked {
		return fmt.Errorf("the books do not balance: %d units in paid orders, %d in placed ones; %v", sold, locked, report.Drifts)
	}
	fmt.Fprintln(t.w, "Audit: the books balance; the orders, the holds and the counters say the same.")
	return nil
}

// money prints cents.
func money(cents int64) string { return fmt.Sprintf("%d.%02d", cents/100, cents%100) }

// inWords prints how long a hold lives.
func inWords(d time.Duration) string {
	if d >= time.Minute {
		return fmt.Sprintf("%d minutes", d/time.Minute)
	}
	return fmt.Sprintf("%d seconds", d/time.Second)
}
