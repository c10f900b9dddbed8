package main

import (
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/examples/internal/example/exampletest"
	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/stock"
)

// requireWhole demands that each buyer is counted once, and that all accounts agree.
func requireWhole(t *testing.T, s *flashSale) {
	t.Helper()
	people := 0
	for _, n := range s.told {
		people += n
	}
	require.Equal(t, s.buyers, people)
	sold := int64(s.told[bought])
	require.Equal(t, stock.Quantities{Total: sold, Sold: sold, Refunded: int64(s.told[refunded])}, s.pool.Quantities)
	require.Equal(t, reserve+s.units-sold, s.shelf.Left)
	require.Empty(t, s.drifts)
}

func TestSaleEndsWithBalancedBooks(t *testing.T) {
	t.Parallel()
	exampletest.Each(t, func(t *testing.T, dsn string) {
		s := flashSale{buyers: 500, units: 50, holdFor: 300 * time.Millisecond}
		exampletest.Complete(t, dsn, s.run)
		requireWhole(t, &s)
		require.Positive(t, s.told[bought])
		require.Positive(t, s.told[soldOut])
		if dsn == "" || !sqltest.Slow() { // where offers live for longer than a call
			require.Positive(t, s.handed)
		}
	})
}

func TestUnitsForEverybody(t *testing.T) {
	t.Parallel()
	s := flashSale{buyers: 200, units: 200, holdFor: 200 * time.Millisecond}
	exampletest.Complete(t, "", s.run)
	requireWhole(t, &s)
	require.Zero(t, s.told[soldOut])
}

func TestNothingIsNoSale(t *testing.T) {
	t.Parallel()
	s := flashSale{buyers: 50, holdFor: 20 * time.Millisecond}
	require.ErrorIs(t, s.run(t.Context(), nil, io.Discard), stock.ErrInvalid)
}

func TestInterruptedSaleLeavesNothing(t *testing.T) {
	t.Parallel()
	exampletest.Each(t, func(t *testing.T, dsn string) {
		s := flashSale{buyers: 500, units: 50, holdFor: time.Minute}
		exampletest.Interrupt(t, dsn, "buyers rush", s.run)
	})
}

func TestBooksThatDoNotBalanceAreAnError(t *testing.T) {
	t.Parallel()
	s := flashSale{units: 10, told: map[result]int{bought: 12}}
	s.pool.Quantities = stock.Quantities{Total: 10, Sold: 12, Left: -2}
	require.ErrorContains(t, s.check(), "do not balance")
}
