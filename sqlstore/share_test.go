package sqlstore_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// hot is how many callers want the same SKU in a test of what is left to others.
const hot = 500

// besideCrowd makes calls of 500 callers, a few by each, on four connections, and meanwhile those of one
// other caller, one after the other. It returns how many connections were in use at most, and how
// often a call had to wait for one.
func (s *shop) besideCrowd(calls int, call func(caller, n int) error, other func(n int) error) (most int, waits int64) {
	s.t.Helper()
	s.db.SetMaxOpenConns(4)
	require.NoError(s.t, of(s.Restock(s.t.Context(), "more for others", units(2, 1_000_000))))
	s.Inventory = s.On(sqlstore.Patient(sqlstore.NewStock(s.db.DB, nil))) // how many go abreast is for the pool to say, not for the test
	before := s.db.Stats().WaitCount
	var mu sync.Mutex
	var over atomic.Bool
	var group, others suite.Group
	others.Go(func() {
		for n := 0; !over.Load() || n < 3; n++ {
			if err := other(n); err != nil {
				s.t.Error(err)
			}
		}
	})
	for caller := range hot {
		group.Go(func() {
			for n := range calls {
				if err := call(caller, n); err != nil {
					s.t.Error(err)
				}
				mu.Lock()
				most = max(most, s.db.Stats().InUse)
				mu.Unlock()
			}
		})
	}
	group.Wait()
	over.Store(true)
	others.Wait()
	return most, s.db.Stats().WaitCount - before
}

// However many want one SKU, they share one connection. With four in the pool, nobody who wants
// another SKU waits for one.
func TestHotSKULeavesConnectionsToOthers(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	s.wide(stock.Terms{PerBuyer: 4})
	lock := func(caller, n int) error {
		return of(s.For(fmt.Sprint(1+caller)).Lock(t.Context(), fmt.Sprint(caller, "-", n), one(4)))
	}
	most, waits := s.besideCrowd(4, lock, s.lockOther)
	require.LessOrEqual(t, most, 2, "one for the hot SKU, one for the other")
	require.Zero(t, waits)
	s.counters(4, 0, 4*hot, 10_000)
}

// unlessShort drops the error of a Lock that was refused for a shortage.
func unlessShort(err error) error {
	if errors.Is(err, stock.ErrInsufficient) {
		return nil
	}
	return err
}

// lockOther locks a unit of SKU 2.
func (s *shop) lockOther(n int) error {
	return of(s.Lock(s.t.Context(), fmt.Sprint("other-", n), one(2)))
}

// The whole life of an order takes a connection for each kind of step at most.
func TestHotSKUsStepsLeaveConnectionsToOthers(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	s.wide(stock.Terms{})
	for caller := range hot {
		s.lock(fmt.Sprint("order-", caller), one(4))
	}
	most, waits := s.besideCrowd(1, func(caller, _ int) error {
		call := []step{s.Pay, s.Cancel}[caller%2]
		return of(call(t.Context(), fmt.Sprint("order-", caller)))
	}, s.lockOther)
	require.LessOrEqual(t, most, 3, "Pay, Cancel and the other SKU")
	require.Zero(t, waits)
	s.counters(4, hot/2, 0, 10_000-hot/2)
}

// Nor do those who are refused.
func TestSoldOutSKULeavesConnectionsToOthers(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	lock := func(caller, n int) error {
		return unlessShort(of(s.Lock(t.Context(), fmt.Sprint(caller, "-", n), one(1))))
	}
	most, waits := s.besideCrowd(10, lock, s.lockOther)
	require.LessOrEqual(t, most, 4, "a look at the item, two at the orders, and the other SKU")
	require.Zero(t, waits)
	s.counters(1, 0, 10, 10)
}

// Nor those who find the units in dead holds.
func TestSKUWithDeadHoldsLeavesConnectionsToOthers(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	s.deadHolds(hot, 0)
	lock := func(caller, n int) error {
		return unlessShort(of(s.Lock(t.Context(), fmt.Sprint(caller, "-", n), one(4))))
	}
	_, waits := s.besideCrowd(2, lock, s.lockOther)
	require.Less(t, waits, int64(hot), "not one of each caller's own, which makes them wait thousands of times")
	s.counters(4, 0, hot, hot)
}

// In a small pool, one SKU has one batch in flight: the next begins when the last has committed.
func TestHotSKUHasOneBatchInFlight(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	s.wide(stock.Terms{})
	s.db.Wire.Statements()
	_, _ = s.besideCrowd(2, func(caller, n int) error {
		return of(s.Lock(t.Context(), fmt.Sprint(caller, "-", n), one(4)))
	}, func(int) error { return s.db.PingContext(t.Context()) })
	inFlight := 0
	for _, statement := range s.db.Wire.Statements() {
		switch {
		case sqltest.Begins(statement):
			inFlight++
			require.Equal(t, 1, inFlight)
		case strings.HasPrefix(statement, "COMMIT"), strings.HasPrefix(statement, "ROLLBACK"):
			inFlight--
		}
	}
	s.counters(4, 0, 2*hot, 10_000)
}
