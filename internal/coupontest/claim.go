package coupontest

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func claimCases() []testCase {
	return []testCase{
		{Name: "ClaimGivesACouponAtOnce", Run: claimGives},
		{Name: "ClaimAgainReturnsTheCoupon", Run: claimAgain},
		{Name: "ClaimAgainReturnsTheCouponForEver", Run: claimAgainForEver},
		{Name: "ClaimWithOtherArgumentsIsAMismatch", Run: claimMismatch},
		{Name: "ClaimAfterCancelIsRefusedForEver", Run: claimAfterCancel},
		{Name: "ClaimOfWhatWasLockedPaysForIt", Run: claimOfLocked},
		{Name: "ClaimRefusedMayBeMadeAgain", Run: claimRefused},
		{Name: "ClaimRefusalsComeInTheirOrder", Run: claimPrecedence},
		{Name: "ClaimsPerBuyerAreLimited", Run: perBuyer},
		{Name: "ClaimWindowIsFromItsStartToItsEnd", Run: claimWindow},
		{Name: "ClosedCampaignStopsClaimsAlone", Run: closedCampaign},
		{Name: "UnlimitedCampaignCountsAndNeverRefuses", Run: unlimited},
		{Name: "TotalOfZeroIsNone", Run: totalOfZero},
		{Name: "ClaimAfterAFixedValidityIsRefused", Run: outdated},
		{Name: "RevokedAndRefundedCountByPolicy", Run: countByPolicy},
		{Name: "UsedExpiredAndReturnedCount", Run: usedCounts},
	}
}

func claimGives(s *scene) {
	s.open(10)
	now := s.now()
	from, end := tenOff().Validity(now)
	want := coupon.Coupon{
		ID: "a", Campaign: 1, Buyer: "5", Terms: tenOff(), TermsNo: 1, State: coupon.Usable,
		From: from, Until: end, ClaimedAt: now, UpdatedAt: now,
	}
	suite.Same(s, "coupon", s.claim("a", "5"), want)
	suite.Same(s, "coupon read again", s.coupon("a"), want)
	s.status("a", coupon.StatusUsable)
	s.counts(stock.Quantities{Total: 10, Sold: 1, Left: 9})
	s.progress(coupon.Count{Usable: 1})
	s.redeem("a", "order")
}

func claimAgain(s *scene) {
	s.define(1, 10, coupon.Rules{PerBuyer: 1}, tenOff())
	first := s.claim("a", "5")
	s.Advance(time.Hour)
	suite.Replays(s, "replay", s.claim("a", "5"), first)
	c, err := s.shop.For("5").Lock(s.Context(), "a", 1) // what is bought already
	s.No(err)
	suite.Replays(s, "Lock of what was claimed", c, first)
	suite.Replays(s, "Pay of what was claimed", s.pay("a"), first)
	s.counts(stock.Quantities{Total: 10, Sold: 1, Left: 9})
}

// claimAgainForEver makes the same claim again whatever has become of the coupon, and of the campaign.
func claimAgainForEver(s *scene) {
	s.open(10)
	for _, id := range []string{"usable", "reserved", "redeemed", "returned", "refunded", "revoked"} {
		s.claim(id, "5")
	}
	s.reserve("reserved", "o1")
	s.redeem("redeemed", "o2")
	s.redeem("returned", "o3")
	s.giveBack("returned", "o3")
	s.refund("r1", "refunded")
	s.revoke("r2", "revoked")
	s.rules(coupon.Rules{Closed: true}, until(tenOff(), s.now()))
	s.Advance(1000 * day)
	for id, want := range map[string]coupon.State{
		"usable": coupon.Usable, "reserved": coupon.Reserved, "redeemed": coupon.Redeemed,
		"returned": coupon.Usable, "refunded": coupon.Refunded, "revoked": coupon.Revoked,
	} {
		s.unchanged(id, func() {
			c := s.claim(id, "5")
			suite.Same(s, "state of "+id, c.State, want)
			suite.Replays(s, id, c, s.coupon(id))
		})
	}
}

func claimMismatch(s *scene) {
	s.open(10)
	s.define(2, 10, coupon.Rules{}, tenOff())
	s.claim("a", "5")
	s.lock("b", "5")
	for _, id := range []string{"a", "b"} {
		s.unchanged(id, func() {
			s.Is(suite.Err(s.shop.For("6").Claim(s.Context(), id, 1)), coupon.ErrMismatch)
			s.Is(suite.Err(s.shop.For("5").Claim(s.Context(), id, 2)), coupon.ErrMismatch)
			s.Is(suite.Err(s.shop.For("6").Lock(s.Context(), id, 1)), coupon.ErrMismatch)
			s.Is(suite.Err(s.shop.For("5").Lock(s.Context(), id, 2)), coupon.ErrMismatch)
			_, err := s.shop.For("5").Claim(s.Context(), id, 3) // there is none such
			s.Is(err, coupon.ErrMismatch)
			suite.Same(s, "what differs", *suite.As[*coupon.MismatchError](s, err),
				coupon.MismatchError{ID: id, Field: "lines", Recorded: "1 of SKU 1", Asked: "1 of SKU 3"})
		})
	}
	suite.Same(s, "the other campaign", s.campaign(2).Quantities, stock.Quantities{Total: 10, Left: 10})
}

