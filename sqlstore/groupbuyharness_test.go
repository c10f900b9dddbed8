package sqlstore_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/groupbuytest"
	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// What the teams of these tests buy, and how long they have.
var teamProduct = stock.Key{SKU: 1, Activity: 7}

const teamTime = time.Hour

// bazaar is group buying on a database of its own: one activity with one product, whose teams are of people.
type bazaar struct {
	*groupbuy.Groups
	fixture
	store *sqlstore.GroupBuy
	stock *stock.Inventory // the shop's own
}

// openBazaar returns a bazaar with a frozen clock, whose teams are of so many people and have some units.
func openBazaar(t testing.TB, variant sqltest.Variant, people, units int64) *bazaar {
	t.Helper()
	ctx := t.Context()
	f := frozen(t, variant, stockTables, groupBuyTables)
	store := sqlstore.NewGroupBuy(f.db.DB, nil)
	b := &bazaar{fixture: f, store: store, stock: stock.New(sqlstore.NewStock(f.db.DB, nil), nil)}
	b.Groups = groupbuy.New(store, untilTheEnd())
	require.NoError(t, of(b.stock.Define(ctx, stock.Key{SKU: 1}, units, stock.Terms{})))
	require.NoError(t, of(b.Define(ctx, groupbuy.Activity{ID: 7, Title: "week", Formation: teamTime, End: start.Add(10_000 * time.Hour)})))
	_, err := b.Offer(ctx, groupbuy.Product{Key: teamProduct, Name: "tea", Terms: groupbuy.Terms{
		Places: 2, Price: decimal.NewFromInt(10), GroupPrice: decimal.NewFromInt(8), People: people,
	}}, units)
	require.NoError(t, err)
	return b
}

// process returns the same groups as another process has them.
func (b *bazaar) process(opts *sqlstore.Options) *groupbuy.Groups {
	b.t.Helper()
	return groupbuy.New(sqlstore.NewGroupBuy(b.another().DB, opts), untilTheEnd())
}

// over returns the groups of a process that has this pool.
func (b *bazaar) over(pool *sqltest.DB) *groupbuy.Groups {
	return groupbuy.New(sqlstore.NewGroupBuy(pool.DB, nil), untilTheEnd())
}

// untilTheEnd holds seats as long as their teams live.
func untilTheEnd() *groupbuy.Options { return &groupbuy.Options{HoldFor: 2 * teamTime} }

// purchase is one unit for the buyer of a number.
func purchase(order string, buyer string) groupbuytest.Basket {
	return groupbuytest.Basket{Purchase: groupbuy.Purchase{Order: order, Product: teamProduct, Volume: decimal.NewFromInt(1)}, Buyer: buyer}
}

// team opens a team and has others join it, without a payment, and returns its code and the orders.
func (b *bazaar) team(name string, people int) (code string, orders []string) {
	b.t.Helper()
	for i := range people {
		p := purchase(fmt.Sprintf("%s-%d", name, i+1), fmt.Sprint(i+1))
		take := func() (groupbuy.Seat, error) { return p.Join(b.t.Context(), b.Groups, code) }
		if i == 0 {
			take = func() (groupbuy.Seat, error) { return p.Open(b.t.Context(), b.Groups) }
		}
		seat := must(take())(b.t)
		code, orders = seat.Team, append(orders, p.Order)
	}
	return code, orders
}

// told returns the kinds of the events of a team, in their order.
func (b *bazaar) told(code string) []event.Kind {
	b.t.Helper()
	var kinds []event.Kind
	for e, err := range b.events().Of(b.t.Context(), event.TeamQueue(code)) {
		require.NoError(b.t, err)
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

// balanced demands that an audit finds nothing.
func (b *bazaar) balanced() {
	b.t.Helper()
	report := must(b.Audit(b.t.Context()))(b.t)
	require.Empty(b.t, report.Drifts)
	require.Empty(b.t, report.Mismatched)
	require.Empty(b.t, report.Units.Drifts)
}

// deliver has a handler do nothing with all that is due.
func (b *bazaar) deliver() {
	b.t.Helper()
	require.NoError(b.t, of(b.events().Deliver(b.t.Context(), b.Handle(func(context.Context, groupbuy.Event) error { return nil }))))
}

// events delivers what the teams have told.
func (b *bazaar) events() *event.Events { return event.New(sqlstore.NewEvents(b.db.DB, nil), nil) }
