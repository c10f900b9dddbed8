package eventtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

func deliverCases() []testCase {
	return []testCase{
		{Name: "AnEventIsDeliveredOnceItIsDone", Run: deliveredOnce},
		{Name: "AFailureKeepsItsOwnQueueWaitingAndNoOther", Run: failureWaits},
		{Name: "PausesDouble", Run: pausesDouble},
		{Name: "TooManyFailuresSetAnEventAside", Run: setAside},
		{Name: "RedeliverDoesWhatWasSetAside", Run: redeliver},
		{Name: "AHandlerThatDiesHasItsEventDeliveredAgain", Run: handlerDies},
		{Name: "AnEventWithWhichProcessesDieIsSetAside", Run: killers},
		{Name: "DeliveriesAndFailuresAreCountedApart", Run: countsApart},
		{Name: "ALateResultOfAnEarlierDeliveryIsDropped", Run: lateResult},
		{Name: "ABatchHandlerIsGivenManyInOrder", Run: batches},
		{Name: "WhatHasFailedComesByItself", Run: failedAlone},
		{Name: "EachCallOfABatchHandlerHasAWholeLease", Run: wholeLease},
		{Name: "ABatchGoesOnBehindWhatKeepsFailing", Run: failuresAndOthers},
		{Name: "AContextThatEndsGivesBack", Run: contextEnds},
		{Name: "SeveralDeliverersShareTheWorkInOrder", Run: share},
		{Name: "NoQueueHasTwoHandlersAtOnce", Run: oneAtATime},
		{Name: "ALongQueueBehindAFailureHidesNobody", Run: longQueue},
		{Name: "ALongQueueAtAHandlerHidesNobody", Run: longQueueAtHandler},
		{Name: "AnEventWaitsForOneThatIsStillLeased", Run: leasedBetween},
		{Name: "PruneDeletesWhatIsDone", Run: prune},
		{Name: "RunGoesOnUntilItsContextEnds", Run: runs},
	}
}

func deliveredOnce(s *scene) {
	s.write("a", "b")
	var h handler
	s.Count("done", suite.Must(s.events.Deliver(s.Context(), h.handle)), 2)
	suite.Same(s, "delivered", h.take(), []string{"a", "b"})
	s.Count("done", suite.Must(s.events.Deliver(s.Context(), h.handle)), 0)
	is := s.list(event.OrderQueue("a"))[0]
	suite.Same(s, "deliveries", is.Deliveries, 1)
	suite.Same(s, "failures", is.Failures, 0)
	s.SameTime("done at", is.DoneAt, is.At)
}

// life makes an order whose queue has three events: expired, paid late, refunded.
func (s *scene) life(order string) {
	s.Helper()
	s.define(7, 1_000, stock.Terms{})
	s.lock(order, units(7, 1))
	s.Advance(hold)
	suite.Must(s.inv.Expire(s.Context()))
	suite.Must(stock.New(s.Store, &stock.Options{LatePay: stock.Reacquire}).Pay(s.Context(), order))
	suite.Must(s.inv.Refund(s.Context(), stock.Refund{ID: order, Order: order}))
}

func failureWaits(s *scene) {
	s.life("a")
	s.write("b")
	h := handler{fails: map[string]bool{"a": true}}
	var told []error
	events := s.with(event.Options{RetryIn: minute, OnError: func(err error) { told = append(told, err) }})
	s.Count("done", suite.Must(events.Deliver(s.Context(), h.handle)), 1)
	suite.Same(s, "delivered", h.take(), []string{"a", "b"})
	s.Count("errors", len(told), 1)
	s.Is(told[0], errOdd)
	failed := suite.As[*event.Error](s, told[0])
	suite.Same(s, "failed", failed.Event.Kind, event.HoldExpired)
	suite.Same(s, "failure", failed.Event.Failure, "odd")
	h.fails = nil
	s.Count("done", suite.Must(events.Deliver(s.Context(), h.handle)), 0) // it rests
	s.Advance(minute)
	s.Count("done", suite.Must(events.Deliver(s.Context(), h.handle)), 3)
	suite.Same(s, "delivered", h.take(), []string{"a", "a", "a"})
}

