package redpacket

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/stock"
)

// Memory is a Store in memory: for tests, examples and single programs that may lose their data. The zero
// value is empty and ready; it must not be copied after first use. It is safe for concurrent use and gives
// the same results as the SQL store.
type Memory struct {
	// Clock is the store's clock; nil is time.Now. Set it before the first call.
	Clock func() time.Time

	// OnAlong is called for a call that carries what Along was given, as that of stock.Memory is. Set it before the first call.
	OnAlong func(ctx context.Context, rows []stock.MemoryRow) error

	once sync.Once
	*books
	rows []stock.MemoryRow // that the calls on this view carry
}

// books are what a Memory and its views keep.
type books struct {
	units   stock.Memory // packets are only touched while it stands still; see stock.Memory.Enter
	packets map[int64]*booklet
}

// booklet is all there is of one packet.
type booklet struct {
	Record

	shares    []ShareRecord    // share n at n-1
	of        map[string]int64 // the No of a person's share
	remainder *ShareRecord     // what was left, once it is booked
}

// begin locks the store and reads the clock. The end of the context does not interrupt what follows: units and shares
// change together.
func (m *Memory) begin(ctx context.Context) (units *stock.Memory, now time.Time, end func(), err error) {
	m.prepare()
	if len(m.rows) > 0 && m.OnAlong == nil {
		return nil, time.Time{}, nil, fault.Invalid("along", "needs Memory.OnAlong")
	}
	return m.units.Enter(ctx)
}

// during does something in the store, which nobody else changes meanwhile.
func during[T any](ctx context.Context, m *Memory, do func(units *stock.Memory, now time.Time) (T, error)) (result T, err error) {
	units, now, end, err := m.begin(ctx)
	if err != nil {
		return result, err
	}
	defer end()
	return do(units, now)
}

// prepare makes the zero value usable.
func (m *Memory) prepare() {
	m.once.Do(func() {
		if m.books == nil {
			m.books = &books{packets: map[int64]*booklet{}}
			m.units.Clock, m.units.OnAlong = m.Clock, m.OnAlong
		}
	})
}

// Along returns a view of the store whose next call carries a statement of the shop, as that of sqlstore.RedPacket does. The store
// executes nothing: it hands text and arguments to OnAlong where the call takes effect.
func (m *Memory) Along(text string, args ...any) *Memory {
	return m.withRows(append(slices.Clip(m.rows), stock.MemoryRow{Text: text, Args: args}))
}

// Plain returns a view of the store whose calls carry nothing.
func (m *Memory) Plain() Store { return m.withRows(nil) }

// withRows returns a view of the store whose calls carry these statements.
func (m *Memory) withRows(rows []stock.MemoryRow) *Memory {
	m.prepare()
	return &Memory{OnAlong: m.OnAlong, books: m.books, rows: rows}
}

// alongside calls OnAlong where a call carries anything. The call is allowed, and has changed nothing.
func (m *Memory) alongside(ctx context.Context) error {
	if len(m.rows) == 0 {
		return nil
	}
	return m.OnAlong(ctx, m.rows)
}

// Units implements Store.
func (m *Memory) Units() stock.Store {
	m.prepare()
	units := m.units.With(memoryCompanions{m: m})
	for _, row := range m.rows {
		units = units.Along(row.Text, row.Args...)
	}
	return units
}

// memoryCompanions book the shares of grabs.
type memoryCompanions struct {
	stock.NoCompanions

	m *Memory
}

// Keeps implements stock.MemoryCompanions.
func (memoryCompanions) Keeps(c stock.Companion) bool { _, ok := c.(Grab); return ok }

// NeedsHolds implements stock.MemoryCompanions.
func (memoryCompanions) NeedsHolds() bool { return true }

