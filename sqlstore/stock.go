package sqlstore

import (
	"database/sql"

	"github.com/holdfast-go/holdfast/sqlstore/internal/coupons"
	"github.com/holdfast-go/holdfast/sqlstore/internal/ledger"
	"github.com/holdfast-go/holdfast/sqlstore/internal/sales"
	"github.com/holdfast-go/holdfast/sqlstore/internal/teams"
	"github.com/holdfast-go/holdfast/stock"
)

// Stock is a stock.Store on MySQL or MariaDB. It is safe for concurrent use; bound to a
// transaction it is as safe as that transaction.
type Stock struct {
	stock.Store

	ledger *ledger.Store
}

// NewStock returns the store in the tables that Migrate made with the same options. Nil
// options are the defaults. It does no I/O; bad options and a nil db are reported by every call
// as ErrInvalid.
//
// Its calls may use coupons that NewCoupon keeps in the same database with the same prefix; see coupon.UseRequest.
func NewStock(db *sql.DB, opts *Options) *Stock {
	settings := opts.settings()
	store := ledger.New(db, settings, ledger.GoodsStock, besideGoods(settings))
	return &Stock{Store: store, ledger: store}
}

// besideGoods returns what follows the steps of orders that buy goods: coupons that they use, sales and group buying that they refund to,
// and seats whose holds are not archived.
func besideGoods(o ledger.Settings) ledger.Companions {
	return teams.NewBesideGoods(o.Prefix, sales.NewBesideGoods(o.Prefix, coupons.NewBesideGoods(o.Prefix, o.Tell)))
}

// WithTx returns the same store inside the caller's transaction: its changes take effect when the caller commits. It
// reads the current rows, with a lock, not the transaction's snapshot.
//
// Call it before any plain SELECT of the transaction, or use READ COMMITTED. A server that isolates snapshots (MariaDB
// from 11.6.2 on, innodb_snapshot_isolation) makes a transaction that has read before start over where others have
// changed the rows of a call since: the call is ErrUnavailable. The store itself reads without a lock only after it
// has locked.
//
// After a refusal, an error that names the state of an order or what an item does not allow, the
// transaction is as it was before the call, with the locks it took, and may go on. After any
// other error it must be rolled back: the server may have done so already (a deadlock), and
// further statements would commit one by one. If Retryable says so, run all of it again.
//
// A handle that is in no transaction is refused with ErrInvalid, before anything is changed.
func (s *Stock) WithTx(tx Tx) *Stock {
	bound := s.ledger.WithTx(tx)
	return &Stock{Store: bound, ledger: bound}
}
