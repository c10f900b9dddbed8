package sqlstore

import (
	"database/sql"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/sqlstore/internal/teams"
)

// GroupBuy is a groupbuy.Store on MySQL or MariaDB, over the tables of the shop's ordinary stock: a Stock with the
// same options sees the pools of activities and the holds of seats. Give it to ordinary orders alone: it knows no
// seats, and what it does to the hold of one, Store.Follow has to follow.
//
// It is safe for concurrent use; bound to a transaction it is as safe as that transaction. Concurrent Locks of one
// product, opening teams and joining them, are merged into one transaction, as concurrent Locks of one SKU are, and
// so are Pay, Cancel, Refund and Expire; see Options.
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

// WithTx returns the same store inside the caller's transaction; see Stock.WithTx. The store of the units goes with
// it. What a call decides from is locked from then on: the hold of a seat, the item of its product, the seat and its
// team, in this order. Team, Form, Fail and Redeliver have to look up first, without a lock, whose team it is: they are plain
// reads in the sense of Stock.WithTx.
func (g *GroupBuy) WithTx(tx Tx) *GroupBuy {
	bound := g.teams.WithTx(tx)
	return &GroupBuy{Store: bound, teams: bound}
}
