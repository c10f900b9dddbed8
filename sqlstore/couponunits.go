package sqlstore

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/stock"
)

// couponCompanions keep the coupons of claims.
type couponCompanions struct {
	noCompanions

	store *couponStore
}

func (couponCompanions) keeps(c stock.Companion) bool  { return coupon.Keeps(c) }
func (couponCompanions) moves(t stock.Transition) bool { return t.To == stock.Paid }

// locked records a coupon for each of the claims that have locked or taken a unit, in their order. The campaign's row is
// locked, and says by then which terms they get and, with a pool, which of its codes.
func (cc couponCompanions) locked(ctx context.Context, q Tx, at time.Time, calls []lockCall) error {
	c := cc.store
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
	like := coupon.Coupon{Campaign: campaign, Terms: terms, TermsNo: no, State: coupon.Pending, UpdatedAt: at}
	if calls[0].order.Immediate {
		like.State, like.ClaimedAt = coupon.Usable, at
		like.From, like.Until = terms.Validity(at)
	}
	coupons := make([]coupon.Coupon, len(calls))
	for i, call := range calls {
		if _, ok := stock.CompanionOf[coupon.Claim](call.beside); !ok {
			return missing(nil) // its unit would have no coupon
		}
		given := like
		given.ID, given.Buyer = call.order.ID, call.order.Buyer
		switch {
		case !call.order.Immediate:
			given.Deadline = call.order.Deadline(at, call.holdFor)
		case terms.Pool:
			given.Position = sold - int64(len(calls)) + int64(i) + 1
		}
		coupons[i], calls[i].kept = given, []stock.Companion{given}
	}
	rows, err := affected(q.ExecContext(ctx, c.sql.insertCoupons(coupons)))
	if err != nil || rows != int64(len(coupons)) {
		return unclaimed(err)
	}
	return nil
}

// moved makes the coupons of claims that are paid Usable. Their campaigns' rows are locked, each by the change of its
// counters, and the last coupon that is paid of a campaign gets the code that is its Sold.
func (cc couponCompanions) moved(ctx context.Context, q Tx, t stock.Transition, calls []moveCall) error {
	if !cc.moves(t) {
		return nil
	}
	c, claims := cc.store, make([]string, len(calls))
	for i, call := range calls {
		claims[i] = call.order
	}
	coupons := make([]coupon.Coupon, 0, len(claims))
	sold, paid := map[int64]int64{}, map[int64]int64{} // by campaign
	var keys []termsKey
	err := read(ctx, q, renderList(c.sql.lockPaid, claims), func(rows *sql.Rows) error {
		var g coupon.Coupon
		var at, sum int64
		err := rows.Scan(&g.ID, &g.Campaign, &g.TermsNo, &at, &sum)
		g.ClaimedAt, sold[g.Campaign] = fromMicros(at), sum
		paid[g.Campaign]++
		coupons, keys = append(coupons, g), append(keys, termsKey{g.Campaign, g.TermsNo})
		return err
	})
	if err != nil || len(coupons) != len(claims) {
		return missing(err)
	}
	terms, err := c.termsOf(ctx, readIn(q), keys...)
	if err != nil {
		return err
	}
	valid := map[termsKey]coupon.Coupon{} // those of one step are all paid at one moment
	for i := range coupons {
		g := &coupons[i]
		t, ok := terms[keys[i]]
		if !ok {
			return missing(nil)
		}
		like, ok := valid[keys[i]]
		if !ok || like.ClaimedAt != g.ClaimedAt {
			like = *g
			like.From, like.Until = t.Validity(g.ClaimedAt)
			valid[keys[i]] = like
		}
		g.From, g.Until = like.From, like.Until
		if paid[g.Campaign]--; t.Pool {
			g.Position = sold[g.Campaign] - paid[g.Campaign]
		}
	}
	rows, err := affected(q.ExecContext(ctx, c.sql.pay(coupons)))
	if err != nil || rows != int64(len(coupons)) {
		return unclaimed(err)
	}
	return nil
}

// refunding lets the refund of claims whose coupons are free, and gives the coupons their state. The row of a coupon is
// what those who reserve or redeem it lock first: one of them and the refund wins.
func (cc couponCompanions) refunding(ctx context.Context, q Tx, calls []refundCall) error {
	claims := map[coupon.State][]string{}
	for _, c := range calls {
		to := coupon.BackTo(c.beside)
		claims[to] = append(claims[to], c.hold.Order)
	}
	for _, to := range slices.Sorted(maps.Keys(claims)) {
		rows, err := affected(q.ExecContext(ctx, cc.store.sql.back(to, claims[to])))
		if err != nil {
			return err
		}
		if rows != int64(len(claims[to])) { // one of them, at least: each finds out by itself
			why := make([]error, len(calls))
			for i := range why {
				why[i] = coupon.ErrNotFree
			}
			return &refusals{why: why}
		}
	}
	for i, c := range calls {
		calls[i].kept = c.beside
	}
	return nil
}
