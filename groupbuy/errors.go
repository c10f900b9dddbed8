package groupbuy

import (
	"errors"
	"fmt"

	"github.com/holdfast-go/holdfast/internal/allot"
	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/stock"
)

// The errors that all domains of Holdfast share. Except for ErrUnknown, a call that returns an error has changed
// nothing.
var (
	ErrInvalid     = fault.ErrInvalid     // bad argument, refused before any I/O; do not retry
	ErrMismatch    = fault.ErrMismatch    // the ID is known with other arguments; do not retry
	ErrOverflow    = fault.ErrOverflow    // a counter would leave its range; do not retry
	ErrDrift       = fault.ErrDrift       // the books were changed from outside; Audit and Repair first
	ErrUnknown     = fault.ErrUnknown     // nobody knows; make the same call again, or Resolve the order
	ErrUnavailable = fault.ErrUnavailable // the store could not do it now; retry
	ErrBusy        = fault.ErrBusy        // too many calls of this process are waiting; matches ErrUnavailable
	ErrStore       = fault.ErrStore       // the store cannot do it until somebody mends it
)

// InvalidError names the argument that was refused and why. It matches ErrInvalid.
type InvalidError = fault.InvalidError

// MismatchError says in what a call differs from the first one with the same ID, for example Field "lines", Recorded
// "1 of SKU 42" and Asked "2 of SKU 42". It matches ErrMismatch.
type MismatchError = fault.MismatchError

// Retryable reports whether the same call may succeed when it is simply made again: true for ErrUnavailable and
// ErrUnknown. Every call of this package is safe to make again.
func Retryable(err error) bool { return fault.Retryable(err) }

// The refusals of activities and products. A retry of the same call does not help. Refusals of an item of stock, such
// as stock.ErrInsufficient or stock.ErrPerBuyer, are returned unchanged.
var (
	ErrUnknownActivity = allot.ErrUnknownActivity
	ErrUnknownProduct  = allot.ErrUnknownProduct
	ErrHidden          = errors.New("groupbuy: the activity is hidden")
	ErrNotStarted      = allot.ErrNotStarted
	ErrEnded           = allot.ErrEnded
	ErrPreparing       = allot.ErrPreparing
	ErrRemoved         = allot.ErrRemoved
	ErrMembersOnly     = errors.New("groupbuy: for members only")
)

// The refusals of teams. A retry of the same call does not help.
var (
	ErrUnknownTeam  = errors.New("groupbuy: no such team")
	ErrOtherProduct = errors.New("groupbuy: the team is of another product or activity")
	ErrTeamFormed   = errors.New("groupbuy: the team is formed")
	ErrTeamFailed   = errors.New("groupbuy: the team has failed")
	ErrTeamOver     = errors.New("groupbuy: the team's time is over")
	ErrJoined       = errors.New("groupbuy: the buyer has a seat in the team")
	ErrFull         = errors.New("groupbuy: the team is full")
	ErrNobodyPaid   = errors.New("groupbuy: nobody in the team has paid")

	// ErrDuplicateCode is a store's refusal of another team's code. Groups tries another code; no caller sees it.
	ErrDuplicateCode = errors.New("groupbuy: the team code is that of another team")
)

// The refusals of seats. A retry of the same call does not help. ErrNotFound is about a seat. Anything else that
// is missing has its own error, such as ErrUnknownTeam.
var (
	ErrNotFound  = errors.New("groupbuy: no such seat")
	ErrNotPaid   = errors.New("groupbuy: the seat is not paid")
	ErrPaid      = errors.New("groupbuy: the seat is paid")
	ErrCancelled = errors.New("groupbuy: the seat is cancelled")
	ErrExpired   = errors.New("groupbuy: the seat has expired")
	ErrRefunded  = errors.New("groupbuy: the seat is refunded")
)

// ProductError says which product or activity refused: Key, with SKU 0 for an activity, and for its times Start, End and Now. It
// unwraps to ErrUnknownActivity, ErrUnknownProduct, ErrHidden, ErrNotStarted, ErrEnded, ErrPreparing, ErrRemoved or ErrMembersOnly.
type ProductError = allot.ProductError

// TeamError says which team refused. It unwraps to one of the refusals of teams.
type TeamError struct {
	Team string // the code
	Err  error
}

// Error implements error.
func (e *TeamError) Error() string { return fmt.Sprintf("%v (team %q)", e.Err, e.Team) }

// Unwrap returns the reason.
func (e *TeamError) Unwrap() error { return e.Err }

// SeatError says in which state a seat refused a step. It unwraps to one of the refusals of seats.
type SeatError struct {
	Order string
	State SeatState
	Err   error
}

// Error implements error.
func (e *SeatError) Error() string { return fmt.Sprintf("%v (order %q)", e.Err, e.Order) }

// Unwrap returns the reason.
func (e *SeatError) Unwrap() error { return e.Err }

// seatError returns the error that names the state a seat is in.
func seatError(order string, state SeatState) error {
	reasons := map[SeatState]error{
		NoSeat: ErrNotFound, Held: ErrNotPaid, Paid: ErrPaid, Cancelled: ErrCancelled, Expired: ErrExpired,
		RefundDue: ErrRefunded, Refunded: ErrRefunded,
	}
	return &SeatError{Order: order, State: state, Err: reasons[state]}
}

// contention is the answer when the state kept changing under a call.
func contention(verb, id string) error { return &stock.ContentionError{Verb: verb, ID: id} }
