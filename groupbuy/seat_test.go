package groupbuy_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/stock"
)

// between is a store in which other things happen between the calls of a verb: once before the next call of a method, or
// instead of it. Calls on the units are named "Lock", "Hold", and so on, those of Move by their step.
type between struct {
	groupbuy.Store

	before  map[string]func()
	instead map[string]error
}

// call comes before a call of a method.
func (b *between) call(method string) error {
	if do, ok := b.before[method]; ok {
		delete(b.before, method)
		do()
	}
	return b.instead[method]
}

func (b *between) Units() stock.Store {
	return betweenUnits{b.Store.Units(), b}
}

func (b *between) Seat(ctx context.Context, order string) (groupbuy.Seat, groupbuy.Team, time.Time, error) {
	if err := b.call("Seat"); err != nil {
		return groupbuy.Seat{}, groupbuy.Team{}, time.Time{}, err
	}
	return b.Store.Seat(ctx, order)
}

func (b *between) Seats(
	ctx context.Context, filter groupbuy.SeatFilter, after groupbuy.SeatCursor, limit int,
) ([]groupbuy.Seat, error) {
	if err := b.call("Seats"); err != nil {
		return nil, err
	}
	return b.Store.Seats(ctx, filter, after, limit)
}

func (b *between) Late(ctx context.Context, order string) (stock.Verdict, error) {
	if err := b.call("Late"); err != nil {
		return stock.Refused, err
	}
	return b.Store.Late(ctx, order)
}

func (b *between) LateSeats(ctx context.Context, team string, limit int) ([]string, error) {
	if err := b.call("LateSeats"); err != nil {
		return nil, err
	}
	return b.Store.LateSeats(ctx, team, limit)
}

func (b *between) Lease(ctx context.Context, event groupbuy.Event, leaseFor time.Duration) (stock.Verdict, error) {
	if err := b.call("Lease"); err != nil {
		return stock.Refused, err
	}
	return b.Store.Lease(ctx, event, leaseFor)
}

func (b *between) Delivered(ctx context.Context, event groupbuy.Event) (stock.Verdict, error) {
	if err := b.call("Delivered"); err != nil {
		return stock.Refused, err
	}
	return b.Store.Delivered(ctx, event)
}

// betweenUnits are the units of a between.
type betweenUnits struct {
	stock.Store

	b *between
}

func (u betweenUnits) Lock(ctx context.Context, order stock.Order, holdFor time.Duration) (stock.LockResult, error) {
	if err := u.b.call("Lock"); err != nil {
		return stock.LockResult{}, err
	}
	return u.Store.Lock(ctx, order, holdFor)
}

func (u betweenUnits) Move(ctx context.Context, move stock.Movement) (stock.MoveResult, error) {
	if err := u.b.call(move.Step.String()); err != nil {
		return stock.MoveResult{}, err
	}
	return u.Store.Move(ctx, move)
}

func (u betweenUnits) Refund(
	ctx context.Context, refund stock.RefundRecord, hold stock.Hold, beside ...stock.Companion,
) (stock.RefundResult, error) {
	if err := u.b.call("Refund"); err != nil {
		return stock.RefundResult{}, err
	}
	return u.Store.Refund(ctx, refund, hold, beside...)
}

// meanwhile returns groups for a call before whose first call of a method of the store something else happens.
func (s *shop) meanwhile(method string, do func(), opts *groupbuy.Options) *groupbuy.Groups {
	return groupbuy.New(&between{Store: s.store, before: map[string]func(){method: do}}, opts)
}

// without returns groups whose store fails in a method.
func (s *shop) without(method string, failure error, opts *groupbuy.Options) *groupbuy.Groups {
	return groupbuy.New(&between{Store: s.store, instead: map[string]error{method: failure}}, opts)
}

// counts returns how many seats of a team are held and paid.
func (s *shop) counts(t *testing.T, code string) [2]int64 {
	t.Helper()
	team, err := s.groups.Team(t.Context(), code)
	require.NoError(t, err)
	return [2]int64{team.Held, team.Paid}
}

