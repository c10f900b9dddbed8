package sale_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/sale"
)

// A sale from its definition to its end, in a store that forgets.
func Example() {
	ctx := context.Background()
	units := new(stock.Memory)
	inv := stock.New(units, nil)
	must(inv.Define(ctx, stock.Key{SKU: 42}, 1000, stock.Terms{})) // ordinary stock
	sales := sale.New(&sale.Memory{Stock: units}, nil)
	must(sales.Define(ctx, sale.Activity{ID: 7, Title: "Double eleven", End: time.Now().Add(2 * time.Hour), Places: 2}))
	tea := stock.Key{SKU: 42, Activity: 7}
	must(sales.Offer(ctx, sale.Product{Key: tea, Name: "Tea", Price: decimal.RequireFromString("19.90"), PerBuyer: 2}, 100))
	must(sales.Approve(ctx, 7))

	must(inv.For("ann").Lock(ctx, "o-1", stock.Line{SKU: 42, Activity: 7, Num: 2}))
	must(inv.Pay(ctx, "o-1"))
	for _, line := range must(sales.PriceOf(ctx, "o-1")) {
		fmt.Println(line.Num, "for", line.Sum().StringFixed(line.Places))
	}

	ended := must(sales.End(ctx, 7))
	fmt.Println(ended.State, "ordinary stock:", must(inv.Item(ctx, stock.Key{SKU: 42})).Left)
	// Output:
	// 2 for 39.80
	// ended ordinary stock: 998
}

// A product page asks sales and group buying whether this SKU is in one of them now.
func ExampleSales_Shelf() {
	ctx := context.Background()
	s := newShop(ctx)
	groups := groupbuy.New(&groupbuy.Memory{Stock: s.units}, nil)
	must(groups.Define(ctx, groupbuy.Activity{ID: 8, Title: "Tea week", Formation: time.Hour, End: opening.AddDate(0, 0, 7)}))
	must(groups.Offer(ctx, groupbuy.Product{Key: stock.Key{SKU: 42, Activity: 8}, Terms: groupbuy.Terms{
		Places: 2, Price: decimal.NewFromInt(99), GroupPrice: decimal.NewFromInt(15), People: 3,
	}}, 100))

	for item, err := range s.sales.Shelf(ctx, sale.ShelfQuery{SKU: 42}) {
		fmt.Println(item.Activity.Title, item.Current.StringFixed(item.Places), "ends in", item.EndsIn, err)
	}
	for item, err := range groups.Selling(ctx, 42, 0) {
		fmt.Println(item.Activity.Title, item.GroupPrice.StringFixed(item.Places), "for", item.People, "people", err)
	}
	// Output:
	// Double eleven 19.90 ends in 2h0m0s <nil>
	// Tea week 15.00 for 3 people <nil>
}

// Quote says before the order what its lines cost, and what would refuse them.
func ExampleSales_Quote() {
	ctx := context.Background()
	s := newShop(ctx)
	prices, err := s.sales.For("ann").Quote(ctx, stock.Line{SKU: 42, Activity: 7, Num: 3}, stock.Line{SKU: 43, Activity: 7, Num: 1})
	fmt.Println(err)
	for _, line := range prices {
		fmt.Println(line.SKU, line.Price.StringFixed(line.Places), line.Err)
	}
	// Output:
	// <nil>
	// 42 19.90 stock: over a limit: units per buyer (SKU 42 of activity 7: limit 2, has 0, wanted 3 more)
	// 43 0 holdfast: no such product in this activity (SKU 43 of activity 7)
}

// A price that changes leaves orders with theirs.
func ExampleSales_Revise() {
	ctx := context.Background()
	s := newShop(ctx)
	line := stock.Line{SKU: 42, Activity: 7, Num: 1}
	must(s.inv.For("ann").Lock(ctx, "o-1", line))
	product := must(s.sales.Product(ctx, line.Key())).Product
	product.Price = decimal.RequireFromString("9.90")
	must(s.sales.Revise(ctx, product))
	s.now = s.now.Add(sale.PriceNotice)
	must(s.inv.For("ben").Lock(ctx, "o-2", line))
	for _, order := range []string{"o-1", "o-2"} {
		fmt.Println(order, must(s.sales.PriceOf(ctx, order))[0].Price)
	}
	// Output:
	// o-1 19.9
	// o-2 9.9
}

// Who has changed an activity, and why. The changes of a product are those of its key.
func ExampleSales_ChangesPage() {
	ctx := context.Background()
	s := newShop(ctx)
	s.now = s.now.Add(time.Minute)
	must(s.sales.By("Lin", "the supplier is late").End(ctx, 7))
	for _, key := range []stock.Key{{Activity: 7}, {SKU: 42, Activity: 7}} {
		page := must(s.sales.ChangesPage(ctx, key, stock.PageRequest{Limit: 2}))
		for _, change := range page.Rows {
			fmt.Println(change.Kind, "by", change.Actor+":", change.Reason)
		}
	}
	// Output:
	// end by Lin: the supplier is late
	// remove by Lin: the supplier is late
	// transfer by Lin: the supplier is late
}

// The operators' list of what runs, page by page.
func ExampleSales_ActivitiesPage() {
	ctx := context.Background()
	s := newShop(ctx)
	for ask := (stock.PageRequest{Limit: 20}); ; {
		page := must(s.sales.ActivitiesPage(ctx, sale.Running, ask))
		for _, activity := range page.Rows {
			fmt.Println(activity.ID, activity.Title, activity.State)
		}
		if ask.After = page.Next; page.Next == "" {
			break
		}
	}
	// Output:
	// 7 Double eleven running
}

// shop is what the examples are played in: an activity of two hours that runs, and tea in it, two for each buyer.
type shop struct {
	sales *sale.Sales
	inv   *stock.Inventory
	units *stock.Memory
	now   time.Time
}

func newShop(ctx context.Context) *shop {
	s := &shop{now: opening}
	s.units = &stock.Memory{Clock: func() time.Time { return s.now }}
	s.inv, s.sales = stock.New(s.units, nil), sale.New(&sale.Memory{Stock: s.units}, nil)
	must(s.inv.Define(ctx, stock.Key{SKU: 42}, 1000, stock.Terms{}))
	must(s.sales.Define(ctx, sale.Activity{ID: 7, Title: "Double eleven", End: opening.Add(2 * time.Hour), Places: 2}))
	must(s.sales.Offer(ctx, sale.Product{
		Key: stock.Key{SKU: 42, Activity: 7}, Name: "Tea", Price: decimal.RequireFromString("19.90"), PerBuyer: 2,
	}, 100))
	must(s.sales.Approve(ctx, 7))
	return s
}

// must is for examples, whose subject is something else.
func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}
