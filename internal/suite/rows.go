package suite

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/holdfast-go/holdfast/stock"
)

// errRow refuses a call whose row is there already.
var errRow = errors.New("suite: the shop has this row")

// MemoryRows has a store keep the rows of a shop that its calls carry, each of them once. Along returns the store with a row for its
// next call, and rows the rows that are kept.
func MemoryRows(store *stock.Memory) (along func(row string) stock.Store, rows func() []string) {
	kept := map[string]bool{}
	store.OnAlong = func(_ context.Context, calls []stock.MemoryRow) error {
		row := calls[0].Text
		if kept[row] {
			return errRow
		}
		kept[row] = true
		return nil
	}
	along = func(row string) stock.Store { return store.Along(row) }
	return along, func() []string { return slices.Sorted(maps.Keys(kept)) }
}
