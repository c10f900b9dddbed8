package coupontest

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func readingCases() []testCase {
	return []testCase{
		{Name: "CampaignsListsByID", Run: campaignsByID},
		{Name: "CampaignsPagesAndStops", Run: campaignsPages},
		{Name: "ProgressCountsEachCouponOnce", Run: progressCounts},
		{Name: "CouponThatIsUnknownIsNotFound", Run: couponUnknown},
		{Name: "HistoryIsTheWholeLife", Run: historyWhole},
		{Name: "UsedByListsByCoupon", Run: usedByLists},
		{Name: "WalletListsByStatus", Run: walletByStatus},
		{Name: "WalletFollowsTheClock", Run: walletFollows},
		{Name: "WalletListsByItsEnd", Run: walletByEnd},
		{Name: "WalletPagesAndStops", Run: walletPages},
		{Name: "WalletPageByPage", Run: walletPageByPage},
		{Name: "ChangesOfACampaignSayWhoAndWhy", Run: changesByOperators},
		{Name: "ListingsEndWithTheFirstError", Run: listingsEnd},
		{Name: "ResultsBelongToTheCaller", Run: resultsBelong},
	}
}

func campaignsByID(s *scene) {
	suite.Same(s, "campaigns", suite.Listed(s, s.shop.Campaigns(s.Context())), nil)
	for _, id := range []int64{7, 3, 11, 1} {
		s.define(id, id, coupon.Rules{}, tenOff())
	}
	s.define(5, 0, coupon.Rules{}, pooled(tenOff()))
	s.load(5, "A", "B")
	campaigns := suite.Listed(s, s.shop.Campaigns(s.Context()))
	var ids []int64
	for _, c := range campaigns {
		ids = append(ids, c.ID)
		suite.Same(s, "campaign", c, s.campaign(c.ID))
	}
	suite.Same(s, "campaigns", ids, []int64{1, 3, 5, 7, 11})
}

func campaignsPages(s *scene) {
	const full = 200 // a page of the library
	suite.Pages(s, full, []int{1, full}, func(from, to int) {
		s.Each(suite.Crowd(to-from, 8, func(i int) error {
			return suite.Err(s.shop.Define(s.Context(), int64(from+i+1), 1, coupon.Rules{}, tenOff()))
		}))
	}, func() iter.Seq2[coupon.Campaign, error] {
		return s.shop.Campaigns(s.Context())
	}, func(n int, c coupon.Campaign) {
		suite.Same(s, "campaign", c.ID, int64(n+1))
	})
}

// lives gives buyer 5 a coupon of each status, and some that have none.
func (s *scene) lives() {
	s.Helper()
	now := s.now()
	s.define(1, 100, coupon.Rules{}, between(tenOff(), now, now.Add(day)))
	for _, id := range []string{"expired", "returned too late"} {
		s.claim(id, "5")
	}
	s.redeem("returned too late", "A")
	s.Advance(day)
	s.giveBack("returned too late", "A")
	s.define(1, 100, coupon.Rules{}, tenOff())
	for _, id := range []string{"usable", "reserved", "used", "lapsed", "refunded", "revoked"} {
		s.claim(id, "5")
	}
	s.reserve("lapsed", "A")
	s.lock("dead", "5")
	s.Advance(reserve)
	s.lock("pending", "5")
	s.lock("cancelled", "5")
	s.cancel("cancelled")
	s.cancel("closed")
	s.reserve("reserved", "A")
	s.redeem("used", "A")
	s.refund("r1", "refunded")
	s.revoke("r2", "revoked")
	s.claim("another's", "6")
	s.define(1, 100, coupon.Rules{}, between(tenOff(), s.now().Add(day), s.now().Add(2*day)))
	s.claim("waiting", "5")
}

func progressCounts(s *scene) {
	s.lives()
	s.progress(coupon.Count{Pending: 1, Usable: 4, Reserved: 1, Redeemed: 1, Expired: 2, Refunded: 1, Revoked: 1})
	s.counts(stock.Quantities{Total: 100, Sold: 8, Locked: 2, Left: 92, Refunded: 2})
	s.define(2, 5, coupon.Rules{}, tenOff())
	suite.Same(s, "progress of another", suite.Must(s.shop.Progress(s.Context(), 2)), coupon.Count{})
}

