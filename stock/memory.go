package stock

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
	"github.com/holdfast-go/holdfast/stock/event"
)

// Memory is a Store in the process: for tests, examples and single programs that may forget.
// The zero value is empty and ready; it must not be copied after first use. It is safe for
// concurrent use and gives the same results as the SQL store.
type Memory struct {
	// Clock is the store's clock; nil is time.Now. Set it before the first call.
	Clock func() time.Time

	// OnAlong is called for a call that carries what Along was given, once everything else allows the call and before it changes
	// anything. Its error refuses the call. Nobody else is in the store meanwhile: it must not call the store. Set it before the
	// first call; without it, Along is refused with ErrInvalid.
	OnAlong func(ctx context.Context, rows []MemoryRow) error

	// Events is where the store writes the events that Tell names; nil is nowhere. Deliver them with event.New. Set both before the
	// first call.
	Events *event.Memory
	Tell   []event.Kind

	mu      sync.Mutex
	books   books
	of      *Memory          // the store that this is a view of; nil where it is the store itself
	still   *time.Time       // the moment at which the store stands still for who has this view; nil where it does not
	keepers MemoryCompanions // told of the calls on this view; nil is nobody
	rows    []MemoryRow      // that the calls on this view carry
}

// MemoryRow is a statement that Memory.Along was given.
type MemoryRow struct {
	Text string
	Args []any
}

// books are what a Memory keeps.
type books struct {
	items    map[Key]Item
	holds    map[string]Hold
	usages   map[buyerKey]Usage
	refunds  map[string]RefundRecord
	changes  map[changeKey]Change
	repairs  map[Key]int64
	defined  map[Key]int64               // the total that a definition has brought last
	keepers  map[string]MemoryCompanions // of the orders that were locked on a view with keepers
	archived map[buyerKey]int64          // units that buyers have bought by orders that are archived
	due      map[Key]*deadlines
	waits    map[string]time.Duration // for how long an order that waits will have its units
	before   map[Key]Item             // what the call under way has changed, as it was

	events *event.Memory
	tells  event.Kinds
}

type buyerKey struct {
	Key
	buyer string
}

type changeKey struct {
	scope Kind
	id    string
}

// With returns a view of the store whose companions are kept by keepers. The keepers are also told of calls that carry
// no companions. Calls on the store itself do not tell them. Keepers that are a sync.Locker are locked while a call is in the
// store, and so may keep what others change too.
func (m *Memory) With(keepers MemoryCompanions) *Memory {
	return &Memory{of: m.root(), still: m.still, keepers: keepers, rows: m.rows}
}

// Along returns a view of the store whose next call carries a statement of the shop, as that of sqlstore.Stock does. The store
// executes nothing: it hands text and arguments to OnAlong where the call takes effect.
func (m *Memory) Along(text string, args ...any) *Memory {
	return &Memory{of: m.root(), still: m.still, keepers: m.keepers, rows: append(slices.Clip(m.rows), MemoryRow{text, args})}
}

// plain returns a view of the store whose calls carry nothing of the shop.
func (m *Memory) plain() *Memory { return &Memory{of: m.root(), still: m.still, keepers: m.keepers} }

// alongside calls OnAlong where a call carries anything. The call is allowed, and has changed nothing.
func (m *Memory) alongside(ctx context.Context) error {
	if len(m.rows) == 0 {
		return nil
	}
	return m.root().OnAlong(ctx, m.rows)
}

// Enter makes several calls one, for a store that keeps more than units and is built on this one, such as
// groupbuy.Memory. Until leave, no other call comes between the calls on the view that it returns, and all of them
// happen at the time now. The view must not be used after leave, and its calls ignore the end of their contexts. Their
// changes stay even if one of them returns an error: check first.
//
// It returns ErrUnavailable where ctx has ended.
func (m *Memory) Enter(ctx context.Context) (within *Memory, now time.Time, leave func(), err error) {
	_, now, leave, err = m.begin(ctx)
	if err != nil {
		return nil, time.Time{}, nil, err
	}
	return &Memory{of: m.root(), still: &now, keepers: m.keepers, rows: m.rows}, now, leave, nil
}

// root returns the store itself.
func (m *Memory) root() *Memory {
	if m.of != nil {
		return m.of
	}
	return m
}

