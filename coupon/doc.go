// Package coupon is coupons that cannot be given out too often or used twice: campaigns of which buyers
// claim coupons, for nothing or for money, and orders that use them.
//
//	           Claim             Reserve             Redeem
//	(nothing) ───────► Usable ───────────► Reserved ────────► Redeemed
//	    │       Pay ▲  │ ▲ ▲                  │                  │
//	    │ Lock  ┌───┘  │ │ └──────────────────┘                  │
//	    ▼       │      │ │   Release, deadline                   │
//	 Pending ───┘      │ └───────────────────────────────────────┘
//	    │              │                  Return
//	    ▼ Cancel,      ▼ Refund, Revoke
//	 Dropped deadline  Refunded, Revoked
//
// Redeem also takes a Usable coupon that nobody has reserved.
//
// Package stock counts them: a campaign is an item, a claim is an order, and whatever that says of limits,
// late payments, replays and audits holds here. What an order does with a coupon is a second state machine,
// and data as well: see Transitions. A claim and its coupon, and a use and its coupon, change together or
// not at all.
//
// All rules live in Coupons. A Store keeps the books: Memory in this process, sqlstore.Coupon in MySQL.
//
//	coupons := coupon.New(new(coupon.Memory), nil)
//	coupons.Define(ctx, 7, 1000, coupon.Rules{PerBuyer: 1}, terms)
//	c, err := coupons.For(buyer).Claim(ctx, "claim-1", 7)
//	use, err := coupons.Reserve(ctx, c.ID, "order-1", total) // placed: use.Discount is off
//	use, err = coupons.Redeem(ctx, c.ID, "order-1", total)   // paid
//
// # What every call promises
//
// The same call with the same arguments may be made again at any time, also concurrently: it returns the
// first result and changes nothing. A call that returns an error has changed nothing, except for
// ErrUnknown, after which the same call settles it. Time is the store's clock: what has a deadline lives
// strictly before it and is dead from it on, whether or not anything has swept it up.
package coupon
