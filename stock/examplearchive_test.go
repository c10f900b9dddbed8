package stock_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/stock"
)

// Orders of last year leave the books. The shop keeps what it wants of them first; numbers stay, and so do the sales.
func ExampleInventory_Archive() {
	ctx, clock := context.Background(), newClock()
	inv := stock.New(&stock.Memory{Clock: clock.Now}, nil)
	must(inv.Define(ctx, stock.Key{SKU: 42}, 10, stock.Terms{PerBuyer: 5}))
	must(inv.For("77").Take(ctx, "order-1", stock.Line{SKU: 42, Num: 2}))
	must(inv.Redeem(ctx, "order-1"))
	clock.Advance(365 * 24 * time.Hour)
	must(inv.For("77").Take(ctx, "order-2", stock.Line{SKU: 42, Num: 1}))

	keep := func(_ context.Context, holds []stock.Hold) error { // INSERT … ON DUPLICATE KEY UPDATE: a hold may come twice
		fmt.Println("kept elsewhere:", holds[0].Order, holds[0].Asked())
		return nil
	}
	for n, err := range inv.Archive(ctx, clock.Now().AddDate(0, -3, 0), stock.Filter{}, keep) {
		fmt.Println("archived:", n, err)
	}
	fmt.Println(must(inv.Item(ctx, stock.Key{SKU: 42})))
	fmt.Printf("%+v\n", must(inv.For("77").Usage(ctx, stock.Key{SKU: 42})))
	_, err := inv.Pay(ctx, "order-1")
	fmt.Println(errors.Is(err, stock.ErrArchived), must(inv.Audit(ctx)).Balanced())
	// Output:
	// kept elsewhere: order-1 [{42 0 2}]
	// archived: 1 <nil>
	// SKU 42: total 10, sold 3, locked 0, left 7, refunded 0
	// {Held:0 Bought:3 Holds:0}
	// true true
}
