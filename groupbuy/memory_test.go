package groupbuy_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// bench is a memory store that is driven by its own methods, without the rules of Groups around it.
type bench struct {
	*groupbuy.Memory

	t     *testing.T
	clock *suite.Clock
}

// pool is the product of all benches, and has 1,000 units.
var pool = stock.Key{SKU: 42, Activity: 7}

// newBench returns a bench whose pools are in the stock that is given, or in its own. Teams are formed by three.
func newBench(t *testing.T, units *stock.Memory) *bench {
	t.Helper()
	clock := &suite.Clock{From: time.Date(2026, time.November, 11, 8, 0, 0, 0, time.UTC)}
	b := &bench{Memory: &groupbuy.Memory{Stock: units, Clock: clock.Now}, t: t, clock: clock}
	if units != nil {
		units.Clock = clock.Now
	}
	_, err := stock.New(b.Units(), nil).Define(t.Context(), pool, 1000, stock.Terms{})
	require.NoError(t, err)
	verdict, err := b.SaveProduct(t.Context(), groupbuy.Product{Key: pool, Terms: three, State: groupbuy.Offered})
	require.NoError(t, err)
	require.Equal(t, stock.Done, verdict)
	return b
}

var (
	three = groupbuy.Terms{People: 3, UnitsPerVolume: 1}
	one   = decimal.New(100, -2)
)

// take takes a seat of one unit: it opens the team, or else joins it.
func (b *bench) take(code, order string, buyer string, opens bool, terms groupbuy.Terms) (groupbuy.SeatRequest, error) {
	request := groupbuy.SeatRequest{
		Seat:  groupbuy.Seat{Order: order, Key: pool, Buyer: buyer, Volume: one},
		Team:  groupbuy.Team{Code: code, Key: pool, Terms: terms},
		Opens: opens, Formation: time.Hour, Closes: b.clock.Now().Add(1000 * time.Hour),
	}
	hold, err := b.inventory().With(request).For(buyer).Until(b.clock.Now().Add(time.Hour)).
		Lock(b.t.Context(), order, stock.Line{SKU: pool.SKU, Activity: pool.Activity, Num: 1})
	kept, _ := stock.CompanionOf[groupbuy.SeatRequest](hold.Beside)
	return kept, err
}

// inventory returns the units of seats.
func (b *bench) inventory() *stock.Inventory {
	return stock.New(b.Units(), &stock.Options{HoldFor: 10 * time.Minute, LatePay: stock.Reacquire})
}

// open opens a team of three.
func (b *bench) open(code, order string, buyer string) {
	b.t.Helper()
	_, err := b.take(code, order, buyer, true, three)
	require.NoError(b.t, err)
}

// join joins a team.
func (b *bench) join(code, order string, buyer string) {
	b.t.Helper()
	_, err := b.take(code, order, buyer, false, groupbuy.Terms{})
	require.NoError(b.t, err)
}

// pay pays seats.
func (b *bench) pay(orders ...string) {
	b.t.Helper()
	for _, order := range orders {
		_, err := b.inventory().Pay(b.t.Context(), order)
		require.NoError(b.t, err)
	}
}

// end ends a team as it is.
func (b *bench) end(code string, to groupbuy.TeamState) (stock.Verdict, error) {
	verdicts, err := b.End(b.t.Context(), []groupbuy.TeamEnd{{
		Code: code, Version: b.is(code).Version, To: to, Cause: groupbuy.ByOperator, Actor: "ann", Reason: "because",
	}})
	require.Len(b.t, verdicts, 1)
	return verdicts[0], err
}

// is returns a team.
func (b *bench) is(code string) groupbuy.Team {
	b.t.Helper()
	team, _, err := b.Team(b.t.Context(), code, stock.Key{})
	require.NoError(b.t, err)
	return team
}

