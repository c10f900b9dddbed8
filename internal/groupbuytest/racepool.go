package groupbuytest

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// racePoolCases have what moves units and terms meet with everything else.
func racePoolCases() []testCase {
	return []testCase{
		{Name: "RaceJoinAgainstRemove", Run: raceJoinRemove},
		{Name: "ThreeTriggersOfTheReturnGiveBackOnce", Run: raceReturn},
		{Name: "OfferMadeManyTimesAtOnceIsOne", Run: raceOffer},
		{Name: "OffersOfDifferentUnitsAtOnceAreOneOfThem", Run: raceOffers},
		{Name: "RaceManySweepersAtOnce", Run: raceSweepers},
		{Name: "RaceRefundsAgainstTheReturn", Run: raceRefundReturn},
		{Name: "RaceReviseAgainstOpen", Run: raceRevise},
		{Name: "RaceDefineManyTimesAtOnce", Run: raceDefine},
		{Name: "RaceStockInAndOutAtOnce", Run: raceStock},
	}
}

func raceJoinRemove(s *scene) {
	s.stocked(goods, inStock)
	for round := range rounds {
		p := s.offerIn(int64(round+1), 3, 5)
		first, second := buy(numbered(round, 0), anna).of(p.Key), buy(numbered(round, 1), ben).of(p.Key)
		code := s.openAs(first).Team
		errs := suite.Meet(6,
			func() error { return suite.Err(second.Join(s.Context(), s.groups, code)) },
			func() error { return suite.Err(s.groups.Remove(s.Context(), p.Key)) })
		s.Succeeded(errs, groupbuy.ErrRemoved)
		s.No(suite.Err(s.groups.Remove(s.Context(), p.Key)))
		s.cancelIfHeld(second.Order)
		s.cancel(first.Order)
		s.sweep()
		s.shelf(inStock)
		suite.Same(s, "pool", s.item(p.Key).Total, 0)
	}
}

func raceReturn(s *scene) {
	s.stocked(goods, inStock)
	for round := range rounds {
		a := s.activity()
		a.ID = int64(round + 1)
		a.End = s.now().Add(hour)
		s.define(a)
		p := product(people(2))
		p.Activity = a.ID
		s.offer(p, 50)
		s.pay(s.openAs(buy(numbered(round, 0), anna).of(p.Key)).Order)
		s.Advance(hour)
		s.Each(suite.Meet(9,
			func() error { return suite.Err(s.groups.Expire(s.Context())) },
			func() error { return suite.Err(s.groups.Remove(s.Context(), p.Key)) },
			func() error { return suite.Err(s.groups.End(s.Context(), a.ID)) }))
		s.sweep()
		s.shelf(inStock)
		suite.Same(s, "state", suite.Must(s.groups.Product(s.Context(), p.Key)).State, groupbuy.Settled)
	}
}

func raceOffer(s *scene) {
	s.stocked(goods, inStock)
	s.define(s.activity())
	offered := make([]groupbuy.Product, 12)
	s.Each(suite.Together(len(offered), func(i int) (err error) {
		offered[i], err = s.groups.Offer(s.Context(), product(people(3)), 90)
		return err
	}))
	suite.Once(s, "product", offered)
	suite.Same(s, "product", offered[0], s.shown(groupbuy.Offered))
	s.pool(stock.Quantities{Total: 90})
	s.shelf(inStock - 90)
}

func raceOffers(s *scene) {
	s.define(s.activity())
	for round := range rounds {
		p := product(people(3))
		p.SKU = int64(100 + round)
		s.stocked(p.SKU, 100)
		errs := suite.Together(6, func(i int) error { return suite.Err(s.groups.Offer(s.Context(), p, int64(10+i%2))) })
		s.Count("calls of the one that won", s.Succeeded(errs, groupbuy.ErrMismatch), 3)
		offer := suite.Must(s.groups.Product(s.Context(), p.Key))
		suite.Same(s, "units in the pool", s.item(p.Key).Total, offer.Allotted)
		suite.Same(s, "units in ordinary stock", s.item(stock.Key{SKU: p.SKU}).Left, 100-offer.Allotted)
	}
}

