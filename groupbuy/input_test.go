package groupbuy

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// untouchedStore is a store that must not be called: bad input is refused before any I/O.
type untouchedStore struct{ Store }

func (untouchedStore) Units() stock.Store { return struct{ stock.Store }{} }

// refusals returns groups on a store that must not be called, and the checks of what they refuse.
func refusals(t *testing.T) (*Groups, *suite.Checks) {
	t.Helper()
	return New(untouchedStore{}, nil), &suite.Checks{TB: t, Retryable: Retryable}
}

// long returns a text of so many bytes.
func long(n int) string { return strings.Repeat("x", n) }

// endless is an amount of a million digits.
var endless = decimal.New(1, 1_000_000)

// TestUnusableGroupsRefuseEveryCall: the constructor does not fail; each call does.
func TestUnusableGroupsRefuseEveryCall(t *testing.T) {
	t.Parallel()
	g, c := refusals(t)
	with := func(opts Options) *Groups { return New(untouchedStore{}, &opts) }
	c.RefusesEveryCall(nil, "no context", g, "context") //nolint:staticcheck // that is the test
	for _, broken := range []struct {
		name   string
		groups *Groups
		field  string
	}{
		{"nil", nil, "groups"},
		{"zero", new(Groups), "groups"},
		{"nil on a store", (*Groups)(nil).On(untouchedStore{}), "groups"},
		{"zero on a store", new(Groups).On(untouchedStore{}), "groups"},
		{"without a store", New(nil, nil), "store"},
		{"on nothing", g.On(nil), "store"},
		{"negative HoldFor", with(Options{HoldFor: -1}), "HoldFor"},
		{"negative HoldFor on a store", with(Options{HoldFor: -1}).On(untouchedStore{}), "HoldFor"},
		{"HoldFor of 1ns", with(Options{HoldFor: 1}), "HoldFor"},
		{"endless HoldFor", with(Options{HoldFor: stock.MaxHoldFor + 1}), "HoldFor"},
		{"unknown LatePay", with(Options{LatePay: stock.Reacquire + 1}), "LatePay"},
		{"negative Sweep", with(Options{Sweep: -1}), "Sweep"},
	} {
		c.RefusesEveryCall(t.Context(), broken.name, broken.groups, broken.field)
	}
}

// TestBadActivitiesAreRefused spoils an activity in one way after the other.
func TestBadActivitiesAreRefused(t *testing.T) {
	t.Parallel()
	g, c := refusals(t)
	year := func(y int) time.Time { return time.Date(y, 6, 1, 0, 0, 0, 0, time.UTC) }
	for name, spoil := range map[string]func(*Activity){
		"no ID":                    func(a *Activity) { a.ID = 0 },
		"a negative ID":            func(a *Activity) { a.ID = -1 },
		"an endless title":         func(a *Activity) { a.Title = long(MaxText + 1) },
		"an endless image":         func(a *Activity) { a.Image = long(MaxText + 1) },
		"no time to form":          func(a *Activity) { a.Formation = 0 },
		"less than no time":        func(a *Activity) { a.Formation = -time.Minute },
		"half a minute to form":    func(a *Activity) { a.Formation = 30 * time.Second },
		"a minute and a half":      func(a *Activity) { a.Formation = 90 * time.Second },
		"an endless time to form":  func(a *Activity) { a.Formation = MaxFormation + time.Minute },
		"no end":                   func(a *Activity) { a.End = time.Time{} },
		"an end at its start":      func(a *Activity) { a.Start, a.End = noon, noon },
		"an end before its start":  func(a *Activity) { a.Start, a.End = noon, noon.Add(-time.Microsecond) },
		"a window of a nanosecond": func(a *Activity) { a.Start, a.End = noon, noon.Add(1) },
		"a start in 1969":          func(a *Activity) { a.Start = year(1969) },
		"an end in 1969":           func(a *Activity) { a.End = year(1969) },
		"an end in 9999":           func(a *Activity) { a.End = year(9999) },
		"teams that end in 9999":   func(a *Activity) { a.End, a.Outlive = time.Date(9998, 12, 31, 23, 59, 0, 0, time.UTC), true },
	} {
		a := fair()
		spoil(&a)
		c.Invalid("Define of an activity with "+name, suite.Err(g.Define(t.Context(), a)))
	}
}

