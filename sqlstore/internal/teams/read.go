package teams

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/sqlstore/internal/ledger"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// minutes scans a duration in minutes.
type minutes struct{ to *time.Duration }

// Scan implements sql.Scanner.
func (m minutes) Scan(value any) error {
	var n sql.NullInt64
	err := n.Scan(value)
	*m.to = time.Duration(n.Int64) * time.Minute
	return err
}

// activityTargets scan activityColumns.
func activityTargets(a *groupbuy.Activity) []any {
	return []any{
		&a.ID, &a.Title, &a.Image, minutes{&a.Formation}, &a.Hidden, micros{&a.Start}, micros{&a.End}, &a.Outlive, &a.Sort, micros{&a.EndedAt},
		micros{&a.CreatedAt}, micros{&a.UpdatedAt}, &a.Version,
	}
}

// productTargets scan productColumns.
func productTargets(p *groupbuy.Product) []any {
	targets := append([]any{&p.Activity, &p.SKU, &p.SPU, &p.Name, &p.Spec}, termTargets(&p.Terms)...)
	return append(targets, &p.PerOrder, &p.PerBuyer, &p.State, &p.Allotted, &p.Formed, &p.Returns, micros{&p.CreatedAt}, micros{&p.UpdatedAt},
		&p.Version)
}

// offerTargets scan productColumns and activityColumns.
func offerTargets(o *groupbuy.Offer) []any {
	return append(productTargets(&o.Product), activityTargets(&o.Activity)...)
}

// byKey reads things by their keys, and the clock.
func byKey[K comparable, T any](
	ctx context.Context, g *Store, query string, targets func(*T) []any, key func(T) K,
) (map[K]T, time.Time, error) {
	found := map[K]T{}
	var clock int64
	err := g.units.Query(ctx, query, func(rows *sql.Rows) error {
		var one T
		err := rows.Scan(append(targets(&one), &clock)...)
		found[key(one)] = one
		return err
	})
	now, err := g.units.Moment(ctx, clock, err)
	return found, now, err
}

// Activity implements groupbuy.Store.
func (g *Store) Activity(ctx context.Context, id int64) (groupbuy.Activity, time.Time, error) {
	if err := g.units.Ready(ctx); err != nil {
		return groupbuy.Activity{}, time.Time{}, err
	}
	var activity groupbuy.Activity
	var clock int64
	err := g.units.QueryAmong(ctx, mysql.Render(g.sql.readActivity, id), func(rows *sql.Rows) (bool, error) {
		err := rows.Scan(append(activityTargets(&activity), &clock)...)
		return activity.Version > 0, err
	}, g.sql.blankActivity.Of(id))
	if activity.Version == 0 { // a blank
		activity = groupbuy.Activity{}
	}
	now, err := g.units.Moment(ctx, clock, err)
	return activity, now, err
}

// Activities implements groupbuy.Store.
func (g *Store) Activities(ctx context.Context, after int64, limit int) ([]groupbuy.Activity, error) {
	return ledger.ListOf(ctx, g.units, g.units.Show, mysql.Render(g.sql.listActivities, after, limit), scan(activityTargets))
}

// DueActivities implements groupbuy.Store. It locks nothing, like all listings: the end of an activity reads it again.
func (g *Store) DueActivities(ctx context.Context, limit int) ([]groupbuy.Activity, error) {
	return ledger.ListOf(ctx, g.units, g.units.Show, mysql.Render(g.sql.dueActivities, limit), scan(activityTargets))
}

// Offer implements groupbuy.Store. Concurrent calls share one read, since each seat needs one.
func (g *Store) Offer(ctx context.Context, key stock.Key) (groupbuy.Offer, time.Time, error) {
	if err := g.units.Ready(ctx); err != nil {
		return groupbuy.Offer{}, time.Time{}, err
	}
	return g.offers.Get(ctx, key)
}

