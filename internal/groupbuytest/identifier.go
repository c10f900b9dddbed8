package groupbuytest

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func identifierCases() []testCase {
	return []testCase{
		{Name: "IdentifiersOfOrdersAreComparedByteForByte", Run: identifiersOfOrders},
		{Name: "IdentifiersOfBuyersAreComparedByteForByte", Run: identifiersOfBuyers},
		{Name: "IdentifiersOfChangesAreComparedByteForByte", Run: identifiersOfChanges},
		{Name: "IdentifiersOfDifferentThingsDoNotMeet", Run: identifiersApart},
		{Name: "IdentifiersOfProductsSpanInt64", Run: identifiersOfNumbers},
		{Name: "IdentifiersOfTeamsAreTypedByPeople", Run: identifiersOfTeams},
		{Name: "IdentifiersOfTeamsAreNeverGivenTwice", Run: identifiersTaken},
		{Name: "TextsAreKeptByteForByte", Run: texts},
	}
}

// identifiersOfOrders opens a team with each order, pays every other one and cancels the others.
func identifiersOfOrders(s *scene) {
	s.opened(people(2), 500)
	ids := suite.Lookalikes(groupbuy.MaxOrder)
	teams := map[string]string{}
	for i, id := range ids {
		teams[id] = s.open(id, fmt.Sprint(i+1)).Team
	}
	s.Count("teams", len(teams), len(ids))
	for i, id := range ids {
		if i%2 == 0 {
			s.pay(id)
		} else {
			s.cancel(id)
		}
	}
	for i, id := range ids {
		want := groupbuy.Cancelled
		if i%2 == 0 {
			want = groupbuy.Paid
		}
		seat := s.seat(id, want)
		suite.Same(s, "order", seat.Order, id)
		suite.Same(s, "buyer", seat.Buyer, fmt.Sprint(i+1))
		suite.Same(s, "team", seat.Team, teams[id])
		if want == groupbuy.Paid {
			s.refund(id)
			s.tells(teams[id], owes(id), hasFailed())
		}
	}
	s.Count("refunds", len(s.deliver()), 2*len(ids)-len(ids)/2)
	for i, id := range ids {
		if i%2 == 0 {
			s.seat(id, groupbuy.Refunded)
		}
	}
}

func identifiersOfChanges(s *scene) {
	s.live()
	ids := suite.Lookalikes(64)
	for range 2 { // the second round replays the first
		for i, id := range ids {
			if i%2 == 0 {
				s.No(suite.Err(s.groups.Restock(s.Context(), id, key(), 2)))
			} else {
				s.No(suite.Err(s.groups.Withdraw(s.Context(), id, key(), 1)))
			}
		}
	}
	n := int64(len(ids))
	s.pool(stock.Quantities{Total: 90 + (n+1)/2*2 - n/2})
}

// identifiersApart uses one ID for an order, a change and a refund by hand.
func identifiersApart(s *scene) {
	s.live()
	s.No(suite.Err(s.groups.Restock(s.Context(), "x", key(), 1)))
	code := s.open("x", anna).Team
	s.pay("x")
	s.join(code, groupbuy.RefundID("x"), ben)
	s.pay(groupbuy.RefundID("x"))
	s.refund("x")
	s.pool(stock.Quantities{Total: 91, Sold: 1, Refunded: 1})
	line := stock.Line{SKU: goods, Num: 1} // the shop's orders and seats share one set of numbers
	s.Is(suite.Err(s.ordinary().Lock(s.Context(), "x", line)), stock.ErrMismatch)
	s.No(suite.Err(s.ordinary().Lock(s.Context(), "ordinary", line)))
	s.unopened(buy("ordinary", anna), groupbuy.ErrMismatch)
	s.unjoined(code, buy("ordinary", anna), groupbuy.ErrMismatch)
	s.only(suite.Err(s.groups.Pay(s.Context(), "ordinary")), groupbuy.ErrNotFound)
	s.seatless("ordinary")
	s.Advance(hold)
	s.No(suite.Err(s.ordinary().Expire(s.Context())))
	s.shelf(inStock - 91)
}

// identifiersOfBuyers has each buyer open a team, and the next join it. A buyer has two seats of two that the limit allows, one
// in a team, and the seats of nobody else.
func identifiersOfBuyers(s *scene) {
	ids := suite.Lookalikes(64)
	s.stocked(goods, inStock)
	s.define(s.activity())
	p := product(people(3))
	p.PerBuyer = 2
	s.offer(p, 500)
	teams := map[string]string{}
	for i, id := range ids {
		seat := s.open(fmt.Sprint("opens ", i), id)
		suite.Same(s, "sponsor", s.is(seat.Team, groupbuy.Forming).Sponsor, id)
		teams[id] = seat.Team
	}
	for i, id := range ids {
		next := ids[(i+1)%len(ids)]
		s.join(teams[id], fmt.Sprint("joins ", i), next)
		s.unjoined(teams[id], buy("again", next), groupbuy.ErrJoined)
	}
	for _, id := range ids {
		s.unopened(buy("too many", id), stock.ErrPerBuyer)
		seats := suite.Listed(s, s.groups.For(id).Seats(s.Context()))
		s.Count(fmt.Sprintf("seats of %q", id), len(seats), 2)
		for _, seat := range seats {
			suite.Same(s, "buyer", seat.Buyer, id)
		}
	}
}

