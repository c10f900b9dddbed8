package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/stock"
)

// couponStore is the coupon.Store behind sqlstore.Coupon.
type couponStore struct {
	units  *ledgerStore // which also has the handle, and what is wrong with the options
	sql    *couponSQL
	known  *termsCache
	merged *merger[struct{}, string, couponAt] // reads of coupons; nil where calls are not merged
}

// newCoupons returns the store in the tables of a prefix.
func newCoupons(db *sql.DB, o settings) *couponStore {
	c := &couponStore{sql: newCouponSQL(o.prefix), known: &termsCache{}}
	c.units = newLedger(db, o, couponStock, couponCompanions{store: c})
	if b := c.units.bounds; b != nil {
		c.merged = newReader(b, c.couponBatch, c.coupon)
	}
	return c
}

// withTx returns the same store inside the caller's transaction.
func (c *couponStore) withTx(tx Tx) *couponStore {
	bound := &couponStore{units: c.units.withTx(tx), sql: c.sql, known: c.known}
	bound.units.companions = couponCompanions{store: bound}
	return bound
}

// Units implements coupon.Store.
func (c *couponStore) Units() stock.Store { return c.units }

// ready refuses what cannot work before any I/O.
func (c *couponStore) ready(ctx context.Context) error { return c.units.ready(ctx) }

// AddTerms implements coupon.Store.
func (c *couponStore) AddTerms(ctx context.Context, campaign, no int64, terms coupon.Terms) (stock.Verdict, error) {
	if err := c.ready(ctx); err != nil {
		return stock.Refused, err
	}
	args, err := termsArgs(terms)
	if err != nil {
		return stock.Refused, err
	}
	rows, err := c.units.exec(ctx, render(c.sql.addTerms, append([]any{campaign, no}, args...)...))
	return taken(verdict(rows > 0), err)
}

// Terms implements coupon.Store.
func (c *couponStore) Terms(ctx context.Context, campaign, no int64) (coupon.Terms, bool, error) {
	if err := c.ready(ctx); err != nil || no < 1 { // none has the number 0, and nothing is to be locked where it would be
		return coupon.Terms{}, false, err
	}
	key := termsKey{campaign, no}
	query := c.units.query
	if c.units.bound() {
		query = func(ctx context.Context, statement string, scan func(*sql.Rows) error) error {
			return c.units.among(ctx, func(q Tx) (bool, error) { return true, read(ctx, q, statement, scan) }, c.sql.blankTerms.of(campaign, no))
		}
	}
	found, err := c.termsOf(ctx, query, key)
	terms, ok := found[key]
	return terms, ok, err
}

// Coupon implements coupon.Store. Those who ask at once are answered by one read: each claim asks.
func (c *couponStore) Coupon(ctx context.Context, id string) (coupon.Coupon, time.Time, error) {
	if err := c.ready(ctx); err != nil {
		return coupon.Coupon{}, time.Time{}, err
	}
	read := c.coupon
	if c.merged != nil {
		read = c.merged.do
	}
	found, err := read(ctx, struct{}{}, id)
	return found.coupon, found.now, err
}

// ByCode implements coupon.Store.
func (c *couponStore) ByCode(ctx context.Context, code string) (coupon.Coupon, time.Time, error) {
	if err := c.ready(ctx); err != nil {
		return coupon.Coupon{}, time.Time{}, err
	}
	found, err := c.byCode(ctx, code)
	return found.coupon, found.now, err
}

var _ coupon.Store = (*couponStore)(nil)
