package demotest

import (
	"context"
	"time"

	"github.com/holdfast-go/holdfast/stock"
)

// Lossy is a store that answers a Lock with stock.ErrUnknown where Loses says so of its verdict. The Lock
// has taken effect all the same.
type Lossy struct {
	stock.Store

	Loses func(stock.Verdict) bool
}

// Lock implements stock.Store.
func (l Lossy) Lock(ctx context.Context, o stock.Order, holdFor time.Duration) (stock.Locking, error) {
	locking, err := l.Store.Lock(ctx, o, holdFor)
	if err == nil && l.Loses(locking.Verdict) {
		return stock.Locking{}, stock.ErrUnknown
	}
	return locking, err
}
