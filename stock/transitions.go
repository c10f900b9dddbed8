package stock

import (
	"math"
	"slices"
)

// Quantities are the seven counters of an item. For a limited item always
//
//	Total = Sold + Left,  0 <= Locked <= Left + Backordered
//
// and nothing but Left is negative. Left is what is there, so it is negative where more units are sold than there are. An unlimited
// item counts Sold, Locked, Refunded and Backordered; its Total and Left stay 0. Waiting is beside the others: what orders wait for,
// they do not have.
//
// In Transition.Delta they say what one unit adds to each counter.
type Quantities struct {
	Total    int64 // units there ever were, less those withdrawn
	Sold     int64 // units paid for and not back on sale
	Locked   int64 // units set aside by holds that are not paid yet
	Left     int64 // units not sold; the locked ones are among them
	Refunded int64 // units ever refunded, back on sale or not
	Waiting  int64 // units that orders wait for; see Inventory.Wait

	Backordered int64 // units that are sold or locked, and have not come yet or are not given to their orders yet
}

// Available returns Left - Locked: the units of a limited item that are there and promised to no order. A Withdraw or a Transfer can
// take them; what a Lock can take is Item.Available. It is negative where more are promised than are there.
func (q Quantities) Available() int64 { return q.Left - q.Locked }

// Times returns n times the quantities. The caller makes sure that nothing overflows; it
// cannot for the changes of the transition table, which are -1, 0 or 1.
func (q Quantities) Times(n int64) Quantities {
	return Quantities{q.Total * n, q.Sold * n, q.Locked * n, q.Left * n, q.Refunded * n, q.Waiting * n, q.Backordered * n}
}

// Plus returns the sum, and ErrOverflow where one counter, or Total and Backordered together, leave the range of int64.
func (q Quantities) Plus(d Quantities) (Quantities, error) {
	for _, c := range []struct {
		counter *int64
		add     int64
	}{
		{&q.Total, d.Total}, {&q.Sold, d.Sold}, {&q.Locked, d.Locked}, {&q.Left, d.Left}, {&q.Refunded, d.Refunded},
		{&q.Waiting, d.Waiting}, {&q.Backordered, d.Backordered},
	} {
		if c.add > 0 && *c.counter > math.MaxInt64-c.add || c.add < 0 && *c.counter < math.MinInt64-c.add {
			return Quantities{}, ErrOverflow
		}
		*c.counter += c.add
	}
	if q.Total > 0 && q.Backordered > math.MaxInt64-q.Total { // stores keep them in one counter
		return Quantities{}, ErrOverflow
	}
	return q, nil
}

// For returns the change as it applies to an item with these terms: the Total and Left of an
// unlimited item do not move.
func (q Quantities) For(t Terms) Quantities {
	if t.Unlimited {
		q.Total, q.Left = 0, 0
	}
	return q
}

// Valid reports whether the counters could be those of an item with these terms.
func (q Quantities) Valid(t Terms) bool {
	if min(q.Total, q.Sold, q.Locked, q.Refunded, q.Waiting, q.Backordered) < 0 {
		return false
	}
	if t.Unlimited {
		return q.Total == 0 && q.Left == 0 && q.Sold <= math.MaxInt64-q.Locked
	}
	return q.Total-q.Sold == q.Left && q.Locked <= q.Left+q.Backordered
}

// Step names a transition.
type Step uint8

// The steps of an item and of its holds.
const (
	StepLock      Step = iota + 1 // an order sets units aside
	StepTake                      // an order buys units at once, with nothing to pay or paid already
	StepCancel                    // the order is closed; its units are free again
	StepExpire                    // the deadline passed; its units are free again
	StepPay                       // the order is paid; its units are sold
	StepReacquire                 // a late payment buys an expired order's units again
	StepRedeem                    // the units are handed over (核销)
	StepRefund                    // units are refunded and back on sale
	StepDiscard                   // units are refunded and not back on sale
	StepRestock                   // an operator adds units
	StepWithdraw                  // an operator takes units away
	StepAmend                     // an order gets other lines, another number or buyer; Inventory.Amend says what follows
	StepPutBack                   // units that were refunded go back on sale after all
	StepWait                      // an order waits for units
	StepOffer                     // units that are free go to an order that waits: they are set aside for it
	StepLeave                     // an order that waits is closed
	StepCover                     // units that have come are given to an order that has waited for them
	StepArchive                   // an order that is over leaves the books; Inventory.Archive says what stays
)

// String returns the name of the step.
func (s Step) String() string { return s.Transition().Name }

