package groupbuy_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// A team of three from its opening to the orders that it becomes, in a store that forgets.
func Example() {
	ctx := context.Background()
	units := &stock.Memory{Events: new(event.Memory)}
	must(stock.New(units, nil).Define(ctx, stock.Key{SKU: 42}, 1000, stock.Terms{}))         // ordinary stock
	groups := groupbuy.New(&groupbuy.Memory{Stock: units}, &groupbuy.Options{Code: codes()}) // leave Code out: nobody is to guess it
	events := event.New(units.Events, nil)
	must(groups.Define(ctx, groupbuy.Activity{ID: 7, Title: "Tea week", Formation: 24 * time.Hour, End: time.Now().AddDate(0, 0, 7)}))
	tea := stock.Key{SKU: 42, Activity: 7}
	must(groups.Offer(ctx, groupbuy.Product{Key: tea, Name: "Tea", Terms: groupbuy.Terms{
		Places: 2, Price: decimal.RequireFromString("99.00"), GroupPrice: decimal.RequireFromString("79.00"), People: 3,
	}}, 100))

	one := decimal.NewFromInt(1)
	seat := must(groups.For("1").Open(ctx, groupbuy.Purchase{Order: "o-1", Product: tea, Volume: one}))
	fmt.Println("team", seat.Team, "seat", seat.State)
	must(groups.For("2").Join(ctx, seat.Team, groupbuy.Purchase{Order: "o-2", Product: tea, Volume: one}))
	must(groups.For("3").Join(ctx, seat.Team, groupbuy.Purchase{Order: "o-3", Product: tea, Volume: one}))
	_, err := groups.For("4").Join(ctx, seat.Team, groupbuy.Purchase{Order: "o-4", Product: tea, Volume: one})
	fmt.Println(err)

	for _, order := range []string{"o-2", "o-1", "o-3"} {
		payment := must(groups.Pay(ctx, order)) // from the payment's callback, as often as it comes
		fmt.Println(order, payment.Seat.State, payment.Formed)
	}

	must(events.Deliver(ctx, groups.Handle(func(_ context.Context, e groupbuy.Event) error {
		for _, member := range e.Members {
			fmt.Println(e.Queue, e.Kind, "an order for buyer", member.Buyer)
		}
		return nil
	})))
	// Output:
	// team TEAMA22222 seat held
	// groupbuy: the team is full (team "TEAMA22222")
	// o-2 paid false
	// o-1 paid false
	// o-3 paid true
	// team/TEAMA22222 team formed an order for buyer 2
	// team/TEAMA22222 team formed an order for buyer 1
	// team/TEAMA22222 team formed an order for buyer 3
}

// Define is safe to call at every start of a program.
func ExampleGroups_Define() {
	ctx := context.Background()
	clock := newClock()
	groups := groupbuy.New(&groupbuy.Memory{Clock: clock.now}, nil)
	week := groupbuy.Activity{ID: 7, Title: "Tea week", Formation: 24 * time.Hour, End: clock.at.AddDate(0, 0, 7)}
	for _, title := range []string{"Tea week", "Tea week", "Week of tea"} {
		week.Title = title
		activity, err := groups.Define(ctx, week)
		fmt.Println(activity.Title, activity.Version, err)
	}
	week.Formation = 90 * time.Second
	_, err := groups.Define(ctx, week)
	fmt.Println(errors.Is(err, groupbuy.ErrInvalid))
	// Output:
	// Tea week 1 <nil>
	// Tea week 1 <nil>
	// Week of tea 2 <nil>
	// true
}

// The units of a product are taken out of ordinary stock beforehand: all of them, or it is not offered.
func ExampleGroups_Offer() {
	ctx := context.Background()
	s := newShop(ctx) // SKU 42 has a thousand units of ordinary stock, of which the tea took a hundred
	_, err := s.groups.Offer(ctx, groupbuy.Product{Key: stock.Key{SKU: 43, Activity: 7}, Terms: ofThree()}, 100)
	fmt.Println(errors.Is(err, stock.ErrUnknownSKU))
	must(s.stock.Define(ctx, stock.Key{SKU: 43}, 60, stock.Terms{}))
	for _, units := range []int64{100, 50, 50, 60} {
		product, err := s.groups.Offer(ctx, groupbuy.Product{Key: stock.Key{SKU: 43, Activity: 7}, Terms: ofThree()}, units)
		fmt.Println(product.State, product.Allotted, err)
	}
	fmt.Println(must(s.stock.Item(ctx, stock.Key{SKU: 43})))
	fmt.Println(must(s.stock.Item(ctx, stock.Key{SKU: 43, Activity: 7})))
	// Output:
	// true
	// preparing 0 stock: insufficient: SKU 43: wanted 100, available 60
	// offered 50 <nil>
	// offered 50 <nil>
	// preparing 0 holdfast: the ID is known with other arguments: "SKU 43 of activity 7": units: recorded 50, asked 60
	// SKU 43: total 10, sold 0, locked 0, left 10, refunded 0
	// SKU 43 of activity 7: total 50, sold 0, locked 0, left 50, refunded 0
}

