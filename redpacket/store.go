package redpacket

import (
	"context"
	"strconv"
	"time"

	"github.com/holdfast-go/holdfast/internal/input"
	"github.com/holdfast-go/holdfast/stock"
)

// Store keeps packets, shares and payouts. It is mechanical, like stock.Store, and follows the same rules:
// methods are safe for concurrent use, and a change is atomic. Errors match ErrUnavailable, ErrStore, ErrDrift
// or ErrOverflow if nothing was done, and ErrUnknown if that is not known. Time is the store's own clock in
// whole microseconds, UTC. Memory and sqlstore.RedPacket implement it.
//
// A store may carry what the shop does in the transaction of a call; see sqlstore.RedPacket.Along. Its calls then do that where they
// change anything. It also has a method Plain() Store, which returns the same store without it, for Packets to make
// sweeps with.
type Store interface {
	// Units returns the store of the shares of all packets, of which grabs are the orders: a packet is the
	// item whose SKU is its ID, a share is one unit, and the order of a grab is GrabID of the packet and
	// the person, and names no buyer. A Lock by StepTake carries its Grab: in the same transaction it also books the
	// ShareRecord that Record.Take returns for the person, which the hold then has Beside it, and keeps the packet as it
	// then is. A Lock that would take a unit is ErrDrift where the packet has no share to book, or where the Grab is
	// missing or is that of another order.
	Units() stock.Store

	// Add records a packet that is Unpaid, with an item of as many units as it has shares, off
	// the shelf and with its window; and unless senderMayGrab closes the sender's grab beforehand. A record
	// with a zero End gets the clock plus liveFor for it. Exists where the ID is taken.
	Add(ctx context.Context, record Record, senderMayGrab bool, liveFor time.Duration) (stock.Verdict, error)

	// Record returns a packet as it is now, and the clock. State is None where there is none.
	Record(ctx context.Context, id int64) (Record, time.Time, error)

	// Open moves a packet from Unpaid to Open, and puts its item on the shelf. Refused if it is
	// not Unpaid, or its End has come.
	Open(ctx context.Context, id int64) (stock.Verdict, error)

	// End moves an Open packet to Closed, or to Expired if its End has come. It takes its item off the
	// shelf, waits for grabs that are under way, and books what is left as a payout to the sender, the
	// share with No 0. Refused otherwise.
	End(ctx context.Context, id int64, to State) (stock.Verdict, error)

	// Drop moves an Unpaid packet to Closed. Nothing was paid, so nothing goes back.
	Drop(ctx context.Context, id int64) (stock.Verdict, error)

	// Return books all of the money as a payout to the sender, the share with No 0, for a packet that was
	// paid too late: one that is Unpaid whose End has come, which becomes Expired, or one that is
	// Closed and was never confirmed. It counts as confirmed then. Refused otherwise.
	Return(ctx context.Context, id int64) (stock.Verdict, error)

	// Due returns up to limit packets that are Open and whose End has come.
	Due(ctx context.Context, limit int) ([]int64, error)

	// Share returns the share of a person, and false where there is none.
	Share(ctx context.Context, packet int64, person string) (ShareRecord, bool, error)

	// Shares returns up to limit shares of a packet after a No, by No. The leftover is not one of
	// them.
	Shares(ctx context.Context, packet, after int64, limit int) ([]ShareRecord, error)

	// Payouts returns up to limit payouts that are neither paid nor put off beyond now, ordered by due time,
	// then packet, then No, after the cursor of the last one seen before.
	Payouts(ctx context.Context, after Cursor, limit int) ([]ShareRecord, error)

	// Payout returns a payout by its packet and No; false where there is none.
	Payout(ctx context.Context, packet, no int64) (ShareRecord, bool, error)

	// Paid marks a payout as paid. Refused where it is paid or does not exist.
	Paid(ctx context.Context, packet, no int64) (stock.Verdict, error)

	// Failed counts a failure of a payout, keeps the reason, and puts it off for a while. Refused where it
	// is paid or does not exist, or has failed another number of times than failures.
	Failed(ctx context.Context, packet, no, failures int64, reason string, retryIn time.Duration) (stock.Verdict, error)

	// Records returns up to limit packets behind an ID, by ID.
	Records(ctx context.Context, after int64, limit int) ([]Record, error)

	// Sent returns up to limit packets of a sender behind another, the newest first: by CreatedAt, then by ID, both descending. Of
	// after only these two count; a zero CreatedAt is the beginning.
	Sent(ctx context.Context, sender string, after Record, limit int) ([]Record, error)

	// Mine returns up to limit shares of a person behind another, the newest first: by CreatedAt, then by Packet, both descending. Of
	// after only these two count; a zero CreatedAt is the beginning. Leftovers are not among them.
	Mine(ctx context.Context, person string, after ShareRecord, limit int) ([]ShareRecord, error)

	// Book returns a packet and its recount from its shares, both of the same moment. Its State is
	// None where there is no packet.
	Book(ctx context.Context, id int64) (Book, error)
}

// Record is a packet as it is kept: its money in the smallest unit of its currency.
type Record struct {
	ID         int64
	Sender     string
	Places     int32
	Split      Split
	Start, End time.Time
	OwnEnd     bool // End was given, not added by Add

	State   State
	Taken   int64 // shares
	Grabbed int64 // money
	Left    int64 // money

	// The largest share so far, of several the first; BestNo 0 where there is none.
	BestNo, BestMoney int64
	BestPerson        string
	BestAt            time.Time

	CreatedAt, ConfirmedAt, EndedAt time.Time
}

// ShareRecord is a share as it is kept, with its payout.
type ShareRecord struct {
	Packet, No int64
	Person     string
	Places     int32
	Money      int64
	Paid       bool
	Failures   int64
	Reason     string // of the last failure

	CreatedAt, DueAt, PaidAt time.Time
}

// Cursor is a place in the list of payouts.
type Cursor struct {
	DueAt      time.Time
	Packet, No int64 // packet 0 is the beginning
}

// Book is a packet and its recount.
type Book struct {
	Record
	Shares    int64 // how many shares there are, that of what was left aside
	Money     int64 // what they add up to
	Remainder int64 // what was left, as it was booked; -1 where nothing was booked
	Holds     int64 // grabs that took a unit
}

// GrabID returns the order number of a person's grab: the packet's ID, a dash and the person. If that is too long for
// an order number, another mark and a digest of the person follow the ID instead.
func GrabID(packet int64, person string) string {
	id := strconv.FormatInt(packet, 10)
	if len(id)+1+len(person) > input.MaxID {
		return id + "#" + input.Digest(person)
	}
	return id + "-" + person
}

// Grab is the stock.Companion of an order that takes a share: it says whose the share is to be.
type Grab struct {
	Packet int64
	Person string
}

// Companion implements stock.Companion.
func (Grab) Companion() string { return "grab" }

// Of reports whether an order is that of the grab.
func (g Grab) Of(order string, lines []stock.Line) bool {
	return order == GrabID(g.Packet, g.Person) && len(lines) == 1 && lines[0] == (stock.Line{SKU: g.Packet, Num: 1})
}

// Companion implements stock.Companion: a grab is stored as its share.
func (ShareRecord) Companion() string { return "share" }
