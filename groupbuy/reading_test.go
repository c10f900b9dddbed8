package groupbuy_test

import (
	"testing"

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
