package groupbuytest

import (
	"context"
	"errors"
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// over returns groups over a wire.
func (s *scene) over(w suite.Wire) *groupbuy.Groups { return s.groups.On(Over(w, s.Store)) }

// Over returns a store behind a wire.
func Over(w suite.Wire, store groupbuy.Store) groupbuy.Store { return &wire{w, suite.InTurn(store)} }

// Turns returns stores on the same tables as one store, whose calls they get in turn.
func Turns(stores ...groupbuy.Store) groupbuy.Store {
	return &wire{suite.Through(), suite.InTurn(stores...)}
}

// A wire is a store behind a wire.
type wire struct {
	suite.Wire

	store func() groupbuy.Store // whose turn it is
}

// Units is no call itself: nothing is sent.
func (w *wire) Units() stock.Store {
	return suite.WireUnits(func() stock.Store { return w.store().Units() }, w.Wire, reasonOfTeam)
}

// reasonOfTeam reports whether a reason is that of a team, which belongs to the answer. That of an item a store need not know.
func reasonOfTeam(why error) bool {
	_, ofTeam := fault.As[*groupbuy.TeamError](why)
	return ofTeam || errors.Is(why, groupbuy.ErrDuplicateCode)
}

func (w *wire) SaveActivity(ctx context.Context, activity groupbuy.Activity, ended bool, by stock.Change) (stock.Verdict, error) {
	return suite.Over(w.Wire, w.store().SaveActivity)(ctx, activity, ended, by)
}

func (w *wire) Activity(ctx context.Context, id int64) (groupbuy.Activity, time.Time, error) {
	return suite.Over(w.Wire, w.store().Activity)(ctx, id)
}

func (w *wire) Activities(ctx context.Context, after int64, limit int) ([]groupbuy.Activity, error) {
	return suite.Over(w.Wire, w.store().Activities)(ctx, after, limit)
}

func (w *wire) ActivitiesIn(
	ctx context.Context, state groupbuy.ActivityState, after groupbuy.Activity, limit int,
) ([]groupbuy.Activity, error) {
	return suite.Over(w.Wire, w.store().ActivitiesIn)(ctx, state, after, limit)
}

func (w *wire) DueActivities(ctx context.Context, limit int) ([]groupbuy.Activity, error) {
	return suite.Over(w.Wire, w.store().DueActivities)(ctx, limit)
}

func (w *wire) SaveProduct(ctx context.Context, product groupbuy.Product, by stock.Change) (stock.Verdict, error) {
	return suite.Over(w.Wire, w.store().SaveProduct)(ctx, product, by)
}

func (w *wire) Offer(ctx context.Context, key stock.Key) (groupbuy.Offer, time.Time, error) {
	return suite.Over(w.Wire, w.store().Offer)(ctx, key)
}

func (w *wire) Products(ctx context.Context, activity, after int64, limit int) ([]groupbuy.Product, error) {
	return suite.Over(w.Wire, w.store().Products)(ctx, activity, after, limit)
}

func (w *wire) DueProducts(ctx context.Context, after stock.Key, limit int) ([]groupbuy.Product, error) {
	return suite.Over(w.Wire, w.store().DueProducts)(ctx, after, limit)
}

func (w *wire) Shelf(ctx context.Context, after groupbuy.ShelfCursor, limit int) ([]groupbuy.Offer, time.Time, error) {
	return suite.Over(w.Wire, w.store().Shelf)(ctx, after, limit)
}

func (w *wire) Seat(ctx context.Context, order string) (groupbuy.Seat, groupbuy.Team, time.Time, error) {
	return suite.Over(w.Wire, w.store().Seat)(ctx, order)
}

func (w *wire) Team(ctx context.Context, code string, product stock.Key) (groupbuy.Team, time.Time, error) {
	return suite.Over(w.Wire, w.store().Team)(ctx, code, product)
}

func (w *wire) Seats(ctx context.Context, filter groupbuy.SeatFilter, after groupbuy.SeatCursor, limit int) ([]groupbuy.Seat, error) {
	return suite.Over(w.Wire, w.store().Seats)(ctx, filter, after, limit)
}

func (w *wire) Teams(ctx context.Context, filter groupbuy.TeamFilter, after groupbuy.TeamCursor, limit int) ([]groupbuy.Team, error) {
	return suite.Over(w.Wire, w.store().Teams)(ctx, filter, after, limit)
}

func (w *wire) LateSeats(ctx context.Context, team string, limit int) ([]string, error) {
	return suite.Over(w.Wire, w.store().LateSeats)(ctx, team, limit)
}

func (w *wire) LateTeams(ctx context.Context, limit int) ([]groupbuy.Team, error) {
	return suite.Over(w.Wire, w.store().LateTeams)(ctx, limit)
}

func (w *wire) Unfinished(ctx context.Context, key stock.Key) (bool, error) {
	return suite.Over(w.Wire, w.store().Unfinished)(ctx, key)
}

func (w *wire) End(ctx context.Context, endings []groupbuy.TeamEnd) ([]stock.Verdict, error) {
	return suite.Over(w.Wire, w.store().End)(ctx, endings)
}

func (w *wire) Late(ctx context.Context, order string) (stock.Verdict, error) {
	return suite.Over(w.Wire, w.store().Late)(ctx, order)
}

func (w *wire) Follow(ctx context.Context, orders []string) ([]string, error) {
	return suite.Over(w.Wire, w.store().Follow)(ctx, orders)
}

func (w *wire) Return(ctx context.Context, order string) (stock.Verdict, error) {
	return suite.Over(w.Wire, w.store().Return)(ctx, order)
}

func (w *wire) Books(ctx context.Context, key stock.Key, after string, limit int) ([]groupbuy.TeamBook, error) {
	return suite.Over(w.Wire, w.store().Books)(ctx, key, after, limit)
}

func (w *wire) FormedPeople(ctx context.Context, key stock.Key) (groupbuy.FormedBook, error) {
	return suite.Over(w.Wire, w.store().FormedPeople)(ctx, key)
}

func (w *wire) Correct(ctx context.Context, book groupbuy.TeamBook, by ...stock.Change) (stock.Verdict, error) {
	return suite.Over(w.Wire, w.store().Correct)(ctx, book, by...)
}

func (w *wire) CorrectFormed(ctx context.Context, book groupbuy.FormedBook, by stock.Change) (stock.Verdict, error) {
	return suite.Over(w.Wire, w.store().CorrectFormed)(ctx, book, by)
}

func (w *wire) Await(ctx context.Context, of groupbuy.Subject) error {
	return suite.Over(w.Wire, w.store().Await)(ctx, of)
}
