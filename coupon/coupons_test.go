package coupon_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/coupon"
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

func (stubborn) AddCodes(context.Context, int64, int64, []string) ([]int64, stock.Verdict, error) {
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
		"reserve":  func() error { _, err := stuck.Reserve(t.Context(), "0", "o", yuan("100")); return err },
		"redeem":   func() error { _, err := stuck.Redeem(t.Context(), "0", "o", yuan("100")); return err },
		"release":  func() error { _, err := stuck.Release(t.Context(), "0", "o"); return err },
		"return":   func() error { _, err := stuck.Return(t.Context(), "1", "o", yuan("100")); return err },
		"generate": func() error { _, err := stuck.Generate(t.Context(), 7, 3, nil); return err },
	} {
		var contention *stock.ContentionError
		require.ErrorAs(t, call(), &contention, name)
		require.Equal(t, name, contention.Verb)
		require.True(t, coupon.Retryable(contention))
	}
}

// forgetful is a store that cannot be read any more once something was done.
type forgetful struct {
	coupon.Store

	done bool
}

func (f *forgetful) Units() stock.Store {
	return forgetfulUnits{Store: f.Store.Units(), f: f}
}

func (f *forgetful) Coupon(ctx context.Context, id string) (coupon.Coupon, time.Time, error) {
	if f.done {
		return coupon.Coupon{}, time.Time{}, coupon.ErrUnavailable
	}
	return f.Store.Coupon(ctx, id)
}

func (f *forgetful) Use(ctx context.Context, step coupon.Step, use coupon.Use, holdFor time.Duration) (stock.Verdict, error) {
	f.done = true
	return f.Store.Use(ctx, step, use, holdFor)
}

func (f *forgetful) UseOf(ctx context.Context, c, order string) (coupon.Use, time.Time, error) {
	if f.done {
		return coupon.Use{}, time.Time{}, coupon.ErrUnavailable
	}
	return f.Store.UseOf(ctx, c, order)
}

type forgetfulUnits struct {
	stock.Store

	f *forgetful
}

func (u forgetfulUnits) Move(ctx context.Context, move stock.Movement) (stock.MoveResult, error) {
	u.f.done = true
	return u.Store.Move(ctx, move)
}

func (u forgetfulUnits) Refund(
	ctx context.Context, refund stock.RefundRecord, hold stock.Hold, beside ...stock.Companion,
) (stock.RefundResult, error) {
	u.f.done = true
	return u.Store.Refund(ctx, refund, hold, beside...)
}

