package sqlstore_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// checkout is a mall and goods in one database, with tables of the shop's own. Its calls are merged or not.
type checkout struct {
	*mall
	shop *shop
}

// openCheckout returns a checkout with 10 coupons of campaign 1, and 500 units of SKU 1.
func openCheckout(t testing.TB, opts *sqlstore.Options) checkout {
	t.Helper()
	f := frozen(t, defaults, stockTables, couponTables)
	b := checkout{
		mall: &mall{fixture: f, store: sqlstore.NewCoupon(f.db.DB, opts)},
		shop: &shop{fixture: f, store: sqlstore.NewStock(f.db.DB, opts)},
	}
	if opts == nil {
		sqlstore.OneByOne(b.store)
		sqlstore.OneByOne(b.shop.store)
	}
	b.Coupons, b.shop.Inventory = coupon.New(b.store, nil), stock.New(b.shop.store, nil)
	shopTables(t, f.db)
	b.define(1_000, coupon.Rules{})
	require.NoError(t, of(b.shop.Define(t.Context(), stock.Key{SKU: 1}, 500, stock.Terms{})))
	return b
}

// with returns the coupons with a statement.
func (b checkout) with(text string, args ...any) *coupon.Coupons {
	return b.On(b.store.Along(text, args...))
}

// Every verb that names a claim, a coupon, an order or an operator's ID carries the shop's rows: once, and not where it is a
// replay or is refused.
func TestRowsGoAlongWithEachVerbOfCoupons(t *testing.T) {
	t.Parallel()
	for name, opts := range ways() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := openCheckout(t, opts)
			ctx := t.Context()
			require.NoError(t, of(b.db.ExecContext(ctx, placeOrder, "taken")))
			for i, call := range []func(c *coupon.Coupons) error{
				func(c *coupon.Coupons) error { return of(c.For("7").Claim(ctx, "a", 1)) },
				func(c *coupon.Coupons) error { return of(c.For("7").Lock(ctx, "b", 1)) },
				func(c *coupon.Coupons) error { return of(c.For("7").Pay(ctx, "b")) },
				func(c *coupon.Coupons) error { return of(c.Cancel(ctx, "unknown")) },
				func(c *coupon.Coupons) error { return of(c.Reserve(ctx, "a", "A", hundred)) },
				func(c *coupon.Coupons) error { return of(c.Redeem(ctx, "a", "A", hundred)) }, // of a reservation
				func(c *coupon.Coupons) error { return of(c.Return(ctx, "a", "A", hundred)) },
				func(c *coupon.Coupons) error { return of(c.Redeem(ctx, "a", "B", hundred)) }, // at once
				func(c *coupon.Coupons) error { return of(c.Release(ctx, "b", "C")) },         // of what was never reserved
				func(c *coupon.Coupons) error { return of(c.Refund(ctx, coupon.Refund{ID: "r", Coupon: "b"})) },
				func(c *coupon.Coupons) error { return of(c.Restock(ctx, "s", 1, 5)) },
			} {
				require.Equal(t, uint16(1062), failed(t, call(b.On(b.store.Along(note, "x").Along(placeOrder, "taken"))), 1), i)
				var affected *sqlstore.AffectedError
				require.ErrorAs(t, call(b.On(b.store.Along(markPaid, "missing").Affects(1))), &affected, i)
				require.Zero(t, b.shop.rows("shop_note WHERE about = 'x'"), i)
				require.NoError(t, call(b.with(note, fmt.Sprint("call ", i))), i)
				require.Equal(t, 1, b.shop.rows("shop_note WHERE about = ?", fmt.Sprint("call ", i)), i)
				require.NoError(t, call(b.with(note, "replay")), i)
				require.Zero(t, b.shop.rows("shop_note WHERE about = 'replay'"), i)
			}
			// A use that has lapsed is taken, and given up, by other statements than one that begins.
			b.claim("d")
			require.NoError(t, of(b.Reserve(ctx, "d", "A", hundred)))
			b.db.Wire.Advance(coupon.DefaultReserveFor)
			for i, call := range []func(c *coupon.Coupons) error{
				func(c *coupon.Coupons) error { return of(c.Reserve(ctx, "d", "A", hundred)) },
				func(c *coupon.Coupons) error {
					b.db.Wire.Advance(coupon.DefaultReserveFor)
					return of(c.Release(ctx, "d", "A"))
				},
			} {
				require.Equal(t, uint16(1062), failed(t, call(b.with(placeOrder, "taken")), 0), i)
				require.NoError(t, call(b.with(note, fmt.Sprint("lapsed ", i))), i)
				require.Equal(t, 1, b.shop.rows("shop_note WHERE about = ?", fmt.Sprint("lapsed ", i)), i)
			}
			notes := b.shop.rows("shop_note")
			for want, call := range map[error]func(c *coupon.Coupons) error{
				coupon.ErrRedeemed:        func(c *coupon.Coupons) error { return of(c.Reserve(ctx, "a", "Z", hundred)) },
				coupon.ErrReleased:        func(c *coupon.Coupons) error { return of(c.Redeem(ctx, "d", "A", hundred)) },
				coupon.ErrNotRedeemed:     func(c *coupon.Coupons) error { return of(c.Return(ctx, "d", "B", hundred)) },
				coupon.ErrUnknownCampaign: func(c *coupon.Coupons) error { return of(c.For("7").Claim(ctx, "z", 9)) },
				coupon.ErrInvalid: func(c *coupon.Coupons) error {
					return of(c.On(b.store.Along("SELECT 1")).Reserve(ctx, "d", "E", hundred))
				},
			} {
				require.ErrorIs(t, call(b.with(note, "refused")), want)
				require.ErrorIs(t, call(b.with(placeOrder, "taken")), want)
			}
			require.NoError(t, of(b.with(note, "issue").Issue(ctx, coupon.Batch{ID: "i", Campaign: 1, Buyers: []string{"1"}})))
			require.Equal(t, notes, b.shop.rows("shop_note"))
			require.Empty(t, must(b.Audit(ctx))(t).Drifts)
		})
	}
}

