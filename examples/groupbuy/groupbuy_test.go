package main

import (
	"context"
	"database/sql"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/examples/internal/example/exampletest"
	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/stock"
)

func TestBooksOfTheShop(t *testing.T) {
	t.Parallel()
	const teams = 20
	exampletest.Each(t, func(t *testing.T, dsn string) {
		if dsn != "" && sqltest.Slow() {
			t.Skip("the activity is over before the server lets anybody in")
		}
		var b books
		exampletest.Complete(t, dsn, func(ctx context.Context, db *sql.DB, w io.Writer) (err error) {
			b, err = run(ctx, db, w, teams)
			return err
		})
		require.Zero(t, b.teams[groupbuy.Forming])
		formed, failed := b.teams[groupbuy.Formed]-3, b.teams[groupbuy.Failed] // three are of the story
		require.Equal(t, teams, formed+failed)
		require.Positive(t, failed)

		sold := int64(teamSize * formed)
		require.Equal(t, map[stock.Key]int64{
			{SKU: cups}: 0, {SKU: cups, Activity: fair}: 4, {SKU: cups, Activity: evening}: sold,
			{SKU: rice}: 0, {SKU: rice, Activity: fair}: 43,
		}, sums(b, func(q stock.Quantities) int64 { return q.Sold }))
		require.Equal(t, map[stock.Key]int64{ // nothing is left in the activities
			{SKU: cups}: 600 - 4 - sold, {SKU: cups, Activity: fair}: 0, {SKU: cups, Activity: evening}: 0,
			{SKU: rice}: 600 - 43, {SKU: rice, Activity: fair}: 0,
		}, sums(b, func(q stock.Quantities) int64 { return q.Left }))

		require.Equal(t, 6+int(sold), b.orders["to ship"])
		require.LessOrEqual(t, b.orders["refunded"], teamSize*failed+1) // Fay left a team that is formed
		require.Len(t, b.orders, 2, "orders are left that are paid, and neither to ship nor refunded")
	})
}

// sums returns one counter of each item.
func sums(b books, of func(stock.Quantities) int64) map[stock.Key]int64 {
	sums := map[stock.Key]int64{}
	for key, quantities := range b.items {
		sums[key] = of(quantities)
	}
	return sums
}

func TestInterruptedShopLeavesNothing(t *testing.T) {
	t.Parallel()
	exampletest.Each(t, func(t *testing.T, dsn string) {
		exampletest.Interrupt(t, dsn, " 10. ", func(ctx context.Context, db *sql.DB, w io.Writer) error { // within the story
			_, err := run(ctx, db, w, 20)
			return err
		})
	})
}
