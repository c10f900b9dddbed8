package sqlstore_test

import (
	"context"
	"database/sql"
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// mixedGroups are groups by turns; see turns.
type mixedGroups struct {
	turns[*sqlstore.GroupBuy]
	units *mixed
}

func newMixedGroups(db *sql.DB) boundGroups {
	merged, unmerged := sqlstore.NewGroupBuy(db, &together).AlwaysBatch(), sqlstore.NewGroupBuy(db, &alone)
	return &mixedGroups{turns: turns[*sqlstore.GroupBuy]{merged: merged, unmerged: unmerged}, units: mixedUnits(merged, unmerged)}
}

func (m *mixedGroups) WithTx(tx sqlstore.Tx) *sqlstore.GroupBuy { return m.turn().WithTx(tx) }

func (m *mixedGroups) Units() stock.Store { return m.units }

func (m *mixedGroups) SaveActivity(ctx context.Context, activity groupbuy.Activity, ended bool) (stock.Verdict, error) {
	return m.turn().SaveActivity(ctx, activity, ended)
}

func (m *mixedGroups) Activity(ctx context.Context, id int64) (groupbuy.Activity, time.Time, error) {
	return m.turn().Activity(ctx, id)
}

func (m *mixedGroups) Activities(ctx context.Context, after int64, limit int) ([]groupbuy.Activity, error) {
	return m.turn().Activities(ctx, after, limit)
}

func (m *mixedGroups) DueActivities(ctx context.Context, limit int) ([]groupbuy.Activity, error) {
	return m.turn().DueActivities(ctx, limit)
}

func (m *mixedGroups) SaveProduct(ctx context.Context, product groupbuy.Product) (stock.Verdict, error) {
	return m.turn().SaveProduct(ctx, product)
}

func (m *mixedGroups) Await(ctx context.Context, of groupbuy.Subject) error {
	return m.turn().Await(ctx, of)
}

func (m *mixedGroups) Offer(ctx context.Context, key stock.Key) (groupbuy.Offer, time.Time, error) {
	return m.turn().Offer(ctx, key)
}

func (m *mixedGroups) Products(ctx context.Context, activity, after int64, limit int) ([]groupbuy.Product, error) {
	return m.turn().Products(ctx, activity, after, limit)
}

func (m *mixedGroups) DueProducts(ctx context.Context, after stock.Key, limit int) ([]groupbuy.Product, error) {
	return m.turn().DueProducts(ctx, after, limit)
}

func (m *mixedGroups) Shelf(ctx context.Context, after groupbuy.ShelfCursor, limit int) ([]groupbuy.Offer, time.Time, error) {
	return m.turn().Shelf(ctx, after, limit)
}

func (m *mixedGroups) Seat(ctx context.Context, order string) (groupbuy.Seat, groupbuy.Team, time.Time, error) {
	return m.turn().Seat(ctx, order)
}

func (m *mixedGroups) Team(ctx context.Context, code string, product stock.Key) (groupbuy.Team, time.Time, error) {
	return m.turn().Team(ctx, code, product)
}

func (m *mixedGroups) Seats(ctx context.Context, filter groupbuy.SeatFilter, after groupbuy.SeatCursor, limit int) ([]groupbuy.Seat, error) {
	return m.turn().Seats(ctx, filter, after, limit)
}

func (m *mixedGroups) Teams(ctx context.Context, filter groupbuy.TeamFilter, after groupbuy.TeamCursor, limit int) ([]groupbuy.Team, error) {
	return m.turn().Teams(ctx, filter, after, limit)
}

func (m *mixedGroups) LateSeats(ctx context.Context, team string, limit int) ([]string, error) {
	return m.turn().LateSeats(ctx, team, limit)
}

func (m *mixedGroups) LateTeams(ctx context.Context, limit int) ([]groupbuy.Team, error) {
	return m.turn().LateTeams(ctx, limit)
}

func (m *mixedGroups) Unfinished(ctx context.Context, key stock.Key) (bool, error) {
	return m.turn().Unfinished(ctx, key)
}

func (m *mixedGroups) End(ctx context.Context, endings []groupbuy.TeamEnd) ([]stock.Verdict, error) {
	return m.turn().End(ctx, endings)
}

func (m *mixedGroups) Late(ctx context.Context, order string) (stock.Verdict, error) {
	return m.turn().Late(ctx, order)
}

func (m *mixedGroups) Follow(ctx context.Context, orders []string) ([]string, error) {
	return m.turn().Follow(ctx, orders)
}

func (m *mixedGroups) DueEvents(ctx context.Context, limit int) ([]groupbuy.Event, error) {
	return m.turn().DueEvents(ctx, limit)
}

func (m *mixedGroups) Lease(ctx context.Context, event groupbuy.Event, holdFor time.Duration) (stock.Verdict, error) {
	return m.turn().Lease(ctx, event, holdFor)
}

func (m *mixedGroups) Delivered(ctx context.Context, event groupbuy.Event) (stock.Verdict, error) {
	return m.turn().Delivered(ctx, event)
}

func (m *mixedGroups) Undelivered(ctx context.Context, event groupbuy.Event, failure string, retryIn time.Duration, poison bool) (stock.Verdict, error) {
	return m.turn().Undelivered(ctx, event, failure, retryIn, poison)
}

func (m *mixedGroups) Event(ctx context.Context, code string, no int64) (groupbuy.Event, error) {
	return m.turn().Event(ctx, code, no)
}

func (m *mixedGroups) Events(ctx context.Context, code string, poisoned bool, after groupbuy.EventCursor, limit int) ([]groupbuy.Event, error) {
	return m.turn().Events(ctx, code, poisoned, after, limit)
}

func (m *mixedGroups) Books(ctx context.Context, key stock.Key, after string, limit int) ([]groupbuy.TeamBook, error) {
	return m.turn().Books(ctx, key, after, limit)
}

func (m *mixedGroups) FormedPeople(ctx context.Context, key stock.Key) (seats, counted int64, err error) {
	return m.turn().FormedPeople(ctx, key)
}

func (m *mixedGroups) Correct(ctx context.Context, book groupbuy.TeamBook) (stock.Verdict, error) {
	return m.turn().Correct(ctx, book)
}

func (m *mixedGroups) CorrectFormed(ctx context.Context, key stock.Key, by int64) error {
	return m.turn().CorrectFormed(ctx, key, by)
}
