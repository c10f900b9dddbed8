package groupbuytest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock/event"
)

// eventCases are about what leaves the library. How it is delivered the suite of events proves.
func eventCases() []testCase {
	return []testCase{
		{Name: "EventsTellWhatHappenedInItsOrder", Run: eventsInOrder},
		{Name: "EventsCarryWhatAHandlerNeeds", Run: eventsCarry},
		{Name: "EventsOfOtherKindsComeAsTheyAre", Run: eventsOfOthers},
		{Name: "EventsAHandlerMayUseTheGroups", Run: eventsReentrant},
		{Name: "RefundWhoseHandlerFailsStaysDue", Run: refundFails},
		{Name: "RefundThatIsPaidIsReturnedOnce", Run: returnsOnce},
		{Name: "RefundWhoseAnswerIsLostIsReturnedByTheNextDelivery", Run: returnLost},
		{Name: "RefundIsReturnedWhereTheContextHasEnded", Run: returnInterrupted},
	}
}

func eventsInOrder(s *scene) {
	s.opened(people(4), 90)
	code := s.team([]string{anna, ben, carol, dan}, "1", "2")
	s.refund("2")
	s.Advance(hold)
	s.sweep()
	s.late(s.groups, "3", groupbuy.ErrExpired)
	s.form(code)
	s.refund("1")
	got := s.told(code)
	var kinds []event.Kind
	for _, e := range got {
		kinds = append(kinds, e.Kind)
	}
	released, owed, formed := event.SeatReleased, event.RefundOwed, event.TeamFormed
	suite.Same(s, "events", kinds, []event.Kind{owed, released, released, owed, formed, owed})
	s.SameTime("first", got[0].At, s.now().Add(-hold))
	s.SameTime("last", got[5].At, s.now())
	for i, e := range s.deliver() {
		suite.Same(s, "event that is delivered", [2]any{e.ID, e.Kind}, [2]any{got[i].ID, got[i].Kind})
	}
	for _, e := range s.told(code) {
		s.SameTime("done", e.DoneAt, s.now())
	}
	s.Count("events that are left", len(s.deliver()), 0)
}

func eventsCarry(s *scene) {
	s.opened(volume("10"), 10_000)
	code := s.openAs(buyVolume("1", anna, "5")).Team
	for order, buyer := range map[string]string{"2": ben, "3": carol, "4": dan} {
		s.joinAs(code, buyVolume(order, fmt.Sprint(buyer), "5"))
	}
	s.pay("2")
	s.Advance(time.Second)
	s.pay("1")
	s.pay("3")
	s.refund("2")
	s.Advance(hold)
	s.sweep()
	team := s.is(code, groupbuy.Formed)
	events := s.deliver()
	s.Count("events", len(events), 4)
	for i, want := range []news{hasFormed(), added("3"), owes("2"), released("4")} {
		e := events[i]
		suite.Same(s, "event", news{e.Kind, e.Order}, want)
		suite.Same(s, "product", [2]int64{e.SKU, e.Activity}, [2]int64{goods, fair})
		suite.Same(s, "team", e.Team, team)
		if want.order == "" {
			suite.Same(s, "seat of the team", e.Seat, groupbuy.Seat{})
			suite.Same(s, "members", orders(e.Members), []string{"2", "1"})
			suite.Same(s, "a member now", e.Members[0].State, groupbuy.RefundDue)
			suite.Same(s, "guest", e.Members[1].Guest, buy("1", anna).Guest)
			continue
		}
		s.Count("members", len(e.Members), 0)
		suite.Same(s, "order of the seat", e.Seat.Order, want.order)
		suite.Same(s, "buyer", e.Buyer, e.Seat.Buyer)
		suite.Same(s, "refund", e.Refund(), groupbuy.RefundID(want.order))
	}
	suite.Same(s, "seat", events[3].Seat, s.seat("4", groupbuy.Expired))
}

// eventsOfOthers gives a handler an event of the shop's ordinary stock.
func eventsOfOthers(s *scene) {
	is := event.Event{ID: 1, Kind: event.OrderPaid, Queue: event.OrderQueue("1"), Order: "1", Num: 3}
	s.No(s.groups.Handle(func(_ context.Context, e groupbuy.Event) error {
		suite.Same(s, "event", e, groupbuy.Event{Event: is})
		return nil
	})(s.Context(), is))
}

// errFailing is how a handler fails.
var errFailing = errors.New("groupbuytest: the handler failed")

// deliverTo delivers what is due to a handler, and returns how many events were done.
func (s *scene) deliverTo(handle func(groupbuy.Event) error) int {
	s.Helper()
	return suite.Must(s.events.Deliver(s.Context(), s.groups.Handle(func(_ context.Context, e groupbuy.Event) error { return handle(e) })))
}