func pausesDouble(s *scene) {
	s.write("a")
	h := handler{fails: map[string]bool{"a": true}}
	events := s.with(event.Options{RetryIn: minute, MaxFailures: 100})
	for _, minutes := range []int64{1, 2, 4, 8, 16, 32, 60, 60} {
		rest := time.Duration(minutes * int64(minute))
		suite.Must(events.Deliver(s.Context(), h.handle))
		s.Count("tried", len(h.take()), 1)
		s.Advance(rest - time.Microsecond)
		suite.Must(events.Deliver(s.Context(), h.handle))
		s.Count("tried too early", len(h.take()), 0)
		s.Advance(time.Microsecond)
	}
}

func setAside(s *scene) {
	s.life("a")
	h := handler{fails: map[string]bool{"a": true}}
	events := s.with(event.Options{RetryIn: minute, MaxFailures: 2})
	suite.Must(events.Deliver(s.Context(), h.handle))
	s.Count("set aside", len(s.poisoned()), 0)
	s.Advance(minute)
	calls := 0
	s.Count("done", suite.Must(events.Deliver(s.Context(), func(_ context.Context, e event.Event) error {
		if calls++; e.Kind == event.HoldExpired {
			return errOdd
		}
		return nil
	})), 2) // the others of its queue go on
	s.Count("calls", calls, 3)
	aside := s.poisoned()
	s.Count("set aside", len(aside), 1)
	suite.Same(s, "kind", aside[0].Kind, event.HoldExpired)
	suite.Same(s, "poisoned", aside[0].Poisoned, true)
	suite.Same(s, "failures", aside[0].Failures, 2)
	s.Advance(24 * time.Hour)
	s.Count("done", suite.Must(events.Deliver(s.Context(), h.handle)), 0)
}

func redeliver(s *scene) {
	ctx := s.Context()
	s.write("a")
	h := handler{fails: map[string]bool{"a": true}}
	is := s.list(event.OrderQueue("a"))[0]
	s.Is(suite.Err(s.events.Redeliver(ctx, is.ID+1_000, h.handle)), event.ErrNotFound)
	s.Is(suite.Err(s.events.Redeliver(ctx, is.ID, h.handle)), event.ErrNotPoisoned)
	suite.Must(s.with(event.Options{MaxFailures: 1}).Deliver(ctx, h.handle))
	h.take()
	s.Is(suite.Err(s.events.Redeliver(ctx, is.ID, h.handle)), errOdd)
	aside := s.poisoned()
	s.Count("set aside", len(aside), 1)
	suite.Same(s, "failures", aside[0].Failures, 2)
	h.fails = nil
	done := suite.Must(s.events.Redeliver(ctx, is.ID, h.handle))
	suite.Same(s, "poisoned", done.Poisoned, false)
	suite.Same(s, "done", done.DoneAt.IsZero(), false)
	suite.Same(s, "calls", h.take(), []string{"a", "a"})
	suite.Same(s, "again", suite.Must(s.events.Redeliver(ctx, is.ID, h.handle)), done)
	s.Count("calls", len(h.take()), 0)
	s.Count("set aside", len(s.poisoned()), 0)
}

func handlerDies(s *scene) {
	s.write("a")
	taken := suite.Must(s.Events.Take(s.Context(), 10, minute)) // and its process dies
	s.Count("taken", len(taken), 1)
	var h handler
	s.Advance(minute - time.Microsecond)
	s.Count("done", suite.Must(s.events.Deliver(s.Context(), h.handle)), 0)
	s.Advance(time.Microsecond)
	s.Count("done", suite.Must(s.events.Deliver(s.Context(), func(_ context.Context, e event.Event) error {
		suite.Same(s, "ID", e.ID, taken[0].ID)
		suite.Same(s, "deliveries", e.Deliveries, 2)
		return nil
	})), 1)
}

func killers(s *scene) {
	s.write("a")
	for range 3 {
		suite.Must(s.Events.Take(s.Context(), 10, minute))
		s.Advance(minute)
	}
	var h handler
	s.Count("done", suite.Must(s.with(event.Options{MaxDeliveries: 3}).Deliver(s.Context(), h.handle)), 0)
	s.Count("calls", len(h.take()), 0)
	s.Count("set aside", len(s.poisoned()), 1)
}

func countsApart(s *scene) {
	s.write("a")
	suite.Must(s.Events.Take(s.Context(), 10, minute)) // dies
	s.Advance(minute)
	h := handler{fails: map[string]bool{"a": true}}
	suite.Must(s.events.Deliver(s.Context(), h.handle))
	is := s.list(event.OrderQueue("a"))[0]
	suite.Same(s, "deliveries", is.Deliveries, 2)
	suite.Same(s, "failures", is.Failures, 1)
}

