// Package stocktest is the conformance suite of stock.Store: what every store must do, whoever
// wrote it, proved through the public methods of stock.Inventory and, where those ask only in
// a race, of the store itself.
//
//	func TestStock(t *testing.T) {
//		stocktest.Run(t, func(t testing.TB) stocktest.Harness {
//			clock := …
//			return stocktest.Harness{Store: …, Advance: clock.Advance}
//		})
//	}
//
// Model is the other half: it drives two stores with the same random operations and compares
// them after each. The package needs nothing but the standard library.
package stocktest

import (
	"slices"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// Harness is one fresh, empty store and what a test needs to drive it.
type Harness struct {
	// Store is what is tested. It is safe for concurrent use.
	Store stock.Store

	// Advance moves the store's clock forward, by whole microseconds; the clock stands still
	// otherwise, at a whole microsecond. It is never called while a call of the store runs.
	Advance func(d time.Duration)

	// Begin opens a caller's transaction: a store that is bound to it, and how to end it. Where
	// transactions read from a snapshot, Begin takes it, as a caller's own SELECT would. Two
	// transactions that touch different items and orders must be able to go on side by side.
	// It is nil where the store has no transactions.
	Begin func(t testing.TB) (store stock.Store, commit, rollback func() error)

	// Along returns a store whose next call carries a row of a shop, and Rows the rows that are there. A row that is there already
	// refuses its call. Model draws them where both stores have them. They may be nil.
	Along func(row string) stock.Store
	Rows  func() []string

	// Together makes calls at once, each of which names the item, in their order of arrival, so that a store which merges calls
	// merges these. It is nil where the calls are made one after the other. For Model only.
	Together func(item stock.Key, calls ...func())

	// Events are what the store has to tell, where it tells every kind. Model compares those of orders where both stores have them. It
	// may be nil.
	Events event.Store

	// Conflicts reports that a transaction which has read before may be told to start over where others have changed since
	// what a call of it meets: the call is ErrUnavailable then, and the transaction is to be rolled back and run again. Otherwise
	// calls see what is there now.
	Conflicts bool
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
		lockCases(), takeCases(), payCases(), raceCases(), expiryCases(), refundCases(), limitCases(),
		defineCases(), bulkCases(), countCases(), checkCases(), operatorCases(), overflowCases(), readingCases(), listCases(),
		resolveCases(), auditCases(), historyCases(), transactionCases(),
		betweenCases(), guardCases(), amendCases(), raceAmendCases(), partCases(), waitCases(), backorderCases(), archiveCases(),
	)
}

// hold is how long a hold of a scene's inventory lives.
const hold = stock.DefaultHoldFor

// A scene is one case on its own store: an inventory with the default options, and helpers
// that end the test where something is not as it should be. They must not be called from
// other goroutines; suite.Together collects what those found.
type scene struct {
	suite.Checks
	suite.Harness[stock.Store, stock.Store]

	inv *stock.Inventory
}

// newScene returns a scene on a fresh store.
func newScene(t testing.TB, h Harness) *scene {
	t.Helper()
	checks := suite.Checks{TB: t, Retryable: stock.Retryable}
	harness := suite.Harness[stock.Store, stock.Store]{Store: h.Store, Advance: h.Advance, Begin: h.Begin, Conflicts: h.Conflicts}
	return &scene{Checks: checks, Harness: harness, inv: stock.New(h.Store, nil)}
}

// with returns an inventory with other options on the store of the scene.
func (s *scene) with(opts stock.Options) *stock.Inventory { return stock.New(s.Store, &opts) }

// over returns the inventory of the scene over a wire.
func (s *scene) over(w suite.Wire) *stock.Inventory { return s.inv.On(suite.WireStock(s.Store, w)) }

// now returns the store's clock.
func (s *scene) now() time.Time {
	s.Helper()
	_, now, err := s.Store.Hold(s.Context(), "the clock")
	s.No(err)
	return now
}

// sku returns the key of a SKU in ordinary stock.
func sku(n int64) stock.Key { return stock.Key{SKU: n} }

// pool returns the key of a SKU in the pool of an activity.
func pool(n, activity int64) stock.Key { return stock.Key{SKU: n, Activity: activity} }

// units returns a line of ordinary stock.
func units(n, num int64) stock.Line { return stock.Line{SKU: n, Num: num} }
