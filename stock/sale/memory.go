package sale

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/internal/allot"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// Memory is a Store in memory: for tests, examples and single programs that may lose their data.
// The zero value is empty and ready; it must not be copied after first use. It is safe for
// concurrent use and gives the same results as the SQL store.
type Memory struct {
	// Stock is the shop's ordinary stock, which also contains the pools: that from which orders buy. Nil is a
	// stock of its own, accessible by Units. Set it before the first call.
	Stock *stock.Memory

	// Clock is the clock of a store without Stock; nil is time.Now. A store with a Stock uses the clock of that.
	// Set it before the first call.
	Clock func() time.Time

	// Events is where a store without Stock writes the events that Tell names; nil is nowhere. A store with a Stock writes those
	// that the Stock tells, where that does. Set both before the first call.
	Events *event.Memory
	Tell   []event.Kind

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
	prices map[stock.Key][]memoryPrice // by the time from which they are in force
	told   map[stock.Key]bool          // products of which SaleStarted is written
}

// memoryPrice is a price and when it came into force.
type memoryPrice struct {
	from  time.Time
	price decimal.Decimal
}

// stock returns the units.
func (m *Memory) stock() *stock.Memory {
	m.once.Do(func() {
		if m.books != nil { // a view
			return
		}
		m.books = &books{units: m.Stock, Rows: allot.NewRows(Kind{}), prices: map[stock.Key][]memoryPrice{}, told: map[stock.Key]bool{}}
		if m.units == nil {
			m.own.Clock, m.own.OnAlong, m.own.Events, m.own.Tell = m.Clock, m.OnAlong, m.Events, m.Tell
			m.units = &m.own
		}
	})
	return m.units
}

// Along returns a view of the store whose next call carries a statement of the shop, as that of sqlstore.Sale does. The store
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

// Units implements Store.
func (m *Memory) Units() stock.Store {
	return m.carriage().Units()
}

// carriage returns what the calls on this view carry.
func (m *Memory) carriage() allot.Carriage { return allot.Carriage{Of: m.stock(), Rows: m.rows} }

// within makes a call while the store stands still, at one time. The call uses only the units that it is given.
func within[T any](ctx context.Context, m *Memory, call func(units *stock.Memory, now time.Time) (T, error)) (T, time.Time, error) {
	return allot.Within(ctx, m.carriage(), func(units *stock.Memory, now time.Time) (T, error) {
		m.reopen(ctx, units)
		return call(units, now)
	})
}

// reopen makes products that are Settled Removed again, as of the refund that put units back into their pools: the stock makes it
// and knows nothing of products.
func (m *Memory) reopen(ctx context.Context, units *stock.Memory) {
	for key, p := range m.Rows.Products {
		if p.State == Settled {
			if item := itemOf(ctx, units, key); item.Quantities.Available() > 0 {
				m.Reopen(key, item.UpdatedAt)
			}
		}
	}
}

// read reads something.
func read[T any](ctx context.Context, m *Memory, look func(now time.Time) T) (T, error) {
	value, _, err := readAt(ctx, m, look)
	return value, err
}

// readAt reads something, and the clock.
func readAt[T any](ctx context.Context, m *Memory, look func(now time.Time) T) (T, time.Time, error) {
	return within(ctx, m, func(_ *stock.Memory, now time.Time) (T, error) { return look(now), nil })
}

// SaveActivity implements Store.
func (m *Memory) SaveActivity(ctx context.Context, activity Activity, ended bool, by stock.Change) (stock.Verdict, error) {
	verdict, _, err := within(ctx, m, func(units *stock.Memory, now time.Time) (stock.Verdict, error) {
		activity.State, activity.Replay = 0, false
		return m.Rows.SaveActivity(activity, ended, now, func() error { return m.carriage().Keep(ctx, units, by) })
	})
	return verdict, err
}

// Activity implements Store.
func (m *Memory) Activity(ctx context.Context, id int64) (Activity, time.Time, error) {
	return readAt(ctx, m, func(now time.Time) Activity { return m.Rows.Activities[id].at(now) })
}

// allAt returns activities with their states at a moment.
func allAt(activities []Activity, now time.Time) []Activity {
	for i := range activities {
		activities[i] = activities[i].at(now)
	}
	return activities
}

// Activities implements Store.
func (m *Memory) Activities(ctx context.Context, after int64, limit int) ([]Activity, error) {
	return read(ctx, m, func(now time.Time) []Activity { return allAt(m.After(after, limit), now) })
}

// ActivitiesIn implements Store.
func (m *Memory) ActivitiesIn(ctx context.Context, state State, after Activity, limit int) ([]Activity, error) {
	return read(ctx, m, func(now time.Time) []Activity {
		last := state == Ended || state == Withdrawn
		return allAt(m.In(after, last, limit, func(a Activity) bool { return a.StateAt(now) == state }), now)
	})
}

// DueActivities implements Store.
func (m *Memory) DueActivities(ctx context.Context, limit int) ([]Activity, error) {
	return read(ctx, m, func(now time.Time) []Activity { return allAt(m.Rows.DueActivities(now, limit), now) })
}

