//go:build go1.25

package main

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/examples/internal/example"
	"github.com/holdfast-go/holdfast/examples/internal/example/exampletest"
	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/stock"
)

func TestStoryEndsWithBalancedBooks(t *testing.T) {
	t.Parallel()
	var b books
	exampletest.Complete(t, exampletest.DSN(t), b.run)
	require.Equal(t, map[string]int64{"placed": 1, "paid": 3, "refunded": 2, "closed": 6, "kept": 1, "back": 3}, b.sums)
	require.Equal(t, stock.Quantities{Total: units, Sold: 3, Locked: 1, Left: 3, Refunded: 2}, b.item)
	require.Empty(t, b.drifts)
}

func TestInterruptedStoryLeavesNothing(t *testing.T) {
	t.Parallel()
	exampletest.Interrupt(t, exampletest.DSN(t), "pay-2 arrives", new(books).run)
}

func TestWithoutAServerItSaysHowToStartOne(t *testing.T) {
	t.Parallel()
	require.ErrorIs(t, example.Run(t.Context(), "", t.Output(), new(books).run), errServer)
}

// newShop opens a shop in a database of the test's own, on a wire that the test can cut and whose clock stands still.
func newShop(t *testing.T) (*shop, *sqltest.Wire) {
	t.Helper()
	db := sqltest.Open(t, sqltest.Variant{Apply: func(c *mysql.Config) { c.InterpolateParams = true }}) // so that the wire sees all statements
	s, err := open(t.Context(), db.DB)
	require.NoError(t, err)
	db.Wire.Freeze(time.Date(2026, 6, 18, 10, 0, 0, 0, time.UTC))
	return s, db.Wire
}

// requireBooks demands that these are the units of the orders and the payments by state, and that the books balance.
func requireBooks(t *testing.T, s *shop, sums map[string]int64) {
	t.Helper()
	var b books
	require.NoError(t, b.close(t.Context(), s, t.Output()))
	require.Equal(t, sums, b.sums)
}

// atOnce makes calls at once, each of them a few times. All have to succeed.
func atOnce(t *testing.T, calls ...func() error) {
	t.Helper()
	var all sync.WaitGroup
	for range 3 {
		for _, call := range calls {
			all.Go(func() {
				if err := call(); err != nil {
					t.Error(err)
				}
			})
		}
	}
	all.Wait()
}

func TestManyBuyersOrderAtOnce(t *testing.T) {
	t.Parallel()
	s, _ := newShop(t)
	var calls []func() error
	for buyer := range 10 {
		order := fmt.Sprint("order-", buyer)
		calls = append(calls, func() error {
			err := s.place(t.Context(), order, fmt.Sprint("u-", buyer), 1)
			if errors.Is(err, stock.ErrInsufficient) {
				return nil
			}
			return errors.Join(err, s.paymentArrived(t.Context(), "pay-"+order, order), s.closeOverdue(t.Context()))
		})
	}
	atOnce(t, calls...)
	requireBooks(t, s, map[string]int64{"paid": units, "kept": units})
}

func TestPaymentRacesCancel(t *testing.T) {
	t.Parallel()
	s, _ := newShop(t)
	require.NoError(t, s.place(t.Context(), "a", "u-1", 2))
	atOnce(t,
		func() error { return s.paymentArrived(t.Context(), "pay", "a") },
		func() error { return s.cancel(t.Context(), "a") },
	)
	var b books
	require.NoError(t, b.close(t.Context(), s, t.Output()))
	require.Zero(t, b.sums["placed"]+b.sums["paid"]+b.sums["kept"], "whoever was first, the money goes back")
	require.EqualValues(t, 1, b.sums["back"])
}

func TestLostConnectionRunsTheTransactionAgain(t *testing.T) {
	t.Parallel()
	s, wire := newShop(t)
	for i, statement := range []string{"INSERT INTO orders", "INSERT INTO goods_stock_hold", "UPDATE goods_stock "} {
		for j, kind := range []sqltest.FaultKind{sqltest.LostRequest, sqltest.LostReply} {
			wire.Inject(sqltest.Fault{Match: statement, Kind: kind})
			order := fmt.Sprint("order-", i, j)
			require.NoError(t, s.place(t.Context(), order, "u-"+order, 1))
		}
	}
	requireBooks(t, s, map[string]int64{"placed": 6})
}

func TestOrderWithoutAnAnswerIsSettled(t *testing.T) {
	t.Parallel()
	s, _ := newShop(t)
	require.NoError(t, s.place(t.Context(), "placed", "u-1", 1))
	require.NoError(t, s.settle(t.Context(), "placed"))
	require.ErrorContains(t, s.settle(t.Context(), "lost"), "was not placed")
	require.ErrorIs(t, s.place(t.Context(), "lost", "u-1", 1), stock.ErrCancelled, "a request that was on its way")
	requireBooks(t, s, map[string]int64{"placed": 1})
}

func TestPaymentOfWhatIsNotPlaced(t *testing.T) {
	t.Parallel()
	s, wire := newShop(t)
	require.NoError(t, s.place(t.Context(), "cancelled", "u-1", 1))
	require.NoError(t, s.cancel(t.Context(), "cancelled"))
	require.NoError(t, s.place(t.Context(), "late", "u-1", 1))
	wire.Advance(holdFor)
	for _, order := range []string{"cancelled", "late", "unknown"} {
		for range 2 {
			require.NoError(t, s.paymentArrived(t.Context(), "pay-"+order, order))
		}
	}
	requireBooks(t, s, map[string]int64{"closed": 2, "back": 3})
}