// states returns the states of the seats of orders, and of their holds.
func (b *bench) states(orders ...string) string {
	b.t.Helper()
	var states strings.Builder
	for _, order := range orders {
		seat, _, _, err := b.Seat(b.t.Context(), order)
		require.NoError(b.t, err)
		hold, _, err := b.Units().Hold(b.t.Context(), order)
		require.NoError(b.t, err)
		fmt.Fprintf(&states, "%s: %v, hold %v; ", order, seat.State, hold.State)
	}
	return states.String()
}

// told returns the events of a team.
func (b *bench) told(code string) string {
	b.t.Helper()
	events, err := b.Events(b.t.Context(), code, false, groupbuy.EventCursor{}, 1000)
	require.NoError(b.t, err)
	var told strings.Builder
	for _, e := range events {
		fmt.Fprintf(&told, "%d %v %s; ", e.No, e.Kind, e.Order)
	}
	return told.String()
}

// sound fails the test where a team does not agree with its seats, or a seat with its hold.
func (b *bench) sound() {
	b.t.Helper()
	books, err := b.Books(b.t.Context(), pool, "", 1_000_000)
	require.NoError(b.t, err)
	for _, book := range books {
		require.Empty(b.t, book.Mismatched)
		require.Equal(b.t, book.Held, book.Recount.Held)
		require.Equal(b.t, book.Paid, book.Recount.Paid)
		require.Equal(b.t, book.Events, book.Recount.Events)
		require.True(b.t, book.PaidVolume.Equal(book.Recount.PaidVolume), "%v, counted %v", book.PaidVolume, book.Recount.PaidVolume)
	}
	seats, counted, err := b.FormedPeople(b.t.Context(), pool)
	require.NoError(b.t, err)
	require.Equal(b.t, seats, counted)
	report, err := stock.New(b.Units(), nil).Audit(b.t.Context())
	require.NoError(b.t, err)
	require.Empty(b.t, report.Drifts)
}

func TestMemoryZeroValueIsUsable(t *testing.T) {
	t.Parallel()
	var m groupbuy.Memory
	units := stock.New(m.Units(), nil)
	item, err := units.Define(t.Context(), stock.Key{SKU: 42}, 10, stock.Terms{})
	require.NoError(t, err)
	require.EqualValues(t, 10, item.Left)

	_, now, err := m.Team(t.Context(), "none", stock.Key{})
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), now, time.Minute)

	var fresh groupbuy.Memory
	due, err := fresh.DueEvents(t.Context(), 10)
	require.NoError(t, err)
	require.Empty(t, due)

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = fresh.Follow(ended, []string{"o"})
	require.ErrorIs(t, err, groupbuy.ErrUnavailable)
}

func TestMemoryHasItsPoolsInTheShopsStock(t *testing.T) {
	t.Parallel()
	shop := &stock.Memory{}
	b := newBench(t, shop)
	b.open("T", "o-1", "1")

	hold, now, err := shop.Hold(t.Context(), "o-1")
	require.NoError(t, err)
	require.Equal(t, stock.Locked, hold.State)
	require.Equal(t, b.clock.Now(), now)
	_, err = stock.New(shop, nil).Lock(t.Context(), "o-1", stock.Line{SKU: pool.SKU, Activity: pool.Activity, Num: 2})
	require.ErrorIs(t, err, stock.ErrMismatch, "an order is one of both")

	plain := stock.Line{SKU: pool.SKU, Activity: pool.Activity, Num: 1}
	units := b.inventory()
	for i, call := range []func(context.Context, string) (stock.Outcome, error){units.Pay, units.Cancel} {
		order := "plain-" + strconv.Itoa(i)
		_, err = stock.New(shop, nil).Lock(t.Context(), order, plain)
		require.NoError(t, err)
		_, err = call(t.Context(), order)
		require.ErrorIs(t, err, groupbuy.ErrNotFound, "an order of the shop has no seat")
		is, _, err := shop.Hold(t.Context(), order)
		require.NoError(t, err)
		require.Equal(t, stock.Locked, is.State)
	}
	b.clock.Advance(time.Hour)
	n, err := units.Expire(t.Context())
	require.NoError(t, err)
	require.Equal(t, 3, n, "orders of the shop expire as the seat does")
	require.Equal(t, "o-1: expired, hold expired; plain-0: no seat, hold expired; ", b.states("o-1", "plain-0"))
}

