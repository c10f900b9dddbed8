package coupon_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// start is when the clocks of the tests begin.
var start = time.Date(2026, time.November, 11, 0, 0, 0, 0, time.UTC)

// TestOnAndForLeaveTheReceiverAlone binds coupons to stores and buyers and uses the first ones again.
func TestOnAndForLeaveTheReceiverAlone(t *testing.T) {
	t.Parallel()
	shop := coupon.New(new(coupon.Memory), nil)
	other := shop.On(new(coupon.Memory))
	_, err := shop.Define(t.Context(), 7, 10, coupon.Rules{}, amountOff("20", "0"))
	require.NoError(t, err)
	_, err = other.Campaign(t.Context(), 7)
	require.ErrorIs(t, err, coupon.ErrUnknownCampaign)
	ann := shop.For("1")
	_, err = ann.For("2").Claim(t.Context(), "c", 7)
	require.NoError(t, err)
	_, err = ann.Coupon(t.Context(), "c")
	require.ErrorIs(t, err, coupon.ErrAnotherBuyer)
	_, err = shop.Claim(t.Context(), "d", 7)
	require.ErrorIs(t, err, coupon.ErrInvalid, "nobody is named")
	c, err := shop.Coupon(t.Context(), "c")
	require.NoError(t, err)
	require.Equal(t, "2", c.Buyer)
}

// stubborn is a store whose uses are refused although nothing speaks against them, as if others were always
// faster.
type stubborn struct{ coupon.Store }

func (stubborn) Use(context.Context, coupon.Step, coupon.Use, time.Duration) (stock.Verdict, error) {
	return stock.Refused, nil
}

func (stubborn) AddCodes(context.Context, int64, int64, []string, string, string) ([]int64, stock.Verdict, error) {
	return nil, stock.Refused, nil
}

// TestContentionIsNotForever ends each loop that looks for the reason of a refusal.
func TestContentionIsNotForever(t *testing.T) {
	t.Parallel()
	shop, store := pool(t)
	_, err := shop.Generate(t.Context(), 7, 2, nil)
	require.NoError(t, err)
	claimed(t, shop, 2)
	_, err = shop.Redeem(t.Context(), "1", "o", yuan("100"))
	require.NoError(t, err)
	stuck := shop.On(stubborn{store})
	for name, call := range map[string]func() error{
		"reserve":  func() error { return suite.Err(stuck.Reserve(t.Context(), "0", "o", yuan("100"))) },
		"redeem":   func() error { return suite.Err(stuck.Redeem(t.Context(), "0", "o", yuan("100"))) },
		"release":  func() error { return suite.Err(stuck.Release(t.Context(), "0", "o")) },
		"return":   func() error { return suite.Err(stuck.Return(t.Context(), "1", "o", yuan("100"))) },
		"generate": func() error { return suite.Err(stuck.Generate(t.Context(), 7, 3, nil)) },
	} {
		var contention *stock.ContentionError
		require.ErrorAs(t, call(), &contention, name)
		require.Equal(t, name, contention.Verb)
		require.True(t, coupon.Retryable(contention))
	}
}

