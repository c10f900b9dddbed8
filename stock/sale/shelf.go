package sale

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
	"github.com/holdfast-go/holdfast/internal/listing"
	"github.com/holdfast-go/holdfast/stock"
)

// MaxBest is how many best sellers there are at most.
const MaxBest = 100

// RecentFor is how old the numbers of buyers and the rank of best sellers may be.
const RecentFor = 10 * time.Second

// ShelfQuery says what a page shows. Zero fields are any.
type ShelfQuery struct {
	State    State // Running, which 0 stands for, Approved (upcoming) or Ended
	Activity int64
	SKU      int64
	SPU      int64
}

// ShelfItem is a product as a page shows it, by the store's clock.
type ShelfItem struct {
	Offer

	Current decimal.Decimal // the price in force; before Product.PriceFrom it is the one before
	Lowest  decimal.Decimal // the lowest such price of the products in its activity that are Offered; of an activity that is over, of all

	Total     int64 // units there are in the pool or were sold out of it, and those that went back to ordinary stock
	Sold      int64
	Held      int64 // units that are not paid yet
	Available int64 // units that could be bought now

	StartsIn   time.Duration // until the activity begins; 0 from then on
	EndsIn     time.Duration // until the activity ends; 0 from then on
	Percent    int64         // of Total that is sold, 0 to 100, rounded down
	NearlyGone bool          // little is available; see Options.NearlyGone
	Buyers     int64         // named ones who hold or bought any; RecentFor old at most
}

// PriceLabel returns the label of the price: that of the product, or else of its activity.
func (i ShelfItem) PriceLabel() string { return cmp.Or(i.Product.Label, i.Activity.Label) }

// Shelf lists the products of activities that are not Hidden and in a state: Offered products that can be bought now, or that
// can be from the Start of their activity on, or products that were sold in an activity that has ended. Sold-out products are among
// them. Running activities come by Sort, upcoming ones by Start, and ended ones by End, the last first; then by ID, of those that
// ended the highest first. Products of an activity come by Sort, then SKU. Withdrawn activities are on no shelf.
//
// So ShelfQuery{SKU: 42} tells in which sales a SKU is now. A page of the listing is one query; another one counts buyers, every
// RecentFor for each product. It returns ErrInvalid for another state, and for a number below 0.
func (s *Sales) Shelf(ctx context.Context, query ShelfQuery) iter.Seq2[ShelfItem, error] {
	query.State = cmp.Or(query.State, Running)
	err := errors.Join(s.ready(ctx), input.NotNegative("activity", query.Activity), input.NotNegative("SKU", query.SKU),
		input.NotNegative("SPU", query.SPU))
	if st := query.State; st != Running && st != Approved && st != Ended {
		err = errors.Join(err, fault.Invalid("state", "must be running, approved or ended, is %v", st))
	}
	return listing.Pages(err, func(after ShelfCursor, limit int) ([]ShelfItem, error) {
		items, now, err := s.store.Shelf(ctx, query, after, limit)
		if err != nil {
			return nil, err
		}
		return items, s.show(ctx, items, now)
	}, func(i ShelfItem) ShelfCursor { return i.Cursor(query.State) })
}

// Cursor returns the place of an item on a shelf of activities in a state.
func (i ShelfItem) Cursor(state State) ShelfCursor {
	c := ShelfCursor{Rank: i.Activity.Sort, Sort: i.Product.Sort, Key: i.Key}
	switch state { //nolint:exhaustive // the others are on no shelf
	case Approved:
		c.Rank = i.Activity.Start.UnixMicro()
	case Ended:
		c.Rank = i.Activity.End.UnixMicro()
	}
	return c
}

// Compare orders the places on a shelf of activities in a state.
func (c ShelfCursor) Compare(other ShelfCursor, state State) int {
	activities := cmp.Or(cmp.Compare(c.Rank, other.Rank), cmp.Compare(c.Activity, other.Activity))
	if state == Ended {
		activities = -activities
	}
	return cmp.Or(activities, cmp.Compare(c.Sort, other.Sort), cmp.Compare(c.SKU, other.SKU))
}

