// Package listing has the one loop that turns pages of a store into a listing.
package listing

import "iter"

// PageSize is how many rows a listing reads at a time.
const PageSize = 200

// Pages lists what comes page by page, each behind the cursor of the last row that came before. It ends with the
// first error, and with err at once where that is one. A page that is not full is the last.
func Pages[T, C any](err error, page func(after C, limit int) ([]T, error), cursor func(T) C) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		if err != nil {
			yield(none, err)
			return
		}
		var after C
		for {
			found, err := page(after, PageSize)
			if err != nil {
				yield(none, err)
				return
			}
			for _, v := range found {
				if !yield(v, nil) {
					return
				}
				after = cursor(v)
			}
			if len(found) < PageSize {
				return
			}
		}
	}
}

// Map lists the same rows in another form.
func Map[T, V any](rows iter.Seq2[T, error], to func(T) V) iter.Seq2[V, error] {
	return func(yield func(V, error) bool) {
		for row, err := range rows {
			var v V
			if err == nil {
				v = to(row)
			}
			if !yield(v, err) {
				return
			}
		}
	}
}
