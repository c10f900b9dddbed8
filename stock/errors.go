package stock

import (
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
)

// The errors that all domains of Holdfast share. Except for ErrUnknown, a call that returns an
// error has changed nothing.
var (
	ErrInvalid     = fault.ErrInvalid     // bad argument, refused before any I/O; do not retry
	ErrMismatch    = fault.ErrMismatch    // the ID is known with other arguments; do not retry
	ErrOverflow    = fault.ErrOverflow    // a counter would leave the range of int64; do not retry
	ErrDrift       = fault.ErrDrift       // the books were changed from outside; Audit and Repair first
	ErrUnknown     = fault.ErrUnknown     // the outcome is not known; make the same call again, or Resolve the order
	ErrUnavailable = fault.ErrUnavailable // the store could not do it now; retry
	ErrBusy        = fault.ErrBusy        // too many calls of this process are waiting; matches ErrUnavailable, retry later
	ErrStore       = fault.ErrStore       // the store cannot do it until somebody mends it
)

// InvalidError names the argument that was refused and why: Field, for example "order", and Reason, for example
// "must be 1 to 64 bytes, has 0". It matches ErrInvalid.
type InvalidError = fault.InvalidError

// MismatchError says in what a call differs from the first one with the same ID, for example Field "lines", Recorded
// "1 of SKU 42" and Asked "2 of SKU 42". It matches ErrMismatch.
type MismatchError = fault.MismatchError

// Retryable reports whether the same call may succeed when it is simply made again: true for
// ErrUnavailable and ErrUnknown. Every call of this package is safe to make again. The errors of your own transaction,
// such as that of its COMMIT, are the driver's: sqlstore.Retryable knows both.
func Retryable(err error) bool { return fault.Retryable(err) }

// The refusals of an item. A retry of the same call does not help.
var (
	ErrUnknownSKU    = errors.New("stock: no such SKU in this pool")
	ErrNotOnSale     = errors.New("stock: not on sale")
	ErrOffShelf      = fmt.Errorf("%w: off the shelf", ErrNotOnSale)
	ErrNotStarted    = fmt.Errorf("%w: the sale has not begun", ErrNotOnSale)
	ErrEnded         = fmt.Errorf("%w: the sale is over", ErrNotOnSale)
	ErrLimit         = errors.New("stock: over a limit")
	ErrPerOrder      = fmt.Errorf("%w: units per order", ErrLimit)
	ErrLiveHolds     = fmt.Errorf("%w: live holds per buyer", ErrLimit)
	ErrPerBuyer      = fmt.Errorf("%w: units per buyer", ErrLimit)
	ErrBuyerRequired = errors.New("stock: the item limits buyers; name the buyer with For")
	ErrInsufficient  = errors.New("stock: insufficient")
	ErrInUse         = errors.New("stock: more units are sold and locked than that")
	ErrUnlimited     = errors.New("stock: the item is unlimited, it has no total to change")
)

// The refusals of an order. A retry of the same call does not help. ErrNotFound is an order that
// does not exist; for an item it is ErrUnknownSKU. ErrArchived is the answer to every verb of an archived order
// but Hold and Resolve.
var (
	ErrNotFound   = errors.New("stock: no such order")
	ErrNotPaid    = errors.New("stock: the order is not paid")
	ErrWaiting    = fmt.Errorf("%w: it waits for its units", ErrNotPaid)
	ErrPaid       = errors.New("stock: the order is paid")
	ErrRedeemed   = fmt.Errorf("%w and redeemed", ErrPaid)
	ErrRefunded   = errors.New("stock: the order is refunded")
	ErrCancelled  = errors.New("stock: the order is cancelled")
	ErrExpired    = errors.New("stock: the hold has expired")
	ErrArchived   = errors.New("stock: the order is archived")
	ErrOverRefund = errors.New("stock: more than the order can still refund")

	ErrBackordered = errors.New("stock: units of the order have not come yet")
)

// ShortageError says how short an item is. It matches ErrInsufficient.
type ShortageError struct {
	Key
	Wanted    int64 // units asked for
	Available int64 // units that were available when it was refused
	Waiting   int64 // units that other orders wait for, which get them first
}

// Error implements error.
func (e *ShortageError) Error() string {
	text := fmt.Sprintf("%v: %v: wanted %d, available %d", ErrInsufficient, e.Key, e.Wanted, e.Available)
	if e.Waiting > 0 {
		text += fmt.Sprintf(", and others wait for %d", e.Waiting)
	}
	return text
}

// Is matches ErrInsufficient.
func (e *ShortageError) Is(target error) bool { return target == ErrInsufficient }

// ItemError says which item refused. It unwraps to ErrUnknownSKU, ErrOffShelf, ErrBuyerRequired
// or ErrUnlimited.
type ItemError struct {
	Key
	Err error
}

