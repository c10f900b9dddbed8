package failover

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast-go/holdfast/stock"
)

// How long a call of a crowd may take, and how long its caller goes on making it again.
const (
	callTime = 5 * time.Second
	giveUp   = 60 * time.Second
	pause    = 5 * time.Millisecond
)

// Crowd is callers who order, and then pay or cancel. Each makes a call again for as long as its error says so. What has no
// outcome is made again by every other one, and resolved by the others.
type Crowd struct {
	inv  *stock.Inventory
	name string // in front of its orders
	over atomic.Bool
	dead atomic.Bool // nobody makes a call again
	all  sync.WaitGroup

	mu       sync.Mutex
	states   map[string]stock.State // what was acknowledged last of each order
	acks     int
	unknown  int
	finals   []string // errors that are final; there is no reason for any
	gaveUp   []string
	moved    time.Time     // when the address had moved; zero before
	before   int           // calls acknowledged by then
	first    time.Duration // until the first call was acknowledged afterwards
	firstAck chan struct{} // closed then
}

// NewCrowd starts so many callers, who buy SKU 1.
func NewCrowd(ctx context.Context, inv *stock.Inventory, name string, callers int) *Crowd {
	c := &Crowd{inv: inv, name: name, states: map[string]stock.State{}, firstAck: make(chan struct{})}
	for caller := range callers {
		c.all.Go(func() {
			for n := 0; !c.over.Load() && ctx.Err() == nil; n++ {
				c.buy(ctx, caller, n)
			}
		})
	}
	return c
}

// Stop lets each caller finish the order at hand.
func (c *Crowd) Stop() {
	c.over.Store(true)
	c.all.Wait()
}

// Moved notes that the address has moved to another server.
func (c *Crowd) Moved() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.moved, c.before = time.Now(), c.acks
}

// AwaitFirst waits for the first call that is acknowledged after Moved.
func (c *Crowd) AwaitFirst(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-c.firstAck:
		return nil
	}
}

// buy makes one order. Most are paid, some cancelled, some left as they are.
func (c *Crowd) buy(ctx context.Context, caller, n int) {
	order := fmt.Sprintf("%s-%d-%d", c.name, caller, n)
	state, ok := c.persist(ctx, caller, order, "Lock", func(ctx context.Context) (stock.State, error) {
		hold, err := c.inv.Lock(ctx, order, stock.Line{SKU: 1, Num: 1})
		return hold.State, err
	})
	if !ok || state != stock.Locked {
		return
	}
	switch n % 5 {
	case 0:
	case 1:
		c.persist(ctx, caller, order, "Cancel", outcomeOf(c.inv.Cancel, order))
	default:
		c.persist(ctx, caller, order, "Pay", outcomeOf(c.inv.Pay, order))
	}
}

// outcomeOf returns a call of a step that returns the state of the order.
func outcomeOf(step func(context.Context, string) (stock.Outcome, error), order string) func(context.Context) (stock.State, error) {
	return func(ctx context.Context) (stock.State, error) {
		outcome, err := step(ctx, order)
		return outcome.State, err
	}
}

// persist makes a call until it has an answer, and returns the state of the order then.
func (c *Crowd) persist(
	ctx context.Context, caller int, order, verb string, call func(context.Context) (stock.State, error),
) (stock.State, bool) {
	began := time.Now()
	for ctx.Err() == nil && !c.dead.Load() {
		attempt, cancel := context.WithTimeout(ctx, callTime)
		state, err := call(attempt)
		cancel()
		switch {
		case err == nil:
			c.acknowledged(order, state)
			return state, true
		case !stock.Retryable(err):
			c.notef(&c.finals, "%s of %s: %v", verb, order, err)
			return 0, false
		case time.Since(began) > giveUp:
			c.notef(&c.gaveUp, "%s of %s: %v", verb, order, err)
			return 0, false
		case errors.Is(err, stock.ErrUnknown):
			c.mu.Lock()
			c.unknown++
			c.mu.Unlock()
			if caller%2 > 0 && verb != "Resolve" {
				resolve := func(ctx context.Context) (stock.State, error) {
					hold, err := c.inv.Resolve(ctx, order)
					return hold.State, err
				}
				state, ok := c.persist(ctx, caller, order, "Resolve", resolve)
				if !ok || verb == "Lock" || state != stock.Locked {
					return state, ok
				}
			}
		}
		time.Sleep(pause)
	}
	return 0, false
}

// acknowledged notes the state of an order that a call has returned.
func (c *Crowd) acknowledged(order string, state stock.State) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.states[order] = state
	c.acks++
	if !c.moved.IsZero() && c.first == 0 {
		c.first = time.Since(c.moved)
		close(c.firstAck)
	}
}

func (c *Crowd) notef(to *[]string, format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	*to = append(*to, fmt.Sprintf(format, args...))
}

// Orders returns the orders of which anything was acknowledged.
func (c *Crowd) Orders() []string { return slices.Sorted(maps.Keys(c.states)) }

// Result is what became of a crowd.
type Result struct {
	Before, After  int           // calls that were acknowledged before and after the address had moved
	First          time.Duration // until the first of the latter
	Unknown        int           // answers without an outcome, all of which were settled unless a caller gave up
	Finals, GaveUp []string
	Lost           []string // orders of which something was acknowledged, and which are not there, or not in that state
	Drifts         int
}

// Compare compares what was acknowledged with what a server has, and its counters with its holds.
func (c *Crowd) Compare(ctx context.Context, db *sql.DB, inv *stock.Inventory) (Result, error) {
	r := Result{Before: c.before, After: c.acks - c.before, First: c.first, Unknown: c.unknown, Finals: c.finals, GaveUp: c.gaveUp}
	there, err := statesOf(ctx, db)
	if err != nil {
		return r, err
	}
	for _, order := range c.Orders() {
		if is, ok := there[order]; !ok || is != c.states[order] {
			r.Lost = append(r.Lost, fmt.Sprintf("%s was %v and is %v", order, c.states[order], is))
		}
	}
	report, err := inv.Audit(ctx)
	r.Drifts = len(report.Drifts)
	return r, err
}

// statesOf reads the states of all orders.
func statesOf(ctx context.Context, db *sql.DB) (map[string]stock.State, error) {
	rows, err := db.QueryContext(ctx, "SELECT ORDER_NO, STATE FROM goods_stock_hold WHERE LINE_NO = 1")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	states := map[string]stock.State{}
	for rows.Next() {
		var order string
		var state stock.State
		if err := rows.Scan(&order, &state); err != nil {
			return nil, err
		}
		states[order] = state
	}
	return states, rows.Err()
}

// String returns a line for a table.
func (r Result) String() string {
	return fmt.Sprintf("acknowledged %d + %d, first success after %v, unknown %d, final errors %d, gave up %d, lost %d, drifts %d",
		r.Before, r.After, r.First.Round(10*time.Millisecond), r.Unknown, len(r.Finals), len(r.GaveUp), len(r.Lost), r.Drifts)
}

// Broken returns what a failover must not do: final errors, callers who gave up, orders that are lost, and drifts.
func (r Result) Broken() error {
	var errs []error
	for what, found := range map[string][]string{"final": r.Finals, "gave up": r.GaveUp, "lost": r.Lost} {
		if len(found) > 0 {
			errs = append(errs, fmt.Errorf("%s: %d, such as %s", what, len(found), found[0]))
		}
	}
	if r.Drifts > 0 {
		errs = append(errs, fmt.Errorf("%d counters have drifted", r.Drifts))
	}
	return errors.Join(errs...)
}
