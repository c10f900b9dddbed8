package saletest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/sale"
)

// Model applies the same operations, random by the seed, to two empty stores, and ends the test where the two disagree: in a
// result, in an error or its data, in the effects that the hook was told of, and from time to time in any activity, product,
// price, item, hold, change, page or audit. The operations are those of operators, of orders that buy from the stock of the
// harnesses, and of pages. Some of those of operators go over a wire that breaks. The same seed gives the same run.
//
// The store of a is also read to find out what is worth trying next; it should be the fast one. The clocks may begin at different
// instants: every time is compared as what it is after the beginning of its store. The Version and UpdatedAt of an item are not
// compared, nor are the IDs of its definitions, which follow from the Version.
func Model(t testing.TB, seed int64, ops int, a, b Harness) {
	t.Helper()
	m := newModel(t, seed, a, b)
	m.Run(ops, m.next, m.compareAll)
}

// A model is one run, and what is known of its world.
type model struct {
	suite.Model[*side]

	nearlyGone int64
	fairs      []fairOfModel  // activities that were asked for, the youngest last
	offers     []offering     // the same of products
	orders     []orderOfModel // and of orders
	changes    []operation    // of the units of products, that were asked for
	again      *operation     // what is to be made once more, since its answer was lost
}

// A side is one of the two under test.
type side struct {
	suite.Side
	Harness

	sales  *sale.Sales
	broken *sale.Sales // the same over a wire that breaks
	shop   *stock.Inventory
	breaks suite.Breakage // where the wire does next
}

// An operation is one call with its arguments.
type operation = suite.Operation[*side]

// The small world of a model.
const (
	skusOfModel    = 3
	unitsOfModel   = 500
	unknownOfModel = 99 // an activity and a SKU
	manyOfModel    = 10_000
)

// buyersOfModel returns those who buy, some of whom differ in a byte that a sloppy store does not see.
func buyersOfModel() []string { return []string{"o", "O", "o ", "1"} }

// newModel draws the options, opens both sides, and fills the shop.
func newModel(t testing.TB, seed int64, a, b Harness) *model {
	t.Helper()
	m := &model{Model: suite.NewModel[*side](t, seed)}
	m.nearlyGone = suite.Pick[int64](m, 0, 1, 50, 100)
	holds := stock.Options{
		HoldFor: suite.Pick(m, 20*time.Second, stock.DefaultHoldFor), LatePay: suite.Pick(m, stock.Reject, stock.Reacquire),
		RefundFreesBuyer: m.Chance(50),
	}
	m.Options = fmt.Sprintf("NearlyGone %d, HoldFor %v, LatePay %v, RefundFreesBuyer %v", m.nearlyGone, holds.HoldFor, holds.LatePay,
		holds.RefundFreesBuyer)
	m.Class = m.classOf
	for i, h := range []Harness{a, b} {
		m.Sides[i] = m.open(t, h, holds)
	}
	for sku := int64(1); sku <= skusOfModel; sku++ {
		m.Do(operation{Name: fmt.Sprintf("Define SKU %d", sku), Call: func(s *side) (any, error) {
			return s.shop.Define(s.Context(), stock.Key{SKU: sku}, unitsOfModel, stock.Terms{SPU: sku % 2})
		}})
	}
	return m
}

// open opens one side.
func (m *model) open(t testing.TB, h Harness, holds stock.Options) *side {
	t.Helper()
	_, now, err := h.Store.Activity(m.Context(), 1)
	m.Must(err)
	s := &side{Side: suite.Side{TB: t, Form: suite.Form{Epoch: now, Fix: unversioned}}, Harness: h}
	told := func(_ context.Context, e stock.Effect) { s.Told(e) }
	holds.Hook = told
	s.shop = stock.New(h.Stock, &holds)
	s.sales = sale.New(h.Store, &sale.Options{NearlyGone: m.nearlyGone, Hook: told})
	s.broken = s.sales.On(&wire{s.breaks.Wire(), suite.InTurn(h.Store)})
	return s
}

