package coupontest

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func inputCases() []testCase {
	return []testCase{
		{name: "CallsWithoutAContextAreRefused", run: noContext},
		{name: "BadIDsAreRefused", run: badIDs},
		{name: "BadCampaignsAndBuyersAreRefused", run: badCampaigns},
		{name: "BadNumbersAreRefused", run: badNumbers},
		{name: "BadTermsAreRefused", run: badTerms},
		{name: "BadRulesAreRefused", run: badRules},
		{name: "BadBatchesAreRefused", run: badBatches},
		{name: "AsMuchAsThereMayBeIsTaken", run: asMuch},
		{name: "BadCouponsRefuseEveryCall", run: badCoupons},
		{name: "AContextThatEndedChangesNothing", run: contextThatEnded},
	}
}

// A verb is one exported method with arguments that are in order.
type verb struct {
	name string
	call func(context.Context, *coupon.Coupons) error
}

// dropped makes a verb of a method whose result does not matter.
func dropped[T any](name string, call func(context.Context, *coupon.Coupons) (T, error)) verb {
	return verb{name, func(ctx context.Context, c *coupon.Coupons) error { _, err := call(ctx, c); return err }}
}

// verbs returns one call of each method that takes a context, each of which works once those before
// it have.
func verbs() []verb {
	return slices.Concat(campaignVerbs(), claimVerbs(), useVerbs(), readVerbs())
}

func campaignVerbs() []verb {
	codes := slices.Values([]string{"CODE"})
	return []verb{
		dropped("Define", func(ctx context.Context, c *coupon.Coupons) (coupon.Campaign, error) {
			return c.Define(ctx, 1, 10, coupon.Rules{}, tenOff())
		}),
		dropped("Define of a pool", func(ctx context.Context, c *coupon.Coupons) (coupon.Campaign, error) {
			return c.Define(ctx, 2, 0, coupon.Rules{}, pooled(tenOff()))
		}),
		dropped("Import", func(ctx context.Context, c *coupon.Coupons) (coupon.Imported, error) { return c.Import(ctx, 2, codes) }),
		dropped("Generate", func(ctx context.Context, c *coupon.Coupons) (coupon.Imported, error) {
			return c.Generate(ctx, 2, 5, nil)
		}),
		{"Restock", func(ctx context.Context, c *coupon.Coupons) error { return c.Restock(ctx, "in", 1, 5) }},
		{"Withdraw", func(ctx context.Context, c *coupon.Coupons) error { return c.Withdraw(ctx, "out", 1, 1) }},
	}
}

func claimVerbs() []verb {
	return []verb{
		dropped("Claim", func(ctx context.Context, c *coupon.Coupons) (coupon.Coupon, error) {
			return c.For("5").Claim(ctx, "a", 1)
		}),
		dropped("Claim of a code", func(ctx context.Context, c *coupon.Coupons) (coupon.Coupon, error) {
			return c.For("5").Claim(ctx, "code", 2)
		}),
		dropped("Lock", func(ctx context.Context, c *coupon.Coupons) (coupon.Coupon, error) {
			return c.For("5").Lock(ctx, "b", 1)
		}),
		dropped("Pay", func(ctx context.Context, c *coupon.Coupons) (coupon.Coupon, error) { return c.Pay(ctx, "b") }),
		{"Cancel", func(ctx context.Context, c *coupon.Coupons) error { return c.Cancel(ctx, "c") }},
		dropped("Resolve", func(ctx context.Context, c *coupon.Coupons) (coupon.Coupon, error) { return c.Resolve(ctx, "d") }),
		dropped("Refund", func(ctx context.Context, c *coupon.Coupons) (coupon.Coupon, error) {
			return c.Refund(ctx, coupon.Refund{ID: "r", Coupon: "b"})
		}),
		dropped("Issue", func(ctx context.Context, c *coupon.Coupons) (coupon.Issued, error) {
			return c.Issue(ctx, gift("g", "5", "6"))
		}),
		dropped("Issue for all", func(ctx context.Context, c *coupon.Coupons) (coupon.Issued, error) {
			return c.Issue(ctx, whole(gift("h", "5", "6")))
		}),
		dropped("Revoke", func(ctx context.Context, c *coupon.Coupons) (coupon.Coupon, error) {
			return c.Revoke(ctx, coupon.Revocation{ID: "v", Coupon: gifted("g", "5")})
		}),
		dropped("Expire", func(ctx context.Context, c *coupon.Coupons) (int, error) { return c.Expire(ctx) }),
	}
}

