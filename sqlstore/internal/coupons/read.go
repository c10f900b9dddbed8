package coupons

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/money"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// couponColumns are the columns of a coupon w, of its code k and of its hold h, in the order in which
// couponReader scans them.
var couponColumns = "w.COUPON_NO, w.CAMPAIGN_ID, w.BUYER_ID, w.TERMS_NO, w.POSITION, k.CODE, w.STATE, " + mysql.Micros("w.VALID_FROM") +
	", " +
	mysql.Micros("w.VALID_UNTIL") + ", w.ORDER_NO, " + mysql.Micros("w.EXPIRE_TIME") + ", " + mysql.Micros("w.CLAIM_TIME") + ", " +
	mysql.Micros("w.UPDATE_TIME")

// holdOfCoupon are the columns of its hold h, which matter while the coupon is pending. noHold stands in for them.
var (
	holdOfCoupon = ", h.STATE, " + mysql.Micros("h.EXPIRE_TIME")
	noHold       = ", NULL, NULL"
)

// useColumns are the columns of a use u, in the order in which useRow scans them.
var useColumns = "u.COUPON_NO, u.ORDER_NO, u.STATE, u.PLACES, u.TOTAL, u.DISCOUNT, " + mysql.Micros("u.EXPIRE_TIME") + ", " +
	mysql.Micros("u.REDEEM_TIME") + ", " + mysql.Micros("u.CREATE_TIME") + ", " + mysql.Micros("u.UPDATE_TIME")

// renderReads renders what is read of coupons and uses.
func (q *couponSQL) renderReads() {
	clock := "(SELECT " + mysql.Micros(mysql.Now) + " AS CLOCK) c" // a row also where there is no coupon
	wallet := " LEFT JOIN " + q.wallet + " w "
	code := " LEFT JOIN " + q.codes + " k " + mysql.By(q.codes, "position") + " ON k.CAMPAIGN_ID = w.CAMPAIGN_ID AND k.POSITION = w.POSITION"
	// The hold comes first, as in all statements that lock both.
	q.readCoupon = "SELECT " + couponColumns + holdOfCoupon + ", c.CLOCK FROM " + clock +
		" LEFT JOIN " + q.holds + " h " + mysql.ByKey + " ON h.ORDER_NO = ? AND h.LINE_NO = 1" + wallet + mysql.ByKey +
		" ON w.COUPON_NO = h.ORDER_NO" + code
	q.readCoupons = "SELECT " + couponColumns + holdOfCoupon + ", " + mysql.Micros(mysql.Now) + " FROM " + q.wallet + " w " + mysql.ByKey +
		code +
		" LEFT JOIN " + q.holds + fmt.Sprintf(" h ON h.ORDER_NO = w.COUPON_NO AND h.LINE_NO = 1 AND w.STATE = %d", coupon.Pending) +
		" WHERE w.COUPON_NO IN (?)"
	// A coupon that has a code is not pending.
	q.readByCode = "SELECT " + couponColumns + noHold + ", c.CLOCK FROM " + clock + " LEFT JOIN " + q.codes + " k " + mysql.ByKey +
		" ON k.CODE = ?" +
		wallet + mysql.By(q.wallet, "position") + " ON w.CAMPAIGN_ID = k.CAMPAIGN_ID AND w.POSITION = k.POSITION"
	q.lockClaim = "SELECT SKU_ID FROM " + q.holds + " WHERE ORDER_NO = ? AND LINE_NO = 1 FOR UPDATE"
	q.lockCode = "SELECT CAMPAIGN_ID, POSITION FROM " + q.codes + " WHERE CODE = ? FOR UPDATE"
	q.ownerOf = "SELECT COUPON_NO FROM " + q.wallet + " WHERE CAMPAIGN_ID = ? AND POSITION = ?"

	q.hasUse = "SELECT 1 FROM " + q.uses + " WHERE COUPON_NO = ? AND ORDER_NO = ?"
	q.readUse = "SELECT " + useColumns + ", c.CLOCK FROM " + clock + " LEFT JOIN " + q.uses + " u " + mysql.ByKey +
		" ON u.COUPON_NO = ? AND u.ORDER_NO = ?"
	use := "SELECT " + useColumns + ", " + mysql.Micros(mysql.Now) + " FROM " + q.uses + " u WHERE "
	q.readUses = use + "u.COUPON_NO = ? ORDER BY u.CREATE_TIME, u.ORDER_NO"
	q.readOrder = use + "u.ORDER_NO = ? ORDER BY u.COUPON_NO"
}

