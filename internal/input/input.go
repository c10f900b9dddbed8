// Package input checks the arguments that all domains share, before any I/O.
package input

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
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

// Known refuses the number of an option that is above the last one.
func Known[N ~uint8](field string, n, last N) error {
	if n > last {
		return fault.Invalid(field, "is unknown: %d", n)
	}
	return nil
}

// Span sets the time of an option that is 0 to its usual value, and cuts it to what stores keep. It refuses one that is
// not between Precision and the most.
func Span(field string, d *time.Duration, usual, most time.Duration) error {
	*d = cmp.Or(*d, usual)
	if *d < Precision || *d > most {
		return fault.Invalid(field, "must lie between %v and %v, is %v", Precision, most, *d)
	}
	*d = d.Truncate(Precision)
	return nil
}

// Interval sets the interval of an option that is 0 to its usual value. It refuses one that is negative.
func Interval(field string, d *time.Duration, usual time.Duration) error {
	*d = cmp.Or(*d, usual)
	if *d < 0 {
		return fault.Invalid(field, "must not be negative, is %v", *d)
	}
	return nil
}

// Made refuses a value that its New has not made, or whose arguments are wrong.
func Made(what string, made bool, broken error) error {
	if !made && broken == nil {
		return fault.Invalid(what, "must be made by New")
	}
	return broken
}

// Named refuses a call that needs somebody whom nobody has named.
func Named(field, id string) error {
	if id == "" {
		return fault.Invalid(field, "must be named with For")
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
