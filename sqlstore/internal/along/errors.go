package along

import (
	"fmt"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
)

// Error is a statement of the shop that failed. Nothing of its call was done, no unit moved. It unwraps to the error of the
// driver. It matches ErrUnavailable where the same call may succeed when it is made again, such as after a lock wait that
// was too long. Otherwise it matches no error of this library: the answer is final, and what it means is for the shop to say.
type Error struct {
	Index int    // which of the call's statements, from 0 on
	Text  string // as it was given
	Err   error
}

// Error implements error.
func (e *Error) Error() string {
	return fmt.Sprintf("sqlstore: statement %d of Along: %v", e.Index+1, e.Err)
}

// Is matches ErrUnavailable where a retry may help.
func (e *Error) Is(target error) bool {
	return target == fault.ErrUnavailable && mysql.Retryable(e.Err)
}

// Unwrap returns the error of the driver.
func (e *Error) Unwrap() error { return e.Err }

// AffectedError is a statement of the shop that affected another number of rows than Affects says. Nothing of its call was
// done.
type AffectedError struct {
	Index     int    // which of the call's statements, from 0 on
	Text      string // as it was given
	Want, Got int64
}

// Error implements error.
func (e *AffectedError) Error() string {
	return fmt.Sprintf("sqlstore: statement %d of Along affected %d rows, not %d", e.Index+1, e.Got, e.Want)
}

// AloneError says that some calls of a batch have to be made alone: their statement had no answer in time, or has failed in a
// way that does not tell whose values were wrong. The transaction has to be rolled back, and the others go again.
type AloneError struct {
	Calls []int // their places in the batch
	Err   error
}

// Error implements error.
func (e *AloneError) Error() string { return e.Err.Error() }

// Unwrap returns what ended the batch.
func (e *AloneError) Unwrap() error { return e.Err }
