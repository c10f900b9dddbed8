package stocktest

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func listCases() []testCase {
	return []testCase{
		{Name: "HoldsOfABuyerAreTheNewestFirst", Run: holdsOfABuyer},
		{Name: "HoldsByDeadline", Run: holdsByDeadline},
		{Name: "HoldsPageByPage", Run: holdPages},
		{Name: "ItemsOfAProductPageByPage", Run: itemsOfAProduct},
		{Name: "ItemsByRank", Run: itemsByRank},
		{Name: "RefundsOfAnOrderPageByPage", Run: refundPages},
		{Name: "ChangesOfAnItemSayWhoAndWhy", Run: changesOfAnItem},
		{Name: "ChangesOfAnItemPageByPage", Run: changePages},
		{Name: "AReplayKeepsWhoWasFirst", Run: replayKeepsWho},
		{Name: "ACursorBelongsToItsList", Run: cursorsOfOtherLists},
	}
}

// ordersOf returns the order numbers of holds.
func ordersOf(holds []stock.Hold) []string {
	orders := make([]string, len(holds))
	for i, h := range holds {
		orders[i] = h.Order
	}
	return orders
}

// paged collects a list page by page, of each size, and ends the test unless it is always the same; it returns the list.
func paged[T any](s *scene, list func(stock.PageRequest) (stock.Page[T], error)) (rows []T) {
	s.Helper()
	for _, limit := range []int{500, 3, 1} {
		again := suite.Paged(s, limit, list)
		if rows != nil {
			suite.Same(s, fmt.Sprintf("list in pages of %d", limit), again, rows)
		}
		rows = again
	}
	return rows
}

func holdsOfABuyer(s *scene) {
	s.fill(100, sku(1), sku(2))
	of := func(buyer string) *stock.Inventory { return s.inv.For(buyer) }
	lock := func(buyer, order string, lines ...stock.Line) {
		s.No(suite.Err(of(buyer).Lock(s.Context(), order, lines...)))
	}
	lock("7", "b", units(1, 1), units(2, 1))
	lock("7", "a", units(1, 1))
	lock("7 ", "x", units(1, 1))
	s.lock("nobody's", units(1, 1))
	s.Advance(time.Microsecond)
	lock("7", "0", units(2, 1))
	s.pay("a")
	lock("7", "c", units(2, 1))
	s.No(suite.Err(s.inv.Cancel(s.Context(), "c")))
	list := func(inv *stock.Inventory, filter stock.Filter) []string {
		s.Helper()
		holds := paged(s, func(page stock.PageRequest) (stock.Page[stock.Hold], error) {
			return inv.HoldsPage(s.Context(), filter, page)
		})
		for _, h := range holds {
			suite.Same(s, "hold", h, s.holdOf(h.Order))
		}
		suite.Same(s, "listing", ordersOf(suite.Listed(s, inv.Holds(s.Context(), filter))), ordersOf(holds))
		return ordersOf(holds)
	}
	suite.Same(s, "mine", list(of("7"), stock.Filter{}), []string{"c", "0", "b", "a"})
	suite.Same(s, "by the filter", list(s.inv, stock.Filter{Buyer: "7"}), []string{"c", "0", "b", "a"})
	suite.Same(s, "to be paid", list(of("7"), stock.Filter{States: []stock.State{stock.Locked}}), []string{"0", "b"})
	suite.Same(s, "paid or cancelled", list(of("7"), stock.Filter{States: []stock.State{stock.Cancelled, stock.Paid}}), []string{"c", "a"})
	suite.Same(s, "of another", list(of("7 "), stock.Filter{}), []string{"x"})
	s.Count("of somebody else", len(list(of("8"), stock.Filter{})), 0)
	for _, filter := range []stock.Filter{{Buyer: "8"}, {Key: sku(1)}, {ByDeadline: true}} {
		s.Is(suite.Err(of("7").HoldsPage(s.Context(), filter, stock.PageRequest{})), stock.ErrInvalid)
	}
}

