// Package batch is group commit: concurrent calls share one transaction, one lock of each row and one commit.
package batch

import (
	"context"
	"database/sql"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
)

// batchTime is how long one batch may take: longer than the servers let a statement wait for a row
// (innodb_lock_wait_timeout, 50 s).
const batchTime = time.Minute

// slowTime is how long a flight may take until others stop waiting for it: it waits in the server, for a row that
// somebody else has locked, or for an answer that does not come.
const slowTime = 100 * time.Millisecond

// inFlight returns how many flights one row has at most: while one waits for its commit or for the row, the server and
// the callers work on the other, if it is worth a commit of its own; see Bounds.enough. In a small pool it is one, which
// leaves connections to others.
func inFlight(db *sql.DB) int {
	const small = 8
	if n := db.Stats().MaxOpenConnections; n > 0 && n < small {
		return 1
	}
	return 2
}

// alone returns how many mixed calls go alone at once. Some slots, and a connection of the pool, are left to batches.
func alone(db *sql.DB, slots int) int {
	most := slots - 2
	if n := db.Stats().MaxOpenConnections; n > 0 {
		most = min(most, n-1)
	}
	return max(most, 1)
}

// Bounds are what all batchers of a store share, so that merging stays within them together.
type Bounds struct {
	size     int           // calls of one batch
	enough   int           // calls that are worth a batch while another one of their row is in flight
	InFlight func() int    // flights of one row
	Alone    func() int    // mixed calls that go alone at once
	Slow     time.Duration // how long a flight may take until others overtake it
	slots    chan struct{} // one for each batch in flight, and each mixed call that is alone
	beside   chan struct{} // one for each call beside its batch; and for flights that are slow, which give their slot back
	waiting  int64         // calls that may wait
	Pending  atomic.Int64  // calls that wait, also those whose caller has left
	counts   counts        // of what they do
	usual    atomic.Int64  // nanoseconds that a batch of changes takes, smoothed
	Always   bool          // a lone call is a batch of one too: for tests of the batches
}

// Limits are the calls of one batch, the batches in flight, and the calls that may wait.
type Limits struct{ Size, Batches, Waiting int }

// NewBounds returns bounds within some limits, of a store on a pool.
func NewBounds(db *sql.DB, l Limits) *Bounds {
	return &Bounds{
		size: l.Size, enough: (l.Size + 3) / 4,
		InFlight: func() int { return inFlight(db) }, Alone: func() int { return alone(db, l.Batches) }, Slow: slowTime,
		slots: make(chan struct{}, l.Batches), beside: make(chan struct{}, (l.Batches+1)/2), waiting: int64(l.Waiting),
	}
}

// A statement is stuck after the time of so many usual batches, but of so many slow ones at most.
const (
	usually      = 4
	mostPatience = 10
)

// Patience is how long a statement of a batch may wait for a lock until it is taken to be stuck. Where batches of several
// processes queue for the same rows, they wait longer.
func (b *Bounds) Patience() time.Duration {
	return max(b.Slow, usually*time.Duration(b.usual.Load()))
}

// Stuck returns how many connections of a pool wait for rows that others have locked.
func (b *Bounds) Stuck(db *sql.DB) int {
	n := cap(b.beside)
	if db != nil && db.Stats().MaxOpenConnections > 0 {
		n = min(n, db.Stats().MaxOpenConnections/4)
	}
	return max(n, 1)
}

// Enter counts a call that waits, unless too many do. It ends by Leave.
func (b *Bounds) Enter() bool {
	if b.Pending.Add(1) <= b.waiting {
		return true
	}
	b.Pending.Add(-1)
	return false
}

// Leave ends what Enter has counted.
func (b *Bounds) Leave() { b.Pending.Add(-1) }

// took notes how long a batch has taken. Of two that are noted at once, one may be lost.
func (b *Bounds) took(d time.Duration) {
	const weight = 8
	usual := b.usual.Load()
	b.usual.Store(usual + (int64(min(d, mostPatience*b.Slow/usually))-usual)/weight)
}

