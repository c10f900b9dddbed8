package main

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/stock"
)

// audit completes a result with the books, and holds the accounts of the shop against each other: the teams and
// the seats with their units (that is the audit of the library), what buyers were told and what they paid, the
// orders and refunds that were made of the events, and the units that there were in the beginning.
func (s *shop) audit(ctx context.Context, r *result) error {
	a := &audit{
		shop: s, result: r, sold: map[int64]int64{}, teams: map[stock.Key]*teamLine{},
		told: maps.Clone(s.seats), paid: maps.Clone(s.paid), orders: maps.Clone(s.outside.orders), refunds: maps.Clone(s.outside.refunds),
	}
	r.Drifts = append(append(r.Drifts, s.doubted...), s.outside.wrong...)
	for _, state := range []groupbuy.TeamState{groupbuy.Formed, groupbuy.Failed, groupbuy.Forming} {
		for team, err := range s.groups.Teams(ctx, groupbuy.TeamFilter{State: state}) {
			if err != nil {
				return err
			}
			if err := a.team(ctx, team); err != nil {
				return err
			}
		}
	}
	a.leftOver()
	for _, activity := range []int64{fair, evening} {
		for _, g := range goods {
			if line := a.teams[in(activity, g.sku)]; line != nil {
				if g.terms.ByVolume() {
					line.Volume = kilograms(line.volume)
				}
				r.Teams = append(r.Teams, *line)
			}
		}
	}
	for _, g := range goods {
		if err := a.units(ctx, g); err != nil {
			return err
		}
	}
	if err := a.books(ctx); err != nil {
		return err
	}
	a.money()
	r.Audited = true
	return nil
}

// audit is one audit. What is in the books is taken out of told, paid, orders and refunds, which should be empty
// in the end.
type audit struct {
	*shop

	result  *result
	teams   map[stock.Key]*teamLine
	sold    map[int64]int64 // units of paid seats, by SKU
	told    map[string]groupbuy.Seat
	paid    map[string]decimal.Decimal
	orders  map[string]order
	refunds map[string]decimal.Decimal
}

// driftf notes something that is not as it should be.
func (a *audit) driftf(format string, args ...any) {
	a.result.Drifts = append(a.result.Drifts, fmt.Sprintf(format, args...))
}

// team looks at a team and its seats.
func (a *audit) team(ctx context.Context, team groupbuy.Team) error {
	line := a.teams[team.Key]
	if line == nil {
		line = &teamLine{Activity: activityName(team.Activity), Product: goods[team.SKU-cups].name}
		a.teams[team.Key] = line
	}
	line.add(team)
	if team.State == groupbuy.Forming && !a.result.Interrupted {
		a.driftf("team %s is still forming", team.Code)
	}
	live, volume, buyers := int64(0), decimal.Decimal{}, map[int64]bool{}
	for seat, err := range a.groups.Members(ctx, team.Code) {
		if err != nil {
			return err
		}
		a.seat(seat)
		if seat.Status == groupbuy.Formed {
			line.Members++
		}
		if !seat.State.Live() {
			continue
		}
		live++
		volume = volume.Add(seat.Volume)
		if buyers[seat.Buyer] {
			a.driftf("buyer %d has two seats in team %s", seat.Buyer, team.Code)
		}
		buyers[seat.Buyer] = true
	}
	if !team.ByVolume() && live > team.People {
		a.driftf("team %s of %d has %d members", team.Code, team.People, live)
	}
	if team.State == groupbuy.Formed {
		line.volume = line.volume.Add(volume)
	}
	return nil
}

// seat holds a seat against what its buyer was told and paid, and what was made of it.
func (a *audit) seat(s groupbuy.Seat) {
	if told, known := a.told[s.Order]; !known || told.Team != s.Team || told.Buyer != s.Buyer {
		a.driftf("order %s has a seat in team %s, but its buyer was not told so", s.Order, s.Team)
	}
	delete(a.told, s.Order)

	_, paid := a.paid[s.Order]
	delete(a.paid, s.Order)
	owed := s.State == groupbuy.RefundDue || s.State == groupbuy.Refunded
	if paid != (s.State == groupbuy.Paid || owed) {
		a.driftf("the seat of order %s is %v, and that its buyer paid is %t", s.Order, s.State, paid)
	}
	if s.State == groupbuy.Paid {
		a.sold[s.SKU] += unitsOf(s)
	}
	if !a.result.Interrupted && (s.State == groupbuy.Held || s.State == groupbuy.RefundDue) {
		a.driftf("the seat of order %s is still %v", s.Order, s.State)
	}
	a.made(s, owed)
}