func TestMemoryTakesSeatAndUnitsTogether(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.open("T", "o-1", "1")
	left := func() int64 {
		items, _, err := b.Units().Items(t.Context(), "", []stock.Key{pool})
		require.NoError(t, err)
		return items[0].Available()
	}
	require.EqualValues(t, 999, left())

	for _, refused := range []struct {
		code  string
		buyer string
		opens bool
		err   error
	}{
		{"T", "2", true, groupbuy.ErrDuplicateCode},
		{"none", "2", false, groupbuy.ErrUnknownTeam},
		{"T", "1", false, groupbuy.ErrJoined},
	} {
		_, err := b.take(refused.code, "o-2", refused.buyer, refused.opens, three)
		require.ErrorIs(t, err, refused.err)
	}
	require.EqualValues(t, 999, left(), "a team that refuses takes no units")
	require.Equal(t, "o-2: no seat, hold unheld; ", b.states("o-2"))

	units := stock.New(b.Units(), nil)
	require.NoError(t, units.Withdraw(t.Context(), "w", stock.Line{SKU: pool.SKU, Activity: pool.Activity, Num: 999}))
	_, err := b.take("T", "o-2", "2", false, three)
	require.ErrorIs(t, err, stock.ErrInsufficient)
	_, err = b.take("U", "o-2", "2", true, three)
	require.ErrorIs(t, err, stock.ErrInsufficient)
	require.Equal(t, "o-2: no seat, hold unheld; ", b.states("o-2"), "no units, no seat")
	require.EqualValues(t, 1, b.is("T").Held)
	require.Zero(t, b.is("U").Version, "and no team")

	booking, err := b.take("T", "o-1", "1", false, three)
	require.NoError(t, err, "a replay")
	require.Equal(t, groupbuy.NoSeat, booking.Seat.State, "which books nothing")
	b.sound()
}

