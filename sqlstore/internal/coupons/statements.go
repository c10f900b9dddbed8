package coupons

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/sqlstore/internal/ledger"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// couponStock is the table of the units of coupons.
const couponStock = "coupon_stock"

// couponSQL has every statement of the coupon store for a prefix, except those of its units. A statement is rendered
// once, or for each call if it grows with its rows. mysql.Render fills in the question marks. testdata/statements.sql has
// all of them to read.
type couponSQL struct {
	items, holds                                       string // tables of the units
	terms, pools, codes, wallet, uses, batches, buyers string // tables

	addTerms                                    string
	lockCampaign, give, lockPaid, giveBack      string
	lockCoupons                                 string
	readCoupon, readCoupons, readByCode         string
	hasUse, readUse, readUses, readOrder        string
	growPool, growBound, readPool, addUnits     string
	lockClaim, lockCode, ownerOf, readOwners    string
	addBatch, readBatch, lockBatch, growBatch   string
	readGrants, findGrants, countGrants         string
	count, book                                 string
	blankTerms, blankPool, blankUse, blankBatch mysql.Blank
	steps                                       map[coupon.Step]useSQL
	expiry                                      []expirySQL
	readOwner                                   string
}

// newCouponSQL renders the statements for a prefix.
func newCouponSQL(prefix string) *couponSQL {
	units := ledger.NewStatements(prefix + couponStock)
	q := &couponSQL{
		items: units.Items, holds: units.Holds,
		terms: prefix + "coupon_terms", pools: prefix + "coupon_pool", codes: prefix + "coupon_code", wallet: prefix + "coupon_wallet",
		uses: prefix + "coupon_use", batches: prefix + "coupon_batch", buyers: prefix + "coupon_batch_buyer",
		steps: map[coupon.Step]useSQL{},
	}
	q.addTerms = "INSERT INTO " + q.terms + " (" + termsColumns + ", CREATE_TIME) VALUES (" + mysql.List("?", 16) + ", " + mysql.Now + ")"
	q.renderUnits()
	q.renderReads()
	q.renderPools()
	q.renderBatches()
	q.renderBooks()
	q.renderBlanks()
	q.renderExpiry()
	for _, t := range coupon.Transitions() {
		q.steps[t.Step] = q.renderUse(t)
	}
	return q
}

// freeCoupon is the condition for a coupon w that is Free: nobody uses it, or its reservation has lapsed.
var freeCoupon = fmt.Sprintf("(w.STATE = %d OR (w.STATE = %d AND w.EXPIRE_TIME <= %s))", coupon.Usable, coupon.Reserved, mysql.Now)

// anyTerms renders the read of terms by campaign and number.
func (q *couponSQL) anyTerms(numbers int) string {
	return "SELECT " + termsRead + " FROM " + q.terms + " " + mysql.ByKey + " WHERE " +
		strings.Join(slices.Repeat([]string{"(CAMPAIGN_ID = ? AND TERMS_NO = ?)"}, numbers), " OR ")
}