func lateResult(s *scene) {
	ctx := s.Context()
	s.write("a", "b")
	first := suite.Must(s.Events.Take(ctx, 10, minute))
	s.Advance(minute)
	second := suite.Must(s.Events.Take(ctx, 10, minute))
	s.Count("taken again", len(second), 2)
	s.Count("recorded", suite.Must(s.Events.Settle(ctx, []event.Result{{Event: first[0], Failure: "late"}, {Event: first[1]}})), 0)
	s.Count("recorded", suite.Must(s.Events.Settle(ctx, []event.Result{{Event: first[0], Done: true}})), 1) // done is done
	results := []event.Result{{Event: second[0], Failure: "odd"}, {Event: second[1], Done: true}}
	s.Count("recorded", suite.Must(s.Events.Settle(ctx, results)), 1)
	suite.Same(s, "failures", s.list(event.OrderQueue("a"))[0].Failures, 0)
}

func batches(s *scene) {
	s.life("a")
	s.write("b", "c", "d")
	var sizes []int
	var got []string
	events := s.with(event.Options{Batch: 4})
	s.Count("done", suite.Must(events.DeliverBatch(s.Context(), func(_ context.Context, batch []event.Event) error {
		sizes = append(sizes, len(batch))
		for _, e := range batch {
			got = append(got, fmt.Sprint(e.Order, " ", e.Kind))
		}
		return nil
	})), 6)
	suite.Same(s, "sizes", sizes, []int{4, 2})
	suite.Same(s, "events", got, []string{
		"a hold expired", "a order paid", "a order refunded", "b hold cancelled", "c hold cancelled", "d hold cancelled",
	})
}

func failedAlone(s *scene) {
	s.write("a", "b", "c")
	bad := func(_ context.Context, batch []event.Event) error {
		if slices.ContainsFunc(batch, func(e event.Event) bool { return e.Order == "b" }) {
			return errOdd
		}
		return nil
	}
	events := s.with(event.Options{RetryIn: minute, MaxFailures: 2})
	s.Count("done", suite.Must(events.DeliverBatch(s.Context(), bad)), 0)
	s.Advance(minute)
	s.Count("done", suite.Must(events.DeliverBatch(s.Context(), bad)), 2)
	aside := s.poisoned()
	s.Count("set aside", len(aside), 1)
	suite.Same(s, "order", aside[0].Order, "b")
}

func wholeLease(s *scene) {
	s.write("a", "b", "c")
	events := s.with(event.Options{RetryIn: minute, LeaseFor: minute})
	h := handler{fails: map[string]bool{"a": true, "b": true, "c": true}}
	s.Count("done", suite.Must(events.Deliver(s.Context(), h.handle)), 0)
	s.Advance(minute)
	s.write("d", "e")
	calls := 0
	s.Count("done", suite.Must(events.DeliverBatch(s.Context(), func(_ context.Context, batch []event.Event) error {
		calls++
		s.Advance(minute - time.Microsecond) // as long as a handler may take
		for _, e := range suite.Must(s.Events.Take(s.Context(), 10, minute)) {
			for _, mine := range batch {
				suite.Same(s, "taken by another", e.ID == mine.ID, false)
			}
			s.Count("given back", suite.Must(s.Events.Settle(s.Context(), []event.Result{{Event: e}})), 1)
		}
		return nil
	})), 5)
	s.Count("calls", calls, 4) // three by themselves, two together
	for _, order := range []string{"a", "b", "c", "d", "e"} {
		is := s.list(event.OrderQueue(order))[0]
		suite.Same(s, "deliveries of "+order, is.Deliveries, is.Failures+1)
	}
}

func failuresAndOthers(s *scene) {
	s.life("a")
	s.write("b")
	h := handler{fails: map[string]bool{"a": true, "b": true}}
	s.Count("done", suite.Must(s.with(event.Options{RetryIn: time.Microsecond}).Deliver(s.Context(), h.handle)), 0)
	s.Advance(minute)
	s.life("c")
	s.write("d")
	var got []string
	events := s.with(event.Options{RetryIn: time.Microsecond, MaxFailures: 100})
	n := suite.Must(events.DeliverBatch(s.Context(), func(_ context.Context, batch []event.Event) error {
		s.Advance(time.Second) // what has failed is due again at once
		for _, e := range batch {
			got = append(got, e.Order)
			if e.Order == "a" {
				return errOdd
			}
		}
		return nil
	}))
	s.Count("done", n, 5)
	slices.Sort(got)
	suite.Same(s, "delivered", got, []string{"a", "b", "c", "c", "c", "d"})
}