// Teams that are open keep the terms they were opened with.
func ExampleGroups_Revise() {
	ctx := context.Background()
	s := newShop(ctx)
	first := must(s.groups.For("1").Open(ctx, buy("o-1")))
	product := must(s.groups.Product(ctx, tea)).Product
	product.GroupPrice = decimal.RequireFromString("75.00")
	must(s.groups.Revise(ctx, product))
	second := must(s.groups.For("2").Open(ctx, buy("o-2")))
	for _, seat := range []groupbuy.Seat{first, second} {
		fmt.Println(must(s.groups.Team(ctx, seat.Team)).GroupPrice.StringFixed(2))
	}
	// Output:
	// 79.00
	// 75.00
}

func ExampleGroups_Restock() {
	ctx := context.Background()
	s := newShop(ctx)
	for range 2 { // the same change again does nothing
		fmt.Println(must(s.groups.Restock(ctx, "more tea", tea, 50)).Replay)
	}
	fmt.Println(must(s.stock.Item(ctx, tea)))
	// Output:
	// false
	// true
	// SKU 42 of activity 7: total 150, sold 0, locked 0, left 150, refunded 0
}

func ExampleGroups_Withdraw() {
	ctx := context.Background()
	s := newShop(ctx)
	for _, id := range []string{"less tea", "even less"} {
		_, err := s.groups.Withdraw(ctx, id, tea, 90)
		fmt.Println(err)
	}
	fmt.Println(must(s.stock.Item(ctx, stock.Key{SKU: 42})))
	// Output:
	// <nil>
	// stock: insufficient: SKU 42 of activity 7: wanted 90, available 10
	// SKU 42: total 990, sold 0, locked 0, left 990, refunded 0
}

// Of a product that is removed the live teams may still finish; what is left goes back to ordinary stock once.
func ExampleGroups_Remove() {
	ctx := context.Background()
	s := newShop(ctx)
	seat := must(s.groups.For("1").Open(ctx, buy("o-1")))
	for range 2 {
		product, err := s.groups.Remove(ctx, tea)
		fmt.Println(product.State, err)
	}
	_, err := s.groups.For("2").Join(ctx, seat.Team, buy("o-2"))
	fmt.Println(err)
	fmt.Println(must(s.stock.Item(ctx, stock.Key{SKU: 42})))

	must(s.groups.Cancel(ctx, "o-1")) // nobody is left
	must(s.groups.Expire(ctx))
	fmt.Println(must(s.groups.Product(ctx, tea)).State)
	fmt.Println(must(s.stock.Item(ctx, stock.Key{SKU: 42})))
	// Output:
	// removed <nil>
	// removed <nil>
	// holdfast: the product is no longer offered (SKU 42 of activity 7)
	// SKU 42: total 999, sold 0, locked 0, left 999, refunded 0
	// settled
	// SKU 42: total 1000, sold 0, locked 0, left 1000, refunded 0
}

func ExampleGroups_End() {
	ctx := context.Background()
	s := newShop(ctx)
	for range 2 {
		activity, err := s.groups.End(ctx, 7)
		fmt.Println(activity.EndedAt.Format(time.TimeOnly), err)
	}
	_, err := s.groups.For("1").Open(ctx, buy("o-1"))
	fmt.Println(err)
	fmt.Println(must(s.groups.Product(ctx, tea)).State)
	// Output:
	// 09:00:00 <nil>
	// 09:00:00 <nil>
	// holdfast: the activity is over (activity 7)
	// settled
}

