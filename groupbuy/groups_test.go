package groupbuy

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// market is a shop with ordinary stock of SKU 42 and one activity.
type market struct {
	*Groups

	t     *testing.T
	clock *suite.Clock
	store *Memory
	told  []Effect
}

// onMarket is the product of the market.
var onMarket = stock.Key{SKU: 42, Activity: 7}

// noon is when these tests begin: any instant will do.
var noon = time.Date(2026, time.November, 11, 12, 0, 0, 0, time.UTC)

// fair is the activity of the market.
func fair() Activity {
	return Activity{ID: 7, Title: "fair", Formation: time.Hour, End: noon.Add(24 * time.Hour)}
}

// tea is the product, by people.
func tea(people int64) Product {
	return Product{Key: onMarket, Terms: Terms{Places: 2, Price: amount("10"), GroupPrice: amount("8.5"), People: people}}
}

// amount reads a decimal.
func amount(s string) decimal.Decimal { return decimal.RequireFromString(s) }

// newMarket returns a market with 100 units of ordinary stock and its activity.
func newMarket(t *testing.T) *market {
	t.Helper()
	clock := &suite.Clock{From: noon}
	m := &market{t: t, clock: clock, store: &Memory{Clock: clock.Now, Events: &event.Memory{Clock: clock.Now}}}
	m.Groups = New(m.store, &Options{Hook: func(_ context.Context, e Effect) { m.told = append(m.told, e) }})
	_, err := m.units.Define(t.Context(), stock.Key{SKU: onMarket.SKU}, 100, stock.Terms{})
	require.NoError(t, err)
	_, err = m.Define(t.Context(), fair())
	require.NoError(t, err)
	return m
}

// offering is a market that offers 30 of the product, in teams of so many.
func offering(t *testing.T, people int64) *market {
	t.Helper()
	m := newMarket(t)
	_, err := m.Offer(t.Context(), tea(people), 30)
	require.NoError(t, err)
	return m
}

// buys opens a team with the first order, joins it with the others, and returns its code. Buyers are numbered.
func (m *market) buys(orders ...string) string {
	m.t.Helper()
	var code string
	for i, order := range orders {
		groups := m.For(fmt.Sprint(i + 1))
		purchase := Purchase{Order: order, Product: onMarket, Volume: amount("1")}
		var seat Seat
		var err error
		if i == 0 {
			seat, err = groups.Open(m.t.Context(), purchase)
		} else {
			seat, err = groups.Join(m.t.Context(), code, purchase)
		}
		require.NoError(m.t, err)
		code = seat.Team
	}
	return code
}

// pays for orders, in time.
func (m *market) pays(orders ...string) {
	m.t.Helper()
	for _, order := range orders {
		payment, err := m.Pay(m.t.Context(), order)
		require.NoError(m.t, err)
		require.False(m.t, payment.Due)
	}
}

// units requires what is left and locked in ordinary stock and the pool.
func (m *market) left(ordinary, pool, locked int64) {
	m.t.Helper()
	items, _, err := m.store.Units().Items(m.t.Context(), "", []stock.Key{{SKU: onMarket.SKU}, onMarket})
	require.NoError(m.t, err)
	require.Equal(m.t, [3]int64{ordinary, pool, locked}, [3]int64{items[0].Left, items[1].Left, items[1].Locked})
}

// stands returns the product as it stands.
func (m *market) stands() Product {
	m.t.Helper()
	offer, _, err := m.store.Offer(m.t.Context(), onMarket)
	require.NoError(m.t, err)
	return offer.Product
}

// sound requires that an audit finds nothing.
func (m *market) sound() {
	m.t.Helper()
	report, err := m.Audit(m.t.Context())
	require.NoError(m.t, err)
	require.True(m.t, report.Balanced(), "%+v", report)
}

func TestOptionsAreCopiedAndHaveDefaults(t *testing.T) {
	t.Parallel()
	opts := &Options{HoldFor: time.Hour + time.Nanosecond}
	g := New(&Memory{}, opts)
	*opts = Options{HoldFor: -1}
	require.Equal(t, time.Hour, g.opts.HoldFor)
	require.Equal(t, stock.DefaultSweep, g.opts.Sweep)
	require.NoError(t, g.ready(t.Context()))
}

func TestOnLeavesTheReceiverAlone(t *testing.T) {
	t.Parallel()
	one, other := &Memory{}, &Memory{}
	g := New(one, &Options{HoldFor: time.Hour})
	bound := g.On(other)
	_, err := bound.Define(t.Context(), fair())
	require.NoError(t, err)
	_, err = g.End(t.Context(), 7)
	require.ErrorIs(t, err, ErrUnknownActivity)
	require.Equal(t, time.Hour, bound.opts.HoldFor)
}

func TestUnitsOfAVolume(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		volume string
		per    int64
		units  int64 // 0 is refused
	}{
		{"1", 0, 1},
		{"3.00", 1, 3},
		{"3.000000", 1, 3},
		{"0.1", 10, 1},
		{"0.25", 4, 1},
		{"1.25", 4, 5},
		{"0.25", 2, 0},
		{"0.01", 1, 0},
		{"0.01", 100, 1},
		{"0.001", 1000, 0},
		{"0", 1, 0},
		{"-1", 1, 0},
		{"1000000000000", 1, 1_000_000_000_000},
		{"1000000000000.01", 100, 0},
		{"9000000000", MaxUnits, 9_000_000_000_000_000_000},
		{"10000000000", MaxUnits, 0},
	} {
		units, err := Terms{UnitsPerVolume: c.per}.Units(amount(c.volume))
		if c.units == 0 {
			require.ErrorIs(t, err, ErrInvalid, c.volume)
			continue
		}
		require.NoError(t, err, c.volume)
		require.Equal(t, c.units, units, c.volume)
	}
}