// Error implements error.
func (e *ItemError) Error() string { return fmt.Sprintf("%v (%v)", e.Err, e.Key) }

// Unwrap returns the reason.
func (e *ItemError) Unwrap() error { return e.Err }

// WindowError says when an item is on sale. It unwraps to ErrNotStarted or ErrEnded.
type WindowError struct {
	Key
	Err        error
	Start, End time.Time // the sale window [Start, End); zero where it is open
	Now        time.Time // the store's clock when it was refused
}

// Error implements error.
func (e *WindowError) Error() string {
	at, edge := "ended", e.End
	if errors.Is(e.Err, ErrNotStarted) {
		at, edge = "begins", e.Start
	}
	return fmt.Sprintf("%v (%v %s at %s)", e.Err, e.Key, at, edge.Format(time.RFC3339))
}

// Unwrap returns the reason.
func (e *WindowError) Unwrap() error { return e.Err }

// LimitError says which limit refused. It unwraps to ErrPerOrder, ErrPerBuyer or ErrLiveHolds.
type LimitError struct {
	Key
	Err    error
	Buyer  string // "" for ErrPerOrder
	Limit  int64
	Has    int64 // what the buyer had: units for ErrPerBuyer, holds for ErrLiveHolds
	Wanted int64 // what the call would have added
}

// Error implements error.
func (e *LimitError) Error() string {
	return fmt.Sprintf("%v (%v: limit %d, has %d, wanted %d more)", e.Err, e.Key, e.Limit, e.Has, e.Wanted)
}

// Unwrap returns the reason.
func (e *LimitError) Unwrap() error { return e.Err }

// InUseError says why an unlimited item cannot be limited to so few units. It matches ErrInUse.
type InUseError struct {
	Key
	Wanted       int64 // the total asked for
	Sold, Locked int64
}

// Error implements error.
func (e *InUseError) Error() string {
	return fmt.Sprintf("%v: %v: total %d, sold %d, locked %d", ErrInUse, e.Key, e.Wanted, e.Sold, e.Locked)
}

// Is matches ErrInUse.
func (e *InUseError) Is(target error) bool { return target == ErrInUse }

// StateError says in which state an order refused a step. It unwraps to ErrNotFound,
// ErrNotPaid, ErrWaiting, ErrPaid, ErrRedeemed, ErrRefunded, ErrCancelled, ErrExpired or ErrArchived.
type StateError struct {
	Order string
	State State
	Err   error
}

// Error implements error.
func (e *StateError) Error() string { return fmt.Sprintf("%v (order %q)", e.Err, e.Order) }

// Unwrap returns the reason.
func (e *StateError) Unwrap() error { return e.Err }

// RefundError says how many units of an order can still be refunded. It matches ErrOverRefund.
type RefundError struct {
	Key
	Order      string
	Wanted     int64
	Refundable int64
}

// Error implements error.
func (e *RefundError) Error() string {
	return fmt.Sprintf("%v (order %q, %v: wanted %d, refundable %d)", ErrOverRefund, e.Order, e.Key, e.Wanted, e.Refundable)
}

// Is matches ErrOverRefund.
func (e *RefundError) Is(target error) bool { return target == ErrOverRefund }

// BackorderError says how many units of an order have not come yet, so that they can be neither handed over nor refunded without
// going back on sale. It matches ErrBackordered.
type BackorderError struct {
	Key
	Order       string
	Wanted      int64 // units that the call asked for
	Backordered int64 // units of this item that have not come yet
}

// Error implements error.
func (e *BackorderError) Error() string {
	return fmt.Sprintf("%v (order %q, %v: wanted %d, backordered %d)", ErrBackordered, e.Order, e.Key, e.Wanted, e.Backordered)
}

// Is matches ErrBackordered.
func (e *BackorderError) Is(target error) bool { return target == ErrBackordered }

// stateError returns the error that names the state an order is in.
func stateError(h Hold, order string) error {
	reasons := map[State]error{
		Unheld: ErrNotFound, Locked: ErrNotPaid, Paid: ErrPaid, Redeemed: ErrRedeemed,
		Refunded: ErrRefunded, Cancelled: ErrCancelled, Expired: ErrExpired, Waiting: ErrWaiting, Archived: ErrArchived,
	}
	return &StateError{Order: order, State: h.State, Err: reasons[h.State]}
}

// ContentionError says that other calls kept changing what this one had just looked at. It
// matches ErrUnavailable: nothing was done, retry.
type ContentionError struct {
	Verb string // what was asked for, for example "lock"
	ID   string // of the order, refund or change
}

// Error implements error.
func (e *ContentionError) Error() string {
	return fmt.Sprintf("%v: too much contention (%s %q)", ErrUnavailable, e.Verb, e.ID)
}

// Is matches ErrUnavailable.
func (e *ContentionError) Is(target error) bool { return target == ErrUnavailable }