// The same purchase again returns its seat; the order with another one is refused.
func ExampleGroups_Open() {
	ctx := context.Background()
	s := newShop(ctx)
	ann := s.groups.For("1")
	purchase := buy("o-1")
	purchase.Guest = groupbuy.Guest{Name: "Ann", Address: "1 Tea Road", ShippingFee: decimal.RequireFromString("8.50")}
	for range 2 {
		seat, err := ann.Open(ctx, purchase)
		fmt.Println(seat.Team, seat.State, "until", seat.Deadline.Format(time.TimeOnly), err)
	}
	purchase.Volume = decimal.NewFromInt(2)
	_, err := ann.Open(ctx, purchase)
	fmt.Println(errors.Is(err, groupbuy.ErrMismatch))

	half := buy("o-2")
	half.Volume = decimal.RequireFromString("0.5")
	_, err = s.groups.For("2").Open(ctx, half)
	fmt.Println(err)

	s.clock.advance(15 * time.Minute) // nobody paid
	seat, err := ann.Open(ctx, purchase)
	fmt.Println(seat.State, errors.Is(err, groupbuy.ErrMismatch))
	// Output:
	// TEAMA22222 held until 09:15:00 <nil>
	// TEAMA22222 held until 09:15:00 <nil>
	// true
	// holdfast: invalid argument: volume must come to a whole number of units, 0.5 is 0.5
	// no seat true
}

// A buyer has one seat in a team. Codes are typed by people.
func ExampleGroups_Join() {
	ctx := context.Background()
	s := newShop(ctx)
	code := must(s.groups.For("1").Open(ctx, buy("o-1"))).Team
	seat, err := s.groups.For("2").Join(ctx, "  "+strings.ToLower(code)+"\n", buy("o-2"))
	fmt.Println(seat.Team, seat.State, err)
	for _, refused := range []struct {
		code  string
		buyer string
	}{{code, "1"}, {code, "2"}, {"NOSUCHTEAM", "3"}} {
		_, err = s.groups.For(refused.buyer).Join(ctx, refused.code, buy("o-3"))
		fmt.Println(err)
	}
	_, err = s.groups.For("3").Join(ctx, code, buy("o-3")) // a refused order may be tried again
	fmt.Println(err)
	_, err = s.groups.For("4").Join(ctx, code, buy("o-4"))
	fmt.Println(err)

	s.clock.advance(15 * time.Minute) // until the seats are dead, which nothing has to sweep up
	seat, err = s.groups.For("4").Join(ctx, code, buy("o-4"))
	fmt.Println(seat.State, err)
	// Output:
	// TEAMA22222 held <nil>
	// groupbuy: the buyer has a seat in the team (team "TEAMA22222")
	// groupbuy: the buyer has a seat in the team (team "TEAMA22222")
	// groupbuy: no such team (team "NOSUCHTEAM")
	// <nil>
	// groupbuy: the team is full (team "TEAMA22222")
	// no seat groupbuy: the team has failed (team "TEAMA22222")
}

// A team by volume is formed once enough is bought, by however many. It may come to more.
func ExampleGroups_Pay_volume() {
	ctx := context.Background()
	s := newShop(ctx)
	must(s.stock.Define(ctx, stock.Key{SKU: 43}, 1000, stock.Terms{}))
	rice := stock.Key{SKU: 43, Activity: 7}
	must(s.groups.Offer(ctx, groupbuy.Product{Key: rice, Terms: groupbuy.Terms{Volume: decimal.NewFromInt(10), UnitsPerVolume: 10}}, 500))
	code := ""
	for i, volume := range []string{"4", "4.0", "5.5"} {
		purchase := groupbuy.Purchase{Order: fmt.Sprint("o-", i), Product: rice, Volume: decimal.RequireFromString(volume)}
		buyer := s.groups.For(fmt.Sprint(i + 1))
		if code == "" {
			code = must(buyer.Open(ctx, purchase)).Team
		} else {
			must(buyer.Join(ctx, code, purchase))
		}
		payment := must(s.groups.Pay(ctx, purchase.Order))
		fmt.Println(payment.Team.PaidVolume.StringFixed(2), payment.Team.State)
	}
	fmt.Println(must(s.stock.Item(ctx, rice)))
	// Output:
	// 4.00 forming
	// 8.00 forming
	// 13.50 formed
	// SKU 43 of activity 7: total 500, sold 135, locked 0, left 365, refunded 0
}