// Locked implements stock.MemoryCompanions. If there is a unit but no share left in the packet, then the units were
// changed from outside, or the order is no grab.
func (c memoryCompanions) Locked(at time.Time, calls []*stock.CompanionCall) (func(), error) {
	call := calls[0]
	if call.Step != stock.StepTake {
		return func() {}, nil
	}
	grab, _ := stock.CompanionOf[Grab](call.Companions)
	b := c.m.packets[grab.Packet]
	if b == nil || !grab.Of(call.Hold.Order, call.Hold.Asked()) || b.State != Open || b.Taken >= b.Split.Count {
		return nil, ErrDrift
	}
	return func() {
		share := b.Take(grab.Person, at)
		b.shares, b.of[grab.Person] = append(b.shares, share), share.No
		call.Companions = []stock.Companion{share}
	}, nil
}

// Add implements Store.
func (m *Memory) Add(ctx context.Context, record Record, senderMayGrab bool, liveFor time.Duration) (stock.Verdict, error) {
	return during(ctx, m, func(units *stock.Memory, now time.Time) (stock.Verdict, error) {
		if m.packets[record.ID] != nil {
			return stock.Exists, nil
		}
		record.State, record.Left, record.CreatedAt = None.After(StepSend).To, record.Split.Total, now
		if record.End.IsZero() {
			record.End = now.Add(liveFor)
		}
		item := stock.Item{Key: stock.Key{SKU: record.ID}, Terms: record.terms(true)}
		item.Total, item.Left = record.Split.Count, record.Split.Count
		if was, err := itemOf(ctx, units, record.ID); err != nil || was.Version != 0 {
			return stock.Refused, cmp.Or(err, ErrDrift)
		}
		if err := m.alongside(ctx); err != nil {
			return stock.Refused, err
		}
		define := stock.Change{Kind: stock.KindDefine, ID: item.Serial(1), Entries: []stock.Entry{
			{Key: item.Key, Delta: stock.Quantities{Total: item.Total}},
		}}
		if _, err := units.Create(ctx, []stock.Item{item}, []stock.Change{define}); err != nil {
			return stock.Refused, err
		}
		if !senderMayGrab {
			if _, err := units.Void(ctx, GrabID(record.ID, record.Sender)); err != nil {
				return stock.Refused, err
			}
		}
		m.packets[record.ID] = &booklet{Record: record, of: map[string]int64{}}
		return stock.Done, nil
	})
}

// terms returns the terms of a packet's item.
func (r Record) terms(offShelf bool) stock.Terms {
	return stock.Terms{OffShelf: offShelf, Start: r.Start, End: r.End}
}

// Record implements Store.
func (m *Memory) Record(ctx context.Context, id int64) (Record, time.Time, error) {
	_, now, end, err := m.begin(ctx)
	if err != nil {
		return Record{}, time.Time{}, err
	}
	defer end()
	if b := m.packets[id]; b != nil {
		return b.Record, now, nil
	}
	return Record{}, now, nil
}

// Open implements Store.
func (m *Memory) Open(ctx context.Context, id int64) (stock.Verdict, error) {
	return m.move(ctx, id, StepConfirm, Unpaid)
}

// End implements Store.
func (m *Memory) End(ctx context.Context, id int64, to State) (stock.Verdict, error) {
	step := StepClose
	if to == Expired {
		step = StepExpire
	}
	return m.move(ctx, id, step, Open)
}

// Drop implements Store.
func (m *Memory) Drop(ctx context.Context, id int64) (stock.Verdict, error) {
	return m.move(ctx, id, StepClose, Unpaid)
}

// Return implements Store.
func (m *Memory) Return(ctx context.Context, id int64) (stock.Verdict, error) {
	return m.move(ctx, id, StepReturn, Unpaid, Closed)
}

