// Package money converts between the amounts of callers, which are decimals, and the amounts in the
// books, which are integers: hundredths of a yuan, whole yen.
package money

import (
	"math"
	"math/big"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/internal/fault"
)

// MaxPlaces is the most decimal places that a currency can have.
const MaxPlaces = 8

// longest is how many digits an amount may have, including zeros.
const longest = 40

// Places refuses a number of decimal places that no currency has.
func Places(places int32) error {
	if places < 0 || places > MaxPlaces {
		return fault.Invalid("places", "must be 0 to %d, are %d", MaxPlaces, places)
	}
	return nil
}

// Amount refuses an amount that is wrong in every currency: one that is negative, or too long to calculate
// with.
func Amount(field string, amount decimal.Decimal) error {
	switch {
	case amount.NumDigits() > longest || amount.Exponent() < -longest || amount.Exponent() > longest:
		return fault.Invalid(field, "must have %d digits at most", longest)
	case amount.IsNegative():
		return fault.Invalid(field, "must not be negative, is %v", amount)
	}
	return nil
}

// Minor returns an amount in the smallest unit of its currency. It refuses an amount that is
// negative, or has more places than the currency, which is never rounded, or does not fit.
func Minor(field string, amount decimal.Decimal, places int32) (int64, error) {
	if err := Amount(field, amount); err != nil {
		return 0, err
	}
	minor := amount.Shift(places)
	if !minor.IsInteger() {
		return 0, fault.Invalid(field, "must have %d decimal places at most, is %v", places, amount)
	}
	n := minor.BigInt()
	if !n.IsInt64() {
		return 0, fault.Invalid(field, "must be %v at most, is %v", Decimal(math.MaxInt64, places), amount)
	}
	return n.Int64(), nil
}

// Decimal returns the amount of a number of smallest units.
func Decimal(minor int64, places int32) decimal.Decimal {
	return decimal.NewFromBigInt(big.NewInt(minor), -places)
}