func useVerbs() []verb {
	total := dec("100")
	return []verb{
		dropped("Reserve", func(ctx context.Context, c *coupon.Coupons) (coupon.Use, error) {
			return c.Reserve(ctx, "a", "A", total)
		}),
		dropped("Release", func(ctx context.Context, c *coupon.Coupons) (coupon.Use, error) { return c.Release(ctx, "a", "A") }),
		dropped("Redeem", func(ctx context.Context, c *coupon.Coupons) (coupon.Use, error) {
			return c.Redeem(ctx, "a", "B", total)
		}),
		dropped("Return", func(ctx context.Context, c *coupon.Coupons) (coupon.Use, error) {
			return c.Return(ctx, "a", "B", total)
		}),
		dropped("Release first", func(ctx context.Context, c *coupon.Coupons) (coupon.Use, error) { return c.Release(ctx, "a", "C") }),
	}
}

func readVerbs() []verb {
	return []verb{
		dropped("Campaign", func(ctx context.Context, c *coupon.Coupons) (coupon.Campaign, error) { return c.Campaign(ctx, 1) }),
		dropped("Campaigns", func(ctx context.Context, c *coupon.Coupons) ([]coupon.Campaign, error) {
			return suite.Gather(c.Campaigns(ctx))
		}),
		dropped("Progress", func(ctx context.Context, c *coupon.Coupons) (coupon.Count, error) { return c.Progress(ctx, 1) }),
		dropped("Coupon", func(ctx context.Context, c *coupon.Coupons) (coupon.Coupon, error) { return c.Coupon(ctx, "a") }),
		dropped("ByCode", func(ctx context.Context, c *coupon.Coupons) (coupon.Coupon, error) { return c.ByCode(ctx, "code") }),
		dropped("History", func(ctx context.Context, c *coupon.Coupons) (coupon.History, error) { return c.History(ctx, "a") }),
		dropped("UsedBy", func(ctx context.Context, c *coupon.Coupons) ([]coupon.Use, error) { return c.UsedBy(ctx, "A") }),
		dropped("Wallet", func(ctx context.Context, c *coupon.Coupons) ([]coupon.Coupon, error) {
			return suite.Gather(c.For("5").Wallet(ctx))
		}),
		dropped("Audit", func(ctx context.Context, c *coupon.Coupons) (coupon.Report, error) { return c.Audit(ctx) }),
		dropped("RepairBackOnSale", func(ctx context.Context, c *coupon.Coupons) (coupon.Report, error) { return c.RepairBackOnSale(ctx, 1) }),
		dropped("Repair", func(ctx context.Context, c *coupon.Coupons) (coupon.Report, error) { return c.Repair(ctx, 1) }),
	}
}

// silent returns coupons whose store must not be called.
func (s *scene) silent() *coupon.Coupons { return coupon.New(&wire{send: s.MustNotCall}, nil) }

func noContext(s *scene) {
	for _, v := range append(verbs(), verb{"Run", func(ctx context.Context, c *coupon.Coupons) error { return c.Run(ctx) }}) {
		s.Invalid(v.name, v.call(nil, s.silent()))
	}
}

