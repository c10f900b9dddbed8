// Package sqlstore keeps the books of Holdfast in MySQL, MariaDB or TiDB. Every step of the state machine is one
// guarded UPDATE of tables that a DBA can read.
//
// You need these names, in this order:
//
//   - [Migrate] creates the tables; [Schema] has them as plain SQL files; [Check] tells whether server and
//     tables are fit
//   - [MigrateLists] adds indexes that only lists for screens need; [ListsSchema] has them as plain SQL files
//   - [NewStock], [NewSale], [NewCoupon], [NewRedPacket] and [NewGroupBuy] make the store of each domain, and [NewEvents] that of events
//   - [Stock.Along] carries rows of your own, such as the order row, in the transaction of a call
//   - [Stock.WithTx], and WithTx of the other stores, joins your transaction
//   - [Retryable] tells whether running your transaction again may help
//   - [Options] has the prefix of the tables, the events to tell, and the bounds of batches
//
// The other methods of the stores are called by the domains, not by you.
//
//	db, err := sql.Open("mysql", dsn)
//	db.SetMaxOpenConns(64)
//	db.SetMaxIdleConns(64) // database/sql keeps two by default, and connects anew for nearly every call of a rush
//	err = sqlstore.Migrate(ctx, db, nil)
//	inv := stock.New(sqlstore.NewStock(db, nil), nil)
//	coupons := coupon.New(sqlstore.NewCoupon(db, nil), nil)
//	packets := redpacket.New(sqlstore.NewRedPacket(db, nil), nil)
//	groups := groupbuy.New(sqlstore.NewGroupBuy(db, nil), nil)
//
// Make one store of each domain for the whole process: it is safe for concurrent use, and calls of two stores are not merged. What
// runs all the time, what to watch, and how to upgrade is told in OPERATIONS.md beside this package.
//
// Coupons and shares of red packets are units of stock in tables of their own. One piece of code locks,
// sells, merges and audits all of them. A coupon or a share is written in the transaction of its unit. Group
// buying uses the shop's own stock: a seat in a team is written in the transaction of its order's hold.
//
// # Transactions
//
// Each call is one transaction of its own, or one statement that commits itself. Deadlocks are retried. In
// your transaction,
//
//	inv.On(store.WithTx(tx)).Lock(ctx, order.ID, line)
//
// the call takes effect when you commit. The store never commits, rolls back or retries your transaction.
//
// A refusal (sold out, expired, over a limit, …) leaves the transaction as it was before the call, apart from
// locks and from holds past their deadline, which may have been released. You may go on and commit. After any
// other error roll back, and run the whole transaction again if [Retryable] says so.
//
// A call locks the rows that it names and nothing beside them, at READ COMMITTED and at REPEATABLE READ. New
// orders of others go on. For that a refused call deletes the rows that it has inserted, and the account
// needs the right DELETE. Without that right they are rolled back. MySQL then keeps a lock on the gap where
// they were: at REPEATABLE READ, new orders beside a refused one wait until the transaction ends. One
// exception remains: a Lock, an Amend or a Wait of an item that does not exist locks the place where it would be.
//
// Your LAST_INSERT_ID and your savepoints stay as they are. The next call notices a transaction that the
// server has ended, after a deadlock whose error was dropped for example: it returns ErrInvalid.
//
// Each call that you make while your transaction is open goes through WithTx. Otherwise it waits for the rows that your
// transaction has locked, until the lock wait times out. The error of your own COMMIT is the driver's. Where it is a lost
// connection, nobody knows whether it was committed: [Retryable] says so, and you run all of it again.
//
// With dtm or another TCC coordinator, Try is Lock, Confirm is Pay and Cancel is Cancel, without a barrier. The order is
// gid + "/" + branch. Answer 200 to nil, 500 where [Retryable] says so, and 409 to all else, but 200 to stock.ErrExpired of
// a Cancel. HoldFor must outlive the global transaction.
//
// # Hot rows
//
// The row of a hot SKU is a queue: one transaction at a time has its lock, until its commit is on the disk. A commit
// is a queue as well, whatever the rows. So concurrent Locks share a transaction, for any SKUs and any number of lines.
// While their rows are in flight, new calls wait and form the next one: one INSERT of all holds, and one guarded UPDATE by
// their sums. Concurrent calls of Take, of Pay, of Cancel, of Redeem, of Refund, of Amend and of Expire are merged likewise. There is
// no timer: a call whose rows are idle goes at once.
//
// The shop's own rows go along in the same transaction; see [Stock.Along]. Rows of one text become one INSERT.
//
// Each call gets its own answer, the same as alone: replays, limits, closed windows, too little stock. Calls
// are admitted in the order of arrival. Where an item is short, a large order in front does not keep out
// small ones that still fit. A batch has a context of its own. A caller whose context ends meanwhile gets
// stock.ErrUnknown, and the others do not notice.
//
// Calls in your transaction are not merged: each locks the hot row for itself, until your commit. Claims, grabs and seats
// are Locks in this respect.
//
// A call that waits in the server keeps others waiting for 100 ms at most, unless they need the same item. A row of the
// shop that another transaction has is given up after that time: the statement is ended by KILL QUERY, and its call goes
// alone. That asks information_schema.INNODB_TRX, or CLUSTER_TIDB_TRX, what waits, for which the right PROCESS helps and is
// not needed.
//
// The process remembers for up to 200 ms that an item is sold out ([Options].SoldOutFor), so a rush for
// nothing does not reach the row. Units that this store gives back end that at once. Units that another
// process or your own transaction gives back may be refused for that long. This never oversells, and never
// affects an order that has a hold.
//
// The Locks of one SKU use two connections of the pool, or one in a pool of fewer than eight. All batches and what goes beside
// them use up to twice [Options].Batches, which says how. Beyond [Options].Waiting callers, a call returns stock.ErrBusy at once.
//
// [Stock.Stats], and Stats of the other stores, has figures for your metrics: how large the batches are, how often they are
// tried, how many calls go alone and why.
//
// # What it needs
//
// MySQL 8.0.16, MariaDB 10.6 or TiDB 8.5, the driver go-sql-driver/mysql, and nothing of the DSN. Pass the *sql.DB of
// the primary. Statements carry their values as literals, which are numbers and hexadecimal strings only, so
// each is one round trip without a prepared statement. Time is the server's UTC_TIMESTAMP, in microseconds.
// Settings of the session and of the server:
//
//	parseTime, loc, time_zone               any: tested
//	clientFoundRows, interpolateParams      any: tested
//	READ COMMITTED, REPEATABLE READ         tested
//	SERIALIZABLE                            works; plain reads of the program lock rows, and MariaDB from 11.6 on
//	                                        asks transactions to start over (1020) more often
//	READ UNCOMMITTED                        refused by Check: what is read may be rolled back
//	autocommit=0                            works, at more round trips; named by Check, since what the
//	                                        program does outside of transactions is not committed
//	completion_type CHAIN, RELEASE          works, at more round trips; named by Check likewise
//	sql_safe_updates                        works
//	ANSI_QUOTES, NO_BACKSLASH_ESCAPES       tested
//	ORACLE (MariaDB)                        works with STRICT_TRANS_TABLES beside it
//	EMPTY_STRING_IS_NULL (MariaDB)          works: an empty string is sent as x''
//	no strict SQL mode                      refused by Check
//	check_constraint_checks=0 (MariaDB)     refused by Check
//	binlog_format=STATEMENT                 works at REPEATABLE READ; at READ COMMITTED the server refuses
//	                                        every change (1665): refused by Check, and on Galera always
//	max_allowed_packet, maxAllowedPacket    1 MiB at least: below, batches of a rush are refused; named by Check
//	read_only, transaction_read_only        refused by Check: not the primary, or a failover is under way
//	innodb_snapshot_isolation (MariaDB)     works; see Stock.WithTx for a transaction that reads first
//	a splitter whose readers lag            works: what decides is read in a transaction or with a lock;
//	                                        listings may lag
//	a proxy or pooler                       works, if all of a transaction goes to one server. Where it numbers
//	                                        connections itself, as ProxySQL does, the store ends no statement that
//	                                        waits for a lock: calls of one batch wait for the row of one of them
//	tidb_enable_check_constraint=OFF        refused by Migrate and Check: CHECK constraints are dropped
//	tidb_txn_mode=optimistic                refused by Check: what others wait for fails
//	TiDB at REPEATABLE READ                 works, at a round trip more than at READ COMMITTED
//	KILL of a session on TiDB               where it waits for its client, its locks stay until they expire:
//	                                        calls that need these rows wait for up to 20 s
//	Galera (MariaDB)                        one node that is written to; see Failover
//
// Check looks at one session of the pool. The rights of the program's account:
//
//	SELECT, INSERT, UPDATE                  at run time, for Check, and for Migrate with nothing to do
//	DELETE                                  for calls in transactions of the program's own, see Transactions, for
//	                                        stock.Inventory.Archive and for event.Events.Prune
//	CREATE, ALTER, INDEX                    for Migrate, beside SELECT and INSERT
//	DROP                                    for Drop
//
// # Failover
//
// What was committed counts, on the server that takes over. Three ways to have one were run under load, with the writer
// killed by kill -9, and with a planned switch: internal/lab/cmd/failover runs them again.
//
// Galera, with one node that is written to, loses nothing that was acknowledged. A node that takes over may not have applied yet what
// it has received. So a call reads what may refuse it once the node has: it begins that read behind wsrep_sync_wait, which it
// sets for this statement alone. A call that takes effect at once does not wait. A call in your transaction waits on another
// connection of the pool, since a transaction cannot; leave the pool one. Listings may lag. A Migrate that changes a table ends the
// transactions that use it: the library makes its own again, and [Retryable] says so of yours.
//
// A replica loses nothing that was acknowledged if the primary is semi-synchronous and does not fall back
// (rpl_semi_sync_master_timeout, rpl_semi_sync_source_timeout). A replica that is promoted after asynchronous replication lacks the
// last transactions. Holds, counters and the rows that [Stock.Along] carried are lost or kept together, so the books balance
// and Audit cannot find it. stock.Inventory.Missing tells by the records of your payments which orders are gone.
//
// A connection to a server that has become read-only leaves the pool, and the call goes to whoever is behind the address then.
//
// # The tables
//
//	goods_stock                             an item: a SKU in a pool, its counters and terms
//	goods_stock_hold                        a line of an order: its state, deadline, refunded units
//	goods_stock_buyer                       what one buyer has of one item, where a Lock named the buyer
//	goods_stock_refund                      a line of a refund
//	goods_stock_event                       what is to be told to the rest of the shop
//	goods_stock_change                      units that came, went or moved without an order; corrections; who and why
//	goods_stock_backorder                   a line that waits for units, or has done so, in the order in which it gets them
//	flash_sale, flash_sale_product          a sale; a product in it
//	flash_sale_price                        a price, and from when on it is in force
//	coupon_stock …, red_packet_stock …      the same tables but for events, for units of coupons and of red packets
//	coupon_terms                            what the coupons of a campaign promise, version by version
//	coupon_pool, coupon_code                how many codes a campaign has; a code and its place in the pool
//	coupon_wallet, coupon_use               a coupon; what one order did with one coupon
//	coupon_batch, coupon_batch_buyer        a gift to many buyers; what became of each
//	red_packet                              a packet, its money and terms
//	red_packet_share                        a share, or what was left, with its payout
//	egl_group, egl_group_product            an activity; a product in it
//	egl_group_team                          a team: its terms, counts, deadline, sponsor
//	egl_group_participation                 a seat (参团记录), with what the shop keeps of its buyer
//	egl_group_event                         an event of a version before; nothing is written here any more
//	holdfast_schema                         a migration that was applied
//
// STOCK_TOTAL_NUM and STOCK_LEFT_NUM of an item count the BACK_NUM units that orders wait for as if they were there; what is there is
// STOCK_LEFT_NUM - BACK_NUM.
//
// [Options].Prefix puts a prefix before all names. Migrate refuses a table of the same name that somebody
// else made: [ErrNotOurs]. Your code may read all tables, and should change none.
//
// Every statement that is ever sent stands in a file for DBAs to read, testdata/statements.sql: that of
// internal/ledger has those of stock; sales, coupons, packets, teams and events beside it have the others.
// In the ordinary case a Lock is two statements, or three where it names the buyer; Pay and Cancel are one.
//
// An order of one line takes some 250 bytes in goods_stock_hold with its index, and one of three lines 730 to 760, where its number has
// 20 bytes and its buyer 10 (MySQL 9.7, MariaDB 10.11). Archived, either takes 230: the row of its number, STATE 8, with the time at
// which it was archived as EXPIRE_TIME. So archiving shortens what an audit of an item, a Count or a list of it reads, and gives back
// further lines and refunds. The server uses the space for new orders. No counter and no audit uses these rows. Once no call can name such
// an order any more, they may be deleted, in small parts:
//
//	DELETE FROM goods_stock_hold WHERE SKU_ID = 0 AND ACTIVITY_ID = 0 AND STATE = 8 AND EXPIRE_TIME < '2025-01-01' LIMIT 1000
//
// Orders are found for it by the index that a Lock maintains anyway, goods_stock_hold_due, so no index is added. A library of before the
// migration 0022 would miss what is archived in its audit: archive once all programs know it.
//
// Order numbers are VARBINARY, since no collation may make two of them equal. A join from an order to its
// hold compares them as they are. In a join from holds to the shop's orders, MySQL uses the index of a
// VARCHAR column only for the column's own character set and collation:
//
//	SELECT … FROM shop_order o JOIN goods_stock_hold h ON h.ORDER_NO = o.order_no WHERE o.id = 5
//	SELECT … FROM goods_stock_hold h JOIN shop_order o
//	  ON o.order_no = CONVERT(h.ORDER_NO USING utf8mb4) COLLATE utf8mb4_unicode_ci WHERE h.STATE = 2
//
// In the server's logs an order number is hexadecimal. Find order-1 by the form in which the server writes
// it:
//
//	SELECT HEX('order-1')                   -- 6F726465722D31
//	grep -i "x'6F726465722D31'" slow.log
package sqlstore
