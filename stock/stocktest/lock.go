package stocktest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func lockCases() []testCase {
	return []testCase{
		{Name: "ThousandBuyersLockHundredUnits", Run: thousandBuyers},
		{Name: "LockWithOtherLinesIsAMismatch", Run: lockMismatch},
		{Name: "CancelBeforeLockClosesTheOrder", Run: cancelBeforeLock},
		{Name: "LockTakesAllLinesOrNone", Run: allLinesOrNone},
		{Name: "LockTakesAllLinesOrNoneAtOnce", Run: allLinesOrNoneAtOnce},
		{Name: "UnlimitedItemsNeverRunOut", Run: unlimited},
		{Name: "PoolsAreCountedApart", Run: poolsApart},
		{Name: "LockRefusalsAreDistinct", Run: refusalsAreDistinct},
		{Name: "LockReturnsTheHold", Run: lockReturnsTheHold},
		{Name: "LockSumsLinesOfOneItem", Run: lockSumsLines},
		{Name: "LockReplayReturnsTheHoldAsItIs", Run: lockReplayLater},
		{Name: "LockConcurrentReplays", Run: lockConcurrentReplays},
		{Name: "LockConcurrentMismatches", Run: lockConcurrentMismatches},
		{Name: "LockRefusedMayBeRetried", Run: lockRefusedRetried},
		{Name: "LockNamesTheFirstRefusalByKey", Run: lockFirstRefusal},
		{Name: "LockUntilATimeThatIsOverIsRefused", Run: lockUntilOver},
		{Name: "LockUntilATimeThatIsOverInACrowd", Run: lockUntilOverCrowd},
		{Name: "LockOfFiveHundredLines", Run: lockManyLines},
		{Name: "LocksInOppositeLineOrdersAllSucceed", Run: lockOppositeOrders},
		{Name: "LockNeverOversellsNorRefusesTooSoon", Run: lockCrowd},
	}
}

func thousandBuyers(s *scene) {
	s.define(sku(1), 100, stock.Terms{})
	errs := suite.Crowd(1000, 64, func(i int) error {
		return suite.Err(s.inv.Lock(s.Context(), fmt.Sprint("order-", i), units(1, 1)))
	})
	s.Count("locks", s.Succeeded(errs, stock.ErrInsufficient), 100)
	s.counts(sku(1), stock.Quantities{Total: 100, Locked: 100, Left: 100})
	for i, err := range errs {
		if err == nil {
			s.state(fmt.Sprint("order-", i), stock.Locked)
		} else {
			s.shortage(err, sku(1), 1, 0)
			s.unheld(fmt.Sprint("order-", i))
		}
	}
}

func lockMismatch(s *scene) {
	for _, key := range []stock.Key{sku(1), sku(2), pool(1, 7)} {
		s.define(key, 10, stock.Terms{})
	}
	s.lock("a", units(1, 2))
	s.No(suite.Err(s.inv.For("5").Lock(s.Context(), "b", units(1, 2))))
	for name, lines := range map[string][]stock.Line{
		"more units":    {units(1, 3)},
		"fewer units":   {units(1, 1)},
		"another SKU":   {units(2, 2)},
		"another pool":  {{SKU: 1, Activity: 7, Num: 2}},
		"one line more": {units(1, 2), units(2, 1)},
		"unknown SKU":   {units(9, 2)},
		"sold out":      {units(1, 99)},
	} {
		if _, err := s.inv.Lock(s.Context(), "a", lines...); !errors.Is(err, stock.ErrMismatch) {
			s.Fatalf("%s: %v", name, err)
		}
	}
	s.Is(suite.Err(s.inv.For("5").Lock(s.Context(), "a", units(1, 2))), stock.ErrMismatch) // a buyer where there was none
	s.Is(suite.Err(s.inv.Lock(s.Context(), "b", units(1, 2))), stock.ErrMismatch)          // none where there was a buyer
	s.Is(suite.Err(s.inv.For("6").Lock(s.Context(), "b", units(1, 2))), stock.ErrMismatch)
	s.differs(suite.Err(s.inv.Lock(s.Context(), "a", units(1, 2), units(2, 1))), stock.MismatchError{
		ID: "a", Field: "lines", Recorded: "2 of SKU 1", Asked: "2 of SKU 1, 1 of SKU 2",
	})
	s.differs(suite.Err(s.inv.For("6").Lock(s.Context(), "b", units(1, 3))), stock.MismatchError{ID: "b", Field: "buyer"})
	s.counts(sku(1), stock.Quantities{Total: 10, Locked: 4, Left: 10})
	s.counts(sku(2), stock.Quantities{Total: 10, Left: 10})
	s.counts(pool(1, 7), stock.Quantities{Total: 10, Left: 10})
	s.usage("5", sku(1), stock.Usage{Held: 2, Holds: 1})
	s.usage("6", sku(1), stock.Usage{})
}

