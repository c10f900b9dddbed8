package contender

import (
	"context"
	"database/sql"
	"errors"

	"github.com/holdfast-go/holdfast/sqlstore"
)

// ordersByHand is what most shops have: the order row and the guarded UPDATE of each item in one transaction. The order row
// is the hold. Without a row it has nothing to go by.
type ordersByHand struct{ byHand }

func openOrdersByHand(ctx context.Context, cfg Config) (Contender, error) {
	h, err := openByHand(ctx, cfg)
	return ordersByHand{h}, err
}

// Lock implements Contender.
func (h ordersByHand) Lock(ctx context.Context, order Order) error {
	return h.transaction(ctx, func(tx *sql.Tx) error {
		if err := insertShopRows(ctx, tx, h.cfg, order); err != nil {
			return err
		}
		return take(ctx, tx, order)
	})
}

// Pay implements Contender.
func (h ordersByHand) Pay(ctx context.Context, order Order) error {
	return h.transaction(ctx, func(tx *sql.Tx) error {
		if err := one(ctx, tx, errNotLocked, payNewRow, rowPaid, order.id()); err != nil {
			return err
		}
		for _, sku := range order.SKUs {
			if err := one(ctx, tx, errNotLocked, "UPDATE "+itemTable+" SET "+paid+ofItem, sku); err != nil {
				return err
			}
		}
		return nil
	})
}

// Cancel implements Contender: no measurement asks for it.
func (ordersByHand) Cancel(context.Context, Order) error { return errors.ErrUnsupported }

// Fill implements Filler.
func (h ordersByHand) Fill(ctx context.Context, orders []Order) error {
	return batches{byHand: h.byHand, rowsOnly: true}.LockAll(ctx, orders)
}

// countedRows are the tables of ordersByHand. They have no holds: an audit would miss them.
type countedRows struct{ tables }

func (countedRows) inspect(ctx context.Context, cfg Config) (books Books, err error) {
	err = withDB(ctx, cfg, func(db *sql.DB) error {
		if books, err = readBooks(ctx, db, itemTable); err != nil {
			return err
		}
		if err := readShop(ctx, db, cfg, &books); err != nil {
			return err
		}
		row := db.QueryRowContext(ctx, "SELECT COALESCE(SUM(IF(STATUS = 0, NUM, 0)), 0), COALESCE(SUM(IF(STATUS = 1, NUM, 0)), 0)"+
			" FROM "+orderTable)
		books.Holds, books.Live, books.Paid = books.Rows, books.Rows-books.PaidRows, books.PaidRows
		return row.Scan(&books.LiveUnits, &books.PaidUnits)
	})
	return books, err
}

// withTx is this library in a transaction of the caller, with the order row.
type withTx struct {
	*ours
	byHand
}

func openWithTx(ctx context.Context, cfg Config) (Contender, error) {
	o, err := open(ctx, cfg, nil)
	if err != nil {
		return nil, err
	}
	return withTx{o, byHand{o.db, cfg}}, nil
}

// Lock implements Contender.
func (w withTx) Lock(ctx context.Context, order Order) error {
	return w.retry(ctx, func(tx *sql.Tx) error {
		if err := insertShopRows(ctx, tx, w.cfg, order); err != nil {
			return err
		}
		return w.lock(ctx, w.inv.On(w.store.WithTx(tx)), order)
	})
}

// Pay implements Contender.
func (w withTx) Pay(ctx context.Context, order Order) error {
	return w.retry(ctx, func(tx *sql.Tx) error {
		if err := one(ctx, tx, errNotLocked, payNewRow, rowPaid, order.id()); err != nil {
			return err
		}
		_, err := w.inv.On(w.store.WithTx(tx)).Pay(ctx, order.No)
		return err
	})
}

// retry runs a transaction again as the library says.
func (w withTx) retry(ctx context.Context, do func(*sql.Tx) error) error {
	for {
		err := w.transaction(ctx, do)
		if err == nil || !sqlstore.Retryable(err) || w.cfg.over() {
			return err
		}
	}
}

// Fill implements Filler.
func (w withTx) Fill(ctx context.Context, orders []Order) error {
	return batches{byHand: w.byHand}.LockAll(ctx, orders)
}

// coldByHand has this library beside transactions by hand: the hot SKU goes one way and the others the other.
type coldByHand struct {
	*ours

	cold guardContender
}

func openColdByHand(ctx context.Context, cfg Config) (Contender, error) {
	o, err := open(ctx, cfg, nil)
	if err != nil {
		return nil, err
	}
	return coldByHand{o, guardContender{byHand{o.db, cfg}}}, nil
}

// Lock implements Contender.
func (c coldByHand) Lock(ctx context.Context, order Order) error {
	if order.sku() == HotSKU {
		return c.ours.Lock(ctx, order)
	}
	return c.cold.Lock(ctx, order)
}