// In the caller's transaction the rows share its fate, and a refusal undoes them.
func TestRowsWithCouponsInTheCallersTransaction(t *testing.T) {
	t.Parallel()
	b := openCheckout(t, nil)
	ctx := t.Context()
	b.claim("a")
	b.claim("b")
	require.NoError(t, of(b.db.ExecContext(ctx, placeOrder, "taken")))
	tx := must(b.db.BeginTx(ctx, nil))(t)
	own := must(must(tx.ExecContext(ctx, note, "mine"))(t).LastInsertId())(t)
	in := b.store.WithTx(tx)
	require.NoError(t, of(b.On(in.Along(note, "reserved")).Reserve(ctx, "a", "A", hundred)))
	require.Equal(t, uint16(1062), failed(t, of(b.On(in.Along(note, "x").Along(placeOrder, "taken")).Redeem(ctx, "a", "A", hundred)), 1))
	require.NoError(t, of(b.On(in.Along(note, "redeemed")).Redeem(ctx, "a", "A", hundred)))
	require.ErrorIs(t, of(b.On(in.Along(note, "x")).Reserve(ctx, "a", "B", hundred)), coupon.ErrRedeemed)
	require.NoError(t, of(b.On(b.store.Along(note, "released").WithTx(tx)).Release(ctx, "b", "B")))
	require.NoError(t, of(b.On(in.Along(note, "claimed")).For("8").Claim(ctx, "c", 1)))
	var id int64
	require.NoError(t, tx.QueryRowContext(ctx, "SELECT LAST_INSERT_ID()").Scan(&id))
	require.Equal(t, own, id)
	require.NoError(t, tx.Commit())
	require.Equal(t, 5, b.shop.rows("shop_note WHERE about <> 'x'"))
	require.Equal(t, 5, b.shop.rows("shop_note"))
	b.balanced(1, 3)
}

// Of claims that share a batch, one whose row fails is refused alone.
func TestRowOfOneClaimFailsAlone(t *testing.T) {
	t.Parallel()
	b := openCheckout(t, nil)
	ctx := t.Context()
	require.NoError(t, of(b.db.ExecContext(ctx, placeOrder, "claim-7")))
	const people = 30
	errs := b.behindOne(b.blockCampaign(1), people, func(i int) error {
		id := fmt.Sprint("claim-", i)
		return of(b.with(placeOrder, id).For(id).Claim(ctx, id, 1))
	})
	for i, err := range errs {
		if i == 7 {
			require.Equal(t, uint16(1062), failed(t, err, 0))
		} else {
			require.NoError(t, err, i)
		}
	}
	require.Equal(t, people, b.shop.rows("shop_order"))
	b.balanced(1, people-1)
}

