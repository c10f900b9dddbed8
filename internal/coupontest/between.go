package coupontest

import (
	"fmt"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// betweenCases have something else happen between two statements of one call: the races that a crowd
// meets by luck, each of them for sure.
func betweenCases() []testCase {
	return []testCase{
		{Name: "AnotherOrderReservesFirst", Run: reservedFirst},
		{Name: "AnotherOrderReleasesBeforeTheRefusal", Run: releasedBeforeRefusal},
		{Name: "ReleaseOvertakesReserve", Run: releaseOvertakes},
		{Name: "ReserveOvertakesRelease", Run: reserveOvertakes},
		{Name: "TheSameCallIsMadeTwice", Run: sameCallTwice},
		{Name: "TheReservationLapses", Run: lapsesBetween},
		{Name: "TheCouponEnds", Run: endsBetween},
		{Name: "RevokeAfterReserve", Run: revokeAfterReserve},
		{Name: "RevokeAfterRelease", Run: revokeAfterRelease},
		{Name: "RefundAfterRevoke", Run: refundAfterRevoke},
		{Name: "ReturnAfterTheSameReturn", Run: returnAfterReturn},
		{Name: "DefineAfterDefine", Run: defineAfterDefine},
		{Name: "ClaimAfterDefine", Run: claimAfterDefine},
		{Name: "GenerateAfterImport", Run: generateAfterImport},
		{Name: "IssueAfterTheSameIssue", Run: issueAfterIssue},
		{Name: "PayAfterResolve", Run: payAfterResolve},
	}
}

// before returns coupons, with the options of the scene's own, on a wire where something happens just
// before the n-th call of a method.
func (s *scene) before(method string, n int, happens func()) *coupon.Coupons {
	return s.over(suite.Before(method, n, happens))
}

func reservedFirst(s *scene) {
	s.open(10)
	s.claim("c", "5")
	s.claim("d", "5")
	s.Is(suite.Err(s.before("Use", 1, func() { s.reserve("c", "B") }).Reserve(s.Context(), "c", "A", dec("100"))), coupon.ErrReserved)
	s.used("c", "A", coupon.Unused)
	s.Is(suite.Err(s.before("Use", 1, func() { s.redeem("d", "B") }).Redeem(s.Context(), "d", "A", dec("100"))), coupon.ErrRedeemed)
	s.used("d", "A", coupon.Unused)
}

// releasedBeforeRefusal has the reason of a refusal go away before anybody looks at it.
func releasedBeforeRefusal(s *scene) {
	s.open(10)
	s.claim("c", "5")
	s.reserve("c", "B")
	s.No(suite.Err(s.before("UseOf", 1, func() { s.release("c", "B") }).Reserve(s.Context(), "c", "A", dec("100"))))
	suite.Same(s, "order", s.state("c", coupon.Reserved).Order, "A")
	s.claim("d", "5")
	s.redeem("d", "B")
	s.No(suite.Err(s.before("UseOf", 1, func() { s.giveBack("d", "B") }).Redeem(s.Context(), "d", "A", dec("100"))))
	suite.Same(s, "order", s.state("d", coupon.Redeemed).Order, "A")
}

func releaseOvertakes(s *scene) {
	s.open(10)
	s.claim("c", "5")
	s.Is(suite.Err(s.before("Use", 1, func() { s.release("c", "A") }).Reserve(s.Context(), "c", "A", dec("100"))), coupon.ErrReleased)
	s.claim("d", "5")
	s.reserve("d", "A")
	s.Is(suite.Err(s.before("Use", 1, func() { s.release("d", "A") }).Redeem(s.Context(), "d", "A", dec("100"))), coupon.ErrReleased)
	s.state("c", coupon.Usable)
	s.state("d", coupon.Usable)
}

// reserveOvertakes lets an order reserve, or redeem, just before each step of its release.
func reserveOvertakes(s *scene) {
	s.open(10)
	for n, id := range []string{"", "c", "d"} {
		if n == 0 {
			continue
		}
		s.claim(id, "5")
		u := suite.Must(s.before("Use", n, func() { s.reserve(id, "A") }).Release(s.Context(), id, "A"))
		suite.Same(s, "state", u.State, coupon.UseReleased)
		s.state(id, coupon.Usable)
		s.claim(id+" redeemed", "5")
		_, err := s.before("Use", n, func() { s.redeem(id+" redeemed", "A") }).Release(s.Context(), id+" redeemed", "A")
		s.Is(err, coupon.ErrRedeemed)
		s.state(id+" redeemed", coupon.Redeemed)
	}
}

// sameCallTwice delivers each call twice, the second just before each statement of the first.
func sameCallTwice(s *scene) {
	s.open(1000)
	for _, method := range []string{"Coupon", "Use", "UseOf"} {
		for n := 1; n <= 2; n++ {
			name := func(verb string) string { return numbered(verb+" "+method+" ", n+1)[n] }
			id := name("reserve")
			s.claim(id, "5")
			u := suite.Must(s.before(method, n, func() { s.reserve(id, "A") }).Reserve(s.Context(), id, "A", dec("100")))
			u.Replay = false // by which of the two it was done depends on the method
			suite.Same(s, "use", u, s.use(id, "A"))
			suite.Same(s, "state", u.State, coupon.UseReserved)
			id = name("redeem")
			s.claim(id, "5")
			u = suite.Must(s.before(method, n, func() { s.redeem(id, "A") }).Redeem(s.Context(), id, "A", dec("100")))
			u.Replay = false
			suite.Same(s, "use", u, s.use(id, "A"))
			id = name("redeem what is reserved")
			s.claim(id, "5")
			s.reserve(id, "A")
			u = suite.Must(s.before(method, n, func() { s.redeem(id, "A") }).Redeem(s.Context(), id, "A", dec("100")))
			suite.Same(s, "state", u.State, coupon.UseRedeemed)
			id = name("another total")
			s.claim(id, "5")
			s.oneTotal(method, n, id)
		}
	}
}

// oneTotal lets an order come to two totals at once: one of them is redeemed, and the other refused.
func (s *scene) oneTotal(method string, n int, id string) {
	s.Helper()
	want, called := "70", false
	between := func() {
		called = true
		_, err := s.shop.Redeem(s.Context(), id, "A", dec("100"))
		if err == nil {
			want = "100"
			return
		}
		s.Is(err, coupon.ErrMismatch)
	}
	_, err := s.before(method, n, between).Redeem(s.Context(), id, "A", dec("70"))
	if want == "70" {
		s.No(err)
	} else {
		s.Is(err, coupon.ErrMismatch)
	}
	s.sameAmount(fmt.Sprintf("total, with another call (%v) before %s %d", called, method, n), s.use(id, "A").Total, want)
}

// lapsesBetween lets a reservation lapse just before it is redeemed: the coupon is free for its own
// order as well, and not for it alone.
func lapsesBetween(s *scene) {
	s.open(10)
	s.claim("c", "5")
	s.reserve("c", "A")
	u := suite.Must(s.before("Use", 1, func() { s.Advance(reserve) }).Redeem(s.Context(), "c", "A", dec("100")))
	suite.Same(s, "state", u.State, coupon.UseRedeemed)
	s.claim("d", "5")
	s.reserve("d", "A")
	_, err := s.before("Use", 1, func() { s.Advance(reserve); s.reserve("d", "B") }).Redeem(s.Context(), "d", "A", dec("100"))
	s.Is(err, coupon.ErrReserved)
	s.claim("e", "5")
	s.reserve("e", "A")
	u = suite.Must(s.before("Use", 1, func() { s.Advance(reserve) }).Release(s.Context(), "e", "A"))
	suite.Same(s, "state", u.State, coupon.UseReleased)
}

func endsBetween(s *scene) {
	s.define(1, 10, coupon.Rules{}, until(tenOff(), s.now().Add(time.Hour)))
	s.claim("c", "5")
	s.claim("d", "5")
	s.claim("e", "5")
	s.Advance(time.Hour - time.Microsecond)
	s.reserve("e", "A")
	_, err := s.before("Use", 1, func() { s.Advance(time.Microsecond) }).Reserve(s.Context(), "c", "A", dec("100"))
	s.Is(err, coupon.ErrExpired)
	s.Is(suite.Err(s.before("Use", 1, func() { s.Advance(reserve) }).Redeem(s.Context(), "e", "A", dec("100"))), coupon.ErrExpired)
	s.used("c", "A", coupon.Unused)
	s.used("e", "A", coupon.UseReserved)
}

func revokeAfterReserve(s *scene) {
	s.open(10)
	for _, method := range []string{"Coupon", "Units.Hold", "Units.Refund"} {
		s.claim(method, "5")
		_, err := s.before(method, 1, func() { s.reserve(method, "A") }).Revoke(s.Context(), coupon.Revocation{ID: method, Coupon: method})
		s.Is(err, coupon.ErrReserved)
		s.state(method, coupon.Reserved)
		s.Advance(reserve)
		_, err = s.before(method, 1, func() { s.redeem(method, "A") }).Revoke(s.Context(), coupon.Revocation{ID: method, Coupon: method})
		s.Is(err, coupon.ErrRedeemed)
		s.state(method, coupon.Redeemed)
	}
	s.counts(stock.Quantities{Total: 10, Sold: 3, Left: 7})
}

func revokeAfterRelease(s *scene) {
	s.open(10)
	s.claim("c", "5")
	s.reserve("c", "A")
	c, err := s.before("Coupon", 2, func() { s.release("c", "A") }).Revoke(s.Context(), coupon.Revocation{ID: "r", Coupon: "c", Restock: true})
	s.No(err)
	suite.Same(s, "state", c.State, coupon.Revoked)
	s.counts(stock.Quantities{Total: 10, Left: 10, Refunded: 1})
}

func refundAfterRevoke(s *scene) {
	s.open(10)
	for i, method := range []string{"Coupon", "Units.Hold", "Units.Refund"} {
		s.claim(method, "5")
		r := coupon.Refund{ID: "refund " + method, Coupon: method, Restock: true}
		s.Is(suite.Err(s.before(method, 1, func() { s.revoke("revocation "+method, method) }).Refund(s.Context(), r)), coupon.ErrRevoked)
		s.state(method, coupon.Revoked)
		s.claim("same "+method, "5")
		r.Coupon = "same " + method
		c := suite.Must(s.before(method, 1, func() { s.refund(r.ID, r.Coupon) }).Refund(s.Context(), r))
		suite.Same(s, "state", c.State, coupon.Refunded)
		s.counts(stock.Quantities{Total: 10, Left: 10, Refunded: int64(2*i + 2)})
	}
}

func returnAfterReturn(s *scene) {
	s.open(10)
	for _, method := range []string{"UseOf", "Use"} {
		s.claim(method, "5")
		s.redeem(method, "A")
		u, err := s.before(method, 1, func() { s.giveBack(method, "A"); s.redeem(method, "B") }).Return(s.Context(), method, "A", dec("100"))
		s.No(err)
		suite.Same(s, "state", u.State, coupon.UseReturned)
		suite.Same(s, "order", s.state(method, coupon.Redeemed).Order, "B")
	}
}

// defineAfterDefine has another program take the number of the terms, for the same and for others.
func defineAfterDefine(s *scene) {
	dearer := tenOff()
	dearer.Amount = dec("20")
	for id, other := range map[int64]coupon.Terms{1: tenOff(), 2: dearer} {
		c, err := s.before("AddTerms", 1, func() { s.define(id, 7, coupon.Rules{}, other) }).Define(s.Context(), id, 7, coupon.Rules{}, tenOff())
		s.No(err)
		suite.Same(s, "terms", c.Terms, tenOff())
		suite.Same(s, "quantities", c.Quantities, stock.Quantities{Total: 7, Left: 7})
		suite.Same(s, "number of the terms", c.TermsNo, map[int64]int64{1: 1, 2: 2}[id])
	}
	_, err := s.before("AddTerms", 1, func() { s.define(3, 0, coupon.Rules{}, pooled(tenOff())) }).Define(s.Context(), 3, 9, coupon.Rules{},
		tenOff())
	s.Is(err, coupon.ErrPool)
	s.load(3, "A")
}

// claimAfterDefine changes the terms while a claim is on its way: the coupon has those it was given.
func claimAfterDefine(s *scene) {
	s.open(10)
	dearer := tenOff()
	dearer.Amount = dec("20")
	c := suite.Must(s.before("Units.Lock", 1, func() { s.rules(coupon.Rules{}, dearer) }).For("5").Claim(s.Context(), "c", 1))
	suite.Same(s, "terms", c.Terms, dearer)
	suite.Same(s, "number of the terms", c.TermsNo, 2)
	c = suite.Must(s.before("Coupon", 1, func() { s.rules(coupon.Rules{}, tenOff()) }).For("5").Claim(s.Context(), "d", 1))
	suite.Same(s, "terms", c.Terms, dearer)
}

func generateAfterImport(s *scene) {
	s.pool("A")
	got := suite.Must(s.before("AddCodes", 1, func() { s.load(1, "B", "C") }).Generate(s.Context(), 1, 10, nil))
	suite.Same(s, "generated", got, coupon.ImportResult{Added: 7})
	suite.Same(s, "codes", s.campaign(1).Codes, 10)
	got = suite.Must(s.before("AddCodes", 1, func() {
		_, err := s.shop.Import(s.Context(), 1, slices.Values([]string{"D"}))
		s.No(err)
	}).Import(s.Context(), 1, slices.Values([]string{"D", "E"})))
	suite.Same(s, "imported", got, coupon.ImportResult{Added: 1, Known: 1})
}

func issueAfterIssue(s *scene) {
	s.open(10)
	for _, method := range []string{"AddBatch", "Units.Due", "Issue"} {
		for _, b := range []coupon.Batch{gift(method, "1", "2"), whole(gift(method+" all", "1"))} {
			all := granted(b.ID, coupon.Given, b.Buyers...)
			got := suite.Must(s.before(method, 1, func() { s.issue(b, all, nil) }).Issue(s.Context(), b))
			suite.Same(s, "batch", got, coupon.IssueResult{Given: all, Replay: method == "AddBatch"})
		}
	}
	s.counts(stock.Quantities{Total: 10, Sold: 9, Left: 1})
	b := gift("last", "1", "2")
	got := suite.Must(s.before("Issue", 1, func() { s.claim("c", "5") }).Issue(s.Context(), b))
	suite.Same(s, "batch", got, coupon.IssueResult{Skipped: granted("last", coupon.ReasonSoldOut, "1", "2")})
}

func payAfterResolve(s *scene) {
	s.open(10)
	s.lock("c", "5")
	resolve := func() { _, err := s.shop.Resolve(s.Context(), "c"); s.No(err) }
	suite.Same(s, "state", suite.Must(s.before("Units.Move", 1, resolve).Pay(s.Context(), "c")).State, coupon.Usable)
}
