package redpackettest

import (
	"context"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/redpacket"
	"github.com/holdfast-go/holdfast/stock"
)

func auditCases() []testCase {
	return []testCase{
		{Name: "AuditFindsNothingWhereNothingIsWrong", Run: auditClean},
		{Name: "AuditNamesEachDriftByHowMuch", Run: auditNames},
		{Name: "AuditNamesDriftOfTheUnits", Run: auditUnits},
		{Name: "RepairCorrectsTheUnits", Run: repairUnits},
		{Name: "AuditNamesAUnitThatHasNoShare", Run: auditNoShare, Damages: true},
		{Name: "AuditOfSomePackets", Run: auditSome},
		{Name: "AuditUnderTraffic", Run: auditTraffic},
	}
}

// audited audits packets and returns the report.
func (s *scene) audited(ids ...int64) redpacket.Report {
	return suite.Must(s.packets.Audit(s.Context(), ids...))
}

// auditClean audits a packet in every state.
func auditClean(s *scene) {
	s.journey().Made(s, s.Balanced)
	suite.Same(s, "report", s.audited(), redpacket.Report{Packets: 4})
	suite.Same(s, "report", s.audited(2, 3), redpacket.Report{Packets: 2})
	filter := stock.Filter{States: []stock.State{stock.Paid}}
	parts := stock.New(s.Store.Units(), nil).Archive(s.Context(), time.Now().AddDate(100, 0, 0), filter, nil)
	s.Count("parts of grabs archived", len(suite.Listed(s, parts)), 0) // which have their shares beside them
	suite.Same(s, "report", s.audited(), redpacket.Report{Packets: 4})
}

// forgery is a store that reads one packet otherwise than it is kept, as if somebody with a SQL prompt had
// been at it.
type forgery struct {
	redpacket.Store

	id    int64
	forge func(b *redpacket.Book)
}

// Book implements redpacket.Store.
func (f forgery) Book(ctx context.Context, id int64) (redpacket.Book, error) {
	book, err := f.Store.Book(ctx, id)
	if id == f.id && err == nil {
		f.forge(&book)
	}
	return book, err
}

func auditNames(s *scene) {
	s.open(equal(1, 100, 4))
	s.grabs(1, anna, ben)
	s.open(random(2, 100, 3))
	drift := func(quantity string, counted, recount int64) redpacket.Drift {
		return redpacket.Drift{Packet: 1, Quantity: quantity, Counted: counted, Recount: recount}
	}
	named := func(forge func(b *redpacket.Book), want ...redpacket.Drift) {
		s.Helper()
		report := suite.Must(s.packets.On(forgery{s.Store, 1, forge}).Audit(s.Context()))
		suite.Same(s, "report", report, redpacket.Report{Packets: 2, Drifts: want})
	}
	named(func(*redpacket.Book) {})
	named(func(b *redpacket.Book) { b.Taken = 3 }, drift("shares", 3, 2))
	named(func(b *redpacket.Book) { b.Grabbed -= 7 }, drift("grabbed", 43, 50))
	named(func(b *redpacket.Book) { b.Left++ }, drift("left", 51, 50))
	named(func(b *redpacket.Book) { b.Holds = 1 }, drift("grabs", 1, 2))
	named(func(b *redpacket.Book) { b.Remainder = 0 }, drift("remainder", 0, -1))
	named(func(b *redpacket.Book) { b.State = redpacket.Finished }, drift("state", int64(redpacket.Finished), int64(redpacket.Open)))
	named(func(b *redpacket.Book) { b.Shares, b.Money = 1, 45 },
		drift("shares", 2, 1), drift("grabbed", 50, 45), drift("left", 50, 55), drift("grabs", 2, 1))
	s.grabs(1, carol, dan)
	named(func(b *redpacket.Book) { b.State = redpacket.Open }, drift("state", int64(redpacket.Open), int64(redpacket.Finished)))
	s.open(equal(3, 100, 4))
	s.close(3, redpacket.Closed)
	for _, remainder := range []int64{-1, 101} {
		wrong := forgery{s.Store, 3, func(b *redpacket.Book) { b.Remainder = remainder }}
		report := suite.Must(s.packets.On(wrong).Audit(s.Context(), 3))
		suite.Same(s, "drifts", report.Drifts, []redpacket.Drift{{Packet: 3, Quantity: "remainder", Counted: remainder, Recount: 100}})
	}
	suite.Same(s, "by", drift("left", 51, 50).By(), 1)
	if text := drift("left", 51, 50).String(); text == "" || text == drift("left", 52, 50).String() {
		s.Fatalf("a drift says %q", text)
	}
}

// auditUnits changes the counters of a packet's item behind the back of its grabs: what would book a
// share that is not there is refused.
func auditUnits(s *scene) {
	s.open(equal(1, 100, 4))
	s.open(equal(2, 100, 4))
	s.grabs(1, anna, ben)
	s.damage("damage", stock.Quantities{Total: 1, Left: 1})
	want := redpacket.Report{Packets: 2, Units: []stock.Drift{
		{Key: stock.Key{SKU: 1}, Quantity: "total", Counted: 5, Recount: 4},
		{Key: stock.Key{SKU: 1}, Quantity: "left", Counted: 3, Recount: 2},
	}}
	suite.Same(s, "report", s.audited(), want)
	suite.Same(s, "report", s.audited(), want) // an audit changes nothing
	s.grabs(1, carol, dan)
	_, err := s.packets.For("15").Grab(s.Context(), 1) // there is a unit, and no share
	s.only(err, redpacket.ErrDrift)
	s.grab(1, anna) // who has a share keeps it
	s.holds(1, 4, 100, 0)
	s.damage("mended", stock.Quantities{Total: -1, Left: -1})
	s.only(suite.Err(s.packets.For("15").Grab(s.Context(), 1)), redpacket.ErrFinished)
}

