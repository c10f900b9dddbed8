package coupontest

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// tenOff returns terms of 10 off any order from 50 on, for thirty days from the claim.
func tenOff() coupon.Terms {
	return coupon.Terms{
		Title: "满50减10", Scope: `{"category":7}`, Kind: coupon.AmountOff, Places: 2,
		Amount: dec("10"), Minimum: dec("50"), ForDays: 30, Zone: "Asia/Shanghai",
	}
}

// until returns the terms with a fixed validity that ends then.
func until(t coupon.Terms, end time.Time) coupon.Terms { return between(t, time.Time{}, end) }

// between returns the terms with a fixed validity.
func between(t coupon.Terms, from, end time.Time) coupon.Terms {
	t.AfterDays, t.ForDays, t.Zone = 0, 0, ""
	t.ValidFrom, t.ValidUntil = from, end
	return t
}

// pooled returns the terms with a pool of codes.
func pooled(t coupon.Terms) coupon.Terms {
	t.Pool = true
	return t
}

// define creates a campaign or changes its rules and terms.
func (s *scene) define(id, total int64, rules coupon.Rules, terms coupon.Terms) coupon.Campaign {
	return suite.Must(s.shop.Define(s.Context(), id, total, rules, terms))
}

// rules gives campaign 1 other rules and terms.
func (s *scene) rules(rules coupon.Rules, terms coupon.Terms) coupon.Campaign {
	return s.define(1, s.campaign(1).Total, rules, terms)
}

// open creates campaign 1 of ten off, without limits but the total.
func (s *scene) open(total int64) { s.Helper(); s.define(1, total, coupon.Rules{}, tenOff()) }

// pool creates campaign 1 with a pool of codes.
func (s *scene) pool(codes ...string) {
	s.Helper()
	s.define(1, 0, coupon.Rules{}, pooled(tenOff()))
	s.load(1, codes...)
}

// load imports codes that are all new.
func (s *scene) load(campaign int64, codes ...string) {
	s.Helper()
	got := suite.Must(s.shop.Import(s.Context(), campaign, slices.Values(codes)))
	suite.Same(s, "imported", got, coupon.ImportResult{Added: int64(len(codes))})
}

// claim gives a free coupon of campaign 1 to a buyer.
func (s *scene) claim(id string, buyer string) coupon.Coupon {
	return suite.Must(s.shop.For(buyer).Claim(s.Context(), id, 1))
}

// lock sets a coupon of campaign 1 aside for a buyer who is to pay.
func (s *scene) lock(id string, buyer string) coupon.Coupon {
	return suite.Must(s.shop.For(buyer).Lock(s.Context(), id, 1))
}

// pay pays for a coupon.
func (s *scene) pay(id string) coupon.Coupon {
	return suite.Must(s.shop.Pay(s.Context(), id))
}

// cancel cancels a claim.
func (s *scene) cancel(id string) { s.Helper(); s.No(suite.Err(s.shop.Cancel(s.Context(), id))) }

// reserve sets a coupon aside for an order of 100.
func (s *scene) reserve(id, order string) coupon.Use {
	return suite.Must(s.shop.Reserve(s.Context(), id, order, dec("100")))
}

// redeem uses a coupon for an order of 100.
func (s *scene) redeem(id, order string) coupon.Use {
	return suite.Must(s.shop.Redeem(s.Context(), id, order, dec("100")))
}

// release gives up what an order has reserved.
func (s *scene) release(id, order string) coupon.Use {
	return suite.Must(s.shop.Release(s.Context(), id, order))
}

// giveBack returns a coupon after the whole order of 100 was refunded.
func (s *scene) giveBack(id, order string) coupon.Use {
	return suite.Must(s.shop.Return(s.Context(), id, order, dec("90")))
}

// refund gives a coupon back, by its buyer, to be claimed again.
func (s *scene) refund(id, of string) coupon.Coupon {
	return suite.Must(s.shop.Refund(s.Context(), coupon.Refund{ID: id, Coupon: of, Restock: true}))
}

// revoke takes a coupon back, by the shop, to be claimed again.
func (s *scene) revoke(id, of string) coupon.Coupon {
	return suite.Must(s.shop.Revoke(s.Context(), coupon.Revocation{ID: id, Coupon: of, Restock: true}))
}

// coupon returns a coupon as it is.
func (s *scene) coupon(id string) coupon.Coupon {
	return suite.Must(s.shop.Coupon(s.Context(), id))
}

// state ends the test unless a coupon is in a state, and returns it.
func (s *scene) state(id string, want coupon.State) coupon.Coupon {
	s.Helper()
	c := s.coupon(id)
	if c.State != want {
		s.Fatalf("coupon %q is %v, want %v", id, c.State, want)
	}
	return c
}

