// Package contender has the ways of locking stock that the load tool compares: what people write by hand on MySQL, what they
// use Redis for, this library, and the limit, the bare INSERT of the rows that a hold consists of.
//
// Those on SQL use the tables of this library, so that the work is the same: an order's hold is one row with all its columns, and
// an audit of this library can judge what each of them has left behind. Only the published UPDATE has a table of its own, since the
// constraints of ours would not let it do what it does.
package contender

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// ErrSoldOut is the refusal of a Lock.
var ErrSoldOut = errors.New("contender: sold out")

// ErrGaveUp is what a Lock returns whose measurement was over before it got through. It has changed nothing.
var ErrGaveUp = errors.New("contender: gave up, the measurement is over")

// Contender locks one unit of a SKU for an order. It is safe for concurrent use.
type Contender interface {
	// Lock sets a unit aside. Errors: ErrSoldOut, ErrGaveUp; any other is a failure.
	Lock(ctx context.Context, order string, sku int64) error
	// Pay sells what an order has locked.
	Pay(ctx context.Context, order string, sku int64) error
	// Cancel gives it back.
	Cancel(ctx context.Context, order string, sku int64) error
	// Close gives the connections back.
	Close() error
}

// Batcher is a contender that does not take one order but many: the limit.
type Batcher interface {
	LockAll(ctx context.Context, orders []string, sku int64) error
}

// Expirer is a contender that releases dead holds.
type Expirer interface {
	// Expire releases all there are and returns how many.
	Expire(ctx context.Context) (int, error)
}

// Config says where a contender works and with what.
type Config struct {
	DSN     string          // of the database server, with the database of the measurement
	Redis   string          // host:port
	Pool    int             // connections
	Delay   time.Duration   // added to each round trip
	HoldFor time.Duration   // how long a hold lives
	Orders  int             // of each buyer, whose units are limited to as many; 0 names no buyer
	Count   *Counter        // counts the statements on items; nil does not
	Done    <-chan struct{} // closed when the measurement is over; nil is never
}

// over reports whether the measurement is over.
func (c Config) over() bool {
	select {
	case <-c.Done:
		return true
	default:
		return false
	}
}

// The names of the contenders.
const (
	ForUpdate      = "for-update"
	Optimistic     = "optimistic"
	Published      = "published"
	Guarded        = "guarded"
	Unmerged       = "unmerged"
	Ours           = "ours"
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

// LimitBatch is how many rows a statement of the limit inserts, and LimitConns over how many connections they go.
const (
	LimitBatch = 1_000
	LimitConns = 4
)

// Kind is what is to be known about a contender before it is opened.
type Kind struct {
	Name  string // for flags
	Title string // for tables and charts
	About string // one line, for the help
	ours  bool
	other bool // it locks no stock but does something else at once
	open  func(context.Context, Config) (Contender, error)
	base  backend
}

// Ours reports whether it is this library, whose books must be right.
func (k Kind) Ours() bool { return k.ours }

// Stock reports whether it locks stock, and so may be compared with all others that do.
func (k Kind) Stock() bool { return !k.other }

// Kinds returns all contenders in the order of the tables.
func Kinds() []Kind { return slices.Concat(stockKinds(), domainKinds()) }

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
			open:  openLimit, base: rawTable{},
		},
	}
}

// domainKinds are those that do something else at once.
func domainKinds() []Kind {
	return []Kind{
		{
			Name: Coupon, Title: "coupons", About: "claims of coupons without codes, by this library", ours: true, other: true,
			open: openCoupons(nil), base: campaigns{},
		},
		{
			Name: CouponUnmerged, Title: "coupons, unmerged", About: "the same with Options{Unmerged: true}", ours: true, other: true,
			open: openCoupons(unmerged()), base: campaigns{},
		},
		{
			Name: CouponMillion, Title: "coupons, a million codes", About: "the same as coupon, each with a code out of a pool that has a million",
			ours: true, other: true, open: openCoupons(nil), base: campaigns{codes: 1_000_000},
		},
		{
			Name: RedPacket, Title: "red packets", About: "grabs of the shares of red packets, by this library", ours: true, other: true,
			open: openRedPackets(nil), base: packets{},
		},
		{
			Name: RedPacketUnmerged, Title: "red packets, unmerged", About: "the same with Options{Unmerged: true}", ours: true, other: true,
			open: openRedPackets(unmerged()), base: packets{},
		},
		{
			Name: Groups, Title: "seats of teams", About: "seats of 10,000 teams of three, taken and paid, by this library", ours: true, other: true,
			open: openGroups, base: teams{},
		},
		{
			Name: GroupsPlain, Title: "two plain statements",
			About: "the same as an INSERT of the seat and a guarded UPDATE of its team a transaction: no stock, no limits," +
				" no events, not idempotent",
			other: true, open: openPlainGroups, base: teams{plain: true},
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

// backend is where a contender keeps its books.
type backend interface {
	prepare(ctx context.Context, cfg Config, items int, units int64) error
	inspect(ctx context.Context, cfg Config) (Books, error)
	clear(ctx context.Context, cfg Config) error
}