// readWallet renders a page of a wallet. The conditions are those of coupon.Status for a coupon w that is not pending.
func (q *couponSQL) readWallet(statuses []coupon.Status) string {
	valid, over := " AND w.VALID_UNTIL > "+mysql.Now, " AND w.VALID_UNTIL <= "+mysql.Now
	of := map[coupon.Status]string{
		coupon.StatusUsable:   freeCoupon + valid + " AND w.VALID_FROM <= " + mysql.Now,
		coupon.StatusWaiting:  freeCoupon + valid + " AND w.VALID_FROM > " + mysql.Now,
		coupon.StatusReserved: fmt.Sprintf("w.STATE = %d AND w.EXPIRE_TIME > ", coupon.Reserved) + mysql.Now,
		coupon.StatusUsed:     fmt.Sprintf("w.STATE = %d", coupon.Redeemed),
		coupon.StatusExpired:  freeCoupon + over,
		coupon.StatusGone:     fmt.Sprintf("w.STATE IN (%d, %d)", coupon.Refunded, coupon.Revoked),
	}
	wanted := make([]string, 0, len(statuses))
	for _, s := range statuses {
		wanted = append(wanted, "("+of[s]+")")
	}
	return "SELECT " + couponColumns + noHold + ", " + mysql.Micros(mysql.Now) + " FROM " + q.wallet + " w" +
		" LEFT JOIN " + q.codes + " k ON k.CAMPAIGN_ID = w.CAMPAIGN_ID AND k.POSITION = w.POSITION" +
		" WHERE w.BUYER_ID = ? AND (w.VALID_UNTIL > ? OR (w.VALID_UNTIL = ? AND w.COUPON_NO > ?)) AND (" + strings.Join(wanted, " OR ") + ")" +
		" ORDER BY w.VALID_UNTIL, w.COUPON_NO LIMIT ?"
}

// couponReader reads coupons without their terms.
type couponReader struct {
	coupons []coupon.Coupon
	clock   int64
}

// scan reads couponColumns, the hold's and the clock. A row without a coupon brings the clock alone.
func (r *couponReader) scan(rows *sql.Rows) error {
	var id, buyer, code, order sql.NullString
	var campaign, terms, position, from, until, deadline, claimed, updated, holdEnds sql.NullInt64
	var state, holdState sql.NullByte
	err := rows.Scan(&id, &campaign, &buyer, &terms, &position, &code, &state, &from, &until, &order, &deadline, &claimed, &updated,
		&holdState, &holdEnds, &r.clock)
	if err != nil || !id.Valid {
		return err
	}
	c := coupon.Coupon{
		ID: id.String, Campaign: campaign.Int64, Buyer: buyer.String, TermsNo: terms.Int64, Position: position.Int64, Code: code.String,
		State: coupon.State(state.Byte), From: mysql.FromNullMicros(from), Until: mysql.FromNullMicros(until),
		Order: order.String, Deadline: mysql.FromNullMicros(deadline), ClaimedAt: mysql.FromNullMicros(claimed),
		UpdatedAt: mysql.FromNullMicros(updated),
	}
	if c.State == coupon.Pending { // its hold decides
		if c.Deadline = mysql.FromNullMicros(holdEnds); stock.State(holdState.Byte) != stock.Locked || holdEnds.Int64 <= r.clock {
			c.State, c.Deadline = coupon.Dropped, time.Time{}
		}
	}
	r.coupons = append(r.coupons, c)
	return nil
}

