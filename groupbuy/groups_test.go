package groupbuy

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
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
func newMarket(t *testing.T, opts Options) *market {
	t.Helper()
	clock := &suite.Clock{From: noon}
	m := &market{t: t, clock: clock, store: &Memory{Clock: clock.Now}}
	opts.Hook = func(_ context.Context, e Effect) { m.told = append(m.told, e) }
	m.Groups = New(m.store, &opts)
	_, err := m.pools().Define(t.Context(), stock.Key{SKU: onMarket.SKU}, 100, stock.Terms{})
	require.NoError(t, err)
	_, err = m.Define(t.Context(), fair())
	require.NoError(t, err)
	return m
}

// offering is a market that offers 30 of the product, in teams of so many.
func offering(t *testing.T, people int64) *market {
	t.Helper()
	m := newMarket(t, Options{})
	_, err := m.Offer(t.Context(), tea(people), 30)
	require.NoError(t, err)
	return m
}

// buys opens a team with the first order, joins it with the others, and returns its code. Buyers are numbered.
func (m *market) buys(orders ...string) string {
	m.t.Helper()
	var code string
	for i, order := range orders {
		purchase := Purchase{Order: order, Buyer: fmt.Sprint(int64(i) + 1), Product: onMarket, Volume: amount("1")}
		var seat Seat
		var err error
		if i == 0 {
			seat, err = m.Open(m.t.Context(), purchase)
		} else {
			seat, err = m.Join(m.t.Context(), code, purchase)
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
	items, _, err := m.store.Units(Along{}).Items(m.t.Context(), "", []stock.Key{{SKU: onMarket.SKU}, onMarket})
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

// untouchable is a store that nothing may ask.
type untouchable struct{ Store }

// operations calls everything an operator can, with arguments that are fine.
func operations(ctx context.Context, g *Groups) map[string]error {
	errs := map[string]error{}
	_, errs["Define"] = g.Define(ctx, fair())
	_, errs["End"] = g.End(ctx, 7)
	_, errs["Offer"] = g.Offer(ctx, tea(3), 30)
	_, errs["Revise"] = g.Revise(ctx, tea(3))
	errs["AddStock"] = g.AddStock(ctx, "more", onMarket, 1)
	errs["WithdrawStock"] = g.WithdrawStock(ctx, "less", onMarket, 1)
	_, errs["Remove"] = g.Remove(ctx, onMarket)
	_, errs["Form"] = g.Form(ctx, "T", Decision{Actor: "ann", Reason: "nice"})
	_, errs["Fail"] = g.Fail(ctx, "T", Decision{Actor: "ann", Reason: "nice"})
	_, errs["Expire"] = g.Expire(ctx)
	errs["Run"] = g.Run(ctx, nil)
	_, errs["Audit"] = g.Audit(ctx)
	_, errs["Repair"] = g.Repair(ctx)
	return errs
}

func TestGroupsThatNewHasNotMadeRefuse(t *testing.T) {
	t.Parallel()
	var none *Groups
	fine := New(untouchable{}, nil)
	for name, g := range map[string]*Groups{
		"nil": none, "zero": {}, "without a store": New(nil, nil), "moved to no store": fine.On(nil),
		"zero and moved": (&Groups{}).On(&Memory{}), "nil and moved": none.On(&Memory{}),
		"HoldFor": New(untouchable{}, &Options{HoldFor: -1}), "HoldFor for ever": New(untouchable{}, &Options{HoldFor: stock.MaxHoldFor + 1}),
		"HoldFor of a moment": New(untouchable{}, &Options{HoldFor: time.Nanosecond}),
		"LatePay":             New(untouchable{}, &Options{LatePay: 2}), "LeaseFor": New(untouchable{}, &Options{LeaseFor: -time.Hour}),
		"RetryIn": New(untouchable{}, &Options{RetryIn: MaxRetryIn + 1}), "MaxTries": New(untouchable{}, &Options{MaxTries: -1}),
		"Sweep": New(untouchable{}, &Options{Sweep: -1}),
	} {
		for call, err := range operations(t.Context(), g) {
			require.ErrorIs(t, err, ErrInvalid, name+": "+call)
			require.False(t, Retryable(err))
		}
	}
	for call, err := range operations(nil, fine) { //nolint:staticcheck // that is the test
		require.ErrorIs(t, err, ErrInvalid, call)
	}
}

func TestOptionsAreCopiedAndHaveDefaults(t *testing.T) {
	t.Parallel()
	opts := &Options{LeaseFor: time.Hour + time.Nanosecond}
	g := New(&Memory{}, opts)
	*opts = Options{HoldFor: -1}
	require.Equal(t, stock.DefaultHoldFor, g.opts.HoldFor)
	require.Equal(t, time.Hour, g.opts.LeaseFor)
	require.Equal(t, DefaultRetryIn, g.opts.RetryIn)
	require.EqualValues(t, DefaultMaxTries, g.opts.MaxTries)
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

// TestBadInputIsRefusedBeforeAnyIO calls with one wrong argument after the other, on a store that panics when asked.
func TestBadInputIsRefusedBeforeAnyIO(t *testing.T) {
	t.Parallel()
	g := New(untouchable{}, nil)
	long := strings.Repeat("x", MaxText+1)
	activities := map[string]func(*Activity){
		"ID":                   func(a *Activity) { a.ID = 0 },
		"title":                func(a *Activity) { a.Title = long },
		"image":                func(a *Activity) { a.Image = long },
		"no formation":         func(a *Activity) { a.Formation = 0 },
		"half a minute":        func(a *Activity) { a.Formation = 30 * time.Second },
		"a minute and a half":  func(a *Activity) { a.Formation = 90 * time.Second },
		"negative formation":   func(a *Activity) { a.Formation = -time.Minute },
		"formation for ever":   func(a *Activity) { a.Formation = MaxFormation + time.Minute },
		"no end":               func(a *Activity) { a.End = time.Time{} },
		"end before the start": func(a *Activity) { a.Start = a.End.Add(time.Second) },
		"end at the start":     func(a *Activity) { a.Start = a.End.Add(999) },
		"start long ago":       func(a *Activity) { a.Start = time.Date(1969, 1, 1, 0, 0, 0, 0, time.UTC) },
		"end too late":         func(a *Activity) { a.End = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC) },
		"teams that end later": func(a *Activity) { a.End, a.Outlive = time.Date(9998, 12, 31, 23, 59, 0, 0, time.UTC), true },
	}
	for name, spoil := range activities {
		a := fair()
		spoil(&a)
		_, err := g.Define(t.Context(), a)
		require.ErrorIs(t, err, ErrInvalid, name)
	}
	products := map[string]func(*Product){
		"SKU":                   func(p *Product) { p.SKU = 0 },
		"activity":              func(p *Product) { p.Activity = 0 },
		"SPU":                   func(p *Product) { p.SPU = -1 },
		"name":                  func(p *Product) { p.Name = long },
		"specification":         func(p *Product) { p.Spec = long },
		"units per order":       func(p *Product) { p.PerOrder = -1 },
		"units per buyer":       func(p *Product) { p.PerBuyer = -1 },
		"negative places":       func(p *Product) { p.Places = -1 },
		"too many places":       func(p *Product) { p.Places = MaxPlaces + 1 },
		"negative price":        func(p *Product) { p.Price = amount("-1") },
		"price with more":       func(p *Product) { p.Price = amount("10.001") },
		"endless price":         func(p *Product) { p.Price = amount("1e2000000000") },
		"group price":           func(p *Product) { p.GroupPrice = amount("-0.01") },
		"a group that is dear":  func(p *Product) { p.GroupPrice = amount("10.01") },
		"no goal":               func(p *Product) { p.People = 0 },
		"two goals":             func(p *Product) { p.Volume = amount("2") },
		"a team of one":         func(p *Product) { p.People = 1 },
		"a negative team":       func(p *Product) { p.People = -2 },
		"a negative goal":       func(p *Product) { p.People, p.Volume = 0, amount("-2") },
		"a crowd":               func(p *Product) { p.People = MaxPeople + 1 },
		"a fine volume":         func(p *Product) { p.People, p.Volume = 0, amount("0.001") },
		"a huge volume":         func(p *Product) { p.People, p.Volume = 0, amount("1000000000000.01") },
		"units per volume":      func(p *Product) { p.UnitsPerVolume = -1 },
		"many units per volume": func(p *Product) { p.UnitsPerVolume = MaxUnits + 1 },
		"minimum people":        func(p *Product) { p.MinPeople = 4 },
		"negative minimum":      func(p *Product) { p.MinPeople = -1 },
		"minimum of the other":  func(p *Product) { p.MinVolume = amount("1") },
		"minimum volume":        func(p *Product) { p.People, p.Volume, p.MinVolume = 0, amount("2"), amount("2.01") },
		"people of a volume":    func(p *Product) { p.People, p.Volume, p.MinPeople = 0, amount("2"), 1 },
	}
	for name, spoil := range products {
		p := tea(3)
		spoil(&p)
		_, err := g.Offer(t.Context(), p, 30)
		require.ErrorIs(t, err, ErrInvalid, name)
		_, err = g.Revise(t.Context(), p)
		require.ErrorIs(t, err, ErrInvalid, name)
	}
	ctx, ann := t.Context(), Decision{Actor: "ann", Reason: "nice"}
	errs := map[string]error{
		"AddStock ID": g.AddStock(ctx, "", onMarket, 1), "AddStock long ID": g.AddStock(ctx, long, onMarket, 1),
		"AddStock key": g.AddStock(ctx, "a", stock.Key{SKU: 42}, 1), "AddStock units": g.AddStock(ctx, "a", onMarket, 0),
		"WithdrawStock ID": g.WithdrawStock(ctx, "", onMarket, 1), "WithdrawStock key": g.WithdrawStock(ctx, "a", stock.Key{Activity: 1}, 1),
		"WithdrawStock rest": g.WithdrawStock(ctx, "a", onMarket, stock.Rest),
	}
	_, errs["Offer units"] = g.Offer(ctx, tea(3), 0)
	_, errs["End"] = g.End(ctx, 0)
	_, errs["Remove"] = g.Remove(ctx, stock.Key{SKU: 42})
	_, errs["Form code"] = g.Form(ctx, " ", ann)
	_, errs["Form nobody"] = g.Form(ctx, "T", Decision{Reason: "nice"})
	_, errs["Form no reason"] = g.Form(ctx, "T", Decision{Actor: "ann"})
	_, errs["Fail actor"] = g.Fail(ctx, "T", Decision{Actor: strings.Repeat("a", 65), Reason: "nice"})
	_, errs["Fail reason"] = g.Fail(ctx, "T", Decision{Actor: "ann", Reason: long})
	_, errs["Audit"] = g.Audit(ctx, onMarket, stock.Key{SKU: 42})
	for name, err := range errs {
		require.ErrorIs(t, err, ErrInvalid, name)
	}
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
		{"1e2000000000", 1, 0},
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