func claimAfterCancel(s *scene) {
	s.open(10)
	for range 2 {
		s.cancel("a")
	}
	for range 2 {
		s.Is(suite.Err(s.shop.For("5").Claim(s.Context(), "a", 1)), coupon.ErrCancelled, stock.ErrCancelled)
		s.Is(suite.Err(s.shop.For("5").Lock(s.Context(), "a", 1)), coupon.ErrCancelled)
		s.Advance(1000 * day)
	}
	s.counts(stock.Quantities{Total: 10, Left: 10})
	s.progress(coupon.Count{})
}

func claimOfLocked(s *scene) {
	s.open(10)
	s.lock("a", "5")
	s.Advance(hold - time.Microsecond)
	c := s.claim("a", "5")
	suite.Same(s, "state", c.State, coupon.Usable)
	s.SameTime("claimed", c.ClaimedAt, s.now())
	suite.Same(s, "coupon", c, s.coupon("a"))
	s.counts(stock.Quantities{Total: 10, Sold: 1, Left: 9})

	s.lock("b", "5")
	s.Advance(hold)
	s.Is(suite.Err(s.shop.For("5").Claim(s.Context(), "b", 1)), coupon.ErrHoldExpired, stock.ErrExpired)
	s.state("b", coupon.Dropped)
	s.No(suite.Err(s.shop.Expire(s.Context())))
	s.counts(stock.Quantities{Total: 10, Sold: 1, Left: 9})
}

func claimRefused(s *scene) {
	buyer := s.shop.For("5")
	_, err := buyer.Claim(s.Context(), "a", 1)
	s.Is(err, coupon.ErrUnknownCampaign, stock.ErrUnknownSKU)
	suite.Same(s, "campaign", suite.As[*coupon.ClaimError](s, err).Campaign, 1)
	s.unclaimed("a")
	s.define(1, 1, coupon.Rules{Closed: true}, tenOff())
	s.Is(suite.Err(buyer.Claim(s.Context(), "a", 1)), coupon.ErrClosed, stock.ErrOffShelf)
	s.define(1, 1, coupon.Rules{}, tenOff())
	s.claim("b", "6")
	_, err = buyer.Claim(s.Context(), "a", 1)
	s.Is(err, coupon.ErrSoldOut, stock.ErrInsufficient)
	suite.Same(s, "campaign", suite.As[*coupon.ClaimError](s, err).Campaign, 1)
	s.unclaimed("a")
	s.counts(stock.Quantities{Total: 1, Sold: 1})
	s.No(suite.Err(s.shop.Restock(s.Context(), "in", 1, 1)))
	s.claim("a", "5")
	s.counts(stock.Quantities{Total: 2, Sold: 2})
}

// claimPrecedence takes one reason after the other away.
func claimPrecedence(s *scene) {
	now := s.now()
	over, open := now.Add(-time.Hour), coupon.Rules{PerBuyer: 1}
	s.define(1, 1, open, tenOff())
	s.claim("first", "5")
	refused := func(buyer string, rules coupon.Rules, terms coupon.Terms, want error) {
		s.Helper()
		s.define(1, 1, rules, terms)
		for _, call := range []func(*coupon.Coupons) error{
			func(c *coupon.Coupons) error { return suite.Err(c.Claim(s.Context(), "refused", 1)) },
			func(c *coupon.Coupons) error { return suite.Err(c.Lock(s.Context(), "refused", 1)) },
		} {
			err := call(s.shop.For(buyer))
			s.Is(err, want)
			for _, other := range []error{
				coupon.ErrClosed, coupon.ErrNotStarted, coupon.ErrEnded, coupon.ErrOutdated, coupon.ErrPerBuyer, coupon.ErrSoldOut,
			} {
				if !errors.Is(want, other) {
					s.IsNot(err, other)
				}
			}
			s.unclaimed("refused")
		}
	}
	refused("5", coupon.Rules{Closed: true, PerBuyer: 1, Start: now.Add(time.Hour)}, tenOff(), coupon.ErrClosed)
	refused("5", coupon.Rules{PerBuyer: 1, Start: now.Add(time.Hour)}, tenOff(), coupon.ErrNotStarted)
	refused("5", coupon.Rules{PerBuyer: 1, End: over}, tenOff(), coupon.ErrEnded)
	refused("5", open, until(tenOff(), over), coupon.ErrOutdated)
	refused("5", open, tenOff(), coupon.ErrPerBuyer)
	refused("6", open, tenOff(), coupon.ErrSoldOut)
	s.counts(stock.Quantities{Total: 1, Sold: 1})
}

