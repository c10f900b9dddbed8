package coupon_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// of drops what a call returns beside its error.
func of[T any](_ T, err error) error { return err }

var errTaken = errors.New("the shop's key is taken")

// keeping returns a func for OnAlong that keeps what rows say, and refuses "taken".
func keeping(kept *[]string) func(context.Context, []stock.MemoryRow) error {
	return func(_ context.Context, rows []stock.MemoryRow) error {
		for _, row := range rows {
			if row.Args[0] == "taken" {
				return errTaken
			}
		}
		for _, row := range rows {
			*kept = append(*kept, fmt.Sprint(row.Text, " ", row.Args[0]))
		}
		return nil
	}
}

// The shop's rows go along with what takes effect, and with nothing else. Their error refuses the call.
func TestMemoryAlong(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	var kept []string
	store := &coupon.Memory{OnAlong: keeping(&kept)}
	hundred := decimal.New(100, 0)
	shop := coupon.New(store, nil)
	require.NoError(t, of(shop.Define(ctx, 1, 10, coupon.Rules{}, coupon.Terms{Kind: coupon.Gift, ForDays: 1, Zone: "UTC"})))
	row := store.Along("order", "a")
	two := row.Along("item", "b")
	for i, c := range []struct {
		call func(c *coupon.Coupons) error
		want error
		rows int // that are kept for one, not for a replay
	}{
		{func(c *coupon.Coupons) error { return of(c.For("7").Claim(ctx, "a", 1)) }, nil, 1},
		{func(c *coupon.Coupons) error { return of(c.For("7").Claim(ctx, "z", 9)) }, coupon.ErrUnknownCampaign, 0},
		{func(c *coupon.Coupons) error { return of(c.For("7").Lock(ctx, "b", 1)) }, nil, 1},
		{func(c *coupon.Coupons) error { return of(c.Pay(ctx, "b")) }, nil, 1},
		{func(c *coupon.Coupons) error { return of(c.Reserve(ctx, "a", "A", hundred)) }, nil, 1},
		{func(c *coupon.Coupons) error { return of(c.Reserve(ctx, "a", "B", hundred)) }, coupon.ErrReserved, 0},
		{func(c *coupon.Coupons) error { return of(c.Redeem(ctx, "a", "A", hundred)) }, nil, 1},
		{func(c *coupon.Coupons) error { return of(c.Return(ctx, "a", "A", hundred)) }, nil, 1},
		{func(c *coupon.Coupons) error { return of(c.Release(ctx, "a", "C")) }, nil, 1},
		{func(c *coupon.Coupons) error { return of(c.Refund(ctx, coupon.Refund{ID: "r", Coupon: "b"})) }, nil, 1},
		{func(c *coupon.Coupons) error { return of(c.Restock(ctx, "s", 1, 5)) }, nil, 1},
		{func(c *coupon.Coupons) error {
			return of(c.Issue(ctx, coupon.Batch{ID: "i", Campaign: 1, Buyers: []string{"1"}}))
		}, nil, 0},
	} {
		kept = []string{}
		if want := c.want; c.rows == 0 {
			require.ErrorIs(t, c.call(shop.On(two.Along("item", "taken"))), want, i)
		} else {
			require.ErrorIs(t, c.call(shop.On(two.Along("item", "taken"))), errTaken, i)
		}
		require.Empty(t, kept, i)
		for range 2 {
			require.ErrorIs(t, c.call(shop.On(two)), c.want, i)
		}
		require.Equal(t, []string{"order a", "item b"}[:2*c.rows], kept, i)
	}
	require.NoError(t, of(shop.For("8").Claim(ctx, "c", 1)), "the store itself carries nothing")
	require.Empty(t, kept)
	report, err := shop.Audit(ctx)
	require.NoError(t, err)
	require.Empty(t, report.Drifts)
}

func TestMemoryAlongWithoutAFuncIsInvalid(t *testing.T) {
	t.Parallel()
	shop := coupon.New((&coupon.Memory{}).Along("order", "a"), nil)
	require.ErrorIs(t, of(shop.For("7").Claim(t.Context(), "a", 1)), coupon.ErrInvalid)
	require.ErrorIs(t, of(shop.Release(t.Context(), "a", "A")), coupon.ErrInvalid)
}

// A row of the goods goes along with stock and coupon, and refuses both. The clock is that of the goods.
func TestMemoryKeepsOrderRowStockAndCoupon(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	var kept []string
	clock := &suite.Clock{From: time.Date(2026, time.November, 11, 0, 0, 0, 0, time.UTC)}
	coupons := &coupon.Memory{Clock: clock.Now}
	goods := (&stock.Memory{Clock: clock.Now, OnAlong: keeping(&kept)}).With(coupons.BesideGoods())
	shop, inv := coupon.New(coupons, nil), stock.New(goods, nil)
	terms := coupon.Terms{Kind: coupon.PercentOff, Percent: decimal.New(15, 0), ForDays: 1, Zone: "UTC"}
	require.NoError(t, of(shop.Define(ctx, 1, 10, coupon.Rules{}, terms)))
	require.NoError(t, of(shop.For("7").Claim(ctx, "c", 1)))
	require.NoError(t, of(inv.Define(ctx, stock.Key{SKU: 1}, 10, stock.Terms{})))
	use, err := shop.For("7").Reserving(ctx, "c", "A", decimal.New(80, 0))
	require.NoError(t, err)
	require.Equal(t, "12", use.Discount.String())
	require.ErrorIs(t, of(inv.On(goods.Along("order", "taken")).With(use).Lock(ctx, "A", stock.Line{SKU: 1, Num: 1})), errTaken)
	is, err := shop.Coupon(ctx, "c")
	require.NoError(t, err)
	require.Equal(t, coupon.Usable, is.State)
	var told stock.Effect
	hooked := stock.New(goods.Along("order", "A"), &stock.Options{Hook: func(_ context.Context, e stock.Effect) { told = e }})
	hold, err := hooked.With(use).Lock(ctx, "A", stock.Line{SKU: 1, Num: 1})
	require.NoError(t, err)
	require.Equal(t, hold.Beside, told.Beside)
	require.Equal(t, []string{"order A"}, kept)
	is, err = shop.Coupon(ctx, "c")
	require.NoError(t, err)
	require.Equal(t, hold.Deadline, is.Deadline)
	without := stock.New(&stock.Memory{}, nil)
	require.NoError(t, of(without.Define(ctx, stock.Key{SKU: 1}, 10, stock.Terms{})))
	require.ErrorIs(t, of(without.With(use).Lock(ctx, "A", stock.Line{SKU: 1, Num: 1})), stock.ErrInvalid)
}