// sound fails the test where the books do not balance.
func (s *shop) sound(t *testing.T) {
	t.Helper()
	report, err := s.groups.Audit(t.Context())
	require.NoError(t, err)
	require.True(t, report.Balanced(), "%+v", report)
}

// TestJoinMeetsWhatChangedSinceItLooked lets something happen after Join has found nothing in its way.
func TestJoinMeetsWhatChangedSinceItLooked(t *testing.T) {
	t.Parallel()
	decision := groupbuy.Decision{Actor: "ann", Reason: "because"}
	for name, c := range map[string]struct {
		do   func(s *shop, code string) error
		want []error // none where it joins
	}{
		"the last place is taken": {
			func(s *shop, code string) error {
				return second(s.groups.For("3").Join(context.Background(), code, buy("o-3")))
			},
			[]error{groupbuy.ErrFull},
		},
		"the buyer joins with another order": {
			func(s *shop, code string) error {
				return second(s.groups.For("9").Join(context.Background(), code, buy("x")))
			},
			[]error{groupbuy.ErrJoined},
		},
		"the same call comes first": {
			func(s *shop, code string) error {
				return second(s.groups.For("9").Join(context.Background(), code, buy("o-9")))
			},
			nil,
		},
		"the order opens a team": {
			func(s *shop, _ string) error { return second(s.groups.For("9").Open(context.Background(), buy("o-9"))) },
			[]error{groupbuy.ErrMismatch},
		},
		"the order is cancelled": {
			func(s *shop, _ string) error { return second(s.groups.Cancel(context.Background(), "o-9")) },
			[]error{groupbuy.ErrCancelled, stock.ErrCancelled},
		},
		"the order buys something else": {
			func(s *shop, _ string) error {
				return second(s.stock.Lock(context.Background(), "o-9", stock.Line{SKU: tea.SKU, Num: 1}))
			},
			[]error{groupbuy.ErrMismatch},
		},
		"the team is formed": {
			func(s *shop, code string) error {
				return errors.Join(second(s.groups.Pay(context.Background(), "o-1")), second(s.groups.Form(context.Background(), code, decision)))
			},
			[]error{groupbuy.ErrTeamFormed},
		},
		"the team fails": {
			func(s *shop, code string) error { return second(s.groups.Fail(context.Background(), code, decision)) },
			[]error{groupbuy.ErrTeamFailed},
		},
		"the team's time is over": {
			func(s *shop, _ string) error { s.clock.advance(24 * time.Hour); return nil },
			[]error{groupbuy.ErrTeamOver},
		},
		"the product is removed": {
			func(s *shop, _ string) error { return second(s.groups.Remove(context.Background(), tea)) },
			[]error{groupbuy.ErrRemoved, stock.ErrOffShelf},
		},
		"the activity ends": {
			func(s *shop, _ string) error { return second(s.groups.End(context.Background(), 7)) },
			[]error{groupbuy.ErrRemoved, stock.ErrOffShelf},
		},
		"the activity is put off": {
			func(s *shop, _ string) error {
				later := groupbuy.Activity{ID: 7, Formation: time.Hour, Start: s.clock.at.Add(time.Hour), End: s.clock.at.Add(2 * time.Hour)}
				return second(s.groups.Define(context.Background(), later))
			},
			[]error{groupbuy.ErrNotStarted, stock.ErrNotStarted},
		},
		"the pool is taken off the shelf": {
			func(s *shop, _ string) error {
				return second(s.stock.Define(context.Background(), tea, 0, stock.Terms{OffShelf: true}))
			},
			[]error{groupbuy.ErrPreparing, stock.ErrOffShelf},
		},
		"the pool has ended": {
			func(s *shop, _ string) error {
				return second(s.stock.Define(context.Background(), tea, 0, stock.Terms{End: s.clock.at}))
			},
			[]error{groupbuy.ErrEnded, stock.ErrEnded},
		},
		"the units are withdrawn": {
			func(s *shop, _ string) error { return s.groups.Withdraw(context.Background(), "w", tea, 98) },
			[]error{stock.ErrInsufficient},
		},
		"the units are withdrawn and the buyer joins": {
			func(s *shop, code string) error {
				return errors.Join(second(s.groups.For("9").Join(context.Background(), code, buy("x"))),
					s.groups.Withdraw(context.Background(), "w", tea, 97))
			},
			[]error{groupbuy.ErrJoined}, // of a team comes before what the stock refuses
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t.Context())
			code := s.team(t.Context(), 2)
			var err error
			groups := s.meanwhile("Lock", func() { err = c.do(s, code) }, nil)
			seat, refusal := groups.For("9").Join(t.Context(), code, buy("o-9"))
			require.NoError(t, err)
			if len(c.want) == 0 {
				require.NoError(t, refusal)
				require.True(t, seat.Replay)
				seat.Replay = false
				require.Equal(t, must(s.groups.Seat(t.Context(), "o-9")), seat)
			}
			for _, want := range c.want {
				require.ErrorIs(t, refusal, want)
			}
		})
	}
}

