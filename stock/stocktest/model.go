package stocktest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// Model applies the same operations, random by the seed, to two empty stores, and ends the
// test where the two disagree: in a result, in an error or its data, in the effects that the
// hook was told of, and from time to time in any item, hold, usage or audit. The report has the
// seed, the operation, both answers and the operations before it; the same seed gives the same
// run.
//
// The options of the inventories are drawn from the seed as well. The store of a is also read to
// find out what is worth trying next; it should be the fast one.
//
// The clocks may begin at different instants: every time is compared as what it is after the
// beginning of its store. An item's Version is not compared, because one store may count as
// one change what another counts as several.
func Model(t testing.TB, seed int64, ops int, a, b Harness) {
	t.Helper()
	m := newModel(t, seed, a, b)
	m.Run(ops, m.draw, m.compareAll)
}

// A model is one run, and what is known of its world.
type model struct {
	suite.Model[*side]

	opts    stock.Options
	orders  []string       // in use, the youngest last
	refunds []stock.Refund // that were asked for, the youngest last
	amends  []stock.Amendment
	parts   []operation // of RedeemPart that were made, the youngest last
	changes []operation // restocks, withdrawals and transfers that were made, the youngest last
	rows    []string    // of the shop, that calls have carried, the youngest last
}

// A side is one of the two inventories under test.
type side struct {
	suite.Side
	Harness

	inv *stock.Inventory
}

// An operation is one call with its arguments.
type operation = suite.Operation[*side]

// newModel draws the options and opens both sides.
func newModel(t testing.TB, seed int64, a, b Harness) *model {
	t.Helper()
	m := &model{Model: suite.NewModel[*side](t, seed)}
	m.opts = stock.Options{
		HoldFor:          suite.Pick(m, 5*time.Microsecond, time.Minute, stock.DefaultHoldFor),
		LatePay:          suite.Pick(m, stock.Reject, stock.Reacquire),
		RefundRedeemed:   suite.Pick(m, false, true),
		RefundFreesBuyer: suite.Pick(m, false, true),
	}
	m.Options, m.Class = m.opts, classOf
	for i, h := range []Harness{a, b} {
		_, now, err := h.Store.Hold(m.Context(), "the clock")
		m.Must(err)
		s := &side{Side: suite.Side{TB: t, Form: suite.Form{Epoch: now, Fix: unversioned}}, Harness: h}
		opts := m.opts
		opts.Hook = func(_ context.Context, e stock.Effect) { s.Told(e) }
		s.inv = stock.New(h.Store, &opts)
		m.Sides[i] = s
	}
	for _, key := range keys() {
		m.Do(m.define(key))
	}
	return m
}

// unversioned leaves out how many changes an item has seen.
func unversioned(v any) any {
	if item, ok := v.(stock.Item); ok {
		item.Version = min(item.Version, 1)
		return item
	}
	return v
}

// compareAll compares everything that the stores can be asked.
func (m *model) compareAll() {
	m.Helper()
	m.Compare(operation{Name: "Items", Call: func(s *side) (any, error) { return suite.Gather(s.inv.Items(s.Context())) }})
	m.Compare(operation{Name: "Holds", Call: func(s *side) (any, error) { return suite.Gather(s.inv.Holds(s.Context(), stock.Filter{})) }})
	m.Compare(operation{Name: "Audit", Call: func(s *side) (any, error) {
		report, err := s.inv.Audit(s.Context())
		for _, drift := range report.Drifts {
			m.Wrongf("drift: %v", drift)
		}
		return report, err
	}})
	m.compareLists()
	for _, key := range keys() {
		m.Compare(operation{Name: "Holds of " + key.String(), Call: func(s *side) (any, error) {
			return suite.Gather(s.inv.Holds(s.Context(), stock.Filter{Key: key}))
		}})
		m.Compare(operation{Name: "Holds that wait for " + key.String(), Call: func(s *side) (any, error) {
			return suite.Gather(s.inv.Holds(s.Context(), stock.Filter{Key: key, Backordered: true}))
		}})
		for _, buyer := range buyers() {
			m.Compare(operation{Name: fmt.Sprintf("Usage of %v by %q", key, buyer), Call: func(s *side) (any, error) {
				return s.inv.For(buyer).Usage(s.Context(), key)
			}})
		}
	}
	if m.Sides[0].Events != nil && m.Sides[1].Events != nil {
		m.compareEvents()
	}
	m.Compare(operation{Name: "the clock", Call: func(s *side) (any, error) {
		_, now, err := s.Store.Hold(s.Context(), "the clock")
		return now, err
	}})
}

