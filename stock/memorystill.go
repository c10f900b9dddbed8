package stock

import (
	"context"
	"time"
)

// still is a Memory that stands still for one caller.
type still struct {
	m   *Memory
	now time.Time
}

// stillKey is where the context of Begin has it.
type stillKey struct{}

// Begin makes several calls one, for a store that keeps more than units and is built on this one, such as
// groupbuy.Memory: until end, calls with the context that it returns are all of the same moment, and no other call
// comes between them. That context does not end with ctx, so that the calls are not cut short; it must not be used
// after end. What the calls have changed stays, also where one of them returns an error: look before.
//
// It returns ErrUnavailable where ctx has ended.
func (m *Memory) Begin(ctx context.Context) (within context.Context, now time.Time, end func(), err error) {
	now, end, err = m.begin(ctx)
	if err != nil {
		return nil, time.Time{}, nil, err
	}
	return context.WithValue(context.WithoutCancel(ctx), stillKey{}, still{m, now}), now, end, nil
}
