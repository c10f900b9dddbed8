package suite

import (
	"cmp"
	"errors"
	"iter"
	"slices"

	"github.com/holdfast-go/holdfast/stock"
)

// longest is more than any listing of a test has.
const longest = 100_000

// errEndless is what Gather says of a listing that does not end.
var errEndless = errors.New("suite: the listing does not end")

// Gather collects a listing up to its first error.
func Gather[T any](listing iter.Seq2[T, error]) ([]T, error) {
	var all []T
	for v, err := range listing {
		if err != nil {
			return all, err
		}
		if all = append(all, v); len(all) > longest {
			return all, errEndless
		}
	}
	return all, nil
}

// Paged collects a list page by page, and ends the test unless each page but the last has as many rows as it was asked for.
func Paged[T any](s Checker, limit int, list func(stock.PageRequest) (stock.Page[T], error)) (rows []T) {
	c := s.checks()
	c.Helper()
	for ask := (stock.PageRequest{Limit: limit}); ; {
		page, err := list(ask)
		c.No(err)
		rows = append(rows, page.Rows...)
		if page.Next == "" {
			return rows
		}
		c.Count("rows of a page", len(page.Rows), limit)
		ask.After = page.Next
	}
}

// GatherPages collects a list page by page, up to its first error.
func GatherPages[T any](limit int, list func(stock.PageRequest) (stock.Page[T], error)) (rows []T, err error) {
	for ask := (stock.PageRequest{Limit: limit}); ; {
		page, err := list(ask)
		if rows = append(rows, page.Rows...); err != nil || page.Next == "" || len(rows) > longest {
			return rows, err
		}
		ask.After = page.Next
	}
}

// GatherChanges is GatherPages for changes, as two stores must agree about them. The ID of a definition follows from the version of
// its item, which each store counts in its own way, and so does the order of definitions at one instant.
func GatherChanges(limit int, list func(stock.PageRequest) (stock.Page[stock.Change], error)) ([]stock.Change, error) {
	changes, err := GatherPages(limit, list)
	for from := 0; from < len(changes); {
		to := from
		for ; to < len(changes) && changes[to].Kind == stock.KindDefine && changes[to].At.Equal(changes[from].At); to++ {
			changes[to].ID = ""
		}
		slices.SortFunc(changes[from:to], func(a, b stock.Change) int {
			return cmp.Or(cmp.Compare(a.Actor, b.Actor), cmp.Compare(a.Reason, b.Reason),
				cmp.Compare(a.Entries[0].Delta.Total, b.Entries[0].Delta.Total))
		})
		from = max(to, from+1)
	}
	return changes, err
}

// Listed collects a listing that must not fail.
func Listed[T any](s Checker, listing iter.Seq2[T, error]) []T {
	c := s.checks()
	c.Helper()
	all, err := Gather(listing)
	c.No(err)
	return all
}

// Pages checks a listing of just as many as the library reads at a time, or as it reads in two or more times, of one
// more than that, and one that the caller stops. Add makes what is listed from one number up to another; is looks at
// each as it comes, by number.
func Pages[T any](s Checker, full int, stops []int, add func(from, to int), listing func() iter.Seq2[T, error], is func(n int, v T)) {
	c := s.checks()
	c.Helper()
	count := func(stop int) int {
		c.Helper()
		n := 0
		for v, err := range listing() {
			c.No(err)
			is(n, v)
			if n++; n == stop {
				break
			}
		}
		return n
	}
	add(0, full)
	c.Count("what is listed", count(-1), full)
	add(full, full+1)
	c.Count("what is listed", count(-1), full+1)
	for _, stop := range stops {
		c.Count("what is listed until it stops", count(stop), stop)
	}
}
