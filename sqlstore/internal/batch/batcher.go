// Package batch is group commit: concurrent calls for one key share one transaction, one lock and one commit.
package batch

import (
	"context"
	"database/sql"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
)

// batchTime is how long one batch may take: longer than the servers let a statement wait for a row
// (innodb_lock_wait_timeout, 50 s).
const batchTime = time.Minute

// atOnce returns how many calls and batches of one key may be in flight: while one waits for its
// commit or for the hot row, the server and the callers work on the other, if it is worth a commit of
// its own; see bounds.enough. In a small pool it is one, which leaves connections to others.
func atOnce(db *sql.DB) int {
	const small = 8
	if n := db.Stats().MaxOpenConnections; n > 0 && n < small {
		return 1
	}
	return 2
}

// Bounds are what all batchers of a store share, so that merging stays within them together.
type Bounds struct {
	size     int           // calls of one batch
	enough   int           // calls that are worth a batch while another one of their key is in flight
	InFlight func() int    // calls and batches of one key in flight
	slots    chan struct{} // one for each batch in flight, and for each call beside its batch
	waiting  int64         // calls that may wait
	Pending  atomic.Int64  // calls that wait, also those whose caller has left
	Always   bool          // a lone call is a batch of one too: for tests of the batches
}

// Limits are the calls of one batch, the batches in flight, and the calls that may wait.
type Limits struct{ Size, Batches, Waiting int }

// NewBounds returns bounds within some limits, of a store on a pool.
func NewBounds(db *sql.DB, l Limits) *Bounds {
	return &Bounds{
		size: l.Size, enough: (l.Size + 3) / 4, InFlight: func() int { return atOnce(db) },
		slots: make(chan struct{}, l.Batches), waiting: int64(l.Waiting),
	}
}

// Batcher lets concurrent calls for one key, a hot row, share one transaction and so one lock and
// one commit. While calls or batches of a key are in flight, those that arrive wait, and form the
// next batch. There is no timer: alone, a call goes at once and by itself, as if there were no
// batcher. There is no goroutine while nothing waits.
//
// It is safe for concurrent use.
type Batcher[K comparable, Q, A any] struct {
	*Bounds
	reads bool // they change nothing

	// batch does several calls at once and returns a reply for each, in their order. An error applies to all of them.
	batch func(ctx context.Context, key K, asked []Q) ([]Reply[A], error)
	alone func(ctx context.Context, key K, asked Q) (A, error) // does one call

	mu     sync.Mutex
	queues map[K]*queue[Q, A] // of the keys that are busy
	used   sync.Pool          // of calls that nobody refers to any more
}

// New returns a batcher within some bounds.
func New[K comparable, Q, A any](
	b *Bounds, batch func(context.Context, K, []Q) ([]Reply[A], error), alone func(context.Context, K, Q) (A, error),
) *Batcher[K, Q, A] {
	return &Batcher[K, Q, A]{Bounds: b, batch: batch, alone: alone, queues: map[K]*queue[Q, A]{}}
}

// NewReader returns a batcher of reads.
func NewReader[K comparable, Q, A any](
	b *Bounds, batch func(context.Context, K, []Q) ([]Reply[A], error), alone func(context.Context, K, Q) (A, error),
) *Batcher[K, Q, A] {
	m := New(b, batch, alone)
	m.reads = true
	return m
}

// queue is a key that is busy.
type queue[Q, A any] struct {
	waiting []*call[Q, A]
	busy    int // calls and batches in flight
}

// Reply is what a batch did for one call: an answer, an error, or nothing if the call cannot go with the others. Such
// a call is then made alone, and finds out why.
type Reply[A any] struct {
	Answer A
	Err    error
	Alone  bool
}

// call is a call that waits. Calls are reused, since a rush makes very many.
type call[Q, A any] struct {
	asked Q
	done  chan struct{} // gets one once the reply is there
	reply Reply[A]

	left, inBatch bool // under the batcher's lock: its caller has gone; a batch has it
}

// Do makes a call, alone or in a batch. A caller whose context ends while its batch is in flight gets ErrUnknown at
// once, or ErrUnavailable for a read; the others do not notice. If too many calls wait, it returns ErrBusy.
func (m *Batcher[K, Q, A]) Do(ctx context.Context, key K, asked Q) (A, error) {
	var none A
	t, alone := m.enter(key, asked)
	switch {
	case alone && m.Always:
		defer m.leave(key)
		return m.single(ctx, key, asked)
	case alone:
		defer m.leave(key)
		return m.alone(ctx, key, asked)
	case t == nil:
		return none, fault.ErrBusy
	}
	select {
	case <-t.done:
	case <-ctx.Done():
		if m.abandon(t) || m.reads {
			return none, fmt.Errorf("%w: %w", fault.ErrUnavailable, ctx.Err())
		}
		return none, fmt.Errorf("%w: %w", fault.ErrUnknown, ctx.Err())
	}
	reply := t.reply
	*t = call[Q, A]{done: t.done}
	m.used.Put(t)
	if reply.Alone {
		return m.solo(ctx, key, asked)
	}
	return reply.Answer, reply.Err
}

