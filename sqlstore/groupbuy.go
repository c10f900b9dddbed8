package sqlstore

import (
	"database/sql"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/sqlstore/internal/teams"
)

// GroupBuy is a groupbuy.Store on MySQL or MariaDB, over the tables of the shop's ordinary stock. A Stock with the
// same options sees the pools of activities and the holds of seats. Use that Stock for ordinary orders only: it does
// not know seats, and Store.Follow has to follow what it does to the hold of a seat.
//
// It is safe for concurrent use; bound to a transaction it is as safe as that transaction. Concurrent Locks of one
// product, to open or join teams, are merged into one transaction, as concurrent Locks of one SKU are, and so are Pay,
// Cancel, Refund and Expire; see Options.
type GroupBuy struct {
	groupbuy.Store

	teams *teams.Store
}

// NewGroupBuy returns the store in the tables that Migrate made with the same options. Nil options are the
// defaults. It does no I/O; bad options and a nil db are reported by every call as ErrInvalid.
func NewGroupBuy(db *sql.DB, opts *Options) *GroupBuy {
	store := teams.New(db, opts.settings())
	return &GroupBuy{Store: store, teams: store}
}

// WithTx returns the same store inside the caller's transaction, with the store of its units; see Stock.WithTx. A call
// locks what it decides from: the hold of a seat, the item of its product, the seat and its team, in this order. Team,
// Form, Fail and Redeliver first look up without a lock whose team it is: they are plain reads in the sense of
// Stock.WithTx.
func (g *GroupBuy) WithTx(tx Tx) *GroupBuy {
	bound := g.teams.WithTx(tx)
	return &GroupBuy{Store: bound, teams: bound}
}
