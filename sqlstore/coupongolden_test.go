package sqlstore

import (
	"time"

	"github.com/holdfast-go/holdfast/coupon"
)

// statements renders all of them; those that grow with a batch for two.
func (q *couponSQL) statements() []statement {
	at := time.UnixMicro(0).UTC()
	given := []coupon.Coupon{
		{ID: "a", Campaign: 42, Buyer: "7", TermsNo: 1, Position: 1, State: coupon.Usable, UpdatedAt: at, From: at, Until: at.Add(time.Hour)},
		{ID: "b", Campaign: 42, Buyer: "8", TermsNo: 1, Position: 2, State: coupon.Usable, UpdatedAt: at, From: at, Until: at.Add(time.Hour)},
	}
	all := []statement{
		{"Define: record terms", q.addTerms},
		{"Read terms, two", q.anyTerms(2)},
		{"Claim, Lock, after 2 of their unit, 3: what the campaign says", q.lockCampaign},
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
		for _, part := range []statement{
			{" in the caller's transaction: has the order the coupon", s.has}, {"", s.move}, {" 1: take the coupon", s.take},
			{" 1 in the caller's transaction: take the coupon", s.takeAt}, {", the first use of an order", s.begin}, {", a use that has lapsed", s.again},
		} {
			if part.text != "" {
				all = append(all, statement{"Step " + t.Name + part.name, dated(part.text, at)})
			}
		}
	}
	return append(all,
		statement{"Read a use", q.readUse},
		statement{"List the uses of a coupon", q.readUses},
		statement{"List the uses by an order", q.readOrder},
		statement{"Import, Generate 1: the pool", q.growPool},
		statement{"Import, Generate 2: the codes, two", q.insertCodes(42, 0, []string{"A", "B"})},
		statement{"Import, Generate 4, after the change is recorded: the units", q.addUnits},
		statement{"Import: who has codes that are known", q.readOwners},
		statement{"Read how many codes a pool had", q.readPool},
		statement{"Issue: record the batch", q.addBatch},
		statement{"Issue 1: lock the batch", q.lockBatch},
		statement{"Issue 2: what others have done of it", q.grants("a", []string{"a/7", "a/8"})},
		statement{"Issue, after the coupons: what became of the buyers, two", q.insertGrantedText(2)},
		statement{"Issue, last: how many there are", q.countGranted},
		statement{"Read a batch", q.readBatch},
		statement{"Read what became of its buyers", q.readGranted},
		statement{"Count a campaign", q.count},
		statement{"Audit a campaign", q.book},
		statement{"In the caller's transaction: blank terms", q.blankTerms.insert},
		statement{"In the caller's transaction: no blank terms any more", q.blankTerms.takeBack},
		statement{"In the caller's transaction: lock the hold of a coupon", q.lockClaim},
		statement{"In the caller's transaction: blank codes, two", q.blankCodesText(2)},
		statement{"In the caller's transaction: no blank codes any more", q.deleteBlankCodes()},
		statement{"In the caller's transaction: lock a code", q.lockCode},
		statement{"In the caller's transaction: whose it is", q.ownerOf},
		statement{"In the caller's transaction: a blank use", q.blankUse.insert},
		statement{"In the caller's transaction: no blank use any more", q.blankUse.takeBack},
		statement{"In the caller's transaction: a blank pool", q.blankPool.insert},
		statement{"In the caller's transaction: no blank pool any more", q.blankPool.takeBack},
		statement{"In the caller's transaction: Import, Generate 1: the pool", q.growLocked},
		statement{"In the caller's transaction: a blank batch", q.blankBatch.insert},
		statement{"In the caller's transaction: no blank batch any more", q.blankBatch.takeBack},
		statement{"In the caller's transaction: what the snapshot has of a batch", q.countGrants},
	)
}
