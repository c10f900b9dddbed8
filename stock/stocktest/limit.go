package stocktest

import (
	"fmt"
	"strconv"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func limitCases() []testCase {
	return []testCase{
		{Name: "OffShelfStopsLockAlone", Run: offSale},
		{Name: "SaleWindowIsFromItsStartToItsEnd", Run: saleWindow},
		{Name: "SaleWindowIsKeptToTheMicrosecond", Run: saleWindowPrecision},
		{Name: "UnitsPerBuyerAreLimited", Run: unitsPerBuyer},
		{Name: "UnitsPerBuyerAreLimitedAtOnce", Run: unitsPerBuyerAtOnce},
		{Name: "LiveHoldsPerBuyerAreLimited", Run: liveHolds},
		{Name: "LiveHoldsPerBuyerAreLimitedAtOnce", Run: liveHoldsAtOnce},
		{Name: "UnitsPerOrderAreLimited", Run: unitsPerOrder},
		{Name: "LimitsRequireABuyer", Run: buyerRequired},
		{Name: "LimitsCountFromTheFirstNamedBuyer", Run: limitsCountBefore},
		{Name: "LimitsChangeWithTheTerms", Run: limitsChange},
		{Name: "LimitsAreOfOnePoolAndOneBuyer", Run: limitsApart},
	}
}

// offSale closes an item in each of the ways there are: what holds already goes on.
func offSale(s *scene) {
	now := s.now()
	for name, closed := range map[string]stock.Terms{
		"off the shelf": {OffShelf: true},
		"not begun":     {Start: now.Add(1000 * hold)},
		"over":          {End: now},
	} {
		key := sku(int64(len(name)))
		line := stock.Line{SKU: key.SKU, Num: 1}
		s.define(key, 10, stock.Terms{})
		for _, verb := range []string{"pay ", "cancel ", "refund ", "redeem ", "expire "} {
			s.lock(verb+name, line)
		}
		s.pay("refund " + name)
		s.pay("redeem " + name)
		s.terms(key, closed)
		s.Is(suite.Err(s.inv.Lock(s.Context(), "late "+name, line)), stock.ErrNotOnSale)
		s.pay("pay " + name)
		s.No(suite.Err(s.inv.Cancel(s.Context(), "cancel "+name)))
		s.refund("refund "+name, "refund "+name)
		s.No(suite.Err(s.inv.Redeem(s.Context(), "redeem "+name)))
		s.No(suite.Err(s.inv.Restock(s.Context(), "in "+name, line)))
		s.No(suite.Err(s.inv.Withdraw(s.Context(), "out "+name, line)))
		s.counts(key, stock.Quantities{Total: 10, Sold: 2, Locked: 1, Left: 8, Refunded: 1})
	}
	s.Advance(hold)
	s.Count("released", suite.Must(s.inv.Expire(s.Context())), 3)
}

func saleWindow(s *scene) {
	now := s.now()
	start, end := now.Add(time.Hour), now.Add(2*time.Hour)
	s.define(sku(1), 10, stock.Terms{Start: start, End: end})
	refused := func(reason error) {
		s.Helper()
		_, err := s.inv.Lock(s.Context(), "refused", units(1, 1))
		s.Is(err, reason, stock.ErrNotOnSale)
		suite.Same(s, "error", *suite.As[*stock.WindowError](s, err), stock.WindowError{
			Key: sku(1), Err: reason, Start: start, End: end, Now: s.now(),
		})
	}
	refused(stock.ErrNotStarted)
	s.Advance(time.Hour - time.Microsecond)
	refused(stock.ErrNotStarted)
	s.Advance(time.Microsecond)
	s.lock("first", units(1, 1))
	s.Advance(time.Hour - time.Microsecond)
	s.lock("last", units(1, 1))
	s.Advance(time.Microsecond)
	refused(stock.ErrEnded)
	s.pay("last")
	s.terms(sku(1), stock.Terms{Start: start}) // without an end it goes on
	s.Advance(100_000 * time.Hour)
	s.lock("later", units(1, 1))
	s.terms(sku(1), stock.Terms{End: s.now().Add(time.Microsecond)})
	s.lock("without a start", units(1, 1))
}

func saleWindowPrecision(s *scene) {
	zone := time.FixedZone("elsewhere", -5*3600)
	start := s.now().Add(3 * time.Microsecond)
	item := s.define(sku(1), 10, stock.Terms{Start: start.Add(999).In(zone), End: start.Add(2*time.Microsecond + 1).In(zone)})
	suite.Same(s, "terms", item.Terms, stock.Terms{Start: start, End: start.Add(2 * time.Microsecond)})
	try := func(order string, want error) {
		s.Helper()
		s.Is(suite.Err(s.inv.Lock(s.Context(), order, units(1, 1))), want)
		s.Advance(time.Microsecond)
	}
	s.Advance(2 * time.Microsecond)
	try("before", stock.ErrNotStarted)
	try("at the start", nil)
	try("at the last moment", nil)
	try("at the end", stock.ErrEnded)
}

func unitsPerBuyer(s *scene) {
	s.define(sku(1), 100, stock.Terms{PerBuyer: 2})
	buyer := s.inv.For("5")
	s.No(suite.Err(buyer.Lock(s.Context(), "a", units(1, 1))))
	s.pay("a")
	s.No(suite.Err(buyer.Lock(s.Context(), "b", units(1, 1))))
	s.usage("5", sku(1), stock.Usage{Held: 1, Bought: 1, Holds: 1})
	s.overLimit(suite.Err(buyer.Lock(s.Context(), "c", units(1, 1))), stock.LimitError{
		Key: sku(1), Err: stock.ErrPerBuyer, Buyer: "5", Limit: 2, Has: 2, Wanted: 1,
	})
	s.No(suite.Err(s.inv.Cancel(s.Context(), "b")))
	s.No(suite.Err(buyer.Lock(s.Context(), "c", units(1, 1))))
	s.pay("c")
	s.refund("r", "c") // does not free, without the option
	s.Is(suite.Err(buyer.Lock(s.Context(), "d", units(1, 1))), stock.ErrPerBuyer)
	s.inv = s.with(stock.Options{RefundFreesBuyer: true})
	s.refund("r2", "a")
	s.No(suite.Err(buyer.Lock(s.Context(), "d", units(1, 1))))
	s.usage("5", sku(1), stock.Usage{Held: 1, Bought: 1, Holds: 1})
}

func unitsPerBuyerAtOnce(s *scene) {
	s.define(sku(1), 100, stock.Terms{PerBuyer: 2})
	errs := suite.Together(40, func(i int) error { // two buyers, 20 orders each
		return suite.Err(s.inv.For(fmt.Sprint(i%2+1)).Lock(s.Context(), strconv.Itoa(i), units(1, 1)))
	})
	s.Count("locks", s.Succeeded(errs, stock.ErrPerBuyer), 4)
	s.counts(sku(1), stock.Quantities{Total: 100, Locked: 4, Left: 100})
	for buyer := range int64(2) {
		s.usage(fmt.Sprint(buyer+1), sku(1), stock.Usage{Held: 2, Holds: 2})
	}
}

func liveHolds(s *scene) {
	s.define(sku(1), 100, stock.Terms{})
	s.define(sku(2), 100, stock.Terms{LiveHolds: 2})
	buyer := s.inv.For("5")
	for _, order := range []string{"a", "b"} {
		s.No(suite.Err(buyer.Lock(s.Context(), order, units(2, 10))))
	}
	s.unchanged(sku(1), func() {
		s.unchanged(sku(2), func() {
			s.overLimit(suite.Err(buyer.Lock(s.Context(), "c", units(1, 1), units(2, 1))), stock.LimitError{
				Key: sku(2), Err: stock.ErrLiveHolds, Buyer: "5", Limit: 2, Has: 2, Wanted: 1,
			})
		})
	})
	s.pay("a") // paid is not live
	s.No(suite.Err(buyer.Lock(s.Context(), "c", units(1, 1), units(2, 1))))
	s.No(suite.Err(s.inv.Cancel(s.Context(), "b")))
	s.No(suite.Err(buyer.Lock(s.Context(), "d", units(2, 1))))
	s.usage("5", sku(2), stock.Usage{Held: 2, Bought: 10, Holds: 2})
}

func liveHoldsAtOnce(s *scene) {
	s.define(sku(1), 100, stock.Terms{LiveHolds: 3})
	errs := suite.Together(20, func(i int) error {
		return suite.Err(s.inv.For("5").Lock(s.Context(), strconv.Itoa(i), units(1, 2)))
	})
	s.Count("locks", s.Succeeded(errs, stock.ErrLiveHolds), 3)
	s.usage("5", sku(1), stock.Usage{Held: 6, Holds: 3})
}

func unitsPerOrder(s *scene) {
	s.define(sku(1), 100, stock.Terms{PerOrder: 3})
	s.define(sku(2), 100, stock.Terms{})
	s.lock("a", units(1, 3), units(2, 50))
	s.lock("b", units(1, 3))
	err := suite.Err(s.inv.Lock(s.Context(), "c", units(1, 4), units(2, 1)))
	s.overLimit(err, stock.LimitError{Key: sku(1), Err: stock.ErrPerOrder, Limit: 3, Wanted: 4})
	s.counts(sku(2), stock.Quantities{Total: 100, Locked: 50, Left: 100})
}

func buyerRequired(s *scene) {
	s.define(sku(1), 100, stock.Terms{PerBuyer: 3})
	s.define(sku(2), 100, stock.Terms{LiveHolds: 3})
	s.define(sku(3), 100, stock.Terms{PerOrder: 3})
	for _, n := range []int64{1, 2} {
		s.itemRefuses(suite.Err(s.inv.Lock(s.Context(), "a", units(n, 1), units(3, 1))), sku(n), stock.ErrBuyerRequired)
	}
	s.lock("a", units(3, 1))
}

// limitsCountBefore limits buyers after they have bought: what they bought counts.
func limitsCountBefore(s *scene) {
	s.define(sku(1), 100, stock.Terms{})
	buyer := s.inv.For("5")
	s.No(suite.Err(buyer.Lock(s.Context(), "a", units(1, 3))))
	s.pay("a")
	s.lock("anonymous", units(1, 3))
	s.terms(sku(1), stock.Terms{PerBuyer: 4})
	s.Is(suite.Err(buyer.Lock(s.Context(), "b", units(1, 2))), stock.ErrPerBuyer)
	s.No(suite.Err(buyer.Lock(s.Context(), "b", units(1, 1))))
	s.pay("anonymous") // what holds without a buyer goes on
	s.usage("5", sku(1), stock.Usage{Held: 1, Bought: 3, Holds: 1})
}

func limitsChange(s *scene) {
	s.define(sku(1), 100, stock.Terms{PerBuyer: 5})
	buyer := s.inv.For("5")
	s.No(suite.Err(buyer.Lock(s.Context(), "a", units(1, 5))))
	s.terms(sku(1), stock.Terms{PerBuyer: 2}) // now the buyer has more than the limit
	s.overLimit(suite.Err(buyer.Lock(s.Context(), "b", units(1, 1))), stock.LimitError{
		Key: sku(1), Err: stock.ErrPerBuyer, Buyer: "5", Limit: 2, Has: 5, Wanted: 1,
	})
	s.pay("a") // which is no reason not to pay
	s.terms(sku(1), stock.Terms{PerBuyer: 6})
	s.No(suite.Err(buyer.Lock(s.Context(), "b", units(1, 1))))
}

func limitsApart(s *scene) {
	s.define(sku(1), 100, stock.Terms{PerBuyer: 2})
	s.define(pool(1, 7), 100, stock.Terms{PerBuyer: 2})
	for _, buyer := range []string{"5", "6"} {
		s.No(suite.Err(s.inv.For(buyer).Lock(s.Context(), buyer, units(1, 2), stock.Line{SKU: 1, Activity: 7, Num: 2})))
	}
	for _, key := range []stock.Key{sku(1), pool(1, 7)} {
		s.counts(key, stock.Quantities{Total: 100, Locked: 4, Left: 100})
		s.usage("5", key, stock.Usage{Held: 2, Holds: 1})
		s.usage("7", key, stock.Usage{})
	}
}
