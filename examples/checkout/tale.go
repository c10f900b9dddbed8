package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/coupon"
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

// welcome is the campaign of which every buyer has a coupon, and welcomeTerms what they promise.
const welcome = 7

var welcomeTerms = coupon.Terms{
	Title: "10.00 off 30.00", Kind: coupon.AmountOff, Places: places,
	Amount: decimal.New(10, 0), Minimum: decimal.New(30, 0), ForDays: 30, Zone: "Asia/Shanghai",
}

// couponOf returns the ID of a buyer's coupon.
func couponOf(buyer int64) string { return fmt.Sprintf("welcome/%d", buyer) }

// tale is the story that the example tells.
type tale struct {
	w       io.Writer
	name    string
	shop    *Shop
	books   Books
	inv     *stock.Inventory
	coupons *coupon.Coupons
	holdFor time.Duration
	later   func(context.Context, time.Duration) bool

	step int
	err  error // the first failure; what comes after it is not told
}

// tell tells the story and then shows the books.
func (t *tale) tell(ctx context.Context) error {
	if err := t.open(ctx); err != nil {
		return err
	}
	fmt.Fprintf(t.w, "A shop has %d units of SKU %d, %d for each buyer at most. Every buyer has a coupon: %s. "+
		"An order that is not paid within %s is closed.\nStore: %s.\n\n",
		units, sku, perBuyer, welcomeTerms.Title, inWords(t.holdFor), t.name)

	t.order(ctx, "A", 1, 2, "with the coupon")
	t.order(ctx, "A", 1, 2, "with the coupon", "and presses the button twice")
	t.order(ctx, "B", 2, 2, "with the coupon")
	t.order(ctx, "C", 3, 2, "with the coupon")
	t.order(ctx, "D", 4, 1)
	t.pays(ctx, "A", "pay-1")
	t.pays(ctx, "A", "pay-1", "the callback comes a second time")
	t.cancels(ctx, "B")
	t.order(ctx, "E", 4, 1)
	t.order(ctx, "F", 2, 1, "with the coupon that is free again")
	t.order(ctx, "G", 2, 1, "without it")
	t.order(ctx, "H", 1, 3)
	t.order(ctx, "I", 3, 1, "with the coupon of order-C")
	t.pays(ctx, "E", "pay-2")

	t.later(ctx, t.holdFor)
	t.err = cmp.Or(t.err, ctx.Err())
	t.sayf("%s later", inWords(t.holdFor))
	t.order(ctx, "J", 5, 3, "with the coupon")
	t.pays(ctx, "C", "pay-3")
	t.closes(ctx)
	t.cancels(ctx, "A")
	t.refunds(ctx, "E", "refund-1", 0)
	t.pays(ctx, "J", "pay-4")
	t.pays(ctx, "J", "pay-5", "with another card")
	t.refunds(ctx, "J", "refund-2", 1)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if t.err != nil {
		return t.err
	}
	return t.show(ctx)
}

// open puts the units on sale and gives every buyer a coupon.
func (t *tale) open(ctx context.Context) error {
	if _, err := t.inv.Define(ctx, item, units, stock.Terms{PerBuyer: perBuyer}); err != nil {
		return err
	}
	if _, err := t.coupons.Define(ctx, welcome, 100, coupon.Rules{PerBuyer: 1}, welcomeTerms); err != nil {
		return err
	}
	batch := coupon.Batch{ID: "welcome", Campaign: welcome, All: true}
	for buyer := range buyers[1:] {
		batch.Buyers = append(batch.Buyers, int64(buyer+1))
	}
	_, err := t.coupons.Issue(ctx, batch)
	return err
}

// order is a buyer who orders, with the first note that begins so with a coupon.
func (t *tale) order(ctx context.Context, id string, buyer, num int64, notes ...string) {
	if t.err != nil {
		return
	}
	asked := Order{ID: "order-" + id, Buyer: buyer, SKU: sku, Num: num, Cents: num * unitPrice}
	if len(notes) > 0 && strings.HasPrefix(notes[0], "with the coupon") {
		asked.Coupon = couponOf(buyer)
	}
	o, err := t.shop.PlaceOrder(ctx, asked)
	answer := placedInWords(o)
	if err != nil {
		if answer = refusalInWords(buyer, err); answer == "" {
			t.err = err
			return
		}
	}
	t.sayf("%s orders %d%s → %s", buyers[buyer], num, note(notes), answer)
}

// placedInWords says what an order comes to, and until when.
func placedInWords(o Order) string {
	price := money(o.ToPay())
	if o.Discount > 0 {
		price = fmt.Sprintf("%s less %s", money(o.Cents), money(o.Discount))
	}
	return fmt.Sprintf("%s is placed, %s to be paid by %s", o.ID, price, o.PayBy.Format(time.TimeOnly))
}

