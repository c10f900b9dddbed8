package stocktest

import (
	"fmt"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func identifierCases() []testCase {
	return []testCase{
		{Name: "IdentifiersOfOrdersAreComparedByteForByte", Run: identifiersOfOrders},
		{Name: "IdentifiersOfRefundsAreComparedByteForByte", Run: identifiersOfRefunds},
		{Name: "IdentifiersOfChangesAreComparedByteForByte", Run: identifiersOfChanges},
		{Name: "IdentifiersOfOrdersRefundsAndChangesDoNotMeet", Run: identifiersApart},
		{Name: "IdentifiersOfBuyersAreComparedByteForByte", Run: identifiersOfBuyers},
		{Name: "IdentifiersOfItemsSpanInt64", Run: identifiersOfItems},
	}
}

func identifiersOfOrders(s *scene) {
	ids := suite.Lookalikes(64)
	s.define(sku(1), 1000, stock.Terms{})
	for i, id := range ids {
		h := s.lock(id, units(1, int64(i+1)))
		suite.Same(s, "order", h.Order, id)
	}
	// Every other one is paid, the others cancelled: each has its own units and state.
	locked, sold := int64(0), int64(0)
	for i, id := range ids {
		switch i % 4 {
		case 0, 2:
			s.pay(id)
			sold += int64(i + 1)
		case 1:
			s.No(suite.Err(s.inv.Cancel(s.Context(), id)))
		case 3:
			locked += int64(i + 1)
		}
	}
	s.counts(sku(1), stock.Quantities{Total: 1000, Sold: sold, Locked: locked, Left: 1000 - sold})
	listed := map[string]bool{}
	for _, h := range suite.Listed(s, s.inv.Holds(s.Context(), stock.Filter{})) {
		listed[h.Order] = true
	}
	s.Count("orders listed", len(listed), len(ids))
	for i, id := range ids {
		h := suite.Must(s.inv.Hold(s.Context(), id))
		suite.Same(s, fmt.Sprintf("line of %q", id), h.Lines[0].Num, int64(i+1))
		suite.Same(s, fmt.Sprintf("order %q listed", id), listed[id], true)
	}
}

func identifiersOfRefunds(s *scene) {
	ids := suite.Lookalikes(64)
	s.define(sku(1), 100, stock.Terms{})
	s.buy("a", units(1, 100))
	for range 2 { // the second round replays the first
		for _, id := range ids {
			got := suite.Must(s.inv.Refund(s.Context(), stock.Refund{ID: id, Order: "a", Restock: true, Lines: []stock.Line{units(1, 1)}}))
			suite.Same(s, "refund", got.Refund.ID, id)
		}
	}
	n := int64(len(ids))
	s.counts(sku(1), stock.Quantities{Total: 100, Sold: 100 - n, Left: n, Refunded: n})
}

func identifiersOfChanges(s *scene) {
	s.define(sku(1), 0, stock.Terms{})
	for range 2 {
		for i, id := range suite.Lookalikes(64) {
			s.No(suite.Err(s.inv.Restock(s.Context(), id, units(1, int64(i+1)))))
		}
	}
	n := int64(len(suite.Lookalikes(64)))
	s.counts(sku(1), stock.Quantities{Total: n * (n + 1) / 2, Left: n * (n + 1) / 2})
}

// identifiersApart uses one ID for an order, a refund and a change: each has its own numbers.
func identifiersApart(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	s.No(suite.Err(s.inv.Restock(s.Context(), "x", units(1, 5))))
	s.buy("x", units(1, 3))
	s.refund("x", "x", units(1, 1))
	s.counts(sku(1), stock.Quantities{Total: 15, Sold: 2, Left: 13, Refunded: 1})
	// An operator may use what looks like a serial of the library itself.
	s.No(suite.Err(s.inv.Restock(s.Context(), sku(1).Serial(1), units(1, 1))))
	s.No(suite.Err(s.inv.Restock(s.Context(), sku(1).Serial(2), units(1, 1))))
	s.counts(sku(1), stock.Quantities{Total: 17, Sold: 2, Left: 15, Refunded: 1})
}

// identifiersOfBuyers lets each buyer have two units: nobody has used up what another may have. Each call names a buyer that some
// store may take for the one of the call before.
func identifiersOfBuyers(s *scene) {
	ids := suite.Lookalikes(64)
	s.define(sku(1), 1000, stock.Terms{PerBuyer: 2})
	for round := range 2 {
		for i, id := range ids {
			suite.Same(s, "buyer", suite.Must(s.inv.For(id).Lock(s.Context(), fmt.Sprint(round, "-", i), units(1, 1))).Buyer, id)
		}
	}
	for i, id := range ids {
		_, err := s.inv.For(id).Lock(s.Context(), "one too many", units(1, 1))
		s.Is(err, stock.ErrPerBuyer)
		suite.Same(s, "buyer", suite.As[*stock.LimitError](s, err).Buyer, id)
		suite.Same(s, "buyer", s.state(fmt.Sprint("0-", i), stock.Locked).Buyer, id)
		s.usage(id, sku(1), stock.Usage{Held: 2, Holds: 2})
		s.pay(fmt.Sprint("1-", i))
		s.usage(id, sku(1), stock.Usage{Held: 1, Bought: 1, Holds: 1})
	}
}

func identifiersOfItems(s *scene) {
	const last = 1<<63 - 1
	keys := []stock.Key{{SKU: 1}, {SKU: 1, Activity: 1}, {SKU: 1, Activity: last}, {SKU: last}, {SKU: last, Activity: last}}
	for i, key := range keys {
		s.define(key, int64(i+1), stock.Terms{SPU: last})
		s.No(suite.Err(s.inv.For("b").Lock(s.Context(), key.String(), stock.Line{SKU: key.SKU, Activity: key.Activity, Num: int64(i + 1)})))
	}
	for i, key := range keys {
		s.counts(key, stock.Quantities{Total: int64(i + 1), Locked: int64(i + 1), Left: int64(i + 1)})
		s.usage("b", key, stock.Usage{Held: int64(i + 1), Holds: 1})
	}
}
