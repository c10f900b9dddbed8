package sales

import (
	"context"

	"github.com/holdfast-go/holdfast/sqlstore/internal/activities"
	"github.com/holdfast-go/holdfast/sqlstore/internal/ledger"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
)

// BesideGoods lets products of sales follow refunds of goods, in the transaction of the refund: where units come back to the pool
// of a product that is settled, it has to give them back. Other companions are kept as before, and calls that refund nothing into a
// pool cost it nothing.
type BesideGoods struct {
	ledger.Companions

	refunds activities.Refunds
}

// NewBesideGoods returns what follows refunds in the tables of a prefix.
func NewBesideGoods(prefix string, others ledger.Companions) BesideGoods {
	return BesideGoods{Companions: others, refunds: activities.NewRefunds(prefix + "flash_sale_product")}
}

// Refunded implements ledger.Companions.
func (b BesideGoods) Refunded(ctx context.Context, q mysql.Tx, calls []ledger.RefundCall) error {
	if err := b.Companions.Refunded(ctx, q, calls); err != nil {
		return err
	}
	return b.refunds.Reopen(ctx, q, calls)
}
