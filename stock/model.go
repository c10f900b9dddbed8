package stock

import (
	"cmp"
	"fmt"
	"math"
	"time"
)

// Key names one item of stock: a SKU in one pool. Activity 0 is ordinary stock; any other
// number is the pool of that activity (a flash sale, a group buy), which is counted on its own.
type Key struct {
	SKU      int64 // at least 1
	Activity int64 // 0 or more
}

// String returns "SKU 42" or "SKU 42 of activity 7".
func (k Key) String() string {
	if k.Activity == 0 {
		return fmt.Sprintf("SKU %d", k.SKU)
	}
	return fmt.Sprintf("SKU %d of activity %d", k.SKU, k.Activity)
}

// Compare orders keys by SKU, then activity: the order in which stores take their locks.
func (k Key) Compare(other Key) int {
	return cmp.Or(cmp.Compare(k.SKU, other.SKU), cmp.Compare(k.Activity, other.Activity))
}

// Serial returns the ID of the n-th change of its kind that the library itself makes to the item.
func (k Key) Serial(n int64) string { return fmt.Sprintf("%d/%d/%d", k.SKU, k.Activity, n) }

// Line is a number of units of one item.
type Line struct {
	SKU      int64 // at least 1
	Activity int64 // the pool; 0 is ordinary stock
	Num      int64 // units, at least 1
}

// Key returns the item of the line.
func (l Line) Key() Key { return Key{SKU: l.SKU, Activity: l.Activity} }

// Terms are the rules of an item. The zero value is a limited item that is always on sale, with no limit per order or
// buyer. Lock obeys them. Pay, Cancel, Redeem and Refund of an order that has its units ignore them.
type Terms struct {
	SPU       int64     // the product that the SKU belongs to; 0 where there is none
	Unlimited bool      // units are counted, never refused
	OffShelf  bool      // Lock is refused with ErrOffShelf
	Start     time.Time // sale begins, inclusive; zero is always; kept to the microsecond
	End       time.Time // sale ends, exclusive; zero is never
	PerOrder  int64     // units per order at most; 0 is no limit
	PerBuyer  int64     // units per buyer at most, held and bought; 0 is no limit. See Refund.FreesBuyer
	LiveHolds int64     // holds per buyer at most that are neither paid nor over; 0 is no limit
	Low       int64     // available units at which stock is low, for event.LowStock; 0 is never

	Reserve   int64 // safety stock: so many of the units that are there are given to no order; 0 for an unlimited item
	Backorder int64 // so many units may be ordered beyond that, before they are there; 0 for an unlimited item
}

// Item is one SKU in one pool: its terms and its counters at one moment.
type Item struct {
	Key
	Terms
	Quantities
	Version   int64     // grows with every change; 0 is an item that does not exist
	CreatedAt time.Time // by the store's clock
	UpdatedAt time.Time
}

// String returns the item and its counters.
func (i Item) String() string {
	total := fmt.Sprint("total ", i.Total)
	if i.Unlimited {
		total = "unlimited"
	}
	text := fmt.Sprintf("%v: %s, sold %d, locked %d, left %d, refunded %d", i.Key, total, i.Sold, i.Locked, i.Left, i.Refunded)
	if i.Waiting > 0 {
		text += fmt.Sprintf(", waiting %d", i.Waiting)
	}
	if i.Backordered > 0 {
		text += fmt.Sprint(", backordered ", i.Backordered)
	}
	return text
}

// Available returns how many units a Lock could take now, the sale window and limits aside: those that are there and promised to
// nobody, less the Reserve, and the Backorder.
func (i Item) Available() int64 {
	if i.Unlimited {
		return math.MaxInt64 - i.Sold - i.Locked
	}
	free, more := i.Quantities.Available(), i.Backorder-i.Reserve
	switch {
	case max(free, more) <= 0:
		return 0
	case min(free, more) > 0 && free > math.MaxInt64-more:
		return math.MaxInt64
	}
	return max(0, free+more)
}