// begin refuses rows and companions that the store does not keep, locks it, makes the zero value usable and reads the clock.
func (m *Memory) begin(ctx context.Context, beside ...Companion) (b *books, now time.Time, end func(), err error) {
	root := m.root()
	if len(m.rows) > 0 && root.OnAlong == nil {
		return nil, time.Time{}, nil, fault.Invalid("along", "needs Memory.OnAlong")
	}
	if err := KeepsAll(beside, m.keeping().Keeps); err != nil {
		return nil, time.Time{}, nil, err
	}
	if m.still != nil {
		return &root.books, *m.still, func() {}, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, time.Time{}, nil, errors.Join(ErrUnavailable, err)
	}
	root.mu.Lock()
	b = &root.books
	if b.items == nil {
		*b = books{
			items: map[Key]Item{}, holds: map[string]Hold{}, usages: map[buyerKey]Usage{},
			refunds: map[string]RefundRecord{}, changes: map[changeKey]Change{}, repairs: map[Key]int64{}, defined: map[Key]int64{},
			due: map[Key]*deadlines{}, keepers: map[string]MemoryCompanions{}, archived: map[buyerKey]int64{},
			waits: map[string]time.Duration{}, before: map[Key]Item{},
			events: root.Events, tells: event.KindsOf(root.Tell...),
		}
	}
	clock := root.Clock
	if clock == nil {
		clock = time.Now
	}
	now = input.Instant(clock())
	end = func() { b.settle(now); root.mu.Unlock() }
	if keepers, ok := m.keepers.(sync.Locker); ok {
		keepers.Lock()
		end = func() { b.settle(now); keepers.Unlock(); root.mu.Unlock() }
	}
	return b, now, end, nil
}

// read makes a call that changes nothing.
func (m *Memory) read(ctx context.Context, look func(b *books, now time.Time)) error {
	b, now, end, err := m.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	look(b, now)
	return nil
}

// change makes a call that moves no units of an order, unless decide or a companion refuses it. Decide returns what changes.
func (m *Memory) change(
	ctx context.Context, call *CompanionCall, decide func(b *books, now time.Time) (Verdict, func()), moments ...moment,
) (Verdict, error) {
	b, now, end, err := m.begin(ctx, call.Companions...)
	if err != nil {
		return Refused, err
	}
	defer end()
	verdict, change := decide(b, now)
	if verdict != Done {
		return verdict, nil
	}
	keep, err := m.tell(now, []*CompanionCall{call}, moments...)
	if err != nil {
		return Refused, err
	}
	if err := m.alongside(ctx); err != nil {
		return Refused, err
	}
	change()
	keep()
	return Done, nil
}

// Create implements Store.
func (m *Memory) Create(ctx context.Context, items []Item, defines []Change, beside ...Companion) (Verdict, error) {
	return m.change(ctx, &CompanionCall{Companions: beside}, func(b *books, now time.Time) (Verdict, func()) {
		if slices.ContainsFunc(items, func(item Item) bool { return b.items[item.Key].Version > 0 }) {
			return Exists, nil
		}
		return Done, func() {
			for i, item := range items {
				item.Version, item.CreatedAt, item.UpdatedAt = 1, now, now
				b.items[item.Key], b.defined[item.Key] = item, item.Total
				b.record(defines[i], now)
			}
		}
	})
}

// record keeps a change, unless it has no ID.
func (b *books) record(change Change, now time.Time) {
	if change.ID == "" {
		return
	}
	change.At, change.Entries = now, slices.Clone(change.Entries)
	for i := range change.Entries {
		change.Entries[i].From = 0
	}
	b.changes[changeKey{change.Kind.Scope(), change.ID}] = change
}

// SetTerms implements Store.
func (m *Memory) SetTerms(
	ctx context.Context, from Item, to Terms, total int64, define Change, beside ...Companion,
) (Verdict, error) {
	return m.change(ctx, &CompanionCall{Companions: beside}, func(b *books, now time.Time) (Verdict, func()) {
		item, ok := b.items[from.Key]
		if !ok || item.Terms != from.Terms {
			return Refused, nil
		}
		if _, duplicate := b.changes[changeKey{define.Kind.Scope(), define.ID}]; duplicate {
			return Refused, nil
		}
		switches := from.Unlimited != to.Unlimited
		if switches && (item.Total != from.Total || !to.Unlimited && total-item.Sold < item.Locked) {
			return Refused, nil
		}
		return Done, func() {
			b.record(define, now)
			if switches {
				if total != item.Total {
					b.defined[item.Key] = total
				}
				item.Total, item.Left = total, 0
				if !to.Unlimited {
					item.Left = total - item.Sold
				}
			}
			item.Terms = to
			b.put(item, now)
		}
	})
}

