package sale

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"time"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/internal/allot"
	"github.com/holdfast-go/holdfast/stock"
)

// Shelf implements Store.
func (m *Memory) Shelf(ctx context.Context, query ShelfQuery, after ShelfCursor, limit int) ([]ShelfItem, time.Time, error) {
	return within(ctx, m, func(units *stock.Memory, now time.Time) ([]ShelfItem, error) {
		return allot.First(m.items(ctx, units, now), limit, func(i ShelfItem) bool {
			return query.shows(i) && (after.Key == stock.Key{} || i.Cursor(query.State).Compare(after, query.State) > 0)
		}, func(a, b ShelfItem) int { return a.Cursor(query.State).Compare(b.Cursor(query.State), query.State) }), nil
	})
}

// shows reports whether an item is on the shelf of a query.
func (q ShelfQuery) shows(i ShelfItem) bool {
	switch {
	case i.Activity.Hidden, i.Activity.State != q.State,
		q.Activity != 0 && i.Key.Activity != q.Activity, q.SKU != 0 && i.SKU != q.SKU, q.SPU != 0 && i.SPU != q.SPU:
		return false
	case q.State == Ended:
		return i.Product.State != Preparing && i.Total > 0 && !i.Activity.ApprovedAt.IsZero()
	}
	return i.Product.State == Offered
}

// items lists all products as a page shows them.
func (m *Memory) items(ctx context.Context, units *stock.Memory, now time.Time) iter.Seq[ShelfItem] {
	return func(yield func(ShelfItem) bool) {
		for key := range m.Rows.Products {
			if !yield(m.item(ctx, units, key, now)) {
				return
			}
		}
	}
}

// item returns a product as a page shows it.
func (m *Memory) item(ctx context.Context, units *stock.Memory, key stock.Key, now time.Time) ShelfItem {
	is := itemOf(ctx, units, key)
	offer := m.offer(key, now)
	return ShelfItem{
		Offer: offer, Current: m.priceAt(key, now), Lowest: m.lowest(offer.Activity, now),
		Total: is.Total + offer.Returned, Sold: is.Sold, Held: is.Locked, Available: is.Available(),
	}
}

// lowest returns the lowest price in force of an activity.
func (m *Memory) lowest(activity Activity, now time.Time) (lowest decimal.Decimal) {
	first := true
	for key, p := range m.Rows.Products {
		if key.Activity != activity.ID || p.State != Offered && activity.EndedAt.IsZero() {
			continue
		}
		if price := m.priceAt(key, now); first || price.LessThan(lowest) {
			lowest, first = price, false
		}
	}
	return lowest
}

// Best implements Store.
func (m *Memory) Best(ctx context.Context, limit int) ([]stock.Key, error) {
	keys, _, err := within(ctx, m, func(units *stock.Memory, now time.Time) ([]stock.Key, error) {
		best := allot.First(m.items(ctx, units, now), limit, func(i ShelfItem) bool {
			return i.Sold > 0 && ShelfQuery{State: Running}.shows(i)
		}, func(a, b ShelfItem) int { return cmp.Or(cmp.Compare(b.Sold, a.Sold), allot.ByActivity(a.Key, b.Key)) })
		keys := make([]stock.Key, len(best))
		for i, b := range best {
			keys[i] = b.Key
		}
		return keys, nil
	})
	return keys, err
}

// Look implements Store.
func (m *Memory) Look(ctx context.Context, keys []stock.Key) (map[stock.Key]ShelfItem, time.Time, error) {
	return within(ctx, m, func(units *stock.Memory, now time.Time) (map[stock.Key]ShelfItem, error) {
		items := map[stock.Key]ShelfItem{}
		for _, key := range keys {
			if _, ok := m.Rows.Products[key]; ok {
				items[key] = m.item(ctx, units, key, now)
			}
		}
		return items, nil
	})
}

// Buyers implements Store.
func (m *Memory) Buyers(ctx context.Context, keys []stock.Key) (map[stock.Key]int64, error) {
	counts, _, err := within(ctx, m, func(units *stock.Memory, _ time.Time) (map[stock.Key]int64, error) {
		buyers := map[stock.Key]map[string]bool{}
		for _, key := range keys {
			buyers[key] = map[string]bool{}
		}
		holds, err := units.Holds(ctx, stock.Filter{}, stock.Cursor{}, 1<<30)
		for _, h := range holds {
			for _, l := range h.Lines {
				if of := buyers[l.Key()]; of != nil && h.Buyer != "" {
					weight := h.State.Weight()
					if weight.Locked*l.Num+weight.Sold*(l.Num-l.Freed) > 0 {
						of[h.Buyer] = true
					}
				}
			}
		}
		counts := map[stock.Key]int64{}
		for key := range maps.Keys(buyers) {
			counts[key] = int64(len(buyers[key]))
		}
		return counts, err
	})
	return counts, err
}
