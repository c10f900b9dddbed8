// Package events keeps what is to be told to the rest of the shop: the table of events, and their delivery. Whoever changes
// stock inserts them in the transaction of the change.
package events

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock/event"
)

// ahead is how many times as many events Take looks at as it wants, since others may be at the first of them.
const ahead = 4

// Store is the event.Store behind sqlstore.Events.
type Store struct {
	*mysql.Handle

	sql *Statements
}

// New returns the store in the table of a prefix. Broken is what is wrong with the options.
func New(db *sql.DB, prefix string, broken error) *Store {
	s := &Store{Handle: mysql.NewHandle(db), sql: NewStatements(prefix)}
	s.Broken = broken
	return s
}

// ofIDs fills the list of a statement with IDs.
func ofIDs(statement string, ids []int64) string {
	var b strings.Builder
	for i, id := range ids {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.FormatInt(id, 10))
	}
	return strings.Replace(statement, "#", b.String(), 1)
}

// scan scans the columns of an event.
func scan(rows *sql.Rows) (e event.Event, err error) {
	var state, at, dueAt int64
	err = rows.Scan(&e.ID, &e.Kind, &e.Queue, &e.SKU, &e.Activity, &e.Order, &e.Buyer, &e.Ref, &e.Num, &at,
		&e.Deliveries, &e.Failures, &e.Failure, &state, &dueAt)
	e.At, e.Poisoned = mysql.FromMicros(at), state == aside
	if state == done {
		e.DoneAt = mysql.FromMicros(dueAt)
	}
	return e, err
}

// openEvent is an event that is not done, and when it is due.
type openEvent struct {
	id       int64
	queue    string
	failures int64
	due      time.Time
}

// Take implements event.Store. It waits for nobody: what others are at is skipped.
//
// It chooses by plain reads, and decides under the locks of what it has chosen. The reads may be old, but never lack an earlier
// event of a queue: that one was committed before the later one was written. And what was done meanwhile only leaves
// out more.
func (s *Store) Take(ctx context.Context, limit int, leaseFor time.Duration) ([]event.Event, error) {
	var taken []event.Event
	_, err := s.Atomically(ctx, func(q mysql.Tx) (bool, error) {
		taken = nil
		due, err := s.due(ctx, q, ahead*limit)
		if err != nil || len(due) == 0 {
			return false, err
		}
		queues, err := s.waiting(ctx, q, due)
		if err != nil {
			return false, err
		}
		changed, err := s.putOff(ctx, q, queues, due)
		if err != nil {
			return false, err
		}
		if taken, err = s.lock(ctx, q, queues, due, limit); err != nil || len(taken) == 0 {
			return changed, err
		}
		ids := make([]int64, len(taken))
		for i := range taken {
			ids[i] = taken[i].ID
			taken[i].Deliveries++
		}
		_, err = q.ExecContext(ctx, ofIDs(mysql.Render(s.sql.lease, leaseFor.Microseconds()), ids))
		return true, err
	})
	if err != nil {
		return nil, err
	}
	return taken, nil
}

// due returns the queues of some events that are due, by the IDs of these.
func (s *Store) due(ctx context.Context, q mysql.Tx, limit int) (map[int64]string, error) {
	due := map[int64]string{}
	err := mysql.Read(ctx, q, mysql.Render(s.sql.listDue, min(limit, mysql.MaxList)), func(rows *sql.Rows) error {
		var id int64
		var queue string
		err := rows.Scan(&id, &queue)
		due[id] = queue
		return err
	})
	return due, err
}

// waiting returns what is not done in the queues of some events, up to the last of them, in order. A very long list is cut; what is
// cut off is left for later.
func (s *Store) waiting(ctx context.Context, q mysql.Tx, due map[int64]string) (map[string][]openEvent, error) {
	last, names := int64(0), map[string]bool{}
	for id, queue := range due {
		last = max(last, id)
		names[queue] = true
	}
	list := make([]string, 0, len(names))
	for queue := range names {
		list = append(list, queue)
	}
	slices.Sort(list)
	queues := make(map[string][]openEvent, len(list))
	statement := mysql.RenderList(s.sql.waiting, list) + mysql.Render(s.sql.waitingUpTo, last, ahead*mysql.MaxList)
	err := mysql.Read(ctx, q, statement, func(rows *sql.Rows) error {
		var w openEvent
		var at int64
		err := rows.Scan(&w.id, &w.queue, &w.failures, &at)
		w.due = mysql.FromMicros(at)
		queues[w.queue] = append(queues[w.queue], w)
		return err
	})
	return queues, err
}

// putOff lets what is due in a queue whose first event has failed rest until that one is due again, but for some seconds at most, so
// that nobody looks at it meanwhile. It reports whether there was anything.
func (s *Store) putOff(ctx context.Context, q mysql.Tx, queues map[string][]openEvent, due map[int64]string) (changed bool, err error) {
	for _, queue := range queues {
		if _, first := due[queue[0].id]; first || queue[0].failures == 0 {
			continue
		}
		var ids []int64
		for _, w := range queue {
			if _, is := due[w.id]; is {
				ids = append(ids, w.id)
			}
		}
		if len(ids) == 0 {
			continue
		}
		if _, err := q.ExecContext(ctx, ofIDs(mysql.Render(s.sql.putOff, queue[0].due), ids)); err != nil {
			return changed, err
		}
		changed = true
	}
	return changed, nil
}

