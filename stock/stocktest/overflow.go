package stocktest

import (
	"math"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func overflowCases() []testCase {
	return []testCase{
		{Name: "OverflowTheLargestItem", Run: largestItem},
		{Name: "OverflowOfTotal", Run: overflowTotal},
		{Name: "OverflowOfAnUnlimitedItem", Run: overflowUnlimited},
		{Name: "OverflowOfRefunded", Run: overflowRefunded},
		{Name: "OverflowOfABuyer", Run: overflowBuyer},
	}
}

const most = math.MaxInt64

// largestItem takes the most units there can be through the whole life cycle.
func largestItem(s *scene) {
	s.define(sku(1), most, stock.Terms{PerOrder: most, PerBuyer: most, LiveHolds: most})
	buyer := s.inv.For("5")
	s.No(suite.Err(buyer.Lock(s.Context(), "a", units(1, most))))
	s.counts(sku(1), stock.Quantities{Total: most, Locked: most, Left: most})
	s.Is(suite.Err(buyer.Lock(s.Context(), "b", units(1, most))), stock.ErrPerBuyer)
	s.shortage(suite.Err(s.inv.For("6").Lock(s.Context(), "b", units(1, most))), sku(1), most, 0)
	s.pay("a")
	s.counts(sku(1), stock.Quantities{Total: most, Sold: most})
	s.usage("5", sku(1), stock.Usage{Bought: most})
	s.refund("r", "a")
	s.counts(sku(1), stock.Quantities{Total: most, Left: most, Refunded: most})
	s.No(suite.Err(s.inv.Withdraw(s.Context(), "out", units(1, most))))
	s.No(suite.Err(s.inv.Restock(s.Context(), "in", units(1, most))))
	s.counts(sku(1), stock.Quantities{Total: most, Left: most, Refunded: most})
}

func overflowTotal(s *scene) {
	s.define(sku(1), most-5, stock.Terms{})
	s.fill(10, sku(2), pool(1, 7))
	s.unchanged(sku(1), func() {
		s.unchanged(sku(2), func() {
			s.Is(suite.Err(s.inv.Restock(s.Context(), "in", units(2, 1), units(1, 6))), stock.ErrOverflow)
			s.Is(suite.Err(s.inv.Restock(s.Context(), "in", units(1, most))), stock.ErrOverflow)
			s.Is(suite.Err(s.inv.Transfer(s.Context(), "move", stock.TransferLeg{SKU: 1, From: 7, To: 0, Num: 6})), stock.ErrOverflow)
			s.Is(suite.Err(s.inv.Transfer(s.Context(), "move", stock.TransferLeg{SKU: 1, From: 7, To: 0, Num: stock.Rest})), stock.ErrOverflow)
		})
	})
	s.counts(pool(1, 7), stock.Quantities{Total: 10, Left: 10})
	s.No(suite.Err(s.inv.Restock(s.Context(), "in", units(1, 5))))
	s.counts(sku(1), stock.Quantities{Total: most, Left: most})
}

func overflowUnlimited(s *scene) {
	s.define(sku(1), 0, stock.Terms{Unlimited: true})
	s.lock("a", units(1, most-5))
	s.unchanged(sku(1), func() {
		_, err := s.inv.Lock(s.Context(), "b", units(1, 6))
		s.Is(err, stock.ErrOverflow)
		s.IsNot(err, stock.ErrInsufficient)
		s.Is(suite.Err(s.inv.Lock(s.Context(), "b", units(1, most))), stock.ErrOverflow)
	})
	s.lock("b", units(1, 5))
	s.pay("a")
	s.Is(suite.Err(s.inv.Lock(s.Context(), "c", units(1, 1))), stock.ErrOverflow)
	s.Advance(hold) // b is dead
	s.lock("c", units(1, 5))
	s.counts(sku(1), stock.Quantities{Sold: most - 5, Locked: 5})
	s.define(sku(1), most, stock.Terms{})
	s.counts(sku(1), stock.Quantities{Total: most, Sold: most - 5, Locked: 5, Left: 5})
}

// overflowRefunded refunds as much as the counter of refunded units can hold, and one more.
func overflowRefunded(s *scene) {
	s.define(sku(1), most, stock.Terms{})
	s.define(sku(2), 10, stock.Terms{})
	s.buy("a", units(1, most))
	s.refund("r", "a")
	s.buy("b", units(1, 1), units(2, 1))
	was := s.holdOf("b")
	for _, restock := range []bool{true, false} {
		s.unchanged(sku(1), func() {
			s.unchanged(sku(2), func() {
				s.Is(suite.Err(s.inv.Refund(s.Context(), stock.Refund{ID: "r2", Order: "b", Restock: restock})), stock.ErrOverflow)
			})
		})
	}
	suite.Same(s, "hold", s.holdOf("b"), was)
	s.refund("r2", "b", units(2, 1)) // the refused ID is free
}

// overflowBuyer buys with refunds that free nothing until the buyer's own counter is full.
func overflowBuyer(s *scene) {
	s.define(sku(1), most, stock.Terms{})
	s.define(sku(2), 10, stock.Terms{})
	buyer := s.inv.For("5")
	s.No(suite.Err(buyer.Lock(s.Context(), "a", units(1, most))))
	s.pay("a")
	s.refund("r", "a")
	s.usage("5", sku(1), stock.Usage{Bought: most})
	s.unchanged(sku(2), func() {
		s.Is(suite.Err(buyer.Lock(s.Context(), "b", units(1, 1), units(2, 1))), stock.ErrOverflow)
	})
	s.lock("b", units(1, 1))                                                                  // the item has them, for anybody else
	s.shortage(suite.Err(buyer.Lock(s.Context(), "c", units(1, most))), sku(1), most, most-1) // a shortage comes before an overflow
}