func cancelBeforeLock(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	suite.Same(s, "outcome", suite.Must(s.inv.Cancel(s.Context(), "a")), stock.Outcome{Order: "a", State: stock.Cancelled, Void: true})
	for range 2 {
		h, err := s.inv.Lock(s.Context(), "a", units(1, 2))
		s.inState(err, "a", stock.Cancelled, stock.ErrCancelled)
		suite.Same(s, "hold", h, s.state("a", stock.Cancelled))
		s.Advance(100 * hold) // for ever
	}
	if h := s.state("a", stock.Cancelled); len(h.Lines) != 0 || h.Buyer != "" {
		s.Fatalf("a tombstone holds something: %+v", h)
	}
	o := suite.Must(s.inv.Cancel(s.Context(), "a"))
	suite.Same(s, "second outcome", o, stock.Outcome{Order: "a", State: stock.Cancelled, Replay: true, Void: true})
	s.counts(sku(1), stock.Quantities{Total: 10, Left: 10})
}

func allLinesOrNone(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	s.define(sku(2), 4, stock.Terms{})
	s.define(sku(3), 10, stock.Terms{})
	s.unchanged(sku(1), func() {
		s.unchanged(sku(3), func() {
			s.shortage(suite.Err(s.inv.Lock(s.Context(), "a", units(3, 1), units(1, 1), units(2, 5))), sku(2), 5, 4)
		})
	})
	s.unheld("a")
	s.counts(sku(2), stock.Quantities{Total: 4, Left: 4})
	s.lock("a", units(3, 1), units(1, 1), units(2, 4))
	for n, total := range map[int64]int64{1: 10, 2: 4, 3: 10} {
		s.counts(sku(n), stock.Quantities{Total: total, Locked: map[int64]int64{1: 1, 2: 4, 3: 1}[n], Left: total})
	}
}

// allLinesOrNoneAtOnce lets orders of two items race for the one that is scarce.
func allLinesOrNoneAtOnce(s *scene) {
	s.define(sku(1), 1000, stock.Terms{})
	s.define(sku(2), 20, stock.Terms{})
	errs := suite.Together(64, func(i int) error {
		lines := []stock.Line{units(1, 1), units(2, 1)}
		if i%2 == 1 {
			slices.Reverse(lines)
		}
		return suite.Err(s.inv.Lock(s.Context(), strconv.Itoa(i), lines...))
	})
	s.Count("locks", s.Succeeded(errs, stock.ErrInsufficient), 20)
	s.counts(sku(1), stock.Quantities{Total: 1000, Locked: 20, Left: 1000})
	s.counts(sku(2), stock.Quantities{Total: 20, Locked: 20, Left: 20})
}

func unlimited(s *scene) {
	s.define(sku(1), 0, stock.Terms{Unlimited: true, PerBuyer: 2})
	buyer := s.inv.For("5")
	s.No(suite.Err(buyer.Lock(s.Context(), "a", units(1, 2))))
	s.Is(suite.Err(buyer.Lock(s.Context(), "b", units(1, 1))), stock.ErrPerBuyer)

	s.define(sku(2), 0, stock.Terms{Unlimited: true})
	s.lock("c", units(2, 1_000_000))
	s.counts(sku(2), stock.Quantities{Locked: 1_000_000})
	s.pay("c")
	s.counts(sku(2), stock.Quantities{Sold: 1_000_000})
	s.refund("r", "c", units(2, 400_000))
	s.counts(sku(2), stock.Quantities{Sold: 600_000, Refunded: 400_000})

	// Nothing left of a limited item is not the same as unlimited.
	s.define(sku(3), 0, stock.Terms{})
	s.shortage(suite.Err(s.inv.Lock(s.Context(), "d", units(3, 1))), sku(3), 1, 0)
}

