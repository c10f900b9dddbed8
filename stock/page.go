package stock

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
	"github.com/holdfast-go/holdfast/internal/listing"
)

// PageRequest asks for one page of a list that a screen shows: up to Limit rows, 1 to 500, or 50 where it is 0. After is the
// Next of the page before, and empty for the first page. It is a short text of letters, digits, - and _ that a web handler
// passes on. It is bound to its list: one that was changed, or that comes from another list or from the list of another
// buyer, is ErrInvalid.
type PageRequest = listing.Request

// Page is one page of a list: its Rows, and Next for PageRequest.After, which is empty on the last page. A page begins behind the
// place of the last row of the page before, so no page costs more than another, and rows that come or go meanwhile move no others. A row
// whose place changes between two pages may be shown twice or not at all.
type Page[T any] = listing.Page[T]

// ItemFilter chooses and orders the items of a list. The zero ItemFilter is all items by key.
type ItemFilter struct {
	SPU int64 // items of this product; 0 is every item

	// The order, at most one of them: those that a Lock could take the fewest units of first, or those that have sold the most. It
	// is that of a moment at most 10 s ago; what is shown of each item is of now.
	LeastAvailable, MostSold bool
}

// ItemsPage returns a page of items. Errors: ErrInvalid.
func (inv *Inventory) ItemsPage(ctx context.Context, filter ItemFilter, page PageRequest) (Page[Item], error) {
	err := errors.Join(inv.ready(ctx), input.NotNegative("SPU", filter.SPU))
	if filter.LeastAvailable && filter.MostSold {
		err = errors.Join(err, fault.Invalid("order", "must be one, not both of LeastAvailable and MostSold"))
	}
	of := fmt.Sprintf("items %+v", filter)
	if !filter.LeastAvailable && !filter.MostSold {
		return inv.items(ctx, err, filter.SPU).Page(page, of)
	}
	ranked, err := listing.List[rank, rank]{
		Err: err,
		Read: func(after rank, limit int) ([]rank, error) {
			ranks, err := inv.leaderboard(ctx)
			if err != nil {
				return nil, err
			}
			return ranks.behind(filter, after, limit), nil
		},
		At: func(r rank) rank { return r },
	}.Page(page, of)
	if err != nil || len(ranked.Rows) == 0 {
		return Page[Item]{}, err
	}
	keys := make([]Key, len(ranked.Rows))
	for i, r := range ranked.Rows {
		keys[i] = r.Key
	}
	rows, err := inv.itemsOf(ctx, keys)
	return Page[Item]{Rows: rows, Next: ranked.Next}, err
}

// rankFor is how old a leaderboard gets, and rankChunk how many items are read at a time for one.
const (
	rankFor   = 10 * time.Second
	rankChunk = 5000
)

// rank is the place of an item in a leaderboard: the lowest number first.
type rank struct {
	Num int64
	Key Key
	SPU int64
}

// compare orders ranks.
func (r rank) compare(other rank) int {
	return cmp.Or(cmp.Compare(r.Num, other.Num), r.Key.Compare(other.Key))
}

// leaderboard has all items in the two orders of an ItemFilter, as they were at a moment.
type leaderboard struct {
	at                       time.Time // by the clock of the process
	leastAvailable, mostSold []rank
}

// leaderboards keeps the last leaderboard of a store, which one call at a time renews.
type leaderboards struct {
	last  atomic.Pointer[leaderboard]
	once  sync.Once
	turns chan struct{} // made by once
}

// turn waits until this call may read a leaderboard.
func (r *leaderboards) turn(ctx context.Context) (done func(), err error) {
	r.once.Do(func() { r.turns = make(chan struct{}, 1) })
	select {
	case r.turns <- struct{}{}:
		return func() { <-r.turns }, nil
	case <-ctx.Done():
		return nil, errors.Join(ErrUnavailable, ctx.Err())
	}
}

// fresh returns the last leaderboard if it is young enough, or nil.
func (r *leaderboards) fresh() *leaderboard {
	if last := r.last.Load(); last != nil && time.Since(last.at) < rankFor {
		return last
	}
	return nil
}

