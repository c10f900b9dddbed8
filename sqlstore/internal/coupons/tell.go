package coupons

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/sqlstore/internal/ledger"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock/event"
)

// expirySQL are the statements of one event of the validity of coupons. In find and lock, # stands for the lead in microseconds.
type expirySQL struct {
	kind             event.Kind
	find, lock, mark string
}

// renderExpiry renders how coupons are told to be about to expire, and to have expired. TOLD is the last of the two that was written.
func (q *couponSQL) renderExpiry() {
	until := func(span string) string { return "TIMESTAMPADD(MICROSECOND, " + span + ", " + mysql.Now + ")" }
	for i, e := range []struct {
		kind  event.Kind
		where string
	}{
		{event.CouponExpiring, "w.TOLD = 0 AND w.VALID_UNTIL > " + mysql.Now + " AND w.VALID_UNTIL <= " + until("#")},
		{event.CouponExpired, "w.TOLD IN (0, 1) AND w.VALID_UNTIL <= " + mysql.Now +
			" AND w.VALID_UNTIL > " + until(strconv.FormatInt(-coupon.ExpiredWithin.Microseconds(), 10))},
	} {
		where := fmt.Sprintf("w.STATE IN (%d, %d) AND ", coupon.Usable, coupon.Reserved) + e.where + " AND " + freeCoupon
		q.expiry = append(q.expiry, expirySQL{
			kind: e.kind,
			find: "SELECT w.COUPON_NO FROM " + q.wallet + " w " + mysql.By(q.wallet, "told") + " WHERE " + where + " LIMIT ?",
			lock: "SELECT w.COUPON_NO, w.BUYER_ID, w.CAMPAIGN_ID FROM " + q.wallet + " w " + mysql.ByKey + " WHERE w.COUPON_NO IN (?) AND " +
				where + " ORDER BY w.COUPON_NO FOR UPDATE",
			mark: fmt.Sprintf("UPDATE %s %s SET TOLD = %d WHERE COUPON_NO IN (?)", q.wallet, mysql.ByKey, i+1),
		})
	}
	q.readOwner = "SELECT w.COUPON_NO, w.BUYER_ID, w.CAMPAIGN_ID FROM " + q.wallet + " w WHERE w.COUPON_NO = ?"
}

// owned reads what an event has of a coupon.
func owned(rows *sql.Rows) (c coupon.Coupon, err error) {
	err = rows.Scan(&c.ID, &c.Buyer, &c.Campaign)
	return c, err
}

// TellExpiry implements coupon.Store. It looks for coupons first, and decides once they are locked.
func (c *Store) TellExpiry(ctx context.Context, lead time.Duration, limit int) (int, error) {
	total := 0
	for _, e := range c.sql.expiry {
		if !c.tells.Has(e.kind) || total == limit {
			continue
		}
		told, err := c.tellExpiry(ctx, e, strconv.FormatInt(lead.Microseconds(), 10), limit-total)
		if total += told; err != nil {
			return total, mysql.NeedsIndex(err, c.sql.wallet, "told")
		}
	}
	return total, nil
}

// tellExpiry writes one of the two events of up to limit coupons.
func (c *Store) tellExpiry(ctx context.Context, e expirySQL, lead string, limit int) (told int, err error) {
	find := strings.ReplaceAll(mysql.Render(e.find, limit), "#", lead)
	ids, err := ledger.ListOf(ctx, c.units, c.units.Query, find, mysql.One[string])
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	lock := mysql.RenderList(strings.ReplaceAll(e.lock, "#", lead), ids)
	kept, err := c.units.Atomically(ctx, func(q mysql.Tx) (bool, error) {
		coupons, err := ledger.ListOf(ctx, c.units, mysql.ReadIn(q), lock, owned)
		if told = len(coupons); err != nil || told == 0 {
			return false, err
		}
		marked, events := make([]string, told), make([]event.Event, told)
		for i, is := range coupons {
			marked[i], events[i] = is.ID, coupon.Told(e.kind, is, "")
		}
		if _, err := q.ExecContext(ctx, mysql.RenderList(e.mark, marked)); err != nil {
			return false, err
		}
		return true, c.units.WriteEvents(ctx, q, events)
	})
	if err != nil || !kept {
		return 0, err
	}
	return told, nil
}

// tellReturned tells that an order has given a coupon back, which is locked.
func (c *Store) tellReturned(ctx context.Context, q mysql.Tx, id, order string) error {
	coupons, err := ledger.ListOf(ctx, c.units, mysql.ReadIn(q), mysql.Render(c.sql.readOwner, id), owned)
	if err != nil || len(coupons) == 0 {
		return mysql.Missing(err)
	}
	return c.units.WriteEvents(ctx, q, []event.Event{coupon.Told(event.CouponReturned, coupons[0], order)})
}