// eventsReentrant has a handler do what shops do.
func eventsReentrant(s *scene) {
	s.live()
	code := s.team([]string{anna, ben, carol}, "1", "2", "3")
	n := suite.Must(s.events.Deliver(s.Context(), s.groups.Handle(func(ctx context.Context, e groupbuy.Event) error {
		if e.Kind == event.TeamFormed { // and one of them cannot be turned into an order
			return suite.Err(s.groups.Refund(ctx, byHand(e.Members[1].Order)))
		}
		seat, err := s.groups.Seat(ctx, e.Order)
		if err == nil && seat.State != groupbuy.RefundDue {
			err = fmt.Errorf("the seat is %v", seat.State) //nolint:err113 // the event would fail
		}
		return err
	})))
	s.Count("events", n, 2)
	s.seat("2", groupbuy.Refunded)
	s.tells(code, hasFormed(), owes("2"))
}

func refundFails(s *scene) {
	s.live()
	code := s.team([]string{anna, ben, carol}, "1", "2")
	s.fail(code)
	given := map[string]int{}
	handle := func(fails bool) func(groupbuy.Event) error {
		return func(e groupbuy.Event) error {
			if e.Kind == event.RefundOwed {
				given[e.Refund()]++
			}
			if fails && e.Order == "1" {
				return errFailing
			}
			return nil
		}
	}
	s.Count("events that are done", s.deliverTo(handle(true)), 1)
	s.seat("1", groupbuy.RefundDue)
	s.seat("2", groupbuy.RefundDue)
	s.Advance(event.DefaultRetryIn)
	s.Count("events that are done", s.deliverTo(handle(false)), 3)
	s.seat("1", groupbuy.Refunded)
	s.seat("2", groupbuy.Refunded)
	s.is(code, groupbuy.Failed)
	suite.Same(s, "refunds that were paid or tried", given, map[string]int{groupbuy.RefundID("1"): 2, groupbuy.RefundID("2"): 1})
	s.Count("events that are done", s.deliverTo(handle(false)), 0)
	s.Count("refunds that are due", len(suite.Listed(s, s.groups.Refunds(s.Context(), groupbuy.RefundDue))), 0)
	refunded := orders(suite.Listed(s, s.groups.Refunds(s.Context(), groupbuy.Refunded)))
	slices.Sort(refunded)
	suite.Same(s, "refunds that are done", refunded, []string{"1", "2"})
}

// returnsOnce has a shop pay refunds without a handler.
func returnsOnce(s *scene) {
	s.live()
	code := s.team([]string{anna, ben}, "1")
	h := s.hears()
	s.only(suite.Err(h.Return(s.Context(), "1")), groupbuy.ErrPaid)
	s.only(suite.Err(h.Return(s.Context(), "2")), groupbuy.ErrNotPaid)
	s.only(suite.Err(h.Return(s.Context(), "none")), groupbuy.ErrNotFound)
	s.fail(code)
	s.only(suite.Err(h.Return(s.Context(), "2")), groupbuy.ErrCancelled)
	suite.Same(s, "verdicts", suite.Must(s.Store.Return(s.Context(), "2")).String(), "refused")
	h.told(func() error { return suite.Err(h.Return(s.Context(), "1")) }, groupbuy.Effect{Step: groupbuy.StepReturn, Order: "1", Team: code})
	seat := s.seat("1", groupbuy.Refunded)
	seat.Replay = true
	suite.Same(s, "seat", suite.Must(h.Return(s.Context(), "1")), seat)
	s.Count("events, whose handlers find the seat Refunded", len(s.deliver()), 3)
	s.seat("1", groupbuy.Refunded)
}

// returnLost loses the answer of what follows a refund that is paid, or breaks before it.
func returnLost(s *scene) {
	s.live()
	code := s.team([]string{anna, ben}, "1", "2")
	s.fail(code)
	loses := func(order string) *groupbuy.Groups {
		w := suite.Wire{Reply: suite.Fails(groupbuy.ErrUnknown, suite.Named("Return"))}
		if order == "1" {
			w = suite.Wire{Send: w.Reply}
		}
		return s.over(w)
	}
	paid := map[string]int{}
	for range 3 {
		suite.Must(s.events.Deliver(s.Context(), func(ctx context.Context, e event.Event) error {
			groups := s.groups
			if paid[e.Order] == 0 {
				groups = loses(e.Order)
			}
			return groups.Handle(func(context.Context, groupbuy.Event) error { paid[e.Order]++; return nil })(ctx, e)
		}))
		s.Advance(time.Minute)
	}
	suite.Same(s, "deliveries", paid, map[string]int{"": 1, "1": 2, "2": 2})
	s.seat("1", groupbuy.Refunded)
	s.seat("2", groupbuy.Refunded)
}

// returnInterrupted ends the context while a refund is being paid.
func returnInterrupted(s *scene) {
	s.live()
	s.pay(s.open("1", anna).Order)
	s.refund("1")
	ctx, end := context.WithCancel(s.Context())
	n, err := s.events.Deliver(ctx, s.groups.Handle(func(context.Context, groupbuy.Event) error { end(); return nil }))
	s.Is(err, context.Canceled)
	s.Count("events that are done", n, 1)
	s.seat("1", groupbuy.Refunded)
}
