// Package stock is limited stock that cannot be oversold: an order locks units, pays for them
// or gives them back, and every step may arrive twice, late, or never.
//
//	          Lock                Pay                 Redeem
//	(nothing) ────► Locked ──────────────► Paid ─────────────► Redeemed
//	   │              │ │                   ▲ │                   │
//	   │ Cancel       │ │ deadline          │ │ Refund of all     │
//	   ▼              │ ▼           late Pay│ ▼                   │
//	Cancelled ◄───────┘ Expired ────────────┘ Refunded ◄──────────┘
//	           Cancel
//
// Each order has a hold, and each step moves the state of the hold and the counters of its
// items together or not at all, so that a step of one order can never eat another order's units.
// The steps and what they do to the counters are data: see Transitions.
//
// All rules live in Inventory. A Store keeps the books: Memory in this process, sqlstore.Stock
// in MySQL, where a step is one guarded UPDATE.
//
//	inv := stock.New(new(stock.Memory), nil)
//	inv.Define(ctx, stock.Key{SKU: 42}, 100, stock.Terms{})
//	hold, err := inv.Lock(ctx, "order-1", stock.Line{SKU: 42, Num: 2})
//	outcome, err := inv.Pay(ctx, "order-1")
//
// # What every call promises
//
// The same call with the same arguments may be made again at any time, also concurrently: it
// returns the first result and changes nothing. A call that returns an error has changed
// nothing, except for ErrUnknown, after which the same call settles it; holds that were dead may have
// been released on the way, as any call may do. Time is the store's
// clock: a hold lives strictly before its deadline and is dead from it on, whether or not
// anything has swept it up.
package stock