func raceSweepers(s *scene) {
	s.live()
	for round := range rounds {
		s.full(round, 3, 2)
	}
	s.Advance(hold)
	var told atomic.Int64
	hears := s.with(groupbuy.Options{Hook: func(context.Context, groupbuy.Effect) { told.Add(1) }})
	expire := func() error { return suite.Err(hears.Expire(s.Context())) }
	s.Each(suite.Meet(6, expire))
	s.Advance(runs)
	s.Each(suite.Meet(6, expire))
	s.No(expire())
	suite.Same(s, "effects", told.Load(), 2*rounds+1) // each seat, each team, and what was left, once
	s.sweep()
	s.Count("refunds that are due", len(suite.Listed(s, s.groups.Refunds(s.Context(), groupbuy.RefundDue))), 2*rounds)
	for _, t := range s.teams() {
		suite.Same(s, "events", len(s.told(t.Code)), 4)
	}
	s.shown(groupbuy.Settled)
	s.shelf(inStock)
}

// raceRefundReturn has units come back while the remainder goes.
func raceRefundReturn(s *scene) {
	s.opened(people(2), 2*rounds)
	for round := range rounds {
		s.full(round, 2, 2)
	}
	s.end()
	for round := range rounds {
		s.Each(suite.Meet(4,
			func() error { return suite.Err(s.groups.Refund(s.Context(), byHand(numbered(round, 0)))) },
			func() error { return suite.Err(s.groups.Expire(s.Context())) },
			func() error { return suite.Err(s.groups.Refund(s.Context(), byHand(numbered(round, 1)))) },
			func() error { return suite.Err(s.groups.Expire(s.Context())) }))
		s.sweep()
		s.shown(groupbuy.Settled)
		s.shelf(inStock - 2*rounds + 2*int64(round+1))
	}
}

// raceRevise opens teams while their rule is changed: each has one or the other.
func raceRevise(s *scene) {
	s.live()
	p := product(people(5))
	p.GroupPrice, p.UnitsPerVolume = dec("50"), 2
	s.Each(suite.Together(12, func(i int) error {
		if i == 6 {
			return suite.Err(s.groups.Revise(s.Context(), p))
		}
		return suite.Err(buy(numbered(0, i), fmt.Sprint(100+i)).Open(s.Context(), s.groups))
	}))
	locked := int64(0)
	for _, t := range s.teams() {
		units := max(t.UnitsPerVolume, 1)
		locked += units
		if (t.People == 5) != (units == 2) || (t.People == 5) != t.GroupPrice.Equal(dec("50")) {
			s.Fatalf("a team has some of each rule: %+v", t.Terms)
		}
	}
	s.pool(stock.Quantities{Total: 90, Locked: locked})
}

func raceDefine(s *scene) {
	s.Each(suite.Together(8, func(int) error { return suite.Err(s.groups.Define(s.Context(), s.plainActivity())) }))
	s.Count("activities", len(suite.Listed(s, s.groups.Activities(s.Context()))), 1)
	s.stocked(goods, inStock)
	s.offer(product(people(2)), 10)
	errs := suite.Together(8, func(i int) error {
		a := s.plainActivity()
		a.Title = fmt.Sprint("title ", i%4)
		return suite.Err(s.groups.Define(s.Context(), a))
	})
	s.Each(errs)
	s.open("1", anna)
}

// plainActivity returns an activity that does not depend on the clock.
func (s *scene) plainActivity() groupbuy.Activity {
	return groupbuy.Activity{ID: fair, Formation: forming, End: time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)}
}

func raceStock(s *scene) {
	s.live()
	errs := suite.Together(24, func(i int) error {
		id := fmt.Sprint("change ", i/2) // each of them twice
		if i%4 < 2 {
			return suite.Err(s.groups.Restock(s.Context(), id, key(), 3))
		}
		return suite.Err(s.groups.Withdraw(s.Context(), id, key(), 5))
	})
	s.Each(errs)
	s.pool(stock.Quantities{Total: 90 + 6*3 - 6*5})
}
