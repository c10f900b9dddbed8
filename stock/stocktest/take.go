package stocktest

import (
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func takeCases() []testCase {
	return []testCase{
		{Name: "TakeSellsAtOnce", Run: takeSells},
		{Name: "TakeTwiceIsOnce", Run: takeTwice},
		{Name: "TakeAfterLockPaysAndAfterCancelIsRefused", Run: takeAfterLock},
		{Name: "TakeLockAfterTakeFindsItPaid", Run: lockAfterTake},
		{Name: "TakeBesideLocksNeverOversells", Run: takeBesideLocks},
		{Name: "TakeObeysTheLimitsOfTheBuyer", Run: takeLimits},
		{Name: "TakeAllLinesOrNone", Run: takeAllOrNone},
	}
}

// take takes units for an order.
func (s *scene) take(order string, lines ...stock.Line) stock.Hold {
	return suite.Must(s.inv.Take(s.Context(), order, lines...))
}

func takeSells(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	h := s.take("a", units(1, 3))
	now := s.now()
	suite.Same(s, "hold", h, stock.Hold{
		Order: "a", State: stock.Paid, Lines: []stock.HoldLine{{Line: units(1, 3)}},
		Deadline: now.Add(hold), LockedAt: now, PaidAt: now, UpdatedAt: now,
	})
	suite.Same(s, "hold as read", suite.Must(s.inv.Hold(s.Context(), "a")), h)
	s.counts(sku(1), stock.Quantities{Total: 10, Sold: 3, Left: 7})
	paid := s.pay("a")
	suite.Same(s, "outcome of Pay", paid, stock.Outcome{Order: "a", State: stock.Paid, Replay: true})
	s.Is(suite.Err(s.inv.Cancel(s.Context(), "a")), stock.ErrPaid)
	s.Advance(2 * hold) // its deadline is that of a lock, and means nothing any more
	suite.Same(s, "expired", suite.Must(s.inv.Expire(s.Context())), 0)
	s.No(suite.Err(s.inv.Refund(s.Context(), stock.Refund{ID: "r", Order: "a", Restock: true})))
	s.counts(sku(1), stock.Quantities{Total: 10, Left: 10, Refunded: 3})
	s.define(sku(2), 0, stock.Terms{Unlimited: true})
	s.take("b", units(2, 1_000_000))
	s.counts(sku(2), stock.Quantities{Sold: 1_000_000})
}

func takeTwice(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	first := s.take("a", units(1, 2))
	suite.Replays(s, "second", s.take("a", units(1, 2)), first)
	errs := suite.Crowd(32, 32, func(int) error { return suite.Err(s.inv.Take(s.Context(), "b", units(1, 2))) })
	s.Count("takes of b", s.Succeeded(errs), 32)
	s.Is(suite.Err(s.inv.Take(s.Context(), "a", units(1, 3))), stock.ErrMismatch)
	s.counts(sku(1), stock.Quantities{Total: 10, Sold: 4, Left: 6})
}

func takeAfterLock(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	s.lock("a", units(1, 2))
	suite.Same(s, "state", s.take("a", units(1, 2)).State, stock.Paid)
	s.No(suite.Err(s.inv.Cancel(s.Context(), "c")))
	s.Is(suite.Err(s.inv.Take(s.Context(), "c", units(1, 2))), stock.ErrCancelled)
	s.counts(sku(1), stock.Quantities{Total: 10, Sold: 2, Left: 8})
	s.lock("b", units(1, 2))
	s.Advance(hold)
	s.Is(suite.Err(s.inv.Take(s.Context(), "b", units(1, 2))), stock.ErrExpired)
	s.Is(suite.Err(s.inv.Take(s.Context(), "a", units(1, 1))), stock.ErrMismatch)
}

func lockAfterTake(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	taken := s.take("a", units(1, 2))
	s.Advance(2 * hold)
	suite.Replays(s, "hold", s.lock("a", units(1, 2)), taken)
}

func takeBesideLocks(s *scene) {
	s.define(sku(1), 150, stock.Terms{})
	errs := suite.Crowd(600, 64, func(i int) error {
		order := fmt.Sprint("order-", i)
		if i%2 == 0 {
			return suite.Err(s.inv.Take(s.Context(), order, units(1, 1)))
		}
		if _, err := s.inv.Lock(s.Context(), order, units(1, 1)); err != nil {
			return err
		}
		return suite.Err(s.inv.Pay(s.Context(), order))
	})
	s.Count("sold", s.Succeeded(errs, stock.ErrInsufficient), 150)
	s.counts(sku(1), stock.Quantities{Total: 150, Sold: 150})
}

func takeLimits(s *scene) {
	s.define(sku(1), 100, stock.Terms{PerBuyer: 3, PerOrder: 2, LiveHolds: 1})
	s.Is(suite.Err(s.inv.Take(s.Context(), "nobody", units(1, 1))), stock.ErrBuyerRequired)
	inv := s.inv.For("7")
	s.Is(suite.Err(inv.Take(s.Context(), "much", units(1, 3))), stock.ErrPerOrder)
	s.No(suite.Err(inv.Lock(s.Context(), "locked", units(1, 1))))
	s.No(suite.Err(inv.Take(s.Context(), "a", units(1, 1)))) // a live hold does not keep from taking
	_, err := inv.Take(s.Context(), "b", units(1, 2))
	s.overLimit(err, stock.LimitError{Key: sku(1), Err: stock.ErrPerBuyer, Buyer: "7", Limit: 3, Has: 2, Wanted: 2})
	s.usage("7", sku(1), stock.Usage{Held: 1, Bought: 1, Holds: 1})
	errs := suite.Crowd(20, 20, func(i int) error {
		return suite.Err(s.inv.For("8").Take(s.Context(), fmt.Sprint("eight-", i), units(1, 1)))
	})
	s.Count("takes of one buyer", s.Succeeded(errs, stock.ErrPerBuyer), 3)
	s.usage("8", sku(1), stock.Usage{Bought: 3})
}

func takeAllOrNone(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	s.define(sku(2), 1, stock.Terms{})
	s.shortage(suite.Err(s.inv.Take(s.Context(), "a", units(1, 2), units(2, 2))), sku(2), 2, 1)
	s.unheld("a")
	s.take("b", units(2, 1), units(1, 2))
	s.counts(sku(1), stock.Quantities{Total: 10, Sold: 2, Left: 8})
	s.counts(sku(2), stock.Quantities{Total: 1, Sold: 1})
	s.define(sku(3), 5, stock.Terms{Start: s.now().Add(time.Minute)})
	s.Is(suite.Err(s.inv.Take(s.Context(), "c", units(3, 1))), stock.ErrNotStarted)
}
