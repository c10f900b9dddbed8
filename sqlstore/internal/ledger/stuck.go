package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// A call whose row others have locked must not wait in the server with locks of its own: whoever needs those would wait for
// that row too. So a statement that waits for long is ended, its transaction is undone, and a look finds the calls whose rows
// are locked. These wait in the process, and go again when the row is free. The others go again at once.

// stuckTime is how long a call waits for a row at most: longer than the servers let a statement wait.
const stuckTime = time.Minute

// stuckRow is a row that others have locked: the holds of an order, what a buyer has of an item, or an item.
type stuckRow struct {
	order string
	buyerKey
}

// stuckError is a call that was not made, because others have locked a row of it.
type stuckError struct{ row stuckRow }

// Error implements error.
func (e *stuckError) Error() string {
	switch r := e.row; {
	case r.order != "":
		return fmt.Sprintf("others have locked order %q", r.order)
	case r.buyer != "":
		return fmt.Sprintf("others have locked what buyer %q has of %v", r.buyer, r.Key)
	}
	return fmt.Sprintf("others have locked %v", e.row.Key)
}

// Unwrap returns what it is to a caller: nothing was done.
func (e *stuckError) Unwrap() error { return fault.ErrUnavailable }

// isStuck reports whether a call was not made because others have locked a row of it.
func isStuck(err error) bool {
	_, is := fault.As[*stuckError](err)
	return is
}

// stuckRows are rows that others have locked, and for which calls wait. One connection waits for each. It is safe for
// concurrent use.
type stuckRows struct {
	some  atomic.Bool   // there are any
	slots chan struct{} // one for each connection that waits

	mu   sync.Mutex
	rows map[stuckRow]*stuckWait
}

// stuckWait is a wait for a row. Whoever waits reads err once it is done.
type stuckWait struct {
	done chan struct{}
	err  error
}

func newStuckRows(connections int) *stuckRows {
	return &stuckRows{slots: make(chan struct{}, connections), rows: map[stuckRow]*stuckWait{}}
}

// of returns the wait for a row, or nil.
func (r *stuckRows) of(row stuckRow) *stuckWait {
	if !r.some.Load() {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.rows[row]
}

// join returns the wait for a row. A new one runs until what it waits for returns.
func (r *stuckRows) join(row stuckRow, until func(context.Context) error) *stuckWait {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := r.rows[row]
	if w == nil {
		w = &stuckWait{done: make(chan struct{})}
		r.rows[row] = w
		r.some.Store(true)
		go r.run(row, w, until)
	}
	return w
}

func (r *stuckRows) run(row stuckRow, w *stuckWait, until func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.Background(), stuckTime)
	defer cancel()
	select {
	case r.slots <- struct{}{}:
		w.err = until(ctx)
		<-r.slots
	case <-ctx.Done():
		w.err = fmt.Errorf("%w: %w", fault.ErrUnavailable, ctx.Err())
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.rows, row)
	r.some.Store(len(r.rows) > 0)
	close(w.done)
}

// wait waits until it is over.
func (w *stuckWait) wait(ctx context.Context) error {
	select {
	case <-w.done:
		return w.err
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", fault.ErrUnavailable, ctx.Err())
	}
}

// unstuck waits for the row that a call was stuck on, and makes it again, as often as it is. It gets what became of the call.
func unstuck[A any](ctx context.Context, s *Store, answer A, err error, again func() (A, error)) (A, error) {
	for {
		stuck, is := fault.As[*stuckError](err)
		if !is {
			return answer, err
		}
		if err := s.await(ctx, stuck.row); err != nil {
			return answer, err
		}
		answer, err = again()
	}
}

// await waits until a row is free. It has no other lock meanwhile, and counts as a call that waits.
func (s *Store) await(ctx context.Context, row stuckRow) error {
	if !s.Bounds.Enter() {
		return fault.ErrBusy
	}
	defer s.Bounds.Leave()
	return s.stuck.join(row, func(ctx context.Context) error {
		for _, lock := range s.SQL.lockStuck(row) {
			if err := s.Peek(ctx, lock, func(*sql.Rows) error { return nil }); err != nil {
				return err
			}
		}
		return nil
	}).wait(ctx)
}