// SaveProduct implements Store.
func (m *Memory) SaveProduct(ctx context.Context, product Product, by stock.Change) (stock.Verdict, error) {
	verdict, _, err := within(ctx, m, func(units *stock.Memory, now time.Time) (stock.Verdict, error) {
		isNew := product.PriceFrom.IsZero()
		if product.Replay = false; isNew {
			product.PriceFrom = now
			if product.State != Preparing {
				product.PriceFrom = now.Add(PriceNotice)
			}
		}
		was := m.Rows.Products[product.Key].State
		verdict, err := m.Rows.SaveProduct(product, now, func() error { return m.carriage().Keep(ctx, units, by) })
		if err == nil && verdict == stock.Done && isNew {
			m.setPrice(product)
		}
		if err == nil && verdict == stock.Done && was == Offered && product.State == Removed {
			m.tellEnded(product.Key, now)
		}
		return verdict, err
	})
	return verdict, err
}

// tellEnded tells of the end of a product that had been on sale.
func (m *Memory) tellEnded(key stock.Key, now time.Time) {
	if activity := m.Rows.Activities[key.Activity]; activity.Begun(now) && !m.told[key] {
		m.tellStarted(key, now)
	}
	if m.told[key] {
		m.carriage().Tell(now, Told(event.SaleEnded, key))
	}
}

// tellStarted tells that a product is on sale.
func (m *Memory) tellStarted(key stock.Key, now time.Time) {
	m.told[key] = true
	m.carriage().Tell(now, Told(event.SaleStarted, key))
}

// TellStarted implements Store.
func (m *Memory) TellStarted(ctx context.Context, limit int) (int, error) {
	n, _, err := within(ctx, m, func(_ *stock.Memory, now time.Time) (int, error) {
		if !event.KindsOf(m.units.Tell...).Has(event.SaleStarted) {
			return 0, nil
		}
		started := allot.First(maps.Values(m.Rows.Products), limit, func(p Product) bool {
			return p.State == Offered && !m.told[p.Key] && m.Rows.Activities[p.Activity].StateAt(now) == Running
		}, func(a, b Product) int { return allot.ByActivity(a.Key, b.Key) })
		for _, p := range started {
			m.tellStarted(p.Key, now)
		}
		return len(started), nil
	})
	return n, err
}

// setPrice keeps the price of a product.
func (m *Memory) setPrice(p Product) {
	prices := m.prices[p.Key]
	if n := len(prices); n > 0 && prices[n-1].from.Equal(p.PriceFrom) {
		prices[n-1].price = p.Price
		return
	}
	m.prices[p.Key] = append(prices, memoryPrice{p.PriceFrom, p.Price})
}

// priceAt returns the price of a product that was in force at a moment.
func (m *Memory) priceAt(key stock.Key, at time.Time) decimal.Decimal {
	prices := m.prices[key]
	for i := range slices.Backward(prices) {
		if i == 0 || !at.Before(prices[i].from) {
			return prices[i].price
		}
	}
	return decimal.Decimal{}
}

// Offer implements Store.
func (m *Memory) Offer(ctx context.Context, key stock.Key) (Offer, time.Time, error) {
	return readAt(ctx, m, func(now time.Time) Offer { return m.offer(key, now) })
}

// offer returns a product with its activity.
func (m *Memory) offer(key stock.Key, now time.Time) Offer {
	product, ok := m.Rows.Products[key]
	if !ok {
		return Offer{}
	}
	return Offer{Product: product, Activity: m.Rows.Activities[key.Activity].at(now)}
}

// Products implements Store.
func (m *Memory) Products(ctx context.Context, activity, after int64, limit int) ([]Product, error) {
	return read(ctx, m, func(time.Time) []Product { return m.ProductsOf(activity, after, limit) })
}

// DueProducts implements Store.
func (m *Memory) DueProducts(ctx context.Context, after stock.Key, limit int) ([]Product, error) {
	return read(ctx, m, func(time.Time) []Product { return m.Rows.DueProducts(after, limit) })
}

// itemOf returns an item. A store that stands still cannot fail.
func itemOf(ctx context.Context, units *stock.Memory, key stock.Key) stock.Item {
	items, _, _ := units.Items(ctx, "", []stock.Key{key})
	return items[0].Item
}

// Prices implements Store.
func (m *Memory) Prices(ctx context.Context, keys []stock.Key, at time.Time) (map[stock.Key]LinePrice, error) {
	return read(ctx, m, func(time.Time) map[stock.Key]LinePrice {
		prices := map[stock.Key]LinePrice{}
		for _, key := range keys {
			if p, ok := m.Rows.Products[key]; ok {
				prices[key] = LinePrice{Places: p.Places, Price: m.priceAt(key, at)}
			}
		}
		return prices
	})
}

// Await implements Store: nothing is ever under way.
func (m *Memory) Await(ctx context.Context, _ int64, _ stock.Key) error {
	_, err := read(ctx, m, time.Time.IsZero)
	return err
}

var _ Store = (*Memory)(nil)
