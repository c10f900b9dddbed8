// Package eventtest is the conformance suite of events: what a stock.Store has to tell and what an event.Store does with it, proved
// through the public methods of stock.Inventory and event.Events.
package eventtest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// Harness is a stock.Store that tells every kind of event, and the store of these events, both empty and on one clock.
type Harness struct {
	suite.Harness[stock.Store, stock.Store]

	Events event.Store
}

// All returns every kind of event.
func All() []event.Kind {
	var all []event.Kind
	for k := range event.Kind(64) {
		if k.Known() {
			all = append(all, k)
		}
	}
	return all
}

// Run runs every case against stores that open makes, one for each case.
func Run(t *testing.T, open func(t testing.TB) Harness) {
	t.Helper()
	suite.Run(t, slices.Concat(tellCases(), deliverCases(), inputCases()), func(t testing.TB) *scene {
		t.Helper()
		return newScene(t, open(t))
	})
}

// testCase is one sentence of the contract.
type testCase = suite.Case[*scene]

// A scene is one case on its own stores. Its helpers must not be called from other goroutines.
type scene struct {
	suite.Checks
	Harness

	inv    *stock.Inventory
	events *event.Events
}

// hold is how long a hold of a scene's inventory lives.
const hold = stock.DefaultHoldFor

func newScene(t testing.TB, h Harness) *scene {
	t.Helper()
	checks := suite.Checks{TB: t, Retryable: stock.Retryable}
	return &scene{Checks: checks, Harness: h, inv: stock.New(h.Store, nil), events: event.New(h.Events, nil)}
}

// Balanced ends the test unless the books of the stock balance.
func (s *scene) Balanced() {
	s.Helper()
	suite.Same(s, "drifts", len(suite.Must(s.inv.Audit(s.Context())).Drifts), 0)
}

// with returns events with other options on the store of the scene.
func (s *scene) with(opts event.Options) *event.Events { return event.New(s.Events, &opts) }

// define makes an item of ordinary stock.
func (s *scene) define(n, total int64, terms stock.Terms) {
	s.Helper()
	suite.Must(s.inv.Define(s.Context(), stock.Key{SKU: n}, total, terms))
}

// units returns a line of ordinary stock.
func units(n, num int64) stock.Line { return stock.Line{SKU: n, Num: num} }

func (s *scene) lock(order string, lines ...stock.Line) {
	s.Helper()
	suite.Must(s.inv.Lock(s.Context(), order, lines...))
}

func (s *scene) cancel(order string) {
	s.Helper()
	suite.Must(s.inv.Cancel(s.Context(), order))
}

// brief is what tells events apart.
type brief struct {
	Kind     event.Kind
	SKU      int64
	Activity int64
	Order    string
	Ref      string
	Num      int64
}

// of returns an event of an item.
func of(kind event.Kind, sku, num int64) brief { return brief{Kind: kind, SKU: sku, Num: num} }

// ofOrder returns an event of an order.
func ofOrder(kind event.Kind, order string, num int64) brief {
	return brief{Kind: kind, Order: order, Num: num}
}

func briefOf(e event.Event) brief { return brief{e.Kind, e.SKU, e.Activity, e.Order, e.Ref, e.Num} }

// delivers ends the test unless exactly these events are due, those of each queue in this order.
func (s *scene) delivers(want ...brief) {
	s.Helper()
	got := map[string][]brief{}
	n := suite.Must(s.events.Deliver(s.Context(), func(_ context.Context, e event.Event) error {
		got[e.Queue] = append(got[e.Queue], briefOf(e))
		return nil
	}))
	suite.Same(s, "events", got, byQueue(want))
	s.Count("done", n, len(want))
}

// byQueue sorts events by their queues.
func byQueue(events []brief) map[string][]brief {
	queues := map[string][]brief{}
	for _, b := range events {
		queue := event.ItemQueue(b.SKU, b.Activity)
		if b.Order != "" {
			queue = event.OrderQueue(b.Order)
		}
		queues[queue] = append(queues[queue], b)
	}
	return queues
}

// list collects a listing.
func (s *scene) list(queue string) []event.Event {
	s.Helper()
	return suite.Listed(s, s.events.Of(s.Context(), queue))
}

// poisoned collects what is set aside.
func (s *scene) poisoned() []event.Event {
	s.Helper()
	return suite.Listed(s, s.events.Poisoned(s.Context()))
}

// write makes one event for each order, each in a queue of its own. Their IDs are in the order of the arguments.
func (s *scene) write(orders ...string) {
	s.Helper()
	s.define(99, 1_000, stock.Terms{})
	for _, order := range orders {
		s.lock(order, units(99, 1))
		s.cancel(order)
	}
}

// errOdd is the failure of handlers.
var errOdd = errors.New("odd")

// handler records the orders of the events that it is given, and returns what fails says.
type handler struct {
	got   []string
	fails map[string]bool // by order, while it is set
}

func (h *handler) handle(_ context.Context, e event.Event) error {
	h.got = append(h.got, e.Order)
	if h.fails[e.Order] {
		return errOdd
	}
	return nil
}

// take returns what it was given since.
func (h *handler) take() []string {
	got := h.got
	h.got = nil
	return got
}

const minute = time.Minute
