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
// it. After a refusal the transaction is as it was before the call, with the locks it took; holds that
// were dead may have been released, since that comes before a refusal is final. After an
// error the caller rolls back and runs the whole again if Retryable says so.
//
// A call locks the rows that it names and nothing beside them, at READ COMMITTED and at REPEATABLE READ alike: orders of
// others go on, also next to one that is not there. What a refused call has inserted it deletes again, for which the
// account needs the right DELETE: MySQL would turn the lock of an INSERT that is rolled back to a savepoint into one on
// the gap where the row was. Without that right it is rolled back all the same, and at REPEATABLE READ MySQL keeps new orders
// beside a refused one waiting until the transaction ends. An item that does not exist is the exception: a Lock of it locks the
// place where it would be.
//
// The caller's LAST_INSERT_ID and savepoints stay as they are. A transaction that the server has ended, as after a deadlock
// whose error was dropped, is noticed by the next call: ErrInvalid.
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
// MySQL 8.0.16 or MariaDB 10.6, the driver go-sql-driver/mysql, and nothing of the DSN. Statements
// carry their values as literals, numbers and hexadecimal strings only, so that each is one round
// trip without a prepared statement. Time is the server's UTC_TIMESTAMP, in microseconds. Settings of
// the session and of the server:
//
//	parseTime, loc, time_zone               any: tested
//	clientFoundRows, interpolateParams      any: tested
//	READ COMMITTED, REPEATABLE READ         tested
//	SERIALIZABLE                            works; plain reads of the program lock rows, and MariaDB from 11.6 on
//	                                        tells crowds to start over (1020) more often
//	READ UNCOMMITTED                        refused by Check: what is read may be rolled back
//	autocommit=0                            works, at more round trips; named by Check, since what the
//	                                        program does outside of transactions is not committed
//	completion_type CHAIN, RELEASE          works, at more round trips; named by Check likewise
//	sql_safe_updates                        works
//	ANSI_QUOTES, NO_BACKSLASH_ESCAPES       tested
//	ORACLE (MariaDB)                        works with STRICT_TRANS_TABLES beside it
//	EMPTY_STRING_IS_NULL (MariaDB)          works: no statement has an empty string
//	no strict SQL mode                      refused by Check
//	check_constraint_checks=0 (MariaDB)     refused by Check
//	binlog_format=STATEMENT                 works at REPEATABLE READ; at READ COMMITTED the server refuses
//	                                        every change (1665): refused by Check
//	max_allowed_packet, maxAllowedPacket    1 MiB at least: below, batches of a rush are refused; named by Check
//	read_only, transaction_read_only        refused by Check: not the primary, or a failover is under way
//	innodb_snapshot_isolation (MariaDB)     works; see Stock.WithTx for a transaction that reads first
//	a splitter whose readers lag            works: what decides is read in a transaction or with a lock;
//	                                        listings may lag
//	a proxy or pooler                       works, if all of a transaction goes to one server
//	Galera                                  one node that is written to; wsrep_sync_wait=7 in the DSN, so that a
//	                                        node that takes over knows what was acknowledged
//
// Check looks at one session of the pool. The rights of the program's account:
//
//	SELECT, INSERT, UPDATE                  at run time, for Check, and for Migrate with nothing to do
//	DELETE                                  only for calls in transactions of the program's own; see Transactions
//	CREATE, ALTER, INDEX                    for Migrate
//	DROP                                    for Drop
//
// # Reading the tables
//
// Numbers of orders are VARBINARY, since no two of them are equal by collation. From an order to its hold
// they compare as they are. From holds to the shop's orders, MySQL uses the index of a VARCHAR column only for
// the column's own character set and collation:
//
//	SELECT … FROM shop_order o JOIN goods_stock_hold h ON h.ORDER_NO = o.order_no WHERE o.id = 5
//	SELECT … FROM goods_stock_hold h JOIN shop_order o
//	  ON o.order_no = CONVERT(h.ORDER_NO USING utf8mb4) COLLATE utf8mb4_unicode_ci WHERE h.STATE = 2
//
// In the server's logs a number is hexadecimal. That of order-1 is found as the server writes it:
//
//	SELECT HEX('order-1')                   -- 6F726465722D31
//	grep -i "x'6F726465722D31'" slow.log
package sqlstore
