package groupbuy_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func TestTeamsRefusesWhatNothingMatches(t *testing.T) {
	t.Parallel()
	s := newShop(t.Context())
	s.team(t.Context(), 1)
	for name, filter := range map[string]groupbuy.TeamFilter{
		"no SKU":                          {Product: stock.Key{Activity: 7}},
		"no activity":                     {Product: stock.Key{SKU: 42}},
		"an unknown state":                {State: 2},
		"teams that are formed, to join":  {State: groupbuy.Formed, Joinable: true},
		"teams that have failed, to join": {State: groupbuy.Failed, Joinable: true},
	} {
		_, err := suite.Gather(s.groups.Teams(t.Context(), filter))
		require.ErrorIs(t, err, groupbuy.ErrInvalid, name)
	}
	teams, err := suite.Gather(s.groups.Teams(t.Context(), groupbuy.TeamFilter{}))
	require.NoError(t, err)
	require.Len(t, teams, 1)
}

// TestJoinableListsWhatCanBeJoined: nothing that Join would refuse whoever asked.
func TestJoinableListsWhatCanBeJoined(t *testing.T) {
	t.Parallel()
	s := newShop(t.Context())
	joinable := func() int {
		teams, err := suite.Gather(s.groups.Joinable(t.Context(), tea))
		require.NoError(t, err)
		return len(teams)
	}
	require.Zero(t, joinable())
	s.team(t.Context(), 2)
	require.Equal(t, 1, joinable())

	activity := must(s.groups.Activity(t.Context(), 7))
	activity.Hidden = true
	must(s.groups.Define(t.Context(), activity))
	require.Equal(t, 1, joinable(), "a hidden one can be joined")
	_, err := s.groups.For("9").Open(t.Context(), buy("x"))
	require.ErrorIs(t, err, groupbuy.ErrHidden)
	product := must(s.groups.Product(t.Context(), tea)).Product
	product.MembersOnly = true
	must(s.groups.Revise(t.Context(), product))
	require.Equal(t, 1, joinable(), "by somebody")

	must(s.groups.Remove(t.Context(), tea))
	require.Zero(t, joinable())
	_, err = suite.Gather(s.groups.Joinable(t.Context(), stock.Key{SKU: 43, Activity: 7}))
	require.ErrorIs(t, err, groupbuy.ErrUnknownProduct)
	_, err = suite.Gather(s.groups.Joinable(t.Context(), stock.Key{SKU: 42, Activity: 8}))
	require.ErrorIs(t, err, groupbuy.ErrUnknownActivity)
}

// TestShelfShowsWhatEachPoolHas, in the order of the shop window, which is not that of the pools.
func TestShelfShowsWhatEachPoolHas(t *testing.T) {
	t.Parallel()
	s := newShop(t.Context())
	must(s.groups.Define(t.Context(), groupbuy.Activity{
		ID: 8, Formation: time.Hour, End: s.clock.at.Add(time.Hour), Sort: -1,
	}))
	for i, key := range []stock.Key{{SKU: 50, Activity: 8}, {SKU: 41, Activity: 7}, {SKU: 40, Activity: 8}} {
		must(s.stock.Define(t.Context(), stock.Key{SKU: key.SKU}, 100, stock.Terms{}))
		must(s.groups.Offer(t.Context(), groupbuy.Product{Key: key, Terms: ofThree()}, int64(i+1)))
	}
	s.team(t.Context(), 2)
	type row struct {
		key       stock.Key
		available int64
		endsIn    time.Duration
	}
	var rows []row
	for shown := range all(s.groups.Shelf(t.Context())) {
		rows = append(rows, row{shown.Key, shown.Available, shown.EndsIn})
	}
	require.Equal(t, []row{
		{stock.Key{SKU: 40, Activity: 8}, 3, time.Hour}, {stock.Key{SKU: 50, Activity: 8}, 1, time.Hour},
		{stock.Key{SKU: 41, Activity: 7}, 2, 7 * 24 * time.Hour}, {stock.Key{SKU: 42, Activity: 7}, 98, 7 * 24 * time.Hour},
	}, rows)
	s.clock.advance(time.Hour)
	require.Len(t, must(suite.Gather(s.groups.Shelf(t.Context()))), 2, "what has ended is not in it")
}