// Batcher lets concurrent calls share one transaction, and so one lock of each row and one commit. Each call names the
// rows that it changes, or, where it does not know them, the kind of what it does. While a row is in flight, calls for it
// wait, and form the next batch. There is no timer before a call goes: alone, it goes at once and by itself, as if there
// were no batcher. There is no goroutine while nothing waits.
//
// A batch of New has calls for one row. A batch of NewMixed has calls for any rows, so that orders of many items share a
// commit too. No two of its batches in flight have a row in common, but for a hot row, which has two batches of its own.
//
// It is safe for concurrent use.
type Batcher[R comparable, Q, A any] struct {
	*Bounds
	reads bool // they change nothing
	mixed bool // a batch may have calls for many rows

	// batch does several calls at once and returns a reply for each, in their order. An error applies to all of them. The
	// row is that of all calls; a mixed batch has none.
	batch func(ctx context.Context, row R, asked []Q) ([]Reply[A], error)
	alone func(ctx context.Context, row R, asked Q) (A, error) // does one call

	mu       sync.Mutex
	queues   map[R]*queue[R, Q, A] // of the rows that are busy
	idle     ring[R, Q, A]         // queues with calls that wait for no flight
	deep     ring[R, Q, A]         // queues with enough calls for a second flight of their row
	free     int                   // calls that wait for no flight
	queued   int                   // calls that wait, in any queue
	arrivals int64
	flights  map[*flight[R, Q, A]]bool // those that are not slow
	sharing  int                       // rows of the flights that share a commit, whatever their rows are
	starting bool                      // a lane is about to take the next batch
	slow     *time.Timer               // looks for slow flights while calls wait
	used     sync.Pool                 // of calls that nobody refers to any more
}

// New returns a batcher of calls for one row each, within some bounds.
func New[R comparable, Q, A any](
	b *Bounds, batch func(context.Context, R, []Q) ([]Reply[A], error), alone func(context.Context, R, Q) (A, error),
) *Batcher[R, Q, A] {
	return &Batcher[R, Q, A]{
		Bounds: b, batch: batch, alone: alone, queues: map[R]*queue[R, Q, A]{}, flights: map[*flight[R, Q, A]]bool{},
	}
}

// NewReader returns a batcher of reads.
func NewReader[R comparable, Q, A any](
	b *Bounds, batch func(context.Context, R, []Q) ([]Reply[A], error), alone func(context.Context, R, Q) (A, error),
) *Batcher[R, Q, A] {
	m := New(b, batch, alone)
	m.reads = true
	return m
}

// NewMixed returns a batcher of calls for any rows.
func NewMixed[R comparable, Q, A any](
	b *Bounds, batch func(context.Context, []Q) ([]Reply[A], error), alone func(context.Context, Q) (A, error),
) *Batcher[R, Q, A] {
	m := New(b, func(ctx context.Context, _ R, asked []Q) ([]Reply[A], error) { return batch(ctx, asked) },
		func(ctx context.Context, _ R, asked Q) (A, error) { return alone(ctx, asked) })
	m.mixed = true
	return m
}

// Reply is what a batch did for one call: an answer, an error, or nothing if the call cannot go with the others. Such
// a call is then made alone, and finds out why.
type Reply[A any] struct {
	Answer A
	Err    error
	Alone  Cause
}

// call is a call that waits. Calls are reused, since a rush makes very many.
type call[R comparable, Q, A any] struct {
	row   R   // the first of its rows
	more  []R // the others
	asked Q
	done  chan struct{} // gets one once the reply is there
	reply Reply[A]

	arrival       int64
	moved         bool // it has waited for another of its rows before
	left, inBatch bool // its caller has gone; a batch has it
}

// Do makes a call for one row, alone or in a batch. A caller whose context ends while its batch is in flight gets
// ErrUnknown at once, or ErrUnavailable for a read; the others do not notice. If too many calls wait, it returns ErrBusy.
func (m *Batcher[R, Q, A]) Do(ctx context.Context, row R, asked Q) (A, error) {
	return m.DoMixed(ctx, asked, row, nil)
}

