// Package events keeps what is to be told to the rest of the shop: the table of events, and their delivery. Whoever changes
// stock inserts them in the transaction of the change.
package events

import (
	"cmp"
	"context"
	"database/sql"
	"maps"
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

// Take implements event.Store. It waits for nobody: what others are at is skipped.
//
// It chooses by plain reads, and decides under the locks of what it has chosen. The reads may be old, but never lack an earlier
// event of a queue: that one was committed before the later one was written. And what was done meanwhile only leaves
// out more.
func (s *Store) Take(ctx context.Context, limit int, leaseFor time.Duration) ([]event.Event, error) {
	var taken []event.Event
	_, err := s.Atomically(ctx, func(q mysql.Tx) (bool, error) {
		taken = nil
		t := &search{Store: s, q: q, limit: limit, seen: map[string]bool{}}
		if err := t.run(ctx); err != nil || len(t.taken) == 0 {
			return t.rested, err
		}
		taken = t.taken
		ids := make([]int64, len(taken))
		for i := range taken {
			ids[i] = taken[i].ID
			taken[i].Deliveries++
		}
		_, err := q.ExecContext(ctx, ofIDs(mysql.Render(s.sql.lease, leaseFor.Microseconds()), ids))
		return true, err
	})
	if err != nil {
		return nil, err
	}
	return taken, nil
}

// search is one Take on its way through what is due, page by page, until it has as many events as it wants. It decides about a
// queue at the first page that has events of it. Later pages leave that queue out, so a long queue that waits hides nobody.
type search struct {
	*Store

	q       mysql.Tx
	limit   int
	lastDue time.Time // of the last event that it has looked at
	lastID  int64
	names   []string        // queues that it has decided about
	seen    map[string]bool // the same as a set
	taken   []event.Event   // locked, by ID
	rested  bool            // whether it has put events off
}

// run takes what is free.
func (t *search) run(ctx context.Context) error {
	for more := true; more && len(t.taken) < t.limit; {
		var due map[string][]int64
		var err error
		if due, more, err = t.next(ctx); err != nil {
			return err
		}
		if len(due) == 0 {
			continue
		}
		free, blocked, err := t.split(ctx, due)
		if err != nil {
			return err
		}
		if err := t.putOff(ctx, blocked); err != nil {
			return err
		}
		if err := t.lock(ctx, free); err != nil {
			return err
		}
	}
	t.taken = t.taken[:min(t.limit, len(t.taken))]
	slices.SortFunc(t.taken, func(a, b event.Event) int { return cmp.Compare(a.ID, b.ID) })
	return nil
}

// next reads a page of what is due, and returns the IDs by their queues, in order. The first page is short, because it has usually
// enough. More reports whether another page may follow.
func (t *search) next(ctx context.Context) (due map[string][]int64, more bool, err error) {
	size, statement := min(ahead*t.limit, mysql.MaxList), t.sql.listDue
	if len(t.names) > 0 {
		size = mysql.MaxList
		// The server leaves out as many queues as a list may have. Those beyond are left out here.
		statement += mysql.Render(t.sql.listDueBehind, t.lastDue, t.lastDue, t.lastID) +
			mysql.RenderList(t.sql.listDueWithout, t.names[:min(len(t.names), mysql.MaxList)])
	}
	rows, due := 0, map[string][]int64{}
	err = mysql.Read(ctx, t.q, statement+mysql.Render(t.sql.listDueOrder, size), func(r *sql.Rows) error {
		var queue string
		var at int64
		if err := r.Scan(&t.lastID, &queue, &at); err != nil {
			return err
		}
		rows++
		t.lastDue = mysql.FromMicros(at)
		if !t.seen[queue] {
			due[queue] = append(due[queue], t.lastID)
		}
		return nil
	})
	for queue, ids := range due {
		slices.Sort(ids)
		t.seen[queue] = true
		t.names = append(t.names, queue)
	}
	return due, rows == size, err
}

// split tells apart the queues whose first event is due, and those whose first event others have or has failed. Of the free ones
// it returns what may be taken together: the first event, and those that follow it without a gap. Of the blocked ones it returns
// what is due, by the ID of the first event.
func (t *search) split(ctx context.Context, due map[string][]int64) (free [][]int64, blocked map[int64][]int64, err error) {
	queues, err := t.waiting(ctx, due)
	if err != nil {
		return nil, nil, err
	}
	blocked = map[int64][]int64{}
	for queue, open := range queues {
		i, is := slices.BinarySearch(due[queue], open[0]) // what is before it was done meanwhile
		ids := due[queue][i:]
		switch {
		case len(ids) == 0:
		case !is:
			blocked[open[0]] = ids
		default:
			n := 1
			for n < min(len(ids), len(open)) && open[n] == ids[n] {
				n++
			}
			free = append(free, ids[:n])
		}
	}
	return free, blocked, nil
}

// waiting returns what is not done in some queues, in order, up to the last of the events that are due. It reads about as many rows
// as may be of use. Where that is not all, since one of the queues is long, it adds the first event of each queue that is missing.
func (t *search) waiting(ctx context.Context, due map[string][]int64) (map[string][]int64, error) {
	events, last := 0, int64(0)
	for _, ids := range due {
		events += len(ids)
		last = max(last, ids[len(ids)-1])
	}
	open, rows, most := make(map[string][]int64, len(due)), 0, 2*events
	note := func(r *sql.Rows) error {
		var queue string
		var id int64
		err := r.Scan(&queue, &id)
		rows++
		open[queue] = append(open[queue], id)
		return err
	}
	list := slices.Sorted(maps.Keys(due))
	statement := mysql.RenderList(t.sql.waiting, list) + mysql.Render(t.sql.waitingUpTo, last, most)
	if err := mysql.Read(ctx, t.q, statement, note); err != nil || rows < most {
		return open, err
	}
	list = slices.DeleteFunc(list, func(queue string) bool { return open[queue] != nil })
	if len(list) == 0 {
		return open, nil
	}
	return open, mysql.Read(ctx, t.q, mysql.RenderList(t.sql.heads, list)+mysql.Render(t.sql.headsUpTo, last), note)
}

// putOff lets what is due in a queue whose first event has failed rest until that one is due again, but for some seconds at most, so
// that nobody looks at it meanwhile. It skips what others are at: they have leased it by now, or are about to.
func (t *search) putOff(ctx context.Context, blocked map[int64][]int64) error {
	heads, due := slices.Sorted(maps.Keys(blocked)), map[int64]time.Time{}
	for part := range slices.Chunk(heads, mysql.MaxList) {
		err := mysql.Read(ctx, t.q, ofIDs(t.sql.failing, part), func(rows *sql.Rows) error {
			var id, at int64
			err := rows.Scan(&id, &at)
			due[id] = mysql.FromMicros(at)
			return err
		})
		if err != nil {
			return err
		}
	}
	for _, head := range heads {
		at, failing := due[head]
		if !failing {
			continue
		}
		locked, err := t.locked(ctx, blocked[head])
		if err != nil {
			return err
		}
		ids := slices.Sorted(maps.Keys(locked))
		if len(ids) == 0 {
			continue
		}
		if _, err := t.q.ExecContext(ctx, ofIDs(mysql.Render(t.sql.putOff, at), ids)); err != nil {
			return err
		}
		t.rested = true
	}
	return nil
}

// lock locks what is free until there is enough, and takes what nobody else has: of each queue the first event, and what follows.
func (t *search) lock(ctx context.Context, free [][]int64) error {
	var all []int64
	queue, stopped := map[int64]int{}, map[int]bool{} // the queues by their numbers, and those where somebody else has one
	for n, ids := range free {
		all = append(all, ids...)
		for _, id := range ids {
			queue[id] = n
		}
	}
	slices.Sort(all)
	for len(all) > 0 && len(t.taken) < t.limit {
		part := all[:min(t.limit, len(all))]
		locked, err := t.locked(ctx, part)
		if err != nil {
			return err
		}
		for _, id := range part {
			is, ok := locked[id]
			if !ok {
				stopped[queue[id]] = true
			}
			if !stopped[queue[id]] {
				t.taken = append(t.taken, is)
			}
		}
		all = slices.DeleteFunc(all[len(part):], func(id int64) bool { return stopped[queue[id]] })
	}
	return nil
}

// locked locks those of some events that are due and that nobody else has locked.
func (t *search) locked(ctx context.Context, ids []int64) (map[int64]event.Event, error) {
	locked := make(map[int64]event.Event, len(ids))
	statement := func(ids []int64) string { return ofIDs(t.sql.lock, ids) }
	_, err := mysql.ReadFree(ctx, t.Handle, t.q, ids, statement, func(rows *sql.Rows) error {
		e, err := scan(rows)
		locked[e.ID] = e
		return err
	})
	return locked, err
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
