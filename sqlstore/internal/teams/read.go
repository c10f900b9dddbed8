package teams

import (
	"context"
	"database/sql"
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/sqlstore/internal/activities"
	"github.com/holdfast-go/holdfast/sqlstore/internal/ledger"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// SaveActivity implements groupbuy.Store.
func (g *Store) SaveActivity(ctx context.Context, a groupbuy.Activity, ended bool, by stock.Change) (stock.Verdict, error) {
	return g.books.SaveActivity(ctx, a, ended, by)
}

// SaveProduct implements groupbuy.Store.
func (g *Store) SaveProduct(ctx context.Context, p groupbuy.Product, by stock.Change) (stock.Verdict, error) {
	return g.books.SaveProduct(ctx, p, by, nil, nil)
}

// Activity implements groupbuy.Store.
func (g *Store) Activity(ctx context.Context, id int64) (groupbuy.Activity, time.Time, error) {
	return g.books.Activity(ctx, id)
}

// Activities implements groupbuy.Store.
func (g *Store) Activities(ctx context.Context, after int64, limit int) ([]groupbuy.Activity, error) {
	return g.books.Activities(ctx, after, limit)
}

// DueActivities implements groupbuy.Store.
func (g *Store) DueActivities(ctx context.Context, limit int) ([]groupbuy.Activity, error) {
	return g.books.DueActivities(ctx, limit)
}

// Offer implements groupbuy.Store. Concurrent calls share one read, since each seat needs one.
func (g *Store) Offer(ctx context.Context, key stock.Key) (groupbuy.Offer, time.Time, error) {
	entry, now, err := g.books.Entry(ctx, key)
	return groupbuy.Offer{Product: entry.Product, Activity: entry.Activity}, now, err
}

// Products implements groupbuy.Store.
func (g *Store) Products(ctx context.Context, activity, after int64, limit int) ([]groupbuy.Product, error) {
	return g.books.Products(ctx, activity, after, limit)
}

// DueProducts implements groupbuy.Store.
func (g *Store) DueProducts(ctx context.Context, after stock.Key, limit int) ([]groupbuy.Product, error) {
	return g.books.DueProducts(ctx, after, limit)
}

// offerTargets scan productColumns and activityColumns.
func offerTargets(o *groupbuy.Offer) []any {
	return append(productTargets(&o.Product), activityTargets(&o.Activity)...)
}

// ActivitiesIn implements groupbuy.Store.
func (g *Store) ActivitiesIn(
	ctx context.Context, state groupbuy.ActivityState, after groupbuy.Activity, limit int,
) ([]groupbuy.Activity, error) {
	return g.books.ActivitiesIn(ctx, g.sql.activitiesIn[state], after, state == groupbuy.ActivityEnded, limit)
}

// Shelf implements groupbuy.Store.
func (g *Store) Shelf(ctx context.Context, after groupbuy.ShelfCursor, limit int) ([]groupbuy.Offer, time.Time, error) {
	var clock int64
	query := mysql.Render(g.sql.shelf, after.Key == stock.Key{}, after.Sort, after.Sort, after.Activity, after.Activity, after.SKU, limit)
	offers, err := ledger.ListOf(ctx, g.units, g.units.Show, query,
		activities.Scan(func(o *groupbuy.Offer) []any { return append(offerTargets(o), &clock) }))
	now, err := g.units.Moment(ctx, clock, err)
	return offers, now, err
}

// Unfinished implements groupbuy.Store. In the caller's transaction it locks the item, so that no team of it can be opened
// or ended, and reads the teams with a lock: those that were opened since its snapshot are not in that. A team that lives has units.
// Where nobody has any, it locks no teams: it would lock the gap where there are none.
func (g *Store) Unfinished(ctx context.Context, key stock.Key) (bool, error) {
	taken, err := g.books.LockItem(ctx, key)
	if err != nil || g.units.Bound() && taken == 0 {
		return false, err
	}
	var lock string
	if g.units.Bound() {
		lock = " FOR UPDATE"
	}
	unfinished := false
	err = g.units.Query(ctx, mysql.Render(g.sql.unfinished(lock), key.Activity, key.SKU, key.Activity, key.SKU), func(*sql.Rows) error {
		unfinished = true
		return nil
	})
	return unfinished, err
}
