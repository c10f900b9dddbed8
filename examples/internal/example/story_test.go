package example_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/examples/internal/example"
	"github.com/holdfast-go/holdfast/stock"
)

func TestStoryEndsWithTheFirstSurprise(t *testing.T) {
	t.Parallel()
	surprise := errors.New("surprise")
	for name, c := range map[string]struct {
		step func(s *example.Story)
		end  error
	}{
		"Refused":        {func(s *example.Story) { s.Tell("Bo orders", surprise, "done") }, surprise},
		"RefusedForElse": {func(s *example.Story) { s.Refused("Bo orders", surprise, stock.ErrInsufficient) }, surprise},
		"NotRefused":     {func(s *example.Story) { s.Refused("Bo orders", nil, stock.ErrInsufficient) }, stock.ErrInsufficient},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var printed bytes.Buffer
			s := example.NewStory(&printed)
			s.Tell("Ann orders", nil, "%d held", 2)
			s.Refused("Ann orders more", &stock.ShortageError{}, stock.ErrInsufficient)
			require.NoError(t, s.Err())
			c.step(s)
			s.Tell("Chen orders", nil, "held")
			require.ErrorIs(t, s.Err(), c.end)
			require.Equal(t, "  1. Ann orders → 2 held\n  2. Ann orders more → refused: stock: insufficient\n", printed.String())
		})
	}
}
