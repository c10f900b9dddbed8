package coupons

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/money"
	"github.com/holdfast-go/holdfast/sqlstore/internal/events"
	"github.com/holdfast-go/holdfast/sqlstore/internal/ledger"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// BesideGoods keeps the uses of coupons by orders beside the goods of a store; see coupon.UseRequest. It locks coupons and then
// uses, each sorted by key, after the items; only in the caller's transaction, uses that are not there yet come first. Calls that carry
// nothing cost it nothing.
type BesideGoods struct {
	ledger.NoCompanions

	sql  *couponSQL
	tell *events.Statements // nil where it tells of no coupon that is returned
}

// NewBesideGoods returns what keeps uses in the tables of a prefix, and tells of them.
func NewBesideGoods(prefix string, tells event.Kinds) BesideGoods {
	g := BesideGoods{sql: newCouponSQL(prefix)}
	if tells.Has(event.CouponReturned) {
		g.tell = events.NewStatements(prefix)
	}
	return g
}

// Keeps implements ledger.Companions.
func (BesideGoods) Keeps(c stock.Companion) bool { return coupon.KeepsUse(c) }

// Before implements ledger.Companions. In the caller's transaction, uses that are not there get their rows before anything else, where
// a refused call can take them back; see mysql.Insert. Those that are there are locked later, behind their coupons.
func (g BesideGoods) Before(ctx context.Context, q mysql.Tx, beside [][]stock.Companion) error {
	if !mysql.Borrowed(q) {
		return nil
	}
	var keys []useKey
	for _, c := range slices.Concat(beside...) {
		if r, ok := c.(coupon.UseRequest); ok {
			keys = append(keys, useKey{r.Coupon, r.Order})
		}
	}
	slices.SortFunc(keys, useKey.compare)
	for _, key := range keys {
		there := false
		err := mysql.Read(ctx, q, mysql.Render(g.sql.hasUse, key.coupon, key.order), func(*sql.Rows) error { there = true; return nil })
		if err != nil {
			return err
		}
		if there {
			continue
		}
		blank := g.sql.blankUse.Of(key.coupon, key.order)
		if err := mysql.Insert(ctx, q, blank.Insert, blank.TakeBack); err != nil {
			return err
		}
	}
	return nil
}

// Locked implements ledger.Companions. A reservation lives as long as its hold.
func (g BesideGoods) Locked(ctx context.Context, q mysql.Tx, at time.Time, calls []ledger.LockCall) error {
	return apply(ctx, g, q, at, calls, func(c *ledger.LockCall) (*ledger.Cargo, time.Time) {
		return &c.Cargo, c.Order.Deadline(at, c.HoldFor)
	})
}

// Moved implements ledger.Companions.
func (g BesideGoods) Moved(ctx context.Context, q mysql.Tx, _ stock.Transition, calls []ledger.MoveCall) error {
	return apply(ctx, g, q, time.Time{}, calls, func(c *ledger.MoveCall) (*ledger.Cargo, time.Time) { return &c.Cargo, time.Time{} })
}

// Refunded implements ledger.Companions.
func (g BesideGoods) Refunded(ctx context.Context, q mysql.Tx, calls []ledger.RefundCall) error {
	return apply(ctx, g, q, time.Time{}, calls, func(c *ledger.RefundCall) (*ledger.Cargo, time.Time) { return &c.Cargo, time.Time{} })
}

// apply makes the requests of calls at a moment, or at that of the coupons' lock. It refuses calls by name.
func apply[C any](
	ctx context.Context, g BesideGoods, q mysql.Tx, at time.Time, calls []C, carried func(*C) (*ledger.Cargo, time.Time),
) error {
	b := useBatch{q: q, sql: g.sql, at: at}
	for i := range calls {
		c, deadline := carried(&calls[i])
		for n, beside := range c.Beside {
			if r, ok := beside.(coupon.UseRequest); ok {
				b.requests = append(b.requests, besideRequest{UseRequest: r, call: i, place: n, deadline: deadline})
			}
		}
	}
	if len(b.requests) == 0 {
		return nil
	}
	why, err := b.apply(ctx, len(calls))
	if err != nil {
		return err
	}
	if err := mysql.RefuseEach(why); err != nil {
		return err
	}
	if err := g.tellReturned(ctx, q, &b); err != nil {
		return err
	}
	for _, r := range b.requests {
		c, _ := carried(&calls[r.call])
		if c.Kept == nil {
			c.Kept = slices.Clone(c.Beside)
		}
		r.Use = r.kept
		c.Kept[r.place] = r.UseRequest
	}
	return nil
}

