package stocktest

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func waitCases() []testCase {
	return []testCase{
		{Name: "WaitLocksAtOnceWhereTheUnitsAreThere", Run: waitLocks},
		{Name: "WaitIsShownByHook", Run: waitShown},
		{Name: "WaitGetsWhatBecomesFreeInTheOrderOfArrival", Run: waitInOrder},
		{Name: "WaitGivesToTheFirstWhoFits", Run: waitWhoFits},
		{Name: "WaitIsNotPassed", Run: waitNotPassed},
		{Name: "WaitJudgesLimitsAtTheOffer", Run: waitLimits},
		{Name: "WaitJudgesWhatTheStepHasLeft", Run: waitBehindTheStep},
		{Name: "WaitBeyondWhatCanBeCountedIsRefused", Run: waitOverflow},
		{Name: "WaitOfferThatExpiresGoesToTheNext", Run: waitOfferExpires},
		{Name: "WaitIsLeftByCancel", Run: waitLeft},
		{Name: "WaitTwiceIsOnce", Run: waitTwice},
		{Name: "WaitRefusesOtherSteps", Run: waitOtherSteps},
		{Name: "WaitGetsWhatEveryVerbFrees", Run: waitVerbs},
		{Name: "WaitGetsWhatTheClockFrees", Run: waitClock},
		{Name: "WaitInACrowdLosesNobody", Run: waitCrowd},
		{Name: "WaitInACallersTransactionIsPartOfIt", Run: waitInTransaction, Transactions: true},
	}
}

// wait queues an order, a moment after what was before.
func (s *scene) wait(order string, line stock.Line) stock.Hold {
	s.Advance(time.Microsecond)
	return suite.Must(s.inv.Wait(s.Context(), order, line))
}

// states demands the states of some orders.
func (s *scene) states(want stock.State, orders ...string) {
	s.Helper()
	for _, order := range orders {
		s.state(order, want)
	}
}

// cancel cancels an order.
func (s *scene) cancel(order string) { suite.Must(s.inv.Cancel(s.Context(), order)) }

// position demands the place of an order in its queue.
func (s *scene) position(order string, place, length int64) {
	s.Helper()
	is, of, err := s.inv.Position(s.Context(), order)
	s.No(err)
	suite.Same(s, "position of "+order, [2]int64{is, of}, [2]int64{place, length})
}

// soldOut defines an item whose units an order has.
func (s *scene) soldOut(key stock.Key, num int64, order string) {
	s.define(key, num, stock.Terms{})
	s.lock(order, stock.Line{SKU: key.SKU, Activity: key.Activity, Num: num})
}

func waitLocks(s *scene) {
	s.define(sku(1), 3, stock.Terms{})
	got := s.wait("a", units(1, 3))
	now := s.now()
	suite.Same(s, "hold", got, stock.Hold{
		Order: "a", State: stock.Locked, Lines: []stock.HoldLine{{Line: units(1, 3)}}, Deadline: now.Add(hold), LockedAt: now, UpdatedAt: now,
	})
	suite.Same(s, "hold as read", suite.Must(s.inv.Hold(s.Context(), "a")), got)
	s.counts(sku(1), stock.Quantities{Total: 3, Locked: 3, Left: 3})
	got = s.wait("b", units(1, 2))
	now = s.now()
	suite.Same(s, "hold", got, stock.Hold{
		Order: "b", State: stock.Waiting, Lines: []stock.HoldLine{{Line: units(1, 2)}}, Deadline: now, LockedAt: now, UpdatedAt: now,
	})
	suite.Same(s, "hold as read", suite.Must(s.inv.Hold(s.Context(), "b")), got)
	s.counts(sku(1), stock.Quantities{Total: 3, Locked: 3, Left: 3, Waiting: 2})
	s.position("b", 1, 1)
	s.position("a", 0, 0)
	s.Advance(hold) // a is dead, and nobody has swept it up: what it has is for b, and then for c
	suite.Same(s, "state of c", s.wait("c", units(1, 1)).State, stock.Locked)
	s.states(stock.Locked, "b")
	s.states(stock.Expired, "a")
}

