package groupbuytest

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func inputCases() []testCase {
	return []testCase{
		{name: "G12_PeopleOrVolumeAndNotBoth", run: peopleOrVolume},
		{name: "X4_NoContext", run: noContext},
		{name: "X4_BadActivities", run: badActivities},
		{name: "X4_BadProducts", run: badProducts},
		{name: "X4_BadPurchases", run: badPurchases},
		{name: "X4_BadIDs", run: badIDs},
		{name: "X4_BadDecisions", run: badDecisions},
		{name: "X4_BadOptions", run: badOptions},
		{name: "X4_NoHandler", run: noHandler},
		{name: "X4_AVolumeThatIsNoWholeNumberOfUnits", run: badUnits},
		{name: "X4_ContextThatEnded", run: contextThatEnded},
	}
}

// refusesTerms ends the test unless no product can be offered, or revised, with some terms.
func (s *scene) refusesTerms(bad map[string]func(*groupbuy.Product)) {
	s.Helper()
	for name, change := range bad {
		p := product(people(3))
		change(&p)
		_, err := s.silent().Offer(s.Context(), p, 9)
		s.Invalid("Offer of a product with "+name, err)
		_, err = s.silent().Revise(s.Context(), p)
		s.Invalid("Revise of a product with "+name, err)
	}
}

func peopleOrVolume(s *scene) {
	s.refusesTerms(map[string]func(*groupbuy.Product){
		"neither":                  func(p *groupbuy.Product) { p.People = 0 },
		"both":                     func(p *groupbuy.Product) { p.Volume = dec("10") },
		"one person":               func(p *groupbuy.Product) { p.People = 1 },
		"negative people":          func(p *groupbuy.Product) { p.People = -2 },
		"fewest people":            func(p *groupbuy.Product) { p.People = math.MinInt64 },
		"too many people":          func(p *groupbuy.Product) { p.People = groupbuy.MaxPeople + 1 },
		"a negative volume":        func(p *groupbuy.Product) { p.People, p.Volume = 0, dec("-1") },
		"a volume of three places": func(p *groupbuy.Product) { p.People, p.Volume = 0, dec("0.001") },
		"an endless volume":        func(p *groupbuy.Product) { p.People, p.Volume = 0, decimal.New(1, 1_000_000) },
		"people and a bad volume":  func(p *groupbuy.Product) { p.Volume = dec("-1") },
	})
	s.stocked(goods, inStock)
	s.define(s.activity())
	for sku, terms := range []groupbuy.Terms{people(2), people(groupbuy.MaxPeople), volume("0.01"), volume("1000000")} {
		p := product(terms)
		p.SKU = int64(100 + sku)
		s.stocked(p.SKU, 10)
		s.offer(p, 10)
	}
}

func noContext(s *scene) {
	for _, v := range everyVerb() {
		s.Invalid(v.name, v.call(nil, s.silent()))
	}
}

// long returns a text of so many bytes.
func long(n int) string { return strings.Repeat("x", n) }

