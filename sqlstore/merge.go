package sqlstore

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
)

// batchSize is how many calls one batch merges at most, batchTime how long it may take: longer
// than the servers let a statement wait for a row (innodb_lock_wait_timeout, 50 s).
const (
	batchSize = 1_000
	batchTime = time.Minute
)

// merger lets concurrent calls for one key, a hot row, share one transaction and so one lock and
// one commit. While a call or a batch of a key is in flight, those that arrive wait, and form the
// next batch. There is no timer: alone, a call goes at once and by itself, as if there were no
// merger. There is no goroutine while nothing waits.
//
// It is safe for concurrent use. The zero value needs its batch function.
type merger[K comparable, Q, A any] struct {
	// batch does several calls at once and says for each what came of it, in their order. An
	// error is that of all.
	batch func(ctx context.Context, key K, asked []Q) ([]reply[A], error)

	mu    sync.Mutex
	lanes map[K][]*ticket[Q, A] // of the keys that are busy, those that wait
}

// reply is what a batch did for one of its calls: an answer, or nothing, because it cannot go with
// the others. Then it is made alone, and finds out why.
type reply[A any] struct {
	answer A
	alone  bool
}

// ticket is a call that waits.
type ticket[Q, A any] struct {
	asked Q
	done  chan struct{}
	reply reply[A]
	err   error
}

// do makes a call, alone or in a batch. A caller whose context ends while its batch is in flight is
// told ErrUnknown at once; the others do not notice.
func (m *merger[K, Q, A]) do(ctx context.Context, key K, asked Q, alone func(context.Context) (A, error)) (A, error) {
	t := m.enter(key, asked)
	if t == nil {
		defer m.leave(key)
		return alone(ctx)
	}
	select {
	case <-t.done:
	case <-ctx.Done():
		var none A
		if m.withdraw(key, t) {
			return none, fmt.Errorf("%w: %w", fault.ErrUnavailable, ctx.Err())
		}
		return none, fmt.Errorf("%w: %w", fault.ErrUnknown, ctx.Err())
	}
	if t.reply.alone {
		return alone(ctx)
	}
	return t.reply.answer, t.err
}

// enter takes the lane of a key, or returns a ticket to wait with.
func (m *merger[K, Q, A]) enter(key K, asked Q) *ticket[Q, A] {
	m.mu.Lock()
	defer m.mu.Unlock()
	waiting, busy := m.lanes[key]
	if !busy {
		if m.lanes == nil {
			m.lanes = map[K][]*ticket[Q, A]{}
		}
		m.lanes[key] = nil
		return nil
	}
	t := &ticket[Q, A]{asked: asked, done: make(chan struct{})}
	m.lanes[key] = append(waiting, t)
	return t
}

// leave hands the lane to those that wait, or gives it up.
func (m *merger[K, Q, A]) leave(key K) {
	if next := m.next(key); next != nil {
		go m.serve(key, next)
	}
}

// next takes the next batch of a lane off it, in the order of arrival. With nobody waiting the
// lane is free.
func (m *merger[K, Q, A]) next(key K) []*ticket[Q, A] {
	m.mu.Lock()
	defer m.mu.Unlock()
	waiting := m.lanes[key]
	if len(waiting) == 0 {
		delete(m.lanes, key)
		return nil
	}
	n := min(batchSize, len(waiting))
	m.lanes[key] = slices.Clone(waiting[n:])
	return waiting[:n]
}

// serve does batch after batch until nobody waits.
func (m *merger[K, Q, A]) serve(key K, tickets []*ticket[Q, A]) {
	for ; tickets != nil; tickets = m.next(key) {
		m.serveBatch(key, tickets)
	}
}

// serveBatch does one batch, on a context of its own: one caller's must not end the others' call.
func (m *merger[K, Q, A]) serveBatch(key K, tickets []*ticket[Q, A]) {
	ctx, cancel := context.WithTimeout(context.Background(), batchTime)
	defer cancel()
	asked := make([]Q, len(tickets))
	for i, t := range tickets {
		asked[i] = t.asked
	}
	replies, err := m.batch(ctx, key, asked)
	for i, t := range tickets {
		if t.err = err; err == nil {
			t.reply = replies[i]
		}
		close(t.done)
	}
}

// withdraw takes a ticket back, unless its batch is in flight.
func (m *merger[K, Q, A]) withdraw(key K, t *ticket[Q, A]) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	waiting := m.lanes[key]
	i := slices.Index(waiting, t)
	if i < 0 {
		return false
	}
	m.lanes[key] = slices.Delete(slices.Clone(waiting), i, i+1)
	return true
}