// awaitItems waits for those of some items that calls wait for already.
func (s *Store) awaitItems(ctx context.Context, lines []stock.Line) error {
	for _, l := range lines {
		row := stuckRow{buyerKey: buyerKey{Key: l.Key()}}
		if s.stuck.of(row) == nil {
			continue
		}
		if err := s.await(ctx, row); err != nil {
			return err
		}
	}
	return nil
}

// single makes a call by itself. Where it is stuck on a row that nobody can name, it waits in the server.
func single[A any](ctx context.Context, s *Store, rows callRows, do func(*Store) (A, error)) (A, error) {
	answer, err := do(s)
	if !errors.Is(err, mysql.ErrStuck) {
		return answer, err
	}
	stuck, err := s.stuckOn(ctx, []callRows{rows})
	switch {
	case err != nil:
		return answer, err
	case stuck[0] != nil:
		return answer, stuck[0]
	}
	patient := *s
	patient.batchers = nil
	return do(&patient)
}

// patience is how long a statement may wait for a lock, or 0.
func (s *Store) patience() time.Duration {
	if s.batchers == nil {
		return 0
	}
	return s.Bounds.Patience()
}

// watched returns a transaction with a watchdog, where calls are merged.
func (s *Store) watched(q mysql.Tx) mysql.Tx {
	if s.batchers == nil {
		return q
	}
	return s.Watch(q, s.Bounds.Patience())
}

// callRows is the rows of a call. A step knows its order alone.
type callRows struct {
	order, buyer string
	keys         []stock.Key
}

// rowsOfLock returns the rows of a Lock or a Take.
func rowsOfLock(c LockCall) callRows {
	r := callRows{order: c.Order.ID, buyer: c.Order.Buyer}
	for _, l := range c.Order.Lines {
		r.keys = append(r.keys, l.Key())
	}
	return r
}

// stuckOn returns, for each of some calls, the first of its rows that others have locked, or nil.
func (s *Store) stuckOn(ctx context.Context, calls []callRows) ([]*stuckError, error) {
	orders := make([]string, len(calls))
	for i, c := range calls {
		orders[i] = c.order
	}
	holds, err := s.stuckHolds(ctx, orders, calls)
	if err != nil {
		return nil, err
	}
	buyers, items := map[buyerKey]bool{}, map[stock.Key]bool{}
	for _, c := range calls {
		for _, key := range c.keys {
			if items[key] = true; c.buyer != "" {
				buyers[buyerKey{key, c.buyer}] = true
			}
		}
	}
	lockedBuyers, err := s.stuckBuyers(ctx, slices.SortedFunc(maps.Keys(buyers), buyerKey.compare))
	if err != nil {
		return nil, err
	}
	lockedItems, err := s.stuckItems(ctx, slices.SortedFunc(maps.Keys(items), stock.Key.Compare))
	if err != nil {
		return nil, err
	}
	stuck := make([]*stuckError, len(calls))
	for i, c := range calls {
		for _, key := range c.keys {
			switch buyer := (buyerKey{key, c.buyer}); {
			case holds[c.order]:
				stuck[i] = &stuckError{stuckRow{order: c.order}}
			case lockedBuyers[buyer]:
				stuck[i] = &stuckError{stuckRow{buyerKey: buyer}}
			case lockedItems[key]:
				stuck[i] = &stuckError{stuckRow{buyerKey: buyerKey{Key: key}}}
			default:
				continue
			}
			break
		}
	}
	return stuck, nil
}

