package sale_test

import (
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/internal/saletest"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/sale"
)

// opening is when the clocks of the conformance suite begin: any instant will do.
var opening = time.Date(2026, time.November, 11, 8, 0, 0, 0, time.UTC)

// TestMemory runs the conformance suite against a memory store whose pools are in the stock that the shop has beside it.
func TestMemory(t *testing.T) {
	t.Parallel()
	saletest.Run(t, memory)
}

// memory returns a harness of a memory store.
func memory(testing.TB) saletest.Harness { return memoryFrom(opening) }

// memoryFrom returns a harness of a memory store whose clock begins at an instant.
func memoryFrom(from time.Time) saletest.Harness {
	clock := &suite.Clock{From: from}
	units := &stock.Memory{Clock: clock.Now}
	return saletest.Harness{Store: &sale.Memory{Stock: units}, Stock: units, Advance: clock.Advance}
}

// TestThreeTriggersOfTheEndMeetAThousandTimes runs the race of the suite often.
func TestThreeTriggersOfTheEndMeetAThousandTimes(t *testing.T) {
	t.Parallel()
	rounds := 1_000
	if testing.Short() {
		rounds = 100
	}
	saletest.RaceEnd(t, memory(t), rounds)
}