// Transition returns the row of the table; the zero Transition for an unknown step.
func (s Step) Transition() Transition {
	if i := int(s) - 1; i >= 0 && i < len(table) {
		return table[i]
	}
	return Transition{}
}

// Moment says where the store's clock has to stand for a transition.
type Moment uint8

// The moments of a hold.
const (
	Anytime Moment = iota
	Live           // strictly before the hold's deadline
	Dead           // at the deadline or after it
)

// Transition is one row of the state machine. The counters of every line of the order change
// by Delta for each unit, together with the state of its hold, or nothing changes.
type Transition struct {
	Step  Step
	Name  string
	From  []State // the states it may start from; none where no hold takes part
	To    State   // the state it leads to; Unheld where the state stays as it is
	When  Moment
	Delta Quantities // for one unit: each -1, 0 or 1
}

// Draws reports whether the transition takes units from what is available, so that it needs
// Left - Locked >= n. It follows from the change: Locked grows, or Left shrinks, by itself.
func (t Transition) Draws() bool { return t.Delta.Locked-t.Delta.Left > 0 }

// Transitions returns the whole state machine, in the order of the steps. The caller owns the
// result. The memory store applies a row of it, the SQL store renders the same row to its
// guarded UPDATE.
func Transitions() []Transition {
	rows := slices.Clone(table[:])
	for i := range rows {
		rows[i].From = slices.Clone(rows[i].From)
	}
	return rows
}

// table is the state machine; row i is step i+1. It is never written.
var table = [...]Transition{ //nolint:gochecknoglobals // a constant, but for the language
	{Step: StepLock, Name: "lock", From: []State{Unheld}, To: Locked, Delta: Quantities{Locked: +1}},
	{Step: StepTake, Name: "take", From: []State{Unheld}, To: Paid, Delta: Quantities{Sold: +1, Left: -1}},
	{Step: StepCancel, Name: "cancel", From: []State{Locked}, To: Cancelled, When: Live, Delta: Quantities{Locked: -1}},
	{Step: StepExpire, Name: "expire", From: []State{Locked}, To: Expired, When: Dead, Delta: Quantities{Locked: -1}},
	{Step: StepPay, Name: "pay", From: []State{Locked}, To: Paid, When: Live, Delta: Quantities{Sold: +1, Locked: -1, Left: -1}},
	{Step: StepReacquire, Name: "reacquire", From: []State{Expired}, To: Paid, Delta: Quantities{Sold: +1, Left: -1}},
	{Step: StepRedeem, Name: "redeem", From: []State{Paid}, To: Redeemed},
	{Step: StepRefund, Name: "refund", From: []State{Paid, Redeemed}, Delta: Quantities{Sold: -1, Left: +1, Refunded: +1}},
	{Step: StepDiscard, Name: "discard", From: []State{Paid, Redeemed}, Delta: Quantities{Refunded: +1}},
	{Step: StepRestock, Name: "restock", Delta: Quantities{Total: +1, Left: +1}},
	{Step: StepWithdraw, Name: "withdraw", Delta: Quantities{Total: -1, Left: -1}},
	{Step: StepAmend, Name: "amend", From: []State{Locked, Paid}},
	{Step: StepPutBack, Name: "put back", From: []State{Paid, Redeemed, Refunded}, Delta: Quantities{Sold: -1, Left: +1}},
	{Step: StepWait, Name: "wait", From: []State{Unheld}, To: Waiting, Delta: Quantities{Waiting: +1}},
	{Step: StepOffer, Name: "offer", From: []State{Waiting}, To: Locked, Delta: Quantities{Locked: +1, Waiting: -1}},
	{Step: StepLeave, Name: "leave", From: []State{Waiting}, To: Cancelled, Delta: Quantities{Waiting: -1}},
	{Step: StepCover, Name: "cover", From: []State{Locked, Paid}, Delta: Quantities{Backordered: -1}},
	{Step: StepArchive, Name: "archive", From: []State{Paid, Redeemed, Refunded, Cancelled, Expired}},
}

// backorders reports whether units of a hold in this state may be such that have not come yet.
func (s State) backorders() bool { return s == Locked || s == Paid }

// Weight returns what one unit of a hold in this state contributes to the counters of its
// item: the sum of the changes on the way there. Audit recounts with it.
func (s State) Weight() Quantities {
	switch s {
	case Locked:
		return Quantities{Locked: 1}
	case Paid, Redeemed, Refunded:
		return Quantities{Sold: 1}
	case Waiting:
		return Quantities{Waiting: 1}
	case Unheld, Cancelled, Expired, Archived:
	}
	return Quantities{}
}
