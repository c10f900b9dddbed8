package demo

import (
	"context"
	"time"

	"github.com/holdfast-go/holdfast/stock"
)

// The pauses of Again: the first, and the longest after which it still tries.
const (
	firstPause   = 5 * time.Millisecond
	longestPause = time.Second
)

// Again makes a call, and makes it again while the store asks for that, which is safe for every call of
// Holdfast. It tells again of each repetition. It gives up with the last error when that does not help
// for seconds, or when ctx ends.
func Again(ctx context.Context, call func() error, again func()) error {
	for pause := firstPause; ; pause *= 2 {
		err := call()
		if !stock.Retryable(err) || pause > longestPause || !Rest(ctx, pause) {
			return err
		}
		again()
	}
}

// Rest reports whether it could rest that long before ctx ended.
func Rest(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return ctx.Err() == nil
	}
}
