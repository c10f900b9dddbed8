package stock_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// A flash sale from its definition to a refund, in a store that forgets.
func Example() {
	ctx := context.Background()
	inv := stock.New(new(stock.Memory), &stock.Options{HoldFor: 15 * time.Minute})
	phone := stock.Key{SKU: 42}
	if _, err := inv.Define(ctx, phone, 2, stock.Terms{PerOrder: 2}); err != nil {
		log.Fatal(err)
	}

	// An order is placed, and its payment is confirmed twice.
	if _, err := inv.Lock(ctx, "order-1", stock.Line{SKU: 42, Num: 2}); err != nil {
		log.Fatal(err)
	}
	for range 2 {
		outcome, err := inv.Pay(ctx, "order-1")
		fmt.Println(outcome.State, "replay:", outcome.Replay, err)
	}

	// Somebody else is too late, until a unit comes back.
	_, err := inv.Lock(ctx, "order-2", stock.Line{SKU: 42, Num: 1})
	fmt.Println(err)
	if _, err := inv.Refund(ctx, stock.Refund{
		ID: "refund-1", Order: "order-1", Restock: true, Lines: []stock.Line{{SKU: 42, Num: 1}},
	}); err != nil {
		log.Fatal(err)
	}
	hold, err := inv.Lock(ctx, "order-2", stock.Line{SKU: 42, Num: 1})
	fmt.Println(hold.State, err)

	fmt.Printf("%+v\n", must(inv.Item(ctx, phone)).Quantities)
	// Output:
	// paid replay: false <nil>
	// paid replay: true <nil>
	// stock: insufficient: SKU 42: wanted 1, available 0
	// locked <nil>
	// {Total:2 Sold:1 Locked:1 Left:1 Refunded:1 Waiting:0 Backordered:0}
}

// Lock takes all lines of an order or none, and says which item is short.
func ExampleInventory_Lock() {
	ctx, inv := shop() // SKU 42 has 10 units, SKU 43 has 1
	_, err := inv.Lock(ctx, "order-1", stock.Line{SKU: 42, Num: 2}, stock.Line{SKU: 43, Num: 3})
	var shortage *stock.ShortageError
	switch {
	case errors.As(err, &shortage): // sold out: it matches ErrInsufficient
		fmt.Printf("%v: wanted %d, available %d\n", shortage.Key, shortage.Wanted, shortage.Available)
	case stock.Retryable(err): // the same call again is safe, and settles it
		fmt.Println("try again")
	}
	hold, err := inv.Lock(ctx, "order-1", stock.Line{SKU: 42, Num: 2}, stock.Line{SKU: 43, Num: 1})
	fmt.Println(hold.State, hold.Deadline.Format(time.TimeOnly), err)
	// Output:
	// SKU 43: wanted 3, available 1
	// locked 09:15:00 <nil>
}

// Take is Lock and Pay in one step, for an order that costs nothing or is paid already.
func ExampleInventory_Take() {
	ctx, inv := shop()
	for range 2 { // the second is a replay
		hold, err := inv.Take(ctx, "order-1", stock.Line{SKU: 42, Num: 2})
		fmt.Println(hold.State, err)
	}
	item, err := inv.Item(ctx, stock.Key{SKU: 42})
	fmt.Println(item, err)
	// Output:
	// paid <nil>
	// paid <nil>
	// SKU 42: total 10, sold 2, locked 0, left 8, refunded 0 <nil>
}

// For counts units per buyer. An item that limits buyers takes no order without one.
func ExampleInventory_For() {
	ctx, inv := shop()
	must(inv.Define(ctx, stock.Key{SKU: 42}, 10, stock.Terms{PerBuyer: 2}))
	buyer := inv.For("1001")
	for _, order := range []string{"order-1", "order-2"} {
		_, err := buyer.Lock(ctx, order, stock.Line{SKU: 42, Num: 2})
		fmt.Println(err)
	}
	_, err := inv.Lock(ctx, "order-3", stock.Line{SKU: 42, Num: 1})
	fmt.Println(errors.Is(err, stock.ErrBuyerRequired))
	// Output:
	// <nil>
	// stock: over a limit: units per buyer (SKU 42: limit 2, has 2, wanted 2 more)
	// true
}

