package groupbuytest

import (
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// endingCases are about activities and products that are over, and the units that go back.
func endingCases() []testCase {
	return []testCase{
		{Name: "RemovedProductHasNoNewTeamsAndNoJoins", Run: removed},
		{Name: "RemovedProductGivesItsRemainderBackOnce", Run: removedOnce},
		{Name: "EndByItsTime", Run: endByTime},
		{Name: "EndByAnOperator", Run: endByHand},
		{Name: "EndProductByProduct", Run: endByProduct},
		{Name: "EndWhatLiveTeamsHoldFollowsWhenTheyEnd", Run: endFollows},
		{Name: "EndARefundAfterAllWasSettledGoesBackToo", Run: endRefund},
		{Name: "EndUnitsThatAreNotBackOnSaleDoNotGoBack", Run: endDiscard},
		{Name: "EndOfAnActivityThatWasNeverOffered", Run: endPreparing},
		{Name: "EndALatePaymentAfterItIsARefund", Run: endLate},
		{Name: "EndOfManyActivitiesAndProducts", Run: endMany},
	}
}

// remove removes the product of a scene. It reports whether that was a Replay.
func (s *scene) remove() (replay bool) {
	s.Helper()
	p := suite.Must(s.groups.Remove(s.Context(), key()))
	if p.State != groupbuy.Removed && p.State != groupbuy.Settled {
		s.Fatalf("product that was removed is %v", p.State)
	}
	return p.Replay
}

// end ends the activity of a scene.
func (s *scene) end() groupbuy.Activity {
	s.Helper()
	a := suite.Must(s.groups.End(s.Context(), fair))
	suite.Same(s, "has ended", a.EndedAt.IsZero(), false)
	return a
}

func removed(s *scene) {
	s.live()
	s.team([]string{anna, ben, carol}, "1", "2")
	another := s.open("4", dan).Team
	s.remove()
	s.unopened(buy("5", dan), groupbuy.ErrRemoved)
	s.unjoined(another, buy("5", anna), groupbuy.ErrRemoved)
	s.Count("products in the shop window", len(suite.Listed(s, s.groups.Shelf(s.Context()))), 0)
	suite.Same(s, "formed", s.pay("3").Formed, true)
	s.pay("4")
	s.form(another)
	s.sweep()
	s.shown(groupbuy.Settled)
	s.pool(stock.Quantities{Total: 4, Sold: 4})
	s.shelf(inStock - 4)
	s.only(suite.Err(s.groups.Remove(s.Context(), stock.Key{SKU: 43, Activity: fair})), groupbuy.ErrUnknownProduct)
}

func removedOnce(s *scene) {
	s.live()
	s.team([]string{anna, ben}, "1")
	suite.Same(s, "replay", s.remove(), false)
	s.shelf(inStock - 2)
	s.pool(stock.Quantities{Total: 2, Locked: 1, Sold: 1})
	s.unchanged(func() { suite.Same(s, "replay", s.remove(), true) })
	s.Count("what expires", s.sweep(), 0)
	s.end()
	s.shelf(inStock - 2)
	s.Advance(hold)
	s.sweep()
	s.shelf(inStock - 1)
	s.shown(groupbuy.Removed)
	s.Advance(forming)
	s.sweep()
	s.shelf(inStock)
	s.Advance(runs)
	s.Count("what expires at the end", s.sweep(), 0)
	s.shown(groupbuy.Settled)
	s.pool(stock.Quantities{Refunded: 1})
	s.shelf(inStock)
}

func endByTime(s *scene) {
	s.opened(people(2), 90)
	s.team([]string{anna, ben}, "1", "2")
	s.Advance(runs - instant)
	s.Count("what expires", s.sweep(), 0)
	s.Advance(instant)
	now := s.now()
	s.sweep()
	s.SameTime("ended", suite.Must(s.groups.Activity(s.Context(), fair)).EndedAt, now)
	s.shown(groupbuy.Settled)
	s.pool(stock.Quantities{Total: 2, Sold: 2})
	s.shelf(inStock - 2)
	s.Count("what expires once more", s.sweep(), 0)
	s.unchanged(func() {
		suite.Same(s, "ended again", s.end().Replay, true)
		suite.Same(s, "removed again", s.remove(), true)
		suite.Replays(s, "product", s.offer(product(people(2)), 90), s.shown(groupbuy.Settled))
	})
}

func endByHand(s *scene) {
	s.live()
	code := s.team([]string{anna, ben}, "1", "2")
	s.Advance(time.Minute)
	now := s.now()
	a := s.end()
	s.SameTime("ended", a.EndedAt, now)
	s.unopened(buy("3", carol), groupbuy.ErrEnded)
	_, err := buy("3", carol).Join(s.Context(), s.groups, code)
	if !suite.Matches(err, groupbuy.ErrRemoved, groupbuy.ErrEnded) {
		s.Fatalf("Join after an early end: %v", err)
	}
	s.shelf(inStock - 2)
	s.is(code, groupbuy.Forming) // live teams may finish
	s.form(code)
	s.Advance(runs)
	s.sweep()
	s.shown(groupbuy.Settled)
	suite.Same(s, "ended", a.Replay, false)
	suite.Replays(s, "activity", s.end(), a)
	s.shelf(inStock - 2)
}

func endByProduct(s *scene) {
	s.live()
	s.stocked(43, 50)
	other := product(people(2))
	other.SKU = 43
	s.offer(other, 50)
	s.remove()
	s.shelf(inStock)
	suite.Same(s, "ordinary stock of the other", s.item(stock.Key{SKU: 43}).Left, 0)
	s.openAs(buy("1", anna).of(other.Key))
	s.end()
	suite.Same(s, "ordinary stock of the other", s.item(stock.Key{SKU: 43}).Left, 49)
	s.shelf(inStock)
	s.cancel("1")
	s.sweep()
	suite.Same(s, "ordinary stock of the other", s.item(stock.Key{SKU: 43}).Left, 50)
	for _, p := range suite.Listed(s, s.groups.Products(s.Context(), fair)) {
		suite.Same(s, "state", p.State, groupbuy.Settled)
	}
}

func endFollows(s *scene) {
	s.live()
	code := s.team([]string{anna, ben, carol}, "1", "2")
	lost := s.open("4", dan).Team
	s.pay("4")
	s.end()
	s.shelf(inStock - 4)
	s.pool(stock.Quantities{Total: 4, Locked: 1, Sold: 3})
	s.cancel("3")
	s.sweep()
	s.shelf(inStock - 3)
	s.shown(groupbuy.Removed)
	s.fail(lost)
	s.sweep()
	s.shelf(inStock - 2)
	s.form(code)
	s.sweep()
	p := s.shown(groupbuy.Settled)
	s.pool(stock.Quantities{Total: 2, Sold: 2, Refunded: 1})
	s.shelf(inStock - 2)
	suite.Same(s, "how often units went back", p.Returns, 3)
}

func endRefund(s *scene) {
	s.opened(people(2), 90)
	s.team([]string{anna, ben}, "1", "2")
	s.end()
	s.sweep()
	s.shown(groupbuy.Settled)
	for i, order := range []string{"1", "2"} {
		s.Advance(30 * day)
		s.refund(order)
		s.shown(groupbuy.Removed)
		s.sweep()
		s.shown(groupbuy.Settled)
		s.shelf(inStock - 1 + int64(i))
		s.Count("what expires once more", s.sweep(), 0)
	}
	s.pool(stock.Quantities{Refunded: 2})
}

func endDiscard(s *scene) {
	s.opened(people(2), 90)
	s.team([]string{anna, ben}, "1", "2")
	s.end()
	s.sweep()
	s.No(suite.Err(s.groups.Refund(s.Context(), groupbuy.Refund{Order: "1", Actor: operator, Reason: "broken"})))
	s.sweep()
	s.shown(groupbuy.Settled)
	s.shelf(inStock - 2)
	s.pool(stock.Quantities{Total: 2, Sold: 2, Refunded: 1})
}

func endPreparing(s *scene) {
	s.stocked(goods, 10)
	s.define(s.activity())
	s.only(suite.Err(s.groups.Offer(s.Context(), product(people(3)), 11)), stock.ErrInsufficient)
	a := s.activity()
	a.ID = 8 // with no product at all
	s.define(a)
	s.Advance(runs)
	s.sweep()
	for _, a := range suite.Listed(s, s.groups.Activities(s.Context())) {
		suite.Same(s, "has ended", a.EndedAt.IsZero(), false)
	}
	_, err := s.groups.Offer(s.Context(), product(people(3)), 10)
	if !suite.Matches(err, groupbuy.ErrEnded, groupbuy.ErrMismatch, groupbuy.ErrRemoved) {
		s.Fatalf("Offer after the end: %v", err)
	}
	s.shelf(10)
}

func endLate(s *scene) {
	s.live()
	code := s.team([]string{anna, ben, carol}, "1")
	s.end()
	s.pay("2") // in time, whatever the activity does
	s.Advance(hold)
	s.late(s.groups, "3", groupbuy.ErrExpired)
	s.sweep()
	s.shelf(inStock - 2)
	s.Advance(forming)
	s.sweep()
	s.is(code, groupbuy.Failed)
	s.shelf(inStock)
}

func endMany(s *scene) {
	const many = 12
	s.stocked(goods, inStock)
	s.stocked(43, inStock)
	for i := range int64(many) {
		a := s.activity()
		a.ID = i + 1
		a.End = s.now().Add(hour * time.Duration(many-i))
		s.define(a)
		for sku := int64(goods); sku <= 43; sku++ {
			p := product(people(2))
			p.Key = stock.Key{SKU: sku, Activity: i + 1}
			s.offer(p, 10)
			s.pay(s.openAs(buy(fmt.Sprint(sku, i), anna).of(p.Key)).Order)
		}
	}
	s.shelf(inStock - many*10)
	s.Advance(many * hour / 2)
	s.sweep()
	s.shelf(inStock - many*10/2)
	s.Advance(many * hour)
	s.sweep()
	s.shelf(inStock)
	for i := range int64(many) {
		for _, p := range suite.Listed(s, s.groups.Products(s.Context(), i+1)) {
			suite.Same(s, "state", p.State, groupbuy.Settled)
		}
	}
}