func poolsApart(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	s.define(pool(1, 7), 3, stock.Terms{})
	s.define(pool(1, 8), 2, stock.Terms{})
	s.lock("a", units(1, 4), stock.Line{SKU: 1, Activity: 7, Num: 3})
	s.shortage(suite.Err(s.inv.Lock(s.Context(), "b", stock.Line{SKU: 1, Activity: 7, Num: 1})), pool(1, 7), 1, 0)
	s.Is(suite.Err(s.inv.Lock(s.Context(), "b", stock.Line{SKU: 1, Activity: 9, Num: 1})), stock.ErrUnknownSKU)
	s.pay("a")
	s.counts(sku(1), stock.Quantities{Total: 10, Sold: 4, Left: 6})
	s.counts(pool(1, 7), stock.Quantities{Total: 3, Sold: 3})
	s.counts(pool(1, 8), stock.Quantities{Total: 2, Left: 2})
}

// refusalsAreDistinct has one item for each reason that a Lock can be refused for.
func refusalsAreDistinct(s *scene) {
	now := s.now()
	s.define(sku(1), 10, stock.Terms{OffShelf: true})
	s.define(sku(2), 10, stock.Terms{Start: now.Add(1e9)})
	s.define(sku(3), 10, stock.Terms{End: now})
	s.define(sku(4), 10, stock.Terms{PerOrder: 1})
	s.define(sku(5), 10, stock.Terms{PerBuyer: 1})
	s.define(sku(6), 10, stock.Terms{LiveHolds: 1})
	s.define(sku(7), 1, stock.Terms{})
	buyer := s.inv.For("5")
	s.No(suite.Err(buyer.Lock(s.Context(), "first", units(6, 1))))

	reasons := []error{
		stock.ErrUnknownSKU, stock.ErrOffShelf, stock.ErrNotStarted, stock.ErrEnded, stock.ErrPerOrder,
		stock.ErrPerBuyer, stock.ErrLiveHolds, stock.ErrInsufficient, stock.ErrBuyerRequired,
	}
	lock := func(inv *stock.Inventory, line stock.Line, want error) {
		s.Helper()
		_, err := inv.Lock(s.Context(), "a", line)
		s.Is(err, want)
		for _, other := range reasons {
			if !errors.Is(want, other) {
				s.IsNot(err, other)
			}
		}
		s.IsNot(err, stock.ErrInvalid, stock.ErrMismatch, stock.ErrUnavailable, stock.ErrUnknown)
	}
	lock(buyer, units(99, 2), stock.ErrUnknownSKU)
	lock(buyer, units(1, 2), stock.ErrOffShelf)
	lock(buyer, units(2, 2), stock.ErrNotStarted)
	lock(buyer, units(3, 2), stock.ErrEnded)
	lock(buyer, units(4, 2), stock.ErrPerOrder)
	lock(buyer, units(5, 2), stock.ErrPerBuyer)
	lock(buyer, units(6, 2), stock.ErrLiveHolds)
	lock(buyer, units(7, 2), stock.ErrInsufficient)
	lock(s.inv, units(5, 1), stock.ErrBuyerRequired)
	lock(s.inv, units(6, 1), stock.ErrBuyerRequired)
	s.unheld("a")
}