// On binds an inventory to another store: with sqlstore, to the caller's transaction.
func ExampleInventory_On() {
	ctx, inv := shop()
	tx := new(stock.Memory) // stands for store.WithTx(tx)
	_, err := inv.On(tx).Lock(ctx, "order-1", stock.Line{SKU: 42, Num: 1})
	fmt.Println(err) // this store is empty; the rules are those of inv
	// Output:
	// stock: no such SKU in this pool (SKU 42)
}

// Pay is safe to call for every delivery of a payment's callback.
func ExampleInventory_Pay() {
	ctx, inv := shop()
	must(inv.Lock(ctx, "order-1", stock.Line{SKU: 42, Num: 2}))
	for range 2 {
		outcome, err := inv.Pay(ctx, "order-1")
		fmt.Println(outcome.State, outcome.Replay, err)
	}
	_, err := inv.Pay(ctx, "order-2")
	fmt.Println(err)
	// Output:
	// paid false <nil>
	// paid true <nil>
	// stock: no such order (order "order-2")
}

// A payment that comes after the deadline buys the units again, if they are still there.
func ExampleInventory_Pay_late() {
	ctx := context.Background()
	clock := newClock()
	inv := stock.New(&stock.Memory{Clock: clock.Now}, &stock.Options{HoldFor: 15 * time.Minute, LatePay: stock.Reacquire})
	must(inv.Define(ctx, stock.Key{SKU: 42}, 1, stock.Terms{}))
	must(inv.Lock(ctx, "order-1", stock.Line{SKU: 42, Num: 1}))
	clock.Advance(time.Hour)
	outcome, err := inv.Pay(ctx, "order-1")
	fmt.Println(outcome.State, "late:", outcome.Late, err)
	// Output:
	// paid late: true <nil>
}

// Cancel may overtake its Lock: the order is closed, and the Lock is refused when it arrives.
func ExampleInventory_Cancel() {
	ctx, inv := shop()
	outcome, err := inv.Cancel(ctx, "order-1")
	fmt.Println(outcome.State, err)
	_, err = inv.Lock(ctx, "order-1", stock.Line{SKU: 42, Num: 2})
	fmt.Println(errors.Is(err, stock.ErrCancelled))
	// Output:
	// cancelled <nil>
	// true
}

// Extend gives a buyer more time, counted from the hold's own deadline.
func ExampleInventory_Extend() {
	ctx, inv := shop()
	hold := must(inv.Lock(ctx, "order-1", stock.Line{SKU: 42, Num: 2}))
	hold, err := inv.Extend(ctx, "order-1", hold.Deadline.Add(10*time.Minute))
	fmt.Println(hold.Deadline.Format(time.TimeOnly), err)
	// Output:
	// 09:25:00 <nil>
}

// Shorten ends a hold earlier; with a time that has passed, at once.
func ExampleInventory_Shorten() {
	ctx, inv := shop()
	hold := must(inv.Lock(ctx, "order-1", stock.Line{SKU: 42, Num: 2}))
	hold, err := inv.Shorten(ctx, "order-1", hold.LockedAt.Add(time.Minute))
	fmt.Println(hold.Deadline.Format(time.TimeOnly), err)
	must(inv.Shorten(ctx, "order-1", hold.LockedAt))
	_, err = inv.Pay(ctx, "order-1")
	fmt.Println(err)
	// Output:
	// 09:01:00 <nil>
	// stock: the hold has expired (order "order-1")
}

// Redeem records that the goods were handed over, once they are paid.
func ExampleInventory_Redeem() {
	ctx, inv := shop()
	must(inv.Lock(ctx, "order-1", stock.Line{SKU: 42, Num: 2}))
	_, err := inv.Redeem(ctx, "order-1")
	fmt.Println(err)
	must(inv.Pay(ctx, "order-1"))
	outcome, err := inv.Redeem(ctx, "order-1")
	fmt.Println(outcome.State, err)
	// Output:
	// stock: the order is not paid (order "order-1")
	// redeemed <nil>
}

