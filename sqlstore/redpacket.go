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
	store := packets.New(db, opts.settings())
	return &RedPacket{Store: store, packets: store}
}

// WithTx returns the same store inside the caller's transaction, with the store of its units; see Stock.WithTx.
func (r *RedPacket) WithTx(tx Tx) *RedPacket {
	bound := r.packets.WithTx(tx)
	return &RedPacket{Store: bound, packets: bound}
}