// badCoupons calls everything on coupons that were made from nothing or with bad options. The
// constructors do not fail; each call does.
func badCoupons(s *scene) {
	silent := s.silent()
	with := func(opts coupon.Options) *coupon.Coupons { return coupon.New(&wire{send: s.MustNotCall}, &opts) }
	bad := map[string]*coupon.Coupons{
		"nil":                 nil,
		"zero":                {},
		"without a store":     coupon.New(nil, nil),
		"on nothing":          silent.On(nil),
		"zero on a store":     new(coupon.Coupons).On(s.Store),
		"nil for a buyer":     (*coupon.Coupons)(nil).For("1"),
		"buyer of no bytes":   silent.For(""),
		"buyer of 65 bytes":   silent.For(strings.Repeat("x", 65)),
		"buyer of none on":    silent.For("").On(&wire{send: s.MustNotCall}),
		"negative HoldFor":    with(coupon.Options{HoldFor: -1}),
		"HoldFor of 1ns":      with(coupon.Options{HoldFor: 1}),
		"endless HoldFor":     with(coupon.Options{HoldFor: stock.MaxHoldFor + 1}),
		"negative ReserveFor": with(coupon.Options{ReserveFor: -1}),
		"ReserveFor of 1ns":   with(coupon.Options{ReserveFor: 1}),
		"endless ReserveFor":  with(coupon.Options{ReserveFor: stock.MaxHoldFor + 1}),
		"unknown LatePay":     with(coupon.Options{LatePay: stock.Reacquire + 1}),
		"negative Sweep":      with(coupon.Options{Sweep: -1}),
	}
	all := append(verbs(), verb{"Run", func(ctx context.Context, c *coupon.Coupons) error { return c.Run(ctx) }})
	for name, shop := range bad {
		if strings.HasPrefix(name, "buyer") || strings.HasSuffix(name, "buyer") {
			continue // the verbs name another themselves
		}
		for _, v := range all {
			s.Invalid(v.name+" of coupons: "+name, v.call(s.Context(), shop))
		}
	}
	for _, name := range []string{"nil for a buyer", "buyer of no bytes", "buyer of 65 bytes", "buyer of none on"} {
		_, err := bad[name].Claim(s.Context(), "a", 1)
		s.Invalid("Claim of coupons: "+name, err)
		_, err = bad[name].Reserve(s.Context(), "a", "A", dec("1"))
		s.Invalid("Reserve of coupons: "+name, err)
		_, err = suite.Gather(bad[name].Wallet(s.Context()))
		s.Invalid("Wallet of coupons: "+name, err)
		_, err = bad[name].Campaign(s.Context(), 1)
		s.Invalid("Campaign of coupons: "+name, err)
	}
}