// Refund has a number of its own. Without lines it takes everything that is left.
func ExampleInventory_Refund() {
	ctx, inv := shop()
	must(inv.Lock(ctx, "order-1", stock.Line{SKU: 42, Num: 5}))
	must(inv.Pay(ctx, "order-1"))

	// Two arrived broken: they are not sold again.
	must(inv.Refund(ctx, stock.Refund{ID: "refund-1", Order: "order-1", Lines: []stock.Line{{SKU: 42, Num: 2}}}))
	_, err := inv.Refund(ctx, stock.Refund{ID: "refund-2", Order: "order-1", Restock: true, Lines: []stock.Line{{SKU: 42, Num: 4}}})
	fmt.Println(err)
	rest, err := inv.Refund(ctx, stock.Refund{ID: "refund-2", Order: "order-1", Restock: true})
	fmt.Println(rest.Refund.Lines, err)
	fmt.Printf("%+v\n", must(inv.Item(ctx, stock.Key{SKU: 42})).Quantities)
	// Output:
	// stock: more than the order can still refund (order "order-1", SKU 42: wanted 4, refundable 3)
	// [{42 0 3}] <nil>
	// {Total:10 Sold:2 Locked:0 Left:8 Refunded:5 Waiting:0 Backordered:0}
}

// Resolve is for a caller whom no answer reached and who wants to know: from then on the lost
// call cannot take effect any more.
func ExampleInventory_Resolve() {
	ctx, inv := shop()
	must(inv.Lock(ctx, "order-1", stock.Line{SKU: 42, Num: 2}))
	for _, order := range []string{"order-1", "order-2"} {
		hold, err := inv.Resolve(ctx, order)
		fmt.Println(order, hold.State, err)
	}
	// Output:
	// order-1 locked <nil>
	// order-2 cancelled <nil>
}

// Define is safe to call at every start of a program: an item that exists keeps its units.
func ExampleInventory_Define() {
	ctx := context.Background()
	inv := stock.New(new(stock.Memory), nil)
	for range 2 {
		item, err := inv.Define(ctx, stock.Key{SKU: 42, Activity: 7}, 100, stock.Terms{
			Start:    time.Date(2026, time.November, 11, 0, 0, 0, 0, time.UTC),
			End:      time.Date(2026, time.November, 12, 0, 0, 0, 0, time.UTC),
			PerBuyer: 2,
		})
		fmt.Println(item.Key, "has", item.Left, err)
	}
	// Output:
	// SKU 42 of activity 7 has 100 <nil>
	// SKU 42 of activity 7 has 100 <nil>
}

// Restock happens once for each ID, however often it is asked for.
func ExampleInventory_Restock() {
	ctx, inv := shop()
	for range 2 {
		fmt.Println(must(inv.Restock(ctx, "delivery-1", stock.Line{SKU: 42, Num: 5})).Replay)
	}
	_, err := inv.Restock(ctx, "delivery-1", stock.Line{SKU: 42, Num: 7})
	fmt.Println(err)
	fmt.Println(must(inv.Item(ctx, stock.Key{SKU: 42})).Total)
	// Output:
	// false
	// true
	// holdfast: the ID is known with other arguments: "delivery-1": units: recorded +5 for SKU 42, asked +7 for SKU 42
	// 15
}

// Withdraw takes away what nobody has locked or bought.
func ExampleInventory_Withdraw() {
	ctx, inv := shop()
	must(inv.Lock(ctx, "order-1", stock.Line{SKU: 42, Num: 8}))
	for _, num := range []int64{3, 2} {
		_, err := inv.Withdraw(ctx, "breakage-1", stock.Line{SKU: 42, Num: num})
		fmt.Println(err)
	}
	// Output:
	// stock: insufficient: SKU 42: wanted 3, available 2
	// <nil>
}

// Transfer sets the stock of a flash sale aside, and gives the rest back when it is over:
// once, whoever triggers it.
func ExampleInventory_Transfer() {
	ctx, inv := shop()
	must(inv.Define(ctx, stock.Key{SKU: 42, Activity: 7}, 0, stock.Terms{}))
	must(inv.Transfer(ctx, "begin of 7", stock.TransferLeg{SKU: 42, From: 0, To: 7, Num: 6}))
	must(inv.Lock(ctx, "order-1", stock.Line{SKU: 42, Activity: 7, Num: 2}))
	must(inv.Pay(ctx, "order-1"))
	for range 3 { // its time, an operator and a retry
		end := must(inv.Transfer(ctx, "end of 7", stock.TransferLeg{SKU: 42, From: 7, To: 0, Num: stock.Rest}))
		fmt.Println(end.Moves[0].Num, end.Replay)
	}
	fmt.Println(must(inv.Item(ctx, stock.Key{SKU: 42})).Left)
	// Output:
	// 4 false
	// 4 true
	// 4 true
	// 8
}

