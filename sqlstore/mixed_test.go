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
type mixed struct{ turns[*sqlstore.Stock] }

func newMixed(db *sql.DB) boundStore {
	return mixedOf(sqlstore.NewStock(db, &together).AlwaysBatch(), sqlstore.NewStock(db, &alone))
}

// mixedOf mixes two stores.
func mixedOf(merged, unmerged *sqlstore.Stock) *mixed {
	return &mixed{turns[*sqlstore.Stock]{merged: merged, unmerged: unmerged}}
}

func (m *mixed) WithTx(tx sqlstore.Tx) *sqlstore.Stock { return m.turn().WithTx(tx) }

func (m *mixed) Create(ctx context.Context, item stock.Item) (stock.Verdict, error) {
	return m.turn().Create(ctx, item)
}

func (m *mixed) Change(ctx context.Context, from stock.Item, to stock.Terms, total int64) (stock.Verdict, error) {
	return m.turn().Change(ctx, from, to, total)
}

func (m *mixed) Items(ctx context.Context, buyer string, keys []stock.Key) ([]stock.Standing, time.Time, error) {
	return m.turn().Items(ctx, buyer, keys)
}

func (m *mixed) List(ctx context.Context, after stock.Key, limit int) ([]stock.Item, error) {
	return m.turn().List(ctx, after, limit)
}

func (m *mixed) Lock(ctx context.Context, order stock.Order, holdFor time.Duration) (stock.Locking, error) {
	return m.turn().Lock(ctx, order, holdFor)
}

func (m *mixed) Move(ctx context.Context, step stock.Step, order string, fence int64) (stock.Verdict, error) {
	return m.turn().Move(ctx, step, order, fence)
}

func (m *mixed) Close(ctx context.Context, order string) (stock.Verdict, error) {
	return m.turn().Close(ctx, order)
}

func (m *mixed) Fence(ctx context.Context, order string) (stock.Verdict, error) {
	return m.turn().Fence(ctx, order)
}

func (m *mixed) SetDeadline(ctx context.Context, hold stock.Hold, deadline time.Time) (stock.Verdict, error) {
	return m.turn().SetDeadline(ctx, hold, deadline)
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

func (m *mixed) Refund(ctx context.Context, refund stock.Refunding, hold stock.Hold) (stock.Refunding, stock.Verdict, error) {
	return m.turn().Refund(ctx, refund, hold)
}

func (m *mixed) Refunding(ctx context.Context, id string) (stock.Refunding, error) {
	return m.turn().Refunding(ctx, id)
}

func (m *mixed) Apply(ctx context.Context, change stock.Change) (stock.Verdict, error) {
	return m.turn().Apply(ctx, change)
}

func (m *mixed) Applied(ctx context.Context, kind stock.Kind, id string) (stock.Change, error) {
	return m.turn().Applied(ctx, kind, id)
}

func (m *mixed) Book(ctx context.Context, key stock.Key) (stock.Book, error) {
	return m.turn().Book(ctx, key)
}
