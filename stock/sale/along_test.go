package sale_test

import (
	"testing"

	"github.com/holdfast-go/holdfast/internal/saletest"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/sale"
)

// The shop's rows go along with what takes effect, and with nothing else. Their error refuses the call.
func TestMemoryAlong(t *testing.T) {
	t.Parallel()
	clock := &suite.Clock{From: opening}
	store := &sale.Memory{Stock: &stock.Memory{Clock: clock.Now}}
	shop, onAlong := suite.MemoryShop(func(text string, args ...any) sale.Store { return store.Along(text, args...) })
	store.Stock.OnAlong = onAlong
	saletest.Along(t, saletest.Harness{Store: store, Stock: store.Stock, Advance: clock.Advance}, shop)
}