// compareEvents compares what the stores tell of orders. Their items are not compared: where calls are merged, one change crosses a
// line that several cross to and fro. But each item is sold out and back by turns.
func (m *model) compareEvents() {
	m.Helper()
	for _, order := range m.orders {
		m.Compare(operation{Name: fmt.Sprintf("Events of order %q", order), Call: func(s *side) (any, error) {
			events, err := suite.Gather(event.New(s.Events, nil).Of(s.Context(), event.OrderQueue(order)))
			for i := range events {
				events[i].ID = 0
			}
			return events, err
		}})
	}
	for _, key := range keys() {
		for _, s := range m.Sides {
			events, err := suite.Gather(event.New(s.Events, nil).Of(s.Context(), event.ItemQueue(key.SKU, key.Activity)))
			m.Must(err)
			m.takeTurns(events)
		}
	}
}

// takeTurns ends the test unless an item is sold out and back by turns.
func (m *model) takeTurns(events []event.Event) {
	m.Helper()
	var last event.Kind
	for _, e := range events {
		if e.Kind == last && e.Kind != event.LowStock {
			m.Wrongf("%v, as the one before it", e)
		}
		if e.Kind != event.LowStock {
			last = e.Kind
		}
	}
}

// compareLists compares the lists of screens, in pages of some size.
func (m *model) compareLists() {
	m.Helper()
	limit := suite.Pick(m, 1, 3, 50)
	holds := func(name string, inv func(*side) *stock.Inventory, filter stock.Filter) {
		m.Compare(operation{Name: fmt.Sprintf("HoldsPage of %s by %d", name, limit), Call: func(s *side) (any, error) {
			return suite.GatherPages(limit, func(ask stock.PageRequest) (stock.Page[stock.Hold], error) {
				return inv(s).HoldsPage(s.Context(), filter, ask)
			})
		}})
	}
	all := func(s *side) *stock.Inventory { return s.inv }
	holds("all", all, stock.Filter{})
	holds("what waits in the order of arrival", all, stock.Filter{States: []stock.State{stock.Waiting}, ByDeadline: true})
	holds("what is locked by deadline", all, stock.Filter{States: []stock.State{stock.Locked}, ByDeadline: true})
	for _, buyer := range buyers() {
		holds(buyer, func(s *side) *stock.Inventory { return s.inv.For(buyer) }, stock.Filter{})
	}
	for _, key := range keys() {
		holds(key.String(), all, stock.Filter{Key: key, States: []stock.State{stock.Paid}})
		m.Compare(operation{Name: fmt.Sprintf("ChangesPage of %v by %d", key, limit), Call: func(s *side) (any, error) {
			return suite.GatherChanges(limit, func(ask stock.PageRequest) (stock.Page[stock.Change], error) {
				return s.inv.ChangesPage(s.Context(), key, ask)
			})
		}})
	}
	for _, order := range m.orders[max(0, len(m.orders)-3):] {
		m.Compare(operation{Name: fmt.Sprintf("RefundsPage of %q by %d", order, limit), Call: func(s *side) (any, error) {
			return suite.GatherPages(limit, func(ask stock.PageRequest) (stock.Page[stock.RefundRecord], error) {
				return s.inv.RefundsPage(s.Context(), order, ask)
			})
		}})
	}
}
