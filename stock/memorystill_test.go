package stock_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/stock"
)

func TestMemoryStandsStill(t *testing.T) {
	t.Parallel()
	seconds := &atomic.Int64{}
	restless := func() time.Time { return time.Unix(seconds.Add(1), 0).UTC() }
	m := stock.Memory{Clock: restless}
	units, key := stock.New(&m, nil), stock.Key{SKU: 1}
	ctx, cancel := context.WithCancel(t.Context())
	within, now, end, err := m.Begin(ctx)
	require.NoError(t, err)

	_, err = stock.New(&stock.Memory{}, nil).Define(within, key, 1, stock.Terms{})
	require.NoError(t, err, "another store goes its own way")
	defined := make(chan stock.Item, 1)
	go func() {
		item, err := units.Define(t.Context(), key, 7, stock.Terms{})
		if err != nil {
			t.Error(err)
		}
		defined <- item
	}()
	cancel()
	item, err := units.Define(within, key, 5, stock.Terms{})
	require.NoError(t, err, "the calls are not cut short")
	require.Equal(t, now, item.CreatedAt, "and all of one moment")
	select {
	case item := <-defined:
		require.Fail(t, "another call came between", "%v", item)
	default:
	}
	end()
	require.EqualValues(t, 5, (<-defined).Total, "it came after them")

	_, _, _, err = m.Begin(ctx) //nolint:dogsled // it begins nothing
	require.ErrorIs(t, err, stock.ErrUnavailable)
}
