package saletest

import (
	"context"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/sale"
)

// offerCases are about products and their units.
func offerCases() []testCase {
	return []testCase{
		{Name: "OfferTakesUnitsOutOfOrdinaryStock", Run: offerTakes},
		{Name: "OfferOfTooLittleStockMovesNothing", Run: offerTooLittle},
		{Name: "OfferIntoWhatIsNotThereIsRefused", Run: offerNowhere},
		{Name: "OfferAgainChangesNothing", Run: offerAgain},
		{Name: "OfferIntoAPoolThatHasUnits", Run: offerIntoUnits},
		{Name: "PoolKeepsTheTermsThatTheShopGaveIt", Run: poolTerms},
		{Name: "OfferLimitsWhatOneBuyerAndOneOrderGet", Run: offerLimits},
		{Name: "StockGoesIntoThePoolAndOutOfIt", Run: stockMoves},
		{Name: "ReviseChangesWordsAndLimitsAtOnce", Run: revised},
		{Name: "ReviseOfWhatIsNotOfferedIsRefused", Run: reviseNothing},
		{Name: "ProductsAreListedBySKU", Run: productsListed},
	}
}

func offerTakes(s *scene) {
	s.stocked(goods, inStock)
	s.define(s.activity())
	now := s.now()
	p := product()
	p.PerOrder, p.PerBuyer, p.Sort, p.Label = 5, 6, -3, sale.LabelOddSizes
	got := s.offer(p, units)
	want := p
	want.Places, want.PriceFrom, want.State, want.Allotted = 2, now, sale.Offered, units
	want.CreatedAt, want.UpdatedAt, want.Version = now, now, got.Version
	suite.Same(s, "product", got, want)
	suite.Same(s, "digits of the price", got.Price.Exponent(), -2)
	suite.Same(s, "product as it is read", s.stands(sale.Offered), want)
	offer := suite.Must(s.sales.Product(s.Context(), key()))
	suite.Same(s, "its activity", offer.Activity, s.is(sale.Draft))
	s.pool(stock.Quantities{Total: units})
	s.ordinary(inStock - units)
	item := s.item(key())
	suite.Same(s, "terms of the pool", [3]int64{item.SPU, item.PerOrder, item.PerBuyer}, [3]int64{4, 5, 6})
}

func offerTooLittle(s *scene) {
	s.stocked(goods, 10)
	s.define(s.activity())
	s.approve(fair)
	s.only(suite.Err(s.sales.Offer(s.Context(), product(), 11)), stock.ErrInsufficient)
	s.ordinary(10)
	s.stands(sale.Preparing)
	s.Is(suite.Err(s.shop.Lock(s.Context(), "1", of(key(), 1))), stock.ErrOffShelf)
	p := product()
	p.Price = dec("9")
	s.offer(p, 10)
	s.ordinary(0)
	s.lock("1", 1)
	suite.Same(s, "price", suite.Must(s.sales.PriceOf(s.Context(), "1"))[0].Price, dec("9"))
}

func offerNowhere(s *scene) {
	s.only(suite.Err(s.sales.Offer(s.Context(), product(), 1)), sale.ErrUnknownActivity)
	s.define(s.activity())
	s.only(suite.Err(s.sales.Offer(s.Context(), product(), 1)), stock.ErrUnknownSKU)
	s.No(suite.Err(s.shop.Define(s.Context(), stock.Key{SKU: goods}, 0, stock.Terms{Unlimited: true})))
	s.only(suite.Err(s.sales.Offer(s.Context(), product(), 1)), stock.ErrUnlimited)
	s.Count("products", len(suite.Listed(s, s.sales.Products(s.Context(), fair))), 0) // nothing was prepared
	s.only(suite.Err(s.sales.Product(s.Context(), key())), sale.ErrUnknownProduct)
	s.only(suite.Err(s.sales.Product(s.Context(), stock.Key{SKU: goods, Activity: 8})), sale.ErrUnknownActivity)
	s.only(suite.Err(suite.Gather(s.sales.Products(s.Context(), 8))), sale.ErrUnknownActivity)
}

