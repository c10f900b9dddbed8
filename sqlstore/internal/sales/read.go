package sales

import (
	"context"
	"database/sql"
	"time"

	"github.com/holdfast-go/holdfast/sqlstore/internal/activities"
	"github.com/holdfast-go/holdfast/sqlstore/internal/ledger"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/sale"
)

// itemTargets scan what saleSQL.shown selects, but for the clock.
func itemTargets(i *sale.ShelfItem) []any {
	targets := append(productTargets(&i.Product), activityTargets(&i.Activity)...)
	return append(targets, activities.Amount(&i.Current, &i.Places), activities.Amount(&i.Lowest, &i.Places),
		&i.Total, &i.Sold, &i.Held, &i.Available)
}

// Shelf implements sale.Store.
func (s *Store) Shelf(
	ctx context.Context, query sale.ShelfQuery, after sale.ShelfCursor, limit int,
) ([]sale.ShelfItem, time.Time, error) {
	var clock int64
	items, err := ledger.ListOf(ctx, s.units, s.units.Show, s.sql.shelf(query, after, limit),
		activities.Scan(func(i *sale.ShelfItem) []any { return append(itemTargets(i), &clock) }))
	now, err := s.units.Moment(ctx, clock, err)
	return items, now, err
}

// Look implements sale.Store.
func (s *Store) Look(ctx context.Context, keys []stock.Key) (map[stock.Key]sale.ShelfItem, time.Time, error) {
	if err := s.units.Ready(); err != nil {
		return nil, time.Time{}, err
	}
	query := mysql.Render(s.sql.look(len(keys)), activities.KeyArgs(keys)...)
	return activities.ByKey(ctx, s.units, query, itemTargets, func(i sale.ShelfItem) stock.Key { return i.Key })
}

// scanKey scans a key.
func scanKey(rows *sql.Rows) (key stock.Key, err error) {
	err = rows.Scan(&key.Activity, &key.SKU)
	return key, err
}

// Best implements sale.Store.
func (s *Store) Best(ctx context.Context, limit int) ([]stock.Key, error) {
	return ledger.ListOf(ctx, s.units, s.units.Show, mysql.Render(s.sql.best, limit), scanKey)
}

// Buyers implements sale.Store.
func (s *Store) Buyers(ctx context.Context, keys []stock.Key) (map[stock.Key]int64, error) {
	if err := s.units.Ready(); err != nil {
		return nil, err
	}
	counts := map[stock.Key]int64{}
	query := mysql.Render(s.sql.countBuyers(len(keys)), activities.KeyArgs(keys)...)
	err := s.units.Show(ctx, query, func(rows *sql.Rows) error {
		var key stock.Key
		var n int64
		err := rows.Scan(&key.Activity, &key.SKU, &n)
		counts[key] = n
		return err
	})
	return counts, err
}

// Prices implements sale.Store.
func (s *Store) Prices(ctx context.Context, keys []stock.Key, at time.Time) (map[stock.Key]sale.LinePrice, error) {
	if err := s.units.Ready(); err != nil {
		return nil, err
	}
	prices := map[stock.Key]sale.LinePrice{}
	query := mysql.Render(s.sql.pricesAt(len(keys)), append([]any{at}, activities.KeyArgs(keys)...)...)
	err := s.units.Query(ctx, query, func(rows *sql.Rows) error {
		var key stock.Key
		var p sale.LinePrice
		err := rows.Scan(&key.Activity, &key.SKU, &p.Places, activities.Amount(&p.Price, &p.Places))
		prices[key] = p
		return err
	})
	return prices, err
}

var _ sale.Store = (*Store)(nil)
