package sqlstore

import (
	"database/sql"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/sqlstore/internal/coupons"
)

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
	store := coupons.New(db, opts.settings())
	return &Coupon{Store: store, coupons: store}
}

// WithTx returns the same store inside the caller's transaction, with the store of its units; see Stock.WithTx.
func (c *Coupon) WithTx(tx Tx) *Coupon {
	bound := c.coupons.WithTx(tx)
	return &Coupon{Store: bound, coupons: bound}
}

// Along returns the same store whose next call carries a statement of the shop; see Stock.Along, whose rules hold here:
//
//	row := store.Along("INSERT INTO shop_gift (claim, buyer) VALUES (?, ?)", claim, buyer)
//	c, err := coupons.On(row).For(buyer).Claim(ctx, claim, campaign)
//
// The statements belong to calls that name one claim, coupon, order, or number of an operator. Issue, Import, Generate,
// Expire and reads do not run them.
func (c *Coupon) Along(text string, args ...any) *Coupon {
	with := c.coupons.Along(text, args...)
	return &Coupon{Store: with, coupons: with}
}

// Affects returns the same store with the number of rows that the last statement of Along must affect; see Stock.Affects.
func (c *Coupon) Affects(n int64) *Coupon {
	with := c.coupons.Affects(n)
	return &Coupon{Store: with, coupons: with}
}
