package coupontest

import (
	"errors"
	"slices"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// orderCases are about an order that buys goods and uses a coupon, without a transaction.
func orderCases() []testCase {
	return []testCase{
		{Name: "CrashBetweenTheGoodsAndTheCouponIsMended", Run: crashBetween, Beside: true},
		{Name: "CancelAndReleaseThatComeFirstCloseTheOrder", Run: closedFirst, Beside: true},
		{Name: "OrderWithACouponGoesThrough", Run: orderGoesThrough, Beside: true},
	}
}

// stocked defines goods, ten of SKU 1, and gives buyer 5 a coupon.
func (s *scene) stocked() *stock.Inventory {
	s.Helper()
	goods := s.goods()
	s.No(suite.Err(goods.Define(s.Context(), item(1), 10, stock.Terms{})))
	s.open(10)
	s.claim("c", "5")
	return goods
}

// left ends the test unless the goods count so.
func (s *scene) left(want stock.Quantities) {
	s.Helper()
	suite.Same(s, "goods", suite.Must(s.goods().Item(s.Context(), item(1))).Quantities, want)
}

// crashBetween stops an order after each of its steps and closes it, in every order and more than once.
func crashBetween(s *scene) {
	goods := s.stocked()
	for steps := range 3 {
		for turn := range 2 {
			order := []string{"none", "goods", "both"}[steps] + []string{"", " turned"}[turn]
			if steps > 0 {
				_, err := goods.Lock(s.Context(), order, one())
				s.No(err)
			}
			if steps > 1 {
				s.reserve("c", order)
			}
			closing := []func() error{
				func() error { return suite.Err(goods.Cancel(s.Context(), order)) },
				func() error { return suite.Err(s.shop.Release(s.Context(), "c", order)) },
			}
			if turn == 1 {
				slices.Reverse(closing)
			}
			for range 2 {
				for _, call := range closing {
					s.No(call())
				}
			}
			s.left(stock.Quantities{Total: 10, Left: 10})
			s.state("c", coupon.Usable)
			_, err := goods.Lock(s.Context(), order, one()) // what was on its way comes too late
			s.Is(err, stock.ErrCancelled)
			s.Is(suite.Err(s.shop.Reserve(s.Context(), "c", order, dec("100"))), coupon.ErrReleased)
		}
	}
	s.redeem("c", "next")
}

func closedFirst(s *scene) {
	goods := s.stocked()
	errs := suite.Together(16, func(i int) (err error) {
		switch i % 4 {
		case 0:
			_, err = goods.Lock(s.Context(), "order", one())
		case 1:
			_, err = goods.Cancel(s.Context(), "order")
		case 2:
			_, err = s.shop.Reserve(s.Context(), "c", "order", dec("100"))
		case 3:
			_, err = s.shop.Release(s.Context(), "c", "order")
		}
		return err
	})
	for i, err := range errs {
		if err != nil && (i%2 == 1 || !errors.Is(err, stock.ErrCancelled) && !errors.Is(err, coupon.ErrReleased)) {
			s.Fatalf("call %d: %v", i, err)
		}
	}
	s.left(stock.Quantities{Total: 10, Left: 10})
	s.state("c", coupon.Usable)
	s.used("c", "order", coupon.UseReleased)
}

func orderGoesThrough(s *scene) {
	goods := s.stocked()
	for range 2 {
		s.No(suite.Err(goods.Lock(s.Context(), "order", one())))
		s.reserve("c", "order")
	}
	for range 2 {
		s.No(suite.Err(goods.Pay(s.Context(), "order")))
		s.redeem("c", "order")
	}
	s.left(stock.Quantities{Total: 10, Sold: 1, Left: 9})
	for range 2 {
		s.No(suite.Err(goods.Refund(s.Context(), stock.Refund{ID: "r", Order: "order", Restock: true})))
		s.giveBack("c", "order")
	}
	s.left(stock.Quantities{Total: 10, Left: 10, Refunded: 1})
	s.status("c", coupon.StatusUsable)
}
