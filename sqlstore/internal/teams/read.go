package teams

import (
	"context"
	"database/sql"
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/sqlstore/internal/ledger"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// activityRow scans activityColumns.
type activityRow struct {
	activity              groupbuy.Activity
	minutes               int64
	start, over           sql.NullInt64
	end, created, updated int64
}

func (r *activityRow) targets() []any {
	a := &r.activity
	return []any{
		&a.ID, &a.Title, &a.Image, &r.minutes, &a.Hidden, &r.start, &r.end, &a.Outlive, &a.Sort, &r.over, &r.created, &r.updated, &a.Version,
	}
}

func (r *activityRow) finish() groupbuy.Activity {
	a := r.activity
	a.Formation = time.Duration(r.minutes) * time.Minute
	a.Start, a.End, a.EndedAt = mysql.FromNullMicros(r.start), mysql.FromMicros(r.end), mysql.FromNullMicros(r.over)
	a.CreatedAt, a.UpdatedAt = mysql.FromMicros(r.created), mysql.FromMicros(r.updated)
	return a
}

// productRow scans productColumns.
type productRow struct {
	groupTermsRow

	product          groupbuy.Product
	created, updated int64
}

func (r *productRow) targets() []any {
	p := &r.product
	targets := append([]any{&p.Activity, &p.SKU, &p.SPU, &p.Name, &p.Spec}, r.groupTermsRow.targets()...)
	return append(targets, &p.PerOrder, &p.PerBuyer, &p.State, &p.Allotted, &p.Formed, &p.Returns, &r.created, &r.updated, &p.Version)
}

func (r *productRow) finish() groupbuy.Product {
	p := r.product
	p.Terms = r.groupTermsRow.finish()
	p.CreatedAt, p.UpdatedAt = mysql.FromMicros(r.created), mysql.FromMicros(r.updated)
	return p
}

// Activity implements groupbuy.Store.
func (g *Store) Activity(ctx context.Context, id int64) (groupbuy.Activity, time.Time, error) {
	if err := g.units.Ready(ctx); err != nil {
		return groupbuy.Activity{}, time.Time{}, err
	}
	var activity groupbuy.Activity
	var clock int64
	err := g.units.QueryAmong(ctx, mysql.Render(g.sql.readActivity, id), func(rows *sql.Rows) (bool, error) {
		var row activityRow
		err := rows.Scan(append(row.targets(), &clock)...)
		if row.activity.Version > 0 {
			activity = row.finish()
		}
		return row.activity.Version > 0, err
	}, g.sql.blankActivity.Of(id))
	now, err := g.units.Moment(ctx, clock, err)
	return activity, now, err
}

// Activities implements groupbuy.Store.
func (g *Store) Activities(ctx context.Context, after int64, limit int) ([]groupbuy.Activity, error) {
	return g.activities(ctx, mysql.Render(g.sql.listActivities, after, limit))
}

// DueActivities implements groupbuy.Store. It locks nothing, like all listings: whoever ends an activity looks again.
func (g *Store) DueActivities(ctx context.Context, limit int) ([]groupbuy.Activity, error) {
	return g.activities(ctx, mysql.Render(g.sql.dueActivities, limit))
}

// activities lists activities.
func (g *Store) activities(ctx context.Context, query string) ([]groupbuy.Activity, error) {
	return ledger.ListOf(ctx, g.units, g.units.Show, query, func(rows *sql.Rows) (groupbuy.Activity, error) {
		var row activityRow
		err := rows.Scan(row.targets()...)
		return row.finish(), err
	})
}

// Offer implements groupbuy.Store. Concurrent calls share one read: whoever takes a seat asks.
func (g *Store) Offer(ctx context.Context, key stock.Key) (groupbuy.Offer, time.Time, error) {
	if err := g.units.Ready(ctx); err != nil {
		return groupbuy.Offer{}, time.Time{}, err
	}
	return g.offers.Get(ctx, key)
}

// offer reads one product. In the caller's transaction it first locks its item, and then the product. It locks its
// activity, which exists because the product does, with a shared lock, since others read it as well.
func (g *Store) offer(ctx context.Context, key stock.Key) (groupbuy.Offer, time.Time, error) {
	query := mysql.Render(g.sql.offers(1), key.Activity, key.SKU)
	if !g.units.Bound() {
		offers, now, err := g.offersOf(ctx, query)
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
		err = mysql.Read(ctx, q, query+" LOCK IN SHARE MODE", func(rows *sql.Rows) (err error) {
			found, err = scanOffer(rows, &clock)
			return err
		})
		return item == 0, err
	}, g.units.SQL.BlankItems([]stock.Key{key}), g.sql.blankProduct.Of(key.Activity, key.SKU))
	now, err := g.units.Moment(ctx, clock, err)
	return found, now, err
}

