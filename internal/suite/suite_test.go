package suite

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/fault"
)

var (
	errFull  = errors.New("full")
	errOdd   = errors.New("odd")
	errAgain = fmt.Errorf("again: %w", fault.ErrUnavailable)
)

// A fullError is a refusal with data.
type fullError struct{ Size int }

func (e *fullError) Error() string        { return fmt.Sprintf("full at %d", e.Size) }
func (e *fullError) Is(target error) bool { return target == errFull }

// classOf is that of a jar.
func classOf(err error) ErrorClass {
	return ClassOf(err, []error{errFull, errOdd}, Data[fullError])
}

// newChecks returns the checks of a domain that takes errAgain for retryable.
func newChecks(t testing.TB) *Checks {
	t.Helper()
	return &Checks{TB: t, Retryable: func(err error) bool { return errors.Is(err, errAgain) }}
}

func TestChecksEndTheTest(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		check func(c *Checks)
		says  string
	}{
		"No":        {func(c *Checks) { c.No(errOdd) }, "unexpected error: odd"},
		"Is":        {func(c *Checks) { c.Is(errOdd, errOdd, errFull) }, "error is odd, want full"},
		"IsNot":     {func(c *Checks) { c.IsNot(errOdd, errFull, errOdd) }, "error is odd, must not match odd"},
		"Count":     {func(c *Checks) { c.Count("jars", 1, 2) }, "jars: 1, want 2"},
		"SameTime":  {func(c *Checks) { c.SameTime("then", time.Unix(0, 0).UTC(), time.Unix(1, 0).UTC()) }, "then is 1970"},
		"Same":      {func(c *Checks) { Same(c, "list", []int{}, nil) }, "list is"},
		"As":        {func(c *Checks) { _ = As[*fullError](c, errFull) }, "error is full, want a *suite.fullError"},
		"Listed":    {func(c *Checks) { Listed(c, failing) }, "unexpected error: odd"},
		"Each":      {func(c *Checks) { c.Each([]error{nil, errOdd}) }, "call 1 of 2: odd"},
		"Succeeded": {func(c *Checks) { c.Succeeded([]error{errFull, errOdd, nil}, errFull) }, "call 1 of 3: odd"},
		"Retryable": {func(c *Checks) { c.Is(fault.ErrUnknown, fault.ErrUnknown) }, "is false"},
		"Invalid":   {func(c *Checks) { c.Invalid("Put", errOdd) }, "Put: error is odd, want holdfast: invalid argument"},
		"no reason": {func(c *Checks) { c.Invalid("Put", fault.Invalid("", "")) }, "Put: the error does not say what is wrong"},
		"no method": {func(c *Checks) { c.RefusesEveryCall(c.Context(), "5", 5, "n") }, "5 has no method that takes a context"},
		"a lenient": {func(c *Checks) { c.RefusesEveryCall(c.Context(), "lock", lock{}, "n") }, "List of lock: error is <nil>"},
		"a field": {func(c *Checks) { c.RefusesEveryCall(nil, "lock", lock{}, "n") }, //nolint:staticcheck // that is the test
			`List of lock: the field is "context", want "n"`},
		"deaf": {func(c *Checks) {
			c.EndedContext(func(context.Context) []Call { return []Call{{Name: "Put", Do: nothing}} }, func() any { return 0 })
		}, "Put with a context that ended: <nil>"},
		"an endless": {func(c *Checks) { Listed(c, endless) }, "the listing does not end"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Contains(t, failure(t, func(caught testing.TB) { tc.check(newChecks(caught)) }), tc.says) //nolint:thelper // it is the test
		})
	}
}

// A lock refuses what has no context.
type lock struct{}

func (lock) List(ctx context.Context) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) { yield(0, lock{}.Try(ctx, 0)) }
}

func (lock) Try(ctx context.Context, _ int, _ ...string) error {
	if ctx == nil {
		return fault.Invalid("context", "must not be nil")
	}
	return nil
}

func (lock) Key() int { return 0 }

// nothing does nothing, whatever its context is.
func nothing() error { return nil }

func TestChecksLetPass(t *testing.T) {
	t.Parallel()
	c := newChecks(t)
	c.No(nil)
	c.Is(fmt.Errorf("%w, %w", errAgain, errOdd), errOdd, errAgain)
	c.IsNot(errOdd, errFull)
	c.Count("jars", 2, 2)
	c.RefusesEveryCall(nil, "lock", lock{}, "context") //nolint:staticcheck // that is the test
	c.Invalid("Put", fault.Invalid("number", "must be odd"))
	require.Equal(t, 3, As[*fullError](c, fmt.Errorf("wrapped: %w", &fullError{Size: 3})).Size)
	require.Equal(t, 2, c.Succeeded([]error{nil, errFull, nil}, errFull))
	c.Normal = Form{}.Normal
	Same(c, "list", []int{}, nil)
}

// failing yields one number and fails at the next.
func failing(yield func(int, error) bool) { _ = yield(1, nil) && yield(0, errOdd) }

func endless(yield func(int, error) bool) {
	for yield(1, nil) {
	}
}

