package sqlstore_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// bad locks an order of the SKUs 1 and 4, and then lowers what SKU 1 counts as locked, so that the order cannot move.
func (s *shop) bad(order string, fourth stock.Line) {
	s.t.Helper()
	s.lock(order, one(1), fourth)
	require.NoError(s.t, of(s.db.ExecContext(s.t.Context(), "UPDATE goods_stock SET STOCK_LOCK_NUM = 0 WHERE SKU_ID = 1")))
}

// One bad order among three hundred costs a second try, not three hundred transactions.
func TestBadOrderSpoilsNoBatchOfSteps(t *testing.T) {
	t.Parallel()
	const good = 300
	for name, to := range map[string]func(*shop) step{
		"Pay":    func(s *shop) step { return s.Pay },
		"Cancel": func(s *shop) step { return s.Cancel },
	} {
		s := open(t, nil)
		s.wide(stock.Terms{})
		orders := names(good)
		require.Equal(t, good, count(suite.Together(good, func(i int) error { return of(s.Lock(t.Context(), orders[i], one(4))) }), nil))
		s.bad("bad", one(4))
		s.sent()
		_, errs := s.stepTogether(s.blockOrder(orders[0]), to(s), append(orders, "bad")...)
		statements, _ := s.sent()
		require.Less(t, len(statements), 30, "%s:\n%s", name, strings.Join(statements, "\n"))
		require.Equal(t, good, count(errs, nil), name)
		require.ErrorIs(t, errs[good], stock.ErrDrift, name)
		require.NoError(t, of(s.Repair(t.Context())))
		require.NoError(t, of(to(s)(t.Context(), "bad")), name)
		require.Empty(t, must(s.Audit(t.Context()))(t).Drifts)
	}
}

// A refund whose books refuse is found by halves.
func TestBadRefundSpoilsNoBatch(t *testing.T) {
	t.Parallel()
	const good = 200
	s := open(t, nil)
	s.wide(stock.Terms{})
	orders := names(good)
	require.Equal(t, good, count(suite.Together(good, func(i int) error { return of(s.Take(t.Context(), orders[i], one(4))) }), nil))
	require.NoError(t, of(s.Take(t.Context(), "bad", one(1), one(4))))
	require.NoError(t, of(s.db.ExecContext(t.Context(),
		"UPDATE goods_stock SET STOCK_SALE_NUM = 0, STOCK_LEFT_NUM = STOCK_TOTAL_NUM WHERE SKU_ID = 1")))
	var calls []func() error
	for _, order := range append(orders, "bad") {
		calls = append(calls, s.refunding(order))
	}
	s.sent()
	errs := s.together(s.blockItem(4), calls...)
	statements, commits := s.sent()
	require.Less(t, commits, 20)
	require.Less(t, len(statements), 150, strings.Join(statements, "\n"))
	require.Equal(t, good, count(errs, nil))
	require.ErrorIs(t, errs[good], stock.ErrDrift)
	require.NoError(t, of(s.Repair(t.Context())))
	require.NoError(t, s.refunding("bad")())
	require.Empty(t, must(s.Audit(t.Context()))(t).Drifts)
}

// A hold that cannot be released, in front of very many that can, costs a few statements more, and the next sweep does not
// meet it again until the books are mended.
func TestSweepPassesABadHoldInFrontOfMany(t *testing.T) {
	t.Parallel()
	dead := int64(10_000)
	if testing.Short() {
		dead = 2_700
	}
	s := open(t, nil)
	s.deadHolds(dead, 1)
	s.bad("a-bad", one(4))
	s.db.Wire.Advance(stock.DefaultHoldFor)
	s.sent()
	began := time.Now()
	n, err := s.Expire(t.Context())
	t.Logf("%d holds in %v", n, time.Since(began).Round(time.Millisecond))
	require.ErrorIs(t, err, stock.ErrDrift)
	require.Equal(t, int(dead), n)
	statements, _ := s.sent()
	require.Less(t, len(statements), 90, strings.Join(statements, "\n"))
	require.Zero(t, must(s.Expire(t.Context()))(t), "it is left alone for a while")
	statements, _ = s.sent()
	require.Len(t, statements, 2, "of dead holds, and of orders that wait for units")
	require.NoError(t, of(s.Repair(t.Context())))
	require.Equal(t, 1, must(s.Expire(t.Context()))(t))
	s.counters(4, 0, 0, dead+1)
}

// A hold that cannot be released holds its units: whoever wants them is told that they are not there, and not about the
// books of another order.
func TestLocksOfASoldOutItemWithABadHold(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	require.NoError(t, of(s.Define(t.Context(), stock.Key{SKU: 4}, 3, stock.Terms{})))
	s.bad("bad", units(4, 3))
	s.db.Wire.Advance(stock.DefaultHoldFor)
	s.sent()
	errs := s.behindOne(s.blockItem(4), 300, func(i int) error { return of(s.Lock(t.Context(), fmt.Sprint(i), one(4))) })
	require.Equal(t, 300, count(errs, stock.ErrInsufficient), "%v", errs[0])
	require.Zero(t, count(errs, stock.ErrDrift))
	statements, _ := s.sent()
	require.Less(t, len(statements), 50, strings.Join(statements, "\n"))
	for _, err := range suite.Together(300, func(i int) error { return of(s.Lock(t.Context(), fmt.Sprint("again", i), one(4))) }) {
		require.ErrorIs(t, err, stock.ErrInsufficient)
	}
	statements, _ = s.sent()
	require.Less(t, len(statements), 30, strings.Join(statements, "\n"))
}

