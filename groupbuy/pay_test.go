package groupbuy_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/groupbuytest"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// patient are the options of a shop that takes late payments where it can.
func patient() *groupbuy.Options { return &groupbuy.Options{LatePay: stock.Reacquire} }

// owed returns how many refunds a team has told of for an order.
func (s *shop) owed(t *testing.T, code, order string) int {
	t.Helper()
	n := 0
	for is := range all(s.events.Of(t.Context(), event.TeamQueue(code))) {
		if is.Kind == event.RefundOwed && is.Order == order {
			n++
		}
	}
	return n
}

// TestALatePaymentSaysWhatIsInItsWay in one line, and matches all of it.
func TestALatePaymentSaysWhatIsInItsWay(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		do   func(s *shop, code string)
		want error
		text string
	}{
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
				if err := suite.Err(s.groups.Withdraw(context.Background(), "w", tea, 99)); err != nil {
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

// TestAFailureOfAPaymentIsOne: nothing is guessed of a store that failed.
func TestAFailureOfAPaymentIsOne(t *testing.T) {
	t.Parallel()
	for _, failure := range []error{groupbuy.ErrUnavailable, groupbuy.ErrUnknown, groupbuy.ErrStore, groupbuy.ErrDrift} {
		for _, opts := range []*groupbuy.Options{nil, patient()} {
			for step, n := range map[string]int{"pay": 1, "expire": 2, "reacquire": 3, "Late": 1} {
				s := newShop(t.Context())
				code := s.team(t.Context(), 2)
				must(s.groups.Pay(t.Context(), "o-1"))
				if step != "pay" {
					s.clock.advance(15 * time.Minute)
				}
				if opts != nil && step == "Late" {
					s.clock.advance(24 * time.Hour)
				}
				if opts == nil && step == "reacquire" {
					continue // it does not come to that
				}
				method := "Units.Move"
				if step == "Late" {
					method = step
				}
				_, err := s.without(method, n, failure, opts).Pay(t.Context(), "o-2")
				require.ErrorIs(t, err, failure, step)
				require.Zero(t, s.owed(t, code, "o-2"))
				payment, err := groupbuy.New(s.store, opts).Pay(t.Context(), "o-2")
				require.NoError(t, err)
				require.Equal(t, step == "Late" || opts == nil && step == "expire", payment.Due, step)
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
	_, err := s.without("Seats", 1, groupbuy.ErrUnavailable, nil).Pay(t.Context(), "o-3")
	require.ErrorIs(t, err, groupbuy.ErrUnknown)
	payment, err := s.groups.Pay(t.Context(), "o-3")
	require.NoError(t, err)
	require.True(t, payment.Formed)
	require.Len(t, payment.Members, 3)
}

// without returns groups whose store fails in the n-th call of a method.
func (s *shop) without(method string, n int, failure error, opts *groupbuy.Options) *groupbuy.Groups {
	fails := suite.Fails(failure, suite.Nth(n, suite.Named(method)))
	return groupbuy.New(groupbuytest.Over(suite.Wire{Send: fails}, s.store), opts)
}

// sound fails the test where the books do not balance.
func (s *shop) sound(t *testing.T) {
	t.Helper()
	report, err := s.groups.Audit(t.Context())
	require.NoError(t, err)
	require.True(t, report.Balanced(), "%+v", report)
}

// TestWhatWasDoneAndCannotBeReadIsUnknown: the same call again returns it.
func TestWhatWasDoneAndCannotBeReadIsUnknown(t *testing.T) {
	t.Parallel()
	for name, call := range map[string]func(g *groupbuy.Groups) error{
		"Pay":    func(g *groupbuy.Groups) error { return suite.Err(g.Pay(context.Background(), "o-1")) },
		"Cancel": func(g *groupbuy.Groups) error { return suite.Err(g.Cancel(context.Background(), "o-1")) },
		"Resolve": func(g *groupbuy.Groups) error {
			return suite.Err(g.Resolve(context.Background(), "o-1"))
		},
	} {
		for _, failure := range []error{groupbuy.ErrUnavailable, groupbuy.ErrStore} {
			s := newShop(t.Context())
			s.team(t.Context(), 2)
			err := call(s.without("Seat", 1, failure, nil))
			require.ErrorIs(t, err, groupbuy.ErrUnknown, name)
			require.NotErrorIs(t, err, failure)
			require.NoError(t, call(s.groups), name)
			s.sound(t)
		}
	}
}