// read reads coupons, and then their terms, which never change.
func (c *Store) read(ctx context.Context, query mysql.QueryFunc, statement string) (couponReader, error) {
	var r couponReader
	if err := query(ctx, statement, r.scan); err != nil || len(r.coupons) == 0 {
		return r, err
	}
	keys := make([]termsKey, len(r.coupons))
	for i, found := range r.coupons {
		keys[i] = termsKey{found.Campaign, found.TermsNo}
	}
	terms, err := c.termsOf(ctx, c.units.Query, keys...)
	if err != nil {
		return r, err
	}
	for i := range r.coupons {
		of, ok := terms[keys[i]]
		if !ok {
			return r, mysql.Missing(nil)
		}
		r.coupons[i].Terms = of
	}
	return r, nil
}

// one reads one coupon.
func (c *Store) one(ctx context.Context, statement string) (found coupon.Coupon, now time.Time, err error) {
	r, err := c.read(ctx, c.units.Query, statement)
	if err == nil && len(r.coupons) > 0 {
		found = r.coupons[0]
	}
	return found, mysql.FromMicros(r.clock), err
}

// none returns no coupon, and the clock.
func (c *Store) none(ctx context.Context, err error) (coupon.Coupon, time.Time, error) {
	now, err := c.units.Moment(ctx, 0, err)
	return coupon.Coupon{}, now, err
}

// coupon reads the coupon of an ID. In the caller's transaction it locks the hold first. If the hold is an order of a
// campaign, then there is a coupon, which can be locked.
func (c *Store) coupon(ctx context.Context, id string) (coupon.Coupon, time.Time, error) {
	statement := mysql.Render(c.sql.readCoupon, id)
	if !c.units.Bound() {
		return c.one(ctx, statement)
	}
	var campaign int64
	err := c.units.Among(ctx, func(q mysql.Tx) (bool, error) {
		err := mysql.ReadRow(ctx, q, mysql.Render(c.sql.lockClaim, id), &campaign)
		return campaign == 0, err
	}, c.units.SQL.BlankHolds(id))
	if err != nil || campaign == 0 {
		return c.none(ctx, err)
	}
	return c.one(ctx, statement+" FOR UPDATE")
}

// ByCode implements coupon.Store. The coupon of a code never changes, so that the snapshot of a caller's transaction shows it, and its
// hold is locked first, as by every call. Where the snapshot has none, the code is locked, and the campaign says whether it was
// handed out since.
func (c *Store) ByCode(ctx context.Context, code string) (coupon.Coupon, time.Time, error) {
	found, now, err := c.one(ctx, mysql.Render(c.sql.readByCode, code))
	switch {
	case err != nil || !c.units.Bound():
		return found, now, err
	case found.ID != "":
		return c.coupon(ctx, found.ID)
	}
	var campaign, position int64
	err = c.units.Among(ctx, func(q mysql.Tx) (bool, error) {
		err := mysql.ReadRow(ctx, q, mysql.Render(c.sql.lockCode, code), &campaign, &position)
		return campaign == 0, err
	}, c.sql.blankCodes(code))
	if err != nil || campaign == 0 {
		return c.none(ctx, err)
	}
	statement := mysql.Render(c.sql.ownerOf, campaign, position)
	ownerOf := func(statement string) (id string, err error) {
		err = c.units.Query(ctx, statement, func(rows *sql.Rows) error { return rows.Scan(&id) })
		return id, err
	}
	id, err := ownerOf(statement)
	if err == nil && id == "" {
		var sold, terms int64
		err = c.units.Query(ctx, mysql.Render(c.sql.lockCampaign, campaign), func(rows *sql.Rows) error { return rows.Scan(&sold, &terms) })
		if err == nil && position <= sold {
			id, err = ownerOf(statement + " FOR UPDATE")
		}
	}
	if err != nil || id == "" {
		return c.none(ctx, err)
	}
	return c.coupon(ctx, id)
}

