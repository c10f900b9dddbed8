package event_test

import (
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/internal/eventtest"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

func TestMemory(t *testing.T) {
	t.Parallel()
	eventtest.Run(t, func(testing.TB) eventtest.Harness {
		clock := &suite.Clock{From: time.Date(2026, time.November, 11, 0, 0, 0, 0, time.UTC)}
		events := &event.Memory{Clock: clock.Now}
		store := &stock.Memory{Clock: clock.Now, Events: events, Tell: eventtest.All()}
		return eventtest.Harness{
			Harness: suite.Harness[stock.Store, stock.Store]{Store: store, Advance: clock.Advance}, Events: events,
		}
	})
}