// renderUnits renders the statements that go with the units of claims.
func (q *couponSQL) renderUnits() {
	q.lockCampaign = "SELECT STOCK_SALE_NUM, SPU_ID FROM " + q.items + " WHERE SKU_ID = ? AND ACTIVITY_ID = 0 FOR UPDATE"
	q.give = "INSERT INTO " + q.wallet +
		" (COUPON_NO, CAMPAIGN_ID, BUYER_ID, TERMS_NO, POSITION, STATE, VALID_FROM, VALID_UNTIL, CLAIM_TIME, UPDATE_TIME) VALUES "
	q.lockPaid = "SELECT w.COUPON_NO, w.CAMPAIGN_ID, w.TERMS_NO, " + mysql.Micros("h.PAY_TIME") + ", s.STOCK_SALE_NUM FROM " + q.holds +
		" h " + mysql.ByKey +
		" STRAIGHT_JOIN " + q.wallet + " w " + mysql.ByKey + " ON w.COUPON_NO = h.ORDER_NO" +
		" STRAIGHT_JOIN " + q.items + " s " + mysql.ByKey + " ON s.SKU_ID = w.CAMPAIGN_ID AND s.ACTIVITY_ID = 0" +
		fmt.Sprintf(" WHERE h.ORDER_NO IN (?) AND h.LINE_NO = 1 AND w.STATE = %d FOR UPDATE", coupon.Pending)
	// Orders, refunds and revocations race for a coupon. The guard lets one of them through.
	q.giveBack = "UPDATE " + q.wallet +
		" w FORCE INDEX (PRIMARY) SET w.STATE = %d, w.ORDER_NO = NULL, w.EXPIRE_TIME = NULL, w.UPDATE_TIME = " + mysql.Now +
		" WHERE w.COUPON_NO IN (?) AND " + freeCoupon
	q.lockCoupons = "SELECT w.COUPON_NO, w.BUYER_ID, w.CAMPAIGN_ID, w.STATE, w.ORDER_NO, " + mysql.Micros("w.EXPIRE_TIME") + ", " +
		mysql.Micros("w.VALID_FROM") + ", " +
		mysql.Micros("w.VALID_UNTIL") + ", " + mysql.Micros(mysql.Now) + " FROM " + q.wallet + " w " + mysql.ByKey +
		" WHERE w.COUPON_NO IN (?) ORDER BY w.COUPON_NO FOR UPDATE"
}

// back renders the UPDATE of coupons that are given back.
func (q *couponSQL) back(to coupon.State, coupons []string) string {
	return mysql.RenderList(fmt.Sprintf(q.giveBack, to), coupons)
}

// insertCoupons renders the INSERT of coupons that are claimed or locked. It writes the text at once, because the
// statement grows with the batch.
func (q *couponSQL) insertCoupons(coupons []coupon.Coupon) string {
	var b strings.Builder
	b.Grow(len(q.give) + 300*len(coupons))
	b.WriteString(q.give)
	var before coupon.Coupon
	var validity, clock string // of the coupon before; mostly the next has the same
	for i, c := range coupons {
		if i == 0 || c.From != before.From || c.Until != before.Until || c.UpdatedAt != before.UpdatedAt {
			validity, clock = mysql.NullTimestamp(c.From)+","+mysql.NullTimestamp(c.Until), mysql.Timestamp(c.UpdatedAt)
		}
		before = c
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('(')
		mysql.BytesLiteral(&b, c.ID)
		b.WriteByte(',')
		mysql.Integer(&b, c.Campaign)
		b.WriteByte(',')
		mysql.BytesLiteral(&b, c.Buyer)
		b.WriteByte(',')
		mysql.Integer(&b, c.TermsNo)
		b.WriteByte(',')
		if c.Position == 0 {
			b.WriteString("NULL")
		} else {
			mysql.Integer(&b, c.Position)
		}
		b.WriteByte(',')
		mysql.Integer(&b, int64(c.State))
		b.WriteByte(',')
		b.WriteString(validity)
		b.WriteByte(',')
		if c.State == coupon.Pending {
			b.WriteString("NULL")
		} else {
			b.WriteString(clock)
		}
		b.WriteByte(',')
		b.WriteString(clock)
		b.WriteByte(')')
	}
	return b.String()
}

// pay renders the UPDATE of coupons that are paid.
func (q *couponSQL) pay(coupons []coupon.Coupon) string {
	args := make([]any, 0, 5*len(coupons))
	for _, c := range coupons {
		position := any(c.Position)
		if c.Position == 0 {
			position = nil // NULL
		}
		args = append(args, c.ID, position, c.From, c.Until, c.ClaimedAt)
	}
	return mysql.Render(q.payText(len(coupons)), args...)
}