// TestJoinWaitsForNobodyWhoIsDead: a place that a dead seat takes is free, whoever releases it.
func TestJoinWaitsForNobodyWhoIsDead(t *testing.T) {
	t.Parallel()
	for name, release := range map[string]func(s *shop) error{
		"nobody":         func(*shop) error { return nil },
		"another sweep":  func(s *shop) error { return second(s.groups.Expire(context.Background())) },
		"the shop's own": func(s *shop) error { return second(s.stock.Expire(context.Background())) },
	} {
		s := newShop(t.Context())
		code := s.team(t.Context(), 1)
		must(s.groups.Pay(t.Context(), "o-1"))
		must(s.groups.For("2").Join(t.Context(), code, buy("o-2")))
		must(s.groups.For("3").Join(t.Context(), code, buy("o-3")))
		s.clock.advance(15 * time.Minute)
		var err error
		groups := s.meanwhile("LateSeats", func() { err = release(s) }, nil)
		seat, refusal := groups.For("3").Join(t.Context(), code, buy("o-4")) // who has a dead seat
		require.NoError(t, err)
		require.NoError(t, refusal, name)
		require.Equal(t, groupbuy.Held, seat.State)
		require.Equal(t, [2]int64{1, 1}, s.counts(t, code))
		s.sound(t)
	}
}

// TestReplaysKeepWhatTheyWereOfferedFor: neither other terms nor the end of everything change what was booked.
func TestReplaysKeepWhatTheyWereOfferedFor(t *testing.T) {
	t.Parallel()
	s := newShop(t.Context())
	open, join := buy("o-1"), buy("o-2")
	open.ShippingFee = decimal.RequireFromString("8.50")
	first := must(s.groups.For("1").Open(t.Context(), open))
	second := must(s.groups.For("2").Join(t.Context(), first.Team, join))
	must(s.groups.Pay(t.Context(), "o-1"))
	must(s.groups.Pay(t.Context(), "o-2"))
	replayed := func() {
		t.Helper()
		seat, err := s.groups.For("1").Open(t.Context(), open)
		require.NoError(t, err)
		require.Equal(t, first.Team, seat.Team)
		seat, err = s.groups.For("2").Join(t.Context(), first.Team, join)
		require.NoError(t, err)
		require.Equal(t, second.Team, seat.Team)
		_, err = s.groups.For("3").Join(t.Context(), first.Team, join)
		require.ErrorIs(t, err, groupbuy.ErrMismatch)
	}
	replayed()

	product := must(s.groups.Product(t.Context(), tea)).Product
	product.UnitsPerVolume, product.Places, product.MembersOnly, product.PerOrder = 7, 0, true, 1
	product.Price, product.GroupPrice = decimal.NewFromInt(9), decimal.NewFromInt(8)
	must(s.groups.Revise(t.Context(), product))
	replayed()
	must(s.groups.Remove(t.Context(), tea))
	replayed()
	s.clock.advance(24 * time.Hour)
	must(s.groups.Expire(t.Context()))
	replayed()
	s.clock.advance(7 * 24 * time.Hour)
	must(s.groups.Expire(t.Context()))
	replayed()
	s.sound(t)
}

