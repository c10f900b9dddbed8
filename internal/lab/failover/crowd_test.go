package failover

import (
	"strings"
	"testing"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// crowded runs a crowd for some calls on a store in memory, behind a wire.
func crowded(t *testing.T, w suite.Wire) (*Crowd, *stock.Inventory) {
	t.Helper()
	store := new(stock.Memory)
	inv := stock.New(store, nil)
	if _, err := inv.Define(t.Context(), stock.Key{SKU: 1}, 1_000_000, stock.Terms{}); err != nil {
		t.Fatal(err)
	}
	crowd := NewCrowd(t.Context(), inv.On(suite.WireStock(store, w)), "c", 1)
	crowd.Moved()
	if err := crowd.AwaitFirst(t.Context()); err != nil {
		t.Fatal(err)
	}
	crowd.Stop()
	return crowd, inv
}

func TestCrowdKnowsWhatWasAcknowledged(t *testing.T) {
	t.Parallel()
	crowd, inv := crowded(t, suite.Wire{})
	for order, state := range crowd.states {
		if hold, err := inv.Hold(t.Context(), order); err != nil || hold.State != state {
			t.Errorf("%s was %v and is %v: %v", order, state, hold.State, err)
		}
	}
	if len(crowd.states) == 0 || crowd.acks < len(crowd.states) || crowd.first <= 0 {
		t.Errorf("%d orders, %d acknowledged, the first after %v", len(crowd.states), crowd.acks, crowd.first)
	}
}

func TestCrowdSettlesWhatHasNoOutcome(t *testing.T) {
	t.Parallel()
	crowd, inv := crowded(t, suite.Wire{Reply: suite.Fails(stock.ErrUnknown, suite.Nth(1, suite.Changes))})
	if crowd.unknown != 1 || len(crowd.finals)+len(crowd.gaveUp) > 0 {
		t.Errorf("%d without an outcome, final: %v, gave up: %v", crowd.unknown, crowd.finals, crowd.gaveUp)
	}
	missing, err := inv.Missing(t.Context(), crowd.Orders())
	for _, order := range missing {
		if crowd.states[order] != stock.Cancelled { // resolved before it was made
			t.Errorf("%s is %v and has no hold", order, crowd.states[order])
		}
	}
	if err != nil {
		t.Error(err)
	}
}

func TestCrowdTellsOfAFinalError(t *testing.T) {
	t.Parallel()
	crowd, _ := crowded(t, suite.Wire{Send: suite.Fails(stock.ErrStore, suite.Named("Move"))})
	if len(crowd.finals) == 0 || !strings.Contains(crowd.finals[0], stock.ErrStore.Error()) {
		t.Errorf("final errors: %v", crowd.finals)
	}
}
