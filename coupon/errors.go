package coupon

import (
	"errors"
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/internal/fault"
)

// The errors that all domains of Holdfast share. Except for ErrUnknown, a call that returns an error
// has changed nothing; Import, Generate and Issue say what they have done so far.
var (
	ErrInvalid     = fault.ErrInvalid     // bad argument, refused before any I/O; do not retry
	ErrMismatch    = fault.ErrMismatch    // the ID is known with other arguments; do not retry
	ErrOverflow    = fault.ErrOverflow    // a counter would leave the range of int64; do not retry
	ErrDrift       = fault.ErrDrift       // the books were changed from outside; Audit and Repair first
	ErrUnknown     = fault.ErrUnknown     // nobody knows; make the same call again, or Resolve the claim
	ErrUnavailable = fault.ErrUnavailable // the store could not do it now; retry
	ErrBusy        = fault.ErrBusy        // too many calls of this process are waiting; matches ErrUnavailable, retry later
	ErrStore       = fault.ErrStore       // the store cannot do it until somebody mends it
)

// InvalidError names the argument that was refused and why. It matches ErrInvalid.
type InvalidError = fault.InvalidError

// MismatchError says in what a call differs from the first one with the same ID, for example Field "lines", Recorded
// "1 of SKU 42" and Asked "2 of SKU 42". It matches ErrMismatch.
type MismatchError = fault.MismatchError

// Retryable reports whether the same call may succeed when it is simply made again: true for
// ErrUnavailable and ErrUnknown. Every call of this package is safe to make again.
func Retryable(err error) bool { return fault.Retryable(err) }

// The refusals of a campaign. A retry of the same call does not help. They are wrapped in a *ClaimError, which also
// matches the error of stock.
var (
	ErrUnknownCampaign = errors.New("coupon: no such campaign")
	ErrSoldOut         = errors.New("coupon: none is left")
	ErrClosed          = errors.New("coupon: the campaign is closed")
	ErrNotStarted      = errors.New("coupon: claims have not begun")
	ErrEnded           = errors.New("coupon: claims are over")
	ErrOutdated        = errors.New("coupon: what would be claimed is no longer valid")
	ErrPerBuyer        = errors.New("coupon: the buyer has had as many as the campaign allows")
	ErrInUse           = errors.New("coupon: more are claimed and locked than that")
	ErrUnlimited       = errors.New("coupon: the campaign is unlimited, it has no total to change")
	ErrPool            = errors.New("coupon: the campaign gives out codes")
	ErrNoPool          = errors.New("coupon: the campaign gives out no codes")
)

// The states that refuse. A retry of the same call does not help. ErrNotFound is about a coupon. A missing campaign
// has its own error, ErrUnknownCampaign.
var (
	ErrNotFound     = errors.New("coupon: no such coupon")
	ErrPending      = errors.New("coupon: not paid yet")
	ErrPaid         = errors.New("coupon: paid already")
	ErrDropped      = errors.New("coupon: given up before it was paid")
	ErrCancelled    = fmt.Errorf("%w: cancelled", ErrDropped)
	ErrHoldExpired  = fmt.Errorf("%w: not paid in time", ErrDropped)
	ErrRefunded     = errors.New("coupon: refunded")
	ErrRevoked      = errors.New("coupon: revoked")
	ErrReleased     = errors.New("coupon: the order has released it")
	ErrReturned     = errors.New("coupon: the order has returned it")
	ErrRedeemed     = errors.New("coupon: redeemed already")
	ErrReserved     = errors.New("coupon: reserved for another order")
	ErrNotYetValid  = errors.New("coupon: not yet valid")
	ErrExpired      = errors.New("coupon: no longer valid")
	ErrBelowMinimum = errors.New("coupon: the order is below its minimum")
	ErrNotRedeemed  = errors.New("coupon: the order has not redeemed it")
	ErrPartial      = errors.New("coupon: the order is not refunded in full")
)

// ErrAnotherBuyer is for a coupon that the buyer of For does not own. It matches ErrNotFound and reads
// the same, so that the message does not reveal the coupons of other buyers.
var ErrAnotherBuyer = fmt.Errorf("%w", ErrNotFound)

