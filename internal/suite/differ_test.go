package suite

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPlacesNamesWhatDiffersHoweverItIsPrinted(t *testing.T) {
	t.Parallel()
	type part struct{ Num int }
	type whole struct {
		part

		Parts []part
		At    time.Time
		Any   any
	}
	at := time.Unix(0, 0).UTC()
	a := Answer{Result: []whole{{Parts: []part{{1}, {2}}, At: at, Any: &part{5}}}, Effects: []any{1}}
	b := Answer{Result: []whole{{Parts: []part{{1}, {3}}, At: at.Add(time.Second), Any: &part{6}}}}
	require.Equal(t, ".Result[0].Parts[1].Num: 2 | 3\n"+
		"  .Result[0].At: 1970-01-01 00:00:00 +0000 UTC | 1970-01-01 00:00:01 +0000 UTC\n"+
		"  .Result[0].Any.Num: 5 | 6\n"+
		"  .Effects: [1] | []", places(a, b))
	require.Empty(t, places(a, a))
}
