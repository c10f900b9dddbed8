package groupbuytest

import (
	"fmt"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// shelfCases are about what a shop shows.
func shelfCases() []testCase {
	return []testCase{
		{Name: "ShelfShowsWhatCanBeOpenedNow", Run: shelfShows},
		{Name: "ShelfIsInTheOrderOfTheShop", Run: shelfOrder},
		{Name: "ProductsAreListedBySKU", Run: productsBySKU},
	}
}

// window makes an activity that is over in some hours, with one product of ten units.
func (s *scene) window(id, sort, sku int64, change func(*groupbuy.Activity)) {
	s.Helper()
	a := s.activity()
	a.ID, a.Sort = id, sort
	if change != nil {
		change(&a)
	}
	s.define(a)
	s.exhibit(id, sku)
}

// exhibit offers ten units of a SKU in an activity.
func (s *scene) exhibit(id, sku int64) {
	s.Helper()
	if s.owned[sku] == 0 {
		s.stocked(sku, 1000)
	}
	p := product(people(2))
	p.Key = stock.Key{SKU: sku, Activity: id}
	s.offer(p, 10)
}

// shelved returns what is in the shop window, by its key.
func (s *scene) shelved() []stock.Key {
	s.Helper()
	var keys []stock.Key
	for _, shown := range suite.Listed(s, s.groups.Shelf(s.Context())) {
		keys = append(keys, shown.Key)
	}
	return keys
}

func shelfShows(s *scene) {
	now := s.now()
	s.window(1, 0, goods, nil)
	s.window(2, 0, goods, func(a *groupbuy.Activity) { a.Hidden = true })
	s.window(3, 0, goods, func(a *groupbuy.Activity) { a.Start = now.Add(hour) })
	s.window(4, 0, goods, func(a *groupbuy.Activity) { a.End = now.Add(2 * hour) })
	s.window(5, 0, goods, nil)
	s.No(suite.Err(s.groups.Remove(s.Context(), stock.Key{SKU: goods, Activity: 5})))
	s.window(6, 0, goods, nil)
	s.No(suite.Err(s.groups.End(s.Context(), 6)))
	p := product(people(2))
	p.Key = stock.Key{SKU: goods, Activity: 1}
	p.SKU = 43
	s.stocked(43, 1)
	_, err := s.groups.Offer(s.Context(), p, 2) // which is not done
	s.only(err, stock.ErrInsufficient)
	shows := func(activities ...int64) {
		s.Helper()
		var want []stock.Key
		for _, id := range activities {
			want = append(want, stock.Key{SKU: goods, Activity: id})
		}
		suite.Same(s, "shop window", s.shelved(), want)
	}
	shows(1, 4)
	s.Advance(hour - instant)
	shows(1, 4)
	s.Advance(instant)
	shows(1, 3, 4)
	b := buyVolume("1", anna, "4").of(stock.Key{SKU: goods, Activity: 4})
	s.openAs(b)
	shown := suite.Listed(s, s.groups.Shelf(s.Context()))[2]
	suite.Same(s, "what is shown", []any{shown.Available, shown.EndsIn, shown.State}, []any{int64(6), hour, groupbuy.Offered})
	offer := suite.Must(s.groups.Product(s.Context(), b.Product))
	suite.Same(s, "offer", shown.Offer, offer)
	s.Advance(hour - instant)
	shows(1, 3, 4)
	s.Advance(instant)
	shows(1, 3) // with no sweeper
}

func shelfOrder(s *scene) {
	s.window(9, -1, goods, nil)
	s.window(2, 5, goods, nil)
	s.window(3, 5, goods, nil)
	s.window(1, 7, goods, nil)
	for _, sku := range []int64{50, 41, 45} {
		s.exhibit(2, sku)
		s.exhibit(9, sku)
	}
	var want []stock.Key
	for _, id := range []int64{9, 2, 3, 1} {
		skus := []int64{goods}
		if id == 9 || id == 2 {
			skus = []int64{41, goods, 45, 50}
		}
		for _, sku := range skus {
			want = append(want, stock.Key{SKU: sku, Activity: id})
		}
	}
	suite.Same(s, "shop window", s.shelved(), want)
	for _, of := range []struct {
		sku, spu int64
		want     int
	}{{goods, 0, 4}, {0, 4, len(want)}, {41, 4, 2}, {41, 5, 0}} {
		s.Count("products that are selling", len(suite.Listed(s, s.groups.Selling(s.Context(), of.sku, of.spu))), of.want)
	}
	s.Invalid("SKU", suite.Err(suite.Gather(s.groups.Selling(s.Context(), -1, 0))))
	for i, k := range want { // which is not the order of the pools
		s.No(suite.Err(s.groups.Withdraw(s.Context(), fmt.Sprint("less ", i), k, int64(i+1))))
	}
	for i, shown := range suite.Listed(s, s.groups.Shelf(s.Context())) {
		suite.Same(s, "units that are available", shown.Available, int64(9-i))
	}
}

func productsBySKU(s *scene) {
	s.window(8, 0, goods, nil)
	s.window(7, 0, 50, nil)
	for _, sku := range []int64{41, goods, 45} {
		s.exhibit(7, sku)
	}
	var got []int64
	for _, p := range suite.Listed(s, s.groups.Products(s.Context(), 7)) {
		got = append(got, p.SKU)
		offer := suite.Must(s.groups.Product(s.Context(), p.Key))
		suite.Same(s, "product", offer.Product, p)
		suite.Same(s, "its activity", offer.Activity.ID, 7)
	}
	suite.Same(s, "SKUs", got, []int64{41, goods, 45, 50})
	s.Count("products of another", len(suite.Listed(s, s.groups.Products(s.Context(), 8))), 1)
	var ids []int64
	for _, a := range suite.Listed(s, s.groups.Activities(s.Context())) {
		ids = append(ids, a.ID)
	}
	suite.Same(s, "activities", ids, []int64{7, 8})
}