// Order row, stock and coupon go together, in shared transactions; a refusal of one of them is that of the order, and of no other.
func TestOrderRowStockAndCouponGoTogether(t *testing.T) {
	t.Parallel()
	const orders = 60
	b := openCheckout(t, nil)
	ctx := t.Context()
	uses := make([]coupon.UseRequest, orders)
	for i := range uses {
		id := fmt.Sprint("c", i)
		b.claim(id)
		uses[i] = must(b.Reserving(ctx, id, fmt.Sprint("order-", i), hundred))(t)
	}
	require.NoError(t, of(b.db.ExecContext(ctx, placeOrder, "order-7")))
	require.NoError(t, of(b.Reserve(ctx, "c8", "another", hundred)))
	require.NoError(t, of(b.Release(ctx, "c9", "order-9")))
	uses[10].Coupon = "c11" // two orders for one
	b.db.Wire.Statements()
	along := func(i int, text string) *stock.Inventory {
		return b.shop.On(b.shop.store.Along(text, uses[i].Order))
	}
	errs := b.behindOne(b.shop.blockItem(1), orders, func(i int) error {
		return of(along(i, placeOrder).With(uses[i]).Lock(ctx, uses[i].Order, one(1)))
	})
	placed := 0
	for i, err := range errs {
		switch {
		case i == 7:
			require.Equal(t, uint16(1062), failed(t, err, 0))
		case i == 8:
			require.ErrorIs(t, err, coupon.ErrReserved)
		case i == 9:
			require.ErrorIs(t, err, coupon.ErrReleased)
		case err != nil && (i == 10 || i == 11):
			require.ErrorIs(t, err, coupon.ErrReserved)
		default:
			require.NoError(t, err, i)
			placed++
		}
	}
	require.Equal(t, orders-4, placed)
	sent := strings.Join(b.db.Wire.Statements(), "\n")
	require.Less(t, strings.Count(sent, "COMMIT AND"), orders/2, "transactions")
	require.Less(t, strings.Count(sent, "INSERT INTO coupon_use"), orders/2, "INSERTs of uses")
	require.Equal(t, placed+1, b.shop.rows("shop_order"))
	require.Equal(t, placed+1, b.shop.rows("coupon_use WHERE STATE = 1"))
	b.shop.counters(1, 0, int64(placed), 500)

	paying := make([]coupon.UseRequest, 6)
	for i := range paying {
		paying[i] = must(b.Redeeming(ctx, uses[i].Coupon, uses[i].Order, hundred))(t)
	}
	errs = b.behindOne(b.shop.blockItem(1), len(paying), func(i int) error {
		return of(b.shop.On(b.shop.store.Along(markPaid, uses[i].Order).Affects(1)).With(paying[i]).Pay(ctx, uses[i].Order))
	})
	require.Equal(t, 6, count(errs, nil), "%v", errs)
	require.Equal(t, 6, b.shop.rows("coupon_use WHERE STATE = 2"))
	require.Equal(t, 6, b.shop.rows("shop_order WHERE status = 'paid'"))
	b.shop.counters(1, 6, int64(placed-6), 494)
	b.balanced(1, orders)
}

// Whatever becomes of the COMMIT, stock and coupon share it, and the same call settles it.
func TestStockAndCouponShareALostCommit(t *testing.T) {
	t.Parallel()
	for name, opts := range ways() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := openCheckout(t, opts)
			ctx := t.Context()
			for order, kind := range map[string]sqltest.FaultKind{"request": sqltest.LostRequest, "reply": sqltest.LostReply} {
				b.claim(order)
				lock := func() (stock.Hold, error) {
					use := must(b.Reserving(ctx, order, order, hundred))(t)
					return b.shop.On(b.shop.store.Along(placeOrder, order)).With(use).Lock(ctx, order, one(1))
				}
				b.db.Wire.Inject(sqltest.Fault{Match: "COMMIT AND", Kind: kind})
				require.ErrorIs(t, of(lock()), stock.ErrUnknown)
				require.Equal(t, kind == sqltest.LostReply, must(lock())(t).Replay)
				require.Equal(t, order, must(b.Coupon(ctx, order))(t).Order)
			}
			require.Equal(t, 2, b.shop.rows("shop_order"))
			b.shop.counters(1, 0, 2, 500)
			b.balanced(1, 2)
		})
	}
}

