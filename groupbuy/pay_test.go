package groupbuy_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/stock"
)

// patient are the options of a shop that takes late payments where it can.
func patient() *groupbuy.Options { return &groupbuy.Options{LatePay: stock.Reacquire} }

// owed returns how many refunds a team has told of for an order.
func (s *shop) owed(t *testing.T, code, order string) int {
	t.Helper()
	n := 0
	for event := range all(s.groups.Events(t.Context(), code)) {
		if event.Kind == groupbuy.RefundOwed && event.Order == order {
			n++
		}
	}
	return n
}

// TestALatePaymentMeetsTheSameOne: another Pay of the order, with less patience, has found it too late meanwhile.
// Its hold would let it be taken again; its money is on the way back.
func TestALatePaymentMeetsTheSameOne(t *testing.T) {
	t.Parallel()
	s := newShop(t.Context())
	code := s.team(t.Context(), 2)
	must(s.groups.Pay(t.Context(), "o-1"))
	s.clock.advance(15 * time.Minute)
	groups := s.meanwhile("reacquire", func() { must(s.groups.Pay(t.Context(), "o-2")) }, patient())
	for range 2 {
		payment, err := groups.Pay(t.Context(), "o-2")
		require.NoError(t, err)
		require.True(t, payment.Due)
		require.Equal(t, groupbuy.RefundDue, payment.Seat.State)
	}
	require.Equal(t, 1, s.owed(t, code, "o-2"))
	s.sound(t)
}

// TestALatePaymentMeetsOneThatTookTheSeatAgain: it has been decided that it is too late, and now it is not.
func TestALatePaymentMeetsOneThatTookTheSeatAgain(t *testing.T) {
	t.Parallel()
	s := newShop(t.Context())
	code := s.team(t.Context(), 2)
	must(s.groups.Pay(t.Context(), "o-1"))
	s.clock.advance(15 * time.Minute)
	groups := s.meanwhile("Late", func() { must(groupbuy.New(s.store, patient()).Pay(t.Context(), "o-2")) }, nil)
	payment, err := groups.Pay(t.Context(), "o-2")
	require.NoError(t, err)
	require.False(t, payment.Due)
	require.NoError(t, payment.Why)
	require.Equal(t, groupbuy.Paid, payment.Seat.State)
	require.Zero(t, s.owed(t, code, "o-2"))
	s.sound(t)
}

// TestALatePaymentOfASeatThatIsBehindItsHold: something else has swept up the stock.
func TestALatePaymentOfASeatThatIsBehindItsHold(t *testing.T) {
	t.Parallel()
	for _, opts := range []*groupbuy.Options{nil, patient()} {
		s := newShop(t.Context())
		code := s.team(t.Context(), 3)
		must(s.groups.Pay(t.Context(), "o-1"))
		must(s.stock.Cancel(t.Context(), "o-3"))
		s.clock.advance(15 * time.Minute)
		must(s.stock.Expire(t.Context()))
		groups := groupbuy.New(s.store, opts)

		payment, err := groups.Pay(t.Context(), "o-2")
		require.NoError(t, err)
		require.Equal(t, opts == nil, payment.Due)
		payment, err = groups.Pay(t.Context(), "o-3")
		require.NoError(t, err)
		require.True(t, payment.Due)
		require.ErrorIs(t, payment.Why, groupbuy.ErrCancelled)
		require.ErrorIs(t, payment.Why, stock.ErrCancelled)
		require.Equal(t, 1, s.owed(t, code, "o-3"))
		s.sound(t)
	}
}

// TestALatePaymentSaysWhatIsInItsWay in one line, and matches all of it.
func TestALatePaymentSaysWhatIsInItsWay(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		do   func(s *shop, code string)
		want error
		text string
	}{
		"the team is full": {
			func(s *shop, code string) {
				must(s.groups.For("4").Join(context.Background(), code, buy("o-4")))
				must(s.groups.For("5").Join(context.Background(), code, buy("o-5")))
			},
			groupbuy.ErrFull,
			`groupbuy: the seat has expired (order "o-2"): groupbuy: the team is full (team "TEAMA22222")`,
		},
		"the buyer has joined again": {
			func(s *shop, code string) { must(s.groups.For("2").Join(context.Background(), code, buy("o-4"))) },
			groupbuy.ErrJoined,
			`groupbuy: the seat has expired (order "o-2"): groupbuy: the buyer has a seat in the team (team "TEAMA22222")`,
		},
		"the team's time is over": {
			func(s *shop, _ string) { s.clock.advance(24 * time.Hour) },
			groupbuy.ErrTeamOver,
			`groupbuy: the seat has expired (order "o-2"): groupbuy: the team's time is over (team "TEAMA22222")`,
		},
		"the units are gone": {
			func(s *shop, _ string) {
				if err := s.groups.Withdraw(context.Background(), "w", tea, 99); err != nil {
					panic(err)
				}
			},
			stock.ErrInsufficient,
			`groupbuy: the seat has expired (order "o-2"): stock: the hold has expired (order "o-2"); ` +
				`stock: insufficient: SKU 42 of activity 7: wanted 1, available 0`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t.Context())
			code := s.team(t.Context(), 2)
			must(s.groups.Pay(t.Context(), "o-1"))
			s.clock.advance(15 * time.Minute)
			c.do(s, code)
			payment, err := groupbuy.New(s.store, patient()).Pay(t.Context(), "o-2")
			require.NoError(t, err)
			require.True(t, payment.Due)
			require.ErrorIs(t, payment.Why, groupbuy.ErrExpired)
			require.ErrorIs(t, payment.Why, c.want)
			require.EqualError(t, payment.Why, c.text)
			require.Equal(t, 1, s.owed(t, code, "o-2"))
			s.sound(t)
		})
	}
}

