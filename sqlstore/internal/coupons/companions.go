package coupons

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/sqlstore/internal/ledger"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// couponCompanions keep the coupons of claims.
type couponCompanions struct {
	ledger.NoCompanions

	store *Store
}

func (couponCompanions) Keeps(c stock.Companion) bool  { return coupon.Keeps(c) }
func (couponCompanions) Moves(t stock.Transition) bool { return t.To == stock.Paid }

// Needs implements ledger.Companions.
func (couponCompanions) Needs(_ context.Context, _ mysql.QueryFunc, holds []stock.Hold) ([]string, error) {
	return ledger.NeedAll(holds), nil
}

// Locked records a coupon for each of the claims that have locked or taken a unit, in their order. The rows of their
// campaigns are locked, and say by then which terms they get and, with a pool, which of its codes.
func (cc couponCompanions) Locked(ctx context.Context, q mysql.Tx, at time.Time, calls []ledger.LockCall) error {
	c := cc.store
	claims := map[int64]int64{} // how many of each campaign
	for _, call := range calls {
		if _, ok := stock.CompanionOf[coupon.Claim](call.Beside); !ok {
			return mysql.Missing(nil) // its unit would have no coupon
		}
		claims[call.Line().SKU]++
	}
	sold, likes, err := c.lockCampaigns(ctx, q, at, slices.Sorted(maps.Keys(claims)), calls[0].Order.Immediate)
	if err != nil {
		return err
	}
	coupons := make([]coupon.Coupon, len(calls))
	for i, call := range calls {
		campaign := call.Line().SKU
		given := likes[campaign]
		given.ID, given.Buyer = call.Order.ID, call.Order.Buyer
		switch {
		case !call.Order.Immediate:
			given.Deadline = call.Order.Deadline(at, call.HoldFor)
		case given.Pool:
			given.Position = sold[campaign] - claims[campaign] + 1
			claims[campaign]--
		}
		coupons[i], calls[i].Kept = given, []stock.Companion{given}
	}
	rows, err := mysql.Affected(q.ExecContext(ctx, c.sql.insertCoupons(coupons)))
	if err != nil || rows != int64(len(coupons)) {
		return mysql.Unclaimed(err)
	}
	return nil
}

// lockCampaigns returns how many units of campaigns are sold, and what their coupons have in common. The rows of the
// campaigns are locked already.
func (c *Store) lockCampaigns(
	ctx context.Context, q mysql.Tx, at time.Time, campaigns []int64, immediate bool,
) (map[int64]int64, map[int64]coupon.Coupon, error) {
	sold := make(map[int64]int64, len(campaigns))
	keys := make([]termsKey, 0, len(campaigns))
	err := mysql.Read(ctx, q, mysql.Render(c.sql.lockCampaigns(len(campaigns)), mysql.AnyOf(campaigns)...), func(rows *sql.Rows) error {
		var key termsKey
		var n int64
		err := rows.Scan(&key.campaign, &n, &key.no)
		sold[key.campaign], keys = n, append(keys, key)
		return err
	})
	if err != nil || len(keys) != len(campaigns) {
		return nil, nil, mysql.Missing(err)
	}
	terms, err := c.termsOf(ctx, mysql.ReadIn(q), keys...)
	if err != nil {
		return nil, nil, err
	}
	likes := make(map[int64]coupon.Coupon, len(campaigns))
	for _, key := range keys {
		t, ok := terms[key]
		if !ok {
			return nil, nil, mysql.Missing(nil) // an item that no campaign has defined
		}
		like := coupon.Coupon{Campaign: key.campaign, Terms: t, TermsNo: key.no, State: coupon.Pending, UpdatedAt: at}
		if immediate {
			like.State, like.ClaimedAt = coupon.Usable, at
			like.From, like.Until = t.Validity(at)
		}
		likes[key.campaign] = like
	}
	return sold, likes, nil
}

// Moved makes the coupons of claims that are paid Usable. Their campaigns' rows are locked, each by the change of its
// counters, and the last coupon that is paid of a campaign gets the code that is its Sold.
func (cc couponCompanions) Moved(ctx context.Context, q mysql.Tx, t stock.Transition, calls []ledger.MoveCall) error {
	if !cc.Moves(t) {
		return nil
	}
	c, claims := cc.store, make([]string, len(calls))
	for i, call := range calls {
		claims[i] = call.Order
	}
	coupons := make([]coupon.Coupon, 0, len(claims))
	sold, paid := map[int64]int64{}, map[int64]int64{} // by campaign
	var keys []termsKey
	err := mysql.Read(ctx, q, mysql.RenderList(c.sql.lockPaid, claims), func(rows *sql.Rows) error {
		var g coupon.Coupon
		var at, sum int64
		err := rows.Scan(&g.ID, &g.Campaign, &g.TermsNo, &at, &sum)
		g.ClaimedAt, sold[g.Campaign] = mysql.FromMicros(at), sum
		paid[g.Campaign]++
		coupons, keys = append(coupons, g), append(keys, termsKey{g.Campaign, g.TermsNo})
		return err
	})
	if err != nil || len(coupons) != len(claims) {
		return mysql.Missing(err)
	}
	terms, err := c.termsOf(ctx, mysql.ReadIn(q), keys...)
	if err != nil {
		return err
	}
	valid := map[termsKey]coupon.Coupon{} // all claims of one step are paid at the same time
	for i := range coupons {
		g := &coupons[i]
		t, ok := terms[keys[i]]
		if !ok {
			return mysql.Missing(nil)
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
	rows, err := mysql.Affected(q.ExecContext(ctx, c.sql.pay(coupons)))
	if err != nil || rows != int64(len(coupons)) {
		return mysql.Unclaimed(err)
	}
	return nil
}

// Refunding allows the refund of claims whose coupons are free, and sets the state of these coupons. Calls that
// reserve or redeem a coupon lock its row first: one of them or the refund wins.
func (cc couponCompanions) Refunding(ctx context.Context, q mysql.Tx, calls []ledger.RefundCall) error {
	claims := map[coupon.State][]string{}
	for _, c := range calls {
		to := coupon.BackTo(c.Beside)
		claims[to] = append(claims[to], c.Hold.Order)
	}
	for _, to := range slices.Sorted(maps.Keys(claims)) {
		rows, err := mysql.Affected(q.ExecContext(ctx, cc.store.sql.back(to, claims[to])))
		if err != nil {
			return err
		}
		if rows != int64(len(claims[to])) { // at least one is not free: each call tries alone
			if len(calls) > 1 {
				return &mysql.RefusalError{Cause: coupon.ErrNotFree}
			}
			return &mysql.RefusalError{Why: []error{coupon.ErrNotFree}}
		}
	}
	for i, c := range calls {
		calls[i].Kept = c.Beside
	}
	return nil
}