// byID returns a call of each method that takes an ID, for each place in which it takes one.
func (s *scene) byID(c *coupon.Coupons, id string) map[string]func() error {
	total := dec("100")
	return map[string]func() error{
		"Claim":                  func() error { _, err := c.For("5").Claim(s.Context(), id, 1); return err },
		"Lock":                   func() error { _, err := c.For("5").Lock(s.Context(), id, 1); return err },
		"Pay":                    func() error { _, err := c.Pay(s.Context(), id); return err },
		"Cancel":                 func() error { return c.Cancel(s.Context(), id) },
		"Resolve":                func() error { _, err := c.Resolve(s.Context(), id); return err },
		"Refund by an ID":        func() error { _, err := c.Refund(s.Context(), coupon.Refund{ID: id, Coupon: "a"}); return err },
		"Refund of a coupon":     func() error { _, err := c.Refund(s.Context(), coupon.Refund{ID: "r", Coupon: id}); return err },
		"Revoke by an ID":        func() error { _, err := c.Revoke(s.Context(), coupon.Revocation{ID: id, Coupon: "a"}); return err },
		"Revoke of a coupon":     func() error { _, err := c.Revoke(s.Context(), coupon.Revocation{ID: "r", Coupon: id}); return err },
		"Reserve of a coupon":    func() error { _, err := c.Reserve(s.Context(), id, "A", total); return err },
		"Reserve for an order":   func() error { _, err := c.Reserve(s.Context(), "a", id, total); return err },
		"Redeem of a coupon":     func() error { _, err := c.Redeem(s.Context(), id, "A", total); return err },
		"Redeem for an order":    func() error { _, err := c.Redeem(s.Context(), "a", id, total); return err },
		"Release of a coupon":    func() error { _, err := c.Release(s.Context(), id, "A"); return err },
		"Release by an order":    func() error { _, err := c.Release(s.Context(), "a", id); return err },
		"Return of a coupon":     func() error { _, err := c.Return(s.Context(), id, "A", total); return err },
		"Return by an order":     func() error { _, err := c.Return(s.Context(), "a", id, total); return err },
		"Restock":                func() error { return c.Restock(s.Context(), id, 1, 1) },
		"Withdraw":               func() error { return c.Withdraw(s.Context(), id, 1, 1) },
		"Coupon":                 func() error { _, err := c.Coupon(s.Context(), id); return err },
		"ByCode":                 func() error { _, err := c.ByCode(s.Context(), id); return err },
		"History":                func() error { _, err := c.History(s.Context(), id); return err },
		"UsedBy":                 func() error { _, err := c.UsedBy(s.Context(), id); return err },
		"Issue of a batch":       func() error { _, err := c.Issue(s.Context(), gift(id, "1")); return err },
		"Issue of one for all":   func() error { _, err := c.Issue(s.Context(), whole(gift(id, "1"))); return err },
		"Refund for its buyer":   func() error { _, err := c.For("5").Refund(s.Context(), coupon.Refund{Coupon: id}); return err },
		"Reserve for its buyer":  func() error { _, err := c.For("5").Reserve(s.Context(), id, "A", total); return err },
		"Pay for its buyer":      func() error { _, err := c.For("5").Pay(s.Context(), id); return err },
		"Cancel for its buyer":   func() error { return c.For("5").Cancel(s.Context(), id) },
		"Resolve for its buyer":  func() error { _, err := c.For("5").Resolve(s.Context(), id); return err },
		"Coupon for its buyer":   func() error { _, err := c.For("5").Coupon(s.Context(), id); return err },
		"ByCode for its buyer":   func() error { _, err := c.For("5").ByCode(s.Context(), id); return err },
		"UsedBy, for its buyer":  func() error { _, err := c.For("5").UsedBy(s.Context(), id); return err },
		"History, for its buyer": func() error { _, err := c.For("5").History(s.Context(), id); return err },
	}
}

func badIDs(s *scene) {
	for _, id := range []string{"", strings.Repeat("x", 65), strings.Repeat("é", 33)} {
		for name, call := range s.byID(s.silent(), id) {
			s.Invalid(fmt.Sprintf("%s by %d bytes", name, len(id)), call())
		}
	}
	_, err := s.silent().Issue(s.Context(), gift(strings.Repeat("x", coupon.MaxBatchID+1), "1"))
	s.Invalid("a batch by too many bytes", err)
}

func badCampaigns(s *scene) {
	c := s.silent()
	for _, id := range []int64{0, -1, math.MinInt64} {
		for name, call := range map[string]func() error{
			"Define":   func() error { _, err := c.Define(s.Context(), id, 1, coupon.Rules{}, tenOff()); return err },
			"Claim":    func() error { _, err := c.For("5").Claim(s.Context(), "a", id); return err },
			"Lock":     func() error { _, err := c.For("5").Lock(s.Context(), "a", id); return err },
			"Restock":  func() error { return c.Restock(s.Context(), "in", id, 1) },
			"Withdraw": func() error { return c.Withdraw(s.Context(), "out", id, 1) },
			"Import":   func() error { _, err := c.Import(s.Context(), id, slices.Values([]string{"A"})); return err },
			"Generate": func() error { _, err := c.Generate(s.Context(), id, 1, nil); return err },
			"Issue": func() error {
				_, err := c.Issue(s.Context(), coupon.Batch{ID: "b", Campaign: id, Buyers: buyers(1, 2)})
				return err
			},
			"Campaign": func() error { _, err := c.Campaign(s.Context(), id); return err },
			"Progress": func() error { _, err := c.Progress(s.Context(), id); return err },
			"Audit":    func() error { _, err := c.Audit(s.Context(), 1, id); return err },
			"Repair":   func() error { _, err := c.Repair(s.Context(), 1, id); return err },
		} {
			s.Invalid(fmt.Sprintf("%s of campaign %d", name, id), call())
		}
	}
	_, err := c.Claim(s.Context(), "a", 1)
	s.Invalid("Claim for nobody", err)
	_, err = c.Lock(s.Context(), "a", 1)
	s.Invalid("Lock for nobody", err)
	_, err = suite.Gather(c.Wallet(s.Context()))
	s.Invalid("Wallet of nobody", err)
	for _, status := range []coupon.Status{0, coupon.StatusGone + 1} {
		_, err = suite.Gather(c.For("5").Wallet(s.Context(), coupon.StatusUsable, status))
		s.Invalid("Wallet by an unknown status", err)
	}
}

