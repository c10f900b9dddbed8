package groupbuy_test

import (
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/groupbuytest"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// opening is when the clocks of the conformance suite begin: any instant will do.
var opening = time.Date(2026, time.November, 11, 8, 0, 0, 0, time.UTC)

// TestMemory runs the conformance suite against a memory store with a stock of its own.
func TestMemory(t *testing.T) {
	t.Parallel()
	groupbuytest.Run(t, func(testing.TB) groupbuytest.Harness {
		clock := &suite.Clock{From: opening}
		events := &event.Memory{Clock: clock.Now}
		return harness(&groupbuy.Memory{Clock: clock.Now, Events: events}, nil, events, clock)
	})
}

// TestMemoryInTheShopsStock runs it against one whose pools are in the stock that the shop has beside it.
func TestMemoryInTheShopsStock(t *testing.T) {
	t.Parallel()
	groupbuytest.Run(t, func(testing.TB) groupbuytest.Harness { return modelled(opening) })
}

// harness returns what the suite drives.
func harness(store groupbuy.Store, units stock.Store, events event.Store, clock *suite.Clock) groupbuytest.Harness {
	return groupbuytest.Harness{
		Harness: suite.Harness[groupbuy.Store, groupbuy.Store]{Store: store, Stock: units, Advance: clock.Advance}, Events: events,
	}
}