// put keeps an item that changed.
func (b *books) put(item Item, now time.Time) {
	if _, changed := b.before[item.Key]; !changed {
		b.before[item.Key] = b.items[item.Key]
	}
	item.Version++
	item.UpdatedAt = now
	b.items[item.Key] = item
}

// settle ends a call: it hands over what the call has made available, and tells of the items that it has changed.
func (b *books) settle(now time.Time) {
	keys := slices.SortedFunc(maps.Keys(b.before), Key.Compare)
	for _, key := range keys {
		if was, is := b.before[key], b.items[key]; is.Available() > was.Available() || is.Terms != was.Terms {
			b.handOver(key, now)
		}
	}
	for _, key := range keys {
		b.tell(now, b.items[key].EventsSince(b.before[key].Available())...)
	}
	clear(b.before)
}

// Items implements Store.
func (m *Memory) Items(ctx context.Context, buyer string, keys []Key) (items []ItemUsage, now time.Time, err error) {
	err = m.read(ctx, func(b *books, at time.Time) {
		now = at
		for _, key := range keys {
			items = append(items, b.item(key, buyer))
		}
	})
	return items, now, err
}

// item returns an item and what a buyer has of it.
func (b *books) item(key Key, buyer string) ItemUsage {
	s := ItemUsage{Item: b.items[key]}
	s.Key = key
	if buyer != "" {
		s.Usage = b.usages[buyerKey{key, buyer}]
	}
	return s
}

// List implements Store.
func (m *Memory) List(ctx context.Context, spu int64, after Key, limit int) (items []Item, err error) {
	err = m.read(ctx, func(b *books, _ time.Time) {
		for key, item := range b.items {
			if key.Compare(after) > 0 && (spu == 0 || item.SPU == spu) {
				items = append(items, item)
			}
		}
	})
	slices.SortFunc(items, func(a, b Item) int { return a.Compare(b.Key) })
	return items[:min(limit, len(items))], err
}

// Apply implements Store.
func (m *Memory) Apply(ctx context.Context, change Change, beside ...Companion) (Verdict, error) {
	if change.Kind == KindRepair { // of a sweep
		m = m.plain()
	}
	return m.change(ctx, &CompanionCall{Companions: beside}, func(b *books, now time.Time) (Verdict, func()) {
		id := changeKey{change.Kind.Scope(), change.ID}
		if _, ok := b.changes[id]; ok {
			return Exists, nil
		}
		items, usages := map[Key]Item{}, map[buyerKey]Usage{}
		for _, e := range change.Entries {
			if e.Buyer != "" {
				u, err := b.usages[buyerKey{e.Key, e.Buyer}].with(e)
				if err != nil {
					return Refused, nil
				}
				usages[buyerKey{e.Key, e.Buyer}] = u
				continue
			}
			item, ok := b.items[e.Key].entered(change.Kind, e)
			if !ok {
				return Refused, nil
			}
			items[e.Key] = item
		}
		short, ok := b.short(change)
		if !ok {
			return Refused, nil
		}
		return Done, func() {
			for _, hold := range short {
				hold.UpdatedAt = now
				b.holds[hold.Order] = hold
			}
			for _, item := range items {
				b.put(item, now)
				if change.Kind == KindRepair {
					b.repairs[item.Key]++
				}
			}
			maps.Copy(b.usages, usages)
			b.record(change, now)
		}
	})
}

// Record records a change that moves no units, as Apply does, of what need not be an item: an activity has the SKU 0. It is for authors
// of a store that keeps such things beside its units, and must be called between Enter and leave. It returns ErrMismatch where
// the ID is taken.
func (m *Memory) Record(ctx context.Context, change Change) error {
	b, now, end, err := m.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	if _, taken := b.changes[changeKey{change.Kind.Scope(), change.ID}]; taken {
		return fault.Mismatch(change.ID, fault.Argument{Field: "change"})
	}
	b.record(change, now)
	return nil
}

