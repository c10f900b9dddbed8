package saletest

import (
	"errors"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/sale"
)

// endingCases are about activities and products that are over, and the units that go back.
func endingCases() []testCase {
	return []testCase{
		{Name: "EndByItsTimeReturnsWhatIsLeft", Run: endByTime},
		{Name: "EndByAnOperatorReturnsWhatIsLeftAtOnce", Run: endByHand},
		{Name: "EndHoldsLiveUntilTheirDeadlineAndMayBePaid", Run: endHolds},
		{Name: "EndUnitsOfHoldsThatAreCancelledOrExpireFollow", Run: endFollows},
		{Name: "EndARefundAfterAllWasSettledGoesBackToo", Run: endRefund},
		{Name: "EndARefundOfOneLineOfACartGoesBackToo", Run: endRefundOfACart},
		{Name: "EndWhatIsPutBackAfterARefundGoesBackToo", Run: endPutBack},
		{Name: "EndUnitsThatAreNotBackOnSaleDoNotGoBack", Run: endDiscard},
		{Name: "EndALatePaymentGetsNothingOfWhatWentBack", Run: endLate},
		{Name: "EndCountsWhatWentBackWhoeverSettlesTheProduct", Run: endCounted},
		{Name: "EndOfADraftReturnsEverything", Run: endDraft},
		{Name: "EndThatIsCutOffSaysThatSomethingWasDone", Run: endInPart},
		{Name: "RemovedProductIsSoldNoMoreAndGivesBack", Run: removed},
		{Name: "HookIsToldOfUnitsAndOfHoldsThatAreReleased", Run: hooked},
	}
}

func endByTime(s *scene) {
	s.live()
	s.lock("1", 2)
	s.pay("1")
	s.Advance(runs - instant)
	s.Count("what expires", s.expire(), 0)
	s.Advance(instant)
	s.Count("what expires at the end", s.expire(), 2)
	s.stands(sale.Settled)
	s.pool(stock.Quantities{Total: 2, Sold: 2})
	s.ordinary(inStock - 2)
	s.Count("what expires once more", s.expire(), 0)
	s.unchanged(func() {
		suite.Same(s, "ended again", suite.Must(s.sales.End(s.Context(), fair)).Replay, true)
		suite.Same(s, "removed again", suite.Must(s.sales.Remove(s.Context(), key())).Replay, true)
		suite.Replays(s, "product", s.offer(product(), units), s.stands(sale.Settled))
	})
}

func endByHand(s *scene) {
	s.live()
	s.lock("1", 1)
	s.pay("1")
	a := suite.Must(s.sales.End(s.Context(), fair))
	s.SameTime("ended", a.EndedAt, s.now())
	suite.Same(s, "state", a.State, sale.Ended)
	suite.Same(s, "replay", a.Replay, false)
	s.ordinary(inStock - 1)
	p := s.stands(sale.Settled)
	suite.Same(s, "how often, and how many units went back", [2]int64{p.Returns, p.Returned}, [2]int64{1, units - 1})
	s.Is(suite.Err(s.shop.Lock(s.Context(), "2", of(key(), 1))), stock.ErrOffShelf)
	s.only(suite.Err(s.sales.End(s.Context(), 8)), sale.ErrUnknownActivity)
}

func endHolds(s *scene) {
	s.live()
	s.lock("1", 3)
	s.Advance(runs - instant)
	s.lock("2", 2)
	s.Advance(instant)
	s.expire()
	s.ordinary(inStock - 2) // the first is dead, and was released on the way
	s.pool(stock.Quantities{Total: 2, Locked: 2})
	s.stands(sale.Removed)
	s.Count("what expires while it is held", s.expire(), 0)
	s.Advance(hold - 2*instant)
	s.pay("2")
	s.Count("what expires", s.expire(), 1)
	s.stands(sale.Settled)
	s.pool(stock.Quantities{Total: 2, Sold: 2})
	s.ordinary(inStock - 2)
}

func endFollows(s *scene) {
	s.live()
	s.lock("1", 3)
	s.lock("2", 4)
	s.No(suite.Err(s.sales.End(s.Context(), fair)))
	s.ordinary(inStock - 7)
	s.No(suite.Err(s.shop.Cancel(s.Context(), "1")))
	s.expire()
	s.ordinary(inStock - 4)
	s.stands(sale.Removed)
	s.Advance(hold)
	s.expire() // with no sweeper of the stock
	s.ordinary(inStock)
	suite.Same(s, "how often units went back", s.stands(sale.Settled).Returns, 3)
	s.pool(stock.Quantities{})
	s.Is(suite.Err(s.shop.Pay(s.Context(), "2")), stock.ErrExpired)
}

func endRefund(s *scene) {
	s.live()
	for _, order := range []string{"1", "2"} {
		s.lock(order, 2)
		s.pay(order)
	}
	s.No(suite.Err(s.sales.End(s.Context(), fair)))
	s.stands(sale.Settled)
	for i, order := range []string{"1", "2"} {
		s.Advance(30 * day)
		s.refund(order, true)
		s.Count("what expires", s.expire(), 1)
		s.stands(sale.Settled)
		s.ordinary(inStock - 2 + int64(2*i))
		s.Count("what expires once more", s.expire(), 0)
	}
	s.pool(stock.Quantities{Refunded: 4})
}

// endPutBack puts on sale what a refund has not, once all was settled.
func endPutBack(s *scene) {
	s.live()
	s.lock("1", 2)
	s.pay("1")
	s.No(suite.Err(s.sales.End(s.Context(), fair)))
	s.refund("1", false)
	s.stands(sale.Settled)
	s.No(suite.Err(s.shop.PutBack(s.Context(), "refund-1")))
	s.Count("what expires", s.expire(), 1)
	s.stands(sale.Settled)
	s.ordinary(inStock)
	s.pool(stock.Quantities{Refunded: 2})
}