// unversioned gives decimals one form and leaves out how many changes an item of stock has seen, and when.
func unversioned(v any) any {
	if item, ok := v.(stock.Item); ok {
		item.Version, item.UpdatedAt = min(item.Version, 1), time.Time{}
		return item
	}
	return plain(v)
}

// classOf returns the class of an error, which must be one that is exported.
func (m *model) classOf(err error) suite.ErrorClass {
	sentinels := append(refusals(),
		sale.ErrOverflow, sale.ErrDrift, sale.ErrUnknown, sale.ErrUnavailable, sale.ErrStore, stock.ErrNotFound, stock.ErrNotOnSale,
		stock.ErrNotStarted, stock.ErrEnded, stock.ErrLimit, stock.ErrNotPaid, stock.ErrPaid, stock.ErrRefunded, stock.ErrCancelled,
		stock.ErrExpired, stock.ErrOverRefund)
	class := suite.ClassOf(err, sentinels, suite.Data[sale.InvalidError], suite.Data[sale.MismatchError], suite.Data[sale.ProductError],
		suite.Data[stock.ShortageError], suite.Data[stock.ItemError], suite.Data[stock.WindowError], suite.Data[stock.LimitError],
		suite.Data[stock.StateError], suite.Data[stock.RefundError], suite.Data[stock.ContentionError])
	if len(class.Matches) == 1 && !slices.Contains(sentinels, class.Matches[0]) {
		m.Wrongf("an error of no known kind: %v", err)
	}
	return class
}

// next draws an operation, or makes one again whose answer was lost. Most of them do something; the rest are asked for in vain,
// which has to be answered alike, too.
func (m *model) next() operation {
	if again := m.again; again != nil && m.Chance(60) {
		m.again = nil
		return *again
	}
	op := m.draw()
	if !m.Chance(8) {
		return op
	}
	m.again = &op
	breaks := m.Breakage()
	return operation{Name: fmt.Sprintf("over a wire that breaks %v: %s", breaks, op.Name), Looks: op.Looks, Call: func(s *side) (any, error) {
		whole := s.sales
		s.sales, s.breaks = s.broken, breaks
		defer func() { s.sales, s.breaks = whole, suite.Breakage{} }()
		return op.Call(s)
	}}
}

// draw draws an operation.
func (m *model) draw() operation {
	if len(m.offers) < 3 || m.onSale() < 2 && m.Chance(40) {
		return m.prepare()
	}
	switch n := m.IntN(100); {
	case n < 25:
		return m.lock()
	case n < 45:
		return m.step()
	case n < 57:
		return m.prepare()
	case n < 65:
		return m.operate()
	case n < 75:
		return m.advance()
	case n < 80:
		return operation{Name: "Expire", Call: func(s *side) (any, error) { return s.sales.Expire(s.Context()) }}
	case n < 82:
		return operation{Name: "the shop's Expire", Call: func(s *side) (any, error) { return s.shop.Expire(s.Context()) }}
	case n < 84:
		return m.schedule()
	}
	return m.read()
}

// advance moves the clock, mostly by a little, and at times just to the end of an activity or of a hold.
func (m *model) advance() operation {
	d := suite.Pick(m, time.Microsecond, time.Second, 5*time.Second, 10*time.Second, time.Minute, stock.DefaultHoldFor)
	if len(m.fairs) > 0 && m.Chance(40) {
		f := suite.Pick(m, m.fairs...)
		if to := f.end - m.since(); to > 0 && to < 2*hour {
			d = to - suite.Pick(m, 0, 0, time.Microsecond)
		}
	}
	d = max(d, time.Microsecond)
	return operation{Name: fmt.Sprintf("Advance(%v)", d), Call: func(s *side) (any, error) { s.Advance(d); return nil, nil }}
}

