package redpackettest

import (
	"errors"
	"reflect"
	"sync"
	"time"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/redpacket"
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
	if again := errors.Is(err, redpacket.ErrUnavailable) || errors.Is(err, redpacket.ErrUnknown); redpacket.Retryable(err) != again {
		s.Fatalf("Retryable(%v) is %v", err, !again)
	}
}

// only ends the test unless an error is this one refusal and no other.
func (s *scene) only(err, refusal error) {
	s.Helper()
	s.is(err, refusal)
	for _, other := range sentinels() {
		if errors.Is(err, other) && !errors.Is(refusal, other) {
			s.Fatalf("error is %v, must not match %v", err, other)
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

// same ends the test unless two values are deeply equal. Amounts are the same where they are the same
// number.
func same[T any](s *scene, what string, got, want T) {
	s.Helper()
	if !reflect.DeepEqual(plain(got), plain(want)) {
		s.Fatalf("%s is\n  %+v, want\n  %+v", what, got, want)
	}
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

// plain returns a copy of a value with amounts in one form, which reflect can compare.
func plain(v any) any { return normalize(v, time.Time{}) }

// normalize does the same, and has times count from an epoch, if there is one.
func normalize(v any, epoch time.Time) any {
	if v == nil {
		return nil
	}
	return normal(reflect.ValueOf(v), epoch).Interface()
}

// normal copies a value: no list is an empty list, 1.50 is 1.5.
func normal(v reflect.Value, epoch time.Time) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	out.Set(v)
	switch v.Kind() {
	case reflect.Struct:
		if t, ok := reflect.TypeAssert[time.Time](v); ok {
			if !t.IsZero() && !epoch.IsZero() {
				out.Set(reflect.ValueOf(t.Add(-epoch.Sub(time.Unix(0, 0)))))
			}
			return out
		}
		if amount, ok := reflect.TypeAssert[decimal.Decimal](v); ok {
			out.Set(reflect.ValueOf(decimal.RequireFromString(amount.String())))
			return out
		}
		for i := range v.NumField() {
			out.Field(i).Set(normal(v.Field(i), epoch))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			out.Set(reflect.New(v.Type().Elem()))
			out.Elem().Set(normal(v.Elem(), epoch))
		}
	case reflect.Slice:
		if v.Len() == 0 { // nil or not says nothing
			return reflect.Zero(v.Type())
		}
		out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
		for i := range v.Len() {
			out.Index(i).Set(normal(v.Index(i), epoch))
		}
	default: // numbers and strings are what they are; so are the sentinels in errors
	}
	return out
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

// longest is more than any listing of a test has.
const longest = 100_000

// errEndless is what gather says of a listing that does not end.
var errEndless = errors.New("redpackettest: the listing does not end")

// gather collects a listing.
func gather[T any](listing func(func(T, error) bool)) ([]T, error) {
	var all []T
	for v, err := range listing {
		if err != nil {
			return all, err
		}
		if all = append(all, v); len(all) > longest {
			return all, errEndless
		}
	}
	return all, nil
}
