package sqlstore_test

import (
	"context"
	"database/sql"
	"sync/atomic"
	"time"

	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// turns are two stores on one set of tables, as two processes use it: calls go by turns to one that merges
// and to one that does not. They share nothing but the server. What one has released, the other may take
// for sold out for 200 ms, so that this memory is off; it has tests of its own.
type turns[S any] struct {
	merged, unmerged S
	calls            atomic.Int64
}

// alone and together are the options of the two.
var (
	together = sqlstore.Options{SoldOutFor: -1}
	alone    = sqlstore.Options{Unmerged: true}
)

// turn is whose turn it is.
func (t *turns[S]) turn() S {
	if t.calls.Add(1)%2 == 0 {
		return t.merged
	}
	return t.unmerged
}

// mixed is a stock by turns.
type mixed struct{ turns[stock.Store] }

// mixedStock is one whose stores can be bound.
type mixedStock struct {
	mixed

	stores turns[*sqlstore.Stock]
}

func newMixed(db *sql.DB) boundStore {
	merged, unmerged := sqlstore.NewStock(db, &together).AlwaysBatch(), sqlstore.NewStock(db, &alone)
	return &mixedStock{
		mixed{turns[stock.Store]{merged: merged, unmerged: unmerged}}, turns[*sqlstore.Stock]{merged: merged, unmerged: unmerged},
	}
}

// mixedUnits mixes the units of two stores.
func mixedUnits[S interface{ Units() stock.Store }](merged, unmerged S) *mixed {
	return &mixed{turns[stock.Store]{merged: merged.Units(), unmerged: unmerged.Units()}}
}

func (m *mixedStock) WithTx(tx sqlstore.Tx) *sqlstore.Stock { return m.stores.turn().WithTx(tx) }

func (m *mixed) Create(ctx context.Context, item stock.Item, beside ...stock.Companion) (stock.Verdict, error) {
	return m.turn().Create(ctx, item, beside...)
}

func (m *mixed) SetTerms(ctx context.Context, from stock.Item, to stock.Terms, total int64, beside ...stock.Companion) (stock.Verdict, error) {
	return m.turn().SetTerms(ctx, from, to, total, beside...)
}

func (m *mixed) Items(ctx context.Context, buyer string, keys []stock.Key) ([]stock.ItemUsage, time.Time, error) {
	return m.turn().Items(ctx, buyer, keys)
}

func (m *mixed) List(ctx context.Context, after stock.Key, limit int) ([]stock.Item, error) {
	return m.turn().List(ctx, after, limit)
}

func (m *mixed) Lock(ctx context.Context, order stock.Order, holdFor time.Duration) (stock.LockResult, error) {
	return m.turn().Lock(ctx, order, holdFor)
}

func (m *mixed) Move(ctx context.Context, move stock.Movement) (stock.MoveResult, error) {
	return m.turn().Move(ctx, move)
}

func (m *mixed) Void(ctx context.Context, order string, beside ...stock.Companion) (stock.Verdict, error) {
	return m.turn().Void(ctx, order, beside...)
}

func (m *mixed) Fence(ctx context.Context, order string, beside ...stock.Companion) (stock.Verdict, error) {
	return m.turn().Fence(ctx, order, beside...)
}

func (m *mixed) SetDeadline(ctx context.Context, hold stock.Hold, deadline time.Time, beside ...stock.Companion) (stock.Verdict, error) {
	return m.turn().SetDeadline(ctx, hold, deadline, beside...)
}

func (m *mixed) Hold(ctx context.Context, order string) (stock.Hold, time.Time, error) {
	return m.turn().Hold(ctx, order)
}

func (m *mixed) Holds(ctx context.Context, filter stock.Filter, after stock.Cursor, limit int) ([]stock.Hold, error) {
	return m.turn().Holds(ctx, filter, after, limit)
}

func (m *mixed) Due(ctx context.Context, keys []stock.Key, limit int) ([]string, error) {
	return m.turn().Due(ctx, keys, limit)
}

func (m *mixed) Expire(ctx context.Context, orders []string) ([]string, error) {
	return m.turn().Expire(ctx, orders)
}

func (m *mixed) Refund(ctx context.Context, refund stock.RefundRecord, hold stock.Hold, beside ...stock.Companion) (stock.RefundResult, error) {
	return m.turn().Refund(ctx, refund, hold, beside...)
}

func (m *mixed) RefundRecord(ctx context.Context, id string) (stock.RefundRecord, error) {
	return m.turn().RefundRecord(ctx, id)
}

func (m *mixed) Apply(ctx context.Context, change stock.Change, beside ...stock.Companion) (stock.Verdict, error) {
	return m.turn().Apply(ctx, change, beside...)
}

func (m *mixed) Applied(ctx context.Context, kind stock.Kind, id string) (stock.Change, error) {
	return m.turn().Applied(ctx, kind, id)
}

func (m *mixed) Book(ctx context.Context, key stock.Key) (stock.Book, error) {
	return m.turn().Book(ctx, key)
}
