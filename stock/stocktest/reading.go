package stocktest

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func readingCases() []testCase {
	return []testCase{
		{Name: "ItemThatIsUnknownIsNotFound", Run: itemUnknown},
		{Name: "ItemsListsByKey", Run: itemsByKey},
		{Name: "ItemsPagesAndStops", Run: itemsPages},
		{Name: "HoldsListsByFilter", Run: holdsByFilter},
		{Name: "HoldsPagesAndStops", Run: holdsPages},
		{Name: "MissingNamesTheOrdersWithoutAHold", Run: missingOrders},
		{Name: "MissingTakesAsManyOrdersAsThereMayBe", Run: mostMissing},
		{Name: "ListingsEndWithTheFirstError", Run: listingsEnd},
		{Name: "HoldOfTheDeadIsAsItIs", Run: holdOfTheDead},
		{Name: "ResultsBelongToTheCaller", Run: resultsBelongToTheCaller},
	}
}

func itemUnknown(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	for _, key := range []stock.Key{sku(2), pool(1, 7)} {
		for _, err := range []error{
			suite.Err(s.inv.Item(s.Context(), key)), suite.Err(s.inv.For("5").Usage(s.Context(), key)),
			suite.Err(s.inv.Audit(s.Context(), sku(1), key)), suite.Err(s.inv.Repair(s.Context(), key)),
		} {
			s.itemRefuses(err, key, stock.ErrUnknownSKU)
		}
	}
	s.usage("5", sku(1), stock.Usage{})
	suite.Same(s, "orders", s.orders(stock.Filter{}), nil)
}

func itemsByKey(s *scene) {
	for _, key := range []stock.Key{pool(2, 7), sku(10), sku(2), pool(1, 9), sku(1)} {
		s.define(key, key.SKU, stock.Terms{SPU: key.Activity})
	}
	want := []stock.Key{sku(1), pool(1, 9), sku(2), pool(2, 7), sku(10)}
	var got []stock.Key
	for _, item := range suite.Listed(s, s.inv.Items(s.Context())) {
		got = append(got, item.Key)
		suite.Same(s, "item", item, s.item(item.Key))
	}
	suite.Same(s, "keys", got, want)
}

func itemsPages(s *scene) {
	const full = 400 // two pages of the library
	suite.Pages(s, full, []int{1, 200, 201}, func(from, to int) {
		s.Each(suite.Crowd(to-from, 8, func(i int) error {
			return suite.Err(s.inv.Define(s.Context(), sku(int64(from+i+1)), 1, stock.Terms{}))
		}))
	}, func() iter.Seq2[stock.Item, error] {
		return s.inv.Items(s.Context())
	}, func(n int, item stock.Item) {
		suite.Same(s, "key", item.Key, sku(int64(n+1)))
	})
	s.Count("items audited", suite.Must(s.inv.Audit(s.Context())).Items, full+1)
}

// orders returns the orders of a listing.
func (s *scene) orders(filter stock.Filter) []string {
	s.Helper()
	var orders []string
	for _, h := range suite.Listed(s, s.inv.Holds(s.Context(), filter)) {
		suite.Same(s, "hold", h, s.holdOf(h.Order))
		orders = append(orders, h.Order)
	}
	return orders
}

func holdsByFilter(s *scene) {
	s.fill(100, sku(1), sku(2), pool(1, 7))
	s.lock("z locked", units(1, 1), units(2, 1))
	s.Advance(time.Microsecond)
	s.lock("b locked", units(1, 1))
	s.lock("a locked", units(1, 1))
	s.buy("paid", units(1, 1))
	s.buy("redeemed", units(2, 1))
	s.No(suite.Err(s.inv.Redeem(s.Context(), "redeemed")))
	s.buy("refunded", units(1, 1))
	s.refund("r", "refunded")
	s.lock("cancelled", units(1, 1))
	s.No(suite.Err(s.inv.Cancel(s.Context(), "cancelled")))
	s.No(suite.Err(s.inv.Cancel(s.Context(), "never locked")))
	s.lock("expired", stock.Line{SKU: 1, Activity: 7, Num: 1})
	s.No(suite.Err(s.inv.Shorten(s.Context(), "expired", s.now())))
	s.No(suite.Err(s.inv.Expire(s.Context())))

	all := []string{"a locked", "b locked", "cancelled", "expired", "never locked", "paid", "redeemed", "refunded", "z locked"}
	suite.Same(s, "all orders", s.orders(stock.Filter{}), all)
	suite.Same(s, "in two states", s.orders(stock.Filter{States: []stock.State{stock.Redeemed, stock.Paid, stock.Paid}}),
		[]string{"paid", "redeemed"})
	suite.Same(s, "cancelled", s.orders(stock.Filter{States: []stock.State{stock.Cancelled}}), []string{"cancelled", "never locked"})
	suite.Same(s, "expired", s.orders(stock.Filter{States: []stock.State{stock.Expired}}), []string{"expired"})
	suite.Same(s, "of SKU 1", s.orders(stock.Filter{Key: sku(1)}), // by state, deadline, order
		[]string{"z locked", "a locked", "b locked", "paid", "refunded", "cancelled"})
	suite.Same(s, "of SKU 1 in two states", s.orders(stock.Filter{Key: sku(1), States: []stock.State{stock.Paid, stock.Locked, stock.Paid}}),
		[]string{"z locked", "a locked", "b locked", "paid"})
	suite.Same(s, "of SKU 2", s.orders(stock.Filter{Key: sku(2)}), []string{"z locked", "redeemed"})
	suite.Same(s, "of the pool", s.orders(stock.Filter{Key: pool(1, 7)}), []string{"expired"})
	suite.Same(s, "of an unknown item", s.orders(stock.Filter{Key: sku(9)}), nil)
}