func holdsByDeadline(s *scene) {
	s.fill(100, sku(1), sku(2))
	s.lock("c", units(1, 1), units(2, 1))
	s.lock("b", units(2, 1))
	s.Advance(time.Microsecond)
	s.lock("a", units(1, 1))
	s.buy("paid", units(1, 1))
	s.No(suite.Err(s.inv.Cancel(s.Context(), "never locked")))
	list := func(states ...stock.State) []string {
		s.Helper()
		filter := stock.Filter{States: states, ByDeadline: true}
		holds := paged(s, func(page stock.PageRequest) (stock.Page[stock.Hold], error) {
			return s.inv.HoldsPage(s.Context(), filter, page)
		})
		suite.Same(s, "listing", ordersOf(suite.Listed(s, s.inv.Holds(s.Context(), filter))), ordersOf(holds))
		return ordersOf(holds)
	}
	suite.Same(s, "locked", list(stock.Locked), []string{"b", "c", "a"})
	suite.Same(s, "paid or locked", list(stock.Paid, stock.Locked), []string{"b", "c", "a", "paid"})
	suite.Same(s, "all", list(), []string{"b", "c", "a", "paid", "never locked"})
	filter := stock.Filter{States: []stock.State{stock.Locked}}
	s.Is(suite.Err(s.inv.HoldsPage(s.Context(), filter, stock.PageRequest{})), stock.ErrInvalid)
}

func holdPages(s *scene) {
	s.fill(1000, sku(1), sku(2))
	s.Each(suite.Crowd(40, 8, func(i int) error {
		return suite.Err(s.inv.Lock(s.Context(), fmt.Sprintf("%02d", i), units(1, 1), units(2, 1)))
	}))
	s.Each(suite.Crowd(13, 8, func(i int) error { return suite.Err(s.inv.Pay(s.Context(), fmt.Sprintf("%02d", 3*i))) }))
	for _, filter := range []stock.Filter{{}, {Key: sku(1)}, {Key: sku(2), States: []stock.State{stock.Paid, stock.Locked}}} {
		listed := suite.Listed(s, s.inv.Holds(s.Context(), filter))
		got := paged(s, func(page stock.PageRequest) (stock.Page[stock.Hold], error) {
			return s.inv.HoldsPage(s.Context(), filter, page)
		})
		suite.Same(s, "pages", got, listed)
		s.Count("holds", len(got), 40)
	}
}

func itemsOfAProduct(s *scene) {
	for _, key := range []stock.Key{pool(2, 7), sku(10), sku(2), pool(1, 9), sku(1)} {
		s.define(key, 10, stock.Terms{SPU: 1 + key.SKU%2})
	}
	list := func(spu int64) (keys []stock.Key) {
		s.Helper()
		filter := stock.ItemFilter{SPU: spu}
		for _, item := range paged(s, func(page stock.PageRequest) (stock.Page[stock.Item], error) {
			return s.inv.ItemsPage(s.Context(), filter, page)
		}) {
			suite.Same(s, "item", item, s.item(item.Key))
			keys = append(keys, item.Key)
		}
		return keys
	}
	suite.Same(s, "all", list(0), []stock.Key{sku(1), pool(1, 9), sku(2), pool(2, 7), sku(10)})
	suite.Same(s, "of product 1", list(1), []stock.Key{sku(2), pool(2, 7), sku(10)})
	suite.Same(s, "of product 2", list(2), []stock.Key{sku(1), pool(1, 9)})
	s.Count("of product 3", len(list(3)), 0)
}

func itemsByRank(s *scene) {
	for n, total := range []int64{30, 10, 20, 10} {
		s.define(sku(int64(n+1)), total, stock.Terms{SPU: int64(1 + n%2)})
	}
	s.define(sku(5), 0, stock.Terms{Unlimited: true})
	s.buy("a", units(1, 25), units(3, 2))
	s.lock("b", units(3, 9))
	inv := s.inv.On(s.Store) // which has read no ranking yet
	list := func(filter stock.ItemFilter) (skus []int64) {
		s.Helper()
		for _, item := range paged(s, func(page stock.PageRequest) (stock.Page[stock.Item], error) {
			return inv.ItemsPage(s.Context(), filter, page)
		}) {
			suite.Same(s, "item", item, s.item(item.Key))
			skus = append(skus, item.SKU)
		}
		return skus
	}
	suite.Same(s, "scarce first", list(stock.ItemFilter{LeastAvailable: true}), []int64{1, 3, 2, 4, 5})
	suite.Same(s, "best sellers", list(stock.ItemFilter{MostSold: true}), []int64{1, 3, 2, 4, 5})
	suite.Same(s, "best sellers of a product", list(stock.ItemFilter{MostSold: true, SPU: 2}), []int64{2, 4})
	s.buy("c", units(2, 3))
	suite.Same(s, "best sellers of a moment ago", list(stock.ItemFilter{MostSold: true}), []int64{1, 3, 2, 4, 5})
	inv = s.inv.On(s.Store)
	suite.Same(s, "best sellers now", list(stock.ItemFilter{MostSold: true}), []int64{1, 2, 3, 4, 5})
	s.Is(suite.Err(inv.ItemsPage(s.Context(), stock.ItemFilter{MostSold: true, LeastAvailable: true}, stock.PageRequest{})), stock.ErrInvalid)
}