// single makes a call as a batch of one.
func (m *Batcher[K, Q, A]) single(ctx context.Context, key K, asked Q) (A, error) {
	replies, err := m.batch(ctx, key, []Q{asked})
	switch {
	case err != nil:
		var none A
		return none, err
	case replies[0].Alone:
		return m.alone(ctx, key, asked)
	}
	return replies[0].Answer, replies[0].Err
}

// solo makes a call alone that could not go with its batch. There may be many of them: they share
// the slots with the batches, and so leave connections to others.
func (m *Batcher[K, Q, A]) solo(ctx context.Context, key K, asked Q) (A, error) {
	select {
	case m.slots <- struct{}{}:
		defer func() { <-m.slots }()
		return m.alone(ctx, key, asked)
	case <-ctx.Done():
		var none A
		return none, fmt.Errorf("%w: %w", fault.ErrUnavailable, ctx.Err())
	}
}

// enter takes the free queue of a key, for a call alone, or returns a call to wait with, unless too
// many wait.
func (m *Batcher[K, Q, A]) enter(key K, asked Q) (t *call[Q, A], alone bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	l := m.queues[key]
	if l == nil {
		l = &queue[Q, A]{busy: 1}
		m.queues[key] = l
		m.yield()
		if len(l.waiting) == 0 {
			return nil, true
		}
		t = m.call(asked)
		m.Pending.Add(1)
		l.waiting = slices.Insert(l.waiting, 0, t)
		go m.serve(key)
		return t, false
	}
	if m.Pending.Add(1) > m.waiting {
		m.Pending.Add(-1)
		return nil, false
	}
	t = m.call(asked)
	l.waiting = append(l.waiting, t)
	if len(l.waiting) >= m.enough && l.busy < m.InFlight() {
		l.busy++
		go m.serve(key)
	}
	return t, false
}

// yield lets runnable callers run, so that callers woken by the last batch join the next batch together. It costs
// nothing where none can run, and never waits for any.
func (m *Batcher[K, Q, A]) yield() {
	m.mu.Unlock()
	runtime.Gosched()
	m.mu.Lock()
}

// call returns a call to wait with.
func (m *Batcher[K, Q, A]) call(asked Q) *call[Q, A] {
	t, ok := m.used.Get().(*call[Q, A])
	if !ok {
		t = &call[Q, A]{done: make(chan struct{}, 1)}
	}
	t.asked = asked
	return t
}

// leave hands its place in the queue to those that wait, or gives it up.
func (m *Batcher[K, Q, A]) leave(key K) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if l := m.queues[key]; len(l.waiting) > 0 {
		go m.serve(key)
	} else {
		m.free(key, l)
	}
}

// free gives up a place in a queue, and with its last the queue.
func (m *Batcher[K, Q, A]) free(key K, l *queue[Q, A]) {
	if l.busy--; l.busy == 0 {
		delete(m.queues, key)
	}
}

// serve does batch after batch until nobody waits.
func (m *Batcher[K, Q, A]) serve(key K) {
	for m.serveNext(key) {
	}
}

// serveNext does the next batch of a queue once there is a slot for it: until then it grows.
func (m *Batcher[K, Q, A]) serveNext(key K) bool {
	m.slots <- struct{}{}
	defer func() { <-m.slots }()
	calls := m.next(key)
	if calls == nil {
		return false
	}
	m.serveBatch(key, calls)
	return true
}

// next takes the next batch off a queue, in the order of arrival. If nobody or too few calls wait, it gives up its
// place.
func (m *Batcher[K, Q, A]) next(key K) []*call[Q, A] {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.yield()
	l := m.queues[key]
	if l.busy > 1 && len(l.waiting) < m.enough { // another call or batch in flight goes on with them
		m.free(key, l)
		return nil
	}
	var calls []*call[Q, A]
	n := 0
	for ; n < len(l.waiting) && len(calls) < m.size; n++ {
		if t := l.waiting[n]; !t.left {
			t.inBatch = true
			calls = append(calls, t)
		}
	}
	m.Pending.Add(-int64(n))
	if l.waiting = l.waiting[n:]; calls == nil {
		m.free(key, l)
	}
	return calls
}

// serveBatch does one batch on a context of its own, so that no caller's context ends the calls of the others.
func (m *Batcher[K, Q, A]) serveBatch(key K, calls []*call[Q, A]) {
	ctx, cancel := context.WithTimeout(context.Background(), batchTime)
	defer cancel()
	asked := make([]Q, len(calls))
	for i, t := range calls {
		asked[i] = t.asked
	}
	replies, err := m.batch(ctx, key, asked)
	for i, t := range calls {
		if t.reply.Err = err; err == nil {
			t.reply = replies[i]
		}
		t.done <- struct{}{}
	}
}

// abandon takes a call back, unless its batch is in flight.
func (m *Batcher[K, Q, A]) abandon(t *call[Q, A]) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	t.left = true
	return !t.inBatch
}