func endRefundOfACart(s *scene) {
	s.live()
	s.stocked(43, 10)
	other := product()
	other.SKU = 43
	s.offer(other, 5)
	cart := []stock.Line{{SKU: goods, Num: 1}, of(key(), 1), of(other.Key, 2)}
	s.No(suite.Err(s.shop.Lock(s.Context(), "cart", cart...)))
	s.pay("cart")
	s.No(suite.Err(s.sales.End(s.Context(), fair)))
	s.No(suite.Err(s.shop.Refund(s.Context(), stock.Refund{ID: "r", Order: "cart", Lines: []stock.Line{of(other.Key, 2)}, Restock: true})))
	s.Count("what expires", s.expire(), 1)
	suite.Same(s, "ordinary stock of the other", s.item(stock.Key{SKU: 43}).Left, 10)
	s.ordinary(inStock - 2)
}

func endDiscard(s *scene) {
	s.live()
	s.lock("1", 1)
	s.pay("1")
	s.No(suite.Err(s.sales.End(s.Context(), fair)))
	s.refund("1", false)
	s.Count("what expires", s.expire(), 0)
	s.stands(sale.Settled)
	s.pool(stock.Quantities{Total: 1, Sold: 1, Refunded: 1})
	s.ordinary(inStock - 1)
}

func endLate(s *scene) {
	s.live()
	s.lock("1", 1)
	s.Advance(runs)
	s.expire()
	s.ordinary(inStock)
	late := stock.New(s.Stock, &stock.Options{LatePay: stock.Reacquire})
	_, err := late.Pay(s.Context(), "1")
	s.Is(err, stock.ErrExpired, stock.ErrInsufficient)
}

// Another call finds nothing left, since the units have moved, before the one that moved them counts them.
func endCounted(s *scene) {
	s.live()
	s.lock("1", 2)
	s.No(suite.Err(s.sales.End(s.Context(), fair)))
	s.No(suite.Err(s.shop.Cancel(s.Context(), "1")))
	counts := suite.Before("SaveProduct", 1, func() { s.expire() })
	s.No(suite.Err(sale.New(Over(counts, s.Store), nil).Expire(s.Context())))
	p := s.stands(sale.Settled)
	suite.Same(s, "how often, and how many units went back", [2]int64{p.Returns, p.Returned}, [2]int64{2, units})
	s.ordinary(inStock)
}

func endDraft(s *scene) {
	s.stocked(goods, inStock)
	s.define(s.activity())
	s.offer(product(), units)
	p := product()
	p.SKU = 43 // of which there is nothing
	s.only(suite.Err(s.sales.Offer(s.Context(), p, 1)), stock.ErrUnknownSKU)
	s.Advance(runs)
	s.expire()
	s.ordinary(inStock)
	s.stands(sale.Settled)
	s.is(sale.Ended)
}

func removed(s *scene) {
	s.live()
	s.stocked(43, 10)
	other := product()
	other.SKU = 43
	s.offer(other, 5)
	s.lock("1", 1)
	got := suite.Must(s.sales.Remove(s.Context(), key()))
	suite.Same(s, "state", got.State, sale.Removed)
	suite.Same(s, "replay", got.Replay, false)
	s.ordinary(inStock - 1)
	s.Is(suite.Err(s.shop.Lock(s.Context(), "2", of(key(), 1))), stock.ErrOffShelf)
	s.No(suite.Err(s.shop.Lock(s.Context(), "3", of(other.Key, 1))))
	s.unchanged(func() { suite.Replays(s, "product", suite.Must(s.sales.Remove(s.Context(), key())), got) })
	s.only(suite.Err(s.sales.Restock(s.Context(), "more", key(), 1)), sale.ErrRemoved)
	s.pay("1")
	s.expire()
	s.stands(sale.Settled)
	s.only(suite.Err(s.sales.Remove(s.Context(), stock.Key{SKU: 44, Activity: fair})), sale.ErrUnknownProduct)
}

// endInPart cuts an end off once it has removed a product, which is for good.
func endInPart(s *scene) {
	s.stocked(goods, inStock)
	s.stocked(43, 10)
	for i, cut := range []func(call string) bool{
		suite.Nth(2, suite.Named("SaveProduct")), suite.Named("SaveActivity"), suite.Nth(2, suite.Named("Activity")),
	} {
		a, p, q := s.activity(), product(), product()
		a.ID = int64(i + 1)
		p.Activity, q.Activity, q.SKU = a.ID, a.ID, 43
		s.define(a)
		s.offer(p, units)
		s.offer(q, 5)
		sales := s.sales.On(Over(suite.Wire{Send: suite.Fails(sale.ErrUnavailable, cut)}, s.Store))
		_, err := sales.End(s.Context(), a.ID)
		s.Is(err, sale.ErrUnknown)
		suite.Same(s, "nothing was done", errors.Is(err, sale.ErrUnavailable), false)
		suite.Same(s, "removed", suite.Must(s.sales.Product(s.Context(), p.Key)).State, sale.Removed)
		s.No(suite.Err(s.sales.End(s.Context(), a.ID)))
		s.ordinary(inStock)
	}
	untouched := s.sales.On(Over(suite.Wire{Send: suite.Fails(sale.ErrUnavailable, suite.Named("SaveActivity"))}, s.Store))
	s.define(s.activity())
	s.Is(suite.Err(untouched.End(s.Context(), fair)), sale.ErrUnavailable)
}
