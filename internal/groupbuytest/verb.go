package groupbuytest

import (
	"context"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// The verbs of a scene: calls that must succeed, and what must have come of them.

// A Basket is a purchase with its buyer.
type Basket struct {
	groupbuy.Purchase

	Buyer string
}

// of returns the same purchase of another product.
func (b Basket) of(k stock.Key) Basket {
	b.Product = k
	return b
}

// Open opens a team with it.
func (b Basket) Open(ctx context.Context, groups *groupbuy.Groups) (groupbuy.Seat, error) {
	return groups.For(b.Buyer).Open(ctx, b.Purchase)
}

// Join joins a team with it.
func (b Basket) Join(ctx context.Context, groups *groupbuy.Groups, code string) (groupbuy.Seat, error) {
	return groups.For(b.Buyer).Join(ctx, code, b.Purchase)
}

// buy returns a purchase of a volume of 1 of the product.
func buy(order string, buyer string) Basket { return buyVolume(order, buyer, "1") }

// buyVolume returns a purchase of another volume.
func buyVolume(order string, buyer string, v string) Basket {
	return Basket{Buyer: buyer, Purchase: groupbuy.Purchase{
		Order: order, Product: key(), Volume: dec(v),
		Guest: groupbuy.Guest{
			Name: "Guest", Avatar: "a.png", Address: "Road 1", ShippingFee: decimal.New(500, -2), BalanceUsed: decimal.New(0, -2),
		},
	}}
}

// open opens a team.
func (s *scene) open(order string, buyer string) groupbuy.Seat {
	s.Helper()
	return s.openAs(buy(order, buyer))
}

// openAs opens a team with a purchase.
func (s *scene) openAs(p Basket) groupbuy.Seat {
	s.Helper()
	seat := suite.Must(p.Open(s.Context(), s.groups))
	suite.Same(s, "state of the seat", seat.State, groupbuy.Held)
	return seat
}

// unopened ends the test unless nobody can open a team with a purchase, for one reason.
func (s *scene) unopened(p Basket, why error) {
	s.Helper()
	s.only(suite.Err(p.Open(s.Context(), s.groups)), why)
}

// join joins a team.
func (s *scene) join(code, order string, buyer string) groupbuy.Seat {
	s.Helper()
	return s.joinAs(code, buy(order, buyer))
}

// joinAs joins a team with a purchase.
func (s *scene) joinAs(code string, p Basket) groupbuy.Seat {
	s.Helper()
	seat := suite.Must(p.Join(s.Context(), s.groups, code))
	suite.Same(s, "state of the seat", seat.State, groupbuy.Held)
	suite.Same(s, "team of the seat", seat.Team, code)
	return seat
}

// unjoined ends the test unless a team cannot be joined with a purchase, for one reason, and that changes nothing.
func (s *scene) unjoined(code string, p Basket, why error) {
	s.Helper()
	was := s.item(p.Product).Quantities
	s.only(suite.Err(p.Join(s.Context(), s.groups, code)), why)
	suite.Same(s, "pool", s.item(p.Product).Quantities, was)
}

// pay pays a seat in time.
func (s *scene) pay(order string) groupbuy.Payment {
	s.Helper()
	p := suite.Must(s.groups.Pay(s.Context(), order))
	if p.Due || p.Why != nil || p.Seat.Order != order || p.Team.Code != p.Seat.Team {
		s.Fatalf("payment of %q is %+v", order, p)
	}
	return p
}

// late pays a seat by groups when it is none any more: the money goes back, for one reason.
func (s *scene) late(groups *groupbuy.Groups, order string, why ...error) groupbuy.Payment {
	s.Helper()
	p := suite.Must(groups.Pay(s.Context(), order))
	if !p.Due || p.Formed || p.Seat.State != groupbuy.RefundDue {
		s.Fatalf("late payment of %q is %+v", order, p)
	}
	s.Is(p.Why, why...)
	s.refundOwed(order)
	return p
}

// team opens a team of a sponsor and members, the first of them ordering "1", and pays those of the numbers.
func (s *scene) team(members []string, paid ...string) string {
	s.Helper()
	code := ""
	for i, buyer := range members {
		order := string(rune('1' + i))
		if code == "" {
			code = s.open(order, buyer).Team
		} else {
			s.join(code, order, buyer)
		}
	}
	for _, order := range paid {
		s.pay(order)
	}
	return code
}

// cancel cancels a seat that is held.
func (s *scene) cancel(order string) groupbuy.Seat {
	s.Helper()
	seat := suite.Must(s.groups.Cancel(s.Context(), order))
	suite.Same(s, "state of the seat", seat.State, groupbuy.Cancelled)
	return seat
}

// byHand is a refund by an operator, whose units go back on sale.
func byHand(order string) groupbuy.Refund {
	return groupbuy.Refund{Order: order, Actor: operator, Reason: "asked for", Restock: true}
}

// refund refunds a seat by hand.
func (s *scene) refund(order string) groupbuy.Seat {
	s.Helper()
	seat := suite.Must(s.groups.Refund(s.Context(), byHand(order)))
	if seat.State != groupbuy.RefundDue && seat.State != groupbuy.Refunded {
		s.Fatalf("seat that was refunded is %+v", seat)
	}
	return seat
}

// decided is an operator's decision.
func decided() groupbuy.Decision { return groupbuy.Decision{Actor: operator, Reason: "by hand"} }

// form forms a team by hand.
func (s *scene) form(code string) groupbuy.Team {
	s.Helper()
	team := suite.Must(s.groups.Form(s.Context(), code, decided()))
	suite.Same(s, "state of the team", team.State, groupbuy.Formed)
	return team
}

// fail fails a team by hand.
func (s *scene) fail(code string) groupbuy.Team {
	s.Helper()
	team := suite.Must(s.groups.Fail(s.Context(), code, decided()))
	suite.Same(s, "state of the team", team.State, groupbuy.Failed)
	return team
}

// is returns a team, and ends the test unless it is in a state.
func (s *scene) is(code string, want groupbuy.TeamState) groupbuy.Team {
	s.Helper()
	team := suite.Must(s.groups.Team(s.Context(), code))
	suite.Same(s, "state of the team", team.State, want)
	return team
}

// counts ends the test unless a team has so many seats that are held and paid, and so much paid volume.
func (s *scene) counts(code string, held, paid int64, v string) {
	s.Helper()
	team := suite.Must(s.groups.Team(s.Context(), code))
	if team.Held != held || team.Paid != paid || !team.PaidVolume.Equal(dec(v)) {
		s.Fatalf("team has %d held, %d paid, %v, want %d, %d, %s", team.Held, team.Paid, team.PaidVolume, held, paid, v)
	}
}

// seat returns a seat, and ends the test unless it is in a state.
func (s *scene) seat(order string, want groupbuy.SeatState) groupbuy.Seat {
	s.Helper()
	seat := suite.Must(s.groups.Seat(s.Context(), order))
	if seat.State != want {
		s.Fatalf("seat %q is %v, want %v", order, seat.State, want)
	}
	return seat
}

// stands ends the test unless seats have this for what became of the team for them.
func (s *scene) stands(want groupbuy.TeamState, orders ...string) {
	s.Helper()
	for _, order := range orders {
		seat := suite.Must(s.groups.Seat(s.Context(), order))
		if seat.Status != want {
			s.Fatalf("status of seat %q is %v, want %v", order, seat.Status, want)
		}
	}
}

// seatless ends the test unless an order has no seat.
func (s *scene) seatless(order string) {
	s.Helper()
	s.only(suite.Err(s.groups.Seat(s.Context(), order)), groupbuy.ErrNotFound)
}

// members returns all seats of a team.
func (s *scene) members(code string) []groupbuy.Seat {
	s.Helper()
	return suite.Listed(s, s.groups.Members(s.Context(), code))
}

// told returns what a team has told, in order.
func (s *scene) told(code string) []event.Event {
	s.Helper()
	return suite.Listed(s, s.events.Of(s.Context(), event.TeamQueue(code)))
}

// tells ends the test unless a team has told just this, in this order.
func (s *scene) tells(code string, want ...news) {
	s.Helper()
	var got []news
	for _, e := range s.told(code) {
		if e.Ref != code || e.SKU == 0 || e.Activity == 0 || (e.Buyer == "") != (e.Order == "") {
			s.Fatalf("an event of team %q is %+v", code, e)
		}
		got = append(got, news{e.Kind, e.Order})
	}
	suite.Same(s, "events", got, want)
}

// tally counts what a team has told, in whatever order.
func (s *scene) tally(code string) map[news]int {
	s.Helper()
	told := map[news]int{}
	for _, e := range s.told(code) {
		told[news{e.Kind, e.Order}]++
	}
	return told
}

// news is what an event tells.
type news struct {
	kind  event.Kind
	order string
}

// hasFormed, hasFailed, owes, released and added are what teams tell.
func hasFormed() news            { return news{event.TeamFormed, ""} }
func hasFailed() news            { return news{event.TeamFailed, ""} }
func owes(order string) news     { return news{event.RefundOwed, order} }
func released(order string) news { return news{event.SeatReleased, order} }
func added(order string) news    { return news{event.MemberAdded, order} }

// refundOwed ends the test unless the team of a seat has told once that its money has to go back.
func (s *scene) refundOwed(order string) {
	s.Helper()
	seat := suite.Must(s.groups.Seat(s.Context(), order))
	n := 0
	for _, e := range s.told(seat.Team) {
		if e.Kind == event.RefundOwed && e.Order == order {
			n++
		}
	}
	s.Count("refunds that are owed to "+order, n, 1)
}

// deliver delivers what is due, without a failure, and returns it.
func (s *scene) deliver() []groupbuy.Event {
	s.Helper()
	var got []groupbuy.Event
	n := suite.Must(s.events.Deliver(s.Context(), s.groups.Handle(func(_ context.Context, e groupbuy.Event) error {
		got = append(got, e)
		return nil
	})))
	s.Count("events that were delivered", n, len(got))
	return got
}

// orders returns the orders of seats.
func orders(seats []groupbuy.Seat) []string {
	var got []string
	for _, seat := range seats {
		got = append(got, seat.Order)
	}
	return slices.Clip(got)
}
