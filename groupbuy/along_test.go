package groupbuy_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/groupbuytest"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// The shop's rows go along with what takes effect, and with nothing else. Their error refuses the call.
func TestMemoryAlong(t *testing.T) {
	t.Parallel()
	clock := &suite.Clock{From: opening}
	events := [2]event.Memory{{Clock: clock.Now}, {Clock: clock.Now}}
	for i, store := range []*groupbuy.Memory{
		{Clock: clock.Now, Events: &events[0]}, {Stock: &stock.Memory{Clock: clock.Now, Events: &events[1]}},
	} {
		shop, onAlong := suite.MemoryShop(func(text string, args ...any) groupbuy.Store { return store.Along(text, args...) })
		if store.OnAlong = onAlong; store.Stock != nil {
			store.OnAlong, store.Stock.OnAlong = nil, onAlong
		}
		groupbuytest.Along(t, harness(store, nil, &events[i], clock), shop)
	}
}

func TestMemoryAlongWithoutAFuncIsInvalid(t *testing.T) {
	t.Parallel()
	groups := groupbuy.New((&groupbuy.Memory{}).Along("note", 1), nil)
	_, err := groups.Pay(t.Context(), "1")
	require.ErrorIs(t, err, groupbuy.ErrInvalid)
	_, err = groups.Remove(t.Context(), stock.Key{SKU: 1, Activity: 1})
	require.ErrorIs(t, err, groupbuy.ErrInvalid)
}