func lockReturnsTheHold(s *scene) {
	s.fill(10, sku(2), sku(1), pool(1, 7))
	now := s.now()
	h := suite.Must(s.inv.For("5").Lock(s.Context(), "a", units(2, 1), stock.Line{SKU: 1, Activity: 7, Num: 3}, units(1, 2)))
	suite.Same(s, "hold", h, stock.Hold{
		Order: "a", Buyer: "5", State: stock.Locked,
		Lines: []stock.HoldLine{
			{Line: units(1, 2)}, {Line: stock.Line{SKU: 1, Activity: 7, Num: 3}}, {Line: units(2, 1)},
		},
		Deadline: now.Add(hold), LockedAt: now, UpdatedAt: now,
	})
	suite.Same(s, "hold read again", s.state("a", stock.Locked), h)
}

func lockSumsLines(s *scene) {
	s.define(sku(1), 10, stock.Terms{PerOrder: 5})
	s.define(sku(2), 10, stock.Terms{})
	first := s.lock("a", units(1, 2), units(2, 1), units(1, 3))
	suite.Replays(s, "one line for both", s.lock("a", units(2, 1), units(1, 5)), first)
	s.counts(sku(1), stock.Quantities{Total: 10, Locked: 5, Left: 10})
	s.Is(suite.Err(s.inv.Lock(s.Context(), "b", units(1, 3), units(1, 3))), stock.ErrPerOrder) // the limit counts the sum
	s.unchanged(sku(2), func() {                                                               // and so does the shortage
		s.shortage(suite.Err(s.inv.Lock(s.Context(), "b", units(2, 5), units(2, 5))), sku(2), 10, 9)
	})
}

func lockReplayLater(s *scene) {
	s.inv = s.with(stock.Options{RefundRedeemed: true})
	s.define(sku(1), 10, stock.Terms{})
	again := func() { s.Helper(); suite.Replays(s, "replay", s.lock("a", units(1, 2)), s.holdOf("a")) }
	s.lock("a", units(1, 2))
	again()
	s.Advance(hold / 2)
	again()
	s.pay("a")
	again()
	s.terms(sku(1), stock.Terms{OffShelf: true}) // a replay asks no terms
	s.Advance(hold)
	again()
	s.No(suite.Err(s.inv.Redeem(s.Context(), "a")))
	again()
	s.No(suite.Err(s.inv.Refund(s.Context(), stock.Refund{ID: "part", Order: "a", Restock: true, Lines: []stock.Line{units(1, 1)}})))
	again()

	// What is over is refused, with the hold as it is.
	s.refund("r", "a")
	againRefunded(s)
	s.terms(sku(1), stock.Terms{})
	s.lock("cancelled", units(1, 1))
	s.No(suite.Err(s.inv.Cancel(s.Context(), "cancelled")))
	h, err := s.inv.Lock(s.Context(), "cancelled", units(1, 1))
	s.inState(err, "cancelled", stock.Cancelled, stock.ErrCancelled)
	suite.Same(s, "hold", h, s.holdOf("cancelled"))
	s.Is(suite.Err(s.inv.Lock(s.Context(), "cancelled", units(1, 9))), stock.ErrCancelled) // it is over, whatever is asked now

	s.lock("expired", units(1, 1))
	s.Advance(hold)
	for range 2 { // before and after it is swept up
		h, err = s.inv.Lock(s.Context(), "expired", units(1, 1))
		s.Is(err, stock.ErrExpired)
		suite.Same(s, "hold", h, s.holdOf("expired"))
		s.Is(suite.Err(s.inv.Lock(s.Context(), "expired", units(1, 9))), stock.ErrMismatch)
		s.No(suite.Err(s.inv.Expire(s.Context())))
	}
	s.state("expired", stock.Expired)
}

// againRefunded locks and takes the order once more that is refunded as a whole.
func againRefunded(s *scene) {
	s.Helper()
	for _, acquire := range []func(context.Context, string, ...stock.Line) (stock.Hold, error){s.inv.Lock, s.inv.Take} {
		h, err := acquire(s.Context(), "a", units(1, 2))
		s.Is(err, stock.ErrRefunded)
		suite.Same(s, "refunded hold", h, s.holdOf("a"))
		s.Is(suite.Err(acquire(s.Context(), "a", units(1, 1))), stock.ErrMismatch)
	}
	s.counts(sku(1), stock.Quantities{Total: 10, Left: 10, Refunded: 2})
}

