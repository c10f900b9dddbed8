package sqlstore_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/eventtest"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
	"github.com/holdfast-go/holdfast/stock/sale"
)

// fairOfTellers is sales whose store tells everything.
type fairOfTellers struct {
	*sale.Sales
	t       testing.TB
	inv     *stock.Inventory
	events  *event.Events
	advance func(time.Duration)
}

// everyTellingFair runs a test in memory and on the tables.
func everyTellingFair(t *testing.T, test func(f *fairOfTellers)) {
	t.Helper()
	t.Run("Memory", func(t *testing.T) {
		t.Parallel()
		now, advance := ticking()
		units := &stock.Memory{Clock: now, Events: &event.Memory{Clock: now}, Tell: eventtest.All()}
		test(&fairOfTellers{
			t: t, Sales: sale.New(&sale.Memory{Stock: units}, nil), inv: stock.New(units, nil),
			events: event.New(units.Events, nil), advance: advance,
		})
	})
	t.Run("Tables", func(t *testing.T) {
		t.Parallel()
		f := frozen(t, defaults, stockTables, saleTables)
		test(&fairOfTellers{
			t: t, Sales: sale.New(sqlstore.NewSale(f.db.DB, &sqlstore.Options{Tell: eventtest.All()}), nil),
			inv:    stock.New(telling(f.db.DB, nil), nil),
			events: event.New(sqlstore.NewEvents(f.db.DB, nil), nil), advance: f.db.Wire.Advance,
		})
	})
}

// offers approves an activity that begins and ends so long after the start, with units of some SKUs.
func (f *fairOfTellers) offers(id int64, begins, ends time.Duration, skus ...int64) {
	f.t.Helper()
	ctx := f.t.Context()
	require.NoError(f.t, of(f.Define(ctx, sale.Activity{ID: id, Title: "fair", Start: start.Add(begins), End: start.Add(ends), Places: 2})))
	require.NoError(f.t, of(f.Approve(ctx, id)))
	for _, sku := range skus {
		require.NoError(f.t, of(f.inv.Define(ctx, stock.Key{SKU: sku}, 100, stock.Terms{})))
		p := sale.Product{Key: stock.Key{SKU: sku, Activity: id}, Name: "tea", Price: decimal.NewFromInt(1)}
		require.NoError(f.t, of(f.Offer(ctx, p, 10)))
	}
}

// tells demands what is told of sales since, in this order for each pool. Three processes sweep at once before.
func (f *fairOfTellers) tells(want ...string) {
	f.t.Helper()
	for _, err := range suite.Together(3, func(int) error { return of(f.Expire(f.t.Context())) }) {
		require.NoError(f.t, err)
	}
	var told []string
	require.NoError(f.t, of(f.events.Deliver(f.t.Context(), func(_ context.Context, e event.Event) error {
		if e.Kind == event.SaleStarted || e.Kind == event.SaleEnded {
			told = append(told, fmt.Sprint(e.Kind, " ", e.SKU, "/", e.Activity))
			require.Equal(f.t, event.ItemQueue(e.SKU, e.Activity), e.Queue)
		}
		return nil
	})))
	require.ElementsMatch(f.t, want, told)
	for i, a := range want {
		for _, b := range want[i+1:] {
			if a[len(a)-3:] == b[len(b)-3:] {
				require.Less(f.t, indexOf(told, a), indexOf(told, b), "%v", told)
			}
		}
	}
}

func indexOf(all []string, one string) int {
	for i, s := range all {
		if s == one {
			return i
		}
	}
	return -1
}

func TestSalesTellOfTheirStartAndTheirEnd(t *testing.T) {
	t.Parallel()
	everyTellingFair(t, func(f *fairOfTellers) {
		ctx := f.t.Context()
		f.offers(7, time.Hour, 2*time.Hour, 1, 2, 3)
		f.offers(8, 30*time.Minute, 40*time.Minute, 1)
		require.NoError(f.t, of(f.Define(ctx, sale.Activity{ID: 9, Title: "draft", End: start.Add(3 * time.Hour), Places: 2})))
		f.tells()
		require.NoError(f.t, of(f.Remove(ctx, stock.Key{SKU: 3, Activity: 7})))
		f.advance(59 * time.Minute) // of the other activity, all of it is between two sweeps
		f.tells("sale started 1/8", "sale ended 1/8")
		f.advance(time.Minute)
		f.tells("sale started 1/7", "sale started 2/7")
		f.tells()
		require.NoError(f.t, of(f.Remove(ctx, stock.Key{SKU: 2, Activity: 7})))
		require.NoError(f.t, of(f.Remove(ctx, stock.Key{SKU: 2, Activity: 7})))
		f.tells("sale ended 2/7")
		f.advance(time.Hour)
		f.tells("sale ended 1/7")
		f.advance(24 * time.Hour)
		f.tells()
	})
}

// What is removed by a transaction that is rolled back goes on, and is told of once it is removed.
func TestTheEndOfASaleIsToldWithItsCommit(t *testing.T) {
	t.Parallel()
	f := frozen(t, defaults, stockTables, saleTables)
	store := sqlstore.NewSale(f.db.DB, &sqlstore.Options{Tell: eventtest.All()})
	fair := &fairOfTellers{
		t: t, Sales: sale.New(store, nil), inv: stock.New(telling(f.db.DB, nil), nil),
		events: event.New(sqlstore.NewEvents(f.db.DB, nil), nil), advance: f.db.Wire.Advance,
	}
	fair.offers(7, -time.Hour, time.Hour, 1)
	fair.tells("sale started 1/7")
	for _, commits := range []bool{false, true} {
		tx := must(f.db.BeginTx(t.Context(), nil))(t)
		require.NoError(t, of(fair.On(store.WithTx(tx)).Remove(t.Context(), stock.Key{SKU: 1, Activity: 7})))
		if !commits {
			require.NoError(t, tx.Rollback())
			fair.tells()
			continue
		}
		require.NoError(t, tx.Commit())
		fair.tells("sale ended 1/7")
	}
}
