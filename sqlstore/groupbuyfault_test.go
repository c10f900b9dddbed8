package sqlstore_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// A connection that is lost at each of the statements of a call: until the COMMIT nothing is done, from there on nobody
// knows, the same call again settles it, and the team has told everything once.
func TestTeamsLoseTheirConnection(t *testing.T) {
	t.Parallel()
	decision := groupbuy.Decision{Actor: "clerk", Reason: "why not"}
	for name, op := range map[string]struct {
		call func(b *bazaar, code string, orders []string) error
		told []event.Kind
		seat groupbuy.SeatState // that of the last order then
	}{
		"Open": {
			func(b *bazaar, _ string, orders []string) error {
				return of(purchase(orders[0]+"-new", "9").Open(b.t.Context(), b.Groups))
			}, nil, groupbuy.Held,
		},
		"Join": {
			func(b *bazaar, code string, orders []string) error {
				return of(purchase(orders[0]+"-new", "9").Join(b.t.Context(), b.Groups, code))
			}, nil, groupbuy.Held,
		},
		"Pay": {
			func(b *bazaar, _ string, orders []string) error { return of(b.Pay(b.t.Context(), orders[2])) }, nil, groupbuy.Paid,
		},
		"Cancel": {
			func(b *bazaar, _ string, orders []string) error { return of(b.Cancel(b.t.Context(), orders[2])) }, nil, groupbuy.Cancelled,
		},
		"Refund": {
			func(b *bazaar, _ string, orders []string) error {
				return of(b.Refund(b.t.Context(), groupbuy.Refund{Order: orders[0], Actor: "clerk", Reason: "asked"}))
			}, []event.Kind{event.RefundOwed}, groupbuy.Held,
		},
		"Form": {
			func(b *bazaar, code string, _ []string) error { return of(b.Form(b.t.Context(), code, decision)) },
			[]event.Kind{event.TeamFormed, event.SeatReleased}, groupbuy.Cancelled,
		},
		"Fail": {
			func(b *bazaar, code string, _ []string) error { return of(b.Fail(b.t.Context(), code, decision)) },
			[]event.Kind{event.TeamFailed, event.RefundOwed, event.RefundOwed, event.SeatReleased}, groupbuy.Cancelled,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := openBazaar(t, defaults, 4, 1000)
			for n, lost := 0, true; lost; n++ { // until the fault comes behind the last statement
				for _, kind := range []sqltest.FaultKind{sqltest.LostRequest, sqltest.LostReply} {
					lost = b.loses(fmt.Sprintf("%d-%d", n, kind), sqltest.Fault{Behind: n, Kind: kind}, op.call, op.told, op.seat)
				}
				require.Less(t, n, 60)
			}
			b.balanced()
		})
	}
}

// loses makes a call to a team of three seats, two of which are paid, with a fault on the way, and again. It reports
// whether the fault was met.
func (b *bazaar) loses(
	name string, fault sqltest.Fault, call func(*bazaar, string, []string) error, told []event.Kind, last groupbuy.SeatState,
) bool {
	b.t.Helper()
	ctx := b.t.Context()
	code, orders := b.team(name, 3)
	for _, order := range orders[:2] {
		require.NoError(b.t, of(b.Pay(ctx, order)))
	}
	was := must(b.Team(ctx, code))(b.t)
	b.db.Wire.Statements()
	b.db.Wire.Inject(fault)
	err := call(b, code, orders)
	lost := len(b.db.Wire.Statements()) > fault.Behind
	b.db.Wire.Forget()
	if err != nil {
		require.True(b.t, groupbuy.Retryable(err), "%s: %v", name, err)
	}
	if errors.Is(err, stock.ErrUnavailable) {
		require.Equal(b.t, was, must(b.Team(ctx, code))(b.t), "%s: nothing was done", name)
	}
	require.NoError(b.t, call(b, code, orders), name)
	order := orders[2]
	if _, err := b.Seat(ctx, orders[0]+"-new"); err == nil {
		order = orders[0] + "-new"
	}
	require.Equal(b.t, last, must(b.Seat(ctx, order))(b.t).State, name)
	kinds := b.told(code)
	if told == nil {
		require.Empty(b.t, kinds, name)
	} else {
		require.Equal(b.t, told, kinds, name)
	}
	return lost
}

