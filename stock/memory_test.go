package stock_test

import (
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/internal/eventtest"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
	"github.com/holdfast-go/holdfast/stock/stocktest"
)

// start is when the clocks of these tests begin: any instant will do.
var start = time.Date(2026, time.November, 11, 0, 0, 0, 0, time.UTC)

// memory returns a store in the process on a clock that only the test moves.
func memory(t testing.TB) stocktest.Harness {
	t.Helper()
	return memoryFrom(t, start)
}

// memoryFrom is memory with another beginning of its clock.
func memoryFrom(_ testing.TB, from time.Time) stocktest.Harness {
	clock := &suite.Clock{From: from}
	events := &event.Memory{Clock: clock.Now}
	store := &stock.Memory{Clock: clock.Now, Events: events, Tell: eventtest.All()}
	h := stocktest.Harness{Store: store, Advance: clock.Advance, Events: events}
	h.Along, h.Rows = suite.MemoryRows(store)
	return h
}

func TestMemory(t *testing.T) {
	t.Parallel()
	stocktest.Run(t, memory)
}
