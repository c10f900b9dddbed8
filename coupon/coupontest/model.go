package coupontest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/stock"
)

// Model applies the same operations, random by the seed, to two empty stores, and ends the test where
// the two disagree: in a result, in an error or its data, in the effects that the hook was told of,
// and from time to time in any campaign, coupon, claim, use, batch, wallet or audit. The report has the
// seed, the operation, both answers and the operations before it; the same seed gives the same run.
//
// The options of the coupons are drawn from the seed as well. The store of a is also read to find out what
// is worth trying next; it should be the fast one.
//
// The clocks have to begin at the same instant, because days of a calendar are counted. What is
// compared of a code that was made at random is that there is one.
func Model(t testing.TB, seed int64, ops int, a, b Harness) {
	t.Helper()
	m := newModel(t, seed, a, b)
	for m.done = range ops {
		m.do(m.next())
		if m.done%checkEvery == checkEvery-1 {
			m.compareAll(remembered)
		}
	}
	m.compareAll(len(m.claims))
	t.Logf("seed %d: %d of %d operations took effect or were replays", seed, m.accepted, ops)
}

// checkEvery is how many operations there are between two comparisons of everything.
const checkEvery = 50

// A model is one run: two sides, and what is known of them.
type model struct {
	testing.TB
	seed     int64
	rng      *rand.Rand
	opts     coupon.Options
	sides    [2]*side
	done     int // operations before this one
	accepted int // operations without an error
	log      []string
	claims   []string        // that were asked for, the youngest last
	backs    []coupon.Refund // refunds and revocations that were asked for, the youngest last
	batches  []coupon.Batch  // the same of batches
	changes  []operation     // restocks and withdrawals that were made, the youngest last
	ids      int             // numbers that were given out
}

// A side is one of the two shops under test.
type side struct {
	testing.TB
	Harness

	shop    *coupon.Coupons
	effects []string
}

// An operation is one call with its arguments.
type operation struct {
	name  string
	claim string // the coupon that it names; may be empty
	order string // and the order
	call  func(s *side) (any, error)
}

// newModel draws the options and opens both sides.
func newModel(t testing.TB, seed int64, a, b Harness) *model {
	t.Helper()
	m := &model{TB: t, seed: seed, rng: repeatable(seed)}
	m.opts = coupon.Options{
		HoldFor:          pick(m, 5*time.Microsecond, time.Minute, stock.DefaultHoldFor),
		ReserveFor:       pick(m, 3*time.Microsecond, 10*time.Minute, coupon.DefaultReserveFor),
		LatePay:          pick(m, stock.Reject, stock.Reacquire),
		RefundFreesBuyer: pick(m, false, true),
		RevokeFreesBuyer: pick(m, false, true),
	}
	for i, h := range []Harness{a, b} {
		s := &side{TB: t, Harness: h}
		opts := m.opts
		opts.Hook = func(_ context.Context, e coupon.Effect) { s.effects = append(s.effects, fmt.Sprintf("%+v", e)) }
		s.shop = coupon.New(h.Store, &opts)
		m.sides[i] = s
	}
	m.compare(m.clock())
	for _, id := range campaigns() {
		m.do(m.define(id))
	}
	return m
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
	return answered{Result: copied(result, known), Error: classOf(err), Effects: s.effects}
}

// known returns a text, but for a code that was made at random, which is another in each store.
func known(text string) string {
	if len(text) == coupon.DefaultCodeLength && strings.Trim(text, coupon.DefaultAlphabet) == "" {
		return "made at random"
	}
	return text
}

// do makes the call on both sides, and looks at what it did to the coupon and the order that it names.
func (m *model) do(op operation) {
	m.Helper()
	m.log = append(m.log, op.name)
	if m.compare(op).Error.none() {
		m.accepted++
	}
	if op.claim != "" {
		m.compare(m.couponOf(op.claim))
	}
	if op.order != "" {
		m.compare(m.useOf(op.claim, op.order))
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

// compareAll compares everything that the stores can be asked, of the youngest claims one by one.
func (m *model) compareAll(youngest int) {
	m.Helper()
	m.compare(m.clock())
	m.compare(operation{name: "Campaigns", call: func(s *side) (any, error) { return gather(s.shop.Campaigns(s.Context())) }})
	m.compare(operation{name: "Holds", call: func(s *side) (any, error) {
		return gather(stock.New(s.Store.Units(coupon.Refunded), nil).Holds(s.Context(), stock.Filter{}))
	}})
	m.compare(operation{name: "Audit", call: func(s *side) (any, error) {
		report, err := s.shop.Audit(s.Context())
		if !report.Balanced() {
			m.Errorf("seed %d, operation %d: drifts %v, conflicts %v", m.seed, m.done, report.Drifts, report.Conflicts)
		}
		return report, err
	}})
	for _, id := range campaigns() {
		m.compare(m.progressOf(id))
		m.compare(operation{name: fmt.Sprint("Book of ", id), call: func(s *side) (any, error) { return s.Store.Book(s.Context(), id) }})
	}
	for buyer := int64(1); buyer <= buyersOfModel; buyer++ {
		m.compare(m.walletOf(buyer))
	}
	for n := range ordersOfModel {
		m.compare(m.usedBy(orderOfModel(n)))
	}
	for _, batch := range m.batches[max(0, len(m.batches)-remembered):] {
		m.compare(m.recordOf(batch.ID))
	}
	for _, claim := range m.claims[max(0, len(m.claims)-youngest):] {
		m.compare(m.historyOf(claim))
	}
	if m.Failed() {
		m.FailNow()
	}
}
