package coupontest

import (
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// guardCases ask the store itself: for what coupons meet only in a race, or never.
func guardCases() []testCase {
	return []testCase{
		{Name: "StoreAddTerms", Run: guardTerms},
		{Name: "StoreAddCodes", Run: guardCodes},
		{Name: "StoreAddCodesAfterSoMany", Run: guardCodesHave},
		{Name: "StoreAddBatch", Run: guardBatch},
		{Name: "StoreIssue", Run: guardIssue},
		{Name: "StoreIssueToAllOrNone", Run: guardIssueAll},
		{Name: "StoreIssueOfWhatIsRecorded", Run: guardIssueAgain},
		{Name: "StoreReadingWhatIsNotThere", Run: readNothing},
		{Name: "StoreWalletUpToALimit", Run: readWallet},
		{Name: "StoreBook", Run: readBook},
	}
}

func guardTerms(s *scene) {
	at := s.now()
	all := []coupon.Terms{
		tenOff(),
		between(tenOff(), at, at.Add(day)),
		{
			Title: "全场八五折", Kind: coupon.PercentOff, Places: 2, Percent: dec("15"), Cap: dec("99.99"), ForDays: 7, AfterDays: 1,
			Zone: "Europe/Berlin", Pool: true,
		},
		{Kind: coupon.Gift, Scope: "gift 7", Places: 8, Minimum: dec("0.00000001"), ValidUntil: at.Add(day)},
	}
	for campaign := int64(1); campaign <= 2; campaign++ {
		for i, terms := range all {
			s.Answers(stock.Done)(s.Store.AddTerms(s.Context(), campaign, int64(i+1), terms))
			s.Answers(stock.Exists)(s.Store.AddTerms(s.Context(), campaign, int64(i+1), all[(i+1)%len(all)]))
		}
	}
	for i, terms := range all {
		got, ok, err := s.Store.Terms(s.Context(), 2, int64(i+1))
		s.No(err)
		suite.Same(s, "known", ok, true)
		suite.Same(s, "terms", got, terms)
	}
	for _, none := range [][2]int64{{1, 5}, {3, 1}, {1, 0}} {
		got, ok, err := s.Store.Terms(s.Context(), none[0], none[1])
		s.No(err)
		suite.Same(s, "known", ok, false)
		suite.Same(s, "terms", got, coupon.Terms{})
	}
	_, err := s.shop.Campaign(s.Context(), 1) // terms make no campaign
	s.Is(err, coupon.ErrUnknownCampaign)
}

// adds ends the test unless codes find these owners.
func (s *scene) adds(campaign, have int64, codes []string, want []int64) {
	s.Helper()
	owners, verdict, err := s.Store.AddCodes(s.Context(), campaign, have, codes, "", "")
	s.Answers(stock.Done)(verdict, err)
	suite.Same(s, "owners", owners, want)
}

func guardCodes(s *scene) {
	_, verdict, err := s.Store.AddCodes(s.Context(), 1, -1, []string{"A"}, "", "")
	s.Answers(stock.Refused)(verdict, err)
	s.pool()
	s.define(2, 0, coupon.Rules{}, pooled(tenOff()))
	s.adds(1, -1, []string{"B", "A", "C"}, []int64{0, 0, 0})
	s.adds(2, -1, []string{"C", "D", "A", "E"}, []int64{1, 0, 1, 0})
	s.adds(1, -1, []string{"E", "F", "B"}, []int64{2, 0, 1})
	s.adds(1, -1, []string{"A", "B"}, []int64{1, 1}) // none of them is new
	s.counts(stock.Quantities{Total: 4, Left: 4})
	suite.Same(s, "the second campaign", s.campaign(2).Quantities, stock.Quantities{Total: 2, Left: 2})
	for campaign, want := range map[int64]int64{1: 4, 2: 2, 3: 0} {
		suite.Same(s, "codes", suite.Must(s.Store.Codes(s.Context(), campaign)), want)
	}
	for i, want := range []string{"B", "A", "C", "F"} { // in the order in which they came
		c := s.claim(want, "5")
		suite.Same(s, "code", c.Code, want)
		suite.Same(s, "position", c.Position, int64(i+1))
	}
	book := suite.Must(s.units().Books(s.Context(), []stock.Key{item(1)}))[0]
	suite.Same(s, "units recorded", book.Recount.Total, 4) // as changes, which an audit finds
}

func guardCodesHave(s *scene) {
	s.pool()
	refused := func(have int64) {
		s.Helper()
		_, verdict, err := s.Store.AddCodes(s.Context(), 1, have, []string{"X"}, "", "")
		s.Answers(stock.Refused)(verdict, err)
	}
	refused(1)
	s.adds(1, 0, []string{"A", "B"}, []int64{0, 0})
	refused(0)
	refused(1)
	refused(3)
	s.claim("c", "5") // what was handed out counts
	s.adds(1, 2, []string{"C", "A"}, []int64{0, 1})
	refused(2)
	s.counts(stock.Quantities{Total: 3, Sold: 1, Left: 2})
	verdicts := make([]stock.Verdict, 8)
	s.Each(suite.Together(len(verdicts), func(i int) (err error) {
		_, verdicts[i], err = s.Store.AddCodes(s.Context(), 1, 3, []string{fmt.Sprint("NEW", i)}, "", "")
		return err
	}))
	done := 0
	for _, v := range verdicts {
		if v == stock.Done {
			done++
		}
	}
	s.Count("calls that filled it up", done, 1)
	s.counts(stock.Quantities{Total: 4, Sold: 1, Left: 3})
}

// recorded ends the test unless a batch is recorded with these results.
func (s *scene) recorded(want coupon.Batch, results []coupon.Grant) {
	s.Helper()
	want.Buyers = nil
	got, granted, err := s.Store.Batch(s.Context(), want.ID)
	s.No(err)
	suite.Same(s, "batch", got, want)
	suite.Same(s, "what became of it", granted, results)
}

func guardBatch(s *scene) {
	s.open(10)
	b := gift("b", "1", "2")
	b.Digest = [32]byte{0, 1, 2, 255}
	s.Answers(stock.Done)(s.Store.AddBatch(s.Context(), b))
	other := whole(gift("b", "3"))
	other.Campaign, other.Digest = 9, [32]byte{7}
	s.Answers(stock.Exists)(s.Store.AddBatch(s.Context(), b))
	s.Answers(stock.Exists)(s.Store.AddBatch(s.Context(), other))
	s.recorded(b, nil)
	other.ID = "B"
	s.Answers(stock.Done)(s.Store.AddBatch(s.Context(), other))
	s.recorded(other, nil)
	s.recorded(b, nil)
}

// orders returns the orders of a batch of campaign 1.
func orders(b coupon.Batch) []stock.Order {
	all := make([]stock.Order, len(b.Buyers))
	for i, buyer := range b.Buyers {
		all[i] = order(b.CouponOf(buyer), buyer, true)
	}
	return all
}

// issues ends the test unless the store answers so to some orders of a batch.
func (s *scene) issues(b coupon.Batch, orders []stock.Order, want []coupon.Grant) {
	s.Helper()
	suite.Same(s, "granted", suite.Must(s.Store.Issue(s.Context(), b, orders, hold, b.All)), want)
}

func guardIssue(s *scene) {
	s.define(1, 3, coupon.Rules{PerBuyer: 1}, tenOff())
	s.claim("first", "3")
	s.cancel(gifted("b", "4"))
	b := gift("b", "2", "3", "4", "1", "5")
	s.Answers(stock.Done)(s.Store.AddBatch(s.Context(), b))
	want := []coupon.Grant{
		granted("b", coupon.Given, "2")[0], granted("b", coupon.ReasonPerBuyer, "3")[0], granted("b", coupon.ReasonTaken, "4")[0],
		granted("b", coupon.Given, "1")[0], granted("b", coupon.ReasonSoldOut, "5")[0],
	}
	all := orders(b)
	s.issues(b, all[:2], want[:2])
	s.recorded(b, want[:2])
	s.issues(b, all[2:], want[2:])
	s.recorded(b, want)
	from, end := tenOff().Validity(s.now())
	suite.Same(s, "coupon", s.raw(gifted("b", "2")), coupon.Coupon{
		ID: gifted("b", "2"), Campaign: 1, Buyer: "2", Terms: tenOff(), TermsNo: 1, State: coupon.Usable,
		From: from, Until: end, ClaimedAt: s.now(), UpdatedAt: s.now(),
	})
	h, _, err := s.units().Hold(s.Context(), gifted("b", "2"))
	s.No(err)
	suite.Same(s, "state of the hold", h.State, stock.Paid)
	suite.Same(s, "lines of the hold", h.Lines, []stock.HoldLine{{Line: one()}})
	suite.Same(s, "coupon of who was skipped", s.raw(gifted("b", "5")), coupon.Coupon{})
	s.counts(stock.Quantities{Total: 3, Sold: 3})
}

func guardIssueAll(s *scene) {
	s.define(1, 3, coupon.Rules{PerBuyer: 1}, tenOff())
	s.claim("first", "3")
	b := whole(gift("b", "1", "3", "2"))
	s.Answers(stock.Done)(s.Store.AddBatch(s.Context(), b))
	was := s.campaign(1)
	for range 2 {
		s.issues(b, orders(b), granted("b", coupon.ReasonPerBuyer, "3"))
		s.recorded(b, nil)
		suite.Same(s, "campaign", s.campaign(1), was)
		suite.Same(s, "coupon", s.raw(gifted("b", "1")), coupon.Coupon{})
		h, _, err := s.units().Hold(s.Context(), gifted("b", "1"))
		s.No(err)
		suite.Same(s, "hold", h.State, stock.Unheld)
	}
	s.rules(coupon.Rules{}, tenOff())
	s.issues(b, orders(b), granted("b", coupon.ReasonSoldOut, "2")) // 1 and 3 would take the last two
	s.No(suite.Err(s.shop.Restock(s.Context(), "in", 1, 1)))
	s.issues(b, orders(b), granted("b", coupon.Given, "1", "3", "2"))
	s.recorded(b, granted("b", coupon.Given, "1", "3", "2"))
	s.counts(stock.Quantities{Total: 4, Sold: 4})
}

func guardIssueAgain(s *scene) {
	s.open(3)
	b := gift("b", "1", "2", "3", "4")
	s.Answers(stock.Done)(s.Store.AddBatch(s.Context(), b))
	all := orders(b)
	s.issues(b, all[:2], granted("b", coupon.Given, "1", "2"))
	s.refund("r", gifted("b", "1"))
	s.issues(b, all[:2], granted("b", coupon.Given, "1", "2"))
	s.state(gifted("b", "1"), coupon.Refunded)
	want := granted("b", coupon.Given, "1", "2", "3", "4")
	s.issues(b, all[1:], want[1:]) // one of them is recorded
	s.recorded(b, want)
	s.issues(b, all, want)
	s.recorded(b, want)
	s.counts(stock.Quantities{Total: 3, Sold: 3, Refunded: 1})

	c := whole(gift("c", "1"))
	s.Answers(stock.Done)(s.Store.AddBatch(s.Context(), c))
	s.No(suite.Err(s.shop.Restock(s.Context(), "in", 1, 1)))
	for range 2 {
		s.issues(c, orders(c), granted("c", coupon.Given, "1"))
	}
	s.recorded(c, granted("c", coupon.Given, "1"))
}

func readNothing(s *scene) {
	suite.Same(s, "coupon", s.raw("unknown"), coupon.Coupon{})
	c, now, err := s.Store.ByCode(s.Context(), "UNKNOWN")
	s.No(err)
	suite.Same(s, "coupon by code", c, coupon.Coupon{})
	suite.Same(s, "clock", now, s.now())
	u, now, err := s.Store.UseOf(s.Context(), "unknown", "unknown")
	s.No(err)
	suite.Same(s, "use", u, coupon.Use{})
	suite.Same(s, "clock", now, s.now())
	uses := suite.Must(s.Store.Uses(s.Context(), "unknown"))
	s.Count("uses", len(uses), 0)
	uses = suite.Must(s.Store.UsedBy(s.Context(), "unknown"))
	s.Count("uses", len(uses), 0)
	b, results, err := s.Store.Batch(s.Context(), "unknown")
	s.No(err)
	suite.Same(s, "batch", b, coupon.Batch{})
	s.Count("what became of it", len(results), 0)
	suite.Same(s, "count", suite.Must(s.Store.Count(s.Context(), 1)), coupon.Count{})
	suite.Same(s, "book", suite.Must(s.Store.Book(s.Context(), 1)), coupon.Book{})
	coupons, now, err := s.Store.Wallet(s.Context(), "5", coupon.Statuses(), coupon.Cursor{}, 10)
	s.No(err)
	s.Count("wallet", len(coupons), 0)
	suite.Same(s, "clock", now, s.now())
}

// readWallet reads a wallet in pages of each size.
func readWallet(s *scene) {
	now := s.now()
	for i, hours := range []int{3, 1, 2, 1} {
		s.define(1, 100, coupon.Rules{}, until(tenOff(), now.Add(time.Duration(hours)*time.Hour)))
		for _, name := range []string{"b", "a", "a "} {
			s.claim(fmt.Sprint(name, i), "5")
		}
	}
	all, at, err := s.Store.Wallet(s.Context(), "5", coupon.Statuses(), coupon.Cursor{}, 100)
	s.No(err)
	suite.Same(s, "clock", at, now)
	s.Count("coupons", len(all), 12)
	for size := 1; size <= 13; size++ {
		var got []coupon.Coupon
		var after coupon.Cursor
		for {
			page, _, err := s.Store.Wallet(s.Context(), "5", coupon.Statuses(), after, size)
			s.No(err)
			if got = append(got, page...); len(page) > size || len(got) > len(all) {
				s.Fatalf("a page of %d has %d coupons, %d in all", size, len(page), len(got))
			}
			if len(page) < size {
				break
			}
			last := page[len(page)-1]
			after = coupon.Cursor{Until: last.Until, ID: last.ID}
		}
		suite.Same(s, fmt.Sprint("wallet in pages of ", size), got, all)
	}
}

// readBook lives through each state that a book counts.
func readBook(s *scene) {
	s.pool("A", "B", "C", "D", "E", "F")
	book := func(want coupon.Book) {
		s.Helper()
		suite.Same(s, "book", suite.Must(s.Store.Book(s.Context(), 1)), want)
	}
	s.lock("pending", "5")
	s.lock("dead", "5")
	s.cancel("closed")
	book(coupon.Book{})
	s.pay("pending")
	book(coupon.Book{Held: 1, Coupons: 1, Positioned: 1, Codes: 1, LastPosition: 1, SoldOut: 1})
	s.claim("c", "5")
	s.reserve("c", "A")
	book(coupon.Book{Held: 2, Coupons: 2, Reserved: 1, ReservedBy: 1, Positioned: 2, Codes: 2, LastPosition: 2, SoldOut: 2})
	s.Advance(reserve)
	s.redeem("c", "B")
	book(coupon.Book{Held: 2, Coupons: 2, Redeemed: 1, RedeemedBy: 1, Positioned: 2, Codes: 2, LastPosition: 2, SoldOut: 2})
	s.giveBack("c", "B")
	s.No(suite.Err(s.shop.Revoke(s.Context(), coupon.Revocation{ID: "r", Coupon: "c"})))
	book(coupon.Book{Held: 2, Coupons: 2, HeldBack: 1, Back: 1, Positioned: 2, Codes: 2, LastPosition: 2, SoldOut: 2})
	s.define(2, 5, coupon.Rules{}, tenOff()) // without a pool there are no positions
	s.No(suite.Err(s.shop.For("5").Claim(s.Context(), "d", 2)))
	suite.Same(s, "book", suite.Must(s.Store.Book(s.Context(), 2)), coupon.Book{Held: 1, Coupons: 1})
	book(coupon.Book{Held: 2, Coupons: 2, HeldBack: 1, Back: 1, Positioned: 2, Codes: 2, LastPosition: 2, SoldOut: 2})
}
