package coupontest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func historyCases() []testCase {
	return []testCase{
		{Name: "HistoryAtRandomKeepsTheBooks", Run: randomHistory},
		{Name: "HistoryEffectsReplayedGiveTheStates", Run: effectsReplayed},
		{Name: "HistoryCrashesAtEveryStatement", Run: crashes},
	}
}

// walk lets walkers make forty random calls each, on a few coupons of a few campaigns, and ends the test on an error that
// none of the explanations covers.
func (s *scene) walk(shop *coupon.Coupons, explain ...func(error) bool) {
	s.Helper()
	s.Walk(0, 40, func(rng *rand.Rand) error { return step(s.Context(), rng, shop) }, explain...)
}

// expected reports whether an error is an answer that a walker must be ready for.
func expected(err error) bool {
	answers := append(refusals(), coupon.ErrMismatch, coupon.ErrSoldOut, coupon.ErrPerBuyer, coupon.ErrPaid, coupon.ErrPool)
	return suite.Matches(err, answers...)
}

// step makes one call.
func step(ctx context.Context, rng *rand.Rand, shop *coupon.Coupons) (err error) {
	campaign, num := rng.Int64N(4)+1, rng.IntN(12)
	id := fmt.Sprintf("%d/%d", campaign, num)
	buyer := shop.For(fmt.Sprint(num%3 + 1)) // each number is one buyer's
	order, total := strconv.Itoa(rng.IntN(3)), dec("100")
	back := fmt.Sprintf("%d of %s", rng.IntN(2), id)
	restock := campaign != 3 && rng.IntN(2) == 0
	switch rng.IntN(18) {
	case 0, 1, 2:
		_, err = buyer.Claim(ctx, id, campaign)
	case 3, 4:
		_, err = buyer.Lock(ctx, id, campaign)
	case 5:
		_, err = shop.Pay(ctx, id)
	case 6:
		_, err = shop.Cancel(ctx, id)
	case 7, 8:
		_, err = buyer.Reserve(ctx, id, order, total)
	case 9, 10:
		_, err = shop.Redeem(ctx, id, order, total)
	case 11:
		_, err = shop.Release(ctx, id, order)
	case 12, 13:
		_, err = shop.Return(ctx, id, order, total)
	case 14:
		_, err = buyer.Refund(ctx, coupon.Refund{ID: "refund " + back, Coupon: id, Restock: restock})
	case 15:
		_, err = shop.Revoke(ctx, coupon.Revocation{ID: "revocation " + back, Coupon: id, Restock: restock})
	case 16:
		_, err = shop.Issue(ctx, coupon.Batch{ID: strconv.FormatInt(campaign, 10), Campaign: campaign, Buyers: buyers(1, 6), All: num%2 == 0})
	default:
		return rarely(ctx, rng, shop, id, campaign)
	}
	return err
}

// rarely makes one of the calls that are not made often.
func rarely(ctx context.Context, rng *rand.Rand, shop *coupon.Coupons, id string, campaign int64) (err error) {
	switch rng.IntN(5) {
	case 0:
		_, err = shop.Expire(ctx)
	case 1:
		_, err = shop.Resolve(ctx, id)
	case 2:
		_, err = shop.Import(ctx, 3, slices.Values(numbered("MORE", rng.IntN(20)+1)))
	case 3:
		_, err = shop.Generate(ctx, 3, rng.Int64N(40)+1, nil)
	case 4:
		if campaign != 3 && campaign != 4 {
			err = suite.Err(shop.Restock(ctx, fmt.Sprint("in ", campaign), campaign, 5))
		}
	}
	return err
}

// openAll defines the campaigns that walkers know.
func (s *scene) openAll() {
	s.Helper()
	s.define(1, 8, coupon.Rules{}, tenOff())
	s.define(2, 20, coupon.Rules{PerBuyer: 3}, until(tenOff(), s.now().Add(2*hold)))
	s.define(3, 0, coupon.Rules{}, pooled(tenOff()))
	s.load(3, numbered("CODE", 6)...)
	s.define(4, 0, coupon.Rules{Unlimited: true, PerBuyer: 5}, tenOff())
}

// walkers returns the options of walkers, with a hook.
func walkers(hook func(context.Context, coupon.Effect)) coupon.Options {
	return coupon.Options{LatePay: stock.Reacquire, RefundFreesBuyer: true, RevokeFreesBuyer: true, Hook: hook}
}

// ended reports whether an error says that the coupons of a campaign are over by now.
func ended(err error) bool {
	return suite.Matches(err, coupon.ErrOutdated, coupon.ErrEnded)
}

func randomHistory(s *scene) {
	s.openAll()
	for range 4 {
		s.walk(s.with(walkers(nil)), expected, ended)
		s.Balanced()
		s.Advance(hold / 2)
	}
}

// effectsReplayed keeps every effect that the hook was told of: the units and the uses are what they
// add up to. Only of a batch that two calls run at one time may an effect come twice.
func effectsReplayed(s *scene) {
	s.openAll()
	var mu sync.Mutex
	given, uses := map[string]bool{}, map[[2]string][]coupon.Step{}
	shop := s.with(walkers(func(_ context.Context, e coupon.Effect) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case e.Use != 0:
			uses[[2]string{e.Coupon, e.Order}] = append(uses[[2]string{e.Coupon, e.Order}], e.Use)
		case e.State == coupon.Usable:
			given[e.Coupon] = true
		}
	}))
	for range 3 {
		s.walk(shop, expected, ended)
		s.Advance(hold / 2)
	}
	sold := map[int64]int64{}
	for id := range given {
		sold[s.coupon(id).Campaign]++
	}
	for _, c := range suite.Listed(s, s.shop.Campaigns(s.Context())) {
		n := suite.Must(s.shop.Progress(s.Context(), c.ID))
		suite.Same(s, fmt.Sprint("coupons given of campaign ", c.ID), sold[c.ID], n.Usable+n.Reserved+n.Redeemed+n.Expired+n.Refunded+n.Revoked)
	}
	for key, steps := range uses {
		last := steps[len(steps)-1]
		if len(steps) == 1 || slices.Index(steps, last) == len(steps)-1 { // the hooks of two calls may be told in any order
			s.reached(key[0], key[1], steps)
		}
	}
}

// reached ends the test unless a use is where one of the steps leads that it went through.
func (s *scene) reached(id, order string, steps []coupon.Step) {
	s.Helper()
	state := s.use(id, order).State
	if !slices.ContainsFunc(steps, func(step coupon.Step) bool { return step.Transition().To == state }) {
		s.Fatalf("the use of %q by %q is %v after %v", id, order, state, steps)
	}
}

// crashes breaks the wire before and after statements at random: the books balance all the same, and
// every claim can be settled.
func crashes(s *scene) {
	s.openAll()
	faulty := s.with(walkers(nil)).On(&wire{suite.Breaks(suite.Repeatable(7)), suite.InTurn(s.Store)})
	for range 3 {
		s.walk(faulty, expected, ended, coupon.Retryable)
		s.Balanced()
		s.Advance(hold / 2)
	}
	for campaign := int64(1); campaign <= 4; campaign++ {
		for num := range 12 {
			id := fmt.Sprintf("%d/%d", campaign, num)
			c := suite.Must(s.shop.Resolve(s.Context(), id))
			if c.State == coupon.Pending {
				s.cancel(id)
			}
		}
		suite.Same(s, "locked in the end", s.campaign(campaign).Locked, 0)
	}
}
