package groupbuy_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/groupbuy"
)

// errBroken is what handlers of these tests fail with.
var errBroken = errors.New("broken")

// failed returns a team that has failed with so many events, three at most: each refund is owed.
func (s *shop) failed(t *testing.T, events int64) string {
	t.Helper()
	code := s.team(t.Context(), events-1)
	for seat := range all(s.groups.Members(t.Context(), code)) {
		must(s.groups.Pay(t.Context(), seat.Order))
	}
	must(s.groups.Fail(t.Context(), code, groupbuy.Decision{Actor: "ann", Reason: "because"}))
	return code
}

// event returns an event as it is kept.
func (s *shop) event(t *testing.T, code string, no int64) groupbuy.Event {
	t.Helper()
	event, err := s.store.Event(t.Context(), code, no)
	require.NoError(t, err)
	return event
}

// TestDeliverTriesAFailureOnce: a pause that is shorter than the round must not keep it there.
func TestDeliverTriesAFailureOnce(t *testing.T) {
	t.Parallel()
	s := newShop(t.Context())
	s.failed(t, 3)
	groups := groupbuy.New(s.store, &groupbuy.Options{RetryIn: time.Microsecond})
	calls := 0
	n, err := groups.Deliver(t.Context(), func(context.Context, groupbuy.Event) error {
		calls++
		s.clock.advance(time.Second) // by now it is due again
		return errBroken
	})
	require.NoError(t, err)
	require.Zero(t, n)
	require.Equal(t, 1, calls)
}

// TestAFailureIsKeptAsFarAsItFits, and cut between two characters.
func TestAFailureIsKeptAsFarAsItFits(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"broken":                 "broken",
		strings.Repeat("x", 512): strings.Repeat("x", 512),
		strings.Repeat("x", 513): strings.Repeat("x", 512),
		strings.Repeat("双", 171): strings.Repeat("双", 170), // of three bytes each
		"half \xe5\x8f":          "half \uFFFD",
	} {
		s := newShop(t.Context())
		code := s.failed(t, 2)
		require.Zero(t, must(s.groups.Deliver(t.Context(), func(context.Context, groupbuy.Event) error { return errors.New(given) })))
		require.Equal(t, want, s.event(t, code, 1).Failure)
	}
}

func TestAFailureOfAHandlerSaysWhichTryItWas(t *testing.T) {
	t.Parallel()
	event := groupbuy.Event{Code: "TEAMA22222", No: 1, Kind: groupbuy.TeamFailed, Tries: 3}
	require.EqualError(t, &groupbuy.EventError{Event: event, Err: errBroken},
		`groupbuy: event TEAMA22222/1 (team failed), try 3: broken`)
}