// TestBadProductsAreRefused spoils a product of teams of three in one way after the other.
func TestBadProductsAreRefused(t *testing.T) {
	t.Parallel()
	g, c := refusals(t)
	ofVolume := func(v string) Terms {
		return Terms{Places: 2, Price: amount("10"), GroupPrice: amount("8.5"), Volume: amount(v), UnitsPerVolume: 100}
	}
	for name, spoil := range map[string]func(*Product){
		"neither":                      func(p *Product) { p.People = 0 },
		"both":                         func(p *Product) { p.Volume = amount("10") },
		"one person":                   func(p *Product) { p.People = 1 },
		"negative people":              func(p *Product) { p.People = -2 },
		"fewest people":                func(p *Product) { p.People = math.MinInt64 },
		"too many people":              func(p *Product) { p.People = MaxPeople + 1 },
		"a negative volume":            func(p *Product) { p.People, p.Volume = 0, amount("-1") },
		"a volume of three places":     func(p *Product) { p.People, p.Volume = 0, amount("0.001") },
		"an endless volume":            func(p *Product) { p.People, p.Volume = 0, endless },
		"people and a bad volume":      func(p *Product) { p.Volume = amount("-1") },
		"no SKU":                       func(p *Product) { p.SKU = 0 },
		"a negative SKU":               func(p *Product) { p.SKU = math.MinInt64 },
		"no activity":                  func(p *Product) { p.Activity = 0 },
		"a negative activity":          func(p *Product) { p.Activity = -1 },
		"a negative SPU":               func(p *Product) { p.SPU = -1 },
		"an endless name":              func(p *Product) { p.Name = long(MaxText + 1) },
		"an endless specification":     func(p *Product) { p.Spec = long(MaxText + 1) },
		"negative units per order":     func(p *Product) { p.PerOrder = -1 },
		"negative units per buyer":     func(p *Product) { p.PerBuyer = -1 },
		"negative places":              func(p *Product) { p.Places = -1 },
		"nine places":                  func(p *Product) { p.Places = MaxPlaces + 1 },
		"a negative price":             func(p *Product) { p.Price = amount("-1") },
		"a negative group price":       func(p *Product) { p.GroupPrice = amount("-1") },
		"a group price above it":       func(p *Product) { p.GroupPrice = amount("10.01") },
		"a price of three places":      func(p *Product) { p.Price = amount("10.001") },
		"a group price of three":       func(p *Product) { p.GroupPrice = amount("7.905") },
		"a price of yen and a half":    func(p *Product) { p.Places, p.GroupPrice = 0, amount("8.5") },
		"an endless price":             func(p *Product) { p.Price = endless },
		"a price that overflows":       func(p *Product) { p.Price = decimal.New(math.MaxInt64, 0) },
		"negative units per volume":    func(p *Product) { p.UnitsPerVolume = -1 },
		"too many units per volume":    func(p *Product) { p.UnitsPerVolume = MaxUnits + 1 },
		"a negative minimum":           func(p *Product) { p.MinPeople = -1 },
		"a minimum above the people":   func(p *Product) { p.MinPeople = 4 },
		"a minimum volume for people":  func(p *Product) { p.MinVolume = amount("1") },
		"a minimum of people for some": func(p *Product) { p.Terms = ofVolume("10"); p.MinPeople = 2 },
		"a minimum above the volume":   func(p *Product) { p.Terms = ofVolume("10"); p.MinVolume = amount("10.01") },
		"a negative minimum volume":    func(p *Product) { p.Terms = ofVolume("10"); p.MinVolume = amount("-1") },
		"a minimum of three places":    func(p *Product) { p.Terms = ofVolume("10"); p.MinVolume = amount("0.001") },
		"a volume that is too large":   func(p *Product) { p.People, p.Volume = 0, amount("1000000000000.01") },
	} {
		p := tea(3)
		spoil(&p)
		c.Invalid("Offer of a product with "+name, suite.Err(g.Offer(t.Context(), p, 9)))
		c.Invalid("Revise of a product with "+name, suite.Err(g.Revise(t.Context(), p)))
	}
	for _, units := range []int64{0, -1, math.MinInt64, stock.Rest} {
		c.Invalid("Offer of units", suite.Err(g.Offer(t.Context(), tea(3), units)))
		c.Invalid("Restock of units", suite.Err(g.Restock(t.Context(), "c", onMarket, units)))
		c.Invalid("Withdraw of units", suite.Err(g.Withdraw(t.Context(), "c", onMarket, units)))
	}
}

