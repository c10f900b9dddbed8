package stock

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/internal/input"
)

// Memory is a Store in the process: for tests, examples and single programs that may forget.
// The zero value is empty and ready; it must not be copied after first use. It is safe for
// concurrent use and gives the same results as the SQL store.
type Memory struct {
	// Clock is the store's clock; nil is time.Now. Set it before the first call.
	Clock func() time.Time

	mu      sync.Mutex
	items   map[Key]Item
	holds   map[string]Hold
	usages  map[buyerKey]Usage
	refunds map[string]Refunding
	changes map[changeKey]Change
	repairs map[Key]int64
	due     map[Key]*deadlines
}

type buyerKey struct {
	Key
	buyer string
}

type changeKey struct {
	scope Kind
	id    string
}

// Scope returns the kind under which the IDs of a change are unique: an operator's kinds share
// KindRestock.
func (k Kind) Scope() Kind {
	if k == KindWithdraw || k == KindTransfer {
		return KindRestock
	}
	return k
}

// begin locks the store, makes the zero value usable and reads the clock.
func (m *Memory) begin(ctx context.Context) (now time.Time, end func(), err error) {
	if err := ctx.Err(); err != nil {
		return time.Time{}, nil, errors.Join(ErrUnavailable, err)
	}
	if s, ok := ctx.Value(stillKey{}).(still); ok && s.m == m {
		return s.now, func() {}, nil
	}
	m.mu.Lock()
	if m.items == nil {
		m.items, m.holds, m.usages = map[Key]Item{}, map[string]Hold{}, map[buyerKey]Usage{}
		m.refunds, m.changes = map[string]Refunding{}, map[changeKey]Change{}
		m.repairs, m.due = map[Key]int64{}, map[Key]*deadlines{}
	}
	clock := m.Clock
	if clock == nil {
		clock = time.Now
	}
	return input.Instant(clock()), m.mu.Unlock, nil
}

// Create implements Store.
func (m *Memory) Create(ctx context.Context, item Item) (Verdict, error) {
	now, end, err := m.begin(ctx)
	if err != nil {
		return Refused, err
	}
	defer end()
	if _, ok := m.items[item.Key]; ok {
		return Exists, nil
	}
	item.Version, item.CreatedAt, item.UpdatedAt = 1, now, now
	m.items[item.Key] = item
	m.define(item.Key, 1, item.Total)
	return Done, nil
}

// define records units that came or went by a definition.
func (m *Memory) define(key Key, version, total int64) {
	id := key.Serial(version)
	m.changes[changeKey{KindDefine, id}] = Change{Kind: KindDefine, ID: id, Entries: []Entry{{Key: key, Delta: Quantities{Total: total}}}}
}

// Change implements Store.
func (m *Memory) Change(ctx context.Context, from Item, to Terms, total int64) (Verdict, error) {
	now, end, err := m.begin(ctx)
	if err != nil {
		return Refused, err
	}
	defer end()
	item, ok := m.items[from.Key]
	if !ok {
		return Refused, nil
	}
	if from.Unlimited != to.Unlimited {
		_, taken := m.changes[changeKey{KindDefine, item.Serial(from.Version + 1)}]
		if taken || item.Unlimited != from.Unlimited || item.Total != from.Total || !to.Unlimited && total-item.Sold < item.Locked {
			return Refused, nil
		}
		m.define(item.Key, from.Version+1, total-item.Total)
		item.Total, item.Left = total, 0
		if !to.Unlimited {
			item.Left = total - item.Sold
		}
	} else if item.Unlimited != to.Unlimited {
		return Refused, nil
	}
	item.Terms = to
	m.put(item, now)
	return Done, nil
}

// put keeps an item that changed.
func (m *Memory) put(item Item, now time.Time) {
	item.Version++
	item.UpdatedAt = now
	m.items[item.Key] = item
}

// Items implements Store.
func (m *Memory) Items(ctx context.Context, buyer string, keys []Key) ([]Standing, time.Time, error) {
	now, end, err := m.begin(ctx)
	if err != nil {
		return nil, time.Time{}, err
	}
	defer end()
	standings := make([]Standing, len(keys))
	for i, key := range keys {
		standings[i] = m.standing(key, buyer)
	}
	return standings, now, nil
}