func ExampleInventory_Item() {
	ctx, inv := shop()
	must(inv.Lock(ctx, "order-1", stock.Line{SKU: 42, Num: 3}))
	item, err := inv.Item(ctx, stock.Key{SKU: 42})
	fmt.Println(item.Available(), "of", item.Total, err)
	// Output:
	// 7 of 10 <nil>
}

func ExampleInventory_Items() {
	ctx, inv := shop()
	for item, err := range inv.Items(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(item.Key, item.Available())
	}
	// Output:
	// SKU 42 10
	// SKU 43 1
}

func ExampleInventory_Hold() {
	ctx, inv := shop()
	must(inv.For("1001").Lock(ctx, "order-1", stock.Line{SKU: 42, Num: 3}))
	hold, err := inv.Hold(ctx, "order-1")
	fmt.Println(hold.Buyer, hold.State, hold.Lines[0].Num, err)
	_, err = inv.Hold(ctx, "order-2")
	fmt.Println(err)
	// Output:
	// 1001 locked 3 <nil>
	// stock: no such order (order "order-2")
}

// Missing tells, after a replica was promoted, which of the orders that were paid for were lost with the server before.
func ExampleInventory_Missing() {
	ctx, inv := shop()
	must(inv.Lock(ctx, "order-1", stock.Line{SKU: 42, Num: 3}))
	paid := []string{"order-1", "order-2"} // the records of the payment provider
	lost, err := inv.Missing(ctx, paid)
	fmt.Println(lost, err)
	// Output:
	// [order-2] <nil>
}

// Holds lists, for example, who is about to pay for an item.
func ExampleInventory_Holds() {
	ctx, inv := shop()
	must(inv.Lock(ctx, "order-1", stock.Line{SKU: 42, Num: 3}))
	must(inv.Lock(ctx, "order-2", stock.Line{SKU: 42, Num: 1}))
	must(inv.Pay(ctx, "order-1"))
	for hold, err := range inv.Holds(ctx, stock.Filter{Key: stock.Key{SKU: 42}, States: []stock.State{stock.Locked}}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(hold.Order, hold.Deadline.Format(time.TimeOnly))
	}
	// Output:
	// order-2 09:15:00
}

// Usage is what one buyer has of an item.
func ExampleInventory_Usage() {
	ctx, inv := shop()
	buyer := inv.For("1001")
	must(buyer.Lock(ctx, "order-1", stock.Line{SKU: 42, Num: 3}))
	must(buyer.Lock(ctx, "order-2", stock.Line{SKU: 42, Num: 1}))
	must(buyer.Pay(ctx, "order-1"))
	usage, err := buyer.Usage(ctx, stock.Key{SKU: 42})
	fmt.Printf("%+v %v\n", usage, err)
	// Output:
	// {Held:1 Bought:3 Holds:1} <nil>
}

// Expire releases what nobody paid for. Lock and Pay are right without it.
func ExampleInventory_Expire() {
	ctx := context.Background()
	clock := newClock()
	inv := stock.New(&stock.Memory{Clock: clock.Now}, &stock.Options{HoldFor: 15 * time.Minute})
	must(inv.Define(ctx, stock.Key{SKU: 42}, 10, stock.Terms{}))
	must(inv.Lock(ctx, "order-1", stock.Line{SKU: 42, Num: 3}))
	clock.Advance(15 * time.Minute)
	released, err := inv.Expire(ctx)
	fmt.Println(released, must(inv.Hold(ctx, "order-1")).State, err)
	// Output:
	// 1 expired <nil>
}

// Run sweeps in the background until its context ends; it may run in every process.
func ExampleInventory_Run() {
	ctx, stop := context.WithCancel(context.Background())
	inv := stock.New(new(stock.Memory), &stock.Options{
		Sweep:   time.Second,
		OnError: func(err error) { log.Print(err) },
	})
	done := make(chan error)
	go func() { done <- inv.Run(ctx) }()
	stop()
	fmt.Println(<-done)
	// Output:
	// context canceled
}

