package sqlstore_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// cart returns the lines of the order of a number: a unit each of the last one to three of the SKUs 1 to 3.
func cart(i int) []stock.Line { return []stock.Line{one(1), one(2), one(3)}[i%3:] }

// carts locks so many orders of one to three lines, for three buyers and for nobody.
func (s *shop) carts(n int) []string {
	s.t.Helper()
	for sku := int64(1); sku <= 3; sku++ {
		require.NoError(s.t, of(s.Restock(s.t.Context(), fmt.Sprint("more of ", sku), units(sku, 90))))
	}
	orders := make([]string, n)
	for i := range orders {
		orders[i] = fmt.Sprintf("cart-%03d", i)
		inv := s.Inventory
		if i%4 > 0 {
			inv = s.For(digit(i % 4))
		}
		require.NoError(s.t, of(inv.Lock(s.t.Context(), orders[i], cart(i)...)))
	}
	return orders
}

// ofCarts demands what the SKUs count, where none of 100 units of each is locked, and those of n carts are sold or none is.
func (s *shop) ofCarts(n int, sold bool) {
	s.t.Helper()
	var is [3]int64
	if sold {
		for i := range n {
			for _, l := range cart(i) {
				is[l.SKU-1]++
			}
		}
	}
	for i, n := range is {
		s.counters(int64(i+1), n, 0, 100-n)
	}
}

// sent returns the store's statements since the last call without those of bracket, and how many transactions were committed.
func (s *shop) sent() (statements []string, commits int) {
	all := s.db.Wire.Statements()
	commits = strings.Count(strings.Join(all, "\n"), "COMMIT AND")
	return slices.DeleteFunc(all, func(statement string) bool {
		return bracket(statement) || strings.Contains(statement, "PROCESSLIST") // of a test that waits
	}), commits
}

// refunding refunds all of an order, back on sale.
func (s *shop) refunding(order string) func() error {
	return func() error {
		return of(s.Refund(s.t.Context(), stock.Refund{ID: "refund of " + order, Order: order, Restock: true}))
	}
}

// refunded has many orders refunded together.
func (s *shop) refunded(orders ...string) []error {
	s.t.Helper()
	calls := make([]func() error, len(orders))
	for i, order := range orders {
		calls[i] = s.refunding(order)
	}
	return s.together(s.blockItem(3), calls...)
}

// Sixty orders of one to three lines are one transaction behind the first, or a few, whatever the verb.
func TestMergedStepsOfOrdersOfSeveralLinesShareATransaction(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	orders := s.carts(60)
	merged := func(name string, errs []error, transactions, most int) {
		t.Helper()
		require.Equal(t, 60, count(errs, nil), "%s: %v", name, errs)
		statements, commits := s.sent()
		require.LessOrEqual(t, commits, transactions, name)
		require.LessOrEqual(t, len(statements), most, "%s:\n%s", name, strings.Join(statements, "\n"))
	}
	s.sent()
	_, errs := s.stepTogether(s.blockOrder(orders[0]), s.Pay, orders...)
	merged("Pay", errs, 2, 16) // the first, the holds, their lines, both, nine buyers, the items, and what asks whether it waits
	s.ofCarts(60, true)
	s.usage("1", 3, stock.Usage{Bought: 15})
	s.sent()
	_, errs = s.stepTogether(s.blockOrder(orders[0]), s.Redeem, orders...)
	merged("Redeem", errs, 2, 6)
	s.Inventory = stock.New(s.store, &stock.Options{RefundRedeemed: true})
	s.sent()
	merged("Refund", s.refunded(orders...), 4, 40) // some still look at their orders when the first goes on
	s.ofCarts(60, false)
	require.Equal(t, stock.Refunded, must(s.Hold(t.Context(), orders[1]))(t).State)
}

func TestMergedCancelsAndExpiriesOfOrdersOfSeveralLines(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	orders := s.carts(60)
	s.sent()
	_, errs := s.stepTogether(s.blockOrder(orders[0]), s.Cancel, orders[:30]...)
	require.Equal(t, 30, count(errs, nil))
	_, commits := s.sent()
	require.Equal(t, sqltest.Commits(1, 1), commits)
	s.db.Wire.Advance(stock.DefaultHoldFor)
	require.Equal(t, 30, must(s.Expire(t.Context()))(t))
	_, commits = s.sent()
	require.Equal(t, 1, commits)
	s.ofCarts(60, false)
	s.usage("1", 3, stock.Usage{})
}