// made holds a seat against the order and the refund that were made of it. While events are to be delivered there
// are fewer of them.
func (a *audit) made(s groupbuy.Seat, owed bool) {
	made, ordered := a.orders[s.Order]
	delete(a.orders, s.Order)
	formed := s.Status == groupbuy.Formed
	switch {
	case ordered && (!formed || made.team != s.Team || made.units != unitsOf(s) || !made.amount.Equal(price(s))):
		a.driftf("order %s was made of %d units of team %s, but its seat in team %s is %v", s.Order, made.units, made.team, s.Team, s.Status)
	case formed && !ordered && !a.result.Interrupted:
		a.driftf("the team of order %s is formed, but the order was not made", s.Order)
	}
	number := groupbuy.RefundID(s.Order)
	amount, refunded := a.refunds[number]
	delete(a.refunds, number)
	switch {
	case refunded && (!owed || !amount.Equal(price(s))):
		a.driftf("%s was paid back to order %s, whose seat is %v", money(amount), s.Order, s.State)
	case s.State == groupbuy.Refunded && !refunded:
		a.driftf("the seat of order %s is refunded, but no money went back", s.Order)
	}
}

// leftOver is what is in no book.
func (a *audit) leftOver() {
	for _, order := range slices.Sorted(maps.Keys(a.told)) {
		a.driftf("the buyer of order %s was told of a seat that is not in the books", order)
	}
	for _, order := range slices.Sorted(maps.Keys(a.paid)) {
		a.driftf("the buyer of order %s paid for a seat that is not in the books", order)
	}
	for _, number := range slices.Sorted(maps.Keys(a.orders)) {
		a.driftf("order %s was made of no seat", number)
	}
	for _, number := range slices.Sorted(maps.Keys(a.refunds)) {
		a.driftf("refund %s was paid for no seat", number)
	}
}

// units holds the units of a product against each other: what there was, ordinary stock and the pools of the
// activities, the seats that are paid, and the orders that were made of them.
func (a *audit) units(ctx context.Context, g good) error {
	ordinary, err := a.item(ctx, stock.Key{SKU: g.sku})
	if err != nil {
		return err
	}
	if ordinary.Version == 0 && a.result.Interrupted { // before the shelves were filled
		return nil
	}
	line := unitLine{
		Product: g.name, Had: a.had[g.sku], Deducted: a.deducted[g.sku], Ordinary: ordinary.Left,
		GivenBack: max(0, ordinary.Left-(a.had[g.sku]-a.deducted[g.sku])),
	}
	for _, activity := range []int64{fair, evening} {
		pool, err := a.item(ctx, in(activity, g.sku))
		if err != nil {
			return err
		}
		line.Sold += pool.Sold
		line.InPools += pool.Left
	}
	a.result.Units = append(a.result.Units, line)
	if line.Ordinary+line.InPools+line.Sold != line.Had {
		a.driftf("%s: %d in ordinary stock, %d in activities and %d sold are not the %d that there were",
			g.name, line.Ordinary, line.InPools, line.Sold, line.Had)
	}
	if line.Sold != a.sold[g.sku] {
		a.driftf("%s: %d are sold, but paid seats have %d", g.name, line.Sold, a.sold[g.sku])
	}
	if !a.result.Interrupted && line.InPools != 0 {
		a.driftf("%s: %d did not go back to ordinary stock", g.name, line.InPools)
	}
	return nil
}

// item returns an item of stock; one that is not there yet is empty.
func (a *audit) item(ctx context.Context, key stock.Key) (stock.Item, error) {
	for item, err := range a.stock.Items(ctx) {
		if err != nil || item.Key == key {
			return item, err
		}
	}
	return stock.Item{Key: key}, nil
}

// books is the audit of the library.
func (a *audit) books(ctx context.Context) error {
	report, err := a.groups.Audit(ctx)
	if err != nil {
		return err
	}
	for _, d := range report.Drifts {
		a.driftf("%v", d)
	}
	for _, d := range report.Units.Drifts {
		a.driftf("units: %v", d)
	}
	for _, seat := range report.Astray {
		a.driftf("the seat of order %s is %v, but its hold is %v", seat.Order, seat.State, seat.Hold)
	}
	return nil
}

// money adds up what buyers paid, and where it is.
func (a *audit) money() {
	m := &a.result.Money
	var received, inOrders, refunded decimal.Decimal
	for _, amount := range a.shop.paid {
		received = received.Add(amount)
	}
	for _, made := range a.outside.orders {
		if !made.refunded {
			m.Orders++
			inOrders = inOrders.Add(made.amount)
		}
	}
	for _, amount := range a.outside.refunds {
		m.Refunds++
		refunded = refunded.Add(amount)
	}
	waiting := received.Sub(inOrders).Sub(refunded)
	m.Received, m.InOrders, m.Refunded, m.Waiting = money(received), money(inOrders), money(refunded), money(waiting)
	if waiting.IsNegative() || waiting.IsPositive() && !a.result.Interrupted {
		a.driftf("buyers paid %s, but %s is in orders and %s was paid back", m.Received, m.InOrders, m.Refunded)
	}
	if n := a.result.Race.Won; n != 1 && !a.result.Interrupted {
		a.driftf("%d buyers got the last seat", n)
	}
}
