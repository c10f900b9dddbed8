package groupbuy

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

func TestAuditNamesWhatHasDriftedAndRepairMendsIt(t *testing.T) {
	t.Parallel()
	m := offering(t, 2)
	code, other := m.buys("a", "b"), m.buys("c")
	m.pays("a", "b", "c")
	m.sound()
	_, err := m.Audit(t.Context(), stock.Key{SKU: 1, Activity: 7})
	require.ErrorIs(t, err, ErrUnknownProduct)

	m.store.teams[code].Held, m.store.teams[code].PaidVolume = 3, amount("7.50") // somebody was at the tables
	product := m.store.Rows.Products[onMarket]
	product.Formed, product.Allotted = 9, 31
	m.store.Rows.Products[onMarket] = product
	verdict, err := m.store.Units().Apply(t.Context(), stock.Change{Kind: stock.KindRepair, ID: "spoiled", Entries: []stock.Entry{
		{Key: onMarket, Delta: stock.Quantities{Refunded: 2}},
	}})
	require.NoError(t, err)
	require.Equal(t, stock.Done, verdict)

	audited, err := m.Audit(t.Context())
	require.NoError(t, err)
	require.False(t, audited.Balanced())
	require.Equal(t, [2]int{1, 2}, [2]int{audited.Products, audited.Teams})
	require.Equal(t, 2, audited.Units.Items)
	require.Equal(t, []stock.Drift{{Key: onMarket, Quantity: "refunded", Counted: 2, Recount: 0}}, audited.Units.Drifts)
	var said []string
	for _, d := range audited.Drifts {
		said = append(said, d.String())
	}
	require.Equal(t, []string{
		"team " + code + " of SKU 42 of activity 7: held is 3, should be 0",
		"team " + code + " of SKU 42 of activity 7: volume is 7.5, should be 2",
		"SKU 42 of activity 7: formed is 9, should be 2",
		"SKU 42 of activity 7: allotted is 31, should be 30",
	}, said)
	require.Equal(t, "5.5", audited.Drifts[1].By().String())

	repaired, err := m.RepairBackOnSale(t.Context(), onMarket)
	require.NoError(t, err)
	require.Equal(t, audited.Drifts, repaired.Drifts, "as they were found")
	require.Equal(t, [2]int{3, 1}, [2]int{repaired.Repaired, repaired.Units.Repaired})
	m.sound()
	require.Equal(t, [2]int64{2, 30}, [2]int64{m.stands().Formed, m.stands().Allotted})
	told, err := m.store.Events.List(t.Context(), event.TeamQueue(code), 0, 10)
	require.NoError(t, err)
	require.Equal(t, event.TeamCorrected, told[len(told)-1].Kind)
	require.EqualValues(t, 1, m.team(other).Version-1, "the other team was left alone: it was opened and paid")
	again, err := m.Repair(t.Context())
	require.NoError(t, err)
	require.True(t, again.Balanced())
	require.Zero(t, again.Repaired)
}

// TestRepairLetsSeatsFollowTheirHolds pays and cancels behind the back of the seats.
func TestRepairLetsSeatsFollowTheirHolds(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	shop := &stock.Memory{Clock: m.clock.Now}
	m.store = &Memory{Stock: shop}
	m.Groups = m.On(m.store)
	_, err := m.units.Define(t.Context(), stock.Key{SKU: onMarket.SKU}, 100, stock.Terms{})
	require.NoError(t, err)
	_, err = m.Define(t.Context(), fair())
	require.NoError(t, err)
	_, err = m.Offer(t.Context(), tea(3), 30)
	require.NoError(t, err)
	code := m.buys("a", "b", "c")
	m.store.teams[code].Paid = 1
	inv := stock.New(shop, nil)
	_, err = inv.Pay(t.Context(), "a")
	require.NoError(t, err)
	_, err = inv.Cancel(t.Context(), "b")
	require.NoError(t, err)
	m.told = nil
	report, err := m.RepairBackOnSale(t.Context(), onMarket)
	require.NoError(t, err)
	require.Equal(t, []SeatBook{
		{Order: "a", State: Held, Hold: stock.Paid, Units: 1}, {Order: "b", State: Held, Hold: stock.Cancelled, Units: 1},
	}, report.Mismatched)
	require.Equal(t, 3, report.Repaired, "two seats and the team")
	m.seatIs(Paid, "a")
	m.seatIs(Cancelled, "b")
	m.seatIs(Held, "c")
	require.Equal(t, [2]int64{1, 1}, [2]int64{m.team(code).Held, m.team(code).Paid})
	require.Equal(t, []Effect{{Step: StepPay, Order: "a", Team: code}, {Step: StepCancel, Order: "b", Team: code}}, m.told)
	m.sound()
}

