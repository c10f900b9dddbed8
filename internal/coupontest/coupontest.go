// Package coupontest is the conformance suite of coupon.Store: what every store must do, proved through the public
// methods of coupon.Coupons and, where those ask only in a race, of the store itself. Store and its suite are a seam
// of v0: they change without notice, so the suite is for the stores of this module.
//
// Model is the other half: it drives two stores with the same random operations and compares them after each.
package coupontest

import (
	"slices"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// Harness is one fresh, empty store and what a test needs to drive it.
type Harness = suite.Harness[coupon.Store, Bound]

// Bound is what a caller's transaction is bound to.
type Bound struct {
	Store coupon.Store
	Stock stock.Store // nil where the harness has none
}

// Run runs every case against stores that open makes, one for each case. The cases run in
// parallel; open is called from the goroutine of the case.
func Run(t *testing.T, open func(t testing.TB) Harness) {
	t.Helper()
	suite.Run(t, cases(), func(t testing.TB) *scene { t.Helper(); return newScene(t, open(t)) })
}

// a testCase is one sentence of the contract.
type testCase = suite.Case[*scene]

// cases returns the suite, in the order of the life cycle.
func cases() []testCase {
	return slices.Concat(
		inputCases(), identifierCases(),
		defineCases(), claimCases(), buyCases(), codeCases(), batchCases(),
		useCases(), useRefusalCases(), validityCases(), discountCases(), backCases(), readingCases(),
		raceCases(), resolveCases(), betweenCases(), historyCases(), auditCases(),
		orderCases(), besideGoodsCases(), transactionCases(),
		guardUnitCases(), guardUseCases(), guardCases(),
	)
}

// How long things live by the default options.
const (
	hold    = stock.DefaultHoldFor
	reserve = coupon.DefaultReserveFor
	day     = 24 * time.Hour
)

// A scene is one case on its own store: coupons with the default options, and helpers that end the
// test where something is not as it should be. They must not be called from other goroutines;
// suite.Together collects what those found.
type scene struct {
	suite.Checks
	Harness

	shop *coupon.Coupons
}

// newScene returns a scene on a fresh store.
func newScene(t testing.TB, h Harness) *scene {
	t.Helper()
	checks := suite.Checks{TB: t, Retryable: coupon.Retryable, Normal: suite.Form{Fix: plain}.Normal}
	return &scene{Checks: checks, Harness: h, shop: coupon.New(h.Store, nil)}
}

// with returns coupons with other options on the store of the scene.
func (s *scene) with(opts coupon.Options) *coupon.Coupons { return coupon.New(s.Store, &opts) }

// goods returns an inventory of the goods of the scene.
func (s *scene) goods() *stock.Inventory { return stock.New(s.Stock, nil) }

// units returns the store of the units, by which a refund is the buyer's.
func (s *scene) units() stock.Store { return s.Store.Units() }

// now returns the store's clock.
func (s *scene) now() time.Time {
	s.Helper()
	_, now, err := s.Store.Coupon(s.Context(), "the clock")
	s.No(err)
	return now
}

// item returns the key of the units of a campaign.
func item(campaign int64) stock.Key { return stock.Key{SKU: campaign} }

// one returns a line of one unit: of campaign 1, or of the goods that an order buys.
func one() stock.Line { return stock.Line{SKU: 1, Num: 1} }
