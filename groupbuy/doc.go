// Package groupbuy handles group buying (拼团): a product is cheaper for buyers who find enough others. Each team
// has a deadline. Nobody pays for a team that is full, waits in one that is over, or is refunded twice.
//
// You need six types, in this order:
//
//   - [Groups]: all calls
//   - [Activity]: a period in which some products can be bought in teams
//   - [Product]: one such product, with its [Terms]: prices, how a team is formed, minimums
//   - [Purchase]: the request of a buyer
//   - [Seat]: a buyer's place in a team, and its state
//   - [Event]: what your code has to do next: create orders, pay refunds; package event delivers it
//
// Then read [Payment], [Team], [Decision], [Refund] and [Options]. [Memory] is a store for tests;
// sqlstore.GroupBuy is the one on MySQL. [Store], and the types that only its methods use, are for authors of
// a store.
//
//	groups := groupbuy.New(sqlstore.NewGroupBuy(db, nil), &groupbuy.Options{HoldFor: 15 * time.Minute})
//	_, err := groups.Define(ctx, groupbuy.Activity{ID: 7, Formation: 24 * time.Hour, End: end}) // a team has a day
//	cups := stock.Key{SKU: 42, Activity: 7}
//	_, err = groups.Offer(ctx, groupbuy.Product{Key: cups, Terms: groupbuy.Terms{
//		Places: 2, Price: decimal.NewFromInt(30), GroupPrice: decimal.NewFromInt(20), People: 3, // or Volume
//	}}, 1000) // units, taken out of ordinary stock
//
//	one := groupbuy.Purchase{Order: order.ID, Product: cups, Volume: decimal.NewFromInt(1)}
//	seat, err := groups.For(buyer).Open(ctx, one) // or Join(ctx, code, one); seat.Team is the code to pass on
//	payment, err := groups.Pay(ctx, order.ID)
//	switch {
//	case payment.Due: // too late: not an error, so that your transaction commits the refund that is due
//	case payment.Formed: // this payment formed the team of payment.Members
//	}
//	go groups.Run(ctx) // deadlines
//	events := event.New(sqlstore.NewEvents(db, nil), nil)
//	err = events.Run(ctx, groups.Handle(func(ctx context.Context, e groupbuy.Event) error {
//		switch e.Kind {
//		case event.TeamFormed: // create an order for each of e.Members, once
//		case event.MemberAdded: // create an order for e.Seat too: it was paid after its team, by volume, was formed
//		case event.RefundOwed: // pay e.Seat back under the number e.Refund()
//		}
//		return nil // after an error the event is delivered again, later
//	}))
//
// # States and steps
//
//	            Open                 the last payment, Form, a minimum at the deadline
//	(nothing) ───────► Forming ───────────────────────────────────────────────► Formed
//	                    │  ▲ │
//	               Join └──┘ └──────────► Failed: every paid member's refund is due
//	                        deadline, Fail, the last member leaves
//
// A seat is a hold of package stock, in the pool of the activity. The rules of stock for locking, paying,
// deadlines, late payments, replays and audits apply to it. Seat, team and units change together or not at
// all. The steps of a seat and their effects on its team are data: see [Transitions].
//
//	             Pay            Refund, team failed            money is back
//	Held ─────────────► Paid ─────────────────────► RefundDue ─────────────► Refunded
//	 │ │                 ▲                              ▲
//	 │ │ deadline        │ late Pay, seat free          │
//	 │ └──────► Expired ─┴──────────────────────────────┤ late Pay
//	 │ Cancel                                           │
//	 └────────► Cancelled ──────────────────────────────┘
//
// # What it guarantees
//
//   - 50 buyers want the last seat: one gets it, and 49 get [ErrFull]. A seat counts from the moment it is
//     held.
//   - The last two members pay at once: the team is formed once, with one event.
//   - A team by volume of 10.00 gets 4, 4 and 5: it is formed with 13.00. A buyer who holds a seat by then
//     may still pay, and is added.
//   - A payment comes after the seat expired, or the team is full or over: its refund is due, once, with an
//     event. With LatePay: stock.Reacquire, the buyer gets the seat if it is still free.
//   - The deadline passes: the team fails, unless MinPeople or MinVolume is reached. Each paid member's
//     refund is an event of its own.
//   - The sponsor leaves: the member who paid first takes over. The deadline stays. The last to leave ends
//     the team.
//   - An operator forms or fails a team, or refunds a member: actor and reason are kept.
//   - A refund is requested by hand, twice, and by the deadline: there is one refund, under one number.
//   - A buyer asks for the same seat again, after a retry or a double click: it is the same seat. In the same
//     team under another order it is [ErrJoined].
//   - Ordinary stock has too little for an activity: stock.ErrInsufficient. Nothing moves, and the product is
//     not offered.
//   - The activity's end, a call of End and a Remove of its product coincide: the remainder goes
//     back to ordinary stock once. Units of later refunds follow.
//
// # Events
//
// An event is written in the transaction of the change that it reports. Package event delivers it, with those of the shop's
// other stock: at least once, under a stable ID, and in order within its team. [Groups.Handle] gives a handler the team and
// its seats as well, and makes the seat of a refund that it has paid Refunded. A shop that pays refunds elsewhere calls
// [Groups.Return]. A failing event holds up no other team.
//
// Always pay, cancel and refund seats through this package. If something else, such as the stock sweeper, changes a seat's hold,
// the seat is behind until it is looked at: by a call for its order, by the end of its team, or by Repair. Expire finds seats that
// are Held, once they are past their deadline. It does not find a Paid seat whose hold the stock has refunded: until it is looked at,
// its team counts it as paid, and it has no RefundOwed event.
//
// With 256 concurrent callers filling 10,000 teams of one product, seats taken and paid, group buying is 3.5
// times (MySQL) and 2.7 times (MariaDB) as fast as a hand-written transaction of one INSERT and one
// conditional UPDATE, which does no stock, limits or events. Closing 100,000 teams whose deadline passes at
// the same moment takes 30 seconds, with refunds, stock and events: about a tenth of the time that it takes
// one by one.
//
// # What every call promises
//
// You can repeat any call with the same arguments at any time, even concurrently. It returns the first result,
// as a Replay, and changes nothing. A call that returns an error has changed nothing. There is one exception,
// [ErrUnknown]: no answer came back, and the same call settles it.
//
// Time is the store's clock. Anything with a deadline is alive strictly before it and dead from then on, even
// where no sweeper runs.
package groupbuy
