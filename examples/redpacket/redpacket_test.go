package main

import (
	"context"
	"database/sql"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/examples/internal/example/exampletest"
	"github.com/holdfast-go/holdfast/redpacket"
)

// complete runs the program and returns its books.
func complete(t *testing.T, dsn string, people int, shares int64) (b books) {
	t.Helper()
	exampletest.Complete(t, dsn, func(ctx context.Context, db *sql.DB, w io.Writer) (err error) {
		b, err = run(ctx, db, w, people, shares)
		return err
	})
	return b
}

func TestBooksOfTheApp(t *testing.T) {
	t.Parallel()
	exampletest.Each(t, func(t *testing.T, dsn string) {
		b := complete(t, dsn, 300, 50)
		require.Equal(t, []packetLine{
			{redpacket.Finished, 3, "10.00", "10.00", "0.00"},
			{redpacket.Closed, 1, "20.00", "5.00", "15.00"},
			{redpacket.Expired, 0, "8.00", "0.00", "8.00"},
			{redpacket.Finished, 50, "100.00", "100.00", "0.00"},
		}, b.packets)
		require.Zero(t, b.owed)
		require.Equal(t, [3]string{"138.00", "115.00", "23.00"}, [3]string{yuan(b.received), yuan(b.grabbed), yuan(b.wentBack)})
	})
}

func TestSharesForEverybody(t *testing.T) {
	t.Parallel()
	b := complete(t, "", 30, 1000)
	require.Equal(t, redpacket.Closed, b.packets[rain-1].state)
	require.Equal(t, int64(30), b.packets[rain-1].winners)
	require.Zero(t, b.owed)
}

func TestInterruptedAppLeavesNothing(t *testing.T) {
	t.Parallel()
	exampletest.Each(t, func(t *testing.T, dsn string) {
		exampletest.Interrupt(t, dsn, "people tap", func(ctx context.Context, db *sql.DB, w io.Writer) error { // before the payouts
			_, err := run(ctx, db, w, 300, 50)
			return err
		})
	})
}