func couponUnknown(s *scene) {
	s.open(10)
	s.cancel("closed")
	for _, shop := range []*coupon.Coupons{s.shop, s.shop.For("5")} {
		for _, id := range []string{"unknown", "closed"} {
			_, err := shop.Coupon(s.Context(), id)
			s.Is(err, coupon.ErrNotFound)
			suite.Same(s, "error", suite.As[*coupon.StateError](s, err).Coupon, id)
			s.Is(suite.Err(shop.History(s.Context(), id)), coupon.ErrNotFound)
		}
		s.Is(suite.Err(shop.ByCode(s.Context(), "unknown")), coupon.ErrNotFound)
		uses := suite.Must(shop.UsedBy(s.Context(), "unknown"))
		s.Count("uses", len(uses), 0)
	}
	suite.Same(s, "wallet", suite.Listed(s, s.shop.For("5").Wallet(s.Context())), nil)
}

func historyWhole(s *scene) {
	s.open(10)
	locked := s.now()
	s.lock("c", "5")
	s.Advance(time.Minute)
	paid := s.now()
	s.pay("c")
	for _, order := range []string{"C", "B"} { // in another order than by their numbers
		s.Advance(time.Minute)
		s.reserve("c", order)
		s.release("c", order)
	}
	s.redeem("c", "Y") // two at one moment
	s.giveBack("c", "Y")
	s.redeem("c", "X")
	s.giveBack("c", "X")
	s.Advance(time.Minute)
	s.revoke("r", "c")
	h := suite.Must(s.shop.For("5").History(s.Context(), "c"))
	suite.Same(s, "coupon", h.Coupon, s.coupon("c"))
	suite.Same(s, "hold", h.Hold, stock.Hold{
		Order: "c", Buyer: "5", State: stock.Refunded, Deadline: locked.Add(hold), LockedAt: locked, PaidAt: paid, UpdatedAt: s.now(),
		Lines: []stock.HoldLine{{Line: one(), Refunded: 1, Restocked: 1}},
	})
	var orders []string
	for _, u := range h.Uses {
		orders = append(orders, u.Order)
		suite.Same(s, "use", u, s.use("c", u.Order))
	}
	suite.Same(s, "orders", orders, []string{"C", "B", "X", "Y"})
}

// usedByLists has one order use coupons of three buyers, each in another way.
func usedByLists(s *scene) {
	s.open(10)
	for i, id := range []string{"c", "a", "b"} {
		s.claim(id, fmt.Sprint(i+1))
		s.reserve(id, "A")
	}
	s.redeem("c", "A")
	s.release("a", "A")
	suite.Same(s, "uses", suite.Must(s.shop.UsedBy(s.Context(), "A")), []coupon.Use{s.use("a", "A"), s.use("b", "A"), s.use("c", "A")})
	for id, want := range map[string]coupon.UseState{"a": coupon.UseReleased, "b": coupon.UseReserved, "c": coupon.UseRedeemed} {
		s.used(id, "A", want)
	}
	suite.Same(s, "uses of one buyer", suite.Must(s.shop.For("3").UsedBy(s.Context(), "A")), []coupon.Use{s.use("b", "A")})
	s.Count("uses by another order", len(suite.Must(s.shop.UsedBy(s.Context(), "B"))), 0)
}

// wallet ends the test unless buyer 5 has these coupons of some statuses, in any order.
func (s *scene) wallet(statuses []coupon.Status, want ...string) {
	s.Helper()
	var got []string
	for _, c := range suite.Listed(s, s.shop.For("5").Wallet(s.Context(), statuses...)) {
		got = append(got, c.ID)
		suite.Same(s, "coupon", c, s.coupon(c.ID))
	}
	slices.Sort(got)
	slices.Sort(want)
	suite.Same(s, fmt.Sprintf("wallet of %v", statuses), got, want)
}

func walletPageByPage(s *scene) {
	s.lives()
	for _, statuses := range [][]coupon.Status{nil, {coupon.StatusUsed, coupon.StatusUsable}} {
		want := suite.Listed(s, s.shop.For("5").Wallet(s.Context(), statuses...))
		for _, limit := range []int{50, 2, 1} {
			suite.Same(s, "pages", suite.Paged(s, limit, func(page stock.PageRequest) (stock.Page[coupon.Coupon], error) {
				return s.shop.For("5").WalletPage(s.Context(), page, statuses...)
			}), want)
		}
	}
	next := suite.Must(s.shop.For("5").WalletPage(s.Context(), stock.PageRequest{Limit: 1})).Next
	s.Is(suite.Err(s.shop.For("6").WalletPage(s.Context(), stock.PageRequest{After: next})), coupon.ErrInvalid)
	s.Is(suite.Err(s.shop.WalletPage(s.Context(), stock.PageRequest{})), coupon.ErrInvalid)
}

