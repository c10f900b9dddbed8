package redpacket

import (
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/internal/enum"
)

// State is the state of a packet.
type State uint8

// The states of a packet. The numbers are those of the tables.
const (
	None     State = 0 // there is no packet
	Unpaid   State = 1 // its sender's payment has not arrived: nobody can grab
	Open     State = 2 // shares can be grabbed, within its window and while there are any
	Finished State = 3 // every share is gone
	Closed   State = 4 // its sender ended it early; what was left went back
	Expired  State = 5 // its window ended; what was left went back
)

// String returns the state in lower case.
func (s State) String() string {
	return enum.Name("state", s, "none", "unpaid", "open", "finished", "closed", "expired")
}

// Packet is a red packet: an amount of money that its sender lets others grab in shares.
type Packet struct {
	ID     int64
	Sender string
	Places int32           // decimal places of the currency, 0 to 8: 2 for yuan, 0 for yen; no amount may have more
	Total  decimal.Decimal // all of its money
	Count  int64           // shares, 1 to MaxCount
	Equal  bool            // shares of equal size; otherwise they are random
	Min    decimal.Decimal // no share is smaller; 0 is the smallest unit of the currency
	Max    decimal.Decimal // no share is larger; 0 is no bound
	Start  time.Time       // grabbing begins, inclusive; zero is as soon as it is paid
	End    time.Time       // it ends, exclusive; zero is Options.LiveFor after Start, or after Send where that is zero

	// The library sets the following; Send ignores them.

	State       State
	Taken       int64           // shares that were grabbed
	Grabbed     decimal.Decimal // their money (sellMoney)
	Left        decimal.Decimal // money that was not grabbed (stockMoney): Total = Grabbed + Left, always
	Best        *Share          // the best luck: the first of the largest shares; nil before the last share is gone
	CreatedAt   time.Time
	ConfirmedAt time.Time // when its sender's payment was confirmed; zero before
	EndedAt     time.Time // when it became Finished, Closed or Expired; zero before

	Replay bool // set by Send, Confirm and Close: an earlier call had done it, and this one changed nothing
}

// Share is one person's share of a packet.
type Share struct {
	Packet    int64
	No        int64 // its place among the shares of the packet, from 1
	Person    string
	Amount    decimal.Decimal
	GrabbedAt time.Time
	Payout    string // the number of its payout
	Paid      bool   // the payout is confirmed

	Replay bool // set by Grab: an earlier call had done it, and this one changed nothing
}

// Payout is money that is owed: a share to the person who grabbed it, or the leftover of a packet to its
// sender. Its number never changes, so that a bank or wallet that is asked twice pays once.
type Payout struct {
	Number    string // PayoutNumber of the packet and the share
	Packet    int64
	No        int64  // of the share; 0 is what was left
	Person    string // who gets it
	Amount    decimal.Decimal
	Paid      bool
	Failures  int64  // how often PayoutFailed was called
	Reason    string // of the last failure
	DueAt     time.Time
	PaidAt    time.Time // zero before
	CreatedAt time.Time

	Replay bool // set by PaidOut: an earlier call had done it, and this one changed nothing
}

// PayoutNumber returns the number of the payout of a share; share 0 is what was left.
func PayoutNumber(packet, no int64) string { return fmt.Sprintf("%d-%d", packet, no) }
