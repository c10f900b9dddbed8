package coupontest

import (
	"context"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func auditCases() []testCase {
	return []testCase{
		{Name: "AuditNamesEachDrift", Run: auditDrifts},
		{Name: "AuditNamesEachConflict", Run: auditConflicts},
		{Name: "AuditOfNamedCampaigns", Run: auditNamed},
		{Name: "AuditAfterALongLifeFindsNothing", Run: auditLife},
		{Name: "ClaimsAreNotArchived", Run: auditArchive},
		{Name: "RepairNeverTakesClaimsBackUnlessTold", Run: repairKeepsClaims},
		{Name: "RepairMendsWhatDriftRefuses", Run: repairMends},
		{Name: "RepairMendsWhatWouldGiveACodeTwice", Run: repairPool},
		{Name: "RepairUnderTraffic", Run: repairUnderTraffic},
	}
}

// damage changes counters behind the back of the claims, as somebody with a SQL prompt would.
func (s *scene) damage(id string, entries ...stock.Entry) {
	s.Helper()
	s.Answers(stock.Done)(s.units().Apply(s.Context(), stock.Change{Kind: stock.KindRepair, ID: id, Entries: entries}))
}

func auditDrifts(s *scene) {
	s.define(1, 10, coupon.Rules{PerBuyer: 5}, tenOff())
	s.claim("a", "5")
	s.claim("b", "5")
	s.lock("c", "5")
	s.revoke("r", "b")
	right := stock.Quantities{Total: 10, Sold: 1, Locked: 1, Left: 9, Refunded: 1}
	s.counts(right)
	drift := func(buyer string, quantity string, counted, recount int64) stock.Drift {
		return stock.Drift{Key: item(1), Buyer: buyer, Quantity: quantity, Counted: counted, Recount: recount}
	}
	for i, c := range []struct {
		entry stock.Entry
		want  []stock.Drift
	}{
		{stock.Entry{Delta: stock.Quantities{Locked: 3}}, []stock.Drift{drift("", "locked", 4, 1)}},
		{stock.Entry{Delta: stock.Quantities{Refunded: 7}}, []stock.Drift{drift("", "refunded", 8, 1)}},
		{stock.Entry{Delta: stock.Quantities{Sold: 4, Left: -4}}, []stock.Drift{drift("", "sold", 5, 1), drift("", "left", 5, 9)}},
		{stock.Entry{Delta: stock.Quantities{Total: 5, Left: 5}}, []stock.Drift{drift("", "total", 15, 10), drift("", "left", 14, 9)}},
		{stock.Entry{Buyer: "5", Delta: stock.Quantities{Sold: -1}}, []stock.Drift{drift("5", "bought", 1, 2)}},
		{stock.Entry{Buyer: "6", Holds: 2}, []stock.Drift{drift("6", "holds", 2, 0)}},
	} {
		c.entry.Key = item(1)
		s.damage(fmt.Sprint("damage ", i), c.entry)
		for range 2 { // an audit changes nothing
			report := suite.Must(s.shop.Audit(s.Context()))
			suite.Same(s, "report", report, coupon.Report{Campaigns: 1, Drifts: c.want})
			suite.Same(s, "balanced", report.Balanced(), false)
		}
		report := suite.Must(s.shop.RepairBackOnSale(s.Context(), 1))
		suite.Same(s, "report", report, coupon.Report{Campaigns: 1, Drifts: c.want, Repaired: 1})
		s.counts(right)
	}
}

// auditArchive archives the units of claims, which have their coupons beside them.
func auditArchive(s *scene) {
	s.define(1, 10, coupon.Rules{}, tenOff())
	s.claim("a", "5")
	s.claim("b", "5")
	s.revoke("r", "b")
	filter := stock.Filter{States: []stock.State{stock.Paid, stock.Refunded}}
	parts := stock.New(s.units(), nil).Archive(s.Context(), time.Now().AddDate(100, 0, 0), filter, nil)
	s.Count("parts archived", len(suite.Listed(s, parts)), 0)
	suite.Same(s, "balanced", suite.Must(s.shop.Audit(s.Context())).Balanced(), true)
}

// repairKeepsClaims has a campaign count more claims than there are, as it does when somebody has deleted some.
func repairKeepsClaims(s *scene) {
	s.open(10)
	s.claim("a", "5")
	s.damage("damage", stock.Entry{Key: item(1), Delta: stock.Quantities{Sold: 3, Left: -3, Locked: 1}})
	report, err := s.shop.Repair(s.Context())
	s.Is(err, coupon.ErrDrift)
	suite.Same(s, "left as it is", report.Kept, []stock.Drift{{Key: item(1), Quantity: "sold", Counted: 4, Recount: 1}})
	s.Count("repaired", report.Repaired, 1)
	s.counts(stock.Quantities{Total: 10, Sold: 4, Left: 6})
	s.Is(suite.Err(s.shop.RepairBackOnSale(s.Context())), coupon.ErrInvalid)
	report = suite.Must(s.shop.RepairBackOnSale(s.Context(), 1))
	s.Count("left as they are", len(report.Kept), 0)
	s.counts(stock.Quantities{Total: 10, Sold: 1, Left: 9})
}

// A spoiltBook is a store whose books are wrong in one number.
type spoiltBook struct {
	coupon.Store

	field int
}

func (b spoiltBook) Book(ctx context.Context, campaign int64) (coupon.Book, error) {
	book, err := b.Store.Book(ctx, campaign)
	field := reflect.ValueOf(&book).Elem().Field(b.field)
	field.SetInt(field.Int() + 2)
	return book, err
}

// auditConflicts spoils each number of a book on its way to the audit.
func auditConflicts(s *scene) {
	s.pool("A", "B", "C", "D")
	for _, id := range []string{"a", "b", "c"} {
		s.claim(id, "5")
	}
	s.reserve("a", "A")
	s.redeem("b", "A")
	s.No(suite.Err(s.shop.Revoke(s.Context(), coupon.Revocation{ID: "r", Coupon: "c"})))
	book := suite.Must(s.Store.Book(s.Context(), 1))
	suite.Same(s, "book", book, coupon.Book{
		Held: 3, Coupons: 3, HeldBack: 1, Back: 1, Reserved: 1, ReservedBy: 1, Redeemed: 1, RedeemedBy: 1,
		Positioned: 3, Codes: 3, LastPosition: 3, SoldOut: 3,
	})
	fields := reflect.TypeOf(book)
	for i := range fields.NumField() {
		spoilt := s.shop.On(spoiltBook{s.Store, i})
		was := reflect.ValueOf(book).Field(i).Int()
		for _, look := range []func() (coupon.Report, error){
			func() (coupon.Report, error) { return spoilt.Audit(s.Context()) },
			func() (coupon.Report, error) { return spoilt.Repair(s.Context(), 1) },
		} {
			report := suite.Must(look())
			s.Count("conflicts", len(report.Conflicts), 1)
			conflict := report.Conflicts[0]
			suite.Same(s, "campaign", conflict.Campaign, 1)
			suite.Same(s, "the two", [2]int64{min(conflict.One, conflict.Other), max(conflict.One, conflict.Other)}, [2]int64{was, was + 2})
			if name := fields.Field(i).Name; !strings.Contains(conflict.String(), name) {
				s.Fatalf("%q does not name %s", conflict, name)
			}
			suite.Same(s, "balanced", report.Balanced(), false)
			suite.Same(s, "repaired", report.Repaired, 0)
		}
	}
}

func auditNamed(s *scene) {
	for id := int64(1); id <= 3; id++ {
		s.define(id, 10, coupon.Rules{}, tenOff())
		s.damage(strconv.FormatInt(id, 10), stock.Entry{Key: item(id), Delta: stock.Quantities{Locked: id}})
	}
	want := []stock.Drift{{Key: item(3), Quantity: "locked", Counted: 3}, {Key: item(1), Quantity: "locked", Counted: 1}}
	suite.Same(s, "report", suite.Must(s.shop.Audit(s.Context(), 3, 1)), coupon.Report{Campaigns: 2, Drifts: want})
	suite.Same(s, "report", suite.Must(s.shop.Repair(s.Context(), 3, 1)), coupon.Report{Campaigns: 2, Drifts: want, Repaired: 2})
	s.Is(suite.Err(s.shop.Audit(s.Context(), 1, 9)), coupon.ErrUnknownCampaign)
	s.Is(suite.Err(s.shop.Repair(s.Context(), 9)), coupon.ErrUnknownCampaign)
	suite.Same(s, "repaired", suite.Must(s.shop.Repair(s.Context())).Repaired, 1)
	report := suite.Must(s.shop.Audit(s.Context()))
	suite.Same(s, "report", report, coupon.Report{Campaigns: 3})
	suite.Same(s, "balanced", report.Balanced(), true)
}

func auditLife(s *scene) {
	s.lives()
	suite.Same(s, "report", suite.Must(s.shop.Audit(s.Context())), coupon.Report{Campaigns: 1})
	s.No(suite.Err(s.shop.Expire(s.Context())))
	suite.Same(s, "report", suite.Must(s.shop.Repair(s.Context())), coupon.Report{Campaigns: 1})
}

// repairMends takes the locked unit of a claim away from the counter: what would make it negative is
// refused, and works after the repair.
func repairMends(s *scene) {
	s.open(10)
	s.lock("c", "5")
	s.damage("damage", stock.Entry{Key: item(1), Delta: stock.Quantities{Locked: -1}})
	s.Is(suite.Err(s.shop.Pay(s.Context(), "c")), coupon.ErrDrift)
	s.Is(suite.Err(s.shop.Cancel(s.Context(), "c")), coupon.ErrDrift)
	s.state("c", coupon.Pending)
	s.No(suite.Err(s.shop.Repair(s.Context())))
	s.pay("c")
}

// repairPool counts a coupon as not sold: the next would get a code that is handed out.
func repairPool(s *scene) {
	s.pool("A", "B", "C")
	s.claim("a", "5")
	s.claim("b", "5")
	s.damage("damage", stock.Entry{Key: item(1), Delta: stock.Quantities{Sold: -1, Left: 1}})
	s.Is(suite.Err(s.shop.For("5").Claim(s.Context(), "c", 1)), coupon.ErrDrift)
	s.Is(suite.Err(s.shop.Issue(s.Context(), gift("g", "5", "6"))), coupon.ErrDrift)
	report := suite.Must(s.shop.Repair(s.Context(), 1))
	suite.Same(s, "balanced", report.Balanced(), false)
	s.Count("repaired", report.Repaired, 1)
	s.Count("drifts", len(report.Drifts), 2)
	suite.Same(s, "position", s.claim("c", "5").Position, 3)
}

func repairUnderTraffic(s *scene) {
	s.define(1, 10_000, coupon.Rules{PerBuyer: 10_000}, tenOff())
	s.damage("damage", stock.Entry{Key: item(1), Delta: stock.Quantities{Locked: 50, Refunded: 3, Total: 7, Left: 7}},
		stock.Entry{Key: item(1), Buyer: "1", Delta: stock.Quantities{Locked: 40, Sold: 30}, Holds: 20})
	s.Each(suite.Together(10, func(worker int) (err error) {
		for i := range 20 {
			id := fmt.Sprintf("%d/%d", worker, i)
			switch {
			case worker < 2:
				_, err = s.shop.RepairBackOnSale(s.Context(), 1)
			case i%2 == 0:
				_, err = s.shop.For(fmt.Sprint(worker%3+1)).Claim(s.Context(), id, 1)
			default:
				if _, err = s.shop.For(fmt.Sprint(worker%3+1)).Lock(s.Context(), id, 1); err == nil {
					_, err = s.shop.Cancel(s.Context(), id)
				}
			}
			if err != nil {
				return err
			}
		}
		return nil
	}))
	s.counts(stock.Quantities{Total: 10_000, Sold: 80, Left: 9_920})
}