func changesByOperators(s *scene) {
	by := func(reason string) *coupon.Coupons {
		s.Advance(time.Second)
		return s.shop.By("eve", reason)
	}
	s.No(suite.Err(by("spring").Define(s.Context(), 1, 10, coupon.Rules{}, tenOff())))
	s.No(suite.Err(by("more").Restock(s.Context(), "in", 1, 5)))
	s.No(suite.Err(s.shop.Withdraw(s.Context(), "out", 1, 2)))
	s.claim("a", "5")
	s.No(suite.Err(by("a bot").Revoke(s.Context(), coupon.Revocation{ID: "r", Coupon: "a"})))
	s.define(2, 0, coupon.Rules{}, pooled(tenOff()))
	s.No(suite.Err(by("printed").Import(s.Context(), 2, slices.Values([]string{"A", "B"}))))
	list := func(campaign int64, want ...string) {
		s.Helper()
		var got []string
		for _, c := range suite.Paged(s, 2, func(page stock.PageRequest) (stock.Page[stock.Change], error) {
			return s.shop.ChangesPage(s.Context(), campaign, page)
		}) {
			got = append(got, fmt.Sprintf("%v by %s: %s", c.Kind, c.Actor, c.Reason))
		}
		suite.Same(s, "changes", got, want)
	}
	s.Advance(time.Second)
	s.damage("damage", stock.Entry{Key: item(1), Delta: stock.Quantities{Locked: 2}})
	s.No(suite.Err(by("recounted").Repair(s.Context(), 1)))
	corrected := suite.Must(s.shop.ChangesPage(s.Context(), 1, stock.PageRequest{Limit: 1})).Rows[0]
	suite.Same(s, "correction", corrected.Entries, []stock.Entry{{Key: item(1), Delta: stock.Quantities{Locked: -2}}})
	list(1, "repair by eve: recounted", "repair by : ", "refund by eve: a bot", "withdraw by : ", "restock by eve: more",
		"define by eve: spring")
	list(2, "import by eve: printed", "define by : ")
	s.Is(suite.Err(s.shop.ChangesPage(s.Context(), 9, stock.PageRequest{})), coupon.ErrUnknownCampaign)
}

func walletByStatus(s *scene) {
	s.lives()
	want := map[coupon.Status][]string{
		coupon.StatusUsable:   {"usable", "lapsed"},
		coupon.StatusWaiting:  {"waiting"},
		coupon.StatusReserved: {"reserved"},
		coupon.StatusUsed:     {"used"},
		coupon.StatusExpired:  {"expired", "returned too late"},
		coupon.StatusGone:     {"refunded", "revoked"},
	}
	var all []string
	for _, status := range coupon.Statuses() {
		s.wallet([]coupon.Status{status}, slices.Clone(want[status])...)
		for _, id := range want[status] {
			s.status(id, status)
		}
		s.wallet([]coupon.Status{status, coupon.StatusUsed, status},
			slices.Compact(append(slices.Clone(want[status]), onlyIf(status != coupon.StatusUsed, "used")...))...)
		all = append(all, want[status]...)
	}
	s.wallet(nil, slices.Clone(all)...)
	s.wallet(coupon.Statuses(), all...)
	suite.Same(s, "wallet of another", len(suite.Listed(s, s.shop.For("6").Wallet(s.Context()))), 1)
}

// onlyIf returns the text where the condition holds.
func onlyIf(holds bool, text string) []string {
	if holds {
		return []string{text}
	}
	return nil
}

// walletFollows looks into a wallet on both sides of each moment that matters.
func walletFollows(s *scene) {
	now := s.now()
	s.define(1, 100, coupon.Rules{}, between(tenOff(), now.Add(time.Hour), now.Add(3*time.Hour)))
	s.claim("c", "5")
	at := func(d time.Duration, status coupon.Status) {
		s.Helper()
		s.Advance(now.Add(d).Sub(s.now()))
		for _, other := range coupon.Statuses() {
			s.wallet([]coupon.Status{other}, onlyIf(other == status, "c")...)
		}
		s.status("c", status)
	}
	at(0, coupon.StatusWaiting)
	at(time.Hour-time.Microsecond, coupon.StatusWaiting)
	at(time.Hour, coupon.StatusUsable)
	s.reserve("c", "A")
	at(time.Hour+reserve-time.Microsecond, coupon.StatusReserved)
	at(time.Hour+reserve, coupon.StatusUsable)
	at(3*time.Hour-time.Microsecond, coupon.StatusUsable)
	s.reserve("c", "B")
	at(3*time.Hour, coupon.StatusReserved)
	at(3*time.Hour+reserve-2*time.Microsecond, coupon.StatusReserved)
	at(3*time.Hour+reserve-time.Microsecond, coupon.StatusExpired)
}

