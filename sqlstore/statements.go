package sqlstore

// storeSQL is the statements of one kind of store.
type storeSQL interface {
	tables() []string      // the names of its tables
	constraints() []string // and of their CHECK constraints
}

// The tables of the units of each kind have one shape, and the names of their kind.
const (
	goodsStock     = "goods_stock"
	couponStock    = "coupon_stock"
	redPacketStock = "red_packet_stock"
)

// allSQL renders the statements of all stores for a prefix.
func allSQL(prefix string) []storeSQL {
	return []storeSQL{
		newStockSQL(prefix + goodsStock),
		newStockSQL(prefix + couponStock), newCouponSQL(prefix),
		newStockSQL(prefix + redPacketStock), newRedPacketSQL(prefix),
		newGroupBuySQL(prefix), // its units are those of goodsStock
	}
}
