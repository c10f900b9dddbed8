// Package sqlstore keeps the books of Holdfast in MySQL or MariaDB: every step of the state
// machine is one guarded UPDATE of InnoDB tables that a DBA can read.
//
//	db, err := sql.Open("mysql", dsn)
//	err = sqlstore.Migrate(ctx, db, nil)
//	inv := stock.New(sqlstore.NewStock(db, nil), nil)
//	coupons := coupon.New(sqlstore.NewCoupon(db, nil), nil)
//	packets := redpacket.New(sqlstore.NewRedPacket(db, nil), nil)
//	groups := groupbuy.New(sqlstore.NewGroupBuy(db, nil), nil)
//
// Coupons and the shares of red packets are units of stock in tables of their own: one piece of code
// locks, sells, merges and audits them, and what belongs to a coupon or a share is written along with
// its unit. Group buying is on the shop's own stock: a seat in a team is written along with the hold of
// its order, and a team changes with the units of its seats.
//
// # Transactions
//
// On its own, each call is one transaction, or one statement that commits itself; deadlocks are
// retried. Inside the caller's transaction,
//
//	inv.On(store.WithTx(tx)).Lock(ctx, order.ID, line)
//
// the call takes effect when the caller commits. The store never commits, rolls back or retries
// it; after a refusal the transaction is as it was before the call, and after an error the
// caller rolls back and runs the whole again if Retryable says so.
//
// # Hot rows
//
// The row of a hot SKU is a queue: one transaction at a time has its lock, until its commit is on
// the disk. So concurrent Locks of one SKU share a transaction: while one is in flight, those that
// arrive form the next batch, one INSERT of all holds and one guarded UPDATE by their sum. So do
// concurrent calls of Pay, of Cancel, of Redeem and of Refund, whatever their SKUs, and the release
// of dead holds. There is no timer; alone, a call goes at once. Each is answered by itself, as it
// would be alone: replays, limits, closed windows, too little stock. What fits is admitted in the
// order of arrival; where an item is short, a large order in front does not keep out small ones that
// fit. A batch runs on a context of its own: a caller whose context ends while it is in flight is
// told stock.ErrUnknown, and the others do not notice. Orders of several lines and all that happens
// in a caller's transaction go beside it. Claims of a campaign, grabs of a packet and seats of the teams
// that buy one product are Locks of a SKU in this respect.
//
// That an item is sold out is remembered in the process for up to 200 ms (Options.SoldOutFor): a
// rush for nothing does not reach its row. Whatever this store gives back ends it; what another
// process or a caller's transaction gives back may be refused for that long. It never sells too
// much, and an order that has a hold is found whatever is remembered.
//
// One SKU takes two connections of the pool for its Locks, one in a pool of fewer than eight; all
// batches together take Options.Batches. Beyond Options.Waiting callers, calls end with
// stock.ErrBusy.
//
// # What it needs
//
// MySQL 8.0.16 or MariaDB 10.6, the driver go-sql-driver/mysql, and nothing of the DSN:
// parseTime, loc, time_zone, clientFoundRows, interpolateParams and the isolation level may be
// as they are. Statements carry their values as literals, numbers and hexadecimal strings
// only, so that each is one round trip without a prepared statement. Time is the server's
// UTC_TIMESTAMP, in microseconds.
package sqlstore
