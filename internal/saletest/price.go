package saletest

import (
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/sale"
)

// priceCases are about what things cost.
func priceCases() []testCase {
	return []testCase{
		{Name: "PriceOfAHoldIsThatInForceWhenItWasLocked", Run: priceOfHold},
		{Name: "PriceComesIntoForceASecondAfterRevise", Run: priceNotice},
		{Name: "PriceOfWhatIsInNoSaleIsUnknown", Run: priceUnknown},
		{Name: "QuoteReturnsPricesAndReasons", Run: quoted},
		{Name: "QuoteComparesWhatTheBuyerHas", Run: quotedForBuyer},
		{Name: "QuoteOfActivitiesThatDoNotRun", Run: quotedOtherwise},
	}
}

// priced ends the test unless a line of an order costs so much.
func (s *scene) priced(order, want string) {
	s.Helper()
	prices := suite.Must(s.sales.PriceOf(s.Context(), order))
	suite.Same(s, "prices of "+order, prices, []sale.LinePrice{{Line: of(key(), 2), Places: 2, Price: dec(want)}})
}

// revise gives the product another price.
func (s *scene) revise(price string) sale.Product {
	p := product()
	p.Price = dec(price)
	return suite.Must(s.sales.Revise(s.Context(), p))
}

func priceOfHold(s *scene) {
	s.live()
	s.lock("1", 2)
	s.revise("9.90")
	s.Advance(sale.PriceNotice)
	s.lock("2", 2)
	s.revise("29")
	s.Advance(time.Minute)
	s.lock("3", 2)
	s.pay("1")
	s.No(suite.Err(s.sales.End(s.Context(), fair)))
	s.Advance(day)
	s.priced("1", "19.90")
	s.priced("2", "9.90")
	s.priced("3", "29")
	suite.Same(s, "sum", suite.Must(s.sales.PriceOf(s.Context(), "2"))[0].Sum(), dec("19.80"))
}

func priceNotice(s *scene) {
	s.live()
	quote := func(want string) {
		s.Helper()
		suite.Same(s, "price", suite.Must(s.sales.Quote(s.Context(), of(key(), 1)))[0].Price, dec(want))
		for _, i := range suite.Listed(s, s.sales.Shelf(s.Context(), sale.ShelfQuery{})) {
			suite.Same(s, "price on the shelf", i.Current, dec(want))
			suite.Same(s, "lowest price on the shelf", i.Lowest, dec(want))
		}
	}
	p := s.revise("9.90")
	s.SameTime("in force", p.PriceFrom, s.now().Add(sale.PriceNotice))
	s.Advance(sale.PriceNotice - instant)
	quote("19.90")
	s.lock("1", 2)
	s.Advance(instant)
	quote("9.90")
	s.lock("2", 2)
	s.revise("5")
	s.Advance(sale.PriceNotice / 2)
	s.revise("4") // while the other is not in force yet
	quote("9.90")
	s.Advance(sale.PriceNotice / 2)
	quote("5")
	s.lock("3", 2)
	s.Advance(sale.PriceNotice / 2)
	quote("4")
	s.lock("4", 2)
	for order, want := range map[string]string{"1": "19.90", "2": "9.90", "3": "5", "4": "4"} {
		s.priced(order, want)
	}
	was := s.stands(sale.Offered)
	same := product()
	same.Price, same.Name = was.Price, "Green tea"
	suite.Same(s, "in force", suite.Must(s.sales.Revise(s.Context(), same)).PriceFrom, was.PriceFrom) // of a price that stays
}

func priceUnknown(s *scene) {
	s.live()
	s.only(suite.Err(s.sales.PriceOf(s.Context(), "1")), stock.ErrNotFound)
	s.No(suite.Err(s.shop.Lock(s.Context(), "1", stock.Line{SKU: goods, Num: 2}, of(key(), 1))))
	got := suite.Must(s.sales.PriceOf(s.Context(), "1"))
	s.Count("lines", len(got), 2)
	s.only(got[0].Err, sale.ErrUnknownProduct)
	suite.Same(s, "line", got[1], sale.LinePrice{Line: of(key(), 1), Places: 2, Price: dec("19.90")})
	s.No(suite.Err(s.shop.Cancel(s.Context(), "never")))
	s.Count("lines of an order that was closed before it locked", len(suite.Must(s.sales.PriceOf(s.Context(), "never"))), 0)
}

