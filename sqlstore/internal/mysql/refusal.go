package mysql

import (
	"errors"

	"github.com/holdfast-go/holdfast/internal/fault"
)

// RefusalError says why some of the calls of a transaction are refused. The transaction did nothing then.
type RefusalError struct {
	Why   []error // of each call; nil where it may go. Where nobody knows which of several calls it is, Why is nil
	Cause error   // and this is the reason of one of them, at least
}

// Error implements error.
func (r *RefusalError) Error() string { return r.reason().Error() }

func (r *RefusalError) reason() error { return errors.Join(append([]error{r.Cause}, r.Why...)...) }

// Names reports whether a refusal says which calls it is of.
func (r *RefusalError) Names() bool { return r != nil && len(r.Why) > 0 }

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
		return r.reason()
	}
	return err
}

// IsRefusal reports whether an error refuses calls: for a companion, or for a statement of the shop.
func IsRefusal(err error) bool {
	_, ok := fault.As[*RefusalError](err)
	return ok
}