// The payment that forms the team says so, at every replay as well.
func ExampleGroups_Pay() {
	ctx := context.Background()
	s := newShop(ctx)
	s.team(ctx, 3)
	for _, order := range []string{"o-1", "o-2", "o-3", "o-3"} {
		payment, err := s.groups.Pay(ctx, order)
		fmt.Println(order, payment.Team.Paid, "paid, formed it:", payment.Formed, len(payment.Members), err)
	}
	_, err := s.groups.Pay(ctx, "o-4")
	fmt.Println(err)
	// Output:
	// o-1 1 paid, formed it: false 0 <nil>
	// o-2 2 paid, formed it: false 0 <nil>
	// o-3 3 paid, formed it: true 3 <nil>
	// o-3 3 paid, formed it: true 3 <nil>
	// groupbuy: no such seat (order "o-4")
}

// A payment that comes too late is no error: it has been recorded that the money goes back.
func ExampleGroups_Pay_late() {
	ctx := context.Background()
	s := newShop(ctx)
	code := s.team(ctx, 2)
	s.clock.advance(15 * time.Minute)
	payment, err := s.groups.Pay(ctx, "o-1")
	fmt.Println(err, payment.Due, payment.Seat.State, payment.Why)
	for is := range all(s.events.Of(ctx, event.TeamQueue(code))) {
		fmt.Println(is.Kind, is.Order)
	}
	// Output:
	// <nil> true refund due groupbuy: the seat has expired (order "o-1")
	// seat released o-1
	// refund owed o-1
}

// With stock.Reacquire a seat that has expired is taken again where it is still free.
func ExampleGroups_Pay_reacquire() {
	ctx := context.Background()
	s := newShop(ctx)
	patient := groupbuy.New(s.store, &groupbuy.Options{LatePay: stock.Reacquire})
	code := s.team(ctx, 3)
	must(s.groups.Pay(ctx, "o-1"))
	s.clock.advance(15 * time.Minute)
	payment := must(patient.Pay(ctx, "o-2"))
	fmt.Println(payment.Due, payment.Seat.State, payment.Team.Paid)

	must(s.groups.For("4").Join(ctx, code, buy("o-4"))) // takes the last place
	payment = must(patient.Pay(ctx, "o-3"))
	fmt.Println(payment.Due, payment.Seat.State, payment.Why)
	// Output:
	// false paid 2
	// true refund due groupbuy: the seat has expired (order "o-3"): groupbuy: the team is full (team "TEAMA22222")
}

// Cancel may come first: the order is closed for good then.
func ExampleGroups_Cancel() {
	ctx := context.Background()
	s := newShop(ctx)
	code := s.team(ctx, 2)
	for _, order := range []string{"o-1", "o-1", "o-3"} {
		seat, err := s.groups.Cancel(ctx, order)
		fmt.Println(seat.Order, seat.State, err)
	}
	fmt.Println("sponsor", must(s.groups.Team(ctx, code)).SponsorOrder)
	_, err := s.groups.For("3").Join(ctx, code, buy("o-3"))
	fmt.Println(err)

	must(s.groups.Pay(ctx, "o-2"))
	_, err = s.groups.Cancel(ctx, "o-2")
	fmt.Println(err)
	// Output:
	// o-1 cancelled <nil>
	// o-1 cancelled <nil>
	// o-3 cancelled <nil>
	// sponsor o-2
	// groupbuy: the seat is cancelled (order "o-3")
	// groupbuy: the seat is paid (order "o-2")
}

// An operator refunds a member of a team that is forming: the place is free again.
func ExampleGroups_Refund() {
	ctx := context.Background()
	s := newShop(ctx)
	code := s.team(ctx, 2)
	_, err := s.groups.Refund(ctx, groupbuy.Refund{Order: "o-1", Actor: "ann"})
	fmt.Println(err)
	must(s.groups.Pay(ctx, "o-1"))
	for range 2 {
		seat, err := s.groups.Refund(ctx, groupbuy.Refund{Order: "o-1", Actor: "ann", Reason: "asked to leave"})
		fmt.Println(seat.State, "by", seat.Actor+":", seat.Reason, err)
	}
	team := must(s.groups.Team(ctx, code))
	fmt.Println(team.State, team.Held, "held", team.Paid, "paid, sponsor", team.SponsorOrder)
	// Output:
	// groupbuy: the seat is not paid (order "o-1")
	// refund due by ann: asked to leave <nil>
	// refund due by ann: asked to leave <nil>
	// forming 1 held 0 paid, sponsor o-2
}