// inTx makes calls in a transaction of the caller's.
func (s *shop) inTx(call func(in *stock.Inventory) error) error {
	s.t.Helper()
	return inTx(s.t, s.db, func(tx sqlstore.Tx) *stock.Inventory { return s.On(s.store.WithTx(tx)) }, call)()
}

// Nor does it keep a Lock from the units of the other dead holds, also in a transaction of the caller's and for an order
// of two lines.
func TestLockGoesOnWithWhatIsReleasedBesideABadHold(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	s.deadHolds(3, 1)
	s.bad("a-bad", one(4))
	s.db.Wire.Advance(stock.DefaultHoldFor)
	s.lock("a", one(4))
	s.lock("b", one(2), one(4))
	s.store.Mended()
	require.NoError(t, s.inTx(func(in *stock.Inventory) error { return of(in.Lock(t.Context(), "c", one(4))) }))
	s.short(one(4), 0)
	s.store.Mended()
	require.NoError(t, s.inTx(func(in *stock.Inventory) error {
		err := of(in.Lock(t.Context(), "d", one(4)))
		require.ErrorIs(t, err, stock.ErrInsufficient)
		return of(in.Lock(t.Context(), "e", one(2)))
	}))
	require.NoError(t, of(s.Repair(t.Context())))
	s.lock("f", one(4))
	s.counters(4, 0, 4, 4)
}

// The outcome of a release is not that of the Lock that it is for: nothing of it was sent.
func TestLockWhoseReleaseLosesItsCommitIsUnavailable(t *testing.T) {
	t.Parallel()
	for _, kind := range []sqltest.FaultKind{sqltest.LostRequest, sqltest.LostReply} {
		s := open(t, nil)
		s.deadHolds(2, 0)
		s.db.Wire.Before("SET STATE = 6", func() { s.db.Wire.Inject(sqltest.Fault{Match: "COMMIT AND", Kind: kind}) })
		err := of(s.Lock(t.Context(), "a", one(4)))
		require.ErrorIs(t, err, stock.ErrUnavailable)
		require.NotErrorIs(t, err, stock.ErrUnknown)
		s.lock("a", one(4))
	}
}

// A batch whose text is larger than the server or the driver takes is made in two parts.
func TestBatchLargerThanAPacketIsHalved(t *testing.T) {
	t.Parallel()
	for _, answer := range []error{mysql.ErrPktTooLarge, packet(1153, "Got a packet bigger than 'max_allowed_packet' bytes")} {
		s := open(t, nil)
		orders := s.orders(60)
		s.sent()
		release := s.blockOrder(orders[0])
		_, errs := s.stepTogether(func() { // the first waits, and the others come next
			s.db.Wire.Before("LINE_NO = 1", func() {
				s.db.Wire.Inject(sqltest.Fault{Match: "SET STATE = 2", Kind: sqltest.LostRequest, Answer: answer})
			})
			release()
		}, s.Pay, orders...)
		require.Equal(t, 60, count(errs, nil), "%v", errs)
		_, commits := s.sent()
		require.Equal(t, sqltest.Commits(2, 1), commits)
		s.sold(20)
	}
}

// Very many carts of several lines are in the way of a Lock: some are released, together, and the rest is left to a sweep.
func TestLockReleasesManyCartsTogether(t *testing.T) {
	t.Parallel()
	const dead = 800
	s := open(t, nil)
	require.NoError(t, of(s.Define(t.Context(), stock.Key{SKU: 4}, dead, stock.Terms{})))
	for sku := int64(1); sku <= 3; sku++ {
		require.NoError(t, of(s.Restock(t.Context(), fmt.Sprint("more of ", sku), units(sku, dead))))
	}
	errs := suite.Together(dead, func(i int) error {
		lines := []stock.Line{one(int64(1 + i%3)), one(4)}
		if i%2 == 0 {
			lines = append(lines, one(int64(1+(i+1)%3)))
		}
		return of(s.For(digit(1+i%100)).Lock(t.Context(), fmt.Sprint("dead-", i), lines...))
	})
	require.Equal(t, dead, count(errs, nil))
	s.db.Wire.Advance(stock.DefaultHoldFor)
	s.sent()
	began := time.Now()
	s.lock("a", one(4))
	t.Logf("%d carts in %v", dead, time.Since(began).Round(time.Millisecond))
	statements, commits := s.sent()
	require.LessOrEqual(t, commits, 2)
	require.Less(t, len(statements), 30, strings.Join(statements, "\n"))
	left := must(s.Item(t.Context(), stock.Key{SKU: 4}))(t).Locked - 1
	require.Greater(t, left, int64(dead/2), "it waits for no more than it needs")
	s.lock("b", units(4, 400))
	require.NoError(t, of(s.Expire(t.Context())))
	for sku := int64(1); sku <= 3; sku++ {
		s.counters(sku, 0, 0, 10+dead)
	}
	s.counters(4, 0, 401, dead)
}
