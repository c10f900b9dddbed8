//go:build go1.25

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/examples/internal/example/exampletest"
	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

func TestStoryEndsWithBalancedBooks(t *testing.T) {
	t.Parallel()
	exampletest.Each(t, func(t *testing.T, dsn string) {
		printed := exampletest.Complete(t, dsn, run)
		for _, want := range []string{
			"reserved for another order", "insufficient", "to Bo: order C was not paid in time", "closed; 2 sold, 0 locked",
			"money goes back: stock: the hold has expired", "refunded; 0 sold, 0 locked, 6 left",
			"placed; 0 sold, 2 locked, 6 left; coupon reserved", "Audit: 0 drifts.",
		} {
			require.Contains(t, printed, want)
		}
	})
}

func TestInterruptedStoryLeavesNothing(t *testing.T) {
	t.Parallel()
	exampletest.Each(t, func(t *testing.T, dsn string) { exampletest.Interrupt(t, dsn, "another payment arrives", run) })
}

// each runs a test on a shop in memory, and on one in a database of the test's own, on a wire that the test can cut.
func each(t *testing.T, test func(t *testing.T, s *shop, wire *sqltest.Wire)) {
	t.Helper()
	for _, where := range []string{"InMemory", "OnServer"} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			if where == "InMemory" {
				s, err := open(t.Context(), nil)
				require.NoError(t, err)
				test(t, s, new(sqltest.Wire))
				return
			}
			seen := func(c *mysql.Config) { c.InterpolateParams = true } // so that the wire sees all statements
			db := sqltest.Open(t, sqltest.Variant{Apply: seen})
			s, err := open(t.Context(), db.DB)
			require.NoError(t, err)
			test(t, s, db.Wire)
		})
	}
}

// requireBooks demands what the units and the coupon are, and that the books balance.
func requireBooks(t *testing.T, s *shop, sold, locked int64, gift coupon.State) {
	t.Helper()
	ctx := t.Context()
	item, err := s.inv.Item(ctx, stock.Key{SKU: 42})
	require.NoError(t, err)
	require.Equal(t, [2]int64{sold, locked}, [2]int64{item.Sold, item.Locked})
	is, err := s.coupons.Coupon(ctx, "gift")
	require.NoError(t, err)
	require.Equal(t, gift, is.State)
	units, err := s.inv.Audit(ctx)
	require.NoError(t, err)
	require.Empty(t, units.Drifts)
	coupons, err := s.coupons.Audit(ctx)
	require.NoError(t, err)
	require.Empty(t, coupons.Drifts)
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

// Of orders that come at once with one coupon, one has it, and each row has what its order has to pay.
func TestManyOrdersAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *shop, _ *sqltest.Wire) {
		t.Helper()
		var calls []func() error
		var placed atomic.Int64
		for n := range 10 {
			o := order{id: fmt.Sprint("order-", n), buyer: fmt.Sprint("u-", n), num: 1}
			if n < 5 {
				o.buyer, o.coupon = "Ann", "gift"
			}
			calls = append(calls, func() error {
				err := s.place(t.Context(), o)
				if errors.Is(err, stock.ErrInsufficient) || errors.Is(err, coupon.ErrReserved) || errors.Is(err, coupon.ErrRedeemed) {
					_, gone := s.order(context.Background(), o.id)
					if gone == nil {
						return errors.New("a row without its order")
					}
					return nil
				}
				placed.Add(1)
				return errors.Join(err, s.paymentArrived(t.Context(), "pay-"+o.id, o.id))
			})
		}
		atOnce(t, calls...)
		require.Equal(t, int64(3*6), placed.Load()) // each three times
		requireBooks(t, s, 6, 0, coupon.Redeemed)
		for n := range 10 {
			o, err := s.order(t.Context(), fmt.Sprint("order-", n))
			if err != nil {
				continue
			}
			require.Equal(t, "paid", o.state)
			want := decimal.New(40, 0)
			if o.coupon != "" {
				want = decimal.New(30, 0)
			}
			require.True(t, want.Equal(o.toPay), "%v", o.toPay)
		}
	})
}

func TestPaymentRacesCancel(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *shop, _ *sqltest.Wire) {
		t.Helper()
		require.NoError(t, s.place(t.Context(), order{id: "a", buyer: "Ann", num: 2, coupon: "gift"}))
		atOnce(t,
			func() error {
				err := s.paymentArrived(t.Context(), "pay", "a")
				if errors.Is(err, errMoneyBack) {
					return nil
				}
				return err
			},
			func() error { return s.cancel(t.Context(), "a") },
		)
		requireBooks(t, s, 0, 0, coupon.Usable)
		o, err := s.order(t.Context(), "a")
		require.NoError(t, err)
		require.Contains(t, []string{"closed", "refunded"}, o.state)
	})
}

func TestLostConnectionIsTriedAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *shop, wire *sqltest.Wire) {
		t.Helper()
		for i, statement := range []string{"INSERT INTO orders", "INSERT INTO coupon_use", "COMMIT AND"} {
			for j, kind := range []sqltest.FaultKind{sqltest.LostRequest, sqltest.LostReply} {
				wire.Inject(sqltest.Fault{Match: statement, Kind: kind})
				id := fmt.Sprint("order-", i, j)
				require.NoError(t, s.place(t.Context(), order{id: id, buyer: "Ann", num: 1, coupon: "gift"}))
				requireBooks(t, s, 0, 1, coupon.Reserved)
				require.NoError(t, s.cancel(t.Context(), id))
				requireBooks(t, s, 0, 0, coupon.Usable)
			}
		}
	})
}

func TestPaymentOfWhatIsNotPlaced(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *shop, _ *sqltest.Wire) {
		t.Helper()
		require.NoError(t, s.place(t.Context(), order{id: "cancelled", buyer: "Ann", num: 1, coupon: "gift"}))
		require.NoError(t, s.cancel(t.Context(), "cancelled"))
		for range 2 {
			err := s.paymentArrived(t.Context(), "pay", "cancelled")
			require.ErrorIs(t, err, errMoneyBack)
			require.ErrorIs(t, err, stock.ErrCancelled)
		}
		require.ErrorIs(t, s.place(t.Context(), order{id: "cancelled", buyer: "Ann", num: 1, coupon: "gift"}), stock.ErrCancelled)
		requireBooks(t, s, 0, 0, coupon.Usable)
	})
}

// A statement of the shop that fails is no reason to send money back: the order is paid once it is mended.
func TestPaymentThatTheShopsTableRefusesKeepsItsMoney(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *shop, _ *sqltest.Wire) {
		t.Helper()
		require.NoError(t, s.place(t.Context(), order{id: "a", buyer: "Ann", num: 1, coupon: "gift"}))
		if _, onServer := s.rows.(tables); onServer {
			err := s.paymentArrived(t.Context(), strings.Repeat("p", 65), "a") // longer than its column
			require.NotErrorIs(t, err, errMoneyBack)
			var refused *sqlstore.AlongError
			require.ErrorAs(t, err, &refused)
		}
		requireBooks(t, s, 0, 1, coupon.Reserved)
		require.NoError(t, s.paymentArrived(t.Context(), "pay", "a"))
		requireBooks(t, s, 1, 0, coupon.Redeemed)
	})
}