// DoMixed is Do for a call with more rows, each of them named once.
func (m *Batcher[R, Q, A]) DoMixed(ctx context.Context, asked Q, row R, more []R) (A, error) {
	var none A
	t, f := m.enter(row, asked, more)
	switch {
	case f != nil && m.Always:
		defer m.leave(f)
		return m.single(ctx, row, asked)
	case f != nil:
		defer m.leave(f)
		m.countAlone(Idle)
		return m.alone(ctx, row, asked)
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
	*t = call[R, Q, A]{done: t.done}
	m.used.Put(t)
	if reply.Alone != 0 {
		m.countAlone(reply.Alone)
		return m.solo(ctx, row, asked)
	}
	return reply.Answer, reply.Err
}

// countAlone counts a call that goes alone. Reads are not counted.
func (m *Batcher[R, Q, A]) countAlone(why Cause) {
	if !m.reads {
		m.counts.alone[why].Add(1)
	}
}

// single makes a call as a batch of one.
func (m *Batcher[R, Q, A]) single(ctx context.Context, row R, asked Q) (A, error) {
	replies, err := m.batch(ctx, row, []Q{asked})
	switch {
	case err != nil:
		var none A
		return none, err
	case replies[0].Alone != 0:
		return m.alone(ctx, row, asked)
	}
	return replies[0].Answer, replies[0].Err
}

// solo makes a call alone that could not go with its batch. There may be many of them, and each may wait long: they have
// slots of their own, and so leave connections to others.
func (m *Batcher[R, Q, A]) solo(ctx context.Context, row R, asked Q) (A, error) {
	select {
	case m.beside <- struct{}{}:
		defer func() { <-m.beside }()
		return m.alone(ctx, row, asked)
	case <-ctx.Done():
		var none A
		return none, fmt.Errorf("%w: %w", fault.ErrUnavailable, ctx.Err())
	}
}

// yield lets runnable callers run, so that callers woken by the last batch join the next batch together. It costs
// nothing where none can run, and never waits for any.
func (m *Batcher[R, Q, A]) yield() {
	m.mu.Unlock()
	runtime.Gosched()
	m.mu.Lock()
}

// call returns a call to wait with.
func (m *Batcher[R, Q, A]) call(row R, asked Q, more []R) *call[R, Q, A] {
	t, ok := m.used.Get().(*call[R, Q, A])
	if !ok {
		t = &call[R, Q, A]{done: make(chan struct{}, 1)}
	}
	m.arrivals++
	t.row, t.asked, t.more, t.arrival = row, asked, more, m.arrivals
	return t
}

// Queued returns how many calls wait.
func (m *Batcher[R, Q, A]) Queued() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.queued
}

// abandon takes a call back, unless its batch is in flight.
func (m *Batcher[R, Q, A]) abandon(t *call[R, Q, A]) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	t.left = true
	return !t.inBatch
}

// serve does batch after batch until nobody waits.
func (m *Batcher[R, Q, A]) serve() {
	for m.serveNext() {
	}
}

// serveNext does the next batch once there is a slot for it: until then it grows. It reports whether another one is due.
func (m *Batcher[R, Q, A]) serveNext() bool {
	m.slots <- struct{}{}
	f := m.next()
	if f == nil {
		<-m.slots
		return false
	}
	m.serveBatch(f)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.land(f)
	if m.starting || !m.due() {
		return false
	}
	m.starting = true
	return true
}

// next takes the next batch, in the order of arrival. Where more are due, another lane takes them.
func (m *Batcher[R, Q, A]) next() *flight[R, Q, A] {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.yield()
	f := m.take()
	if f != nil {
		f.slots = m.slots
	}
	m.starting = false
	m.start()
	return f
}

// start starts a lane where a batch is due.
func (m *Batcher[R, Q, A]) start() {
	if !m.starting && m.due() {
		m.starting = true
		go m.serve()
	}
	m.watch()
}

// serveBatch does one batch on a context of its own, so that no caller's context ends the calls of the others.
func (m *Batcher[R, Q, A]) serveBatch(f *flight[R, Q, A]) {
	ctx, cancel := context.WithTimeout(context.Background(), batchTime)
	defer cancel()
	asked := make([]Q, len(f.calls))
	for i, t := range f.calls {
		asked[i] = t.asked
	}
	replies, err := m.batch(ctx, f.calls[0].row, asked)
	if !m.reads {
		m.took(time.Since(f.began))
		m.counts.batch(len(asked))
	}
	for i, t := range f.calls {
		if t.reply.Err = err; err == nil {
			t.reply = replies[i]
		}
		t.done <- struct{}{}
	}
}
