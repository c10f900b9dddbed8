package stock_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/holdfast-go/holdfast/stock"
)

// warehouses is a shop whose warehouses are pools. Its order rows keep which of them serve an order.
type warehouses struct {
	inv   *stock.Inventory
	store *stock.Memory // in the program *sqlstore.Stock
	rows  map[string][]stock.Line
}

// split chooses where units of a SKU come from: the fullest warehouse first.
func (w warehouses) split(ctx context.Context, sku, num int64, places ...int64) (chosen []stock.Line, err error) {
	lines := make([]stock.Line, len(places))
	for i, place := range places {
		lines[i] = stock.Line{SKU: sku, Activity: place, Num: num}
	}
	all, err := w.inv.Check(ctx, lines...)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, func(a, b stock.Availability) int { return cmp.Compare(b.Num, a.Num) })
	for _, a := range all {
		if a.Line.Num = min(num, a.Num); a.Line.Num > 0 {
			chosen = append(chosen, a.Line)
			num -= a.Line.Num
		}
	}
	if num > 0 {
		return nil, stock.ErrInsufficient
	}
	return chosen, nil
}

// place locks units of a SKU, wherever they are. The order row goes along with the Lock, so a retry finds the split that was made.
func (w warehouses) place(ctx context.Context, order string, sku, num int64) (stock.Hold, error) {
	for range 3 {
		lines, known := w.rows[order] // SELECT split FROM shop_order WHERE no = ?
		if known {
			return w.inv.Lock(ctx, order, lines...)
		}
		lines, err := w.split(ctx, sku, num, 1, 2, 3)
		if err != nil {
			return stock.Hold{}, err
		}
		row := w.store.Along("INSERT INTO shop_order (no, split) VALUES (?, ?)", order, lines)
		hold, err := w.inv.On(row).Lock(ctx, order, lines...)
		if !errors.Is(err, stock.ErrInsufficient) && !errors.Is(err, stock.ErrMismatch) {
			return hold, err
		} // others were faster since the look, or the same call was: look again
	}
	return stock.Hold{}, stock.ErrBusy
}

// Several places: each warehouse is a pool of the SKU. Check tells what each has, and one Lock takes all lines or none. The split is
// kept in the order row, so a retry locks the same.
func ExampleInventory_Check_places() {
	ctx := context.Background()
	w := warehouses{rows: map[string][]stock.Line{}, store: new(stock.Memory)}
	w.store.OnAlong = func(_ context.Context, rows []stock.MemoryRow) error { // what the database does
		w.rows[rows[0].Args[0].(string)] = rows[0].Args[1].([]stock.Line)
		return nil
	}
	w.inv = stock.New(w.store, nil)
	for place, units := range map[int64]int64{1: 3, 2: 5, 3: 1} {
		must(w.inv.Define(ctx, stock.Key{SKU: 42, Activity: place}, units, stock.Terms{}))
	}
	for range 2 { // the second is a retry
		hold, err := w.place(ctx, "order-1", 42, 6)
		fmt.Println(hold.Asked(), hold.Replay, err)
	}
	_, err := w.place(ctx, "order-2", 42, 4)
	fmt.Println(err)
	// Output:
	// [{42 1 1} {42 2 5}] false <nil>
	// [{42 1 1} {42 2 5}] true <nil>
	// stock: insufficient
}

// A limit over several SKUs and pools is an item of its own: unlimited, with PerBuyer, and locked as one more line of as many units.
func ExampleTerms_group() {
	ctx, inv := shop()
	const allowance = 9000 // of SKU 42 and SKU 43 together: 2 units per buyer
	must(inv.Define(ctx, stock.Key{SKU: allowance}, 0, stock.Terms{Unlimited: true, PerBuyer: 2}))
	buyer := inv.For("77")
	must(buyer.Lock(ctx, "order-1", stock.Line{SKU: 42, Num: 1}, stock.Line{SKU: allowance, Num: 1}))
	_, err := buyer.Lock(ctx, "order-2", stock.Line{SKU: 42, Num: 1}, stock.Line{SKU: 43, Num: 1}, stock.Line{SKU: allowance, Num: 2})
	fmt.Println(err)
	must(inv.Cancel(ctx, "order-1")) // gives the allowance back with the units; a Refund names its line, with FreesBuyer
	hold, err := buyer.Lock(ctx, "order-2", stock.Line{SKU: 42, Num: 1}, stock.Line{SKU: 43, Num: 1}, stock.Line{SKU: allowance, Num: 2})
	fmt.Println(hold.State, err)
	// Output:
	// stock: over a limit: units per buyer (SKU 9000: limit 2, has 1, wanted 2 more)
	// locked <nil>
}
