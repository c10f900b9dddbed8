package saletest

import (
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/sale"
)

// shelfCases are about what a page shows.
func shelfCases() []testCase {
	return []testCase{
		{Name: "ShelfShowsWhatRunsWhatComesAndWhatWas", Run: shelfStates},
		{Name: "ShelfIsInTheOrderOfTheShop", Run: shelfOrder},
		{Name: "ShelfCountsUnitsAndTime", Run: shelfCounts},
		{Name: "ShelfCountsBuyersAtMostTenSecondsOld", Run: shelfBuyers},
		{Name: "ShelfTellsInWhichSalesAProductIs", Run: shelfOf},
		{Name: "ShelfKnowsTheLowestPriceOfAnActivity", Run: shelfLowest},
		{Name: "ShelfComesPageByPage", Run: shelfPages},
		{Name: "BestSellersComeByWhatIsSold", Run: bestSellers},
	}
}

// fairIn defines and approves an activity that runs for two hours from an hour on, with ten units of some SKUs.
func (s *scene) fairIn(id int64, from time.Duration, change func(*sale.Activity), skus ...int64) {
	s.Helper()
	a := s.activity()
	a.ID = id
	a.Start = s.now().Add(from)
	a.End = a.Start.Add(runs)
	if change != nil {
		change(&a)
	}
	s.define(a)
	s.approve(id)
	for _, sku := range skus {
		s.exhibit(id, sku, nil)
	}
}

// exhibit offers ten units of a SKU in an activity.
func (s *scene) exhibit(id, sku int64, change func(*sale.Product)) {
	s.Helper()
	if s.owned[sku] == 0 {
		s.stocked(sku, inStock)
	}
	p := product()
	p.Key = stock.Key{SKU: sku, Activity: id}
	if change != nil {
		change(&p)
	}
	s.offer(p, 10)
}

// shows ends the test unless the shelf has these products: activity and SKU in turn.
func (s *scene) shows(query sale.ShelfQuery, want ...int64) []sale.ShelfItem {
	s.Helper()
	items := suite.Listed(s, s.sales.Shelf(s.Context(), query))
	var got []int64
	for _, i := range items {
		got = append(got, i.Key.Activity, i.SKU)
	}
	suite.Same(s, fmt.Sprintf("shelf of %+v", query), got, want)
	return items
}

func shelfStates(s *scene) {
	running, coming, gone := sale.ShelfQuery{}, sale.ShelfQuery{State: sale.Approved}, sale.ShelfQuery{State: sale.Ended}
	s.fairIn(1, 0, nil, goods)
	s.fairIn(2, hour, nil, goods)
	s.fairIn(3, -hour, nil, goods)
	s.fairIn(4, 0, func(a *sale.Activity) { a.Hidden = true }, goods)
	s.fairIn(5, 0, nil, goods)
	s.No(suite.Err(s.sales.End(s.Context(), 5)))
	s.fairIn(6, 0, nil, goods)
	s.No(suite.Err(s.sales.WithdrawSale(s.Context(), 6)))
	s.fairIn(7, 0, nil, goods)
	s.No(suite.Err(s.sales.Remove(s.Context(), stock.Key{SKU: goods, Activity: 7})))
	a := s.activity()
	a.ID = 8 // a draft
	s.define(a)
	s.exhibit(8, goods, nil)
	p := product()
	p.Key = stock.Key{SKU: 43, Activity: 1}
	s.only(suite.Err(s.sales.Offer(s.Context(), p, 1)), stock.ErrUnknownSKU) // which is not done
	s.shows(running, 1, goods, 3, goods)
	s.shows(coming, 2, goods)
	s.shows(gone, 5, goods)
	s.Advance(hour - instant)
	s.shows(running, 1, goods, 3, goods)
	s.Advance(instant)
	s.shows(running, 1, goods, 2, goods) // with no sweeper
	s.shows(coming)
	s.shows(gone, 5, goods, 3, goods)
	s.expire()
	s.shows(gone, 5, goods, 3, goods)
	s.Advance(3 * hour)
	s.expire()
	s.shows(running)
	s.shows(gone, 2, goods, 7, goods, 5, goods, 1, goods, 3, goods)
}