// TestALatePaymentOfATeamThatIsOverEndsIt, with nothing sweeping.
func TestALatePaymentOfATeamThatIsOverEndsIt(t *testing.T) {
	t.Parallel()
	for _, opts := range []*groupbuy.Options{nil, patient()} {
		s := newShop(t.Context())
		code := s.team(t.Context(), 2)
		must(s.groups.Pay(t.Context(), "o-1"))
		s.clock.advance(24 * time.Hour)
		groups := groupbuy.New(s.store, opts)
		for range 2 {
			payment, err := groups.Pay(t.Context(), "o-2")
			require.NoError(t, err)
			require.True(t, payment.Due)
			require.Equal(t, groupbuy.Failed, payment.Team.State)
			require.Equal(t, groupbuy.ByDeadline, payment.Team.Cause)
		}
		payment, err := groups.Pay(t.Context(), "o-1") // which was in time
		require.NoError(t, err)
		require.True(t, payment.Due, "its money goes back as well")
		require.NoError(t, payment.Why)
		require.Equal(t, 1, s.owed(t, code, "o-1"))
		require.Equal(t, 1, s.owed(t, code, "o-2"))
		s.sound(t)
	}
}

// TestAFailureOfAPaymentIsOne: nothing is guessed of a store that failed.
func TestAFailureOfAPaymentIsOne(t *testing.T) {
	t.Parallel()
	for _, failure := range []error{groupbuy.ErrUnavailable, groupbuy.ErrUnknown, groupbuy.ErrStore, groupbuy.ErrDrift} {
		for _, opts := range []*groupbuy.Options{nil, patient()} {
			for _, method := range []string{"pay", "expire", "Late", "reacquire"} {
				s := newShop(t.Context())
				code := s.team(t.Context(), 2)
				must(s.groups.Pay(t.Context(), "o-1"))
				if method != "pay" {
					s.clock.advance(15 * time.Minute)
				}
				if opts != nil && method == "Late" {
					s.clock.advance(24 * time.Hour)
				}
				if opts == nil && method == "reacquire" {
					continue // it does not come to that
				}
				_, err := s.without(method, failure, opts).Pay(t.Context(), "o-2")
				require.ErrorIs(t, err, failure, method)
				require.Zero(t, s.owed(t, code, "o-2"))
				payment, err := groupbuy.New(s.store, opts).Pay(t.Context(), "o-2")
				require.NoError(t, err)
				require.Equal(t, method == "Late" || opts == nil && method == "expire", payment.Due, method)
				s.sound(t)
			}
		}
	}
}

// TestAPaymentThatFormedATeamIsNotUndoneByWhatCannotBeRead: it is unknown until the same call tells.
func TestAPaymentThatFormedATeamIsNotUndoneByWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	s := newShop(t.Context())
	s.team(t.Context(), 3)
	must(s.groups.Pay(t.Context(), "o-1"))
	must(s.groups.Pay(t.Context(), "o-2"))
	_, err := s.without("Seats", groupbuy.ErrUnavailable, nil).Pay(t.Context(), "o-3")
	require.ErrorIs(t, err, groupbuy.ErrUnknown)
	payment, err := s.groups.Pay(t.Context(), "o-3")
	require.NoError(t, err)
	require.True(t, payment.Formed)
	require.Len(t, payment.Members, 3)

	must(s.groups.Refund(t.Context(), groupbuy.Refund{Order: "o-3"}))
	payment, err = s.groups.Pay(t.Context(), "o-3")
	require.NoError(t, err)
	require.True(t, payment.Formed && payment.Due)
	require.Equal(t, groupbuy.RefundDue, payment.Seat.State)
	require.Len(t, payment.Members, 3, "who were in it then")
}
