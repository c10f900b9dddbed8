package stocktest

import (
	"fmt"
	"strings"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func auditCases() []testCase {
	return []testCase{
		{Name: "AuditNamesEachDrift", Run: auditNames},
		{Name: "AuditNamesTheDriftOfABuyer", Run: auditBuyer},
		{Name: "AuditOfNamedItems", Run: auditNamed},
		{Name: "RepairNeverTakesSalesBackUnlessTold", Run: repairKeepsSales},
		{Name: "RepairIsRecordedAndHappensOnce", Run: repairOnce},
		{Name: "RepairConcurrentlyAndUnderTraffic", Run: repairUnderTraffic},
		{Name: "RepairRefusesWhatTheHoldsDoNotAllow", Run: repairImpossible},
		{Name: "DriftRefusesChangesUntilItIsRepaired", Run: driftRefuses},
		{Name: "DriftOfOneOrderDoesNotKeepASweepFromTheOthers", Run: driftSweep},
		{Name: "DriftOfOneOrderIsNotTheErrorOfAnother", Run: driftLock},
	}
}

// damage changes counters behind the back of the holds, as somebody with a SQL prompt would.
func (s *scene) damage(id string, entries ...stock.Entry) {
	s.Helper()
	verdict := suite.Must(s.Store.Apply(s.Context(), stock.Change{Kind: stock.KindRepair, ID: id, Entries: entries}))
	suite.Same(s, "verdict of the damage", verdict, stock.Done)
}

// drifts audits all items and returns what it found.
func (s *scene) drifts() []stock.Drift {
	s.Helper()
	report := suite.Must(s.inv.Audit(s.Context()))
	return report.Drifts
}

func auditNames(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	s.buy("a", units(1, 3))
	s.lock("b", units(1, 2))
	s.refund("r", "a", units(1, 1))
	right := stock.Quantities{Total: 10, Sold: 2, Locked: 2, Left: 8, Refunded: 1}
	drift := func(quantity string, counted, recount int64) stock.Drift {
		return stock.Drift{Key: sku(1), Quantity: quantity, Counted: counted, Recount: recount}
	}
	for i, c := range []struct {
		delta stock.Quantities
		want  []stock.Drift
	}{
		{stock.Quantities{Locked: 3}, []stock.Drift{drift("locked", 5, 2)}},
		{stock.Quantities{Locked: -2}, []stock.Drift{drift("locked", 0, 2)}},
		{stock.Quantities{Refunded: 7}, []stock.Drift{drift("refunded", 8, 1)}},
		{stock.Quantities{Sold: 4, Left: -4}, []stock.Drift{drift("sold", 6, 2), drift("left", 4, 8)}},
		{stock.Quantities{Sold: -2, Left: 2}, []stock.Drift{drift("sold", 0, 2), drift("left", 10, 8)}},
		{stock.Quantities{Total: 5, Left: 5}, []stock.Drift{drift("total", 15, 10), drift("left", 13, 8)}},
		{stock.Quantities{Total: -1, Sold: -1}, []stock.Drift{drift("total", 9, 10), drift("sold", 1, 2)}},
	} {
		s.damage(fmt.Sprint("damage ", i), stock.Entry{Key: sku(1), Delta: c.delta})
		for range 2 { // an audit changes nothing
			suite.Same(s, "drifts", s.drifts(), c.want)
		}
		report := suite.Must(s.inv.RepairBackOnSale(s.Context(), sku(1)))
		suite.Same(s, "report", report, stock.Report{Items: 1, Drifts: c.want, Repaired: 1})
		s.counts(sku(1), right)
	}
	suite.Same(s, "by", drift("locked", 5, 2).By(), 3)
}

// repairKeepsSales has an item count more sales than its holds claim, as it does when somebody has deleted these.
func repairKeepsSales(s *scene) {
	s.define(sku(1), 10, stock.Terms{PerBuyer: 9})
	s.define(sku(2), 0, stock.Terms{Unlimited: true})
	s.damage("damage",
		stock.Entry{Key: sku(1), Delta: stock.Quantities{Total: 2, Sold: 4, Locked: 1, Left: -2, Refunded: 3}},
		stock.Entry{Key: sku(1), Buyer: "5", Delta: stock.Quantities{Locked: 1, Sold: 4}, Holds: 1},
		stock.Entry{Key: sku(2), Delta: stock.Quantities{Sold: 4}})
	kept := []stock.Drift{
		{Key: sku(1), Quantity: "sold", Counted: 4}, {Key: sku(1), Quantity: "refunded", Counted: 3},
		{Key: sku(1), Buyer: "5", Quantity: "bought", Counted: 4}, {Key: sku(2), Quantity: "sold", Counted: 4},
	}
	for n := range 2 { // what can be is corrected by the first
		report, err := s.inv.Repair(s.Context())
		s.Is(err, stock.ErrDrift)
		for _, d := range kept {
			if !strings.Contains(err.Error(), d.String()) {
				s.Fatalf("%q does not name %v", err, d)
			}
		}
		suite.Same(s, "left as it is", report.Kept, kept)
		s.Count("repaired", report.Repaired, 1-n)
		s.counts(sku(1), stock.Quantities{Total: 10, Sold: 4, Left: 6, Refunded: 3})
		s.counts(sku(2), stock.Quantities{Sold: 4})
		s.usage("5", sku(1), stock.Usage{Bought: 4})
	}
	s.Is(suite.Err(s.inv.RepairBackOnSale(s.Context())), stock.ErrInvalid)
	report := suite.Must(s.inv.RepairBackOnSale(s.Context(), sku(1), sku(2)))
	s.Count("left as they are", len(report.Kept), 0)
	s.Count("repaired", report.Repaired, 2)
	s.counts(sku(1), stock.Quantities{Total: 10, Left: 10})
	s.counts(sku(2), stock.Quantities{})
	s.usage("5", sku(1), stock.Usage{})
}

func auditBuyer(s *scene) {
	s.define(sku(1), 10, stock.Terms{PerBuyer: 5})
	s.define(sku(2), 0, stock.Terms{Unlimited: true})
	for buyer := range 3 {
		s.No(suite.Err(s.inv.For(fmt.Sprint(buyer+1)).Lock(s.Context(), fmt.Sprint(buyer+1), units(1, 2), units(2, 1))))
	}
	s.pay("3")
	s.damage("damage",
		stock.Entry{Key: sku(1), Buyer: "1", Delta: stock.Quantities{Locked: -2, Sold: 1}},
		stock.Entry{Key: sku(1), Buyer: "3", Holds: 1},
		stock.Entry{Key: sku(1), Buyer: "9", Delta: stock.Quantities{Sold: 4}}, // who never bought
	)
	s.damage("more damage", stock.Entry{Key: sku(2), Delta: stock.Quantities{Sold: 5}})
	want := []stock.Drift{
		{Key: sku(1), Buyer: "1", Quantity: "held", Counted: 0, Recount: 2},
		{Key: sku(1), Buyer: "1", Quantity: "bought", Counted: 1, Recount: 0},
		{Key: sku(1), Buyer: "3", Quantity: "holds", Counted: 1, Recount: 0},
		{Key: sku(1), Buyer: "9", Quantity: "bought", Counted: 4, Recount: 0},
		{Key: sku(2), Quantity: "sold", Counted: 6, Recount: 1},
	}
	suite.Same(s, "drifts", s.drifts(), want)
	report := suite.Must(s.inv.RepairBackOnSale(s.Context(), sku(1), sku(2)))
	suite.Same(s, "report", report, stock.Report{Items: 2, Drifts: want, Repaired: 2})
	s.usage("1", sku(1), stock.Usage{Held: 2, Holds: 1})
	s.usage("2", sku(1), stock.Usage{Held: 2, Holds: 1})
	s.usage("3", sku(1), stock.Usage{Bought: 2})
	s.usage("9", sku(1), stock.Usage{})
	s.counts(sku(2), stock.Quantities{Sold: 1, Locked: 2})
}

func auditNamed(s *scene) {
	s.fill(10, sku(1), sku(2))
	s.damage("damage", stock.Entry{Key: sku(1), Delta: stock.Quantities{Locked: 1}}, stock.Entry{
		Key: sku(2), Delta: stock.Quantities{Locked: 1},
	})
	report := suite.Must(s.inv.Audit(s.Context(), sku(2)))
	suite.Same(s, "report", report, stock.Report{Items: 1, Drifts: []stock.Drift{{Key: sku(2), Quantity: "locked", Counted: 1}}})
	s.No(suite.Err(s.inv.Repair(s.Context(), sku(2))))
	suite.Same(s, "drifts", s.drifts(), []stock.Drift{{Key: sku(1), Quantity: "locked", Counted: 1}})
	s.No(suite.Err(s.inv.Repair(s.Context())))
}

func repairOnce(s *scene) {
	s.fill(10, sku(1), sku(2))
	s.damage("damage", stock.Entry{Key: sku(1), Delta: stock.Quantities{Locked: 4}})
	reports := make([]stock.Report, 16)
	s.Each(suite.Together(len(reports), func(i int) (err error) {
		reports[i], err = s.inv.Repair(s.Context())
		return err
	}))
	repaired := 0
	for _, report := range reports {
		s.Count("items", report.Items, 2)
		repaired += report.Repaired
	}
	s.Count("repairs", repaired, 1)
	s.counts(sku(1), stock.Quantities{Total: 10, Left: 10})
	change, err := s.Store.Applied(s.Context(), stock.KindRepair, sku(1).Serial(2)) // the damage was the first
	s.No(err)
	suite.Same(s, "record", change, stock.Change{Kind: stock.KindRepair, ID: sku(1).Serial(2), Entries: []stock.Entry{
		{Key: sku(1), Delta: stock.Quantities{Locked: -4}},
	}, At: s.now()})
}

// repairUnderTraffic mends three kinds of damage while the item sells.
func repairUnderTraffic(s *scene) {
	s.define(sku(1), 10_000, stock.Terms{PerBuyer: 10_000})
	for i := range 3 {
		s.damage(fmt.Sprint("damage ", i),
			stock.Entry{Key: sku(1), Delta: stock.Quantities{Locked: 50, Refunded: 3, Total: 7, Left: 7}},
			stock.Entry{Key: sku(1), Buyer: "1", Delta: stock.Quantities{Locked: 40, Sold: 30}, Holds: 20})
	}
	s.Each(suite.Together(10, func(worker int) (err error) {
		for i := 0; i < 20 && err == nil; i++ {
			if worker < 2 {
				_, err = s.inv.RepairBackOnSale(s.Context(), sku(1))
			} else {
				err = s.serve(s.inv.For(fmt.Sprint(worker%3+1)), fmt.Sprintf("%d/%d", worker, i), i%2 == 0)
			}
		}
		return err
	}))
	const sold = 8 * 10 * 2
	s.counts(sku(1), stock.Quantities{Total: 10_000, Sold: sold, Left: 10_000 - sold})
}

// repairImpossible loses the count of what is locked, and then withdraws it: the holds claim
// more than there is. The other items are mended all the same.
func repairImpossible(s *scene) {
	s.fill(10, sku(1), sku(2))
	s.lock("a", units(1, 8))
	s.damage("damage", stock.Entry{Key: sku(1), Delta: stock.Quantities{Locked: -8}}, stock.Entry{
		Key: sku(2), Delta: stock.Quantities{Locked: 1},
	})
	s.No(suite.Err(s.inv.Withdraw(s.Context(), "out", units(1, 5))))
	want := []stock.Drift{{Key: sku(1), Quantity: "locked", Recount: 8}, {Key: sku(2), Quantity: "locked", Counted: 1}}
	report, err := s.inv.Repair(s.Context())
	s.Is(err, stock.ErrDrift)
	suite.Same(s, "report", report, stock.Report{Items: 2, Drifts: want, Repaired: 1})
	s.counts(sku(1), stock.Quantities{Total: 5, Left: 5})
	s.counts(sku(2), stock.Quantities{Total: 10, Left: 10})
	s.No(suite.Err(s.inv.Restock(s.Context(), "in", units(1, 3)))) // as many as were promised
	suite.Same(s, "report", suite.Must(s.inv.Repair(s.Context())), stock.Report{Items: 2, Drifts: want[:1], Repaired: 1})
	s.pay("a")
	s.counts(sku(1), stock.Quantities{Total: 8, Sold: 8})
}

// driftRefuses takes the locked units of an order away from the counter, of the item or of
// its buyer: what would make a counter negative is refused, and works after the repair.
func driftRefuses(s *scene) {
	s.fill(10, sku(1), sku(2))
	for name, entry := range map[string]stock.Entry{
		"item":  {Key: sku(2), Delta: stock.Quantities{Locked: -1}},
		"buyer": {Key: sku(2), Buyer: "5", Delta: stock.Quantities{Locked: -1}},
	} {
		s.No(suite.Err(s.inv.For("5").Lock(s.Context(), name+" pay", units(1, 1), units(2, 1))))
		s.damage("damage to the "+name, entry)
		s.unchanged(sku(1), func() {
			s.unchanged(sku(2), func() {
				s.Is(suite.Err(s.inv.Pay(s.Context(), name+" pay")), stock.ErrDrift)
				s.Is(suite.Err(s.inv.Cancel(s.Context(), name+" pay")), stock.ErrDrift)
			})
		})
		s.state(name+" pay", stock.Locked)
		s.No(suite.Err(s.inv.Repair(s.Context())))
		s.pay(name + " pay")
	}
}

func driftSweep(s *scene) {
	s.fill(10, sku(1), sku(2), sku(3))
	s.lock("a", units(1, 2))
	s.lock("b", units(2, 2), units(3, 1))
	s.lock("c", units(2, 3))
	s.damage("damage", stock.Entry{Key: sku(1), Delta: stock.Quantities{Locked: -1}})
	s.Advance(hold)
	n, err := s.inv.Expire(s.Context())
	s.Is(err, stock.ErrDrift)
	s.Count("released", n, 2)
	s.state("a", stock.Locked)
	s.No(suite.Err(s.inv.Repair(s.Context())))
	s.Count("released", suite.Must(s.inv.Expire(s.Context())), 1)
}

// driftLock has a dead hold that cannot be released in the way of Locks and of a late payment.
func driftLock(s *scene) {
	inv := s.with(stock.Options{LatePay: stock.Reacquire})
	s.define(sku(1), 10, stock.Terms{})
	s.define(sku(2), 4, stock.Terms{})
	s.lock("late", units(2, 1))
	s.Advance(hold)
	s.No(suite.Err(inv.Expire(s.Context())))
	s.lock("bad", units(1, 2), units(2, 2))
	s.lock("dead", units(2, 2))
	s.damage("damage", stock.Entry{Key: sku(1), Delta: stock.Quantities{Locked: -1}})
	s.Advance(hold)
	s.lock("a", units(2, 2))
	s.state("dead", stock.Expired)
	s.shortage(suite.Err(inv.Lock(s.Context(), "b", units(2, 1))), sku(2), 1, 0)
	s.shortage(suite.Err(inv.Lock(s.Context(), "b", units(1, 1), units(2, 1))), sku(2), 1, 0)
	_, err := inv.Pay(s.Context(), "late")
	s.Is(err, stock.ErrExpired)
	s.Is(err, stock.ErrInsufficient)
	s.state("bad", stock.Locked)
	s.No(suite.Err(s.inv.Repair(s.Context())))
	s.No(suite.Err(inv.Pay(s.Context(), "late")))
	s.lock("b", units(2, 1))
}
