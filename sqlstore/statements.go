package sqlstore

// The tables of the units of each kind have one shape, and the names of their kind.
const (
	goodsStock     = "goods_stock"
	couponStock    = "coupon_stock"
	redPacketStock = "red_packet_stock"
)