func refundPages(s *scene) {
	s.fill(100, sku(1), pool(1, 7))
	s.buy("a", units(1, 9), stock.Line{SKU: 1, Activity: 7, Num: 1})
	s.buy("other", units(1, 1))
	s.refund("r of another", "other")
	list := func(order string) []stock.RefundRecord {
		s.Helper()
		return paged(s, func(page stock.PageRequest) (stock.Page[stock.RefundRecord], error) {
			return s.inv.RefundsPage(s.Context(), order, page)
		})
	}
	s.Count("refunds", len(list("a")), 0)
	s.Is(suite.Err(s.inv.RefundsPage(s.Context(), "unknown", stock.PageRequest{})), stock.ErrNotFound)
	var want []stock.RefundRecord
	for n := range 4 {
		by, refund := s.inv, stock.Refund{ID: fmt.Sprint("r", n), Order: "a", Lines: []stock.Line{units(1, int64(n+1))}, FreesBuyer: n == 1}
		record := stock.RefundRecord{Refund: refund, Frees: n == 1, At: s.now()}
		switch n {
		case 2:
			by, record.Actor, record.Reason = s.inv.By("eve", "broken"), "eve", "broken"
		case 3: // all that is left, in the pool as well
			by, refund.Lines, refund.Restock, record.Restock, record.Whole = s.inv.By("adam", ""), nil, true, true, true
			record.Actor, record.Lines = "adam", []stock.Line{units(1, 3), {SKU: 1, Activity: 7, Num: 1}}
		}
		s.No(suite.Err(by.Refund(s.Context(), refund)))
		s.Advance(time.Second)
		want = append(want, record)
	}
	suite.Same(s, "refunds", list("a"), want)
	s.Balanced()
}

// movements returns the list of the changes of an item.
func (s *scene) movements(key stock.Key) []stock.Change {
	s.Helper()
	return paged(s, func(page stock.PageRequest) (stock.Page[stock.Change], error) {
		return s.inv.ChangesPage(s.Context(), key, page)
	})
}

func changesOfAnItem(s *scene) {
	var want []stock.Change
	add := func(kind stock.Kind, id string, delta stock.Quantities, reason string) {
		change := stock.Change{Kind: kind, ID: id, At: s.now(), Entries: []stock.Entry{{Key: sku(1), Delta: delta}}}
		if reason != "" {
			change.Actor, change.Reason = "eve", reason
		}
		want = slices.Insert(want, 0, change)
		s.Advance(time.Second)
	}
	by := func(reason string) *stock.Inventory { return s.inv.By("eve", reason) }
	s.No(suite.Err(by("spring").Define(s.Context(), sku(1), 10, stock.Terms{})))
	add(stock.KindDefine, sku(1).Serial(1), stock.Quantities{Total: 10}, "spring")
	s.fill(100, sku(2), pool(1, 7))
	version := s.item(sku(1)).Version
	s.No(suite.Err(by("no hoarding").Define(s.Context(), sku(1), 10, stock.Terms{PerBuyer: 3})))
	add(stock.KindDefine, sku(1).Serial(version+1), stock.Quantities{}, "no hoarding")
	s.No(suite.Err(by("again").Define(s.Context(), sku(1), 10, stock.Terms{PerBuyer: 3}))) // which changes nothing
	s.define(sku(1), 10, stock.Terms{})                                                    // by nobody
	s.No(suite.Err(by("a pallet").Restock(s.Context(), "in", units(1, 5), units(2, 1))))
	add(stock.KindRestock, "in", stock.Quantities{Total: 5, Left: 5}, "a pallet")
	s.No(suite.Err(s.inv.Withdraw(s.Context(), "out", units(1, 2))))
	add(stock.KindWithdraw, "out", stock.Quantities{Total: -2, Left: -2}, "")
	s.No(suite.Err(by("for the sale").Transfer(s.Context(), "move", stock.TransferLeg{SKU: 1, To: 7, Num: 4})))
	add(stock.KindTransfer, "move", stock.Quantities{Total: -4, Left: -4}, "for the sale")
	s.buy("a", units(1, 3), units(2, 1))
	s.refund("r0", "a", units(1, 1))
	s.No(suite.Err(by("broken").Refund(s.Context(), stock.Refund{ID: "r1", Order: "a", Lines: []stock.Line{units(1, 2)}})))
	add(stock.KindRefund, "r1", stock.Quantities{Refunded: 2}, "broken")
	damage := stock.Entry{Key: sku(1), Delta: stock.Quantities{Locked: 2}}
	s.answers(stock.Done)(s.Store.Apply(s.Context(), stock.Change{Kind: stock.KindRepair, ID: "damage", Entries: []stock.Entry{damage}}))
	add(stock.KindRepair, "damage", damage.Delta, "")
	s.No(suite.Err(by("after the audit").Repair(s.Context(), sku(1))))
	add(stock.KindRepair, sku(1).Serial(2), stock.Quantities{Locked: -2}, "after the audit")

	suite.Same(s, "changes", s.movements(sku(1)), want)
	s.Count("changes of the pool", len(s.movements(pool(1, 7))), 2)
	s.Is(suite.Err(s.inv.ChangesPage(s.Context(), sku(9), stock.PageRequest{})), stock.ErrUnknownSKU)
	s.Balanced()
}