// AtHand returns the item without its Backorder: who waits is offered units that are there. Stores judge offers by it.
func (i Item) AtHand() Item {
	i.Backorder = 0
	return i
}

// Backorders returns how many of so many units would not be there, if a Lock took them now.
func (i Item) Backorders(num int64) int64 {
	free := i.Quantities.Available()
	switch {
	case i.Unlimited:
		return 0
	case free <= i.Reserve:
		return num
	}
	return max(0, num-(free-i.Reserve))
}

// Coverable returns how many of the units that are Backordered have come, and can be given to the orders that wait for them. The
// Reserve is not given to them either.
func (i Item) Coverable() int64 {
	if i.Unlimited {
		return i.Backordered
	}
	return max(0, min(i.Backordered, i.Quantities.Available()+i.Backordered-i.Reserve))
}

// State is the state of an order's hold.
type State uint8

// The states of a hold. The numbers are those of the tables.
const (
	Unheld    State = 0 // there is no hold
	Locked    State = 1 // units are set aside until the deadline
	Paid      State = 2 // units are sold
	Redeemed  State = 3 // units are sold and handed over (核销)
	Refunded  State = 4 // every unit of the order was refunded
	Cancelled State = 5 // closed by Cancel, or before there ever was a Lock
	Expired   State = 6 // the deadline passed; units are back on sale
	Waiting   State = 7 // it has no units yet, and gets them in its turn
	Archived  State = 8 // finished long ago; only its number is left, see Inventory.Archive
)

// String returns the state in lower case.
func (s State) String() string {
	names := [...]string{"unheld", "locked", "paid", "redeemed", "refunded", "cancelled", "expired", "waiting", "archived"}
	if int(s) < len(names) {
		return names[s]
	}
	return fmt.Sprintf("state %d", uint8(s))
}

// Hold is what one order has set aside or bought. It holds its units strictly before
// Deadline while it is Locked, and for good once it is Paid.
type Hold struct {
	Order     string
	Buyer     string // "" where the Lock named none
	State     State
	Lines     []HoldLine // one for each item, in the order of their keys; none where Cancel came first, or once it is Archived
	Deadline  time.Time  // by the store's clock; when a hold that is Locked dies. While it is Waiting, its place: when it came
	LockedAt  time.Time
	PaidAt    time.Time // zero before Pay; not before Deadline where a late payment was accepted
	UpdatedAt time.Time
	Fence     int64  // how often the order was resolved or amended, or its deadline moved; see Inventory.Resolve
	First     string // once its lines, number or buyer were amended: a digest of what it was first locked with; stores keep it

	// Replay is set by Lock and Take: an earlier call had done it; this one changed nothing.
	Replay bool
	// Beside has the companions that this Lock or Take kept; nil for a replay, and for a hold that was read.
	Beside []Companion
}

// HoldLine is one line of a hold.
type HoldLine struct {
	Line
	Refunded  int64 // units refunded so far
	Restocked int64 // of those, units put back on sale
	Freed     int64 // of those, units given back to the buyer's limit
	Redeemed  int64 // units handed over and not refunded; all that are not refunded, once the order is Redeemed

	Backordered int64 // units that have not come yet, as long as the order is Locked or Paid; they cannot be handed over
}

// dead reports whether a hold is past its deadline at now: it lives strictly before it.
func (h Hold) dead(now time.Time) bool { return !now.Before(h.Deadline) }

// Asked returns the lines that the order asked for, as they are by now.
func (h Hold) Asked() []Line {
	lines := make([]Line, len(h.Lines))
	for i, l := range h.Lines {
		lines[i] = l.Line
	}
	return lines
}

// Usage is what one buyer has of one item.
type Usage struct {
	Held   int64 // units locked
	Bought int64 // units paid for, less those that a refund gave back to the limit
	Holds  int64 // holds that are Locked
}
