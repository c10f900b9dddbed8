package event

import (
	"fmt"
	"time"
)

// Kind is what happened.
type Kind uint8

// The kinds of events. The numbers are those of the tables.
//
// Those of an item compare the units that a Lock could take before and after a change: units that are held count as gone.
// They fire where the change crosses the line, not while the item stays beyond it. A change that empties an item with a low mark
// is both LowStock and SoldOut. A new item, and one whose terms change, has no event, but one that becomes limited or unlimited may,
// and so may one whose Reserve or Backorder changes.
const (
	SoldOut       Kind = 1 // an item had units to sell, and has none now; in the queue of the item
	BackInStock   Kind = 2 // it had none, and has Num now
	LowStock      Kind = 3 // it had more units than its Terms.Low, and has Num now, which is that or less
	HoldExpired   Kind = 4 // the hold of Order has expired, and its units are free; in the queue of the order
	HoldCancelled Kind = 5 // the hold of Order was cancelled; an order that never had a hold is not told of
	OrderPaid     Kind = 6 // Order is paid: by Pay, by Take, or late
	OrderRefunded Kind = 7 // Num units of Order were refunded by the refund Ref
	Offered       Kind = 8 // Order, which has waited, has its units now until the deadline of its hold
	Covered       Kind = 9 // the last of the Num units of an item that Order has waited for has come; in the queue of the order
)

// The kinds of events of group buying. They are always told, in the queue of their team, whose code is Ref; see TeamQueue. SKU and
// Activity are its product. groupbuy.Groups.Handle gives a handler the team and its seats as well.
const (
	TeamFormed    Kind = 10 // its members are to be turned into orders
	MemberAdded   Kind = 11 // the seat of Order was paid after its team, which is by volume, was formed: it is a member as well
	TeamFailed    Kind = 12 // the refunds of its members follow, each as an event of its own
	RefundOwed    Kind = 13 // the money of Order has to go back, once, under the number groupbuy.RefundID(Order)
	SeatReleased  Kind = 14 // the seat of Order was not paid in time, or its team was over before: its order is to be closed
	TeamCorrected Kind = 15 // groupbuy.Groups.Repair has corrected the counts of the team
)

// The kinds of events of flash sales, in the queue of the item of their pool. There is no process that waits for the time: the next
// sale.Sales.Expire, or Run, tells of it. An end that a call of End or Remove brings is told by that call.
const (
	SaleStarted Kind = 16 // the pool SKU of Activity is on sale: its activity is approved and has begun
	SaleEnded   Kind = 17 // a pool that had been on sale is not any more, and what is left goes back to ordinary stock
)

// The kinds of events of coupons, in the queue of the coupon, whose ID is Ref; see CouponQueue. SKU is its campaign, and Buyer has it. The
// next coupon.Coupons.Expire, or Run, tells of the time.
const (
	CouponExpiring Kind = 18 // its validity ends within coupon.Options.ExpiringIn, and nobody has used it
	CouponExpired  Kind = 19 // its validity has ended, and nobody has used it
	CouponReturned Kind = 20 // Order, which had used it, has given it back
)

// kindNames are the kinds in words, by their numbers.
var kindNames = [...]string{ //nolint:gochecknoglobals // a constant, but for the language
	SoldOut: "sold out", BackInStock: "back in stock", LowStock: "low stock",
	HoldExpired: "hold expired", HoldCancelled: "hold cancelled", OrderPaid: "order paid", OrderRefunded: "order refunded", Offered: "offered",
	Covered:    "covered",
	TeamFormed: "team formed", MemberAdded: "member added", TeamFailed: "team failed", RefundOwed: "refund owed",
	SeatReleased: "seat released", TeamCorrected: "team corrected",
	SaleStarted: "sale started", SaleEnded: "sale ended",
	CouponExpiring: "coupon expiring", CouponExpired: "coupon expired", CouponReturned: "coupon returned",
}

// String returns the kind in words.
func (k Kind) String() string {
	if k.Known() {
		return kindNames[k]
	}
	return fmt.Sprintf("event kind %d", uint8(k))
}

// Known reports whether there is such a kind.
func (k Kind) Known() bool { return int(k) < len(kindNames) && kindNames[k] != "" }

// Kinds is a set of kinds. The zero value is empty.
type Kinds uint64

// KindsOf returns the set of some kinds. What is no kind is not in it.
func KindsOf(kinds ...Kind) Kinds {
	var set Kinds
	for _, k := range kinds {
		if k.Known() {
			set |= 1 << k
		}
	}
	return set
}

// Has reports whether one of some kinds is in the set.
func (s Kinds) Has(kinds ...Kind) bool { return s&KindsOf(kinds...) != 0 }

// Event is one thing that happened.
type Event struct {
	ID    int64  // from 1, the same at every delivery; it grows within a queue
	Kind  Kind   // what happened
	Queue string // whose events are delivered in order; see ItemQueue, OrderQueue, TeamQueue and CouponQueue

	SKU, Activity int64     // the item, as stock.Key has it; 0 where the event is not of one item
	Order         string    // empty where the event is not of an order
	Buyer         string    // of the order; empty where it named none
	Ref           string    // the ID of what did it, or of what it is about, where Kind says so
	Num           int64     // units: those that a Lock can take, of an item; those of the order or of its refund; 0 otherwise
	At            time.Time // when it happened, by the store's clock

	Deliveries int64     // how often it was given to a handler, this time among them; a handler that died counts as well
	Failures   int64     // how often a handler returned an error
	Failure    string    // the last of these errors, cut to 1024 bytes
	Poisoned   bool      // it is set aside
	DoneAt     time.Time // when it was done; zero before
}

// String returns the event in words, for logs.
func (e Event) String() string { return fmt.Sprintf("event %d (%v, %s)", e.ID, e.Kind, e.Queue) }

// ItemQueue returns the queue of the events of an item. Activity is 0 for ordinary stock.
func ItemQueue(sku, activity int64) string { return fmt.Sprintf("item/%d/%d", sku, activity) }

// OrderQueue returns the queue of the events of an order.
func OrderQueue(order string) string { return "order/" + order }

// TeamQueue returns the queue of the events of a team.
func TeamQueue(code string) string { return "team/" + code }

// CouponQueue returns the queue of the events of a coupon.
func CouponQueue(id string) string { return "coupon/" + id }

// The most that stores can keep.
const (
	MaxQueue   = 80   // bytes of a queue
	MaxFailure = 1024 // bytes of a failure
)