// changePages lists changes of one moment, and a correction that has rows of buyers as well.
func changePages(s *scene) {
	s.define(sku(1), 100, stock.Terms{})
	for n := range 5 {
		s.No(suite.Err(s.inv.Restock(s.Context(), fmt.Sprint("in ", n), units(1, 1))))
	}
	s.No(suite.Err(s.inv.For("7").Take(s.Context(), "a", units(1, 1))))
	repair := stock.Change{Kind: stock.KindRepair, ID: "damage", Entries: []stock.Entry{
		{Key: sku(1)}, {Key: sku(1), Buyer: "7", Delta: stock.Quantities{Sold: 4}},
	}}
	s.answers(stock.Done)(s.Store.Apply(s.Context(), repair))
	s.No(suite.Err(s.inv.RepairBackOnSale(s.Context(), sku(1))))
	changes := s.movements(sku(1))
	s.Count("changes", len(changes), 8)
	if !slices.IsSortedFunc(changes, func(a, b stock.Change) int {
		return cmp.Or(cmp.Compare(b.Kind.Scope(), a.Kind.Scope()), cmp.Compare(b.ID, a.ID))
	}) {
		s.Fatalf("out of order: %+v", changes)
	}
}

func replayKeepsWho(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	s.buy("a", units(1, 2))
	for _, actor := range []string{"eve", "adam"} {
		by := s.inv.By(actor, "")
		s.No(suite.Err(by.Restock(s.Context(), "in", units(1, 1))))
		s.No(suite.Err(by.Refund(s.Context(), stock.Refund{ID: "r", Order: "a"})))
	}
	for _, c := range s.movements(sku(1)) {
		if c.Kind != stock.KindDefine {
			suite.Same(s, "actor of "+c.ID, c.Actor, "eve")
		}
	}
}

func cursorsOfOtherLists(s *scene) {
	s.fill(10, sku(1), sku(2))
	for n := range 4 {
		s.No(suite.Err(s.inv.For("7").Lock(s.Context(), fmt.Sprint(n), units(1, 1))))
	}
	ctx := s.Context()
	first := suite.Must(s.inv.For("7").HoldsPage(ctx, stock.Filter{}, stock.PageRequest{Limit: 2}))
	s.Count("rows", len(first.Rows), 2)
	page := stock.PageRequest{After: first.Next}
	s.Count("rows", len(suite.Must(s.inv.For("7").HoldsPage(ctx, stock.Filter{}, page)).Rows), 2)
	broken := stock.PageRequest{After: first.Next[1:]}
	for name, call := range map[string]func() error{
		"another buyer": func() error { return suite.Err(s.inv.For("8").HoldsPage(ctx, stock.Filter{}, page)) },
		"another state": func() error {
			return suite.Err(s.inv.For("7").HoldsPage(ctx, stock.Filter{States: []stock.State{stock.Locked}}, page))
		},
		"an item": func() error { return suite.Err(s.inv.HoldsPage(ctx, stock.Filter{Key: sku(1)}, page)) },
		"items":   func() error { return suite.Err(s.inv.ItemsPage(ctx, stock.ItemFilter{}, page)) },
		"refunds": func() error { return suite.Err(s.inv.RefundsPage(ctx, "0", page)) },
		"changes": func() error { return suite.Err(s.inv.ChangesPage(ctx, sku(1), page)) },
		"broken":  func() error { return suite.Err(s.inv.For("7").HoldsPage(ctx, stock.Filter{}, broken)) },
	} {
		s.Invalid(name, call())
	}
}
