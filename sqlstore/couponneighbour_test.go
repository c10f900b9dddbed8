package sqlstore_test

import (
	"context"
	"slices"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// The campaigns of these tests: that of the transactions, one that is sold out, one with codes, and those of the neighbours, of
// which the second has codes.
const (
	ours, soldOut, withCodes = 1, 2, 3
	theirs, theirCodes       = 4, 5
)

// openArcade is a mall with the campaigns.
func openArcade(t *testing.T) *mall {
	t.Helper()
	m := openMall(t, nil)
	ctx := t.Context()
	for _, id := range []int64{ours, theirs} {
		require.NoError(t, of(m.Define(ctx, id, 10_000, coupon.Rules{}, tenOff())))
	}
	require.NoError(t, of(m.Define(ctx, soldOut, 0, coupon.Rules{}, tenOff())))
	for _, id := range []int64{withCodes, theirCodes} {
		m.pool(id)
		require.NoError(t, of(m.Generate(ctx, id, 300, nil)))
	}
	return m
}

// couponCases are all calls that may be made in a transaction, each with what it finds.
func (m *mall) couponCases() []txCase {
	in := func(call func(ctx context.Context, c *coupon.Coupons, n int) error) func(context.Context, sqlstore.Tx, int) error {
		return func(ctx context.Context, tx sqlstore.Tx, n int) error {
			if tx == nil {
				return call(ctx, m.Coupons, n)
			}
			return call(ctx, m.On(m.store.WithTx(tx)), n)
		}
	}
	type coupons = *coupon.Coupons
	id := func(n int) string { return numbered(n, own) }
	nothing := func(int) {}
	claimed := func(n int) { require.NoError(m.t, of(m.For(numbered(n, own)).Claim(m.t.Context(), id(n), ours))) }
	locked := func(n int) { require.NoError(m.t, of(m.For(numbered(n, own)).Lock(m.t.Context(), id(n), ours))) }
	reserved := func(n int) {
		claimed(n)
		require.NoError(m.t, of(m.Reserve(m.t.Context(), id(n), id(n), hundred)))
	}
	redeemed := func(n int) {
		claimed(n)
		require.NoError(m.t, of(m.Redeem(m.t.Context(), id(n), id(n), hundred)))
	}
	released := func(n int) {
		claimed(n)
		require.NoError(m.t, of(m.Release(m.t.Context(), id(n), id(n))))
	}
	refunded := func(n int) {
		claimed(n)
		require.NoError(m.t, of(m.Refund(m.t.Context(), coupon.Refund{ID: id(n), Coupon: id(n), Restock: true})))
	}
	batch := func(n int, campaign int64, all bool) coupon.Batch {
		return coupon.Batch{ID: id(n), Campaign: campaign, All: all, Buyers: []string{numbered(n, own), numbered(n, own+1)}}
	}
	issued := func(n int) { require.NoError(m.t, of(m.Issue(m.t.Context(), batch(n, ours, false)))) }
	codes := func(n int) []string { return []string{"CODE-" + id(n), "CODE-" + id(n) + "-2"} }
	imported := func(n int) { require.NoError(m.t, of(m.Import(m.t.Context(), withCodes, slices.Values(codes(n))))) }
	claim := func(campaign int64) func(ctx context.Context, c coupons, n int) error {
		return func(ctx context.Context, c coupons, n int) error {
			return of(c.For(numbered(n, own)).Claim(ctx, id(n), campaign))
		}
	}
	lock := func(ctx context.Context, c coupons, n int) error {
		return of(c.For(numbered(n, own)).Lock(ctx, id(n), ours))
	}
	pay := func(ctx context.Context, c coupons, n int) error { return of(c.Pay(ctx, id(n))) }
	cancel := func(ctx context.Context, c coupons, n int) error { return of(c.Cancel(ctx, id(n))) }
	resolve := func(ctx context.Context, c coupons, n int) error { return of(c.Resolve(ctx, id(n))) }
	read := func(ctx context.Context, c coupons, n int) error { return of(c.Coupon(ctx, id(n))) }
	reserve := func(ctx context.Context, c coupons, n int) error { return of(c.Reserve(ctx, id(n), id(n), hundred)) }
	redeem := func(ctx context.Context, c coupons, n int) error { return of(c.Redeem(ctx, id(n), id(n), hundred)) }
	release := func(ctx context.Context, c coupons, n int) error { return of(c.Release(ctx, id(n), id(n))) }
	giveBack := func(ctx context.Context, c coupons, n int) error { return of(c.Return(ctx, id(n), id(n), hundred)) }
	refund := func(ctx context.Context, c coupons, n int) error {
		return of(c.Refund(ctx, coupon.Refund{ID: id(n), Coupon: id(n), Restock: true}))
	}
	revoke := func(ctx context.Context, c coupons, n int) error {
		return of(c.Revoke(ctx, coupon.Revocation{ID: id(n), Coupon: id(n), Restock: true}))
	}
	issue := func(campaign int64, all bool) func(ctx context.Context, c coupons, n int) error {
		return func(ctx context.Context, c coupons, n int) error { return of(c.Issue(ctx, batch(n, campaign, all))) }
	}
	define := func(campaign func(n int) int64, amount int64) func(ctx context.Context, c coupons, n int) error {
		return func(ctx context.Context, c coupons, n int) error {
			terms := tenOff()
			terms.Amount = decimal.New(amount, 0)
			return of(c.Define(ctx, campaign(n), 10_000, coupon.Rules{}, terms))
		}
	}
	fresh := func(n int) int64 { return number(n, own) }
	importing := func(ctx context.Context, c coupons, n int) error {
		return of(c.Import(ctx, withCodes, slices.Values(codes(n))))
	}
	byCode := func(ctx context.Context, c coupons, n int) error { return of(c.ByCode(ctx, codes(n)[0])) }
	handedOut := func(n int) { require.NoError(m.t, of(m.For(numbered(n, own)).Claim(m.t.Context(), id(n), withCodes))) }
	return []txCase{
		{"Claim", nothing, in(claim(ours)), nil},
		{"Claim of a code", nothing, in(claim(withCodes)), nil},
		{"Claim again", claimed, in(claim(ours)), nil},
		{"Claim of another campaign", claimed, in(claim(theirs + 100)), coupon.ErrMismatch},
		{"Claim that is refused", nothing, in(claim(soldOut)), coupon.ErrSoldOut},
		{
			"Claim of an unknown campaign", nothing, in(func(ctx context.Context, c coupons, n int) error { return claim(fresh(n))(ctx, c, n) }),
			coupon.ErrUnknownCampaign,
		},
		{"Lock", nothing, in(lock), nil},
		{"Lock again", locked, in(lock), nil},
		{"Pay", locked, in(pay), nil},
		{"Pay again", claimed, in(pay), nil},
		{"Pay of an unknown claim", nothing, in(pay), coupon.ErrNotFound},
		{"Cancel", locked, in(cancel), nil},
		{"Cancel of what is paid", claimed, in(cancel), coupon.ErrPaid},
		{"Cancel of an unknown claim", nothing, in(cancel), nil},
		{"Resolve", claimed, in(resolve), nil},
		{"Resolve of an unknown claim", nothing, in(resolve), nil},
		{"Coupon", claimed, in(read), nil},
		{"Coupon of an unknown ID", nothing, in(read), coupon.ErrNotFound},
		{"ByCode", handedOut, in(func(ctx context.Context, c coupons, n int) error {
			is := must(m.Coupon(ctx, id(n)))(m.t)
			return of(c.ByCode(ctx, is.Code))
		}), nil},
		{"ByCode of one that nobody has", imported, in(byCode), coupon.ErrNotFound},
		{"ByCode of an unknown code", nothing, in(byCode), coupon.ErrNotFound},
		{"Reserve", claimed, in(reserve), nil},
		{"Reserve again", reserved, in(reserve), nil},
		{"Reserve by another order", reserved, in(func(ctx context.Context, c coupons, n int) error {
			return of(c.Reserve(ctx, id(n), numbered(n, own+1), hundred))
		}), coupon.ErrReserved},
		{"Reserve after Release", released, in(reserve), coupon.ErrReleased},
		{"Reserve of an unknown coupon", nothing, in(reserve), coupon.ErrNotFound},
		{"Redeem", claimed, in(redeem), nil},
		{"Redeem of what is reserved", reserved, in(redeem), nil},
		{"Redeem again", redeemed, in(redeem), nil},
		{"Redeem by another order", redeemed, in(func(ctx context.Context, c coupons, n int) error {
			return of(c.Redeem(ctx, id(n), numbered(n, own+1), hundred))
		}), coupon.ErrRedeemed},
		{"Release", reserved, in(release), nil},
		{"Release again", released, in(release), nil},
		{"Release of what is not reserved", claimed, in(release), nil},
		{"Release of an unknown coupon", nothing, in(release), coupon.ErrNotFound},
		{"Return", redeemed, in(giveBack), nil},
		{"Return of what is not redeemed", claimed, in(giveBack), coupon.ErrNotRedeemed},
		{"Refund", claimed, in(refund), nil},
		{"Refund again", refunded, in(refund), nil},
		{"Refund of what is redeemed", redeemed, in(refund), coupon.ErrRedeemed},
		{"Refund of an unknown coupon", nothing, in(refund), coupon.ErrNotFound},
		{"Revoke", claimed, in(revoke), nil},
		{"Issue", nothing, in(issue(ours, false)), nil},
		{"Issue again", issued, in(issue(ours, false)), nil},
		{"Issue of what is sold out", nothing, in(issue(soldOut, false)), nil},
		{"Issue to all of them or none", nothing, in(issue(soldOut, true)), coupon.ErrSoldOut},
		{"Define", nothing, in(define(fresh, 10)), nil},
		{"Define again", func(n int) { require.NoError(m.t, define(fresh, 10)(m.t.Context(), m.Coupons, n)) }, in(define(fresh, 10)), nil},
		{
			"Define with other terms", func(n int) { require.NoError(m.t, define(fresh, 10)(m.t.Context(), m.Coupons, n)) }, in(define(fresh, 11)),
			nil,
		},
		{"Campaign", nothing, in(func(ctx context.Context, c coupons, _ int) error { return of(c.Campaign(ctx, withCodes)) }), nil},
		{
			"Campaign of an unknown ID", nothing, in(func(ctx context.Context, c coupons, n int) error { return of(c.Campaign(ctx, fresh(n))) }),
			coupon.ErrUnknownCampaign,
		},
		{"Generate", nothing, in(func(ctx context.Context, c coupons, n int) error {
			return of(c.Generate(ctx, withCodes, int64(300+20*n), nil))
		}), nil},
		{"Import", nothing, in(importing), nil},
		{"Import again", imported, in(importing), nil},
		{"Import into an unknown campaign", nothing, in(func(ctx context.Context, c coupons, n int) error {
			return of(c.Import(ctx, fresh(n), slices.Values(codes(n))))
		}), coupon.ErrUnknownCampaign},
		{"Restock", nothing, in(func(ctx context.Context, c coupons, n int) error { return of(c.Restock(ctx, id(n), ours, 1)) }), nil},
		{"Withdraw", nothing, in(func(ctx context.Context, c coupons, n int) error { return of(c.Withdraw(ctx, id(n), ours, 1)) }), nil},
		{
			"Withdraw of too many", nothing, in(func(ctx context.Context, c coupons, n int) error { return of(c.Withdraw(ctx, id(n), soldOut, 1)) }),
			coupon.ErrSoldOut,
		},
		{"Wallet", claimed, in(func(ctx context.Context, c coupons, n int) error { return readAll(c.For(numbered(n, own)).Wallet(ctx)) }), nil},
		{"UsedBy", redeemed, in(func(ctx context.Context, c coupons, n int) error { return of(c.UsedBy(ctx, id(n))) }), nil},
		{"Expire", nothing, in(func(ctx context.Context, c coupons, _ int) error { return of(c.Expire(ctx)) }), nil},
	}
}

// couponNeighbours are calls of the other campaigns and of what is new.
func (m *mall) couponNeighbours() []neighbour {
	pool := elsewhere(m.t, m.db)
	c := coupon.New(sqlstore.NewCoupon(pool.DB, &sqlstore.Options{Unmerged: true}), nil)
	claims := func(place int) func(ctx context.Context, n int) error {
		return func(ctx context.Context, n int) error {
			id := numbered(n, place)
			return both(of(c.For(id).Claim(ctx, id, theirs)), of(c.For(id).Claim(ctx, id+"c", theirCodes)), of(c.For(id).Lock(ctx, id+"l", theirs)))
		}
	}
	uses := func(place int) func(ctx context.Context, n int) error {
		return func(ctx context.Context, n int) error {
			id := numbered(n, place)
			return both(of(c.Reserve(ctx, id, id, hundred)), of(c.Redeem(ctx, id, id, hundred)), of(c.Return(ctx, id, id, hundred)),
				of(c.Refund(ctx, coupon.Refund{ID: id, Coupon: id + "c"})), of(c.Cancel(ctx, id+"l")), of(c.Cancel(ctx, id+"x")))
		}
	}
	issue := func(place int) func(ctx context.Context, n int) error {
		return func(ctx context.Context, n int) error {
			return of(c.Issue(ctx, coupon.Batch{ID: numbered(n, place) + "b", Campaign: theirs, Buyers: []string{numbered(n, place) + "b"}}))
		}
	}
	define := func(place int) func(ctx context.Context, n int) error {
		return func(ctx context.Context, n int) error {
			return of(c.Define(ctx, number(n, place), 10, coupon.Rules{}, tenOff()))
		}
	}
	return []neighbour{
		{"later claims", claims(later)}, {"earlier claims", claims(earlier)},
		{"later orders", uses(later)}, {"earlier orders", uses(earlier)},
		{"a later batch", issue(later)}, {"an earlier batch", issue(earlier)},
		{"a later campaign", define(later)}, {"an earlier campaign", define(earlier)},
		{"codes", func(ctx context.Context, n int) error {
			return of(c.Import(ctx, theirCodes, slices.Values([]string{
				"CODE-" + numbered(n, earlier), "CODE-" + numbered(n, later), "CODE-" + numbered(n, own) + "-3",
			})))
		}},
	}
}

// What is done with coupons in a caller's transaction keeps nobody waiting who has other coupons, orders and campaigns. A
// campaign that does not exist is the exception: the guard looks for its row, and locks its place to those that are defined.
func TestCouponsInATransactionKeepNoOthersWaiting(t *testing.T) {
	t.Parallel()
	m := openArcade(t)
	cases := slices.DeleteFunc(m.couponCases(), func(c txCase) bool { return c.name == "Claim of an unknown campaign" })
	keepNobodyWaiting(t, m.db, cases, m.couponNeighbours())
}

// And LAST_INSERT_ID stays the caller's.
func TestCouponsInATransactionLeaveTheInsertID(t *testing.T) {
	t.Parallel()
	m := openArcade(t)
	leaveTheInsertID(t, m.db, m.couponCases())
}

// A use beside goods keeps nobody waiting either, whether it is refused or not.
func TestUsesBesideGoodsInATransactionKeepNoOthersWaiting(t *testing.T) {
	t.Parallel()
	b := openCheckout(t, &alone)
	require.NoError(t, of(b.shop.Restock(t.Context(), "more", units(1, 9000))))
	id := func(n int) string { return numbered(n, own) }
	type verb = func(ctx context.Context, inv *stock.Inventory, order string) error
	type ask = func(ctx context.Context, n int) (coupon.UseRequest, error)
	using := func(use ask, call verb) func(context.Context, sqlstore.Tx, int) error {
		return func(ctx context.Context, tx sqlstore.Tx, n int) error {
			return call(ctx, b.shop.On(b.shop.store.WithTx(tx)).With(must(use(ctx, n))(t)), id(n))
		}
	}
	lock := func(ctx context.Context, inv *stock.Inventory, order string) error {
		return of(inv.Lock(ctx, order, one(1)))
	}
	take := func(ctx context.Context, inv *stock.Inventory, order string) error {
		return of(inv.Take(ctx, order, one(1)))
	}
	pay := func(ctx context.Context, inv *stock.Inventory, order string) error { return of(inv.Pay(ctx, order)) }
	cancel := func(ctx context.Context, inv *stock.Inventory, order string) error { return of(inv.Cancel(ctx, order)) }
	// What a request asks for is read before: another order has the coupon only then.
	reserving := func(ctx context.Context, n int) (coupon.UseRequest, error) {
		return b.Reserving(ctx, id(n), id(n), hundred)
	}
	redeeming := func(ctx context.Context, n int) (coupon.UseRequest, error) {
		return b.Redeeming(ctx, id(n), id(n), hundred)
	}
	releasing := func(ctx context.Context, n int) (coupon.UseRequest, error) { return b.Releasing(ctx, id(n), id(n)) }
	taken := func(use ask) ask {
		return func(ctx context.Context, n int) (coupon.UseRequest, error) {
			r, err := use(ctx, n)
			if err == nil {
				err = of(b.Reserve(ctx, id(n), "another", hundred))
			}
			return r, err
		}
	}
	claimed := func(n int) { b.claim(id(n)) }
	placed := func(n int) {
		b.claim(id(n))
		require.NoError(t, of(b.shop.Lock(t.Context(), id(n), one(1))))
	}
	others := coupon.New(sqlstore.NewCoupon(elsewhere(t, b.db).DB, &alone), nil)
	uses := func(place int) func(ctx context.Context, n int) error {
		return func(ctx context.Context, n int) error {
			id := numbered(n, place)
			return both(of(others.For(id).Claim(ctx, id, 1)), of(others.Reserve(ctx, id, id, hundred)))
		}
	}
	keepNobodyWaiting(t, b.db, []txCase{
		{"Lock", claimed, using(reserving, lock), nil},
		{"Lock of a coupon that another has", claimed, using(taken(reserving), lock), coupon.ErrReserved},
		{"Take of a coupon that another has", claimed, using(taken(redeeming), take), coupon.ErrReserved},
		{"Pay", placed, using(redeeming, pay), nil},
		{"Pay with a coupon that another has", placed, using(taken(redeeming), pay), coupon.ErrReserved},
		{"Cancel", placed, using(releasing, cancel), nil},
	}, []neighbour{{"later uses", uses(later)}, {"earlier uses", uses(earlier)}})
}