// Parts of orders are refunded in one batch: some lines, some units, with and without the buyer's limit, one order twice.
func TestMergedRefundsOfSomeLines(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	ctx := t.Context()
	for _, order := range []string{"first", "a", "b", "c"} {
		require.NoError(t, of(s.For("7").Lock(ctx, order, units(1, 2), units(2, 2), one(3))))
		require.NoError(t, of(s.Pay(ctx, order)))
	}
	refund := func(id, order string, restock bool, lines ...stock.Line) func() error {
		return func() error {
			return of(s.Refund(ctx, stock.Refund{ID: id, Order: order, Restock: restock, FreesBuyer: restock, Lines: lines}))
		}
	}
	s.sent()
	errs := s.together(s.blockItem(3), refund("0", "first", true),
		refund("1", "a", true, one(1), one(3)), refund("2", "a", false, one(1)), refund("3", "a", false, units(2, 2)), // all of a
		refund("4", "b", false, one(2)),
		refund("5", "c", false, units(2, 2)), refund("6", "c", false, one(2)))
	require.Equal(t, 5, count(errs[:5], nil), "%v", errs)
	require.Equal(t, 1, count(errs[5:], stock.ErrOverRefund), "who comes second: %v", errs)
	require.Equal(t, stock.Refunded, must(s.Hold(ctx, "a"))(t).State)
	require.Equal(t, stock.Paid, must(s.Hold(ctx, "b"))(t).State)
	require.Equal(t, int64(1), must(s.Hold(ctx, "b"))(t).Lines[1].Refunded)
	for range 2 {
		for _, again := range []func() error{refund("1", "a", true, one(1), one(3)), refund("4", "b", false, one(2))} {
			require.NoError(t, again())
		}
	}
	require.Empty(t, must(s.Audit(ctx))(t).Drifts)
}

// Among refunds of a batch one has a number that is known: the others are made, and it is told what it was.
func TestMergedRefundWithAKnownNumber(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	ctx := t.Context()
	orders := s.carts(30)
	for _, order := range orders {
		require.NoError(t, of(s.Pay(ctx, order)))
	}
	refund := func(order string, lines ...stock.Line) func() error {
		return func() error {
			return of(s.Refund(ctx, stock.Refund{ID: "part of " + order, Order: order, Lines: lines}))
		}
	}
	require.NoError(t, refund(orders[2], one(3))())
	require.NoError(t, of(s.Restock(ctx, "even more", units(3, 10))))
	require.NoError(t, of(s.Lock(ctx, "more", units(3, 5))))
	require.NoError(t, of(s.Pay(ctx, "more")))
	require.NoError(t, of(s.Refund(ctx, stock.Refund{ID: "known", Order: "more", Lines: []stock.Line{one(3)}})))
	var calls []func() error
	for _, order := range orders[3:] {
		calls = append(calls, refund(order, one(3)))
	}
	calls = append(calls,
		func() error {
			return of(s.Refund(ctx, stock.Refund{ID: "known", Order: "more", Lines: []stock.Line{one(3)}}))
		},
		func() error {
			return of(s.Refund(ctx, stock.Refund{ID: "known", Order: "more", Lines: []stock.Line{units(3, 2)}}))
		})
	errs := s.together(s.blockItem(3), calls...)
	require.Equal(t, len(errs)-1, count(errs, nil), "%v", errs)
	require.Equal(t, 1, count(errs, stock.ErrMismatch))
	require.Equal(t, int64(1), must(s.Hold(ctx, "more"))(t).Lines[0].Refunded)
	require.Empty(t, must(s.Audit(ctx))(t).Drifts)
}

