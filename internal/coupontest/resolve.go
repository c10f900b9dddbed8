package coupontest

import (
	"errors"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func resolveCases() []testCase {
	return []testCase{
		{Name: "ResolveOfAnUnknownClaimClosesIt", Run: resolveUnknown},
		{Name: "ResolveReturnsEachStateAsItIs", Run: resolveStates},
		{Name: "ResolveKeepsALateStatementOut", Run: resolveFences},
		{Name: "AnswersThatAreLostAreSettledByTheSameCall", Run: lostAnswers},
		{Name: "AnswersThatAreLostAreSettledByResolve", Run: lostAnswersResolved},
		{Name: "AnswersLostWhileCouponsAreGivenToMany", Run: lostInABatch},
		{Name: "AnswersLostWhileCodesComeIn", Run: lostInAnImport},
		{Name: "AnswersOfReleasesOfOthersThatAreLostAreNotThoseOfTheCall", Run: lostReleases},
		{Name: "CallsThatAreNotSentChangeNothing", Run: unsentCalls},
		{Name: "CallsThatCannotLookChangeNothing", Run: blindCalls},
	}
}

// journeyEnd ends the test unless each call of the journey happened once.
func (s *scene) journeyEnd() {
	s.Helper()
	s.counts(stock.Quantities{Total: 14, Sold: 6, Left: 8, Refunded: 2})
	c := s.campaign(2)
	suite.Same(s, "the second campaign", c.Quantities, stock.Quantities{Total: 5, Sold: 1, Left: 4})
	suite.Same(s, "its codes", c.Codes, 5)
	suite.Same(s, "code", s.coupon("code").Code, "CODE")
	for id, want := range map[string]coupon.State{
		"a": coupon.Usable, "b": coupon.Refunded, gifted("g", "5"): coupon.Revoked, gifted("g", "6"): coupon.Usable,
		gifted("h", "5"): coupon.Usable, gifted("h", "6"): coupon.Usable,
	} {
		s.state(id, want)
	}
	for order, want := range map[string]coupon.UseState{"A": coupon.UseReleased, "B": coupon.UseReturned, "C": coupon.UseReleased} {
		s.used("a", order, want)
	}
	for _, id := range []string{"c", "d"} {
		s.Is(suite.Err(s.shop.For("5").Claim(s.Context(), id, 1)), coupon.ErrCancelled)
	}
}

// journey is that of all verbs that change something.
func (s *scene) journey() suite.Journey[*coupon.Coupons] {
	ctx := s.Context()
	return suite.Journey[*coupon.Coupons]{
		Plain: s.shop, Over: s.over, Sees: s.everything, Ends: s.journeyEnd,
		Calls: func(of *coupon.Coupons) []suite.Call { return changing(ctx, of) },
		Begin: func() (*coupon.Coupons, func() error, func() error) {
			tx, commit, rollback := s.begin()
			return tx.shop, commit, rollback
		},
		Resolve: func(claim string) error { return suite.Err(s.shop.Resolve(ctx, claim)) },
	}
}

// lossy returns coupons that lose the answer of the n-th change that they send.
func (s *scene) lossy(n int) *coupon.Coupons { return s.over(suite.LosesAnswer(n)) }

func lostAnswers(s *scene)         { s.journey().LostAnswers(s) }
func lostAnswersResolved(s *scene) { s.journey().LostAnswersResolved(s) }
func unsentCalls(s *scene)         { s.journey().Unsent(s) }

func resolveUnknown(s *scene) {
	s.open(10)
	for range 2 {
		suite.Same(s, "coupon", suite.Must(s.shop.Resolve(s.Context(), "a")), coupon.Coupon{ID: "a", State: coupon.Dropped})
	}
	s.Is(suite.Err(s.shop.For("5").Claim(s.Context(), "a", 1)), coupon.ErrCancelled)
	s.Is(suite.Err(s.shop.For("5").Lock(s.Context(), "a", 1)), coupon.ErrCancelled)
	s.counts(stock.Quantities{Total: 10, Left: 10})
}

func resolveStates(s *scene) {
	s.lives()
	s.No(suite.Err(s.shop.Expire(s.Context())))
	for _, id := range []string{
		"usable", "reserved", "used", "lapsed", "refunded", "revoked", "pending", "dead", "cancelled", "waiting", "expired",
	} {
		was, campaign := s.coupon(id), s.campaign(1)
		suite.Same(s, "coupon", suite.Must(s.shop.Resolve(s.Context(), id)), was)
		suite.Same(s, "coupon read again", s.coupon(id), was)
		suite.Same(s, "campaign", s.campaign(1), campaign)
	}
	s.Is(suite.Err(s.shop.For("6").Resolve(s.Context(), "usable")), coupon.ErrAnotherBuyer)
	s.pay("pending")
}

// resolveFences has the statements of lost calls arrive when their claims are settled.
func resolveFences(s *scene) {
	s.open(10)
	s.lock("pay", "5")
	s.lock("cancel", "5")
	s.claim("refund", "5")
	before, _, err := s.units().Hold(s.Context(), "refund")
	s.No(err)
	for _, id := range []string{"claim", "pay", "cancel", "refund"} {
		s.No(suite.Err(s.shop.Resolve(s.Context(), id)))
	}
	locking := suite.Must(s.units().Lock(s.Context(), stock.Order{ID: "claim", Buyer: "5", Lines: []stock.Line{one()}, Immediate: true}, hold))
	suite.Same(s, "a Claim that arrives late", locking.Verdict, stock.Exists)
	s.Answers(stock.Refused)(suite.Moved(s.units().Move(s.Context(), stock.Movement{Step: stock.StepPay, Order: "pay"})))
	s.Answers(stock.Refused)(suite.Moved(s.units().Move(s.Context(), stock.Movement{Step: stock.StepCancel, Order: "cancel"})))
	late := stock.RefundRecord{Refund: stock.Refund{ID: "late", Order: "refund", Restock: true, Lines: []stock.Line{one()}}, Whole: true}
	s.Answers(stock.Refused)(suite.Refunded(s.units().Refund(s.Context(), late, before)))
	s.unclaimed("claim")
	s.state("pay", coupon.Pending)
	s.state("cancel", coupon.Pending)
	s.state("refund", coupon.Usable)
	s.pay("pay")
	s.cancel("cancel")
	s.refund("r", "refund")
	s.counts(stock.Quantities{Total: 10, Sold: 1, Left: 9, Refunded: 1})
}

// lostInABatch loses one answer after the other of a batch that takes several: it goes on where it was.
func lostInABatch(s *scene) {
	const many = 1100
	s.open(many - 50)
	b := gift("b", buyers(1, many)...)
	for n := 1; ; n++ {
		got, err := s.lossy(n).Issue(s.Context(), b)
		if err == nil {
			suite.Same(s, "batch", got, coupon.IssueResult{
				Given: granted("b", coupon.Given, buyers(1, many-50)...), Skipped: granted("b", coupon.ReasonSoldOut, buyers(many-49, many)...),
				Replay: true,
			})
			break
		}
		s.Is(err, coupon.ErrUnknown)
	}
	s.counts(stock.Quantities{Total: many - 50, Sold: many - 50})
}

// lostReleases loses the answer to the release of somebody's dead claim, which is in the way of a call that has not been
// sent, or was refused. A sweep says what it knows of its own work.
func lostReleases(s *scene) {
	s.open(1)
	deaf := s.over(suite.Wire{Reply: suite.Fails(coupon.ErrUnknown, suite.Named(suite.Units+"Expire"))})
	for i, call := range []func() error{
		func() error { return suite.Err(deaf.For("6").Claim(s.Context(), "a", 1)) },
		func() error { return suite.Err(deaf.For("6").Lock(s.Context(), "a", 1)) },
		func() error { return suite.Err(deaf.Withdraw(s.Context(), "out", 1, 1)) },
		func() error {
			return suite.Err(deaf.Issue(s.Context(), coupon.Batch{ID: "g", Campaign: 1, Buyers: []string{"6"}}))
		},
	} {
		s.lock("dead "+strconv.Itoa(i), "5")
		s.Advance(hold)
		err := call()
		s.Is(err, coupon.ErrUnavailable)
		s.IsNot(err, coupon.ErrUnknown)
	}
	s.counts(stock.Quantities{Total: 1, Left: 1})
	s.lock("dead", "5")
	s.Advance(hold)
	s.Is(suite.Err(deaf.Expire(s.Context())), coupon.ErrUnknown)
}

// lostInAnImport loses one answer after the other of an import, and then of codes that are made.
func lostInAnImport(s *scene) {
	s.pool()
	for i, call := range []func(*coupon.Coupons) error{
		func(c *coupon.Coupons) error {
			return suite.Err(c.Import(s.Context(), 1, slices.Values(numbered("CODE", 2100))))
		},
		func(c *coupon.Coupons) error { return suite.Err(c.Generate(s.Context(), 1, 4200, nil)) },
	} {
		for n := 1; ; n++ {
			if err := call(s.lossy(n)); err == nil {
				break
			} else if s.Is(err, coupon.ErrUnknown); n > 10 {
				s.Fatalf("after %d calls: %v", n, err)
			}
		}
		codes := int64(2100 * (i + 1))
		s.counts(stock.Quantities{Total: codes, Left: codes})
	}
}

// blindCalls break the wire whenever a call looks at something: before it has done anything, then nothing
// has happened, or after it, then it must not say so. The same call again settles it, whatever it was.
func blindCalls(s *scene) {
	was := s.everything()
	for i, step := range changing(s.Context(), s.shop) {
		for n := 1; ; n++ {
			reads := func(call string) bool { return !suite.Changes(call) }
			blind := s.over(suite.Wire{Send: suite.Fails(coupon.ErrUnavailable, suite.Nth(n, reads))})
			err := changing(s.Context(), blind)[i].Do()
			if err == nil {
				break
			}
			if !coupon.Retryable(err) {
				s.Fatalf("%s, blind at its look %d: %v", step.Name, n, err)
			}
			is := s.everything()
			switch {
			case errors.Is(err, coupon.ErrUnknown):
				s.IsNot(err, coupon.ErrUnavailable)
			case !reflect.DeepEqual(is, was):
				s.Fatalf("%s, blind at its look %d: %v; but something has changed", step.Name, n, err)
			}
			was = is
		}
		s.Advance(time.Microsecond)
		was = s.everything()
	}
	s.journeyEnd()
}

// everything returns all that can be seen of a journey.
func (s *scene) everything() any {
	s.Helper()
	all := []any{s.Normal(suite.Listed(s, s.shop.Campaigns(s.Context())))}
	for _, id := range []string{"a", "b", "c", "d", "code", gifted("g", "5"), gifted("g", "6"), gifted("h", "5"), gifted("h", "6")} {
		h, _, err := s.units().Hold(s.Context(), id)
		s.No(err)
		h.Fence = 0 // which Resolve raises, and which nobody sees
		c, _, err := s.Store.Coupon(s.Context(), id)
		s.No(err)
		uses := suite.Must(s.Store.Uses(s.Context(), id))
		all = append(all, s.Normal(h), s.Normal(c), s.Normal(uses))
	}
	return all
}
