package contender

import (
	"context"
	"database/sql"
	"errors"

	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// ours is this library, as anybody would call it.
type ours struct {
	db  *sql.DB
	inv *stock.Inventory
}

func openOurs(ctx context.Context, cfg Config) (Contender, error) { return open(ctx, cfg, nil) }

func openUnmerged(ctx context.Context, cfg Config) (Contender, error) {
	return open(ctx, cfg, unmerged())
}

func unmerged() *sqlstore.Options { return &sqlstore.Options{Unmerged: true} }

func open(ctx context.Context, cfg Config, opts *sqlstore.Options) (Contender, error) {
	db, err := openPool(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return &ours{db: db, inv: stock.New(sqlstore.NewStock(db, opts), &stock.Options{HoldFor: cfg.HoldFor})}, nil
}

// Lock implements Contender.
func (o *ours) Lock(ctx context.Context, order string, sku int64) error {
	_, err := o.inv.Lock(ctx, order, stock.Line{SKU: sku, Num: 1})
	if errors.Is(err, stock.ErrInsufficient) {
		return ErrSoldOut
	}
	return err
}

// Pay implements Contender.
func (o *ours) Pay(ctx context.Context, order string, _ int64) error {
	_, err := o.inv.Pay(ctx, order)
	return err
}

// Cancel implements Contender.
func (o *ours) Cancel(ctx context.Context, order string, _ int64) error {
	_, err := o.inv.Cancel(ctx, order)
	return err
}

// Expire implements Expirer.
func (o *ours) Expire(ctx context.Context) (int, error) { return o.inv.Expire(ctx) }

// Close implements Contender.
func (o *ours) Close() error { return o.db.Close() }
