package sqlstore_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// step is Pay, Cancel or Redeem.
type step func(ctx context.Context, order string) (stock.Outcome, error)

// stepCall is a step as a call that leaves its outcome behind.
func (s *shop) stepCall(do step, order string, outcome *stock.Outcome) func() error {
	return func() (err error) { *outcome, err = do(s.t.Context(), order); return err }
}

// stepTogether has many orders do a step together, and returns the outcomes and errors. The first of
// them is held up until release is called.
func (s *shop) stepTogether(release func(), do step, orders ...string) ([]stock.Outcome, []error) {
	s.t.Helper()
	outcomes := make([]stock.Outcome, len(orders))
	calls := make([]func() error, len(orders))
	for i, order := range orders {
		calls[i] = s.stepCall(do, order, &outcomes[i])
	}
	return outcomes, s.together(release, calls...)
}

// orders locks a unit for each of many orders, of the SKUs 1 to 3, for three buyers and for nobody.
func (s *shop) orders(n int) []string {
	s.t.Helper()
	for sku := int64(1); sku <= 3; sku++ {
		require.NoError(s.t, of(s.Restock(s.t.Context(), fmt.Sprint("more of ", sku), units(sku, 90))))
	}
	orders := names(n)
	for i, order := range orders {
		require.NoError(s.t, s.lockCall(digit(i%4), order, one(int64(1+i%3)))())
	}
	return orders
}

// sold demands that so many of the 100 units of each SKU are sold, and none is locked.
func (s *shop) sold(sold int64) {
	s.t.Helper()
	for sku := int64(1); sku <= 3; sku++ {
		s.counters(sku, sold, 0, 100-sold)
	}
}

// Callbacks that are delivered twice, in one batch: one of each two is the first.
func TestMergedStepsAreDoneOnce(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	orders := s.orders(60)
	twice := append(append([]string{}, orders...), orders...)
	for _, c := range []struct {
		do    step
		state stock.State
	}{{s.Pay, stock.Paid}, {s.Redeem, stock.Redeemed}} {
		outcomes, errs := s.stepTogether(s.blockOrder(orders[0]), c.do, twice...)
		firsts := map[string]int{}
		for i, o := range outcomes {
			require.NoError(t, errs[i])
			require.Equal(t, twice[i], o.Order)
			require.Equal(t, c.state, o.State)
			if !o.Replay {
				firsts[o.Order]++
			}
		}
		for _, order := range orders {
			require.Equal(t, 1, firsts[order], order)
		}
	}
	s.sold(20)
	s.usage("1", 2, stock.Usage{Bought: 5})
}

func TestMergedCancelsGiveBackOnce(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	orders := s.orders(60)
	twice := append(append(append([]string{}, orders...), "never locked"), orders...)
	outcomes, errs := s.stepTogether(s.blockOrder(orders[0]), s.Cancel, twice...)
	replays := 0
	for i, o := range outcomes {
		require.NoError(t, errs[i])
		require.Equal(t, stock.Cancelled, o.State)
		if o.Replay {
			replays++
		}
	}
	require.Equal(t, 60, replays)
	s.sold(0)
	s.usage("1", 2, stock.Usage{})
	require.ErrorIs(t, of(s.Lock(t.Context(), "never locked", one(1))), stock.ErrCancelled)
}

// Pay and Cancel of the same orders, each in a batch: one of the two wins.
func TestMergedPaysRaceMergedCancels(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	orders := s.orders(60)
	outcomes := make([]stock.Outcome, 2*len(orders))
	var calls []func() error
	for i, order := range orders {
		calls = append(calls, s.stepCall(s.Pay, order, &outcomes[2*i]))
		calls = append(calls, s.stepCall(s.Cancel, order, &outcomes[2*i+1]))
	}
	errs := s.behindOne(s.blockItem(1), len(calls), func(i int) error { return calls[i]() })
	sold := [3]int64{}
	for i, order := range orders {
		paid, cancelled := errs[2*i], errs[2*i+1]
		if paid == nil {
			sold[i%3]++
			require.ErrorIs(t, cancelled, stock.ErrPaid, order)
			continue
		}
		require.ErrorIs(t, paid, stock.ErrCancelled, order)
		require.NoError(t, cancelled, order)
	}
	for i, n := range sold {
		s.counters(int64(1+i), n, 0, 100-n)
	}
}

// Orders of several lines among those of one.
func TestMergedPaysOfOrdersOfSeveralLines(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	orders := s.orders(30)
	for i := range 30 {
		order := fmt.Sprint("long-", i)
		lines := []stock.Line{one(1), one(2), one(3)}
		require.NoError(t, of(s.For(fmt.Sprint(1+i%2)).Lock(t.Context(), order, lines[i%2:]...)))
		orders = append(orders, order, order)
	}
	outcomes, errs := s.stepTogether(s.blockOrder(orders[0]), s.Pay, orders...)
	replays := 0
	for i := range orders {
		require.NoError(t, errs[i])
		if outcomes[i].Replay {
			replays++
		}
	}
	require.Equal(t, 30, replays)
	s.counters(1, 25, 0, 75)
	s.counters(2, 40, 0, 60)
	s.counters(3, 40, 0, 60)
}