func badNumbers(s *scene) {
	c := s.silent()
	for _, num := range []int64{0, -1, math.MinInt64} {
		s.Invalid("Restock", c.Restock(s.Context(), "in", 1, num))
		s.Invalid("Withdraw", c.Withdraw(s.Context(), "out", 1, num))
		_, err := c.Generate(s.Context(), 1, num, nil)
		s.Invalid("Generate", err)
	}
	_, err := c.Import(s.Context(), 1, nil)
	s.Invalid("Import of nothing", err)
	for _, total := range []decimal.Decimal{dec("-0.01"), dec("-100"), decimal.New(-1, 1<<20), decimal.New(-1, -1<<20)} {
		s.badTotal(total)
	}
}

// badTotal ends the test unless an amount is refused that is wrong in every currency.
func (s *scene) badTotal(total decimal.Decimal) {
	s.Helper()
	c := s.silent()
	_, reserve := c.Reserve(s.Context(), "a", "A", total)
	_, redeem := c.Redeem(s.Context(), "a", "A", total)
	_, back := c.Return(s.Context(), "a", "A", total)
	for name, err := range map[string]error{"Reserve": reserve, "Redeem": redeem, "Return": back} {
		s.Invalid(name+" of a negative amount", err)
		if n := len(err.Error()); n > 200 {
			s.Fatalf("%s: the error has %d bytes", name, n) // an amount of a million digits is not to be written out
		}
	}
}