// tellReturned tells of the coupons that requests have given back.
func (g BesideGoods) tellReturned(ctx context.Context, q mysql.Tx, b *useBatch) error {
	if g.tell == nil {
		return nil
	}
	var told []event.Event
	for _, r := range b.requests {
		if r.kept.State == coupon.UseReturned && !r.kept.Replay {
			told = append(told, coupon.Told(event.CouponReturned, b.locked[r.Coupon], r.Order))
		}
	}
	if len(told) == 0 {
		return nil
	}
	return mysql.KeepInsertID(ctx, q, func() error { return g.tell.Write(ctx, q, told) })
}

// useKey names the use of a coupon by an order.
type useKey struct{ coupon, order string }

func (k useKey) compare(other useKey) int {
	return cmp.Or(cmp.Compare(k.coupon, other.coupon), cmp.Compare(k.order, other.order))
}

// besideRequest is the request of a call.
type besideRequest struct {
	coupon.UseRequest

	call, place int
	deadline    time.Time
	kept        coupon.Use // what became of it
}

func (r besideRequest) key() useKey { return useKey{r.Coupon, r.Order} }

// useBatch is the requests of one transaction, in the order of arrival.
type useBatch struct {
	q        mysql.Tx
	sql      *couponSQL
	at       time.Time
	requests []besideRequest

	locked map[string]coupon.Coupon // the coupons as they were
	there  map[useKey]coupon.Use    // the rows of uses that are locked, as they were; a blank one is Unused

	coupons map[string]coupon.Coupon // those that change, as they become
	uses    map[useKey]coupon.Use    // those that change or begin, as they become
}

// apply makes the requests, or returns why those of single calls are refused. In the caller's transaction the rows of all uses are
// there; see Before. In one of the store's own it takes the use of an order that its coupon does not name for one that is not there,
// which can be locked only by inserting it. Where that use may be why the coupon refuses the order, or is there after all, it inserts
// blank uses, locks them all and decides once more.
func (b *useBatch) apply(ctx context.Context, calls int) (why []error, err error) {
	if err := b.lockCoupons(ctx); err != nil {
		return nil, err
	}
	b.there = map[useKey]coupon.Use{}
	var named []useKey
	for _, r := range b.requests {
		if b.locked[r.Coupon].Order == r.Order || mysql.Borrowed(b.q) {
			named = append(named, r.key())
		}
	}
	if err := b.lockUses(ctx, named); err != nil {
		return nil, err
	}
	why, sure := b.decide(calls)
	refused := func() bool { return slices.ContainsFunc(why, func(err error) bool { return err != nil }) }
	if sure && refused() {
		return why, nil
	}
	if sure && len(b.fresh()) <= mysql.MaxList { // in one INSERT, of which a use that is there after all leaves nothing
		if err = b.write(ctx); mysql.Number(err) != mysql.ErrDuplicate {
			return nil, err
		}
	}
	if err := b.lockAll(ctx); err != nil {
		return nil, err
	}
	if why, _ = b.decide(calls); !refused() {
		if err = b.write(ctx); err != nil {
			return nil, mysql.Unclaimed(err)
		}
	}
	return why, nil
}

