package suite

import (
	"errors"
	"fmt"
	"strings"

	"github.com/holdfast-go/holdfast/internal/fault"
)

// ErrorClass is everything that a caller can tell about an error: which sentinels it matches, and the data of the
// typed errors in it. That of no error is empty.
type ErrorClass struct {
	Matches []error
	Typed   []any
}

// errOther stands for an error that matches none of the domain's sentinels; there must be none such.
var errOther = errors.New("suite: an error of no known kind")

// ClassOf returns the class of an error. The sentinels are all that the domain exports, and each of typed looks for
// the data of one type of error, as Data does.
func ClassOf(err error, sentinels []error, typed ...func(error) (any, bool)) ErrorClass {
	var c ErrorClass
	if err == nil {
		return c
	}
	for _, sentinel := range sentinels {
		if errors.Is(err, sentinel) {
			c.Matches = append(c.Matches, sentinel)
		}
	}
	if len(c.Matches) == 0 {
		c.Matches = append(c.Matches, errOther)
	}
	for _, find := range typed {
		if data, ok := find(err); ok {
			c.Typed = append(c.Typed, data)
		}
	}
	return c
}

// Data returns what is in an error whose type is a pointer to T, and whether there is one.
func Data[T any, E interface {
	*T
	error
}](err error) (any, bool) {
	typed, ok := fault.As[E](err)
	if !ok {
		return nil, false
	}
	return *typed, true
}

// A TypedError is an error of a domain, what it matches, and what it says to whoever reads the log.
type TypedError struct {
	Err     error
	Matches []error
	Says    string
}

// TypedErrors ends the test unless errors are what they should be, also where a caller has wrapped them.
func (c *Checks) TypedErrors(errs []TypedError) {
	c.Helper()
	for _, e := range errs {
		for _, wrapped := range []error{e.Err, fmt.Errorf("checkout: %w", e.Err), errors.Join(errOther, e.Err)} {
			c.Is(wrapped, e.Matches...)
			c.IsNot(wrapped, fault.ErrDrift)
		}
		Same(c, "text", e.Err.Error(), e.Says)
	}
	Same(c, "no error is retryable", c.Retryable(nil), false)
}

// None reports whether there was no error.
func (c ErrorClass) None() bool { return len(c.Matches) == 0 }

// String returns the class for a report.
func (c ErrorClass) String() string {
	if c.None() {
		return "none"
	}
	parts := make([]string, 0, len(c.Matches)+len(c.Typed))
	for _, e := range c.Matches {
		parts = append(parts, e.Error())
	}
	for _, typed := range c.Typed {
		parts = append(parts, fmt.Sprintf("%T%+v", typed, typed))
	}
	return strings.Join(parts, "; ")
}
