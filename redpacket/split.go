package redpacket

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"iter"
	"math"
	"math/rand/v2"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
)

// Split says how money is divided, in the smallest unit of its currency. It is pure: anyone who has the
// seed knows every share.
//
// The shares add up to Total, and each lies within Min and Max. Equal shares differ by one unit at
// most, the larger ones first. Random ones follow the double-mean method (二倍均值法): a share is drawn
// from a range symmetric around the mean of what is left, so that every position gets
// Total / Count on average; the first draws vary less than the last.
type Split struct {
	Total int64 // at least Count times Min, and at most Count times Max
	Count int64 // shares, 1 to MaxCount
	Min   int64 // at least 1
	Max   int64 // 0 is no bound
	Equal bool
	Seed  [32]byte
}

// check refuses a split that cannot be made, with ErrInvalid.
func (s Split) check() error {
	err := errors.Join(input.Positive("min", s.Min), input.NotNegative("max", s.Max))
	if s.Count < 1 || s.Count > MaxCount {
		err = errors.Join(err, fault.Invalid("count", "must be 1 to %d, is %d", MaxCount, s.Count))
	}
	switch {
	case err != nil:
		return err
	case s.Max != 0 && s.Max < s.Min:
		return fault.Invalid("max", "must be at least the smallest share")
	case s.Total/s.Count < s.Min: // a product might overflow
		return fault.Invalid("total", "is too little for %d shares: none can be less than the smallest", s.Count)
	case s.Max != 0 && (s.Total-1)/s.Count >= s.Max:
		return fault.Invalid("total", "is too much for %d shares: none can be more than the largest", s.Count)
	}
	return nil
}

// Next returns the share that comes after taken shares, when left is the money that remains. It depends on
// nothing else, so any share can be computed alone; the last one is all that is left.
//
// The result is meaningful for 0 <= taken < Count and a left that this split can have then. It never panics.
func (s Split) Next(left, taken int64) int64 {
	n := s.Count - taken
	if n <= 1 || left <= 0 {
		return left
	}
	mean, rest := left/n, left%n
	if s.Equal {
		return mean + min(rest, 1)
	}
	random := s.random(taken)
	if random.Int64N(n) < rest { // the mean is mean + rest/n: rounded so, it is kept on average
		mean++
	}
	least, most := s.Min, left-times(n-1, s.Min)
	if s.Max > 0 {
		least, most = max(least, left-times(n-1, s.Max)), min(most, s.Max)
	}
	reach := min(mean-least, most-mean)
	if reach <= 0 {
		return mean
	}
	return mean - reach + random.Int64N(2*reach+1)
}

// random returns the randomness of the share that comes after taken shares: a source of its own.
func (s Split) random(taken int64) *rand.Rand {
	var key [len(s.Seed) + 8]byte
	copy(key[:], s.Seed[:])
	binary.BigEndian.PutUint64(key[len(s.Seed):], uint64(taken)) //nolint:gosec // the same 64 bits
	return rand.New(rand.NewChaCha8(sha256.Sum256(key[:])))      //nolint:gosec // ChaCha8 is a cipher, and its key cannot be guessed
}

// Shares yields all shares of a split that can be made, in their order.
func (s Split) Shares() iter.Seq[int64] {
	return func(yield func(int64) bool) {
		left := s.Total
		for taken := range s.Count {
			share := s.Next(left, taken)
			if !yield(share) {
				return
			}
			left -= share
		}
	}
}

// times returns a times b for numbers that are not negative, or the largest number if that
// overflows.
func times(a, b int64) int64 {
	if b > 0 && a > math.MaxInt64/b {
		return math.MaxInt64
	}
	return a * b
}