// An order whose item has lost count of it is refused alone, until the books are mended.
func TestMergedStepsOfAnOrderWhoseBooksHaveDrifted(t *testing.T) {
	t.Parallel()
	for name, to := range map[string]func(*shop) step{
		"Pay":    func(s *shop) step { return s.Pay },
		"Cancel": func(s *shop) step { return s.Cancel },
	} {
		s := open(t, nil)
		ctx := t.Context()
		do := to(s)
		require.NoError(t, of(s.Define(ctx, stock.Key{SKU: 4}, 10, stock.Terms{})))
		s.lock("drifted", one(4))
		require.NoError(t, of(s.db.ExecContext(ctx, "UPDATE goods_stock SET STOCK_LOCK_NUM = 0 WHERE SKU_ID = 4")))
		orders := s.orders(60)
		outcomes, errs := s.stepTogether(s.blockOrder(orders[0]), do, append(orders, "drifted")...)
		require.ErrorIs(t, errs[60], stock.ErrDrift, name)
		for i, o := range outcomes[:60] {
			require.NoError(t, errs[i], name)
			require.False(t, o.Replay, name)
		}
		require.NoError(t, of(s.Repair(ctx, stock.Key{SKU: 4})))
		require.False(t, must(do(ctx, "drifted"))(t, name).Replay, name)
		require.Empty(t, must(s.Audit(ctx))(t).Drifts, name)
	}
}

// The COMMIT of a batch without an answer is unknown to all of it, and the same call settles each.
func TestMergedPaysLoseTheirCommit(t *testing.T) {
	t.Parallel()
	for _, kind := range []sqltest.FaultKind{sqltest.LostRequest, sqltest.LostReply} {
		s := open(t, nil)
		orders := s.orders(60)
		fault := sqltest.Fault{Match: "COMMIT AND", Kind: kind}
		if sqltest.TiDB() { // the first has one, too
			fault.Behind = 1
		}
		s.db.Wire.Inject(fault)
		_, errs := s.stepTogether(s.blockOrder(orders[0]), s.Pay, orders...)
		require.NoError(t, errs[0], "it went alone")
		require.Equal(t, 59, count(errs, stock.ErrUnknown))
		for _, order := range orders[1:] {
			require.Equal(t, kind == sqltest.LostReply, must(s.Pay(t.Context(), order))(t).Replay)
		}
		s.sold(20)
	}
}

// Before the COMMIT nothing is done, and everybody may simply call again.
func TestMergedPaysLoseTheirConnection(t *testing.T) {
	t.Parallel()
	for _, match := range []string{"START TRANSACTION", "FOR UPDATE", "UPDATE goods_stock_hold", "goods_stock_buyer",
		"STRAIGHT_JOIN goods_stock s"} {
		for _, kind := range []sqltest.FaultKind{sqltest.LostRequest, sqltest.LostReply} {
			s := open(t, nil)
			orders := s.orders(30)
			release := s.blockItem(1)
			_, errs := s.stepTogether(func() { // the statement of the first is on its way, and none of what follows is its
				s.db.Wire.Inject(sqltest.Fault{Match: match, Kind: kind})
				release()
			}, s.Pay, orders...)
			require.NoError(t, errs[0], match)
			require.Equal(t, 29, count(errs, stock.ErrUnavailable), match)
			for _, order := range orders[1:] {
				require.False(t, must(s.Pay(t.Context(), order))(t).Replay, match)
			}
			s.sold(10)
		}
	}
}

// Who leaves while the batch waits has done nothing; who leaves while it is in flight does not know. The
// others do not notice.
func TestCallerLeavesABatchOfPays(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	orders := s.orders(12)
	early, leaveEarly := context.WithCancel(t.Context())
	late, leaveLate := context.WithCancel(t.Context())
	left := make(chan error, 1)
	leaves := func(ctx context.Context, order string) { _, err := s.Pay(ctx, order); left <- err }

	release := s.blockItem(1)
	others := make(chan []error)
	first := going(func() error { return of(s.Pay(t.Context(), orders[0])) })
	s.waiting()
	go leaves(early, orders[1])
	s.awaitQueue(1)
	leaveEarly()
	err := <-left
	require.ErrorIs(t, err, stock.ErrUnavailable)
	require.ErrorIs(t, err, context.Canceled)

	go leaves(late, orders[2])
	s.awaitQueue(2)
	var calls []func() error
	for _, order := range orders[3:] {
		calls = append(calls, s.stepCall(s.Pay, order, new(stock.Outcome)))
	}
	go func() { others <- suite.Meet(len(calls), calls...) }()
	s.awaitQueue(11)
	match := "COMMIT AND"
	if sqltest.TiDB() { // the one that is alone has another one
		match = "ORDER_NO IN"
	}
	s.db.Wire.Before(match, func() {
		leaveLate()
		err := <-left
		require.ErrorIs(t, err, stock.ErrUnknown)
		require.ErrorIs(t, err, context.Canceled)
		left <- err
	})
	release()
	require.NoError(t, <-first)
	for _, err := range <-others {
		require.NoError(t, err)
	}
	require.ErrorIs(t, <-left, stock.ErrUnknown)

	require.Equal(t, stock.Locked, must(s.Hold(t.Context(), orders[1]))(t).State)
	for _, order := range orders[1:3] {
		require.Equal(t, order == orders[2], must(s.Pay(t.Context(), order))(t).Replay, "its batch went on without it")
	}
	s.sold(4)
}

// Sixty Pays are one transaction behind the first.
func TestMergedStepsShareTransactions(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	orders := s.orders(60)
	s.db.Wire.Statements()
	_, errs := s.stepTogether(s.blockOrder(orders[0]), s.Pay, orders...)
	require.Equal(t, 60, count(errs, nil))
	commits := 1
	if sqltest.TiDB() { // where that of the first does not commit itself
		commits++
	}
	require.Equal(t, commits, strings.Count(strings.Join(s.db.Wire.Statements(), "\n"), "COMMIT AND"))
}
