// Package holdfast is the front door of Holdfast: flash sales on plain MySQL, for Go. Limited
// stock, coupons, red packets and group buys that never oversell and lose nothing, with the
// order row and the stock in one MySQL transaction. No cache, no queue, no reconciliation job.
//
//	 your order code
//	        │  Lock · Pay · Cancel · Refund
//	        ▼
//	┌─────────────────┐   all rules: states, limits, deadlines, replays
//	│ stock.Inventory │
//	└───────┬─────────┘
//	        │  stock.Store: do this atomically, or say that the guard refused
//	   ┌────┴──────────────┐
//	   ▼                   ▼
//	stock.Memory     sqlstore.Stock ──► goods_stock, goods_stock_hold, …
//	(this process)   (one guarded UPDATE a step; in your transaction if you like)
//
// Coupons and red packets are made the same way, each around an Inventory of its own for what is
// claimed or grabbed. Group buying is around that of the shop's own goods: a seat in a team is a hold.
//
// The packages:
//
//   - [github.com/holdfast-go/holdfast/stock]: limited stock, locked by an order, paid or given back
//   - [github.com/holdfast-go/holdfast/coupon]: campaigns and their coupons, claimed or bought, then reserved and redeemed by orders
//   - [github.com/holdfast-go/holdfast/redpacket]: money that people grab in shares, and its payout
//   - [github.com/holdfast-go/holdfast/groupbuy]: teams of buyers, their formation, refunds and events
//   - [github.com/holdfast-go/holdfast/sqlstore]: the stores on MySQL and MariaDB, its tables and checks
//
// This package itself is empty.
package holdfast
