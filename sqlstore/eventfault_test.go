package sqlstore_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// A connection that is lost at each of the statements of a call that tells: until the COMMIT nothing is done and nothing told, from
// there on nobody knows, and the same call again has told everything once.
func TestTellingCallsLoseTheirConnection(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		prepare, call func(inv *stock.Inventory, order string, sku int64) error
		told          []event.Kind // of the item, and then of the order
	}{
		"Lock": {nothingBefore, lockAll, []event.Kind{event.SoldOut}},
		"Pay": {lockAll, func(inv *stock.Inventory, order string, _ int64) error {
			return of(inv.Pay(context.Background(), order))
		}, []event.Kind{event.SoldOut, event.OrderPaid}},
		"Cancel": {lockAll, func(inv *stock.Inventory, order string, _ int64) error {
			return of(inv.Cancel(context.Background(), order))
		}, []event.Kind{event.SoldOut, event.BackInStock, event.HoldCancelled}},
		"Refund": {takeAll, func(inv *stock.Inventory, order string, _ int64) error {
			return of(inv.Refund(context.Background(), stock.Refund{ID: order, Order: order, Restock: true}))
		}, []event.Kind{event.SoldOut, event.BackInStock, event.OrderPaid, event.OrderRefunded}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := frozen(t, defaults, stockTables)
			inv := stock.New(sqlstore.OneByOne(telling(f.db.DB, nil)), nil)
			events := event.New(sqlstore.NewEvents(f.db.DB, nil), nil)
			sku := int64(0)
			for n, lost := 0, true; lost; n++ { // until the fault comes behind the last statement
				for _, kind := range []sqltest.FaultKind{sqltest.LostRequest, sqltest.LostReply} {
					sku++
					order := fmt.Sprint("o", sku)
					require.NoError(t, of(inv.Define(t.Context(), stock.Key{SKU: sku}, 2, stock.Terms{})))
					require.NoError(t, c.prepare(inv, order, sku))
					f.db.Wire.Statements()
					f.db.Wire.Inject(sqltest.Fault{Behind: n, Kind: kind})
					err := c.call(inv, order, sku)
					lost = len(f.db.Wire.Statements()) > n
					f.db.Wire.Forget()
					require.True(t, err == nil || stock.Retryable(err), "%v", err)
					require.NoError(t, c.call(inv, order, sku))
					require.Equal(t, c.told, append(kindsIn(t, events, event.ItemQueue(sku, 0)), kindsIn(t, events, event.OrderQueue(order))...),
						"%s behind %d, %v", name, n, kind)
				}
				require.Less(t, n, 40)
			}
			require.Empty(t, must(inv.Audit(t.Context()))(t).Drifts)
		})
	}
}

func nothingBefore(*stock.Inventory, string, int64) error { return nil }

func lockAll(inv *stock.Inventory, order string, sku int64) error {
	return of(inv.Lock(context.Background(), order, stock.Line{SKU: sku, Num: 2}))
}

func takeAll(inv *stock.Inventory, order string, sku int64) error {
	return of(inv.Take(context.Background(), order, stock.Line{SKU: sku, Num: 2}))
}

