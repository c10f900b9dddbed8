package redpacket_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/redpackettest"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/redpacket"
)

// The shop's rows go along with what takes effect, and with nothing else. Their error refuses the call.
func TestMemoryAlong(t *testing.T) {
	t.Parallel()
	h := memory(t)
	store := h.Store.(*redpacket.Memory)
	shop, onAlong := suite.MemoryShop(func(text string, args ...any) redpacket.Store { return store.Along(text, args...) })
	store.OnAlong = onAlong
	redpackettest.Along(t, h, shop)
}

func TestMemoryAlongWithoutAFuncIsInvalid(t *testing.T) {
	t.Parallel()
	packets := redpacket.New((&redpacket.Memory{}).Along("note", 1), nil)
	_, err := packets.For("anna").Grab(t.Context(), 1)
	require.ErrorIs(t, err, redpacket.ErrInvalid)
	_, err = packets.Close(t.Context(), 1)
	require.ErrorIs(t, err, redpacket.ErrInvalid)
}
