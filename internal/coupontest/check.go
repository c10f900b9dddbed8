package coupontest

import (
	"github.com/shopspring/decimal"
)

// dec returns a decimal.
func dec(amount string) decimal.Decimal { return decimal.RequireFromString(amount) }

// plain gives a decimal the same inside as any that is equal to it has.
func plain(v any) any {
	if d, ok := v.(decimal.Decimal); ok {
		return dec(d.String())
	}
	return v
}

// sameAmount ends the test unless two amounts are the same number.
func (s *scene) sameAmount(what string, got decimal.Decimal, want string) {
	s.Helper()
	if !got.Equal(dec(want)) {
		s.Fatalf("%s is %v, want %v", what, got, want)
	}
}