// Of an offer the hook is told where the Wait itself has it.
func waitShown(s *scene) {
	ctx := s.Context()
	s.define(sku(1), 1, stock.Terms{})
	var effects []stock.Effect
	inv := s.with(stock.Options{Hook: record(&effects)})
	shows := func(want ...stock.Effect) { suite.Same(s, "effects", effects, want); effects = nil }
	wait := func(order string) stock.Effect {
		suite.Must(inv.Wait(ctx, order, units(1, 1)))
		return stock.Effect{Step: stock.StepWait, Order: order, Lines: []stock.Line{units(1, 1)}}
	}
	shows(wait("a"), stock.Effect{Step: stock.StepOffer, Order: "a"})
	s.Advance(hold) // what a has is for b
	shows(wait("b"), stock.Effect{Step: stock.StepExpire, Order: "a"}, stock.Effect{Step: stock.StepOffer, Order: "b"})
	shows(wait("c"))
	suite.Must(inv.Cancel(ctx, "b"))
	s.states(stock.Locked, "c")
	shows(stock.Effect{Step: stock.StepCancel, Order: "b"})
	wait("c")
	s.Count("effects of a replay", len(effects), 0)
}

func waitInOrder(s *scene) {
	s.soldOut(sku(1), 3, "a")
	for _, order := range []string{"z", "b", "y", "c"} {
		s.wait(order, units(1, 1))
	}
	s.position("y", 3, 4)
	s.cancel("a")
	s.states(stock.Locked, "z", "b", "y")
	s.states(stock.Waiting, "c")
	offered := suite.Must(s.inv.Hold(s.Context(), "b"))
	suite.Same(s, "deadline", offered.Deadline, s.now().Add(hold))
	s.position("c", 1, 1)
	s.counts(sku(1), stock.Quantities{Total: 3, Locked: 3, Left: 3, Waiting: 1})
	s.pay("b")
	s.cancel("y")
	s.states(stock.Locked, "c")
	s.counts(sku(1), stock.Quantities{Total: 3, Sold: 1, Locked: 2, Left: 2})
}

func waitWhoFits(s *scene) {
	s.soldOut(sku(1), 4, "a")
	s.wait("five", units(1, 5))
	s.wait("three", units(1, 3))
	s.wait("two", units(1, 2))
	s.wait("one", units(1, 1))
	s.cancel("a")
	s.states(stock.Locked, "three", "one")
	s.states(stock.Waiting, "five", "two")
	s.position("two", 2, 2)
	s.cancel("three")
	s.states(stock.Locked, "two")
	suite.Same(s, "state", s.wait("more", units(1, 1)).State, stock.Locked) // which five cannot use
	suite.Must(s.inv.Restock(s.Context(), "r", units(1, 5)))
	s.states(stock.Locked, "five")
}

func waitNotPassed(s *scene) {
	ctx := s.Context()
	s.soldOut(sku(1), 2, "a")
	s.wait("b", units(1, 3))
	s.cancel("a")
	_, err := s.inv.Lock(ctx, "c", units(1, 1))
	s.shortageOf(err, stock.ShortageError{Key: sku(1), Wanted: 1, Available: 2, Waiting: 3})
	s.shortageOf(suite.Err(s.inv.Take(ctx, "c", units(1, 1))), stock.ShortageError{Key: sku(1), Wanted: 1, Available: 2, Waiting: 3})
	s.define(sku(2), 9, stock.Terms{})
	s.lock("d", units(2, 1))
	more := stock.Amendment{ID: "more", Order: "d", Lines: []stock.Line{units(1, 1), units(2, 1)}}
	s.shortageOf(suite.Err(s.inv.Amend(ctx, more)), stock.ShortageError{Key: sku(1), Wanted: 1, Available: 2, Waiting: 3})
	checked := suite.Must(s.inv.Check(ctx, units(1, 1)))
	s.Is(checked[0].Why, stock.ErrInsufficient)
	passes := s.with(stock.Options{PassWaiting: true})
	suite.Same(s, "could have", suite.Must(passes.Check(ctx, units(1, 1)))[0].Num, 2)
	s.No(suite.Err(passes.Lock(ctx, "e", units(1, 1))))
	s.No(suite.Err(passes.Take(ctx, "f", units(1, 1))))
	s.Is(suite.Err(passes.Lock(ctx, "g", units(1, 1))), stock.ErrInsufficient)
	s.cancel("b")
	s.counts(sku(1), stock.Quantities{Total: 2, Sold: 1, Locked: 1, Left: 1})
	s.cancel("e")
	s.lock("h", units(1, 1)) // nobody waits any more

	s.define(sku(3), 1, stock.Terms{})
	s.lock("late", units(3, 1))
	s.Advance(hold)
	suite.Must(s.inv.Expire(ctx))
	s.wait("two", units(3, 2))
	_, err = s.with(stock.Options{LatePay: stock.Reacquire}).Pay(ctx, "late")
	s.Is(err, stock.ErrExpired)
	s.shortageOf(err, stock.ShortageError{Key: sku(3), Wanted: 1, Available: 1, Waiting: 2})
	suite.Must(s.inv.Withdraw(ctx, "w", units(3, 1))) // an operator passes
}

