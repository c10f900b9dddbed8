package stock_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// of drops what a call returns beside its error.
func of[T any](_ T, err error) error { return err }

// The shop's rows go along with what takes effect, and with nothing else. Their error refuses the call.
func TestMemoryAlong(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	var kept []string
	taken := errors.New("the shop's key is taken")
	store := &stock.Memory{OnAlong: func(_ context.Context, rows []stock.MemoryRow) error {
		for _, row := range rows {
			if row.Args[0] == "taken" {
				return taken
			}
		}
		for _, row := range rows {
			kept = append(kept, row.Text+" "+row.Args[0].(string))
		}
		return nil
	}}
	inv := stock.New(store, nil)
	key, line := stock.Key{SKU: 1}, stock.Line{SKU: 1, Num: 1}
	require.NoError(t, of(inv.Define(ctx, key, 10, stock.Terms{})))
	later := time.Now().Add(time.Hour)
	order := store.Along("order", "a")
	two := order.Along("item", "b")
	for i, c := range []struct {
		call func(inv *stock.Inventory) error
		want error
		rows int // that are kept for one, not for a replay
	}{
		{func(inv *stock.Inventory) error { return of(inv.Lock(ctx, "a", line)) }, nil, 1},
		{func(inv *stock.Inventory) error { return of(inv.Lock(ctx, "x", stock.Line{SKU: 1, Num: 11})) }, stock.ErrInsufficient, 0},
		{func(inv *stock.Inventory) error { return of(inv.Lock(ctx, "a", stock.Line{SKU: 1, Num: 2})) }, stock.ErrMismatch, 0},
		{func(inv *stock.Inventory) error { return of(inv.Until(time.Unix(0, 0)).Lock(ctx, "x", line)) }, stock.ErrExpired, 0},
		{func(inv *stock.Inventory) error { return of(inv.Extend(ctx, "a", later)) }, nil, 1},
		{func(inv *stock.Inventory) error { return of(inv.Pay(ctx, "a")) }, nil, 1},
		{func(inv *stock.Inventory) error { return of(inv.Cancel(ctx, "a")) }, stock.ErrPaid, 0},
		{func(inv *stock.Inventory) error { return of(inv.Refund(ctx, stock.Refund{ID: "r", Order: "a"})) }, nil, 1},
		{func(inv *stock.Inventory) error { return of(inv.Cancel(ctx, "unknown")) }, nil, 1},
		{func(inv *stock.Inventory) error { return suite.Err(inv.Restock(ctx, "s", line)) }, nil, 1},
		{func(inv *stock.Inventory) error { return of(inv.Define(ctx, key, 10, stock.Terms{PerOrder: 3})) }, nil, 1},
		{func(inv *stock.Inventory) error { return of(inv.Define(ctx, stock.Key{SKU: 2}, 10, stock.Terms{})) }, nil, 1},
	} {
		kept = []string{}
		if c.want == nil {
			require.ErrorIs(t, c.call(inv.On(two.Along("item", "taken"))), taken, i)
		} else {
			require.ErrorIs(t, c.call(inv.On(two.Along("item", "taken"))), c.want, i)
		}
		require.Empty(t, kept, i)
		for range 2 {
			require.ErrorIs(t, c.call(inv.On(two)), c.want, i)
		}
		require.Equal(t, []string{"order a", "item b"}[:2*c.rows], kept, i)
	}
	audit, err := inv.Audit(ctx)
	require.NoError(t, err)
	require.Empty(t, audit.Drifts)
}

func TestMemoryAlongWithoutAFuncIsInvalid(t *testing.T) {
	t.Parallel()
	_, err := stock.New((&stock.Memory{}).Along("order", "a"), nil).Lock(t.Context(), "a", stock.Line{SKU: 1, Num: 1})
	require.ErrorIs(t, err, stock.ErrInvalid)
}