func walletByEnd(s *scene) {
	now := s.now()
	for i, hours := range []int{5, 1, 3, 1, 3} {
		s.define(1, 100, coupon.Rules{}, until(tenOff(), now.Add(time.Duration(hours)*time.Hour)))
		for _, name := range []string{"b", "B", "a "} {
			s.claim(fmt.Sprint(name, 9-i), "5")
		}
	}
	coupons := suite.Listed(s, s.shop.For("5").Wallet(s.Context()))
	s.Count("coupons", len(coupons), 15)
	if !slices.IsSortedFunc(coupons, func(a, b coupon.Coupon) int { return cmp.Or(a.Until.Compare(b.Until), cmp.Compare(a.ID, b.ID)) }) {
		s.Fatalf("not in order: %v", coupons)
	}
}

func walletPages(s *scene) {
	const full = 200 // a page of the library
	s.open(1000)
	suite.Pages(s, full, []int{1, full}, func(from, to int) {
		s.Each(suite.Crowd(to-from, 8, func(i int) error {
			return suite.Err(s.shop.For("5").Claim(s.Context(), fmt.Sprintf("c%04d", from+i), 1))
		}))
	}, func() iter.Seq2[coupon.Coupon, error] {
		return s.shop.For("5").Wallet(s.Context(), coupon.StatusUsable)
	}, func(n int, c coupon.Coupon) {
		suite.Same(s, "coupon", c.ID, fmt.Sprintf("c%04d", n)) // which all end at one moment
	})
}

// listingsEnd breaks the wire at each call that a listing makes.
func listingsEnd(s *scene) {
	s.open(10)
	s.claim("c", "5")
	for name, list := range map[string]func(*coupon.Coupons) (int, error){
		"Campaigns": func(c *coupon.Coupons) (int, error) {
			all, err := suite.Gather(c.Campaigns(s.Context()))
			return len(all), err
		},
		"Wallet": func(c *coupon.Coupons) (int, error) {
			all, err := suite.Gather(c.For("5").Wallet(s.Context()))
			return len(all), err
		},
	} {
		for n := 1; ; n++ {
			calls := 0
			shop := s.over(suite.Wire{Send: suite.Fails(coupon.ErrUnavailable, func(string) bool { calls++; return calls == n })})
			got, err := list(shop)
			if err == nil {
				s.Count(name, got, 1)
				break
			}
			s.Is(err, coupon.ErrUnavailable)
			s.Count("calls of "+name+" after the error", calls, n)
		}
	}
}

// resultsBelong changes what calls were given and returned: the store does not notice.
func resultsBelong(s *scene) {
	s.open(10)
	s.claim("c", "5")
	s.redeem("c", "A")
	h := suite.Must(s.shop.History(s.Context(), "c"))
	h.Hold.Lines[0].Num, h.Uses[0].Order = 99, "spoilt"
	uses := suite.Must(s.shop.UsedBy(s.Context(), "A"))
	uses[0].State = coupon.UseReleased
	again := suite.Must(s.shop.History(s.Context(), "c"))
	suite.Same(s, "units", again.Hold.Lines[0].Num, 1)
	suite.Same(s, "order", again.Uses[0].Order, "A")
	suite.Same(s, "state", again.Uses[0].State, coupon.UseRedeemed)

	b := gift("b", "1", "2", "3")
	issued := suite.Must(s.shop.Issue(s.Context(), b))
	slices.Reverse(b.Buyers)
	issued.Given[0] = coupon.Grant{}
	s.issue(gift("b", "1", "2", "3"), granted("b", coupon.Given, "1", "2", "3"), nil)

	codes := []string{"A", "B", "C"}
	s.define(2, 0, coupon.Rules{}, pooled(tenOff()))
	owners, verdict, err := s.Store.AddCodes(s.Context(), 2, -1, codes, "", "")
	s.No(err)
	suite.Same(s, "verdict", verdict, stock.Done)
	codes[0], owners[1] = "SPOILT", 7
	suite.Same(s, "code", suite.Must(s.shop.For("5").Claim(s.Context(), "d", 2)).Code, "A")
}