// entered returns the item with the entry of a change, or false where it does not let it.
func (i Item) entered(kind Kind, e Entry) (Item, bool) {
	free := i.Quantities.Available()
	switch {
	case i.Version == 0, i.Unlimited && e.Delta.Total != 0, kind == KindCount && i.Total != e.From,
		e.Exactly && e.Short == 0 && max(0, free) != -e.Delta.Left,
		e.Short > 0 && (free != -e.Delta.Left-e.Short || e.Delta.Backordered > 0 && i.Backordered != e.Short-e.Delta.Backordered),
		kind != KindRepair && kind != KindCount && e.drawn() > max(0, free) && !i.Unlimited:
		return Item{}, false
	}
	q, err := i.Plus(e.Delta)
	if err != nil || !q.Valid(i.Terms) {
		return Item{}, false
	}
	i.Quantities = q
	return i, true
}

// Applied implements Store.
func (m *Memory) Applied(ctx context.Context, kind Kind, id string) (change Change, err error) {
	err = m.read(ctx, func(b *books, _ time.Time) { change = b.changes[changeKey{kind.Scope(), id}] })
	change.Entries = slices.Clone(change.Entries)
	return change, err
}

// Changes implements Store.
func (m *Memory) Changes(ctx context.Context, key Key, after Change, limit int) (changes []Change, err error) {
	newest := func(a, b Change) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(b.Kind.Scope(), a.Kind.Scope()), cmp.Compare(b.ID, a.ID))
	}
	err = m.read(ctx, func(b *books, _ time.Time) {
		for _, c := range b.changes {
			i := slices.IndexFunc(c.Entries, func(e Entry) bool { return e.Key == key && e.Buyer == "" })
			if i >= 0 && (after.At.IsZero() || newest(c, after) > 0) {
				c.Entries = []Entry{c.Entries[i]}
				c.Asked = ""
				changes = append(changes, c)
			}
		}
	})
	slices.SortFunc(changes, newest)
	return changes[:min(limit, len(changes))], err
}

// Defined implements Store.
func (m *Memory) Defined(ctx context.Context, keys []Key) (totals []int64, err error) {
	err = m.read(ctx, func(b *books, _ time.Time) {
		for _, key := range keys {
			total, ok := b.defined[key]
			if !ok {
				total = -1
			}
			totals = append(totals, total)
		}
	})
	return totals, err
}

// Books implements Store.
func (m *Memory) Books(ctx context.Context, keys []Key) (all []Book, err error) {
	err = m.read(ctx, func(b *books, _ time.Time) {
		for _, key := range keys {
			all = append(all, b.book(key))
		}
	})
	return all, err
}

// book recounts an item.
func (b *books) book(key Key) Book {
	book := Book{Item: b.items[key], Repairs: b.repairs[key]}
	for _, c := range b.changes {
		for _, e := range c.Entries {
			switch {
			case e.Key != key:
			case c.Kind == KindArchive:
				book.Recount.Sold += e.Delta.Sold
				book.Recount.Refunded += e.Delta.Refunded
			case c.Kind != KindRepair:
				book.Recount.Total += e.Delta.Total
			}
		}
	}
	buyers := map[string]Usage{}
	for _, h := range b.holds {
		for _, l := range h.Lines {
			if l.Key() != key {
				continue
			}
			counts := h.weigh(l)
			book.Recount.Locked += counts.Locked
			book.Recount.Sold += counts.Sold
			book.Recount.Refunded += counts.Refunded
			book.Recount.Waiting += counts.Waiting
			book.Recount.Backordered += l.Backordered
			if h.State == Paid {
				book.Promised += l.Num - l.Refunded - l.Redeemed
			}
			if h.Buyer != "" {
				u, more := buyers[h.Buyer], h.usage(l)
				buyers[h.Buyer] = Usage{Held: u.Held + more.Held, Bought: u.Bought + more.Bought, Holds: u.Holds + more.Holds}
			}
		}
	}
	for k := range b.usages {
		if k.Key == key { // also where no hold names it
			u := buyers[k.buyer]
			u.Bought += b.archived[k]
			buyers[k.buyer] = u
		}
	}
	for buyer, recount := range buyers {
		if usage := b.usages[buyerKey{key, buyer}]; usage != recount {
			book.Buyers = append(book.Buyers, BuyerBook{Buyer: buyer, Usage: usage, Recount: recount})
		}
	}
	slices.SortFunc(book.Buyers, func(a, b BuyerBook) int { return cmp.Compare(a.Buyer, b.Buyer) })
	return book
}

var _ Store = (*Memory)(nil)