// lock locks up to limit events that are the first of their queues, one behind the other, and nobody else's. It returns them by ID.
func (s *Store) lock(
	ctx context.Context, q mysql.Tx, queues map[string][]openEvent, due map[int64]string, limit int,
) ([]event.Event, error) {
	var free []int64
	for _, queue := range queues {
		for _, w := range queue {
			if _, is := due[w.id]; !is {
				break
			}
			free = append(free, w.id)
		}
	}
	slices.Sort(free)
	locked := map[int64]event.Event{}
	for part := range slices.Chunk(free, limit) {
		statement := func(ids []int64) string { return ofIDs(s.sql.lock, ids) }
		_, err := mysql.ReadFree(ctx, s.Handle, q, part, statement, func(rows *sql.Rows) error {
			e, err := scan(rows)
			locked[e.ID] = e
			return err
		})
		if err != nil {
			return nil, err
		}
		if len(locked) >= limit {
			break
		}
	}
	var taken []event.Event
	for _, queue := range queues {
		for _, w := range queue {
			e, ok := locked[w.id]
			if !ok {
				break
			}
			taken = append(taken, e)
		}
	}
	slices.SortFunc(taken, func(a, b event.Event) int { return cmp.Compare(a.ID, b.ID) })
	return taken[:min(limit, len(taken))], nil
}

// outcome is what became of events alike.
type outcome struct {
	done       bool
	failure    string
	retryIn    time.Duration
	aside      bool
	deliveries int64
}

// outcome renders the UPDATE of the events of an outcome.
func (q *Statements) outcome(o outcome, ids []int64) string {
	switch {
	case o.done:
		return ofIDs(q.done, ids)
	case o.failure == "":
		return ofIDs(mysql.Render(q.back, o.deliveries, o.deliveries), ids)
	case o.aside:
		return ofIDs(mysql.Render(q.setAside, o.failure, o.deliveries), ids)
	}
	return ofIDs(mysql.Render(q.failed, o.retryIn.Microseconds(), o.failure, o.deliveries), ids)
}

// Settle implements event.Store.
func (s *Store) Settle(ctx context.Context, results []event.Result) (recorded int, err error) {
	alike, order := map[outcome][]int64{}, []outcome(nil)
	for _, r := range results {
		o := outcome{done: r.Done}
		if !r.Done {
			o = outcome{failure: r.Failure, retryIn: r.RetryIn, aside: r.Aside, deliveries: r.Event.Deliveries}
		}
		if alike[o] == nil {
			order = append(order, o)
		}
		alike[o] = append(alike[o], r.Event.ID)
	}
	settle := func(q mysql.Tx) (bool, error) {
		recorded = 0
		for _, o := range order {
			slices.Sort(alike[o])
			for part := range slices.Chunk(alike[o], mysql.MaxList) {
				rows, err := mysql.Affected(q.ExecContext(ctx, s.sql.outcome(o, part)))
				if err != nil {
					return false, err
				}
				recorded += int(rows)
			}
		}
		return true, nil
	}
	if len(order) == 1 && len(results) <= mysql.MaxList {
		rows, err := s.Exec(ctx, s.sql.outcome(order[0], slices.Sorted(slices.Values(alike[order[0]]))))
		return int(rows), err
	}
	_, err = s.Atomically(ctx, settle)
	return recorded, err
}

// Event implements event.Store.
func (s *Store) Event(ctx context.Context, id int64) (e event.Event, err error) {
	err = s.Query(ctx, mysql.Render(s.sql.read, id), func(rows *sql.Rows) (err error) {
		e, err = scan(rows)
		return err
	})
	return e, err
}

// List implements event.Store.
func (s *Store) List(ctx context.Context, queue string, after int64, limit int) (events []event.Event, err error) {
	statement := mysql.Render(s.sql.listAside, after, limit)
	if queue != "" {
		statement = mysql.Render(s.sql.listQueue, queue, after, limit, queue, after, limit, queue, after, limit, limit)
	}
	err = s.Show(ctx, statement, func(rows *sql.Rows) error {
		e, err := scan(rows)
		events = append(events, e)
		return err
	})
	return events, err
}

// Prune implements event.Store.
func (s *Store) Prune(ctx context.Context, before time.Time, limit int) (int, error) {
	var ids []int64
	err := s.Show(ctx, mysql.Render(s.sql.listDone, before, limit), func(rows *sql.Rows) error {
		id, err := mysql.One[int64](rows)
		ids = append(ids, id)
		return err
	})
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	slices.Sort(ids)
	rows, err := s.Exec(ctx, ofIDs(s.sql.prune, ids))
	return int(rows), err
}

var _ event.Store = (*Store)(nil)
