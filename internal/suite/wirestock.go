package suite

import (
	"context"
	"time"

	"github.com/holdfast-go/holdfast/stock"
)

// WireStock returns a store of stock behind a wire.
func WireStock(store stock.Store, w Wire) stock.Store { return &wiredStock{store: store, Wire: w} }

// WireUnits returns the units of another domain behind its wire. The reason of a refusal that is the domain's own belongs to
// the answer; ownReason may be nil.
func WireUnits(units stock.Store, w Wire, ownReason func(error) bool) stock.Store {
	w.prefix = Units
	return &wiredStock{store: units, Wire: w, ownReason: ownReason}
}

// A wiredStock is a stock.Store behind a wire.
type wiredStock struct {
	Wire

	store     stock.Store
	ownReason func(error) bool
}

// Lock keeps the reason why an item refused to itself, so that the domain looks for it over the wire.
func (w *wiredStock) Lock(ctx context.Context, order stock.Order, holdFor time.Duration) (stock.Locking, error) {
	locking, err := Over(w.Wire, w.store.Lock)(ctx, order, holdFor)
	if w.ownReason == nil || !w.ownReason(locking.Why) {
		locking.Why = nil
	}
	return locking, err
}

func (w *wiredStock) Create(ctx context.Context, item stock.Item) (stock.Verdict, error) {
	return Over(w.Wire, w.store.Create)(ctx, item)
}

func (w *wiredStock) Change(ctx context.Context, from stock.Item, to stock.Terms, total int64) (stock.Verdict, error) {
	return Over(w.Wire, w.store.Change)(ctx, from, to, total)
}

func (w *wiredStock) Items(ctx context.Context, buyer string, keys []stock.Key) ([]stock.Standing, time.Time, error) {
	return Over(w.Wire, w.store.Items)(ctx, buyer, keys)
}

func (w *wiredStock) List(ctx context.Context, after stock.Key, limit int) ([]stock.Item, error) {
	return Over(w.Wire, w.store.List)(ctx, after, limit)
}

func (w *wiredStock) Move(ctx context.Context, step stock.Step, order string, fence int64) (stock.Verdict, error) {
	return Over(w.Wire, w.store.Move)(ctx, step, order, fence)
}

func (w *wiredStock) Close(ctx context.Context, order string) (stock.Verdict, error) {
	return Over(w.Wire, w.store.Close)(ctx, order)
}

func (w *wiredStock) Fence(ctx context.Context, order string) (stock.Verdict, error) {
	return Over(w.Wire, w.store.Fence)(ctx, order)
}

func (w *wiredStock) SetDeadline(ctx context.Context, hold stock.Hold, deadline time.Time) (stock.Verdict, error) {
	return Over(w.Wire, w.store.SetDeadline)(ctx, hold, deadline)
}

func (w *wiredStock) Hold(ctx context.Context, order string) (stock.Hold, time.Time, error) {
	return Over(w.Wire, w.store.Hold)(ctx, order)
}

func (w *wiredStock) Holds(ctx context.Context, filter stock.Filter, after stock.Cursor, limit int) ([]stock.Hold, error) {
	return Over(w.Wire, w.store.Holds)(ctx, filter, after, limit)
}

func (w *wiredStock) Due(ctx context.Context, keys []stock.Key, limit int) ([]string, error) {
	return Over(w.Wire, w.store.Due)(ctx, keys, limit)
}

func (w *wiredStock) Expire(ctx context.Context, orders []string) ([]string, error) {
	return Over(w.Wire, w.store.Expire)(ctx, orders)
}

func (w *wiredStock) Refund(ctx context.Context, refund stock.Refunding, hold stock.Hold) (stock.Refunding, stock.Verdict, error) {
	return Over(w.Wire, w.store.Refund)(ctx, refund, hold)
}

func (w *wiredStock) Refunding(ctx context.Context, id string) (stock.Refunding, error) {
	return Over(w.Wire, w.store.Refunding)(ctx, id)
}

func (w *wiredStock) Apply(ctx context.Context, change stock.Change) (stock.Verdict, error) {
	return Over(w.Wire, w.store.Apply)(ctx, change)
}

func (w *wiredStock) Applied(ctx context.Context, kind stock.Kind, id string) (stock.Change, error) {
	return Over(w.Wire, w.store.Applied)(ctx, kind, id)
}

func (w *wiredStock) Book(ctx context.Context, key stock.Key) (stock.Book, error) {
	return Over(w.Wire, w.store.Book)(ctx, key)
}
