// Package input checks the arguments that all domains share, before any I/O.
package input

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"math"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
)

// MaxID is the longest caller's ID in bytes.
const MaxID = 64

// Precision is the finest time that every store keeps.
const Precision = time.Microsecond

// Context refuses a nil context.
func Context(ctx context.Context) error {
	if ctx == nil {
		return fault.Invalid("context", "must not be nil")
	}
	return nil
}

// ID refuses an ID that is empty or longer than MaxID bytes. Any byte is allowed in it.
func ID(field, id string) error {
	if n := len(id); n < 1 || n > MaxID {
		return fault.Invalid(field, "must be 1 to %d bytes, has %d", MaxID, n)
	}
	return nil
}

// MaxReason is the longest reason of an operator's change in bytes.
const MaxReason = 512

// Actor refuses who makes an operator's change and why: an actor that is no ID, or a reason longer than MaxReason bytes.
func Actor(actor, reason string) error {
	err := ID("actor", actor)
	if n := len(reason); n > MaxReason {
		err = errors.Join(err, fault.Invalid("reason", "must have at most %d bytes, has %d", MaxReason, n))
	}
	return err
}

// Digest returns the first 128 bits of the SHA-256 of an ID, as 22 letters, digits, dashes and underscores. Use it
// where the ID itself may not fit.
func Digest(id string) string {
	sum := sha256.Sum256([]byte(id))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// Positive refuses a number below 1.
func Positive(field string, n int64) error {
	if n < 1 {
		return fault.Invalid(field, "must be at least 1, is %d", n)
	}
	return nil
}

// NotNegative refuses a number below 0.
func NotNegative(field string, n int64) error {
	if n < 0 {
		return fault.Invalid(field, "must not be negative, is %d", n)
	}
	return nil
}

// Add returns a+b for two numbers that are not negative, and false where the sum overflows.
func Add(a, b int64) (int64, bool) {
	if a > math.MaxInt64-b {
		return 0, false
	}
	return a + b, true
}

// Time refuses a time that no store can keep: before 1970 or from the year 9999 on.
func Time(field string, t time.Time) error {
	if t.Year() < 1970 || t.Year() >= 9999 {
		return fault.Invalid(field, "must lie between 1970 and 9998, is %s", t.Format(time.RFC3339))
	}
	return nil
}

// Instant cuts a time to what every store keeps: whole microseconds, UTC.
func Instant(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(Precision)
}
