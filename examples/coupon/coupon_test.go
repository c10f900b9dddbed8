package main

import (
	"context"
	"database/sql"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/examples/internal/example/exampletest"
)

// complete runs the program and returns its books.
func complete(t *testing.T, dsn string, buyers int, codes int64) (b books) {
	t.Helper()
	exampletest.Complete(t, dsn, func(ctx context.Context, db *sql.DB, w io.Writer) (err error) {
		b, err = run(ctx, db, w, buyers, codes)
		return err
	})
	return b
}

func TestBooksOfTheShop(t *testing.T) {
	t.Parallel()
	exampletest.Each(t, func(t *testing.T, dsn string) {
		b := complete(t, dsn, 400, 100)
		require.Equal(t, [3]int64{100, 100, 0}, [3]int64{b.rush.Total, b.rush.Sold, b.rush.Left})
		require.Equal(t, map[int64]coupon.Count{
			welcome: {Reserved: 1}, bought: {Redeemed: 1}, thanks: {Usable: 2, Revoked: 1}, spring: {Usable: 100},
		}, b.counts)
		if dsn == "" {
			require.Empty(t, b.orders)
			return
		}
		require.Equal(t, []orderLine{ // A-2 and C-1 were rolled back
			{"A-1", "105.00", "refunded", coupon.UseReturned},
			{"A-3", "130.00", "cancelled", coupon.UseReleased},
			{"A-4", "200.00", "placed", coupon.UseReserved},
			{"B-1", "60.00", "paid", coupon.UseRedeemed},
		}, b.orders)
	})
}

func TestCodesForEverybody(t *testing.T) {
	t.Parallel()
	b := complete(t, "", 50, 80)
	require.Equal(t, [3]int64{80, 50, 30}, [3]int64{b.rush.Total, b.rush.Sold, b.rush.Left})
}

func TestInterruptedShopLeavesNothing(t *testing.T) {
	t.Parallel()
	exampletest.Each(t, func(t *testing.T, dsn string) {
		exampletest.Interrupt(t, dsn, " 24. ", func(ctx context.Context, db *sql.DB, w io.Writer) error { // before the rush
			_, err := run(ctx, db, w, 400, 100)
			return err
		})
	})
}
