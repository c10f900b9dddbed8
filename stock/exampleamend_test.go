package stock_test

import (
	"fmt"

	"github.com/holdfast-go/holdfast/stock"
)

// The buyer edits an order before paying it. The edit has an ID of its own: a retry that comes late does not undo the next one.
func ExampleInventory_Amend() {
	ctx, inv := shop()
	must(inv.Lock(ctx, "1001", stock.Line{SKU: 42, Num: 2}))
	first := stock.Amendment{ID: "edit-1", Order: "1001", Lines: []stock.Line{{SKU: 42, Num: 3}, {SKU: 43, Num: 1}}}
	must(inv.Amend(ctx, first))
	must(inv.Amend(ctx, stock.Amendment{ID: "edit-2", Order: "1001", Lines: []stock.Line{{SKU: 42, Num: 5}}}))
	again := must(inv.Amend(ctx, first))
	fmt.Println(again.Replay, again.Asked())

	_, err := inv.Amend(ctx, stock.Amendment{ID: "edit-3", Order: "1001", Lines: []stock.Line{{SKU: 42, Num: 11}}})
	fmt.Println(err)
	fmt.Println(must(inv.Item(ctx, stock.Key{SKU: 42})))
	// Output:
	// true [{42 0 5}]
	// stock: insufficient: SKU 42: wanted 6, available 5
	// SKU 42: total 10, sold 0, locked 5, left 10, refunded 0
}

// Nine units are locked and six of them are paid: the other three are free again, and nothing counts as refunded.
func ExampleInventory_Amend_part() {
	ctx, inv := shop()
	must(inv.For("77").Lock(ctx, "1001", stock.Line{SKU: 42, Num: 9}))
	pay := stock.Amendment{ID: "invoice-1", Order: "1001", Lines: []stock.Line{{SKU: 42, Num: 6}}, Pay: true}
	fmt.Println(must(inv.Amend(ctx, pay)).State)
	fmt.Println(must(inv.Item(ctx, stock.Key{SKU: 42})))
	fmt.Printf("%+v\n", must(inv.For("77").Usage(ctx, stock.Key{SKU: 42})))
	// Output:
	// paid
	// SKU 42: total 10, sold 6, locked 0, left 4, refunded 0
	// {Held:0 Bought:6 Holds:0}
}

// The cart of a guest becomes the order of a customer, with its units and its deadline.
func ExampleInventory_Amend_handOver() {
	ctx, inv := shop()
	must(inv.Lock(ctx, "cart-7", stock.Line{SKU: 42, Num: 2}))
	must(inv.Amend(ctx, stock.Amendment{ID: "login-7", Order: "cart-7", NewOrder: "1001", Buyer: "77"}))
	hold := must(inv.Hold(ctx, "1001"))
	fmt.Println(hold.State, hold.Buyer, must(inv.Hold(ctx, "cart-7")).State)
	// Output:
	// locked 77 cancelled
}

// Of two parcels the first is handed over. What is in the second one can still be refunded.
func ExampleInventory_RedeemPart() {
	ctx, inv := shop()
	must(inv.Lock(ctx, "1001", stock.Line{SKU: 42, Num: 2}, stock.Line{SKU: 43, Num: 1}))
	must(inv.Pay(ctx, "1001"))
	fmt.Println(must(inv.RedeemPart(ctx, "parcel-1", "1001", stock.Line{SKU: 42, Num: 2})).State)
	_, err := inv.Refund(ctx, stock.Refund{ID: "r1", Order: "1001", Restock: true, Lines: []stock.Line{{SKU: 42, Num: 1}}})
	fmt.Println(err)
	fmt.Println(must(inv.Refund(ctx, stock.Refund{ID: "r2", Order: "1001", Restock: true, Lines: []stock.Line{{SKU: 43, Num: 1}}})).State)
	// Output:
	// paid
	// stock: the order is paid and redeemed (order "1001")
	// redeemed
}

// What was refunded comes back later, is found to be sound, and goes on sale.
func ExampleInventory_PutBack() {
	ctx, inv := shop()
	must(inv.Take(ctx, "1001", stock.Line{SKU: 42, Num: 3}))
	must(inv.Refund(ctx, stock.Refund{ID: "r1", Order: "1001"}))
	fmt.Println(must(inv.Item(ctx, stock.Key{SKU: 42})))
	must(inv.PutBack(ctx, "r1"))
	fmt.Println(must(inv.Item(ctx, stock.Key{SKU: 42})))
	// Output:
	// SKU 42: total 10, sold 3, locked 0, left 7, refunded 3
	// SKU 42: total 10, sold 0, locked 0, left 10, refunded 3
}
