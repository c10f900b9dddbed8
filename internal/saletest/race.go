package saletest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/sale"
)

// rounds is how often a race is run.
const rounds = 8

// raceCases have calls meet.
func raceCases() []testCase {
	return []testCase{
		{Name: "ThreeTriggersOfTheEndReturnOnceBesideOrders", Run: raceEnd},
		{Name: "OfferMadeManyTimesAtOnceIsOne", Run: raceOffer},
		{Name: "RaceApproveAgainstWithdraw", Run: raceApprove},
		{Name: "RaceReviseAgainstRemove", Run: raceRevise},
		{Name: "RaceRefundsAgainstTheReturn", Run: raceRefunds},
	}
}

// orders makes some orders of a product that go on while it ends: they are locked, and then paid, cancelled, refunded, or left.
func (s *scene) orders(k stock.Key, n int) []string {
	s.Helper()
	orders := make([]string, n)
	for i := range orders {
		orders[i] = fmt.Sprint(k.Activity, "-", i)
		s.No(suite.Err(s.shop.Lock(s.Context(), orders[i], of(k, 1))))
		if i%2 == 1 {
			s.pay(orders[i])
		}
	}
	return orders
}

// settled reports whether an error of an order beside an end is one that has to be expected.
func settled(err error) error {
	if suite.Matches(err, stock.ErrNotOnSale, stock.ErrInsufficient, stock.ErrPaid, stock.ErrCancelled, stock.ErrExpired, stock.ErrRefunded,
		stock.ErrNotPaid) {
		return nil
	}
	return err
}

// step makes the next call of an order, by its number.
func (s *scene) step(k stock.Key, order string, i int) error {
	ctx := s.Context()
	var err error
	switch i % 4 {
	case 0:
		err = suite.Err(s.shop.Cancel(ctx, order))
	case 1, 3:
		err = suite.Err(s.shop.Refund(ctx, stock.Refund{ID: "refund-" + order, Order: order, Restock: i%4 == 1}))
	case 2:
		err = suite.Err(s.shop.Pay(ctx, order))
	}
	return errors.Join(settled(err), settled(suite.Err(s.shop.Lock(ctx, "late-"+order, of(k, 1)))))
}

func raceEnd(s *scene) { s.raceEnd(rounds) }

// RaceEnd lets three triggers of the end of an activity meet with orders of it, so many times.
func RaceEnd(t testing.TB, h Harness, rounds int) {
	t.Helper()
	newScene(t, h).raceEnd(rounds)
}

// raceEnd is RaceEnd in a scene.
func (s *scene) raceEnd(rounds int) {
	s.Helper()
	s.stocked(goods, int64(rounds)*inStock)
	for round := range rounds {
		a := s.activity()
		a.ID = int64(round + 1)
		s.define(a)
		p := product()
		p.Activity = a.ID
		s.offer(p, units)
		s.approve(a.ID)
		orders := s.orders(p.Key, 8)
		s.Advance(runs - instantOf(round))
		calls := []func() error{
			func() error { return suite.Err(s.sales.Expire(s.Context())) },
			func() error { return suite.Err(s.sales.Remove(s.Context(), p.Key)) },
			func() error { return suite.Err(s.sales.End(s.Context(), a.ID)) },
		}
		for i, order := range orders {
			calls = append(calls, func() error { return s.step(p.Key, order, i) })
		}
		suite.Repeatable(int64(round)).Shuffle(len(calls), func(i, j int) { calls[i], calls[j] = calls[j], calls[i] })
		s.Each(suite.Meet(len(calls), calls...))
		s.Advance(hold + instant)
		s.expire()
		item := s.item(p.Key)
		suite.Same(s, "units that are left in a pool that has ended", [2]int64{item.Left, item.Locked}, [2]int64{})
		is := suite.Must(s.sales.Product(s.Context(), p.Key))
		suite.Same(s, "state", is.State, sale.Settled)
		suite.Same(s, "units that went back, and those that were sold", is.Returned+item.Sold, units)
		s.Count("what expires once more", s.expire(), 0)
	}
	s.Balanced()
}

// instantOf makes every other round end by an operator first, just before the end.
func instantOf(round int) time.Duration { return time.Duration(round%2) * instant }

func raceOffer(s *scene) {
	s.stocked(goods, inStock)
	s.define(s.activity())
	offered := make([]sale.Product, 12)
	s.Each(suite.Together(len(offered), func(i int) (err error) {
		offered[i], err = s.sales.Offer(s.Context(), product(), units)
		return err
	}))
	suite.Once(s, "product", offered)
	s.pool(stock.Quantities{Total: units})
	s.ordinary(inStock - units)
}

func raceApprove(s *scene) {
	s.stocked(goods, inStock)
	for round := range rounds {
		a := s.activity()
		a.ID = int64(round + 1)
		s.define(a)
		p := product()
		p.Activity = a.ID
		s.offer(p, units)
		errs := suite.Meet(4,
			func() error { return suite.Err(s.sales.Approve(s.Context(), a.ID)) },
			func() error { return suite.Err(s.sales.WithdrawSale(s.Context(), a.ID)) })
		s.Succeeded(errs, sale.ErrWithdrawn)
		s.ordinary(inStock)
		s.Is(suite.Err(s.shop.Lock(s.Context(), fmt.Sprint(round), of(p.Key, 1))), stock.ErrOffShelf)
	}
}

func raceRevise(s *scene) {
	s.stocked(goods, inStock)
	s.define(s.activity())
	s.approve(fair)
	for round := range rounds {
		p := product()
		p.SKU = int64(100 + round)
		s.stocked(p.SKU, units)
		s.offer(p, units)
		errs := suite.Together(6, func(i int) error {
			if i == 3 {
				return suite.Err(s.sales.Remove(s.Context(), p.Key))
			}
			asked := p
			asked.PerOrder = int64(i + 1)
			return suite.Err(s.sales.Revise(s.Context(), asked))
		})
		s.Succeeded(errs, sale.ErrRemoved)
		suite.Same(s, "off the shelf", s.item(p.Key).OffShelf, true)
		suite.Same(s, "units in ordinary stock", s.item(stock.Key{SKU: p.SKU}).Left, units)
	}
}

func raceRefunds(s *scene) {
	s.live()
	orders := make([]string, units)
	for i := range orders {
		orders[i] = fmt.Sprint(i)
		s.lock(orders[i], 1)
		s.pay(orders[i])
	}
	s.No(suite.Err(s.sales.End(s.Context(), fair)))
	s.stands(sale.Settled)
	s.Each(suite.Together(2*units, func(i int) error {
		if i%2 == 0 {
			return suite.Err(s.sales.Expire(s.Context()))
		}
		order := orders[i/2]
		return suite.Err(s.shop.Refund(s.Context(), stock.Refund{ID: "refund-" + order, Order: order, Restock: true}))
	}))
	s.expire()
	s.pool(stock.Quantities{Refunded: units})
	s.ordinary(inStock)
	s.stands(sale.Settled)
}