func contextEnds(s *scene) {
	s.write("a", "b", "c")
	ctx, cancel := context.WithCancel(s.Context())
	var h handler
	n, err := s.events.Deliver(ctx, func(ctx context.Context, e event.Event) error {
		if e.Order == "b" {
			cancel()
			return ctx.Err()
		}
		return h.handle(ctx, e)
	})
	suite.Same(s, "canceled", errors.Is(err, context.Canceled), true)
	s.Count("done", n, 1)
	s.Count("done", suite.Must(s.events.Deliver(s.Context(), h.handle)), 2) // at once: neither was tried
	suite.Same(s, "delivered", h.take(), []string{"a", "b", "c"})
	suite.Same(s, "deliveries", s.list(event.OrderQueue("c"))[0].Deliveries, 1)
}

// queues makes events in several queues: the items 1 to n are emptied and filled by turns.
func (s *scene) queues(n int, turns int) {
	s.Helper()
	for sku := range int64(n) {
		s.define(sku+1, 1, stock.Terms{})
	}
	s.Each(suite.Together(n, func(i int) error {
		for turn := range turns {
			order := fmt.Sprint(i, "/", turn)
			if err := suite.Err(s.inv.Lock(s.Context(), order, units(int64(i)+1, 1))); err != nil {
				return err
			}
			if err := suite.Err(s.inv.Cancel(s.Context(), order)); err != nil {
				return err
			}
		}
		return nil
	}))
}

func share(s *scene) {
	const items, turns = 8, 6
	s.queues(items, turns)
	var mu sync.Mutex
	seen, last := map[int64]int{}, map[string]int64{}
	inOrder := true
	note := func(events []event.Event) {
		mu.Lock()
		defer mu.Unlock()
		for _, e := range events {
			seen[e.ID]++
			inOrder = inOrder && e.ID > last[e.Queue]
			last[e.Queue] = e.ID
		}
	}
	deliverers := []func() (int, error){
		func() (int, error) {
			return s.with(event.Options{Batch: 7}).DeliverBatch(s.Context(), func(_ context.Context, batch []event.Event) error {
				note(batch)
				return nil
			})
		},
		func() (int, error) {
			return s.events.Deliver(s.Context(), func(_ context.Context, e event.Event) error {
				note([]event.Event{e})
				return nil
			})
		},
	}
	s.Each(suite.Together(4, func(i int) error { return suite.Err(deliverers[i%2]()) }))
	suite.Must(deliverers[0]()) // what one of them was at while the others looked
	s.Count("events", len(seen), items*turns*3)
	for id, n := range seen {
		s.Count(fmt.Sprint("deliveries of ", id), n, 1)
	}
	suite.Same(s, "in order", inOrder, true)
}

func oneAtATime(s *scene) {
	s.queues(2, 8)
	var mu sync.Mutex
	busy, clash := map[string]bool{}, false
	enter := func(queue string, is bool) {
		mu.Lock()
		defer mu.Unlock()
		clash = clash || is && busy[queue]
		busy[queue] = is
	}
	s.Each(suite.Together(4, func(int) error {
		return suite.Err(s.events.Deliver(s.Context(), func(_ context.Context, e event.Event) error {
			enter(e.Queue, true)
			defer enter(e.Queue, false)
			_, err := s.Events.Event(s.Context(), e.ID) // it takes some time
			return err
		}))
	}))
	suite.Same(s, "two at once", clash, false)
}

func longQueue(s *scene) {
	const behind = 80
	s.define(1, 1, stock.Terms{})
	for i := range behind / 2 {
		s.lock(fmt.Sprint(i), units(1, 1))
		s.cancel(fmt.Sprint(i))
	}
	s.write("z")
	var got []string
	n := suite.Must(s.with(event.Options{RetryIn: time.Hour}).Deliver(s.Context(), func(_ context.Context, e event.Event) error {
		if e.SKU == 1 {
			return errOdd
		}
		got = append(got, e.Order)
		return nil
	}))
	s.Count("done", n, behind/2+1)
	suite.Same(s, "last", got[len(got)-1], "z")
}

