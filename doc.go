// Package holdfast is flash sales on plain MySQL, for Go: limited stock, coupons, red packets and group buys
// that are never oversold and never lost. The order row and the stock are in one MySQL, and in one
// transaction if you like. There is no cache, no queue and no reconciliation job.
//
//	 your order code
//	        │  Lock · Pay · Cancel · Refund
//	        ▼
//	┌─────────────────┐   all rules: states, limits, deadlines, replays
//	│ stock.Inventory │
//	└───────┬─────────┘
//	        │  stock.Store: change this atomically, or say that the guard refused
//	   ┌────┴──────────────┐
//	   ▼                   ▼
//	stock.Memory     sqlstore.Stock ──► goods_stock, goods_stock_hold, …
//	(this process)   (one guarded UPDATE a step; in your transaction if you like)
//
// Coupons and red packets have the same shape. Each is built around an Inventory of its own, which counts
// what is claimed or grabbed. Group buying uses the Inventory of the shop's own goods: a seat in a team is a
// hold.
//
// The packages, in reading order:
//
//   - [github.com/holdfast-go/holdfast/stock]: limited stock, which an order locks, pays for or gives back
//   - [github.com/holdfast-go/holdfast/sqlstore]: the stores on MySQL, MariaDB and TiDB, their tables and checks
//   - [github.com/holdfast-go/holdfast/coupon]: campaigns and their coupons: claimed or bought, then used by
//     orders
//   - [github.com/holdfast-go/holdfast/redpacket]: money that people grab in shares, and its payout
//   - [github.com/holdfast-go/holdfast/stock/event]: what happened to stock, delivered to the rest of the shop
//   - [github.com/holdfast-go/holdfast/stock/sale]: flash sales with prices, pages and an end
//   - [github.com/holdfast-go/holdfast/groupbuy]: teams of buyers, their formation, refunds and events
//
// This package itself is empty.
package holdfast
