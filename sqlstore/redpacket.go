package sqlstore

import (
	"database/sql"

	"github.com/holdfast-go/holdfast/redpacket"
	"github.com/holdfast-go/holdfast/sqlstore/internal/packets"
)

// RedPacket is a redpacket.Store on MySQL or MariaDB. It is safe for concurrent use; bound to a
// transaction it is as safe as that transaction. Concurrent grabs of one packet are merged into one
// transaction, as concurrent Locks of one SKU are; see Options.
type RedPacket struct {
	redpacket.Store

	packets *packets.Store
}

// NewRedPacket returns the store in the tables that Migrate made with the same options. Nil
// options are the defaults. It does no I/O; bad options and a nil db are reported by every call
// as ErrInvalid.
func NewRedPacket(db *sql.DB, opts *Options) *RedPacket {
	return redPacketOf(packets.New(db, opts.settings()))
}

// WithTx returns the same store inside the caller's transaction, with the store of its units; see Stock.WithTx.
func (r *RedPacket) WithTx(tx Tx) *RedPacket {
	return redPacketOf(r.packets.WithTx(tx))
}

// Along returns the same store whose next call carries a statement of the shop; see Stock.Along:
//
//	row := store.Along("INSERT INTO shop_share (packet, person) VALUES (?, ?)", id, person)
//	share, err := packets.On(row).For(person).Grab(ctx, id)
//
// Send, Confirm, Close, Grab, Resolve, PaidOut and PayoutFailed run the statements; Expire does not. Statements of grabs that share
// a transaction may become one. Refusals of the packet and the payout take precedence.
func (r *RedPacket) Along(text string, args ...any) *RedPacket {
	return redPacketOf(r.packets.Along(text, args...))
}

// Affects returns the same store with the number of rows that the last statement of Along must affect; see Stock.Affects.
func (r *RedPacket) Affects(n int64) *RedPacket { return redPacketOf(r.packets.Affects(n)) }

// Plain returns the same store without the statements of Along. redpacket.Packets uses it for what is not the effect of a call.
func (r *RedPacket) Plain() redpacket.Store { return redPacketOf(r.packets.Plain()) }

// redPacketOf returns the store over the one that does the work.
func redPacketOf(store *packets.Store) *RedPacket { return &RedPacket{Store: store, packets: store} }