// shortageOf demands a ShortageError.
func (s *scene) shortageOf(err error, want stock.ShortageError) {
	s.Helper()
	suite.Same(s, "shortage", *suite.As[*stock.ShortageError](s, err), want)
}

// waitFor queues an order of a buyer, a moment after what was before.
func (s *scene) waitFor(buyer, order string, line stock.Line) {
	s.Advance(time.Microsecond)
	suite.Same(s, "state of "+order, suite.Must(s.inv.For(buyer).Wait(s.Context(), order, line)).State, stock.Waiting)
}

// The step that frees units changes what buyers have, and who comes next is judged by that.
func waitBehindTheStep(s *scene) {
	s.define(sku(1), 1, stock.Terms{PerBuyer: 1})
	s.No(suite.Err(s.inv.For("has").Lock(s.Context(), "has", units(1, 1))))
	s.waitFor("P", "p1", units(1, 1))
	s.waitFor("P", "p2", units(1, 1))
	s.waitFor("Q", "q1", units(1, 1))
	s.cancel("has")
	s.states(stock.Locked, "p1")
	s.cancel("p1")
	s.states(stock.Locked, "p2")
	s.Advance(hold)
	suite.Must(s.inv.Expire(s.Context()))
	s.states(stock.Locked, "q1")

	s.define(sku(2), 3, stock.Terms{PerBuyer: 2})
	s.No(suite.Err(s.inv.For("G").Lock(s.Context(), "g", units(2, 2))))
	s.No(suite.Err(s.inv.For("P").Lock(s.Context(), "p", units(2, 1))))
	s.waitFor("P", "more", units(2, 1))
	s.No(s.amends(stock.Amendment{ID: "gift", Order: "g", Buyer: "P", Lines: []stock.Line{units(2, 1)}}))
	s.states(stock.Waiting, "more")
	s.usage("P", sku(2), stock.Usage{Held: 2, Holds: 2})
	s.counts(sku(2), stock.Quantities{Total: 3, Locked: 2, Left: 3, Waiting: 1})
}

func waitOverflow(s *scene) {
	s.soldOut(sku(1), 1, "a")
	s.wait("all", units(1, math.MaxInt64))
	s.Advance(time.Microsecond)
	s.Is(suite.Err(s.inv.Wait(s.Context(), "one", units(1, 1))), stock.ErrOverflow)
	s.unheld("one")
	s.cancel("all")
	s.counts(sku(1), stock.Quantities{Total: 1, Locked: 1, Left: 1})
	s.wait("one", units(1, 1))
	s.position("one", 1, 1)
}

