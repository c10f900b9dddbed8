package sqlstore_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// The first line of a cart is why it is refused, also where only a later one is remembered as sold out.
func TestCartIsRefusedForItsFirstLine(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	ctx := t.Context()
	require.NoError(t, of(s.Define(ctx, stock.Key{SKU: 1}, 10, stock.Terms{PerBuyer: 2})))
	require.NoError(t, of(s.For("b").Lock(ctx, "of b", units(1, 2))))
	s.lock("all", units(2, 10))
	s.soldOut(2, 0)
	require.ErrorIs(t, of(s.For("b").Lock(ctx, "cart", one(1), one(2))), stock.ErrPerBuyer)
	require.ErrorIs(t, of(s.Lock(ctx, "cart", one(1), one(2))), stock.ErrBuyerRequired)
	require.ErrorIs(t, of(s.For("c").Lock(ctx, "cart", one(1), one(2))), stock.ErrInsufficient)
}

// An item and what a buyer has of it are read at one moment: what comes back between the two reads is in both or in neither.
func TestReasonIsOfOneMoment(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	s.Inventory = s.On(sqlstore.NewStock(s.db.DB, &together))
	ctx := t.Context()
	require.NoError(t, of(s.Define(ctx, stock.Key{SKU: 1}, 10, stock.Terms{PerBuyer: 3})))
	require.NoError(t, of(s.For("b").Lock(ctx, "of b", units(1, 2))))
	require.NoError(t, of(s.For("c").Lock(ctx, "of c", units(1, 3))))
	require.NoError(t, of(s.For("d").Lock(ctx, "of d", units(1, 3))))
	require.NoError(t, of(s.For("e").Lock(ctx, "of e", one(1))))
	elsewhere := s.process(&sqlstore.Options{Unmerged: true})
	cancels := 0
	s.db.Wire.Before("SELECT b.SKU_ID", func() {
		cancels++
		require.NoError(t, of(elsewhere.Cancel(ctx, "of b")))
	})
	// Before it, the buyer has two of three; after it, three units are there. At no moment is the item the reason.
	require.ErrorIs(t, of(s.For("b").Lock(ctx, "two more", units(1, 2))), stock.ErrPerBuyer)
	require.Equal(t, 1, cancels)
	require.NoError(t, of(s.For("b").Lock(ctx, "two more", units(1, 2))))
}