// move applies the row of a step to a packet that is in one of the states, or is Refused.
func (m *Memory) move(ctx context.Context, id int64, step Step, from ...State) (stock.Verdict, error) {
	return during(ctx, m, func(units *stock.Memory, now time.Time) (stock.Verdict, error) {
		b := m.packets[id]
		if b == nil || !slices.Contains(from, b.State) {
			return stock.Refused, nil
		}
		t := b.State.After(step)
		late := !now.Before(b.End)
		if t.When == stock.Live && late || t.When == stock.Dead && !late || t.Confirms && !b.ConfirmedAt.IsZero() {
			return stock.Refused, nil
		}
		item, err := itemOf(ctx, units, id)
		shelves := (t.From == Open) != (t.To == Open)
		if err != nil || shelves && item.Version == 0 {
			return stock.Refused, cmp.Or(err, ErrDrift)
		}
		if err := m.alongside(ctx); err != nil {
			return stock.Refused, err
		}
		if shelves {
			if _, err := units.SetTerms(ctx, item, b.terms(t.To != Open), 0, stock.Change{}); err != nil {
				return stock.Refused, err
			}
		}
		b.State = t.To
		if t.Confirms {
			b.ConfirmedAt = now
		}
		if t.To != Open && b.EndedAt.IsZero() {
			b.EndedAt = now
		}
		if t.Back {
			b.remainder = &ShareRecord{Packet: id, Person: b.Sender, Places: b.Places, Money: b.Left, CreatedAt: now, DueAt: now}
		}
		return stock.Done, nil
	})
}

// itemOf returns the item of a packet; its Version is 0 where there is none.
func itemOf(ctx context.Context, units *stock.Memory, id int64) (stock.Item, error) {
	items, _, err := units.Items(ctx, "", []stock.Key{{SKU: id}})
	if err != nil {
		return stock.Item{}, err
	}
	return items[0].Item, nil
}

// Due implements Store.
func (m *Memory) Due(ctx context.Context, limit int) ([]int64, error) {
	return during(ctx, m, func(_ *stock.Memory, now time.Time) ([]int64, error) {
		var due []int64
		for id, b := range m.packets {
			if len(due) < limit && b.State == Open && !now.Before(b.End) {
				due = append(due, id)
			}
		}
		return due, nil
	})
}

// Records implements Store.
func (m *Memory) Records(ctx context.Context, after int64, limit int) ([]Record, error) {
	return during(ctx, m, func(*stock.Memory, time.Time) ([]Record, error) {
		var records []Record
		for _, id := range slices.Sorted(maps.Keys(m.packets)) {
			if id > after && len(records) < limit {
				records = append(records, m.packets[id].Record)
			}
		}
		return records, nil
	})
}

// Sent implements Store.
func (m *Memory) Sent(ctx context.Context, sender string, after Record, limit int) ([]Record, error) {
	return during(ctx, m, func(*stock.Memory, time.Time) ([]Record, error) {
		newest := func(a, b Record) int { return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(b.ID, a.ID)) }
		var sent []Record
		for _, b := range m.packets {
			if b.Sender == sender && (after.CreatedAt.IsZero() || newest(b.Record, after) > 0) {
				sent = append(sent, b.Record)
			}
		}
		slices.SortFunc(sent, newest)
		return sent[:min(limit, len(sent))], nil
	})
}

// Book implements Store.
func (m *Memory) Book(ctx context.Context, id int64) (Book, error) {
	return during(ctx, m, func(units *stock.Memory, _ time.Time) (Book, error) {
		b := m.packets[id]
		if b == nil {
			return Book{}, nil
		}
		of, err := units.Books(ctx, []stock.Key{{SKU: id}})
		if err != nil {
			return Book{}, err
		}
		book := Book{Record: b.Record, Shares: int64(len(b.shares)), Remainder: -1, Holds: of[0].Recount.Sold}
		for _, share := range b.shares {
			book.Money += share.Money
		}
		if b.remainder != nil {
			book.Remainder = b.remainder.Money
		}
		return book, nil
	})
}

var _ Store = (*Memory)(nil)
