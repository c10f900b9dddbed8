// Package groupbuy is group buying (拼团): a product is cheaper for those who find enough others, each team has
// a deadline, and nobody pays for a team that is full, waits in one that is over, or is refunded twice.
//
//	            Open                 the last payment, Form, a minimum at the deadline
//	(nothing) ───────► Forming ───────────────────────────────────────────────► Formed
//	                    │  ▲ │
//	               Join └──┘ └──────────► Failed: every paid member's refund is due
//	                        deadline, Fail, the last member leaves
//
// A buyer has a seat in a team, and the seat has units of stock: it is the hold of an order in the pool of the
// activity, and whatever package stock says of locking, paying, deadlines, late payments, replays and audits
// holds for it. Seat, team and units change together or not at all. The steps of a seat and what they do to its
// team are data: see Transitions.
//
//	             Pay            Refund, team failed              delivered
//	Held ─────────────► Paid ─────────────────────► RefundDue ─────────────► Refunded
//	 │ │                 ▲                              ▲
//	 │ │ deadline        │ late Pay, seat free          │
//	 │ └──────► Expired ─┴──────────────────────────────┤ late Pay
//	 │ Cancel                                           │
//	 └────────► Cancelled ──────────────────────────────┘
//
// What is to happen outside leaves as events, written with the change and delivered at least once, in order for
// each team: that is where a shop turns participations into orders, and pays refunds. See Groups.Deliver.
//
// All rules live in Groups and in the methods of Team; the units are those of a stock.Inventory. A Store keeps
// the books: Memory in this process, sqlstore.GroupBuy in MySQL.
//
//	groups := groupbuy.New(&groupbuy.Memory{Stock: units}, nil)
//	groups.Define(ctx, groupbuy.Activity{ID: 7, Formation: 24 * time.Hour, End: end})
//	groups.Offer(ctx, groupbuy.Product{Key: stock.Key{SKU: 42, Activity: 7}, Terms: terms}, 100) // from ordinary stock
//	seat, err := groups.Open(ctx, groupbuy.Purchase{Order: "o-1", Buyer: 1, Product: key, Volume: one})
//	payment, err := groups.Pay(ctx, "o-1") // payment.Team, and whether it formed it
//
// # What every call promises
//
// The same call with the same arguments may be made again at any time, also concurrently: it returns the first
// result and changes nothing. A call that returns an error has changed nothing, except for ErrUnknown, after
// which the same call settles it. Time is the store's clock: what has a deadline lives strictly before it and is
// dead from it on, whether or not anything has swept it up.
package groupbuy