// offer reads one product. In the caller's transaction it locks the item, then the product, then the activity. The activity
// exists because the product does. Its lock is a shared one, since others read it as well.
func (g *Store) offer(ctx context.Context, key stock.Key) (groupbuy.Offer, time.Time, error) {
	if !g.units.Bound() {
		offers, now, err := g.severalOffers(ctx, []stock.Key{key})
		return offers[key], now, err
	}
	var found groupbuy.Offer
	var clock int64
	err := g.units.Among(ctx, func(q mysql.Tx) (bool, error) {
		var item, product int64
		err := mysql.ReadRow(ctx, q, mysql.Render(g.sql.lockItem, key.SKU, key.Activity), &item)
		if err == nil {
			err = mysql.ReadRow(ctx, q, mysql.Render(g.sql.lockProduct, key.Activity, key.SKU), &product)
		}
		if err != nil || product == 0 {
			return true, err
		}
		err = g.units.ReadShared(ctx, q, mysql.Render(g.sql.offers(1), key.Activity, key.SKU), "g", func(rows *sql.Rows) error {
			return rows.Scan(append(offerTargets(&found), &clock)...)
		})
		return item == 0, err
	}, g.units.SQL.BlankItems([]stock.Key{key}), g.sql.blankProduct.Of(key.Activity, key.SKU))
	now, err := g.units.Moment(ctx, clock, err)
	return found, now, err
}

// severalOffers reads several products.
func (g *Store) severalOffers(ctx context.Context, keys []stock.Key) (map[stock.Key]groupbuy.Offer, time.Time, error) {
	keys = slices.Compact(slices.SortedFunc(slices.Values(keys), stock.Key.Compare))
	var args []any
	for _, key := range keys {
		args = append(args, key.Activity, key.SKU)
	}
	return byKey(ctx, g, mysql.Render(g.sql.offers(len(keys)), args...), offerTargets, func(o groupbuy.Offer) stock.Key { return o.Key })
}

// Products implements groupbuy.Store. The end of an activity decides by it.
func (g *Store) Products(ctx context.Context, activity, after int64, limit int) ([]groupbuy.Product, error) {
	query := mysql.Render(g.sql.listProducts, activity, after, limit)
	return ledger.ListOf(ctx, g.units, g.units.Query, query, scan(productTargets))
}

// DueProducts implements groupbuy.Store.
func (g *Store) DueProducts(ctx context.Context, after stock.Key, limit int) ([]groupbuy.Product, error) {
	query := mysql.Render(g.sql.dueProducts, after.Activity, after.Activity, after.SKU, limit)
	return ledger.ListOf(ctx, g.units, g.units.Show, query, scan(productTargets))
}

// Shelf implements groupbuy.Store.
func (g *Store) Shelf(ctx context.Context, after groupbuy.ShelfCursor, limit int) ([]groupbuy.Offer, time.Time, error) {
	var clock int64
	query := mysql.Render(g.sql.shelf, after.Key == stock.Key{}, after.Sort, after.Sort, after.Activity, after.Activity, after.SKU, limit)
	offers, err := ledger.ListOf(ctx, g.units, g.units.Show, query,
		scan(func(o *groupbuy.Offer) []any { return append(offerTargets(o), &clock) }))
	now, err := g.units.Moment(ctx, clock, err)
	return offers, now, err
}

// Unfinished implements groupbuy.Store. In the caller's transaction it locks the item, so that no team of it can be
// opened or ended. Every seat that is taken changes the item's version: if the transaction's snapshot has the current
// version, it has the teams as well. Otherwise the teams are locked.
func (g *Store) Unfinished(ctx context.Context, key stock.Key) (bool, error) {
	version, err := g.lockItem(ctx, key)
	if err != nil {
		return false, err
	}
	var lock string
	if g.units.Bound() {
		seen := int64(0)
		err := g.units.Query(ctx, mysql.Render(g.sql.itemVersion, key.SKU, key.Activity), func(rows *sql.Rows) error { return rows.Scan(&seen) })
		if err != nil {
			return false, err
		}
		if seen != version {
			lock = " FOR UPDATE"
		}
	}
	unfinished := false
	err = g.units.Query(ctx, mysql.Render(g.sql.unfinished(lock), key.Activity, key.SKU, key.Activity, key.SKU), func(*sql.Rows) error {
		unfinished = true
		return nil
	})
	return unfinished, err
}
