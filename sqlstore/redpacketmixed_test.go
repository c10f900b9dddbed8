package sqlstore_test

import (
	"context"
	"database/sql"
	"time"

	"github.com/holdfast-go/holdfast/redpacket"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// mixedRedPackets are red packets by turns; see turns.
type mixedRedPackets struct {
	turns[*sqlstore.RedPacket]
	units *mixed
}

func newMixedRedPackets(db *sql.DB) boundRedPackets {
	merged, unmerged := sqlstore.NewRedPacket(db, &together).AlwaysBatch(), sqlstore.NewRedPacket(db, &alone)
	return &mixedRedPackets{turns: turns[*sqlstore.RedPacket]{merged: merged, unmerged: unmerged}, units: mixedUnits(merged, unmerged)}
}

func (m *mixedRedPackets) WithTx(tx sqlstore.Tx) *sqlstore.RedPacket { return m.turn().WithTx(tx) }

func (m *mixedRedPackets) Units() stock.Store { return m.units }

func (m *mixedRedPackets) Add(ctx context.Context, record redpacket.Record, senderMayGrab bool, liveFor time.Duration) (stock.Verdict, error) {
	return m.turn().Add(ctx, record, senderMayGrab, liveFor)
}

func (m *mixedRedPackets) Record(ctx context.Context, id int64) (redpacket.Record, time.Time, error) {
	return m.turn().Record(ctx, id)
}

func (m *mixedRedPackets) Open(ctx context.Context, id int64) (stock.Verdict, error) {
	return m.turn().Open(ctx, id)
}

func (m *mixedRedPackets) End(ctx context.Context, id int64, to redpacket.State) (stock.Verdict, error) {
	return m.turn().End(ctx, id, to)
}

func (m *mixedRedPackets) Drop(ctx context.Context, id int64) (stock.Verdict, error) {
	return m.turn().Drop(ctx, id)
}

func (m *mixedRedPackets) Return(ctx context.Context, id int64) (stock.Verdict, error) {
	return m.turn().Return(ctx, id)
}

func (m *mixedRedPackets) Due(ctx context.Context, limit int) ([]int64, error) {
	return m.turn().Due(ctx, limit)
}

func (m *mixedRedPackets) Share(ctx context.Context, packet int64, person string) (redpacket.ShareRecord, bool, error) {
	return m.turn().Share(ctx, packet, person)
}

func (m *mixedRedPackets) Shares(ctx context.Context, packet, after int64, limit int) ([]redpacket.ShareRecord, error) {
	return m.turn().Shares(ctx, packet, after, limit)
}

func (m *mixedRedPackets) Payouts(ctx context.Context, after redpacket.Cursor, limit int) ([]redpacket.ShareRecord, error) {
	return m.turn().Payouts(ctx, after, limit)
}

func (m *mixedRedPackets) Payout(ctx context.Context, packet, no int64) (redpacket.ShareRecord, bool, error) {
	return m.turn().Payout(ctx, packet, no)
}

func (m *mixedRedPackets) Paid(ctx context.Context, packet, no int64) (stock.Verdict, error) {
	return m.turn().Paid(ctx, packet, no)
}

func (m *mixedRedPackets) Failed(ctx context.Context, packet, no, failures int64, reason string, retryIn time.Duration) (stock.Verdict, error) {
	return m.turn().Failed(ctx, packet, no, failures, reason, retryIn)
}

func (m *mixedRedPackets) Records(ctx context.Context, after int64, limit int) ([]redpacket.Record, error) {
	return m.turn().Records(ctx, after, limit)
}

func (m *mixedRedPackets) Book(ctx context.Context, id int64) (redpacket.Book, error) {
	return m.turn().Book(ctx, id)
}