// Resolve settles an order of which nobody knows whether the call arrived.
func ExampleGroups_Resolve() {
	ctx := context.Background()
	s := newShop(ctx)
	s.team(ctx, 1)
	for _, order := range []string{"o-1", "o-2"} {
		seat, err := s.groups.Resolve(ctx, order)
		fmt.Println(seat.Order, seat.State, err)
	}
	_, err := s.groups.For("2").Open(ctx, buy("o-2")) // what was on the way can no longer arrive
	fmt.Println(err)
	// Output:
	// o-1 held <nil>
	// o-2 cancelled <nil>
	// groupbuy: the seat is cancelled (order "o-2")
}

// An operator forms a team with those who have paid.
func ExampleGroups_Form() {
	ctx := context.Background()
	s := newShop(ctx)
	code := s.team(ctx, 3)
	_, err := s.groups.Form(ctx, code, groupbuy.Decision{Actor: "ann", Reason: "good enough"})
	fmt.Println(err)
	must(s.groups.Pay(ctx, "o-1"))
	must(s.groups.Pay(ctx, "o-2"))
	for _, actor := range []string{"ann", "ben"} {
		team, err := s.groups.Form(ctx, code, groupbuy.Decision{Actor: actor, Reason: "good enough"})
		fmt.Println(team.State, "with", team.Paid, "by", team.Actor, err)
	}
	fmt.Println(must(s.groups.Seat(ctx, "o-3")).State)
	// Output:
	// groupbuy: nobody in the team has paid (team "TEAMA22222")
	// formed with 2 by ann <nil>
	// formed with 2 by ann <nil>
	// cancelled
}

func ExampleGroups_Fail() {
	ctx := context.Background()
	s := newShop(ctx)
	code := s.team(ctx, 2)
	must(s.groups.Pay(ctx, "o-1"))
	team, err := s.groups.Fail(ctx, code, groupbuy.Decision{Actor: "ann", Reason: "tea is bad"})
	fmt.Println(team.State, team.Cause, err)
	for seat := range all(s.groups.Members(ctx, code)) {
		fmt.Println(seat.Order, seat.State)
	}
	// Output:
	// failed operator <nil>
	// o-1 refund due
	// o-2 cancelled
}

// At its deadline a team fails, unless it has reached the minimum that its product had when it was opened.
func ExampleGroups_Expire() {
	ctx := context.Background()
	s := newShop(ctx)
	first := s.team(ctx, 2)
	must(s.groups.Pay(ctx, "o-1"))
	product := must(s.groups.Product(ctx, tea)).Product
	product.MinPeople = 1
	must(s.groups.Revise(ctx, product))
	second := must(s.groups.For("3").Open(ctx, buy("o-3"))).Team
	must(s.groups.Pay(ctx, "o-3"))

	s.clock.advance(24 * time.Hour)
	for range 2 {
		fmt.Println(must(s.groups.Expire(ctx)))
	}
	for _, code := range []string{first, second} {
		team := must(s.groups.Team(ctx, code))
		fmt.Println(team.Code, team.State, team.Cause)
	}
	// Output:
	// 3
	// 0
	// TEAMA22222 failed deadline
	// TEAMB22222 formed deadline
}

// Run is a program's own sweeper. It ends with its context. Events are delivered beside it.
func ExampleGroups_Run() {
	ctx, stop := context.WithCancel(context.Background())
	s := newShop(ctx)
	code := s.team(ctx, 1)
	must(s.groups.Pay(ctx, "o-1"))
	must(s.groups.Form(ctx, code, groupbuy.Decision{Actor: "ann", Reason: "good enough"}))
	swept := make(chan error)
	go func() { swept <- s.groups.Run(ctx) }()
	err := s.events.Run(ctx, s.groups.Handle(func(_ context.Context, e groupbuy.Event) error {
		fmt.Println(e.Kind)
		stop()
		return nil
	}))
	fmt.Println(err)
	fmt.Println(<-swept)
	// Output:
	// team formed
	// context canceled
	// context canceled
}

