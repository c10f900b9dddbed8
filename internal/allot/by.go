package allot

import (
	"context"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/internal/listing"
	"github.com/holdfast-go/holdfast/stock"
)

// The kinds of changes by which an operator changes an activity or a product. No units move by them. Each has IDs of its own, made
// of the key and the version that the change led to. A definition of an activity is a stock.KindDefine.
const (
	KindApprove      stock.Kind = 10
	KindEnd          stock.Kind = 11
	KindWithdrawSale stock.Kind = 12 // of an activity
	KindRevise       stock.Kind = 13 // also the correction of a number by the Repair of group buying
	KindRemove       stock.Kind = 14
)

// By says who makes the changes of an operator, and why. The zero By is nobody, for whom nothing is recorded but what moves units.
type By struct{ Actor, Reason string }

// record returns the record of a change that leads a product, or an activity, whose SKU is 0, from a version to the next. Its ID is
// empty where nobody is named.
func (b Books[A, P]) record(kind stock.Kind, key stock.Key, version int64) stock.Change {
	if b.By.Actor == "" {
		return stock.Change{}
	}
	return stock.Change{
		Kind: kind, ID: b.Prefix + "/" + key.Serial(version+1), Entries: []stock.Entry{{Key: key}},
		Actor: b.By.Actor, Reason: b.By.Reason,
	}
}

// recordOf returns the record of the next change of an activity.
func (b Books[A, P]) recordOf(activity A, kind stock.Kind) stock.Change {
	period := b.Kind.Period(activity)
	return b.record(kind, stock.Key{Activity: period.ID}, period.Version)
}

// changePlace is the place of a change in a list.
type changePlace struct {
	At   time.Time
	Kind stock.Kind
	ID   string
}

// ChangesPage returns a page of the movements of the pool of a product, or for SKU 0 of the changes of an activity.
func (b Books[A, P]) ChangesPage(ctx context.Context, key stock.Key, page stock.PageRequest) (stock.Page[stock.Change], error) {
	if key.SKU != 0 {
		return b.Units.ChangesPage(ctx, key, page)
	}
	return listing.List[stock.Change, changePlace]{
		Read: func(after changePlace, limit int) ([]stock.Change, error) {
			return b.Kept.Changes(ctx, key, stock.Change{At: after.At, Kind: after.Kind, ID: after.ID}, limit)
		},
		At:  func(c stock.Change) changePlace { return changePlace{c.At, c.Kind, c.ID} },
		Why: func() error { _, _, err := b.Activity(ctx, key.Activity); return err },
	}.Page(page, fmt.Sprint("changes of ", key))
}
