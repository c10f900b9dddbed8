package saletest

import (
	"context"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/sale"
)

// Over returns a store behind a wire.
func Over(w suite.Wire, store sale.Store) sale.Store { return &wire{w, suite.InTurn(store)} }

// Turns returns stores on the same tables as one store, whose calls they get in turn.
func Turns(stores ...sale.Store) sale.Store { return &wire{suite.Through(), suite.InTurn(stores...)} }

// A wire is a store behind a wire.
type wire struct {
	suite.Wire

	store func() sale.Store // whose turn it is
}

// Units is no call itself: nothing is sent.
func (w *wire) Units() stock.Store {
	return suite.WireUnits(func() stock.Store { return w.store().Units() }, w.Wire, nil)
}

func (w *wire) SaveActivity(ctx context.Context, activity sale.Activity, ended bool, by stock.Change) (stock.Verdict, error) {
	return suite.Over(w.Wire, w.store().SaveActivity)(ctx, activity, ended, by)
}

func (w *wire) Activity(ctx context.Context, id int64) (sale.Activity, time.Time, error) {
	return suite.Over(w.Wire, w.store().Activity)(ctx, id)
}

func (w *wire) Activities(ctx context.Context, after int64, limit int) ([]sale.Activity, error) {
	return suite.Over(w.Wire, w.store().Activities)(ctx, after, limit)
}

func (w *wire) ActivitiesIn(ctx context.Context, state sale.State, after sale.Activity, limit int) ([]sale.Activity, error) {
	return suite.Over(w.Wire, w.store().ActivitiesIn)(ctx, state, after, limit)
}

func (w *wire) DueActivities(ctx context.Context, limit int) ([]sale.Activity, error) {
	return suite.Over(w.Wire, w.store().DueActivities)(ctx, limit)
}

func (w *wire) SaveProduct(ctx context.Context, product sale.Product, by stock.Change) (stock.Verdict, error) {
	return suite.Over(w.Wire, w.store().SaveProduct)(ctx, product, by)
}

func (w *wire) TellStarted(ctx context.Context, limit int) (int, error) {
	return suite.Over(w.Wire, w.store().TellStarted)(ctx, limit)
}

func (w *wire) Offer(ctx context.Context, key stock.Key) (sale.Offer, time.Time, error) {
	return suite.Over(w.Wire, w.store().Offer)(ctx, key)
}

func (w *wire) Products(ctx context.Context, activity, after int64, limit int) ([]sale.Product, error) {
	return suite.Over(w.Wire, w.store().Products)(ctx, activity, after, limit)
}

func (w *wire) DueProducts(ctx context.Context, after stock.Key, limit int) ([]sale.Product, error) {
	return suite.Over(w.Wire, w.store().DueProducts)(ctx, after, limit)
}

func (w *wire) Prices(ctx context.Context, keys []stock.Key, at time.Time) (map[stock.Key]sale.LinePrice, error) {
	return suite.Over(w.Wire, w.store().Prices)(ctx, keys, at)
}

func (w *wire) Shelf(
	ctx context.Context, query sale.ShelfQuery, after sale.ShelfCursor, limit int,
) ([]sale.ShelfItem, time.Time, error) {
	return suite.Over(w.Wire, w.store().Shelf)(ctx, query, after, limit)
}

func (w *wire) Best(ctx context.Context, limit int) ([]stock.Key, error) {
	return suite.Over(w.Wire, w.store().Best)(ctx, limit)
}

func (w *wire) Look(ctx context.Context, keys []stock.Key) (map[stock.Key]sale.ShelfItem, time.Time, error) {
	return suite.Over(w.Wire, w.store().Look)(ctx, keys)
}

func (w *wire) Buyers(ctx context.Context, keys []stock.Key) (map[stock.Key]int64, error) {
	return suite.Over(w.Wire, w.store().Buyers)(ctx, keys)
}

func (w *wire) Await(ctx context.Context, activity int64, product stock.Key) error {
	return suite.Over(w.Wire, w.store().Await)(ctx, activity, product)
}
