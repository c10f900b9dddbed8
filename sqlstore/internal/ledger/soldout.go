package ledger

import (
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/stock"
)

// The bounds of what is remembered.
const (
	MaxSoldOutFor     = 200 * time.Millisecond // how long "sold out" is, at most
	crowdedFor        = time.Minute            // how long that an item refused somebody
	maxSights         = 1_000                  // of so many items
	suspendedAfterTxs = MaxSoldOutFor          // how long nothing is, once a caller's transaction gave units back
)

// sight is what was seen of an item at a moment at which it refused somebody.
type sight struct {
	Item stock.Item
	now  time.Time // by the store's clock
	Next time.Time // when the first of its holds dies, by the same clock; zero where it has none
}

// holdsAt reports whether a sight may still be told at a later moment by the store's clock: it is
// not too old, and no hold of the item has died since.
func (s sight) holdsAt(now time.Time, soldOutFor time.Duration) bool {
	return now.Sub(s.now) <= soldOutFor && !s.dead(now)
}

// dead reports whether the item had a dead hold at a moment, so that less was refused than is there.
func (s sight) dead(now time.Time) bool { return !s.Next.IsZero() && !now.Before(s.Next) }

// sights remembers for a moment what the items had that refused somebody, so that a rush for an
// item that is sold out does not reach its row. Whatever may give units back through this store
// makes it forget. It is safe for concurrent use.
type sights struct {
	soldOutFor time.Duration         // not above 0: nothing is remembered
	Worth      func(stock.Item) bool // which items are worth remembering; nil: all

	mu        sync.Mutex
	items     map[stock.Key]*memory
	suspended time.Time // until when nothing is remembered: a caller's transaction may commit units
}

// memory is what is remembered of an item.
type memory struct {
	sight    *sight    // nil once it was forgotten
	at       time.Time // by the process's clock, before the sight was read
	renewing bool      // somebody looks again, before it is too old for all
	era      int       // how often it was forgotten
	crowded  time.Time // when the item last refused somebody
}

// recall returns a sight that is fresh enough by the process's clock to answer a caller, or nil. When
// three quarters of its time are over, one caller gets none, and so looks again while the others still
// have it.
func (m *sights) recall(key stock.Key) *sight {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.items[key]
	if e == nil || e.sight == nil {
		return nil
	}
	switch age := time.Since(e.at); {
	case age > m.soldOutFor:
		return nil
	case age > m.renewAt() && !e.renewing:
		e.renewing = true
		return nil
	}
	return e.sight
}

// recent returns a sight that need not be renewed yet, or nil; and whether the item refused somebody
// lately, so that it is better looked at before it is locked.
func (m *sights) recent(key stock.Key) (s *sight, crowded bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.items[key]
	if e == nil {
		return nil, false
	}
	if e.sight != nil && time.Since(e.at) <= m.renewAt() {
		s = e.sight
	}
	return s, time.Since(e.crowded) < crowdedFor
}

// renewAt is the age at which a sight is renewed.
func (m *sights) renewAt() time.Duration { return m.soldOutFor * 3 / 4 }

// looking is called before an item is read, and returns what is called with what was seen: it is
// remembered unless something was forgotten meanwhile.
func (m *sights) looking(key stock.Key) (saw func(s *sight, refused bool)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.items[key]
	if e == nil {
		m.tidy()
		e = &memory{}
		m.items[key] = e
	}
	at, era := time.Now(), e.era
	return func(s *sight, refused bool) {
		m.mu.Lock()
		defer m.mu.Unlock()
		e.renewing = false
		if !refused {
			if m.items[key] == e {
				delete(m.items, key)
			}
			return
		}
		e.crowded = time.Now()
		if e.era == era && m.soldOutFor > 0 && at.After(m.suspended) && (m.Worth == nil || m.Worth(s.Item)) {
			e.sight, e.at = s, at
		}
	}
}

// tidy drops the items that nobody was refused lately.
func (m *sights) tidy() {
	if m.items == nil {
		m.items = map[stock.Key]*memory{}
	}
	if len(m.items) < maxSights {
		return
	}
	for key, e := range m.items {
		if time.Since(e.crowded) > crowdedFor {
			delete(m.items, key)
		}
	}
}

// forget is called once the units of some items may have moved; with no keys, of any item.
func (m *sights) forget(keys ...stock.Key) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, key := range keys {
		m.drop(key)
	}
	if len(keys) == 0 {
		for key := range m.items {
			m.drop(key)
		}
	}
}

// suspend is called where a caller's transaction gives units back, which it does only when it
// commits: a look that comes soon is not remembered.
func (m *sights) suspend() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.suspended = time.Now().Add(suspendedAfterTxs)
}

// drop forgets what was seen of an item, also what is being looked at, and keeps that it is crowded.
func (m *sights) drop(key stock.Key) {
	if e := m.items[key]; e != nil {
		e.sight = nil
		e.era++
	}
}