func badActivities(s *scene) {
	now := s.now()
	year := func(y int) time.Time { return time.Date(y, 6, 1, 0, 0, 0, 0, time.UTC) }
	for name, change := range map[string]func(*groupbuy.Activity){
		"no ID":                    func(a *groupbuy.Activity) { a.ID = 0 },
		"a negative ID":            func(a *groupbuy.Activity) { a.ID = -1 },
		"an endless title":         func(a *groupbuy.Activity) { a.Title = long(groupbuy.MaxText + 1) },
		"an endless image":         func(a *groupbuy.Activity) { a.Image = long(groupbuy.MaxText + 1) },
		"no time to form":          func(a *groupbuy.Activity) { a.Formation = 0 },
		"less than no time":        func(a *groupbuy.Activity) { a.Formation = -time.Minute },
		"half a minute to form":    func(a *groupbuy.Activity) { a.Formation = 30 * time.Second },
		"a minute and a half":      func(a *groupbuy.Activity) { a.Formation = 90 * time.Second },
		"an endless time to form":  func(a *groupbuy.Activity) { a.Formation = groupbuy.MaxFormation + time.Minute },
		"no end":                   func(a *groupbuy.Activity) { a.End = time.Time{} },
		"an end at its start":      func(a *groupbuy.Activity) { a.Start, a.End = now, now },
		"an end before its start":  func(a *groupbuy.Activity) { a.Start, a.End = now, now.Add(-instant) },
		"a window of a nanosecond": func(a *groupbuy.Activity) { a.Start, a.End = now, now.Add(1) },
		"a start in 1969":          func(a *groupbuy.Activity) { a.Start = year(1969) },
		"an end in 1969":           func(a *groupbuy.Activity) { a.End = year(1969) },
		"an end in 9999":           func(a *groupbuy.Activity) { a.End = year(9999) },
	} {
		a := s.activity()
		change(&a)
		_, err := s.silent().Define(s.Context(), a)
		s.Invalid("Define of an activity with "+name, err)
	}
}

func badProducts(s *scene) {
	s.refusesTerms(map[string]func(*groupbuy.Product){
		"no SKU":                       func(p *groupbuy.Product) { p.SKU = 0 },
		"a negative SKU":               func(p *groupbuy.Product) { p.SKU = math.MinInt64 },
		"no activity":                  func(p *groupbuy.Product) { p.Activity = 0 },
		"a negative activity":          func(p *groupbuy.Product) { p.Activity = -1 },
		"a negative SPU":               func(p *groupbuy.Product) { p.SPU = -1 },
		"an endless name":              func(p *groupbuy.Product) { p.Name = long(groupbuy.MaxText + 1) },
		"an endless specification":     func(p *groupbuy.Product) { p.Spec = long(groupbuy.MaxText + 1) },
		"negative units per order":     func(p *groupbuy.Product) { p.PerOrder = -1 },
		"negative units per buyer":     func(p *groupbuy.Product) { p.PerBuyer = -1 },
		"negative places":              func(p *groupbuy.Product) { p.Places = -1 },
		"nine places":                  func(p *groupbuy.Product) { p.Places = groupbuy.MaxPlaces + 1 },
		"a negative price":             func(p *groupbuy.Product) { p.Price = dec("-1") },
		"a negative group price":       func(p *groupbuy.Product) { p.GroupPrice = dec("-1") },
		"a group price above it":       func(p *groupbuy.Product) { p.GroupPrice = dec("100.01") },
		"a price of three places":      func(p *groupbuy.Product) { p.Price = dec("100.001") },
		"a group price of three":       func(p *groupbuy.Product) { p.GroupPrice = dec("79.905") },
		"a price of yen and a half":    func(p *groupbuy.Product) { p.Places, p.GroupPrice = 0, dec("79.5") },
		"an endless price":             func(p *groupbuy.Product) { p.Price = decimal.New(1, 1_000_000) },
		"a price that overflows":       func(p *groupbuy.Product) { p.Price = decimal.New(math.MaxInt64, 0) },
		"negative units per volume":    func(p *groupbuy.Product) { p.UnitsPerVolume = -1 },
		"too many units per volume":    func(p *groupbuy.Product) { p.UnitsPerVolume = groupbuy.MaxUnits + 1 },
		"a negative minimum":           func(p *groupbuy.Product) { p.MinPeople = -1 },
		"a minimum above the people":   func(p *groupbuy.Product) { p.MinPeople = 4 },
		"a minimum volume for people":  func(p *groupbuy.Product) { p.MinVolume = dec("1") },
		"a minimum of people for some": func(p *groupbuy.Product) { p.Terms = volume("10"); p.MinPeople = 2 },
		"a minimum above the volume":   func(p *groupbuy.Product) { p.Terms = volume("10"); p.MinVolume = dec("10.01") },
		"a negative minimum volume":    func(p *groupbuy.Product) { p.Terms = volume("10"); p.MinVolume = dec("-1") },
		"a minimum of three places":    func(p *groupbuy.Product) { p.Terms = volume("10"); p.MinVolume = dec("0.001") },
	})
	for _, units := range []int64{0, -1, math.MinInt64} {
		_, err := s.silent().Offer(s.Context(), product(people(3)), units)
		s.Invalid(fmt.Sprintf("Offer of %d units", units), err)
		s.Invalid(fmt.Sprintf("AddStock of %d units", units), s.silent().AddStock(s.Context(), "c", key(), units))
		s.Invalid(fmt.Sprintf("WithdrawStock of %d units", units), s.silent().WithdrawStock(s.Context(), "c", key(), units))
	}
}

