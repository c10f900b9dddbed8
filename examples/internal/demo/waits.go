package demo

import (
	"slices"
	"time"
)

// Micros is a duration in microseconds, a plain number in JSON.
type Micros float64

// String implements fmt.Stringer: 1.24ms.
func (m Micros) String() string { return Short(time.Duration(m * Micros(time.Microsecond))) }

// Quantile sorts the waits and returns the one that a part of them did not exceed, 0 without any.
func Quantile(waits []time.Duration, part float64) Micros {
	if len(waits) == 0 {
		return 0
	}
	slices.Sort(waits)
	return Micros(waits[int(part*float64(len(waits)-1))]) / Micros(time.Microsecond)
}
