package groupbuy_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/stock"
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

// nothing is a handler that has nothing to do.
func nothing(context.Context, groupbuy.Event) error { return nil }

// TestDeliverEndsWithItsContext: what a handler has done is recorded; what it has not done comes again.
func TestDeliverEndsWithItsContext(t *testing.T) {
	t.Parallel()
	for _, failure := range []error{nil, errBroken, context.Canceled} {
		s := newShop(t.Context())
		code := s.failed(t, 3)
		ctx, end := context.WithCancel(t.Context())
		var told []error
		groups := groupbuy.New(s.store, &groupbuy.Options{OnError: func(err error) { told = append(told, err) }})
		calls := 0
		n, err := groups.Deliver(ctx, func(context.Context, groupbuy.Event) error {
			calls++
			end()
			return failure
		})
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, 1, calls, "the others are left to the next")
		require.Empty(t, told, "an end is no failure of the handler")
		first := s.event(t, code, 1)
		require.EqualValues(t, 1, first.Tries)
		require.Empty(t, first.Failure)
		if failure == nil {
			require.Equal(t, 1, n)
			require.False(t, first.DoneAt.IsZero())
			continue
		}
		require.Zero(t, n)
		require.True(t, first.DoneAt.IsZero())
		require.Zero(t, must(s.groups.Deliver(t.Context(), nothing)), "it is leased still")
		s.clock.advance(groupbuy.DefaultLeaseFor)
		require.Equal(t, 3, must(s.groups.Deliver(t.Context(), nothing)), "nothing is lost")
	}
}