func waitLimits(s *scene) {
	ctx := s.Context()
	s.soldOut(sku(2), 1, "nobody's")
	s.define(sku(1), 2, stock.Terms{})
	s.lock("a", units(1, 2))
	must(s, sku(1), func(t *stock.Terms) { t.PerBuyer, t.PerOrder, t.LiveHolds = 2, 2, 1 })
	s.Is(suite.Err(s.inv.Wait(ctx, "x", units(1, 1))), stock.ErrBuyerRequired)
	ann, bob := s.inv.For("ann"), s.inv.For("bob")
	s.Is(suite.Err(ann.Wait(ctx, "x", units(1, 3))), stock.ErrPerOrder)
	s.Is(suite.Err(ann.Wait(ctx, "x", units(9, 1))), stock.ErrUnknownSKU)
	s.unheld("x")
	for i, order := range []string{"ann-1", "ann-2", "bob-1"} {
		s.Advance(time.Microsecond)
		inv := ann
		if i == 2 {
			inv = bob
		}
		suite.Same(s, "state", suite.Must(inv.Wait(ctx, order, units(1, 1))).State, stock.Waiting)
	}
	s.usage("ann", sku(1), stock.Usage{})
	s.cancel("a")
	s.states(stock.Locked, "ann-1", "bob-1") // ann has a live hold by then
	s.states(stock.Waiting, "ann-2")
	s.usage("ann", sku(1), stock.Usage{Held: 1, Holds: 1})
	s.Is(suite.Err(ann.Wait(ctx, "ann-3", units(1, 1))), stock.ErrLiveHolds)
	s.pay("ann-1")
	s.cancel("bob-1")
	s.states(stock.Locked, "ann-2")
	s.usage("ann", sku(1), stock.Usage{Held: 1, Bought: 1, Holds: 1})

	s.soldOut(sku(3), 3, "b") // the first has a unit by then, the second fits, and the third comes after the second
	s.amend("less", "b", units(3, 2))
	s.lock("c", units(3, 1))
	must(s, sku(3), func(t *stock.Terms) { t.PerBuyer = 2 })
	for i, order := range []string{"ann-4", "bob-2", "eve-1"} {
		s.Advance(time.Microsecond)
		suite.Must(s.inv.For(order[:3]).Wait(ctx, order, units(3, int64(2-i/2))))
	}
	s.No(s.amends(stock.Amendment{ID: "gift", Order: "c", Buyer: "ann"}))
	s.cancel("b")
	s.states(stock.Locked, "bob-2")
	s.states(stock.Waiting, "ann-4", "eve-1")
}

// must changes terms of an item.
func must(s *scene, key stock.Key, change func(*stock.Terms)) {
	s.Helper()
	suite.Must(s.inv.ChangeTerms(s.Context(), key, func(is stock.Item) (stock.Terms, error) {
		change(&is.Terms)
		return is.Terms, nil
	}))
}

func waitOfferExpires(s *scene) {
	ctx := s.Context()
	s.soldOut(sku(1), 1, "a")
	soon := s.with(stock.Options{HoldFor: time.Minute})
	suite.Must(soon.Wait(ctx, "b", units(1, 1)))
	s.wait("c", units(1, 1))
	s.cancel("a")
	suite.Same(s, "deadline", suite.Must(s.inv.Hold(ctx, "b")).Deadline, s.now().Add(time.Minute))
	s.Advance(time.Minute)
	s.Is(suite.Err(s.inv.Pay(ctx, "b")), stock.ErrExpired)
	s.states(stock.Locked, "c")
	suite.Same(s, "deadline", suite.Must(s.inv.Hold(ctx, "c")).Deadline, s.now().Add(hold))
	s.wait("d", units(1, 1))
	s.Advance(hold)
	s.Count("expired", suite.Must(s.inv.Expire(ctx)), 1)
	s.states(stock.Locked, "d")
	s.Is(suite.Err(s.inv.Lock(ctx, "e", units(1, 1))), stock.ErrInsufficient)
	s.pay("d")
}

func waitLeft(s *scene) {
	s.soldOut(sku(1), 1, "a")
	s.wait("b", units(1, 1))
	s.wait("c", units(1, 1))
	left := suite.Must(s.inv.Cancel(s.Context(), "b"))
	suite.Same(s, "outcome", left, stock.Outcome{Order: "b", State: stock.Cancelled})
	suite.Same(s, "again", suite.Must(s.inv.Cancel(s.Context(), "b")).Replay, true)
	s.position("c", 1, 1)
	s.position("b", 0, 0)
	s.counts(sku(1), stock.Quantities{Total: 1, Locked: 1, Left: 1, Waiting: 1})
	s.cancel("a")
	s.states(stock.Locked, "c")
	s.Is(suite.Err(s.inv.Wait(s.Context(), "b", units(1, 1))), stock.ErrCancelled)
}