// ErrNotFree is the error with which the Units of a Store refuse a Refund of a coupon that is not Free. Coupons
// replaces it with the error for the state of the coupon.
var ErrNotFree = errors.New("coupon: not free")

// ClaimError says which campaign or claim refused. It matches the reason and the error of stock.
type ClaimError struct {
	Campaign int64  // 0 where the call named only a claim
	Claim    string // empty where the call named only a campaign
	Err      error  // for example ErrSoldOut
	Cause    error  // for example a *stock.ShortageError; nil where the refusal is the library's own
}

// Error implements error.
func (e *ClaimError) Error() string {
	switch {
	case e.Campaign == 0:
		return fmt.Sprintf("%v (claim %q)", e.Err, e.Claim)
	case e.Claim == "":
		return fmt.Sprintf("%v (campaign %d)", e.Err, e.Campaign)
	}
	return fmt.Sprintf("%v (campaign %d, claim %q)", e.Err, e.Campaign, e.Claim)
}

// Unwrap returns the reason, and what stock said.
func (e *ClaimError) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Err}
	}
	return []error{e.Err, e.Cause}
}

// StateError says which coupon refused, because of its state or of an earlier step of the order. It unwraps to
// one of the states that refuse. The only order it ever names is the one that asked.
type StateError struct {
	Coupon string // its ID, or the code that was asked for
	Order  string // empty where the call has none
	Err    error
}

// Error implements error.
func (e *StateError) Error() string {
	if e.Order == "" {
		return fmt.Sprintf("%v (coupon %q)", e.Err, e.Coupon)
	}
	return fmt.Sprintf("%v (coupon %q, order %q)", e.Err, e.Coupon, e.Order)
}

// Unwrap returns the reason.
func (e *StateError) Unwrap() error { return e.Err }

// ValidityError says when a coupon can be used. It unwraps to ErrNotYetValid or ErrExpired.
type ValidityError struct {
	Coupon      string
	Err         error
	From, Until time.Time // its validity [From, Until)
	Now         time.Time // the store's clock when it was refused
}

// Error implements error.
func (e *ValidityError) Error() string {
	word, edge := "until", e.Until
	if errors.Is(e.Err, ErrNotYetValid) {
		word, edge = "from", e.From
	}
	return fmt.Sprintf("%v (coupon %q, valid %s %s)", e.Err, e.Coupon, word, edge.Format(time.RFC3339))
}

// Unwrap returns the reason.
func (e *ValidityError) Unwrap() error { return e.Err }

// MinimumError says how large the total of an order has to be. It matches ErrBelowMinimum.
type MinimumError struct {
	Places         int32 // of the amounts
	Minimum, Total decimal.Decimal
}

// Error implements error.
func (e *MinimumError) Error() string {
	return fmt.Sprintf("%v: minimum %s, total %s", ErrBelowMinimum, e.Minimum.StringFixed(e.Places), e.Total.StringFixed(e.Places))
}

// Is matches ErrBelowMinimum.
func (e *MinimumError) Is(target error) bool { return target == ErrBelowMinimum }

// PartialError says how much of an order has to be refunded before its coupon can be returned. It matches
// ErrPartial.
type PartialError struct {
	Coupon, Order  string
	Places         int32           // of the amounts
	Paid, Refunded decimal.Decimal // Paid is the order's total less the discount
}

// Error implements error.
func (e *PartialError) Error() string {
	return fmt.Sprintf("%v (coupon %q, order %q: refunded %s of %s)", ErrPartial, e.Coupon, e.Order,
		e.Refunded.StringFixed(e.Places), e.Paid.StringFixed(e.Places))
}

// Is matches ErrPartial.
func (e *PartialError) Is(target error) bool { return target == ErrPartial }

// BatchError names the first buyer who kept a batch with All from being issued, and the reason. It
// unwraps to Reason.Err. The same batch may be tried again.
type BatchError struct {
	Batch  string
	Buyer  string
	Reason Reason
}

// Error implements error.
func (e *BatchError) Error() string {
	return fmt.Sprintf("%v (batch %q, buyer %q)", e.Reason.Err(), e.Batch, e.Buyer)
}

// Unwrap returns the reason.
func (e *BatchError) Unwrap() error { return e.Reason.Err() }
