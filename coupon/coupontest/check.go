package coupontest

import (
	"errors"
	"reflect"
	"sync"
	"time"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/coupon"
)

// no ends the test on an error.
func (s *scene) no(err error) {
	s.Helper()
	if err != nil {
		s.Fatalf("unexpected error: %v", err)
	}
}

// is ends the test unless an error matches all of the targets. Whether it is retryable must agree
// with what it is.
func (s *scene) is(err error, targets ...error) {
	s.Helper()
	for _, target := range targets {
		if !errors.Is(err, target) {
			s.Fatalf("error is %v, want %v", err, target)
		}
	}
	if again := errors.Is(err, coupon.ErrUnavailable) || errors.Is(err, coupon.ErrUnknown); coupon.Retryable(err) != again {
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

// same ends the test unless two values are deeply equal; two decimals are if their numbers are.
func same[T any](s *scene, what string, got, want T) {
	s.Helper()
	if !reflect.DeepEqual(canonical(got), canonical(want)) {
		s.Fatalf("%s is\n  %+v, want\n  %+v", what, got, want)
	}
}

// canonical returns a deep copy in which each decimal has the same inside as any that is equal to it, and a
// list that is empty is one that is not there.
func canonical(v any) any { return copied(v, func(text string) string { return text }) }

// copied returns a canonical copy with its texts as they are to be.
func copied(v any, text func(string) string) any {
	if v == nil {
		return nil
	}
	return copyOf(reflect.ValueOf(v), text).Interface()
}

// copyOf copies structures and lists; numbers, times and errors are what they are.
func copyOf(v reflect.Value, text func(string) string) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	out.Set(v)
	switch v.Kind() {
	case reflect.String:
		out.SetString(text(v.String()))
	case reflect.Struct:
		if d, ok := reflect.TypeAssert[decimal.Decimal](v); ok {
			out.Set(reflect.ValueOf(dec(d.String())))
			return out
		}
		if v.Type() == reflect.TypeFor[time.Time]() {
			return out
		}
		for i := range v.NumField() {
			out.Field(i).Set(copyOf(v.Field(i), text))
		}
	case reflect.Slice:
		if v.Len() == 0 {
			return reflect.Zero(v.Type())
		}
		out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
		for i := range v.Len() {
			out.Index(i).Set(copyOf(v.Index(i), text))
		}
	default:
	}
	return out
}

// dec returns a decimal.
func dec(amount string) decimal.Decimal { return decimal.RequireFromString(amount) }

// sameAmount ends the test unless two amounts are the same number.
func (s *scene) sameAmount(what string, got decimal.Decimal, want string) {
	s.Helper()
	if !got.Equal(dec(want)) {
		s.Fatalf("%s is %v, want %v", what, got, want)
	}
}

// sameTime ends the test unless two times are the same instant.
func (s *scene) sameTime(what string, got, want time.Time) {
	s.Helper()
	if !got.Equal(want) {
		s.Fatalf("%s is %v, want %v", what, got, want)
	}
}

// count ends the test unless a number is this one.
func (s *scene) count(what string, got, want int) {
	s.Helper()
	if got != want {
		s.Fatalf("%s: %d, want %d", what, got, want)
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

// succeeded returns how many calls of a crowd did, and ends the test if one failed with an error
// that matches none of the reasons.
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

// listed collects a listing that must not fail.
func listed[T any](s *scene, listing func(func(T, error) bool)) []T {
	s.Helper()
	all, err := gather(listing)
	s.no(err)
	return all
}
