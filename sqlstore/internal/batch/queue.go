package batch

import (
	"cmp"
	"slices"
	"time"
)

// queue is a row that is busy: it is in flight, or calls wait for it.
type queue[R comparable, Q, A any] struct {
	row       R
	waiting   []*call[R, Q, A] // in the order of arrival
	inFlight  int
	overtaken int              // slow flights that do not count any more
	free      int              // how many of them wait for no flight: all or none
	flight    *flight[R, Q, A] // the last one that it is part of
	idle      bool             // it is in the batcher's ring of idle queues
	deep      bool             // and in that of deep ones
}

// flight is a call alone or a batch on its way to the server and back.
type flight[R comparable, Q, A any] struct {
	calls  []*call[R, Q, A] // none where it is a call alone
	lines  int              // rows that its calls name, together
	rows   []*queue[R, Q, A]
	began  time.Time
	shared bool          // it is counted in Batcher.sharing
	freed  bool          // its rows are not counted any more
	slots  chan struct{} // of which it has one
}

// ring is queues that take turns.
type ring[R comparable, Q, A any] struct{ queues []*queue[R, Q, A] }

func (r *ring[R, Q, A]) push(q *queue[R, Q, A]) { r.queues = append(r.queues, q) }

func (r *ring[R, Q, A]) pop() *queue[R, Q, A] {
	if len(r.queues) == 0 {
		return nil
	}
	q := r.queues[0]
	r.queues = r.queues[1:]
	return q
}

// enter lets a call go alone, as a flight, or returns a call to wait with, unless too many wait.
func (m *Batcher[R, Q, A]) enter(row R, asked Q, more []R) (*call[R, Q, A], *flight[R, Q, A]) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var t *call[R, Q, A]
	if m.goes(row, more) {
		t = m.call(row, asked, more)
		f := &flight[R, Q, A]{}
		if m.mixed {
			f.slots = m.slots
		}
		m.mark(f, t)
		m.launch(f)
		m.yield()
		if !m.joined(f) {
			*t = call[R, Q, A]{done: t.done}
			m.used.Put(t)
			return nil, f
		}
		m.land(f) // and share a batch with those that wait by now
		m.Pending.Add(1)
	} else {
		if !m.Enter() { // of all batchers together
			return nil, nil
		}
		t = m.call(row, asked, more)
	}
	m.queued++
	m.wait(m.busyOf(t), t)
	m.start()
	return t, nil
}

// goes reports whether a call goes at once: none of its rows is busy. A mixed call also needs a slot, which it gets here,
// and leaves some to batches. Beside a batch that it can share it does not go, since its commit would be one more.
func (m *Batcher[R, Q, A]) goes(row R, more []R) bool {
	if m.queues[row] != nil {
		return false
	}
	for _, r := range more {
		if m.queues[r] != nil {
			return false
		}
	}
	if !m.mixed {
		return true
	}
	if m.free > 0 || m.sharing > 0 || len(m.flights) >= m.Alone() {
		return false
	}
	select {
	case m.slots <- struct{}{}:
		return true
	default:
		return false
	}
}

// joined reports whether others wait that a call alone could share a batch with.
func (m *Batcher[R, Q, A]) joined(f *flight[R, Q, A]) bool {
	if m.mixed && m.free > 0 {
		return true
	}
	return slices.ContainsFunc(f.rows, func(q *queue[R, Q, A]) bool { return len(q.waiting) > 0 })
}

// leave ends the flight of a call alone.
func (m *Batcher[R, Q, A]) leave(f *flight[R, Q, A]) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.land(f)
	m.start()
}

// queueOf returns the queue of a row.
func (m *Batcher[R, Q, A]) queueOf(row R) *queue[R, Q, A] {
	q := m.queues[row]
	if q == nil {
		q = &queue[R, Q, A]{row: row}
		m.queues[row] = q
	}
	return q
}

// busyOf returns the queue that a call waits in: that of its first busy row.
func (m *Batcher[R, Q, A]) busyOf(t *call[R, Q, A]) *queue[R, Q, A] {
	if len(t.more) > 0 && m.queues[t.row] == nil {
		for _, r := range t.more {
			if q := m.queues[r]; q != nil {
				return q
			}
		}
	}
	return m.queueOf(t.row)
}

// wait puts a call into a queue, by its arrival.
func (m *Batcher[R, Q, A]) wait(q *queue[R, Q, A], t *call[R, Q, A]) {
	at := len(q.waiting)
	if at > 0 && q.waiting[at-1].arrival > t.arrival {
		at, _ = slices.BinarySearchFunc(q.waiting, t.arrival, func(w *call[R, Q, A], n int64) int { return cmp.Compare(w.arrival, n) })
	}
	q.waiting = slices.Insert(q.waiting, at, t)
	m.settle(q)
}

// settle is called after a queue has changed. It keeps the rings and the count of free calls.
func (m *Batcher[R, Q, A]) settle(q *queue[R, Q, A]) {
	free := 0
	switch n := len(q.waiting); {
	case q.inFlight+q.overtaken+n == 0:
		if m.queues[q.row] == q {
			delete(m.queues, q.row)
		}
	case q.inFlight == 0:
		free = n
		if !q.idle && n > 0 {
			q.idle = true
			m.idle.push(q)
		}
	case n >= m.enough && q.inFlight < m.InFlight() && !q.deep:
		q.deep = true
		m.deep.push(q)
	}
	m.free += free - q.free
	q.free = free
}