// TestWhatWasDoneAndNotReadBackIsUnknown does not let the error of a look claim that nothing was done.
func TestWhatWasDoneAndNotReadBackIsUnknown(t *testing.T) {
	t.Parallel()
	store := &forgetful{Store: new(coupon.Memory)}
	shop := coupon.New(store, nil).For("1")
	_, err := shop.Define(t.Context(), 7, 10, coupon.Rules{}, amountOff("20", "0"))
	require.NoError(t, err)
	_, err = shop.Lock(t.Context(), "c", 7)
	require.NoError(t, err)
	for _, call := range []func() (string, error){
		func() (string, error) { c, err := shop.Pay(t.Context(), "c"); return c.ID, err },
		func() (string, error) { u, err := shop.Redeem(t.Context(), "c", "o", yuan("50")); return u.Coupon, err },
		func() (string, error) { u, err := shop.Return(t.Context(), "c", "o", yuan("30")); return u.Coupon, err },
		func() (string, error) {
			c, err := shop.Refund(t.Context(), coupon.Refund{ID: "r", Coupon: "c"})
			return c.ID, err
		},
	} {
		store.done = false
		_, err := call()
		require.ErrorIs(t, err, coupon.ErrUnknown)
		require.NotErrorIs(t, err, coupon.ErrUnavailable)
		require.True(t, coupon.Retryable(err))
	}
	store.done = false
	c, err := shop.Coupon(t.Context(), "c")
	require.NoError(t, err)
	require.Equal(t, coupon.Refunded, c.State)
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
	ann := shop.For("1")
	unit := func(step stock.Step, id string, state coupon.State, num int64) coupon.Effect {
		return coupon.Effect{Units: step, Coupon: id, State: state, Campaign: 7, Num: num}
	}
	use := func(step coupon.Step, id string, state coupon.State) coupon.Effect {
		return coupon.Effect{Use: step, Coupon: id, State: state, Order: "o"}
	}
	refund := func(step stock.Step, id string, state coupon.State, number string) coupon.Effect {
		e := unit(step, id, state, 1)
		e.ID = number
		return e
	}
	for _, c := range []struct {
		do   func() error
		want []coupon.Effect
	}{
		{func() error { _, err := ann.Claim(t.Context(), "c", 7); return err }, []coupon.Effect{unit(stock.StepTake, "c", coupon.Usable, 1)}},
		{func() error { _, err := ann.Lock(t.Context(), "l", 7); return err }, []coupon.Effect{unit(stock.StepLock, "l", coupon.Pending, 1)}},
		{
			func() error { _, err := ann.Pay(t.Context(), "l"); return err }, []coupon.Effect{
				{Units: stock.StepPay, Coupon: "l", State: coupon.Usable},
			},
		},
		{func() error { _, err := ann.Lock(t.Context(), "m", 7); return err }, []coupon.Effect{unit(stock.StepLock, "m", coupon.Pending, 1)}},
		{
			func() error { _, err := ann.Cancel(t.Context(), "m"); return err }, []coupon.Effect{
				{Units: stock.StepCancel, Coupon: "m", State: coupon.Dropped},
			},
		},
		{func() error { _, err := ann.Cancel(t.Context(), "tombstone"); return err }, nil},
		{
			func() error { _, err := ann.Reserve(t.Context(), "c", "o", yuan("50")); return err }, []coupon.Effect{
				use(coupon.StepReserve, "c", coupon.Reserved),
			},
		},
		{
			func() error { _, err := ann.Redeem(t.Context(), "c", "o", yuan("50")); return err }, []coupon.Effect{
				use(coupon.StepRedeem, "c", coupon.Redeemed),
			},
		},
		{
			func() error { _, err := ann.Return(t.Context(), "c", "o", yuan("30")); return err }, []coupon.Effect{
				use(coupon.StepReturn, "c", coupon.Usable),
			},
		},
		{func() error { _, err := ann.Release(t.Context(), "l", "o"); return err }, []coupon.Effect{use(coupon.StepForgo, "l", coupon.None)}},
		{
			func() error {
				_, err := ann.Refund(t.Context(), coupon.Refund{ID: "r", Coupon: "c", Restock: true})
				return err
			},
			[]coupon.Effect{refund(stock.StepRefund, "c", coupon.Refunded, "r")},
		},
		{
			func() error { _, err := shop.Revoke(t.Context(), coupon.Revocation{ID: "v", Coupon: "l"}); return err },
			[]coupon.Effect{refund(stock.StepDiscard, "l", coupon.Revoked, "v")},
		},
		{
			func() error {
				_, err := shop.Issue(t.Context(), coupon.Batch{ID: "b", Campaign: 7, Buyers: []string{"5"}})
				return err
			},
			[]coupon.Effect{refund(stock.StepTake, coupon.Batch{ID: "b"}.CouponOf("5"), coupon.Usable, "b")},
		},
		{
			func() error { return shop.Restock(t.Context(), "in", 7, 3) }, []coupon.Effect{
				{Units: stock.StepRestock, ID: "in", Campaign: 7, Num: 3},
			},
		},
		{
			func() error { return shop.Withdraw(t.Context(), "out", 7, 2) }, []coupon.Effect{
				{Units: stock.StepWithdraw, ID: "out", Campaign: 7, Num: 2},
			},
		},
		{
			func() error {
				_, err := shop.Import(t.Context(), 8, slices.Values([]string{"a", "A", "b"}))
				return err
			},
			[]coupon.Effect{{Units: stock.StepRestock, Campaign: 8, Num: 2}},
		},
		{
			func() error { _, err := shop.Generate(t.Context(), 8, 5, nil); return err },
			[]coupon.Effect{{Units: stock.StepRestock, Campaign: 8, Num: 3}},
		},
		{func() error { _, err := ann.Lock(t.Context(), "n", 7); return err }, []coupon.Effect{unit(stock.StepLock, "n", coupon.Pending, 1)}},
		{
			func() error { now = now.Add(time.Hour); _, err := shop.Expire(t.Context()); return err },
			[]coupon.Effect{{Units: stock.StepExpire, Coupon: "n", State: coupon.Dropped}},
		},
	} {
		told = nil
		for range 2 {
			require.NoError(t, c.do())
		}
		require.Equal(t, c.want, told)
	}
}

// TestIssueDropsWhatWasNotPaidFirst issues the unit of a coupon whose hold is dead, whether or not all have
// to get one.
func TestIssueDropsWhatWasNotPaidFirst(t *testing.T) {
	t.Parallel()
	for _, all := range []bool{true, false} {
		now := start
		var expired int
		shop := coupon.New(&coupon.Memory{Clock: func() time.Time { return now }}, &coupon.Options{
			Hook: func(_ context.Context, e coupon.Effect) {
				if e.Units == stock.StepExpire {
					expired++
				}
			},
		})
		_, err := shop.Define(t.Context(), 7, 1, coupon.Rules{PerBuyer: 1}, amountOff("20", "0"))
		require.NoError(t, err)
		_, err = shop.For("5").Lock(t.Context(), "l", 7)
		require.NoError(t, err)
		now = now.Add(stock.DefaultHoldFor)
		issued, err := shop.Issue(t.Context(), coupon.Batch{ID: "b", Campaign: 7, Buyers: []string{"5"}, All: all})
		require.NoError(t, err)
		require.Equal(t, coupon.IssueResult{Given: []coupon.Grant{{Buyer: "5", Coupon: coupon.Batch{ID: "b"}.CouponOf("5")}}}, issued)
		require.Equal(t, 1, expired)
	}
}

