// Package fault holds the errors that every domain of Holdfast shares: bad input, a key used
// twice for different things, and the outcomes that only a store can report. The domains
// export them under their own names.
package fault

import (
	"errors"
	"fmt"
)

// The errors of a call that did not do what was asked. Except for ErrUnknown, nothing changed.
var (
	// ErrInvalid is an argument that was refused before any I/O. Do not retry.
	ErrInvalid = errors.New("holdfast: invalid argument")
	// ErrMismatch is a known ID that came with other arguments than the first time. Do not retry.
	ErrMismatch = errors.New("holdfast: the ID is known with other arguments")
	// ErrOverflow is a counter that would leave the range of int64. Do not retry.
	ErrOverflow = errors.New("holdfast: a counter would overflow")
	// ErrDrift is a change that the books refuse although the rules allow it: a counter was
	// changed from outside. Audit names it, Repair mends it. Do not retry before that.
	ErrDrift = errors.New("holdfast: the counters have drifted; run Audit")
	// ErrUnknown is an outcome that nobody knows: the connection or the context ended after
	// the statement was sent. The same call again is safe and settles it.
	ErrUnknown = errors.New("holdfast: outcome unknown; make the same call again or resolve it")
	// ErrUnavailable is a store that could not do it now: no connection, a lock waited for too
	// long, a deadlock, a read-only server. Nothing was done; retry.
	ErrUnavailable = errors.New("holdfast: store unavailable; nothing was done, retry")
	// ErrBusy is a store with too many calls of this process already waiting. It matches ErrUnavailable:
	// nothing was done; retry after a while, or tell the buyer to.
	ErrBusy = fmt.Errorf("%w later: too many calls are waiting", ErrUnavailable)
	// ErrStore is a store that cannot do it until somebody mends it: a missing table, no
	// rights. Nothing was done; do not retry before that.
	ErrStore = errors.New("holdfast: store refused; nothing was done")
)

// Retryable reports whether the same call may succeed when it is simply made again:
// true for ErrUnavailable and ErrUnknown.
func Retryable(err error) bool {
	return errors.Is(err, ErrUnavailable) || errors.Is(err, ErrUnknown)
}

// Stops reports whether an error is one of the whole store or of the call, so that nothing else of it can be done either.
func Stops(err error) bool {
	return Retryable(err) || errors.Is(err, ErrStore) || errors.Is(err, ErrInvalid)
}

// As returns the first error in the tree of err that is a T, as errors.AsType does from Go 1.26 on.
func As[T error](err error) (T, bool) {
	var found T
	ok := errors.As(err, &found)
	return found, ok
}

// Unread returns the error of a call that took effect, but whose result could not be read back. It matches ErrUnknown:
// repeating the call returns the result. It does not match the cause's own class, which would claim that nothing was
// done or changed. It matches all else that the cause matches: a context's end, or the driver's error.
func Unread(err error) error {
	if err == nil {
		return nil
	}
	return &outcome{of: ErrUnknown, note: "it was done, but what came of it could not be read", cause: err}
}

// Unsent returns the error of work that a call does for others before it is sent, such as the release of
// expired orders. If the outcome of that work is unknown, the call itself has done nothing: it is ErrUnavailable.
func Unsent(err error) error {
	if !errors.Is(err, ErrUnknown) {
		return err
	}
	return &outcome{of: ErrUnavailable, note: "what was in the way could not be cleared", cause: err}
}

// outcome is the error of a call that failed because of another call: it has its own class and the other's cause.
type outcome struct {
	of    error // ErrUnknown or ErrUnavailable
	note  string
	cause error
}

// Error implements error.
func (e *outcome) Error() string { return fmt.Sprintf("%v: %s: %v", e.of, e.note, e.cause) }

// Is matches the class, and what the cause matches beside its own.
func (e *outcome) Is(target error) bool {
	switch target {
	case ErrInvalid, ErrMismatch, ErrOverflow, ErrDrift, ErrUnknown, ErrUnavailable, ErrBusy, ErrStore:
		return target == e.of
	}
	return errors.Is(e.cause, target)
}

// As finds the cause.
func (e *outcome) As(target any) bool { return errors.As(e.cause, target) }

// InvalidError names the argument that was refused and why. It matches ErrInvalid.
type InvalidError struct {
	Field  string // what was wrong, for example "order"
	Reason string // why, for example "must be 1 to 64 bytes, has 0"
}

// Error implements error.
func (e *InvalidError) Error() string {
	return fmt.Sprintf("%v: %s %s", ErrInvalid, e.Field, e.Reason)
}

// Is matches ErrInvalid.
func (e *InvalidError) Is(target error) bool { return target == ErrInvalid }

// Invalid returns an *InvalidError.
func Invalid(field, format string, args ...any) error {
	return &InvalidError{Field: field, Reason: fmt.Sprintf(format, args...)}
}

// MismatchError says in what a call differs from the first one with the same ID. It matches ErrMismatch.
type MismatchError struct {
	ID       string // the ID that is known
	Field    string // the first argument that differs, for example "lines"
	Recorded string // what it was; "" for what is private to a person, such as a buyer
	Asked    string // what this call asked for; "" likewise
}

// Error implements error.
func (e *MismatchError) Error() string {
	differs := e.Field + " differs"
	if e.Recorded != "" || e.Asked != "" {
		differs = fmt.Sprintf("%s: recorded %s, asked %s", e.Field, e.Recorded, e.Asked)
	}
	return fmt.Sprintf("%v: %q: %s", ErrMismatch, e.ID, differs)
}

// Is matches ErrMismatch.
func (e *MismatchError) Is(target error) bool { return target == ErrMismatch }

// Argument is an argument of a call whose ID is known, beside what was recorded of the first call.
type Argument struct {
	Field           string
	Same            bool
	Recorded, Asked any // nil where no error tells them
}

// Equal returns an argument that is compared with ==.
func Equal[T comparable](field string, recorded, asked T) Argument {
	return Argument{Field: field, Same: recorded == asked, Recorded: recorded, Asked: asked}
}

// Alike returns an argument that is compared by its method, such as a decimal or a time.
func Alike[T interface{ Equal(other T) bool }](field string, recorded, asked T) Argument {
	return Argument{Field: field, Same: recorded.Equal(asked), Recorded: recorded, Asked: asked}
}

// Private returns an argument that is about a person, such as a buyer or an address.
func Private(field, recorded, asked string) Argument {
	return Argument{Field: field, Same: recorded == asked}
}

// Mismatch returns a *MismatchError for the first argument that differs, or nil.
func Mismatch(id string, arguments ...Argument) error {
	for _, a := range arguments {
		if a.Same {
			continue
		}
		err := &MismatchError{ID: id, Field: a.Field}
		if a.Recorded != nil {
			err.Recorded, err.Asked = fmt.Sprint(a.Recorded), fmt.Sprint(a.Asked)
		}
		return err
	}
	return nil
}