func badPurchases(s *scene) {
	for name, change := range map[string]func(*groupbuy.Purchase){
		"no order":                   func(p *groupbuy.Purchase) { p.Order = "" },
		"an endless order":           func(p *groupbuy.Purchase) { p.Order = long(groupbuy.MaxOrder + 1) },
		"no buyer":                   func(p *groupbuy.Purchase) { p.Buyer = "" },
		"a long buyer":               func(p *groupbuy.Purchase) { p.Buyer = long(65) },
		"no product":                 func(p *groupbuy.Purchase) { p.Product = stock.Key{} },
		"a product of ordinary ones": func(p *groupbuy.Purchase) { p.Product.Activity = 0 },
		"a negative SKU":             func(p *groupbuy.Purchase) { p.Product.SKU = -1 },
		"no volume":                  func(p *groupbuy.Purchase) { p.Volume = decimal.Decimal{} },
		"a negative volume":          func(p *groupbuy.Purchase) { p.Volume = dec("-1") },
		"a volume of three places":   func(p *groupbuy.Purchase) { p.Volume = dec("1.001") },
		"an endless volume":          func(p *groupbuy.Purchase) { p.Volume = decimal.New(1, 1_000_000) },
		"a volume by far too large":  func(p *groupbuy.Purchase) { p.Volume = decimal.New(1, 13) },
		"an endless name":            func(p *groupbuy.Purchase) { p.Name = long(groupbuy.MaxText + 1) },
		"an endless avatar":          func(p *groupbuy.Purchase) { p.Avatar = long(groupbuy.MaxText + 1) },
		"an endless address":         func(p *groupbuy.Purchase) { p.Address = long(groupbuy.MaxText + 1) },
		"a negative shipping fee":    func(p *groupbuy.Purchase) { p.ShippingFee = dec("-0.01") },
		"a negative balance":         func(p *groupbuy.Purchase) { p.BalanceUsed = dec("-0.01") },
		"an endless shipping fee":    func(p *groupbuy.Purchase) { p.ShippingFee = decimal.New(1, 1_000_000) },
		"an endless balance":         func(p *groupbuy.Purchase) { p.BalanceUsed = decimal.New(1, 1_000_000) },
	} {
		p := buy("1", anna)
		change(&p)
		_, err := s.silent().Open(s.Context(), p)
		s.Invalid("Open with "+name, err)
		_, err = s.silent().Join(s.Context(), sample, p)
		s.Invalid("Join with "+name, err)
	}
}

