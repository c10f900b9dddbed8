package sqlstore_test

import (
	"context"
	"database/sql/driver"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/redpacket"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// standby opens the database at another node of a Galera cluster, as a process does that has just been moved there.
func (f fixture) standby() *sqltest.DB {
	f.t.Helper()
	pool := f.db.Standby(f.t)
	pool.Wire.Freeze(start)
	run(f.t, pool, "SET GLOBAL wsrep_provider_options = 'gcs.fc_limit = 10000'") // or the writer waits for a node that lags
	run(f.t, f.db, "CREATE TABLE lag (N INT PRIMARY KEY, V INT NOT NULL)")
	run(f.t, f.db, "INSERT INTO lag VALUES (0, 0)")
	return pool
}

// lag keeps a node from applying what others write from now on, until the returned function is called. A transaction that is not of the
// cluster has a row, and is not ended for the sake of what the node has received. Whatever comes behind is applied later.
func (f fixture) lag(standby *sqltest.DB) (release func()) {
	f.t.Helper()
	ctx := f.t.Context()
	value[int](f.t, standby, "SET STATEMENT wsrep_sync_wait = 1 FOR SELECT 1")
	conn := must(standby.Conn(ctx))(f.t)
	for _, statement := range []string{"SET SESSION wsrep_on = 0", "START TRANSACTION"} {
		require.NoError(f.t, of(conn.ExecContext(ctx, statement)))
	}
	value[int](f.t, conn, "SELECT V FROM lag WHERE N = 0 FOR UPDATE")
	run(f.t, f.db, "UPDATE lag SET V = V + 1")
	return func() {
		require.NoError(f.t, of(conn.ExecContext(ctx, "ROLLBACK")))
		_ = conn.Raw(func(any) error { return driver.ErrBadConn }) // nobody else gets it
	}
}

// meet makes a call at a node that has not applied yet what it finds, and returns its answer once it has. Before, the call
// waits for that, or has an answer already.
func (f fixture) meet(standby *sqltest.DB, prepare func(), call func() error) error {
	f.t.Helper()
	release := f.lag(standby)
	prepare()
	answer := going(func() error { return settle(f.t, call) })
	for {
		select {
		case err := <-answer:
			release()
			return err
		default:
		}
		if value[int](f.t, standby, "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND ID <> CONNECTION_ID()"+
			" AND (INFO LIKE '%wsrep_sync_wait = 1 FOR%' OR STATE = 'Waiting for certification' OR COMMAND = 'Query' AND TIME_MS > 200)") > 0 {
			release()
			return <-answer
		}
	}
}

// atTheStandby makes each call at a node that has not applied yet what was prepared at another one: by itself, and in a caller's
// transaction.
func (f fixture) atTheStandby(standby *sqltest.DB, prepared, cases []txCase) {
	f.t.Helper()
	ctx := f.t.Context()
	n := 0
	for i, c := range cases {
		n++
		prepare := func() {
			if prepared[i].prepare != nil {
				prepared[i].prepare(n)
			}
		}
		err := f.meet(standby, prepare, func() error { return c.call(ctx, nil, n) })
		require.ErrorIs(f.t, err, c.want, c.name)
		n++
		err = f.meet(standby, prepare, func() error {
			tx, err := standby.BeginTx(ctx, nil)
			if err != nil {
				return err
			}
			defer func() { _ = tx.Rollback() }()
			if err = c.call(ctx, tx, n); sqlstore.Retryable(err) {
				return err
			}
			return both(tx.Commit(), err) // the cluster does not certify what others have changed
		})
		require.ErrorIs(f.t, err, c.want, "in a transaction: "+c.name)
	}
}

// A node of Galera that takes over has received what another one has acknowledged, and may not have applied it. It says nothing final
// before it has. One case after the other: a node that lags, lags for all.
//
//nolint:paralleltest // see above
func TestANodeThatHasNotAppliedYetRefusesNothing(t *testing.T) {
	t.Run("Stock", func(t *testing.T) {
		s := open(t, nil)
		pool := s.standby()
		for name, opts := range map[string]*sqlstore.Options{"merged": nil, "unmerged": {Unmerged: true}} {
			t.Run(name, func(t *testing.T) {
				other := *s
				other.fixture = fixture{t, s.db}
				at := other
				at.store = sqlstore.NewStock(pool.DB, opts)
				at.Inventory = stock.New(at.store, nil)
				other.atTheStandby(pool, other.stockCases(), at.stockCases())
			})
		}
	})
	t.Run("Coupons", func(t *testing.T) {
		m := openArcade(t)
		pool := m.standby()
		at := *m
		at.store = sqlstore.NewCoupon(pool.DB, nil)
		at.Coupons = coupon.New(at.store, nil)
		m.atTheStandby(pool, m.couponCases(), at.couponCases())
	})
	t.Run("Packets", func(t *testing.T) {
		p := openPurse(t)
		pool := p.standby()
		at := *p
		at.store = sqlstore.NewRedPacket(pool.DB, nil)
		at.Packets = redpacket.New(at.store, nil)
		p.atTheStandby(pool, p.packetCases(), at.packetCases())
	})
	t.Run("Seats", func(t *testing.T) {
		s := openStreet(t)
		pool := s.standby()
		b, at := *s.bazaar, *s
		at.bazaar = &b
		b.store = sqlstore.NewGroupBuy(pool.DB, nil)
		b.Groups = groupbuy.New(b.store, untilTheEnd())
		removes := func(c txCase) bool { return c.name == "Remove" } // after which nothing else is left to do
		s.atTheStandby(pool, slices.DeleteFunc(s.cases(), removes), slices.DeleteFunc(at.cases(), removes))
	})
}

// stockCases are calls whose answer depends on what was acknowledged a moment ago.
func (s *shop) stockCases() []txCase {
	in := func(call func(ctx context.Context, inv *stock.Inventory, n int) error) func(context.Context, sqlstore.Tx, int) error {
		return func(ctx context.Context, tx sqlstore.Tx, n int) error {
			if tx == nil {
				return call(ctx, s.Inventory, n)
			}
			return call(ctx, s.On(s.store.WithTx(tx)), n)
		}
	}
	type inventory = *stock.Inventory
	ctx := s.t.Context()
	id := func(n int) string { return s.t.Name() + numbered(n, own) }
	done := func(call func(ctx context.Context, inv inventory, n int) error) func(int) {
		return func(n int) {
			s.t.Helper()
			require.NoError(s.t, call(ctx, s.Inventory, n))
		}
	}
	then := func(first, second func(int)) func(int) { return func(n int) { first(n); second(n) } }
	lock := func(ctx context.Context, inv inventory, n int) error { return of(inv.Lock(ctx, id(n), one(1))) }
	take := func(ctx context.Context, inv inventory, n int) error { return of(inv.Take(ctx, id(n), one(1))) }
	pay := func(ctx context.Context, inv inventory, n int) error { return of(inv.Pay(ctx, id(n))) }
	cancel := func(ctx context.Context, inv inventory, n int) error {
		outcome, err := inv.Cancel(ctx, id(n))
		if err == nil && outcome.Void {
			return stock.ErrNotFound
		}
		return err
	}
	redeem := func(ctx context.Context, inv inventory, n int) error { return of(inv.Redeem(ctx, id(n))) }
	refund := func(ctx context.Context, inv inventory, n int) error {
		return of(inv.Refund(ctx, stock.Refund{ID: id(n), Order: id(n), Restock: true}))
	}
	resolve := func(ctx context.Context, inv inventory, n int) error {
		hold, err := inv.Resolve(ctx, id(n))
		if err == nil && hold.State != stock.Locked {
			return stock.ErrCancelled
		}
		return err
	}
	missing := func(ctx context.Context, inv inventory, n int) error {
		lost, err := inv.Missing(ctx, []string{id(n)})
		if len(lost) > 0 {
			return stock.ErrNotFound
		}
		return err
	}
	restock := func(ctx context.Context, inv inventory, n int) error { return of(inv.Restock(ctx, id(n), one(1))) }
	item := func(n int) int64 { return int64(len(s.t.Name()))*1_000_000 + number(n, own) }
	define := func(units int64) func(int) {
		return done(func(ctx context.Context, inv inventory, n int) error {
			return of(inv.Define(ctx, stock.Key{SKU: item(n)}, units, stock.Terms{PerBuyer: 1}))
		})
	}
	buyer := func(ctx context.Context, inv inventory, n int) error {
		return of(inv.For("7").Lock(ctx, id(n), one(item(n))))
	}
	free := done(restock) // so that none of them is sold out
	locked, taken := then(free, done(lock)), then(free, done(take))
	return []txCase{
		{"Pay", locked, in(pay), nil},
		{"Pay again", taken, in(pay), nil},
		{"Pay of an unknown order", func(int) {}, in(pay), stock.ErrNotFound},
		{"Cancel", locked, in(cancel), nil},
		{"Cancel of what is paid", taken, in(cancel), stock.ErrPaid},
		{"Redeem", taken, in(redeem), nil},
		{"Refund", taken, in(refund), nil},
		{"Refund again", then(taken, done(refund)), in(refund), nil},
		{"Extend", locked, in(func(ctx context.Context, inv inventory, n int) error {
			return of(inv.Extend(ctx, id(n), start.Add(2*stock.DefaultHoldFor)))
		}), nil},
		{"Resolve", locked, in(resolve), nil},
		{"Hold", locked, in(func(ctx context.Context, inv inventory, n int) error { return of(inv.Hold(ctx, id(n))) }), nil},
		{"Missing", locked, in(missing), nil},
		{"Lock again", locked, in(lock), nil},
		{"Lock of a cancelled order", then(locked, done(cancel)), in(lock), stock.ErrCancelled},
		{"Lock of other lines", locked, in(func(ctx context.Context, inv inventory, n int) error {
			return of(inv.Lock(ctx, id(n), one(2)))
		}), stock.ErrMismatch},
		{"Take again", taken, in(take), nil},
		{"Restock again", free, in(restock), nil},
		{"Lock of a new item", define(1), in(buyer), nil},
		{"Lock of a new item that is sold out", define(0), in(buyer), stock.ErrInsufficient},
		{"Lock of what was restocked", then(define(0), done(func(ctx context.Context, inv inventory, n int) error {
			return of(inv.Restock(ctx, id(n), stock.Line{SKU: item(n), Num: 1}))
		})), in(buyer), nil},
		{"Item", define(1), in(func(ctx context.Context, inv inventory, n int) error {
			return of(inv.Item(ctx, stock.Key{SKU: item(n)}))
		}), nil},
	}
}
