package sqlstore_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/redpacket"
	"github.com/holdfast-go/holdfast/sqlstore"
)

// packetCases are all calls that may be made in a transaction, each with what it finds.
func (p *purse) packetCases() []txCase {
	in := func(call func(ctx context.Context, in *redpacket.Packets, n int) error) func(context.Context, sqlstore.Tx, int) error {
		return func(ctx context.Context, tx sqlstore.Tx, n int) error {
			if tx == nil {
				return call(ctx, p.Packets, n)
			}
			return call(ctx, p.On(p.store.WithTx(tx)), n)
		}
	}
	type packets = *redpacket.Packets
	ctx := p.t.Context()
	id := func(n int) int64 { return number(n, own) }
	nothing := func(int) {}
	sent := func(n int) { require.NoError(p.t, of(p.Send(ctx, packetOf(id(n), 100, 2)))) }
	filled := func(n int) { p.fill(id(n), 100, 2) }
	grabbed := func(n int) {
		filled(n)
		require.NoError(p.t, of(p.For("1000").Grab(ctx, id(n))))
	}
	emptied := func(n int) {
		grabbed(n)
		require.NoError(p.t, of(p.For("1001").Grab(ctx, id(n))))
	}
	closed := func(n int) {
		grabbed(n)
		require.NoError(p.t, of(p.Close(ctx, id(n))))
	}
	paidOut := func(n int) {
		grabbed(n)
		require.NoError(p.t, of(p.PaidOut(ctx, redpacket.PayoutNumber(id(n), 1))))
	}
	send := func(count int64) func(ctx context.Context, in packets, n int) error {
		return func(ctx context.Context, in packets, n int) error {
			return of(in.Send(ctx, packetOf(id(n), 100, count)))
		}
	}
	confirm := func(ctx context.Context, in packets, n int) error { return of(in.Confirm(ctx, id(n))) }
	grab := func(ctx context.Context, in packets, n int) error { return of(in.For("1002").Grab(ctx, id(n))) }
	end := func(ctx context.Context, in packets, n int) error { return of(in.Close(ctx, id(n))) }
	read := func(ctx context.Context, in packets, n int) error { return of(in.Packet(ctx, id(n))) }
	share := func(ctx context.Context, in packets, n int) error { return of(in.For("1000").Share(ctx, id(n))) }
	resolve := func(ctx context.Context, in packets, n int) error { return of(in.For("1000").Resolve(ctx, id(n))) }
	payout := func(no int64) func(ctx context.Context, in packets, n int) error {
		return func(ctx context.Context, in packets, n int) error {
			return of(in.Payout(ctx, redpacket.PayoutNumber(id(n), no)))
		}
	}
	pay := func(no int64) func(ctx context.Context, in packets, n int) error {
		return func(ctx context.Context, in packets, n int) error {
			return of(in.PaidOut(ctx, redpacket.PayoutNumber(id(n), no)))
		}
	}
	fail := func(no int64) func(ctx context.Context, in packets, n int) error {
		return func(ctx context.Context, in packets, n int) error {
			return of(in.PayoutFailed(ctx, redpacket.PayoutNumber(id(n), no), "closed"))
		}
	}
	return []txCase{
		{"Send", nothing, in(send(2)), nil},
		{"Send again", sent, in(send(2)), nil},
		{"Send with another count", sent, in(send(3)), redpacket.ErrMismatch},
		{"Confirm", sent, in(confirm), nil},
		{"Confirm again", filled, in(confirm), nil},
		{"Confirm of an unknown packet", nothing, in(confirm), redpacket.ErrNotFound},
		{"Grab", filled, in(grab), nil},
		{"Grab of the last share", grabbed, in(grab), nil},
		{"Grab again", grabbed, in(func(ctx context.Context, in packets, n int) error { return of(in.For("1000").Grab(ctx, id(n))) }), nil},
		{"Grab of an empty packet", emptied, in(grab), redpacket.ErrFinished},
		{"Grab of an unpaid packet", sent, in(grab), redpacket.ErrUnpaid},
		{"Resolve", grabbed, in(resolve), nil},
		{"Resolve of what was not grabbed", filled, in(resolve), redpacket.ErrCancelled},
		{"Resolve of an unknown packet", nothing, in(resolve), redpacket.ErrNotFound},
		{"Close", grabbed, in(end), nil},
		{"Close of an unpaid packet", sent, in(end), nil},
		{"Close again", closed, in(end), nil},
		{"Close of an unknown packet", nothing, in(end), redpacket.ErrNotFound},
		{"Packet", emptied, in(read), nil},
		{"Packet of an unknown ID", nothing, in(read), redpacket.ErrNotFound},
		{"Share", grabbed, in(share), nil},
		{"Share of somebody who has none", filled, in(share), redpacket.ErrUnknownShare},
		{"Share of an unknown packet", nothing, in(share), redpacket.ErrNotFound},
		{"Payout", grabbed, in(payout(1)), nil},
		{"Payout of what is not left", grabbed, in(payout(0)), redpacket.ErrUnknownPayout},
		{"Payout of what nobody has grabbed", grabbed, in(payout(2)), redpacket.ErrUnknownPayout},
		{"Payout of an unknown packet", nothing, in(payout(1)), redpacket.ErrUnknownPayout},
		{"PaidOut", grabbed, in(pay(1)), nil},
		{"PaidOut of what was left", closed, in(pay(0)), nil},
		{"PaidOut again", paidOut, in(pay(1)), nil},
		{"PaidOut of what nobody has grabbed", grabbed, in(pay(2)), redpacket.ErrUnknownPayout},
		{"PayoutFailed", grabbed, in(fail(1)), nil},
		{"PayoutFailed of an unknown packet", nothing, in(fail(1)), redpacket.ErrUnknownPayout},
		{"Payouts", grabbed, in(func(ctx context.Context, in packets, _ int) error { return readAll(in.Payouts(ctx)) }), nil},
		{"Expire", nothing, in(func(ctx context.Context, in packets, _ int) error { return of(in.Expire(ctx)) }), nil},
	}
}

// packetNeighbours are calls of other packets, whose IDs come right before and behind.
func (p *purse) packetNeighbours() []neighbour {
	pool := elsewhere(p.t, p.db)
	in := redpacket.New(sqlstore.NewRedPacket(pool.DB, &sqlstore.Options{Unmerged: true}), nil)
	all := func(place int) func(ctx context.Context, n int) error {
		return func(ctx context.Context, n int) error {
			id := number(n, place)
			return both(of(in.Send(ctx, packetOf(id, 100, 3))), of(in.Confirm(ctx, id)), of(in.For("1000").Grab(ctx, id)),
				of(in.For("0").Grab(ctx, id)), of(in.For("9").Grab(ctx, id)),
				of(in.PaidOut(ctx, redpacket.PayoutNumber(id, 1))), of(in.PayoutFailed(ctx, redpacket.PayoutNumber(id, 2), "closed")))
		}
	}
	return []neighbour{{"a later packet", all(later)}, {"an earlier packet", all(earlier)}}
}

// What is done with red packets in a caller's transaction keeps nobody waiting who has other packets.
func TestPacketsInATransactionKeepNoOthersWaiting(t *testing.T) {
	t.Parallel()
	p := openPurse(t)
	keepNobodyWaiting(t, p.db, p.packetCases(), p.packetNeighbours())
}

// And LAST_INSERT_ID stays the caller's.
func TestPacketsInATransactionLeaveTheInsertID(t *testing.T) {
	t.Parallel()
	p := openPurse(t)
	leaveTheInsertID(t, p.db, p.packetCases())
}