// TestPagesListsAllAndStops has a listing, and one that forgets what begins a page.
func TestPagesListsAllAndStops(t *testing.T) {
	t.Parallel()
	pages := func(t testing.TB, forgets bool) {
		t.Helper()
		c, have := newChecks(t), 0
		Pages(c, 5, []int{1, 5, 6}, func(from, to int) {
			require.Equal(t, have, from)
			have = to
		}, func() iter.Seq2[int, error] {
			return func(yield func(int, error) bool) {
				for n := range have {
					if (!forgets || n != 5) && !yield(n, nil) {
						return
					}
				}
			}
		}, func(n, v int) { Same(c, "number", v, n) })
	}
	pages(t, false)
	failed := failure(t, func(caught testing.TB) { pages(caught, true) }) //nolint:thelper // it is the test
	require.Contains(t, failed, "what is listed: 5, want 6")
}

func TestMeetMakesCallsInTurn(t *testing.T) {
	t.Parallel()
	errs := Meet(5, func() error { return errOdd }, func() error { return Err(1, errFull) }, func() error { return Err("", nil) })
	require.Equal(t, []error{errOdd, errFull, nil, errOdd, errFull}, errs)
}

// A price is compared by what it comes to, which is what Fix is for.
type price struct{ minor, places int }

func TestFormLeavesOutWhatDoesNotCount(t *testing.T) {
	t.Parallel()
	type row struct {
		At    time.Time
		Price price
		Names []string
		Next  *row
		Err   error
	}
	epoch := time.Date(2026, time.November, 11, 0, 0, 0, 0, time.UTC)
	form := func(epoch time.Time) Form {
		return Form{Epoch: epoch, Fix: func(v any) any {
			switch v := v.(type) {
			case price:
				if v.places == 0 {
					return price{v.minor * 100, 2}
				}
			case string:
				return "a name"
			}
			return v
		}}
	}
	a := row{At: epoch.Add(time.Hour), Price: price{1, 0}, Names: []string{}, Next: &row{Names: []string{"x"}}, Err: errOdd}
	b := row{At: epoch.AddDate(1, 0, 0).Add(time.Hour), Price: price{100, 2}, Next: &row{Names: []string{"y"}}, Err: errOdd}
	require.Equal(t, form(epoch).Normal([]row{a}), form(epoch.AddDate(1, 0, 0)).Normal([]row{b}))
	require.NotEqual(t, form(epoch).Normal(a), form(epoch).Normal(b))
	require.NotEqual(t, form(epoch).Normal(a), form(epoch).Normal(row{At: a.At, Price: price{2, 0}, Next: a.Next, Err: errOdd}))
	require.Equal(t, price{1, 0}, a.Price, "the value itself stays as it is")
	require.Equal(t, "x", a.Next.Names[0])
	require.Nil(t, Form{}.Normal(nil))
	require.Equal(t, a.At, Form{}.Normal(a.At))
	require.Equal(t, time.Time{}, form(epoch).Normal(time.Time{}))
}

func TestErrorClassIsWhatACallerCanTell(t *testing.T) {
	t.Parallel()
	require.True(t, classOf(nil).None())
	require.Equal(t, "none", classOf(nil).String())
	c := classOf(fmt.Errorf("%w, %w", &fullError{Size: 7}, errOdd))
	require.Equal(t, ErrorClass{Matches: []error{errFull, errOdd}, Typed: []any{fullError{Size: 7}}}, c)
	require.Equal(t, "full; odd; suite.fullError{Size:7}", c.String())
	require.Equal(t, []error{errOther}, classOf(errAgain).Matches)
}

// A jar holds numbers up to ten of them.
type jar struct {
	Side

	numbers []int
	breaks  func(*jar)
}

func (j *jar) put(n int) (any, error) {
	if len(j.numbers) == 10 {
		j.numbers = nil
		return nil, &fullError{Size: 10}
	}
	j.numbers = append(j.numbers, n)
	j.Told(n)
	j.Told(-n)
	j.breaks(j)
	return len(j.numbers), nil
}

// jarModel drives two jars, the second of which may be broken.
func jarModel(t testing.TB, seed int64, breaks func(*jar)) {
	t.Helper()
	m := NewModel[*jar](t, seed)
	m.Class = classOf
	for i, breaks := range []func(*jar){func(*jar) {}, breaks} {
		m.Sides[i] = &jar{Side: Side{TB: t}, breaks: breaks}
	}
	look := Operation[*jar]{Name: "Numbers", Call: func(j *jar) (any, error) { return j.numbers, nil }}
	compared := 0
	m.Run(120, func() Operation[*jar] {
		n := m.IntN(1000) + 1
		return Operation[*jar]{
			Name: fmt.Sprintf("Put(%d)", n), Call: func(j *jar) (any, error) { return j.put(n) }, Looks: []Operation[*jar]{look},
		}
	}, func() {
		compared++
		require.Equal(t, compared == 3, m.Ended())
		if len(m.Compare(look).Result.([]int)) > 10 {
			m.Wrongf("too many numbers")
		}
	})
	require.Equal(t, 3, compared)
	require.Equal(t, 110, m.accepted)
}

