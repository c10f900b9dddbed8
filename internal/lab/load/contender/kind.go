package contender

import (
	"context"
	"fmt"
	"slices"
)

// The names of the contenders.
const (
	Along      = "along"
	WithTx     = "with-tx"
	ByHand     = "by-hand"
	RedisRow   = "redis-row"
	RedisQueue = "redis-queue"
	UnitRows   = "unit-rows"
	Batches    = "limit-batches"

	ForUpdate      = "for-update"
	Optimistic     = "optimistic"
	Published      = "published"
	Guarded        = "guarded"
	Unmerged       = "unmerged"
	Ours           = "ours"
	ColdByHand     = "cold-by-hand"
	RedisAlways    = "redis-always"
	RedisEverysec  = "redis-everysec"
	RedisPipelined = "redis-pipelined"
	Limit          = "limit"

	Coupon            = "coupon"
	CouponUnmerged    = "coupon-unmerged"
	CouponMillion     = "coupon-million"
	RedPacket         = "redpacket"
	RedPacketUnmerged = "redpacket-unmerged"

	Groups      = "groups"
	GroupsPlain = "groups-plain"
)

// Kind is what is to be known about a contender before it is opened.
type Kind struct {
	Name  string // for flags
	Title string // for tables and charts
	About string // one line, for the help
	Batch int    // orders that a limit sends at once; 0 is a contender with callers
	Conns int    // over how many connections a limit sends
	ours  bool
	sells sold
	open  func(context.Context, Config) (Contender, error)
	base  backend
}

// sold is what a contender can be compared by.
type sold int

const (
	units  sold = iota // units of stock
	orders             // the same, with the rows of the shop
	others             // something else at once
)

// Ours reports whether it is this library, whose books must be right.
func (k Kind) Ours() bool { return k.ours }

// Limit reports whether it is a program without callers, which only sends.
func (k Kind) Limit() bool { return k.Batch > 0 }

// Stock reports whether it locks units for callers, without the rows of a shop.
func (k Kind) Stock() bool { return k.sells == units && !k.Limit() }

// Shop reports whether it writes the rows of a shop.
func (k Kind) Shop() bool { return k.sells == orders }

// Kinds returns all contenders in the order of the tables.
func Kinds() []Kind { return slices.Concat(orderKinds(), stockKinds(), domainKinds()) }

// orderKinds are those that write the rows of the shop.
func orderKinds() []Kind {
	return append([]Kind{
		{
			Name: ByHand, Title: "by hand", About: "BEGIN, INSERT of the order, guarded UPDATE of each item, COMMIT: the order row is the hold",
			sells: orders, open: openOrdersByHand, base: countedRows{},
		},
		{
			Name: UnitRows, Title: "a row per unit, SKIP LOCKED",
			About: "READ COMMITTED: INSERT of the order, a unit's row claimed with SKIP LOCKED, INSERT of the hold; at most 1,000 rows are prepared",
			sells: orders, open: openUnitRows, base: unitTables{},
		},
		{
			Name: RedisRow, Title: "Redis Lua, then the order row", About: "one EVALSHA with appendfsync always, then an INSERT: not atomic",
			sells: orders, open: openRedisRow, base: keysAndRows{keys{fsync: "always"}},
		},
		{
			Name: RedisQueue, Title: "Redis Lua, then a queue",
			About: "the same with an INSERT into a queue, from which a worker makes the orders: not atomic, the order comes later",
			sells: orders, open: openRedisQueue, base: keysAndRows{keys{fsync: "always"}},
		},
		{
			Name: WithTx, Title: "Holdfast, WithTx", About: "this library in the transaction of the order row", ours: true,
			sells: orders, open: openWithTx, base: tables{},
		},
		{
			Name: Batches, Title: "limit: batches of 256",
			About: "transactions of 256 orders over 3 connections: the rows, the holds, the items by their sums, and nothing else",
			Batch: 256, Conns: 3, sells: orders, open: openBatches, base: tables{},
		},
	}, alongKinds()...)
}

