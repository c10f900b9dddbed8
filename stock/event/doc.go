// Package event delivers what happened to the rest of a shop: an item is sold out, back or low, a hold has expired, an
// order is paid, a team is formed, a refund is owed.
//
// A store writes an event in the transaction of the change that it tells of. So there is an event for each change that was
// committed, and none for one that was not. Events delivers each at least once, under an ID that stays the same:
//
//	store := sqlstore.NewStock(db, &sqlstore.Options{Tell: []event.Kind{event.SoldOut, event.HoldExpired}})
//	events := event.New(sqlstore.NewEvents(db, nil), nil)
//	err := events.Run(ctx, func(ctx context.Context, e event.Event) error {
//		switch e.Kind {
//		case event.SoldOut:
//			return pages.SoldOut(ctx, e.SKU, e.Activity)
//		case event.HoldExpired:
//			return orders.Close(ctx, e.Order)
//		}
//		return nil
//	})
//
// # Order
//
// Each event has a Queue: that of its item, order, team or coupon. The events of one queue are delivered one after the other, in the
// order in which their changes were committed. There is no order between queues. While an event fails, the later ones of its queue
// wait, and all others go on.
//
// # Kinds
//
//	of an item    SoldOut, BackInStock, LowStock; SaleStarted, SaleEnded
//	of an order   HoldExpired, HoldCancelled, OrderPaid, OrderRefunded, Offered, Covered
//	of a team     TeamFormed, MemberAdded, TeamFailed, RefundOwed, SeatReleased, TeamCorrected
//	of a coupon   CouponExpiring, CouponExpired, CouponReturned
//
// Those of teams are always told, the others as far as Options.Tell names them, and whatever is not told costs nothing.
// Most are told by the call that brings them about. That a time has come, of SaleStarted, of a sale that ends by itself,
// and of the validity of a coupon, is told by the next Expire of its package, which Run calls: no process waits for the
// time.
//
// # At least once
//
// A BatchHandler has Options.LeaseFor for its events, and a Handler half of it. If it does not come back, because its process has
// died, another process is given them when LeaseFor has ended. So a handler has to recognise what it has done: by Event.ID, kept in
// the transaction in which it does it, or because doing it again changes nothing.
//
// An event whose handler returns an error comes again after a pause that doubles each time. After Options.MaxFailures errors it is
// set aside: see Poisoned and Redeliver.
//
// # One stream
//
// There is one stream of events, and an event is done once one handler has done it. Where a search index, an ERP and a web page all
// want to know, one handler tells all of them, or passes the event to a message broker that does. Any number of processes may
// deliver at once; they share the work.
//
// Events that are done stay, for whoever wants to read what happened. Prune deletes them.
package event