func waitTwice(s *scene) {
	ctx := s.Context()
	s.soldOut(sku(1), 1, "a")
	first := s.wait("b", units(1, 1))
	suite.Replays(s, "second", s.wait("b", units(1, 1)), first)
	s.Is(suite.Err(s.inv.Wait(ctx, "b", units(1, 2))), stock.ErrMismatch)
	s.Is(suite.Err(s.inv.For("ann").Wait(ctx, "b", units(1, 1))), stock.ErrMismatch)
	errs := suite.Crowd(16, 16, func(int) error { return suite.Err(s.inv.Wait(ctx, "c", units(1, 1))) })
	s.Count("waits of c", s.Succeeded(errs), 16)
	s.position("c", 2, 2)
	held, err := s.inv.Lock(ctx, "b", units(1, 1))
	s.Is(err, stock.ErrWaiting)
	suite.Same(s, "state", held.State, stock.Waiting)
	s.Is(suite.Err(s.inv.Take(ctx, "b", units(1, 1))), stock.ErrWaiting)
	s.cancel("a")
	suite.Same(s, "state", s.wait("b", units(1, 1)).State, stock.Locked)
	suite.Same(s, "replay", s.lock("b", units(1, 1)).Replay, true)
}

func waitOtherSteps(s *scene) {
	ctx := s.Context()
	s.soldOut(sku(1), 1, "a")
	s.wait("b", units(1, 1))
	for _, err := range []error{
		suite.Err(s.inv.Pay(ctx, "b")), suite.Err(s.inv.Redeem(ctx, "b")), suite.Err(s.inv.Extend(ctx, "b", s.now().Add(time.Hour))),
		suite.Err(s.inv.Refund(ctx, stock.Refund{ID: "r", Order: "b"})),
		suite.Err(s.inv.Amend(ctx, stock.Amendment{ID: "m", Order: "b", Pay: true})),
	} {
		s.Is(err, stock.ErrWaiting)
		s.Is(err, stock.ErrNotPaid)
	}
	s.Is(suite.Err(s.inv.Until(s.now().Add(time.Hour)).Wait(ctx, "c", units(1, 1))), stock.ErrInvalid)
	suite.Same(s, "resolved", suite.Must(s.inv.Resolve(ctx, "b")).State, stock.Waiting)
	listed := suite.Must(suite.Gather(s.inv.Holds(ctx, stock.Filter{Key: sku(1), States: []stock.State{stock.Waiting}})))
	s.Count("holds that wait", len(listed), 1)
	s.cancel("b")
	s.counts(sku(1), stock.Quantities{Total: 1, Locked: 1, Left: 1})
}

func waitVerbs(s *scene) {
	ctx := s.Context()
	frees := []struct {
		name string
		has  string // what the order that has the unit made of it
		free func(key stock.Key, order string) error
	}{
		{"Cancel", "", func(_ stock.Key, order string) error { return suite.Err(s.inv.Cancel(ctx, order)) }},
		{"Refund", "paid", func(_ stock.Key, order string) error {
			return suite.Err(s.inv.Refund(ctx, stock.Refund{ID: "r-" + order, Order: order, Restock: true}))
		}},
		{"PutBack", "paid", func(_ stock.Key, order string) error {
			suite.Must(s.inv.Refund(ctx, stock.Refund{ID: "p-" + order, Order: order}))
			return suite.Err(s.inv.PutBack(ctx, "p-"+order))
		}},
		{"Restock", "", func(key stock.Key, order string) error {
			return suite.Err(s.inv.Restock(ctx, "k-"+order, units(key.SKU, 1)))
		}},
		{"Transfer", "", func(key stock.Key, order string) error {
			s.define(pool(key.SKU, 7), 1, stock.Terms{})
			return suite.Err(s.inv.Transfer(ctx, "t-"+order, stock.TransferLeg{SKU: key.SKU, From: 7, Num: 1}))
		}},
		{"Count", "", func(key stock.Key, order string) error { return suite.Err(s.inv.Count(ctx, "c-"+order, key, 2)) }},
		{"Amend", "", func(_ stock.Key, order string) error {
			s.define(sku(99), 100, stock.Terms{})
			return suite.Err(s.inv.Amend(ctx, stock.Amendment{ID: "m-" + order, Order: order, Lines: []stock.Line{units(99, 1)}}))
		}},
		{"Unlimited", "", func(key stock.Key, _ string) error {
			return suite.Err(s.inv.Define(ctx, key, 0, stock.Terms{Unlimited: true}))
		}},
		{"CancelAll", "", func(key stock.Key, _ string) error {
			for _, err := range s.inv.CancelAll(ctx, stock.Filter{Key: key}) {
				if err != nil {
					return err
				}
			}
			return nil
		}},
	}
	for i, c := range frees {
		key := sku(int64(i) + 1)
		order, next := "has-"+c.name, "waits-"+c.name
		s.soldOut(key, 1, order)
		if c.has == "paid" {
			s.pay(order)
		}
		suite.Same(s, c.name, s.wait(next, units(key.SKU, 1)).State, stock.Waiting)
		s.No(c.free(key, order))
		s.states(stock.Locked, next)
		suite.Same(s, c.name, s.item(key).Waiting, 0)
	}
	s.Balanced()
}

