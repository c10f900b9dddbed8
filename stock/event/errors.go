package event

import (
	"errors"
	"fmt"

	"github.com/holdfast-go/holdfast/internal/fault"
)

// The errors that all domains of Holdfast share. Except for ErrUnknown, a call that returns an error has changed
// nothing.
var (
	ErrInvalid     = fault.ErrInvalid     // bad argument, refused before any I/O; do not retry
	ErrUnknown     = fault.ErrUnknown     // nobody knows; make the same call again
	ErrUnavailable = fault.ErrUnavailable // the store could not do it now; retry
	ErrStore       = fault.ErrStore       // the store cannot do it until somebody mends it
)

// The refusals of Redeliver. A retry of the same call does not help.
var (
	ErrNotFound    = errors.New("event: no such event")
	ErrNotPoisoned = errors.New("event: the event is not set aside")
)

// Retryable reports whether the same call may succeed when it is simply made again: true for ErrUnavailable and
// ErrUnknown. Every call of this package is safe to make again.
func Retryable(err error) bool { return fault.Retryable(err) }

// Error says which event was not delivered. It unwraps to the error of the handler, or to ErrNotFound or ErrNotPoisoned.
type Error struct {
	Event Event // as it was given to the handler; Poisoned where it has been set aside since
	Err   error
}

// Error implements error.
func (e *Error) Error() string {
	if e.Event.Kind == 0 {
		return fmt.Sprintf("%v (%d)", e.Err, e.Event.ID)
	}
	return fmt.Sprintf("%v, delivery %d: %v", e.Event, e.Event.Deliveries, e.Err)
}

// Unwrap returns the reason.
func (e *Error) Unwrap() error { return e.Err }
