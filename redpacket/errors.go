package redpacket

import (
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
)

// The errors that all domains of Holdfast share. Except for ErrUnknown, a call that returns an error has
// changed nothing.
var (
	ErrInvalid     = fault.ErrInvalid     // bad argument, refused before any I/O; do not retry
	ErrMismatch    = fault.ErrMismatch    // the ID is known with other arguments; do not retry
	ErrOverflow    = fault.ErrOverflow    // a counter would leave the range of int64; do not retry
	ErrDrift       = fault.ErrDrift       // the books were changed from outside; see Audit
	ErrUnknown     = fault.ErrUnknown     // nobody knows; make the same call again, or Resolve the grab
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

// The refusals. A retry of the same call does not help. ErrNotFound is about a packet. A missing share or payout
// has its own error, ErrUnknownShare or ErrUnknownPayout.
var (
	ErrNotFound      = errors.New("redpacket: no such packet")
	ErrUnpaid        = errors.New("redpacket: the packet is not paid yet")
	ErrNotStarted    = errors.New("redpacket: grabbing has not begun")
	ErrSender        = errors.New("redpacket: who sent the packet cannot grab it")
	ErrCancelled     = errors.New("redpacket: the grab was resolved as not made")
	ErrClosed        = errors.New("redpacket: the packet was closed")
	ErrExpired       = errors.New("redpacket: the packet has expired")
	ErrFinished      = errors.New("redpacket: every share is gone")
	ErrUnknownShare  = errors.New("redpacket: this person has no share")
	ErrUnknownPayout = errors.New("redpacket: no such payout")
	ErrPaidOut       = errors.New("redpacket: the payout is paid")
)

// PacketError says which packet refused. It unwraps to ErrNotFound, ErrUnpaid, ErrSender,
// ErrCancelled, ErrClosed, ErrFinished or ErrUnknownShare.
type PacketError struct {
	Packet int64
	Err    error
}

// Error implements error.
func (e *PacketError) Error() string { return fmt.Sprintf("%v (packet %d)", e.Err, e.Packet) }

// Unwrap returns the reason.
func (e *PacketError) Unwrap() error { return e.Err }

// WindowError says when a packet can be grabbed. It unwraps to ErrNotStarted or ErrExpired.
type WindowError struct {
	Packet     int64
	Err        error
	Start, End time.Time // the window [Start, End); a zero Start is as soon as it is paid
	Now        time.Time // the store's clock when it was refused
}

// Error implements error.
func (e *WindowError) Error() string {
	at, edge := "ended", e.End
	if errors.Is(e.Err, ErrNotStarted) {
		at, edge = "begins", e.Start
	}
	return fmt.Sprintf("%v (packet %d %s at %s)", e.Err, e.Packet, at, edge.Format(time.RFC3339))
}

// Unwrap returns the reason.
func (e *WindowError) Unwrap() error { return e.Err }

// PayoutError says which payout refused. It unwraps to ErrUnknownPayout or ErrPaidOut.
type PayoutError struct {
	Number string
	Err    error
}

// Error implements error.
func (e *PayoutError) Error() string { return fmt.Sprintf("%v (%s)", e.Err, e.Number) }

// Unwrap returns the reason.
func (e *PayoutError) Unwrap() error { return e.Err }