func waitClock(s *scene) {
	ctx := s.Context()
	s.soldOut(sku(1), 1, "a")
	s.wait("b", units(1, 1))
	must(s, sku(1), func(t *stock.Terms) { t.Start = s.now().Add(time.Minute) })
	s.cancel("a")
	s.states(stock.Waiting, "b") // the sale is closed
	must(s, sku(1), func(t *stock.Terms) { t.Low = 1 })
	s.Advance(time.Minute)
	s.states(stock.Waiting, "b")
	suite.Must(s.inv.Expire(ctx))
	s.states(stock.Locked, "b")
	s.wait("c", units(1, 1))
	must(s, sku(1), func(t *stock.Terms) { t.OffShelf = true })
	s.cancel("b")
	s.states(stock.Waiting, "c")
	must(s, sku(1), func(t *stock.Terms) { t.OffShelf = false })
	s.states(stock.Locked, "c")
}

func waitCrowd(s *scene) {
	ctx := s.Context()
	const has, waits = 20, 60
	s.define(sku(1), has, stock.Terms{})
	for i := range has {
		s.lock(fmt.Sprint("has-", i), units(1, 1))
	}
	errs := suite.Crowd(waits, 16, func(i int) error { return suite.Err(s.inv.Wait(ctx, fmt.Sprint("waits-", i), units(1, 1))) })
	s.Count("waits", s.Succeeded(errs), waits)
	errs = suite.Crowd(has+waits/2, 16, func(i int) error { // half of those who wait leave, as the units come
		if i < has {
			return suite.Err(s.inv.Cancel(ctx, fmt.Sprint("has-", i)))
		}
		return suite.Err(s.inv.Cancel(ctx, fmt.Sprint("waits-", 2*(i-has))))
	})
	s.Count("cancels", s.Succeeded(errs), has+waits/2)
	suite.Must(s.inv.Expire(ctx)) // of those that others were at
	s.Balanced()
	var states []stock.State
	for i := range waits {
		states = append(states, suite.Must(s.inv.Hold(ctx, fmt.Sprint("waits-", i))).State)
	}
	count := func(state stock.State) (n int) {
		for _, is := range states {
			if is == state {
				n++
			}
		}
		return n
	}
	s.Count("left", count(stock.Cancelled), waits/2)
	s.Count("offered", count(stock.Locked), has)
	s.Count("waiting", count(stock.Waiting), waits/2-has)
	if slices.Contains(states, stock.Unheld) {
		s.Fatalf("an order is lost: %v", states)
	}
}

func waitInTransaction(s *scene) {
	ctx := s.Context()
	s.soldOut(sku(1), 2, "a")
	s.soldOut(sku(2), 1, "paid")
	s.pay("paid")
	s.wait("first", units(1, 1))
	s.wait("other", units(2, 1))
	for _, commits := range []bool{false, true} {
		inv, commit, rollback := s.begin()
		suite.Must(inv.For("ann").Wait(ctx, "second", units(1, 1)))
		suite.Must(inv.Cancel(ctx, "a"))
		suite.Must(inv.Refund(ctx, stock.Refund{ID: "r", Order: "paid", Restock: true}))
		for _, order := range []string{"first", "second", "other"} {
			suite.Same(s, order, suite.Must(inv.Hold(ctx, order)).State, stock.Locked)
		}
		suite.Must(inv.Wait(ctx, "third", units(1, 1)))
		suite.Must(inv.Cancel(ctx, "third"))
		if commits {
			s.No(commit())
			break
		}
		s.No(rollback())
		s.states(stock.Waiting, "first", "other")
		s.unheld("second")
	}
	s.states(stock.Locked, "first", "second", "other")
	s.usage("ann", sku(1), stock.Usage{Held: 1, Holds: 1})
	s.Balanced()
}
