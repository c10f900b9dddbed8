package contender

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"strconv"
	"sync/atomic"

	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// ours is this library, as anybody would call it.
type ours struct {
	db     *sql.DB
	store  *sqlstore.Stock
	inv    *stock.Inventory
	orders int64 // of each buyer; 0 names none
	serial atomic.Int64
}

func openOurs(ctx context.Context, cfg Config) (Contender, error) { return open(ctx, cfg, nil) }

func openUnmerged(ctx context.Context, cfg Config) (Contender, error) {
	return open(ctx, cfg, unmerged())
}

func unmerged() *sqlstore.Options { return &sqlstore.Options{Unmerged: true} }

func open(ctx context.Context, cfg Config, opts *sqlstore.Options) (*ours, error) {
	db, err := openPool(ctx, cfg)
	if err != nil {
		return nil, err
	}
	store := sqlstore.NewStock(db, opts)
	inv := stock.New(store, &stock.Options{HoldFor: cfg.HoldFor})
	return &ours{db: db, store: store, inv: inv, orders: int64(cfg.Orders)}, nil
}

// Lock implements Contender.
func (o *ours) Lock(ctx context.Context, order Order) error {
	inv := o.inv
	if o.orders > 0 {
		inv = inv.For(o.buyer())
	}
	return o.lock(ctx, inv, order)
}

// lock locks by an inventory that is made for the order.
func (*ours) lock(ctx context.Context, inv *stock.Inventory, order Order) error {
	lines := make([]stock.Line, len(order.SKUs))
	for i, sku := range order.SKUs {
		lines[i] = stock.Line{SKU: sku, Num: 1}
	}
	_, err := inv.Lock(ctx, order.No, lines...)
	if errors.Is(err, stock.ErrInsufficient) {
		return ErrSoldOut
	}
	return err
}

// buyer returns who places the next order. No two processes have a buyer in common.
func (o *ours) buyer() string {
	return strconv.FormatInt(int64(os.Getpid())<<32+(o.serial.Add(1)-1)/o.orders, 10)
}

// Pay implements Contender.
func (o *ours) Pay(ctx context.Context, order Order) error {
	_, err := o.inv.Pay(ctx, order.No)
	return err
}

// Cancel implements Contender.
func (o *ours) Cancel(ctx context.Context, order Order) error {
	_, err := o.inv.Cancel(ctx, order.No)
	return err
}

// Expire implements Expirer.
func (o *ours) Expire(ctx context.Context) (int, error) { return o.inv.Expire(ctx) }

// Close implements Contender.
func (o *ours) Close() error { return o.db.Close() }
