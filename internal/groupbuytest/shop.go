package groupbuytest

import (
	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// The shop of a scene: its stock, an activity with one product, and what can be seen of it.

// stocked defines ordinary stock of a SKU.
func (s *scene) stocked(sku, units int64) {
	s.Helper()
	s.No(suite.Err(s.ordinary().Define(s.Context(), stock.Key{SKU: sku}, units, stock.Terms{})))
	s.owned[sku] += units
}

// activity returns the activity of a scene: it runs from now on for a week, and its teams have a day.
func (s *scene) activity() groupbuy.Activity {
	s.Helper()
	return groupbuy.Activity{ID: fair, Title: "Spring fair", Image: "fair.png", Formation: forming, End: s.now().Add(runs)}
}

// define defines an activity.
func (s *scene) define(a groupbuy.Activity) groupbuy.Activity {
	return suite.Must(s.groups.Define(s.Context(), a))
}

// people returns the terms of teams that so many people form.
func people(n int64) groupbuy.Terms {
	return groupbuy.Terms{Places: 2, Price: dec("100"), GroupPrice: dec("79.90"), People: n}
}

// volume returns the terms of teams that so much volume forms, of which one hundredth is a unit of stock.
func volume(v string) groupbuy.Terms {
	t := people(0)
	t.Volume, t.UnitsPerVolume = dec(v), 100
	return t
}

// product returns the product of a scene.
func product(terms groupbuy.Terms) groupbuy.Product {
	return groupbuy.Product{Key: key(), Terms: terms, SPU: 4, Name: "Tea", Spec: "500 g"}
}

// offer offers a product with so many units.
func (s *scene) offer(p groupbuy.Product, units int64) groupbuy.Product {
	return suite.Must(s.groups.Offer(s.Context(), p, units))
}

// offerIn defines another activity, and offers the product of a scene in it, to teams of so many people.
func (s *scene) offerIn(activity, size, units int64) groupbuy.Product {
	s.Helper()
	a := s.activity()
	a.ID = activity
	s.define(a)
	p := product(people(size))
	p.Activity = activity
	return s.offer(p, units)
}

// opened makes the shop of a scene: the goods, the activity, and the product with so many units.
func (s *scene) opened(terms groupbuy.Terms, units int64) groupbuy.Product {
	s.Helper()
	s.stocked(goods, inStock)
	s.define(s.activity())
	return s.offer(product(terms), units)
}

// live makes the shop with ninety units, and teams of three.
func (s *scene) live() { s.Helper(); s.opened(people(3), 90) }

// item returns an item of stock.
func (s *scene) item(k stock.Key) stock.Item {
	return suite.Must(s.ordinary().Item(s.Context(), k))
}

// pool ends the test unless the pool of the product counts so; Left follows from the others.
func (s *scene) pool(want stock.Quantities) {
	s.Helper()
	want.Left = want.Total - want.Sold
	suite.Same(s, "pool", s.item(key()).Quantities, want)
}

// shelf ends the test unless so many units of the goods are in ordinary stock, none of them locked.
func (s *scene) shelf(want int64) {
	s.Helper()
	got := s.item(stock.Key{SKU: goods}).Quantities
	if got.Left != want || got.Locked != 0 {
		s.Fatalf("ordinary stock is %+v, want %d left and none locked", got, want)
	}
}

// shown returns the product, and ends the test unless it is in a state.
func (s *scene) shown(want groupbuy.ProductState) groupbuy.Product {
	s.Helper()
	offer := suite.Must(s.groups.Product(s.Context(), key()))
	suite.Same(s, "state of the product", offer.State, want)
	return offer.Product
}

// sweep expires until there is nothing to do, and returns how much that was.
func (s *scene) sweep() int {
	s.Helper()
	total := 0
	for range 20 {
		n := suite.Must(s.groups.Expire(s.Context()))
		if n == 0 {
			return total
		}
		total += n
	}
	s.Fatalf("Expire does not come to an end: %d changes", total)
	return 0
}

// books are all that is kept in a scene.
type books struct {
	Activities []groupbuy.Activity
	Products   []groupbuy.Product
	Teams      []groupbuy.Team
	Seats      []groupbuy.Seat
	Events     []event.Event
	Items      []stock.Item
	Holds      []stock.Hold
}

// everything returns all that is kept.
func (s *scene) everything() any {
	s.Helper()
	b := books{Activities: suite.Listed(s, s.groups.Activities(s.Context())), Teams: s.teams()}
	for _, a := range b.Activities {
		b.Products = append(b.Products, suite.Listed(s, s.groups.Products(s.Context(), a.ID))...)
	}
	for _, t := range b.Teams {
		b.Seats = append(b.Seats, s.members(t.Code)...)
		b.Events = append(b.Events, s.told(t.Code)...)
	}
	b.Items = suite.Listed(s, s.ordinary().Items(s.Context()))
	b.Holds = suite.Listed(s, s.ordinary().Holds(s.Context(), stock.Filter{}))
	return b
}

// unchanged ends the test unless a call changes nothing that is kept.
func (s *scene) unchanged(call func()) {
	s.Helper()
	was := s.everything()
	call()
	suite.Same(s, "the books", s.everything(), was)
}
