package redpacket

import (
	"slices"

	"github.com/holdfast-go/holdfast/stock"
)

// Transition is one row of the state machine of packets. The packet, its item, its shares and the money that goes
// back to its sender change together, or nothing does. A step of a payout does not change its packet: StepPaidOut
// and StepFailed have no row.
type Transition struct {
	Step Step
	From State        // None: the packet begins here
	When stock.Moment // where the store's clock must be relative to the End of the packet
	To   State
	Last State // StepGrab: where the last share leads to; None otherwise

	Confirms bool // it records the sender's payment, which was not recorded before
	Back     bool // what is left is owed to the sender from then on
}

// Transitions returns the whole state machine, in the order of the steps. The caller owns the result.
func Transitions() []Transition { return slices.Clone(table[:]) }

// After returns the row of a step that a packet in this state makes; the zero Transition where there is none.
func (s State) After(step Step) Transition {
	for _, t := range table {
		if t.Step == step && t.From == s {
			return t
		}
	}
	return Transition{}
}

// table is the state machine. A step and the state it starts from are the key of a row. It is never written.
var table = [...]Transition{ //nolint:gochecknoglobals // a constant, but for the language
	{Step: StepSend, From: None, To: Unpaid},
	{Step: StepConfirm, From: Unpaid, When: stock.Live, To: Open, Confirms: true},
	{Step: StepGrab, From: Open, When: stock.Live, To: Open, Last: Finished},
	{Step: StepClose, From: Unpaid, To: Closed},
	{Step: StepClose, From: Open, To: Closed, Back: true},
	{Step: StepExpire, From: Open, When: stock.Dead, To: Expired, Back: true},
	{Step: StepReturn, From: Unpaid, When: stock.Dead, To: Expired, Confirms: true, Back: true},
	{Step: StepReturn, From: Closed, To: Closed, Confirms: true, Back: true},
}