// holdsPages lists more holds than a page has, many of them with the same deadline.
func holdsPages(s *scene) {
	const orders = 450
	s.define(sku(1), orders, stock.Terms{})
	lock := func(from, to int) {
		s.Helper()
		s.Each(suite.Crowd(to-from, 16, func(i int) error {
			return suite.Err(s.inv.Lock(s.Context(), fmt.Sprintf("%03d", from+i), units(1, 1)))
		}))
	}
	lock(200, orders)
	s.Advance(time.Microsecond)
	lock(0, 200)
	s.Each(suite.Crowd(orders/9, 16, func(i int) error { return suite.Err(s.inv.Pay(s.Context(), fmt.Sprintf("%03d", 9*i))) }))
	byOrder := func(a, b stock.Hold) int { return cmp.Compare(a.Order, b.Order) }
	byState := func(a, b stock.Hold) int {
		return cmp.Or(cmp.Compare(a.State, b.State), a.Deadline.Compare(b.Deadline), cmp.Compare(a.Order, b.Order))
	}
	for _, listing := range []struct {
		filter stock.Filter
		order  func(a, b stock.Hold) int
		want   int
	}{
		{stock.Filter{}, byOrder, orders},
		{stock.Filter{States: []stock.State{stock.Locked}}, byOrder, orders - orders/9},
		{stock.Filter{Key: sku(1)}, byState, orders},
		{stock.Filter{Key: sku(1), States: []stock.State{stock.Locked}}, byState, orders - orders/9},
	} {
		holds := suite.Listed(s, s.inv.Holds(s.Context(), listing.filter))
		s.Count("holds", len(holds), listing.want)
		if !slices.IsSortedFunc(holds, listing.order) {
			s.Fatalf("%+v: out of order", listing.filter)
		}
		s.Count("different holds", len(slices.CompactFunc(holds, func(a, b stock.Hold) bool { return a.Order == b.Order })), listing.want)
		for _, stop := range []int{1, 200, 201} {
			n := 0
			for _, err := range s.inv.Holds(s.Context(), listing.filter) {
				s.No(err)
				if n++; n == stop {
					break
				}
			}
			s.Count("holds until it stops", n, stop)
		}
	}
}

// missingOrders asks for orders in each state, for those that were closed before they had a hold, and for unknown ones.
func missingOrders(s *scene) {
	s.define(sku(1), 100, stock.Terms{})
	for _, order := range []string{"cancelled", "dead", "expired"} {
		s.lock(order, units(1, 1))
	}
	s.No(suite.Err(s.inv.Cancel(s.Context(), "cancelled")))
	s.No(suite.Err(s.inv.Shorten(s.Context(), "expired", s.now())))
	s.No(suite.Err(s.inv.Expire(s.Context())))
	s.Advance(hold)
	s.lock("live", units(1, 1))
	for _, order := range []string{"paid", "redeemed", "refunded"} {
		s.buy(order, units(1, 1))
	}
	s.No(suite.Err(s.inv.Redeem(s.Context(), "redeemed")))
	s.refund("r", "refunded")
	s.state("dead", stock.Locked)

	asked := []string{"z unknown", "cancelled", "dead", "voided", "expired", "live", "a unknown", "paid", "redeemed", "resolved", "refunded"}
	missing := func() []string { return suite.Must(s.inv.Missing(s.Context(), asked)) }
	suite.Same(s, "missing", missing(), []string{"z unknown", "voided", "a unknown", "resolved"})
	s.No(suite.Err(s.inv.Cancel(s.Context(), "voided")))
	s.No(suite.Err(s.inv.Resolve(s.Context(), "resolved")))
	suite.Same(s, "missing once two are closed", missing(), []string{"z unknown", "voided", "a unknown", "resolved"})
	s.Is(suite.Err(s.inv.Take(s.Context(), "voided", units(1, 1))), stock.ErrCancelled)
	s.No(suite.Err(s.inv.Take(s.Context(), "a unknown", units(1, 1))))
	suite.Same(s, "missing once one is bought", missing(), []string{"z unknown", "voided", "resolved"})
	suite.Same(s, "the caller's orders", asked[0], "z unknown")

	suite.Same(s, "missing of one that is named twice", suite.Must(s.inv.Missing(s.Context(), []string{"x", "live", "x"})), []string{"x", "x"})
	suite.Same(s, "missing of those that are there", suite.Must(s.inv.Missing(s.Context(), []string{"paid", "live"})), nil)
	suite.Same(s, "missing of none", suite.Must(s.inv.Missing(s.Context(), nil)), nil)
	lookalikes := []string{"LIVE", "live ", "live\x00", "líve"}
	suite.Same(s, "missing of those that look alike", suite.Must(s.inv.Missing(s.Context(), lookalikes)), lookalikes)
}