func perBuyer(s *scene) {
	s.define(1, 100, coupon.Rules{PerBuyer: 2}, tenOff())
	s.claim("a", "5")
	s.lock("b", "5") // what waits for payment counts
	s.Is(suite.Err(s.shop.For("5").Claim(s.Context(), "c", 1)), coupon.ErrPerBuyer, stock.ErrPerBuyer)
	s.Is(suite.Err(s.shop.For("5").Lock(s.Context(), "c", 1)), coupon.ErrPerBuyer)
	s.claim("d", "6") // another buyer
	s.cancel("b")
	s.claim("c", "5")
	s.rules(coupon.Rules{PerBuyer: 3}, tenOff())
	s.lock("e", "5")
	s.Advance(hold - time.Microsecond)
	s.Is(suite.Err(s.shop.For("5").Claim(s.Context(), "f", 1)), coupon.ErrPerBuyer)
	s.Advance(time.Microsecond)
	s.claim("f", "5") // nobody has swept
	s.counts(stock.Quantities{Total: 100, Sold: 4, Left: 96})
}

func claimWindow(s *scene) {
	start := s.now().Add(time.Hour)
	end := start.Add(time.Hour)
	s.define(1, 10, coupon.Rules{Start: start, End: end}, tenOff())
	try := func(id string, want ...error) {
		s.Helper()
		_, err := s.shop.For("5").Claim(s.Context(), id, 1)
		if len(want) == 0 {
			s.No(err)
			return
		}
		s.Is(err, want...)
		window := suite.As[*stock.WindowError](s, err)
		s.SameTime("start", window.Start, start)
		s.SameTime("end", window.End, end)
		s.SameTime("now", window.Now, s.now())
		s.unclaimed(id)
	}
	try("a", coupon.ErrNotStarted, stock.ErrNotStarted)
	s.Advance(time.Hour - time.Microsecond)
	try("a", coupon.ErrNotStarted)
	s.Advance(time.Microsecond)
	try("a")
	s.Advance(time.Hour - time.Microsecond)
	try("b")
	s.lock("c", "5")
	s.Advance(time.Microsecond)
	try("d", coupon.ErrEnded, stock.ErrEnded)
	try("a") // a replay is none of its business
	s.pay("c")
	s.counts(stock.Quantities{Total: 10, Sold: 3, Left: 7})
}

// closedCampaign closes a campaign while its coupons are on their way: they go on.
func closedCampaign(s *scene) {
	s.open(10)
	s.lock("pay", "5")
	s.lock("cancel", "5")
	for _, id := range []string{"reserve", "redeem", "return", "refund", "revoke"} {
		s.claim(id, "5")
	}
	s.redeem("return", "o")
	s.rules(coupon.Rules{Closed: true}, tenOff())
	s.Is(suite.Err(s.shop.For("5").Claim(s.Context(), "late", 1)), coupon.ErrClosed)
	s.Is(suite.Err(s.shop.For("5").Lock(s.Context(), "late", 1)), coupon.ErrClosed)
	s.pay("pay")
	s.cancel("cancel")
	s.reserve("reserve", "o2")
	s.redeem("redeem", "o3")
	s.giveBack("return", "o")
	s.refund("r1", "refund")
	s.revoke("r2", "revoke")
	s.counts(stock.Quantities{Total: 10, Sold: 4, Left: 6, Refunded: 2})
}

func unlimited(s *scene) {
	s.define(1, 0, coupon.Rules{Unlimited: true, PerBuyer: 150}, tenOff())
	ids := numbered("c", 200)
	s.Each(suite.Crowd(len(ids), 8, func(i int) error {
		return suite.Err(s.shop.For(fmt.Sprint(i%2+1)).Claim(s.Context(), ids[i], 1))
	}))
	s.counts(stock.Quantities{Sold: 200})
	s.lock("locked", "1")
	s.counts(stock.Quantities{Sold: 200, Locked: 1})
	s.Is(suite.Err(s.shop.Restock(s.Context(), "in", 1, 1)), coupon.ErrUnlimited, stock.ErrUnlimited)
	s.refund("r", ids[0])
	s.counts(stock.Quantities{Sold: 199, Locked: 1, Refunded: 1})
	_, err := s.shop.Define(s.Context(), 1, 199, coupon.Rules{}, tenOff()) // to a limit that is passed already
	s.Is(err, coupon.ErrInUse, stock.ErrInUse)
	s.define(1, 200, coupon.Rules{}, tenOff())
	s.counts(stock.Quantities{Total: 200, Sold: 199, Locked: 1, Left: 1, Refunded: 1})
	s.Is(suite.Err(s.shop.For("9").Claim(s.Context(), "more", 1)), coupon.ErrSoldOut)
}

