package allot

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/stock"
)

// Rows are the activities and products of a store in memory. Their methods are called while that stands still.
type Rows[A comparable, P any] struct {
	Kind       Kind[A, P]
	Activities map[int64]A
	Products   map[stock.Key]P
}

// NewRows returns no rows.
func NewRows[A comparable, P any](kind Kind[A, P]) Rows[A, P] {
	return Rows[A, P]{Kind: kind, Activities: map[int64]A{}, Products: map[stock.Key]P{}}
}

// SaveActivity implements Store. Keep has the last word before anything changes, and records the change.
func (r Rows[A, P]) SaveActivity(activity A, ended bool, now time.Time, keep func() error) (stock.Verdict, error) {
	to := r.Kind.Period(activity)
	was := r.Kind.Period(r.Activities[to.ID])
	if verdict := saves(to.Version, was.Version); verdict != stock.Done {
		return verdict, nil
	}
	if err := keep(); err != nil {
		return stock.Refused, err
	}
	to.EndedAt, to.CreatedAt, to.UpdatedAt, to.Version = was.EndedAt, was.CreatedAt, now, was.Version+1
	if was.Version == 0 {
		to.CreatedAt = now
	}
	if ended && to.EndedAt.IsZero() {
		to.EndedAt = now
	}
	r.Activities[to.ID] = r.Kind.SetPeriod(activity, to)
	return stock.Done, nil
}

// saves returns the verdict on saving a row of one version over a row of another; version 0 is no row.
func saves(version, was int64) stock.Verdict {
	switch version {
	case was:
		return stock.Done
	case 0:
		return stock.Exists
	}
	return stock.Refused
}

// SaveProduct implements Store. Keep has the last word before anything changes, and records the change.
func (r Rows[A, P]) SaveProduct(product P, now time.Time, keep func() error) (stock.Verdict, error) {
	to := r.Kind.Share(product)
	was := r.Kind.Share(r.Products[to.Key])
	if verdict := saves(to.Version, was.Version); verdict != stock.Done {
		return verdict, nil
	}
	if err := keep(); err != nil {
		return stock.Refused, err
	}
	to.CreatedAt, to.UpdatedAt, to.Version = was.CreatedAt, now, was.Version+1
	if was.Version == 0 {
		to.CreatedAt = now
	}
	r.Products[to.Key] = r.Kind.SetShare(product, to)
	return stock.Done, nil
}

// Reopen makes a product that is Settled Removed again.
func (r Rows[A, P]) Reopen(key stock.Key, now time.Time) {
	if is := r.Kind.Share(r.Products[key]); is.State == Settled {
		is.State, is.UpdatedAt = Removed, now
		is.Version++
		r.Products[key] = r.Kind.SetShare(r.Products[key], is)
	}
}

// After implements Store.Activities.
func (r Rows[A, P]) After(after int64, limit int) []A {
	return First(maps.Values(r.Activities), limit, func(a A) bool { return r.Kind.Period(a).ID > after },
		func(a, b A) int { return cmp.Compare(r.Kind.Period(a).ID, r.Kind.Period(b).ID) })
}

// In returns up to limit activities that match behind another, by end and then ID, or the last of them first. A zero end is the
// beginning.
func (r Rows[A, P]) In(after A, last bool, limit int, match func(A) bool) []A {
	from := r.Kind.Period(after)
	compare := func(p, q Period) int {
		order := cmp.Or(p.End.Compare(q.End), cmp.Compare(p.ID, q.ID))
		if last {
			return -order
		}
		return order
	}
	return First(maps.Values(r.Activities), limit, func(a A) bool {
		return match(a) && (from.End.IsZero() || compare(r.Kind.Period(a), from) > 0)
	}, func(a, b A) int { return compare(r.Kind.Period(a), r.Kind.Period(b)) })
}

// DueActivities implements Store.
func (r Rows[A, P]) DueActivities(now time.Time, limit int) []A {
	return First(maps.Values(r.Activities), limit, func(a A) bool {
		p := r.Kind.Period(a)
		return p.EndedAt.IsZero() && p.Ended(now)
	}, func(a, b A) int {
		p, q := r.Kind.Period(a), r.Kind.Period(b)
		return cmp.Or(p.End.Compare(q.End), cmp.Compare(p.ID, q.ID))
	})
}

// ProductsOf implements Store.Products.
func (r Rows[A, P]) ProductsOf(activity, after int64, limit int) []P {
	return r.products(limit, func(s Share) bool { return s.Activity == activity && s.SKU > after })
}

// DueProducts implements Store.
func (r Rows[A, P]) DueProducts(after stock.Key, limit int) []P {
	return r.products(limit, func(s Share) bool {
		due := s.State == Removed || s.State != Settled && !r.Kind.Period(r.Activities[s.Activity]).EndedAt.IsZero()
		return due && ByActivity(s.Key, after) > 0
	})
}

// products returns products that match, by activity, then SKU.
func (r Rows[A, P]) products(limit int, match func(Share) bool) []P {
	return First(maps.Values(r.Products), limit, func(p P) bool { return match(r.Kind.Share(p)) },
		func(a, b P) int { return ByActivity(r.Kind.Share(a).Key, r.Kind.Share(b).Key) })
}

// ByActivity orders keys by activity, then SKU.
func ByActivity(a, b stock.Key) int {
	return cmp.Or(cmp.Compare(a.Activity, b.Activity), cmp.Compare(a.SKU, b.SKU))
}

// First returns up to limit values that match, the first in order.
func First[T any](all iter.Seq[T], limit int, match func(T) bool, compare func(a, b T) int) []T {
	var kept []T
	for v := range all {
		if !match(v) {
			continue
		}
		if kept = append(kept, v); len(kept) >= 1024 && len(kept)/2 >= limit { // so that a long list is never stored whole
			slices.SortFunc(kept, compare)
			kept = kept[:limit]
		}
	}
	slices.SortFunc(kept, compare)
	return kept[:min(limit, len(kept))]
}
