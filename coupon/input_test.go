package coupon_test

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// untouchedStore is a store that must not be called: bad input is refused before any I/O. Only its units may be taken
// hold of.
type untouchedStore struct{ coupon.Store }

func (untouchedStore) Units() stock.Store { return struct{ stock.Store }{} }

// refusals returns coupons on a store that must not be called, and the checks of what they refuse.
func refusals(t *testing.T) (*coupon.Coupons, *suite.Checks) {
	t.Helper()
	return coupon.New(untouchedStore{}, nil), &suite.Checks{TB: t, Retryable: coupon.Retryable}
}

// TestUnusableCouponsRefuseEveryCall: the constructors do not fail; each call does.
func TestUnusableCouponsRefuseEveryCall(t *testing.T) {
	t.Parallel()
	shop, c := refusals(t)
	with := func(opts coupon.Options) *coupon.Coupons { return coupon.New(untouchedStore{}, &opts) }
	c.RefusesEveryCall(nil, "no context", shop.For("1"), "context") //nolint:staticcheck // that is the test
	c.RefuseEveryCall([]suite.Broken{
		{Name: "nil", Of: (*coupon.Coupons)(nil), Field: "coupons"},
		{Name: "zero", Of: new(coupon.Coupons), Field: "coupons"},
		{Name: "zero on a store", Of: new(coupon.Coupons).On(untouchedStore{}), Field: "coupons"},
		{Name: "zero for a buyer", Of: new(coupon.Coupons).For("1"), Field: "coupons"},
		{Name: "nil for a buyer", Of: (*coupon.Coupons)(nil).For("1").On(untouchedStore{}), Field: "coupons"},
		{Name: "without a store", Of: coupon.New(nil, nil), Field: "store"},
		{Name: "without a store, for a buyer", Of: coupon.New(nil, nil).For("1"), Field: "store"},
		{Name: "on nothing", Of: shop.On(nil), Field: "store"},
		{Name: "on nothing, then on a store", Of: shop.On(nil).On(untouchedStore{}), Field: "store"},
		{Name: "no buyer", Of: shop.For(""), Field: "buyer"},
		{Name: "a long buyer on a store", Of: shop.For(strings.Repeat("é", 33)).On(untouchedStore{}), Field: "buyer"},
		{Name: "negative HoldFor", Of: with(coupon.Options{HoldFor: -1}), Field: "HoldFor"},
		{Name: "HoldFor of 1ns", Of: with(coupon.Options{HoldFor: 1}), Field: "HoldFor"},
		{Name: "endless HoldFor", Of: with(coupon.Options{HoldFor: stock.MaxHoldFor + 1}), Field: "HoldFor"},
		{Name: "negative ReserveFor", Of: with(coupon.Options{ReserveFor: -1}).For("1"), Field: "ReserveFor"},
		{Name: "ReserveFor of 1ns", Of: with(coupon.Options{ReserveFor: 1}), Field: "ReserveFor"},
		{Name: "endless ReserveFor", Of: with(coupon.Options{ReserveFor: stock.MaxHoldFor + 1}), Field: "ReserveFor"},
		{Name: "unknown LatePay", Of: with(coupon.Options{LatePay: stock.Reacquire + 1}), Field: "LatePay"},
		{Name: "negative Sweep", Of: with(coupon.Options{Sweep: -1}), Field: "Sweep"},
	})
}

