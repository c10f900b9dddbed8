package stock_test

import (
	"context"
	"fmt"

	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// The last unit is taken. Two buyers wait for it, one of whom leaves; the other gets it as it becomes free, and is told.
func ExampleInventory_Wait() {
	ctx := context.Background()
	events := new(event.Memory)
	inv := stock.New(&stock.Memory{Events: events, Tell: []event.Kind{event.Offered}}, nil)
	_, err := inv.Define(ctx, stock.Key{SKU: 42}, 1, stock.Terms{})
	fmt.Println(err)
	_, err = inv.Lock(ctx, "order-1", stock.Line{SKU: 42, Num: 1})
	fmt.Println(err)

	for _, order := range []string{"order-2", "order-3"} {
		hold, err := inv.For("buyer of "+order).Wait(ctx, order, stock.Line{SKU: 42, Num: 1})
		fmt.Println(hold.State, err)
	}
	place, length, err := inv.Position(ctx, "order-3")
	fmt.Println(place, "of", length, err)

	_, err = inv.Cancel(ctx, "order-2")
	fmt.Println(err)
	_, err = inv.Cancel(ctx, "order-1")
	fmt.Println(err)
	_, err = inv.Lock(ctx, "order-4", stock.Line{SKU: 42, Num: 1})
	fmt.Println(err)
	_, err = event.New(events, nil).Deliver(ctx, func(_ context.Context, e event.Event) error {
		fmt.Printf("tell %s: %s is held for you\n", e.Buyer, e.Order)
		return nil
	})
	fmt.Println(err)
	paid, err := inv.Pay(ctx, "order-3")
	fmt.Println(paid.State, err)
	// Output:
	// <nil>
	// <nil>
	// waiting <nil>
	// waiting <nil>
	// 2 of 2 <nil>
	// <nil>
	// <nil>
	// stock: insufficient: SKU 42: wanted 1, available 0
	// tell buyer of order-3: order-3 is held for you
	// <nil>
	// paid <nil>
}