// TestMemoryNeverOverfillsATeam lets buyers, a sweeper and an operator at one team after the other.
func TestMemoryNeverOverfillsATeam(t *testing.T) {
	t.Parallel()
	b := newBench(t, &stock.Memory{})
	for round := range 40 {
		code := "T" + strconv.Itoa(round)
		b.open(code, code+"-0", "1")
		var all suite.Group
		for buyer := range int64(12) {
			all.Go(func() {
				order := fmt.Sprintf("%s-%d", code, buyer)
				if _, err := b.take(code, order, fmt.Sprint(buyer+1), false, three); err != nil && buyer > 0 {
					if !errors.As(err, new(*groupbuy.TeamError)) {
						t.Errorf("%s: %v", order, err)
					}
					return
				}
				var err error
				if buyer%4 == 3 {
					_, err = b.inventory().Cancel(t.Context(), order)
				} else {
					_, err = b.inventory().Pay(t.Context(), order)
				}
				if err != nil && !errors.Is(err, stock.ErrCancelled) && !errors.Is(err, stock.ErrRefunded) {
					t.Errorf("%s: %v", order, err)
				}
			})
		}
		for _, to := range []groupbuy.TeamState{groupbuy.Failed, groupbuy.Formed} {
			all.Go(func() {
				if round%2 == 0 {
					if _, err := b.end(code, to); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Go(func() {
			for range 20 {
				if _, err := b.LateSeats(t.Context(), "", 10); err != nil {
					t.Error(err)
				}
				if team := b.is(code); team.Held+team.Paid > team.People || team.State == groupbuy.Formed && team.Held > 0 {
					t.Errorf("over-filled: %+v", team)
				}
			}
		})
		all.Wait()
		team := b.is(code)
		events, err := b.Events(t.Context(), code, false, groupbuy.EventCursor{}, 1000)
		require.NoError(t, err)
		ended := 0
		for _, e := range events {
			if e.Kind == groupbuy.TeamFormed || e.Kind == groupbuy.TeamFailed {
				ended++
			}
		}
		require.LessOrEqual(t, ended, 1, "%+v", events)
		require.Equal(t, team.State != groupbuy.Forming, ended == 1)
		if team.State == groupbuy.Failed {
			require.Zero(t, team.Held+team.Paid)
		}
	}
	b.sound()
}

func TestMemoryEndsATeamWithItsHolds(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.open("T", "o-1", "1")
	b.clock.Advance(5 * time.Minute)
	b.join("T", "o-2", "2")
	b.join("T", "o-3", "3")
	b.pay("o-2")
	b.clock.Advance(5 * time.Minute) // o-1 is dead
	verdict, err := b.end("T", groupbuy.Failed)
	require.NoError(t, err)
	require.Equal(t, stock.Done, verdict)
	require.Equal(t, "o-1: expired, hold expired; o-2: refund due, hold refunded; o-3: cancelled, hold cancelled; ",
		b.states("o-1", "o-2", "o-3"))
	require.Equal(t, "1 team failed ; 2 refund owed o-2; 3 seat released o-1; 4 seat released o-3; ", b.told("T"))
	refund, err := b.Units().RefundRecord(t.Context(), groupbuy.RefundID("o-2"))
	require.NoError(t, err)
	require.True(t, refund.Whole && refund.Restock && !refund.Frees)
	verdict, err = b.end("T", groupbuy.Formed)
	require.NoError(t, err)
	require.Equal(t, stock.Refused, verdict)
	b.sound()
}

func TestMemoryEndGivesUnitsBackToTheLimitOfTheBuyer(t *testing.T) {
	t.Parallel()
	for _, frees := range []bool{false, true} {
		b := newBench(t, nil)
		b.open("T", "o-1", "1")
		b.pay("o-1")
		verdicts, err := b.End(t.Context(), []groupbuy.TeamEnd{
			{Code: "T", Version: b.is("T").Version, To: groupbuy.Failed, Cause: groupbuy.ByDeadline, Frees: frees},
		})
		require.NoError(t, err)
		require.Equal(t, []stock.Verdict{stock.Done}, verdicts)
		items, _, err := b.Units().Items(t.Context(), "1", []stock.Key{pool})
		require.NoError(t, err)
		require.EqualValues(t, 1000, items[0].Available())
		require.Equal(t, frees, items[0].Bought == 0)
		b.sound()
	}
}

// TestMemoryEndsWhatTheShopHasSweptUp: the shop's own sweeper knows nothing of seats.
func TestMemoryEndsWhatTheShopHasSweptUp(t *testing.T) {
	t.Parallel()
	shop := &stock.Memory{}
	b := newBench(t, shop)
	b.open("T", "o-1", "1")
	b.open("U", "u-1", "1")
	b.join("U", "u-2", "2")
	b.pay("u-2")
	b.clock.Advance(10 * time.Minute)
	n, err := stock.New(shop, nil).Expire(t.Context())
	require.NoError(t, err)
	require.Equal(t, 2, n)
	require.Equal(t, "o-1: held, hold expired; u-1: held, hold expired; ", b.states("o-1", "u-1"))
	books, err := b.Books(t.Context(), pool, "", 10)
	require.NoError(t, err)
	require.Equal(t, []groupbuy.SeatBook{{Order: "o-1", State: groupbuy.Held, Hold: stock.Expired, Units: 1}}, books[0].Mismatched)

	verdict, err := b.end("T", groupbuy.Failed)
	require.NoError(t, err)
	require.Equal(t, stock.Done, verdict)
	require.Equal(t, "1 team failed ; 2 seat released o-1; ", b.told("T"))

	moved, err := b.Follow(t.Context(), []string{"u-1", "none", "u-2", "u-1", "o-1"})
	require.NoError(t, err)
	require.Equal(t, []string{"u-1"}, moved)
	require.Equal(t, "1 seat released u-1; ", b.told("U"))
	require.Equal(t, "u-2", b.is("U").SponsorOrder)
	b.sound()
}

func TestMemoryLeavesATeamWholeWhoseHoldsHaveDrifted(t *testing.T) {
	t.Parallel()
	shop := &stock.Memory{}
	b := newBench(t, shop)
	b.open("T", "o-1", "1")
	b.join("T", "o-2", "2")
	b.join("T", "o-3", "3")
	b.open("U", "u-1", "1")
	b.pay("o-1")
	_, err := stock.New(shop, nil).Pay(t.Context(), "o-3") // behind the back of its team
	require.NoError(t, err)
	was := b.states("o-1", "o-2", "o-3")

	verdicts, err := b.End(t.Context(), []groupbuy.TeamEnd{
		{Code: "T", Version: b.is("T").Version, To: groupbuy.Failed, Cause: groupbuy.ByDeadline},
		{Code: "U", Version: b.is("U").Version, To: groupbuy.Failed, Cause: groupbuy.ByDeadline},
	})
	require.ErrorIs(t, err, groupbuy.ErrDrift)
	require.Equal(t, []stock.Verdict{stock.Refused, stock.Done}, verdicts, "one team does not keep the others")
	require.Equal(t, was, b.states("o-1", "o-2", "o-3"))
	require.Empty(t, b.told("T"))

	_, err = b.Follow(t.Context(), []string{"o-1", "o-2", "o-3"})
	require.NoError(t, err)
	verdict, err := b.end("T", groupbuy.Failed)
	require.NoError(t, err)
	require.Equal(t, stock.Done, verdict)
	require.Equal(t, "o-1: refund due, hold refunded; o-2: cancelled, hold cancelled; o-3: refund due, hold refunded; ",
		b.states("o-1", "o-2", "o-3"))
	b.sound()
}

func TestMemoryEndChangesNothingWhereTheCountersHaveDrifted(t *testing.T) {
	t.Parallel()
	for _, delta := range []stock.Entry{
		{Key: pool, Delta: stock.Quantities{Locked: -1}},
		{Key: pool, Buyer: "2", Delta: stock.Quantities{Locked: -1}, Holds: -1},
		{Key: pool, Buyer: "1", Delta: stock.Quantities{Sold: -1}},
	} {
		b := newBench(t, nil)
		b.open("T", "o-1", "1")
		b.join("T", "o-2", "2")
		b.pay("o-1")
		verdict, err := b.Units().Apply(t.Context(), stock.Change{Kind: stock.KindRepair, ID: "broken", Entries: []stock.Entry{delta}})
		require.NoError(t, err)
		require.Equal(t, stock.Done, verdict)
		verdicts, err := b.End(t.Context(), []groupbuy.TeamEnd{{Code: "T", Version: b.is("T").Version, To: groupbuy.Failed, Frees: true}})
		require.ErrorIs(t, err, groupbuy.ErrDrift)
		require.Equal(t, []stock.Verdict{stock.Refused}, verdicts)
		require.Equal(t, "o-1: paid, hold paid; o-2: held, hold locked; ", b.states("o-1", "o-2"))
		require.Empty(t, b.told("T"))
	}
}

func TestMemoryLetsNobodyPayLateIntoATeamThatIsOver(t *testing.T) {
	t.Parallel()
	for _, swept := range []bool{false, true} {
		shop := &stock.Memory{}
		b := newBench(t, shop)
		b.open("T", "o-1", "1")
		b.join("T", "o-2", "2")
		b.pay("o-1")
		b.clock.Advance(time.Hour)
		if swept { // so that the seat does not know
			_, err := stock.New(shop, nil).Expire(t.Context())
			require.NoError(t, err)
		}
		_, err := b.inventory().Pay(t.Context(), "o-2")
		require.ErrorIs(t, err, groupbuy.ErrTeamOver)
		require.EqualValues(t, 1, b.is("T").Paid)
		verdict, err := b.Late(t.Context(), "o-2")
		require.NoError(t, err)
		if swept {
			require.Equal(t, stock.Refused, verdict, "it has to follow first")
			_, err = b.Follow(t.Context(), []string{"o-2"})
			require.NoError(t, err)
			verdict, err = b.Late(t.Context(), "o-2")
			require.NoError(t, err)
		}
		require.Equal(t, stock.Done, verdict)
		require.Equal(t, "1 seat released o-2; 2 refund owed o-2; ", b.told("T"))
		require.Equal(t, "o-2: refund due, hold expired; ", b.states("o-2"))
		b.sound()
	}
}

func TestMemoryPaysLateWhereTheSeatIsFree(t *testing.T) {
	t.Parallel()
	for _, swept := range []bool{false, true} {
		shop := &stock.Memory{}
		b := newBench(t, shop)
		b.open("T", "o-1", "1")
		b.join("T", "o-2", "2")
		b.pay("o-1")
		b.clock.Advance(30 * time.Minute)
		if swept {
			_, err := stock.New(shop, nil).Expire(t.Context())
			require.NoError(t, err)
		}
		b.pay("o-2")
		require.EqualValues(t, 2, b.is("T").Paid)
		b.join("T", "o-3", "3")
		b.pay("o-3")
		require.Equal(t, groupbuy.Formed, b.is("T").State)
		people, _, err := b.FormedPeople(t.Context(), pool)
		require.NoError(t, err)
		require.EqualValues(t, 3, people, "a seat that was regained is one of the members")
		b.sound()
	}
}

func TestMemoryRemovesASettledProductAgainWhereUnitsComeBack(t *testing.T) {
	t.Parallel()
	for _, restock := range []bool{false, true} {
		b := newBench(t, nil)
		b.open("T", "o-1", "1")
		b.pay("o-1")
		_, err := b.end("T", groupbuy.Formed)
		require.NoError(t, err)
		offer, _, err := b.Offer(t.Context(), pool)
		require.NoError(t, err)
		require.EqualValues(t, 1, offer.Formed)
		settled := offer.Product
		settled.State, settled.Formed = groupbuy.Settled, 99
		verdict, err := b.SaveProduct(t.Context(), settled)
		require.NoError(t, err)
		require.Equal(t, stock.Done, verdict)
		verdict, err = b.SaveProduct(t.Context(), settled)
		require.NoError(t, err)
		require.Equal(t, stock.Refused, verdict, "another version by now")

		_, err = b.inventory().With(groupbuy.SeatRefund{Actor: "ann", Reason: "broken"}).
			Refund(t.Context(), stock.Refund{ID: groupbuy.RefundID("o-1"), Order: "o-1", Restock: restock})
		require.NoError(t, err)
		seat, _, _, err := b.Seat(t.Context(), "o-1")
		require.NoError(t, err)
		require.Equal(t, groupbuy.RefundDue, seat.State)
		require.Equal(t, groupbuy.Formed, seat.Status, "the team stays formed")
		require.Equal(t, "ann broken", seat.Actor+" "+seat.Reason)
		offer, _, err = b.Offer(t.Context(), pool)
		require.NoError(t, err)
		require.EqualValues(t, 1, offer.Formed)
		want := groupbuy.Settled
		if restock {
			want = groupbuy.Removed
		}
		require.Equal(t, want, offer.State)
		b.sound()
	}
}

func TestMemoryDeliversTheEventsOfATeamInOrder(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.open("T", "o-1", "1")
	b.join("T", "o-2", "2")
	b.pay("o-1", "o-2")
	_, err := b.end("T", groupbuy.Failed)
	require.NoError(t, err)
	require.Equal(t, "1 team failed ; 2 refund owed o-1; 3 refund owed o-2; ", b.told("T"))
	due := func() []groupbuy.Event {
		events, err := b.DueEvents(t.Context(), 10)
		require.NoError(t, err)
		return events
	}
	lease := func(e groupbuy.Event) stock.Verdict {
		verdict, err := b.Lease(t.Context(), e, time.Minute)
		require.NoError(t, err)
		return verdict
	}
	first := due()
	require.Len(t, first, 1)
	require.EqualValues(t, 1, first[0].No)
	second, err := b.Event(t.Context(), "T", 2)
	require.NoError(t, err)
	require.Equal(t, stock.Refused, lease(second), "not its turn")
	require.Equal(t, stock.Done, lease(first[0]))
	require.Equal(t, stock.Refused, lease(first[0]), "it is leased")
	require.Empty(t, due())

	b.clock.Advance(time.Minute)
	leased := due()
	require.Len(t, leased, 1, "the lease has run out")
	require.EqualValues(t, 1, leased[0].Tries)
	verdict, err := b.Undelivered(t.Context(), first[0], "late news", 0, true)
	require.NoError(t, err)
	require.Equal(t, stock.Refused, verdict, "somebody else's try")
	verdict, err = b.Undelivered(t.Context(), leased[0], "broken", 0, true)
	require.NoError(t, err)
	require.Equal(t, stock.Done, verdict)

	verdict, err = b.Delivered(t.Context(), due()[0])
	require.NoError(t, err)
	require.Equal(t, stock.Done, verdict)
	require.Equal(t, "o-1: refunded, hold refunded; o-2: refund due, hold refunded; ", b.states("o-1", "o-2"))
	require.EqualValues(t, 3, due()[0].No)

	poisoned, err := b.Events(t.Context(), "", true, groupbuy.EventCursor{}, 10)
	require.NoError(t, err)
	require.Len(t, poisoned, 1)
	require.Equal(t, "broken", poisoned[0].Failure)
	for _, want := range []stock.Verdict{stock.Done, stock.Refused} {
		verdict, err = b.Delivered(t.Context(), poisoned[0])
		require.NoError(t, err)
		require.Equal(t, want, verdict)
	}
	poisoned, err = b.Events(t.Context(), "", true, groupbuy.EventCursor{}, 10)
	require.NoError(t, err)
	require.Empty(t, poisoned)
	require.Len(t, due(), 1)
	verdict, err = b.Undelivered(t.Context(), due()[0], "not now", time.Hour, false)
	require.NoError(t, err)
	require.Equal(t, stock.Done, verdict)
	require.Empty(t, due())
	b.clock.Advance(time.Hour)
	require.EqualValues(t, 3, due()[0].No)
}

// TestMemoryCarriesACrowd: what sweeps ask in a loop must not look at everything each time.
func TestMemoryCarriesACrowd(t *testing.T) {
	t.Parallel()
	const teams = 20_000
	b := newBench(t, nil)
	require.NoError(t, stock.New(b.Units(), nil).Restock(t.Context(), "more", stock.Line{SKU: pool.SKU, Activity: pool.Activity, Num: teams}))
	for i := range teams {
		b.open(fmt.Sprintf("T%05d", i), strconv.Itoa(i), fmt.Sprint(i+1))
		b.clock.Advance(time.Microsecond)
	}
	seen, after := 0, groupbuy.TeamCursor{}
	for {
		page, err := b.Teams(t.Context(), groupbuy.TeamFilter{Product: pool, Joinable: true}, after, 500)
		require.NoError(t, err)
		if len(page) == 0 {
			break
		}
		for _, team := range page {
			require.Equal(t, fmt.Sprintf("T%05d", seen), team.Code)
			seen++
		}
		after = groupbuy.TeamCursor{Deadline: page[len(page)-1].Deadline, Code: page[len(page)-1].Code}
	}
	require.Equal(t, teams, seen)

	began := time.Now()
	late, err := b.LateTeams(t.Context(), 1)
	require.NoError(t, err)
	require.Empty(t, late)
	b.clock.Advance(2 * time.Hour)
	seats := 0
	for {
		orders, err := b.LateSeats(t.Context(), "", 200)
		require.NoError(t, err)
		if len(orders) == 0 {
			break
		}
		require.Equal(t, strconv.Itoa(seats), orders[0])
		expired, err := b.Units().Expire(t.Context(), orders)
		require.NoError(t, err)
		require.Equal(t, orders, expired)
		seats += len(expired)
	}
	require.Equal(t, teams, seats)
	late, err = b.LateTeams(t.Context(), 1)
	require.NoError(t, err)
	require.Empty(t, late, "nobody is left in any")
	events := 0
	for {
		due, err := b.DueEvents(t.Context(), 200)
		require.NoError(t, err)
		if len(due) == 0 {
			break
		}
		for _, e := range due {
			verdict, err := b.Lease(t.Context(), e, time.Minute)
			require.NoError(t, err)
			require.Equal(t, stock.Done, verdict)
			verdict, err = b.Delivered(t.Context(), e)
			require.NoError(t, err)
			require.Equal(t, stock.Done, verdict)
		}
		events += len(due)
	}
	require.Equal(t, 2*teams, events)
	require.Less(t, time.Since(began), 30*time.Second)
	unfinished, err := b.Unfinished(t.Context(), pool)
	require.NoError(t, err)
	require.False(t, unfinished)
}

func TestMemoryCorrectsOnlyWhatItHasSeen(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.open("T", "o-1", "1")
	b.join("T", "o-2", "2")
	b.pay("o-1")
	correct := func(change func(book *groupbuy.TeamBook)) stock.Verdict {
		books, err := b.Books(t.Context(), pool, "", 1)
		require.NoError(t, err)
		require.Len(t, books, 1)
		change(&books[0])
		verdict, err := b.Correct(t.Context(), books[0])
		require.NoError(t, err)
		return verdict
	}
	require.Equal(t, stock.Refused, correct(func(book *groupbuy.TeamBook) { book.Version-- }))
	require.Equal(t, stock.Done, correct(func(book *groupbuy.TeamBook) { book.Recount.Held, book.Recount.PaidVolume = 2, one.Add(one) }))
	team := b.is("T")
	require.EqualValues(t, 2, team.Held)
	require.Equal(t, "2.00", team.PaidVolume.StringFixed(2))
	require.Equal(t, stock.Done, correct(func(*groupbuy.TeamBook) {}), "by its seats")
	require.Equal(t, "1 corrected ; 2 corrected ; ", b.told("T"))
	require.Equal(t, team.Version+1, b.is("T").Version)

	require.NoError(t, b.CorrectFormed(t.Context(), pool, 3))
	_, counted, err := b.FormedPeople(t.Context(), pool)
	require.NoError(t, err)
	require.EqualValues(t, 3, counted)
	require.ErrorIs(t, b.CorrectFormed(t.Context(), pool, -4), groupbuy.ErrDrift)
	require.NoError(t, b.CorrectFormed(t.Context(), pool, -3))
	b.sound()
}

func TestMemoryFindsTheLateSeatsOfATeam(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.open("T", "o-2", "1")
	b.join("T", "o-1", "2")
	b.clock.Advance(time.Minute)
	b.join("T", "o-0", "3")
	b.open("U", "u-1", "1")
	b.clock.Advance(9 * time.Minute)
	for limit, want := range [][]string{{}, {"o-1"}, {"o-1", "o-2"}, {"o-1", "o-2"}} {
		orders, err := b.LateSeats(t.Context(), "T", limit)
		require.NoError(t, err)
		require.Equal(t, want, orders)
	}
	orders, err := b.LateSeats(t.Context(), "none", 10)
	require.NoError(t, err)
	require.Empty(t, orders)
}
