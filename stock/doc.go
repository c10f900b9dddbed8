// Package stock is limited stock that cannot be oversold. An order locks units, then pays for them or gives
// them back. Every step may arrive twice, late, or never.
//
// You need five types, in this order:
//
//   - [Inventory]: the stock; its methods are the steps
//   - [Key]: one item: a SKU, in ordinary stock or in the pool of an activity
//   - [Terms]: the rules of an item: sale window, on or off the shelf, limits per order and buyer
//   - [Line]: a number of units of one item
//   - [Hold]: what one order has locked or bought, and until when
//
// Then read [Outcome], [Amendment], [Refund], [Item] and [Options], and for screens [Page] and [PageRequest]. [Memory] is a store
// for tests; sqlstore.Stock is the one on MySQL. [Store], and the types that only its methods use, are for authors of a store.
//
//	inv := stock.New(new(stock.Memory), nil)
//	item, err := inv.Define(ctx, stock.Key{SKU: 42}, 100, stock.Terms{})
//	hold, err := inv.Lock(ctx, "order-1", stock.Line{SKU: 42, Num: 2})
//	outcome, err := inv.Pay(ctx, "order-1")
//
// # States and steps
//
//	          Lock                Pay                 Redeem
//	(nothing) ────► Locked ──────────────► Paid ─────────────► Redeemed
//	   │              │ │                   ▲ │                   │
//	   │ Cancel       │ │ deadline          │ │ Refund of all     │
//	   ▼              │ ▼           late Pay│ ▼                   │
//	Cancelled ◄───────┘ Expired ────────────┘ Refunded ◄──────────┘
//	           Cancel
//
// An item that is sold out may have a queue:
//
//	          Wait           units become free
//	(nothing) ────► Waiting ──────────────────► Locked, and on as above
//	                   │
//	                   └──► Cancelled
//	                 Cancel
//
// Each order has one hold. Each step changes the state of the hold and the counters of its items together, or
// changes nothing. So a step of one order can never use up the units of another.
//
//	                                     total  sold  locked  left  refunded  waiting
//	Lock: an order sets n units aside                   +n
//	Pay: they are sold                           +n     -n     -n
//	Take: Lock and Pay in one step               +n            -n
//	Cancel, Expire: they are free again                 -n
//	Wait: an order waits for n units                                            +n
//	Offer: they are set aside for it                    +n                      -n
//	Leave: Cancel of one that waits                                             -n
//	Redeem, RedeemPart: they are handed over (核销)
//	Refund, back on sale                         -n            +n      +n
//	Refund, not back on sale                                           +n
//	PutBack: what was refunded before            -n            +n
//	Amend: an order gets n more units, or n fewer       ±n
//	Restock, Withdraw: by an operator      ±n                  ±n
//	Transfer: from one pool to another     ±n                  ±n
//	Count: the difference to what is there ±n                  ±n
//
// The table is also data: see [Transitions]. A seventh counter, backordered, has the units that are sold or locked and have not come yet.
//
// # What every call promises
//
// The same call with the same arguments may be made again at any time, also concurrently. It returns the
// first result, as a Replay, and changes nothing.
//
// A call that returns an error has changed nothing. There is one exception, [ErrUnknown]: no answer came
// back, and the same call settles it. Any call may release holds that are past their deadline.
//
// Time is the store's clock. A hold lives strictly before its deadline and is dead from then on, even where
// no sweeper runs.
//
// # Waiting lists
//
// [Inventory.Wait] queues an order for an item that is sold out, under the number that it will have as an order. What becomes free goes
// to those who wait in the transaction that frees it, whatever that does: a cancelled order, one that expires, a refund, a pallet, units
// that come from another pool. So nobody comes between, and no job has to look. Who gets units has a hold with a deadline; tell the
// buyer with event.Offered:
//
//	hold, err := inv.For(buyer).Wait(ctx, order, stock.Line{SKU: 42, Num: 1})
//	if err == nil && hold.State == stock.Waiting {
//		place, length, err := inv.Position(ctx, order)
//	}
//
// # Orders that change
//
// [Inventory.Amend] changes an order that is not paid yet, under its own number and deadline: more units, fewer, others, other pools;
// and it hands an order over to another number or buyer. Use it rather than Cancel and Lock under a second number: no unit is free in
// between, the payment callback finds its order, and limits count one order. With Pay it sells what the order then has, so that what
// the buyer did not pay for is no refund. Each amendment has an ID, since there may be several: a late retry of one changes nothing.
//
// An order that is sent in parcels is redeemed by [Inventory.RedeemPart], one ID for each parcel; what is not handed over can still be
// refunded. [Inventory.PutBack] is for goods that come back after a refund that did not put them on sale.
//
// # Safety stock and backorders
//
// [Terms].Reserve r are units that no order gets: for what breaks, or for the shop at the corner. [Terms].Backorder b are units that may
// be ordered before they are there. Together they move the line up to which a Lock fits: locked + n <= left - r + b. So left is what
// is there, and it is negative where more is paid for than that, down to -b:
//
//	total 10, r = 4, b = 3         available 9: 6 that are there, 3 that are not
//	Lock of 5, then of 2           the second waits for 1 unit: HoldLine.Backordered
//	Pay                            as ever
//	Redeem of the second           ErrBackordered, until the unit has come
//	Restock of 10                  covers it: Redeem works, and event.Covered tells
//
// Units that come are given to the orders that wait, by StepCover, the oldest Lock first. [Inventory.Restock], and whatever else brings
// units, gives them behind its own change, in parts of 500 lines, and says how many it has given. The next [Inventory.Expire], which
// [Inventory.Run] calls, gives the rest: what is left then, what a Cancel, a Refund or a deadline has freed, and what came by a call
// in the caller's transaction. No Lock passes those who wait. A Filter that is Backordered lists them. Nobody waits for units of an
// unlimited item.
//
// Units that have not come can be cancelled, amended away, or refunded, which has to be with Restock. A refund of some units of a line
// takes those that were handed over first, then those that have not come. The reserve stays untouched by all of that; Withdraw and
// Transfer may take it. Lowering Backorder, or raising Reserve, below what is ordered takes nothing from anybody: nothing new fits.
// A [Inventory.Count] that finds fewer units than are promised makes the newest orders wait, without any Backorder.
//
// # After the deadline
//
// Pay of a dead hold returns [ErrExpired]: the buyer has paid, and the units are gone. Refund the buyer, or
// set [Options].LatePay to [Reacquire], which sells the units again if they are still there. Cancel of a dead
// hold returns ErrExpired as well: the units are back already, so close the order.
//
// # Tests without a server
//
// Give the code that binds a store a func, and let the test give another. For rows that go along with a call, the
// program gives a func that returns store.Along(text, args...), and the test one on a [Memory] whose OnAlong keeps the
// rows; the example of [Memory.Along] shows it. For a transaction of the shop, the program gives a func that begins it,
// calls do(tx, store.WithTx(tx)) and commits. The test gives one that calls do(nil, memory). Memory cannot roll
// back, so test what a rollback undoes on a server.
//
// # Lists
//
// A screen asks for a page: [Inventory.ItemsPage], [Inventory.HoldsPage], [Inventory.RefundsPage] and
// [Inventory.ChangesPage]. The page has a cursor, which comes back with the request for the next one. A job reads all of it with an
// iterator: [Inventory.Items], [Inventory.Holds].
//
//	page, err := inv.For(buyer).HoldsPage(ctx, stock.Filter{}, stock.PageRequest{Limit: 20, After: r.FormValue("after")})
//
// By says who makes an operator's change and why, and ChangesPage shows it:
//
//	outcome, err := inv.By("Lin", "a pallet arrived").Restock(ctx, "r-7", stock.Line{SKU: 42, Num: 500})
//
// # Many at once
//
// [Inventory.DefineAll], [Inventory.RestockAll], [Inventory.CancelAll] and [Inventory.AuditAll] take any number of items or orders,
// some hundreds in a transaction, and are ranged over: what comes is done, and what is not ranged over is not done. Each can be
// made again where it was cut off. [Inventory.Items] reads the items of a page by one query.
//
// # Terms and what is there
//
// Several people and programs change an item. [Inventory.ChangeTerms] changes one term and leaves the others, DefineAll is for
// a program that starts and for a form that was read before, and neither undoes what somebody else has changed; Define replaces all
// terms. Units come by Restock and go by Withdraw. Where another system tells how many are there, use [Inventory.Count], which
// knows what is promised. [Inventory.Check] asks whether an order could be locked, and locks nothing.
//
// # Audit and repair
//
// Audit recounts each counter from the holds and the recorded changes, while traffic runs. Never delete holds
// that were paid: the sales are recounted from them. Repair corrects and records each drift, and never lowers
// what was sold.
//
// # Orders of long ago
//
// The holds of a shop grow by every order, and an audit of an item reads all of its holds. [Inventory.Archive] folds those that were
// finished before a time into one change of each item and deletes them, while orders go on. Use it for an item once it has some
// 100,000 finished orders, or for all of them at night: for orders so old that no payment callback, refund or retry of them comes any
// more. What is left of an order is its number, so that it cannot be locked again; every verb of it but Hold and
// Resolve is [ErrArchived]. The same audit balances before, during and after.
//
//	pace := time.NewTicker(40 * time.Millisecond) // a rest between parts, for those who lock meanwhile
//	for n, err := range inv.Archive(ctx, time.Now().AddDate(0, -3, 0), stock.Filter{}, nil) {
//		log.Println(n, err)
//		<-pace.C
//	}
//
// # Several places, and limits over several items
//
// Where units of a SKU are in several warehouses, each is a pool of the SKU. Check asks all of them in one call, the shop chooses, and
// one Lock takes the lines that it has chosen, all or none. Which pool comes first is the shop's to say: the nearest, the fullest, the
// cheapest to ship from. The choice goes into the order row that travels with the Lock, so that a retry locks the same lines and is a
// replay; the example of [Inventory.Check] on places is the whole of it.
//
// Where a buyer may have 2 units of several SKUs and pools together, the allowance is an item of its own: Unlimited, with PerBuyer 2, and
// locked as one more line of as many units. It is checked under the same lock as the units, and what gives them back gives it back; see
// the example of [Terms].
package stock