// status ends the test unless a buyer sees a coupon so.
func (s *scene) status(id string, want coupon.Status) {
	s.Helper()
	if got := s.coupon(id).Status(s.now()); got != want {
		s.Fatalf("coupon %q is %v, want %v", id, got, want)
	}
}

// unclaimed ends the test unless there is no trace of a coupon.
func (s *scene) unclaimed(id string) {
	s.Helper()
	s.Is(suite.Err(s.shop.Coupon(s.Context(), id)), coupon.ErrNotFound)
}

// use returns the use of a coupon by an order.
func (s *scene) use(id, order string) coupon.Use {
	s.Helper()
	u, _, err := s.Store.UseOf(s.Context(), id, order)
	s.No(err)
	return u
}

// used ends the test unless the use of a coupon by an order is in a state.
func (s *scene) used(id, order string, want coupon.UseState) {
	s.Helper()
	if got := s.use(id, order).State; got != want {
		s.Fatalf("the use of %q by %q is %v, want %v", id, order, got, want)
	}
}

// campaign returns a campaign as it is.
func (s *scene) campaign(id int64) coupon.Campaign {
	return suite.Must(s.shop.Campaign(s.Context(), id))
}

// counts ends the test unless the counters of campaign 1 are these.
func (s *scene) counts(want stock.Quantities) {
	s.Helper()
	if got := s.campaign(1).Quantities; got != want {
		s.Fatalf("campaign 1 counts\n  %+v, want\n  %+v", got, want)
	}
}

// progress ends the test unless the coupons of campaign 1 are there.
func (s *scene) progress(want coupon.Count) {
	s.Helper()
	suite.Same(s, "progress", suite.Must(s.shop.Progress(s.Context(), 1)), want)
}

// unchanged runs calls and ends the test if a coupon, its uses or its campaign changed by them.
func (s *scene) unchanged(id string, calls func()) {
	s.Helper()
	was := suite.Must(s.shop.History(s.Context(), id))
	campaign := s.campaign(was.Campaign)
	calls()
	suite.Same(s, "history", suite.Must(s.shop.History(s.Context(), id)), was)
	suite.Same(s, "campaign", s.campaign(was.Campaign), campaign)
}

// numbered returns n numbers with a prefix.
func numbered(prefix string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = prefix + strconv.Itoa(i)
	}
	return all
}

// Balanced ends the test unless the books balance: the counters are those that coupons, uses and
// changes add up to, and nothing was given that is not there.
func (s *scene) Balanced() {
	s.Helper()
	report := suite.Must(s.shop.Audit(s.Context()))
	for _, drift := range report.Drifts {
		s.Errorf("drift: %v", drift)
	}
	for _, conflict := range report.Conflicts {
		s.Errorf("conflict: %v", conflict)
	}
	campaigns := suite.Listed(s, s.shop.Campaigns(s.Context()))
	for _, c := range campaigns {
		s.plausible(c)
	}
	if report.Campaigns != len(campaigns) {
		s.Errorf("the audit looked at %d campaigns of %d", report.Campaigns, len(campaigns))
	}
	if s.Failed() {
		s.FailNow()
	}
}

// plausible fails the test where the counters of a campaign cannot be.
func (s *scene) plausible(c coupon.Campaign) {
	s.Helper()
	n := suite.Must(s.shop.Progress(s.Context(), c.ID))
	q := c.Quantities
	given := n.Usable + n.Reserved + n.Redeemed + n.Expired + n.Refunded + n.Revoked
	what := fmt.Sprintf("campaign %d: %+v, %+v", c.ID, q, n)
	switch {
	case min(n.Pending, n.Usable, n.Reserved, n.Redeemed, n.Expired, n.Refunded, n.Revoked) < 0:
		s.Errorf("%s: a number of coupons is negative", what)
	case n.Pending > q.Locked: // those that are dead and were not released yet are locked, too
		s.Errorf("%s: more coupons wait for payment than are locked", what)
	case q.Refunded != n.Refunded+n.Revoked:
		s.Errorf("%s: other coupons came back than were refunded and revoked", what)
	case given < q.Sold, given-n.Refunded-n.Revoked > q.Sold:
		s.Errorf("%s: other coupons were given than are sold", what)
	case c.Unlimited && (q.Total != 0 || q.Left != 0):
		s.Errorf("%s: an unlimited campaign has a total", what)
	case !c.Unlimited && (q.Total != q.Sold+q.Left || q.Locked > q.Left):
		s.Errorf("%s: more coupons were given than there are", what)
	case c.Pool && (q.Total > c.Codes || given > c.Codes):
		s.Errorf("%s: more coupons than codes (%d)", what, c.Codes)
	}
}