// kindsIn returns the kinds of the events of a queue.
func kindsIn(t testing.TB, events *event.Events, queue string) (kinds []event.Kind) {
	t.Helper()
	for e, err := range events.Of(t.Context(), queue) {
		require.NoError(t, err)
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

// A connection that is lost at each of the statements of a delivery: each event is handled at least once, in its order, and done.
func TestDeliveriesLoseTheirConnection(t *testing.T) {
	t.Parallel()
	f := frozen(t, defaults, stockTables)
	inv := stock.New(telling(f.db.DB, nil), nil)
	require.NoError(t, of(inv.Define(t.Context(), stock.Key{SKU: 1}, 1_000_000, stock.Terms{})))
	for n, lost := 0, true; lost; n++ {
		for _, kind := range []sqltest.FaultKind{sqltest.LostRequest, sqltest.LostReply} {
			order := fmt.Sprint(n, "-", kind)
			require.NoError(t, of(inv.Take(t.Context(), order, one(1))))
			require.NoError(t, of(inv.Refund(t.Context(), stock.Refund{ID: order, Order: order})))
			events := event.New(sqlstore.NewEvents(f.db.DB, nil), nil)
			var handled []event.Kind
			handle := func(_ context.Context, e event.Event) error {
				handled = append(handled, e.Kind)
				return nil
			}
			f.db.Wire.Statements()
			f.db.Wire.Inject(sqltest.Fault{Behind: n, Kind: kind})
			_, err := events.Deliver(t.Context(), handle)
			lost = len(f.db.Wire.Statements()) > n
			f.db.Wire.Forget()
			require.True(t, err == nil || event.Retryable(err), "%v", err)
			f.db.Wire.Advance(event.DefaultLeaseFor)
			for tries := 0; value[int](t, f.db, "SELECT COUNT(*) FROM goods_stock_event WHERE STATE <> 1") > 0; tries++ {
				require.Less(t, tries, 1_000) // until the server has noticed that the connection is gone, which has locked them
				require.NoError(t, of(events.Deliver(t.Context(), handle)))
			}
			require.Equal(t, []event.Kind{event.OrderPaid, event.OrderRefunded}, []event.Kind{handled[0], handled[len(handled)-1]})
			require.Zero(t, must(events.Deliver(t.Context(), handle))(t))
		}
		require.Less(t, n, 40)
	}
}

// However many events there are that are done, and however many wait, what a delivery reads and changes is found by an index.
func TestEventStatementsScanNoTable(t *testing.T) {
	t.Parallel()
	sqltest.NeedsInnoDB(t, "which index a plan uses")
	f := frozen(t, defaults, stockTables)
	var rows []string
	for i := range 4_000 {
		state, due := 1, "TIMESTAMP'2030-01-01 00:00:00'"
		switch i % 40 {
		case 0:
			state = 0
		case 1:
			state, due = 2, "TIMESTAMP'9999-01-01 00:00:00'"
		}
		rows = append(rows, fmt.Sprintf("('order/%d', 6, %d, %s, %[3]s)", i%500, state, due))
	}
	run(t, f.db, "INSERT INTO goods_stock_event (QUEUE, KIND, STATE, DUE_TIME, CREATE_TIME) VALUES "+strings.Join(rows, ", "),
		"ANALYZE TABLE goods_stock_event")
	store, ctx := sqlstore.NewEvents(f.db.DB, nil), t.Context()
	const due, queue = "goods_stock_event_due", "goods_stock_event_queue"
	var taken []event.Event
	settle := func(r event.Result) func() error {
		return func() error { r.Event = taken[0]; return of(store.Settle(ctx, []event.Result{r})) }
	}
	scansNoTable(t, f.db, []planCase{
		{"Take", due, false, func() (err error) { taken, err = store.Take(ctx, 16, time.Minute); return err }},
		{"Take of the rest", queue, false, func() error { return of(store.Take(ctx, 16, time.Minute)) }},
		{"Settle, given back", "PRIMARY", false, settle(event.Result{})},
		{"Settle, failed", "PRIMARY", false, settle(event.Result{Failure: "odd", RetryIn: time.Minute})},
		{"Settle, set aside", "PRIMARY", false, settle(event.Result{Failure: "odd", Aside: true})},
		{"Settle, done", "PRIMARY", false, settle(event.Result{Done: true})},
		{"Event", "PRIMARY", false, func() error { return of(store.Event(ctx, taken[0].ID)) }},
		{"List of a queue", queue, true, func() error { return of(store.List(ctx, event.OrderQueue("7"), 3, 10)) }},
		{"List of what is set aside", due, false, func() error { return of(store.List(ctx, "", 3, 10)) }},
		{"Prune", due, false, func() error { return of(store.Prune(ctx, start.Add(-time.Hour), 10)) }},
	})
}