func (q *couponSQL) payText(coupons int) string {
	return mysql.Driven(coupons, "UPDATE (SELECT ? AS COUPON_NO, ? AS POSITION, ? AS VALID_FROM, ? AS VALID_UNTIL, ? AS CLAIM_TIME"+
		strings.Repeat(" UNION ALL SELECT ?, ?, ?, ?, ?",
			coupons-1)+") l STRAIGHT_JOIN "+q.wallet+" w "+mysql.ByKey+" ON w.COUPON_NO = l.COUPON_NO"+
		fmt.Sprintf(" SET w.STATE = %d, w.POSITION = l.POSITION, w.VALID_FROM = l.VALID_FROM, w.VALID_UNTIL = l.VALID_UNTIL,", coupon.Usable)+
		fmt.Sprintf(" w.CLAIM_TIME = l.CLAIM_TIME, w.UPDATE_TIME = l.CLAIM_TIME WHERE w.STATE = %d", coupon.Pending))
}

// renderPools renders how a pool grows.
func (q *couponSQL) renderPools() {
	// The row is locked until the commit, and the answer has its new number.
	q.growPool = "INSERT INTO " + q.pools +
		" (CAMPAIGN_ID, CODE_NUM) VALUES (?, LAST_INSERT_ID(?)) ON DUPLICATE KEY UPDATE CODE_NUM = LAST_INSERT_ID(CODE_NUM + ?)"
	q.growBound = "UPDATE " + q.pools + " " + mysql.ByKey + " SET CODE_NUM = CODE_NUM + ? WHERE CAMPAIGN_ID = ?"
	q.readPool = "SELECT CODE_NUM FROM " + q.pools + " WHERE CAMPAIGN_ID = ?"
	q.readOwners = "SELECT CODE, CAMPAIGN_ID FROM " + q.codes + " " + mysql.ByKey + " WHERE CODE IN (?)"
	q.addUnits = "UPDATE " + q.items + " s " + mysql.ByKey + " SET " + ledger.ItemChange(stock.StepRestock.Transition().Delta, "?") + ", s." +
		ledger.Touch +
		" WHERE s.SKU_ID = ? AND s.ACTIVITY_ID = 0 AND s.UNLIMITED = 0"
}

// insertCodes renders the INSERT of codes behind a position of a pool.
func (q *couponSQL) insertCodes(campaign, behind int64, codes []string) string {
	head := "INSERT INTO " + q.codes + " (CAMPAIGN_ID, POSITION, CODE) VALUES "
	var b strings.Builder
	b.Grow(len(head) + 80*len(codes))
	b.WriteString(head)
	for i, code := range codes {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('(')
		mysql.Integer(&b, campaign)
		b.WriteByte(',')
		mysql.Integer(&b, behind+int64(i)+1)
		b.WriteByte(',')
		mysql.BytesLiteral(&b, code)
		b.WriteByte(')')
	}
	return b.String()
}

// renderBatches renders the statements on batches.
func (q *couponSQL) renderBatches() {
	q.addBatch = "INSERT INTO " + q.batches + " (BATCH_NO, CAMPAIGN_ID, ISSUE_ALL, DIGEST, CREATE_TIME) VALUES (?, ?, ?, ?, " + mysql.Now + ")"
	q.readBatch = "SELECT CAMPAIGN_ID, ISSUE_ALL, DIGEST, BUYER_NUM FROM " + q.batches + " WHERE BATCH_NO = ?"
	q.readGrants = "SELECT BUYER_ID, COUPON_NO, REASON FROM " + q.buyers + " WHERE BATCH_NO = ? ORDER BY LINE_NO"
	// A call that issues a part of a batch locks it until the commit, and can read the grants of others.
	q.lockBatch = "SELECT BUYER_NUM FROM " + q.batches + " WHERE BATCH_NO = ? FOR UPDATE"
	q.countGrants = "SELECT COUNT(*) FROM " + q.buyers + " WHERE BATCH_NO = ?"
	q.findGrants = "SELECT BUYER_ID, COUPON_NO, REASON FROM " + q.buyers + " WHERE BATCH_NO = # AND COUPON_NO IN (?)"
	q.growBatch = "UPDATE " + q.batches + " " + mysql.ByKey + " SET BUYER_NUM = BUYER_NUM + ? WHERE BATCH_NO = ?"
}

// grants renders the read of the grants of some coupons of a batch.
func (q *couponSQL) grants(batch string, coupons []string) string {
	return mysql.RenderList(strings.Replace(q.findGrants, "#", mysql.Render("?", batch), 1), coupons)
}

