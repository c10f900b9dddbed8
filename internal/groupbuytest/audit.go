package groupbuytest

import (
	"fmt"

	"context"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

func auditCases() []testCase {
	return []testCase{
		{Name: "AuditFindsNothingWhereNothingIsWrong", Run: auditClean},
		{Name: "AuditNamesEachDriftByHowMuch", Run: auditNames},
		{Name: "AuditNamesDriftOfTheUnits", Run: auditUnits},
		{Name: "AuditOfSomeProducts", Run: auditSome},
		{Name: "AuditUnderTraffic", Run: auditTraffic},
	}
}

// repairCases are about damage that is mended.
func repairCases() []testCase {
	return []testCase{
		{Name: "RepairCorrectsTheCountsOfATeam", Run: repairCounts},
		{Name: "RepairCorrectsThePeopleOfAProduct", Run: repairFormed},
		{Name: "RepairCorrectsTheUnits", Run: repairUnits},
		{Name: "RepairNeverTakesPaymentsBackUnlessTold", Run: repairKeepsPayments},
		{Name: "RepairLeavesAloneWhatIsRight", Run: repairNothing},
		{Name: "RepairOfATeamThatIsFull", Run: repairFull},
	}
}

// audited audits products and returns the report.
func (s *scene) audited(keys ...stock.Key) groupbuy.Report {
	return suite.Must(s.groups.Audit(s.Context(), keys...))
}

// repaired repairs products and returns the report.
func (s *scene) repaired(keys ...stock.Key) groupbuy.Report {
	return suite.Must(s.groups.Repair(s.Context(), keys...))
}

// damage changes what a team counts of its seats behind the back of these.
func (s *scene) damage(code string, change func(*groupbuy.Counts)) {
	s.Helper()
	for _, book := range s.books() {
		if book.Code == code {
			change(&book.Recount)
			s.answers(stock.Done)(s.Store.Correct(s.Context(), book))
			return
		}
	}
	s.Fatalf("there is no team %q", code)
}

// books returns the books of the product.
func (s *scene) books() []groupbuy.TeamBook {
	return suite.Must(s.Store.Books(s.Context(), key(), "", 100))
}

// answers ends the test unless a store gave this verdict.
func (s *scene) answers(want stock.Verdict) func(stock.Verdict, error) {
	return func(got stock.Verdict, err error) {
		s.Helper()
		s.No(err)
		suite.Same(s, "verdict", got, want)
	}
}

// auditClean audits after every step of a journey.
func auditClean(s *scene) {
	s.journey().Made(s, func() {
		s.Balanced()
		suite.Same(s, "balanced", s.audited().Balanced(), true)
	})
	s.journeyEnd()
}

// forgery is a store that reads the books of one team otherwise than they are kept, as if somebody with a SQL prompt
// had been at it.
type forgery struct {
	groupbuy.Store

	code  string
	forge func(b *groupbuy.TeamBook)
}

// Books implements groupbuy.Store.
func (f forgery) Books(ctx context.Context, k stock.Key, after string, limit int) ([]groupbuy.TeamBook, error) {
	books, err := f.Store.Books(ctx, k, after, limit)
	for i := range books {
		if books[i].Code == f.code {
			f.forge(&books[i])
		}
	}
	return books, err
}

func auditNames(s *scene) {
	s.opened(people(5), 90)
	code := s.team([]string{anna, ben, carol}, "1", "2")
	s.refund("2")
	s.open("other", dan)
	named := func(quantity, counted string, forge func(b *groupbuy.TeamBook)) {
		s.Helper()
		report := suite.Must(s.groups.On(forgery{s.Store, code, forge}).Audit(s.Context()))
		suite.Same(s, "drifts", report.Drifts, []groupbuy.Drift{{
			Key: key(), Team: code, Quantity: quantity, Counted: dec(counted), Recount: dec("1"),
		}})
		suite.Same(s, "balanced", report.Balanced(), false)
	}
	named("held", "2", func(b *groupbuy.TeamBook) { b.Held = 2 })
	named("paid", "0", func(b *groupbuy.TeamBook) { b.Paid = 0 })
	named("volume", "0.99", func(b *groupbuy.TeamBook) { b.PaidVolume = dec("0.99") })
	drift := groupbuy.Drift{Key: key(), Team: code, Quantity: "held", Counted: dec("2"), Recount: dec("5")}
	s.sameAmount("by", drift.By(), "-3")
	if text := drift.String(); text == "" || text == (groupbuy.Drift{}).String() {
		s.Fatalf("a drift says %q", text)
	}
	s.damage(code, func(c *groupbuy.Counts) { c.Held = 3 })
	want := []groupbuy.Drift{{Key: key(), Team: code, Quantity: "held", Counted: dec("3"), Recount: dec("1")}}
	suite.Same(s, "drifts", s.audited().Drifts, want)
	suite.Same(s, "drifts", s.audited(key()).Drifts, want) // an audit changes nothing
	s.repaired()
}

// tamper changes the counters of an item behind the back of its holds.
func (s *scene) tamper(id string, k stock.Key, delta stock.Quantities) {
	s.Helper()
	change := stock.Change{Kind: stock.KindRepair, ID: id, Entries: []stock.Entry{{Key: k, Delta: delta}}}
	s.answers(stock.Done)(s.Store.Units().Apply(s.Context(), change))
}

func auditUnits(s *scene) {
	s.live()
	s.team([]string{anna, ben}, "1")
	s.tamper("damage", key(), stock.Quantities{Total: 1, Left: 1})
	report := s.audited()
	suite.Same(s, "drifts of the units", report.Units.Drifts, []stock.Drift{
		{Key: key(), Quantity: "total", Counted: 91, Recount: 90},
		{Key: key(), Quantity: "left", Counted: 90, Recount: 89},
	})
	s.tamper("more", stock.Key{SKU: goods}, stock.Quantities{Total: -1, Left: -1})
	s.Count("items with a drift", len(s.audited().Units.Drifts), 4)
	suite.Same(s, "balanced", s.audited().Balanced(), false)
	s.tamper("mended", key(), stock.Quantities{Total: -1, Left: -1})
	s.tamper("mended too", stock.Key{SKU: goods}, stock.Quantities{Total: 1, Left: 1})
	suite.Same(s, "balanced", s.audited().Balanced(), true)
}

func auditSome(s *scene) {
	s.live()
	other := s.offerIn(8, 2, 10)
	code := s.team([]string{anna, ben}, "1")
	s.open("3", carol)
	s.damage(code, func(c *groupbuy.Counts) { c.Held = 2 })
	finds := func(products, teams, drifts int, keys ...stock.Key) {
		s.Helper()
		report := s.audited(keys...)
		suite.Same(s, "report", []int{report.Products, report.Teams, len(report.Drifts)}, []int{products, teams, drifts})
	}
	finds(1, 0, 0, other.Key)
	finds(1, 2, 1, key())
	finds(2, 2, 1, other.Key, key())
	s.only(suite.Err(s.groups.Audit(s.Context(), key(), stock.Key{SKU: 43, Activity: fair})), groupbuy.ErrUnknownProduct)
	s.repaired(other.Key)
	s.Count("drifts", len(s.audited().Drifts), 1)
	s.repaired(key())
}

// auditTraffic audits while people come and go: there is no moment at which the books do not balance.
func auditTraffic(s *scene) {
	s.live()
	walk := s.walker(s.groups)
	errs := suite.Together(10, func(i int) error {
		rng := suite.Repeatable(int64(i))
		for range 25 {
			if i > 1 {
				if err := walk(rng); err != nil && !explained(err) && !groupbuy.Retryable(err) {
					return err
				}
				continue
			}
			report, err := s.groups.Audit(s.Context())
			if err != nil {
				return err
			}
			if len(report.Drifts)+len(report.Units.Drifts) > 0 {
				s.Errorf("drift under traffic: %+v", report)
			}
			for t, err := range s.groups.Teams(s.Context(), groupbuy.TeamFilter{}) {
				if err != nil {
					return err
				}
				if t.Held+t.Paid > t.People {
					s.Errorf("team %q of %d has %d held and %d paid", t.Code, t.People, t.Held, t.Paid)
				}
			}
		}
		return nil
	})
	s.Each(errs)
}

func repairCounts(s *scene) {
	s.opened(people(5), 90)
	code := s.team([]string{anna, ben, carol}, "1", "2")
	s.damage(code, func(c *groupbuy.Counts) { c.Held, c.Paid, c.PaidVolume = 0, 4, dec("9.5") })
	s.unjoinedDamaged(code)
	report := suite.Must(s.groups.RepairBackOnSale(s.Context(), key()))
	s.Count("drifts", len(report.Drifts), 3)
	s.Count("repaired", report.Repaired, 1)
	s.counts(code, 1, 2, "2")
	suite.Same(s, "balanced", s.audited().Balanced(), true)
	var kinds []event.Kind
	for _, e := range s.told(code) {
		kinds = append(kinds, e.Kind)
	}
	suite.Same(s, "events", kinds, []event.Kind{event.TeamCorrected, event.TeamCorrected}) // the damage was done so, too
	s.Count("events", len(s.deliver()), 2)
	s.join(code, "4", dan)
	s.pay("3")
}

// unjoinedDamaged ends the test unless a team is taken at its word until it is repaired.
func (s *scene) unjoinedDamaged(code string) {
	s.Helper()
	suite.Same(s, "places", s.is(code, groupbuy.Forming).FreeSeats() <= 1, true)
}

func repairFormed(s *scene) {
	s.opened(people(2), 90)
	s.team([]string{anna, ben}, "1", "2")
	s.misformed(5)
	suite.Same(s, "people", s.shown(groupbuy.Offered).Formed, 7)
	report := suite.Must(s.groups.RepairBackOnSale(s.Context(), key()))
	suite.Same(s, "drifts", report.Drifts, []groupbuy.Drift{{Key: key(), Quantity: "formed", Counted: dec("7"), Recount: dec("2")}})
	suite.Same(s, "people", s.shown(groupbuy.Offered).Formed, 2)
	s.Count("repaired", report.Repaired, 1)
}

func repairUnits(s *scene) {
	s.live()
	s.team([]string{anna, ben}, "1")
	s.tamper("damage", key(), stock.Quantities{Total: 3, Left: 3})
	report := s.repaired()
	s.Count("drifts", len(report.Units.Drifts), 2)
	s.pool(stock.Quantities{Total: 90, Locked: 1, Sold: 1})
	suite.Same(s, "balanced", s.audited().Balanced(), true)
}

// repairKeepsPayments has a team, a product and its units count more payments than there are, as they do when somebody
// has deleted some.
func repairKeepsPayments(s *scene) {
	s.opened(people(5), 90)
	code := s.team([]string{anna, ben, carol}, "1", "2")
	s.damage(code, func(c *groupbuy.Counts) { c.Held, c.Paid, c.PaidVolume = 0, 3, dec("9.5") })
	s.misformed(5)
	s.tamper("damage", key(), stock.Quantities{Sold: 2, Left: -2})
	report, err := s.groups.Repair(s.Context())
	s.Is(err, groupbuy.ErrDrift)
	kept := []groupbuy.Drift{
		{Key: key(), Team: code, Quantity: "paid", Counted: dec("3"), Recount: dec("2")},
		{Key: key(), Team: code, Quantity: "volume", Counted: dec("9.5"), Recount: dec("2")},
		{Key: key(), Quantity: "formed", Counted: dec("5"), Recount: dec("0")},
	}
	said := func(drifts []groupbuy.Drift) string { return fmt.Sprint(drifts) }
	suite.Same(s, "left as it is", said(report.Kept), said(kept))
	suite.Same(s, "units left as they are", report.Units.Kept, []stock.Drift{{Key: key(), Quantity: "sold", Counted: 4, Recount: 2}})
	s.counts(code, 1, 3, "9.5")
	suite.Same(s, "people", s.shown(groupbuy.Offered).Formed, 5)
	s.Is(suite.Err(s.groups.RepairBackOnSale(s.Context())), groupbuy.ErrInvalid)
	report = suite.Must(s.groups.RepairBackOnSale(s.Context(), key()))
	s.Count("left as they are", len(report.Kept)+len(report.Units.Kept), 0)
	s.counts(code, 1, 2, "2")
	suite.Same(s, "people", s.shown(groupbuy.Offered).Formed, 0)
	suite.Same(s, "balanced", s.audited().Balanced(), true)
}

func repairNothing(s *scene) {
	s.journey().Made(s, func() {})
	s.unchanged(func() {
		report := s.repaired()
		suite.Same(s, "report", []any{report.Balanced(), report.Repaired, report.Units.Repaired}, []any{true, 0, 0})
	})
	s.journeyEnd()
}

// repairFull repairs a team that thinks it is full, and is not.
func repairFull(s *scene) {
	s.live()
	code := s.team([]string{anna, ben}, "1")
	s.damage(code, func(c *groupbuy.Counts) { c.Held = 2 })
	s.unjoined(code, buy("3", carol), groupbuy.ErrFull)
	s.repaired()
	s.join(code, "3", carol)
	s.pay("2")
	suite.Same(s, "formed", s.pay("3").Formed, true)
}