// A connection that is lost at each of the statements of a repair: until the COMMIT nothing is done, and the next repair goes on. Each
// number is corrected once, and recorded once.
func TestRepairsLoseTheirConnection(t *testing.T) {
	t.Parallel()
	b, ctx := openBazaar(t, defaults, 4, 1000), t.Context()
	code, _ := b.team("r", 3)
	repair := func() error { return of(b.By("clerk", "the line was bad").RepairBackOnSale(ctx, teamProduct)) }
	recorded := func() (made []string) {
		for _, change := range must(b.ChangesPage(ctx, teamProduct, stock.PageRequest{Limit: 50}))(t).Rows {
			if is, ok := groupbuy.CorrectionOf(change); ok {
				made = append(made, fmt.Sprint(is.Quantity, " ", is.By, " by ", change.Actor))
			}
		}
		slices.Sort(made)
		return made
	}
	want := []string{"allotted -7 by clerk", "formed -5 by clerk", "held 2 by clerk", "paid -1 by clerk", "volume -1.5 by clerk"}
	for n, lost := 0, true; lost; n++ { // until the fault comes behind the last statement
		for _, kind := range []sqltest.FaultKind{sqltest.LostRequest, sqltest.LostReply} {
			for _, statement := range []string{
				"DELETE FROM goods_stock_change WHERE KIND = " + fmt.Sprint(int(groupbuy.KindRevise)),
				"UPDATE egl_group_team SET HELD_NUM = 1, PAID_NUM = 1, PAID_VOLUME = 1.5",
				"UPDATE egl_group_product SET FORMED_NUM = 5, STOCK_NUM = STOCK_NUM + 7",
			} {
				run(t, b.db, statement)
			}
			b.db.Wire.Statements()
			b.db.Wire.Inject(sqltest.Fault{Behind: n, Kind: kind})
			err := repair()
			lost = len(b.db.Wire.Statements()) > n
			b.db.Wire.Forget()
			require.True(t, err == nil || groupbuy.Retryable(err), "%d, %v: %v", n, kind, err)
			require.NoError(t, repair())
			require.Equal(t, want, recorded(), "%d, %v", n, kind)
			require.True(t, must(b.Audit(ctx))(t).Balanced())
			require.EqualValues(t, 3, must(b.Team(ctx, code))(t).Held)
		}
		require.Less(t, n, 60)
	}
}

// Connections that are killed in the middle of everything: every caller makes the same call again until it has an
// answer, and no seat, event or unit is lost or there twice.
func TestKilledConnectionsLoseNoSeat(t *testing.T) {
	t.Parallel()
	const teams, people = 12, 3
	b := openBazaar(t, defaults, people, 1000)
	kill, kills := killing(t, b.db)
	for _, match := range []string{
		"INSERT INTO egl_group_participation", "ON DUPLICATE KEY UPDATE STATUS", "UPDATE egl_group_participation",
		"INSERT INTO goods_stock_event", "FORMED_NUM", "COMMIT AND",
	} {
		b.db.Wire.After(match, kill)
	}
	again := func(call func() error) {
		if err := settle(t, call); err != nil {
			t.Error(err)
		}
	}
	var group suite.Group
	for i := range teams {
		group.Go(func() {
			var seat groupbuy.Seat
			for j := range people {
				p := purchase(fmt.Sprintf("k%d-%d", i, j), fmt.Sprint(100*i+j+1))
				again(func() (err error) {
					if j == 0 {
						seat, err = p.Open(t.Context(), b.Groups)
					} else {
						_, err = p.Join(t.Context(), b.Groups, seat.Team)
					}
					return err
				})
			}
			for j := range people {
				again(func() error { return of(b.Pay(t.Context(), fmt.Sprintf("k%d-%d", i, j))) })
			}
		})
	}
	group.Wait()
	require.Positive(t, kills.Load())
	formed := 0
	for team, err := range b.Teams(t.Context(), groupbuy.TeamFilter{State: groupbuy.Formed}) {
		require.NoError(t, err)
		formed++
		require.Equal(t, []event.Kind{event.TeamFormed}, b.told(team.Code))
	}
	require.Equal(t, teams, formed)
	b.balanced()
}

// A seat whose hold cannot be released, in front of many that can, costs a few statements more. The others are released, and
// the last one is once the books are mended.
func TestExpiryPassesABadSeatInFrontOfMany(t *testing.T) {
	t.Parallel()
	const people = 100
	b := openBazaar(t, defaults, people+1, 1000)
	ctx := t.Context()
	code, orders := b.team("seat", people)
	require.NoError(t, of(b.db.ExecContext(ctx, "UPDATE goods_stock_buyer SET HELD_NUM = 0, HOLD_NUM = 0 WHERE BUYER_ID = '1'")))
	b.db.Wire.Advance(teamTime)
	b.db.Wire.Statements()
	n, err := b.Expire(ctx)
	require.ErrorIs(t, err, groupbuy.ErrDrift)
	require.Equal(t, people-1, n)
	require.Less(t, len(b.db.Wire.Statements()), 150)
	require.Equal(t, groupbuy.Held, must(b.Seat(ctx, orders[0]))(t).State)
	require.NoError(t, of(b.Repair(ctx)))
	require.Equal(t, 1, must(b.Expire(ctx))(t), "its team ends with its last seat")
	require.Equal(t, groupbuy.Failed, must(b.Team(ctx, code))(t).State)
	b.balanced()
}