// Audit recounts every counter from the holds and changes, while traffic runs.
func ExampleInventory_Audit() {
	ctx, inv, store := shopAndStore()
	must(inv.Lock(ctx, "order-1", stock.Line{SKU: 42, Num: 3}))
	tamper(ctx, store, stock.Key{SKU: 42}, stock.Quantities{Locked: 2})
	report, err := inv.Audit(ctx)
	fmt.Println(report.Items, report.Drifts, err)
	// Output:
	// 2 [SKU 42: locked is 5, should be 3 (+2)] <nil>
}

// Repair corrects what an audit finds, and records the correction.
func ExampleInventory_Repair() {
	ctx, inv, store := shopAndStore()
	tamper(ctx, store, stock.Key{SKU: 42}, stock.Quantities{Locked: 4})
	report, err := inv.Repair(ctx, stock.Key{SKU: 42})
	fmt.Println(report.Repaired, report.Drifts, err)
	report, err = inv.Audit(ctx)
	fmt.Println(report.Drifts, err)
	// Output:
	// 1 [SKU 42: locked is 4, should be 0 (+4)] <nil>
	// [] <nil>
}

// Repair leaves more sales than the paid holds claim, and RepairBackOnSale takes them back.
func ExampleInventory_RepairBackOnSale() {
	ctx, inv, store := shopAndStore()
	tamper(ctx, store, stock.Key{SKU: 42}, stock.Quantities{Sold: 4, Left: -4})
	report, err := inv.Repair(ctx, stock.Key{SKU: 42})
	fmt.Println(report.Repaired, report.Kept, errors.Is(err, stock.ErrDrift))
	report, err = inv.RepairBackOnSale(ctx, stock.Key{SKU: 42})
	fmt.Println(report.Repaired, report.Kept, err)
	// Output:
	// 0 [SKU 42: sold is 4, should be 0 (+4)] true
	// 1 [] <nil>
}

// shop returns an inventory of ten units of SKU 42 and one of SKU 43, at nine in the morning.
func shop() (context.Context, *stock.Inventory) {
	ctx, inv, _ := shopAndStore()
	return ctx, inv
}

func shopAndStore() (context.Context, *stock.Inventory, stock.Store) {
	ctx := context.Background()
	store := &stock.Memory{Clock: newClock().Now}
	inv := stock.New(store, nil)
	must(inv.Define(ctx, stock.Key{SKU: 42}, 10, stock.Terms{}))
	must(inv.Define(ctx, stock.Key{SKU: 43}, 1, stock.Terms{}))
	return ctx, inv, store
}

// tamper changes counters without an order, as somebody at a SQL prompt might.
func tamper(ctx context.Context, store stock.Store, key stock.Key, by stock.Quantities) {
	must(store.Apply(ctx, stock.Change{Kind: stock.KindRepair, ID: "by hand", Entries: []stock.Entry{{Key: key, Delta: by}}}))
}

// must is for examples, whose subject is something else.
func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}

// newClock returns a clock that stands still until it is told.
func newClock() *suite.Clock {
	return &suite.Clock{From: time.Date(2026, time.November, 11, 9, 0, 0, 0, time.UTC)}
}

// checkout is code of a shop. Its rows go along with a call by sqlstore.Stock.Along, or in a test by Memory.Along.
type checkout struct {
	inv   *stock.Inventory
	along func(text string, args ...any) stock.Store
}

func (c checkout) place(ctx context.Context, order string, line stock.Line) error {
	row := c.along("INSERT INTO shop_order (no) VALUES (?)", order)
	_, err := c.inv.On(row).Lock(ctx, order, line)
	return err
}

// A shop tests code that writes rows of its own without a server. A call that is refused writes none.
func ExampleMemory_Along() {
	ctx := context.Background()
	store := &stock.Memory{OnAlong: func(_ context.Context, rows []stock.MemoryRow) error {
		fmt.Println(rows[0].Text, rows[0].Args)
		return nil // an error would refuse the call
	}}
	shop := checkout{
		inv:   stock.New(store, nil),
		along: func(text string, args ...any) stock.Store { return store.Along(text, args...) },
	}
	must(shop.inv.Define(ctx, stock.Key{SKU: 42}, 10, stock.Terms{}))
	fmt.Println(shop.place(ctx, "order-1", stock.Line{SKU: 42, Num: 2}))
	fmt.Println(shop.place(ctx, "order-2", stock.Line{SKU: 42, Num: 9}))
	// Output:
	// INSERT INTO shop_order (no) VALUES (?) [order-1]
	// <nil>
	// stock: insufficient: SKU 42: wanted 9, available 8
}