func badIDs(s *scene) {
	g := s.silent()
	ctx := s.Context()
	for _, id := range []string{"", long(65), long(1 << 16)} {
		for name, call := range map[string]func() error{
			"AddStock":      func() error { return g.AddStock(ctx, id, key(), 1) },
			"WithdrawStock": func() error { return g.WithdrawStock(ctx, id, key(), 1) },
			"Pay":           func() error { return suite.Outcome(g.Pay(ctx, id)) },
			"Cancel":        func() error { return suite.Outcome(g.Cancel(ctx, id)) },
			"Refund":        func() error { return suite.Outcome(g.Refund(ctx, byHand(id))) },
			"Resolve":       func() error { return suite.Outcome(g.Resolve(ctx, id)) },
			"Seat":          func() error { return suite.Outcome(g.Seat(ctx, id)) },
			"Join":          func() error { return suite.Outcome(g.Join(ctx, id, buy("1", anna))) },
			"Form":          func() error { return suite.Outcome(g.Form(ctx, id, decided())) },
			"Fail":          func() error { return suite.Outcome(g.Fail(ctx, id, decided())) },
			"Team":          func() error { return suite.Outcome(g.Team(ctx, id)) },
			"Members":       func() error { return suite.Outcome(suite.Gather(g.Members(ctx, id))) },
			"Events":        func() error { return suite.Outcome(suite.Gather(g.Events(ctx, id))) },
			"Redeliver":     func() error { return suite.Outcome(g.Redeliver(ctx, id, 1, ignore)) },
		} {
			s.Invalid(fmt.Sprintf("%s of an ID of %d bytes", name, len(id)), call())
		}
	}
	for _, id := range []int64{0, -1, math.MinInt64} {
		k := stock.Key{SKU: goods, Activity: id}
		for name, call := range map[string]func() error{
			"AddStock":      func() error { return g.AddStock(ctx, "c", k, 1) },
			"WithdrawStock": func() error { return g.WithdrawStock(ctx, "c", k, 1) },
			"Remove":        func() error { return suite.Outcome(g.Remove(ctx, k)) },
			"End":           func() error { return suite.Outcome(g.End(ctx, id)) },
			"Activity":      func() error { return suite.Outcome(g.Activity(ctx, id)) },
			"Products":      func() error { return suite.Outcome(suite.Gather(g.Products(ctx, id))) },
			"Product":       func() error { return suite.Outcome(g.Product(ctx, k)) },
			"Joinable":      func() error { return suite.Outcome(suite.Gather(g.Joinable(ctx, k))) },
			"Redeliver":     func() error { return suite.Outcome(g.Redeliver(ctx, sample, id, ignore)) },
			"Audit":         func() error { return suite.Outcome(g.Audit(ctx, key(), k)) },
			"Repair":        func() error { return suite.Outcome(g.Repair(ctx, key(), k)) },
		} {
			s.Invalid(fmt.Sprintf("%s %d", name, id), call())
		}
	}
	for _, buyer := range []string{"", long(65)} {
		s.Invalid(fmt.Sprintf("SeatsOf a buyer of %d bytes", len(buyer)), suite.Outcome(suite.Gather(g.SeatsOf(ctx, buyer))))
	}
	for _, state := range []groupbuy.SeatState{groupbuy.NoSeat, groupbuy.Held, groupbuy.Paid, groupbuy.Cancelled, groupbuy.Expired, 99} {
		_, err := suite.Gather(g.Refunds(ctx, state))
		s.Invalid(fmt.Sprintf("Refunds in %v", state), err)
	}
}

func badDecisions(s *scene) {
	for name, bad := range map[string]groupbuy.Decision{
		"no actor":           {Reason: "why"},
		"an endless actor":   {Actor: long(65), Reason: "why"},
		"no reason":          {Actor: operator},
		"an endless reason":  {Actor: operator, Reason: long(groupbuy.MaxText + 1)},
		"nothing":            {},
		"everything endless": {Actor: long(1 << 16), Reason: long(1 << 16)},
	} {
		_, err := s.silent().Form(s.Context(), sample, bad)
		s.Invalid("Form with "+name, err)
		_, err = s.silent().Fail(s.Context(), sample, bad)
		s.Invalid("Fail with "+name, err)
	}
	for name, bad := range map[string]groupbuy.Refund{
		"an endless actor":  {Order: "1", Actor: long(65), Reason: "why"},
		"an endless reason": {Order: "1", Actor: operator, Reason: long(groupbuy.MaxText + 1)},
	} {
		_, err := s.silent().Refund(s.Context(), bad)
		s.Invalid("Refund with "+name, err)
	}
}

