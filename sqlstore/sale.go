package sqlstore

import (
	"database/sql"

	"github.com/holdfast-go/holdfast/sqlstore/internal/sales"
	"github.com/holdfast-go/holdfast/stock/sale"
)

// Sale is a sale.Store on MySQL or MariaDB, over the tables of the shop's ordinary stock. Orders buy from the pools of its
// activities through a Stock with the same options, which may refuse for Options.SoldOutFor what it has refused before units came
// to a pool, or its activity was approved. It is safe for concurrent use; bound to a transaction it is as safe as that
// transaction.
type Sale struct {
	sale.Store

	sales *sales.Store
}

// NewSale returns the store in the tables that Migrate made with the same options. Nil options are the
// defaults. It does no I/O; bad options and a nil db are reported by every call as ErrInvalid.
func NewSale(db *sql.DB, opts *Options) *Sale {
	settings := opts.settings()
	return saleOf(sales.New(db, settings, besideGoods(settings)))
}

// WithTx returns the same store inside the caller's transaction, with the store of its units; see Stock.WithTx. A call
// locks what it decides from: the item of a product, the product and its activity, in this order. What Shelf, Best and Look show
// are plain reads in the sense of Stock.WithTx.
func (s *Sale) WithTx(tx Tx) *Sale { return saleOf(s.sales.WithTx(tx)) }

// Along returns the same store whose next call carries a statement of the shop; see Stock.Along:
//
//	row := store.Along("INSERT INTO shop_log (who, what) VALUES (?, ?)", operator, "ended")
//	_, err := sales.On(row).End(ctx, 7)
//
// A call runs the statements once, in the transaction in which it takes effect:
//
//	Define, Approve, Revise   that of the activity or the product, not those of the pools
//	Offer, Restock, Withdraw  that which moves the units
//	Remove, End, WithdrawSale that which takes the product off, or ends the activity; not those of the remainders
//
// Expire and Schedule run nothing. Refusals of the product and the activity take precedence.
func (s *Sale) Along(text string, args ...any) *Sale { return saleOf(s.sales.Along(text, args...)) }

// Affects returns the same store with the number of rows that the last statement of Along must affect; see Stock.Affects.
func (s *Sale) Affects(n int64) *Sale { return saleOf(s.sales.Affects(n)) }

// Plain returns the same store without the statements of Along. sale.Sales uses it for what is not the effect of a call.
func (s *Sale) Plain() sale.Store { return saleOf(s.sales.Plain()) }

// saleOf returns the store over the one that does the work.
func saleOf(store *sales.Store) *Sale { return &Sale{Store: store, sales: store} }
