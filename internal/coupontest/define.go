package coupontest

import (
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func defineCases() []testCase {
	return []testCase{
		{Name: "DefineCreatesACampaign", Run: defineCreates},
		{Name: "DefineAgainKeepsTheUnits", Run: defineAgain},
		{Name: "DefineChangesRulesAndTerms", Run: defineChanges},
		{Name: "DefineKeepsTextsByteForByte", Run: defineTexts},
		{Name: "DefineKeepsThePool", Run: defineKeepsPool},
		{Name: "DefineAtOnceGivesOneCampaign", Run: defineAtOnce},
		{Name: "ClaimedCouponsKeepTheirTerms", Run: claimedKeepTerms},
		{Name: "RestockAndWithdrawAreDoneOnce", Run: restockOnce},
		{Name: "RestockOfAPoolIsRefused", Run: restockPool},
		{Name: "WithdrawTakesWhatIsLeft", Run: withdraw},
	}
}

func defineCreates(s *scene) {
	start := s.now().Add(-time.Hour)
	rules := coupon.Rules{Start: start, End: start.Add(30 * day), PerBuyer: 3}
	c := s.define(1, 10, rules, tenOff())
	want := coupon.Campaign{
		ID: 1, Rules: rules, Terms: tenOff(), Quantities: stock.Quantities{Total: 10, Left: 10},
		TermsNo: 1, CreatedAt: s.now(), UpdatedAt: s.now(),
	}
	suite.Same(s, "campaign", c, want)
	suite.Same(s, "campaign read again", s.campaign(1), want)
	s.Is(suite.Err(s.shop.Campaign(s.Context(), 2)), coupon.ErrUnknownCampaign)
	s.Is(suite.Err(s.shop.Progress(s.Context(), 2)), coupon.ErrUnknownCampaign)
}

func defineAgain(s *scene) {
	first := s.define(1, 10, coupon.Rules{PerBuyer: 3}, tenOff())
	err := suite.Err(s.shop.Define(s.Context(), 1, 99, coupon.Rules{}, tenOff()))
	s.Is(err, coupon.ErrMismatch)
	suite.Same(s, "what differs", *suite.As[*coupon.MismatchError](s, err), coupon.MismatchError{
		ID: "1", Field: "total", Recorded: "10", Asked: "99",
	})
	equal := tenOff()
	equal.Amount, equal.Minimum = dec("10.00"), dec("50.0") // the same amounts, written in another way
	suite.Same(s, "campaign", s.define(1, 10, coupon.Rules{PerBuyer: 3}, equal), first)
	suite.Same(s, "terms", s.campaign(1).TermsNo, 1)
	s.claim("a", "5")
	s.No(suite.Err(s.shop.Restock(s.Context(), "in", 1, 5)))
	s.define(1, 10, coupon.Rules{PerBuyer: 3}, tenOff()) // as it was defined
	s.counts(stock.Quantities{Total: 15, Sold: 1, Left: 14})
}

func defineChanges(s *scene) {
	s.open(10)
	s.claim("a", "5")
	second := tenOff()
	second.Amount = dec("20")
	c := s.rules(coupon.Rules{}, second)
	suite.Same(s, "number of the terms", c.TermsNo, 2)
	s.sameAmount("amount", c.Amount, "20")
	c = s.rules(coupon.Rules{PerBuyer: 7}, second) // other rules are no other terms
	suite.Same(s, "number of the terms", c.TermsNo, 2)
	suite.Same(s, "rules", c.Rules, coupon.Rules{PerBuyer: 7})
	c = s.rules(coupon.Rules{PerBuyer: 7}, tenOff()) // and back
	suite.Same(s, "terms", c.Terms, tenOff())
	suite.Same(s, "campaign", s.campaign(1), c)
	s.counts(stock.Quantities{Total: 10, Sold: 1, Left: 9})
}

func defineTexts(s *scene) {
	for i, text := range []string{"", " ", "x ", "X ", "x\x00", "'\\\"`%", "双十一 🧧", "\u00e9", "e\u0301", "{\"a\": [1]}\n"} {
		terms := tenOff()
		terms.Title, terms.Scope = text, text+text
		c := s.define(1, 100, coupon.Rules{}, terms)
		suite.Same(s, "terms", c.Terms, terms)
		suite.Same(s, "number of the terms", c.TermsNo, int64(i+1)) // each differs from all others
		suite.Same(s, "terms of a coupon", s.claim(numbered("c", i+1)[i], "5").Terms, terms)
	}
}

func defineKeepsPool(s *scene) {
	s.pool("A", "B")
	s.Is(suite.Err(s.shop.Define(s.Context(), 1, 0, coupon.Rules{}, tenOff())), coupon.ErrPool)
	c := s.campaign(1)
	suite.Same(s, "pool", c.Pool, true)
	suite.Same(s, "codes", c.Codes, 2)
	suite.Same(s, "quantities", c.Quantities, stock.Quantities{Total: 2, Left: 2})
	s.define(2, 5, coupon.Rules{}, tenOff())
	s.Is(suite.Err(s.shop.Define(s.Context(), 2, 0, coupon.Rules{}, pooled(tenOff()))), coupon.ErrNoPool)
	suite.Same(s, "pool", s.campaign(2).Pool, false)
	dearer := pooled(tenOff())
	dearer.Amount = dec("11")
	suite.Same(s, "codes", s.define(1, 0, coupon.Rules{PerBuyer: 1}, dearer).Codes, 2)
}

// defineAtOnce starts sixteen programs, half of which are of a newer version.
func defineAtOnce(s *scene) {
	newer := tenOff()
	newer.Amount = dec("20")
	terms := []coupon.Terms{tenOff(), newer}
	for id := int64(1); id <= 4; id++ {
		s.Each(suite.Together(16, func(i int) error {
			return suite.Err(s.shop.Define(s.Context(), id, 10, coupon.Rules{}, terms[i%2]))
		}))
		c := s.campaign(id)
		suite.Same(s, "quantities", c.Quantities, stock.Quantities{Total: 10, Left: 10})
		kept, ok, err := s.Store.Terms(s.Context(), id, c.TermsNo)
		s.No(err)
		suite.Same(s, "terms are recorded", ok, true)
		suite.Same(s, "terms", c.Terms, kept)
		suite.Same(s, "terms of a coupon", suite.Must(s.shop.For("5").Claim(s.Context(), fmt.Sprint("c", id), id)).Terms, c.Terms)
	}
}

func claimedKeepTerms(s *scene) {
	end := s.now().Add(10 * day)
	s.define(1, 10, coupon.Rules{}, until(tenOff(), end))
	s.claim("claimed", "5")
	s.lock("locked", "5")
	was := s.coupon("claimed")
	changed := coupon.Terms{
		Title: "5% off", Scope: "everything", Kind: coupon.PercentOff, Places: 2, Percent: dec("5"), ForDays: 1, Zone: "UTC",
	}
	s.rules(coupon.Rules{}, changed)
	suite.Same(s, "claimed before", s.coupon("claimed"), was)
	locked := s.pay("locked") // it was promised when it was locked
	suite.Same(s, "terms of what was locked before", locked.Terms, until(tenOff(), end))
	s.SameTime("its end", locked.Until, end)
	suite.Same(s, "terms of what is claimed now", s.claim("new", "5").Terms, changed)
	for id, want := range map[string]string{"claimed": "10", "locked": "10", "new": "5"} {
		u := suite.Must(s.shop.Redeem(s.Context(), id, "order of "+id, dec("100")))
		s.sameAmount("discount by "+id, u.Discount, want)
	}
	s.No(suite.Err(s.shop.Redeem(s.Context(), "locked", "order of locked", dec("100"))))
	s.claim("another", "5")
	_, err := s.shop.Reserve(s.Context(), "another", "small", dec("10")) // the new terms have no minimum
	s.No(err)
}

func restockOnce(s *scene) {
	s.open(10)
	s.define(2, 10, coupon.Rules{}, tenOff())
	for _, replay := range []bool{false, true} {
		suite.Same(s, "restock", suite.Must(s.shop.Restock(s.Context(), "in", 1, 5)), stock.ChangeOutcome{ID: "in", Replay: replay})
		suite.Same(s, "withdrawal", suite.Must(s.shop.Withdraw(s.Context(), "out", 1, 2)), stock.ChangeOutcome{ID: "out", Replay: replay})
	}
	s.Is(suite.Err(s.shop.Restock(s.Context(), "in", 1, 6)), coupon.ErrMismatch)
	s.Is(suite.Err(s.shop.Restock(s.Context(), "in", 2, 5)), coupon.ErrMismatch)
	s.Is(suite.Err(s.shop.Withdraw(s.Context(), "in", 1, 5)), coupon.ErrMismatch)
	s.Is(suite.Err(s.shop.Restock(s.Context(), "more", 3, 5)), coupon.ErrUnknownCampaign, stock.ErrUnknownSKU)
	s.Is(suite.Err(s.shop.Withdraw(s.Context(), "more", 3, 5)), coupon.ErrUnknownCampaign)
	s.counts(stock.Quantities{Total: 13, Left: 13})
}

func restockPool(s *scene) {
	s.pool("A", "B")
	s.Is(suite.Err(s.shop.Restock(s.Context(), "in", 1, 5)), coupon.ErrPool)
	s.counts(stock.Quantities{Total: 2, Left: 2})
}

func withdraw(s *scene) {
	s.open(10)
	s.claim("claimed", "5")
	s.lock("locked", "5")
	s.lock("dead", "5")
	err := suite.Err(s.shop.Withdraw(s.Context(), "out", 1, 8))
	s.Is(err, stock.ErrInsufficient)
	suite.Same(s, "shortage", *suite.As[*stock.ShortageError](s, err), stock.ShortageError{Key: item(1), Wanted: 8, Available: 7})
	s.Advance(hold)
	s.No(suite.Err(s.shop.Withdraw(s.Context(), "out", 1, 9)))
	s.counts(stock.Quantities{Total: 1, Sold: 1})
}
