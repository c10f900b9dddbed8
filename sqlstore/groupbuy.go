package sqlstore

import (
	"context"
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
	return groupBuyOf(teams.New(db, opts.settings()))
}

// WithTx returns the same store inside the caller's transaction, with the store of its units; see Stock.WithTx. A call
// locks what it decides from: the hold of a seat, the item of its product, the seat and its team, in this order. Team,
// Form and Fail first look up without a lock whose team it is: they are plain reads in the sense of
// Stock.WithTx.
func (g *GroupBuy) WithTx(tx Tx) *GroupBuy {
	return groupBuyOf(g.teams.WithTx(tx))
}

// Along returns the same store whose next call carries a statement of the shop; see Stock.Along:
//
//	row := store.Along("INSERT INTO shop_order (id, buyer) VALUES (?, ?)", p.Order, buyer)
//	seat, err := groups.On(row).For(buyer).Join(ctx, code, p)
//
// A call runs the statements once, in the transaction in which it takes effect:
//
//	Open, Join, Pay, Cancel, Refund, Resolve  that of the seat; a payment that is too late: that of the refund that is due
//	Form, Fail                                that of the team with its seats
//	Define, Revise                            that of the activity or the product, not those of the pools
//	Offer, Restock, Withdraw                  that which moves the units
//	Remove, End                               that which takes the product off, or ends the activity; not those of the remainders
//
// What comes before or behind that, such as a release of dead seats, runs nothing. Nor do Expire, Return and Repair.
// Statements of calls that share a transaction may become one. Refusals of the seat, the team and the product take precedence.
func (g *GroupBuy) Along(text string, args ...any) *GroupBuy {
	return groupBuyOf(g.teams.Along(text, args...))
}

// Affects returns the same store with the number of rows that the last statement of Along must affect; see Stock.Affects.
func (g *GroupBuy) Affects(n int64) *GroupBuy { return groupBuyOf(g.teams.Affects(n)) }

// Plain returns the same store without the statements of Along. groupbuy.Groups uses it for what is not the effect of a call.
func (g *GroupBuy) Plain() groupbuy.Store { return groupBuyOf(g.teams.Plain()) }

// CatchUp puts events that an earlier version of this module has written, in a table that only group buying had, among those that
// NewEvents delivers, and returns of how many teams. groupbuy.Groups.Expire calls it. It does nothing in the caller's transaction.
func (g *GroupBuy) CatchUp(ctx context.Context) (int, error) { return g.teams.CatchUp(ctx) }

// groupBuyOf returns the store over the one that does the work.
func groupBuyOf(store *teams.Store) *GroupBuy { return &GroupBuy{Store: store, teams: store} }