// offerIntoUnits offers into a pool that somebody has defined with units of its own: they stay.
func offerIntoUnits(s *scene) {
	s.stocked(goods, inStock-3)
	s.No(suite.Err(s.shop.Define(s.Context(), key(), 3, stock.Terms{})))
	s.owned[goods] += 3
	s.define(s.activity())
	s.offer(product(), units)
	q := s.item(key()).Quantities
	suite.Same(s, "pool", q, stock.Quantities{Total: units + 3, Left: units + 3})
	s.ordinary(inStock - 3 - units)
}

func offerAgain(s *scene) {
	s.live()
	was := s.stands(sale.Offered)
	s.Advance(hour)
	s.unchanged(func() {
		suite.Replays(s, "product", s.offer(product(), units), was)
		for _, change := range []func(*sale.Product){
			func(p *sale.Product) { p.Price = dec("19.91") },
			func(p *sale.Product) { p.ListPrice = dec("100") },
			func(p *sale.Product) { p.Name = "Coffee" },
			func(p *sale.Product) { p.PerBuyer = 1 },
			func(p *sale.Product) { p.Sort = 1 },
		} {
			p := product()
			change(&p)
			s.only(suite.Err(s.sales.Offer(s.Context(), p, units)), sale.ErrMismatch)
		}
		s.only(suite.Err(s.sales.Offer(s.Context(), product(), units+1)), sale.ErrMismatch)
	})
}

func offerLimits(s *scene) {
	s.stocked(goods, inStock)
	s.define(s.activity())
	p := product()
	p.PerOrder, p.PerBuyer = 2, 3
	s.offer(p, units)
	s.approve(fair)
	s.Is(suite.Err(s.shop.For(anna).Lock(s.Context(), "1", of(key(), 3))), stock.ErrPerOrder)
	s.No(suite.Err(s.shop.For(anna).Lock(s.Context(), "1", of(key(), 2))))
	s.Is(suite.Err(s.shop.For(anna).Lock(s.Context(), "2", of(key(), 2))), stock.ErrPerBuyer)
	s.Is(suite.Err(s.shop.Lock(s.Context(), "3", of(key(), 1))), stock.ErrBuyerRequired)
}

func stockMoves(s *scene) {
	s.live()
	ctx := s.Context()
	suite.Same(s, "replay", suite.Must(s.sales.Restock(ctx, "more", key(), 20)).Replay, false)
	suite.Same(s, "replay", suite.Must(s.sales.Restock(ctx, "more", key(), 20)).Replay, true)
	s.only(suite.Err(s.sales.Restock(ctx, "more", key(), 21)), sale.ErrMismatch)
	s.pool(stock.Quantities{Total: units + 20})
	s.lock("1", units)
	s.No(suite.Err(s.sales.Withdraw(ctx, "less", key(), 20)))
	s.only(suite.Err(s.sales.Withdraw(ctx, "less still", key(), 1)), stock.ErrInsufficient)
	s.only(suite.Err(s.sales.Restock(ctx, "too many", key(), inStock)), stock.ErrInsufficient)
	s.only(suite.Err(s.sales.Withdraw(ctx, "nowhere", stock.Key{SKU: 43, Activity: fair}, 1)), sale.ErrUnknownProduct)
	s.ordinary(inStock - units)
	suite.Same(s, "allotted", s.stands(sale.Offered).Allotted, units)
}

func revised(s *scene) {
	s.live()
	p := product()
	p.Name, p.PerOrder, p.Sort = "Green tea", 2, 9
	was := s.stands(sale.Offered)
	s.Advance(hour)
	got := suite.Must(s.sales.Revise(s.Context(), p))
	want := was
	want.Name, want.PerOrder, want.Sort, want.UpdatedAt, want.Version = p.Name, 2, 9, s.now(), got.Version
	suite.Same(s, "product", got, want)
	s.Is(suite.Err(s.shop.Lock(s.Context(), "1", of(key(), 3))), stock.ErrPerOrder)
	s.unchanged(func() {
		suite.Same(s, "revised again", suite.Must(s.sales.Revise(s.Context(), p)), got)
		s.only(suite.Err(s.sales.Offer(s.Context(), product(), units)), sale.ErrMismatch) // it is another by now
	})
}