// buying returns a purchase of a volume of 1.
func buying(order string) Purchase {
	return Purchase{Order: order, Product: onMarket, Volume: amount("1")}
}

// TestBadPurchasesAreRefused spoils a purchase in one way after the other.
func TestBadPurchasesAreRefused(t *testing.T) {
	t.Parallel()
	g, c := refusals(t)
	for name, spoil := range map[string]func(*Purchase){
		"no order":                   func(p *Purchase) { p.Order = "" },
		"an endless order":           func(p *Purchase) { p.Order = long(MaxOrder + 1) },
		"no product":                 func(p *Purchase) { p.Product = stock.Key{} },
		"a product of ordinary ones": func(p *Purchase) { p.Product.Activity = 0 },
		"a negative SKU":             func(p *Purchase) { p.Product.SKU = -1 },
		"no volume":                  func(p *Purchase) { p.Volume = decimal.Decimal{} },
		"a negative volume":          func(p *Purchase) { p.Volume = amount("-1") },
		"a volume of three places":   func(p *Purchase) { p.Volume = amount("1.001") },
		"an endless volume":          func(p *Purchase) { p.Volume = endless },
		"a volume by far too large":  func(p *Purchase) { p.Volume = decimal.New(1, 13) },
		"an endless name":            func(p *Purchase) { p.Name = long(MaxText + 1) },
		"an endless avatar":          func(p *Purchase) { p.Avatar = long(MaxText + 1) },
		"an endless address":         func(p *Purchase) { p.Address = long(MaxText + 1) },
		"a negative shipping fee":    func(p *Purchase) { p.ShippingFee = amount("-0.01") },
		"a negative balance":         func(p *Purchase) { p.BalanceUsed = amount("-0.01") },
		"an endless shipping fee":    func(p *Purchase) { p.ShippingFee = endless },
		"an endless balance":         func(p *Purchase) { p.BalanceUsed = endless },
	} {
		p := buying("1")
		spoil(&p)
		c.Invalid("Open with "+name, suite.Err(g.For("1").Open(t.Context(), p)))
		c.Invalid("Join with "+name, suite.Err(g.For("1").Join(t.Context(), "ABCDEFGHJK", p)))
	}
}

func TestBadBuyersAreRefused(t *testing.T) {
	t.Parallel()
	g, c := refusals(t)
	for name, groups := range map[string]*Groups{"no buyer": g, "an empty buyer": g.For(""), "an endless buyer": g.For(long(65))} {
		c.Invalid("Open with "+name, suite.Err(groups.Open(t.Context(), buying("1"))))
		c.Invalid("Join with "+name, suite.Err(groups.Join(t.Context(), "ABCDEFGHJK", buying("1"))))
		c.Invalid("Seats with "+name, suite.Err(suite.Gather(groups.Seats(t.Context()))))
	}
}

func TestBadIDsAreRefused(t *testing.T) {
	t.Parallel()
	g, c := refusals(t)
	ctx, by := t.Context(), Decision{Actor: "ann", Reason: "nice"}
	for _, id := range []string{"", " ", long(65), long(1 << 16)} {
		if id != " " { // which is an order, and no code
			c.Invalid("Restock", suite.Err(g.Restock(ctx, id, onMarket, 1)))
			c.Invalid("Withdraw", suite.Err(g.Withdraw(ctx, id, onMarket, 1)))
			c.Invalid("Pay", suite.Err(g.Pay(ctx, id)))
			c.Invalid("Cancel", suite.Err(g.Cancel(ctx, id)))
			c.Invalid("Refund", suite.Err(g.Refund(ctx, Refund{Order: id})))
			c.Invalid("Resolve", suite.Err(g.Resolve(ctx, id)))
			c.Invalid("Return", suite.Err(g.Return(ctx, id)))
			c.Invalid("Seat", suite.Err(g.Seat(ctx, id)))
		}
		c.Invalid("Join", suite.Err(g.For("1").Join(ctx, id, buying("1"))))
		c.Invalid("Form", suite.Err(g.Form(ctx, id, by)))
		c.Invalid("Fail", suite.Err(g.Fail(ctx, id, by)))
		c.Invalid("Team", suite.Err(g.Team(ctx, id)))
		c.Invalid("Members", suite.Err(suite.Gather(g.Members(ctx, id))))
	}
}