// What a handler fails to do it gets again, and the later events of the team wait for it.
func ExampleGroups_Handle() {
	ctx := context.Background()
	s := newShop(ctx)
	code := s.team(ctx, 2)
	must(s.groups.Pay(ctx, "o-1"))
	must(s.groups.Pay(ctx, "o-2"))
	must(s.groups.Fail(ctx, code, groupbuy.Decision{Actor: "ann", Reason: "tea is bad"}))

	working := false
	bank := s.groups.Handle(func(_ context.Context, e groupbuy.Event) error {
		switch {
		case e.Kind != event.RefundOwed:
			fmt.Println(e.Kind)
			return nil
		case !working:
			return errors.New("the bank is closed")
		}
		fmt.Println("pay", e.Seat.Buyer, "back under", e.Refund(), "failures", e.Failures)
		return nil
	})
	fmt.Println(must(s.events.Deliver(ctx, bank)), "delivered")
	fmt.Println(must(s.events.Deliver(ctx, bank)), "delivered") // not due again yet
	working = true
	s.clock.advance(time.Second)
	fmt.Println(must(s.events.Deliver(ctx, bank)), "delivered")
	fmt.Println(must(s.groups.Seat(ctx, "o-1")).State)
	// Output:
	// team failed
	// 1 delivered
	// 0 delivered
	// pay 1 back under group/o-1 failures 1
	// pay 2 back under group/o-2 failures 0
	// 2 delivered
	// refunded
}

// A shop that pays refunds in a job of its own says so.
func ExampleGroups_Return() {
	ctx := context.Background()
	s := newShop(ctx)
	code := s.team(ctx, 2)
	must(s.groups.Pay(ctx, "o-1"))
	must(s.groups.Fail(ctx, code, groupbuy.Decision{Actor: "ann", Reason: "tea is bad"}))
	for seat := range all(s.groups.Refunds(ctx, groupbuy.RefundDue)) {
		fmt.Println("pay", seat.Buyer, "back under", groupbuy.RefundID(seat.Order))
		fmt.Println(must(s.groups.Return(ctx, seat.Order)).State)
	}
	_, err := s.groups.Return(ctx, "o-2")
	fmt.Println(err)
	// Output:
	// pay 1 back under group/o-1
	// refunded
	// groupbuy: the seat is cancelled (order "o-2")
}

func ExampleGroups_Activity() {
	ctx := context.Background()
	s := newShop(ctx)
	for _, id := range []int64{7, 8} {
		activity, err := s.groups.Activity(ctx, id)
		fmt.Println(activity.Title, err)
	}
	// Output:
	// Tea week <nil>
	//  holdfast: no such activity (activity 8)
}

func ExampleGroups_Activities() {
	ctx := context.Background()
	s := newShop(ctx)
	for activity := range all(s.groups.Activities(ctx)) {
		fmt.Println(activity.ID, activity.Title, activity.End.Format(time.DateTime))
	}
	// Output:
	// 7 Tea week 2026-02-24 09:00:00
}

func ExampleGroups_Product() {
	ctx := context.Background()
	s := newShop(ctx)
	offer, err := s.groups.Product(ctx, tea)
	fmt.Println(offer.Name, offer.State, "in", offer.Activity.Title, err)
	// Output:
	// Tea offered in Tea week <nil>
}

func ExampleGroups_Products() {
	ctx := context.Background()
	s := newShop(ctx)
	for product := range all(s.groups.Products(ctx, 7)) {
		fmt.Println(product.Key, product.Name, product.State, product.Allotted)
	}
	// Output:
	// SKU 42 of activity 7 Tea offered 100
}

// The shop window shows what teams can be opened for.
func ExampleGroups_Shelf() {
	ctx := context.Background()
	s := newShop(ctx)
	must(s.groups.For("1").Open(ctx, buy("o-1")))
	for shown := range all(s.groups.Shelf(ctx)) {
		fmt.Println(shown.Name, shown.GroupPrice.StringFixed(2), "for", shown.People, "of", shown.Available, "ends in", shown.EndsIn)
	}
	// Output:
	// Tea 79.00 for 3 of 99 ends in 168h0m0s
}

func ExampleGroups_Joinable() {
	ctx := context.Background()
	s := newShop(ctx)
	s.team(ctx, 3) // full
	must(s.groups.For("9").Open(ctx, buy("o-9")))
	for team := range all(s.groups.Joinable(ctx, tea)) {
		fmt.Println(team.Code, "has", team.FreeSeats(), "places")
	}
	// Output:
	// TEAMB22222 has 2 places
}

func ExampleGroups_Teams() {
	ctx := context.Background()
	s := newShop(ctx)
	s.team(ctx, 3)
	must(s.groups.For("9").Open(ctx, buy("o-9")))
	must(s.groups.Cancel(ctx, "o-9"))
	for team := range all(s.groups.Teams(ctx, groupbuy.TeamFilter{Product: tea, State: groupbuy.Failed})) {
		fmt.Println(team.Code, team.State, "by", team.Cause)
	}
	// Output:
	// TEAMB22222 failed by leaving
}

