package suite

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
)

// checkEvery is how many operations there are between two comparisons of everything.
const checkEvery = 50

// A Model is one run of the same operations, random by a seed, against two sides. It ends the test where the two
// disagree: in a result, in an error or its data, or in the effects that their hooks were told of. The report has
// the seed, the operation, both answers and the operations before it; the same seed gives the same run.
//
// The model of a domain embeds it, and adds what it knows of its small world. It is for one goroutine.
type Model[S sider] struct {
	testing.TB
	*rand.Rand // what the operations are drawn from

	Sides   [2]S
	Options any                    // those that were drawn for both sides, for the report
	Class   func(error) ErrorClass // the domain's classes of errors
	IDs     int                    // how many ID gave out

	seed     int64
	ops      int
	done     int // operations before this one
	accepted int // operations without an error
	log      []string
}

// sider is a pointer to whatever embeds a Side.
type sider interface{ side() *Side }

// A Side is one of the two under test. The side of a domain embeds it, and adds what it calls.
type Side struct {
	testing.TB
	Form // in which answers are compared; its Epoch is the store's clock at the beginning

	mu      sync.Mutex
	effects []any
	errs    []error // of the calls of the last operation, as they were, for the report
}

func (s *Side) side() *Side { return s }

// Told is for the hook of a side: it keeps an effect. It is safe for concurrent use.
func (s *Side) Told(effect any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.effects = append(s.effects, s.Normal(effect))
}

// An Operation is one call with its arguments.
type Operation[S any] struct {
	Name  string
	Call  func(s S) (any, error)
	Looks []Operation[S] // at what it did: they are compared after it
}

// An Answer is all that a call said and did, in the form of its side.
type Answer struct {
	Result  any
	Error   ErrorClass
	Effects []any
}

// NewModel returns a model without sides.
func NewModel[S sider](t testing.TB, seed int64) Model[S] {
	t.Helper()
	return Model[S]{TB: t, Rand: Repeatable(seed), seed: seed}
}

// Run makes so many operations that next draws, and has compareAll compare everything from time to time and in the
// end.
func (m *Model[S]) Run(ops int, next func() Operation[S], compareAll func()) {
	m.Helper()
	for m.ops = ops; m.done < ops; m.done++ {
		m.Do(next())
		if m.done%checkEvery == checkEvery-1 {
			m.everything(compareAll)
		}
	}
	m.everything(compareAll)
	m.Logf("seed %d: %d of %d operations took effect or were replays", m.seed, m.accepted, ops)
}

// everything compares it, and ends the test where something else was found.
func (m *Model[S]) everything(compareAll func()) {
	m.Helper()
	compareAll()
	if m.Failed() {
		m.FailNow()
	}
}

// Ended reports whether all operations of Run were made.
func (m *Model[S]) Ended() bool { return m.done == m.ops }

// Do makes the call on both sides, and looks at what it did.
func (m *Model[S]) Do(op Operation[S]) {
	m.Helper()
	m.log = append(m.log, op.Name)
	if m.Compare(op).Error.None() {
		m.accepted++
	}
	for _, look := range op.Looks {
		m.Compare(look)
	}
}

// Compare makes the call on both sides, ends the test where the answers differ, and returns that of the first side.
func (m *Model[S]) Compare(op Operation[S]) Answer {
	m.Helper()
	a, b := m.answer(m.Sides[0], op), m.answer(m.Sides[1], op)
	if !reflect.DeepEqual(a, b) {
		where := places(a, b)
		a.Result, b.Result = difference(a.Result, b.Result)
		recent := m.log[max(0, len(m.log)-20):]
		m.Fatalf("%s, %+v: the stores disagree about\n  %s\nin (a | b)\n  %s\na: %v\nb: %v\nerrors: %v | %v\nthe last operations:\n  %s",
			m.at(), m.Options, op.Name, where, a, b, m.Sides[0].side().errs, m.Sides[1].side().errs, strings.Join(recent, "\n  "))
	}
	return a
}

// Wrongf fails the test for something that both sides may well agree about. The test ends after everything was
// compared.
func (m *Model[S]) Wrongf(format string, args ...any) {
	m.Helper()
	m.Errorf("%s: %s", m.at(), fmt.Sprintf(format, args...))
}

// Must ends the test on an error of a reading by which an operation is drawn.
func (m *Model[S]) Must(err error) {
	m.Helper()
	if err != nil {
		m.Fatalf("%s: %v", m.at(), err)
	}
}

// at says where the run stands.
func (m *Model[S]) at() string { return fmt.Sprintf("seed %d, operation %d", m.seed, m.done) }

// answer makes the call on one side.
func (m *Model[S]) answer(on S, op Operation[S]) Answer {
	s := on.side()
	s.effects, s.errs = nil, nil
	result, err := op.Call(on)
	a := m.Told(on, result, err)
	a.Effects = s.effects
	// The order in which one call tells of several, such as what had expired, is the store's own.
	slices.SortFunc(a.Effects, func(x, y any) int { return cmp.Compare(fmt.Sprintf("%+v", x), fmt.Sprintf("%+v", y)) })
	return a
}

// Told returns what one of several calls of an operation said, in the form of its side.
func (m *Model[S]) Told(on S, result any, err error) Answer {
	s := on.side()
	if err != nil {
		s.mu.Lock()
		s.errs = append(s.errs, err)
		s.mu.Unlock()
	}
	a := Answer{Result: s.Normal(result), Error: m.Class(err)}
	for i, data := range a.Error.Typed {
		a.Error.Typed[i] = s.Normal(data)
	}
	return a
}

// String returns an answer for a report.
func (a Answer) String() string {
	return fmt.Sprintf("%+v\n   error: %v\n   effects: %+v", a.Result, a.Error, a.Effects)
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
