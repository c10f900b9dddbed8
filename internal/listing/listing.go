// Package listing turns the pages of a store into a listing for a job, or into one page and a cursor for a screen.
package listing

import (
	"iter"

	"github.com/holdfast-go/holdfast/internal/fault"
)

// PageSize is how many rows a listing reads at a time.
const PageSize = 200

// How many rows a page has where its request does not say, and at most.
const (
	defaultLimit = 50
	maxLimit     = 500
)

// Request asks for one page of a list.
type Request struct {
	Limit int    // rows at most: 1 to 500; 0 is 50
	After string // Next of the page before; empty is the first page
}

// Page is one page of a list.
type Page[T any] struct {
	Rows []T    // in the order of the list; nil where nothing follows
	Next string // After of the next page; empty: this is the last
}

// List is one list of a store. C is where a row stands in it.
type List[T, C any] struct {
	Err  error                                 // what is wrong with its arguments; nil where nothing is
	Read func(after C, limit int) ([]T, error) // up to limit rows behind a cursor; the zero cursor is the beginning
	At   func(T) C                             // where a row stands
	Why  func() error                          // asked where there are no rows at all; nil where that needs no reason
}

// All lists what comes page by page, each behind the cursor of the last row that came before. It ends with the
// first error, and with Err at once where that is one. A page that is not full is the last.
func (l List[T, C]) All() iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		if l.Err != nil {
			yield(none, l.Err)
			return
		}
		var after C
		for first := true; ; first = false {
			found, err := l.read(after, PageSize, first)
			if err != nil {
				yield(none, err)
				return
			}
			for _, v := range found {
				if !yield(v, nil) {
					return
				}
				after = l.At(v)
			}
			if len(found) < PageSize {
				return
			}
		}
	}
}

// Page returns the rows behind a cursor, and the cursor of the page behind them. Of is what is listed, in any words: a cursor of
// another list is refused.
func (l List[T, C]) Page(ask Request, of string) (Page[T], error) {
	limit := ask.Limit
	switch {
	case l.Err != nil:
		return Page[T]{}, l.Err
	case limit < 0 || limit > maxLimit:
		return Page[T]{}, fault.Invalid("limit", "must be 1 to %d, is %d", maxLimit, limit)
	case limit == 0:
		limit = defaultLimit
	}
	var from C
	if ask.After != "" {
		var err error
		if from, err = decode[C](ask.After, of); err != nil {
			return Page[T]{}, err
		}
	}
	rows, err := l.read(from, limit+1, ask.After == "")
	switch {
	case err != nil || len(rows) == 0:
		return Page[T]{}, err
	case len(rows) <= limit:
		return Page[T]{Rows: rows}, nil
	}
	rows = rows[:limit:limit]
	return Page[T]{Rows: rows, Next: encode(l.At(rows[limit-1]), of)}, nil
}

// read reads rows, and asks why where there are none at all.
func (l List[T, C]) read(after C, limit int, first bool) ([]T, error) {
	rows, err := l.Read(after, limit)
	if err == nil && first && len(rows) == 0 && l.Why != nil {
		err = l.Why()
	}
	return rows, err
}

// Pages lists what comes page by page; see List.All.
func Pages[T, C any](err error, page func(after C, limit int) ([]T, error), cursor func(T) C) iter.Seq2[T, error] {
	return List[T, C]{Err: err, Read: page, At: cursor}.All()
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
