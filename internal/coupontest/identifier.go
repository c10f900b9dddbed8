package coupontest

import (
	"fmt"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func identifierCases() []testCase {
	return []testCase{
		{Name: "IdentifiersOfClaimsAreComparedByteForByte", Run: identifiersOfClaims},
		{Name: "IdentifiersOfOrdersAreComparedByteForByte", Run: identifiersOfOrders},
		{Name: "IdentifiersOfRefundsAreComparedByteForByte", Run: identifiersOfRefunds},
		{Name: "IdentifiersOfBuyersAreComparedByteForByte", Run: identifiersOfBuyers},
		{Name: "IdentifiersOfBatchesAreComparedByteForByte", Run: identifiersOfBatches},
		{Name: "IdentifiersOfChangesAreComparedByteForByte", Run: identifiersOfChanges},
		{Name: "IdentifiersOfDifferentThingsDoNotMeet", Run: identifiersApart},
	}
}

func identifiersOfClaims(s *scene) {
	s.open(1000)
	ids := suite.Lookalikes(64)
	for i, id := range ids {
		suite.Same(s, "claim", s.claim(id, fmt.Sprint(i+1)).ID, id)
	}
	s.counts(stock.Quantities{Total: 1000, Sold: int64(len(ids)), Left: 1000 - int64(len(ids))})
	for i, id := range ids { // every other one is used, the others are not
		suite.Same(s, fmt.Sprintf("buyer of %q", id), s.coupon(id).Buyer, fmt.Sprint(i+1))
		if i%2 == 0 {
			s.redeem(id, "A")
		}
	}
	for i, id := range ids {
		want := coupon.Usable
		if i%2 == 0 {
			want = coupon.Redeemed
		}
		s.state(id, want)
		suite.Same(s, "wallet", len(suite.Listed(s, s.shop.For(fmt.Sprint(i+1)).Wallet(s.Context()))), 1)
	}
	uses := suite.Must(s.shop.UsedBy(s.Context(), "A"))
	s.Count("uses", len(uses), (len(ids)+1)/2)
}

func identifiersOfOrders(s *scene) {
	s.open(1000)
	ids := suite.Lookalikes(64)
	for i := range ids {
		s.claim(fmt.Sprint("c", i), "5")
	}
	s.claim("shared", "5")
	for i, id := range ids {
		s.reserve(fmt.Sprint("c", i), id)
		s.release("shared", id)
	}
	for i, id := range ids {
		uses := suite.Must(s.shop.UsedBy(s.Context(), id))
		s.Count(fmt.Sprintf("uses by %q", id), len(uses), 2)
		suite.Same(s, "coupon", uses[0].Coupon, fmt.Sprint("c", i))
		suite.Same(s, "order", uses[1].Order, id)
		s.Is(suite.Err(s.shop.Redeem(s.Context(), fmt.Sprint("c", i), ids[(i+1)%len(ids)], dec("100"))), coupon.ErrReserved)
	}
	s.Count("uses of the one they shared", len(s.usesOf("shared")), len(ids))
	for i, id := range ids {
		s.redeem(fmt.Sprint("c", i), id)
	}
}

func identifiersOfRefunds(s *scene) {
	s.open(1000)
	ids := suite.Lookalikes(64)
	for i := range ids {
		s.claim(fmt.Sprint("c", i), "5")
	}
	for range 2 { // the second round replays the first
		for i, id := range ids {
			if i%2 == 0 {
				s.refund(id, fmt.Sprint("c", i))
			} else {
				s.revoke(id, fmt.Sprint("c", i))
			}
		}
	}
	s.counts(stock.Quantities{Total: 1000, Left: 1000, Refunded: int64(len(ids))})
}

// identifiersOfBuyers lets each buyer have two coupons, one of them by a batch.
func identifiersOfBuyers(s *scene) {
	s.define(1, 1000, coupon.Rules{PerBuyer: 2}, tenOff())
	ids := suite.Lookalikes(64)
	for i, id := range ids {
		suite.Same(s, "buyer", s.claim(fmt.Sprint("c", i), id).Buyer, id)
	}
	s.issue(gift("b", ids...), granted("b", coupon.Given, ids...), nil)
	s.issue(gift("late", ids...), nil, granted("late", coupon.ReasonPerBuyer, ids...))
	for i, id := range ids {
		coupons := suite.Listed(s, s.shop.For(id).Wallet(s.Context()))
		s.Count(fmt.Sprintf("coupons of %q", id), len(coupons), 2)
		for _, c := range coupons {
			suite.Same(s, "buyer", c.Buyer, id)
		}
		s.Is(suite.Err(s.shop.For(id).Coupon(s.Context(), fmt.Sprint("c", (i+1)%len(ids)))), coupon.ErrAnotherBuyer)
	}
}

func identifiersOfBatches(s *scene) {
	s.open(1000)
	ids := append(suite.Lookalikes(coupon.MaxBatchID), "b", "b/1")
	for range 2 {
		for i, id := range ids {
			s.issue(gift(id, fmt.Sprint(i+1)), granted(id, coupon.Given, fmt.Sprint(i+1)), nil)
		}
	}
	s.counts(stock.Quantities{Total: 1000, Sold: int64(len(ids)), Left: 1000 - int64(len(ids))})
}

func identifiersOfChanges(s *scene) {
	s.open(0)
	ids := suite.Lookalikes(64)
	for range 2 {
		for i, id := range ids {
			s.No(suite.Err(s.shop.Restock(s.Context(), id, 1, int64(i+1))))
		}
	}
	n := int64(len(ids))
	s.counts(stock.Quantities{Total: n * (n + 1) / 2, Left: n * (n + 1) / 2})
}

// identifiersApart uses one ID for a claim, an order, a refund, a batch and a change: each has its own
// numbers. So have the goods of an order.
func identifiersApart(s *scene) {
	s.open(10)
	s.No(suite.Err(s.shop.Restock(s.Context(), "x", 1, 5)))
	s.claim("x", "5")
	s.redeem("x", "x")
	s.giveBack("x", "x")
	s.issue(gift("x", "1"), granted("x", coupon.Given, "1"), nil)
	s.refund("x", "x")
	s.counts(stock.Quantities{Total: 15, Sold: 1, Left: 14, Refunded: 1})
	if s.Stock == nil {
		return
	}
	goods := s.goods()
	s.No(suite.Err(goods.Define(s.Context(), item(1), 10, stock.Terms{})))
	s.No(suite.Err(goods.Lock(s.Context(), "x", one())))
	s.No(suite.Err(goods.Restock(s.Context(), "x", one())))
	s.No(suite.Err(goods.Pay(s.Context(), "x")))
	s.No(suite.Err(goods.Refund(s.Context(), stock.Refund{ID: "x", Order: "x"})))
	s.counts(stock.Quantities{Total: 15, Sold: 1, Left: 14, Refunded: 1})
}
