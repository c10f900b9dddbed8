package event

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/internal/input"
)

// Memory is a Store in the process: for tests, examples and single programs that may forget. The zero value is empty and ready; it
// must not be copied after first use. It is safe for concurrent use. Set it as stock.Memory.Events to have the events of a memory
// store.
type Memory struct {
	// Clock is the store's clock; nil is time.Now. Set it before the first call.
	Clock func() time.Time

	mu     sync.Mutex
	last   int64
	events []memoryEvent // by ID
}

// memoryEvent is an event and when it is due, unless it is done or set aside.
type memoryEvent struct {
	Event

	due time.Time
}

// open reports whether an event is still to be delivered.
func (e memoryEvent) open() bool { return e.DoneAt.IsZero() && !e.Poisoned }

// Add writes events that happened at a time. They get their IDs, and are due at once.
func (m *Memory) Add(at time.Time, events ...Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, is := range events {
		m.last++
		is.ID, is.At = m.last, at
		m.events = append(m.events, memoryEvent{Event: is, due: at})
	}
}

// enter locks the store and reads the clock.
func (m *Memory) enter(ctx context.Context) (now time.Time, leave func(), err error) {
	if err := ctx.Err(); err != nil {
		return time.Time{}, nil, errors.Join(ErrUnavailable, err)
	}
	clock := m.Clock
	if clock == nil {
		clock = time.Now
	}
	m.mu.Lock()
	return input.Instant(clock()), m.mu.Unlock, nil
}

// Take implements Store.
func (m *Memory) Take(ctx context.Context, limit int, leaseFor time.Duration) ([]Event, error) {
	now, leave, err := m.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	var taken []Event
	blocked := map[string]bool{}
	for i := range m.events {
		is := &m.events[i]
		if len(taken) == limit {
			break
		}
		if !is.open() || blocked[is.Queue] {
			continue
		}
		if now.Before(is.due) {
			blocked[is.Queue] = true
			continue
		}
		is.Deliveries++
		is.due = now.Add(leaseFor)
		taken = append(taken, is.Event)
	}
	return taken, nil
}

// Settle implements Store.
func (m *Memory) Settle(ctx context.Context, results []Result) (recorded int, err error) {
	now, leave, err := m.enter(ctx)
	if err != nil {
		return 0, err
	}
	defer leave()
	for _, r := range results {
		i, known := m.find(r.Event.ID)
		if !known || !m.events[i].DoneAt.IsZero() {
			continue
		}
		is := &m.events[i]
		switch {
		case r.Done:
			is.DoneAt, is.Poisoned = now, false
		case is.Deliveries != r.Event.Deliveries:
			continue
		case r.Failure == "":
			is.Deliveries--
			is.due = now
		default:
			is.Failures++
			is.Failure, is.due = r.Failure, now.Add(r.RetryIn)
			is.Poisoned = is.Poisoned || r.Aside
		}
		recorded++
	}
	return recorded, nil
}

// find returns the place of an event.
func (m *Memory) find(id int64) (int, bool) {
	return slices.BinarySearchFunc(m.events, id, func(e memoryEvent, id int64) int { return cmp.Compare(e.ID, id) })
}

// Event implements Store.
func (m *Memory) Event(ctx context.Context, id int64) (Event, error) {
	_, leave, err := m.enter(ctx)
	if err != nil {
		return Event{}, err
	}
	defer leave()
	if i, known := m.find(id); known {
		return m.events[i].Event, nil
	}
	return Event{}, nil
}

// List implements Store.
func (m *Memory) List(ctx context.Context, queue string, after int64, limit int) (events []Event, err error) {
	_, leave, err := m.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	for _, is := range m.events {
		if is.ID > after && len(events) < limit && (is.Queue == queue || queue == "" && is.Poisoned) {
			events = append(events, is.Event)
		}
	}
	return events, nil
}

// Prune implements Store.
func (m *Memory) Prune(ctx context.Context, before time.Time, limit int) (pruned int, err error) {
	_, leave, err := m.enter(ctx)
	if err != nil {
		return 0, err
	}
	defer leave()
	m.events = slices.DeleteFunc(m.events, func(is memoryEvent) bool {
		old := !is.DoneAt.IsZero() && is.DoneAt.Before(before) && pruned < limit
		if old {
			pruned++
		}
		return old
	})
	return pruned, nil
}

var _ Store = (*Memory)(nil)