// standing returns an item and what a buyer has of it.
func (m *Memory) standing(key Key, buyer string) Standing {
	s := Standing{Item: m.items[key]}
	s.Key = key
	if buyer != "" {
		s.Usage = m.usages[buyerKey{key, buyer}]
	}
	return s
}

// List implements Store.
func (m *Memory) List(ctx context.Context, after Key, limit int) ([]Item, error) {
	_, end, err := m.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	var items []Item
	for key, item := range m.items {
		if key.Compare(after) > 0 {
			items = append(items, item)
		}
	}
	slices.SortFunc(items, func(a, b Item) int { return a.Compare(b.Key) })
	return items[:min(limit, len(items))], nil
}

// Apply implements Store.
func (m *Memory) Apply(ctx context.Context, change Change) (Verdict, error) {
	now, end, err := m.begin(ctx)
	if err != nil {
		return Refused, err
	}
	defer end()
	id := changeKey{change.Kind.Scope(), change.ID}
	if _, ok := m.changes[id]; ok {
		return Exists, nil
	}
	items, usages := map[Key]Item{}, map[buyerKey]Usage{}
	for _, e := range change.Entries {
		if e.Buyer != "" {
			u := m.usages[buyerKey{e.Key, e.Buyer}]
			u.Held, u.Bought, u.Holds = u.Held+e.Delta.Locked, u.Bought+e.Delta.Sold, u.Holds+e.Holds
			if u.negative() {
				return Refused, nil
			}
			usages[buyerKey{e.Key, e.Buyer}] = u
			continue
		}
		item, ok := m.items[e.Key]
		if !ok || item.Unlimited && e.Delta.Total != 0 || e.Exactly && item.Available() != -e.Delta.Left {
			return Refused, nil
		}
		q, err := item.Plus(e.Delta)
		if err != nil || !q.Valid(item.Terms) {
			return Refused, nil
		}
		item.Quantities = q
		items[e.Key] = item
	}
	for _, item := range items {
		m.put(item, now)
		if change.Kind == KindRepair {
			m.repairs[item.Key]++
		}
	}
	maps.Copy(m.usages, usages)
	change.Entries = slices.Clone(change.Entries)
	m.changes[id] = change
	return Done, nil
}

// Applied implements Store.
func (m *Memory) Applied(ctx context.Context, kind Kind, id string) (Change, error) {
	_, end, err := m.begin(ctx)
	if err != nil {
		return Change{}, err
	}
	defer end()
	change := m.changes[changeKey{kind.Scope(), id}]
	change.Entries = slices.Clone(change.Entries)
	return change, nil
}

// Book implements Store.
func (m *Memory) Book(ctx context.Context, key Key) (Book, error) {
	_, end, err := m.begin(ctx)
	if err != nil {
		return Book{}, err
	}
	defer end()
	book := Book{Item: m.items[key], Repairs: m.repairs[key]}
	for _, c := range m.changes {
		for _, e := range c.Entries {
			if e.Key == key && c.Kind != KindRepair {
				book.Recount.Total += e.Delta.Total
			}
		}
	}
	buyers := map[string]Usage{}
	for _, h := range m.holds {
		for _, l := range h.Lines {
			if l.Key() != key {
				continue
			}
			weight := h.State.Weight()
			book.Recount.Locked += weight.Locked * l.Num
			book.Recount.Sold += weight.Sold * (l.Num - l.Restocked)
			book.Recount.Refunded += l.Refunded
			if h.Buyer != "" {
				u := buyers[h.Buyer]
				u.Held += weight.Locked * l.Num
				u.Bought += weight.Sold * (l.Num - l.Freed)
				u.Holds += weight.Locked
				buyers[h.Buyer] = u
			}
		}
	}
	for k := range m.usages {
		if _, ok := buyers[k.buyer]; k.Key == key && !ok {
			buyers[k.buyer] = Usage{} // no hold names it
		}
	}
	for buyer, recount := range buyers {
		if usage := m.usages[buyerKey{key, buyer}]; usage != recount {
			book.Buyers = append(book.Buyers, BuyerBook{Buyer: buyer, Usage: usage, Recount: recount})
		}
	}
	slices.SortFunc(book.Buyers, func(a, b BuyerBook) int { return cmp.Compare(a.Buyer, b.Buyer) })
	return book, nil
}

var _ Store = (*Memory)(nil)
