package sqlstore_test

import (
	"context"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/redpacket"
	"github.com/holdfast-go/holdfast/sqlstore"
)

// fromWho sends all packets of these tests; people are numbered from 1,000 on, in decimal digits.
const fromWho = "1"

// purse is red packets on a database of their own.
type purse struct {
	*redpacket.Packets
	fixture
	store *sqlstore.RedPacket
}

// openPurse returns a purse with a frozen clock.
func openPurse(t testing.TB) *purse {
	t.Helper()
	f := frozen(t, defaults, redPacketTables)
	store := sqlstore.OneByOne(sqlstore.NewRedPacket(f.db.DB, nil))
	return &purse{Packets: redpacket.New(store, nil), fixture: f, store: store}
}

// process returns the same red packets as another process has them.
func (p *purse) process(opts *sqlstore.Options) *redpacket.Packets {
	p.t.Helper()
	return redpacket.New(sqlstore.NewRedPacket(p.another().DB, opts), nil)
}

// packetOf is a packet of an amount of fen in random shares.
func packetOf(id, total, count int64) redpacket.Packet {
	return redpacket.Packet{ID: id, Sender: fromWho, Places: 2, Total: decimal.New(total, -2), Count: count}
}

// fill sends a packet that is paid.
func (p *purse) fill(id, total, count int64) {
	p.t.Helper()
	require.NoError(p.t, of(p.Send(p.t.Context(), packetOf(id, total, count))))
	require.NoError(p.t, of(p.Confirm(p.t.Context(), id)))
}

// balanced demands how many shares of a packet are gone, that all books balance, and that what was grabbed
// and what goes back, or is left, are the total to the cent.
func (p *purse) balanced(id, taken int64, state redpacket.State) {
	p.t.Helper()
	ctx := p.t.Context()
	packet := must(p.Packet(ctx, id))(p.t)
	require.Equal(p.t, state, packet.State)
	require.Equal(p.t, taken, packet.Taken)
	sum, no, people := decimal.Zero, int64(0), map[string]bool{}
	for share, err := range p.Shares(ctx, id) {
		require.NoError(p.t, err)
		no++
		require.Equal(p.t, no, share.No)
		require.False(p.t, people[share.Person], "person %d has two shares", share.Person)
		people[share.Person] = true
		sum = sum.Add(share.Amount)
	}
	require.Equal(p.t, taken, no)
	require.True(p.t, packet.Grabbed.Equal(sum), "%v was grabbed, the shares are %v", packet.Grabbed, sum)
	require.True(p.t, packet.Total.Equal(sum.Add(packet.Left)), "of %v, %v was grabbed and %v is left", packet.Total, sum, packet.Left)
	if state == redpacket.Closed || state == redpacket.Expired {
		back := must(p.Payout(ctx, redpacket.PayoutNumber(id, 0)))(p.t)
		require.True(p.t, packet.Left.Equal(back.Amount), "%v is left, %v goes back", packet.Left, back.Amount)
	}
	report := must(p.Audit(ctx, id))(p.t)
	require.Empty(p.t, report.Drifts)
	require.Empty(p.t, report.Units)
}

// blockPacket locks a packet's row from another connection until the returned function is called.
func (p *purse) blockPacket(id int64) (release func()) {
	return p.block("SELECT 1 FROM red_packet WHERE PACKET_ID = ? FOR UPDATE", id)
}

// blockUnits does the same with the row of its item.
func (p *purse) blockUnits(id int64) (release func()) {
	return p.block("SELECT 1 FROM red_packet_stock WHERE SKU_ID = ? AND ACTIVITY_ID = 0 FOR UPDATE", id)
}

// unitsAreFree reports whether nobody has locked the row of its item, until ctx ends. It asks in a transaction, since TiDB locks
// nothing for a single statement that changes nothing.
func (p *purse) unitsAreFree(ctx context.Context, id int64) bool {
	p.t.Helper()
	tx := must(p.db.BeginTx(ctx, nil))(p.t)
	defer func() { _ = tx.Rollback() }()
	_, err := tx.ExecContext(ctx, "SELECT 1 FROM red_packet_stock WHERE SKU_ID = ? AND ACTIVITY_ID = 0 FOR UPDATE NOWAIT", id)
	return err == nil
}
