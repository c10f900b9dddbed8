package suite

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Together makes n calls at once and returns their errors, by number.
func Together(n int, call func(i int) error) []error { return Crowd(n, n, call) }

// Meet makes n calls at once, of some calls in turn, and returns their errors, by number.
func Meet(n int, calls ...func() error) []error {
	return Together(n, func(i int) error { return calls[i%len(calls)]() })
}

// Err returns the error of a call whose result does not matter.
func Err[T any](_ T, err error) error { return err }

// Must returns the result of a call that must not fail. An error ends the case, and says at which lines of it. It must not
// be called from other goroutines.
func Must[T any](v T, err error) T {
	if err != nil {
		panic(&callError{err, lines()})
	}
	return v
}

// lines returns where the caller of Must is, and its callers up to the case.
func lines() string {
	pcs := make([]uintptr, 16)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	var at []string
	for {
		frame, more := frames.Next()
		if !more || strings.Contains(frame.Function, "internal/suite.Run[") {
			return strings.Join(at, ", ")
		}
		at = append(at, fmt.Sprintf("%s:%d", filepath.Base(frame.File), frame.Line))
	}
}

// A callError is what Must panics with.
type callError struct {
	err error
	at  string
}

// Error says what failed where.
func (f *callError) Error() string { return fmt.Sprintf("%s: unexpected error: %v", f.at, f.err) }

// endFailed ends the test where Must found an error. It is deferred.
func endFailed(t testing.TB) {
	t.Helper()
	switch failed := recover().(type) {
	case nil:
	case *callError:
		t.Fatalf("%v", failed)
	default:
		panic(failed)
	}
}

// Second returns what a call returns behind its first result.
func Second[A, B any](_ A, second B, err error) (B, error) { return second, err }

// Crowd makes n calls, up to width at a time, and returns their errors, by number.
func Crowd(n, width int, call func(i int) error) []error {
	errs := make([]error, n)
	numbers, gate := make(chan int, n), make(chan struct{})
	for i := range n {
		numbers <- i
	}
	close(numbers)
	var wg Group
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

// Group waits for the calls that it has made: sync.WaitGroup with the Go that it has from Go 1.25 on.
type Group struct{ sync.WaitGroup }

// Go makes a call that Wait waits for.
func (g *Group) Go(call func()) {
	g.Add(1)
	go func() {
		defer g.Done()
		call()
	}()
}

// Each ends the test unless every call of a crowd succeeded.
func (c *Checks) Each(errs []error) {
	c.Helper()
	for i, err := range errs {
		if err != nil {
			c.Fatalf("call %d of %d: %v", i, len(errs), err)
		}
	}
}

// Succeeded returns how many calls of a crowd did, and ends the test if one failed with an error that matches none
// of the reasons.
func (c *Checks) Succeeded(errs []error, reasons ...error) int {
	c.Helper()
	n := 0
	for i, err := range errs {
		switch {
		case err == nil:
			n++
		case !Matches(err, reasons...):
			c.Fatalf("call %d of %d: %v", i, len(errs), err)
		}
	}
	return n
}

// walkers is how many there are at once.
const walkers = 8

// Walk lets walkers go at once. Each makes so many steps, with -short a quarter, random by a seed of its own from the
// given one on: the seeds are fixed, what is random is how the walkers meet. It ends the test on an error of a step
// that none of the explanations covers.
func (c *Checks) Walk(seed int64, steps int, step func(*rand.Rand) error, explain ...func(error) bool) {
	c.Helper()
	if testing.Short() {
		steps = (steps + 3) / 4
	}
	c.Each(Together(walkers, func(i int) error {
		rng := Repeatable(seed + int64(i))
		for range steps {
			err := step(rng)
			explains := func(explains func(error) bool) bool { return explains(err) }
			if err != nil && !slices.ContainsFunc(explain, explains) {
				return err
			}
		}
		return nil
	}))
}