func TestModelComparesAll(t *testing.T) {
	t.Parallel()
	jarModel(t, 1, func(*jar) {})
	jarModel(t, 1, func(j *jar) { j.effects[0], j.effects[1] = j.effects[1], j.effects[0] })
	FindsDifferences(t, map[string]func(*jar) *jar{
		"another result":    func(j *jar) *jar { j.breaks = func(j *jar) { j.numbers = append(j.numbers, 1) }; return j },
		"what a look sees":  func(j *jar) *jar { j.breaks = func(j *jar) { j.numbers[0]++ }; return j },
		"an effect missing": func(j *jar) *jar { j.breaks = func(j *jar) { j.effects = j.effects[1:] }; return j },
	}, func(t testing.TB, seed int64, breaks func(*jar) *jar) {
		t.Helper()
		jarModel(t, seed, breaks(new(jar)).breaks)
	})
}

func TestModelSaysWhereTheSidesDisagree(t *testing.T) {
	t.Parallel()
	said := failure(t, func(caught testing.TB) { //nolint:thelper // it is the test
		jarModel(caught, 5, func(j *jar) { j.numbers[len(j.numbers)-1] += len(j.numbers) / 3 })
	})
	require.Contains(t, said, "seed 5, operation 2, <nil>: the stores disagree about\n  Numbers\n")
	require.Contains(t, said, "the last operations:\n  Put(")
}

func TestModelEndsForWhatIsWrongOnBothSides(t *testing.T) {
	t.Parallel()
	said := failure(t, func(caught testing.TB) { //nolint:thelper // it is the test
		m := NewModel[*jar](caught, 5)
		m.Class = classOf
		m.Sides = [2]*jar{{}, {}}
		m.Run(60, func() Operation[*jar] { return Operation[*jar]{Call: func(*jar) (any, error) { return nil, errOdd }} },
			func() { m.Wrongf("all of it") })
	})
	require.Equal(t, "seed 5, operation 49: all of it\n", said)
}

func TestModelOfOneSeedDrawsTheSame(t *testing.T) {
	t.Parallel()
	a, b := NewModel[*jar](t, 3), NewModel[*jar](t, 3)
	var memory []string
	for range 2 * Remembered {
		id := a.ID("o")
		require.Equal(t, id, b.ID("o"))
		memory = Remember(memory, id)
	}
	require.Len(t, memory, Remembered)
	require.Equal(t, a.Chance(50), b.Chance(50))
}

func TestClockMovesOnlyWhenTold(t *testing.T) {
	t.Parallel()
	from := time.Date(2026, time.November, 11, 0, 0, 0, 0, time.UTC)
	clock := &Clock{From: from}
	require.Equal(t, from, clock.Now())
	clock.Advance(time.Microsecond)
	require.Equal(t, from.Add(time.Microsecond), clock.Now())
}

// TestMustSaysWhereACallFailed has a transaction that is told to start over, and one that may not be.
func TestMustSaysWhereACallFailed(t *testing.T) {
	t.Parallel()
	c := newChecks(t)
	require.Equal(t, 7, Must(7, error(nil)))
	require.True(t, c.StartsOver(true, func() { Must(0, errAgain) }))
	said := failure(t, func(caught testing.TB) { //nolint:thelper // it is the test
		defer endFailed(caught)
		c.StartsOver(false, func() { Must(0, errAgain) })
	})
	require.Regexp(t, `^suite_test.go:\d+, .*: unexpected error: again`, said)
}

// A shelf holds one thing.
type shelf interface {
	Hold(ctx context.Context, n int) (int, error)
}

// TestWireBreaksWhereItIsTold goes by the names of the methods.
func TestWireBreaksWhereItIsTold(t *testing.T) {
	t.Parallel()
	over := func(s shelf, w Wire) (int, error) { return Over(w, s.Hold)(t.Context(), 7) }
	called := []string{}
	w := Wire{
		Send:  func(call string) error { called = append(called, "to "+call); return nil },
		Reply: Fails(fault.ErrUnknown, Nth(2, Named("Hold"))),
	}
	for _, want := range []error{nil, fault.ErrUnknown, nil} {
		got, err := over(keeper{}, w)
		require.ErrorIs(t, err, want)
		require.Equal(t, map[bool]int{true: 7, false: 0}[want == nil], got)
	}
	require.Equal(t, []string{"to Hold", "to Hold", "to Hold"}, called)
	_, err := over(refuser{}, Wire{Send: Fails(errOdd, From(1))})
	require.ErrorIs(t, err, errOdd, "it was not sent")
	_, err = over(refuser{}, Wire{Reply: Fails(errOdd, Every)})
	require.ErrorIs(t, err, errFull, "what was not done has no answer to lose")
}

// A keeper keeps what it is given, a refuser refuses it.
type (
	keeper  struct{}
	refuser struct{}
)

func (keeper) Hold(_ context.Context, n int) (int, error) { return n, nil }
func (refuser) Hold(context.Context, int) (int, error)    { return 0, errFull }
