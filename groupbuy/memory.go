package groupbuy

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/internal/allot"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// Memory is a Store in memory: for tests, examples and single programs that may lose their data.
// The zero value is empty and ready; it must not be copied after first use. It is safe for
// concurrent use and gives the same results as the SQL store.
type Memory struct {
	// Stock is the shop's ordinary stock, which also contains the pools. Both share one set of order numbers. Nil is a
	// stock of its own, accessible by Units. Set it before the first call.
	Stock *stock.Memory

	// Clock is the clock of a store without Stock; nil is time.Now. A store with a Stock uses the clock of that.
	// Set it before the first call.
	Clock func() time.Time

	// Events is where a store without Stock writes the events of its teams; nil is nowhere. A store with a Stock writes them into
	// the Events of that. Set it before the first call.
	Events *event.Memory

	// OnAlong is called for a call that carries what Along was given, as that of stock.Memory is. A store with a Stock calls that of
	// the Stock. Set it before the first call.
	OnAlong func(ctx context.Context, rows []stock.MemoryRow) error

	once sync.Once
	*books
	rows []stock.MemoryRow // that the calls on this view carry
}

// books are what a Memory and its views keep.
type books struct {
	own   stock.Memory
	units *stock.Memory // Memory.Stock or own; the fields below are used within stock.Memory.Enter only

	allot.Rows[Activity, Product]
	pools  map[stock.Key]*memoryPool
	teams  map[string]*memoryTeam
	seats  map[string]Seat
	buyers map[string][]string // the orders of each, in the order of TakenAt

	settled map[stock.Key]int64 // how many units of a product were refunded when it was Settled

	lateSeats memoryQueue // seats that may be Held, by Deadline
	lateTeams memoryQueue // teams that may be Forming, by Deadline
}

// memoryPool has the teams of a product, and counts them and their seats.
type memoryPool struct {
	teams   []*memoryTeam // in the order of OpenedAt
	forming int64         // teams that are Forming
	held    int64         // seats that are Held
}

// memoryTeam is a team with its seats.
type memoryTeam struct {
	Team

	orders []string          // of its seats, in the order of TakenAt
	live   map[string]string // the order of each buyer who has a live seat
}

// stock returns the units.
func (m *Memory) stock() *stock.Memory {
	m.once.Do(func() {
		if m.books != nil { // a view
			return
		}
		m.books = &books{units: m.Stock, Rows: allot.NewRows(Kind{})}
		if m.units == nil {
			m.own.Clock, m.own.OnAlong, m.own.Events = m.Clock, m.OnAlong, m.Events
			m.units = &m.own
		}
		m.pools, m.teams, m.settled = map[stock.Key]*memoryPool{}, map[string]*memoryTeam{}, map[stock.Key]int64{}
		m.seats, m.buyers = map[string]Seat{}, map[string][]string{}
	})
	return m.units
}

// Along returns a view of the store whose next call carries a statement of the shop, as that of sqlstore.GroupBuy does. The store
// executes nothing: it hands text and arguments to OnAlong where the call takes effect.
func (m *Memory) Along(text string, args ...any) *Memory {
	return m.withRows(append(slices.Clip(m.rows), stock.MemoryRow{Text: text, Args: args}))
}

// Plain returns a view of the store whose calls carry nothing.
func (m *Memory) Plain() Store { return m.withRows(nil) }

// withRows returns a view of the store whose calls carry these statements.
func (m *Memory) withRows(rows []stock.MemoryRow) *Memory {
	m.stock()
	return &Memory{books: m.books, rows: rows}
}

// carriage returns what the calls on this view carry.
func (m *Memory) carriage() allot.Carriage { return allot.Carriage{Of: m.stock(), Rows: m.rows} }

// within makes a call while the store stands still, at one time. The call uses only the units that it is given.
func within[T any](ctx context.Context, m *Memory, call func(units *stock.Memory, now time.Time) (T, error)) (T, error) {
	value, _, err := withinAt(ctx, m, call)
	return value, err
}

