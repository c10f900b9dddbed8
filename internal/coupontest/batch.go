package coupontest

import (
	"context"
	"fmt"
	"strings"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func batchCases() []testCase {
	return []testCase{
		{Name: "BatchOfTenGivesTheFiveThatRemain", Run: batchFirstFive},
		{Name: "BatchOfTenForAllGivesNoneOfFive", Run: batchAllOrNothing},
		{Name: "BatchSkipsWhoHasHadEnough", Run: batchSkips},
		{Name: "BatchGivesUsableCoupons", Run: batchGives},
		{Name: "BatchAgainReturnsTheSameForEver", Run: batchAgain},
		{Name: "BatchWithOtherArgumentsIsAMismatch", Run: batchMismatch},
		{Name: "BatchNamesEachReason", Run: batchReasons},
		{Name: "BatchOfAnUnknownCampaignIsRefused", Run: batchUnknown},
		{Name: "BatchSkipsNumbersThatAreTaken", Run: batchTaken},
		{Name: "BatchDropsTheDeadFirst", Run: batchDropsDead},
		{Name: "BatchGivesEachACode", Run: batchCodes},
		{Name: "BatchOfManyBuyers", Run: batchMany},
		{Name: "BatchAtOnceIsIssuedOnce", Run: batchAtOnce},
		{Name: "BatchNeverAboveTheTotal", Run: batchesAtOnce},
	}
}

// buyers returns the buyers from one number to another.
func buyers(from, to int64) []string {
	all := make([]string, 0, to-from+1)
	for b := from; b <= to; b++ {
		all = append(all, fmt.Sprint(b))
	}
	return all
}

// gift returns a batch of campaign 1.
func gift(id string, to ...string) coupon.Batch { return coupon.Batch{ID: id, Campaign: 1, Buyers: to} }

// gifted returns the ID of the coupon that a buyer of a batch gets.
func gifted(batch, buyer string) string { return coupon.Batch{ID: batch}.CouponOf(buyer) }

// whole returns a batch that is for all or none.
func whole(b coupon.Batch) coupon.Batch {
	b.All = true
	return b
}

// granted returns what a batch says of buyers who all met with the same.
func granted(id string, reason coupon.Reason, to ...string) []coupon.Grant {
	all := make([]coupon.Grant, len(to))
	for i, b := range to {
		all[i] = coupon.Grant{Buyer: b, Coupon: gifted(id, b), Reason: reason}
	}
	return all
}

// issue issues a batch and ends the test unless these were given and skipped. It reports whether that was a Replay.
func (s *scene) issue(b coupon.Batch, given, skipped []coupon.Grant) bool {
	s.Helper()
	issued := suite.Must(s.shop.Issue(s.Context(), b))
	suite.Same(s, "batch", issued, coupon.IssueResult{Given: given, Skipped: skipped, Replay: issued.Replay})
	return issued.Replay
}

func batchFirstFive(s *scene) {
	s.open(5)
	for _, again := range []bool{false, true} {
		replay := s.issue(
			gift("b", buyers(1, 10)...), granted("b", coupon.Given, buyers(1, 5)...), granted("b", coupon.ReasonSoldOut, buyers(6, 10)...))
		suite.Same(s, "replay", replay, again)
	}
	s.counts(stock.Quantities{Total: 5, Sold: 5})
	for _, g := range granted("b", coupon.Given, buyers(1, 5)...) {
		s.state(g.Coupon, coupon.Usable)
	}
	for _, g := range granted("b", coupon.Given, buyers(6, 10)...) {
		s.unclaimed(g.Coupon)
	}
}

func batchAllOrNothing(s *scene) {
	s.open(5)
	b := whole(gift("b", buyers(1, 10)...))
	for range 2 {
		got, err := s.shop.Issue(s.Context(), b)
		s.Is(err, coupon.ErrSoldOut)
		suite.Same(s, "error", *suite.As[*coupon.BatchError](s, err), coupon.BatchError{Batch: "b", Buyer: "6", Reason: coupon.ReasonSoldOut})
		suite.Same(s, "batch", got, coupon.IssueResult{})
		s.counts(stock.Quantities{Total: 5, Left: 5})
		s.unclaimed(gifted("b", "1"))
	}
	s.No(suite.Err(s.shop.Restock(s.Context(), "in", 1, 5)))
	for _, again := range []bool{false, true} {
		suite.Same(s, "replay", s.issue(b, granted("b", coupon.Given, buyers(1, 10)...), nil), again)
		s.counts(stock.Quantities{Total: 10, Sold: 10})
	}
}

func batchSkips(s *scene) {
	s.define(1, 100, coupon.Rules{PerBuyer: 2}, tenOff())
	s.claim("a", "2")
	s.lock("b", "2")
	s.claim("c", "3")
	s.issue(gift("g1", "1", "2", "3"), granted("g1", coupon.Given, "1", "3"), granted("g1", coupon.ReasonPerBuyer, "2"))
	s.issue(gift("g2", "3", "2", "1"), granted("g2", coupon.Given, "1"), granted("g2", coupon.ReasonPerBuyer, "3", "2"))
	got, err := s.shop.Issue(s.Context(), whole(gift("g3", "4", "2", "5")))
	s.Is(err, coupon.ErrPerBuyer)
	suite.Same(s, "error", *suite.As[*coupon.BatchError](s, err), coupon.BatchError{Batch: "g3", Buyer: "2", Reason: coupon.ReasonPerBuyer})
	suite.Same(s, "batch", got, coupon.IssueResult{})
	s.counts(stock.Quantities{Total: 100, Sold: 5, Locked: 1, Left: 95})
}

func batchGives(s *scene) {
	s.open(10)
	s.claim("claimed", "7")
	want := s.coupon("claimed")
	s.issue(gift("b", "7", "8"), granted("b", coupon.Given, "7", "8"), nil)
	want.ID = gifted("b", "7")
	suite.Same(s, "coupon", s.coupon(gifted("b", "7")), want)
	suite.Replays(s, "claimed again", s.claim(gifted("b", "7"), "7"), want) // it is a claim like any other
	s.redeem(gifted("b", "7"), "A")
	s.refund("r", gifted("b", "8"))
	s.counts(stock.Quantities{Total: 10, Sold: 2, Left: 8, Refunded: 1})
}

// batchAgain makes a batch again after everything that it was decided by has changed.
func batchAgain(s *scene) {
	s.define(1, 2, coupon.Rules{PerBuyer: 1}, tenOff())
	s.claim("a", "2")
	b := gift("b", "3", "2", "1")
	for range 2 {
		s.issue(b, granted("b", coupon.Given, "3"), append(granted("b", coupon.ReasonPerBuyer, "2"), granted("b", coupon.ReasonSoldOut, "1")...))
		s.Advance(1000 * day)
		s.rules(coupon.Rules{Closed: true}, tenOff())
	}
	s.No(suite.Err(s.shop.Restock(s.Context(), "in", 1, 10)))
	s.rules(coupon.Rules{}, tenOff())
	s.revoke("r", gifted("b", "3"))
	s.issue(b, granted("b", coupon.Given, "3"), append(granted("b", coupon.ReasonPerBuyer, "2"), granted("b", coupon.ReasonSoldOut, "1")...))
	s.state(gifted("b", "3"), coupon.Revoked)
	s.issue(gift("another", "1"), granted("another", coupon.Given, "1"), nil)
	s.counts(stock.Quantities{Total: 12, Sold: 2, Left: 10, Refunded: 1})
}

func batchMismatch(s *scene) {
	s.open(10)
	s.define(2, 10, coupon.Rules{}, tenOff())
	s.issue(gift("b", "1", "2", "3"), granted("b", coupon.Given, "1", "2", "3"), nil)
	other := gift("b", "1", "2", "3")
	other.Campaign = 2
	for name, b := range map[string]coupon.Batch{
		"another campaign": other, "all or none": whole(gift("b", "1", "2", "3")), "fewer buyers": gift("b", "1", "2"),
		"more buyers": gift("b", "1", "2", "3", "4"), "other buyers": gift("b", "1", "2", "4"), "another order": gift("b", "2", "1", "3"),
	} {
		got, err := s.shop.Issue(s.Context(), b)
		s.Is(err, coupon.ErrMismatch)
		suite.Same(s, "batch with "+name, got, coupon.IssueResult{})
	}
	s.counts(stock.Quantities{Total: 10, Sold: 3, Left: 7})
	suite.Same(s, "the other campaign", s.campaign(2).Quantities, stock.Quantities{Total: 10, Left: 10})
	s.issue(gift("B", "1"), granted("B", coupon.Given, "1"), nil) // another number
}

func batchReasons(s *scene) {
	now := s.now()
	for i, c := range []struct {
		rules  coupon.Rules
		terms  coupon.Terms
		total  int64
		reason coupon.Reason
		err    error
	}{
		{coupon.Rules{}, tenOff(), 0, coupon.ReasonSoldOut, coupon.ErrSoldOut},
		{coupon.Rules{Closed: true}, tenOff(), 1, coupon.ReasonClosed, coupon.ErrClosed},
		{coupon.Rules{Start: now.Add(day)}, tenOff(), 1, coupon.ReasonNotYet, coupon.ErrNotStarted},
		{coupon.Rules{End: now}, tenOff(), 1, coupon.ReasonEnded, coupon.ErrEnded},
		{coupon.Rules{}, until(tenOff(), now), 1, coupon.ReasonEnded, coupon.ErrEnded},
	} {
		id := fmt.Sprint("b", i)
		s.define(int64(i+1), c.total, c.rules, c.terms)
		b := coupon.Batch{ID: id, Campaign: int64(i + 1), Buyers: []string{"1", "2"}}
		s.issue(b, nil, granted(id, c.reason, "1", "2"))
		b.ID, b.All = id+" all", true
		_, err := s.shop.Issue(s.Context(), b)
		s.Is(err, c.err)
		suite.Same(s, "error", *suite.As[*coupon.BatchError](s, err), coupon.BatchError{Batch: b.ID, Buyer: "1", Reason: c.reason})
	}
}

func batchUnknown(s *scene) {
	for _, b := range []coupon.Batch{gift("b", "1", "2"), whole(gift("b", "1", "2"))} {
		s.Is(suite.Err(s.shop.Issue(s.Context(), b)), coupon.ErrUnknownCampaign)
	}
	s.open(10)
	s.issue(gift("b", "1", "2"), granted("b", coupon.Given, "1", "2"), nil) // nothing was recorded
}

// batchTaken has other claims with the numbers that a batch would give out.
func batchTaken(s *scene) {
	s.open(10)
	s.claim(gifted("b", "2"), "9")
	s.cancel(gifted("b", "3"))
	was := s.coupon(gifted("b", "2"))
	_, err := s.shop.Issue(s.Context(), whole(gift("b", "1", "2", "3", "4")))
	suite.Same(s, "error", *suite.As[*coupon.BatchError](s, err), coupon.BatchError{Batch: "b", Buyer: "2", Reason: coupon.ReasonTaken})
	s.Is(err, coupon.ErrMismatch)
	s.claim(gifted("c", "2"), "9")
	s.cancel(gifted("c", "3"))
	s.issue(gift("c", "1", "2", "3", "4"), granted("c", coupon.Given, "1", "4"), granted("c", coupon.ReasonTaken, "2", "3"))
	suite.Same(s, "the coupon of another", s.coupon(gifted("b", "2")), was)
	s.counts(stock.Quantities{Total: 10, Sold: 4, Left: 6})
}

// batchDropsDead issues the units of coupons whose holds are dead, whether or not all have to get one. The hook is told of each that
// is dropped.
func batchDropsDead(s *scene) {
	dropped := 0
	s.shop = s.with(coupon.Options{Hook: func(_ context.Context, e coupon.Effect) {
		if e.Units == stock.StepExpire {
			dropped++
		}
	}})
	s.define(1, 4, coupon.Rules{PerBuyer: 1}, tenOff())
	for b := int64(1); b <= 4; b++ {
		s.lock(fmt.Sprint("dead ", b), fmt.Sprint(b))
	}
	s.issue(gift("early", "1", "5"), nil, append(granted("early", coupon.ReasonPerBuyer, "1"), granted("early", coupon.ReasonSoldOut, "5")...))
	s.Advance(hold)
	s.issue(gift("b", "1", "2"), granted("b", coupon.Given, "1", "2"), nil)
	s.Count("coupons that were dropped", dropped, 4)
	s.issue(whole(gift("c", "3", "5")), granted("c", coupon.Given, "3", "5"), nil)
	s.define(2, 1, coupon.Rules{PerBuyer: 1}, tenOff())
	s.No(suite.Err(s.shop.For("1").Lock(s.Context(), "dead 5", 2)))
	s.Advance(hold)
	s.issue(coupon.Batch{ID: "d", Campaign: 2, Buyers: []string{"1"}, All: true}, granted("d", coupon.Given, "1"), nil)
	s.Count("coupons that were dropped", dropped, 5)
	s.counts(stock.Quantities{Total: 4, Sold: 4})
}

func batchCodes(s *scene) {
	s.pool("A", "B", "C", "D", "E")
	s.claim("first", "9")
	s.issue(gift("b", "3", "1", "2"), granted("b", coupon.Given, "3", "1", "2"), nil)
	for id, want := range map[string]string{"first": "A", gifted("b", "3"): "B", gifted("b", "1"): "C", gifted("b", "2"): "D"} {
		suite.Same(s, "code of "+id, s.coupon(id).Code, want)
	}
	s.Is(suite.Err(s.shop.Issue(s.Context(), whole(gift("c", "1", "2")))), coupon.ErrSoldOut)
	s.issue(gift("d", "1", "2"), granted("d", coupon.Given, "1"), granted("d", coupon.ReasonSoldOut, "2"))
	suite.Same(s, "the last code", s.coupon(gifted("d", "1")).Code, "E")
	s.counts(stock.Quantities{Total: 5, Sold: 5})
}

func batchMany(s *scene) {
	const many = 1200
	s.open(2*many - 100)
	long := strings.Repeat("x", coupon.MaxBatchID)
	s.issue(whole(gift(long, buyers(1, many)...)), granted(long, coupon.Given, buyers(1, many)...), nil)
	_, err := s.shop.Issue(s.Context(), whole(gift("all", buyers(1, many)...)))
	s.Is(err, coupon.ErrSoldOut)
	suite.Same(s, "error", *suite.As[*coupon.BatchError](s, err), coupon.BatchError{Batch: "all", Buyer: "1101", Reason: coupon.ReasonSoldOut})
	s.counts(stock.Quantities{Total: 2*many - 100, Left: many - 100, Sold: many})
	rest := gift("b", buyers(1, many)...)
	broken := s.over(suite.Wire{Send: suite.Fails(coupon.ErrUnavailable, suite.Nth(2, suite.Named("Issue")))})
	part, err := broken.Issue(s.Context(), rest)
	s.Is(err, coupon.ErrUnavailable)
	suite.Same(s, "issued before it broke", part, coupon.IssueResult{Given: granted("b", coupon.Given, buyers(1, 500)...)})
	for range 2 { // goes on
		s.issue(rest, granted("b", coupon.Given, buyers(1, many-100)...), granted("b", coupon.ReasonSoldOut, buyers(many-99, many)...))
	}
	s.counts(stock.Quantities{Total: 2*many - 100, Sold: 2*many - 100})
	s.progress(coupon.Count{Usable: 2*many - 100})
}

// batchAtOnce makes the same batch from many places at once.
func batchAtOnce(s *scene) {
	s.open(150)
	for _, b := range []coupon.Batch{gift("some", buyers(1, 100)...), whole(gift("all", buyers(1, 50)...))} {
		issued := make([]coupon.IssueResult, 12)
		s.Each(suite.Together(len(issued), func(i int) (err error) {
			issued[i], err = s.shop.Issue(s.Context(), b)
			return err
		}))
		for _, got := range issued {
			suite.Same(s, "batch "+b.ID, got, coupon.IssueResult{Given: granted(b.ID, coupon.Given, b.Buyers...), Replay: got.Replay})
		}
	}
	s.counts(stock.Quantities{Total: 150, Sold: 150})
}

// batchesAtOnce lets batches and claims meet at the end of a campaign.
func batchesAtOnce(s *scene) {
	s.open(100)
	given := make([]int, 16)
	errs := suite.Together(len(given), func(i int) error {
		id := fmt.Sprint("b", i)
		b := gift(id, buyers(int64(i*10+1), int64(i*10+10))...)
		switch i % 3 {
		case 0:
			_, err := s.shop.For(fmt.Sprint(i+1)).Claim(s.Context(), id, 1)
			if err == nil {
				given[i] = 1
			}
			return err
		case 1:
			b.All = true
		}
		issued, err := s.shop.Issue(s.Context(), b)
		given[i] = len(issued.Given)
		return err
	})
	s.Succeeded(errs, coupon.ErrSoldOut)
	sum := int64(0)
	for i, n := range given {
		if i%3 == 1 && n != 0 && n != 10 {
			s.Fatalf("a batch for all went to %d", n)
		}
		sum += int64(n)
	}
	s.counts(stock.Quantities{Total: 100, Sold: sum, Left: 100 - sum})
}
