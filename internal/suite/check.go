// Package suite is what the conformance suites of the domains have in common: how their cases are run, checks that end a
// test, crowds that call at once, wires that break, journeys through all verbs of a domain, classes of errors, and the engine
// of their models, which drives two stores with the same random operations. It needs nothing but the standard library, because
// the suite of stock is for every author of a store.
package suite

import (
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/stock"
)

// Checks end the test where something is not as it should be. A scene embeds them. They must not be called from
// other goroutines; Together collects what those found.
type Checks struct {
	testing.TB

	Retryable func(error) bool // the domain's
	Normal    func(any) any    // the form in which Same compares two values; nil compares them as they are

	conflicts bool // see StartsOver
}

// A Checker is whatever embeds Checks.
type Checker interface{ checks() *Checks }

func (c *Checks) checks() *Checks { return c }

// startOver is what a call of a transaction that is told to start over ends with.
type startOver struct{}

// StartsOver makes the calls of a caller's transaction and reports whether it is to start over: a call was ErrUnavailable. That
// may be only where transactions conflict; otherwise such an error ends the test, as any other does.
func (c *Checks) StartsOver(conflict bool, calls func()) (again bool) {
	c.Helper()
	c.conflicts = conflict
	defer func() {
		c.conflicts = false
		switch told := recover().(type) {
		case nil:
		case startOver:
			again = true
		case *callError:
			if again = conflict && errors.Is(told.err, fault.ErrUnavailable); !again {
				panic(told)
			}
		default:
			panic(told)
		}
	}()
	calls()
	return false
}

// over ends the calls of StartsOver where they are told to.
func (c *Checks) over(err error) {
	if c.conflicts && errors.Is(err, fault.ErrUnavailable) {
		panic(startOver{})
	}
}

// No ends the test on an error.
func (c *Checks) No(err error) {
	c.Helper()
	c.over(err)
	if err != nil {
		c.Fatalf("unexpected error: %v", err)
	}
}

// Is ends the test unless an error matches all of the targets. Whether it is retryable must agree with what it is.
func (c *Checks) Is(err error, targets ...error) {
	c.Helper()
	c.over(err)
	for _, target := range targets {
		if !errors.Is(err, target) {
			c.Fatalf("error is %v, want %v", err, target)
		}
	}
	if again := Matches(err, fault.ErrUnavailable, fault.ErrUnknown); c.Retryable(err) != again {
		c.Fatalf("Retryable(%v) is %v", err, !again)
	}
}

// IsNot ends the test if an error matches one of the targets.
func (c *Checks) IsNot(err error, targets ...error) {
	c.Helper()
	for _, target := range targets {
		if errors.Is(err, target) {
			c.Fatalf("error is %v, must not match %v", err, target)
		}
	}
}

// Invalid ends the test unless a call was refused as bad input, and says which and why.
func (c *Checks) Invalid(name string, err error) {
	c.Helper()
	if !errors.Is(err, fault.ErrInvalid) || c.Retryable(err) {
		c.Fatalf("%s: error is %v, want %v", name, err, fault.ErrInvalid)
	}
	if why := As[*fault.InvalidError](c, err); why.Field == "" || why.Reason == "" {
		c.Fatalf("%s: the error does not say what is wrong: %v", name, err)
	}
}

// Count ends the test unless a number is this one.
func (c *Checks) Count(what string, got, want int) {
	c.Helper()
	if got != want {
		c.Fatalf("%s: %d, want %d", what, got, want)
	}
}

// SameTime ends the test unless two times are the same instant.
func (c *Checks) SameTime(what string, got, want time.Time) {
	c.Helper()
	if !got.Equal(want) {
		c.Fatalf("%s is %v, want %v", what, got, want)
	}
}

// Answers ends the test unless a store gave this verdict.
func (c *Checks) Answers(want stock.Verdict) func(stock.Verdict, error) {
	return func(got stock.Verdict, err error) {
		c.Helper()
		c.No(err)
		Same(c, "verdict", got, want)
	}
}

// Same ends the test unless two values are deeply equal in their normal form.
func Same[T any](s Checker, what string, got, want T) {
	c := s.checks()
	c.Helper()
	var a, b any = got, want
	if c.Normal != nil {
		a, b = c.Normal(a), c.Normal(b)
	}
	if !reflect.DeepEqual(a, b) {
		c.Fatalf("%s is\n  %+v, want\n  %+v", what, got, want)
	}
}

// Replays ends the test unless what a call returned is what an earlier one has left, and says that it is a Replay.
func Replays[T any](s Checker, what string, got, want T) {
	s.checks().Helper()
	*replay(&want) = true
	Same(s, what, got, want)
}

// Once ends the test unless the results of a call that was made several times are the same, and all but one are Replays.
func Once[T any](s Checker, what string, results []T) {
	s.checks().Helper()
	first := 0
	for i := range results {
		if is := replay(&results[i]); !*is {
			first++
		} else {
			*is = false
		}
		Same(s, what, results[i], results[0])
	}
	s.checks().Count(what+": calls that did it", first, 1)
}

// replay returns the Replay of what a call returned.
func replay[T any](result *T) *bool {
	return reflect.ValueOf(result).Elem().FieldByName("Replay").Addr().Interface().(*bool)
}

// As returns the typed error in an error, and ends the test where there is none.
func As[E error](s Checker, err error) E {
	c := s.checks()
	c.Helper()
	typed, ok := fault.As[E](err)
	if !ok {
		c.Fatalf("error is %v, want a %T", err, typed)
	}
	return typed
}

// Matches reports whether an error matches one of the targets.
func Matches(err error, targets ...error) bool {
	return slices.ContainsFunc(targets, func(target error) bool { return errors.Is(err, target) })
}
