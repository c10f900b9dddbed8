package sqlstore_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/eventtest"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// mallOfTellers is coupons whose store tells everything, beside goods that do.
type mallOfTellers struct {
	*coupon.Coupons
	t       testing.TB
	inv     *stock.Inventory
	events  *event.Events
	advance func(time.Duration)
}

// everyTellingMall runs a test in memory and on the tables.
func everyTellingMall(t *testing.T, test func(m *mallOfTellers)) {
	t.Helper()
	t.Run("Memory", func(t *testing.T) {
		t.Parallel()
		now, advance := ticking()
		events := &event.Memory{Clock: now}
		store := &coupon.Memory{Clock: now, Events: events, Tell: eventtest.All()}
		test(&mallOfTellers{
			t: t, Coupons: coupon.New(store, nil), inv: stock.New((&stock.Memory{Clock: now}).With(store.BesideGoods()), nil),
			events: event.New(events, nil), advance: advance,
		})
	})
	t.Run("Tables", func(t *testing.T) {
		t.Parallel()
		f := frozen(t, defaults, stockTables, couponTables, couponLists)
		tell := &sqlstore.Options{Tell: []event.Kind{event.CouponExpiring, event.CouponExpired, event.CouponReturned}}
		test(&mallOfTellers{
			t: t, Coupons: coupon.New(sqlstore.NewCoupon(f.db.DB, tell), nil), inv: stock.New(sqlstore.NewStock(f.db.DB, tell), nil),
			events: event.New(sqlstore.NewEvents(f.db.DB, nil), nil), advance: f.db.Wire.Advance,
		})
	})
}

// tells demands what is told of coupons since, whatever the order of the coupons. Three processes sweep at once before.
func (m *mallOfTellers) tells(want ...string) {
	m.t.Helper()
	for _, err := range suite.Together(3, func(int) error { return of(m.Expire(m.t.Context())) }) {
		require.NoError(m.t, err)
	}
	var told []string
	require.NoError(m.t, of(m.events.Deliver(m.t.Context(), func(_ context.Context, e event.Event) error {
		told = append(told, fmt.Sprint(e.Kind, " ", e.Ref, e.Order))
		require.Equal(m.t, [3]any{event.CouponQueue(e.Ref), int64(1), "7"}, [3]any{e.Queue, e.SKU, e.Buyer})
		return nil
	})))
	require.ElementsMatch(m.t, want, told)
}

func TestCouponsTellOfTheirValidityAndReturns(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	everyTellingMall(t, func(m *mallOfTellers) {
		ctx := m.t.Context()
		terms := coupon.Terms{Kind: coupon.AmountOff, Places: 2, Amount: decimal.New(10, 0), ValidUntil: start.Add(3 * day)}
		require.NoError(m.t, of(m.Define(ctx, 1, 100, coupon.Rules{}, terms)))
		require.NoError(m.t, of(m.inv.Define(ctx, stock.Key{SKU: 5}, 100, stock.Terms{})))
		for _, id := range []string{"idle", "reserved", "used", "beside", "back"} {
			require.NoError(m.t, of(m.For("7").Claim(ctx, id, 1)))
		}
		require.NoError(m.t, of(m.For("7").Lock(ctx, "pending", 1)))
		require.NoError(m.t, of(m.Redeem(ctx, "used", "o1", hundred)))
		require.NoError(m.t, of(m.Refund(ctx, coupon.Refund{ID: "r", Coupon: "back"})))
		use := must(m.Redeeming(ctx, "beside", "o2", hundred))(m.t)
		require.NoError(m.t, of(m.inv.With(use).Take(ctx, "o2", one(5))))
		m.advance(2*day - time.Microsecond)
		m.tells()
		require.NoError(m.t, of(m.Reserve(ctx, "reserved", "o3", hundred)))
		m.advance(time.Microsecond)
		m.tells("coupon expiring idle")
		m.advance(coupon.DefaultReserveFor) // the reservation has lapsed
		m.tells("coupon expiring reserved")

		for range 2 { // the second is a replay
			require.NoError(m.t, of(m.Return(ctx, "used", "o1", hundred)))
			back := must(m.Returning(ctx, "beside", "o2", hundred))(m.t)
			require.NoError(m.t, of(m.inv.With(back).Refund(ctx, stock.Refund{ID: "r2", Order: "o2", Restock: true})))
		}
		m.tells("coupon returned usedo1", "coupon returned besideo2", "coupon expiring used", "coupon expiring beside")
		require.NoError(m.t, of(m.Redeem(ctx, "idle", "o4", hundred)))
		m.advance(day)
		m.tells("coupon expired reserved", "coupon expired used", "coupon expired beside")
		m.tells()
		m.advance(coupon.ExpiredWithin)
		require.NoError(m.t, of(m.Return(ctx, "idle", "o4", hundred)))
		m.tells("coupon returned idleo4") // nobody wants to hear of its end now
	})
}