// TestALargeBatchIsIssuedInChunks gives all but the last of them a coupon, and goes on where an error ended
// it.
func TestALargeBatchIsIssuedInChunks(t *testing.T) {
	t.Parallel()
	const buyers = 1234
	store := &flaky{Store: new(coupon.Memory), failAt: 2}
	shop := coupon.New(store, nil)
	_, err := shop.Define(t.Context(), 7, buyers-1, coupon.Rules{}, amountOff("20", "0"))
	require.NoError(t, err)
	batch := coupon.Batch{ID: "b", Campaign: 7}
	for i := range int64(buyers) {
		batch.Buyers = append(batch.Buyers, fmt.Sprint(buyers-i))
	}
	issued, err := shop.Issue(t.Context(), batch)
	require.ErrorIs(t, err, coupon.ErrUnavailable)
	require.Len(t, issued.Given, 500)
	for range 2 {
		issued, err = shop.Issue(t.Context(), batch)
		require.NoError(t, err)
		require.Len(t, issued.Given, buyers-1)
		require.Equal(t, coupon.Grant{Buyer: fmt.Sprint(buyers), Coupon: batch.CouponOf(fmt.Sprint(buyers))}, issued.Given[0])
		require.Equal(t, []coupon.Grant{{Buyer: "1", Coupon: coupon.Batch{ID: "b"}.CouponOf("1"), Reason: coupon.ReasonSoldOut}}, issued.Skipped)
	}
}

// flaky is a store that fails once, at the n-th Issue.
type flaky struct {
	coupon.Store

	failAt int
}

func (f *flaky) Issue(ctx context.Context, b coupon.Batch, orders []stock.Order, holdFor time.Duration, all bool) ([]coupon.Grant, error) {
	if f.failAt--; f.failAt == 0 {
		return nil, coupon.ErrUnavailable
	}
	return f.Store.Issue(ctx, b, orders, holdFor, all)
}

// TestTwoWhoFillAPoolAtOnceFillItOnce has a second Generate run between the look of the first at the pool
// and its codes.
func TestTwoWhoFillAPoolAtOnceFillItOnce(t *testing.T) {
	t.Parallel()
	shop, store := pool(t)
	second := &interrupted{Store: store, by: func() {
		_, err := shop.Generate(t.Context(), 7, 1500, nil)
		require.NoError(t, err)
	}}
	made, err := shop.On(second).Generate(t.Context(), 7, 2000, nil)
	require.NoError(t, err)
	require.Equal(t, coupon.ImportResult{Added: 500}, made)
	campaign, err := shop.Campaign(t.Context(), 7)
	require.NoError(t, err)
	require.Equal(t, int64(2000), campaign.Codes)
	require.Equal(t, int64(2000), campaign.Left)
}

// interrupted is a store in which something happens just before the first AddCodes.
type interrupted struct {
	coupon.Store

	by func()
}

func (s *interrupted) AddCodes(ctx context.Context, campaign, have int64, codes []string) ([]int64, stock.Verdict, error) {
	if by := s.by; by != nil {
		s.by = nil
		by()
	}
	return s.Store.AddCodes(ctx, campaign, have, codes)
}

// TestAuditNamesWhatContradicts damages the books behind the back of the coupons.
func TestAuditNamesWhatContradicts(t *testing.T) {
	t.Parallel()
	shop, store := pool(t)
	_, err := shop.Generate(t.Context(), 7, 3, nil)
	require.NoError(t, err)
	claimed(t, shop, 2)
	report, err := shop.Audit(t.Context())
	require.NoError(t, err)
	require.Equal(t, coupon.Report{Campaigns: 1}, report)
	require.True(t, report.Balanced())
	// Somebody counts a coupon as not sold: the next would get a code that is handed out.
	verdict, err := store.Units().Apply(t.Context(), stock.Change{
		Kind: stock.KindRepair, ID: "damage", Entries: []stock.Entry{{Key: stock.Key{SKU: 7}, Delta: stock.Quantities{Sold: -1, Left: +1}}},
	})
	require.NoError(t, err)
	require.Equal(t, stock.Done, verdict)
	_, err = shop.For("9").Claim(t.Context(), "x", 7)
	require.ErrorIs(t, err, coupon.ErrDrift)
	_, err = shop.Issue(t.Context(), coupon.Batch{ID: "b", Campaign: 7, Buyers: []string{"9", "10"}})
	require.ErrorIs(t, err, coupon.ErrDrift)
	report, err = shop.Repair(t.Context(), 7)
	require.NoError(t, err)
	require.False(t, report.Balanced())
	require.Equal(t, 1, report.Repaired)
	require.Len(t, report.Drifts, 2)
	require.Empty(t, report.Conflicts)
	c, err := shop.For("9").Claim(t.Context(), "x", 7)
	require.NoError(t, err)
	require.Equal(t, int64(3), c.Position)
	_, err = shop.Audit(t.Context(), 8)
	require.ErrorIs(t, err, coupon.ErrUnknownCampaign)
}
