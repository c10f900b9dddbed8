// Package coupons keeps campaigns, coupons and their uses beside the ledger of their units.
package coupons

import (
	"context"
	"database/sql"
	"time"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/sqlstore/internal/batch"
	"github.com/holdfast-go/holdfast/sqlstore/internal/ledger"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// Store is the coupon.Store behind sqlstore.Coupon.
type Store struct {
	units *ledger.Store // also has the handle, and what is wrong with the options
	sql   *couponSQL
	cache *termsCache
	byID  *batch.Lookup[string, coupon.Coupon]
	tells event.Kinds
}

// New returns the store in the tables of a prefix.
func New(db *sql.DB, o ledger.Settings) *Store {
	return over(ledger.New(db, o, couponStock, ledger.NoCompanions{}), newCouponSQL(o.Prefix), &termsCache{}, o.Tell)
}

// over puts coupons on the store of their units.
func over(units *ledger.Store, statements *couponSQL, cache *termsCache, tells event.Kinds) *Store {
	c := &Store{units: units, sql: statements, cache: cache, tells: tells}
	c.byID = batch.NewLookup(units.Bounds, c.coupon, c.severalCoupons)
	units.Companions = couponCompanions{store: c}
	return c
}

// WithTx returns the same store inside the caller's transaction.
func (c *Store) WithTx(tx mysql.Tx) *Store { return over(c.units.WithTx(tx), c.sql, c.cache, c.tells) }

// Along returns the same store whose next call carries one more statement of the shop.
func (c *Store) Along(text string, args ...any) *Store {
	return c.withUnits(c.units.Along(text, args...))
}

// Affects returns the same store with the number of rows that the last statement must affect.
func (c *Store) Affects(n int64) *Store { return c.withUnits(c.units.Affects(n)) }

// withUnits returns the same store on units whose calls carry statements of the shop.
func (c *Store) withUnits(units *ledger.Store) *Store {
	other := *c
	other.units = units
	return &other
}

// Units implements coupon.Store.
func (c *Store) Units() stock.Store { return c.units }

// AddTerms implements coupon.Store.
func (c *Store) AddTerms(ctx context.Context, campaign, no int64, terms coupon.Terms) (stock.Verdict, error) {
	args, err := termsArgs(terms)
	if err != nil {
		return stock.Refused, err
	}
	rows, err := c.units.Exec(ctx, mysql.Render(c.sql.addTerms, append([]any{campaign, no}, args...)...))
	return ledger.ExistsOnDuplicate(ledger.DoneIf(rows > 0), err)
}

// Terms implements coupon.Store.
func (c *Store) Terms(ctx context.Context, campaign, no int64) (coupon.Terms, bool, error) {
	if err := c.units.Ready(); err != nil || no < 1 { // no terms have the number 0: do not lock their place
		return coupon.Terms{}, false, err
	}
	key := termsKey{campaign, no}
	query := c.units.Query
	if c.units.Bound() {
		query = func(ctx context.Context, statement string, scan func(*sql.Rows) error) error {
			return c.units.Among(ctx, func(q mysql.Tx) (bool, error) { return true, mysql.Read(ctx, q, statement, scan) },
				c.sql.blankTerms.Of(campaign, no))
		}
	}
	found, err := c.termsOf(ctx, query, key)
	terms, ok := found[key]
	return terms, ok, err
}

// Coupon implements coupon.Store. Concurrent calls share one read, because each claim ends with it.
func (c *Store) Coupon(ctx context.Context, id string) (coupon.Coupon, time.Time, error) {
	if err := c.units.Ready(); err != nil { // calls begin with this
		return coupon.Coupon{}, time.Time{}, err
	}
	return c.byID.Get(ctx, id)
}

var _ coupon.Store = (*Store)(nil)
