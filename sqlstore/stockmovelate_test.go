package sqlstore_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/stock"
)

// late opens a shop that sells the units of late payments again, with so many orders that have expired: each has two
// lines and a buyer of its own, or nobody.
func late(t *testing.T, n int) (*shop, []string) {
	t.Helper()
	s := open(t, &stock.Options{LatePay: stock.Reacquire})
	for sku := int64(1); sku <= 2; sku++ {
		require.NoError(t, of(s.Restock(t.Context(), fmt.Sprint("more of ", sku), units(sku, int64(n)))))
	}
	orders := names(n)
	for i, order := range orders {
		inv := s.Inventory
		if i%2 > 0 {
			inv = s.For(order)
		}
		require.NoError(t, of(inv.Lock(t.Context(), order, one(1), one(2))))
	}
	s.db.Wire.Advance(stock.DefaultHoldFor)
	require.Equal(t, n, must(s.Expire(t.Context()))(t))
	return s, orders
}

// Late payments are one transaction behind the first.
func TestMergedLatePaysShareATransaction(t *testing.T) {
	t.Parallel()
	s, orders := late(t, 60)
	s.sent()
	outcomes, errs := s.inABatch(s.Pay, s.blockItem(1), orders...)
	statements, commits := s.sent()
	for i, err := range errs {
		require.NoError(t, err)
		require.True(t, outcomes[i].Late)
	}
	require.LessOrEqual(t, commits, 8, strings.Join(statements, "\n"))
	s.counters(1, 60, 0, 10)
	s.usage(orders[1], 2, stock.Usage{Bought: 1})
}

// There are units for ten of sixty late payments, of two processes: ten are sold, and the others say what is missing.
func TestMergedLatePaysTakeExactlyWhatIsThere(t *testing.T) {
	t.Parallel()
	s, orders := late(t, 60)
	require.NoError(t, of(s.Withdraw(t.Context(), "gone", units(2, 60))))
	other := s.process(nil)
	other.Inventory = stock.New(other.store, &stock.Options{LatePay: stock.Reacquire})
	other.db.Wire.Advance(stock.DefaultHoldFor)
	errs := byTurns(60, []*shop{s, other}, func(s *shop, i int) error { return of(s.Pay(t.Context(), orders[i])) })
	require.Equal(t, 10, count(errs, nil), "%v", errs)
	for _, err := range errs {
		if err != nil {
			require.ErrorIs(t, err, stock.ErrExpired)
			require.ErrorIs(t, err, stock.ErrInsufficient)
		}
	}
	s.counters(1, 10, 0, 60)
	s.counters(2, 10, 0, 0)
}

// Of one buyer's late payments in a batch as many succeed as the limit lets, the first to arrive; those of others are not
// refused for them.
func TestMergedLatePaysKeepTheLimitOfABuyer(t *testing.T) {
	t.Parallel()
	s := open(t, &stock.Options{LatePay: stock.Reacquire})
	ctx := t.Context()
	s.wide(stock.Terms{})
	var orders []string
	for i := range 30 {
		orders = append(orders, fmt.Sprint("late-", i))
		require.NoError(t, of(s.For(digit(1+i%3)).Lock(ctx, orders[i], units(4, 2))))
	}
	s.db.Wire.Advance(stock.DefaultHoldFor)
	require.Equal(t, 30, must(s.Expire(ctx))(t))
	require.NoError(t, of(s.Define(ctx, stock.Key{SKU: 4}, 10_000, stock.Terms{PerBuyer: 5})))
	_, errs := s.inABatch(s.Pay, s.blockItem(4), orders...)
	require.Equal(t, 6, count(errs, nil), "%v", errs)
	for _, err := range errs {
		if err != nil {
			require.ErrorIs(t, err, stock.ErrExpired)
			require.ErrorIs(t, err, stock.ErrPerBuyer)
		}
	}
	s.counters(4, 12, 0, 9_988)
}

// inABatch has many orders do a step together behind a blocked row, and returns the outcomes and errors.
func (s *shop) inABatch(do step, release func(), orders ...string) ([]stock.Outcome, []error) {
	s.t.Helper()
	outcomes := make([]stock.Outcome, len(orders))
	return outcomes, s.behindOne(release, len(orders), func(i int) error { return s.stepCall(do, orders[i], &outcomes[i])() })
}

// Late payments lose their connection at each statement, asked and answered.
func TestMergedLatePaysLoseTheirConnection(t *testing.T) {
	t.Parallel()
	for _, match := range []string{"LINE_NO IN (2)", "b.HELD_NUM, b.BOUGHT_NUM", "s.STOCK_TOTAL_NUM, s.STOCK_SALE_NUM",
		"SET STATE = 2", "UPDATE goods_stock_buyer", "COMMIT AND"} {
		for _, kind := range []sqltest.FaultKind{sqltest.LostRequest, sqltest.LostReply} {
			s, orders := late(t, 12)
			release := s.blockItem(1)
			_, errs := s.inABatch(s.Pay, func() {
				// The first is past this statement, where it has it.
				s.db.Wire.Before("h.STATE = 6 FOR UPDATE", func() { s.db.Wire.Inject(sqltest.Fault{Match: match, Kind: kind}) })
				release()
			}, orders...)
			lost := count(errs, stock.ErrUnknown) + count(errs, stock.ErrUnavailable)
			require.Positive(t, lost, match)
			require.Equal(t, match == "COMMIT AND", errors.Is(errors.Join(errs...), stock.ErrUnknown), match)
			for _, order := range orders {
				require.Equal(t, stock.Paid, must(s.Pay(t.Context(), order))(t, match).State)
			}
			s.counters(1, 12, 0, 10)
		}
	}
}
