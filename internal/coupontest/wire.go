package coupontest

import (
	"context"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/wiretest"
	"github.com/holdfast-go/holdfast/stock"
)

// wire stands between coupons and their store as a network does: it may break before a call is sent,
// or lose the answer of a call that was done. Calls of the store of the units count as well; their
// names begin with Units. Set send and reply before the first call.
type wire struct {
	store coupon.Store
	send  func(call string) error // before the call; nil lets all of them through
	reply func(call string) error // after a call that was done; nil lets all answers through
	book  func(*coupon.Book)      // changes what Book answers; nil leaves it alone
}

// unitsPrefix is in front of the names of the calls of the units' store.
const unitsPrefix = "Units."

// changes reports whether a method, as the wire names it, changes something.
func changes(call string) bool {
	if units, ok := strings.CutPrefix(call, unitsPrefix); ok {
		return wiretest.Changes(units)
	}
	switch call {
	case "Terms", "Coupon", "ByCode", "Wallet", "UseOf", "Uses", "UsedBy", "Codes", "Batch", "Count", "Book":
		return false
	}
	return true
}

// over makes one call over the wire.
func over[T any](w *wire, name string, call func() (T, error)) (T, error) {
	return wiretest.Over(w.send, w.reply, name, call)
}

// over2 makes one call with two results over the wire.
func over2[A, B any](w *wire, name string, call func() (A, B, error)) (A, B, error) {
	return wiretest.Over2(w.send, w.reply, name, call)
}

// Units implements coupon.Store. It is no call itself: nothing is sent.
func (w *wire) Units() stock.Store {
	units := &wiretest.Stock{Prefix: unitsPrefix, Send: w.send, Reply: w.reply}
	if w.store != nil {
		units.Store = w.store.Units()
	}
	return units
}

// AddTerms implements coupon.Store.
func (w *wire) AddTerms(ctx context.Context, campaign, no int64, terms coupon.Terms) (stock.Verdict, error) {
	return over(w, "AddTerms", func() (stock.Verdict, error) { return w.store.AddTerms(ctx, campaign, no, terms) })
}

// Terms implements coupon.Store.
func (w *wire) Terms(ctx context.Context, campaign, no int64) (coupon.Terms, bool, error) {
	return over2(w, "Terms", func() (coupon.Terms, bool, error) { return w.store.Terms(ctx, campaign, no) })
}

// Coupon implements coupon.Store.
func (w *wire) Coupon(ctx context.Context, id string) (coupon.Coupon, time.Time, error) {
	return over2(w, "Coupon", func() (coupon.Coupon, time.Time, error) { return w.store.Coupon(ctx, id) })
}

// ByCode implements coupon.Store.
func (w *wire) ByCode(ctx context.Context, code string) (coupon.Coupon, time.Time, error) {
	return over2(w, "ByCode", func() (coupon.Coupon, time.Time, error) { return w.store.ByCode(ctx, code) })
}

// Wallet implements coupon.Store.
func (w *wire) Wallet(ctx context.Context, buyer string, statuses []coupon.Status, after coupon.Cursor, limit int) ([]coupon.Coupon, time.Time, error) {
	return over2(w, "Wallet", func() ([]coupon.Coupon, time.Time, error) {
		return w.store.Wallet(ctx, buyer, statuses, after, limit)
	})
}

// Use implements coupon.Store.
func (w *wire) Use(ctx context.Context, step coupon.Step, use coupon.Use, holdFor time.Duration) (stock.Verdict, error) {
	return over(w, "Use", func() (stock.Verdict, error) { return w.store.Use(ctx, step, use, holdFor) })
}

// UseOf implements coupon.Store.
func (w *wire) UseOf(ctx context.Context, id, order string) (coupon.Use, time.Time, error) {
	return over2(w, "UseOf", func() (coupon.Use, time.Time, error) { return w.store.UseOf(ctx, id, order) })
}

// Uses implements coupon.Store.
func (w *wire) Uses(ctx context.Context, id string) ([]coupon.Use, error) {
	return over(w, "Uses", func() ([]coupon.Use, error) { return w.store.Uses(ctx, id) })
}

// UsedBy implements coupon.Store.
func (w *wire) UsedBy(ctx context.Context, order string) ([]coupon.Use, error) {
	return over(w, "UsedBy", func() ([]coupon.Use, error) { return w.store.UsedBy(ctx, order) })
}

// AddCodes implements coupon.Store.
func (w *wire) AddCodes(ctx context.Context, campaign, have int64, codes []string) ([]int64, stock.Verdict, error) {
	return over2(w, "AddCodes", func() ([]int64, stock.Verdict, error) { return w.store.AddCodes(ctx, campaign, have, codes) })
}

// Codes implements coupon.Store.
func (w *wire) Codes(ctx context.Context, campaign int64) (int64, error) {
	return over(w, "Codes", func() (int64, error) { return w.store.Codes(ctx, campaign) })
}

// AddBatch implements coupon.Store.
func (w *wire) AddBatch(ctx context.Context, batch coupon.Batch) (stock.Verdict, error) {
	return over(w, "AddBatch", func() (stock.Verdict, error) { return w.store.AddBatch(ctx, batch) })
}

// Batch implements coupon.Store.
func (w *wire) Batch(ctx context.Context, id string) (coupon.Batch, []coupon.Granted, error) {
	return over2(w, "Batch", func() (coupon.Batch, []coupon.Granted, error) { return w.store.Batch(ctx, id) })
}

// Issue implements coupon.Store.
func (w *wire) Issue(ctx context.Context, batch coupon.Batch, orders []stock.Order, holdFor time.Duration, all bool) ([]coupon.Granted, error) {
	return over(w, "Issue", func() ([]coupon.Granted, error) { return w.store.Issue(ctx, batch, orders, holdFor, all) })
}

// Count implements coupon.Store.
func (w *wire) Count(ctx context.Context, campaign int64) (coupon.Count, error) {
	return over(w, "Count", func() (coupon.Count, error) { return w.store.Count(ctx, campaign) })
}

// Book implements coupon.Store.
func (w *wire) Book(ctx context.Context, campaign int64) (coupon.Book, error) {
	return over(w, "Book", func() (coupon.Book, error) {
		book, err := w.store.Book(ctx, campaign)
		if w.book != nil {
			w.book(&book)
		}
		return book, err
	})
}

var _ coupon.Store = (*wire)(nil)
