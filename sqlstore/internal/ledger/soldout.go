package ledger

import (
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/stock"
)

// The bounds of what is remembered.
const (
	MaxSoldOutFor     = 200 * time.Millisecond // how long "sold out" is remembered, at most
	refusesFor        = time.Minute            // how long a refusal of an item is remembered
	maxEntries        = 1_000                  // items that are remembered
	suspendedAfterTxs = MaxSoldOutFor          // how long nothing is remembered after a caller's transaction gave units back
)

// Entry is an item as it was seen at a moment at which it refused somebody.
type Entry struct {
	Item stock.Item
	now  time.Time // by the store's clock
	Next time.Time // when the first of its holds dies, by the same clock; zero where it has none
}

// freshAt reports whether an entry may still be used at a later moment by the store's clock: it is not too old, and no
// hold of the item has died since.
func (s Entry) freshAt(now time.Time, soldOutFor time.Duration) bool {
	return now.Sub(s.now) <= soldOutFor && !s.dead(now)
}

// dead reports whether the item had a dead hold at a moment, so that more units may be available than the entry says.
func (s Entry) dead(now time.Time) bool { return !s.Next.IsZero() && !now.Before(s.Next) }

// soldOutCache briefly remembers items that refused somebody, so that a rush for a sold-out item does not reach its
// row. Any call of this store that may give units back makes it forget. It is safe for concurrent use.
type soldOutCache struct {
	soldOutFor time.Duration         // not above 0: nothing is remembered
	Worth      func(stock.Item) bool // which items are worth remembering; nil: all

	mu        sync.Mutex
	items     map[stock.Key]*slot
	suspended time.Time // until when nothing is remembered: a caller's transaction may commit units
}

// slot is what is remembered of an item.
type slot struct {
	entry      *Entry    // nil once it was forgotten
	at         time.Time // by the process's clock, before the entry was read
	renewing   bool      // somebody looks again, before it is too old for all
	generation int       // how often it was forgotten
	refusedAt  time.Time // when the item last refused somebody
}

// get returns an entry that is fresh enough by the process's clock to answer a caller, or nil. After three quarters of
// its time one caller gets nil and looks again, while the others still get the entry.
func (m *soldOutCache) get(key stock.Key) *Entry {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.items[key]
	if e == nil || e.entry == nil {
		return nil
	}
	switch age := time.Since(e.at); {
	case age > m.soldOutFor:
		return nil
	case age > m.renewAt() && !e.renewing:
		e.renewing = true
		return nil
	}
	return e.entry
}

// recent returns an entry that need not be renewed yet, or nil; and whether the item refused somebody
// lately, so that it is better looked at before it is locked.
func (m *soldOutCache) recent(key stock.Key) (s *Entry, refuses bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.items[key]
	if e == nil {
		return nil, false
	}
	if e.entry != nil && time.Since(e.at) <= m.renewAt() {
		s = e.entry
	}
	return s, time.Since(e.refusedAt) < refusesFor
}

// forgot reports whether an entry is not what is remembered of an item any more.
func (m *soldOutCache) forgot(key stock.Key, entry *Entry) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.items[key]
	return e == nil || e.entry != entry
}

// renewAt is the age at which an entry is renewed.
func (m *soldOutCache) renewAt() time.Duration { return m.soldOutFor * 3 / 4 }

// renew is called before an item is read. It returns put, to be called with the entry that was read. The entry is
// remembered unless the item was forgotten meanwhile.
func (m *soldOutCache) renew(key stock.Key) (put func(s *Entry, refused bool)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.items[key]
	if e == nil {
		m.tidy()
		e = &slot{}
		m.items[key] = e
	}
	at, generation := time.Now(), e.generation
	return func(s *Entry, refused bool) {
		m.mu.Lock()
		defer m.mu.Unlock()
		e.renewing = false
		if !refused {
			if m.items[key] == e {
				delete(m.items, key)
			}
			return
		}
		e.refusedAt = time.Now()
		if e.generation == generation && m.soldOutFor > 0 && at.After(m.suspended) && (m.Worth == nil || m.Worth(s.Item)) {
			e.entry, e.at = s, at
		}
	}
}

// tidy drops the items that have refused nobody lately.
func (m *soldOutCache) tidy() {
	if m.items == nil {
		m.items = map[stock.Key]*slot{}
	}
	if len(m.items) < maxEntries {
		return
	}
	for key, e := range m.items {
		if time.Since(e.refusedAt) > refusesFor {
			delete(m.items, key)
		}
	}
}

// forget is called once the units of some items may have moved; with no keys, of any item.
func (m *soldOutCache) forget(keys ...stock.Key) {
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

// suspend is called where a caller's transaction gives units back. The units are back only when it commits, so an
// entry that is read soon after is not remembered.
func (m *soldOutCache) suspend() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.suspended = time.Now().Add(suspendedAfterTxs)
}

// drop forgets what was seen of an item, also what is being looked at, and keeps when it last refused somebody.
func (m *soldOutCache) drop(key stock.Key) {
	if e := m.items[key]; e != nil {
		e.entry = nil
		e.generation++
	}
}
