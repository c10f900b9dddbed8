package stocktest

import (
	"errors"
	"reflect"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/stock"
)

// no ends the test on an error.
func (s *scene) no(err error) {
	s.Helper()
	if err != nil {
		s.Fatalf("unexpected error: %v", err)
	}
}

// is ends the test unless an error matches all of the targets. Whether it is retryable
// must agree with what it is.
func (s *scene) is(err error, targets ...error) {
	s.Helper()
	for _, target := range targets {
		if !errors.Is(err, target) {
			s.Fatalf("error is %v, want %v", err, target)
		}
	}
	if again := errors.Is(err, stock.ErrUnavailable) || errors.Is(err, stock.ErrUnknown); stock.Retryable(err) != again {
		s.Fatalf("Retryable(%v) is %v", err, !again)
	}
}

// isNot ends the test if an error matches one of the targets.
func (s *scene) isNot(err error, targets ...error) {
	s.Helper()
	for _, target := range targets {
		if errors.Is(err, target) {
			s.Fatalf("error is %v, must not match %v", err, target)
		}
	}
}

// as returns the typed error in an error, and ends the test where there is none.
func as[E error](s *scene, err error) E {
	s.Helper()
	typed, ok := errors.AsType[E](err)
	if !ok {
		s.Fatalf("error is %v, want a %T", err, typed)
	}
	return typed
}

// same ends the test unless two values are deeply equal.
func same[T any](s *scene, what string, got, want T) {
	s.Helper()
	if !reflect.DeepEqual(got, want) {
		s.Fatalf("%s is\n  %+v, want\n  %+v", what, got, want)
	}
}

// define creates an item or changes its terms.
func (s *scene) define(key stock.Key, total int64, terms stock.Terms) stock.Item {
	s.Helper()
	item, err := s.inv.Define(s.Context(), key, total, terms)
	s.no(err)
	return item
}

// lock locks units for an order.
func (s *scene) lock(order string, lines ...stock.Line) stock.Hold {
	s.Helper()
	h, err := s.inv.Lock(s.Context(), order, lines...)
	s.no(err)
	return h
}

// pay pays an order.
func (s *scene) pay(order string) stock.Outcome {
	s.Helper()
	o, err := s.inv.Pay(s.Context(), order)
	s.no(err)
	return o
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
	_, err := s.inv.Refund(s.Context(), stock.Refund{ID: id, Order: order, Restock: true, Lines: lines})
	s.no(err)
}

// item returns an item as it is.
func (s *scene) item(key stock.Key) stock.Item {
	s.Helper()
	item, err := s.inv.Item(s.Context(), key)
	s.no(err)
	return item
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
	s.Helper()
	h, err := s.inv.Hold(s.Context(), order)
	s.no(err)
	return h
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
	_, err := s.inv.Hold(s.Context(), order)
	s.is(err, stock.ErrNotFound)
}

// usage ends the test unless a buyer has this of an item.
func (s *scene) usage(buyer int64, key stock.Key, want stock.Usage) {
	s.Helper()
	got, err := s.inv.For(buyer).Usage(s.Context(), key)
	s.no(err)
	same(s, "usage", got, want)
}

// unchanged runs a call and ends the test if an item changed by it, its version included.
func (s *scene) unchanged(key stock.Key, call func()) {
	s.Helper()
	was := s.item(key)
	call()
	same(s, "item", s.item(key), was)
}

// shortage ends the test unless an error is a shortage of this item.
func (s *scene) shortage(err error, key stock.Key, wanted, available int64) {
	s.Helper()
	s.is(err, stock.ErrInsufficient)
	same(s, "shortage", *as[*stock.ShortageError](s, err), stock.ShortageError{Key: key, Wanted: wanted, Available: available})
}

// inState ends the test unless an error names the state an order is in.
func (s *scene) inState(err error, order string, state stock.State, reason error) {
	s.Helper()
	s.is(err, reason)
	same(s, "state error", *as[*stock.StateError](s, err), stock.StateError{Order: order, State: state, Err: reason})
}

// balanced ends the test unless the books balance: the counters are those that holds and
// changes add up to, and nothing is oversold.
func (s *scene) balanced() {
	s.Helper()
	report, err := s.inv.Audit(s.Context())
	s.no(err)
	for _, drift := range report.Drifts {
		s.Errorf("drift: %v", drift)
	}
	items := 0
	for item, err := range s.inv.Items(s.Context()) {
		s.no(err)
		items++
		q := item.Quantities
		switch {
		case !q.Valid(item.Terms):
			s.Errorf("%v has impossible counters: %+v", item.Key, q)
		case item.Unlimited:
		case q.Locked < 0, q.Locked > q.Left, q.Left+q.Sold != q.Total:
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

// together makes n calls at once and returns their errors, by number.
func together(n int, call func(i int) error) []error { return crowd(n, n, call) }

// crowd makes n calls, up to width at a time, and returns their errors, by number.
func crowd(n, width int, call func(i int) error) []error {
	errs := make([]error, n)
	numbers, gate := make(chan int, n), make(chan struct{})
	for i := range n {
		numbers <- i
	}
	close(numbers)
	var wg sync.WaitGroup
	for range min(n, width) {
		wg.Go(func() {
			<-gate
			for i := range numbers {
				errs[i] = call(i)
			}
		})
	}
	close(gate)
	wg.Wait()
	return errs
}

// each ends the test unless every call of a crowd succeeded.
func (s *scene) each(errs []error) {
	s.Helper()
	for i, err := range errs {
		if err != nil {
			s.Fatalf("call %d of %d: %v", i, len(errs), err)
		}
	}
}

// succeeded returns how many calls of a crowd did, and ends the test if one failed with an
// error that matches none of the reasons.
func (s *scene) succeeded(errs []error, reasons ...error) int {
	s.Helper()
	n := 0
	for i, err := range errs {
		if err == nil {
			n++
			continue
		}
		matches := false
		for _, reason := range reasons {
			matches = matches || errors.Is(err, reason)
		}
		if !matches {
			s.Fatalf("call %d of %d: %v", i, len(errs), err)
		}
	}
	return n
}

// count ends the test unless a number is this one.
func (s *scene) count(what string, got, want int) {
	s.Helper()
	if got != want {
		s.Fatalf("%s: %d, want %d", what, got, want)
	}
}

// sameTime ends the test unless two times are the same instant.
func (s *scene) sameTime(what string, got, want time.Time) {
	s.Helper()
	if !got.Equal(want) {
		s.Fatalf("%s is %v, want %v", what, got, want)
	}
}
