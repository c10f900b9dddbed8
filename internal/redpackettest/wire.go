package redpackettest

import (
	"context"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/redpacket"
	"github.com/holdfast-go/holdfast/stock"
)

// over returns packets over a wire.
func (s *scene) over(w suite.Wire) *redpacket.Packets {
	return s.packets.On(&wire{w, suite.InTurn(s.Store)})
}

// Turns returns stores on the same tables as one store, whose calls they get in turn.
func Turns(stores ...redpacket.Store) redpacket.Store {
	return &wire{suite.Through(), suite.InTurn(stores...)}
}

// A wire is a store behind a wire.
type wire struct {
	suite.Wire

	store func() redpacket.Store // whose turn it is
}

// Units is no call itself: nothing is sent.
func (w *wire) Units() stock.Store {
	return suite.WireUnits(func() stock.Store { return w.store().Units() }, w.Wire, nil)
}

func (w *wire) Add(ctx context.Context, record redpacket.Record, senderMayGrab bool, liveFor time.Duration) (stock.Verdict, error) {
	return suite.Over(w.Wire, w.store().Add)(ctx, record, senderMayGrab, liveFor)
}

func (w *wire) Record(ctx context.Context, id int64) (redpacket.Record, time.Time, error) {
	return suite.Over(w.Wire, w.store().Record)(ctx, id)
}

func (w *wire) Open(ctx context.Context, id int64) (stock.Verdict, error) {
	return suite.Over(w.Wire, w.store().Open)(ctx, id)
}

func (w *wire) End(ctx context.Context, id int64, to redpacket.State) (stock.Verdict, error) {
	return suite.Over(w.Wire, w.store().End)(ctx, id, to)
}

func (w *wire) Drop(ctx context.Context, id int64) (stock.Verdict, error) {
	return suite.Over(w.Wire, w.store().Drop)(ctx, id)
}

func (w *wire) Return(ctx context.Context, id int64) (stock.Verdict, error) {
	return suite.Over(w.Wire, w.store().Return)(ctx, id)
}

func (w *wire) Due(ctx context.Context, limit int) ([]int64, error) {
	return suite.Over(w.Wire, w.store().Due)(ctx, limit)
}

func (w *wire) Share(ctx context.Context, packet int64, person string) (redpacket.ShareRecord, bool, error) {
	return suite.Over(w.Wire, w.store().Share)(ctx, packet, person)
}

func (w *wire) Shares(ctx context.Context, packet, after int64, limit int) ([]redpacket.ShareRecord, error) {
	return suite.Over(w.Wire, w.store().Shares)(ctx, packet, after, limit)
}

func (w *wire) Payouts(ctx context.Context, after redpacket.Cursor, limit int) ([]redpacket.ShareRecord, error) {
	return suite.Over(w.Wire, w.store().Payouts)(ctx, after, limit)
}

func (w *wire) Payout(ctx context.Context, packet, no int64) (redpacket.ShareRecord, bool, error) {
	return suite.Over(w.Wire, w.store().Payout)(ctx, packet, no)
}

func (w *wire) Paid(ctx context.Context, packet, no int64) (stock.Verdict, error) {
	return suite.Over(w.Wire, w.store().Paid)(ctx, packet, no)
}

func (w *wire) Failed(ctx context.Context, packet, no, failures int64, reason string, retryIn time.Duration) (stock.Verdict, error) {
	return suite.Over(w.Wire, w.store().Failed)(ctx, packet, no, failures, reason, retryIn)
}

func (w *wire) Records(ctx context.Context, after int64, limit int) ([]redpacket.Record, error) {
	return suite.Over(w.Wire, w.store().Records)(ctx, after, limit)
}

func (w *wire) Sent(ctx context.Context, sender string, after redpacket.Record, limit int) ([]redpacket.Record, error) {
	return suite.Over(w.Wire, w.store().Sent)(ctx, sender, after, limit)
}

func (w *wire) Mine(ctx context.Context, person string, after redpacket.ShareRecord, limit int) ([]redpacket.ShareRecord, error) {
	return suite.Over(w.Wire, w.store().Mine)(ctx, person, after, limit)
}

func (w *wire) Book(ctx context.Context, id int64) (redpacket.Book, error) {
	return suite.Over(w.Wire, w.store().Book)(ctx, id)
}
