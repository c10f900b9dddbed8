package mysql

import (
	"errors"

	"github.com/holdfast-go/holdfast/internal/fault"
)

// RefusalError says why some of the calls of a transaction are refused. The transaction did nothing then.
type RefusalError struct {
	Why []error // of each call; nil where it may go
}

// Error implements error.
func (r *RefusalError) Error() string { return errors.Join(r.Why...).Error() }

// RefuseEach returns the refusals of some calls, or nil where none is refused.
func RefuseEach(why []error) error {
	for _, err := range why {
		if err != nil {
			return &RefusalError{Why: why}
		}
	}
	return nil
}

// Reason returns why the only call of a transaction was refused, and any other error as it is.
func Reason(err error) error {
	if r, ok := fault.As[*RefusalError](err); ok {
		return errors.Join(r.Why...)
	}
	return err
}

// RefusedBy reports whether calls were refused by whoever keeps companions.
func RefusedBy(err error) bool {
	_, ok := fault.As[*RefusalError](err)
	return ok
}
