// Package saletest is the conformance suite of sale.Store: what every store must do, proved through the public
// methods of sale.Sales, with orders that a stock.Inventory makes beside it. Store and its suite are a seam
// of v0: they change without notice, so the suite is for the stores of this module.
package saletest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/sale"
)

// Harness is one fresh, empty store and what a test needs to drive it. Its Stock is the same stock by a store that knows
// nothing of sales: the one from which orders buy.
type Harness = suite.Harness[sale.Store, sale.Store]

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
	return slices.Concat(inputCases(), activityCases(), offerCases(), endingCases(), seriesCases(), priceCases(), shelfCases(),
		listCases(), lostCases(), raceCases(), transactionCases())
}

// What is sold in a scene: units of one SKU, of which there are so many at first, in one activity.
const (
	goods   = 42
	fair    = 7
	inStock = 1000
	units   = 30
	hour    = time.Hour
	day     = 24 * hour
	runs    = 2 * hour // how long the activity does
	hold    = stock.DefaultHoldFor
	instant = time.Microsecond
	anna    = "anna"
	ben     = "ben"
)

// key returns the key of the product of a scene.
func key() stock.Key { return stock.Key{SKU: goods, Activity: fair} }

// of returns a line of some units of a product.
func of(k stock.Key, n int64) stock.Line { return stock.Line{SKU: k.SKU, Activity: k.Activity, Num: n} }

// A scene is one case on its own store: sales with the default options, and helpers that end the test where
// something is not as it should be. They must not be called from other goroutines.
type scene struct {
	suite.Checks
	Harness

	sales *sale.Sales
	shop  *stock.Inventory // where orders buy
	owned map[int64]int64  // how many units there ever were of a SKU, in all of its pools
}

// newScene returns a scene on a fresh store.
func newScene(t testing.TB, h Harness) *scene {
	t.Helper()
	checks := suite.Checks{TB: t, Retryable: sale.Retryable, Normal: suite.Form{Fix: plain}.Normal}
	return &scene{
		Checks: checks, Harness: h, sales: sale.New(h.Store, nil), shop: stock.New(h.Stock, nil), owned: map[int64]int64{},
	}
}

// plain gives a decimal the same inside as any that is equal to it has.
func plain(v any) any {
	if d, ok := v.(decimal.Decimal); ok {
		return dec(d.String())
	}
	return v
}

// dec returns a decimal.
func dec(amount string) decimal.Decimal { return decimal.RequireFromString(amount) }

// Balanced ends the test unless each unit is where it has to be, and the books of the stock balance.
func (s *scene) Balanced() {
	s.Helper()
	are := map[int64]int64{}
	for _, item := range suite.Listed(s, s.shop.Items(s.Context())) {
		are[item.SKU] += item.Left + item.Sold
	}
	for sku, want := range s.owned {
		suite.Same(s, "units of a SKU in all pools and sold", are[sku], want)
	}
	report := suite.Must(s.shop.Audit(s.Context()))
	suite.Same(s, "drifts", len(report.Drifts), 0)
}

// now returns the store's clock.
func (s *scene) now() time.Time {
	s.Helper()
	_, now, err := s.Store.Activity(s.Context(), fair)
	s.No(err)
	return now
}

// refusals returns every error by which sales say no.
func refusals() []error {
	return []error{
		sale.ErrInvalid, sale.ErrMismatch, sale.ErrUnknownActivity, sale.ErrUnknownProduct, sale.ErrNotApproved, sale.ErrNotStarted,
		sale.ErrEnded, sale.ErrWithdrawn, sale.ErrPreparing, sale.ErrRemoved, stock.ErrUnknownSKU, stock.ErrUnlimited,
		stock.ErrInsufficient, stock.ErrPerOrder, stock.ErrPerBuyer, stock.ErrBuyerRequired, stock.ErrOffShelf,
	}
}

// only ends the test unless an error is this one refusal and no other.
func (s *scene) only(err, refusal error) {
	s.Helper()
	s.Is(err, refusal)
	for _, other := range refusals() {
		if errors.Is(err, other) && !errors.Is(refusal, other) {
			s.Fatalf("error is %v, must not match %v", err, other)
		}
	}
}

