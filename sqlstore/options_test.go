package sqlstore_test

import (
	"database/sql"
	"fmt"
	"io/fs"
	"sync/atomic"
	"testing"
	"time"

	"github.com/DATA-DOG/go-sqlmock"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// A store that can do nothing refuses every call before any I/O.
func TestUnusableStoresRefuseEveryCallBeforeAnyIO(t *testing.T) {
	t.Parallel()
	db, _, err := sqlmock.New() // which expects nothing, so that any statement is another error
	require.NoError(t, err)
	ctx, c := t.Context(), &suite.Checks{TB: t, Retryable: sqlstore.Retryable}
	c.RefusesEveryCall(ctx, "no pool", sqlstore.NewStock(nil, nil), "db")
	c.RefusesEveryCall(ctx, "no transaction", sqlstore.NewStock(db, nil).WithTx(nil), "tx")
	c.RefusesEveryCall(ctx, "no transaction in an interface", sqlstore.NewStock(db, nil).WithTx((*sql.Tx)(nil)), "tx")
	c.RefusesEveryCall(ctx, "a pool that is no transaction", sqlstore.NewStock(db, nil).WithTx(db), "tx")
	require.ErrorIs(t, sqlstore.Migrate(ctx, nil, nil), stock.ErrInvalid)
	for name, bad := range map[string]struct {
		opts  sqlstore.Options
		field string
	}{
		"a prefix with a dash":    {sqlstore.Options{Prefix: "a-b"}, "Prefix"},
		"a prefix in upper case":  {sqlstore.Options{Prefix: "Shop"}, "Prefix"},
		"a prefix from a digit":   {sqlstore.Options{Prefix: "1shop"}, "Prefix"},
		"a prefix that is long":   {sqlstore.Options{Prefix: "a2345678901234567"}, "Prefix"},
		"a negative batch size":   {sqlstore.Options{BatchSize: -1}, "BatchSize"},
		"too large a batch":       {sqlstore.Options{BatchSize: sqlstore.MaxBatchSize + 1}, "BatchSize"},
		"negative batches":        {sqlstore.Options{Batches: -1}, "Batches"},
		"too many batches":        {sqlstore.Options{Batches: 10_001}, "Batches"},
		"negative waiting":        {sqlstore.Options{Waiting: -1}, "Waiting"},
		"too many that wait":      {sqlstore.Options{Waiting: 100_000_001}, "Waiting"},
		"sold out for too long":   {sqlstore.Options{SoldOutFor: sqlstore.MaxSoldOutFor + 1}, "SoldOutFor"},
		"bad also where unmerged": {sqlstore.Options{Unmerged: true, Batches: -1}, "Batches"},
	} {
		store := sqlstore.NewStock(db, &bad.opts)
		c.RefusesEveryCall(ctx, name, store, bad.field)
		c.RefusesEveryCall(ctx, name+", in a transaction", store.WithTx(&sqlNothing{}), bad.field)
		for call, err := range map[string]error{
			"Migrate": sqlstore.Migrate(ctx, db, &bad.opts),
			"Drop":    sqlstore.Drop(ctx, db, &bad.opts),
			"Check":   sqlstore.Check(ctx, db, &bad.opts),
			"Schema":  of(fs.ReadDir(bad.opts.Schema(), ".")),
		} {
			c.Invalid(call+" with "+name, err)
			require.Equal(t, bad.field, suite.As[*stock.InvalidError](c, err).Field, "%s with %s", call, name)
		}
	}
}

// sqlNothing is a transaction that panics when it is used.
type sqlNothing struct{ sqlstore.Tx }

func TestOptionsAtTheirBoundsAreAccepted(t *testing.T) {
	t.Parallel()
	for _, opts := range []sqlstore.Options{
		{},
		{Prefix: "a234567890123456"},
		{BatchSize: 1, Batches: 1, Waiting: 1, SoldOutFor: time.Nanosecond},
		{BatchSize: sqlstore.MaxBatchSize, Batches: 10_000, Waiting: 100_000_000, SoldOutFor: sqlstore.MaxSoldOutFor},
		{SoldOutFor: -time.Hour},
	} {
		require.NoError(t, of(fs.ReadDir(opts.Schema(), ".")), "%+v", opts)
	}
}

// as returns the shop as a store with other options on the same pool sees it.
func (s *shop) as(opts *sqlstore.Options) *shop {
	other := *s
	other.store = sqlstore.OneByOne(sqlstore.NewStock(s.db.DB, opts))
	other.Inventory = s.On(other.store)
	return &other
}

// The smallest batches, one at a time, and no memory of what is sold out: slower, with the same results.
func TestSmallestBoundsAreRightUnderConcurrency(t *testing.T) {
	t.Parallel()
	for _, opts := range []sqlstore.Options{
		{BatchSize: 1},
		{Batches: 1},
		{BatchSize: 1, Batches: 1},
		{BatchSize: 2, Batches: 1, SoldOutFor: -1},
	} {
		s := open(t, nil).as(&opts)
		var sold [4]atomic.Int64 // by SKU
		errs := suite.Together(60, func(i int) error {
			order, sku := fmt.Sprint("order-", i), int64(1+i%3)
			if _, err := s.For(fmt.Sprint(1+i%5)).Lock(t.Context(), order, one(sku)); err != nil {
				return err
			}
			if i%2 > 0 {
				return of(s.Cancel(t.Context(), order))
			}
			sold[sku].Add(1)
			return of(s.Pay(t.Context(), order))
		})
		require.Len(t, errs, count(errs, nil)+count(errs, stock.ErrInsufficient), "%v", errs)
		for sku := int64(1); sku <= 3; sku++ {
			s.counters(sku, sold[sku].Load(), 0, 10-sold[sku].Load())
		}
	}
}

// One caller may wait: of four at once, where the row is blocked, one is in flight and one waits.
func TestCallsBeyondWaitingAreBusy(t *testing.T) {
	t.Parallel()
	s := open(t, nil).as(&sqlstore.Options{Waiting: 1})
	release := s.blockItem(1)
	first := going(s.lockCall("", "in flight", one(1)))
	s.waiting()
	second := going(s.lockCall("", "waits", one(1)))
	s.awaitQueue(1)
	_, err := s.Lock(t.Context(), "too many", one(1))
	require.ErrorIs(t, err, stock.ErrBusy)
	require.ErrorIs(t, err, stock.ErrUnavailable)
	require.True(t, stock.Retryable(err))
	require.True(t, sqlstore.Retryable(err))
	require.NoError(t, of(s.Lock(t.Context(), "not too many", one(2))), "who need not wait is not refused")
	release()
	require.NoError(t, <-first)
	require.NoError(t, <-second)
	require.NoError(t, of(s.Lock(t.Context(), "too many", one(1))))
	s.counters(1, 0, 3, 10)
}

// awaitQueue waits until so many calls of the store wait for a batch.
func (s *shop) awaitQueue(n int64) {
	s.t.Helper()
	for s.store.Waiting() != n {
		require.NoError(s.t, s.db.PingContext(s.t.Context())) // a moment, in which others run
	}
}