func TestBadKeysAndStatesAreRefused(t *testing.T) {
	t.Parallel()
	g, c := refusals(t)
	ctx := t.Context()
	for _, key := range []stock.Key{{SKU: 42}, {Activity: 7}, {SKU: 42, Activity: -1}, {SKU: 42, Activity: math.MinInt64}} {
		c.Invalid("Restock", suite.Err(g.Restock(ctx, "c", key, 1)))
		c.Invalid("Withdraw", suite.Err(g.Withdraw(ctx, "c", key, 1)))
		c.Invalid("Remove", suite.Err(g.Remove(ctx, key)))
		c.Invalid("Product", suite.Err(g.Product(ctx, key)))
		c.Invalid("Joinable", suite.Err(suite.Gather(g.Joinable(ctx, key))))
		c.Invalid("Audit", suite.Err(g.Audit(ctx, onMarket, key)))
		c.Invalid("Repair", suite.Err(g.Repair(ctx, onMarket, key)))
	}
	for _, id := range []int64{0, -1, math.MinInt64} {
		c.Invalid("End", suite.Err(g.End(ctx, id)))
		c.Invalid("Activity", suite.Err(g.Activity(ctx, id)))
		c.Invalid("Products", suite.Err(suite.Gather(g.Products(ctx, id))))
	}
	for _, state := range []SeatState{NoSeat, Held, Paid, Cancelled, Expired, 99} {
		c.Invalid(fmt.Sprint("Refunds in ", state), suite.Err(suite.Gather(g.Refunds(ctx, state))))
	}
	c.Invalid("Handle with nobody", g.Handle(nil)(ctx, event.Event{Kind: event.TeamFormed}))
}

func TestBadDecisionsAreRefused(t *testing.T) {
	t.Parallel()
	g, c := refusals(t)
	for name, bad := range map[string]Decision{
		"no actor":           {Reason: "why"},
		"an endless actor":   {Actor: long(65), Reason: "why"},
		"no reason":          {Actor: "ann"},
		"an endless reason":  {Actor: "ann", Reason: long(MaxText + 1)},
		"nothing":            {},
		"everything endless": {Actor: long(1 << 16), Reason: long(1 << 16)},
	} {
		c.Invalid("Form with "+name, suite.Err(g.Form(t.Context(), "ABCDEFGHJK", bad)))
		c.Invalid("Fail with "+name, suite.Err(g.Fail(t.Context(), "ABCDEFGHJK", bad)))
	}
	c.Invalid("Refund by an endless actor", suite.Err(g.Refund(t.Context(), Refund{Order: "1", Actor: long(65), Reason: "why"})))
	c.Invalid("Refund for an endless reason", suite.Err(g.Refund(t.Context(), Refund{Order: "1", Actor: "ann", Reason: long(MaxText + 1)})))
}

// TestVolumesThatAreNoWholeNumberOfUnitsAreRefused has volumes that are in order by themselves, of a product whose
// unit is a third; and money of another currency.
func TestVolumesThatAreNoWholeNumberOfUnitsAreRefused(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	thirds := tea(3)
	thirds.UnitsPerVolume = 3
	_, err := m.Offer(t.Context(), thirds, 30)
	require.NoError(t, err)
	code := m.buys("o-1")
	c := suite.Checks{TB: t, Retryable: Retryable}
	for name, spoil := range map[string]func(*Purchase){
		"half":                           func(p *Purchase) { p.Volume = amount("0.5") },
		"a hundredth":                    func(p *Purchase) { p.Volume = amount("0.01") },
		"almost a third":                 func(p *Purchase) { p.Volume = amount("0.33") },
		"almost two":                     func(p *Purchase) { p.Volume = amount("1.99") },
		"a shipping fee of a thousandth": func(p *Purchase) { p.ShippingFee = amount("0.001") },
		"a balance of a thousandth":      func(p *Purchase) { p.BalanceUsed = amount("0.001") },
	} {
		p := buying("o-2")
		spoil(&p)
		c.Invalid("Open with "+name, suite.Err(m.For("2").Open(t.Context(), p)))
		c.Invalid("Join with "+name, suite.Err(m.For("2").Join(t.Context(), code, p)))
	}
	_, err = m.Seat(t.Context(), "o-2")
	require.ErrorIs(t, err, ErrNotFound)
	m.left(70, 30, 3)
}
