package coupons

import (
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/sqltest"
)

func TestGoldenStatementsOfCoupon(t *testing.T) {
	t.Parallel()
	sqltest.Golden(t, "coupon", "testdata/statements.sql",
		func(prefix string) []sqltest.Statement { return newCouponSQL(prefix).statements() })
}

// statements renders all of them; those that grow with a batch for two.
func (q *couponSQL) statements() []sqltest.Statement {
	at := time.UnixMicro(0).UTC()
	given := []coupon.Coupon{
		{ID: "a", Campaign: 42, Buyer: "7", TermsNo: 1, Position: 1, State: coupon.Usable, UpdatedAt: at, From: at, Until: at.Add(time.Hour)},
		{ID: "b", Campaign: 42, Buyer: "8", TermsNo: 1, Position: 2, State: coupon.Usable, UpdatedAt: at, From: at, Until: at.Add(time.Hour)},
	}
	all := []sqltest.Statement{
		{"Define: record terms", q.addTerms},
		{"Read terms, two", q.anyTerms(2) + " FOR UPDATE"},
		{"Claim, Lock, after 2 of their unit, 3: what the campaigns say, two", q.lockCampaigns(2)},
		{"What a campaign says, with a lock", q.lockCampaign},
		{"Claim 4: the coupons, two", q.insertCoupons(given)},
		{"Pay, after its unit, 2: the coupons", q.lockPaid},
		{"Pay 3: make them usable, two", q.payText(2)},
		{"Refund, after 2 of its unit, 3: the coupon", q.back(coupon.Refunded, []string{"a"})},
		{"Revoke, after 2 of its unit, 3: the coupons, two", q.back(coupon.Revoked, []string{"a", "b"})},
		{"Read a coupon", q.readCoupon},
		{"Read several coupons", q.readCoupons},
		{"Read the coupon of a code", q.readByCode},
		{"List a wallet: what can be used, now or later", q.readWallet([]coupon.Status{coupon.StatusUsable, coupon.StatusWaiting})},
		{"List a wallet: all", q.readWallet(coupon.Statuses())},
	}
	for _, t := range coupon.Transitions() {
		s := q.steps[t.Step]
		for _, part := range []sqltest.Statement{
			{" in the caller's transaction: has the order the coupon", s.has}, {"", s.move}, {" 1: take the coupon", s.take},
			{" 1 in the caller's transaction: take the coupon", s.takeAt}, {", the first use of an order", s.begin},
			{", a use that has lapsed", s.again},
		} {
			if part[1] != "" {
				all = append(all, sqltest.Statement{"Step " + t.Name + part[0], atTime(part[1], at)})
			}
		}
	}
	return append(all,
		sqltest.Statement{"Beside goods 1: lock the coupons", q.lockCoupons},
		sqltest.Statement{"Beside goods 2: lock uses that are there, two", q.lockUses(2)},
		sqltest.Statement{"Beside goods 3: uses that begin, two", q.insertUsesText(2)},
		sqltest.Statement{"Beside goods 3: uses that are there, two", q.insertUsesText(2) + changeUses},
		sqltest.Statement{"Beside goods 3: uses whose rows are blank, two", q.insertUsesText(2) + beginUses},
		sqltest.Statement{"Beside goods 4: the coupons, two", q.changeCoupons(2)},
		sqltest.Statement{"Beside goods, where a use may be there after all: blank ones, two", q.insertUsesText(2) + leaveUses},
		sqltest.Statement{"Expire, where it tells, 1: what is about to expire", q.expiry[0].find},
		sqltest.Statement{"Expire, where it tells, 2: lock it", q.expiry[0].lock},
		sqltest.Statement{"Expire, where it tells, 3: it is told of", q.expiry[0].mark},
		sqltest.Statement{"Expire, where it tells, 1: what has expired", q.expiry[1].find},
		sqltest.Statement{"Expire, where it tells, 2: lock that", q.expiry[1].lock},
		sqltest.Statement{"Expire, where it tells, 3: that is told of", q.expiry[1].mark},
		sqltest.Statement{"Return, where it is told: whose coupon it is", q.readOwner},
		sqltest.Statement{"In the caller's transaction, beside goods: is there a use", q.hasUse},
		sqltest.Statement{"Read a use", q.readUse},
		sqltest.Statement{"List the uses of a coupon", q.readUses},
		sqltest.Statement{"List the uses by an order", q.readOrder},
		sqltest.Statement{"Import, Generate 1: the pool", q.growPool},
		sqltest.Statement{"Import, Generate 2: the codes, two", q.insertCodes(42, 0, []string{"A", "B"})},
		sqltest.Statement{"Import, Generate 4, after the change is recorded: the units", q.addUnits},
		sqltest.Statement{"Import: who has codes that are known", q.readOwners},
		sqltest.Statement{"Read how many codes a pool had", q.readPool},
		sqltest.Statement{"Issue: record the batch", q.addBatch},
		sqltest.Statement{"Issue 1: lock the batch", q.lockBatch},
		sqltest.Statement{"Issue 2: what others have done of it", q.grants("a", []string{"a/7", "a/8"})},
		sqltest.Statement{"Issue, after the coupons: what became of the buyers, two", q.insertGrantsText(2)},
		sqltest.Statement{"Issue, last: how many there are", q.growBatch},
		sqltest.Statement{"Read a batch", q.readBatch},
		sqltest.Statement{"Read what became of its buyers", q.readGrants},
		sqltest.Statement{"Count a campaign", q.count},
		sqltest.Statement{"Audit a campaign", q.book},
		sqltest.Statement{"In the caller's transaction: blank terms", q.blankTerms.Insert},
		sqltest.Statement{"In the caller's transaction: no blank terms any more", q.blankTerms.TakeBack},
		sqltest.Statement{"In the caller's transaction: lock the hold of a coupon", q.lockClaim},
		sqltest.Statement{"In the caller's transaction: blank codes, two", q.blankCodesText(2)},
		sqltest.Statement{"In the caller's transaction: no blank codes any more", q.deleteBlankCodes()},
		sqltest.Statement{"In the caller's transaction: lock a code", q.lockCode},
		sqltest.Statement{"In the caller's transaction: whose it is", q.ownerOf},
		sqltest.Statement{"In the caller's transaction: a blank use", q.blankUse.Insert},
		sqltest.Statement{"In the caller's transaction: no blank use any more", q.blankUse.TakeBack},
		sqltest.Statement{"In the caller's transaction: a blank pool", q.blankPool.Insert},
		sqltest.Statement{"In the caller's transaction: no blank pool any more", q.blankPool.TakeBack},
		sqltest.Statement{"In the caller's transaction: Import, Generate 1: the pool", q.growBound},
		sqltest.Statement{"In the caller's transaction: a blank batch", q.blankBatch.Insert},
		sqltest.Statement{"In the caller's transaction: no blank batch any more", q.blankBatch.TakeBack},
		sqltest.Statement{"In the caller's transaction: what the snapshot has of a batch", q.countGrants},
	)
}
