package sqlstore

import (
	"errors"

	"github.com/holdfast-go/holdfast/internal/fault"
)

// refusals is why some of the calls of a transaction are refused, of which nothing is done then.
type refusals struct {
	why []error // of each call; nil where it may go
}

// Error implements error.
func (r *refusals) Error() string { return errors.Join(r.why...).Error() }

// refuseEach returns the refusals of some calls, or nil where none is refused.
func refuseEach(why []error) error {
	for _, err := range why {
		if err != nil {
			return &refusals{why: why}
		}
	}
	return nil
}

// reason returns why the only call of a transaction was refused, where it was, and any other error as it is.
func reason(err error) error {
	if r, ok := fault.As[*refusals](err); ok {
		return errors.Join(r.why...)
	}
	return err
}

// refusedBy reports whether calls were refused by whoever keeps companions.
func refusedBy(err error) bool {
	_, ok := fault.As[*refusals](err)
	return ok
}
