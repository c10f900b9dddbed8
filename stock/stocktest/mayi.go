package stocktest

import (
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func checkCases() []testCase {
	return []testCase{
		{Name: "CheckTellsWhyNotHowManyAndFromWhen", Run: check},
		{Name: "CheckReleasesTheDead", Run: checkDead},
		{Name: "CheckAgreesWithLock", Run: checkAgrees},
	}
}

// asks returns the answer of Check about one line.
func (s *scene) asks(inv *stock.Inventory, line stock.Line) stock.Availability {
	s.Helper()
	all := suite.Must(inv.Check(s.Context(), line))
	s.Count("answers", len(all), 1)
	suite.Same(s, "line", all[0].Line, line)
	return all[0]
}

func check(s *scene) {
	start := s.now().Add(time.Hour)
	s.define(sku(1), 10, stock.Terms{PerOrder: 6})
	s.define(sku(2), 10, stock.Terms{Start: start})
	s.define(sku(3), 10, stock.Terms{PerBuyer: 5})
	s.define(sku(4), 10, stock.Terms{OffShelf: true})
	first := s.lock("a", units(1, 4))
	s.Advance(time.Second)
	s.lock("b", units(1, 3))
	s.No(suite.Err(s.inv.For("7").Lock(s.Context(), "c", units(3, 2))))

	s.unchanged(sku(1), func() {
		got := s.asks(s.inv, units(1, 4))
		s.shortage(got.Why, sku(1), 4, 3)
		suite.Same(s, "units", got.Num, 3)
		s.SameTime("from", got.From, first.Deadline)
		suite.Same(s, "yes", s.asks(s.inv, units(1, 3)), stock.Availability{Line: units(1, 3), Num: 3})
		got = s.asks(s.inv, units(1, 7))
		s.Is(got.Why, stock.ErrPerOrder)
	})
	got := s.asks(s.inv, units(2, 1))
	s.Is(got.Why, stock.ErrNotStarted)
	suite.Same(s, "units", got.Num, 0)
	s.SameTime("from", got.From, start)
	got = s.asks(s.inv.For("7"), units(3, 4))
	s.Is(got.Why, stock.ErrPerBuyer)
	suite.Same(s, "units", got.Num, 3)
	s.Is(s.asks(s.inv, units(3, 1)).Why, stock.ErrBuyerRequired)
	s.Is(s.asks(s.inv, units(4, 1)).Why, stock.ErrOffShelf)
	s.itemRefuses(s.asks(s.inv, units(9, 1)).Why, sku(9), stock.ErrUnknownSKU)

	all := suite.Must(s.inv.For("7").Check(s.Context(), units(3, 1), units(1, 2), units(3, 1)))
	suite.Same(s, "a cart", all, []stock.Availability{{Line: units(1, 2), Num: 3}, {Line: units(3, 2), Num: 3}})
	s.Invalid("no lines", suite.Err(s.inv.Check(s.Context())))
	s.Invalid("a line", suite.Err(s.inv.Check(s.Context(), units(1, 0))))
}

func checkDead(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	s.lock("dead", units(1, 8))
	s.Advance(hold - time.Second)
	last := s.lock("a", units(1, 2))
	s.Advance(time.Second)
	suite.Same(s, "yes", s.asks(s.inv, units(1, 8)), stock.Availability{Line: units(1, 8), Num: 8})
	got := s.asks(s.inv, units(1, 9))
	s.shortage(got.Why, sku(1), 9, 8)
	s.SameTime("from", got.From, last.Deadline)
}

// checkAgrees asks, and locks as many as could be had, and not one more.
func checkAgrees(s *scene) {
	s.define(sku(1), 7, stock.Terms{})
	s.define(sku(2), 100, stock.Terms{PerOrder: 3})
	s.define(sku(3), 100, stock.Terms{PerBuyer: 4, LiveHolds: 2})
	s.define(sku(4), 0, stock.Terms{Unlimited: true, PerBuyer: 9})
	buyer := s.inv.For("7")
	for n := int64(1); n <= 4; n++ {
		most := s.asks(buyer, units(n, 1)).Num
		if _, err := buyer.Lock(s.Context(), "too many", units(n, most+1)); err == nil {
			s.Fatalf("%d of SKU %d are locked, and %d could be had", most+1, n, most)
		}
		s.No(suite.Err(buyer.Lock(s.Context(), sku(n).String(), units(n, most))))
	}
}