// Best returns up to limit best sellers (爆款榜单), 1 to MaxBest: the running products of which most are sold, as they are now. Their
// order is RecentFor old at most. It returns ErrInvalid for another limit.
func (s *Sales) Best(ctx context.Context, limit int) ([]ShelfItem, error) {
	err := s.ready(ctx)
	if limit < 1 || limit > MaxBest {
		err = errors.Join(err, fault.Invalid("limit", "must be 1 to %d, is %d", MaxBest, limit))
	}
	if err != nil {
		return nil, err
	}
	_, now, err := s.store.Activity(ctx, 0)
	if err != nil {
		return nil, err
	}
	keys, err := s.recent.rank(now, func() ([]stock.Key, error) { return s.store.Best(ctx, MaxBest) })
	if err != nil || len(keys) == 0 {
		return nil, err
	}
	sorted := slices.SortedFunc(slices.Values(keys), stock.Key.Compare)
	found, now, err := s.store.Look(ctx, sorted)
	if err != nil {
		return nil, err
	}
	var items []ShelfItem
	for _, key := range keys {
		item, ok := found[key]
		if ok && len(items) < limit && item.Offer.refuses(now) == nil && !item.Activity.Hidden {
			items = append(items, item)
		}
	}
	return items, s.show(ctx, items, now)
}

// show completes items with what follows from what the store has read, and with the numbers of buyers.
func (s *Sales) show(ctx context.Context, items []ShelfItem, now time.Time) error {
	keys := make([]stock.Key, len(items))
	for i := range items {
		item := &items[i]
		keys[i] = item.Key
		item.StartsIn, item.EndsIn = max(item.Activity.Start.Sub(now), 0), max(item.Activity.End.Sub(now), 0)
		if item.Activity.Start.IsZero() {
			item.StartsIn = 0
		}
		if !item.Activity.EndedAt.IsZero() {
			item.EndsIn = 0
		}
		if item.Total > 0 {
			item.Percent = percent(item.Sold, item.Total)
			item.NearlyGone = item.Available > 0 && percent(item.Available, item.Total) < s.opts.NearlyGone
		}
	}
	buyers, err := s.recent.counts(now, keys, func(keys []stock.Key) (map[stock.Key]int64, error) { return s.store.Buyers(ctx, keys) })
	for i := range items {
		items[i].Buyers = buyers[items[i].Key]
	}
	return err
}

// percent returns how many hundredths of all a part is, rounded down.
func percent(part, all int64) int64 {
	return decimal.NewFromInt(part).Mul(decimal.NewFromInt(100)).Div(decimal.NewFromInt(all)).IntPart()
}

// recent is what was read of a store, and may be up to RecentFor old by the store's clock. It is safe for concurrent use.
type recent struct {
	mu     sync.Mutex
	buyers map[stock.Key]recentCount
	best   []stock.Key
	bestAt time.Time // when best was read; zero is never
}

// recentCount is a number, and when it was counted.
type recentCount struct {
	n  int64
	at time.Time
}

// fresh reports whether what was read at a moment still does at now.
func fresh(at, now time.Time) bool { return !at.IsZero() && now.Sub(at) < RecentFor }

// counts returns the number of buyers of each key. It counts those that it does not know, or not any more.
func (r *recent) counts(
	now time.Time, keys []stock.Key, count func([]stock.Key) (map[stock.Key]int64, error),
) (map[stock.Key]int64, error) {
	are, missing := map[stock.Key]int64{}, []stock.Key{}
	r.mu.Lock()
	for _, key := range keys {
		known, ok := r.buyers[key]
		if are[key] = known.n; !ok || !fresh(known.at, now) {
			missing = append(missing, key)
		}
	}
	r.mu.Unlock()
	if len(missing) == 0 {
		return are, nil
	}
	slices.SortFunc(missing, stock.Key.Compare)
	counted, err := count(slices.Compact(missing))
	if err != nil {
		return are, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	kept := map[stock.Key]recentCount{} // so that what nobody looks at any more is not kept for ever
	for key, known := range r.buyers {
		if fresh(known.at, now) {
			kept[key] = known
		}
	}
	for _, key := range missing {
		are[key], kept[key] = counted[key], recentCount{counted[key], now}
	}
	r.buyers = kept
	return are, nil
}

// rank returns the best sellers.
func (r *recent) rank(now time.Time, read func() ([]stock.Key, error)) ([]stock.Key, error) {
	r.mu.Lock()
	defer r.mu.Unlock() // one reads for all
	if !fresh(r.bestAt, now) {
		best, err := read()
		if err != nil {
			return nil, err
		}
		r.best, r.bestAt = best, now
	}
	return r.best, nil
}
