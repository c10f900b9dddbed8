package ledger

import (
	"slices"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/stock"
)

// The bounds of driftedHolds.
const (
	driftedFor = time.Minute // how long a hold that could not be released is left alone
	maxDrifted = 1_000       // such holds
)

// driftedHolds remembers dead holds that could not be released, because the books or a companion refused. Sweeps and
// Locks leave them alone for a while, rather than meet them again and again. It is safe for concurrent use.
type driftedHolds struct {
	off bool // nothing is remembered

	mu    sync.Mutex
	holds map[string]driftedHold // by order
}

type driftedHold struct {
	keys  []stock.Key
	until time.Time // by the process's clock
}

// remember notes a hold with its items.
func (d *driftedHolds) remember(order string, keys []stock.Key) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tidy()
	if d.holds == nil {
		d.holds = map[string]driftedHold{}
	}
	if !d.off && len(d.holds) < maxDrifted {
		d.holds[order] = driftedHold{keys, time.Now().Add(driftedFor)}
	}
}

// forget drops all.
func (d *driftedHolds) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.holds = nil
}

// Mended is called when books may have been mended, so that dead holds that were kept can be released.
func (s *Store) Mended() { s.drifted.forget() }

// LeaveOut returns up to limit of some orders with dead holds, without those that could not be released lately.
func (s *Store) LeaveOut(orders []string, limit int) []string {
	return s.drifted.leaveOut(orders, limit)
}

// LeftOut returns how many orders LeaveOut leaves out at most.
func (s *Store) LeftOut() int { return s.drifted.count() }

// tidy drops what is too old.
func (d *driftedHolds) tidy() {
	for order, hold := range d.holds {
		if time.Now().After(hold.until) {
			delete(d.holds, order)
		}
	}
}

// count returns how many are remembered.
func (d *driftedHolds) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tidy()
	return len(d.holds)
}

// leaveOut returns up to limit orders without those that are remembered.
func (d *driftedHolds) leaveOut(orders []string, limit int) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tidy()
	if len(d.holds) > 0 {
		orders = slices.DeleteFunc(orders, func(order string) bool { _, drifted := d.holds[order]; return drifted })
	}
	return orders[:min(limit, len(orders))]
}

// of returns the orders that are remembered of some items.
func (d *driftedHolds) of(keys ...stock.Key) (orders []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tidy()
	for order, hold := range d.holds {
		if slices.ContainsFunc(hold.keys, func(key stock.Key) bool { return slices.Contains(keys, key) }) {
			orders = append(orders, order)
		}
	}
	slices.Sort(orders)
	return orders
}
