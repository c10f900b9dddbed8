// Package redpacket is red packets (红包): an amount of money that one person sends and others grab in
// shares, which add up to it exactly, whatever arrives twice, late, or never.
//
//	        Confirm          the last share
//	Unpaid ─────────► Open ──────────────────► Finished
//	  │                 │
//	  │ Close           ├── Close ──► Closed ───┐
//	  ▼                 │                       ├─► what was left goes back to its sender
//	Closed              └── Expire ─► Expired ──┘
//
// A packet that is paid after it was closed or after its End is never Open: all of it goes back.
//
// A grab is a unit of stock that is taken, and the share that goes with it: both are booked in one
// transaction, and so is that its money is owed. Paying it out is another matter, which may fail or remain
// unknown for days: Payouts lists what is owed, each under a number that stays the same for ever, and
// PaidOut and PayoutFailed record what became of it.
//
// All rules live in Packets. A Store keeps the books: Memory in this process, sqlstore.RedPacket in
// MySQL, where grabs of one packet that come together are merged as Locks of one SKU are. How money is
// divided is Split.
//
//	packets := redpacket.New(new(redpacket.Memory), nil)
//	packets.Send(ctx, redpacket.Packet{ID: 7, Sender: 1001, Places: 2, Total: decimal.NewFromInt(100), Count: 10})
//	packets.Confirm(ctx, 7) // the sender's payment arrived
//	share, err := packets.Grab(ctx, 7, 1002)
//
// # What every call promises
//
// The same call with the same arguments may be made again at any time, also concurrently: it returns the
// first result and changes nothing; PayoutFailed alone counts each call. A call that returns an error has
// changed nothing, except for ErrUnknown, after which the same call settles it. Time is the store's clock:
// a packet can be grabbed strictly before its End, whether or not anything has ended it by then.
//
// Amounts are decimals in the currency's own unit, with no more places than it has; they are kept as whole
// numbers of its smallest.
package redpacket