func ExampleGroups_Team() {
	ctx := context.Background()
	s := newShop(ctx)
	code := s.team(ctx, 2)
	must(s.groups.Pay(ctx, "o-2"))
	team, err := s.groups.Team(ctx, strings.ToLower(code))
	fmt.Println(team.State, team.Held, "held", team.Paid, "paid", team.FreeSeats(), "open until", team.Deadline.Format(time.DateTime), err)
	// Output:
	// forming 1 held 1 paid 1 open until 2026-02-18 09:00:00 <nil>
}

func ExampleGroups_Members() {
	ctx := context.Background()
	s := newShop(ctx)
	code := s.team(ctx, 3)
	must(s.groups.Pay(ctx, "o-1"))
	must(s.groups.Cancel(ctx, "o-2"))
	for seat := range all(s.groups.Members(ctx, code)) {
		fmt.Println(seat.Order, seat.Buyer, seat.State)
	}
	// Output:
	// o-1 1 paid
	// o-2 2 cancelled
	// o-3 3 held
}

func ExampleGroups_Seat() {
	ctx := context.Background()
	s := newShop(ctx)
	s.team(ctx, 1)
	seat, err := s.groups.Seat(ctx, "o-1")
	fmt.Println(seat.Team, seat.Volume.StringFixed(2), seat.State, err)
	_, err = s.groups.Seat(ctx, "o-2")
	fmt.Println(err)
	// Output:
	// TEAMA22222 1.00 held <nil>
	// groupbuy: no such seat (order "o-2")
}

func ExampleGroups_Seats() {
	ctx := context.Background()
	s := newShop(ctx)
	must(s.groups.For("1").Open(ctx, buy("o-1")))
	s.clock.advance(time.Minute)
	must(s.groups.For("1").Open(ctx, buy("o-2")))
	for seat := range all(s.groups.For("1").Seats(ctx)) {
		fmt.Println(seat.Order, seat.Team)
	}
	// Output:
	// o-2 TEAMB22222
	// o-1 TEAMA22222
}

func ExampleGroups_Refunds() {
	ctx := context.Background()
	s := newShop(ctx)
	code := s.team(ctx, 2)
	must(s.groups.Pay(ctx, "o-1"))
	must(s.groups.Pay(ctx, "o-2"))
	must(s.groups.Fail(ctx, code, groupbuy.Decision{Actor: "ann", Reason: "tea is bad"}))
	for seat := range all(s.groups.Refunds(ctx, groupbuy.RefundDue)) {
		fmt.Println(seat.Order, groupbuy.RefundID(seat.Order))
	}
	// Output:
	// o-1 group/o-1
	// o-2 group/o-2
}

// Audit recounts teams from their seats, and units from their holds, while traffic runs.
func ExampleGroups_Audit() {
	ctx := context.Background()
	s := newShop(ctx)
	s.team(ctx, 3)
	must(s.groups.Pay(ctx, "o-1"))
	report, err := s.groups.Audit(ctx)
	fmt.Println(report.Products, report.Teams, report.Drifts, report.Units.Drifts, report.Mismatched, err)
	// Output:
	// 1 1 [] [] [] <nil>
}

// Repair brings a seat to its hold that something else has paid.
func ExampleGroups_Repair() {
	ctx := context.Background()
	s := newShop(ctx)
	s.team(ctx, 2)
	must(s.stock.Pay(ctx, "o-1")) // by what knows nothing of groups
	for _, seat := range must(s.groups.Audit(ctx)).Mismatched {
		fmt.Println(seat.Order, "is", seat.State, "and its hold", seat.Hold)
	}
	fmt.Println(must(s.groups.Repair(ctx)).Repaired)
	fmt.Println(must(s.groups.Seat(ctx, "o-1")).State)
	// Output:
	// o-1 is held and its hold paid
	// 1
	// paid
}

// CorrectionOf tells what a repair has corrected.
func ExampleCorrectionOf() {
	ctx := context.Background()
	s := newShop(ctx)
	product := must(s.groups.Product(ctx, tea)).Product
	product.Allotted = 90 // somebody was at the tables
	must(s.store.SaveProduct(ctx, product, stock.Change{}))
	must(s.groups.By("Lin", "end of the month").Repair(ctx, tea))
	for _, change := range must(s.groups.ChangesPage(ctx, tea, stock.PageRequest{})).Rows {
		if is, ok := groupbuy.CorrectionOf(change); ok {
			fmt.Printf("%v, by %s: %s\n", is, change.Actor, change.Reason)
		}
	}
	// Output:
	// SKU 42 of activity 7: allotted +10, by Lin: end of the month
}

