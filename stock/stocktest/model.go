package stocktest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/stock"
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
	for m.done = range ops {
		m.do(m.next())
		if m.done%checkEvery == checkEvery-1 {
			m.compareAll()
		}
	}
	m.compareAll()
	t.Logf("seed %d: %d of %d operations took effect or were replays", seed, m.accepted, ops)
}

// checkEvery is how many operations there are between two comparisons of everything.
const checkEvery = 50

// A model is one run: two sides, and what is known of them.
type model struct {
	testing.TB
	seed     int64
	rng      *rand.Rand
	opts     stock.Options
	sides    [2]*side
	done     int // operations before this one
	accepted int // operations without an error
	log      []string
	orders   []string       // in use, the youngest last
	refunds  []stock.Refund // that were asked for, the youngest last
	changes  []operation    // restocks, withdrawals and transfers that were made, the youngest last
	ids      int            // numbers that were given out
}

// A side is one of the two inventories under test.
type side struct {
	testing.TB
	Harness

	inv     *stock.Inventory
	epoch   time.Time // the store's clock at the beginning
	effects []string
}

// An operation is one call with its arguments.
type operation struct {
	name  string
	order string // the order that it names; may be empty
	call  func(s *side) (any, error)
}

// newModel draws the options and opens both sides.
func newModel(t testing.TB, seed int64, a, b Harness) *model {
	t.Helper()
	m := &model{TB: t, seed: seed, rng: repeatable(seed)}
	m.opts = stock.Options{
		HoldFor:          pick(m, 5*time.Microsecond, time.Minute, stock.DefaultHoldFor),
		LatePay:          pick(m, stock.Reject, stock.Reacquire),
		RefundRedeemed:   pick(m, false, true),
		RefundFreesBuyer: pick(m, false, true),
	}
	for i, h := range []Harness{a, b} {
		s := &side{TB: t, Harness: h}
		opts := m.opts
		opts.Hook = func(_ context.Context, e stock.Effect) { s.effects = append(s.effects, fmt.Sprintf("%+v", e)) }
		s.inv = stock.New(h.Store, &opts)
		_, now, err := h.Store.Hold(s.Context(), "the clock")
		if err != nil {
			t.Fatalf("side %d: %v", i, err)
		}
		s.epoch = now
		m.sides[i] = s
	}
	for _, key := range keys() {
		m.do(m.define(key))
	}
	return m
}

// repeatable returns a source of numbers that a seed repeats.
func repeatable(seed int64) *rand.Rand {
	return rand.New(rand.NewPCG(uint64(seed), 42)) //nolint:gosec // a test that failed must be run again
}

// answered is all that a call said and did.
type answered struct {
	Result  any
	Error   errorClass
	Effects []string
}

// run makes the call on one side.
func (s *side) run(op operation) answered {
	s.effects = nil
	result, err := op.call(s)
	slices.Sort(s.effects) // the order in which dead holds are released is the store's own
	return answered{Result: s.normal(result), Error: classOf(s, err), Effects: s.effects}
}

// do makes the call on both sides, and looks at what it did to the order that it names.
func (m *model) do(op operation) {
	m.Helper()
	m.log = append(m.log, op.name)
	if m.compare(op).Error.none() {
		m.accepted++
	}
	if op.order != "" {
		m.compare(m.holdOf(op.order))
	}
}

// compare makes the call on both sides and ends the test where the answers differ.
func (m *model) compare(op operation) answered {
	m.Helper()
	a, b := m.sides[0].run(op), m.sides[1].run(op)
	if !reflect.DeepEqual(a, b) {
		a.Result, b.Result = difference(a.Result, b.Result)
		recent := m.log[max(0, len(m.log)-20):]
		m.Fatalf("seed %d, operation %d, %+v: the stores disagree about\n  %s\na: %v\nb: %v\nthe last operations:\n  %s",
			m.seed, m.done, m.opts, op.name, a, b, strings.Join(recent, "\n  "))
	}
	return a
}

// difference leaves out of two listings what is the same in both.
func difference(a, b any) (left, right any) {
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	if x.Kind() != reflect.Slice || y.Kind() != reflect.Slice {
		return a, b
	}
	keep := func(x, y reflect.Value) []any {
		var kept []any
		for i := range x.Len() {
			if i >= y.Len() || !reflect.DeepEqual(x.Index(i).Interface(), y.Index(i).Interface()) {
				kept = append(kept, x.Index(i).Interface())
			}
		}
		return kept
	}
	return keep(x, y), keep(y, x)
}

// String returns an answer for a report.
func (a answered) String() string {
	return fmt.Sprintf("%+v\n   error: %v\n   effects: %v", a.Result, a.Error, a.Effects)
}

// compareAll compares everything that the stores can be asked.
func (m *model) compareAll() {
	m.Helper()
	m.compare(operation{name: "Items", call: func(s *side) (any, error) { return gather(s.inv.Items(s.Context())) }})
	m.compare(operation{name: "Holds", call: func(s *side) (any, error) { return gather(s.inv.Holds(s.Context(), stock.Filter{})) }})
	m.compare(operation{name: "Audit", call: func(s *side) (any, error) {
		report, err := s.inv.Audit(s.Context())
		for _, drift := range report.Drifts {
			m.Errorf("seed %d, operation %d: drift: %v", m.seed, m.done, drift)
		}
		return report, err
	}})
	for _, key := range keys() {
		m.compare(operation{name: "Holds of " + key.String(), call: func(s *side) (any, error) {
			return gather(s.inv.Holds(s.Context(), stock.Filter{Key: key}))
		}})
		for buyer := int64(1); buyer <= buyers; buyer++ {
			m.compare(operation{name: fmt.Sprintf("Usage of %v by %d", key, buyer), call: func(s *side) (any, error) {
				return s.inv.For(buyer).Usage(s.Context(), key)
			}})
		}
	}
	m.compare(operation{name: "the clock", call: func(s *side) (any, error) {
		_, now, err := s.Store.Hold(s.Context(), "the clock")
		return now, err
	}})
	if m.Failed() {
		m.FailNow()
	}
}

// gather collects a listing.
func gather[T any](listing func(func(T, error) bool)) ([]T, error) {
	var all []T
	for v, err := range listing {
		if err != nil {
			return all, err
		}
		all = append(all, v)
	}
	return all, nil
}

// normal returns a copy of what a call returned, without what two stores need not agree about.
func (s *side) normal(v any) any {
	if v == nil {
		return nil
	}
	return s.normalize(reflect.ValueOf(v)).Interface()
}

// normalize copies a value: times count from the side's beginning, versions are dropped.
func (s *side) normalize(v reflect.Value) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	out.Set(v)
	switch v.Kind() {
	case reflect.Struct:
		if t, ok := reflect.TypeAssert[time.Time](v); ok {
			if !t.IsZero() {
				out.Set(reflect.ValueOf(t.Add(-s.epoch.Sub(time.Unix(0, 0)))))
			}
			return out
		}
		for i := range v.NumField() {
			out.Field(i).Set(s.normalize(v.Field(i)))
		}
		if item, ok := reflect.TypeAssert[*stock.Item](out.Addr()); ok {
			item.Version = min(item.Version, 1)
		}
	case reflect.Slice:
		if v.Len() == 0 { // nil or not says nothing
			return reflect.Zero(v.Type())
		}
		out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
		for i := range v.Len() {
			out.Index(i).Set(s.normalize(v.Index(i)))
		}
	default: // numbers and strings are what they are; so are the sentinels in errors
	}
	return out
}