func identifiersOfNumbers(s *scene) {
	const big = math.MaxInt64
	a := s.activity()
	a.ID, a.Sort = big, math.MinInt64
	s.define(a)
	s.stocked(big, 10)
	p := product(people(2))
	p.Key, p.SPU = stock.Key{SKU: big, Activity: big}, big
	s.offer(p, 10)
	code := s.openAs(buy("1", anna).of(p.Key)).Team
	s.joinAs(code, buy("2", ben).of(p.Key))
	s.pay("1")
	paid := s.pay("2")
	suite.Same(s, "formed", paid.Formed, true)
	suite.Same(s, "sponsor", paid.Team.Sponsor, anna)
	suite.Same(s, "product", paid.Team.Key, p.Key)
	suite.Same(s, "sort", suite.Listed(s, s.groups.Activities(s.Context()))[0].Sort, int64(math.MinInt64))
	suite.Same(s, "units left", s.item(p.Key).Left, 8)
}

func identifiersOfTeams(s *scene) {
	s.live()
	code := s.open("1", anna).Team
	suite.Same(s, "length of the code", len(code), groupbuy.CodeLength)
	for i, typed := range []string{strings.ToLower(code), " " + code + "\n", "\t" + strings.ToLower(code) + " "} {
		seat := suite.Must(buy(fmt.Sprint("typed ", i), ben).Join(s.Context(), s.groups, typed))
		suite.Same(s, "team", seat.Team, code)
		s.cancel(seat.Order)
	}
	codes := map[string]bool{}
	for i := range 60 {
		c := s.open(fmt.Sprint("o", i), fmt.Sprint(1000+i)).Team
		if codes[c] || strings.Trim(c, "ABCDEFGHJKMNPQRSTUVWXYZ23456789") != "" {
			s.Fatalf("team %d has the code %q", i, c)
		}
		codes[c] = true
	}
}

// identifiersTaken has a source of codes that repeats itself.
func identifiersTaken(s *scene) {
	s.live()
	n := 0
	groups := s.with(groupbuy.Options{Code: func() string {
		n++
		return "TEAM22222" + "ABCDEFGH"[n/3:n/3+1]
	}})
	codes := map[string]bool{}
	for i := range 5 {
		seat := suite.Must(buy(strconv.Itoa(i), fmt.Sprint(i+1)).Open(s.Context(), groups))
		codes[seat.Team] = true
		suite.Same(s, "sponsor", s.is(seat.Team, groupbuy.Forming).Sponsor, fmt.Sprint(i+1))
	}
	s.Count("codes", len(codes), 5)
	s.pool(stock.Quantities{Total: 90, Locked: 5})
}

// texts has everything that is written by people be odd.
func texts(s *scene) {
	odd := "'\"\\ %_\x00 é e\u0301 团购 🎉 "
	s.stocked(goods, inStock)
	a := s.activity()
	a.Title, a.Image = odd, odd+"image"
	s.define(a)
	p := product(people(2))
	p.Name, p.Spec = odd+"name", odd+"spec"
	s.offer(p, 10)
	offer := suite.Must(s.groups.Product(s.Context(), key()))
	suite.Same(s, "texts of the product", []string{offer.Activity.Title, offer.Activity.Image, offer.Name, offer.Spec},
		[]string{a.Title, a.Image, p.Name, p.Spec})
	purchase := buy("1", anna)
	purchase.Guest = groupbuy.Guest{Name: odd, Avatar: odd + "a", Address: odd + "b", ShippingFee: dec("12345.67"), BalanceUsed: dec("0.01")}
	code := s.openAs(purchase).Team
	suite.Same(s, "guest", s.seat("1", groupbuy.Held).Guest, purchase.Guest)
	s.pay("1")
	team := suite.Must(s.groups.Form(s.Context(), code, groupbuy.Decision{Actor: odd, Reason: odd + "reason"}))
	suite.Same(s, "actor and reason", []string{team.Actor, team.Reason}, []string{odd, odd + "reason"})
	seat := suite.Must(s.groups.Refund(s.Context(), groupbuy.Refund{Order: "1", Actor: odd, Reason: odd}))
	suite.Same(s, "actor and reason", []string{seat.Actor, seat.Reason}, []string{odd, odd})
	suite.Same(s, "buyer", s.told(code)[1].Buyer, anna)
}