func lockConcurrentReplays(s *scene) {
	s.fill(10, sku(1), sku(2))
	holds := make([]stock.Hold, 32)
	s.Each(suite.Together(len(holds), func(i int) (err error) {
		lines := []stock.Line{units(1, 2), units(2, 1)}
		if i%2 == 1 {
			slices.Reverse(lines)
		}
		holds[i], err = s.inv.For("5").Lock(s.Context(), "a", lines...)
		return err
	}))
	suite.Once(s, "hold", holds)
	suite.Same(s, "hold", holds[0], s.holdOf("a"))
	s.counts(sku(1), stock.Quantities{Total: 10, Locked: 2, Left: 10})
	s.usage("5", sku(1), stock.Usage{Held: 2, Holds: 1})
}

func lockConcurrentMismatches(s *scene) {
	s.define(sku(1), 100, stock.Terms{})
	errs := suite.Together(16, func(i int) error { return suite.Err(s.inv.Lock(s.Context(), "a", units(1, int64(i+1)))) })
	s.Count("locks", s.Succeeded(errs, stock.ErrMismatch), 1)
	s.Count("the winner's units", int(s.holdOf("a").Lines[0].Num), slices.Index(errs, nil)+1)
}

func lockRefusedRetried(s *scene) {
	s.define(sku(1), 1, stock.Terms{})
	s.shortage(suite.Err(s.inv.Lock(s.Context(), "a", units(1, 2))), sku(1), 2, 1)
	s.inState(suite.Err(s.inv.Pay(s.Context(), "a")), "a", stock.Unheld, stock.ErrNotFound) // the refused Lock has left nothing
	s.No(suite.Err(s.inv.Restock(s.Context(), "in", units(1, 1))))
	s.lock("a", units(1, 2))
	s.shortage(suite.Err(s.inv.Lock(s.Context(), "b", units(1, 1))), sku(1), 1, 0)
	s.Is(suite.Err(s.inv.Lock(s.Context(), "b", units(9, 1))), stock.ErrUnknownSKU) // with other lines: it was never accepted
	s.No(suite.Err(s.inv.Cancel(s.Context(), "b")))                                 // until somebody closes it
	s.No(suite.Err(s.inv.Restock(s.Context(), "in-2", units(1, 5))))
	s.Is(suite.Err(s.inv.Lock(s.Context(), "b", units(1, 1))), stock.ErrCancelled)
}

// lockFirstRefusal asks for lines that are all refused: the first by key is named.
func lockFirstRefusal(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	s.define(sku(2), 1, stock.Terms{})
	s.define(pool(2, 7), 0, stock.Terms{OffShelf: true})
	_, err := s.inv.Lock(s.Context(), "a", units(9, 1), stock.Line{SKU: 2, Activity: 7, Num: 1}, units(1, 1), units(2, 2))
	s.shortage(err, sku(2), 2, 1)
	_, err = s.inv.Lock(s.Context(), "a", units(9, 1), stock.Line{SKU: 2, Activity: 7, Num: 1}, units(1, 1))
	s.Is(err, stock.ErrOffShelf)
	s.itemRefuses(err, pool(2, 7), stock.ErrOffShelf)
	_, err = s.inv.Lock(s.Context(), "a", units(9, 1), units(1, 1))
	s.itemRefuses(err, sku(9), stock.ErrUnknownSKU)

	// One item that has every reason to refuse gives them in the documented order.
	now := s.now()
	terms := stock.Terms{OffShelf: true, Start: now.Add(1e9), PerOrder: 1, PerBuyer: 1, LiveHolds: 1}
	s.define(sku(3), 5, stock.Terms{})
	buyer := s.inv.For("5")
	s.No(suite.Err(buyer.Lock(s.Context(), "live", units(3, 5))))
	refused := func(inv *stock.Inventory, want error) {
		s.Helper()
		s.terms(sku(3), terms)
		s.Is(suite.Err(inv.Lock(s.Context(), "b", units(3, 2))), want)
	}
	refused(s.inv, stock.ErrOffShelf)
	terms.OffShelf = false
	refused(s.inv, stock.ErrNotStarted)
	terms.Start, terms.End = now.Add(-1e9), now
	refused(s.inv, stock.ErrEnded)
	terms.Start, terms.End = now, now.Add(1e9)
	refused(s.inv, stock.ErrPerOrder)
	terms.PerOrder = 0
	refused(s.inv, stock.ErrBuyerRequired)
	refused(buyer, stock.ErrLiveHolds)
	terms.LiveHolds = 0
	refused(buyer, stock.ErrPerBuyer)
	terms.PerBuyer = 0
	refused(buyer, stock.ErrInsufficient)
}

