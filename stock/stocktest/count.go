package stocktest

import (
	"fmt"
	"strconv"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func countCases() []testCase {
	return []testCase{
		{Name: "CountSetsWhatIsThere", Run: count},
		{Name: "CountTwiceIsOnce", Run: countTwice},
		{Name: "CountOfFewerThanArePromised", Run: countShort},
		{Name: "CountReleasesTheDead", Run: countDead},
		{Name: "CountRefusals", Run: countRefused},
		{Name: "CountUnderTraffic", Run: countUnderTraffic},
		{Name: "CountAtOnceWithOtherCounts", Run: countAtOnce},
		{Name: "CountAfterOtherChanges", Run: countAfter},
		{Name: "CountIsAMovement", Run: countIsAMovement},
	}
}

// count is what a warehouse tells: 80 are there, of which 29 are paid for and not redeemed, and 5 are locked.
func count(s *scene) {
	s.define(sku(1), 100, stock.Terms{})
	s.buy("paid", units(1, 20))
	s.buy("part", units(1, 12))
	s.refund("r", "part", units(1, 3))
	s.buy("gone", units(1, 7))
	s.No(suite.Err(s.inv.Redeem(s.Context(), "gone")))
	s.lock("locked", units(1, 5))
	got := suite.Must(s.inv.Count(s.Context(), "c", sku(1), 80))
	suite.Same(s, "outcome", got, stock.CountOutcome{ID: "c", Key: sku(1), Counted: 80, Changed: -13})
	s.counts(sku(1), stock.Quantities{Total: 87, Sold: 36, Locked: 5, Left: 51, Refunded: 3})
	suite.Same(s, "available", s.item(sku(1)).Available(), 46)
	got = suite.Must(s.inv.Count(s.Context(), "more", sku(1), 90))
	suite.Same(s, "changed", got.Changed, 10)
	got = suite.Must(s.inv.Count(s.Context(), "the same", sku(1), 90))
	suite.Same(s, "changed", got.Changed, 0)
	s.No(suite.Err(s.inv.Redeem(s.Context(), "paid"))) // they leave the warehouse
	suite.Same(s, "changed", suite.Must(s.inv.Count(s.Context(), "after", sku(1), 70)).Changed, 0)
	s.Balanced()
}

func countTwice(s *scene) {
	s.fill(10, sku(1), sku(2))
	first := suite.Must(s.inv.Count(s.Context(), "c", sku(1), 12))
	s.lock("a", units(1, 3))
	s.No(suite.Err(s.inv.Restock(s.Context(), "in", units(1, 5))))
	suite.Replays(s, "outcome", suite.Must(s.inv.Count(s.Context(), "c", sku(1), 12)), first)
	s.counts(sku(1), stock.Quantities{Total: 17, Locked: 3, Left: 17})
	s.differs(suite.Err(s.inv.Count(s.Context(), "c", sku(1), 11)), stock.MismatchError{ID: "c", Field: "units", Recorded: "12", Asked: "11"})
	s.Is(suite.Err(s.inv.Count(s.Context(), "c", sku(2), 12)), stock.ErrMismatch)
	s.Is(suite.Err(s.inv.Count(s.Context(), "in", sku(1), 5)), stock.ErrMismatch)
	s.Is(suite.Err(s.inv.Restock(s.Context(), "c", units(1, 2))), stock.ErrMismatch)
	results := make([]stock.CountOutcome, 8)
	s.Each(suite.Together(len(results), func(i int) (err error) {
		results[i], err = s.inv.Count(s.Context(), "same", sku(2), 3)
		return err
	}))
	suite.Once(s, "count", results)
	s.counts(sku(2), stock.Quantities{Total: 3, Left: 3})
}

// countShort finds 20 units where 29 are paid for and 5 are locked.
func countShort(s *scene) {
	s.define(sku(1), 100, stock.Terms{})
	for n := range 29 {
		s.buy(fmt.Sprintf("paid %02d", n), units(1, 1))
		s.Advance(time.Second)
	}
	s.lock("locked", units(1, 5))
	for _, again := range []bool{false, true} {
		got := suite.Must(s.inv.Count(s.Context(), "c", sku(1), 20))
		suite.Same(s, "orders that it hits", ordersOf(got.Hit), []string{
			"locked", "paid 28", "paid 27", "paid 26", "paid 25", "paid 24", "paid 23", "paid 22", "paid 21", "paid 20",
		})
		got.Hit = nil
		suite.Same(s, "outcome", got, stock.CountOutcome{ID: "c", Key: sku(1), Counted: 20, Changed: -80, Short: 14, Replay: again})
		s.counts(sku(1), stock.Quantities{Total: 20, Sold: 29, Locked: 5, Left: -9, Backordered: 14})
	}
	s.Balanced()
	s.shortage(suite.Err(s.inv.Lock(s.Context(), "more", units(1, 1))), sku(1), 1, 0)
	s.waits(suite.Err(s.inv.Redeem(s.Context(), "paid 20")), "paid 20", sku(1), 1, 1)
	s.No(suite.Err(s.inv.Cancel(s.Context(), "locked")))
	for n := 20; n < 29; n++ {
		order := fmt.Sprintf("paid %02d", n)
		s.No(suite.Err(s.inv.Refund(s.Context(), stock.Refund{ID: order, Order: order, Restock: true})))
	}
	got := suite.Must(s.inv.Count(s.Context(), "again", sku(1), 20))
	suite.Same(s, "outcome", got, stock.CountOutcome{ID: "again", Key: sku(1), Counted: 20})
	s.counts(sku(1), stock.Quantities{Total: 20, Sold: 20, Refunded: 9})
	s.Balanced()
}

func countDead(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	s.lock("dead", units(1, 8))
	s.Advance(hold)
	suite.Same(s, "short", suite.Must(s.inv.Count(s.Context(), "c", sku(1), 3)).Short, 0)
	s.counts(sku(1), stock.Quantities{Total: 3, Left: 3})
	s.state("dead", stock.Expired)
}

func countRefused(s *scene) {
	s.itemRefuses(suite.Err(s.inv.Count(s.Context(), "c", sku(1), 3)), sku(1), stock.ErrUnknownSKU)
	s.define(sku(1), 0, stock.Terms{Unlimited: true})
	s.itemRefuses(suite.Err(s.inv.Count(s.Context(), "c", sku(1), 3)), sku(1), stock.ErrUnlimited)
	s.Invalid("units", suite.Err(s.inv.Count(s.Context(), "c", sku(1), -1)))
	s.Invalid("an ID", suite.Err(s.inv.Count(s.Context(), "", sku(1), 1)))
	s.define(sku(2), 10, stock.Terms{})
	s.buy("gone", units(2, 5))
	s.No(suite.Err(s.inv.Redeem(s.Context(), "gone")))
	s.Is(suite.Err(s.inv.Count(s.Context(), "c", sku(2), 1<<63-1)), stock.ErrOverflow)
	suite.Same(s, "changed", suite.Must(s.inv.Count(s.Context(), "c", sku(2), 0)).Changed, -5) // the refused ID is free
	s.counts(sku(2), stock.Quantities{Total: 5, Sold: 5})
}

// countUnderTraffic counts what the books say while the item sells: no sale is lost, and none comes twice.
func countUnderTraffic(s *scene) {
	s.define(sku(1), 1000, stock.Terms{})
	s.Each(suite.Together(6, func(worker int) (err error) {
		for n := 0; n < 8 && err == nil; n++ {
			if worker == 0 {
				_, err = s.inv.Count(s.Context(), strconv.Itoa(n), sku(1), 1000)
				continue
			}
			err = s.serve(s.inv, fmt.Sprintf("%d/%d", worker, n), worker%2 == 0)
		}
		return err
	}))
	s.counts(sku(1), stock.Quantities{Total: 1000, Sold: 2 * 8 * 2, Left: 1000 - 2*8*2})
	s.Balanced()
}

func countAtOnce(s *scene) {
	s.define(sku(1), 75, stock.Terms{})
	s.buy("a", units(1, 9))
	s.Each(suite.Together(12, func(i int) error {
		if i%3 == 0 {
			return suite.Err(s.inv.Restock(s.Context(), fmt.Sprint("in ", i), units(1, 1)))
		}
		return suite.Err(s.inv.Count(s.Context(), fmt.Sprint("c ", i), sku(1), 80))
	}))
	if left := s.item(sku(1)).Left; left < 71 || left > 75 { // each delivery is in the last count, or came after it
		s.Fatalf("%d are left", left)
	}
	s.Balanced()
}

// countAfter has something happen between the look and the change of a count.
func countAfter(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	between := func(id string, units int64, happens func()) stock.CountOutcome {
		return suite.Must(s.before("Apply", 1, happens).Count(s.Context(), id, sku(1), units))
	}
	between("c1", 20, func() { s.buy("a", units(1, 2)); s.lock("b", units(1, 1)) })
	s.counts(sku(1), stock.Quantities{Total: 20, Sold: 2, Locked: 1, Left: 18})
	got := between("c2", 30, func() { s.No(suite.Err(s.inv.Count(s.Context(), "c3", sku(1), 25))) })
	suite.Same(s, "changed", got.Changed, 5)
	got = between("c4", 2, func() { s.lock("c", units(1, 4)) }) // fewer than are promised by then
	suite.Same(s, "short", got.Short, 5)
	s.counts(sku(1), stock.Quantities{Total: 2, Sold: 2, Locked: 5, Backordered: 5})
	s.Balanced()
}

func countIsAMovement(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	s.lock("a", units(1, 4))
	var effects []stock.Effect
	s.inv = s.with(stock.Options{Hook: record(&effects)})
	s.No(suite.Err(s.inv.By("Lin", "stocktaking").Count(s.Context(), "c", sku(1), 3)))
	suite.Same(s, "effects", effects, []stock.Effect{{Step: stock.StepWithdraw, ID: "c", Lines: []stock.Line{units(1, 7)}}})
	page := suite.Must(s.inv.ChangesPage(s.Context(), sku(1), stock.PageRequest{Limit: 1}))
	suite.Same(s, "movement", page.Rows, []stock.Change{{
		Kind: stock.KindCount, ID: "c", At: s.now(), Actor: "Lin", Reason: "stocktaking",
		Entries: []stock.Entry{{
			Key: sku(1), Delta: stock.Quantities{Total: -7, Left: -7, Backordered: 1}, Asked: 3, Short: 1, Rest: true, Exactly: true,
		}},
	}})
	suite.Same(s, "kind", page.Rows[0].Kind.String(), "count")
}