// withinAt is within that also returns the time.
func withinAt[T any](
	ctx context.Context, m *Memory, call func(units *stock.Memory, now time.Time) (T, error),
) (T, time.Time, error) {
	return allot.Within(ctx, m.carriage(), func(units *stock.Memory, now time.Time) (T, error) {
		m.reopen(ctx, units)
		return call(units, now)
	})
}

// reopen makes products that are Settled Removed again whose units a refund has put back into their pools: the stock may have made it,
// and knows nothing of products.
func (m *Memory) reopen(ctx context.Context, units *stock.Memory) {
	for key, refunded := range m.settled {
		if m.Rows.Products[key].State != Settled {
			delete(m.settled, key)
		} else if item := itemOf(ctx, units, key); item.Refunded > refunded && item.Quantities.Available() > 0 {
			m.Reopen(key, item.UpdatedAt)
		}
	}
}

// itemOf returns an item. A store that stands still cannot fail.
func itemOf(ctx context.Context, units *stock.Memory, key stock.Key) stock.Item {
	items, _, _ := units.Items(ctx, "", []stock.Key{key})
	return items[0].Item
}

// atNow reads something, and the clock.
func atNow[T any](ctx context.Context, m *Memory, read func(now time.Time) T) (T, time.Time, error) {
	return withinAt(ctx, m, func(_ *stock.Memory, now time.Time) (T, error) { return read(now), nil })
}

// pool returns the pool of a product.
func (m *Memory) pool(key stock.Key) *memoryPool {
	pool := m.pools[key]
	if pool == nil {
		pool = &memoryPool{}
		m.pools[key] = pool
	}
	return pool
}

// team returns a team; its Version is 0 where there is none.
func (m *Memory) team(code string) Team {
	if team := m.teams[code]; team != nil {
		return team.Team
	}
	return Team{}
}

// hasOther reports whether the buyer of a seat has another live one in its team.
func (m *Memory) hasOther(seat Seat) bool {
	team := m.teams[seat.Team]
	if team == nil {
		return false
	}
	order, ok := team.live[seat.Buyer]
	return ok && order != seat.Order
}

// SaveActivity implements Store.
func (m *Memory) SaveActivity(ctx context.Context, activity Activity, ended bool, by stock.Change) (stock.Verdict, error) {
	return within(ctx, m, func(units *stock.Memory, now time.Time) (stock.Verdict, error) {
		return m.Rows.SaveActivity(activity, ended, now, func() error { return m.carriage().Keep(ctx, units, by) })
	})
}

// SaveProduct implements Store.
func (m *Memory) SaveProduct(ctx context.Context, product Product, by stock.Change) (stock.Verdict, error) {
	return within(ctx, m, func(units *stock.Memory, now time.Time) (stock.Verdict, error) {
		product.Formed = m.Rows.Products[product.Key].Formed
		verdict, err := m.Rows.SaveProduct(product, now, func() error { return m.carriage().Keep(ctx, units, by) })
		if verdict == stock.Done && product.State == Settled {
			m.settled[product.Key] = itemOf(ctx, units, product.Key).Refunded
		}
		return verdict, err
	})
}

// CorrectFormed implements Store.
func (m *Memory) CorrectFormed(ctx context.Context, book FormedBook, by stock.Change) (stock.Verdict, error) {
	return within(ctx, m, func(units *stock.Memory, now time.Time) (stock.Verdict, error) {
		product := m.Rows.Products[book.Key]
		if product.Version != book.Version || book.Version == 0 {
			return stock.Refused, nil
		}
		if product.Formed += book.Recount - book.Formed; product.Formed < 0 {
			return stock.Refused, ErrDrift
		}
		if by.ID != "" {
			if err := units.Record(ctx, by); err != nil {
				return stock.Refused, err
			}
		}
		product.UpdatedAt = now
		product.Version++
		m.Rows.Products[book.Key] = product
		return stock.Done, nil
	})
}

var _ Store = (*Memory)(nil)