// due reports whether a batch is due. Beside batches of mixed rows a further one has to be worth a commit: it is once as many
// calls wait as there are rows under way, or as go into one batch. So few callers of many items have several small batches in
// flight, and very many have one large batch after the other, which costs the servers a third less.
func (m *Batcher[R, Q, A]) due() bool {
	switch {
	case len(m.deep.queues) > 0:
		return true
	case m.free == 0:
		return false
	case !m.mixed:
		return true
	case m.InFlight() == 1:
		return len(m.flights) == 0
	}
	return m.free >= min(m.sharing, m.size)
}

// take takes the next batch off the queues, or nil.
func (m *Batcher[R, Q, A]) take() *flight[R, Q, A] {
	f := &flight[R, Q, A]{}
	for q := m.deep.pop(); q != nil; q = m.deep.pop() {
		q.deep = false
		if q.inFlight > 0 && q.inFlight < m.InFlight() && len(q.waiting) >= m.enough {
			if m.fill(f, q); len(f.calls) > 0 {
				return m.launch(f)
			}
		}
	}
	if !m.due() {
		return nil
	}
	for f.lines < m.size && (m.mixed || len(f.calls) == 0) {
		q := m.idle.pop()
		if q == nil {
			break
		}
		if q.idle = false; q.inFlight > 0 && q.flight != f {
			continue
		}
		if !m.fill(f, q) {
			break
		}
	}
	if len(f.calls) == 0 {
		return nil
	}
	slices.SortFunc(f.calls, func(a, b *call[R, Q, A]) int { return cmp.Compare(a.arrival, b.arrival) })
	if m.mixed {
		f.shared = true
		m.sharing += len(f.rows)
	}
	return m.launch(f)
}

// fill takes calls from a queue into a flight, and reports whether all of them fit. A call that has another row in flight
// moves to the queue of that row, once: then it goes all the same, so that two hot rows cannot keep it for ever.
func (m *Batcher[R, Q, A]) fill(f *flight[R, Q, A], q *queue[R, Q, A]) bool {
	for len(q.waiting) > 0 {
		t := q.waiting[0]
		if f.lines > 0 && f.lines+1+len(t.more) > m.size {
			break
		}
		q.waiting = q.waiting[1:]
		if !t.left && !t.moved {
			if other := m.inTheWay(f, q, t); other != nil {
				t.moved = true
				m.wait(other, t)
				continue
			}
		}
		m.Pending.Add(-1)
		if m.queued--; t.left {
			continue
		}
		t.inBatch = true
		f.calls, f.lines = append(f.calls, t), f.lines+1+len(t.more)
		m.mark(f, t)
	}
	m.settle(q)
	return len(q.waiting) == 0
}

// inTheWay returns the queue of another row of a call that is in flight already.
func (m *Batcher[R, Q, A]) inTheWay(f *flight[R, Q, A], q *queue[R, Q, A], t *call[R, Q, A]) *queue[R, Q, A] {
	in := func(r R) *queue[R, Q, A] {
		if other := m.queues[r]; other != nil && other != q && other.inFlight > 0 && other.flight != f {
			return other
		}
		return nil
	}
	if other := in(t.row); other != nil {
		return other
	}
	for _, r := range t.more {
		if other := in(r); other != nil {
			return other
		}
	}
	return nil
}

// mark counts a flight for the rows of a call.
func (m *Batcher[R, Q, A]) mark(f *flight[R, Q, A], t *call[R, Q, A]) {
	m.markRow(f, t.row)
	for _, r := range t.more {
		m.markRow(f, r)
	}
}

func (m *Batcher[R, Q, A]) markRow(f *flight[R, Q, A], row R) {
	q := m.queueOf(row)
	if q.flight == f {
		return
	}
	q.flight = f
	q.inFlight++
	f.rows = append(f.rows, q)
	m.settle(q)
}

// launch lets a flight begin.
func (m *Batcher[R, Q, A]) launch(f *flight[R, Q, A]) *flight[R, Q, A] {
	f.began = time.Now()
	m.flights[f] = true
	return f
}

// land ends a flight.
func (m *Batcher[R, Q, A]) land(f *flight[R, Q, A]) {
	m.forget(f)
	for _, q := range f.rows {
		if f.freed {
			q.overtaken--
		} else {
			q.inFlight--
		}
		m.settle(q)
	}
	if f.slots != nil {
		<-f.slots
	}
}

// forget stops counting a flight.
func (m *Batcher[R, Q, A]) forget(f *flight[R, Q, A]) {
	delete(m.flights, f)
	if f.shared {
		f.shared = false
		m.sharing -= len(f.rows)
	}
}

// watch looks for slow flights after a while, as long as calls wait.
func (m *Batcher[R, Q, A]) watch() {
	if m.slow == nil && m.queued > 0 && len(m.flights) > 0 {
		m.slow = time.AfterFunc(m.Slow, m.overtake)
	}
}

// overtake lets the calls that wait overtake the flights that are slow: these count no more, by themselves or as flights of
// their rows, and their slots go to others. So that an item which somebody has locked does not collect all slots, a row is
// overtaken twice at most, unless it is read.
func (m *Batcher[R, Q, A]) overtake() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.slow = nil
	for f := range m.flights {
		if time.Since(f.began) >= m.Slow {
			m.pass(f)
		}
	}
	m.start()
}

// pass lets others overtake a flight.
func (m *Batcher[R, Q, A]) pass(f *flight[R, Q, A]) {
	m.forget(f)
	const most = 2
	if m.reads || !slices.ContainsFunc(f.rows, func(q *queue[R, Q, A]) bool { return q.overtaken >= most }) {
		f.freed = true
		for _, q := range f.rows {
			q.inFlight--
			q.overtaken++
			m.settle(q)
		}
	}
	if f.slots == nil {
		return
	}
	select {
	case m.beside <- struct{}{}:
		<-f.slots
		f.slots = m.beside
	default:
	}
}
