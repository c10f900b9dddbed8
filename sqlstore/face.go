package sqlstore

import (
	"context"
	"database/sql"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/redpacket"
	"github.com/holdfast-go/holdfast/sqlstore/internal/coupons"
	"github.com/holdfast-go/holdfast/sqlstore/internal/ledger"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/sqlstore/internal/packets"
	"github.com/holdfast-go/holdfast/sqlstore/internal/teams"
	"github.com/holdfast-go/holdfast/stock"
)

// Tx is the caller's transaction: *sql.Tx, *sql.Conn after a BEGIN, or what another library
// wraps around one of them.
type Tx interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Retryable reports whether running the caller's whole transaction again may help: true for
// an error of this library that is ErrUnavailable or ErrUnknown, and for an error of the driver
// or the server, from the caller's own statements, that goes away by itself: a deadlock, a lock
// wait timeout, a lost or refused connection, a server that is shutting down or read-only, a proxy that has lost its server. An
// error of a context by itself is not; a call that was cut short by its context is, with another.
//
// After a COMMIT whose answer was lost, the transaction may have happened: running it again
// is safe for the calls of this library; the caller's own statements need a key of their own,
// as an order row has.
func Retryable(err error) bool { return mysql.Retryable(err) }

// Stock is a stock.Store on MySQL or MariaDB. It is safe for concurrent use; bound to a
// transaction it is as safe as that transaction.
type Stock struct {
	stock.Store

	ledger *ledger.Store
}

// NewStock returns the store in the tables that Migrate made with the same options. Nil
// options are the defaults. It does no I/O; bad options and a nil db are reported by every call
// as ErrInvalid.
func NewStock(db *sql.DB, opts *Options) *Stock {
	ledger := ledger.New(db, opts.settings(), ledger.GoodsStock, ledger.NoCompanions{})
	return &Stock{Store: ledger, ledger: ledger}
}

// WithTx returns the same store inside the caller's transaction: what it does takes effect when
// the caller commits. What is read there is read as it is now, with a lock, not as the
// transaction's snapshot has it.
//
// Call it before any plain SELECT of the transaction, or use READ COMMITTED. A server that isolates snapshots (MariaDB from
// 11.6.2 on, innodb_snapshot_isolation) tells a transaction that has read before to start over, where others have changed since
// what a call meets: the call is ErrUnavailable. Here a transaction reads without a lock only behind what it has locked.
//
// After a refusal, an error that names the state of an order or what an item does not allow, the
// transaction is as it was before the call, with the locks it took, and may go on. After any
// other error it must be rolled back: the server may have done so already (a deadlock), and
// further statements would commit one by one. If Retryable says so, run all of it again.
//
// A handle that is in no transaction is refused with ErrInvalid, before anything is changed.
func (s *Stock) WithTx(tx Tx) *Stock {
	bound := s.ledger.WithTx(tx)
	return &Stock{Store: bound, ledger: bound}
}

// Coupon is a coupon.Store on MySQL or MariaDB. It is safe for concurrent use; bound to a transaction it is as
// safe as that transaction. Concurrent claims of one campaign are merged into one transaction, as concurrent
// Locks of one SKU are, and so are Pay, Cancel, Refund and Revoke; see Options.
type Coupon struct {
	coupon.Store

	coupons *coupons.Store
}

// NewCoupon returns the store in the tables that Migrate made with the same options. Nil options are the
// defaults. It does no I/O; bad options and a nil db are reported by every call as ErrInvalid.
func NewCoupon(db *sql.DB, opts *Options) *Coupon {
	coupons := coupons.New(db, opts.settings())
	return &Coupon{Store: coupons, coupons: coupons}
}

// WithTx returns the same store inside the caller's transaction; see Stock.WithTx. The store of the units goes
// with it.
func (c *Coupon) WithTx(tx Tx) *Coupon {
	bound := c.coupons.WithTx(tx)
	return &Coupon{Store: bound, coupons: bound}
}

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
	packets := packets.New(db, opts.settings())
	return &RedPacket{Store: packets, packets: packets}
}

// WithTx returns the same store inside the caller's transaction; see Stock.WithTx. The store of the
// units goes with it.
func (r *RedPacket) WithTx(tx Tx) *RedPacket {
	bound := r.packets.WithTx(tx)
	return &RedPacket{Store: bound, packets: bound}
}

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
	teams := teams.New(db, opts.settings())
	return &GroupBuy{Store: teams, teams: teams}
}

// WithTx returns the same store inside the caller's transaction; see Stock.WithTx. The store of the units goes with
// it. What a call decides from is locked from then on: the hold of a seat, the item of its product, the seat and its
// team, in this order. Team, Form, Fail and Redeliver have to look up first, without a lock, whose team it is: they are plain
// reads in the sense of Stock.WithTx.
func (g *GroupBuy) WithTx(tx Tx) *GroupBuy {
	bound := g.teams.WithTx(tx)
	return &GroupBuy{Store: bound, teams: bound}
}