func ExampleGroups_On() {
	ctx := context.Background()
	s := newShop(ctx)
	s.team(ctx, 1)
	tx := new(groupbuy.Memory) // stands for store.WithTx(tx)
	_, err := s.groups.On(tx).Pay(ctx, "o-1")
	fmt.Println(err) // this store is empty; the rules are those of groups
	// Output:
	// groupbuy: no such seat (order "o-1")
}

// A Hook is told of each effect by the call that had it, and nothing of replays.
func ExampleOptions_hook() {
	ctx := context.Background()
	s := newShop(ctx)
	groups := groupbuy.New(s.store, &groupbuy.Options{Code: codes(), Hook: func(_ context.Context, e groupbuy.Effect) {
		fmt.Println(e.Step, e.Order, e.Ended)
	}})
	code := must(groups.For("1").Open(ctx, buy("o-1"))).Team
	must(groups.For("2").Join(ctx, code, buy("o-2")))
	must(groups.For("3").Join(ctx, code, buy("o-3")))
	for _, order := range []string{"o-1", "o-2", "o-3", "o-3"} {
		must(groups.Pay(ctx, order))
	}
	// Output:
	// hold o-1 forming
	// hold o-2 forming
	// hold o-3 forming
	// pay o-1 forming
	// pay o-2 forming
	// pay o-3 formed
}

// shop is what the examples are played in: nine in the morning, an activity of a week, and tea in teams of three that
// have a day.
type shop struct {
	groups *groupbuy.Groups
	store  *groupbuy.Memory
	stock  *stock.Inventory
	events *event.Events
	clock  *clock
}

// tea is what the shop sells in groups.
var tea = stock.Key{SKU: 42, Activity: 7}

func newShop(ctx context.Context) *shop {
	clock := newClock()
	units := &stock.Memory{Clock: clock.now, Events: &event.Memory{Clock: clock.now}}
	store := &groupbuy.Memory{Stock: units}
	s := &shop{
		groups: groupbuy.New(store, &groupbuy.Options{Code: codes()}), events: event.New(units.Events, nil),
		store: store, stock: stock.New(units, nil), clock: clock,
	}
	must(s.stock.Define(ctx, stock.Key{SKU: 42}, 1000, stock.Terms{}))
	must(s.groups.Define(ctx, groupbuy.Activity{ID: 7, Title: "Tea week", Formation: 24 * time.Hour, End: clock.at.AddDate(0, 0, 7)}))
	must(s.groups.Offer(ctx, groupbuy.Product{Key: tea, Name: "Tea", Terms: ofThree()}, 100))
	return s
}

// ofThree are the terms of teams of three.
func ofThree() groupbuy.Terms {
	return groupbuy.Terms{Places: 2, Price: decimal.RequireFromString("99.00"), GroupPrice: decimal.RequireFromString("79.00"), People: 3}
}

// buy is a purchase of one pack of tea.
func buy(order string) groupbuy.Purchase {
	return groupbuy.Purchase{Order: order, Product: tea, Volume: decimal.NewFromInt(1)}
}

// team opens a team, in which so many seats are held, o-1 and on.
func (s *shop) team(ctx context.Context, seats int64) string {
	code := must(s.groups.For("1").Open(ctx, buy("o-1"))).Team
	for n := int64(2); n <= seats; n++ {
		must(s.groups.For(fmt.Sprint(n)).Join(ctx, code, buy(fmt.Sprint("o-", n))))
	}
	return code
}

// codes is for examples, whose output has to be known.
func codes() func() string {
	made := 0
	return func() string {
		made++
		return fmt.Sprintf("TEAM%c22222", 'A'+rune(made-1))
	}
}

// must is for examples, whose subject is something else.
func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}

// all lists what is not expected to fail.
func all[T any](listing iter.Seq2[T, error]) iter.Seq[T] {
	return func(yield func(T) bool) {
		for v, err := range listing {
			if !yield(must(v, err)) {
				return
			}
		}
	}
}

// clock is a clock that stands still until it is told.
type clock struct{ at time.Time }

func newClock() *clock { return &clock{time.Date(2026, time.February, 17, 9, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time          { return c.at }
func (c *clock) advance(d time.Duration) { c.at = c.at.Add(d) }