func TestBadIDsAreRefused(t *testing.T) {
	t.Parallel()
	shop, c := refusals(t)
	ctx, total := t.Context(), yuan("100")
	for _, id := range []string{"", strings.Repeat("x", 65), strings.Repeat("é", 33)} {
		for _, shop := range []*coupon.Coupons{shop, shop.For("5")} {
			c.Invalid("Pay", suite.Err(shop.Pay(ctx, id)))
			c.Invalid("Cancel", suite.Err(shop.Cancel(ctx, id)))
			c.Invalid("Resolve", suite.Err(shop.Resolve(ctx, id)))
			c.Invalid("Refund by an ID", suite.Err(shop.Refund(ctx, coupon.Refund{ID: id, Coupon: "a"})))
			c.Invalid("Refund of a coupon", suite.Err(shop.Refund(ctx, coupon.Refund{ID: "r", Coupon: id})))
			c.Invalid("Revoke by an ID", suite.Err(shop.Revoke(ctx, coupon.Revocation{ID: id, Coupon: "a"})))
			c.Invalid("Revoke of a coupon", suite.Err(shop.Revoke(ctx, coupon.Revocation{ID: "r", Coupon: id})))
			c.Invalid("Reserve of a coupon", suite.Err(shop.Reserve(ctx, id, "A", total)))
			c.Invalid("Reserve for an order", suite.Err(shop.Reserve(ctx, "a", id, total)))
			c.Invalid("Redeem of a coupon", suite.Err(shop.Redeem(ctx, id, "A", total)))
			c.Invalid("Redeem for an order", suite.Err(shop.Redeem(ctx, "a", id, total)))
			c.Invalid("Release of a coupon", suite.Err(shop.Release(ctx, id, "A")))
			c.Invalid("Release by an order", suite.Err(shop.Release(ctx, "a", id)))
			c.Invalid("Return of a coupon", suite.Err(shop.Return(ctx, id, "A", total)))
			c.Invalid("Return by an order", suite.Err(shop.Return(ctx, "a", id, total)))
			c.Invalid("Restock", suite.Err(shop.Restock(ctx, id, 1, 1)))
			c.Invalid("Withdraw", suite.Err(shop.Withdraw(ctx, id, 1, 1)))
			c.Invalid("Coupon", suite.Err(shop.Coupon(ctx, id)))
			c.Invalid("ByCode", suite.Err(shop.ByCode(ctx, id)))
			c.Invalid("History", suite.Err(shop.History(ctx, id)))
			c.Invalid("UsedBy", suite.Err(shop.UsedBy(ctx, id)))
		}
		c.Invalid("Claim", suite.Err(shop.For("5").Claim(ctx, id, 1)))
		c.Invalid("Lock", suite.Err(shop.For("5").Lock(ctx, id, 1)))
	}
}

func TestBadCampaignsAndBuyersAreRefused(t *testing.T) {
	t.Parallel()
	shop, c := refusals(t)
	ctx := t.Context()
	for _, id := range []int64{0, -1, math.MinInt64} {
		c.Invalid("Define", suite.Err(shop.Define(ctx, id, 1, coupon.Rules{}, amountOff("10", "50"))))
		c.Invalid("Claim", suite.Err(shop.For("5").Claim(ctx, "a", id)))
		c.Invalid("Lock", suite.Err(shop.For("5").Lock(ctx, "a", id)))
		c.Invalid("Restock", suite.Err(shop.Restock(ctx, "in", id, 1)))
		c.Invalid("Withdraw", suite.Err(shop.Withdraw(ctx, "out", id, 1)))
		c.Invalid("Import", suite.Err(shop.Import(ctx, id, slices.Values([]string{"A"}))))
		c.Invalid("Generate", suite.Err(shop.Generate(ctx, id, 1, nil)))
		c.Invalid("Issue", suite.Err(shop.Issue(ctx, coupon.Batch{ID: "b", Campaign: id, Buyers: []string{"1", "2"}})))
		c.Invalid("Campaign", suite.Err(shop.Campaign(ctx, id)))
		c.Invalid("Progress", suite.Err(shop.Progress(ctx, id)))
		c.Invalid("Audit", suite.Err(shop.Audit(ctx, 1, id)))
		c.Invalid("Repair", suite.Err(shop.Repair(ctx, 1, id)))
		c.Invalid("RepairBackOnSale", suite.Err(shop.RepairBackOnSale(ctx, 1, id)))
	}
	c.Invalid("Claim for nobody", suite.Err(shop.Claim(ctx, "a", 1)))
	c.Invalid("Lock for nobody", suite.Err(shop.Lock(ctx, "a", 1)))
	c.Invalid("Wallet of nobody", suite.Err(suite.Gather(shop.Wallet(ctx))))
	for _, status := range []coupon.Status{0, coupon.StatusGone + 1} {
		c.Invalid("Wallet by an unknown status", suite.Err(suite.Gather(shop.For("5").Wallet(ctx, coupon.StatusUsable, status))))
	}
}

func TestBadNumbersAreRefused(t *testing.T) {
	t.Parallel()
	shop, c := refusals(t)
	ctx := t.Context()
	for _, num := range []int64{0, -1, math.MinInt64} {
		c.Invalid("Restock", suite.Err(shop.Restock(ctx, "in", 1, num)))
		c.Invalid("Withdraw", suite.Err(shop.Withdraw(ctx, "out", 1, num)))
		c.Invalid("Generate", suite.Err(shop.Generate(ctx, 1, num, nil)))
	}
	c.Invalid("Import of nothing", suite.Err(shop.Import(ctx, 1, nil)))
	for _, total := range []decimal.Decimal{yuan("-0.01"), yuan("-100"), decimal.New(-1, 1<<20), decimal.New(-1, -1<<20)} {
		for name, err := range map[string]error{
			"Reserve": suite.Err(shop.Reserve(ctx, "a", "A", total)),
			"Redeem":  suite.Err(shop.Redeem(ctx, "a", "A", total)),
			"Return":  suite.Err(shop.Return(ctx, "a", "A", total)),
		} {
			c.Invalid(name+" of a negative amount", err)
			require.LessOrEqual(t, len(err.Error()), 200, "an amount of a million digits is not to be written out")
		}
	}
}