// mostMissing has orders with a hold among the first and the last of so many, and wherever a store may divide the list.
func mostMissing(s *scene) {
	s.define(sku(1), 100, stock.Terms{})
	orders := make([]string, stock.MaxMissing)
	for i := range orders {
		orders[i] = fmt.Sprint("o", i)
	}
	var want []string
	for i, order := range orders {
		if i%900 == 0 || i == len(orders)-1 {
			s.lock(order, units(1, 1))
		} else {
			want = append(want, order)
		}
	}
	suite.Same(s, "missing", suite.Must(s.inv.Missing(s.Context(), orders)), want)
}

// listingsEnd has a store that lists nothing any more.
func listingsEnd(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	s.lock("a", units(1, 1))
	broken := s.over(suite.Wire{Send: suite.Fails(stock.ErrUnavailable, suite.Every)})
	errs := 0
	for _, err := range broken.Items(s.Context()) {
		s.Is(err, stock.ErrUnavailable)
		errs++
	}
	for _, filter := range []stock.Filter{{}, {Key: sku(1)}} {
		for _, err := range broken.Holds(s.Context(), filter) {
			s.Is(err, stock.ErrUnavailable)
			errs++
		}
	}
	s.Count("errors of three listings", errs, 3)
	s.Is(suite.Err(broken.Audit(s.Context())), stock.ErrUnavailable)
	s.Is(suite.Err(broken.Expire(s.Context())), stock.ErrUnavailable)
}

func holdOfTheDead(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	h := s.lock("a", units(1, 2))
	s.Advance(hold)
	suite.Same(s, "hold", s.state("a", stock.Locked), h)
	suite.Same(s, "holds listed", s.orders(stock.Filter{States: []stock.State{stock.Locked}}), []string{"a"})
	s.counts(sku(1), stock.Quantities{Total: 10, Locked: 2, Left: 10})
}

// resultsBelongToTheCaller scribbles over everything that was passed in and handed out.
func resultsBelongToTheCaller(s *scene) {
	s.fill(10, sku(1), pool(1, 7))
	lines := []stock.Line{{SKU: 1, Activity: 7, Num: 1}, units(1, 1), units(1, 1)}
	asked := slices.Clone(lines)
	h := s.lock("a", lines...)
	suite.Same(s, "the caller's lines", lines, asked)
	clear(lines)
	clear(h.Lines)
	clear(s.holdOf("a").Lines)
	suite.Same(s, "hold", s.holdOf("a").Lines, []stock.HoldLine{{Line: units(1, 2)}, {Line: asked[0]}})
	s.pay("a")

	refunded := slices.Clone(asked[:2])
	slices.Reverse(refunded)
	r := suite.Must(s.inv.Refund(s.Context(), stock.Refund{ID: "r", Order: "a", Lines: refunded}))
	clear(refunded)
	clear(r.Refund.Lines)
	r = suite.Must(s.inv.Refund(s.Context(), stock.Refund{ID: "r", Order: "a", Lines: asked[:2]}))
	suite.Same(s, "refund", r.Refund.Lines, []stock.Line{asked[1], asked[0]})

	moves := []stock.TransferLeg{{SKU: 1, From: 7, To: 0, Num: stock.Rest}}
	moved := suite.Must(s.inv.Transfer(s.Context(), "t", moves...))
	suite.Same(s, "the caller's moves", moves, []stock.TransferLeg{{SKU: 1, From: 7, To: 0, Num: stock.Rest}})
	clear(moved.Moves)
	suite.Same(s, "moves", suite.Must(s.inv.Transfer(s.Context(), "t", moves...)).Moves, []stock.TransferLeg{{SKU: 1, From: 7, To: 0, Num: 9}})
}