func shelfOrder(s *scene) {
	sorted := func(sort int64) func(*sale.Activity) { return func(a *sale.Activity) { a.Sort = sort } }
	s.fairIn(9, 0, sorted(-1), 50, 41)
	s.fairIn(2, 0, sorted(5), goods)
	s.fairIn(3, 0, sorted(5), goods)
	s.exhibit(2, 60, func(p *sale.Product) { p.Sort = -1 })
	s.fairIn(1, hour, sorted(9), goods)
	s.fairIn(4, hour/2, sorted(10), goods)
	s.fairIn(5, hour/2, nil, goods)
	s.shows(sale.ShelfQuery{}, 9, 41, 9, 50, 2, 60, 2, goods, 3, goods)
	s.shows(sale.ShelfQuery{State: sale.Approved}, 4, goods, 5, goods, 1, goods)
	s.shows(sale.ShelfQuery{Activity: 9}, 9, 41, 9, 50)
	s.Advance(5 * hour)
	s.shows(sale.ShelfQuery{State: sale.Ended}, 1, goods, 5, goods, 4, goods, 9, 41, 9, 50, 3, goods, 2, 60, 2, goods)
	s.shows(sale.ShelfQuery{State: sale.Ended, Activity: 2}, 2, 60, 2, goods)
	s.shows(sale.ShelfQuery{State: sale.Ended, SKU: 50}, 9, 50)
}

func shelfCounts(s *scene) {
	s.fairIn(fair, hour, nil, goods)
	i := s.shows(sale.ShelfQuery{State: sale.Approved}, fair, goods)[0]
	suite.Same(s, "until it begins, until it ends", [2]time.Duration{i.StartsIn, i.EndsIn}, [2]time.Duration{hour, hour + runs})
	suite.Same(s, "offer", i.Offer, suite.Must(s.sales.Product(s.Context(), key())))
	s.Advance(hour + time.Minute)
	s.lock("1", 6)
	s.pay("1")
	s.lock("2", 3)
	i = s.shows(sale.ShelfQuery{}, fair, goods)[0]
	counts := func(i sale.ShelfItem) [5]int64 { return [5]int64{i.Total, i.Sold, i.Held, i.Available, i.Percent} }
	suite.Same(s, "total, sold, held, available, percent", counts(i), [5]int64{10, 6, 3, 1, 60})
	suite.Same(s, "nearly gone", i.NearlyGone, false) // 10 of 100 are left
	suite.Same(s, "times", [2]time.Duration{i.StartsIn, i.EndsIn}, [2]time.Duration{0, runs - time.Minute})
	suite.Same(s, "label", i.PriceLabel(), sale.LabelSubsidy)
	generous := sale.New(s.Store, &sale.Options{NearlyGone: 11})
	suite.Same(s, "nearly gone", suite.Listed(s, generous.Shelf(s.Context(), sale.ShelfQuery{}))[0].NearlyGone, true)
	s.lock("3", 1)
	suite.Same(s, "nearly gone", suite.Listed(s, generous.Shelf(s.Context(), sale.ShelfQuery{}))[0].NearlyGone, false) // it is gone
	s.Advance(runs)
	s.expire() // the others are dead
	i = s.shows(sale.ShelfQuery{State: sale.Ended}, fair, goods)[0]
	suite.Same(s, "total, sold, held, available, percent", counts(i), [5]int64{10, 6, 0, 0, 60})
	suite.Same(s, "times", [2]time.Duration{i.StartsIn, i.EndsIn}, [2]time.Duration{})
}

func shelfBuyers(s *scene) {
	s.live()
	buyers := func(want int64) {
		s.Helper()
		suite.Same(s, "buyers", s.shows(sale.ShelfQuery{}, fair, goods)[0].Buyers, want)
	}
	lock := func(buyer, order string) {
		s.Helper()
		s.No(suite.Err(s.shop.For(buyer).Lock(s.Context(), order, of(key(), 1))))
	}
	lock(anna, "1")
	lock(anna, "2")
	s.lock("3", 1) // of nobody
	buyers(1)
	lock(ben, "4")
	s.pay("1")
	s.Advance(sale.RecentFor - instant)
	buyers(1)
	s.Advance(instant)
	buyers(2)
	s.No(suite.Err(s.shop.Cancel(s.Context(), "4")))
	s.Advance(sale.RecentFor)
	buyers(1)
}

