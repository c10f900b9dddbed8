//go:build go1.25

package redpacket

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// TestRunEndsWhatIsDue sweeps until its context ends.
func TestRunEndsWhatIsDue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := New(new(Memory), &Options{LiveFor: time.Minute, Sweep: 10 * time.Second, OnError: func(err error) { t.Error(err) }})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- p.Run(ctx) }()
		<-time.After(5 * time.Second)
		_, err := p.Send(t.Context(), one(7, 2))
		require.NoError(t, err)
		_, err = p.Confirm(t.Context(), 7)
		require.NoError(t, err)
		state := func() State {
			packet, err := p.Packet(t.Context(), 7)
			require.NoError(t, err)
			return packet.State
		}
		<-time.After(64 * time.Second) // it is over, the sweep at one minute came before that
		require.Equal(t, Open, state())
		_, err = p.For("2").Grab(t.Context(), 7)
		require.ErrorIs(t, err, ErrExpired)
		<-time.After(2 * time.Second)
		require.Equal(t, Expired, state())
		stop()
		require.ErrorIs(t, <-done, context.Canceled)
	})
}
