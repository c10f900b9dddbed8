package coupontest

import (
	"context"
	"math"
	"slices"
	"strings"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// Bad input is refused before any I/O, whatever the store: the tests of package coupon have it.
func inputCases() []testCase {
	return []testCase{
		{Name: "AsMuchAsThereMayBeIsTaken", Run: asMuch},
		{Name: "AContextThatEndedChangesNothing", Run: contextThatEnded},
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
	got := suite.Must(s.shop.For(id).Claim(s.Context(), id, math.MaxInt64))
	suite.Same(s, "terms of the coupon", got.Terms, terms)
	from, end := terms.Validity(s.now())
	s.SameTime("from", got.From, from)
	s.SameTime("until", got.Until, end)
	s.Is(suite.Err(s.shop.Redeem(s.Context(), id, id, dec("92233720368.54775807"))), coupon.ErrNotYetValid)
	_, err := s.shop.Issue(s.Context(), gift(strings.Repeat("\xff", coupon.MaxBatchID), buyers(1, coupon.MaxBuyers)...))
	s.Is(err, coupon.ErrUnknownCampaign)
	s.Is(suite.Err(s.shop.Restock(s.Context(), "in", math.MaxInt64, 1)), coupon.ErrOverflow)
}

// changing returns one call of each verb that changes something, each of which works once those before it have.
func changing(ctx context.Context, c *coupon.Coupons) []suite.Call {
	total := dec("100")
	return []suite.Call{
		{Name: "Define", Do: func() error { return suite.Err(c.Define(ctx, 1, 10, coupon.Rules{}, tenOff())) }},
		{Name: "Define of a pool", Do: func() error { return suite.Err(c.Define(ctx, 2, 0, coupon.Rules{}, pooled(tenOff()))) }},
		{Name: "Import", Do: func() error { return suite.Err(c.Import(ctx, 2, slices.Values([]string{"CODE"}))) }},
		{Name: "Generate", Do: func() error { return suite.Err(c.Generate(ctx, 2, 5, nil)) }},
		{Name: "Restock", Do: func() error { return suite.Err(c.Restock(ctx, "in", 1, 5)) }},
		{Name: "Withdraw", Do: func() error { return suite.Err(c.Withdraw(ctx, "out", 1, 1)) }},
		{Name: "Claim", Of: "a", Do: func() error { return suite.Err(c.For("5").Claim(ctx, "a", 1)) }},
		{Name: "Claim of a code", Of: "code", Do: func() error { return suite.Err(c.For("5").Claim(ctx, "code", 2)) }},
		{Name: "Lock", Of: "b", Do: func() error { return suite.Err(c.For("5").Lock(ctx, "b", 1)) }},
		{Name: "Pay", Of: "b", Do: func() error { return suite.Err(c.Pay(ctx, "b")) }},
		{Name: "Cancel", Of: "c", Do: func() error { return suite.Err(c.Cancel(ctx, "c")) }},
		{Name: "Resolve", Of: "d", Do: func() error { return suite.Err(c.Resolve(ctx, "d")) }},
		{Name: "Refund", Of: "b", Do: func() error { return suite.Err(c.Refund(ctx, coupon.Refund{ID: "r", Coupon: "b"})) }},
		{Name: "Issue", Do: func() error { return suite.Err(c.Issue(ctx, gift("g", "5", "6"))) }},
		{Name: "Issue for all", Do: func() error { return suite.Err(c.Issue(ctx, whole(gift("h", "5", "6")))) }},
		{Name: "Revoke", Of: gifted("g", "5"), Do: func() error {
			return suite.Err(c.Revoke(ctx, coupon.Revocation{ID: "v", Coupon: gifted("g", "5")}))
		}},
		{Name: "Expire", Do: func() error { return suite.Err(c.Expire(ctx)) }},
		{Name: "Reserve", Do: func() error { return suite.Err(c.Reserve(ctx, "a", "A", total)) }},
		{Name: "Release", Do: func() error { return suite.Err(c.Release(ctx, "a", "A")) }},
		{Name: "Redeem", Do: func() error { return suite.Err(c.Redeem(ctx, "a", "B", total)) }},
		{Name: "Return", Do: func() error { return suite.Err(c.Return(ctx, "a", "B", total)) }},
		{Name: "Release first", Do: func() error { return suite.Err(c.Release(ctx, "a", "C")) }},
	}
}

// calls returns those and, behind them, one call of each method that reads.
func (s *scene) calls(ctx context.Context) []suite.Call {
	c := s.shop
	return append(changing(ctx, c), []suite.Call{
		{Name: "Campaign", Do: func() error { return suite.Err(c.Campaign(ctx, 1)) }},
		{Name: "Campaigns", Do: func() error { return suite.Err(suite.Gather(c.Campaigns(ctx))) }},
		{Name: "Progress", Do: func() error { return suite.Err(c.Progress(ctx, 1)) }},
		{Name: "Coupon", Do: func() error { return suite.Err(c.Coupon(ctx, "a")) }},
		{Name: "ByCode", Do: func() error { return suite.Err(c.ByCode(ctx, "code")) }},
		{Name: "History", Do: func() error { return suite.Err(c.History(ctx, "a")) }},
		{Name: "UsedBy", Do: func() error { return suite.Err(c.UsedBy(ctx, "A")) }},
		{Name: "Wallet", Do: func() error { return suite.Err(suite.Gather(c.For("5").Wallet(ctx))) }},
		{Name: "Audit", Do: func() error { return suite.Err(c.Audit(ctx)) }},
		{Name: "Repair", Do: func() error { return suite.Err(c.Repair(ctx, 1)) }},
		{Name: "RepairBackOnSale", Do: func() error { return suite.Err(c.RepairBackOnSale(ctx, 1)) }},
	}...)
}

func contextThatEnded(s *scene) {
	s.EndedContext(s.calls, s.everything)
	// a, b, g/5, g/6, h/5 and h/6 were given, of which b and g/5 came back.
	s.counts(stock.Quantities{Total: 14, Sold: 6, Left: 8, Refunded: 2})
	s.state("a", coupon.Usable)
}