func reviseNothing(s *scene) {
	revise := func() error { return suite.Err(s.sales.Revise(s.Context(), product())) }
	s.only(revise(), sale.ErrUnknownActivity)
	s.define(s.activity())
	s.only(revise(), sale.ErrUnknownProduct)
	s.stocked(goods, 10)
	s.only(suite.Err(s.sales.Offer(s.Context(), product(), 11)), stock.ErrInsufficient)
	p := product()
	p.Name = "Coffee"
	s.only(suite.Err(s.sales.Revise(s.Context(), p)), sale.ErrPreparing)
	s.only(suite.Err(s.sales.Restock(s.Context(), "early", key(), 1)), sale.ErrPreparing)
	s.offer(product(), 9)
	s.No(suite.Err(s.sales.Remove(s.Context(), key())))
	s.only(suite.Err(s.sales.Revise(s.Context(), p)), sale.ErrRemoved)
	s.No(revise()) // which changes nothing
	s.ordinary(10)
}

func productsListed(s *scene) {
	s.live()
	for _, sku := range []int64{50, 41, 45} {
		s.stocked(sku, 10)
		p := product()
		p.SKU = sku
		s.offer(p, 5)
	}
	var skus []int64
	for _, p := range suite.Listed(s, s.sales.Products(s.Context(), fair)) {
		skus = append(skus, p.SKU)
	}
	suite.Same(s, "SKUs", skus, []int64{41, goods, 45, 50})
}

func hooked(s *scene) {
	var told []stock.Effect
	s.sales = sale.New(s.Store, &sale.Options{Hook: func(_ context.Context, e stock.Effect) { told = append(told, e) }})
	s.live()
	s.lock("1", 2)
	s.Advance(runs)
	s.expire()
	move := func(step stock.Step, id string, activity int64) stock.Effect {
		return stock.Effect{Step: step, ID: id, Lines: []stock.Line{{SKU: goods, Activity: activity, Num: units}}}
	}
	suite.Same(s, "what the hook was told", told, []stock.Effect{
		move(stock.StepWithdraw, "fs+/42/7/1", 0), move(stock.StepRestock, "fs+/42/7/1", fair),
		{Step: stock.StepExpire, Order: "1"},
		move(stock.StepRestock, "fs-/42/7/1", 0), move(stock.StepWithdraw, "fs-/42/7/1", fair),
	})
}

// poolTerms has an operator give the pool terms that the activity says nothing of.
func poolTerms(s *scene) {
	s.live()
	ctx, p := s.Context(), product()
	change := func(low int64) {
		s.Helper()
		s.No(suite.Err(s.shop.ChangeTerms(ctx, key(), func(is stock.Item) (stock.Terms, error) {
			is.Low, is.LiveHolds, is.Reserve, is.Backorder = low, 2, 3, 4
			is.PerOrder = 99 // which the activity has
			return is.Terms, nil
		})))
	}
	kept := func(perOrder, low, backorder int64) {
		s.Helper()
		is := s.item(key())
		suite.Same(s, "terms of the pool", []int64{is.SPU, is.PerOrder, is.Low, is.LiveHolds, is.Reserve, is.Backorder},
			[]int64{4, perOrder, low, 2, 3, backorder})
	}
	change(10)
	s.offer(p, units)
	kept(0, 10, 4)
	s.define(s.activity())
	s.approve(fair)
	p.PerOrder = 5
	s.No(suite.Err(s.sales.On(Over(suite.Before("Units.SetTerms", 1, func() { change(11) }), s.Store)).Revise(ctx, p)))
	kept(5, 11, 4)
	s.No(suite.Err(s.sales.End(ctx, fair)))
	kept(5, 11, 0) // nothing comes any more that could be ordered before it is there
	s.ordinary(inStock)
	s.stands(sale.Settled)
}