// insertGrants renders the INSERT of grants, behind the ones that the batch had before.
func (q *couponSQL) insertGrants(batch string, behind int64, granted []coupon.Grant) string {
	args := make([]any, 0, 5*len(granted))
	for i, g := range granted {
		args = append(args, batch, g.Coupon, behind+int64(i)+1, g.Buyer, int64(g.Reason))
	}
	return mysql.Render(q.insertGrantsText(len(granted)), args...)
}

func (q *couponSQL) insertGrantsText(buyers int) string {
	return "INSERT INTO " + q.buyers + " (BATCH_NO, COUPON_NO, LINE_NO, BUYER_ID, REASON) VALUES " +
		mysql.List("("+mysql.List("?", 5)+")", buyers)
}

// renderBlanks renders blank rows; see Handle.Among. A blank row has a 0 in a column in which no other row has one: KIND of
// terms, CODE_NUM of a pool, STATE of a use, CAMPAIGN_ID of a batch.
func (q *couponSQL) renderBlanks() {
	row := func(table, values, column, key string) mysql.Blank {
		return mysql.Blank{
			Insert:   "INSERT INTO " + table + " (" + values + ") ON DUPLICATE KEY UPDATE " + column + " = " + column,
			TakeBack: mysql.TakeBlank(table, key, "t."+column+" = 0"),
		}
	}
	q.blankTerms = row(q.terms, "CAMPAIGN_ID, TERMS_NO, TITLE, SCOPE, KIND, PLACES, ZONE, CREATE_TIME)"+
		" VALUES (?, ?, x'', x'', 0, 0, x'', "+mysql.Now,
		"KIND", "t.CAMPAIGN_ID = ? AND t.TERMS_NO = ?")
	q.blankPool = row(q.pools, "CAMPAIGN_ID, CODE_NUM) VALUES (?, 0", "CODE_NUM", "t.CAMPAIGN_ID = ?")
	q.blankUse = row(q.uses, "COUPON_NO, ORDER_NO, STATE, PLACES, TOTAL, DISCOUNT, EXPIRE_TIME, CREATE_TIME, UPDATE_TIME)"+
		" VALUES (?, ?, 0, 0, 0, 0, "+mysql.List(mysql.Now,
		3), "STATE",
		"t.COUPON_NO = ? AND t.ORDER_NO = ?")
	q.blankBatch = row(q.batches, "BATCH_NO, CAMPAIGN_ID, ISSUE_ALL, DIGEST, CREATE_TIME) VALUES (?, 0, 0, x'', "+mysql.Now, "CAMPAIGN_ID",
		"t.BATCH_NO = ?")
}

// blankCodes renders blank codes. They have the CAMPAIGN_ID 0, and each has a random position.
func (q *couponSQL) blankCodes(codes ...string) mysql.Blank {
	args := make([]any, 0, 2*len(codes))
	for _, code := range codes {
		args = append(args, rand.Int64(), code) //nolint:gosec // keeps no secret
	}
	return mysql.Blank{Insert: mysql.Render(q.blankCodesText(len(codes)), args...), TakeBack: mysql.RenderList(q.deleteBlankCodes(), codes)}
}

func (q *couponSQL) blankCodesText(codes int) string {
	return "INSERT INTO " + q.codes + " (CAMPAIGN_ID, POSITION, CODE) VALUES " + mysql.List("(0, ?, ?)", codes) +
		" ON DUPLICATE KEY UPDATE POSITION = POSITION"
}

func (q *couponSQL) deleteBlankCodes() string {
	return mysql.TakeBlank(q.codes, "t.CODE IN (?)", "t.CAMPAIGN_ID = 0")
}

// lockCampaigns reads what claims need of the rows of their campaigns.
func (q *couponSQL) lockCampaigns(n int) string {
	return "SELECT SKU_ID, STOCK_SALE_NUM, SPU_ID FROM " + q.items + " " + mysql.ByKey + " WHERE SKU_ID IN (" + mysql.List("?", n) +
		") AND ACTIVITY_ID = 0 FOR UPDATE"
}