// Orders that want the same coupons in opposite order, beside calls for the coupons alone, show nobody a deadlock.
func TestUsesBesideGoodsMeetNoDeadlock(t *testing.T) {
	t.Parallel()
	b := openCheckout(t, nil)
	ctx := context.Background()
	other, _ := b.process(&alone)
	goods := []*stock.Inventory{b.shop.Inventory, stock.New(sqlstore.NewStock(b.another().DB, &alone), nil)}
	for round := range 5 {
		id := func(i int) string { return fmt.Sprint("coupon-", round, "-", i) }
		for i := range 2 {
			b.claim(id(i))
		}
		errs := byTurns(24, goods, func(inv *stock.Inventory, i int) error {
			order := fmt.Sprint("order-", round, "-", i)
			if i%6 > 3 {
				_, err := other.Redeem(ctx, id(i%2), order, hundred)
				return err
			}
			first, err := b.Reserving(ctx, id(i%2), order, hundred)
			if err != nil {
				return err
			}
			second, err := b.Reserving(ctx, id(1-i%2), order, hundred)
			if err != nil {
				return err
			}
			return of(inv.With(first, second).Lock(ctx, order, one(1)))
		})
		for _, err := range errs {
			require.False(t, coupon.Retryable(err), "%v", err)
		}
	}
	b.balanced(1, 10)
}

// A batch has more uses than one statement inserts, and the last of them is there already, of a reservation that has lapsed. Each coupon is
// reserved once.
func TestManyUsesOfABatchAreReservedThoughOneIsThere(t *testing.T) {
	t.Parallel()
	b := openCheckout(t, nil)
	ctx := t.Context()
	const orders = 480 // 960 uses
	require.NoError(t, of(b.Restock(ctx, "in", 1, 2*orders)))
	id := func(i int) string { return fmt.Sprintf("coupon-%04d", i) }
	for _, err := range suite.Together(2*orders, func(i int) error { return of(b.For("7").Claim(ctx, id(i), 1)) }) {
		require.NoError(t, err)
	}
	last, order := id(2*orders-1), fmt.Sprint("order-", orders-1)
	require.NoError(t, of(b.Reserve(ctx, last, order, hundred)))
	b.db.Wire.Advance(coupon.DefaultReserveFor)
	require.NoError(t, of(b.Reserve(ctx, last, "another", hundred)))
	require.NoError(t, of(b.Release(ctx, last, "another")))

	release := b.shop.blockItem(1)
	errs := b.shop.behindOne(release, orders, func(i int) error {
		inv := b.shop.Inventory
		for _, c := range []string{id(2 * i), id(2*i + 1)} {
			use, err := b.Reserving(ctx, c, fmt.Sprint("order-", i), hundred)
			if err != nil {
				return err
			}
			inv = inv.With(use)
		}
		return of(inv.Lock(ctx, fmt.Sprint("order-", i), one(1)))
	})
	require.Empty(t, slices.DeleteFunc(errs, func(err error) bool { return err == nil }))
	for i, err := range suite.Crowd(2*orders, 12, func(i int) error { return of(b.Reserve(ctx, id(i), "thief", hundred)) }) {
		require.ErrorIs(t, err, coupon.ErrReserved, id(i))
	}
}

