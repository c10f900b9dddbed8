package redpacket_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/redpackettest"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/redpacket"
	"github.com/holdfast-go/holdfast/stock"
)

// The shop's rows go along with what takes effect, and with nothing else. Their error refuses the call.
func TestMemoryAlong(t *testing.T) {
	t.Parallel()
	var kept []string
	taken := errors.New("the shop's key is taken")
	h := memory(t)
	store := h.Store.(*redpacket.Memory)
	store.OnAlong = func(_ context.Context, rows []stock.MemoryRow) error {
		if rows[0].Text == "taken" {
			return taken
		}
		kept = append(kept, rows[0].Args[0].(string))
		return nil
	}
	redpackettest.Along(t, h, suite.Shop[redpacket.Store]{
		With: func(row suite.Row, about string, call func(redpacket.Store) error) error {
			text := "note"
			if row == suite.TakenRow {
				text = "taken"
			}
			return call(store.Along(text, about))
		},
		Refuses: map[suite.Row]func(error) bool{suite.TakenRow: func(err error) bool { return errors.Is(err, taken) }},
		Rows:    func() []string { was := kept; kept = nil; return was },
	})
}

func TestMemoryAlongWithoutAFuncIsInvalid(t *testing.T) {
	t.Parallel()
	packets := redpacket.New((&redpacket.Memory{}).Along("note", 1), nil)
	_, err := packets.For("anna").Grab(t.Context(), 1)
	require.ErrorIs(t, err, redpacket.ErrInvalid)
	_, err = packets.Close(t.Context(), 1)
	require.ErrorIs(t, err, redpacket.ErrInvalid)
}
