package sqlstore

// couponSQL is every statement of the coupon store for a prefix, beside those of its units.
type couponSQL struct {
	terms, codes, wallet, uses, batches, granted string // table names
}

// newCouponSQL renders the statements for a prefix.
func newCouponSQL(prefix string) *couponSQL {
	return &couponSQL{
		terms: prefix + "coupon_terms", codes: prefix + "coupon_code", wallet: prefix + "coupon_wallet",
		uses: prefix + "coupon_use", batches: prefix + "coupon_batch", granted: prefix + "coupon_batch_buyer",
	}
}

// tables returns the names of all tables.
func (q *couponSQL) tables() []string {
	return []string{q.terms, q.codes, q.wallet, q.uses, q.batches, q.granted}
}

// constraints returns the names of all CHECK constraints.
func (q *couponSQL) constraints() []string {
	return []string{q.wallet + "_order", q.wallet + "_validity", q.uses + "_discount"}
}
