package batch

import (
	"context"
	"time"
)

// Lookup reads one thing by its key, and the clock. Concurrent calls share one read. It is safe for concurrent use.
type Lookup[K comparable, T any] struct {
	one     func(ctx context.Context, key K) (T, time.Time, error)
	batcher *Batcher[struct{}, K, found[T]] // nil where calls are not merged
}

// found is a thing as it is at a moment.
type found[T any] struct {
	thing T
	now   time.Time
}

// NewLookup returns a lookup within some bounds, or one whose calls are not merged where these are nil. Where there is no
// such thing, one returns it zero, and several leaves it out.
func NewLookup[K comparable, T any](
	b *Bounds,
	one func(ctx context.Context, key K) (T, time.Time, error),
	several func(ctx context.Context, keys []K) (map[K]T, time.Time, error),
) *Lookup[K, T] {
	l := &Lookup[K, T]{one: one}
	if b == nil {
		return l
	}
	l.batcher = NewReader(b,
		func(ctx context.Context, _ struct{}, keys []K) ([]Reply[found[T]], error) {
			things, now, err := several(ctx, keys)
			replies := make([]Reply[found[T]], len(keys))
			for i, key := range keys {
				replies[i].Answer = found[T]{things[key], now}
			}
			return replies, err
		},
		func(ctx context.Context, _ struct{}, key K) (found[T], error) {
			thing, now, err := one(ctx, key)
			return found[T]{thing, now}, err
		})
	return l
}

// Get returns the thing of a key, and the clock.
func (l *Lookup[K, T]) Get(ctx context.Context, key K) (T, time.Time, error) {
	if l.batcher == nil {
		return l.one(ctx, key)
	}
	f, err := l.batcher.Do(ctx, struct{}{}, key)
	return f.thing, f.now, err
}
