package stock_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast-go/holdfast/stock"
)

// A shop sells up to three units more than it has. They come later, and go to those who have waited longest.
func ExampleTerms_backorder() {
	ctx := context.Background()
	inv := stock.New(new(stock.Memory), nil)
	key := stock.Key{SKU: 42}
	item, _ := inv.Define(ctx, key, 2, stock.Terms{Reserve: 1, Backorder: 3})
	fmt.Println("available", item.Available())

	for _, order := range []string{"order-1", "order-2", "order-3"} {
		hold, err := inv.Take(ctx, order, stock.Line{SKU: 42, Num: 2})
		if errors.Is(err, stock.ErrInsufficient) {
			fmt.Println(order, err)
			continue
		}
		fmt.Println(order, "waits for", hold.Lines[0].Backordered)
	}
	_, err := inv.Redeem(ctx, "order-1")
	fmt.Println(err)

	outcome, _ := inv.Restock(ctx, "pallet-7", stock.Line{SKU: 42, Num: 2})
	fmt.Println("covered", outcome.Covered)
	_, err = inv.Redeem(ctx, "order-1")
	fmt.Println("order-1 is handed over:", err == nil)
	for hold, err := range inv.Holds(ctx, stock.Filter{Key: key, Backordered: true}) {
		fmt.Println(hold.Order, "waits for", hold.Lines[0].Backordered, err)
	}
	item, _ = inv.Item(ctx, key)
	fmt.Println(item)
	// Output:
	// available 4
	// order-1 waits for 1
	// order-2 waits for 2
	// order-3 stock: insufficient: SKU 42: wanted 2, available 0
	// stock: units of the order have not come yet (order "order-1", SKU 42: wanted 2, backordered 1)
	// covered 2
	// order-1 is handed over: true
	// order-2 waits for 1 <nil>
	// SKU 42: total 4, sold 4, locked 0, left 0, refunded 0, backordered 1
}
