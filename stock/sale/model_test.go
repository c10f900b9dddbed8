package sale_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/internal/saletest"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/sale"
)

// FuzzModel compares the memory store with itself on another clock: it holds the tool to its promise to compare nothing but what
// two stores must agree about. sqlstore compares the memory store with MySQL.
func FuzzModel(f *testing.F) {
	for seed := range int64(20) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed int64) {
		saletest.Model(t, seed, 400, memory(t), memoryFrom(opening.AddDate(3, 1, 4)))
	})
}

// TestModelFindsDifferences breaks one rule of the store at a time: the model must see it.
func TestModelFindsDifferences(t *testing.T) {
	t.Parallel()
	type store = sale.Store
	suite.FindsDifferences(t, map[string]func(store) store{
		"an activity that stays a draft":            func(s store) store { return neverApproves{s} },
		"a sale that is ended, not withdrawn":       func(s store) store { return neverWithdraws{s} },
		"an activity that shows what is hidden":     func(s store) store { return showsAll{s} },
		"a price that is in force at once":          func(s store) store { return hastyPrice{s} },
		"a price that stays as it was":              func(s store) store { return firstPrice{s} },
		"a price of another moment":                 func(s store) store { return latePrices{s} },
		"a limit that is forgotten":                 func(s store) store { return forgetsLimit{s} },
		"units that never go back":                  func(s store) store { return noDueProducts{s} },
		"a return that is not counted":              func(s store) store { return noCount{s} },
		"an activity that does not end by its time": func(s store) store { return noDueActivities{s} },
		"a shelf out of order":                      func(s store) store { return unsortedShelf{s} },
		"a shelf with a clock that is slow":         func(s store) store { return slowShelf{s} },
		"best sellers out of order":                 func(s store) store { return worst{s} },
		"a look that misses what was taken off":     func(s store) store { return myopic{s} },
		"one buyer too many":                        func(s store) store { return miscounts{s} },
		"a list of states out of order":             func(s store) store { return unsortedStates{s} },
		"a change without its reason":               func(s store) store { return unsaid{s} },
		"a change by nobody":                        func(s store) store { return byNobody{s} },
	}, func(t testing.TB, seed int64, breaks func(store) store) {
		t.Helper()
		faulty := memory(t)
		faulty.Store = breaks(faulty.Store)
		saletest.Model(t, seed, 500, memory(t), faulty)
	})
}

// The broken stores of TestModelFindsDifferences.
type (
	neverApproves   struct{ sale.Store }
	neverWithdraws  struct{ sale.Store }
	showsAll        struct{ sale.Store }
	hastyPrice      struct{ sale.Store }
	firstPrice      struct{ sale.Store }
	latePrices      struct{ sale.Store }
	forgetsLimit    struct{ sale.Store }
	noDueProducts   struct{ sale.Store }
	noCount         struct{ sale.Store }
	noDueActivities struct{ sale.Store }
	unsortedShelf   struct{ sale.Store }
	slowShelf       struct{ sale.Store }
	worst           struct{ sale.Store }
	myopic          struct{ sale.Store }
	miscounts       struct{ sale.Store }
	unsortedStates  struct{ sale.Store }
	unsaid          struct{ sale.Store }
	byNobody        struct{ sale.Store }
)

func (s neverApproves) SaveActivity(ctx context.Context, a sale.Activity, ended bool, by stock.Change) (stock.Verdict, error) {
	a.ApprovedAt = time.Time{}
	return s.Store.SaveActivity(ctx, a, ended, by)
}

func (s neverWithdraws) SaveActivity(ctx context.Context, a sale.Activity, ended bool, by stock.Change) (stock.Verdict, error) {
	a.WithdrawnAt = time.Time{}
	return s.Store.SaveActivity(ctx, a, ended, by)
}

func (s showsAll) SaveActivity(ctx context.Context, a sale.Activity, ended bool, by stock.Change) (stock.Verdict, error) {
	a.Hidden = false
	return s.Store.SaveActivity(ctx, a, ended, by)
}

func (s hastyPrice) SaveProduct(ctx context.Context, p sale.Product, by stock.Change) (stock.Verdict, error) {
	if p.PriceFrom.IsZero() && p.State != sale.Preparing {
		_, now, err := s.Activity(ctx, p.Activity)
		if err != nil {
			return stock.Refused, err
		}
		p.PriceFrom = now
	}
	return s.Store.SaveProduct(ctx, p, by)
}

func (s firstPrice) Prices(ctx context.Context, keys []stock.Key, _ time.Time) (map[stock.Key]sale.LinePrice, error) {
	return s.Store.Prices(ctx, keys, time.Unix(0, 0))
}

func (s latePrices) Prices(ctx context.Context, keys []stock.Key, at time.Time) (map[stock.Key]sale.LinePrice, error) {
	return s.Store.Prices(ctx, keys, at.Add(sale.PriceNotice))
}

func (s forgetsLimit) SaveProduct(ctx context.Context, p sale.Product, by stock.Change) (stock.Verdict, error) {
	p.PerBuyer = 0
	return s.Store.SaveProduct(ctx, p, by)
}

func (s noDueProducts) DueProducts(context.Context, stock.Key, int) ([]sale.Product, error) {
	return nil, nil
}

func (s noCount) SaveProduct(ctx context.Context, p sale.Product, by stock.Change) (stock.Verdict, error) {
	p.Returned = 0
	return s.Store.SaveProduct(ctx, p, by)
}

func (s noDueActivities) DueActivities(context.Context, int) ([]sale.Activity, error) {
	return nil, nil
}

func (s unsortedShelf) Shelf(
	ctx context.Context, query sale.ShelfQuery, after sale.ShelfCursor, limit int,
) ([]sale.ShelfItem, time.Time, error) {
	items, now, err := s.Store.Shelf(ctx, query, after, limit)
	slices.Reverse(items)
	return items, now, err
}

func (s slowShelf) Shelf(
	ctx context.Context, query sale.ShelfQuery, after sale.ShelfCursor, limit int,
) ([]sale.ShelfItem, time.Time, error) {
	items, now, err := s.Store.Shelf(ctx, query, after, limit)
	return items, now.Add(-time.Microsecond), err
}

func (s worst) Best(ctx context.Context, limit int) ([]stock.Key, error) {
	keys, err := s.Store.Best(ctx, limit)
	slices.Reverse(keys)
	return keys, err
}

func (s myopic) Look(ctx context.Context, keys []stock.Key) (map[stock.Key]sale.ShelfItem, time.Time, error) {
	items, now, err := s.Store.Look(ctx, keys)
	for key, item := range items {
		if item.State.Over() {
			delete(items, key)
		}
	}
	return items, now, err
}

func (s miscounts) Buyers(ctx context.Context, keys []stock.Key) (map[stock.Key]int64, error) {
	counts, err := s.Store.Buyers(ctx, keys)
	for key := range counts {
		counts[key]++
	}
	return counts, err
}

func (s unsortedStates) ActivitiesIn(ctx context.Context, state sale.State, after sale.Activity, limit int) ([]sale.Activity, error) {
	activities, err := s.Store.ActivitiesIn(ctx, state, after, limit)
	slices.Reverse(activities)
	return activities, err
}

func (s unsaid) SaveActivity(ctx context.Context, a sale.Activity, ended bool, by stock.Change) (stock.Verdict, error) {
	by.Reason = ""
	return s.Store.SaveActivity(ctx, a, ended, by)
}

func (s byNobody) SaveProduct(ctx context.Context, p sale.Product, _ stock.Change) (stock.Verdict, error) {
	return s.Store.SaveProduct(ctx, p, stock.Change{})
}
