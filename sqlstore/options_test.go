package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"testing"
	"time"

	"github.com/DATA-DOG/go-sqlmock"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// everyCall makes each call of a store and returns what each said.
func everyCall(ctx context.Context, s *sqlstore.Stock) map[string]error {
	errs := map[string]error{}
	key, line := stock.Key{SKU: 1}, one(1)
	item := stock.Item{Key: key, Quantities: stock.Quantities{Total: 1, Left: 1}}
	hold := stock.Hold{Order: "a", State: stock.Paid, Lines: []stock.HoldLine{{Line: line}}}
	refund := stock.RefundRecord{Refund: stock.Refund{ID: "a", Order: "a", Lines: []stock.Line{line}}}
	_, errs["Create"] = s.Create(ctx, item)
	_, errs["SetTerms"] = s.SetTerms(ctx, item, stock.Terms{}, 1)
	_, _, errs["Items"] = s.Items(ctx, "", []stock.Key{key})
	_, errs["List"] = s.List(ctx, stock.Key{}, 1)
	_, errs["Lock"] = s.Lock(ctx, stock.Order{ID: "a", Lines: []stock.Line{line}}, time.Minute)
	_, errs["Lock of two lines"] = s.Lock(ctx, stock.Order{ID: "a", Lines: []stock.Line{line, one(2)}}, time.Minute)
	for _, step := range []stock.Step{stock.StepPay, stock.StepCancel, stock.StepRedeem, stock.StepReacquire, stock.StepExpire} {
		_, errs[step.String()] = s.Move(ctx, stock.Movement{Step: step, Order: "a"})
	}
	_, errs["Void"] = s.Void(ctx, "a")
	_, errs["Fence"] = s.Fence(ctx, "a")
	_, errs["SetDeadline"] = s.SetDeadline(ctx, hold, start)
	_, _, errs["Hold"] = s.Hold(ctx, "a")
	_, errs["Holds"] = s.Holds(ctx, stock.Filter{}, stock.Cursor{}, 1)
	_, errs["Due of an item"] = s.Due(ctx, []stock.Key{key}, 1)
	_, errs["Due of all"] = s.Due(ctx, nil, 1)
	_, errs["Expire"] = s.Expire(ctx, []string{"a"})
	_, errs["Refund"] = s.Refund(ctx, refund, hold)
	_, errs["RefundRecord"] = s.RefundRecord(ctx, "a")
	_, errs["Apply"] = s.Apply(ctx, stock.Change{Kind: stock.KindRestock, ID: "a", Entries: []stock.Entry{{Key: key}}})
	_, errs["Applied"] = s.Applied(ctx, stock.KindRestock, "a")
	_, errs["Book"] = s.Book(ctx, key)
	return errs
}

func TestBadOptionsAreRefusedByEveryCallBeforeAnyIO(t *testing.T) {
	t.Parallel()
	db, _, err := sqlmock.New() // which expects nothing, so that any statement is another error
	require.NoError(t, err)
	ctx := t.Context()
	for name, c := range map[string]struct {
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
		store := sqlstore.NewStock(db, &c.opts)
		errs := everyCall(ctx, store)
		for call, err := range everyCall(ctx, store.WithTx(&sqlNothing{})) {
			errs[call+" in a transaction"] = err
		}
		errs["Migrate"] = sqlstore.Migrate(ctx, db, &c.opts)
		errs["Drop"] = sqlstore.Drop(ctx, db, &c.opts)
		errs["Check"] = sqlstore.Check(ctx, db, &c.opts)
		_, errs["Schema"] = fs.ReadDir(c.opts.Schema(), ".")
		for call, err := range errs {
			var invalid *stock.InvalidError
			require.ErrorAs(t, err, &invalid, "%s: %s", name, call)
			require.Equal(t, c.field, invalid.Field, "%s: %s", name, call)
			require.ErrorIs(t, err, stock.ErrInvalid)
			require.False(t, stock.Retryable(err))
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
	other.store = sqlstore.NewStock(s.db.DB, opts).OneByOne()
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
		ctx := t.Context()
		sold := make([]int, 4) // by SKU
		var mu sync.Mutex
		var group suite.Group
		for i := range 60 {
			group.Go(func() {
				order, sku := fmt.Sprint("order-", i), int64(1+i%3)
				_, err := s.For(fmt.Sprint(1+i%5)).Lock(ctx, order, one(sku))
				switch {
				case errors.Is(err, stock.ErrInsufficient):
					return
				case err != nil:
					t.Error(err)
					return
				}
				call, paid := s.Cancel, i%2 == 0
				if paid {
					call = s.Pay
				}
				if _, err := call(ctx, order); err != nil {
					t.Error(err)
				}
				if paid {
					mu.Lock()
					defer mu.Unlock()
					sold[sku]++
				}
			})
		}
		group.Wait()
		for sku := int64(1); sku <= 3; sku++ {
			s.counters(sku, int64(sold[sku]), 0, 10-int64(sold[sku]))
		}
	}
}

// One caller may wait: of four at once, where the row is blocked, one is in flight and one waits.
func TestCallsBeyondWaitingAreBusy(t *testing.T) {
	t.Parallel()
	s := open(t, nil).as(&sqlstore.Options{Waiting: 1})
	release := s.blockItem(1)
	errs := make(chan error, 2)
	lock := func(order string) { _, err := s.Lock(t.Context(), order, one(1)); errs <- err }
	go lock("in flight")
	s.waiting()
	go lock("waits")
	s.queued(1)
	_, err := s.Lock(t.Context(), "too many", one(1))
	require.ErrorIs(t, err, stock.ErrBusy)
	require.ErrorIs(t, err, stock.ErrUnavailable)
	require.True(t, stock.Retryable(err))
	require.True(t, sqlstore.Retryable(err))
	require.NoError(t, of(s.Lock(t.Context(), "not too many", one(2))), "who need not wait is not refused")
	release()
	require.NoError(t, <-errs)
	require.NoError(t, <-errs)
	require.NoError(t, of(s.Lock(t.Context(), "too many", one(1))))
	s.counters(1, 0, 3, 10)
}

// queued waits until so many calls of the store wait for a batch.
func (s *shop) queued(n int64) {
	s.t.Helper()
	for s.store.Waiting() != n {
		require.NoError(s.t, s.db.PingContext(s.t.Context())) // a moment, in which others run
	}
}