// stocked defines ordinary stock of a SKU.
func (s *scene) stocked(sku, n int64) {
	s.Helper()
	s.No(suite.Err(s.shop.Define(s.Context(), stock.Key{SKU: sku}, n, stock.Terms{})))
	s.owned[sku] += n
}

// activity returns the activity of a scene: it runs from now on.
func (s *scene) activity() sale.Activity {
	s.Helper()
	return sale.Activity{ID: fair, Title: "Double eleven", Image: "11.png", Label: sale.LabelSubsidy, End: s.now().Add(runs), Places: 2}
}

// define defines an activity.
func (s *scene) define(a sale.Activity) sale.Activity {
	return suite.Must(s.sales.Define(s.Context(), a))
}

// approve approves an activity.
func (s *scene) approve(id int64) sale.Activity { return suite.Must(s.sales.Approve(s.Context(), id)) }

// product returns the product of a scene.
func product() sale.Product {
	return sale.Product{Key: key(), SPU: 4, Name: "Tea", Spec: "500 g", ListPrice: dec("99"), Price: dec("19.90")}
}

// offer offers a product with so many units.
func (s *scene) offer(p sale.Product, n int64) sale.Product {
	return suite.Must(s.sales.Offer(s.Context(), p, n))
}

// live makes the shop of a scene: the goods, and the activity with its product, approved.
func (s *scene) live() {
	s.Helper()
	s.stocked(goods, inStock)
	s.define(s.activity())
	s.offer(product(), units)
	s.approve(fair)
}

// lock locks units of the product for an order.
func (s *scene) lock(order string, n int64) {
	suite.Must(s.shop.Lock(s.Context(), order, of(key(), n)))
}

// pay pays an order.
func (s *scene) pay(order string) { s.No(suite.Err(s.shop.Pay(s.Context(), order))) }

// refund refunds an order.
func (s *scene) refund(order string, restock bool) {
	s.Helper()
	s.No(suite.Err(s.shop.Refund(s.Context(), stock.Refund{ID: "refund-" + order, Order: order, Restock: restock})))
}

// item returns an item of stock.
func (s *scene) item(k stock.Key) stock.Item { return suite.Must(s.shop.Item(s.Context(), k)) }

// pool ends the test unless the pool of the product counts so; Left follows from the others.
func (s *scene) pool(want stock.Quantities) {
	s.Helper()
	want.Left = want.Total - want.Sold
	suite.Same(s, "pool", s.item(key()).Quantities, want)
}

// ordinary ends the test unless so many units of the goods are in ordinary stock.
func (s *scene) ordinary(want int64) {
	s.Helper()
	suite.Same(s, "units in ordinary stock", s.item(stock.Key{SKU: goods}).Left, want)
}

// stands returns the product, and ends the test unless it is in a state.
func (s *scene) stands(want sale.ProductState) sale.Product {
	s.Helper()
	offer := suite.Must(s.sales.Product(s.Context(), key()))
	suite.Same(s, "state of the product", offer.State, want)
	return offer.Product
}

// is returns the activity of a scene, and ends the test unless it is in a state.
func (s *scene) is(want sale.State) sale.Activity {
	s.Helper()
	a := suite.Must(s.sales.Activity(s.Context(), fair))
	suite.Same(s, "state", a.State, want)
	return a
}

// expire expires once, and returns how much that was.
func (s *scene) expire() int { return suite.Must(s.sales.Expire(s.Context())) }

// books are all that is kept in a scene.
type books struct {
	Activities []sale.Activity
	Products   []sale.Product
	Items      []stock.Item
	Holds      []stock.Hold
}

// everything returns all that is kept.
func (s *scene) everything() any {
	s.Helper()
	b := books{Activities: suite.Listed(s, s.sales.Activities(s.Context()))}
	for _, a := range b.Activities {
		b.Products = append(b.Products, suite.Listed(s, s.sales.Products(s.Context(), a.ID))...)
	}
	b.Items = suite.Listed(s, s.shop.Items(s.Context()))
	b.Holds = suite.Listed(s, s.shop.Holds(s.Context(), stock.Filter{}))
	return b
}

// unchanged ends the test unless a call changes nothing that is kept.
func (s *scene) unchanged(call func()) {
	s.Helper()
	was := s.everything()
	call()
	suite.Same(s, "the books", s.everything(), was)
}
