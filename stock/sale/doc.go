// Package sale handles flash sales (秒杀, 限时抢购): for a time, some products have another price and units of their own. What is
// left at the end goes back to ordinary stock by itself, once.
//
// You need five types, in this order:
//
//   - [Sales]: all calls of operators and pages
//   - [Activity]: one sale: title, start, end, currency
//   - [Product]: a SKU in it: prices, limits
//   - [ShelfItem]: what a page shows of a product
//   - [LinePrice]: what a line costs
//
// Then read [ShelfQuery], [Series] and [Options]. [Memory] is a store for tests; sqlstore.Sale is the one on MySQL. [Store], and
// the types that only its methods use, are for authors of a store.
//
//	sales := sale.New(sqlstore.NewSale(db, nil), nil)
//	_, err := sales.Define(ctx, sale.Activity{ID: 7, Title: "Double eleven", Start: ten, End: noon, Places: 2})
//	tea := stock.Key{SKU: 42, Activity: 7}
//	_, err = sales.Offer(ctx, sale.Product{Key: tea, ListPrice: list, Price: price, PerBuyer: 1}, 1000) // out of ordinary stock
//	_, err = sales.Approve(ctx, 7)
//	go sales.Run(ctx) // ends it, and returns what is left
//
//	for item, err := range sales.Shelf(ctx, sale.ShelfQuery{}) { … } // the page: price, countdown, percent sold
//
// Orders buy as they always do, from the pool of the activity, by a stock.Inventory over the same tables:
//
//	hold, err := inv.For(buyer).Lock(ctx, order, stock.Line{SKU: 42, Activity: 7, Num: 1})
//	prices, err := sales.PriceOf(ctx, order) // in force when it was locked
//	_, err = inv.Pay(ctx, order)
//
// # States
//
//	        Approve            Start             End, or its time
//	Draft ───────────► Approved ─────► Running ───────────────────► Ended
//	  │                   │               │
//	  └───────────────────┴───────────────┴─ WithdrawSale ─► Withdrawn
//
// The store's clock decides, whether or not anything has swept. A product is Preparing until its units are taken, then Offered,
// then Removed by Remove or with its activity, and Settled once nothing is held any more.
//
// # What it guarantees
//
//   - Ordinary stock has too little for a product: stock.ErrInsufficient. Nothing moves, and the product is not offered.
//   - The end of its time, a call of End and a Remove coincide: the remainder goes back to ordinary stock once.
//   - A hold is not paid at the end: it lives until its deadline and may be paid. If it is cancelled or expires, or a payment is
//     refunded back on sale however late, those units follow with the next Expire.
//   - A price changes: holds keep theirs. A new one comes into force [PriceNotice] later, so that no hold gets a price that its
//     buyer could not have been shown.
//   - A sale repeats daily: each session of a [Series] is made once, a week ahead, by however many processes.
//
// # Operators and pages
//
// By says who makes a change and why. ChangesPage shows it, for a product and for an activity; ActivitiesPage lists activities by
// their state. Shelf says in which sales a SKU or SPU is now; groupbuy.Groups.Selling says it of group buying. The two know nothing
// of each other, so a product page asks both.
//
//	_, err := sales.By("Lin", "the supplier is late").End(ctx, 7)
//
// # Prices
//
// The library says what a unit costs in a sale, from when on, and what an order was locked at. PriceOf says it for ever: show it to
// the buyer, and charge it. The shop knows what things cost in ordinary stock, and decides about coupons, shipping, rounding, taxes,
// and what a buyer is charged in the end. Nothing compares what was charged with the price.
//
// # What every call promises
//
// You can repeat any call with the same arguments at any time, even concurrently. It returns the first result, as a Replay where
// the result has one, and changes nothing. A call that returns an error has changed nothing. There is one exception,
// [ErrUnknown]: no answer came back, and the same call settles it.
package sale
