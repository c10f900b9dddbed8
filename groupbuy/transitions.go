package groupbuy

import (
	"slices"

	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// Step names a transition of a seat.
type Step uint8

// The steps of a seat.
const (
	StepHold   Step = iota + 1 // a buyer opens a team or joins one
	StepPay                    // the seat is paid
	StepRegain                 // a late payment takes a seat again that had expired
	StepCancel                 // the seat is closed, by its buyer or since its team is over
	StepExpire                 // the deadline passed
	StepRefund                 // a paid member leaves, or the team has failed
	StepLate                   // a payment arrived for a seat that is none any more
	StepReturn                 // the money is back
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

// Transition is one row of the state machine of seats. The seat, the counts of its team and the hold of its units
// change together, or nothing does.
type Transition struct {
	Step Step
	Name string
	From []SeatState
	To   SeatState
	Held int64 // what it adds to Team.Held
	Paid int64 // and to Team.Paid; Team.PaidVolume follows with the volume of the seat

	// With is the step of the hold that accompanies it; 0 if the units stay as they are.
	With stock.Step
	// Event is the event that it writes; 0 is none. If it forms or fails the team, there is an event for that as well.
	Event event.Kind
}

// Transitions returns the whole state machine, in the order of the steps. The caller owns the result.
func Transitions() []Transition {
	rows := slices.Clone(table[:])
	for i := range rows {
		rows[i].From = slices.Clone(rows[i].From)
	}
	return rows
}

// table is the state machine; row i is step i+1. It is never written.
var table = [...]Transition{ //nolint:gochecknoglobals // a constant, but for the language
	{Step: StepHold, Name: "hold", From: []SeatState{NoSeat}, To: Held, Held: +1, With: stock.StepLock},
	{Step: StepPay, Name: "pay", From: []SeatState{Held}, To: Paid, Held: -1, Paid: +1, With: stock.StepPay},
	{Step: StepRegain, Name: "regain", From: []SeatState{Expired}, To: Paid, Paid: +1, With: stock.StepReacquire},
	{Step: StepCancel, Name: "cancel", From: []SeatState{Held}, To: Cancelled, Held: -1, With: stock.StepCancel},
	{Step: StepExpire, Name: "expire", From: []SeatState{Held}, To: Expired, Held: -1, With: stock.StepExpire, Event: event.SeatReleased},
	{Step: StepRefund, Name: "refund", From: []SeatState{Paid}, To: RefundDue, Paid: -1, With: stock.StepRefund, Event: event.RefundOwed},
	{Step: StepLate, Name: "late", From: []SeatState{Cancelled, Expired}, To: RefundDue, Event: event.RefundOwed},
	{Step: StepReturn, Name: "return", From: []SeatState{RefundDue}, To: Refunded},
}

// StepFor returns the step of a seat in this state that accompanies a step of its hold; 0 if there is none, because the
// two do not belong together.
func (s SeatState) StepFor(step stock.Step) Step {
	switch {
	case step == stock.StepDiscard: // refunded, and not back on sale: the same for the seat
		step = stock.StepRefund
	case step == stock.StepReacquire && s == Held: // the hold has expired by itself, and the seat is not known to have
		step = stock.StepPay
	}
	for _, t := range table {
		if t.With == step && slices.Contains(t.From, s) {
			return t.Step
		}
	}
	return 0
}

// CatchUpStep returns the step that brings a seat in this state in line with its hold, which was moved without
// it; 0 if the two match already, or if no step helps. Formed says that the seat belongs to a formed team, where
// refunds are those of an ordinary order.
func (s SeatState) CatchUpStep(hold stock.State, formed bool) Step {
	switch {
	case s == Held && hold == stock.Expired:
		return StepExpire
	case s == Held && hold == stock.Cancelled:
		return StepCancel
	case s == Held && (hold == stock.Paid || hold == stock.Redeemed || hold == stock.Refunded):
		return StepPay
	case s == Paid && hold == stock.Refunded && !formed:
		return StepRefund
	}
	return 0
}

// Matches reports whether a seat in this state belongs to a hold in that one.
func (s SeatState) Matches(hold stock.State, formed bool) bool {
	switch s {
	case Held:
		return hold == stock.Locked
	case Paid:
		return hold == stock.Paid || hold == stock.Redeemed || formed && hold == stock.Refunded
	case Cancelled:
		return hold == stock.Cancelled
	case Expired:
		return hold == stock.Expired
	case RefundDue, Refunded:
		return hold == stock.Refunded || hold == stock.Cancelled || hold == stock.Expired // the latter of a late payment
	case NoSeat:
	}
	return false
}