// severalOffers reads several.
func (g *Store) severalOffers(ctx context.Context, keys []stock.Key) (map[stock.Key]groupbuy.Offer, time.Time, error) {
	asked := make(map[stock.Key]bool, 1) // mostly one
	var args []any
	for _, key := range keys {
		if !asked[key] {
			asked[key] = true
			args = append(args, key.Activity, key.SKU)
		}
	}
	return g.offersOf(ctx, mysql.Render(g.sql.offers(len(asked)), args...))
}

// offersOf reads products with their activities, and the clock.
func (g *Store) offersOf(ctx context.Context, query string) (map[stock.Key]groupbuy.Offer, time.Time, error) {
	found := map[stock.Key]groupbuy.Offer{}
	var clock int64
	err := g.units.Query(ctx, query, func(rows *sql.Rows) error {
		offer, err := scanOffer(rows, &clock)
		found[offer.Key] = offer
		return err
	})
	now, err := g.units.Moment(ctx, clock, err)
	return found, now, err
}

// scanOffer reads productColumns, activityColumns and the clock.
func scanOffer(rows *sql.Rows, clock *int64) (groupbuy.Offer, error) {
	var product productRow
	var activity activityRow
	err := rows.Scan(append(append(product.targets(), activity.targets()...), clock)...)
	return groupbuy.Offer{Product: product.finish(), Activity: activity.finish()}, err
}

// Products implements groupbuy.Store. Who ends an activity goes by it.
func (g *Store) Products(ctx context.Context, activity, after int64, limit int) ([]groupbuy.Product, error) {
	return g.products(ctx, g.units.Query, mysql.Render(g.sql.listProducts, activity, after, limit))
}

// DueProducts implements groupbuy.Store.
func (g *Store) DueProducts(ctx context.Context, after stock.Key, limit int) ([]groupbuy.Product, error) {
	return g.products(ctx, g.units.Show, mysql.Render(g.sql.dueProducts, after.Activity, after.Activity, after.SKU, limit))
}

// products lists products.
func (g *Store) products(ctx context.Context, by mysql.QueryFunc, query string) ([]groupbuy.Product, error) {
	return ledger.ListOf(ctx, g.units, by, query, func(rows *sql.Rows) (groupbuy.Product, error) {
		var row productRow
		err := rows.Scan(row.targets()...)
		return row.finish(), err
	})
}

// Shelf implements groupbuy.Store.
func (g *Store) Shelf(ctx context.Context, after groupbuy.ShelfCursor, limit int) ([]groupbuy.Offer, time.Time, error) {
	var clock int64
	query := mysql.Render(g.sql.shelf, after.Key == stock.Key{}, after.Sort, after.Sort, after.Activity, after.Activity, after.SKU, limit)
	offers, err := ledger.ListOf(ctx, g.units, g.units.Show, query,
		func(rows *sql.Rows) (groupbuy.Offer, error) { return scanOffer(rows, &clock) })
	now, err := g.units.Moment(ctx, clock, err)
	return offers, now, err
}

// Unfinished implements groupbuy.Store. In the caller's transaction it locks the item, so that no team of it can be
// opened or ended. Every seat that is taken changes the item's version: if the transaction's snapshot has the current
// version, it has the teams as well. Otherwise the teams are locked.
func (g *Store) Unfinished(ctx context.Context, key stock.Key) (bool, error) {
	if err := g.units.Ready(ctx); err != nil {
		return false, err
	}
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
