package contender

import (
	"context"
	"errors"
)

// limit inserts the rows of holds and does nothing else: no merging of locks could be faster.
type limit struct{ byHand }

func openLimit(ctx context.Context, cfg Config) (Contender, error) {
	h, err := openByHand(ctx, cfg)
	return limit{h}, err
}

// LockAll implements Batcher, with a statement as this library writes it.
func (l limit) LockAll(ctx context.Context, orders []Order) error {
	text := appendHolds([]byte("INSERT INTO "+copiedHolds), orders, l.cfg.HoldFor)
	_, err := l.ExecContext(ctx, string(text))
	return err
}

// Lock implements Contender, for one.
func (l limit) Lock(ctx context.Context, order Order) error {
	return l.LockAll(ctx, []Order{order})
}

// Pay implements Contender: there is none.
func (limit) Pay(context.Context, Order) error { return errors.ErrUnsupported }

// Cancel implements Contender: there is none.
func (limit) Cancel(context.Context, Order) error { return errors.ErrUnsupported }
