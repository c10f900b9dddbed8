package redpackettest

import (
	"context"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/internal/wiretest"
	"github.com/holdfast-go/holdfast/redpacket"
	"github.com/holdfast-go/holdfast/stock"
)

// wire stands between packets and their store as a network does: it may break before a call is
// sent, or lose the answer of a call that was done. Calls of the store of the units are named
// "Units.Lock" and the like. Set send and reply before the first call.
type wire struct {
	store redpacket.Store
	send  func(call string) error // before the call; nil lets all of them through
	reply func(call string) error // after a call that was done; nil lets all answers through
}

// unitsPrefix is in front of the names of the calls of the units' store.
const unitsPrefix = "Units."

// changes reports whether a method, as the wire names it, changes something.
func changes(call string) bool {
	if units, ok := strings.CutPrefix(call, unitsPrefix); ok {
		return wiretest.Changes(units)
	}
	switch call {
	case "Record", "Due", "Share", "Shares", "Payouts", "Payout", "Records", "Book":
		return false
	}
	return true
}

// over makes one call over the wire.
func over[T any](w *wire, name string, call func() (T, error)) (T, error) {
	return wiretest.Over(w.send, w.reply, name, call)
}

// over2 makes one call with two results over the wire.
func over2[A, B any](w *wire, name string, call func() (A, B, error)) (A, B, error) {
	return wiretest.Over2(w.send, w.reply, name, call)
}

// Units implements redpacket.Store. It is no call of its own.
func (w *wire) Units() stock.Store {
	units := &wiretest.Stock{Prefix: unitsPrefix, Send: w.send, Reply: w.reply}
	if w.store != nil {
		units.Store = w.store.Units()
	}
	return units
}

// Add implements redpacket.Store.
func (w *wire) Add(ctx context.Context, record redpacket.Record, senderMayGrab bool, liveFor time.Duration) (stock.Verdict, error) {
	return over(w, "Add", func() (stock.Verdict, error) { return w.store.Add(ctx, record, senderMayGrab, liveFor) })
}

// Record implements redpacket.Store.
func (w *wire) Record(ctx context.Context, id int64) (redpacket.Record, time.Time, error) {
	return over2(w, "Record", func() (redpacket.Record, time.Time, error) { return w.store.Record(ctx, id) })
}

// Open implements redpacket.Store.
func (w *wire) Open(ctx context.Context, id int64) (stock.Verdict, error) {
	return over(w, "Open", func() (stock.Verdict, error) { return w.store.Open(ctx, id) })
}

// End implements redpacket.Store.
func (w *wire) End(ctx context.Context, id int64, to redpacket.State) (stock.Verdict, error) {
	return over(w, "End", func() (stock.Verdict, error) { return w.store.End(ctx, id, to) })
}

// Drop implements redpacket.Store.
func (w *wire) Drop(ctx context.Context, id int64) (stock.Verdict, error) {
	return over(w, "Drop", func() (stock.Verdict, error) { return w.store.Drop(ctx, id) })
}

// Return implements redpacket.Store.
func (w *wire) Return(ctx context.Context, id int64) (stock.Verdict, error) {
	return over(w, "Return", func() (stock.Verdict, error) { return w.store.Return(ctx, id) })
}

// Due implements redpacket.Store.
func (w *wire) Due(ctx context.Context, limit int) ([]int64, error) {
	return over(w, "Due", func() ([]int64, error) { return w.store.Due(ctx, limit) })
}

// Share implements redpacket.Store.
func (w *wire) Share(ctx context.Context, packet int64, person string) (redpacket.ShareRecord, bool, error) {
	return over2(w, "Share", func() (redpacket.ShareRecord, bool, error) { return w.store.Share(ctx, packet, person) })
}

// Shares implements redpacket.Store.
func (w *wire) Shares(ctx context.Context, packet, after int64, limit int) ([]redpacket.ShareRecord, error) {
	return over(w, "Shares", func() ([]redpacket.ShareRecord, error) { return w.store.Shares(ctx, packet, after, limit) })
}

// Payouts implements redpacket.Store.
func (w *wire) Payouts(ctx context.Context, after redpacket.Cursor, limit int) ([]redpacket.ShareRecord, error) {
	return over(w, "Payouts", func() ([]redpacket.ShareRecord, error) { return w.store.Payouts(ctx, after, limit) })
}

// Payout implements redpacket.Store.
func (w *wire) Payout(ctx context.Context, packet, no int64) (redpacket.ShareRecord, bool, error) {
	return over2(w, "Payout", func() (redpacket.ShareRecord, bool, error) { return w.store.Payout(ctx, packet, no) })
}

// Paid implements redpacket.Store.
func (w *wire) Paid(ctx context.Context, packet, no int64) (stock.Verdict, error) {
	return over(w, "Paid", func() (stock.Verdict, error) { return w.store.Paid(ctx, packet, no) })
}

// Failed implements redpacket.Store.
func (w *wire) Failed(ctx context.Context, packet, no, failures int64, reason string, retryIn time.Duration) (stock.Verdict, error) {
	return over(w, "Failed", func() (stock.Verdict, error) {
		return w.store.Failed(ctx, packet, no, failures, reason, retryIn)
	})
}

// Records implements redpacket.Store.
func (w *wire) Records(ctx context.Context, after int64, limit int) ([]redpacket.Record, error) {
	return over(w, "Records", func() ([]redpacket.Record, error) { return w.store.Records(ctx, after, limit) })
}

// Book implements redpacket.Store.
func (w *wire) Book(ctx context.Context, id int64) (redpacket.Book, error) {
	return over(w, "Book", func() (redpacket.Book, error) { return w.store.Book(ctx, id) })
}

var _ redpacket.Store = (*wire)(nil)