// damage changes the counters of the item of packet 1, and nothing else.
func (s *scene) damage(id string, delta stock.Quantities) {
	s.Helper()
	change := stock.Change{Kind: stock.KindRepair, ID: id, Entries: []stock.Entry{{Key: stock.Key{SKU: 1}, Delta: delta}}}
	s.Answers(stock.Done)(s.Store.Units().Apply(s.Context(), change))
}

// repairUnits finds a unit too many, which goes, and then a sale too many, which goes only where that is asked for.
func repairUnits(s *scene) {
	s.open(equal(1, 100, 4))
	s.open(equal(2, 100, 4))
	s.grabs(1, anna, ben)
	drift := func(quantity string, counted, recount int64) stock.Drift {
		return stock.Drift{Key: stock.Key{SKU: 1}, Quantity: quantity, Counted: counted, Recount: recount}
	}
	s.damage("a unit", stock.Quantities{Total: 1, Left: 1})
	want := redpacket.Report{Packets: 2, Units: []stock.Drift{drift("total", 5, 4), drift("left", 3, 2)}, Repaired: 1}
	suite.Same(s, "report", suite.Must(s.packets.Repair(s.Context())), want)
	suite.Same(s, "balanced", s.audited().Balanced(), true)
	var recorded []stock.Entry
	for _, c := range suite.Must(s.Store.Units().Changes(s.Context(), stock.Key{SKU: 1}, stock.Change{}, 10)) {
		if c.Kind == stock.KindRepair && c.ID != "a unit" {
			recorded = append(recorded, c.Entries...)
		}
	}
	suite.Same(s, "recorded", recorded, []stock.Entry{{Key: stock.Key{SKU: 1}, Delta: stock.Quantities{Total: -1, Left: -1}}})
	s.damage("a sale", stock.Quantities{Sold: 1, Left: -1})
	found := s.audited(1)
	suite.Same(s, "balanced", found.Balanced(), false)
	kept, err := s.packets.Repair(s.Context(), 1)
	s.Is(err, redpacket.ErrDrift)
	suite.Same(s, "units", kept.Units, found.Units)
	suite.Same(s, "sale that is kept", kept.Kept[0], drift("sold", 3, 2))
	s.Is(suite.Err(s.packets.RepairBackOnSale(s.Context())), redpacket.ErrInvalid)
	suite.Same(s, "repaired", suite.Must(s.packets.RepairBackOnSale(s.Context(), 1)).Repaired, 1)
	suite.Same(s, "report", s.audited(), redpacket.Report{Packets: 2})
	s.grabs(1, carol, dan)
	s.packet(1, redpacket.Finished)
}

// auditNoShare sells a unit by a Lock and its payment, which no grab is made of: it has no share.
func auditNoShare(s *scene) {
	s.open(equal(1, 100, 4))
	s.grab(1, anna)
	order := stock.Order{ID: "outside", Lines: []stock.Line{{SKU: 1, Num: 1}}}
	suite.Same(s, "verdict", suite.Must(s.Store.Units().Lock(s.Context(), order, time.Hour)).Verdict, stock.Done)
	s.holds(1, 1, 25, 75)
	suite.Same(s, "report", s.audited(), redpacket.Report{Packets: 1})
	s.Answers(stock.Done)(suite.Moved(s.Store.Units().Move(s.Context(), stock.Movement{Step: stock.StepPay, Order: "outside"})))
	s.holds(1, 1, 25, 75)
	want := redpacket.Report{Packets: 1, Drifts: []redpacket.Drift{{Packet: 1, Quantity: "grabs", Counted: 2, Recount: 1}}}
	suite.Same(s, "report", s.audited(), want)
	s.grabs(1, ben, carol)
	s.refused(1, dan, redpacket.ErrFinished) // its unit is gone, and its money is not
	s.close(1, redpacket.Closed)
	s.goesBack(1, 25)
}

func auditSome(s *scene) {
	for id := range int64(3) {
		s.open(equal(id+1, 100, 4))
	}
	store := forgery{s.Store, 1, func(b *redpacket.Book) { b.Left = 0 }}
	suite.Same(s, "report", suite.Must(s.packets.On(store).Audit(s.Context(), 3, 2)), redpacket.Report{Packets: 2})
	report := suite.Must(s.packets.On(store).Audit(s.Context(), 1))
	suite.Same(s, "report", report, redpacket.Report{Packets: 1, Drifts: []redpacket.Drift{{Packet: 1, Quantity: "left", Recount: 100}}})
}

// auditTraffic audits while people grab and packets end: there is no moment at which the books do not
// balance.
func auditTraffic(s *scene) {
	for id := range int64(4) {
		s.open(random(id+1, 10_000, 60))
	}
	errs := suite.Together(12, func(i int) error {
		for n := range 30 {
			id := int64(n%4 + 1)
			var err error
			switch {
			case i < 2:
				var report redpacket.Report
				report, err = s.packets.Audit(s.Context())
				if len(report.Drifts)+len(report.Units) > 0 {
					s.Errorf("drift under traffic: %+v", report)
				}
			case i == 2 && n > 20:
				_, err = s.packets.Close(s.Context(), id)
			default:
				_, err = s.packets.For(fmt.Sprint(1000+100*i+n)).Grab(s.Context(), id)
			}
			if err != nil && s.Succeeded([]error{err}, redpacket.ErrClosed, redpacket.ErrFinished) > 0 {
				return err
			}
		}
		return nil
	})
	s.Each(errs)
}