func shelfOf(s *scene) {
	s.fairIn(1, 0, nil, goods, 43)
	s.fairIn(2, hour, nil, goods)
	s.fairIn(3, 0, nil, goods)
	s.exhibit(3, 44, func(p *sale.Product) { p.SPU = 5 })
	s.shows(sale.ShelfQuery{SKU: goods}, 1, goods, 3, goods)
	s.shows(sale.ShelfQuery{SPU: 4}, 1, goods, 1, 43, 3, goods)
	s.shows(sale.ShelfQuery{SPU: 5}, 3, 44)
	s.shows(sale.ShelfQuery{SKU: goods, State: sale.Approved}, 2, goods)
	s.shows(sale.ShelfQuery{SKU: 45})
}

func shelfLowest(s *scene) {
	s.fairIn(1, 0, nil, goods)
	s.exhibit(1, 43, func(p *sale.Product) { p.Price = dec("12") })
	s.exhibit(1, 44, func(p *sale.Product) { p.Price = dec("3") })
	s.fairIn(2, 0, nil, goods)
	s.No(suite.Err(s.sales.Remove(s.Context(), stock.Key{SKU: 44, Activity: 1})))
	for i, item := range s.shows(sale.ShelfQuery{}, 1, goods, 1, 43, 2, goods) {
		suite.Same(s, "lowest price", item.Lowest, dec([]string{"12", "12", "19.90"}[i]))
		suite.Same(s, "price", item.Current, dec([]string{"19.90", "12", "19.90"}[i]))
	}
}

func shelfPages(s *scene) {
	s.fairIn(1, 0, nil)
	s.fairIn(2, 0, nil)
	for sku := range int64(6) {
		s.exhibit(sku%2+1, sku+1, func(p *sale.Product) { p.Sort = -sku / 4 })
	}
	for _, state := range []sale.State{sale.Running, sale.Ended} {
		query := sale.ShelfQuery{State: state}
		whole := suite.Listed(s, s.sales.Shelf(s.Context(), query))
		s.Count("products", len(whole), 6)
		for size := 1; size <= 7; size++ {
			var after sale.ShelfCursor
			var got []stock.Key
			for {
				items, _, err := s.Store.Shelf(s.Context(), query, after, size)
				s.No(err)
				for _, i := range items {
					got = append(got, i.Key)
				}
				if len(items) < size {
					break
				}
				after = items[size-1].Cursor(state)
			}
			for i, item := range whole {
				suite.Same(s, fmt.Sprintf("product %d in pages of %d", i, size), got[i], item.Key)
			}
			s.Count("products", len(got), 6)
		}
		s.Advance(runs)
	}
}

func bestSellers(s *scene) {
	s.fairIn(1, 0, nil, goods, 43)
	s.fairIn(2, 0, nil, goods)
	s.fairIn(3, 0, func(a *sale.Activity) { a.Hidden = true }, goods)
	sell := func(order string, sku, activity, n int64) {
		s.Helper()
		s.No(suite.Err(s.shop.Lock(s.Context(), order, stock.Line{SKU: sku, Activity: activity, Num: n})))
		s.pay(order)
	}
	best := func(limit int, want ...int64) {
		s.Helper()
		var got []int64
		for _, i := range suite.Must(s.sales.Best(s.Context(), limit)) {
			got = append(got, i.Key.Activity, i.SKU)
		}
		suite.Same(s, "best sellers", got, want)
	}
	best(5)
	s.Advance(sale.RecentFor)
	sell("1", 43, 1, 2)
	sell("2", goods, 2, 3)
	sell("3", goods, 3, 9)
	best(5, 2, goods, 1, 43)
	best(1, 2, goods)
	sell("4", goods, 1, 7)
	sell("5", 43, 1, 2)
	best(5, 2, goods, 1, 43) // the order is that of before, the numbers are not
	suite.Same(s, "sold", suite.Must(s.sales.Best(s.Context(), 5))[1].Sold, int64(4))
	s.Advance(sale.RecentFor)
	best(5, 1, goods, 1, 43, 2, goods)
	s.No(suite.Err(s.sales.End(s.Context(), 1)))
	best(5, 2, goods)
}