// lookForStuck calls scan for each row that a locking read of some keys finds, also written by others and not committed, after those
// of them that it can lock at once. It returns the keys that others have locked for certain.
func lookForStuck[K any](
	ctx context.Context, s *Store, keys []K, statement func([]K) string, scan func(rows *sql.Rows, free bool) error,
) ([]K, error) {
	locked, err := mysql.QueryFree(ctx, s.Handle, keys, statement, func(rows *sql.Rows) error { return scan(rows, true) })
	if err != nil {
		return nil, err
	}
	return locked, s.Peek(ctx, strings.TrimSuffix(statement(keys), " FOR UPDATE"), func(rows *sql.Rows) error { return scan(rows, false) })
}

// stuckHolds returns the orders of which a line is locked, and completes the rows of calls that know no more than their order.
func (s *Store) stuckHolds(ctx context.Context, orders []string, calls []callRows) (map[string]bool, error) {
	missing, keys, buyers := map[string]int{}, map[string][]stock.Key{}, map[string]string{}
	locked, err := s.underWay(ctx, orders)
	if err != nil {
		return nil, err
	}
	for part := range slices.Chunk(orders, mysql.MaxList) {
		more, err := lookForStuck(ctx, s, part, mysql.ByList(s.SQL.lockLinesOf), func(rows *sql.Rows, free bool) error {
			var order, buyer string
			var key stock.Key
			err := rows.Scan(&order, &key.SKU, &key.Activity, &buyer)
			if free {
				missing[order]--
				return err
			}
			missing[order]++
			keys[order], buyers[order] = append(keys[order], key), buyer
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, order := range more {
			locked[order] = true
		}
	}
	for i, order := range orders {
		if len(calls[i].keys) == 0 {
			calls[i].keys, calls[i].buyer = keys[order], buyers[order]
		}
	}
	for order, n := range missing {
		locked[order] = locked[order] || n > 0
	}
	return locked, nil
}

// underWay returns the orders that others are making, or taking back.
func (s *Store) underWay(ctx context.Context, orders []string) (map[string]bool, error) {
	known, _, err := s.known(ctx, orders)
	locked := map[string]bool{}
	for order, presence := range known {
		if presence == UnderWay {
			locked[order] = true
		}
	}
	return locked, err
}

// stuckBuyers returns which of them are locked.
func (s *Store) stuckBuyers(ctx context.Context, buyers []buyerKey) (map[buyerKey]bool, error) {
	locked, free := map[buyerKey]bool{}, map[buyerKey]bool{}
	for part := range slices.Chunk(buyers, mysql.MaxList) {
		_, err := lookForStuck(ctx, s, part, s.SQL.lockBuyers, func(rows *sql.Rows, is bool) error {
			var key buyerKey
			var u stock.Usage
			err := rows.Scan(&key.SKU, &key.Activity, &key.buyer, &u.Held, &u.Bought, &u.Holds)
			note(key, is, free, locked)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return locked, nil
}

// stuckItems returns which of them are locked.
func (s *Store) stuckItems(ctx context.Context, keys []stock.Key) (map[stock.Key]bool, error) {
	locked, free := map[stock.Key]bool{}, map[stock.Key]bool{}
	for part := range slices.Chunk(keys, mysql.MaxList) {
		_, err := lookForStuck(ctx, s, part, s.SQL.lockItemRows, func(rows *sql.Rows, is bool) error {
			var row itemRow
			err := rows.Scan(row.targets()...)
			note(row.finish().Key, is, free, locked)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return locked, nil
}

// note notes a row that is free, or else one that is there.
func note[K comparable](key K, is bool, free, locked map[K]bool) {
	if is {
		free[key] = true
	} else if !free[key] {
		locked[key] = true
	}
}

// lockStuck renders the reads that wait for a row: of an order, for its first line, which may not be committed, and then for all.
func (q *Statements) lockStuck(r stuckRow) []string {
	switch {
	case r.order != "":
		return []string{mysql.Render(q.lockOrder, r.order), mysql.RenderList(q.lockLinesOf, []string{r.order})}
	case r.buyer != "":
		return []string{q.lockBuyers([]buyerKey{r.buyerKey})}
	}
	return []string{q.lockItemRows([]stock.Key{r.Key})}
}
