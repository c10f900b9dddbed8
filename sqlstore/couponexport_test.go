package sqlstore

// AlwaysBatch returns coupons whose every call that could be merged is done by the code of a batch; see
// Stock.AlwaysBatch.
func (c *Coupon) AlwaysBatch() *Coupon {
	c.units.AlwaysBatch()
	// What the two have in common is done; their refunds are each their own.
	refunds := c.revoked.merged.refunds
	refunds.alone = batched(refunds.batch, refunds.alone)
	c.merged.alone = batched(c.merged.batch, c.merged.alone)
	return c
}

// OneByOne is Stock.OneByOne for the units of coupons.
func (c *Coupon) OneByOne() *Coupon {
	c.units.OneByOne()
	return c
}