// A call beside goods goes by a moment before it had the coupon. When it has it, the reservation of its order may have lapsed, and the
// coupon may be another order's: it is never two orders'.
func TestUseBesideGoodsThatWaitedFindsTheCouponTaken(t *testing.T) {
	t.Parallel()
	type call = func(c *coupon.Coupons, inv *stock.Inventory) error
	with := func(ask func(c *coupon.Coupons) (coupon.UseRequest, error), do func(inv *stock.Inventory) error) call {
		return func(c *coupon.Coupons, inv *stock.Inventory) error {
			use, err := ask(c)
			if err != nil {
				return err
			}
			return do(inv.With(use))
		}
	}
	ctx := t.Context()
	reserving := func(c *coupon.Coupons) (coupon.UseRequest, error) { return c.Reserving(ctx, "a", "early", hundred) }
	redeeming := func(c *coupon.Coupons) (coupon.UseRequest, error) { return c.Redeeming(ctx, "a", "early", hundred) }
	releasing := func(c *coupon.Coupons) (coupon.UseRequest, error) { return c.Releasing(ctx, "a", "early") }
	lock := func(inv *stock.Inventory) error { return of(inv.Lock(ctx, "early", one(1))) }
	for name, tc := range map[string]struct {
		placed bool // the goods are locked before
		call   call
		why    error
	}{
		"Lock":   {false, with(reserving, lock), coupon.ErrReserved},
		"Take":   {false, with(redeeming, func(inv *stock.Inventory) error { return of(inv.Take(ctx, "early", one(1))) }), coupon.ErrReserved},
		"Pay":    {true, with(redeeming, func(inv *stock.Inventory) error { return of(inv.Pay(ctx, "early")) }), coupon.ErrReserved},
		"Cancel": {true, with(releasing, func(inv *stock.Inventory) error { return of(inv.Cancel(ctx, "early")) }), nil},
	} {
		for way, opts := range ways() {
			t.Run(name+way, func(t *testing.T) {
				t.Parallel()
				b := openCheckout(t, opts)
				b.claim("a")
				require.NoError(t, of(b.Reserve(ctx, "a", "early", hundred)))
				pool := b.another() // whose clock stands before the reservation lapses
				store := sqlstore.NewStock(pool.DB, opts)
				if opts == nil {
					sqlstore.OneByOne(store)
				}
				early := stock.New(store, nil)
				if tc.placed {
					require.NoError(t, lock(early))
				}
				pool.Wire.Before("FROM coupon_wallet w", func() {
					b.db.Wire.Advance(coupon.DefaultReserveFor)
					if err := of(b.Reserve(ctx, "a", "late", hundred)); err != nil {
						t.Error(err)
					}
				})
				require.ErrorIs(t, tc.call(b.Coupons, early), tc.why)
				require.NoError(t, of(b.Redeem(ctx, "a", "late", hundred)), "the later order still has it")
				b.balanced(1, 1)
			})
		}
	}
}

// A coupon that does not exist refuses the call that names it, whatever the verb, and no other call of its batch.
func TestUnknownCouponBesideGoods(t *testing.T) {
	t.Parallel()
	b := openCheckout(t, nil)
	ctx := t.Context()
	const orders = 6
	order := func(i int) string { return fmt.Sprint("order-", i) }
	using := func(i int, verb string) *stock.Inventory {
		id := order(i)
		use := must(map[string]func() (coupon.UseRequest, error){
			"Pay":    func() (coupon.UseRequest, error) { return b.Redeeming(ctx, id, id, hundred) },
			"Cancel": func() (coupon.UseRequest, error) { return b.Releasing(ctx, id, id) },
			"Refund": func() (coupon.UseRequest, error) { return b.Returning(ctx, id, id, hundred) },
		}[verb]())(t)
		if i%2 == 1 {
			use.Coupon = "nobody"
		}
		return b.shop.With(use)
	}
	for i := range orders {
		b.claim(order(i))
		require.NoError(t, of(b.shop.Lock(ctx, order(i), one(1))))
		require.NoError(t, of(b.Reserve(ctx, order(i), order(i), hundred)))
	}
	for verb, call := range map[string]func(inv *stock.Inventory, i int) error{
		"Pay":    func(inv *stock.Inventory, i int) error { return of(inv.Pay(ctx, order(i))) },
		"Cancel": func(inv *stock.Inventory, i int) error { return of(inv.Cancel(ctx, order(i))) },
	} {
		first := 0 // of those that this verb has
		if verb == "Cancel" {
			first = orders / 2
		}
		errs := b.behindOne(b.shop.blockItem(1), orders/2, func(i int) error { return call(using(first+i, verb), first+i) })
		for i, err := range errs {
			if (first+i)%2 == 1 {
				require.ErrorIs(t, err, coupon.ErrNotFound, verb)
			} else {
				require.NoError(t, err, verb)
			}
		}
	}
	require.NoError(t, of(b.shop.Pay(ctx, order(1))))
	require.NoError(t, of(b.Redeem(ctx, order(1), order(1), hundred)))
	require.ErrorIs(t, of(using(1, "Refund").Refund(ctx, stock.Refund{ID: "r", Order: order(1)})), coupon.ErrNotFound)
	b.balanced(1, orders)
}
