package stock_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/holdfast-go/holdfast/stock"
)

// A program defines its items at every start. What is new is created, and what an operator has changed stays.
func ExampleInventory_DefineAll() {
	ctx := context.Background()
	inv := stock.New(new(stock.Memory), nil)
	catalogue := []stock.Item{
		{Key: stock.Key{SKU: 42}, Terms: stock.Terms{SPU: 7}, Quantities: stock.Quantities{Total: 100}},
		{Key: stock.Key{SKU: 43}, Terms: stock.Terms{SPU: 7}, Quantities: stock.Quantities{Total: 50}},
	}
	for range 2 {
		for item, err := range inv.DefineAll(ctx, catalogue...) {
			if err != nil {
				log.Print(item.Key, ": ", err) // the others go on
			}
			fmt.Println(item.Key, item.Left, item.OffShelf)
		}
		must(inv.ChangeTerms(ctx, stock.Key{SKU: 43}, offShelf))
	}
	// Output:
	// SKU 42 100 false
	// SKU 43 50 false
	// SKU 42 100 false
	// SKU 43 50 true
}

// offShelf is a change of one term.
func offShelf(is stock.Item) (stock.Terms, error) {
	is.OffShelf = true
	return is.Terms, nil
}

// A form gives an item back as it was read, with other terms. Who was faster is not overwritten.
func ExampleInventory_DefineAll_version() {
	ctx, inv := shop()
	form := must(inv.Item(ctx, stock.Key{SKU: 42}))
	must(inv.ChangeTerms(ctx, form.Key, offShelf)) // somebody else, meanwhile
	form.PerBuyer = 2
	for _, err := range inv.DefineAll(ctx, form) {
		fmt.Println(errors.Is(err, stock.ErrMismatch), err)
	}
	// Output:
	// true holdfast: the ID is known with other arguments: "SKU 42": version: recorded 2, asked 1
}

// One term is changed, and the others stay, whoever changes them at the same time.
func ExampleInventory_ChangeTerms() {
	ctx, inv := shop()
	end := time.Date(2026, time.November, 12, 0, 0, 0, 0, time.UTC)
	must(inv.By("Lin", "recalled").ChangeTerms(ctx, stock.Key{SKU: 42}, offShelf))
	item, err := inv.ChangeTerms(ctx, stock.Key{SKU: 42}, func(is stock.Item) (stock.Terms, error) {
		is.End, is.PerOrder = end, 3
		return is.Terms, nil
	})
	fmt.Println(item.OffShelf, item.End.Format(time.DateOnly), item.PerOrder, err)
	// Output:
	// true 2026-11-12 3 <nil>
}

// A delivery of any size has one number. It goes on where it was cut off.
func ExampleInventory_RestockAll() {
	ctx, inv := shop()
	delivery := []stock.Line{{SKU: 42, Num: 5}, {SKU: 43, Num: 7}}
	for range 2 {
		for part, err := range inv.RestockAll(ctx, "delivery-1", delivery...) {
			if err != nil {
				log.Fatal(err)
			}
			fmt.Println(part.Lines, "of", len(delivery), "lines, replay:", part.Replay)
		}
	}
	// Output:
	// 2 of 2 lines, replay: false
	// 2 of 2 lines, replay: true
}

// A sale is stopped: nothing is sold any more, and what is not paid is cancelled.
func ExampleInventory_CancelAll() {
	ctx, inv := shop()
	for _, order := range []string{"order-1", "order-2", "order-3"} {
		must(inv.Lock(ctx, order, stock.Line{SKU: 42, Num: 1}))
	}
	must(inv.Pay(ctx, "order-2"))
	must(inv.ChangeTerms(ctx, stock.Key{SKU: 42}, offShelf))
	for outcome, err := range inv.CancelAll(ctx, stock.Filter{Key: stock.Key{SKU: 42}}) {
		fmt.Println(outcome.Order, outcome.State, err)
	}
	fmt.Println(must(inv.Item(ctx, stock.Key{SKU: 42})))
	// Output:
	// order-1 cancelled <nil>
	// order-3 cancelled <nil>
	// SKU 42: total 10, sold 1, locked 0, left 9, refunded 0
}

// An audit of many items tells how far it has come.
func ExampleInventory_AuditAll() {
	ctx, inv := shop()
	for report, err := range inv.AuditAll(ctx) {
		fmt.Println(report.Items, "items, balanced:", report.Balanced(), err)
	}
	// Output:
	// 2 items, balanced: true <nil>
}

// The warehouse has counted 12. Three of them are paid for and not handed over, and two are locked.
func ExampleInventory_Count() {
	ctx, inv := shop()
	must(inv.Take(ctx, "order-1", stock.Line{SKU: 42, Num: 3}))
	must(inv.Lock(ctx, "order-2", stock.Line{SKU: 42, Num: 2}))
	key := stock.Key{SKU: 42}
	counted := must(inv.Count(ctx, "stocktaking-1", key, 12))
	fmt.Printf("%+d units, %d available\n", counted.Changed, must(inv.Item(ctx, key)).Available())

	counted = must(inv.Count(ctx, "stocktaking-2", key, 4)) // fewer than are promised
	fmt.Println(counted.Short, "short, the newest order:", counted.Hit[0].Order)
	// Output:
	// +2 units, 7 available
	// 1 short, the newest order: order-2
}

// A page asks before somebody fills in an address.
func ExampleInventory_Check() {
	ctx, inv, _ := shopAndStore()
	hold := must(inv.Lock(ctx, "order-1", stock.Line{SKU: 42, Num: 8}))
	for _, a := range must(inv.Check(ctx, stock.Line{SKU: 42, Num: 3}, stock.Line{SKU: 43, Num: 1})) {
		switch {
		case a.Why == nil:
			fmt.Println(a.Line.Key(), "is there")
		case errors.Is(a.Why, stock.ErrInsufficient):
			fmt.Println(a.Line.Key(), "has", a.Num, "and perhaps more later:", a.From.Equal(hold.Deadline))
		default:
			fmt.Println(a.Line.Key(), a.Why)
		}
	}
	// Output:
	// SKU 42 has 2 and perhaps more later: true
	// SKU 43 is there
}

// The page of a product reads its items by one query.
func ExampleInventory_Items_keys() {
	ctx, inv := shop()
	for item, err := range inv.Items(ctx, stock.Key{SKU: 43}, stock.Key{SKU: 44}, stock.Key{SKU: 42}) {
		fmt.Println(item.Key, item.Available(), err)
	}
	// Output:
	// SKU 43 1 <nil>
	// SKU 44 0 stock: no such SKU in this pool (SKU 44)
	// SKU 42 10 <nil>
}