// TestAnOrderOfTheShopIsNoSeat: orders of ordinary stock and seats share their numbers.
func TestAnOrderOfTheShopIsNoSeat(t *testing.T) {
	t.Parallel()
	s := newShop(t.Context())
	lock := func(order string) { must(s.stock.Lock(t.Context(), order, stock.Line{SKU: tea.SKU, Num: 1})) }
	lock("held")
	lock("paid")
	must(s.stock.Pay(t.Context(), "paid"))
	lock("cancelled")
	must(s.stock.Cancel(t.Context(), "cancelled"))
	for _, order := range []string{"held", "paid", "cancelled"} {
		was := must(s.stock.Hold(t.Context(), order))
		for name, call := range map[string]func() error{
			"Pay":     func() error { return second(s.groups.Pay(t.Context(), order)) },
			"Cancel":  func() error { return second(s.groups.Cancel(t.Context(), order)) },
			"Refund":  func() error { return second(s.groups.Refund(t.Context(), groupbuy.Refund{Order: order})) },
			"Seat":    func() error { return second(s.groups.Seat(t.Context(), order)) },
			"Resolve": func() error { return second(s.groups.Resolve(t.Context(), order)) },
		} {
			require.ErrorIs(t, call(), groupbuy.ErrNotFound, "%s of %s", name, order)
		}
		is := must(s.stock.Hold(t.Context(), order))
		was.Fence, was.UpdatedAt, is.UpdatedAt = is.Fence, time.Time{}, time.Time{} // of Resolve
		require.Equal(t, was, is)
	}
	_, err := s.groups.For("1").Open(t.Context(), buy("paid"))
	require.ErrorIs(t, err, groupbuy.ErrMismatch)
	_, err = s.groups.For("1").Open(t.Context(), buy("cancelled"))
	require.ErrorIs(t, err, groupbuy.ErrCancelled)
}

// TestASeatFollowsItsHold: whatever moves orders of the shop moves seats as well, sooner or later.
func TestASeatFollowsItsHold(t *testing.T) {
	t.Parallel()
	s := newShop(t.Context())
	code := s.team(t.Context(), 3)
	must(s.stock.Cancel(t.Context(), "o-2"))
	must(s.stock.Pay(t.Context(), "o-3"))
	require.Equal(t, groupbuy.Held, must(s.groups.Seat(t.Context(), "o-2")).State)

	seat, err := s.groups.Cancel(t.Context(), "o-2")
	require.NoError(t, err)
	require.Equal(t, groupbuy.Cancelled, seat.State)
	_, err = s.groups.Cancel(t.Context(), "o-3")
	require.ErrorIs(t, err, groupbuy.ErrPaid)
	require.Equal(t, [2]int64{1, 1}, s.counts(t, code))

	s.clock.advance(15 * time.Minute)
	must(s.stock.Expire(t.Context()))
	seat, err = s.groups.For("1").Open(t.Context(), buy("o-1"))
	require.ErrorIs(t, err, groupbuy.ErrExpired)
	require.Equal(t, groupbuy.Expired, seat.State)

	must(s.stock.Refund(t.Context(), stock.Refund{ID: "shop", Order: "o-3", Restock: true}))
	seat, err = s.groups.Refund(t.Context(), groupbuy.Refund{Order: "o-3", Actor: "ann"})
	require.NoError(t, err)
	require.Equal(t, groupbuy.RefundDue, seat.State)
	require.Equal(t, groupbuy.Failed, must(s.groups.Team(t.Context(), code)).State)
	s.sound(t)
}

// TestWhatWasDoneAndCannotBeReadIsUnknown: the same call again returns it.
func TestWhatWasDoneAndCannotBeReadIsUnknown(t *testing.T) {
	t.Parallel()
	for name, call := range map[string]func(g *groupbuy.Groups) error{
		"Pay":    func(g *groupbuy.Groups) error { return second(g.Pay(context.Background(), "o-1")) },
		"Cancel": func(g *groupbuy.Groups) error { return second(g.Cancel(context.Background(), "o-1")) },
		"Resolve": func(g *groupbuy.Groups) error {
			return second(g.Resolve(context.Background(), "o-1"))
		},
	} {
		for _, failure := range []error{groupbuy.ErrUnavailable, groupbuy.ErrStore} {
			s := newShop(t.Context())
			s.team(t.Context(), 2)
			err := call(s.without("Seat", failure, nil))
			require.ErrorIs(t, err, groupbuy.ErrUnknown, name)
			require.NotErrorIs(t, err, failure)
			require.NoError(t, call(s.groups), name)
			s.sound(t)
		}
	}
}

