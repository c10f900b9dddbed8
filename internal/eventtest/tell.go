package eventtest

import (
	"context"
	"fmt"
	"strconv"
	"sync"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

func tellCases() []testCase {
	return []testCase{
		{Name: "SoldOutBackAndLowFireOnTheCrossingOnly", Run: crossing},
		{Name: "OneChangeMayCrossTwoLines", Run: crossTwo},
		{Name: "OperatorsCrossTheLinesToo", Run: operators},
		{Name: "AnItemThatBecomesLimitedMayBeSoldOut", Run: limited},
		{Name: "OrdersTellOfTheirSteps", Run: orderSteps},
		{Name: "RefundsAreToldWithTheirIDs", Run: refunds},
		{Name: "WhatChangesNothingTellsNothing", Run: nothing},
		{Name: "AmendmentsTellOfItemsAndPayments", Run: amendments},
		{Name: "UnitsThatCoverAnOrderAreTold", Run: covered},
		{Name: "ManyAtOnceAreToldLikeOne", Run: bulk},
		{Name: "WhatALockReleasesIsTold", Run: releasedByALock},
		{Name: "ALostAnswerTellsOnce", Run: lostAnswers},
		{Name: "CrowdsEmptyAnItemOnce", Run: crowdEmpties},
		{Name: "SoldOutAndBackTakeTurnsInACrowd", Run: crowdTurns},
		{Name: "ManyExpireAtOnceAndEachIsToldOnce", Run: manyExpire},
		{Name: "WhatGoesToThoseWhoWaitIsToldToThem", Run: offers},
		{Name: "ACallersTransactionTellsWithItsCommit", Run: inTransaction, Transactions: true},
	}
}

func crossing(s *scene) {
	s.define(1, 5, stock.Terms{Low: 2})
	s.lock("a", units(1, 2))
	s.delivers()
	s.lock("b", units(1, 1))
	s.delivers(of(event.LowStock, 1, 2))
	s.lock("c", units(1, 1)) // still low
	s.delivers()
	s.lock("d", units(1, 1))
	s.delivers(of(event.SoldOut, 1, 0))
	suite.Must(s.inv.Pay(s.Context(), "a")) // held units count as gone already
	s.delivers(ofOrder(event.OrderPaid, "a", 2))
	s.cancel("d")
	s.delivers(of(event.BackInStock, 1, 1), ofOrder(event.HoldCancelled, "d", 1))
	s.cancel("c")
	s.cancel("b") // no longer low, which nobody asks about
	s.delivers(ofOrder(event.HoldCancelled, "c", 1), ofOrder(event.HoldCancelled, "b", 1))
	s.lock("e", units(1, 1))
	s.delivers(of(event.LowStock, 1, 2))
}

func crossTwo(s *scene) {
	s.define(1, 5, stock.Terms{Low: 2})
	s.define(2, 5, stock.Terms{})
	s.lock("a", units(1, 5), units(2, 5))
	s.delivers(of(event.LowStock, 1, 0), of(event.SoldOut, 1, 0), of(event.SoldOut, 2, 0))
}

func operators(s *scene) {
	ctx := s.Context()
	s.define(1, 5, stock.Terms{Low: 3})
	suite.Must(s.inv.Withdraw(ctx, "w", units(1, 5)))
	s.delivers(of(event.LowStock, 1, 0), of(event.SoldOut, 1, 0))
	suite.Must(s.inv.Withdraw(ctx, "w", units(1, 5))) // a replay
	suite.Must(s.inv.Restock(ctx, "r", units(1, 2)))
	s.delivers(of(event.BackInStock, 1, 2))
	suite.Must(s.inv.Define(ctx, stock.Key{SKU: 1, Activity: 7}, 0, stock.Terms{}))
	suite.Must(s.inv.Transfer(ctx, "t", stock.TransferLeg{SKU: 1, To: 7, Num: 2}))
	s.delivers(of(event.SoldOut, 1, 0), brief{Kind: event.BackInStock, SKU: 1, Activity: 7, Num: 2})
}

func limited(s *scene) {
	ctx := s.Context()
	s.define(1, 1, stock.Terms{})
	s.lock("a", units(1, 1))
	s.delivers(of(event.SoldOut, 1, 0))
	suite.Must(s.inv.Define(ctx, stock.Key{SKU: 1}, 0, stock.Terms{Unlimited: true}))
	got := s.list(event.ItemQueue(1, 0))
	s.Count("events", len(got), 2)
	suite.Same(s, "kind", got[1].Kind, event.BackInStock)
	s.lock("b", units(1, 1000))
	suite.Must(s.inv.Define(ctx, stock.Key{SKU: 1}, 1001, stock.Terms{}))
	got = s.list(event.ItemQueue(1, 0))
	s.Count("events", len(got), 3)
	suite.Same(s, "kind", got[2].Kind, event.SoldOut)
}

func orderSteps(s *scene) {
	ctx := s.Context()
	s.define(1, 100, stock.Terms{})
	s.define(2, 100, stock.Terms{})
	buyer := s.inv.For("b")
	suite.Must(buyer.Lock(ctx, "paid", units(1, 1), units(2, 2)))
	suite.Must(s.inv.Pay(ctx, "paid"))
	suite.Must(buyer.Take(ctx, "taken", units(2, 3)))
	s.lock("cancelled", units(1, 4))
	s.cancel("cancelled")
	s.lock("expired", units(1, 5))
	s.lock("late", units(1, 6))
	s.Advance(hold)
	s.Count("expired", suite.Must(s.inv.Expire(ctx)), 2)
	suite.Must(stock.New(s.Store, &stock.Options{LatePay: stock.Reacquire}).Pay(ctx, "late"))
	suite.Must(s.inv.Redeem(ctx, "paid")) // which nobody asks about
	paid := s.list(event.OrderQueue("paid"))
	s.Count("events", len(paid), 1)
	suite.Same(s, "buyer", paid[0].Buyer, "b")
	suite.Same(s, "queue", paid[0].Queue, event.OrderQueue("paid"))
	s.delivers(
		ofOrder(event.OrderPaid, "paid", 3), ofOrder(event.OrderPaid, "taken", 3), ofOrder(event.HoldCancelled, "cancelled", 4),
		ofOrder(event.HoldExpired, "expired", 5), ofOrder(event.HoldExpired, "late", 6), ofOrder(event.OrderPaid, "late", 6),
	)
}

// covered has units come for orders that wait: each line tells once, with its last unit.
func covered(s *scene) {
	ctx := s.Context()
	s.define(1, 0, stock.Terms{})
	terms := func(backorder, reserve int64) {
		suite.Must(s.inv.ChangeTerms(ctx, stock.Key{SKU: 1}, func(is stock.Item) (stock.Terms, error) {
			is.Backorder, is.Reserve = backorder, reserve
			return is.Terms, nil
		}))
	}
	terms(4, 0)
	s.delivers(of(event.BackInStock, 1, 4))
	suite.Must(s.inv.For("u").Lock(ctx, "a", units(1, 1)))
	s.lock("b", units(1, 3))
	s.delivers(of(event.SoldOut, 1, 0))
	suite.Must(s.inv.Restock(ctx, "r1", units(1, 2)))
	line := func(order string, num int64) brief { return brief{Kind: event.Covered, SKU: 1, Order: order, Num: num} }
	s.delivers(of(event.BackInStock, 1, 2), line("a", 1))
	suite.Same(s, "buyer", s.list(event.OrderQueue("a"))[0].Buyer, "u")
	s.cancel("a")
	suite.Must(s.inv.Expire(ctx))
	suite.Must(s.inv.Expire(ctx))
	s.delivers(ofOrder(event.HoldCancelled, "a", 1))
	suite.Must(s.inv.Restock(ctx, "r2", units(1, 2)))
	s.delivers(line("b", 3))
	terms(0, 1)
	s.delivers(of(event.SoldOut, 1, 0))
}

func refunds(s *scene) {
	ctx := s.Context()
	s.define(1, 3, stock.Terms{})
	s.lock("a", units(1, 3))
	suite.Must(s.inv.Pay(ctx, "a"))
	s.delivers(of(event.SoldOut, 1, 0), ofOrder(event.OrderPaid, "a", 3))
	part := stock.Refund{ID: "r1", Order: "a", Lines: []stock.Line{units(1, 1)}}
	suite.Must(s.inv.Refund(ctx, part)) // not back on sale
	suite.Must(s.inv.Refund(ctx, part))
	s.delivers(brief{Kind: event.OrderRefunded, Order: "a", Ref: "r1", Num: 1})
	suite.Must(s.inv.Refund(ctx, stock.Refund{ID: "r2", Order: "a", Restock: true}))
	s.delivers(of(event.BackInStock, 1, 2), brief{Kind: event.OrderRefunded, Order: "a", Ref: "r2", Num: 2})
}

func nothing(s *scene) {
	ctx := s.Context()
	s.define(1, 2, stock.Terms{})
	s.Is(suite.Err(s.inv.Lock(ctx, "much", units(1, 3))), stock.ErrInsufficient)
	s.cancel("never locked")
	s.lock("a", units(1, 2))
	s.delivers(of(event.SoldOut, 1, 0))
	s.lock("a", units(1, 2))
	s.Is(suite.Err(s.inv.Lock(ctx, "b", units(1, 1))), stock.ErrInsufficient)
	suite.Must(s.inv.Pay(ctx, "a"))
	s.delivers(ofOrder(event.OrderPaid, "a", 2))
	suite.Must(s.inv.Pay(ctx, "a"))
	s.Is(suite.Err(s.inv.Cancel(ctx, "a")), stock.ErrPaid)
	suite.Must(s.inv.Define(ctx, stock.Key{SKU: 1}, 2, stock.Terms{Low: 5, OffShelf: true})) // terms move no units
	s.delivers()
}

func amendments(s *scene) {
	ctx := s.Context()
	s.define(1, 4, stock.Terms{})
	s.define(2, 1, stock.Terms{})
	s.lock("a", units(1, 2))
	suite.Must(s.inv.Amend(ctx, stock.Amendment{ID: "more", Order: "a", Lines: []stock.Line{units(1, 4)}}))
	s.delivers(of(event.SoldOut, 1, 0))
	swap := stock.Amendment{ID: "swap", Order: "a", Lines: []stock.Line{units(1, 3), units(2, 1)}}
	suite.Must(s.inv.Amend(ctx, swap))
	suite.Must(s.inv.Amend(ctx, swap)) // a replay
	s.delivers(of(event.BackInStock, 1, 1), of(event.SoldOut, 2, 0))
	suite.Must(s.inv.Amend(ctx, stock.Amendment{ID: "login", Order: "a", NewOrder: "b", Buyer: "7"})) // nothing is lost
	s.delivers()
	suite.Must(s.inv.Amend(ctx, stock.Amendment{ID: "part", Order: "b", Lines: []stock.Line{units(1, 2)}, Pay: true}))
	s.delivers(of(event.BackInStock, 2, 1), ofOrder(event.OrderPaid, "b", 2))
	suite.Must(s.inv.Refund(ctx, stock.Refund{ID: "r", Order: "b"}))
	s.delivers(brief{Kind: event.OrderRefunded, Order: "b", Ref: "r", Num: 2})
	suite.Must(s.inv.Withdraw(ctx, "w", units(1, 2)))
	s.delivers(of(event.SoldOut, 1, 0))
	suite.Must(s.inv.PutBack(ctx, "r"))
	s.delivers(of(event.BackInStock, 1, 2))
}

func bulk(s *scene) {
	ctx := s.Context()
	s.define(1, 3, stock.Terms{Low: 1})
	s.define(2, 3, stock.Terms{})
	s.lock("a", units(1, 3), units(2, 2))
	s.lock("b", units(2, 1))
	s.delivers(of(event.LowStock, 1, 0), of(event.SoldOut, 1, 0), of(event.SoldOut, 2, 0))
	suite.Must(suite.Gather(s.inv.RestockAll(ctx, "r", units(1, 1), units(2, 1))))
	s.delivers(of(event.BackInStock, 1, 1), of(event.BackInStock, 2, 1))
	suite.Must(s.inv.Count(ctx, "c", stock.Key{SKU: 2}, 3)) // all of them are held
	s.delivers(of(event.SoldOut, 2, 0))
	suite.Must(suite.Gather(s.inv.CancelAll(ctx, stock.Filter{Key: stock.Key{SKU: 2}})))
	back := s.list(event.ItemQueue(2, 0))
	s.Count("back once, by one of the orders or by both", len(back), 4)
	suite.Same(s, "kind", back[3].Kind, event.BackInStock)
	for order, units := range map[string]int64{"a": 5, "b": 1} {
		suite.Same(s, "of the order", briefOf(s.list(event.OrderQueue(order))[0]), ofOrder(event.HoldCancelled, order, units))
	}
}

func releasedByALock(s *scene) {
	s.define(1, 1, stock.Terms{})
	s.lock("a", units(1, 1))
	s.Advance(hold)
	s.lock("b", units(1, 1)) // nobody has swept
	s.delivers(
		of(event.SoldOut, 1, 0), of(event.BackInStock, 1, 1), of(event.SoldOut, 1, 0), ofOrder(event.HoldExpired, "a", 1),
	)
}

func lostAnswers(s *scene) {
	ctx := s.Context()
	s.define(1, 2, stock.Terms{})
	over := s.inv.On(suite.WireStock(s.Store, suite.LosesAnswer(1)))
	s.Is(suite.Err(over.Lock(ctx, "a", units(1, 2))), stock.ErrUnknown)
	s.lock("a", units(1, 2))
	over = s.inv.On(suite.WireStock(s.Store, suite.LosesAnswer(1)))
	s.Is(suite.Err(over.Cancel(ctx, "a")), stock.ErrUnknown)
	s.cancel("a")
	s.delivers(of(event.SoldOut, 1, 0), of(event.BackInStock, 1, 2), ofOrder(event.HoldCancelled, "a", 2))
}

func crowdEmpties(s *scene) {
	const total = 40
	s.define(1, total, stock.Terms{Low: 10})
	errs := suite.Together(2*total, func(i int) error {
		return suite.Err(s.inv.Lock(s.Context(), fmt.Sprint("o", i), units(1, 1)))
	})
	s.Count("locks", s.Succeeded(errs, stock.ErrInsufficient), total)
	got := s.list(event.ItemQueue(1, 0))
	s.Count("events", len(got), 2)
	suite.Same(s, "first", got[0].Kind, event.LowStock)
	suite.Same(s, "second", briefOf(got[1]), of(event.SoldOut, 1, 0))
}

func crowdTurns(s *scene) {
	s.define(1, 3, stock.Terms{})
	var cancelled sync.Map
	s.Each(suite.Together(12, func(i int) error {
		for n := range 8 {
			order := fmt.Sprint(i, "/", n)
			if err := suite.Err(s.inv.Lock(s.Context(), order, units(1, 1))); err != nil {
				if !stock.Retryable(err) && !isShort(err) {
					return err
				}
				continue
			}
			cancelled.Store(order, true)
			if err := suite.Err(s.inv.Cancel(s.Context(), order)); err != nil {
				return err
			}
		}
		return nil
	}))
	want := event.SoldOut
	for _, e := range s.list(event.ItemQueue(1, 0)) {
		suite.Same(s, "kind", e.Kind, want)
		want = event.SoldOut + event.BackInStock - want
	}
	suite.Same(s, "next, since everything is back", want, event.SoldOut)
	cancelled.Range(func(order, _ any) bool {
		s.Count("events of "+order.(string), len(s.list(event.OrderQueue(order.(string)))), 1)
		return true
	})
}

func manyExpire(s *scene) {
	const orders = 150
	s.define(1, orders, stock.Terms{})
	s.Each(suite.Together(orders, func(i int) error {
		return suite.Err(s.inv.Lock(s.Context(), strconv.Itoa(i), units(1, 1)))
	}))
	s.Advance(hold)
	s.Each(suite.Together(3, func(int) error { return suite.Err(s.inv.Expire(s.Context())) }))
	told := map[string]int{}
	suite.Must(s.events.Deliver(s.Context(), func(_ context.Context, e event.Event) error {
		if e.Kind == event.HoldExpired {
			told[e.Order]++
		}
		return nil
	}))
	s.Count("orders", len(told), orders)
	for order, n := range told {
		s.Count(order, n, 1)
	}
	kinds := []event.Kind{}
	for _, e := range s.list(event.ItemQueue(1, 0)) {
		kinds = append(kinds, e.Kind)
	}
	suite.Same(s, "of the item", kinds, []event.Kind{event.SoldOut, event.BackInStock})
}

func offers(s *scene) {
	ctx := s.Context()
	s.define(1, 3, stock.Terms{Low: 1})
	s.lock("a", units(1, 3))
	s.delivers(of(event.LowStock, 1, 0), of(event.SoldOut, 1, 0))
	suite.Must(s.inv.For("ann").Wait(ctx, "b", units(1, 2)))
	suite.Must(s.inv.Wait(ctx, "c", units(1, 1)))
	s.delivers()
	s.cancel("a") // the item is not back
	s.delivers(ofOrder(event.HoldCancelled, "a", 3), ofOrder(event.Offered, "b", 2), ofOrder(event.Offered, "c", 1))
	suite.Same(s, "buyer", s.list(event.OrderQueue("b"))[0].Buyer, "ann")
	suite.Must(s.inv.Wait(ctx, "d", units(1, 1)))
	s.Advance(hold)
	suite.Must(s.inv.Expire(ctx))
	s.delivers(
		ofOrder(event.HoldExpired, "b", 2), ofOrder(event.HoldExpired, "c", 1), ofOrder(event.Offered, "d", 1), of(event.BackInStock, 1, 2),
	)
	suite.Must(s.inv.Wait(ctx, "e", units(1, 2))) // at once
	s.delivers(ofOrder(event.Offered, "e", 2), of(event.LowStock, 1, 0), of(event.SoldOut, 1, 0))
	suite.Must(s.inv.Wait(ctx, "f", units(1, 1)))
	s.cancel("f") // it had nothing
	s.delivers()

	s.define(2, 1, stock.Terms{}) // on sale again, it is offered, and told once
	s.lock("g", units(2, 1))
	s.delivers(of(event.SoldOut, 2, 0))
	suite.Must(s.inv.Wait(ctx, "h", units(2, 1)))
	s.define(2, 1, stock.Terms{OffShelf: true})
	s.cancel("g")
	s.delivers(ofOrder(event.HoldCancelled, "g", 1), of(event.BackInStock, 2, 1))
	s.define(2, 1, stock.Terms{})
	s.delivers(ofOrder(event.Offered, "h", 1), of(event.SoldOut, 2, 0))

	s.define(3, 5, stock.Terms{Reserve: 5})
	suite.Must(s.inv.Wait(ctx, "i", units(3, 3)))
	s.define(3, 5, stock.Terms{})
	s.delivers(ofOrder(event.Offered, "i", 3), of(event.BackInStock, 3, 2))
}

func inTransaction(s *scene) {
	ctx := s.Context()
	s.define(1, 2, stock.Terms{})
	for _, commits := range []bool{false, true} {
		bound, commit, rollback := s.Begin(s)
		inv := s.inv.On(bound)
		suite.Must(inv.Lock(ctx, "a", units(1, 2)))
		suite.Must(inv.Pay(ctx, "a"))
		if !commits {
			s.No(rollback())
			s.delivers()
			continue
		}
		s.No(commit())
		s.delivers(of(event.SoldOut, 1, 0), ofOrder(event.OrderPaid, "a", 2))
	}
}
