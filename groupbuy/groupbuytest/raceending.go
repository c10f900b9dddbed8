package groupbuytest

import (
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// raceEndingCases have what ends teams, products and activities meet with everything else.
func raceEndingCases() []testCase {
	return []testCase{
		{name: "G8_TheLastPayerAgainstTheDeadline", run: raceDeadline},
		{name: "G16_RefundByHandAgainstFailure", run: raceRefundFail},
		{name: "G16_RefundByHandAgainstTheDeadline", run: raceRefundDeadline},
		{name: "G15_RefundAgainstTheLastPayment", run: raceRefundFormation},
		{name: "G18_FormAgainstTheLastPayment", run: raceFormPay},
		{name: "G19_FormAgainstFail", run: raceFormFail},
		{name: "G20_AMinimumAgainstARefund", run: raceMinimum},
		{name: "G22_JoinAgainstRemove", run: raceJoinRemove},
		{name: "G22_ThreeTriggersOfTheReturnAtOnce", run: raceReturn},
		{name: "G21_OfferMadeManyTimesAtOnce", run: raceOffer},
		{name: "G21_OffersOfDifferentUnitsAtOnce", run: raceOffers},
		{name: "Race_ManySweepersAtOnce", run: raceSweepers},
		{name: "Race_RefundsAgainstTheReturn", run: raceRefundReturn},
		{name: "Race_ReviseAgainstOpen", run: raceRevise},
		{name: "Race_DefineManyTimesAtOnce", run: raceDefine},
		{name: "Race_StockInAndOutAtOnce", run: raceStock},
	}
}

// raceDeadline moves the clock to just before the deadline, or onto it, and lets the last payer meet the sweeper.
func raceDeadline(s *scene) {
	s.live()
	whole := s.with(groupbuy.Options{HoldFor: 2 * day})
	for round := range rounds {
		var codes [2]string
		for k := range codes {
			for i := range 3 {
				p := buy(numbered(round, fmt.Sprint(k, i)), int64(100+i))
				var seat groupbuy.Seat
				var err error
				if i == 0 {
					seat, err = whole.Open(s.Context(), p)
				} else {
					seat, err = whole.Join(s.Context(), codes[k], p)
				}
				s.No(err)
				codes[k] = seat.Team
			}
			s.pay(numbered(round, fmt.Sprint(k, 0)))
			s.pay(numbered(round, fmt.Sprint(k, 1)))
		}
		for k, state := range []groupbuy.TeamState{groupbuy.Formed, groupbuy.Failed} {
			if s.Advance(instant); k == 0 {
				s.Advance(forming - 2*instant)
			}
			last := numbered(round, fmt.Sprint(k, 2))
			s.Each(suite.Meet(6,
				func() error { return suite.Outcome(s.groups.Pay(s.Context(), last)) },
				func() error { return suite.Outcome(s.groups.Expire(s.Context())) }))
			s.is(codes[k], state)
			if state == groupbuy.Failed {
				s.seat(last, groupbuy.RefundDue)
				s.refundOwed(last)
			}
		}
		s.prolong()
	}
	s.pool(stock.Quantities{Total: 90, Sold: 3 * rounds, Refunded: 2 * rounds})
}

func raceRefundFail(s *scene) {
	s.live()
	for round := range rounds {
		code := s.full(round, 3, 2)
		s.Each(suite.Meet(6,
			func() error { return suite.Outcome(s.groups.Refund(s.Context(), byHand(numbered(round, 1)))) },
			func() error { return suite.Outcome(s.groups.Fail(s.Context(), code, decided())) }))
		s.is(code, groupbuy.Failed)
		s.refundOwed(numbered(round, 0))
		s.refundOwed(numbered(round, 1))
	}
	s.pool(stock.Quantities{Total: 90, Refunded: 2 * rounds})
}

func raceRefundDeadline(s *scene) {
	s.live()
	for round := range rounds {
		code := s.full(round, 2, 2)
		s.Advance(forming)
		s.Each(suite.Meet(6,
			func() error { return suite.Outcome(s.groups.Expire(s.Context())) },
			func() error { return suite.Outcome(s.groups.Refund(s.Context(), byHand(numbered(round, 0)))) },
			func() error { return suite.Outcome(s.groups.Refund(s.Context(), byHand(numbered(round, 1)))) }))
		s.sweep()
		s.is(code, groupbuy.Failed)
		s.refundOwed(numbered(round, 0))
		s.refundOwed(numbered(round, 1))
		s.prolong()
	}
	s.pool(stock.Quantities{Total: 90, Refunded: 2 * rounds})
}

// prolong lets the activity run for a week from now on.
func (s *scene) prolong() { s.Helper(); s.define(s.activity()) }

// raceRefundFormation has a member leave while the last one pays.
func raceRefundFormation(s *scene) {
	s.live()
	for round := range rounds {
		code := s.full(round, 3, 2)
		s.Each(suite.Meet(2,
			func() error { return suite.Outcome(s.groups.Refund(s.Context(), byHand(numbered(round, 1)))) },
			func() error { return suite.Outcome(s.groups.Pay(s.Context(), numbered(round, 2))) }))
		s.seat(numbered(round, 1), groupbuy.RefundDue)
		t, err := s.groups.Team(s.Context(), code)
		s.No(err)
		if t.State == groupbuy.Formed { // and left after that
			s.tells(code, hasFormed(), owes(numbered(round, 1)))
			s.stands(groupbuy.Formed, numbered(round, 1))
			continue
		}
		s.tells(code, owes(numbered(round, 1)))
		s.stands(groupbuy.Failed, numbered(round, 1))
		s.fail(code)
	}
}

func raceFormPay(s *scene) {
	s.live()
	for round := range rounds {
		code := s.full(round, 3, 2)
		s.Each(suite.Meet(4,
			func() error { return suite.Outcome(s.groups.Pay(s.Context(), numbered(round, 2))) },
			func() error { return suite.Outcome(s.groups.Form(s.Context(), code, decided())) }))
		t := s.is(code, groupbuy.Formed)
		last, err := s.groups.Seat(s.Context(), numbered(round, 2))
		s.No(err)
		paid := t.Cause == groupbuy.ByPayment
		if paid != (last.State == groupbuy.Paid) || paid == (last.State == groupbuy.RefundDue) {
			s.Fatalf("the team is formed by %v, and the last seat is %+v", t.Cause, last)
		}
	}
}

func raceFormFail(s *scene) {
	s.live()
	for round := range rounds {
		code := s.full(round, 3, 2)
		errs := suite.Meet(6,
			func() error { return suite.Outcome(s.groups.Form(s.Context(), code, decided())) },
			func() error { return suite.Outcome(s.groups.Fail(s.Context(), code, decided())) })
		s.Count("calls of the one that won", s.Succeeded(errs, groupbuy.ErrTeamFormed, groupbuy.ErrTeamFailed), 3)
	}
}

// raceMinimum has a member leave while the deadline counts whether there are enough.
func raceMinimum(s *scene) {
	terms := people(4)
	terms.MinPeople = 2
	s.opened(terms, 200)
	for round := range rounds {
		code := s.full(round, 2, 2)
		s.Advance(forming)
		s.Each(suite.Meet(4,
			func() error { return suite.Outcome(s.groups.Expire(s.Context())) },
			func() error { return suite.Outcome(s.groups.Refund(s.Context(), byHand(numbered(round, 1)))) }))
		s.sweep()
		t, err := s.groups.Team(s.Context(), code)
		s.No(err)
		suite.Same(s, "is over", t.State != groupbuy.Forming, true)
		s.refundOwed(numbered(round, 1))
		s.prolong()
	}
}

func raceJoinRemove(s *scene) {
	s.stocked(goods, inStock)
	for round := range rounds {
		a := s.activity()
		a.ID = int64(round + 1)
		s.define(a)
		p := product(people(3))
		p.Activity = a.ID
		s.offer(p, 5)
		first, second := buy(numbered(round, 0), anna), buy(numbered(round, 1), ben)
		first.Product, second.Product = p.Key, p.Key
		code := s.openAs(first).Team
		errs := suite.Meet(6,
			func() error { return suite.Outcome(s.groups.Join(s.Context(), code, second)) },
			func() error { return suite.Outcome(s.groups.Remove(s.Context(), p.Key)) })
		s.Succeeded(errs, groupbuy.ErrRemoved)
		_, err := s.groups.Remove(s.Context(), p.Key)
		s.No(err)
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
		b := buy(numbered(round, 0), anna)
		b.Product = p.Key
		s.openAs(b)
		s.pay(b.Order)
		s.Advance(hour)
		s.Each(suite.Meet(9,
			func() error { return suite.Outcome(s.groups.Expire(s.Context())) },
			func() error { return suite.Outcome(s.groups.Remove(s.Context(), p.Key)) },
			func() error { return suite.Outcome(s.groups.End(s.Context(), a.ID)) }))
		s.sweep()
		s.shelf(inStock)
		offer, err := s.groups.Product(s.Context(), p.Key)
		s.No(err)
		suite.Same(s, "state", offer.State, groupbuy.Settled)
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
	for _, p := range offered {
		suite.Same(s, "product", p, s.shown(groupbuy.Offered))
	}
	s.pool(stock.Quantities{Total: 90})
	s.shelf(inStock - 90)
}

func raceOffers(s *scene) {
	s.define(s.activity())
	for round := range rounds {
		p := product(people(3))
		p.SKU = int64(100 + round)
		s.stocked(p.SKU, 100)
		errs := suite.Together(6, func(i int) error {
			return suite.Outcome(s.groups.Offer(s.Context(), p, int64(10+i%2)))
		})
		s.Count("calls of the one that won", s.Succeeded(errs, groupbuy.ErrMismatch), 3)
		offer, err := s.groups.Product(s.Context(), p.Key)
		s.No(err)
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
	expire := func() error { return suite.Outcome(s.groups.Expire(s.Context())) }
	s.Each(suite.Meet(6, expire))
	s.Advance(runs)
	s.Each(suite.Meet(6, expire))
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
			func() error { return suite.Outcome(s.groups.Refund(s.Context(), byHand(numbered(round, 0)))) },
			func() error { return suite.Outcome(s.groups.Expire(s.Context())) },
			func() error { return suite.Outcome(s.groups.Refund(s.Context(), byHand(numbered(round, 1)))) },
			func() error { return suite.Outcome(s.groups.Expire(s.Context())) }))
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
			return suite.Outcome(s.groups.Revise(s.Context(), p))
		}
		return suite.Outcome(s.groups.Open(s.Context(), buy(numbered(0, i), int64(100+i))))
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
	s.Each(suite.Together(8, func(int) error { return suite.Outcome(s.groups.Define(s.Context(), s.plainActivity())) }))
	s.Count("activities", len(suite.Listed(s, s.groups.Activities(s.Context()))), 1)
	s.stocked(goods, inStock)
	s.offer(product(people(2)), 10)
	errs := suite.Together(8, func(i int) error {
		a := s.plainActivity()
		a.Title = fmt.Sprint("title ", i%4)
		return suite.Outcome(s.groups.Define(s.Context(), a))
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
			return s.groups.AddStock(s.Context(), id, key(), 3)
		}
		return s.groups.WithdrawStock(s.Context(), id, key(), 5)
	})
	s.Each(errs)
	s.pool(stock.Quantities{Total: 90 + 6*3 - 6*5})
}