func longQueueAtHandler(s *scene) {
	const behind = 80
	s.define(1, 1, stock.Terms{})
	for i := range behind / 2 {
		s.lock(fmt.Sprint(i), units(1, 1))
		s.cancel(fmt.Sprint(i))
	}
	s.write("z")
	slow := suite.Must(s.Events.Take(s.Context(), 1, minute))
	suite.Same(s, "queue", slow[0].Queue, event.ItemQueue(1, 0))
	var h handler
	s.Count("done", suite.Must(s.events.Deliver(s.Context(), h.handle)), behind/2+1)
	got := h.take()
	suite.Same(s, "last", got[len(got)-1], "z")
	s.Count("recorded", suite.Must(s.Events.Settle(s.Context(), []event.Result{{Event: slow[0], Done: true}})), 1)
	s.Count("done", suite.Must(s.events.Deliver(s.Context(), h.handle)), behind-1) // none of them rests
}

func leasedBetween(s *scene) {
	ctx := s.Context()
	s.life("a")
	first := suite.Must(s.Events.Take(ctx, 2, minute))
	s.Count("taken", len(first), 2)
	s.Count("given back", suite.Must(s.Events.Settle(ctx, []event.Result{{Event: first[0]}})), 1)
	again := suite.Must(s.Events.Take(ctx, 10, minute)) // the second is at a handler, and the third comes behind it
	s.Count("taken", len(again), 1)
	suite.Same(s, "ID", again[0].ID, first[0].ID)
}

func prune(s *scene) {
	ctx := s.Context()
	s.write("a", "b")
	h := handler{fails: map[string]bool{"b": true}}
	suite.Must(s.with(event.Options{MaxFailures: 1}).Deliver(ctx, h.handle))
	done := s.list(event.OrderQueue("a"))[0].DoneAt
	s.Count("pruned", suite.Must(s.events.Prune(ctx, done)), 0)
	s.Count("pruned", suite.Must(s.events.Prune(ctx, done.Add(time.Microsecond))), 1)
	s.Count("left", len(s.list(event.OrderQueue("a"))), 0)
	s.Count("set aside", len(s.poisoned()), 1)
}

func runs(s *scene) {
	s.write("a")
	ctx, cancel := context.WithCancel(s.Context())
	var h handler
	err := s.with(event.Options{Every: time.Millisecond}).Run(ctx, func(ctx context.Context, e event.Event) error {
		cancel()
		return h.handle(ctx, e)
	})
	suite.Same(s, "canceled", errors.Is(err, context.Canceled), true)
	suite.Same(s, "delivered", h.take(), []string{"a"})
	suite.Same(s, "done", s.list(event.OrderQueue("a"))[0].DoneAt.IsZero(), false)
}

func isShort(err error) bool { return errors.Is(err, stock.ErrInsufficient) }

func inputCases() []testCase {
	return []testCase{{Name: "BadInputIsRefused", Run: badInput}}
}

func badInput(s *scene) {
	ctx := s.Context()
	for name, err := range map[string]error{
		"no handler":       suite.Err(s.events.Deliver(ctx, nil)),
		"no batch handler": suite.Err(s.events.DeliverBatch(ctx, nil)),
		"run no handler":   s.events.Run(ctx, nil),
		"no event":         suite.Err(s.events.Redeliver(ctx, 0, (&handler{}).handle)),
		"no store":         suite.Err(event.New(nil, nil).Deliver(ctx, (&handler{}).handle)),
		"a zero value":     suite.Err((&event.Events{}).Deliver(ctx, (&handler{}).handle)),
		"a large batch":    suite.Err(s.with(event.Options{Batch: event.MaxBatch + 1}).Deliver(ctx, (&handler{}).handle)),
		"a long lease":     suite.Err(s.with(event.Options{LeaseFor: event.MaxLeaseFor + 1}).Deliver(ctx, (&handler{}).handle)),
		"negative limits":  suite.Err(s.with(event.Options{MaxFailures: -1}).Deliver(ctx, (&handler{}).handle)),
		"no time":          suite.Err(s.events.Prune(ctx, time.Time{})),
	} {
		s.Invalid(name, err)
	}
	for _, err := range s.events.Of(ctx, strings.Repeat("q", event.MaxQueue+1)) {
		s.Invalid("a long queue", err)
	}
}
