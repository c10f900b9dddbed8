package stocktest

import (
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// define creates an item or changes its terms.
func (s *scene) define(key stock.Key, total int64, terms stock.Terms) stock.Item {
	return suite.Must(s.inv.Define(s.Context(), key, total, terms))
}

// terms gives an item other terms.
func (s *scene) terms(key stock.Key, terms stock.Terms) stock.Item {
	return suite.Must(s.inv.ChangeTerms(s.Context(), key, func(stock.Item) (stock.Terms, error) { return terms, nil }))
}

// defines returns the change that records the n-th definition of an item, by which units came or went.
func defines(item stock.Item, n, units int64) stock.Change {
	entry := stock.Entry{Key: item.Key, Delta: stock.Quantities{Total: units}}
	return stock.Change{Kind: stock.KindDefine, ID: item.Serial(n), Entries: []stock.Entry{entry}}
}

// create asks the store for new items.
func (s *scene) create(items ...stock.Item) (stock.Verdict, error) {
	defined := make([]stock.Change, len(items))
	for i, item := range items {
		defined[i] = defines(item, 1, item.Total)
	}
	return s.Store.Create(s.Context(), items, defined)
}

// setTerms asks the store for other terms of an item and another total.
func (s *scene) setTerms(from stock.Item, to stock.Terms, total int64) (stock.Verdict, error) {
	return s.Store.SetTerms(s.Context(), from, to, total, defines(from, from.Version+1, total-from.Total))
}

// fill creates items of the same total, whose terms are the default.
func (s *scene) fill(total int64, keys ...stock.Key) {
	for _, key := range keys {
		s.define(key, total, stock.Terms{})
	}
}

// lock locks units for an order.
func (s *scene) lock(order string, lines ...stock.Line) stock.Hold {
	return suite.Must(s.inv.Lock(s.Context(), order, lines...))
}

// pay pays an order.
func (s *scene) pay(order string) stock.Outcome {
	return suite.Must(s.inv.Pay(s.Context(), order))
}

// buy locks and pays an order.
func (s *scene) buy(order string, lines ...stock.Line) {
	s.Helper()
	s.lock(order, lines...)
	s.pay(order)
}

// refund refunds lines of an order, or all of it, back on sale.
func (s *scene) refund(id, order string, lines ...stock.Line) {
	s.Helper()
	s.No(s.giveBack(id, order, lines...))
}

// giveBack is refund for a call that may be refused.
func (s *scene) giveBack(id, order string, lines ...stock.Line) error {
	return suite.Err(s.inv.Refund(s.Context(), stock.Refund{ID: id, Order: order, Restock: true, Lines: lines}))
}

// serve locks two units of SKU 1 for an order, and pays or cancels it.
func (s *scene) serve(inv *stock.Inventory, order string, pays bool) error {
	if _, err := inv.Lock(s.Context(), order, units(1, 2)); err != nil {
		return err
	}
	return s.end(order, pays)
}

// end pays an order or cancels it.
func (s *scene) end(order string, pays bool) error {
	step := s.inv.Cancel
	if pays {
		step = s.inv.Pay
	}
	return suite.Err(step(s.Context(), order))
}

// item returns an item as it is.
func (s *scene) item(key stock.Key) stock.Item {
	return suite.Must(s.inv.Item(s.Context(), key))
}

// counts ends the test unless the counters of an item are these.
func (s *scene) counts(key stock.Key, want stock.Quantities) {
	s.Helper()
	if got := s.item(key).Quantities; got != want {
		s.Fatalf("%v counts\n  %+v, want\n  %+v", key, got, want)
	}
}

// holdOf returns the hold of an order.
func (s *scene) holdOf(order string) stock.Hold {
	return suite.Must(s.inv.Hold(s.Context(), order))
}

// state ends the test unless the hold of an order is in a state, and returns it.
func (s *scene) state(order string, want stock.State) stock.Hold {
	s.Helper()
	h := s.holdOf(order)
	if h.State != want {
		s.Fatalf("order %q is %v, want %v", order, h.State, want)
	}
	return h
}

// unheld ends the test unless there is no trace of an order.
func (s *scene) unheld(order string) {
	s.Helper()
	s.Is(suite.Err(s.inv.Hold(s.Context(), order)), stock.ErrNotFound)
}

// usage ends the test unless a buyer has this of an item.
func (s *scene) usage(buyer string, key stock.Key, want stock.Usage) {
	s.Helper()
	suite.Same(s, "usage", suite.Must(s.inv.For(buyer).Usage(s.Context(), key)), want)
}

// unchanged runs a call and ends the test if an item changed by it, its version included.
func (s *scene) unchanged(key stock.Key, call func()) {
	s.Helper()
	was := s.item(key)
	call()
	suite.Same(s, "item", s.item(key), was)
}

// shortage ends the test unless an error is a shortage of this item.
func (s *scene) shortage(err error, key stock.Key, wanted, available int64) {
	s.Helper()
	s.Is(err, stock.ErrInsufficient)
	suite.Same(s, "shortage", *suite.As[*stock.ShortageError](s, err), stock.ShortageError{Key: key, Wanted: wanted, Available: available})
}

// differs ends the test unless an error says that a call differs from the first one in this.
func (s *scene) differs(err error, want stock.MismatchError) {
	s.Helper()
	s.Is(err, stock.ErrMismatch)
	suite.Same(s, "what differs", *suite.As[*stock.MismatchError](s, err), want)
}

// itemRefuses ends the test unless an error is the refusal of this item.
func (s *scene) itemRefuses(err error, key stock.Key, reason error) {
	s.Helper()
	suite.Same(s, "error", *suite.As[*stock.ItemError](s, err), stock.ItemError{Key: key, Err: reason})
}

// overLimit ends the test unless an error is this one.
func (s *scene) overLimit(err error, want stock.LimitError) {
	s.Helper()
	s.Is(err, want.Err, stock.ErrLimit)
	suite.Same(s, "error", *suite.As[*stock.LimitError](s, err), want)
}

// inState ends the test unless an error names the state an order is in.
func (s *scene) inState(err error, order string, state stock.State, reason error) {
	s.Helper()
	s.Is(err, reason)
	suite.Same(s, "state error", *suite.As[*stock.StateError](s, err), stock.StateError{Order: order, State: state, Err: reason})
}

// Balanced ends the test unless the books balance: the counters are those that holds and
// changes add up to, and nothing is oversold.
func (s *scene) Balanced() {
	s.Helper()
	report := suite.Must(s.inv.Audit(s.Context()))
	for _, drift := range report.Drifts {
		s.Errorf("drift: %v", drift)
	}
	items := 0
	for _, item := range suite.Listed(s, s.inv.Items(s.Context())) {
		items++
		q := item.Quantities
		switch {
		case !q.Valid(item.Terms):
			s.Errorf("%v has impossible counters: %+v", item.Key, q)
		case item.Unlimited:
		case q.Locked < 0, q.Locked > q.Left+q.Backordered, q.Left+q.Sold != q.Total, q.Backordered == 0 && q.Left < 0:
			s.Errorf("%v is oversold: %+v", item.Key, q)
		}
	}
	if report.Items != items {
		s.Errorf("the audit looked at %d items of %d", report.Items, items)
	}
	if s.Failed() {
		s.FailNow()
	}
}
