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
