package redpackettest

import (
	"errors"

	"github.com/shopspring/decimal"
)

// only ends the test unless an error is this one refusal and no other.
func (s *scene) only(err, refusal error) {
	s.Helper()
	s.Is(err, refusal)
	for _, other := range sentinels() {
		if errors.Is(err, other) && !errors.Is(refusal, other) {
			s.Fatalf("error is %v, must not match %v", err, other)
		}
	}
}

// plain gives an amount the same inside as any that is equal to it has.
func plain(v any) any {
	if amount, ok := v.(decimal.Decimal); ok {
		return decimal.RequireFromString(amount.String())
	}
	return v
}
