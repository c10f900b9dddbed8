package stocktest

import (
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func defineCases() []testCase {
	return []testCase{
		{Name: "DefineMakesAnUnlimitedItemLimited", Run: unlimitedBecomesLimited},
		{Name: "DefineTwiceAtOnceCreatesOneItem", Run: defineTwice},
		{Name: "DefineReturnsTheItemAndKeepsItsUnits", Run: defineReturns},
		{Name: "DefineLimitedBecomesUnlimited", Run: limitedBecomesUnlimited},
		{Name: "DefineConcurrentChangesKeepOne", Run: defineConcurrently},
		{Name: "DefineSwitchesUnderTraffic", Run: defineUnderTraffic},
		{Name: "DefineStaleSwitchIsRefused", Run: defineStale},
	}
}

func unlimitedBecomesLimited(s *scene) {
	s.define(sku(1), 0, stock.Terms{Unlimited: true})
	s.buy("sold", units(1, 7))
	s.lock("locked", units(1, 5))
	for _, total := range []int64{10, 0, 11} {
		s.unchanged(sku(1), func() {
			_, err := s.inv.Define(s.Context(), sku(1), total, stock.Terms{})
			s.Is(err, stock.ErrInUse)
			suite.Same(s, "error", *suite.As[*stock.InUseError](s, err), stock.InUseError{Key: sku(1), Wanted: total, Sold: 7, Locked: 5})
		})
	}
	s.define(sku(1), 12, stock.Terms{})
	s.counts(sku(1), stock.Quantities{Total: 12, Sold: 7, Locked: 5, Left: 5})
	s.shortage(suite.Err(s.inv.Lock(s.Context(), "more", units(1, 1))), sku(1), 1, 0)
	s.pay("locked")
	s.counts(sku(1), stock.Quantities{Total: 12, Sold: 12})
}

func defineTwice(s *scene) {
	items := make([]stock.Item, 16)
	s.Each(suite.Together(len(items), func(i int) (err error) {
		items[i], err = s.inv.Define(s.Context(), sku(1), 10, stock.Terms{SPU: 3})
		return err
	}))
	for _, item := range items {
		suite.Same(s, "item", item, s.item(sku(1)))
	}
	s.counts(sku(1), stock.Quantities{Total: 10, Left: 10})
	s.define(pool(1, 7), 3, stock.Terms{}) // another pool is another item
	s.counts(sku(1), stock.Quantities{Total: 10, Left: 10})
}

func defineReturns(s *scene) {
	now := s.now()
	zone := time.FixedZone("elsewhere", 3600)
	terms := stock.Terms{
		SPU: 9, OffShelf: true, Start: now.Add(-time.Hour).In(zone), End: now.Add(time.Hour).In(zone),
		PerOrder: 1, PerBuyer: 2, LiveHolds: 3,
	}
	item := s.define(pool(1, 7), 10, terms)
	terms.Start, terms.End = terms.Start.UTC(), terms.End.UTC()
	suite.Same(s, "item", item, stock.Item{
		Key: pool(1, 7), Terms: terms, Quantities: stock.Quantities{Total: 10, Left: 10},
		Version: 1, CreatedAt: now, UpdatedAt: now,
	})
	suite.Same(s, "item read again", s.item(pool(1, 7)), item)
	suite.Same(s, "item defined again", s.define(pool(1, 7), 10, terms), item)

	s.Advance(time.Minute) // each of the terms can go again
	item = s.define(pool(1, 7), 10, stock.Terms{})
	suite.Same(s, "terms", item.Terms, stock.Terms{})
	s.counts(pool(1, 7), stock.Quantities{Total: 10, Left: 10})
	s.SameTime("CreatedAt", item.CreatedAt, now)
	s.SameTime("UpdatedAt", item.UpdatedAt, now.Add(time.Minute))
	if item.Version <= 1 {
		s.Fatalf("version is %d after a change", item.Version)
	}
	s.lock("a", stock.Line{SKU: 1, Activity: 7, Num: 4})
	s.define(pool(1, 7), 10, stock.Terms{PerOrder: 5})
	s.define(pool(1, 7), 10, stock.Terms{})
	s.counts(pool(1, 7), stock.Quantities{Total: 10, Locked: 4, Left: 10})
}

func limitedBecomesUnlimited(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	s.No(suite.Err(s.inv.Restock(s.Context(), "in", units(1, 5))))
	s.buy("a", units(1, 4))
	s.lock("b", units(1, 3))
	s.define(sku(1), 0, stock.Terms{Unlimited: true})
	s.counts(sku(1), stock.Quantities{Sold: 4, Locked: 3})
	s.lock("c", units(1, 1000))
	s.pay("b")
	s.refund("r", "a")
	s.counts(sku(1), stock.Quantities{Sold: 3, Locked: 1000, Refunded: 4})
	s.No(suite.Err(s.inv.Cancel(s.Context(), "c")))
	s.define(sku(1), 5, stock.Terms{}) // and back, with what is sold
	s.counts(sku(1), stock.Quantities{Total: 5, Sold: 3, Left: 2, Refunded: 4})
	s.refund("r2", "b")
	s.counts(sku(1), stock.Quantities{Total: 5, Left: 5, Refunded: 7})
	s.No(suite.Err(s.inv.Restock(s.Context(), "in", units(1, 5)))) // still the replay of what came before
	s.counts(sku(1), stock.Quantities{Total: 5, Left: 5, Refunded: 7})
}

func defineConcurrently(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	s.Each(suite.Together(12, func(i int) error {
		return suite.Err(s.inv.Define(s.Context(), sku(1), 10, stock.Terms{SPU: int64(i + 1), PerOrder: int64(i + 1)}))
	}))
	terms := s.item(sku(1)).Terms
	if terms.SPU != terms.PerOrder || terms.SPU == 0 {
		s.Fatalf("the terms are a mixture: %+v", terms)
	}
	s.counts(sku(1), stock.Quantities{Total: 10, Left: 10})
}

// defineUnderTraffic switches an item to and fro while it sells.
func defineUnderTraffic(s *scene) {
	s.define(sku(1), 100_000, stock.Terms{})
	s.Each(suite.Together(8, func(worker int) (err error) {
		for i := 0; i < 15 && err == nil; i++ {
			switch {
			case worker > 0:
				err = s.serve(s.inv, fmt.Sprintf("%d/%d", worker, i), worker%2 == 0)
			case i%2 == 0:
				_, err = s.inv.Define(s.Context(), sku(1), 0, stock.Terms{Unlimited: true})
			default:
				_, err = s.inv.Define(s.Context(), sku(1), 100_000, stock.Terms{})
			}
		}
		return err
	}))
	s.counts(sku(1), stock.Quantities{Sold: 3 * 15 * 2})
}

// defineStale replays, at the store, a switch whose item has changed to and fro since it was
// looked at.
func defineStale(s *scene) {
	limited := s.define(sku(1), 10, stock.Terms{})
	unlimited := s.define(sku(1), 0, stock.Terms{Unlimited: true})
	verdict := suite.Must(s.setTerms(limited, stock.Terms{Unlimited: true}, 0))
	suite.Same(s, "switch of an item that was switched", verdict, stock.Refused)
	s.define(sku(1), 10, stock.Terms{}) // looks again as it did
	verdict = suite.Must(s.setTerms(limited, stock.Terms{Unlimited: true}, 0))
	suite.Same(s, "switch whose serial is taken", verdict, stock.Refused)
	s.Balanced()
	verdict = suite.Must(s.setTerms(stock.Item{Key: sku(9), Terms: unlimited.Terms}, stock.Terms{}, 0))
	suite.Same(s, "change of an item that does not exist", verdict, stock.Refused)
	s.lock("a", units(1, 10))
	s.define(sku(1), 0, stock.Terms{Unlimited: true})
	verdict = suite.Must(s.setTerms(s.item(sku(1)), stock.Terms{}, 9))
	suite.Same(s, "switch to fewer than are locked", verdict, stock.Refused)
}