// TestTheHookIsToldOfEachEffectOnce makes every step, and each of them twice.
func TestTheHookIsToldOfEachEffectOnce(t *testing.T) {
	t.Parallel()
	now := start
	var told []coupon.Effect
	shop := coupon.New(&coupon.Memory{Clock: func() time.Time { return now }}, &coupon.Options{
		Hook: func(_ context.Context, e coupon.Effect) { told = append(told, e) },
	})
	plain, codes := amountOff("20", "0"), amountOff("20", "0")
	codes.Pool = true
	_, err := shop.Define(t.Context(), 7, 10, coupon.Rules{}, plain)
	require.NoError(t, err)
	_, err = shop.Define(t.Context(), 8, 0, coupon.Rules{}, codes)
	require.NoError(t, err)
	ctx, ann, fifty := t.Context(), shop.For("1"), yuan("50")
	only := func(e coupon.Effect) []coupon.Effect { return []coupon.Effect{e} }
	unit := func(step stock.Step, id string, state coupon.State, number string) []coupon.Effect {
		return only(coupon.Effect{Units: step, Coupon: id, State: state, Campaign: 7, Num: 1, ID: number})
	}
	moved := func(step stock.Step, id string, state coupon.State) []coupon.Effect {
		return only(coupon.Effect{Units: step, Coupon: id, State: state})
	}
	use := func(step coupon.Step, id string, state coupon.State) []coupon.Effect {
		return only(coupon.Effect{Use: step, Coupon: id, State: state, Order: "o"})
	}
	more := func(step stock.Step, id string, campaign, num int64) []coupon.Effect {
		return only(coupon.Effect{Units: step, ID: id, Campaign: campaign, Num: num})
	}
	batch := coupon.Batch{ID: "b", Campaign: 7, Buyers: []string{"5"}}
	for _, c := range []struct {
		do   func() error
		want []coupon.Effect
	}{
		{func() error { return suite.Err(ann.Claim(ctx, "c", 7)) }, unit(stock.StepTake, "c", coupon.Usable, "")},
		{func() error { return suite.Err(ann.Lock(ctx, "l", 7)) }, unit(stock.StepLock, "l", coupon.Pending, "")},
		{func() error { return suite.Err(ann.Pay(ctx, "l")) }, moved(stock.StepPay, "l", coupon.Usable)},
		{func() error { return suite.Err(ann.Lock(ctx, "m", 7)) }, unit(stock.StepLock, "m", coupon.Pending, "")},
		{func() error { return suite.Err(ann.Cancel(ctx, "m")) }, moved(stock.StepCancel, "m", coupon.Dropped)},
		{func() error { return suite.Err(ann.Cancel(ctx, "tombstone")) }, nil},
		{func() error { return suite.Err(ann.Reserve(ctx, "c", "o", fifty)) }, use(coupon.StepReserve, "c", coupon.Reserved)},
		{func() error { return suite.Err(ann.Redeem(ctx, "c", "o", fifty)) }, use(coupon.StepRedeem, "c", coupon.Redeemed)},
		{func() error { return suite.Err(ann.Return(ctx, "c", "o", fifty)) }, use(coupon.StepReturn, "c", coupon.Usable)},
		{func() error { return suite.Err(ann.Release(ctx, "l", "o")) }, use(coupon.StepForgo, "l", coupon.None)},
		{func() error {
			return suite.Err(ann.Refund(ctx, coupon.Refund{ID: "r", Coupon: "c", Restock: true}))
		}, unit(stock.StepRefund, "c", coupon.Refunded, "r")},
		{func() error {
			return suite.Err(shop.Revoke(ctx, coupon.Revocation{ID: "v", Coupon: "l"}))
		}, unit(stock.StepDiscard, "l", coupon.Revoked, "v")},
		{func() error { return suite.Err(shop.Issue(ctx, batch)) }, unit(stock.StepTake, batch.CouponOf("5"), coupon.Usable, "b")},
		{func() error { return suite.Err(shop.Restock(ctx, "in", 7, 3)) }, more(stock.StepRestock, "in", 7, 3)},
		{func() error { return suite.Err(shop.Withdraw(ctx, "out", 7, 2)) }, more(stock.StepWithdraw, "out", 7, 2)},
		{func() error {
			return suite.Err(shop.Import(ctx, 8, slices.Values([]string{"a", "A", "b"})))
		}, more(stock.StepRestock, "", 8, 2)},
		{func() error { return suite.Err(shop.Generate(ctx, 8, 5, nil)) }, more(stock.StepRestock, "", 8, 3)},
		{func() error { return suite.Err(ann.Lock(ctx, "n", 7)) }, unit(stock.StepLock, "n", coupon.Pending, "")},
		{func() error { now = now.Add(time.Hour); return suite.Err(shop.Expire(ctx)) }, moved(stock.StepExpire, "n", coupon.Dropped)},
	} {
		told = nil
		for range 2 {
			require.NoError(t, c.do())
		}
		require.Equal(t, c.want, told)
	}
}