// stockKinds are those that lock stock.
func stockKinds() []Kind {
	return []Kind{
		{
			Name: ForUpdate, Title: "SELECT … FOR UPDATE", About: "BEGIN, SELECT … FOR UPDATE, INSERT of the hold, UPDATE, COMMIT",
			open: openForUpdate, base: tables{},
		},
		{
			Name: Optimistic, Title: "optimistic version",
			About: "SELECT of the version, BEGIN, UPDATE … WHERE VERSION = …, INSERT of the hold, COMMIT; again until it went",
			open:  openOptimistic, base: tables{},
		},
		{
			Name: Published, Title: "published UPDATE", About: "one UPDATE … WHERE STOCK_LEFT_NUM >= n: no hold, not idempotent, sells too many",
			open: openPublished, base: publishedTable{},
		},
		{
			Name: Guarded, Title: "INSERT + guarded UPDATE", About: "BEGIN, INSERT of the hold, UPDATE … WHERE left >= locked + n, COMMIT",
			open: openGuarded, base: tables{},
		},
		{
			Name: Unmerged, Title: "Holdfast, unmerged", About: "this library with Options{Unmerged: true}", ours: true,
			open: openUnmerged, base: tables{},
		},
		{Name: Ours, Title: "Holdfast", About: "this library", ours: true, open: openOurs, base: tables{}},
		{
			Name: ColdByHand, Title: "hot Holdfast, cold by hand", About: "this library for SKU 1, guarded for all others, on one pool",
			open: openColdByHand, base: tables{},
		},
		{
			Name: RedisAlways, Title: "Redis Lua, fsync always", About: "one EVALSHA a call, idempotent by order, appendfsync always",
			open: openRedis, base: keys{fsync: "always"},
		},
		{
			Name: RedisEverysec, Title: "Redis Lua, fsync everysec", About: "the same with appendfsync everysec: loses up to a second in a crash",
			open: openRedis, base: keys{fsync: "everysec"},
		},
		{
			Name: RedisPipelined, Title: "Redis Lua, pipelined",
			About: "the same with appendfsync always, the calls of all callers pipelined by go-redis",
			open:  openRedisPipelined, base: keys{fsync: "always"},
		},
		{
			Name: Limit, Title: "limit: raw INSERT",
			About: "multi-row INSERT of 1,000 such holds a statement into a copy of the table, over 4 connections, and nothing else",
			Batch: 1_000, Conns: 4, open: openLimit, base: rawTable{},
		},
	}
}

// domainKinds are those that do something else at once.
func domainKinds() []Kind {
	return []Kind{
		{
			Name: Coupon, Title: "coupons", About: "claims of coupons without codes, by this library", ours: true, sells: others,
			open: openCoupons(nil), base: campaigns{},
		},
		{
			Name: CouponUnmerged, Title: "coupons, unmerged", About: "the same with Options{Unmerged: true}", ours: true, sells: others,
			open: openCoupons(unmerged()), base: campaigns{},
		},
		{
			Name: CouponMillion, Title: "coupons, a million codes", About: "the same as coupon, each with a code out of a pool that has a million",
			ours: true, sells: others, open: openCoupons(nil), base: campaigns{codes: 1_000_000},
		},
		{
			Name: RedPacket, Title: "red packets", About: "grabs of the shares of red packets, by this library", ours: true, sells: others,
			open: openRedPackets(nil), base: packets{},
		},
		{
			Name: RedPacketUnmerged, Title: "red packets, unmerged", About: "the same with Options{Unmerged: true}", ours: true, sells: others,
			open: openRedPackets(unmerged()), base: packets{},
		},
		{
			Name: Groups, Title: "seats of teams", About: "seats of 10,000 teams of three, taken and paid, by this library", ours: true,
			sells: others, open: openGroups, base: teams{},
		},
		{
			Name: GroupsPlain, Title: "two plain statements",
			About: "the same as an INSERT of the seat and a guarded UPDATE of its team a transaction: no stock, no limits," +
				" no events, not idempotent",
			sells: others, open: openPlainGroups, base: teams{plain: true},
		},
	}
}

// Find returns the contender of a name.
func Find(name string) (Kind, error) {
	kinds := Kinds()
	if i := slices.IndexFunc(kinds, func(k Kind) bool { return k.Name == name }); i >= 0 {
		return kinds[i], nil
	}
	return Kind{}, fmt.Errorf("contender: there is no %q; bench -h lists them", name)
}

// Open makes the contender ready, its connections included.
func (k Kind) Open(ctx context.Context, cfg Config) (Contender, error) { return k.open(ctx, cfg) }

// Prepare makes what the contender works on: items from SKU 1 on, each with these units.
func (k Kind) Prepare(ctx context.Context, cfg Config, items int, units int64) error {
	return k.base.prepare(ctx, cfg, items, units)
}

// Inspect reads what is there after a measurement, and audits it.
func (k Kind) Inspect(ctx context.Context, cfg Config) (Books, error) {
	return k.base.inspect(ctx, cfg)
}

// Clear takes away what Prepare has made.
func (k Kind) Clear(ctx context.Context, cfg Config) error { return k.base.clear(ctx, cfg) }
