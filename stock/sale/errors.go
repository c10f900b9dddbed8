package sale

import (
	"errors"

	"github.com/holdfast-go/holdfast/internal/allot"
	"github.com/holdfast-go/holdfast/internal/fault"
)

// The errors that all domains of Holdfast share. Except for ErrUnknown, a call that returns an error has changed
// nothing.
var (
	ErrInvalid     = fault.ErrInvalid     // bad argument, refused before any I/O; do not retry
	ErrMismatch    = fault.ErrMismatch    // the ID is known with other arguments; do not retry
	ErrOverflow    = fault.ErrOverflow    // a counter would leave its range; do not retry
	ErrDrift       = fault.ErrDrift       // the books were changed from outside; audit and repair the stock first
	ErrUnknown     = fault.ErrUnknown     // nobody knows; make the same call again
	ErrUnavailable = fault.ErrUnavailable // the store could not do it now; retry
	ErrBusy        = fault.ErrBusy        // too many calls of this process are waiting; matches ErrUnavailable
	ErrStore       = fault.ErrStore       // the store cannot do it until somebody mends it
)

// InvalidError names the argument that was refused and why. It matches ErrInvalid.
type InvalidError = fault.InvalidError

// MismatchError says in what a call differs from the first one with the same ID, for example Field "price". It matches
// ErrMismatch.
type MismatchError = fault.MismatchError

// Retryable reports whether the same call may succeed when it is simply made again: true for ErrUnavailable and
// ErrUnknown. Every call of this package is safe to make again.
func Retryable(err error) bool { return fault.Retryable(err) }

// The refusals of activities and products. A retry of the same call does not help. Refusals of an item of stock, such
// as stock.ErrInsufficient or stock.ErrPerBuyer, are returned unchanged.
var (
	ErrUnknownActivity = allot.ErrUnknownActivity
	ErrUnknownProduct  = allot.ErrUnknownProduct
	ErrNotApproved     = errors.New("sale: the activity is not approved")
	ErrNotStarted      = allot.ErrNotStarted
	ErrEnded           = allot.ErrEnded
	ErrWithdrawn       = errors.New("sale: the activity is withdrawn")
	ErrPreparing       = allot.ErrPreparing
	ErrRemoved         = allot.ErrRemoved
)

// ProductError says which product or activity refused: Key, with SKU 0 for an activity, and for its times Start, End and Now. It
// unwraps to one of the refusals of activities and products.
type ProductError = allot.ProductError