// leaderboard returns a leaderboard that is young enough. Calls that come while one reads it wait for that one.
func (inv *Inventory) leaderboard(ctx context.Context) (*leaderboard, error) {
	if last := inv.leaderboards.fresh(); last != nil {
		return last, nil
	}
	done, err := inv.leaderboards.turn(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	if last := inv.leaderboards.fresh(); last != nil {
		return last, nil
	}
	is := &leaderboard{at: time.Now()}
	for after := (Key{}); ; {
		items, err := inv.store.List(ctx, 0, after, rankChunk)
		if err != nil {
			return nil, err
		}
		for _, item := range items {
			is.leastAvailable = append(is.leastAvailable, rank{Num: item.Available(), Key: item.Key, SPU: item.SPU})
			is.mostSold = append(is.mostSold, rank{Num: -item.Sold, Key: item.Key, SPU: item.SPU})
			after = item.Key
		}
		if len(items) < rankChunk {
			break
		}
	}
	slices.SortFunc(is.leastAvailable, rank.compare)
	slices.SortFunc(is.mostSold, rank.compare)
	inv.leaderboards.last.Store(is)
	return is, nil
}

// behind returns up to limit ranks behind one, of a product or of all.
func (r *leaderboard) behind(filter ItemFilter, after rank, limit int) (ranked []rank) {
	all := r.leastAvailable
	if filter.MostSold {
		all = r.mostSold
	}
	from := 0
	if after.Key != (Key{}) {
		at, found := slices.BinarySearchFunc(all, after, rank.compare)
		if from = at; found {
			from++
		}
	}
	for _, one := range all[from:] {
		if len(ranked) == limit {
			break
		}
		if filter.SPU == 0 || one.SPU == filter.SPU {
			ranked = append(ranked, one)
		}
	}
	return ranked
}

// HoldsPage returns a page of the holds that match, in the order of Holds. A filter with States and without a Key and a buyer
// must name ByDeadline, since nothing finds the states in the order of order numbers.
//
// A page of one buyer, and one ByDeadline, needs an index that sqlstore.MigrateLists adds: without it the error is a
// *sqlstore.MissingIndexError.
//
// Errors: ErrInvalid.
func (inv *Inventory) HoldsPage(ctx context.Context, filter Filter, page PageRequest) (Page[Hold], error) {
	list, filter := inv.holds(ctx, filter)
	if len(filter.States) > 0 && filter.Key == (Key{}) && filter.Buyer == "" && !filter.ByDeadline {
		list.Err = errors.Join(list.Err, fault.Invalid("states", "need a Key, a buyer or ByDeadline to be found by in a page"))
	}
	return list.Page(page, fmt.Sprintf("holds %+v", filter))
}

// RefundsPage returns a page of the refunds of an order, by their IDs, with who made them where By named somebody.
// Errors: ErrInvalid, ErrNotFound.
func (inv *Inventory) RefundsPage(ctx context.Context, order string, page PageRequest) (Page[RefundRecord], error) {
	return listing.List[RefundRecord, string]{
		Err: errors.Join(inv.ready(ctx), input.ID("order", order)),
		Read: func(after string, limit int) ([]RefundRecord, error) {
			return inv.store.Refunds(ctx, order, after, limit)
		},
		At:  func(r RefundRecord) string { return r.ID },
		Why: func() error { _, err := inv.Hold(ctx, order); return err },
	}.Page(page, "refunds of "+order)
}

// changePlace is the place of a change in the list of the changes of an item.
type changePlace struct {
	At   time.Time
	Kind Kind
	ID   string
}

// ChangesPage returns a page of the movements of an item, the newest first: units that came, went or moved without an order,
// corrections, changes of terms and refunds, the last two where By named who made them. Each Change has the Entry of this
// item alone. Errors: ErrInvalid, ErrUnknownSKU.
func (inv *Inventory) ChangesPage(ctx context.Context, key Key, page PageRequest) (Page[Change], error) {
	return listing.List[Change, changePlace]{
		Err: errors.Join(inv.ready(ctx), checkKey(key)),
		Read: func(after changePlace, limit int) ([]Change, error) {
			return inv.store.Changes(ctx, key, Change{At: after.At, Kind: after.Kind, ID: after.ID}, limit)
		},
		At:  func(c Change) changePlace { return changePlace{c.At, c.Kind, c.ID} },
		Why: func() error { _, err := inv.Item(ctx, key); return err },
	}.Page(page, fmt.Sprint("changes of ", key))
}