// severalCoupons reads several coupons.
func (c *Store) severalCoupons(ctx context.Context, ids []string) (map[string]coupon.Coupon, time.Time, error) {
	r, err := c.read(ctx, c.units.Query, mysql.RenderList(c.sql.readCoupons, ids))
	now, err := c.units.Moment(ctx, r.clock, err)
	found := make(map[string]coupon.Coupon, len(r.coupons))
	for _, one := range r.coupons {
		found[one.ID] = one
	}
	return found, now, err
}

// Wallet implements coupon.Store.
func (c *Store) Wallet(
	ctx context.Context, buyer string, statuses []coupon.Status, after coupon.Cursor, limit int,
) ([]coupon.Coupon, time.Time, error) {
	var r couponReader
	var err error
	if len(statuses) > 0 {
		from := mysql.From(after.ID == "", after.Until)
		r, err = c.read(ctx, c.units.Show, mysql.Render(c.sql.readWallet(statuses), buyer, from, from, after.ID, limit))
	}
	now, err := c.units.Moment(ctx, r.clock, err)
	return r.coupons, now, err
}

// useReader reads uses.
type useReader struct {
	uses  []coupon.Use
	clock int64
}

// scan reads useColumns and the clock. A row without a use brings the clock alone.
func (r *useReader) scan(rows *sql.Rows) error {
	var id, order sql.NullString
	var state sql.NullByte
	var places sql.NullInt32
	var total, discount, deadline, redeemed, created, updated sql.NullInt64
	err := rows.Scan(&id, &order, &state, &places, &total, &discount, &deadline, &redeemed, &created, &updated, &r.clock)
	if err != nil || !id.Valid || state.Byte == 0 { // of a blank row; see Handle.Among
		return err
	}
	r.uses = append(r.uses, coupon.Use{
		Coupon: id.String, Order: order.String, State: coupon.UseState(state.Byte), Places: places.Int32,
		Total: money.Decimal(total.Int64, places.Int32), Discount: money.Decimal(discount.Int64, places.Int32),
		Deadline: mysql.FromNullMicros(deadline), RedeemedAt: mysql.FromNullMicros(redeemed),
		CreatedAt: mysql.FromNullMicros(created), UpdatedAt: mysql.FromNullMicros(updated),
	})
	return nil
}

// UseOf implements coupon.Store.
func (c *Store) UseOf(ctx context.Context, id, order string) (coupon.Use, time.Time, error) {
	var r useReader
	err := c.units.QueryAmong(ctx, mysql.Render(c.sql.readUse, id, order), func(rows *sql.Rows) (bool, error) {
		err := r.scan(rows)
		return len(r.uses) > 0, err
	}, c.sql.blankUse.Of(id, order))
	if err != nil || len(r.uses) == 0 {
		return coupon.Use{}, mysql.FromMicros(r.clock), err
	}
	return r.uses[0], mysql.FromMicros(r.clock), nil
}

// Uses implements coupon.Store.
func (c *Store) Uses(ctx context.Context, id string) ([]coupon.Use, error) {
	return c.usesThat(ctx, mysql.Render(c.sql.readUses, id))
}

// UsedBy implements coupon.Store.
func (c *Store) UsedBy(ctx context.Context, order string) ([]coupon.Use, error) {
	return c.usesThat(ctx, mysql.Render(c.sql.readOrder, order))
}

// usesThat lists uses.
func (c *Store) usesThat(ctx context.Context, statement string) ([]coupon.Use, error) {
	var r useReader
	err := c.units.Query(ctx, statement, r.scan)
	return r.uses, err
}
