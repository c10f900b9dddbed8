package redpacket

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/internal/input"
	"github.com/holdfast-go/holdfast/stock"
)

// Memory is a Store in the process: for tests, examples and single programs that may forget. The zero
// value is empty and ready; it must not be copied after first use. It is safe for concurrent use and gives
// the same results as the SQL store.
type Memory struct {
	// Clock is the store's clock; nil is time.Now. Set it before the first call.
	Clock func() time.Time

	mu      sync.Mutex // held before that of units, never the other way round
	units   *stock.Memory
	packets map[int64]*booklet
}

// booklet is all there is of one packet.
type booklet struct {
	Record

	shares    []Booked         // share n at n-1
	of        map[string]int64 // the No of a person's share
	remainder *Booked          // what was left, once it is booked
}

// begin locks the store, makes the zero value usable and reads the clock. What follows is not cut short by
// the end of the context it returns: units and shares change together.
func (m *Memory) begin(ctx context.Context) (whole context.Context, now time.Time, end func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, time.Time{}, nil, errors.Join(ErrUnavailable, err)
	}
	m.mu.Lock()
	m.prepare()
	return context.WithoutCancel(ctx), input.Instant(m.clock()()), m.mu.Unlock, nil
}

// prepare makes the zero value usable.
func (m *Memory) prepare() {
	if m.units == nil {
		m.units, m.packets = &stock.Memory{Clock: m.clock()}, map[int64]*booklet{}
	}
}

// clock returns the clock.
func (m *Memory) clock() func() time.Time {
	if m.Clock != nil {
		return m.Clock
	}
	return time.Now
}

// Units implements Store.
func (m *Memory) Units(person string) stock.Store {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.prepare()
	return memoryUnits{m.units, m, person}
}

// memoryUnits are the units of a Memory: those of stock, whose Lock also books a share.
type memoryUnits struct {
	*stock.Memory

	packets *Memory
	person  string // who grabs
}

// Lock implements stock.Store.
func (u memoryUnits) Lock(ctx context.Context, order stock.Order, holdFor time.Duration) (stock.Locking, error) {
	ctx, _, end, err := u.packets.begin(ctx)
	if err != nil {
		return stock.Locking{}, err
	}
	defer end()
	packet := order.Lines[0].SKU
	b := u.packets.packets[packet]
	if order.Taken && (!IsGrab(order, u.person) || b == nil || b.State != Open || b.Taken >= b.Split.Count) {
		if err := u.refuses(ctx, order); err != nil {
			return stock.Locking{}, err
		}
	}
	locking, err := u.Memory.Lock(ctx, order, holdFor)
	if err == nil && locking.Verdict == stock.Done && order.Taken {
		b.book(u.person, locking.Hold.LockedAt)
	}
	return locking, err
}

// refuses returns ErrDrift where the units would give a grab what its packet does not have: somebody moved
// them from outside, or the order is no grab.
func (u memoryUnits) refuses(ctx context.Context, order stock.Order) error {
	hold, now, err := u.Hold(ctx, order.ID)
	if err != nil || hold.State != stock.Unheld {
		return err
	}
	keys := make([]stock.Key, len(order.Lines))
	for i, l := range order.Lines {
		keys[i] = l.Key()
	}
	standings, _, err := u.Items(ctx, order.Buyer, keys)
	if err != nil {
		return err
	}
	gives := true
	for i, l := range order.Lines {
		gives = gives && standings[i].Refuses(order.Step(), l, order.Buyer, now) == nil
	}
	if gives {
		return ErrDrift
	}
	return nil
}

// book books the next share.
func (b *booklet) book(person string, now time.Time) {
	b.shares = append(b.shares, b.Take(person, now))
	b.of[person] = b.Taken
}

// Add implements Store.
func (m *Memory) Add(ctx context.Context, record Record, senderMayGrab bool, liveFor time.Duration) (stock.Verdict, error) {
	ctx, now, end, err := m.begin(ctx)
	if err != nil {
		return stock.Refused, err
	}
	defer end()
	if m.packets[record.ID] != nil {
		return stock.Exists, nil
	}
	record.State, record.Left, record.CreatedAt = Unpaid, record.Split.Total, now
	if record.End.IsZero() {
		record.End = now.Add(liveFor)
	}
	item := stock.Item{Key: stock.Key{SKU: record.ID}, Terms: record.terms(true)}
	item.Total, item.Left = record.Split.Count, record.Split.Count
	if verdict, err := m.units.Create(ctx, item); err != nil || verdict != stock.Done {
		return stock.Refused, cmp.Or(err, ErrDrift)
	}
	if !senderMayGrab {
		if _, err := m.units.Close(ctx, GrabID(record.ID, record.Sender)); err != nil {
			return stock.Refused, err
		}
	}
	m.packets[record.ID] = &booklet{Record: record, of: map[string]int64{}}
	return stock.Done, nil
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

// Due implements Store.
func (m *Memory) Due(ctx context.Context, limit int) ([]int64, error) {
	_, now, end, err := m.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	var due []int64
	for id, b := range m.packets {
		if len(due) < limit && b.State == Open && !now.Before(b.End) {
			due = append(due, id)
		}
	}
	return due, nil
}

// Records implements Store.
func (m *Memory) Records(ctx context.Context, after int64, limit int) ([]Record, error) {
	_, _, end, err := m.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	var records []Record
	for _, id := range slices.Sorted(maps.Keys(m.packets)) {
		if id > after && len(records) < limit {
			records = append(records, m.packets[id].Record)
		}
	}
	return records, nil
}

// Book implements Store.
func (m *Memory) Book(ctx context.Context, id int64) (Book, error) {
	ctx, _, end, err := m.begin(ctx)
	if err != nil {
		return Book{}, err
	}
	defer end()
	b := m.packets[id]
	if b == nil {
		return Book{}, nil
	}
	units, err := m.units.Book(ctx, stock.Key{SKU: id})
	if err != nil {
		return Book{}, err
	}
	book := Book{Record: b.Record, Shares: int64(len(b.shares)), Remainder: -1, Holds: units.Recount.Sold}
	for _, share := range b.shares {
		book.Money += share.Money
	}
	if b.remainder != nil {
		book.Remainder = b.remainder.Money
	}
	return book, nil
}

var _ Store = (*Memory)(nil)
