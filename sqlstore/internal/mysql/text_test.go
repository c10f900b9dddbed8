package mysql

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLiteralsAreThoseOfEverySQLMode(t *testing.T) {
	t.Parallel()
	require.Equal(t, "SELECT -7, x'27206f7227', x'', NULL, 1, 0", Render("SELECT ?, ?, ?, ?, ?, ?", int64(-7), "' or'", "", nil, true, false))
}
