package groupbuytest

import (
	"errors"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/stock"
)

// only ends the test unless an error is this one refusal and no other, but for what the stock calls it.
func (s *scene) only(err, refusal error) {
	s.Helper()
	s.Is(err, refusal)
	for _, other := range sentinels() {
		if errors.Is(err, other) && !errors.Is(refusal, other) && !errors.Is(byStock(refusal), other) {
			s.Fatalf("error is %v, must not match %v", err, other)
		}
	}
}

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

// byStock returns what the stock calls a refusal; an error that nothing matches where it has no word for it.
func byStock(refusal error) error {
	switch {
	case errors.Is(refusal, groupbuy.ErrNotFound):
		return stock.ErrNotFound
	case errors.Is(refusal, groupbuy.ErrNotPaid):
		return stock.ErrNotPaid
	case errors.Is(refusal, groupbuy.ErrPaid):
		return stock.ErrPaid
	case errors.Is(refusal, groupbuy.ErrCancelled):
		return stock.ErrCancelled
	case errors.Is(refusal, groupbuy.ErrExpired):
		return stock.ErrExpired
	case errors.Is(refusal, groupbuy.ErrRefunded):
		return stock.ErrRefunded
	case errors.Is(refusal, groupbuy.ErrNotStarted):
		return stock.ErrNotStarted
	case errors.Is(refusal, groupbuy.ErrEnded):
		return stock.ErrEnded
	}
	return nil
}