// TestRefundMeetsOthers lets something happen after Refund has looked at the seat.
func TestRefundMeetsOthers(t *testing.T) {
	t.Parallel()
	refund := groupbuy.Refund{Order: "o-1", Actor: "ann", Reason: "asked to leave"}
	for name, do := range map[string]func(s *shop, code string) error{
		"the same refund": func(s *shop, _ string) error { return second(s.groups.Refund(context.Background(), refund)) },
		"a failure": func(s *shop, code string) error {
			return second(s.groups.Fail(context.Background(), code, groupbuy.Decision{Actor: "ben", Reason: "because"}))
		},
		"a refund of the shop": func(s *shop, _ string) error {
			return second(s.stock.Refund(context.Background(), stock.Refund{ID: "shop", Order: "o-1", Restock: true}))
		},
	} {
		s := newShop(t.Context())
		code := s.team(t.Context(), 2)
		must(s.groups.Pay(t.Context(), "o-1"))
		var err error
		seat, refusal := s.meanwhile("Refund", func() { err = do(s, code) }, nil).Refund(t.Context(), refund)
		require.NoError(t, err)
		require.NoError(t, refusal, name)
		require.Equal(t, groupbuy.RefundDue, seat.State, name)
		refunds := 0
		for event := range all(s.groups.Events(t.Context(), code)) {
			if event.Kind == groupbuy.RefundOwed {
				refunds++
			}
		}
		require.Equal(t, 1, refunds, name)
		s.sound(t)
	}
}

// TestEffectsAreToldByTheCallThatHadThem also where it could not read what it had done.
func TestEffectsAreToldByTheCallThatHadThem(t *testing.T) {
	t.Parallel()
	s := newShop(t.Context())
	var told []string
	opts := &groupbuy.Options{Code: codes(), Hook: func(_ context.Context, e groupbuy.Effect) {
		told = append(told, fmt.Sprintf("%v %s %s %v", e.Step, e.Order, e.Team, e.Ended))
	}}
	groups := groupbuy.New(s.store, opts)
	for range 2 {
		code := must(groups.For("1").Open(t.Context(), buy("o-1"))).Team
		must(groups.For("2").Join(t.Context(), code, buy("o-2")))
		must(groups.For("3").Join(t.Context(), code, buy("o-3")))
		must(groups.Cancel(t.Context(), "o-4")) // which closes an order, and moves nothing
	}
	for range 2 {
		must(groups.Pay(t.Context(), "o-1"))
		must(groups.Refund(t.Context(), groupbuy.Refund{Order: "o-1"}))
	}
	s.clock.advance(15 * time.Minute)
	for range 2 {
		must(groups.Pay(t.Context(), "o-2"))
		must(groups.Resolve(t.Context(), "o-3"))
	}
	require.Equal(t, []string{
		"hold o-1 TEAMA22222 forming", "hold o-2 TEAMA22222 forming", "hold o-3 TEAMA22222 forming",
		"pay o-1 TEAMA22222 forming", "refund o-1 TEAMA22222 forming",
		"expire o-2 TEAMA22222 forming", "late o-2 TEAMA22222 forming",
		"expire o-3 TEAMA22222 failed",
	}, told)

	told = nil
	must(groups.For("5").Open(t.Context(), buy("o-5")))
	must(groups.For("6").Open(t.Context(), buy("o-6")))
	told = nil
	deaf := s.without("Seat", groupbuy.ErrUnavailable, opts)
	require.ErrorIs(t, second(deaf.Pay(t.Context(), "o-5")), groupbuy.ErrUnknown)
	require.ErrorIs(t, second(deaf.Cancel(t.Context(), "o-6")), groupbuy.ErrUnknown)
	require.Equal(t, []string{"pay o-5  forming", "cancel o-6  forming"}, told)
}

// second returns the error of a call whose result does not matter.
func second[T any](_ T, err error) error { return err }
