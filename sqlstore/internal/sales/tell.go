package sales

import (
	"context"
	"database/sql"

	"github.com/holdfast-go/holdfast/sqlstore/internal/activities"
	"github.com/holdfast-go/holdfast/sqlstore/internal/ledger"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
	"github.com/holdfast-go/holdfast/stock/sale"
)

// ending locks a product that is to be removed, behind its item, in whose queue its events are, and returns what is to be told of it
// then: nothing unless it is Offered, and had begun.
func (s *Store) ending(ctx context.Context, q mysql.Tx, key stock.Key) (told []event.Event, err error) {
	if err := s.units.LockItems(ctx, q, []stock.Key{key}); err != nil {
		return nil, err
	}
	err = mysql.Read(ctx, q, mysql.Render(s.sql.lockEnding, key.Activity, key.SKU), func(rows *sql.Rows) error {
		var begun, started bool
		err := rows.Scan(&started, &begun)
		if begun && !started {
			told = append(told, sale.Told(event.SaleStarted, key))
		}
		if begun || started {
			told = append(told, sale.Told(event.SaleEnded, key))
		}
		return err
	})
	return told, err
}

// TellStarted implements sale.Store. It looks for products first, and decides once they are locked behind their items.
func (s *Store) TellStarted(ctx context.Context, limit int) (int, error) {
	if err := s.units.Ready(); err != nil || !s.units.Tells(event.SaleStarted) {
		return 0, err
	}
	keys, err := ledger.ListOf(ctx, s.units, s.units.Query, mysql.Render(s.sql.started, limit), scanKey)
	if err != nil || len(keys) == 0 {
		return 0, err
	}
	var told []event.Event
	_, err = s.units.Atomically(ctx, func(q mysql.Tx) (bool, error) {
		told = nil
		if err := s.units.LockItems(ctx, q, keys); err != nil {
			return false, err
		}
		var fresh []stock.Key
		statement := mysql.Render(s.sql.lockStarted(len(keys)), activities.KeyArgs(keys)...)
		err := mysql.Read(ctx, q, statement, func(rows *sql.Rows) error {
			key, err := scanKey(rows)
			fresh, told = append(fresh, key), append(told, sale.Told(event.SaleStarted, key))
			return err
		})
		if err != nil || len(fresh) == 0 {
			return false, err
		}
		if _, err := q.ExecContext(ctx, mysql.Render(s.sql.markStarted(len(fresh)), activities.KeyArgs(fresh)...)); err != nil {
			return false, err
		}
		return true, s.units.WriteEvents(ctx, q, told)
	})
	if err != nil {
		return 0, err
	}
	return len(told), nil
}
