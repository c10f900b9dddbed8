package stocktest

import (
	"context"
	"time"

	"github.com/holdfast-go/holdfast/stock"
)

// wire stands between an inventory and its store as a network does: it may break before a call
// is sent, or lose the answer of a call that was done. Set send and reply before the first call.
type wire struct {
	store stock.Store
	send  func(call string) error // before the call; nil lets all of them through
	reply func(call string) error // after a call that was done; nil lets all answers through
}

// answer is what a store method with two results returns.
type answer[A, B any] struct {
	first  A
	second B
}

// over makes one call over the wire.
func over[T any](w *wire, name string, call func() (T, error)) (T, error) {
	var none T
	if w.send != nil {
		if err := w.send(name); err != nil {
			return none, err
		}
	}
	got, err := call()
	if err != nil {
		return none, err
	}
	if w.reply != nil {
		if err := w.reply(name); err != nil {
			return none, err
		}
	}
	return got, nil
}

// Create implements stock.Store.
func (w *wire) Create(ctx context.Context, item stock.Item) (stock.Verdict, error) {
	return over(w, "Create", func() (stock.Verdict, error) { return w.store.Create(ctx, item) })
}

// Change implements stock.Store.
func (w *wire) Change(ctx context.Context, from stock.Item, to stock.Terms, total int64) (stock.Verdict, error) {
	return over(w, "Change", func() (stock.Verdict, error) { return w.store.Change(ctx, from, to, total) })
}

// Items implements stock.Store.
func (w *wire) Items(ctx context.Context, buyer int64, keys []stock.Key) ([]stock.Standing, time.Time, error) {
	a, err := over(w, "Items", func() (a answer[[]stock.Standing, time.Time], err error) {
		a.first, a.second, err = w.store.Items(ctx, buyer, keys)
		return a, err
	})
	return a.first, a.second, err
}

// List implements stock.Store.
func (w *wire) List(ctx context.Context, after stock.Key, limit int) ([]stock.Item, error) {
	return over(w, "List", func() ([]stock.Item, error) { return w.store.List(ctx, after, limit) })
}

// Lock implements stock.Store. It keeps the reason of a refusal to itself, so that the inventory
// looks for it over the wire.
func (w *wire) Lock(ctx context.Context, order stock.Order, holdFor time.Duration) (stock.Locking, error) {
	return over(w, "Lock", func() (stock.Locking, error) {
		locking, err := w.store.Lock(ctx, order, holdFor)
		locking.Why = nil
		return locking, err
	})
}

// Move implements stock.Store.
func (w *wire) Move(ctx context.Context, step stock.Step, order string, fence int64) (stock.Verdict, error) {
	return over(w, "Move", func() (stock.Verdict, error) { return w.store.Move(ctx, step, order, fence) })
}

// Close implements stock.Store.
func (w *wire) Close(ctx context.Context, order string) (stock.Verdict, error) {
	return over(w, "Close", func() (stock.Verdict, error) { return w.store.Close(ctx, order) })
}

// Fence implements stock.Store.
func (w *wire) Fence(ctx context.Context, order string) (stock.Verdict, error) {
	return over(w, "Fence", func() (stock.Verdict, error) { return w.store.Fence(ctx, order) })
}

// SetDeadline implements stock.Store.
func (w *wire) SetDeadline(ctx context.Context, h stock.Hold, deadline time.Time) (stock.Verdict, error) {
	return over(w, "SetDeadline", func() (stock.Verdict, error) { return w.store.SetDeadline(ctx, h, deadline) })
}

// Hold implements stock.Store.
func (w *wire) Hold(ctx context.Context, order string) (stock.Hold, time.Time, error) {
	a, err := over(w, "Hold", func() (a answer[stock.Hold, time.Time], err error) {
		a.first, a.second, err = w.store.Hold(ctx, order)
		return a, err
	})
	return a.first, a.second, err
}

// Holds implements stock.Store.
func (w *wire) Holds(ctx context.Context, filter stock.Filter, after stock.Cursor, limit int) ([]stock.Hold, error) {
	return over(w, "Holds", func() ([]stock.Hold, error) { return w.store.Holds(ctx, filter, after, limit) })
}

// Due implements stock.Store.
func (w *wire) Due(ctx context.Context, keys []stock.Key, limit int) ([]string, error) {
	return over(w, "Due", func() ([]string, error) { return w.store.Due(ctx, keys, limit) })
}

// Expire implements stock.Store.
func (w *wire) Expire(ctx context.Context, orders []string) ([]string, error) {
	return over(w, "Expire", func() ([]string, error) { return w.store.Expire(ctx, orders) })
}

// Refund implements stock.Store.
func (w *wire) Refund(ctx context.Context, refund stock.Refunding, h stock.Hold, to stock.State) (stock.Verdict, error) {
	return over(w, "Refund", func() (stock.Verdict, error) { return w.store.Refund(ctx, refund, h, to) })
}

// Refunding implements stock.Store.
func (w *wire) Refunding(ctx context.Context, id string) (stock.Refunding, error) {
	return over(w, "Refunding", func() (stock.Refunding, error) { return w.store.Refunding(ctx, id) })
}

// Apply implements stock.Store.
func (w *wire) Apply(ctx context.Context, change stock.Change) (stock.Verdict, error) {
	return over(w, "Apply", func() (stock.Verdict, error) { return w.store.Apply(ctx, change) })
}

// Applied implements stock.Store.
func (w *wire) Applied(ctx context.Context, kind stock.Kind, id string) (stock.Change, error) {
	return over(w, "Applied", func() (stock.Change, error) { return w.store.Applied(ctx, kind, id) })
}

// Book implements stock.Store.
func (w *wire) Book(ctx context.Context, key stock.Key) (stock.Book, error) {
	return over(w, "Book", func() (stock.Book, error) { return w.store.Book(ctx, key) })
}

var _ stock.Store = (*wire)(nil)
