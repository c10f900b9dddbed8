package sqlstore

// AlwaysBatch returns coupons whose every call that could be merged is done by the code of a batch; see
// Stock.AlwaysBatch.
func (c *Coupon) AlwaysBatch() *Coupon {
	c.units.AlwaysBatch()
	c.merged.alone = batched(c.merged.batch, c.merged.alone)
	return c
}

// OneByOne is Stock.OneByOne for the units of coupons.
func (c *Coupon) OneByOne() *Coupon {
	c.units.OneByOne()
	return c
}
