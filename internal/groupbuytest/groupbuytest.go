// Package groupbuytest is the conformance suite of groupbuy.Store: what every store must do, proved through the public
// methods of groupbuy.Groups and, where those ask only in a race, of the store itself. Store and its suite are a seam
// of v0: they change without notice, so the suite is for the stores of this module.
//
// Model is the other half: it drives two stores with the same random operations and compares them after each.
package groupbuytest

import (
	"slices"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// Harness is one fresh, empty store and what a test needs to drive it. Its Stock is the same stock by a store that knows
// nothing of groups: what a shop that has always sold goods goes on using, with a sweeper of its own.
type Harness struct {
	suite.Harness[groupbuy.Store, groupbuy.Store]

	Events event.Store // what the store has to tell
}

// Run runs every case against stores that open makes, one for each case. The cases run in parallel; open is called
// from the goroutine of the case.
func Run(t *testing.T, open func(t testing.TB) Harness) {
	t.Helper()
	suite.Run(t, cases(), func(t testing.TB) *scene { t.Helper(); return newScene(t, open(t)) })
}

// a testCase is one sentence of the contract.
type testCase = suite.Case[*scene]

// cases returns the suite, in the order of the life cycle.
func cases() []testCase {
	return slices.Concat(
		inputCases(), identifierCases(), activityCases(), offerCases(), seatCases(), joinCases(), payCases(), lateCases(),
		volumeCases(), leaveCases(), formCases(), deadlineCases(), endingCases(), outliveCases(),
		eventCases(), readingCases(), shelfCases(), pagingCases(), listCases(), resolveCases(), auditCases(),
		repairCases(), recordCases(),
		raceCases(), raceEndingCases(), racePoolCases(), betweenCases(), betweenOfferCases(), lostCases(), historyCases(), besideCases(),
		transactionCases(), guardCases(), guardSeatCases(),
	)
}

// The people of a scene. Everybody else is a number in decimal digits.
const (
	anna  = "anna"
	ben   = "ben"
	carol = "carol"
	dan   = "dan"
)

// What is sold in a scene: units of one SKU, of which there are so many at first, in groups of one activity.
const (
	goods    = 42
	fair     = 7
	inStock  = 100_000
	hour     = time.Hour
	day      = 24 * hour
	hold     = stock.DefaultHoldFor
	forming  = day     // how long a team has
	runs     = 7 * day // how long the activity does
	instant  = time.Microsecond
	operator = "operator"
)

// key returns the key of the product of a scene.
func key() stock.Key { return stock.Key{SKU: goods, Activity: fair} }

// A scene is one case on its own store: groups with the default options, and helpers that end the test where
// something is not as it should be. They must not be called from other goroutines; suite.Together collects what
// those found.
type scene struct {
	suite.Checks
	Harness

	groups *groupbuy.Groups
	events *event.Events
	owned  map[int64]int64 // how many units there ever were of a SKU, in all of its pools
}

// newScene returns a scene on a fresh store.
func newScene(t testing.TB, h Harness) *scene {
	t.Helper()
	checks := suite.Checks{TB: t, Retryable: groupbuy.Retryable, Normal: suite.Form{Fix: plain}.Normal}
	return &scene{
		Checks: checks, Harness: h, groups: groupbuy.New(h.Store, nil), events: event.New(h.Events, nil), owned: map[int64]int64{},
	}
}

// with returns groups with other options on the store of the scene.
func (s *scene) with(opts groupbuy.Options) *groupbuy.Groups { return groupbuy.New(s.Store, &opts) }

// ordinary returns the shop's inventory of ordinary stock.
func (s *scene) ordinary() *stock.Inventory { return stock.New(s.Store.Units(), nil) }

// now returns the store's clock.
func (s *scene) now() time.Time {
	s.Helper()
	_, now, err := s.Store.Activity(s.Context(), fair)
	s.No(err)
	return now
}
