package teams

import (
	"context"
	"database/sql"
	"slices"

	"github.com/holdfast-go/holdfast/sqlstore/internal/activities"
	"github.com/holdfast-go/holdfast/sqlstore/internal/ledger"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// BesideGoods keeps the holds of seats in the archive of a store that does not know seats, and lets products of group buying follow
// its refunds: where units come back to the pool of a product that is settled, it has to give them back. Other companions are kept as
// before.
type BesideGoods struct {
	ledger.Companions

	sql     *groupBuySQL
	refunds activities.Refunds
}

// NewBesideGoods returns what keeps the holds of the seats, and follows refunds, in the tables of a prefix.
func NewBesideGoods(prefix string, others ledger.Companions) BesideGoods {
	q := newGroupBuySQL(prefix)
	return BesideGoods{Companions: others, sql: q, refunds: activities.NewRefunds(q.products)}
}

// Refunded implements ledger.Companions.
func (b BesideGoods) Refunded(ctx context.Context, q mysql.Tx, calls []ledger.RefundCall) error {
	if err := b.Companions.Refunded(ctx, q, calls); err != nil {
		return err
	}
	return b.refunds.Reopen(ctx, q, calls)
}

// Needs implements ledger.Companions.
func (b BesideGoods) Needs(ctx context.Context, by mysql.QueryFunc, holds []stock.Hold) ([]string, error) {
	seats, err := b.sql.seated(ctx, by, holds)
	if mysql.NoTable(err) { // a shop that has not migrated so far has no seats
		err = nil
	}
	if err != nil {
		return nil, err
	}
	others, err := b.Companions.Needs(ctx, by, holds)
	return append(seats, others...), err
}

// seated returns the orders that have a seat. A seat is one of the pool of an activity.
func (q *groupBuySQL) seated(ctx context.Context, by mysql.QueryFunc, holds []stock.Hold) (orders []string, err error) {
	var asked []string
	for _, h := range holds {
		if slices.ContainsFunc(h.Lines, func(l stock.HoldLine) bool { return l.Activity > 0 }) {
			asked = append(asked, h.Order)
		}
	}
	for part := range slices.Chunk(asked, mysql.MaxList) {
		err := by(ctx, mysql.RenderList(q.seatOrders, part), func(rows *sql.Rows) error {
			order, err := mysql.One[string](rows)
			orders = append(orders, order)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return orders, nil
}
