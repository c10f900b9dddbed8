package coupon

import (
	"slices"

	"github.com/holdfast-go/holdfast/stock"
)

// Step names a transition of the use of a coupon.
type Step uint8

// The steps of a use.
const (
	StepReserve Step = iota + 1 // an order sets the coupon aside
	StepRedeem                  // the order that reserved it uses it
	StepSpend                   // an order uses it that did not reserve it, or whose reservation lapsed
	StepRelease                 // the order gives its reservation up
	StepForgo                   // an order that has no reservation gives it up for good
	StepReturn                  // the order that used it gives it back
)

// String returns the name of the step.
func (s Step) String() string { return s.Transition().Name }

// Transition returns the row of the table; the zero Transition for a step that is none.
func (s Step) Transition() Transition {
	if i := int(s) - 1; i >= 0 && i < len(table) {
		return table[i]
	}
	return Transition{}
}

// Transition is one row of the state machine of uses. The use and its coupon change together, or
// nothing does. Claiming and paying for a coupon is the state machine of stock.
type Transition struct {
	Step Step
	Name string
	From UseState     // the state that the use is in
	When stock.Moment // where the store's clock must be relative to the deadline of that state
	New  bool         // or there is no use yet: it begins here
	To   UseState     // the state that the use gets

	// Takes demands that the coupon is free and within its validity.
	Takes bool

	// Coupon is the new state of the coupon; None leaves it alone. The coupon then belongs to the order, or with
	// Usable to none. Without Takes the coupon must still be the order's: a use that is Reserved implies that only
	// at a moment behind the lock of the coupon.
	Coupon State
}

// Transitions returns the whole state machine, in the order of the steps. The caller owns the result.
// The memory store applies its rows, and the SQL store turns the same rows into guarded UPDATEs.
func Transitions() []Transition { return slices.Clone(table[:]) }

// table is the state machine; row i is step i+1. It is never written.
var table = [...]Transition{ //nolint:gochecknoglobals // a constant, but for the language
	{Step: StepReserve, Name: "reserve", From: UseReserved, When: stock.Dead, New: true, To: UseReserved, Takes: true, Coupon: Reserved},
	{Step: StepRedeem, Name: "redeem", From: UseReserved, When: stock.Live, To: UseRedeemed, Coupon: Redeemed},
	{Step: StepSpend, Name: "spend", From: UseReserved, When: stock.Dead, New: true, To: UseRedeemed, Takes: true, Coupon: Redeemed},
	{Step: StepRelease, Name: "release", From: UseReserved, When: stock.Live, To: UseReleased, Coupon: Usable},
	{Step: StepForgo, Name: "forgo", From: UseReserved, When: stock.Dead, New: true, To: UseReleased},
	{Step: StepReturn, Name: "return", From: UseRedeemed, To: UseReturned, Coupon: Usable},
}