// lockCoupons locks the coupons of the requests.
func (b *useBatch) lockCoupons(ctx context.Context) error {
	b.locked = map[string]coupon.Coupon{}
	for _, r := range b.requests {
		b.locked[r.Coupon] = coupon.Coupon{}
	}
	for part := range slices.Chunk(slices.Sorted(maps.Keys(b.locked)), mysql.MaxList) {
		err := mysql.Read(ctx, b.q, mysql.RenderList(b.sql.lockCoupons, part), func(rows *sql.Rows) error {
			var c coupon.Coupon
			var order sql.NullString
			var deadline, from, until sql.NullInt64
			var clock int64
			err := rows.Scan(&c.ID, &c.Buyer, &c.Campaign, &c.State, &order, &deadline, &from, &until, &clock)
			c.Order, c.Deadline = order.String, mysql.FromNullMicros(deadline)
			c.From, c.Until = mysql.FromNullMicros(from), mysql.FromNullMicros(until)
			if b.locked[c.ID] = c; b.at.IsZero() {
				b.at = mysql.FromMicros(clock)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// lockUses locks uses whose rows are there.
func (b *useBatch) lockUses(ctx context.Context, keys []useKey) error {
	slices.SortFunc(keys, useKey.compare)
	for part := range slices.Chunk(slices.Compact(keys), mysql.MaxList) {
		args := make([]any, 0, 2*len(part))
		for _, key := range part {
			args = append(args, key.coupon, key.order)
			b.there[key] = coupon.Use{}
		}
		var r useReader
		if err := mysql.Read(ctx, b.q, mysql.Render(b.sql.lockUses(len(part)), args...), r.scan); err != nil {
			return err
		}
		for _, use := range r.uses {
			b.there[useKey{use.Coupon, use.Order}] = use
		}
	}
	return nil
}

// lockAll inserts blank uses where there are none, and locks all.
func (b *useBatch) lockAll(ctx context.Context) error {
	keys := make([]useKey, len(b.requests))
	for i, r := range b.requests {
		keys[i] = r.key()
	}
	slices.SortFunc(keys, useKey.compare)
	blanks := make([]coupon.Use, len(keys))
	for i, key := range keys {
		blanks[i] = coupon.Use{Coupon: key.coupon, Order: key.order, Deadline: b.at, CreatedAt: b.at, UpdatedAt: b.at}
	}
	for part := range slices.Chunk(blanks, mysql.MaxList) {
		statement, err := b.sql.insertUses(part, leaveUses)
		if err != nil {
			return err
		}
		if _, err := b.q.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return b.lockUses(ctx, keys)
}

// decide works out what becomes of coupons and uses, and why calls are refused. It is not sure where the row of a use that
// is not locked could make a difference: not to a coupon that does not exist.
func (b *useBatch) decide(calls int) (why []error, sure bool) {
	b.coupons, b.uses = map[string]coupon.Coupon{}, map[useKey]coupon.Use{}
	why, sure = make([]error, calls), true
	for i := range b.requests {
		r := &b.requests[i]
		was, ok := b.coupons[r.Coupon]
		if !ok {
			was = b.locked[r.Coupon]
		}
		use, ok := b.uses[r.key()]
		if !ok {
			use, ok = b.there[r.key()]
		}
		is, use, err := r.Apply(was, use, b.at, r.deadline)
		if err != nil {
			if why[r.call] == nil {
				why[r.call] = err
			}
			sure = sure && (ok || was.State == coupon.None)
			continue
		}
		if r.kept = use; use.Replay {
			continue
		}
		if b.uses[r.key()] = use; is != was {
			b.coupons[r.Coupon] = is
		}
	}
	return why, sure
}

// fresh returns the uses that begin, by their keys: they have no row that is locked.
func (b *useBatch) fresh() []coupon.Use {
	return b.usesOf(func(key useKey) bool { _, ok := b.there[key]; return !ok })
}

// usesOf returns those of the uses that change or begin which are such.
func (b *useBatch) usesOf(are func(key useKey) bool) (uses []coupon.Use) {
	for _, key := range slices.SortedFunc(maps.Keys(b.uses), useKey.compare) {
		if are(key) {
			uses = append(uses, b.uses[key])
		}
	}
	return uses
}

// write inserts the uses that begin, and changes those that are there and the coupons.
func (b *useBatch) write(ctx context.Context) error {
	blank := func(key useKey) bool { is, ok := b.there[key]; return ok && is.State == coupon.Unused }
	was := func(key useKey) bool { is, ok := b.there[key]; return ok && is.State != coupon.Unused }
	for _, c := range []struct {
		uses []coupon.Use
		kept string
	}{{b.fresh(), ""}, {b.usesOf(blank), beginUses}, {b.usesOf(was), changeUses}} {
		for part := range slices.Chunk(c.uses, mysql.MaxList) {
			statement, err := b.sql.insertUses(part, c.kept)
			if err != nil {
				return err
			}
			if _, err := b.q.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
	}
	for part := range slices.Chunk(slices.Sorted(maps.Keys(b.coupons)), mysql.MaxList) {
		args := make([]any, 0, 4*len(part))
		for _, id := range part {
			c, order := b.coupons[id], any(nil)
			if c.Order != "" {
				order = c.Order
			}
			args = append(args, id, int64(c.State), order, c.Deadline)
		}
		statement := mysql.Render(b.sql.changeCoupons(len(part)), append(args, b.at)...)
		if rows, err := mysql.Affected(b.q.ExecContext(ctx, statement)); err != nil || rows != int64(len(part)) {
			return mysql.Missing(err)
		}
	}
	return nil
}

// What an INSERT of uses does to those that are there.
const (
	leaveUses  = " ON DUPLICATE KEY UPDATE STATE = STATE"
	changeUses = " ON DUPLICATE KEY UPDATE PLACES = VALUES(PLACES), TOTAL = VALUES(TOTAL), DISCOUNT = VALUES(DISCOUNT)," +
		" EXPIRE_TIME = VALUES(EXPIRE_TIME), STATE = VALUES(STATE), REDEEM_TIME = VALUES(REDEEM_TIME), UPDATE_TIME = VALUES(UPDATE_TIME)"
)

// beginUses is what it does to blank ones.
const beginUses = changeUses + ", CREATE_TIME = VALUES(CREATE_TIME)"

// insertUses renders the INSERT of uses, and of what it does to those that are there.
func (q *couponSQL) insertUses(uses []coupon.Use, kept string) (string, error) {
	args := make([]any, 0, 10*len(uses))
	for _, u := range uses {
		total, err1 := money.Minor("total", u.Total, u.Places)
		discount, err2 := money.Minor("discount", u.Discount, u.Places)
		if err := errors.Join(err1, err2); err != nil {
			return "", err
		}
		args = append(args, u.Coupon, u.Order, int64(u.Places), total, discount, u.Deadline, int64(u.State), u.RedeemedAt, u.CreatedAt,
			u.UpdatedAt)
	}
	return mysql.Render(q.insertUsesText(len(uses))+kept, args...), nil
}

func (q *couponSQL) insertUsesText(uses int) string {
	return "INSERT INTO " + q.uses + useRow + "VALUES " + mysql.List("("+mysql.List("?", 10)+")", uses)
}

// lockUses renders the read of uses that are there, with a lock.
func (q *couponSQL) lockUses(uses int) string {
	return "SELECT " + useColumns + ", " + mysql.Micros(mysql.Now) + " FROM (SELECT ? AS COUPON_NO, ? AS ORDER_NO" +
		strings.Repeat(" UNION ALL SELECT ?, ?", uses-1) + ") l STRAIGHT_JOIN " + q.uses + " u " + mysql.ByKey +
		" ON u.COUPON_NO = l.COUPON_NO AND u.ORDER_NO = l.ORDER_NO FOR UPDATE"
}

// changeCoupons renders the UPDATE of coupons that are locked.
func (q *couponSQL) changeCoupons(coupons int) string {
	return mysql.Driven(coupons, "UPDATE (SELECT ? AS COUPON_NO, ? AS STATE, ? AS ORDER_NO, ? AS EXPIRE_TIME"+
		strings.Repeat(" UNION ALL SELECT ?, ?, ?, ?", coupons-1)+") l STRAIGHT_JOIN "+q.wallet+" w "+mysql.ByKey+
		" ON w.COUPON_NO = l.COUPON_NO"+
		" SET w.STATE = l.STATE, w.ORDER_NO = l.ORDER_NO, w.EXPIRE_TIME = l.EXPIRE_TIME, w.UPDATE_TIME = ?")
}