// While a batch has its rows locked, orders whose numbers lie between those of the batch are placed: no gap is locked.
func TestMergedStepsOfOrdersOfSeveralLinesLockNoGap(t *testing.T) {
	t.Parallel()
	f := frozen(t, impatient(), stockTables)
	s := &shop{fixture: f, store: sqlstore.AlwaysBatch(sqlstore.NewStock(f.db.DB, nil))}
	s.Inventory = stock.New(s.store, &stock.Options{RefundRedeemed: true, LatePay: stock.Reacquire})
	ctx := t.Context()
	for sku := int64(1); sku <= 4; sku++ {
		require.NoError(t, of(s.Define(ctx, stock.Key{SKU: sku}, 10, stock.Terms{})))
	}
	orders := s.carts(6)
	other := s.process(nil)
	placed := 0
	place := func() {
		for _, order := range []string{"cart-", "cart-000-", "cart-001x", "cart-0011", "cart-004", "cart-005", "zzz"} {
			placed++
			require.NoError(t, of(other.For("4").Lock(ctx, fmt.Sprint(order, "-", placed), one(4))), order)
			require.NoError(t, of(other.Cancel(ctx, fmt.Sprint(order, "-", placed))), order)
		}
	}
	require.NoError(t, of(s.Restock(ctx, "more", units(4, 90))))
	s.db.Wire.Before("COMMIT AND", place)
	require.NoError(t, of(s.Pay(ctx, orders[0])))
	s.db.Wire.Before("COMMIT AND", place)
	require.NoError(t, of(s.Redeem(ctx, orders[0])))
	s.db.Wire.Before("COMMIT AND", place)
	require.NoError(t, s.refunding(orders[0])())
	s.db.Wire.Before("COMMIT AND", place)
	require.NoError(t, of(s.Cancel(ctx, orders[1])))
	s.db.Wire.Advance(stock.DefaultHoldFor)
	other.db.Wire.Advance(stock.DefaultHoldFor)
	require.Equal(t, 28, placed)
	s.db.Wire.Before("COMMIT AND", place)
	require.Len(t, must(s.store.Expire(ctx, orders[2:]))(t), 4)
	require.Equal(t, 35, placed)
	s.db.Wire.Before("b.HELD_NUM, b.BOUGHT_NUM", func() { s.db.Wire.Before("COMMIT AND", place) })
	require.True(t, must(s.Pay(ctx, orders[3]))(t).Late)
	require.Equal(t, 42, placed)
}

// Each statement of a batch loses its connection, asked or answered: before the COMMIT nothing is done, and the same calls
// settle what the COMMIT leaves open.
func TestMergedStepsOfOrdersOfSeveralLinesLoseTheirConnection(t *testing.T) {
	t.Parallel()
	for _, match := range []string{"START TRANSACTION", "LINE_NO = 1", "LINE_NO IN (2)", "SET STATE = 2", "goods_stock_buyer",
		"STRAIGHT_JOIN goods_stock s", "COMMIT AND"} {
		for _, kind := range []sqltest.FaultKind{sqltest.LostRequest, sqltest.LostReply} {
			s := open(t, nil)
			orders := s.carts(12)
			release := s.blockItem(3)
			_, errs := s.stepTogether(func() {
				f := sqltest.Fault{Match: match, Kind: kind}
				if match == "COMMIT AND" {
					f.Behind = sqltest.Commits(0, 1) // that of the first
				}
				s.db.Wire.Inject(f)
				release()
			}, s.Pay, orders...)
			require.NoError(t, errs[0])
			want := stock.ErrUnavailable
			if match == "COMMIT AND" {
				want = stock.ErrUnknown
			}
			require.Equal(t, 11, count(errs, want), match)
			for _, order := range orders[1:] {
				require.Equal(t, match == "COMMIT AND" && kind == sqltest.LostReply, must(s.Pay(t.Context(), order))(t).Replay, match)
			}
			s.ofCarts(12, true)
		}
	}
}

// Refunds of a batch lose their connection as well.
func TestMergedRefundsOfSeveralLinesLoseTheirConnection(t *testing.T) {
	t.Parallel()
	for _, match := range []string{"LINE_NO, STATE, FENCE", "INSERT INTO goods_stock_refund", "SET REFUND_NUM", "STRAIGHT_JOIN goods_stock s",
		"COMMIT AND"} {
		for _, kind := range []sqltest.FaultKind{sqltest.LostRequest, sqltest.LostReply} {
			s := open(t, nil)
			orders := s.carts(9)
			calls := make([]func() error, len(orders))
			for i, order := range orders {
				require.NoError(t, of(s.Pay(t.Context(), order)))
				calls[i] = s.refunding(order)
			}
			s.db.Wire.Before("LINE_NO, STATE, FENCE", func() { s.db.Wire.Inject(sqltest.Fault{Match: match, Kind: kind}) })
			errs := s.together(s.blockItem(3), calls...)
			want := stock.ErrUnavailable
			if match == "COMMIT AND" {
				want = stock.ErrUnknown
			}
			require.Equal(t, 8, count(errs, want), "%s: %v", match, errs)
			for _, call := range calls {
				require.NoError(t, call())
			}
			s.ofCarts(9, false)
		}
	}
}

// Two processes step the same orders at once: each order moves once.
func TestMergedStepsOfSeveralLinesOfTwoProcesses(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	orders := s.carts(60)
	shops := []*shop{s, s.process(nil)}
	for _, err := range byTurns(120, shops, func(s *shop, i int) error { return of(s.Pay(t.Context(), orders[i/2])) }) {
		require.NoError(t, err)
	}
	s.ofCarts(60, true)
	for _, err := range byTurns(120, shops, func(s *shop, i int) error { return s.refunding(orders[i/2])() }) {
		require.NoError(t, err)
	}
	s.ofCarts(60, false)
}
