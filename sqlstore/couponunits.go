package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/stock"
)

// give is the rider of the units: it records a coupon for each of the claims that are about to lock or take a
// unit, in their order. The campaign's row is locked, and says by then which terms they get and, with
// a pool, which of its codes.
func (c *Coupon) give(ctx context.Context, q Tx, at time.Time, calls []lockCall) error {
	campaign := calls[0].line().SKU
	var sold, no int64
	if err := readRow(ctx, q, render(c.sql.lockCampaign, campaign), &sold, &no); err != nil {
		return err
	}
	key := termsKey{campaign, no}
	found, err := c.termsOf(ctx, readIn(q), key)
	if err != nil {
		return err
	}
	terms, ok := found[key]
	if !ok {
		return missing(nil) // an item that no campaign has defined
	}
	like := givenCoupon{campaign: campaign, terms: no, state: coupon.Pending, at: at}
	if calls[0].order.Taken {
		like.state = coupon.Usable
		like.from, like.until = terms.Validity(at)
	}
	coupons := make([]givenCoupon, len(calls))
	for i, call := range calls {
		coupons[i] = like
		coupons[i].id, coupons[i].buyer = call.order.ID, call.order.Buyer
		if terms.Pool && like.state == coupon.Usable {
			coupons[i].position = sold - int64(len(calls)) + int64(i) + 1
		}
	}
	rows, err := affected(q.ExecContext(ctx, c.sql.insertCoupons(coupons)))
	if err != nil || rows != int64(len(coupons)) {
		return unclaimed(err)
	}
	return nil
}

// readIn reads within a transaction, as handle.query does by itself.
func readIn(q Tx) queryFunc {
	return func(ctx context.Context, statement string, scan func(*sql.Rows) error) error {
		return read(ctx, q, statement, scan)
	}
}

// pay is the mover of the units: it makes the coupons of claims that are paid Usable. Their campaigns' rows are
// locked, each by the change of its counters, and the last coupon that is paid of a campaign gets the code that
// is its Sold.
func (c *Coupon) pay(ctx context.Context, q Tx, _ stock.Transition, claims []string) error {
	coupons := make([]givenCoupon, 0, len(claims))
	sold, paid := map[int64]int64{}, map[int64]int64{} // by campaign
	var keys []termsKey
	err := read(ctx, q, renderList(c.sql.lockPaid, claims), func(rows *sql.Rows) error {
		var g givenCoupon
		var at, sum int64
		err := rows.Scan(&g.id, &g.campaign, &g.terms, &at, &sum)
		g.at, sold[g.campaign] = fromMicros(at), sum
		paid[g.campaign]++
		coupons, keys = append(coupons, g), append(keys, termsKey{g.campaign, g.terms})
		return err
	})
	if err != nil || len(coupons) != len(claims) {
		return missing(err)
	}
	terms, err := c.termsOf(ctx, readIn(q), keys...)
	if err != nil {
		return err
	}
	valid := map[termsKey]givenCoupon{} // those of one step are all paid at one moment
	for i := range coupons {
		g := &coupons[i]
		t, ok := terms[keys[i]]
		if !ok {
			return missing(nil)
		}
		like, ok := valid[keys[i]]
		if !ok || like.at != g.at {
			like = *g
			like.from, like.until = t.Validity(g.at)
			valid[keys[i]] = like
		}
		g.from, g.until = like.from, like.until
		if paid[g.campaign]--; t.Pool {
			g.position = sold[g.campaign] - paid[g.campaign]
		}
	}
	rows, err := affected(q.ExecContext(ctx, c.sql.pay(coupons)))
	if err != nil || rows != int64(len(coupons)) {
		return unclaimed(err)
	}
	return nil
}

// guard lets the refund of a claim whose coupon is free, and then gives the coupon a state. The coupon's row is
// what those who reserve or redeem it lock first: one of them and the refund wins.
func (c *Coupon) guard(to coupon.State) *refundGuard {
	return &refundGuard{refusal: coupon.ErrNotFree, let: func(ctx context.Context, q Tx, claims []string) (bool, error) {
		rows, err := affected(q.ExecContext(ctx, c.sql.back(to, claims)))
		return rows == int64(len(claims)), err
	}}
}
