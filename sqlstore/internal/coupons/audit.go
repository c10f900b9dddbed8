package coupons

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/sqlstore/internal/ledger"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// renderBooks renders the counts. Each is one statement, and so one snapshot, also at READ COMMITTED: changes of one
// transaction are counted together.
func (q *couponSQL) renderBooks() {
	sum := func(condition string) string { return "COUNT(CASE WHEN " + condition + " THEN 1 END)" }
	state := func(s coupon.State) string { return fmt.Sprintf("w.STATE = %d", s) }
	q.count = "SELECT (SELECT COUNT(*) FROM " + q.holds + " h WHERE h.SKU_ID = ? AND h.ACTIVITY_ID = 0" +
		fmt.Sprintf(" AND h.STATE = %d AND h.EXPIRE_TIME > %s), ", stock.Locked, mysql.Now) +
		strings.Join([]string{
			sum(freeCoupon + " AND w.VALID_UNTIL > " + mysql.Now), sum(state(coupon.Reserved) + " AND w.EXPIRE_TIME > " + mysql.Now),
			sum(state(coupon.Redeemed)),
			sum(freeCoupon + " AND w.VALID_UNTIL <= " + mysql.Now), sum(state(coupon.Refunded)), sum(state(coupon.Revoked)),
		}, ", ") + " FROM " + q.wallet + " w WHERE w.CAMPAIGN_ID = ?"

	_, sold := ledger.CountedStates()
	holds := q.holds + " h WHERE h.SKU_ID = ? AND h.ACTIVITY_ID = 0 AND h.STATE "
	coupons := " WHERE w.CAMPAIGN_ID = ?"
	uses := "(SELECT COUNT(*) FROM " + q.wallet + " w JOIN " + q.uses + " u ON u.COUPON_NO = w.COUPON_NO"
	q.book = "SELECT " + strings.Join([]string{
		"(SELECT COUNT(*) FROM " + holds + ledger.In(sold) + ")",
		sum(fmt.Sprintf("w.STATE <> %d", coupon.Pending)),
		"(SELECT COUNT(*) FROM " + holds + ledger.In([]stock.State{stock.Refunded}) + ")",
		sum(fmt.Sprintf("w.STATE IN (%d, %d)", coupon.Refunded, coupon.Revoked)),
		sum(state(coupon.Reserved)),
		// A reservation that has lapsed may have been released since. A release leaves such a coupon alone.
		uses + " AND u.ORDER_NO = w.ORDER_NO" + coupons +
			fmt.Sprintf(" AND w.STATE = %d AND u.STATE IN (%d, %d))", coupon.Reserved, coupon.UseReserved, coupon.UseReleased),
		sum(state(coupon.Redeemed)),
		uses + coupons + fmt.Sprintf(" AND u.STATE = %d)", coupon.UseRedeemed),
		"COUNT(w.POSITION)", "COUNT(k.CODE)", "COALESCE(MAX(w.POSITION), 0)",
		"(SELECT COALESCE(MAX(s.STOCK_SALE_NUM), 0) FROM " + q.items + " s JOIN " + q.terms +
			" t ON t.CAMPAIGN_ID = s.SKU_ID AND t.TERMS_NO = s.SPU_ID" +
			" WHERE s.SKU_ID = ? AND s.ACTIVITY_ID = 0 AND t.POOL = 1)",
	}, ", ") + " FROM " + q.wallet + " w LEFT JOIN " + q.codes + " k ON k.CAMPAIGN_ID = w.CAMPAIGN_ID AND k.POSITION = w.POSITION" + coupons
}

// ofCampaign renders a statement in which each question mark stands for the same campaign.
func ofCampaign(query string, campaign int64) string {
	return mysql.Render(query, slices.Repeat([]any{campaign}, strings.Count(query, "?"))...)
}

// Count implements coupon.Store.
func (c *Store) Count(ctx context.Context, campaign int64) (coupon.Count, error) {
	var n coupon.Count
	err := c.units.Query(ctx, ofCampaign(c.sql.count, campaign), func(rows *sql.Rows) error {
		return rows.Scan(&n.Pending, &n.Usable, &n.Reserved, &n.Redeemed, &n.Expired, &n.Refunded, &n.Revoked)
	})
	return n, err
}

// Book implements coupon.Store.
func (c *Store) Book(ctx context.Context, campaign int64) (coupon.Book, error) {
	var b coupon.Book
	err := c.units.Query(ctx, ofCampaign(c.sql.book, campaign), func(rows *sql.Rows) error {
		return rows.Scan(&b.Held, &b.Coupons, &b.HeldBack, &b.Back, &b.Reserved, &b.ReservedBy, &b.Redeemed, &b.RedeemedBy,
			&b.Positioned, &b.Codes, &b.LastPosition, &b.SoldOut)
	})
	return b, err
}