// refusalInWords says why there is no order; it is empty for an error that is none of the tale's.
func refusalInWords(buyer int64, err error) string {
	shortage, _ := errors.AsType[*stock.ShortageError](err)
	limit, _ := errors.AsType[*stock.LimitError](err)
	minimum, _ := errors.AsType[*coupon.MinimumError](err)
	switch {
	case errors.Is(err, ErrSoldOut):
		return fmt.Sprintf("sold out: %d wanted, %d free", shortage.Wanted, shortage.Available)
	case errors.Is(err, ErrLimit):
		return fmt.Sprintf("refused: %d for each buyer, and %s has %d", limit.Limit, buyers[buyer], limit.Has)
	case errors.Is(err, coupon.ErrReserved):
		return "refused: the coupon is another order's, and nothing is held"
	case errors.Is(err, coupon.ErrBelowMinimum):
		return fmt.Sprintf("refused: for orders of %s, this one is %s", minimum.Minimum.StringFixed(places), minimum.Total.StringFixed(places))
	case errors.Is(err, ErrTryAgain):
		return "did not go through"
	}
	return ""
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
	accepted, err := t.shop.PaymentArrived(ctx, Payment{ID: payment, Order: id, Cents: o.ToPay()})
	if err != nil {
		t.err = err
		return
	}
	answer := id + " is paid" + withCoupon(o, ", the coupon is used")
	if !accepted {
		answer = fmt.Sprintf("not accepted: %s go back", money(o.ToPay()))
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
	answer := "closed, its units" + withCoupon(o, " and the coupon") + " are free again"
	if o.Status == Refunded {
		answer = fmt.Sprintf("it was paid: its units%s are free again, %s go back", withCoupon(o, " and the coupon"), money(o.ToPay()))
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

// refunds is the shop that takes goods back, all of an order where num is 0.
func (t *tale) refunds(ctx context.Context, id, refund string, num int64) {
	if t.err != nil {
		return
	}
	id = "order-" + id
	if t.err = t.shop.RefundOrder(ctx, id, refund, num); t.err != nil {
		return
	}
	o, err := t.find(ctx, id)
	switch {
	case err != nil:
		t.err = err
	case o.Status == Refunded:
		t.sayf("the shop refunds %s → its units%s are free again, %s go back", id, withCoupon(o, " and the coupon"), money(o.ToPay()))
	default:
		t.sayf("the shop refunds %d of the %d units of %s → on sale again%s", o.Back, o.Num, id, withCoupon(o, ", the coupon stays used"))
	}
}

// withCoupon returns the text where an order has a coupon.
func withCoupon(o Order, text string) string {
	if o.Coupon == "" {
		return ""
	}
	return text
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

// note sets remarks apart.
func note(notes []string) string {
	if len(notes) == 0 {
		return ""
	}
	return strings.Replace(", "+strings.Join(notes, ", "), ", with", " with", 1)
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
	rows := [][]string{{"order", "buyer", "units", "price", "off", "back", "status", "payment"}}
	for _, o := range orders {
		rows = append(rows, []string{
			o.ID, buyers[o.Buyer], demo.Count(o.Num), money(o.Cents), money(o.Discount), demo.Count(o.Back), o.Status.String(), o.Payment,
		})
	}
	fmt.Fprintln(t.w)
	demo.Table(t.w, "llrrrrll", rows)

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
	if err := t.showCoupons(ctx); err != nil {
		return err
	}
	fmt.Fprintln(t.w)
	return t.verdict(ctx, orders, now)
}

// showCoupons prints what every buyer has, and what became of it in which orders.
func (t *tale) showCoupons(ctx context.Context) error {
	rows := [][]string{{"coupon", "buyer", "state", "its orders"}}
	for i, name := range buyers[1:] {
		history, err := t.coupons.History(ctx, couponOf(int64(i+1)))
		if err != nil {
			return err
		}
		var uses []string
		for _, use := range history.Uses {
			uses = append(uses, use.Order+" "+use.State.String())
		}
		rows = append(rows, []string{history.ID, name, history.State.String(), strings.Join(uses, ", ")})
	}
	demo.Table(t.w, "llll", rows)
	return nil
}

// verdict holds accounts against each other: the shop's orders, the item's counters, the states of the
// coupons and, by the audits, the holds and uses.
func (t *tale) verdict(ctx context.Context, orders []Order, now stock.Item) error {
	report, err := t.inv.Audit(ctx)
	if err != nil {
		return err
	}
	coupons, err := t.coupons.Audit(ctx)
	if err != nil {
		return err
	}
	count, err := t.coupons.Progress(ctx, welcome)
	if err != nil {
		return err
	}
	var sold, locked, redeemed, reserved int64
	for _, o := range orders {
		with := int64(0)
		if o.Coupon != "" {
			with = 1
		}
		switch o.Status {
		case Paid:
			sold += o.Num - o.Back
			redeemed += with
		case Placed:
			locked += o.Num
			reserved += with
		case Closed, Refunded:
		}
	}
	if len(report.Drifts) > 0 || !coupons.Balanced() ||
		[4]int64{sold, locked, redeemed, reserved} != [4]int64{now.Sold, now.Locked, count.Redeemed, count.Reserved} {
		return fmt.Errorf("the books do not balance: paid orders have %d units and %d coupons, placed ones %d and %d; %v, %v, %v",
			sold, redeemed, locked, reserved, report.Drifts, coupons.Drifts, coupons.Conflicts)
	}
	fmt.Fprintln(t.w, "Audit: the books balance; the orders, the holds, the coupons and the counters say the same.")
	return nil
}

// money prints cents.
func money(cents int64) string { return amount(cents).StringFixed(places) }

// inWords prints how long a hold lives.
func inWords(d time.Duration) string {
	if d >= time.Minute {
		return fmt.Sprintf("%d minutes", d/time.Minute)
	}
	return fmt.Sprintf("%d seconds", d/time.Second)
}