// quote returns the refusal of a line of so many units of the product, and ends the test unless its price is right.
func (s *scene) quote(sales *sale.Sales, n int64) error {
	s.Helper()
	got := suite.Must(sales.Quote(s.Context(), of(key(), n)))
	s.Count("lines", len(got), 1)
	suite.Same(s, "price", got[0].Price, dec("19.90"))
	return got[0].Err
}

func quoted(s *scene) {
	s.live()
	s.stocked(43, 10)
	other := product()
	other.SKU, other.Price = 43, dec("5")
	s.offer(other, 5)
	lines := []stock.Line{of(other.Key, 4), of(key(), 1), of(other.Key, 2), {SKU: 44, Activity: fair, Num: 1}, {SKU: 44, Activity: 8, Num: 1}}
	got := suite.Must(s.sales.Quote(s.Context(), lines...))
	for i, want := range []string{"5", "19.90", "5", "0", "0"} {
		suite.Same(s, "line", got[i].Line, lines[i])
		suite.Same(s, "price", got[i].Price, dec(want))
	}
	s.only(got[0].Err, stock.ErrInsufficient) // six in all, of five
	s.No(got[1].Err)
	s.only(got[2].Err, stock.ErrInsufficient)
	s.only(got[3].Err, sale.ErrUnknownProduct)
	s.only(got[4].Err, sale.ErrUnknownActivity)
	s.No(suite.Err(s.sales.Remove(s.Context(), key())))
	s.only(s.quote(s.sales, 1), sale.ErrRemoved)
}

func quotedForBuyer(s *scene) {
	s.stocked(goods, inStock)
	s.define(s.activity())
	p := product()
	p.PerOrder, p.PerBuyer = 3, 4
	s.offer(p, units)
	s.approve(fair)
	s.No(suite.Err(s.shop.For(anna).Lock(s.Context(), "1", of(key(), 3))))
	s.only(s.quote(s.sales, 1), stock.ErrBuyerRequired)
	s.No(s.quote(s.sales.For(anna), 1))
	s.only(s.quote(s.sales.For(anna), 2), stock.ErrPerBuyer)
	s.only(s.quote(s.sales.For(anna), 4), stock.ErrPerOrder)
	s.No(s.quote(s.sales.For(ben), 3))
}

func quotedOtherwise(s *scene) {
	s.stocked(goods, inStock)
	a := s.activity()
	a.Start = s.now().Add(hour)
	s.define(a)
	s.only(suite.Err(s.sales.Offer(s.Context(), product(), inStock+1)), stock.ErrInsufficient)
	s.only(s.quote(s.sales, 1), sale.ErrNotApproved)
	s.approve(fair)
	s.only(s.quote(s.sales, 1), sale.ErrNotStarted)
	s.Advance(hour)
	s.only(s.quote(s.sales, 1), sale.ErrPreparing)
	s.offer(product(), units)
	s.No(s.quote(s.sales, units))
	s.only(s.quote(s.sales, units+1), stock.ErrInsufficient)
	s.Advance(hour)
	s.only(s.quote(s.sales, 1), sale.ErrEnded)
	s.expire()
	s.only(s.quote(s.sales, 1), sale.ErrEnded)
	w := s.activity()
	w.ID = 8
	s.define(w)
	p := product()
	p.Activity = 8
	s.offer(p, 1)
	s.No(suite.Err(s.sales.WithdrawSale(s.Context(), 8)))
	s.only(suite.Must(s.sales.Quote(s.Context(), of(p.Key, 1)))[0].Err, sale.ErrWithdrawn)
}
