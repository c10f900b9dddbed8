package stocktest

import (
	"context"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func payCases() []testCase {
	return []testCase{
		{Name: "PayTwiceIsOnePayment", Run: payTwice},
		{Name: "CancelTwiceFreesOnce", Run: cancelTwice},
		{Name: "UnknownOrdersAreNotFound", Run: unknownOrders},
		{Name: "LatePaymentReacquires", Run: latePayment},
		{Name: "LatePaymentOfWhatIsSoldOutIsRefused", Run: latePaymentSoldOut},
		{Name: "RedeemMovesNoCounter", Run: redeem},
		{Name: "PayMovesEveryLine", Run: payEveryLine},
		{Name: "PayLateAsksForTheBuyersLimitButNotForTheWindow", Run: latePaymentLimits},
		{Name: "PayLateReleasesOtherDeadHolds", Run: latePaymentReleases},
		{Name: "PayLateIsAllLinesOrNone", Run: latePaymentAllOrNone},
		{Name: "PayConcurrentReplays", Run: payConcurrentReplays},
		{Name: "CancelConcurrentReplays", Run: cancelConcurrentReplays},
		{Name: "RedeemConcurrentReplays", Run: redeemConcurrentReplays},
		{Name: "StatesEveryVerbInEveryState", Run: everyVerbInEveryState},
	}
}

// replay returns the outcome of a call that an earlier one had done.
func replay(order string, state stock.State) stock.Outcome {
	return stock.Outcome{Order: order, State: state, Replay: true}
}

func payTwice(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	s.lock("a", units(1, 2))
	suite.Same(s, "outcome", s.pay("a"), stock.Outcome{Order: "a", State: stock.Paid})
	s.counts(sku(1), stock.Quantities{Total: 10, Sold: 2, Left: 8})
	paid := s.state("a", stock.Paid)
	s.SameTime("PaidAt", paid.PaidAt, s.now())
	s.Advance(2 * hold) // however late
	s.unchanged(sku(1), func() { suite.Same(s, "second outcome", s.pay("a"), replay("a", stock.Paid)) })
	suite.Same(s, "hold", s.holdOf("a"), paid)
}

func cancelTwice(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	s.lock("a", units(1, 2))
	s.lock("b", units(1, 3))
	suite.Same(s, "outcome", suite.Must(s.inv.Cancel(s.Context(), "a")), stock.Outcome{Order: "a", State: stock.Cancelled})
	s.counts(sku(1), stock.Quantities{Total: 10, Locked: 3, Left: 10})
	s.Advance(hold / 2)
	suite.Same(s, "second outcome", suite.Must(s.inv.Cancel(s.Context(), "a")), replay("a", stock.Cancelled))
	late := s.with(stock.Options{LatePay: stock.Reacquire})
	s.inState(suite.Err(late.Pay(s.Context(), "a")), "a", stock.Cancelled, stock.ErrCancelled)
	s.counts(sku(1), stock.Quantities{Total: 10, Locked: 3, Left: 10})
}

func unknownOrders(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	s.inState(suite.Err(s.inv.Pay(s.Context(), "a")), "a", stock.Unheld, stock.ErrNotFound)
	s.inState(suite.Err(s.inv.Redeem(s.Context(), "a")), "a", stock.Unheld, stock.ErrNotFound)
	s.inState(suite.Err(s.inv.Refund(s.Context(), stock.Refund{ID: "r", Order: "a"})), "a", stock.Unheld, stock.ErrNotFound)
	s.inState(suite.Err(s.inv.Extend(s.Context(), "a", s.now().Add(hold))), "a", stock.Unheld, stock.ErrNotFound)
	s.inState(suite.Err(s.inv.Shorten(s.Context(), "a", s.now().Add(hold))), "a", stock.Unheld, stock.ErrNotFound)
	s.unheld("a")
	suite.Same(s, "outcome", suite.Must(s.inv.Cancel(s.Context(), "a")), stock.Outcome{Order: "a", State: stock.Cancelled, Void: true})
	s.inState(suite.Err(s.inv.Pay(s.Context(), "a")), "a", stock.Cancelled, stock.ErrCancelled)
	s.counts(sku(1), stock.Quantities{Total: 10, Left: 10})
}

func latePayment(s *scene) {
	var effects []stock.Effect
	s.inv = s.with(stock.Options{LatePay: stock.Reacquire, Hook: record(&effects)})
	s.define(sku(1), 10, stock.Terms{})
	h := s.lock("a", units(1, 2))
	s.Advance(hold)
	suite.Same(s, "outcome", s.pay("a"), stock.Outcome{Order: "a", State: stock.Paid, Late: true})
	suite.Same(s, "second outcome", s.pay("a"), stock.Outcome{Order: "a", State: stock.Paid, Replay: true, Late: true})
	s.counts(sku(1), stock.Quantities{Total: 10, Sold: 2, Left: 8})
	paid := s.state("a", stock.Paid)
	s.SameTime("Deadline", paid.Deadline, h.Deadline)
	s.SameTime("PaidAt", paid.PaidAt, h.Deadline)
	suite.Same(s, "effects", effects, []stock.Effect{
		{Step: stock.StepLock, Order: "a", Lines: []stock.Line{units(1, 2)}},
		{Step: stock.StepExpire, Order: "a"},
		{Step: stock.StepReacquire, Order: "a"},
	})

	// It is the same after a sweep, and long after.
	s.lock("b", units(1, 3))
	s.Advance(100 * hold)
	s.No(suite.Err(s.inv.Expire(s.Context())))
	s.state("b", stock.Expired)
	suite.Same(s, "outcome", s.pay("b"), stock.Outcome{Order: "b", State: stock.Paid, Late: true})
	s.counts(sku(1), stock.Quantities{Total: 10, Sold: 5, Left: 5})
}

func latePaymentSoldOut(s *scene) {
	s.inv = s.with(stock.Options{LatePay: stock.Reacquire})
	s.define(sku(1), 3, stock.Terms{})
	s.lock("a", units(1, 2))
	s.Advance(hold)
	s.buy("b", units(1, 2))
	for range 2 {
		_, err := s.inv.Pay(s.Context(), "a")
		s.inState(err, "a", stock.Expired, stock.ErrExpired)
		s.shortage(err, sku(1), 2, 1)
	}
	s.counts(sku(1), stock.Quantities{Total: 3, Sold: 2, Left: 1})
	s.refund("r", "b", units(1, 1)) // stock that comes back serves the next try
	s.pay("a")
	s.counts(sku(1), stock.Quantities{Total: 3, Sold: 3, Refunded: 1})
}

// redeem hands over a paid order: once, and no counter moves.
func redeem(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	s.buy("a", units(1, 2))
	was := s.item(sku(1)).Quantities
	suite.Same(s, "outcome", suite.Must(s.inv.Redeem(s.Context(), "a")), stock.Outcome{Order: "a", State: stock.Redeemed})
	suite.Same(s, "second outcome", suite.Must(s.inv.Redeem(s.Context(), "a")), replay("a", stock.Redeemed))
	suite.Same(s, "payment after that", s.pay("a"), replay("a", stock.Redeemed))
	s.counts(sku(1), was)
}

func payEveryLine(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	s.define(sku(2), 0, stock.Terms{Unlimited: true})
	s.define(pool(1, 7), 10, stock.Terms{})
	s.No(suite.Err(s.inv.For("5").Lock(s.Context(), "a", stock.Line{SKU: 1, Activity: 7, Num: 3}, units(2, 5), units(1, 2))))
	s.pay("a")
	s.counts(sku(1), stock.Quantities{Total: 10, Sold: 2, Left: 8})
	s.counts(sku(2), stock.Quantities{Sold: 5})
	s.counts(pool(1, 7), stock.Quantities{Total: 10, Sold: 3, Left: 7})
	s.usage("5", pool(1, 7), stock.Usage{Bought: 3})
	s.usage("5", sku(1), stock.Usage{Bought: 2})
}

func latePaymentLimits(s *scene) {
	s.inv = s.with(stock.Options{LatePay: stock.Reacquire})
	now := s.now()
	s.define(sku(1), 10, stock.Terms{PerBuyer: 3, LiveHolds: 1, PerOrder: 2, End: now.Add(hold)})
	buyer := s.inv.For("5")
	s.No(suite.Err(buyer.Lock(s.Context(), "a", units(1, 2))))
	s.Advance(hold) // the sale is over as well
	s.terms(sku(1), stock.Terms{PerBuyer: 3, LiveHolds: 1, PerOrder: 1, OffShelf: true})
	suite.Same(s, "outcome", s.pay("a"), stock.Outcome{Order: "a", State: stock.Paid, Late: true})
	s.usage("5", sku(1), stock.Usage{Bought: 2})

	s.terms(sku(1), stock.Terms{PerBuyer: 4})
	s.No(suite.Err(buyer.Lock(s.Context(), "b", units(1, 2))))
	s.Advance(hold)
	s.No(suite.Err(buyer.Lock(s.Context(), "c", units(1, 1))))
	_, err := s.inv.Pay(s.Context(), "b")
	s.Is(err, stock.ErrExpired)
	s.overLimit(err, stock.LimitError{
		Key: sku(1), Err: stock.ErrPerBuyer, Buyer: "5", Limit: 4, Has: 3, Wanted: 2,
	})
	s.counts(sku(1), stock.Quantities{Total: 10, Sold: 2, Locked: 1, Left: 8})
	s.No(suite.Err(s.inv.Cancel(s.Context(), "c")))
	s.pay("b")
	s.usage("5", sku(1), stock.Usage{Bought: 4})
}

// latePaymentReleases needs units that another dead hold still sits on.
func latePaymentReleases(s *scene) {
	s.inv = s.with(stock.Options{LatePay: stock.Reacquire})
	s.define(sku(1), 2, stock.Terms{})
	s.lock("a", units(1, 2))
	s.Advance(hold)
	s.lock("b", units(1, 2)) // this released a
	s.Advance(hold)
	s.pay("a")
	s.state("b", stock.Expired)
	s.counts(sku(1), stock.Quantities{Total: 2, Sold: 2})
}

func latePaymentAllOrNone(s *scene) {
	s.inv = s.with(stock.Options{LatePay: stock.Reacquire})
	s.fill(5, sku(1), sku(2))
	s.lock("a", units(1, 2), units(2, 2))
	s.Advance(hold)
	s.lock("b", units(2, 4))
	_, err := s.inv.Pay(s.Context(), "a")
	s.Is(err, stock.ErrExpired)
	s.shortage(err, sku(2), 2, 1)
	s.counts(sku(1), stock.Quantities{Total: 5, Left: 5})
	s.counts(sku(2), stock.Quantities{Total: 5, Locked: 4, Left: 5})
}

func payConcurrentReplays(s *scene) {
	s.define(sku(1), 100, stock.Terms{})
	s.lock("a", units(1, 2))
	s.once("a", s.inv.Pay, stock.Paid)
	s.counts(sku(1), stock.Quantities{Total: 100, Sold: 2, Left: 98})

	s.lock("b", units(1, 2))
	s.Advance(hold)
	s.once("b", s.with(stock.Options{LatePay: stock.Reacquire}).Pay, stock.Paid)
	s.counts(sku(1), stock.Quantities{Total: 100, Sold: 4, Left: 96})
}

// once makes a step of an order many times at once, and ends the test unless exactly one of the outcomes is no replay.
func (s *scene) once(order string, step func(context.Context, string) (stock.Outcome, error), state stock.State) {
	s.Helper()
	outcomes := make([]stock.Outcome, 32)
	s.Each(suite.Together(len(outcomes), func(i int) (err error) {
		outcomes[i], err = step(s.Context(), order)
		return err
	}))
	done := 0
	for _, o := range outcomes {
		suite.Same(s, "state", o.State, state)
		if !o.Replay {
			done++
		}
	}
	s.Count("calls that did it", done, 1)
}

func cancelConcurrentReplays(s *scene) {
	s.fill(100, sku(1), sku(2))
	s.lock("a", units(1, 2), units(2, 1))
	s.lock("b", units(1, 1))
	s.once("a", s.inv.Cancel, stock.Cancelled)
	s.once("never locked", s.inv.Cancel, stock.Cancelled)
	s.counts(sku(1), stock.Quantities{Total: 100, Locked: 1, Left: 100})
	s.counts(sku(2), stock.Quantities{Total: 100, Left: 100})
}

func redeemConcurrentReplays(s *scene) {
	s.define(sku(1), 100, stock.Terms{})
	s.buy("a", units(1, 2))
	s.once("a", s.inv.Redeem, stock.Redeemed)
	s.counts(sku(1), stock.Quantities{Total: 100, Sold: 2, Left: 98})
}

// everyVerbInEveryState puts an order in each state and calls each verb: what is not allowed
// names the state and changes nothing.
func everyVerbInEveryState(s *scene) {
	s.define(sku(1), 1000, stock.Terms{})
	far := s.now().Add(10 * hold)
	verbs := map[string]func(order string) error{
		"Pay":     func(o string) error { return suite.Err(s.inv.Pay(s.Context(), o)) },
		"Cancel":  func(o string) error { return suite.Err(s.inv.Cancel(s.Context(), o)) },
		"Redeem":  func(o string) error { return suite.Err(s.inv.Redeem(s.Context(), o)) },
		"Extend":  func(o string) error { return suite.Err(s.inv.Extend(s.Context(), o, far)) },
		"Shorten": func(o string) error { return suite.Err(s.inv.Shorten(s.Context(), o, far.Add(-time.Hour))) },
		"Refund": func(o string) error {
			return suite.Err(s.inv.Refund(s.Context(), stock.Refund{ID: "again " + o, Order: o, Restock: true}))
		},
	}
	want := map[stock.State]map[string]error{
		stock.Locked:   {"Redeem": stock.ErrNotPaid, "Refund": stock.ErrNotPaid},
		stock.Paid:     {"Cancel": stock.ErrPaid, "Extend": stock.ErrPaid, "Shorten": stock.ErrPaid},
		stock.Redeemed: {"Cancel": stock.ErrRedeemed, "Extend": stock.ErrRedeemed, "Shorten": stock.ErrRedeemed, "Refund": stock.ErrRedeemed},
		stock.Refunded: {"Cancel": stock.ErrRefunded, "Redeem": stock.ErrRefunded, "Extend": stock.ErrRefunded, "Shorten": stock.ErrRefunded,
			"Refund": stock.ErrRefunded},
		stock.Cancelled: {"Pay": stock.ErrCancelled, "Redeem": stock.ErrCancelled, "Extend": stock.ErrCancelled, "Shorten": stock.ErrCancelled,
			"Refund": stock.ErrCancelled},
		stock.Expired: {"Pay": stock.ErrExpired, "Cancel": stock.ErrExpired, "Redeem": stock.ErrExpired, "Extend": stock.ErrExpired,
			"Shorten": stock.ErrExpired, "Refund": stock.ErrExpired},
	}
	for state := stock.Locked; state <= stock.Expired; state++ {
		for name, call := range verbs {
			order := fmt.Sprint(name, " when ", state)
			s.reach(state, order)
			was, counted := s.state(order, state), s.item(sku(1))
			err := call(order)
			if reason := want[state][name]; reason != nil {
				s.inState(err, order, state, reason)
				suite.Same(s, "hold", s.holdOf(order), was)
				suite.Same(s, "item", s.item(sku(1)), counted)
			} else if err != nil {
				s.Fatalf("%s: %v", order, err)
			}
		}
	}
}

// reach puts an order of two units of SKU 1 in a state.
func (s *scene) reach(state stock.State, order string) {
	s.Helper()
	hold := s.lock(order, units(1, 2))
	switch state {
	case stock.Paid, stock.Redeemed, stock.Refunded:
		s.pay(order)
	case stock.Cancelled:
		s.No(suite.Err(s.inv.Cancel(s.Context(), order)))
	case stock.Expired:
		s.No(suite.Err(s.inv.Shorten(s.Context(), order, hold.LockedAt)))
		s.No(suite.Err(s.inv.Expire(s.Context())))
	case stock.Unheld, stock.Locked, stock.Waiting, stock.Archived:
	}
	if state == stock.Redeemed {
		s.No(suite.Err(s.inv.Redeem(s.Context(), order)))
	}
	if state == stock.Refunded {
		s.refund("of "+order, order)
	}
}

// record returns a hook that keeps what it is told. It is for calls that come one by one.
func record(effects *[]stock.Effect) func(context.Context, stock.Effect) {
	return func(_ context.Context, e stock.Effect) { *effects = append(*effects, e) }
}
