package groupbuy_test

import (
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/groupbuytest"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// opening is when the clocks of the conformance suite begin: any instant will do.
var opening = time.Date(2026, time.November, 11, 8, 0, 0, 0, time.UTC)

// TestMemory runs the conformance suite against a memory store with a stock of its own.
func TestMemory(t *testing.T) {
	t.Parallel()
	groupbuytest.Run(t, func(testing.TB) groupbuytest.Harness {
		clock := &suite.Clock{From: opening}
		return groupbuytest.Harness{Store: &groupbuy.Memory{Clock: clock.Now}, Advance: clock.Advance}
	})
}

// TestMemoryInTheShopsStock runs it against one whose pools are in the stock that the shop has beside it.
func TestMemoryInTheShopsStock(t *testing.T) {
	t.Parallel()
	groupbuytest.Run(t, func(testing.TB) groupbuytest.Harness {
		clock := &suite.Clock{From: opening}
		units := &stock.Memory{Clock: clock.Now}
		return groupbuytest.Harness{Store: &groupbuy.Memory{Stock: units}, Stock: units, Advance: clock.Advance}
	})
}