// TestRepairPutsUnitsOfASettledProductBack finds units where none should be.
func TestRepairPutsUnitsOfASettledProductBack(t *testing.T) {
	t.Parallel()
	m := offering(t, 2)
	_, err := m.End(t.Context(), 7)
	require.NoError(t, err)
	require.Equal(t, Settled, m.stands().State)
	_, err = m.units.Transfer(t.Context(), "by hand", stock.TransferLeg{SKU: 42, From: 0, To: 7, Num: 4})
	require.NoError(t, err)
	report, err := m.Audit(t.Context())
	require.NoError(t, err)
	require.Len(t, report.Drifts, 1)
	require.Equal(t, "SKU 42 of activity 7: settled is 4, should be 0", report.Drifts[0].String())
	report, err = m.Repair(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, report.Repaired)
	require.Equal(t, Removed, m.stands().State)
	_, err = m.Expire(t.Context())
	require.NoError(t, err)
	m.left(100, 0, 0)
	m.sound()
}

// TestRepairGoesOnWhereOneTeamCannotFollow has a team that cannot be corrected.
func TestRepairGoesOnWhereOneTeamCannotFollow(t *testing.T) {
	t.Parallel()
	m := offering(t, 3)
	code, other := m.buys("a"), m.buys("b")
	m.store.teams[other].Held = 2
	m.store.teams[code].Held = 2
	first, second := min(code, other), max(code, other)
	bad := m.On(stubbornStore{Store: m.store, code: first})
	report, err := bad.Repair(t.Context())
	require.ErrorIs(t, err, ErrDrift)
	require.Len(t, report.Drifts, 2)
	require.Equal(t, 1, report.Repaired)
	require.EqualValues(t, 2, m.team(first).Held)
	require.EqualValues(t, 1, m.team(second).Held)
}

// stubbornStore is a store in which one team cannot be corrected.
type stubbornStore struct {
	Store

	code string
}

func (u stubbornStore) Correct(ctx context.Context, book TeamBook, by ...stock.Change) (stock.Verdict, error) {
	if book.Code == u.code {
		return stock.Refused, ErrDrift
	}
	return u.Store.Correct(ctx, book, by...)
}

// TestAnAuditIsNotDeceivedByTraffic refunds a seat while the audit looks at a product that is settled.
func TestAnAuditIsNotDeceivedByTraffic(t *testing.T) {
	t.Parallel()
	m := offering(t, 2)
	m.buys("a", "b")
	m.pays("a", "b")
	_, err := m.Remove(t.Context(), onMarket)
	require.NoError(t, err)
	require.Equal(t, Settled, m.stands().State)
	busy := traffic{Store: m.store, before: func() {
		_, err := m.Refund(t.Context(), Refund{Order: "a", Actor: "ann", Reason: "broken", Restock: true})
		require.NoError(t, err)
	}}
	report, err := m.On(busy).Audit(t.Context())
	require.NoError(t, err)
	require.True(t, report.Balanced(), "%+v", report)
	require.Equal(t, Removed, m.stands().State)
}

// traffic is a store in which something happens before items are read.
type traffic struct {
	Store

	before func()
}

func (b traffic) Units() stock.Store {
	return trafficUnits{Store: b.Store.Units(), before: b.before}
}

type trafficUnits struct {
	stock.Store

	before func()
}

func (u trafficUnits) Items(ctx context.Context, buyer string, keys []stock.Key) ([]stock.ItemUsage, time.Time, error) {
	u.before()
	return u.Store.Items(ctx, buyer, keys)
}
