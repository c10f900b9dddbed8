package coupontest

import (
	"context"
	"time"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// over returns coupons over a wire.
func (s *scene) over(w suite.Wire) *coupon.Coupons { return s.shop.On(&wire{w, suite.InTurn(s.Store)}) }

// Turns returns stores on the same tables as one store, whose calls they get in turn.
func Turns(stores ...coupon.Store) coupon.Store {
	return &wire{suite.Through(), suite.InTurn(stores...)}
}

// A wire is a store behind a wire.
type wire struct {
	suite.Wire

	store func() coupon.Store // whose turn it is
}

// Units is no call itself: nothing is sent.
func (w *wire) Units() stock.Store {
	return suite.WireUnits(func() stock.Store { return w.store().Units() }, w.Wire, nil)
}

func (w *wire) AddTerms(ctx context.Context, campaign, no int64, terms coupon.Terms) (stock.Verdict, error) {
	return suite.Over(w.Wire, w.store().AddTerms)(ctx, campaign, no, terms)
}

func (w *wire) Terms(ctx context.Context, campaign, no int64) (coupon.Terms, bool, error) {
	return suite.Over(w.Wire, w.store().Terms)(ctx, campaign, no)
}

func (w *wire) Coupon(ctx context.Context, id string) (coupon.Coupon, time.Time, error) {
	return suite.Over(w.Wire, w.store().Coupon)(ctx, id)
}

func (w *wire) ByCode(ctx context.Context, code string) (coupon.Coupon, time.Time, error) {
	return suite.Over(w.Wire, w.store().ByCode)(ctx, code)
}

func (w *wire) Wallet(
	ctx context.Context, buyer string, statuses []coupon.Status, after coupon.Cursor, limit int,
) ([]coupon.Coupon, time.Time, error) {
	return suite.Over(w.Wire, w.store().Wallet)(ctx, buyer, statuses, after, limit)
}

func (w *wire) Use(ctx context.Context, step coupon.Step, use coupon.Use, holdFor time.Duration) (stock.Verdict, error) {
	return suite.Over(w.Wire, w.store().Use)(ctx, step, use, holdFor)
}

func (w *wire) TellExpiry(ctx context.Context, lead time.Duration, limit int) (int, error) {
	return suite.Over(w.Wire, w.store().TellExpiry)(ctx, lead, limit)
}

func (w *wire) UseOf(ctx context.Context, coupon, order string) (coupon.Use, time.Time, error) {
	return suite.Over(w.Wire, w.store().UseOf)(ctx, coupon, order)
}

func (w *wire) Uses(ctx context.Context, coupon string) ([]coupon.Use, error) {
	return suite.Over(w.Wire, w.store().Uses)(ctx, coupon)
}

func (w *wire) UsedBy(ctx context.Context, order string) ([]coupon.Use, error) {
	return suite.Over(w.Wire, w.store().UsedBy)(ctx, order)
}

func (w *wire) AddCodes(
	ctx context.Context, campaign, have int64, codes []string, actor, reason string,
) ([]int64, stock.Verdict, error) {
	return suite.Over(w.Wire, w.store().AddCodes)(ctx, campaign, have, codes, actor, reason)
}

func (w *wire) Codes(ctx context.Context, campaign int64) (int64, error) {
	return suite.Over(w.Wire, w.store().Codes)(ctx, campaign)
}

func (w *wire) AddBatch(ctx context.Context, batch coupon.Batch) (stock.Verdict, error) {
	return suite.Over(w.Wire, w.store().AddBatch)(ctx, batch)
}

func (w *wire) Batch(ctx context.Context, id string) (coupon.Batch, []coupon.Grant, error) {
	return suite.Over(w.Wire, w.store().Batch)(ctx, id)
}

func (w *wire) Issue(
	ctx context.Context, batch coupon.Batch, orders []stock.Order, holdFor time.Duration, all bool,
) ([]coupon.Grant, error) {
	return suite.Over(w.Wire, w.store().Issue)(ctx, batch, orders, holdFor, all)
}

func (w *wire) Count(ctx context.Context, campaign int64) (coupon.Count, error) {
	return suite.Over(w.Wire, w.store().Count)(ctx, campaign)
}

func (w *wire) Book(ctx context.Context, campaign int64) (coupon.Book, error) {
	return suite.Over(w.Wire, w.store().Book)(ctx, campaign)
}