func totalOfZero(s *scene) {
	s.open(0)
	s.Is(suite.Err(s.shop.For("5").Claim(s.Context(), "a", 1)), coupon.ErrSoldOut)
	s.Is(suite.Err(s.shop.For("5").Lock(s.Context(), "a", 1)), coupon.ErrSoldOut)
	s.unclaimed("a")
	s.counts(stock.Quantities{})
}

// outdated asks for coupons that would be over before they are had.
func outdated(s *scene) {
	end := s.now().Add(time.Hour)
	s.define(1, 10, coupon.Rules{}, until(tenOff(), end))
	s.Advance(time.Hour - time.Microsecond)
	s.claim("last", "5")
	s.Advance(time.Microsecond)
	for range 2 {
		s.Is(suite.Err(s.shop.For("5").Claim(s.Context(), "a", 1)), coupon.ErrOutdated)
		s.Is(suite.Err(s.shop.For("5").Lock(s.Context(), "a", 1)), coupon.ErrOutdated)
		s.unclaimed("a")
		s.rules(coupon.Rules{End: end.Add(day)}, until(tenOff(), end)) // claims may go on for longer than it makes sense
	}
	s.counts(stock.Quantities{Total: 10, Sold: 1, Left: 9})
	s.rules(coupon.Rules{}, until(tenOff(), end.Add(day)))
	s.claim("a", "5")
}

// countByPolicy gives coupons back and takes them away: whether they count against the buyer is an
// option of that moment.
func countByPolicy(s *scene) {
	s.define(1, 100, coupon.Rules{PerBuyer: 2}, tenOff())
	more := func(shop *coupon.Coupons, id string, want error) {
		s.Helper()
		_, err := shop.For("5").Claim(s.Context(), id, 1)
		if want == nil {
			s.No(err)
			return
		}
		s.Is(err, want)
	}
	s.claim("a", "5")
	s.claim("b", "5")
	s.refund("r1", "a")
	s.revoke("r2", "b")
	more(s.shop, "c", coupon.ErrPerBuyer) // by default neither frees
	s.rules(coupon.Rules{PerBuyer: 4}, tenOff())

	refunds, revokes := s.with(coupon.Options{RefundFreesBuyer: true}), s.with(coupon.Options{RevokeFreesBuyer: true})
	s.claim("c", "5")
	s.claim("d", "5")
	more(refunds, "e", coupon.ErrPerBuyer)
	s.No(suite.Err(refunds.Revoke(s.Context(), coupon.Revocation{ID: "r3", Coupon: "c"})))
	more(refunds, "e", coupon.ErrPerBuyer)
	s.No(suite.Err(revokes.Refund(s.Context(), coupon.Refund{ID: "r4", Coupon: "d"})))
	more(revokes, "e", coupon.ErrPerBuyer)
	s.rules(coupon.Rules{PerBuyer: 6}, tenOff())
	s.claim("e", "5")
	s.claim("f", "5")
	s.No(suite.Err(refunds.Refund(s.Context(), coupon.Refund{ID: "r5", Coupon: "e"})))
	more(s.shop, "g", nil)
	more(s.shop, "h", coupon.ErrPerBuyer)
	s.No(suite.Err(revokes.Revoke(s.Context(), coupon.Revocation{ID: "r6", Coupon: "f"})))
	more(s.shop, "h", nil)
	more(s.shop, "i", coupon.ErrPerBuyer)

	// What was given back under other options is a replay, and frees nothing later.
	is := suite.Must(refunds.Refund(s.Context(), coupon.Refund{ID: "r1", Coupon: "a", Restock: true}))
	suite.Same(s, "refund is a replay", is.Replay, true)
	is = suite.Must(revokes.Revoke(s.Context(), coupon.Revocation{ID: "r2", Coupon: "b", Restock: true}))
	suite.Same(s, "revocation is a replay", is.Replay, true)
	more(s.shop, "i", coupon.ErrPerBuyer)
}

func usedCounts(s *scene) {
	s.define(1, 100, coupon.Rules{PerBuyer: 3}, until(tenOff(), s.now().Add(day)))
	s.claim("used", "5")
	s.claim("returned", "5")
	s.claim("expired", "5")
	s.redeem("used", "o1")
	s.redeem("returned", "o2")
	s.giveBack("returned", "o2")
	s.Advance(day)
	s.status("expired", coupon.StatusExpired)
	s.rules(coupon.Rules{PerBuyer: 3}, tenOff())
	s.Is(suite.Err(s.shop.For("5").Claim(s.Context(), "more", 1)), coupon.ErrPerBuyer)
	s.claim("another's", fmt.Sprint(math.MaxInt64))
}