// badTerms asks for campaigns whose terms contradict themselves.
func badTerms(s *scene) {
	at := time.Date(2026, 11, 11, 0, 0, 0, 0, time.UTC)
	percent := func(t *coupon.Terms) { t.Kind, t.Amount, t.Percent = coupon.PercentOff, decimal.Zero, dec("15") }
	for name, spoil := range map[string]func(*coupon.Terms){
		"a long title":                  func(t *coupon.Terms) { t.Title = strings.Repeat("x", coupon.MaxText+1) },
		"a long scope":                  func(t *coupon.Terms) { t.Scope = strings.Repeat("x", coupon.MaxText+1) },
		"no kind":                       func(t *coupon.Terms) { t.Kind = 0 },
		"an unknown kind":               func(t *coupon.Terms) { t.Kind = coupon.Gift + 1 },
		"negative places":               func(t *coupon.Terms) { t.Places = -1 },
		"too many places":               func(t *coupon.Terms) { t.Places = coupon.MaxPlaces + 1 },
		"no amount":                     func(t *coupon.Terms) { t.Amount = decimal.Zero },
		"a negative amount":             func(t *coupon.Terms) { t.Amount = dec("-1") },
		"an amount of half a cent":      func(t *coupon.Terms) { t.Amount = dec("1.005") },
		"an amount beyond int64":        func(t *coupon.Terms) { t.Amount = dec("92233720368547758.08") },
		"an amount of endless digits":   func(t *coupon.Terms) { t.Amount = decimal.New(1, 1<<30) },
		"an amount with a percentage":   func(t *coupon.Terms) { t.Percent = dec("5") },
		"an amount with a cap":          func(t *coupon.Terms) { t.Cap = dec("5") },
		"a percentage with an amount":   func(t *coupon.Terms) { percent(t); t.Amount = dec("5") },
		"no percentage":                 func(t *coupon.Terms) { percent(t); t.Percent = decimal.Zero },
		"a negative percentage":         func(t *coupon.Terms) { percent(t); t.Percent = dec("-1") },
		"more than all":                 func(t *coupon.Terms) { percent(t); t.Percent = dec("100.01") },
		"a thousandth of a percent":     func(t *coupon.Terms) { percent(t); t.Percent = dec("1.001") },
		"a negative cap":                func(t *coupon.Terms) { percent(t); t.Cap = dec("-1") },
		"a cap of half a cent":          func(t *coupon.Terms) { percent(t); t.Cap = dec("0.005") },
		"a gift with an amount":         func(t *coupon.Terms) { t.Kind = coupon.Gift },
		"a negative minimum":            func(t *coupon.Terms) { t.Minimum = dec("-1") },
		"a minimum of half a cent":      func(t *coupon.Terms) { t.Minimum = dec("0.005") },
		"no validity":                   func(t *coupon.Terms) { t.ForDays = 0 },
		"negative days":                 func(t *coupon.Terms) { t.ForDays = -1 },
		"endless days":                  func(t *coupon.Terms) { t.ForDays = coupon.MaxDays + 1 },
		"from a day in the past":        func(t *coupon.Terms) { t.AfterDays = -1 },
		"from a day too far":            func(t *coupon.Terms) { t.AfterDays = coupon.MaxDays + 1 },
		"no zone":                       func(t *coupon.Terms) { t.Zone = "" },
		"the zone of the host":          func(t *coupon.Terms) { t.Zone = "Local" },
		"an unknown zone":               func(t *coupon.Terms) { t.Zone = "Asia/Atlantis" },
		"a zone outside":                func(t *coupon.Terms) { t.Zone = "../../etc/passwd" },
		"a beginning without an end":    func(t *coupon.Terms) { t.ValidFrom = at },
		"days and an end":               func(t *coupon.Terms) { t.ValidUntil = at },
		"an end before the beginning":   func(t *coupon.Terms) { *t = between(*t, at, at.Add(-time.Hour)) },
		"an end with the beginning":     func(t *coupon.Terms) { *t = between(*t, at, at) },
		"an end within a microsecond":   func(t *coupon.Terms) { *t = between(*t, at, at.Add(999)) },
		"an end in the year 10000":      func(t *coupon.Terms) { *t = until(*t, time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)) },
		"an end before 1970":            func(t *coupon.Terms) { *t = until(*t, time.Unix(-1, 0)) },
		"a beginning before 1970":       func(t *coupon.Terms) { *t = between(*t, time.Unix(-1, 0), at) },
		"a fixed validity with a zone":  func(t *coupon.Terms) { *t = until(*t, at); t.Zone = "UTC" },
		"a minimum of too many places":  func(t *coupon.Terms) { t.Places = 0; t.Minimum = dec("50.5") },
		"a percentage of endless parts": func(t *coupon.Terms) { percent(t); t.Percent = decimal.New(1, -1<<30) },
	} {
		terms := tenOff()
		spoil(&terms)
		_, err := s.silent().Define(s.Context(), 1, 10, coupon.Rules{}, terms)
		s.Invalid("Define with "+name, err)
	}
}

