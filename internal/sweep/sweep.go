// Package sweep is the loop of every domain that tidies up behind what nobody came back for.
package sweep

import (
	"context"
	"time"
)

// longestRest is how long Run rests at most after sweeps that failed.
const longestRest = 30 * time.Second

// Run sweeps until the context ends, and returns its error. It rests after each sweep, and after those
// that failed longer each time, half a minute at most; onError, if there is one, is told of them.
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