// badOptions calls everything on groups that were made from nothing or with bad options. The constructor does not
// fail; each call does.
func badOptions(s *scene) {
	with := func(opts groupbuy.Options) *groupbuy.Groups { return groupbuy.New(&wire{send: s.MustNotCall}, &opts) }
	bad := map[string]*groupbuy.Groups{
		"nil":               nil,
		"zero":              {},
		"without a store":   groupbuy.New(nil, nil),
		"on nothing":        s.silent().On(nil),
		"nil on a store":    (*groupbuy.Groups)(nil).On(s.Store),
		"zero on a store":   new(groupbuy.Groups).On(s.Store),
		"negative HoldFor":  with(groupbuy.Options{HoldFor: -1}),
		"HoldFor of 1ns":    with(groupbuy.Options{HoldFor: 1}),
		"endless HoldFor":   with(groupbuy.Options{HoldFor: stock.MaxHoldFor + 1}),
		"unknown LatePay":   with(groupbuy.Options{LatePay: stock.Reacquire + 1}),
		"negative LeaseFor": with(groupbuy.Options{LeaseFor: -1}),
		"negative RetryIn":  with(groupbuy.Options{RetryIn: -1}),
		"negative MaxTries": with(groupbuy.Options{MaxTries: -1}),
		"negative Sweep":    with(groupbuy.Options{Sweep: -1}),
		"bad, on a store":   with(groupbuy.Options{HoldFor: -1}).On(s.Store),
	}
	for name, g := range bad {
		for _, v := range everyVerb() {
			s.Invalid(v.name+" of groups: "+name, v.call(s.Context(), g))
		}
	}
}

func noHandler(s *scene) {
	_, err := s.silent().Deliver(s.Context(), nil)
	s.Invalid("Deliver to nobody", err)
	_, err = s.silent().Redeliver(s.Context(), sample, 1, nil)
	s.Invalid("Redeliver to nobody", err)
}

// badUnits asks for volumes that are in order by themselves, and no whole number of units of the product; and for
// money of another currency.
func badUnits(s *scene) {
	terms := people(3)
	terms.UnitsPerVolume = 3
	s.opened(terms, 90)
	refused := func(p groupbuy.Purchase) {
		s.Helper()
		_, err := s.groups.Open(s.Context(), p)
		s.Invalid(fmt.Sprintf("Open with %+v", p), err)
		s.seatless(p.Order)
	}
	refused(buyVolume("1", anna, "0.5"))
	refused(buyVolume("1", anna, "0.33"))
	refused(buyVolume("1", anna, "1.99"))
	p := buy("1", anna)
	p.ShippingFee = dec("0.001")
	refused(p)
	p = buy("1", anna)
	p.BalanceUsed = dec("0.001")
	refused(p)
	s.pool(stock.Quantities{Total: 90})
	code := s.openAs(buyVolume("1", anna, "2")).Team
	s.pool(stock.Quantities{Total: 90, Locked: 6})
	_, err := s.groups.Join(s.Context(), code, buyVolume("2", ben, "0.01"))
	s.Invalid("Join with a hundredth", err)
	s.pool(stock.Quantities{Total: 90, Locked: 6})
}

// contextThatEnded makes every call with a context that is over: nothing is done, and the error says that it may be
// made again.
func contextThatEnded(s *scene) {
	s.live()
	s.open("1", anna)
	was := s.everything()
	ended, end := context.WithCancel(s.Context())
	end()
	for _, v := range verbs() {
		if err := v.call(ended, s.groups); err == nil || !groupbuy.Retryable(err) {
			s.Fatalf("%s with a context that has ended: %v", v.name, err)
		}
	}
	s.Is(s.groups.Run(ended, ignore), context.Canceled)
	suite.Same(s, "the books", s.everything(), was)
	s.pay("1")
}