func badRules(s *scene) {
	at := time.Date(2026, 11, 11, 0, 0, 0, 0, time.UTC)
	for name, bad := range map[string]struct {
		total int64
		rules coupon.Rules
		terms coupon.Terms
	}{
		"a negative total":              {total: -1, terms: tenOff()},
		"a total without a limit":       {total: 1, rules: coupon.Rules{Unlimited: true}, terms: tenOff()},
		"a total beside codes":          {total: 1, terms: pooled(tenOff())},
		"codes without a limit":         {rules: coupon.Rules{Unlimited: true}, terms: pooled(tenOff())},
		"a negative limit of a buyer":   {rules: coupon.Rules{PerBuyer: -1}, terms: tenOff()},
		"an empty window":               {rules: coupon.Rules{Start: at, End: at}, terms: tenOff()},
		"an end before the start":       {rules: coupon.Rules{Start: at, End: at.Add(-1)}, terms: tenOff()},
		"a start before 1970":           {rules: coupon.Rules{Start: time.Unix(-1, 0)}, terms: tenOff()},
		"an end in the year 10000":      {rules: coupon.Rules{End: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}, terms: tenOff()},
		"claims of what is over before": {rules: coupon.Rules{Start: at}, terms: until(tenOff(), at)},
	} {
		_, err := s.silent().Define(s.Context(), 1, bad.total, bad.rules, bad.terms)
		s.Invalid("Define with "+name, err)
	}
}

func badBatches(s *scene) {
	for name, b := range map[string]coupon.Batch{
		"no buyers":        gift("b"),
		"a buyer twice":    gift("b", "1", "2", "1"),
		"an empty buyer":   gift("b", "1", ""),
		"a long buyer":     gift("b", "1", strings.Repeat("é", 33)),
		"too many buyers":  gift("b", buyers(1, coupon.MaxBuyers+1)...),
		"the zero batch":   {},
		"a batch, no name": gift("", "1"),
	} {
		_, err := s.silent().Issue(s.Context(), b)
		s.Invalid("Issue to "+name, err)
		_, err = s.silent().Issue(s.Context(), whole(b))
		s.Invalid("Issue to all: "+name, err)
	}
}

// asMuch asks for as much as there may be in one call: it is not the arguments that are refused.
func asMuch(s *scene) {
	terms := tenOff()
	terms.Title, terms.Scope = strings.Repeat("题", coupon.MaxText/3), strings.Repeat("x", coupon.MaxText)
	terms.Places, terms.Amount, terms.Minimum = coupon.MaxPlaces, dec("92233720368.54775807"), dec("92233720368.54775807")
	terms.AfterDays, terms.ForDays, terms.Zone = coupon.MaxDays, coupon.MaxDays, "America/Argentina/ComodRivadavia"
	c := s.define(math.MaxInt64, math.MaxInt64, coupon.Rules{PerBuyer: math.MaxInt64}, terms)
	suite.Same(s, "terms", c.Terms, terms)
	id := strings.Repeat("\xff", 64)
	got, err := s.shop.For(fmt.Sprint(math.MaxInt64)).Claim(s.Context(), id, math.MaxInt64)
	s.No(err)
	suite.Same(s, "terms of the coupon", got.Terms, terms)
	from, end := terms.Validity(s.now())
	s.SameTime("from", got.From, from)
	s.SameTime("until", got.Until, end)
	_, err = s.shop.Redeem(s.Context(), id, id, dec("92233720368.54775807"))
	s.Is(err, coupon.ErrNotYetValid)
	_, err = s.shop.Issue(s.Context(), gift(strings.Repeat("\xff", coupon.MaxBatchID), buyers(1, coupon.MaxBuyers)...))
	s.Is(err, coupon.ErrUnknownCampaign)
	s.Is(s.shop.Restock(s.Context(), "in", math.MaxInt64, 1), coupon.ErrOverflow)
}

// contextThatEnded makes every call with a context that is over: nobody may be told that it worked,
// and the same call with a context that lives does what was asked.
func contextThatEnded(s *scene) {
	ended, end := context.WithCancel(s.Context())
	end()
	for _, v := range verbs() {
		err := v.call(ended, s.shop)
		if err == nil || !coupon.Retryable(err) {
			s.Fatalf("%s with a context that ended: %v", v.name, err)
		}
		if err := v.call(s.Context(), s.shop); err != nil {
			s.Fatalf("%s again: %v", v.name, err)
		}
	}
	// a, b, g/5, g/6, h/5 and h/6 were given, of which b and g/5 came back.
	s.counts(stock.Quantities{Total: 14, Sold: 6, Left: 8, Refunded: 2})
	s.state("a", coupon.Usable)
}
