package sqlstore_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// ways are the usual store and the one that does not merge.
func ways() map[string]*sqlstore.Options {
	return map[string]*sqlstore.Options{"Merged": nil, "Unmerged": &alone}
}

// everyLife runs a test with each life, by the usual store and, without -short, by the one that does not merge.
func everyLife(t *testing.T, test func(t *testing.T, live life, opts *sqlstore.Options)) {
	t.Helper()
	for name, live := range lives() {
		for way, opts := range ways() {
			if testing.Short() && opts != nil {
				continue
			}
			t.Run(name+way, func(t *testing.T) {
				t.Parallel()
				test(t, live, opts)
			})
		}
	}
}

// Behind a splitter whose replica has only what was defined long ago, every verb goes on from what the one before has just
// done, and does the same when it is called again. What a sweep lists has arrived.
func TestLivesBehindASplitter(t *testing.T) {
	t.Parallel()
	everyLife(t, func(t *testing.T, live life, opts *sqlstore.Options) {
		t.Helper()
		primary := frozen(t, defaults, live.tables...).db
		split := primary.As(t, sqltest.Splitter())
		split.Wire.Freeze(start)
		verbs, _ := live.begin(t.Context(), split, opts, func(d time.Duration) { split.Wire.Advance(d); primary.Wire.Advance(d) })
		_, read := live.begin(t.Context(), primary, opts, nil)
		last := read()
		for _, verb := range verbs {
			if verb.name == "Expire" || verb.name == "Deliver" {
				split.CatchUp(t)
			}
			require.NoError(t, verb.call(), verb.name)
			seen := read()
			if slices.Equal(last, seen) {
				t.Fatal(verb.name + " has done nothing")
			}
			last = seen
			require.NoError(t, verb.call(), "%s, called again", verb.name)
			if strings.HasPrefix(verb.name, "Define") || verb.name == "Offer" {
				split.CatchUp(t)
			}
		}
	})
}

// What a shop is told behind a splitter about an order is what the order has come to, not what the replica knows.
func TestAnswersBehindASplitter(t *testing.T) {
	t.Parallel()
	for way, opts := range ways() {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			s := open(t, nil)
			ctx := t.Context()
			require.NoError(t, of(s.Define(ctx, stock.Key{SKU: 4}, 5, stock.Terms{PerBuyer: 2})))
			db := s.db.As(t, sqltest.Splitter())
			db.Wire.Freeze(start)
			inv := s.On(sqlstore.NewStock(db.DB, opts))

			hold := must(inv.Lock(ctx, "a", one(1), one(2)))(t)
			again := must(inv.Lock(ctx, "a", one(1), one(2)))(t)
			require.True(t, again.Replay)
			again.Replay = false
			require.Equal(t, hold, again)
			require.ErrorIs(t, of(inv.Lock(ctx, "a", one(3))), stock.ErrMismatch)
			require.Equal(t, stock.Locked, must(inv.Resolve(ctx, "a"))(t).State)
			require.NoError(t, of(inv.Pay(ctx, "a")))
			outcome := must(inv.Pay(ctx, "a"))(t)
			require.True(t, outcome.Replay)
			require.Equal(t, stock.Paid, outcome.State)
			require.ErrorIs(t, of(inv.Cancel(ctx, "a")), stock.ErrPaid)
			require.Equal(t, stock.Paid, must(inv.Resolve(ctx, "a"))(t).State)

			part := stock.Refund{ID: "r", Order: "a", Restock: true, Lines: []stock.Line{one(1)}}
			first := must(inv.Refund(ctx, part))(t)
			second := must(inv.Refund(ctx, part))(t)
			require.True(t, second.Replay)
			second.Replay = false
			require.Equal(t, first, second)
			require.NoError(t, of(inv.Restock(ctx, "more", one(1))))
			require.NoError(t, of(inv.Restock(ctx, "more", one(1))))
			s.counters(1, 0, 0, 11)

			require.NoError(t, of(inv.For("7").Lock(ctx, "b", stock.Line{SKU: 4, Num: 2})))
			require.ErrorIs(t, of(inv.For("7").Lock(ctx, "c", one(4))), stock.ErrPerBuyer)
			require.NoError(t, of(inv.For("8").Lock(ctx, "c", stock.Line{SKU: 4, Num: 2})))
			var shortage *stock.ShortageError
			_, err := inv.For("9").Lock(ctx, "d", stock.Line{SKU: 4, Num: 2})
			require.ErrorAs(t, err, &shortage)
			require.Equal(t, int64(1), shortage.Available)
			db.Wire.Advance(stock.DefaultHoldFor)
			s.db.Wire.Advance(stock.DefaultHoldFor)
			_, err = inv.For("9").Lock(ctx, "d", stock.Line{SKU: 4, Num: 2})
			require.NoError(t, err, "the dead holds that the replica does not have were in the way")

			require.NoError(t, of(inv.For("9").Lock(ctx, "e", one(3))))
			require.NoError(t, of(inv.For("9").Lock(ctx, "f", stock.Line{SKU: 3, Num: 5})))
			counted := must(inv.Count(ctx, "stocktaking", stock.Key{SKU: 3}, 4))(t)
			require.Equal(t, int64(2), counted.Short)
			require.Len(t, counted.Hit, 1)
			var closed []string
			for outcome, err := range inv.CancelAll(ctx, stock.Filter{Key: stock.Key{SKU: 3}}) {
				require.NoError(t, err)
				closed = append(closed, outcome.Order)
			}
			require.Equal(t, []string{"e", "f"}, closed)
		})
	}
}

// A splitter that answers SELECT CONNECTION_ID() itself, or asks a replica, may take KILL for another session. So nobody's statement is
// ended there: calls wait until the item is free.
func TestNothingIsKilledWhereConnectionsHaveTwoNumbers(t *testing.T) {
	t.Parallel()
	c := newCrowd(t, 12)
	split := c.db.As(t, sqltest.Splitter())
	c.Inventory = c.On(sqlstore.NewStock(split.DB, nil))
	asked := make(chan struct{})
	split.Wire.Before("SELECT CONNECTION_ID()", func() { close(asked) })
	release := c.blockItem(5)
	locked := going(func() error { return errors.Join(suite.Together(c.n, c.verbs(t.Context())[0].call)...) })
	select {
	case <-asked:
	case <-soon(t).Done():
		t.Fatal("nobody asks for the number")
	}
	require.Empty(t, locked, "some wait")
	release()
	require.NoError(t, <-locked)
	require.NotContains(t, strings.Join(split.Wire.Statements(), "\n"), "KILL")
}