// TestTermsThatContradictThemselvesAreRefused spoils terms of an amount off in one way after the other.
func TestTermsThatContradictThemselvesAreRefused(t *testing.T) {
	t.Parallel()
	shop, c := refusals(t)
	at, late := start, time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	percent := func(t *coupon.Terms) { t.Kind, t.Amount, t.Percent = coupon.PercentOff, decimal.Zero, yuan("15") }
	fixed := func(t *coupon.Terms, from, end time.Time) {
		t.ForDays, t.Zone, t.ValidFrom, t.ValidUntil = 0, "", from, end
	}
	for name, spoil := range map[string]func(*coupon.Terms){
		"a long title":                  func(t *coupon.Terms) { t.Title = strings.Repeat("x", coupon.MaxText+1) },
		"a long scope":                  func(t *coupon.Terms) { t.Scope = strings.Repeat("x", coupon.MaxText+1) },
		"no kind":                       func(t *coupon.Terms) { t.Kind = 0 },
		"an unknown kind":               func(t *coupon.Terms) { t.Kind = coupon.Gift + 1 },
		"negative places":               func(t *coupon.Terms) { t.Places = -1 },
		"too many places":               func(t *coupon.Terms) { t.Places = coupon.MaxPlaces + 1 },
		"no amount":                     func(t *coupon.Terms) { t.Amount = decimal.Zero },
		"a negative amount":             func(t *coupon.Terms) { t.Amount = yuan("-1") },
		"an amount of half a cent":      func(t *coupon.Terms) { t.Amount = yuan("1.005") },
		"an amount beyond int64":        func(t *coupon.Terms) { t.Amount = yuan("92233720368547758.08") },
		"an amount of endless digits":   func(t *coupon.Terms) { t.Amount = decimal.New(1, 1<<30) },
		"an amount with a percentage":   func(t *coupon.Terms) { t.Percent = yuan("5") },
		"an amount with a cap":          func(t *coupon.Terms) { t.Cap = yuan("5") },
		"a percentage with an amount":   func(t *coupon.Terms) { percent(t); t.Amount = yuan("5") },
		"no percentage":                 func(t *coupon.Terms) { percent(t); t.Percent = decimal.Zero },
		"a negative percentage":         func(t *coupon.Terms) { percent(t); t.Percent = yuan("-1") },
		"more than all":                 func(t *coupon.Terms) { percent(t); t.Percent = yuan("100.01") },
		"a thousandth of a percent":     func(t *coupon.Terms) { percent(t); t.Percent = yuan("1.001") },
		"a negative cap":                func(t *coupon.Terms) { percent(t); t.Cap = yuan("-1") },
		"a cap of half a cent":          func(t *coupon.Terms) { percent(t); t.Cap = yuan("0.005") },
		"a gift with an amount":         func(t *coupon.Terms) { t.Kind = coupon.Gift },
		"a negative minimum":            func(t *coupon.Terms) { t.Minimum = yuan("-1") },
		"a minimum of half a cent":      func(t *coupon.Terms) { t.Minimum = yuan("0.005") },
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
		"an end before the beginning":   func(t *coupon.Terms) { fixed(t, at, at.Add(-time.Hour)) },
		"an end with the beginning":     func(t *coupon.Terms) { fixed(t, at, at) },
		"an end within a microsecond":   func(t *coupon.Terms) { fixed(t, at, at.Add(999)) },
		"an end in the year 9999":       func(t *coupon.Terms) { fixed(t, time.Time{}, late) },
		"an end before 1970":            func(t *coupon.Terms) { fixed(t, time.Time{}, time.Unix(-1, 0)) },
		"a beginning before 1970":       func(t *coupon.Terms) { fixed(t, time.Unix(-1, 0), at) },
		"a fixed validity with a zone":  func(t *coupon.Terms) { fixed(t, time.Time{}, at); t.Zone = "UTC" },
		"a minimum of too many places":  func(t *coupon.Terms) { t.Places = 0; t.Minimum = yuan("50.5") },
		"a percentage of endless parts": func(t *coupon.Terms) { percent(t); t.Percent = decimal.New(1, -1<<30) },
	} {
		terms := amountOff("10", "50")
		spoil(&terms)
		c.Invalid("Define with "+name, suite.Err(shop.Define(t.Context(), 1, 10, coupon.Rules{}, terms)))
	}
}

