package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
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
	a.Start, a.End, a.EndedAt = fromNullMicros(r.start), fromMicros(r.end), fromNullMicros(r.over)
	a.CreatedAt, a.UpdatedAt = fromMicros(r.created), fromMicros(r.updated)
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
	p.CreatedAt, p.UpdatedAt = fromMicros(r.created), fromMicros(r.updated)
	return p
}

// Activity implements groupbuy.Store.
func (g *GroupBuy) Activity(ctx context.Context, id int64) (groupbuy.Activity, time.Time, error) {
	if err := g.units.ready(ctx); err != nil {
		return groupbuy.Activity{}, time.Time{}, err
	}
	var activity groupbuy.Activity
	var clock int64
	err := g.units.query(ctx, g.units.current(render(g.sql.readActivity, id)), func(rows *sql.Rows) error {
		var row activityRow
		err := rows.Scan(append(row.targets(), &clock)...)
		activity = row.finish()
		return err
	})
	if err == nil && activity.Version == 0 { // no row has brought the clock
		clock, err = g.units.clock(ctx)
	}
	return activity, fromMicros(clock), err
}

// Activities implements groupbuy.Store.
func (g *GroupBuy) Activities(ctx context.Context, after int64, limit int) ([]groupbuy.Activity, error) {
	return g.activities(ctx, render(g.sql.listActivities, after, limit))
}

// DueActivities implements groupbuy.Store. It locks nothing, as all listings: who ends an activity looks for itself.
func (g *GroupBuy) DueActivities(ctx context.Context, limit int) ([]groupbuy.Activity, error) {
	return g.activities(ctx, render(g.sql.dueActivities, limit))
}

// activities lists activities.
func (g *GroupBuy) activities(ctx context.Context, query string) ([]groupbuy.Activity, error) {
	return listOf(ctx, g.units, query, func(rows *sql.Rows) (groupbuy.Activity, error) {
		var row activityRow
		err := rows.Scan(row.targets()...)
		return row.finish(), err
	})
}

// listOf reads one thing a row.
func listOf[T any](ctx context.Context, units *Stock, query string, scan func(*sql.Rows) (T, error)) ([]T, error) {
	if err := units.ready(ctx); err != nil {
		return nil, err
	}
	var all []T
	err := units.query(ctx, query, func(rows *sql.Rows) error {
		one, err := scan(rows)
		all = append(all, one)
		return err
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// offerAt is a product with its activity as it is at a moment.
type offerAt struct {
	offer groupbuy.Offer
	now   time.Time
}

// Offer implements groupbuy.Store. Those who ask at once are answered by one read: whoever takes a seat asks.
func (g *GroupBuy) Offer(ctx context.Context, key stock.Key) (groupbuy.Offer, time.Time, error) {
	if err := g.units.ready(ctx); err != nil {
		return groupbuy.Offer{}, time.Time{}, err
	}
	read := g.offer
	if g.merged != nil {
		read = g.merged.offers.do
	}
	found, err := read(ctx, struct{}{}, key)
	return found.offer, found.now, err
}

// offer reads one product. In the caller's transaction its item is locked first; the product and its activity, which
// others read as well, with a shared lock.
func (g *GroupBuy) offer(ctx context.Context, _ struct{}, key stock.Key) (offerAt, error) {
	if err := g.lockItem(ctx, key); err != nil {
		return offerAt{}, err
	}
	query := render(g.sql.offers(1), key.Activity, key.SKU)
	if g.units.bound() {
		query += " LOCK IN SHARE MODE"
	}
	offers, now, err := g.offers(ctx, query)
	return offerAt{offer: offers[key], now: now}, err
}

// offerBatch reads several.
func (g *GroupBuy) offerBatch(ctx context.Context, _ struct{}, keys []stock.Key) ([]reply[offerAt], error) {
	asked := make(map[stock.Key]bool, 1) // mostly one
	var args []any
	for _, key := range keys {
		if !asked[key] {
			asked[key] = true
			args = append(args, key.Activity, key.SKU)
		}
	}
	offers, now, err := g.offers(ctx, render(g.sql.offers(len(asked)), args...))
	if err != nil {
		return nil, err
	}
	replies := make([]reply[offerAt], len(keys))
	for i, key := range keys {
		replies[i].answer = offerAt{offer: offers[key], now: now}
	}
	return replies, nil
}

// offers reads products with their activities, and the clock.
func (g *GroupBuy) offers(ctx context.Context, query string) (map[stock.Key]groupbuy.Offer, time.Time, error) {
	found := map[stock.Key]groupbuy.Offer{}
	var clock int64
	err := g.units.query(ctx, query, func(rows *sql.Rows) error {
		offer, err := scanOffer(rows, &clock)
		found[offer.Key] = offer
		return err
	})
	if err == nil && len(found) == 0 { // no row has brought the clock
		clock, err = g.units.clock(ctx)
	}
	return found, fromMicros(clock), err
}

// scanOffer reads productColumns, activityColumns and the clock.
func scanOffer(rows *sql.Rows, clock *int64) (groupbuy.Offer, error) {
	var product productRow
	var activity activityRow
	err := rows.Scan(append(append(product.targets(), activity.targets()...), clock)...)
	return groupbuy.Offer{Product: product.finish(), Activity: activity.finish()}, err
}

// Products implements groupbuy.Store.
func (g *GroupBuy) Products(ctx context.Context, activity, after int64, limit int) ([]groupbuy.Product, error) {
	return g.products(ctx, render(g.sql.listProducts, activity, after, limit))
}

// DueProducts implements groupbuy.Store.
func (g *GroupBuy) DueProducts(ctx context.Context, after stock.Key, limit int) ([]groupbuy.Product, error) {
	return g.products(ctx, render(g.sql.dueProducts, after.Activity, after.Activity, after.SKU, limit))
}

// products lists products.
func (g *GroupBuy) products(ctx context.Context, query string) ([]groupbuy.Product, error) {
	return listOf(ctx, g.units, query, func(rows *sql.Rows) (groupbuy.Product, error) {
		var row productRow
		err := rows.Scan(row.targets()...)
		return row.finish(), err
	})
}

// Shelf implements groupbuy.Store.
func (g *GroupBuy) Shelf(ctx context.Context, after groupbuy.ShelfCursor, limit int) ([]groupbuy.Offer, time.Time, error) {
	var clock int64
	query := render(g.sql.shelf, after.Key == stock.Key{}, after.Sort, after.Sort, after.Activity, after.Activity, after.SKU, limit)
	offers, err := listOf(ctx, g.units, query, func(rows *sql.Rows) (groupbuy.Offer, error) { return scanOffer(rows, &clock) })
	if err == nil && len(offers) == 0 { // no row has brought the clock
		clock, err = g.units.clock(ctx)
	}
	if err != nil {
		return nil, time.Time{}, err
	}
	return offers, fromMicros(clock), nil
}

// Unfinished implements groupbuy.Store. In the caller's transaction the item is locked, with which nothing of it can
// change.
func (g *GroupBuy) Unfinished(ctx context.Context, key stock.Key) (bool, error) {
	if err := g.units.ready(ctx); err != nil {
		return false, err
	}
	if err := g.lockItem(ctx, key); err != nil {
		return false, err
	}
	var lock string
	if g.units.bound() {
		lock = " FOR UPDATE"
	}
	unfinished := false
	err := g.units.query(ctx, render(g.sql.unfinished(lock), key.Activity, key.SKU, key.Activity, key.SKU), func(*sql.Rows) error {
		unfinished = true
		return nil
	})
	return unfinished, err
}