// compareAll compares everything that the stores can be asked.
func (m *model) compareAll() {
	m.Helper()
	limit := suite.Pick(m, 1, 2, 3, manyOfModel)
	m.compare(fmt.Sprintf("DueActivities of %d", limit), func(s *side) (any, error) { return s.Store.DueActivities(s.Context(), limit) })
	m.compare(fmt.Sprintf("DueProducts of %d", limit), func(s *side) (any, error) {
		return s.Store.DueProducts(s.Context(), stock.Key{}, limit)
	})
	m.compare("the clock", func(s *side) (any, error) {
		_, now, err := s.Store.Activity(s.Context(), 1)
		return now, err
	})
	m.compare("Items", func(s *side) (any, error) { return suite.Gather(s.shop.Items(s.Context())) })
	m.compare("Holds", func(s *side) (any, error) { return suite.Gather(s.shop.Holds(s.Context(), stock.Filter{})) })
	m.compare("Activities", func(s *side) (any, error) { return suite.Gather(s.sales.Activities(s.Context())) })
	m.compare("Audit", func(s *side) (any, error) {
		report, err := s.shop.Audit(s.Context())
		if len(report.Drifts) > 0 {
			m.Wrongf("drifts: %+v", report.Drifts)
		}
		return report, err
	})
	m.compareBest()
	for _, state := range []sale.State{sale.Draft, sale.Approved, sale.Running, sale.Ended, sale.Withdrawn} {
		m.Compare(m.activitiesIn(state))
	}
	for _, f := range m.fairs {
		m.Compare(changesOf(stock.Key{Activity: f.ID}))
		m.Compare(productsOf(f.ID))
	}
	for _, o := range m.offers[max(0, len(m.offers)-suite.Remembered):] {
		for _, look := range lookAt(o.Key) {
			m.Compare(look)
		}
		m.Compare(changesOf(o.Key))
	}
	for _, o := range m.orders[max(0, len(m.orders)-suite.Remembered):] {
		m.Compare(priceOf(o.id))
	}
	m.balanced()
}

// compareBest compares what the stores say of best sellers and buyers, of which the sales remember some seconds.
func (m *model) compareBest() {
	m.Helper()
	m.compare("Best", func(s *side) (any, error) { return s.Store.Best(s.Context(), manyOfModel) })
	var keys []stock.Key
	for _, o := range m.offers {
		keys = append(keys, o.Key)
	}
	slices.SortFunc(keys, stock.Key.Compare)
	if keys = slices.Compact(keys); len(keys) == 0 {
		return
	}
	m.compare("Buyers", func(s *side) (any, error) {
		counts, err := s.Store.Buyers(s.Context(), keys)
		lines := make([]int64, len(keys))
		for i, key := range keys {
			lines[i] = counts[key]
		}
		return lines, err
	})
}

// balanced ends the run unless each unit is in ordinary stock, in a pool, or sold.
func (m *model) balanced() {
	m.Helper()
	are := map[int64]int64{}
	for item, err := range m.Sides[0].shop.Items(m.Context()) {
		m.Must(err)
		are[item.SKU] += item.Left + item.Sold
	}
	for sku := int64(1); sku <= skusOfModel; sku++ {
		if are[sku] != unitsOfModel {
			m.Wrongf("SKU %d has %d units in all, not %d", sku, are[sku], unitsOfModel)
		}
	}
}

// compare compares one reading.
func (m *model) compare(name string, call func(s *side) (any, error)) {
	m.Helper()
	m.Compare(operation{Name: name, Call: call})
}

// since returns how long the clock of the first side has run.
func (m *model) since() time.Duration {
	_, now, err := m.Sides[0].Store.Activity(m.Context(), 1)
	m.Must(err)
	return now.Sub(m.Sides[0].Epoch)
}

// word draws a text, one in thirty of which is too long.
func (m *model) word(most int, of ...string) string {
	if m.Chance(3) {
		return strings.Repeat("x", most+1)
	}
	return suite.Pick(m, of...)
}