// TestAHandlerThatPanicsIsNotRecovered: the program may be in any state. Its event comes again, but not for ever.
func TestAHandlerThatPanicsIsNotRecovered(t *testing.T) {
	t.Parallel()
	s := newShop(t.Context())
	code := s.failed(t, 2)
	var told []error
	groups := groupbuy.New(s.store, &groupbuy.Options{MaxTries: 2, OnError: func(err error) { told = append(told, err) }})
	for range 2 {
		require.PanicsWithError(t, "broken", func() {
			_, _ = groups.Deliver(t.Context(), func(context.Context, groupbuy.Event) error { panic(errBroken) })
		})
		require.Zero(t, must(groups.Deliver(t.Context(), nothing)))
		s.clock.advance(groupbuy.DefaultLeaseFor)
	}
	var given []int64
	n, err := groups.Deliver(t.Context(), func(_ context.Context, e groupbuy.Event) error {
		given = append(given, e.No)
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Equal(t, []int64{2}, given, "the first is set aside without a third try, and the next goes on")
	first := s.event(t, code, 1)
	require.True(t, first.Poisoned)
	require.NotEmpty(t, first.Failure)
	require.Len(t, told, 1)
	var event *groupbuy.EventError
	require.ErrorAs(t, told[0], &event)
	require.True(t, event.Event.Poisoned)
	require.EqualValues(t, 2, event.Event.Tries)
}

// TestFailuresGoToOnError with the event and the error of the handler, and say whether it is set aside.
func TestFailuresGoToOnError(t *testing.T) {
	t.Parallel()
	s := newShop(t.Context())
	code := s.failed(t, 2)
	var told []*groupbuy.EventError
	groups := groupbuy.New(s.store, &groupbuy.Options{MaxTries: 3, OnError: func(err error) {
		require.ErrorIs(t, err, errBroken)
		var event *groupbuy.EventError
		require.ErrorAs(t, err, &event)
		told = append(told, event)
	}})
	for i := range 3 {
		n, err := groups.Deliver(t.Context(), func(_ context.Context, e groupbuy.Event) error {
			if e.No == 1 {
				return errBroken
			}
			return nil
		})
		require.NoError(t, err)
		require.Len(t, told, i+1)
		require.Equal(t, i == 2, told[i].Event.Poisoned)
		require.Equal(t, i == 2, n == 1, "the later event waits until then")
		s.clock.advance(time.Hour)
	}
	require.EqualError(t, told[2], `groupbuy: event `+code+`/1 (team failed), try 3: broken`)
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

// TestProcessesShareEvents: of two that look at the same time one has it.
func TestProcessesShareEvents(t *testing.T) {
	t.Parallel()
	s := newShop(t.Context())
	s.failed(t, 2)
	first, other := 0, 0
	groups := s.meanwhile("Lease", func() {
		other = must(s.groups.Deliver(t.Context(), nothing))
	}, nil)
	n, err := groups.Deliver(t.Context(), func(context.Context, groupbuy.Event) error { first++; return nil })
	require.NoError(t, err)
	require.Equal(t, [3]int{0, 0, 2}, [3]int{n, first, other})
}

// TestAHandlerThatIsSlowerThanItsLease has its event taken over: both do it, one is told that it is done.
func TestAHandlerThatIsSlowerThanItsLease(t *testing.T) {
	t.Parallel()
	for _, failure := range []error{nil, errBroken} {
		s := newShop(t.Context())
		code := s.failed(t, 2)
		n, err := s.groups.Deliver(t.Context(), func(_ context.Context, e groupbuy.Event) error {
			if e.No == 1 && e.Tries == 1 {
				s.clock.advance(groupbuy.DefaultLeaseFor)
				require.Equal(t, 2, must(s.groups.Deliver(t.Context(), nothing)), "the other takes over")
				return failure
			}
			return nil
		})
		require.NoError(t, err)
		require.Zero(t, n)
		first := s.event(t, code, 1)
		require.EqualValues(t, 2, first.Tries)
		require.False(t, first.DoneAt.IsZero())
		require.Empty(t, first.Failure)
	}
}

// TestDeliverSaysWhatTheStoreSays, and comes back to what it could not record.
func TestDeliverSaysWhatTheStoreSays(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"Lease", "Delivered", "Seat"} {
		s := newShop(t.Context())
		code := s.failed(t, 2)
		if method == "Seat" {
			require.Equal(t, 2, must(s.groups.Deliver(t.Context(), nothing)))
			must(s.groups.For("9").Open(t.Context(), buy("x")))
			code = must(s.groups.Seat(t.Context(), "x")).Team
			must(s.groups.Pay(t.Context(), "x"))
			must(s.groups.Refund(t.Context(), groupbuy.Refund{Order: "x"}))
		}
		calls := 0
		n, err := s.without(method, groupbuy.ErrUnknown, nil).Deliver(t.Context(), func(context.Context, groupbuy.Event) error {
			calls++
			return nil
		})
		require.ErrorIs(t, err, groupbuy.ErrUnknown, method)
		require.Zero(t, n)
		require.Equal(t, method == "Delivered", calls == 1)
		s.clock.advance(groupbuy.DefaultLeaseFor)
		require.Equal(t, 2, must(s.groups.Deliver(t.Context(), nothing)))
		require.False(t, s.event(t, code, 1).DoneAt.IsZero())
	}
}

// TestRedeliverLeavesAnEventThatIsNotSetAside to Deliver, so that the order of events is kept.
func TestRedeliverLeavesAnEventThatIsNotSetAside(t *testing.T) {
	t.Parallel()
	s := newShop(t.Context())
	code := s.failed(t, 2)
	never := func(context.Context, groupbuy.Event) error { t.Error("called"); return nil }
	_, err := s.groups.Redeliver(t.Context(), code, 2, never)
	require.ErrorIs(t, err, groupbuy.ErrNotPoisoned)
	_, err = s.groups.Redeliver(t.Context(), code, 3, never)
	require.ErrorIs(t, err, groupbuy.ErrUnknownEvent)
	_, err = s.groups.Redeliver(t.Context(), "NOSUCHTEAM", 1, never)
	require.ErrorIs(t, err, groupbuy.ErrUnknownTeam)
}

// TestRedeliverOfARefund makes its seat Refunded once it is done, and leaves it alone before.
func TestRedeliverOfARefund(t *testing.T) {
	t.Parallel()
	s := newShop(t.Context())
	code := s.failed(t, 2)
	var effects []groupbuy.Effect
	groups := groupbuy.New(s.store, &groupbuy.Options{
		MaxTries: 1, Hook: func(_ context.Context, e groupbuy.Effect) { effects = append(effects, e) },
	})
	require.Zero(t, must(groups.Deliver(t.Context(), func(context.Context, groupbuy.Event) error { return errBroken })))
	_, err := groups.Redeliver(t.Context(), code, 2, func(context.Context, groupbuy.Event) error { return errBroken })
	require.ErrorIs(t, err, errBroken)
	require.True(t, s.event(t, code, 2).Poisoned)
	require.Equal(t, groupbuy.RefundDue, must(s.groups.Seat(t.Context(), "o-1")).State)

	for range 2 {
		event, err := groups.Redeliver(t.Context(), code, 2, func(_ context.Context, e groupbuy.Event) error {
			require.Equal(t, groupbuy.RefundDue, e.Seat.State)
			require.Equal(t, "group/o-1", e.Refund())
			return nil
		})
		require.NoError(t, err)
		require.False(t, event.DoneAt.IsZero())
	}
	require.Equal(t, groupbuy.Refunded, must(s.groups.Seat(t.Context(), "o-1")).State)
	require.Equal(t, []groupbuy.Effect{{Step: groupbuy.StepReturn, Order: "o-1", Team: code}}, effects)
	_, err = s.without("Delivered", groupbuy.ErrUnavailable, nil).Redeliver(t.Context(), code, 1, nothing)
	require.ErrorIs(t, err, groupbuy.ErrUnavailable)
	require.True(t, s.event(t, code, 1).Poisoned)
}

// TestAnEventCarriesWhatItIsAbout as it is when it is delivered.
func TestAnEventCarriesWhatItIsAbout(t *testing.T) {
	t.Parallel()
	s := newShop(t.Context())
	code := s.team(t.Context(), 3)
	for _, order := range []string{"o-3", "o-1", "o-2"} {
		must(s.groups.Pay(t.Context(), order))
		s.clock.advance(time.Second)
	}
	must(s.groups.Refund(t.Context(), groupbuy.Refund{Order: "o-1", Actor: "ann"}))
	var given []groupbuy.Event
	require.Equal(t, 2, must(s.groups.Deliver(t.Context(), func(_ context.Context, e groupbuy.Event) error {
		given = append(given, e)
		return nil
	})))
	require.Equal(t, groupbuy.TeamFormed, given[0].Kind)
	require.Equal(t, must(s.groups.Team(t.Context(), code)), given[0].Team)
	require.Zero(t, given[0].Seat)
	var members []string
	for _, seat := range given[0].Members {
		members = append(members, seat.Order+" "+seat.State.String())
	}
	require.Equal(t, []string{"o-3 paid", "o-1 refund due", "o-2 paid"}, members, "in the order of payment, also who left since")
	require.Equal(t, groupbuy.RefundOwed, given[1].Kind)
	require.Equal(t, "o-1", given[1].Seat.Order)
	require.Equal(t, code, given[1].Team.Code)
	require.Empty(t, given[1].Members)
	require.Equal(t, stock.Paid, must(s.stock.Hold(t.Context(), "o-2")).State)
}
