package sqlstore

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
)

func TestPrefixIsInFrontOfEveryName(t *testing.T) {
	t.Parallel()
	all, err := migrationsOf((&Options{Prefix: "shop_"}).Schema())
	require.NoError(t, err)
	for _, m := range all {
		for _, s := range m.statements {
			require.NotRegexp(t, sqltest.Bare, s)
		}
	}
}