func lockManyLines(s *scene) {
	lines := make([]stock.Line, stock.MaxLines)
	for i := range lines {
		lines[i] = stock.Line{SKU: int64(i%50 + 1), Activity: int64(i / 50), Num: 1}
	}
	s.Each(suite.Crowd(len(lines), 8, func(i int) error {
		return suite.Err(s.inv.Define(s.Context(), lines[i].Key(), 1, stock.Terms{}))
	}))
	h := s.lock("a", lines...)
	s.Count("lines", len(h.Lines), len(lines))
	s.pay("a")
	s.refund("r", "a")
	s.state("a", stock.Refunded)
	for _, item := range suite.Listed(s, s.inv.Items(s.Context())) {
		suite.Same(s, item.Key.String(), item.Quantities, stock.Quantities{Total: 1, Left: 1, Refunded: 1})
	}
}

// lockOppositeOrders has 200 orders over the same items, each in another order of its lines:
// whatever that deadlocks inside the store stays there.
func lockOppositeOrders(s *scene) {
	const orders, items = 200, 8
	for n := range int64(items) {
		s.define(sku(n+1), 10*orders, stock.Terms{})
	}
	s.Each(suite.Together(orders, func(i int) error {
		lines := make([]stock.Line, items)
		for n := range lines {
			lines[n] = units(int64((n*(2*(i%4)+1)+i)%items)+1, 1)
		}
		if i%2 == 1 {
			slices.Reverse(lines)
		}
		return suite.Err(s.inv.Lock(s.Context(), strconv.Itoa(i), lines...))
	}))
	for n := range int64(items) {
		s.counts(sku(n+1), stock.Quantities{Total: 10 * orders, Locked: orders, Left: 10 * orders})
	}
	// Half of them are paid while the others are cancelled.
	s.Each(suite.Together(orders, func(i int) error { return s.end(strconv.Itoa(i), i%2 == 0) }))
	for n := range int64(items) {
		s.counts(sku(n+1), stock.Quantities{Total: 10 * orders, Sold: orders / 2, Left: 10*orders - orders/2})
	}
}

// lockCrowd sends ten thousand buyers of one to five units to a thousand units.
func lockCrowd(s *scene) {
	const total = 1000
	buyers := 10_000
	if testing.Short() {
		buyers = 500
	}
	s.define(sku(1), total, stock.Terms{})
	var locked atomic.Int64
	errs := suite.Crowd(buyers, 64, func(i int) error {
		num := int64(i%5 + 1)
		_, err := s.inv.Lock(s.Context(), strconv.Itoa(i), units(1, num))
		if err == nil {
			locked.Add(num)
		}
		return err
	})
	s.Succeeded(errs, stock.ErrInsufficient)
	refused := false
	for i, err := range errs {
		if err == nil {
			continue
		}
		refused = true
		short := suite.As[*stock.ShortageError](s, err)
		if short.Wanted != int64(i%5+1) || short.Available >= short.Wanted || short.Available < 0 {
			s.Fatalf("order %d was refused though %d were available: %v", i, short.Available, err)
		}
	}
	item := s.item(sku(1))
	suite.Same(s, "locked", item.Locked, locked.Load())
	if locked.Load() > total {
		s.Fatalf("%d of %d units are locked", locked.Load(), total)
	}
	if refused && item.Available() >= 5 {
		s.Fatalf("somebody was refused, and %d are available", item.Available())
	}
}