func TestBadRulesAreRefused(t *testing.T) {
	t.Parallel()
	shop, c := refusals(t)
	at, late := start, time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	plain, codes, fixed := amountOff("10", "50"), amountOff("10", "50"), amountOff("10", "50")
	codes.Pool = true
	fixed.ForDays, fixed.Zone, fixed.ValidUntil = 0, "", at
	for name, bad := range map[string]struct {
		total int64
		rules coupon.Rules
		terms coupon.Terms
	}{
		"a negative total":              {total: -1, terms: plain},
		"a total without a limit":       {total: 1, rules: coupon.Rules{Unlimited: true}, terms: plain},
		"a total beside codes":          {total: 1, terms: codes},
		"codes without a limit":         {rules: coupon.Rules{Unlimited: true}, terms: codes},
		"a negative limit of a buyer":   {rules: coupon.Rules{PerBuyer: -1}, terms: plain},
		"an empty window":               {rules: coupon.Rules{Start: at, End: at}, terms: plain},
		"an end before the start":       {rules: coupon.Rules{Start: at, End: at.Add(-1)}, terms: plain},
		"a start before 1970":           {rules: coupon.Rules{Start: time.Unix(-1, 0)}, terms: plain},
		"an end in the year 9999":       {rules: coupon.Rules{End: late}, terms: plain},
		"claims of what is over before": {rules: coupon.Rules{Start: at}, terms: fixed},
	} {
		c.Invalid("Define with "+name, suite.Err(shop.Define(t.Context(), 1, bad.total, bad.rules, bad.terms)))
	}
}

func TestBadBatchesAreRefused(t *testing.T) {
	t.Parallel()
	shop, c := refusals(t)
	crowd := make([]string, coupon.MaxBuyers+1)
	for i := range crowd {
		crowd[i] = strconv.Itoa(i)
	}
	for name, b := range map[string]coupon.Batch{
		"no buyers":      {ID: "b", Campaign: 1},
		"a buyer twice":  {ID: "b", Campaign: 1, Buyers: []string{"1", "2", "1"}},
		"no buyer":       {ID: "b", Campaign: 1, Buyers: []string{"1", ""}},
		"a long buyer":   {ID: "b", Campaign: 1, Buyers: []string{"1", strings.Repeat("é", 33)}},
		"too many":       {ID: "b", Campaign: 1, Buyers: crowd},
		"the zero batch": {},
		"no ID":          {Campaign: 1, Buyers: []string{"1"}},
		"a long ID":      {ID: strings.Repeat("x", coupon.MaxBatchID+1), Campaign: 1, Buyers: []string{"1"}},
	} {
		for _, b.All = range []bool{false, true} {
			c.Invalid("Issue to "+name, suite.Err(shop.Issue(t.Context(), b)))
		}
	}
}

func TestCodesThatCouldBeGuessedOrMistakenAreRefused(t *testing.T) {
	t.Parallel()
	shop, c := refusals(t)
	for name, style := range map[string]coupon.CodeStyle{
		"too short":              {Length: 7},
		"too long":               {Length: 41},
		"negative":               {Length: -1},
		"too few bits":           {Length: 8, Alphabet: "ABCDEFGH"},
		"39.6 bits":              {Length: 8},
		"39.9 bits":              {Length: 12, Alphabet: "0123456789"},
		"one letter":             {Length: 40, Alphabet: "A"},
		"lower case":             {Alphabet: "ABCDEFGHabcdefgh"},
		"a letter twice":         {Alphabet: "ABCDEFGHJKMNPQRSTUVWXYZA"},
		"a blank":                {Alphabet: "ABCDEFGHJKMN PQRSTUVWXYZ"},
		"what is no letter":      {Alphabet: "ABCDEFGHJKMN-PQRSTUVWXYZ"},
		"a letter beyond A to Z": {Alphabet: "ABCDEFGHJKMNÉPQRSTUVWXYZ"},
		"O and 0":                {Alphabet: "ABCDEFGHJKMNOPQRSTUVWXYZ0"},
		"I and 1":                {Alphabet: "ABCDEFGHIJKMNPQRSTUVWXYZ1"},
		"L and 1":                {Alphabet: "ABCDEFGHJKLMNPQRSTUVWXYZ1"},
		"L and I":                {Alphabet: "LABCDEFGHI"},
	} {
		c.Invalid("Generate of codes: "+name, suite.Err(shop.Generate(t.Context(), 7, 10, &style)))
	}
}
