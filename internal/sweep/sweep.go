// Package sweep is the loop with which every domain cleans up abandoned work.
package sweep

import (
	"context"
	"time"
)

// longestRest is how long Run rests at most after sweeps that failed.
const longestRest = 30 * time.Second

// Run sweeps until the context ends, and returns its error. It rests after each sweep; after each failed
// sweep it calls onError, if there is one, and rests longer each time, half a minute at most.
func Run(ctx context.Context, every time.Duration, sweep func(context.Context) (int, error), onError func(error)) error {
	rest := every
	for {
		_, err := sweep(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			if onError != nil {
				onError(err)
			}
			rest = max(rest, min(rest*2, longestRest))
		default:
			rest = every
		}
		timer := time.NewTimer(rest)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
}
